//! What a tree is grown by: its settings, sums in fixed point, and rows in the order of each feature.

use crate::regression::distinct::Distinct;

/// Which feature is taken of those that cut a node alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The first in the order of the columns.
    First,
    /// Any: features are visited in a random order per node.
    Random,
    /// The one whose two sides lie farthest apart, as a share of the feature's range in the node.
    Widest,
}

/// How far a tree grows and what it looks at.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    /// Depth of the deepest leaf.
    pub(crate) max_depth: usize,
    /// Features looked at per node, of those not constant there; all where `None`.
    pub(crate) max_features: Option<usize>,
    /// Weight each child must keep at least.
    pub(crate) min_leaf_weight: f64,
    /// λ in Σ² / (w + λ) and in the leaves' values.
    pub(crate) penalty: f64,
    /// Which feature is taken of those that gain the same.
    pub(crate) ties: Ties,
    /// Least fall of Σw(y − ȳ)² for which a node is split, in squared units of the target.
    pub(crate) min_gain: f64,
    /// Cut at the next value of the whole table above the left side's, instead of halfway to the right side's.
    pub(crate) cut_at_next: bool,
    /// Per feature −1, 0, 1: predictions may never rise, do as they like, may never fall with it. Empty: all 0.
    pub(crate) monotone: Vec<i8>,
}

impl Growth {
    /// A tree as scikit-learn grows it.
    pub(crate) fn cart(max_depth: usize, ties: Ties) -> Self {
        Self {
            max_depth,
            max_features: None,
            min_leaf_weight: 0.0,
            penalty: 0.0,
            ties,
            min_gain: f64::NEG_INFINITY,
            cut_at_next: false,
            monotone: Vec::new(),
        }
    }
}

/// Weight and weighted target of a distinct row, or of a node, in fixed point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sums {
    pub(crate) weight: i64,
    pub(crate) target: i64,
}

impl Sums {
    pub(super) fn minus(self, other: Self) -> Self {
        Self {
            weight: self.weight - other.weight,
            target: self.target - other.target,
        }
    }
}

/// Distinct rows in the order of each feature: `code << 32 | row`, ascending.
pub(crate) fn presort(distinct: &Distinct) -> Vec<Vec<u64>> {
    let order = |codes: &Vec<u32>| {
        let entries = codes.iter().zip(0_u64..);
        let mut order: Vec<u64> = entries.map(|(&c, g)| u64::from(c) << 32 | g).collect();
        order.sort_unstable();
        order
    };
    distinct.codes.iter().map(order).collect()
}

pub(super) fn code(entry: u64) -> u32 {
    (entry >> 32) as u32
}

pub(super) fn row(entry: u64) -> usize {
    (entry & 0xffff_ffff) as usize
}
