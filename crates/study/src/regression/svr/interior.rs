//! The interior-point solver of support vector regression (Mehrotra 1992's predictor-corrector method).
//!
//! Dual variables z in [0, C]: two per row, one for errors above (σ = 1) and one below (σ = −1). At the solution σ(f −
//! y) + ε = s − t, z s = 0, (C − z) t = 0, w = Φᵀβ and Σβ = 0, where β = z₊ − z₋ and f = Φw + b. Each step solves these
//! equations with the products set to μ, and μ is reduced to zero. Quantities per row are summed over distinct rows
//! before they are multiplied by Φ.
//!
//! A step costs the number of rows times the square of the number of columns of Φ, so both are kept small: columns are
//! added once leaving them out would change the objective by a given share of the present gap, and rows whose total
//! curvature is small compared with the identity are left out of the matrix (but not of the right-hand side, so the
//! next step corrects for them).

use faer::MatRef;

use super::kernel::Factor;
use super::normal::{System, cannot, times, transposed_times};
use crate::error::Error;
use crate::regression::distinct::Distinct;

/// The solution.
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
}

const MAX_STEPS: usize = 200;
/// Gap (sum of all products z s and (C − z) t) at which to stop, relative to the cost of a deviation of one on all
/// rows.
const GAP: f64 = 1e-7;
/// The first steps use one in this many columns of Φ.
const FIRST: usize = 2;
/// Columns left out may change the objective by at most this share of the gap.
const UNSEEN: f64 = 0.1;

/// One row's two dual variables and their multipliers, for errors above and below.
#[derive(Clone, Copy)]
struct Row {
    z: [f64; 2],
    s: [f64; 2],
    t: [f64; 2],
}

/// The step direction of one row.
type Direction = Row;

const SIGN: [f64; 2] = [1.0, -1.0];

struct Problem<'a> {
    distinct: &'a Distinct,
    factor: &'a Factor,
    /// Targets minus their mean, in units of their mean absolute deviation.
    target: Vec<f64>,
    /// C times the weight of each row, in the same units.
    bound: Vec<f64>,
    epsilon: f64,
    rows: Vec<Row>,
    /// Weights of the columns of Φ in use.
    w: Vec<f64>,
    intercept: f64,
}

pub(super) fn solve(
    distinct: &Distinct,
    factor: &Factor,
    cost: f64,
    epsilon: f64,
) -> Result<Solution, Error> {
    let total: f64 = distinct.weight.iter().sum();
    let center = distinct.grand_mean;
    let rows = distinct.target.iter().zip(&distinct.weight);
    let spread = rows.map(|(y, w)| w * (y - center).abs()).sum::<f64>() / total;
    // In units u of the mean absolute deviation: f/u minimises ½‖w/u‖² + (C/u) Σ max(|y/u − f/u| − ε/u, 0).
    let unit = if spread > 0.0 { spread } else { 1.0 };
    let target: Vec<f64> = distinct.target.iter().map(|y| (y - center) / unit).collect();
    let bound: Vec<f64> = distinct.weight.iter().map(|w| w * cost / unit).collect();
    let mut problem = Problem::new(distinct, factor, target, bound, epsilon / unit);
    let enough = GAP * problem.bound.iter().sum::<f64>();
    for _ in 0..MAX_STEPS {
        problem.take_in();
        if problem.gap() <= enough && problem.infeasibility() <= GAP {
            return Ok(Solution {
                weights: problem.w.iter().map(|w| w * unit).collect(),
                intercept: problem.intercept * unit + center,
            });
        }
        problem.step()?;
    }
    Err(cannot(format!(
        "no convergence in {MAX_STEPS} steps: gap {:.1e}, wanted {enough:.1e}",
        problem.gap()
    )))
}

