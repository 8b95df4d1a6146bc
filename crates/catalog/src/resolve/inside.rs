//! Determines the make-up of a checkpoint's layers beside its seven dimensions, and its parameters by formula: its own
//! values, else its base's, else what the formula of its family gives for its dimensions.

use std::collections::BTreeMap;

use crate::config::recipe::recipe;
use crate::config::stated::Counts;
use crate::config::stated::Makeup;
use crate::known::Known;
use crate::observed::{DimensionValues, Place};
use crate::resolve::admit::{Asked, is_mixture};
use crate::resolve::formula;
use crate::resolve::listed::Listed;
use crate::resolve::template::{Shape, family_of};

/// Where the value of a column of [`Makeup`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A source's statement about this checkpoint.
    Own(Place),
    /// A source's statement about its base.
    Base(Place),
    /// The checkpoint's own name.
    Name,
    /// From `d_ffn`, which in a dense checkpoint is the width of every layer.
    Width,
    /// From the formula: only this value gives the counted number of parameters.
    Formula,
}

/// Whether all known checkpoints of one shape that state their attention agree on a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    tied: bool,
    attention: bool,
}

/// For each shape, the columns on which its checkpoints agree.
pub(super) fn agreed(known: &[Known]) -> BTreeMap<Shape, Agreed> {
    let mut first: BTreeMap<Shape, (&Makeup, Agreed)> = BTreeMap::new();
    for entry in known {
        let makeup = &entry.details.makeup;
        let Some(shape) = entry.shape().filter(|_| makeup.attention.is_some()) else {
            continue;
        };
        let all = Agreed {
            tied: true,
            attention: true,
        };
        let (of_first, agreed) = first.entry(shape).or_insert((makeup, all));
        agreed.tied &= of_first.tied == makeup.tied;
        agreed.attention &= of_first.attention == makeup.attention;
    }
    first
        .into_iter()
        .map(|(shape, (_, agreed))| (shape, agreed))
        .collect()
}

/// Whether the output head of a checkpoint is tied, where its config does not say so, and the evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// Only this kind of head gives the counted number of parameters by the formula.
    Counted(bool),
    /// This kind dominates among known checkpoints with the same blocks, shape and vocabulary.
    Agreed(bool),
}

impl Head {
    /// Whether the head is tied to the embedding.
    pub(super) fn tied(self) -> bool {
        match self {
            Self::Counted(tied) | Self::Agreed(tied) => tied,
        }
    }
}

/// The columns and where each value comes from, in the order of [`crate::config::stated::COLUMNS`].
pub(super) struct Inside {
    pub(super) makeup: Makeup,
    pub(super) from: [Option<From>; 8],
}

