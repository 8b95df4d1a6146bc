//! Scaling laws of loss: ln L = ln(e^E + Σ `e^(a_k` − `α_k` ln `x_k`)), with `x_k` the dimensions of a run.
//!
//! With parameters and tokens it is the law of Hoffmann and others (2022, arXiv 2203.15556, approach 3); with width,
//! layers and tokens, and also parameters, that of the Gemstones (2025, arXiv 2502.06857). Fitted by Huber's loss on
//! the logarithms, with their δ, by reweighted Levenberg-Marquardt steps from many starting points.

use faer::Mat;

use crate::algebra::inverse;

/// δ of Huber's loss on ln L.
const DELTA: f64 = 1e-4;
const STEPS: usize = 120;
/// Number of steps from every starting point; below, how many of the best are continued and for how many steps.
const FIRST: usize = 12;
const GO_ON: usize = 3;

/// A fitted law.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Law {
    /// Exponent α of each dimension.
    pub(super) exponents: Vec<f64>,
    /// Coefficient a of each dimension.
    pub(super) coefficients: Vec<f64>,
    /// E, where e^E is the irreducible loss.
    pub(super) floor: f64,
    /// Mean Huber loss, divided by δ.
    pub(super) loss: f64,
}

impl Law {
    /// ln L at logarithms of the dimensions.
    pub(super) fn ln_loss(&self, ln: &[f64]) -> f64 {
        let terms = || {
            let own = self.coefficients.iter().zip(&self.exponents).zip(ln);
            own.map(|((a, alpha), x)| a - alpha * x).chain([self.floor])
        };
        let most = terms().fold(f64::NEG_INFINITY, f64::max);
        most + terms().map(|term| (term - most).exp()).sum::<f64>().ln()
    }

    fn parameters(&self) -> Vec<f64> {
        let own = self.exponents.iter().chain(&self.coefficients);
        own.copied().chain([self.floor]).collect()
    }

    fn of(parameters: &[f64]) -> Self {
        let k = (parameters.len() - 1) / 2;
        Self {
            exponents: parameters[..k].to_vec(),
            coefficients: parameters[k..2 * k].to_vec(),
            floor: parameters[2 * k],
            loss: f64::INFINITY,
        }
    }

    /// Mean Huber loss of the residuals, divided by δ.
    fn score(&self, ln: &[Vec<f64>], target: &[f64]) -> f64 {
        let sum: f64 = ln
            .iter()
            .zip(target)
            .map(|(x, y)| {
                let r = (y - self.ln_loss(x)).abs();
                if r < DELTA {
                    0.5 * r * r / DELTA
                } else {
                    r - 0.5 * DELTA
                }
            })
            .sum();
        sum / target.len() as f64
    }

    fn slopes(&self, x: &[f64], ln_loss: f64) -> Vec<f64> {
        let k = x.len();
        let mut slopes = vec![0.0; 2 * k + 1];
        for dimension in 0..k {
            let share =
                (self.coefficients[dimension] - self.exponents[dimension] * x[dimension] - ln_loss).exp();
            slopes[dimension] = -share * x[dimension];
            slopes[k + dimension] = share;
        }
        slopes[2 * k] = (self.floor - ln_loss).exp();
        slopes
    }

    /// Levenberg-Marquardt steps until the loss no longer decreases.
    fn improved(mut self, ln: &[Vec<f64>], target: &[f64], steps: usize) -> Self {
        let n = self.parameters().len();
        self.loss = self.score(ln, target);
        let mut damping = 1e-2;
        for _ in 0..steps {
            let mut normal = vec![vec![0.0; n]; n];
            let mut pull = vec![0.0; n];
            for (x, y) in ln.iter().zip(target) {
                let at = self.ln_loss(x);
                let r = y - at;
                let weight = 1.0 / r.abs().max(DELTA);
                let slopes = self.slopes(x, at);
                for i in 0..n {
                    pull[i] += weight * slopes[i] * r;
                    for j in 0..=i {
                        normal[i][j] += weight * slopes[i] * slopes[j];
                    }
                }
            }
            let mut moved = false;
            for _ in 0..8 {
                let damped = Mat::from_fn(n, n, |i, j| {
                    let own = normal[i.max(j)][i.min(j)];
                    if i == j { own * (1.0 + damping) + 1e-9 } else { own }
                });
                let Ok((inverted, _)) = inverse(damped) else {
                    damping *= 10.0;
                    continue;
                };
                let next: Vec<f64> = self
                    .parameters()
                    .iter()
                    .enumerate()
                    .map(|(i, own)| own + (0..n).map(|j| inverted[(i, j)] * pull[j]).sum::<f64>())
                    .collect();
                let mut next = Self::of(&next);
                next.loss = next.score(ln, target);
                // Exponents must not be negative: larger runs do not have a higher loss.
                if next.loss < self.loss && next.exponents.iter().all(|alpha| *alpha >= 0.0) {
                    moved = self.loss - next.loss > 1e-9 * self.loss;
                    self = next;
                    damping = (damping * 0.3).max(1e-9);
                    break;
                }
                damping *= 5.0;
            }
            if !moved {
                break;
            }
        }
        self
    }

    /// The best fit from many starting points, for `(n_runs, n_dimensions)` logarithms and `(n_runs,)` ln L; `None` for
    /// fewer runs than twice the number of parameters.
    pub(super) fn fit(ln: &[Vec<f64>], target: &[f64]) -> Option<Self> {
        let k = ln.first()?.len();
        if target.len() < 2 * (2 * k + 1) {
            return None;
        }
        let least = target.iter().copied().fold(f64::INFINITY, f64::min);
        let middle: Vec<f64> = (0..k)
            .map(|dimension| crate::statistics::mean(&ln.iter().map(|x| x[dimension]).collect::<Vec<f64>>()))
            .collect();
        let mut found: Vec<Self> = Vec::new();
        for exponent in [0.1, 0.3, 0.6, 1.0] {
            for below in [0.05, 0.2, 0.6] {
                for uneven in [1.0, 2.0] {
                    // The excess over the floor at the mean run is divided evenly among the dimensions.
                    let floor = least - below;
                    let above = (least.exp() - floor.exp()).max(1e-6) / k as f64;
                    let exponents: Vec<f64> = (0..k)
                        .map(|dimension| {
                            if dimension % 2 == 0 {
                                exponent
                            } else {
                                exponent * uneven
                            }
                        })
                        .collect();
                    let coefficients = (0..k).map(|d| above.ln() + exponents[d] * middle[d]).collect();
                    let start = Self {
                        exponents,
                        coefficients,
                        floor,
                        loss: f64::INFINITY,
                    };
                    found.push(start.improved(ln, target, FIRST));
                }
            }
        }
        found.retain(|own| own.loss.is_finite());
        found.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        let last = found
            .into_iter()
            .take(GO_ON)
            .map(|own| own.improved(ln, target, STEPS));
        last.min_by(|a, b| a.loss.total_cmp(&b.loss))
    }

    /// The law refitted to other runs, starting from this fit.
    pub(super) fn again(&self, ln: &[Vec<f64>], target: &[f64]) -> Self {
        self.clone().improved(ln, target, STEPS / 3)
    }
}
