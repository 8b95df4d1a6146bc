//! Regression trees and weighted sums of trees.
//!
//! CART (Breiman, Friedman, Olshen and Stone 1984): splits are those that decrease Σ(y − ȳ)² most. [`grow`] finds them
//! exactly, among all cuts between neighbouring values present in a node.

mod fixed;
mod grow;
mod growth;

use serde::{Deserialize, Serialize};

use crate::design::Design;
use crate::regression::distinct::distinct_rows;

pub(crate) use fixed::FixedPoint;
pub(crate) use grow::Grower;
pub(crate) use growth::{Growth, Sums, Ties, presort};

/// A node: a split, or a leaf where `left` is 0 (the root is never a child).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Feature the node splits on.
    pub feature: u32,
    /// Index of the left child; the right child follows it. 0 for a leaf.
    pub left: u32,
    /// Rows whose feature is at most this go left.
    pub threshold: f64,
    /// Mean of the target in the node (in boosting: of the residuals).
    pub value: f64,
    /// Total weight of the training rows in the node.
    pub cover: f64,
}

impl Node {
    /// Whether the node has no children.
    pub fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// One regression tree; node 0 is the root, and children follow their parent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tree {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl Tree {
    /// The leaf that a row falls into; `value_of(feature)` is the row's value of a feature.
    #[inline]
    pub fn leaf(&self, value_of: impl Fn(usize) -> f64) -> &Node {
        let mut node = &self.nodes[0];
        while node.left != 0 {
            let right = value_of(node.feature as usize) > node.threshold;
            node = &self.nodes[node.left as usize + usize::from(right)];
        }
        node
    }
}

/// Rows that are walked down a tree together, to overlap the memory latency of their steps.
const WALKERS: usize = 8;

impl Tree {
    /// Adds each row's leaf value to its sum; `block` holds the rows consecutively, with `width` values each.
    fn add_leaves(&self, block: &[f64], width: usize, sums: &mut [f64]) {
        let together = sums.len() / WALKERS * WALKERS;
        let (sums, rest) = sums.split_at_mut(together);
        let (block, block_rest) = block.split_at(together * width);
        for (sums, rows) in sums
            .chunks_exact_mut(WALKERS)
            .zip(block.chunks_exact(WALKERS * width))
        {
            let mut at = [0_u32; WALKERS];
            let mut walks = true;
            while walks {
                walks = false;
                for (at, row) in at.iter_mut().zip(rows.chunks_exact(width)) {
                    let node = &self.nodes[*at as usize];
                    // A leaf's feature is 0; it is compared to no effect, so that no branch depends on the row.
                    let right = row[node.feature as usize] > node.threshold;
                    let inner = node.left != 0;
                    *at = if inner { node.left + u32::from(right) } else { *at };
                    walks |= inner;
                }
            }
            for (sum, at) in sums.iter_mut().zip(at) {
                *sum += self.nodes[at as usize].value;
            }
        }
        for (sum, row) in rest.iter_mut().zip(block_rest.chunks_exact(width)) {
            *sum += self.leaf(|f| row[f]).value;
        }
    }
}

/// A weighted sum of trees: `base + scale · Σ tree(x)`. For a forest the scale is 1/trees, for boosting the learning
/// rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ensemble {
    /// Column names.
    pub names: Vec<String>,
    /// Constant added to the trees.
    pub base: f64,
    /// Factor by which each tree is multiplied.
    pub scale: f64,
    /// The trees.
    pub trees: Vec<Tree>,
}

/// Rows predicted together, so that the trees' results fit into the cache.
const ROWS_AT_ONCE: usize = 2048;

impl Ensemble {
    /// Predictions of all rows, `(n_rows,)`; columns are matched by index, not by name.
    pub(crate) fn predict(&self, design: &Design) -> Vec<f64> {
        use rayon::prelude::*;
        let (first, row_of) = distinct_rows(design);
        let width = design.n_features();
        let mut values = Vec::with_capacity(first.len());
        for rows in first.chunks(ROWS_AT_ONCE) {
            let at = |&r: &usize| design.columns().iter().map(move |c| c[r]);
            let block: Vec<f64> = rows.iter().flat_map(at).collect();
            // Blocks of a fixed number of trees, so that the order of summation does not depend on the threads.
            let sums = self.trees.par_chunks(8).map(|trees| {
                let mut sum = vec![0.0; rows.len()];
                for tree in trees {
                    tree.add_leaves(&block, width, &mut sum);
                }
                sum
            });
            let sums: Vec<Vec<f64>> = sums.collect();
            let total = |i: usize| sums.iter().map(|s| s[i]).sum::<f64>();
            values.extend((0..rows.len()).map(|i| self.base + self.scale * total(i)));
        }
        row_of.iter().map(|&g| values[g as usize]).collect()
    }
}
