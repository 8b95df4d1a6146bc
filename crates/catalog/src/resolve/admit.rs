//! Whether a checkpoint can have the structure that its base, its name or its size suggests: evidence that must not
//! contradict it.
//!
//! | evidence | what it says |
//! | --- | --- |
//! | architecture | both have the same kind of blocks |
//! | its own dimensions | those that it states are equal |
//! | experts | a dense checkpoint does not have a mixture's structure; a mixture's size must fit its experts |
//! | date | the structure is not younger than the checkpoint |
//! | name | the sizes and layers that it states fit; an edited checkpoint inherits nothing from an unedited one |
//! | listed size | decides between known structures, and contradicts one suggested by a base or a name |
//!
//! A size alone never creates a structure. A size that is half, a quarter or twice that given by name and base is one
//! of packed weights, or wrong: it is noted and not used. A size that another number of the same layers gives exactly
//! is that of a stacked or pruned checkpoint, which stays unresolved. Any remaining difference is explained by another
//! vocabulary.

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

/// Fractions of the true size that boards list for packed weights, or for weights counted in bytes.
const PACKED: [f64; 4] = [0.25, 0.5, 2.0, 4.0];
/// Relative tolerance around such a fraction, for counted sizes and for rough ones.
const SHARE: [f64; 2] = [0.006, 0.1];
/// Ratios of listed to true size that another vocabulary can explain; outside this range the listing is of something
/// else.
const ANOTHER_VOCABULARY: std::ops::RangeInclusive<f64> = 0.75..=1.5;
/// Difference in billions up to which a listed size and a computed one are the same.
const SAME: f64 = 0.0011;
/// Difference of logarithms up to which a listed size is the one that the name states.
const AGREE: f64 = 0.2;
/// Greatest plausible size of a vocabulary.
const LARGEST_VOCABULARY: f64 = 600_000.0;

/// The kind of evidence that suggests a structure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A declared base, or a base's whole name within the name: stronger evidence than a listed size.
    Base,
    /// Words of the name, or the size: refuted by a listed size that disagrees.
    Hint,
}

/// Why a checkpoint cannot have a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Why {
    /// It is of another kind: other blocks, other experts, an earlier date.
    Unlike(String),
    /// Its size or its layers differ from those of the base, which may still be its base.
    Edited(String),
}

impl Why {
    /// The reason in words.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Unlike(words) | Self::Edited(words) => words,
        }
    }
}

/// What is known about the structure of a checkpoint that is being resolved.
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

/// Families of mixtures whose names do not indicate it.
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

/// Whether a checkpoint is a mixture of experts: by its config or class, else by a board, else by its name. (A merge of
/// five dense checkpoints may be called `5x7B` and still be dense.)
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
    /// Collects what `known` states.
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

    /// Width of a head: the checkpoint's own, else its base's.
    pub(crate) fn head_dim(&self, base: Option<&Known>) -> Option<i64> {
        let of = |known: &Known| known.details.head_dim;
        of(self.known).or_else(|| of(base?))
    }

    /// Number of experts that the name states; `None` if it states none.
    pub(crate) fn named_experts(&self) -> Option<i64> {
        self.stated.iter().find_map(|stated| match *stated {
            Stated::Mixture(experts, _) => Some(experts),
            Stated::Dense(_) => None,
        })
    }

    /// Whether structures with one expert or with several are considered.
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

    /// The templates with this shape whose blocks are the checkpoint's.
    pub(crate) fn akin<'p>(&self, pool: &'p Pool, shape: Shape) -> Vec<&'p Template> {
        pool.of_shape(shape)
            .filter(|template| self.is_akin(template))
            .collect()
    }

    /// Whether this shape can have the size that the checkpoint's name states, in the checkpoint's family where it is
    /// known.
    pub(crate) fn says(&self, pool: &Pool, shape: Shape) -> bool {
        self.stated.is_empty()
            || self
                .akin(pool, shape)
                .iter()
                .any(|template| said(template, &self.stated, self.mixture))
    }

    /// Whether the checkpoint can have the structure `shape` of checkpoint `of`: a remark to note, if any, or the
    /// reason why not.
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

    /// The evidence that a structure is of another kind than this checkpoint; `None` if there is none.
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

    /// The evidence in the name against a structure: another number of layers, or that layers were edited; `None` if
    /// there is none.
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

    /// Whether the listed and stated sizes allow a shape: a remark to note, if any, or the reason why not.
    fn by_size(
        &self,
        pool: &Pool,
        shape: Shape,
        of: &Known,
        ground: Ground,
    ) -> Result<Option<String>, String> {
        let experts = self.experts();
        let mut templates = self.akin(pool, shape);
        // A checkpoint with unknown blocks has those of its base, where the evidence is a base.
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
            // A mixture of unknown size is determined only by what its name states.
            return if self.mixture && !states && experts_unknown(&templates) {
                Err("a mixture of unknown size".to_owned())
            } else {
                Ok(None)
            };
        };
        let fits = |template: &&Template| {
            let usual = closest(template, self.listed, experts, true).is_some();
            // A similar vocabulary, or a tied output head that is stored: acceptable for a base, but not for words
            // alone.
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
            // Without formula and count only the name can confirm the base.
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
        // For packed weights any size that the shape can have counts, not only the nearest.
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

/// A number of layers, other than that of `of`, that gives exactly the listed size; `None` if there is none.
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
