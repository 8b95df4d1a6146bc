//! What each feature of a structure adds to its prediction: exact Shapley values against the known shapes.
//!
//! A set S of features known, the others drawn from a background: v(S) is the mean prediction over the background, one
//! cell a shape. φ_f = Σ_S |S|! (p − |S| − 1)! / p! · (v(S ∪ f) − v(S)), over all 2^p sets (Shapley 1953; Lundberg and
//! Lee 2017, <https://arxiv.org/abs/1705.07874>). The effect of the shape itself is added to the rest, so its value is
//! its difference to the background's mean. They add up: base + Σφ = the prediction.

use super::Posterior;
use super::posterior::place;
use super::process::kernel;
use crate::design::Design;
use crate::error::Error;

/// Where a prediction comes from.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribution {
    /// Mean prediction over the background, in the target's unit.
    pub base: f64,
    /// Name of each feature, its value, and what it adds, in the target's unit; `own shape` last, without a value.
    pub features: Vec<(String, Option<f64>, f64)>,
}

/// More features than this are not asked together: each doubles the work.
const MOST: usize = 12;

impl Posterior {
    /// Shapley values of each row.
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
                let worth: Vec<f64> = (0..1_usize << p)
                    .map(|known| {
                        let of = |&cell: &usize| {
                            let other = &self.cells()[cell];
                            let mixed: Vec<f64> = (0..p)
                                .map(|f| if known >> f & 1 == 1 { z[f] } else { other[f] })
                                .collect();
                            self.function(&mixed)
                        };
                        background.iter().map(of).sum::<f64>() * share
                    })
                    .collect();
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

    /// The function of the features alone, without level and shape, in the target's unit.
    fn function(&self, z: &[f64]) -> f64 {
        let process = &self.fit.process;
        let cells = process.z.iter().zip(&process.pull);
        let pulled = cells.map(|(cell, pull)| pull * kernel(z, cell, &process.straight, &process.scales));
        process.variance * pulled.sum::<f64>()
    }
}

/// Shapley value of feature `f` of `p`, from the worth of every set.
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