/// The make-up of the layers of `asked`; `base` is the checkpoint that its structure was taken from, if not its own.
pub(super) fn inside(
    asked: &Asked<'_>,
    base: Option<&Known>,
    dimensions: DimensionValues,
    agreed: Option<&Agreed>,
    (head, size): (Option<Head>, Option<f64>),
) -> Inside {
    let own = &asked.known.details;
    // A mixture made from a dense base shares its shape, but nothing that follows from being dense.
    let base = base.filter(|base| is_mixture(base) == asked.mixture);
    let other = base.map(|base| &base.details);
    // If the base is only one of many with the shape, only values on which all of these agree are taken.
    let agrees = |asked: fn(&Agreed) -> bool| agreed.is_none_or(asked);
    let nothing = Makeup::NONE;
    let (mine, theirs) = (&own.makeup, other.map_or(&nothing, |other| &other.makeup));
    let mut from = [None; 8];
    let mut number = |at: usize, mine: Option<i64>, theirs: Option<i64>| {
        from[at] = told(
            at,
            mine.is_some(),
            theirs.is_some(),
            own.makeup_places,
            other.map(|o| o.makeup_places),
        );
        mine.or(theirs)
    };
    let mut makeup = Makeup {
        experts: number(0, mine.experts, theirs.experts),
        experts_per_token: number(1, mine.experts_per_token, theirs.experts_per_token),
        shared_experts: number(2, mine.shared_experts, theirs.shared_experts),
        d_ffn_dense: number(3, mine.d_ffn_dense, theirs.d_ffn_dense),
        d_ffn_total_active: number(4, mine.d_ffn_total_active, theirs.d_ffn_total_active),
        head_dim: number(5, mine.head_dim, theirs.head_dim),
        ..Makeup::default()
    };
    let places = (own.makeup_places, other.map(|other| other.makeup_places));
    let tied = theirs.tied.filter(|_| agrees(|agreed| agreed.tied));
    from[6] = told(6, mine.tied.is_some(), tied.is_some(), places.0, places.1);
    makeup.tied = mine.tied.or(tied);
    let attention = theirs
        .attention
        .as_ref()
        .filter(|_| agrees(|agreed| agreed.attention));
    from[7] = told(
        7,
        mine.attention.is_some(),
        attention.is_some(),
        places.0,
        places.1,
    );
    makeup.attention = mine.attention.as_ref().or(attention).cloned();
    if let (None, Some(Head::Counted(tied))) = (makeup.tied, head) {
        (makeup.tied, from[6]) = (Some(tied), Some(From::Formula));
    }
    let mixture = Mixture {
        family: family_of_mixture(asked, base),
        dimensions,
        head_dim: asked.head_dim(base).or(makeup.head_dim),
        used: makeup.experts_per_token.unwrap_or(USUALLY_USED),
        tied: makeup.tied.or(head.map(Head::tied)),
    };
    let experts = if asked.mixture && mine.experts.is_none() {
        mixture.experts(asked, theirs, size)
    } else {
        Told::AsBase
    };
    match experts {
        Told::AsBase => {}
        Told::Unknown => (makeup.experts, from[0]) = (None, None),
        Told::By(experts, by) => {
            (makeup.experts, from[0]) = (Some(experts), Some(by));
            // With fewer experts than the base uses per token, the number used is not known.
            if makeup.experts_per_token.is_some_and(|used| used > experts) {
                (makeup.experts_per_token, from[1]) = (None, None);
                (makeup.d_ffn_total_active, from[4]) = (None, None);
            }
        }
    }
    let other_experts = experts != Told::AsBase && makeup.experts != theirs.experts;
    if !asked.mixture && makeup.experts.is_none() {
        let width = dimensions[2];
        for (column, at) in [(&mut makeup.d_ffn_dense, 3), (&mut makeup.d_ffn_total_active, 4)] {
            if column.is_none() && width.is_some() {
                (*column, from[at]) = (width, Some(From::Width));
            }
        }
    }
    makeup.counts = mine
        .counts
        .or_else(|| of_base(theirs, other?.dimensions, dimensions).filter(|_| !other_experts))
        .or_else(|| match experts {
            Told::By(experts, _) => mixture.counts(experts),
            _ => by_formula(asked, base, &makeup, dimensions, mixture.tied),
        });
    Inside { makeup, from }
}

fn told(at: usize, mine: bool, theirs: bool, own: [Place; 8], other: Option<[Place; 8]>) -> Option<From> {
    if mine {
        return Some(From::Own(own[at]));
    }
    other.filter(|_| theirs).map(|places| From::Base(places[at]))
}

/// The base's counts, corrected for this checkpoint's vocabulary.
fn of_base(base: &Makeup, its: DimensionValues, own: DimensionValues) -> Option<Counts> {
    let counts = base.counts?;
    let [_, Some(d_model), .., Some(vocab), _] = own else {
        return None;
    };
    let tables = if base.tied? { 1 } else { 2 };
    let more = vocab
        .checked_sub(its[5]?)?
        .checked_mul(d_model)?
        .checked_mul(tables)?;
    Some(Counts {
        total: counts.total.checked_add(more)?,
        active: counts.active.checked_add(more)?,
        outside: counts.outside.checked_add(more)?,
        exact: false,
        looked_up: counts.looked_up,
    })
}

