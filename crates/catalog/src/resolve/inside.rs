//! What stands in the layers of a checkpoint beside its seven dimensions, and its parameters by formula: its own, else its
//! base's, else what the formula of its family makes of its dimensions.

use std::collections::BTreeMap;

use crate::config::stated::Counts;
use crate::config::stated::Makeup;
use crate::known::Known;
use crate::observed::{Dimensions, Place};
use crate::resolve::admit::{Asked, is_mixture};
use crate::resolve::formula;
use crate::resolve::template::{Shape, family_of};
use crate::words::Stated;

/// Where a column of [`Makeup`] comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// A source, of this checkpoint.
    Own(Place),
    /// A source, of its base.
    Base(Place),
    /// The checkpoint's own name.
    Name,
    /// `d_ffn`: of a dense checkpoint it is the width of every layer.
    Width,
    /// The formula, which makes the counted number of parameters with this value alone.
    Formula,
}

/// Whether all known checkpoints of one block and shape that state a column agree on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreed {
    tied: bool,
    attention: bool,
}

/// On what the checkpoints of each shape agree.
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

/// The output head of a checkpoint whose config says nothing of it: `true` where it is the embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    /// With it the formula makes the counted number of parameters.
    Counted(bool),
    /// All known checkpoints of the same blocks, shape and vocabulary have it.
    Agreed(bool),
}

impl Head {
    /// Whether it is the embedding.
    pub(super) fn tied(self) -> bool {
        match self {
            Self::Counted(tied) | Self::Agreed(tied) => tied,
        }
    }
}

/// The columns, each with where it comes from, in the order of [`crate::config::stated::COLUMNS`].
pub(super) struct Inside {
    pub(super) makeup: Makeup,
    pub(super) from: [Option<From>; 8],
}

/// What the layers of `asked` hold; `base` is the checkpoint whose structure it has where that is not its own.
pub(super) fn inside(
    asked: &Asked<'_>,
    base: Option<&Known>,
    dimensions: Dimensions,
    agreed: Option<&Agreed>,
    head: Option<Head>,
) -> Inside {
    let own = &asked.known.details;
    // A mixture made of a dense base shares its shape, and none of what follows from being dense.
    let base = base.filter(|base| is_mixture(base) == asked.mixture);
    let other = base.map(|base| &base.details);
    // A base that is only one of many with the shape tells what all of them agree on.
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
    if makeup.experts.is_none() && asked.mixture {
        makeup.experts = asked.stated.iter().find_map(|stated| match *stated {
            Stated::Mixture(experts, _) => Some(experts),
            Stated::Dense(_) => None,
        });
        from[0] = makeup.experts.map(|_| From::Name);
    }
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
        .or_else(|| of_base(theirs, other?.dimensions, dimensions))
        .or_else(|| {
            let tied = makeup.tied.or(head.map(Head::tied));
            by_formula(asked, base, &makeup, dimensions, tied)
        });
    Inside { makeup, from }
}

fn told(at: usize, mine: bool, theirs: bool, own: [Place; 8], other: Option<[Place; 8]>) -> Option<From> {
    if mine {
        return Some(From::Own(own[at]));
    }
    other.filter(|_| theirs).map(|places| From::Base(places[at]))
}

/// The base's counts with this checkpoint's vocabulary in place of the base's.
fn of_base(base: &Makeup, its: Dimensions, own: Dimensions) -> Option<Counts> {
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

/// The formula of the family, of dense checkpoints alone.
fn by_formula(
    asked: &Asked<'_>,
    base: Option<&Known>,
    makeup: &Makeup,
    dimensions: Dimensions,
    tied: Option<bool>,
) -> Option<Counts> {
    if asked.mixture || makeup.experts.is_some() {
        return None;
    }
    let family = asked.family.clone().or_else(|| family_of(base?))?;
    let head_dim = asked
        .known
        .details
        .head_dim
        .or_else(|| base?.details.head_dim)
        .or(makeup.head_dim);
    formula::counts(&family, dimensions, head_dim, tied)
}
