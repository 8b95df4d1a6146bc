//! Exact Shapley values of the features of a structure for its prediction, relative to the known shapes.
//!
//! For a set S of features, v(S) is the mean prediction with the features of S fixed and the others taken from a
//! background with one cell (group of identical rows) per shape. `φ_f = Σ_S |S|! (p − |S| − 1)! / p! · (v(S ∪ f) −
//! v(S))`, over all 2^p sets (Shapley 1953; Lundberg and Lee 2017, <https://arxiv.org/abs/1705.07874>). The random
//! effect of the shape is additive, so its value is its difference from the background's mean. Values add up: base + Σφ
//! = the prediction.

use super::Posterior;
use super::posterior::place;
use crate::design::Design;
use crate::error::Error;

/// The decomposition of one prediction.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Mean prediction over the background, in the target's unit.
    pub base: f64,
    /// Per feature: name, value, and contribution in the target's unit; last the entry `own shape`, without a value.
    pub features: Vec<(String, Option<f64>, f64)>,
}

/// Maximum number of features: each doubles the work.
const MOST: usize = 12;

impl Posterior {
    /// Shapley values of the features, per row.
    ///
    /// # Errors
    /// As [`crate::Fit::predict`]; [`Error::CannotCompute`] with more than 12 features.
    pub fn shapley(&self, design: &Design) -> Result<Vec<Attribution>, Error> {
        let names = self.fit.feature_names();
        let p = names.len();
        if p > MOST {
            return Err(Error::CannotCompute {
                method: "structural",
                problem: format!("exact Shapley values of {p} features, more than {MOST}"),
            });
        }
        let derived = self.derive(design)?;
        let background = self.cell_of_each_shape();
        let share = 1.0 / background.len() as f64;
        let process = &self.fit.process;
        let effect = |shape: &[f64; 4]| {
            let own = process.shape.iter().zip(&process.pull);
            let pull: f64 = own.filter(|(of, _)| *of == shape).map(|(_, pull)| pull).sum();
            process.variance * process.scales.shape * pull
        };
        let usual_effect: f64 = background
            .iter()
            .map(|&cell| effect(&process.shape[cell]) * share)
            .sum();
        Ok((0..derived.n_rows())
            .map(|r| {
                let (shape, raw) = place(&derived, r);
                let z = self.centred(&raw);
                let mut worth = vec![0.0; 1 << p];
                for &cell in &background {
                    self.add_mixed(&z, &self.cells()[cell], &mut worth);
                }
                for value in &mut worth {
                    *value *= process.variance * share;
                }
                let mut features: Vec<(String, Option<f64>, f64)> = (0..p)
                    .map(|f| (names[f].clone(), Some(raw[f]), marginal(&worth, f, p)))
                    .collect();
                features.push(("own shape".into(), None, effect(&shape) - usual_effect));
                Attribution {
                    base: process.mean + worth[0] + usual_effect,
                    features,
                }
            })
            .collect())
    }

    /// Adds to `worth[S]`, for each set S of features, the function (without level and shape effect, as a share of the
    /// variance) at a row with the features of S from `own` and the others from `other`. The covariance of a row and a
    /// cell is a product over features plus a sum over features, so each feature doubles the number of sets evaluated.
    fn add_mixed(&self, own: &[f64], other: &[f64], worth: &mut [f64]) {
        let process = &self.fit.process;
        let mut near = vec![0.0; worth.len()];
        let mut straight = vec![0.0; worth.len()];
        for (cell, pull) in process.z.iter().zip(&process.pull) {
            (near[0], straight[0]) = (1.0, 0.0);
            for (f, place) in cell.iter().enumerate() {
                let (of_own, of_other) = (
                    process.factor(f, own[f], *place),
                    process.factor(f, other[f], *place),
                );
                for set in 0..1 << f {
                    let known = set | 1 << f;
                    near[known] = near[set] * of_own.0;
                    straight[known] = straight[set] + of_own.1;
                    near[set] *= of_other.0;
                    straight[set] += of_other.1;
                }
            }
            for ((worth, near), straight) in worth.iter_mut().zip(&near).zip(&straight) {
                *worth += pull * process.of_parts(*near, *straight);
            }
        }
    }
}

/// Shapley value of feature `f` of `p`, from the values of all sets.
fn marginal(worth: &[f64], f: usize, p: usize) -> f64 {
    let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
    let without = (0..1_usize << p).filter(|set| set >> f & 1 == 0);
    without
        .map(|set| {
            let size = set.count_ones() as usize;
            let weight = factorial(size) * factorial(p - size - 1) / factorial(p);
            weight * (worth[set | 1 << f] - worth[set])
        })
        .sum()
}