/// Number of experts that a token uses in a merged mixture, where nothing states it.
const USUALLY_USED: i64 = 2;

/// Greatest number of experts considered for merges.
const MOST_EXPERTS: i64 = 16;
/// Relative difference up to which a size matches a number of experts.
const SAME: f64 = 0.005;
/// Relative difference from the base's size above which the number of experts must differ.
const UNLIKE: f64 = 0.05;

/// What is known about the number of experts of a mixture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// This number, from its name or its size.
    By(i64, From),
    /// As many as the base, if that is known.
    AsBase,
    /// Another number than the base's.
    Unknown,
}

/// A mixture of copies of one dense block's feed-forward layer, with any number of experts.
struct Mixture {
    family: Option<String>,
    dimensions: DimensionValues,
    head_dim: Option<i64>,
    /// Number of experts that a token uses.
    used: i64,
    tied: Option<bool>,
}

impl Mixture {
    fn counts(&self, experts: i64) -> Option<Counts> {
        formula::mixture_counts(
            self.family.as_deref()?,
            self.dimensions,
            self.head_dim,
            (experts, self.used),
            self.tied,
        )
    }

    /// The number of experts of a checkpoint whose config does not state it. A number in the name is decisive, whatever
    /// the shape was taken from; else the number that gives `size` (billions). `base`: the make-up of the checkpoint
    /// that the shape was taken from.
    fn experts(&self, asked: &Asked<'_>, base: &Makeup, size: Option<f64>) -> Told {
        if let Some(experts) = asked.named_experts() {
            return Told::By(experts, From::Name);
        }
        let Some(size) = size else {
            return Told::AsBase;
        };
        if let Some(experts) = self.experts_of(asked.listed, size) {
            return Told::By(experts, From::Formula);
        }
        // A base with a different number of experts is no evidence.
        let is_unlike = |counts: Counts| (counts.total as f64 / 1e9 - size).abs() > UNLIKE * size;
        if base.counts.is_some_and(is_unlike) {
            Told::Unknown
        } else {
            Told::AsBase
        }
    }

    /// The number of experts that gives the listed number of parameters, or `size` billion where none is listed.
    fn experts_of(&self, listed: Listed, size: f64) -> Option<i64> {
        let means = |total: f64| match listed {
            // Listings in whole billions are truncated.
            Listed::Rough(listed) => (-0.25..1.0).contains(&(total - listed)),
            Listed::Counted(listed) => (total - listed).abs() <= SAME * listed,
            Listed::Unknown => (total - size).abs() <= SAME * size,
        };
        (2..=MOST_EXPERTS).find(|&experts| {
            self.counts(experts)
                .is_some_and(|counts| means(counts.total as f64 / 1e9))
        })
    }
}

/// The family of the blocks that a mixture is made of: its own if there is a formula for it, else its base's.
fn family_of_mixture(asked: &Asked<'_>, base: Option<&Known>) -> Option<String> {
    let own = asked
        .family
        .clone()
        .filter(|family| recipe(family).is_some() || family == "mixtral");
    own.or_else(|| family_of(base?))
}

/// Counts by the formula of the family; for dense checkpoints only.
fn by_formula(
    asked: &Asked<'_>,
    base: Option<&Known>,
    makeup: &Makeup,
    dimensions: DimensionValues,
    tied: Option<bool>,
) -> Option<Counts> {
    if asked.mixture || makeup.experts.is_some() {
        return None;
    }
    let family = asked.family.clone().or_else(|| family_of(base?))?;
    let head_dim = asked.head_dim(base).or(makeup.head_dim);
    formula::counts(&family, dimensions, head_dim, tied)
}
