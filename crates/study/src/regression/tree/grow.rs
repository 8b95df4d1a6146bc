//! Grows one tree on distinct rows, with exact arithmetic.
//!
//! Rows are sorted by each feature once (`presort`); a node is a range in every feature's order, and a split partitions
//! each range stably, so nothing is sorted again. A feature that is constant in a node is constant below it and is
//! skipped there. As in scikit-learn, features are visited in a random order per node and the first best one wins, so
//! features that split a node alike share the importance.

mod split;

use super::fixed::FixedPoint;
use super::growth::{Growth, Sums, code, row};
use super::{Node, Tree};
use crate::random::Random;
use crate::regression::distinct::Distinct;

/// A split: rows whose code of `feature` is at most `code` go left.
#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    code: u32,
    threshold: f64,
    left: Sums,
    /// Number of rows that go left.
    n_left: usize,
    score: f64,
}

/// The state passed from a node to its children.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    /// Number of features, as a prefix of `Grower::features`, that may vary in the node.
    n_active: usize,
    low: f64,
    high: f64,
}

/// A tree being grown.
pub(crate) struct Grower<'a> {
    distinct: &'a Distinct,
    growth: &'a Growth,
    fixed: FixedPoint,
    /// Per feature: the rows in its order.
    orders: Vec<Vec<u64>>,
    sums: Vec<Sums>,
    features: Vec<u32>,
    goes_left: Vec<bool>,
    spare: Vec<u64>,
    nodes: Vec<Node>,
    gains: Vec<f64>,
}

impl<'a> Grower<'a> {
    /// Starts from the distinct rows with `sums[g].weight > 0`; `presorted` is the result of [`presort`].
    pub(crate) fn new(
        distinct: &'a Distinct,
        growth: &'a Growth,
        fixed: FixedPoint,
        presorted: &[Vec<u64>],
        sums: &[Sums],
    ) -> Self {
        let mut place = vec![u32::MAX; sums.len()];
        let mut kept = Vec::with_capacity(sums.len());
        for (g, s) in sums.iter().enumerate() {
            if s.weight > 0 {
                place[g] = kept.len() as u32;
                kept.push(*s);
            }
        }
        let keep = |order: &Vec<u64>| -> Vec<u64> {
            let mut kept_order = Vec::with_capacity(kept.len());
            for &entry in order {
                let to = place[row(entry)];
                if to != u32::MAX {
                    kept_order.push(entry & 0xffff_ffff_0000_0000 | u64::from(to));
                }
            }
            kept_order
        };
        Self {
            distinct,
            growth,
            fixed,
            orders: presorted.iter().map(keep).collect(),
            features: (0..presorted.len() as u32).collect(),
            goes_left: vec![false; kept.len()],
            spare: vec![0; kept.len()],
            nodes: Vec::with_capacity(2 * kept.len()),
            gains: vec![0.0; presorted.len()],
            sums: kept,
        }
    }

    /// Grows the tree; also returns the decrease of Σ(y − ȳ)² by feature (in squared fixed-point units).
    pub(crate) fn grow(mut self, rng: &mut Random) -> (Tree, Vec<f64>) {
        let mut all = Sums::default();
        for s in &self.sums {
            all.weight += s.weight;
            all.target += s.target;
        }
        let root = self.leaf(all, f64::NEG_INFINITY, f64::INFINITY);
        self.nodes.push(root);
        let mut open = vec![(
            Place {
                node: 0,
                start: 0,
                end: self.sums.len(),
                depth: 0,
                n_active: self.features.len(),
                low: f64::NEG_INFINITY,
                high: f64::INFINITY,
            },
            all,
        )];
        while let Some((place, sums)) = open.pop() {
            let mut place = place;
            if place.depth >= self.growth.max_depth || place.end - place.start < 2 {
                continue;
            }
            let Some(split) = self.best_split(&mut place, sums, rng) else {
                continue;
            };
            self.apply(&place, sums, &split, &mut open);
        }
        (Tree { nodes: self.nodes }, self.gains)
    }

    fn leaf(&self, sums: Sums, low: f64, high: f64) -> Node {
        let value = self.fixed.mean(sums.target, sums.weight, self.growth.penalty);
        Node {
            feature: 0,
            left: 0,
            threshold: 0.0,
            value: value.max(low).min(high),
            cover: self.fixed.weight_back(sums.weight),
        }
    }

    /// Σ²/(w + λ), the reduction of Σy² by a node.
    fn score(&self, sums: Sums) -> f64 {
        let s = sums.target as f64;
        s * s / (sums.weight as f64 + self.growth.penalty * self.fixed.unit())
    }

    fn apply(&mut self, place: &Place, all: Sums, split: &Split, open: &mut Vec<(Place, Sums)>) {
        let right = all.minus(split.left);
        self.gains[split.feature] += (split.score - self.score(all)).max(0.0);
        let middle = place.start + split.n_left;
        let depth = place.depth + 1;
        let splits_on = |n: usize| n > 1 && depth < self.growth.max_depth;
        if splits_on(split.n_left) || splits_on(place.end - middle) {
            self.divide(place, split, middle);
        }
        let (mut left_place, mut right_place) = (*place, *place);
        let mut left_node = self.leaf(split.left, place.low, place.high);
        let mut right_node = self.leaf(right, place.low, place.high);
        let direction = self.growth.monotone.get(split.feature).copied().unwrap_or(0);
        if direction != 0 {
            // Keeps values in the left child below the midpoint of the two, and in the right above (or the reverse).
            let middle = f64::midpoint(left_node.value, right_node.value);
            let (lower, upper) = if direction > 0 {
                (&mut left_place, &mut right_place)
            } else {
                (&mut right_place, &mut left_place)
            };
            lower.high = middle;
            upper.low = middle;
        }
        left_node.value = left_node.value.max(left_place.low).min(left_place.high);
        right_node.value = right_node.value.max(right_place.low).min(right_place.high);
        let children = self.nodes.len();
        self.nodes.push(left_node);
        self.nodes.push(right_node);
        let node = &mut self.nodes[place.node];
        node.feature = split.feature as u32;
        node.threshold = split.threshold;
        node.left = children as u32;
        open.push((
            Place {
                node: children + 1,
                start: middle,
                depth,
                ..right_place
            },
            right,
        ));
        open.push((
            Place {
                node: children,
                end: middle,
                depth,
                ..left_place
            },
            split.left,
        ));
    }

    /// Partitions the node's range in the order of every active feature, keeping the order on each side.
    fn divide(&mut self, place: &Place, split: &Split, middle: usize) {
        for &entry in &self.orders[split.feature][place.start..place.end] {
            self.goes_left[row(entry)] = code(entry) <= split.code;
        }
        for &f in &self.features[..place.n_active] {
            if f as usize == split.feature {
                continue;
            }
            let order = &mut self.orders[f as usize][place.start..place.end];
            let (mut kept, mut moved) = (0, 0);
            for i in 0..order.len() {
                let entry = order[i];
                let left = self.goes_left[row(entry)];
                order[kept] = entry;
                self.spare[moved] = entry;
                kept += usize::from(left);
                moved += usize::from(!left);
            }
            order[middle - place.start..].copy_from_slice(&self.spare[..moved]);
        }
    }
}
