//! Effects of units: a Gaussian process over units with an effect of the family, for several factors at once.
//!
//! Covariance of two units' effects: a kernel of their features, family and identity, times the covariance of the
//! factors. Evidence from rows is a precision matrix and an information vector per unit, so the posterior is exact.

use faer::Mat;

use super::FACTORS;
use super::small::{self, SmallMatrix, Vector};
use crate::algebra::inverse;
use crate::statistics::{mean, standard_deviation};

/// Number of attributes of a unit: ln size, ln total over active parameters, ln heads over key-value heads, years, ln
/// tokens.
pub(super) const FEATURES: usize = 5;

/// Length scale, and shares of the variance between units that follow the features and the family; the rest is the
/// unit's own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shares {
    pub(super) length: f64,
    pub(super) smooth: f64,
    pub(super) family: f64,
}

/// Candidates, of which the one with the highest likelihood is used.
pub(super) const CHOICES: [Shares; 4] = [
    Shares {
        length: 1.0,
        smooth: 0.3,
        family: 0.3,
    },
    Shares {
        length: 1.0,
        smooth: 0.3,
        family: 0.6,
    },
    Shares {
        length: 2.0,
        smooth: 0.3,
        family: 0.3,
    },
    Shares {
        length: 1.0,
        smooth: 0.6,
        family: 0.3,
    },
];

/// Units with their standardised features and families.
pub(super) struct LatentUnits {
    places: Vec<[f64; FEATURES]>,
    families: Vec<String>,
}

/// Evidence from rows on each unit's effect.
pub(super) struct Said {
    pub(super) precision: Vec<SmallMatrix>,
    pub(super) information: Vec<Vector>,
}

/// Posterior means and covariances of the units' effects, updated covariance of the factors, and log-likelihood.
pub(super) struct LatentEffects {
    pub(super) means: Vec<Vector>,
    pub(super) covariances: Vec<SmallMatrix>,
    pub(super) spread: SmallMatrix,
    pub(super) log_likelihood: f64,
}

/// A negligible precision, for units with a direction that was never measured.
const NOTHING: f64 = 1e-4;

impl LatentUnits {
    pub(super) fn new(features: &[[f64; FEATURES]], families: Vec<String>) -> Self {
        // Unknown features of a unit are set to the mean.
        let column = |k: usize| -> Vec<f64> {
            let known = features
                .iter()
                .map(|row| row[k])
                .filter(|value| value.is_finite());
            known.collect()
        };
        let centre: [f64; FEATURES] = std::array::from_fn(|k| {
            let own = column(k);
            if own.is_empty() { 0.0 } else { mean(&own) }
        });
        let spread: [f64; FEATURES] = std::array::from_fn(|k| {
            let own = column(k);
            let own = if own.len() > 1 {
                standard_deviation(&own)
            } else {
                0.0
            };
            if own > 1e-9 { own } else { 1.0 }
        });
        let places = features
            .iter()
            .map(|row| {
                std::array::from_fn(|k| {
                    let apart = (row[k] - centre[k]) / spread[k];
                    if apart.is_finite() { apart } else { 0.0 }
                })
            })
            .collect();
        Self { places, families }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    fn kernel(&self, shares: Shares, a: usize, b: usize) -> f64 {
        let apart: f64 = self.places[a]
            .iter()
            .zip(&self.places[b])
            .map(|(x, y)| (x - y).powi(2))
            .sum();
        let family = if self.families[a] == self.families[b] {
            shares.family
        } else {
            0.0
        };
        let own = if a == b {
            1.0 - shares.smooth - shares.family
        } else {
            0.0
        };
        shares.smooth * (-0.5 * apart / shares.length.powi(2)).exp() + family + own
    }

    /// The posterior of all effects; `None` where the covariance cannot be inverted.
    pub(super) fn effects(&self, said: &Said, spread: &SmallMatrix, shares: Shares) -> Option<LatentEffects> {
        let n = self.len();
        let kernel = Mat::from_fn(n, n, |a, b| {
            self.kernel(shares, a, b) + if a == b { 1e-6 } else { 0.0 }
        });
        // Noise covariance and observed value of each unit's effect.
        let noise: Vec<SmallMatrix> = said
            .precision
            .iter()
            .map(|precision| small::inverse(&small::plus(precision, &small::identity(NOTHING))))
            .collect();
        let heard: Vec<f64> = (0..n)
            .flat_map(|unit| small::of(&noise[unit], &said.information[unit]))
            .collect();
        let whole = n * FACTORS;
        let total = Mat::from_fn(whole, whole, |i, j| {
            let (a, p, b, q) = (i / FACTORS, i % FACTORS, j / FACTORS, j % FACTORS);
            let own = if a == b { noise[a][p][q] } else { 0.0 };
            kernel[(a, b)] * spread[p][q] + own
        });
        let (middle, log_determinant) = inverse(total).ok()?;
        let pulled: Vec<f64> = (0..whole)
            .map(|i| (0..whole).map(|j| middle[(j, i)] * heard[j]).sum())
            .collect();
        let quadratic: f64 = pulled.iter().zip(&heard).map(|(a, b)| a * b).sum();
        let block = |a: usize, b: usize| -> SmallMatrix {
            std::array::from_fn(|p| std::array::from_fn(|q| middle[(a * FACTORS + p, b * FACTORS + q)]))
        };
        let part = |unit: usize| -> Vector { std::array::from_fn(|p| pulled[unit * FACTORS + p]) };
        let means: Vec<Vector> = (0..n)
            .map(|unit| {
                let heard: Vector = std::array::from_fn(|p| heard[unit * FACTORS + p]);
                small::less(&heard, &small::of(&noise[unit], &part(unit)))
            })
            .collect();
        let between = |a: usize, b: usize| -> SmallMatrix {
            let pulled = small::product(&small::product(&noise[a], &block(a, b)), &noise[b]);
            let own = if a == b { noise[a] } else { small::ZERO };
            small::minus(&own, &pulled)
        };
        let covariances: Vec<SmallMatrix> = (0..n).map(|unit| between(unit, unit)).collect();
        let (of_kernel, _) = inverse(kernel).ok()?;
        let mut found = small::ZERO;
        for a in 0..n {
            for b in 0..n {
                let second = small::plus(&between(a, b), &small::outer(&means[a], &means[b]));
                found = small::plus(&found, &small::scaled(&second, of_kernel[(a, b)] / n as f64));
            }
        }
        let found = small::scaled(&small::plus(&found, &small::transposed(&found)), 0.5);
        Some(LatentEffects {
            means,
            covariances,
            spread: found,
            log_likelihood: -0.5 * (log_determinant + quadratic),
        })
    }
}
