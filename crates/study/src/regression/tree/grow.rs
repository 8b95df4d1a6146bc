//! Grows one tree on distinct rows, exactly.
//!
//! Rows are sorted by each feature once ([`presort`]); a node is a range in every feature's order, and splitting
//! divides each range stably, so nothing is sorted again. A feature that is constant in a node is constant below it
//! and is not looked at there. As in scikit-learn features are visited in a random order per node and the first best
//! wins, so features that cut a node alike share it.

use super::fixed::FixedPoint;
use super::{Node, Tree};
use crate::random::Random;
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
    fn minus(self, other: Self) -> Self {
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

fn code(entry: u64) -> u32 {
    (entry >> 32) as u32
}

fn row(entry: u64) -> usize {
    (entry & 0xffff_ffff) as usize
}

/// A split found: rows with `feature`'s code up to `code` go left.
#[derive(Debug, Clone, Copy)]
struct Split {
    feature: usize,
    code: u32,
    threshold: f64,
    left: Sums,
    /// Rows that go left.
    n_left: usize,
    score: f64,
}

/// What a node hands to its children.
#[derive(Debug, Clone, Copy)]
struct Place {
    node: usize,
    start: usize,
    end: usize,
    depth: usize,
    /// Features, a prefix of `Grower::features`, that vary here or may.
    n_active: usize,
    low: f64,
    high: f64,
}

/// One tree under way.
pub(crate) struct Grower<'a> {
    distinct: &'a Distinct,
    growth: &'a Growth,
    fixed: FixedPoint,
    /// Per feature the rows in its order.
    orders: Vec<Vec<u64>>,
    sums: Vec<Sums>,
    features: Vec<u32>,
    goes_left: Vec<bool>,
    spare: Vec<u64>,
    nodes: Vec<Node>,
    gains: Vec<f64>,
}

impl<'a> Grower<'a> {
    /// Over the distinct rows with `sums[g].weight > 0`; `presorted` is [`presort`]'s.
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

    /// The tree, and per feature the fall of Σ(y − ȳ)² it brought (in squared fixed-point units).
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

    /// Σ²/(w + λ), what a node takes off Σy².
    fn score(&self, sums: Sums) -> f64 {
        let s = sums.target as f64;
        s * s / (sums.weight as f64 + self.growth.penalty * self.fixed.unit())
    }

    fn best_split(&mut self, place: &mut Place, all: Sums, rng: &mut Random) -> Option<Split> {
        let mut i = 0;
        while i < place.n_active {
            let order = &self.orders[self.features[i] as usize];
            if code(order[place.start]) == code(order[place.end - 1]) {
                place.n_active -= 1;
                self.features.swap(i, place.n_active);
            } else {
                i += 1;
            }
        }
        if place.n_active == 0 || self.is_pure(place) {
            return None;
        }
        let looked_at = self.growth.max_features.unwrap_or(usize::MAX).min(place.n_active);
        if self.growth.ties == Ties::Random {
            for i in 0..looked_at {
                let j = i + rng.below(place.n_active - i);
                self.features.swap(i, j);
            }
        } else {
            self.features[..place.n_active].sort_unstable();
        }
        let mut best: Option<Split> = None;
        for i in 0..looked_at {
            let feature = self.features[i] as usize;
            let found = if self.growth.monotone.is_empty() {
                self.best_of_feature(place, all, feature, best.map(|b| b.score))
            } else {
                self.best_monotone(place, all, feature, best.map(|b| b.score))
            };
            best = self.better(place, best, found);
        }
        // Scores are in squared fixed-point units over fixed-point weight.
        let unit = self.fixed.mean(1, self.fixed.unit() as i64, 0.0);
        let gain = |b: &Split| (b.score - self.score(all)) * unit * unit * self.fixed.unit();
        best.filter(|b| self.growth.min_gain == f64::NEG_INFINITY || gain(b) > self.growth.min_gain)
    }

    /// The later of two splits, unless they gain the same and the earlier leaves more room.
    fn better(&self, place: &Place, best: Option<Split>, found: Option<Split>) -> Option<Split> {
        match (best, found) {
            (Some(b), Some(f)) if b.score == f.score && self.room(place, &b) >= self.room(place, &f) => best,
            _ => found.or(best),
        }
    }

    /// Gap between a split's two sides as a share of the feature's range in the node.
    fn room(&self, place: &Place, split: &Split) -> f64 {
        let values = &self.distinct.values[split.feature];
        let order = &self.orders[split.feature];
        let at = |i: usize| values[code(order[i]) as usize];
        let middle = place.start + split.n_left;
        (at(middle) - at(middle - 1)) / (at(place.end - 1) - at(place.start))
    }

