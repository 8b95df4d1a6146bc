//! Whether a checkpoint can have a structure that its base, its name or its size points to: what must not disagree.
//!
//! | witness | what it says |
//! | --- | --- |
//! | architecture | the blocks are the same |
//! | its own dimensions | those it states are equal |
//! | experts | a dense checkpoint is no mixture's, a mixture's size is one that its experts give |
//! | date | the structure is not younger than the checkpoint |
//! | name | the sizes and layers that it states; edits of layers or widths inherit nothing from what was not edited |
//! | listed size | decides between known structures, and speaks against one that a base or a name points to |
//!
//! A size never makes a structure. Half, a quarter or twice of what name and base say is one of packed weights, or wrong:
//! it is noted and not used. A size that another number of the same layers gives exactly is that of a stack or of a pruned
//! checkpoint: that one stays unresolved. What is left is another vocabulary.

use crate::calendar::DATES_APART;
use crate::known::Known;
use crate::labels::is_plain;
use crate::resolve::edits;
use crate::resolve::formula::by_shape;
use crate::resolve::listed::{Experts, Listed, closest};
use crate::resolve::pool::Pool;
use crate::resolve::stated::said;
use crate::resolve::template::{Shape, Template, block, family_of};
use crate::words::{Stated, sizes};

/// Shares of the true size that boards list for packed weights, or for weights counted by bytes.
const PACKED: [f64; 4] = [0.25, 0.5, 2.0, 4.0];
/// How far a listed share may be off, of counted sizes and of rough ones.
const SHARE: [f64; 2] = [0.006, 0.1];
/// Between these shares of the true size a listing may be that of another vocabulary; beyond, it is of something else.
const ANOTHER_VOCABULARY: std::ops::RangeInclusive<f64> = 0.75..=1.5;
/// Billions within which a listed size and a computed one are the same number.
const SAME: f64 = 0.0011;
/// Logarithm within which a listed size is the one that the name states.
const AGREE: f64 = 0.2;
/// Most entries of a vocabulary.
const LARGEST_VOCABULARY: f64 = 600_000.0;

/// What points to a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A declared base, or a base's whole name in the name: stronger than a listed size.
    Base,
    /// Words of the name, or the size: a listed size that disagrees refutes them.
    Hint,
}

/// Why a checkpoint cannot have a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is none of the base's: other blocks, other experts, an earlier date.
    Unlike(String),
    /// Its size or its layers are others than the base's, which may be its base all the same.
    Edited(String),
}

impl Why {
    /// In words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Unlike(words) | Self::Edited(words) => words,
        }
    }
}

/// What a checkpoint says of its structure without stating it.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) known: &'a Known,
    pub(crate) family: Option<String>,
    pub(crate) listed: Listed,
    pub(crate) stated: Vec<Stated>,
    pub(crate) mixture: bool,
    edited: bool,
    layers: Option<i64>,
    scales: Vec<String>,
}

/// Families of mixtures whose names do not say so.
const MIXTURES: [&str; 10] = [
    "mixtral",
    "dbrx",
    "deepseek",
    "deepseekv2",
    "deepseekv3",
    "jamba",
    "arctic",
    "grok1",
    "gptoss",
    "llama4",
];

/// Whether a checkpoint has several experts: by its config or class, else by a board, else by its name. A merge of five
/// dense checkpoints may be called `5x7B` and be as dense as they are.
pub(crate) fn is_mixture(known: &Known) -> bool {
    let by_class = |family: &str| family.contains("moe") || MIXTURES.contains(&family);
    let named = || {
        sizes(&known.id)
            .iter()
            .any(|stated| matches!(stated, Stated::Mixture(..)))
    };
    match (family_of(known), known.is_moe) {
        _ if is_plain(known) => false,
        (_, Some(true)) if known.structured => true,
        (Some(family), _) => by_class(&family),
        (None, said) => said == Some(true) || named(),
    }
}

impl<'a> Asked<'a> {
    /// What `known` says.
    pub(crate) fn of(known: &'a Known) -> Self {
        Self {
            known,
            family: family_of(known),
            listed: Listed::of(known),
            stated: sizes(&known.id),
            mixture: is_mixture(known),
            edited: edits::edited(&known.id),
            layers: edits::layers(&known.id),
            scales: edits::scales(&known.id),
        }
    }

