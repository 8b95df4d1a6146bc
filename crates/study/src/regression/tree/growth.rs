//! Input of tree growing: settings, fixed-point sums, and rows in the order of each feature.

use crate::regression::distinct::Distinct;

/// Which of several features with equal gains is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ties {
    /// The first in the order of the columns.
    First,
    /// The first in an order that is random per node.
    Random,
    /// The one with the widest gap between the two sides, as a share of the feature's range in the node.
    Widest,
}

/// Stopping rules and other settings of a tree.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    /// Maximum depth.
    pub(crate) max_depth: usize,
    /// Number of features tried per node, of those not constant there; all where `None`.
    pub(crate) max_features: Option<usize>,
    /// Minimum total weight of a child.
    pub(crate) min_leaf_weight: f64,
    /// λ in the score Σ² / (w + λ) and in the leaf values.
    pub(crate) penalty: f64,
    /// Which of several features with equal gains is taken.
    pub(crate) ties: Ties,
    /// Minimum decrease of Σw(y − ȳ)² for a split, in squared units of the target.
    pub(crate) min_gain: f64,
    /// Whether to split just below the table's next value above the left side, instead of halfway to the right side.
    pub(crate) cut_at_next: bool,
    /// Monotone constraint per feature: −1 non-increasing, 0 none, 1 non-decreasing. Empty: all 0.
    pub(crate) monotone: Vec<i8>,
}

impl Growth {
    /// Settings of a tree as scikit-learn grows it.
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

/// Weight and weighted target of a distinct row or a node, in fixed point.
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

/// Distinct rows sorted by each feature: `code << 32 | row`, ascending.
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