impl<'a> Problem<'a> {
    fn new(
        distinct: &'a Distinct,
        factor: &'a Factor,
        target: Vec<f64>,
        bound: Vec<f64>,
        epsilon: f64,
    ) -> Self {
        let start = |(y, c): (&f64, &f64)| {
            // Starts halfway between the bounds, with multipliers that make the dual feasible.
            let slack = SIGN.map(|sign| epsilon - sign * y);
            Row {
                z: [c / 2.0; 2],
                s: slack.map(|v| v.max(0.0) + 1.0),
                t: slack.map(|v| (-v).max(0.0) + 1.0),
            }
        };
        Self {
            rows: target.iter().zip(&bound).map(start).collect(),
            w: vec![0.0; factor.pivots.len().div_ceil(FIRST)],
            intercept: 0.0,
            distinct,
            factor,
            target,
            bound,
            epsilon,
        }
    }

    /// Σ z s + (C − z) t.
    fn gap(&self) -> f64 {
        let of = |(row, c): (&Row, &f64)| -> f64 {
            (0..2)
                .map(|k| row.z[k] * row.s[k] + (c - row.z[k]) * row.t[k])
                .sum()
        };
        self.rows.iter().zip(&self.bound).map(of).sum()
    }

    /// The columns of Φ in use.
    fn phi(&self) -> MatRef<'a, f64> {
        self.factor.phi().subcols(0, self.w.len())
    }

    /// β of each distinct row.
    fn beta(&self) -> Vec<f64> {
        let mut beta = vec![0.0; self.distinct.len()];
        for (row, &g) in self.rows.iter().zip(&self.distinct.row_of) {
            beta[g as usize] += row.z[0] - row.z[1];
        }
        beta
    }

    /// Adds columns of Φ while those left out, by their ½‖Φᵀβ‖², would change the objective too much.
    fn take_in(&mut self) {
        let (taken, all) = (self.w.len(), self.factor.pivots.len());
        if taken == all {
            return;
        }
        let rest = transposed_times(self.factor.phi().subcols(taken, all - taken), &self.beta());
        let square = |w: &[f64]| w.iter().map(|w| w * w).sum::<f64>();
        let allowed = 2.0 * UNSEEN * self.gap();
        let mut more = 0;
        while taken + more < all && square(&rest[more..]) > allowed {
            more = (taken + 2 * more).min(all - taken);
        }
        self.w.extend(&rest[..more]);
    }

    /// f of each distinct row.
    fn values(&self) -> Vec<f64> {
        times(self.phi(), &self.w, self.intercept)
    }

    /// Largest violation of σ(f − y) + ε = s − t, of w = Φᵀβ, and of Σβ = 0 relative to ΣC.
    fn infeasibility(&self) -> f64 {
        let f = self.values();
        let apart = transposed_times(self.phi(), &self.beta());
        let apart = apart.iter().zip(&self.w).map(|(a, w)| (a - w) * (a - w));
        let mut worst = apart.sum::<f64>().sqrt();
        let mut sum = 0.0;
        for (i, row) in self.rows.iter().enumerate() {
            sum += row.z[0] - row.z[1];
            for (k, sign) in SIGN.iter().enumerate() {
                worst = worst.max(self.dual_residual(i, k, *sign, &f).abs());
            }
        }
        worst.max(sum.abs() / self.bound.iter().sum::<f64>())
    }

    fn dual_residual(&self, i: usize, k: usize, sign: f64, f: &[f64]) -> f64 {
        let at = f[self.distinct.row_of[i] as usize];
        sign * (at - self.target[i]) + self.epsilon - self.rows[i].s[k] + self.rows[i].t[k]
    }

    /// One predictor-corrector step.
    fn step(&mut self) -> Result<(), Error> {
        let f = self.values();
        let n_distinct = self.distinct.len();
        let mut curvature = vec![0.0; n_distinct];
        for (i, (row, c)) in self.rows.iter().zip(&self.bound).enumerate() {
            let g = self.distinct.row_of[i] as usize;
            curvature[g] += (0..2).map(|k| 1.0 / stiffness(row, *c, k)).sum::<f64>();
        }
        let system = System::new(self.phi(), curvature)?;
        let n = 4.0 * self.rows.len() as f64;
        let mu = self.gap() / n;
        let (predictor, _, _) = self.direction(&system, &f, 0.0, None);
        let length = self.longest(&predictor);
        let ahead = |(i, d): (usize, &Direction)| -> f64 {
            let (row, c) = (&self.rows[i], self.bound[i]);
            let product = |k: usize| {
                let z = row.z[k] + length * d.z[k];
                z * (row.s[k] + length * d.s[k]) + (c - z) * (row.t[k] + length * d.t[k])
            };
            product(0) + product(1)
        };
        let mu_ahead = predictor.iter().enumerate().map(ahead).sum::<f64>() / n;
        let centering = (mu_ahead / mu).powi(3);
        let (corrector, dw, db) = self.direction(&system, &f, centering * mu, Some(&predictor));
        let length = 0.995 * self.longest(&corrector);
        for (row, d) in self.rows.iter_mut().zip(&corrector) {
            for k in 0..2 {
                row.z[k] += length * d.z[k];
                row.s[k] += length * d.s[k];
                row.t[k] += length * d.t[k];
            }
        }
        self.w.iter_mut().zip(&dw).for_each(|(w, d)| *w += length * d);
        self.intercept += length * db;
        Ok(())
    }

    /// The direction towards complementarity products of `mu`, corrected for the products of an earlier direction.
    fn direction(
        &self,
        system: &System<'_>,
        f: &[f64],
        mu: f64,
        earlier: Option<&[Direction]>,
    ) -> (Vec<Direction>, Vec<f64>, f64) {
        // h and the quantities needed to recover a row's direction from Δf.
        let wanted = |i: usize, k: usize| {
            let (row, c) = (&self.rows[i], self.bound[i]);
            let (z, u) = (row.z[k], c - row.z[k]);
            let second = earlier.map_or([0.0; 2], |e| [e[i].z[k] * e[i].s[k], -e[i].z[k] * e[i].t[k]]);
            [mu - z * row.s[k] - second[0], mu - u * row.t[k] - second[1]]
        };
        let push = |i: usize, k: usize| {
            let (row, c) = (&self.rows[i], self.bound[i]);
            let [low, high] = wanted(i, k);
            let residual = self.dual_residual(i, k, SIGN[k], f);
            -residual + low / row.z[k] - high / (c - row.z[k])
        };
        let mut pull = vec![0.0; self.distinct.len()];
        for (i, row) in self.rows.iter().enumerate() {
            let g = self.distinct.row_of[i] as usize;
            for (k, sign) in SIGN.iter().enumerate() {
                pull[g] += sign * push(i, k) / stiffness(row, self.bound[i], k);
            }
        }
        let (dw, db) = system.solve(&self.w, &self.beta(), &pull);
        let df = times(self.phi(), &dw, db);
        let one = |i: usize| {
            let (row, c) = (&self.rows[i], self.bound[i]);
            let at = df[self.distinct.row_of[i] as usize];
            let mut d = Row {
                z: [0.0; 2],
                s: [0.0; 2],
                t: [0.0; 2],
            };
            for (k, sign) in SIGN.iter().enumerate() {
                let [low, high] = wanted(i, k);
                d.z[k] = (push(i, k) - sign * at) / stiffness(row, c, k);
                d.s[k] = (low - row.s[k] * d.z[k]) / row.z[k];
                d.t[k] = (high + row.t[k] * d.z[k]) / (c - row.z[k]);
            }
            d
        };
        ((0..self.rows.len()).map(one).collect(), dw, db)
    }

    /// The longest step up to 1 that keeps every variable inside its bounds.
    fn longest(&self, direction: &[Direction]) -> f64 {
        let mut length = 1.0_f64;
        for ((row, c), d) in self.rows.iter().zip(&self.bound).zip(direction) {
            for k in 0..2 {
                let pairs = [
                    (row.z[k], d.z[k]),
                    (c - row.z[k], -d.z[k]),
                    (row.s[k], d.s[k]),
                    (row.t[k], d.t[k]),
                ];
                for (at, step) in pairs {
                    if step < 0.0 {
                        length = length.min(-at / step);
                    }
                }
            }
        }
        length
    }
}

fn stiffness(row: &Row, bound: f64, k: usize) -> f64 {
    row.s[k] / row.z[k] + row.t[k] / (bound - row.z[k])
}