    /// Width of a head: its own, else its base's.
    pub(crate) fn head_dim(&self, base: Option<&Known>) -> Option<i64> {
        let of = |known: &Known| known.details.head_dim;
        of(self.known).or_else(|| of(base?))
    }

    /// How many experts its name states.
    pub(crate) fn named_experts(&self) -> Option<i64> {
        self.stated.iter().find_map(|stated| match *stated {
            Stated::Mixture(experts, _) => Some(experts),
            Stated::Dense(_) => None,
        })
    }

    /// Whether a dense checkpoint or a mixture is looked for.
    pub(crate) fn experts(&self) -> Experts {
        if self.mixture {
            Experts::Several
        } else {
            Experts::One
        }
    }

    fn is_akin(&self, template: &Template) -> bool {
        self.family
            .as_deref()
            .is_none_or(|family| block(family) == block(&template.family))
    }

    /// The structures of one shape that have the checkpoint's blocks.
    pub(crate) fn akin<'p>(&self, pool: &'p Pool, shape: Shape) -> Vec<&'p Template> {
        pool.of_shape(shape)
            .filter(|template| self.is_akin(template))
            .collect()
    }

    /// Whether that shape, in the checkpoint's family where it is known, can have the size that its name states.
    pub(crate) fn says(&self, pool: &Pool, shape: Shape) -> bool {
        self.stated.is_empty()
            || self
                .akin(pool, shape)
                .iter()
                .any(|template| said(template, &self.stated, self.mixture))
    }

    /// Whether the checkpoint can have the structure `shape` of checkpoint `of`: what is to be noted of it, else why not.
    pub(crate) fn admits(
        &self,
        pool: &Pool,
        shape: Shape,
        of: &Known,
        ground: Ground,
    ) -> Result<Option<String>, Why> {
        let refuted = self.unlike(pool, shape, of).map(Why::Unlike);
        let refuted = refuted.or_else(|| self.edited_from(pool, shape, of).map(Why::Edited));
        refuted.map_or(Ok(()), Err)?;
        self.by_size(pool, shape, of, ground).map_err(Why::Edited)
    }

    /// What says that a structure is none of this checkpoint's kind.
    fn unlike(&self, pool: &Pool, shape: Shape, of: &Known) -> Option<String> {
        if let (Some(own), Some(theirs)) = (&self.family, family_of(of))
            && block(own) != block(&theirs)
        {
            return Some(format!("{} is {theirs}, this one {own}", of.id));
        }
        let own = &self.known.details.dimensions[..4];
        if own
            .iter()
            .zip(shape)
            .any(|(own, of)| own.is_some_and(|own| own != of))
        {
            return Some(format!("{} has other dimensions than are stated", of.id));
        }
        if !self.mixture && is_mixture(of) {
            return Some(format!("{} is a mixture", of.id));
        }
        if pool
            .first
            .is_younger(of, shape, self.known.published(), DATES_APART)
        {
            return Some(format!("the structure of {} is younger", of.id));
        }
        None
    }

    /// What the name says against a structure: other layers, or that it was edited.
    fn edited_from(&self, pool: &Pool, shape: Shape, of: &Known) -> Option<String> {
        let unsized_ = self.listed == Listed::Unknown && self.stated.is_empty();
        let theirs = edits::scales(&of.id);
        if let Some(scale) = self
            .scales
            .iter()
            .find(|&scale| unsized_ && !theirs.contains(scale))
        {
            return Some(format!("it is called {scale}, {} is not", of.id));
        }
        if let Some(layers) = self.layers.filter(|&layers| layers != shape[0]) {
            return Some(format!(
                "the name states {layers} layers, {} has {}",
                of.id, shape[0]
            ));
        }
        if self.edited && !edits::edited(&of.id) && self.layers.is_none() {
            let counted = matches!(self.listed, Listed::Counted(_))
                && self.akin(pool, shape).iter().any(|template| {
                    closest(template, self.listed, self.experts(), true).is_some_and(|off| off <= SAME)
                });
            return (!counted).then(|| format!("layers or widths of {} were edited", of.id));
        }
        None
    }

    /// What the sizes say of a shape.
    fn by_size(
        &self,
        pool: &Pool,
        shape: Shape,
        of: &Known,
        ground: Ground,
    ) -> Result<Option<String>, String> {
        let experts = self.experts();
        let mut templates = self.akin(pool, shape);
        // Of unknown blocks it has those of its base, where a base is what it is from.
        if self.family.is_none()
            && !self.mixture
            && ground == Ground::Base
            && let Some(family) = family_of(of)
            && templates.iter().any(|template| template.family == family)
        {
            templates.retain(|template| template.family == family);
        }
        let states = !self.stated.is_empty();
        if states
            && !templates
                .iter()
                .any(|template| said(template, &self.stated, self.mixture))
        {
            return Err("the name states another size than its base has".to_owned());
        }
        let (Listed::Rough(listed) | Listed::Counted(listed)) = self.listed else {
            // A mixture of unknown size is told by what its name states alone.
            return if self.mixture && !states && experts_unknown(&templates) {
                Err("a mixture of unknown size".to_owned())
            } else {
                Ok(None)
            };
        };
        let fits = |template: &&Template| {
            let usual = closest(template, self.listed, experts, true).is_some();
            // Another vocabulary of its kin, or a tied head that is stored: a base may have that, words must meet it.
            let unusual = closest(template, self.listed, experts, false);
            usual || unusual.is_some_and(|off| ground == Ground::Base || states && off <= SAME)
        };
        if templates.iter().any(fits) {
            return Ok(None);
        }
        let sizes = || {
            templates
                .iter()
                .flat_map(|template| &template.sizes)
                .filter(|admitted| experts.admits(admitted) && admitted.usual)
                .map(|admitted| admitted.size)
        };
        let away = |size: &f64| (listed / size).ln().abs();
        let Some(size) = sizes().min_by(|a, b| away(a).total_cmp(&away(b))) else {
            // No formula and no count: the name alone can agree.
            return if states && ground == Ground::Base && !self.mixture {
                Ok(None)
            } else {
                Err("nothing is known of the base's size".to_owned())
            };
        };
        let other = format!(
            "size: {listed} listed, {size:.3} by {} layers of the base",
            shape[0]
        );
        let counted = matches!(self.listed, Listed::Counted(_));
        let agree = self.stated.iter().any(|stated| match *stated {
            Stated::Dense(stated) => (listed / stated).ln().abs() <= AGREE,
            Stated::Mixture(..) => false,
        });
        if agree && !ANOTHER_VOCABULARY.contains(&(listed / size)) {
            return Err(format!("{other}, and the name states the listed one"));
        }
        // Packed weights may be half of any size that the shape can have, not only of the nearest.
        let tolerance = SHARE[usize::from(!counted)];
        let is_share = |size: f64| {
            PACKED
                .iter()
                .any(|share| (listed / size / share - 1.0).abs() <= tolerance)
        };
        let binds = ground == Ground::Base && !self.mixture;
        if sizes().any(is_share) && (states || binds && counted) && !self.mixture {
            return Ok(Some(format!("{other}: of packed weights, or wrong")));
        }
        if !binds {
            return Err(other);
        }
        if !ANOTHER_VOCABULARY.contains(&(listed / size)) {
            return if states {
                Ok(Some(format!("{other} and by the name: not used")))
            } else {
                Err(other)
            };
        }
        if !counted {
            return if states { Ok(None) } else { Err(other) };
        }
        let width = shape[1] as f64;
        if let Some(depth) = stacked(of, shape, listed) {
            return Err(format!("{other}: {depth} such layers have it"));
        }
        if (listed - size) * 1e9 / width > LARGEST_VOCABULARY {
            return Err(other);
        }
        Ok(Some(format!("{other}: another vocabulary")))
    }
}

/// How many layers of `of`, others than it has, a listed size is to the last digit.
fn stacked(of: &Known, shape: Shape, listed: f64) -> Option<i64> {
    let family = family_of(of)?;
    let deep = |layers: i64| {
        let mut dimensions = of.details.dimensions;
        dimensions[0] = Some(layers);
        by_shape(&family, dimensions, of.details.head_dim, None, None)
            .first()
            .copied()
    };
    let own = deep(shape[0])?;
    let layer = deep(shape[0] + 1)? - own;
    let more = ((listed - own) / layer).round();
    let same = (listed - own - more * layer).abs() <= SAME && layer > 4.0 * SAME;
    let depth = shape[0] + more as i64;
    (same && depth != shape[0] && depth > 0).then_some(depth)
}

fn experts_unknown(templates: &[&Template]) -> bool {
    !templates
        .iter()
        .any(|template| template.family == "mixtral" || template.sizes.is_empty())
}
