//! Finds the best split of a node, over all features and all cuts between neighbouring values.

use super::{Grower, Place, Split};
use crate::random::Random;
use crate::regression::tree::growth::{Sums, Ties, code, row};

/// One less several rounding errors: a fraction below this times the best is below the best once divided, too.
const JUST_BELOW_ONE: f64 = 1.0 - 1e-15;

impl Grower<'_> {
    pub(super) fn best_split(&mut self, place: &mut Place, all: Sums, rng: &mut Random) -> Option<Split> {
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

    /// Returns `found`, unless `best` has the same gain and at least as wide a gap.
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

    /// Whether all rows of a node have the same mean, so that no split can help.
    fn is_pure(&self, place: &Place) -> bool {
        let order = &self.orders[self.features[0] as usize][place.start..place.end];
        let first = self.sums[row(order[0])];
        let mean = first.target as f64 / first.weight as f64;
        order.iter().all(|&e| {
            let s = self.sums[row(e)];
            s.target as f64 / s.weight as f64 == mean
        })
    }

    /// The first best split on one feature, if it is better than `best`.
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
                let (above, below) = (sl * sl * wr + sr * sr * wl, wl * wr);
                // The division takes longer than all the rest, and nearly every cut is far from the best.
                if above >= best_score * below * JUST_BELOW_ONE {
                    let score = above / below;
                    if (score > best_score || (wide && score == best_score && found.is_none()))
                        && left.weight >= least
                        && right.weight >= least
                    {
                        best_score = score;
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

    /// As [`Self::best_of_feature`], under monotone constraints: child values are clamped to their bounds, and splits
    /// with values in the wrong order are rejected (as in xgboost).
    fn best_monotone(&self, place: &Place, all: Sums, feature: usize, best: Option<f64>) -> Option<Split> {
        let order = &self.orders[feature][place.start..place.end];
        let direction = f64::from(self.growth.monotone[feature]);
        let unit = self.fixed.mean(1, self.fixed.unit() as i64, 0.0);
        let penalty = self.growth.penalty * self.fixed.unit();
        let least = (self.growth.min_leaf_weight * self.fixed.unit()) as i64;
        // Bounds in the units of the sums; a value v reduces the loss by 2sv − (w + λ)v².
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

    /// A threshold between two values: the midpoint, but never the upper one; or just below the next value.
    fn between(&self, feature: usize, below: u32, above: u32) -> f64 {
        let values = &self.distinct.values[feature];
        if self.growth.cut_at_next {
            // Just below the next value, by more than the rounding error of reading decimals.
            let (a, b) = (values[below as usize], values[below as usize + 1]);
            let cut = b - (b - a) * 1e-9;
            return if cut < b { cut } else { a };
        }
        let (a, b) = (values[below as usize], values[above as usize]);
        let middle = f64::midpoint(a, b);
        if middle >= b { a } else { middle }
    }
}