    /// Whether all rows of a node have one mean, so that no split can help.
    fn is_pure(&self, place: &Place) -> bool {
        let order = &self.orders[self.features[0] as usize][place.start..place.end];
        let first = self.sums[row(order[0])];
        let mean = first.target as f64 / first.weight as f64;
        order.iter().all(|&e| {
            let s = self.sums[row(e)];
            s.target as f64 / s.weight as f64 == mean
        })
    }

    /// The first best split on one feature, if it beats `best`.
    fn best_of_feature(&self, place: &Place, all: Sums, feature: usize, best: Option<f64>) -> Option<Split> {
        let order = &self.orders[feature][place.start..place.end];
        let penalty = self.growth.penalty * self.fixed.unit();
        let least = (self.growth.min_leaf_weight * self.fixed.unit()) as i64;
        let wide = self.growth.ties == Ties::Widest;
        let mut best_score = best.unwrap_or(f64::NEG_INFINITY);
        let mut found = None;
        let mut left = Sums::default();
        let mut previous = code(order[0]);
        for (i, &entry) in order.iter().enumerate() {
            if code(entry) != previous {
                let right = all.minus(left);
                let (sl, sr) = (left.target as f64, right.target as f64);
                let (wl, wr) = (left.weight as f64 + penalty, right.weight as f64 + penalty);
                let score = (sl * sl * wr + sr * sr * wl) / (wl * wr);
                if (score > best_score || (wide && score == best_score && found.is_none()))
                    && left.weight >= least
                    && right.weight >= least
                {
                    best_score = score;
                    found = Some((previous, code(entry), left, i));
                }
                previous = code(entry);
            }
            let s = self.sums[row(entry)];
            left.weight += s.weight;
            left.target += s.target;
        }
        found.map(|(below, above, left, n_left)| Split {
            feature,
            code: below,
            threshold: self.between(feature, below, above),
            left,
            n_left,
            score: best_score,
        })
    }

    /// As [`Self::best_of_feature`], under monotone constraints: a child's value is held within its bounds, and a
    /// split whose values fall the wrong way is none (as xgboost does it).
    fn best_monotone(&self, place: &Place, all: Sums, feature: usize, best: Option<f64>) -> Option<Split> {
        let order = &self.orders[feature][place.start..place.end];
        let direction = f64::from(self.growth.monotone[feature]);
        let unit = self.fixed.mean(1, self.fixed.unit() as i64, 0.0);
        let penalty = self.growth.penalty * self.fixed.unit();
        let least = (self.growth.min_leaf_weight * self.fixed.unit()) as i64;
        // Bounds in the units of the sums; −(what the loss falls by) of a value v is (w + λ)v² − 2sv.
        let (low, high) = (
            place.low / unit / self.fixed.unit(),
            place.high / unit / self.fixed.unit(),
        );
        let scored = |s: Sums| {
            let (w, t) = (s.weight as f64 + penalty, s.target as f64);
            let value = (t / w).max(low).min(high);
            (value, (2.0 * t - w * value) * value)
        };
        let mut best_score = best.unwrap_or(f64::NEG_INFINITY);
        let mut found = None;
        let mut left = Sums::default();
        let mut previous = code(order[0]);
        for (i, &entry) in order.iter().enumerate() {
            if code(entry) != previous {
                let right = all.minus(left);
                if left.weight >= least && right.weight >= least {
                    let ((vl, gl), (vr, gr)) = (scored(left), scored(right));
                    if gl + gr > best_score && direction * (vr - vl) >= 0.0 {
                        best_score = gl + gr;
                        found = Some((previous, code(entry), left, i));
                    }
                }
                previous = code(entry);
            }
            let s = self.sums[row(entry)];
            left.weight += s.weight;
            left.target += s.target;
        }
        found.map(|(below, above, left, n_left)| Split {
            feature,
            code: below,
            threshold: self.between(feature, below, above),
            left,
            n_left,
            score: best_score,
        })
    }

    /// Halfway between two values, never reaching the upper one; or just below the next value.
    fn between(&self, feature: usize, below: u32, above: u32) -> f64 {
        let values = &self.distinct.values[feature];
        if self.growth.cut_at_next {
            return values[below as usize + 1].next_down();
        }
        let (a, b) = (values[below as usize], values[above as usize]);
        let middle = f64::midpoint(a, b);
        if middle >= b { a } else { middle }
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
            // Everything left stays below the middle of the two values, everything right above (or the reverse).
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

    /// Divides the node's range of every active feature's order, keeping each side's order.
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
