//! The interior point of support vector regression (Mehrotra 1992's predictor and corrector).
//!
//! Dual variables z in [0, C]: two per row, one for errors above (σ = 1) and one below (σ = −1). At the solution
//! σ(f − y) + ε = s − t, z s = 0, (C − z) t = 0, w = Φᵀβ and Σβ = 0, where β = z₊ − z₋ and f = Φw + b. Each step
//! solves these with the products set to μ, and μ falls to zero. All that is per row collapses to the distinct rows
//! before it meets Φ.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul as product;
use faer::linalg::matmul::triangular::{BlockStructure, matmul};
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::reborrow::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::kernel::Factor;
use crate::error::Error;
use crate::regression::distinct::Distinct;

/// Where the interior point ended.
pub(super) struct Solution {
    pub(super) weights: Vec<f64>,
    pub(super) intercept: f64,
}

const MAX_STEPS: usize = 200;
/// Sum of all products z s and (C − z) t to stop at, as a share of what a deviation of one on all rows costs.
const GAP: f64 = 1e-7;

/// One row's two dual variables and their multipliers: above, below.
#[derive(Clone, Copy)]
struct Row {
    z: [f64; 2],
    s: [f64; 2],
    t: [f64; 2],
}

/// The direction of one row.
type Direction = Row;

const SIGN: [f64; 2] = [1.0, -1.0];

struct Problem<'a> {
    distinct: &'a Distinct,
    factor: &'a Factor,
    /// Targets less their mean, in units of their deviation.
    target: Vec<f64>,
    /// C times weight of each row, in those units.
    bound: Vec<f64>,
    epsilon: f64,
    rows: Vec<Row>,
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
    // In units of the spread: f/u minimises ½‖w/u‖² + (C/u) Σ max(|y/u − f/u| − ε/u, 0).
    let unit = if spread > 0.0 { spread } else { 1.0 };
    let target: Vec<f64> = distinct.target.iter().map(|y| (y - center) / unit).collect();
    let bound: Vec<f64> = distinct.weight.iter().map(|w| w * cost / unit).collect();
    let mut problem = Problem::new(distinct, factor, target, bound, epsilon / unit);
    let enough = GAP * problem.bound.iter().sum::<f64>();
    for _ in 0..MAX_STEPS {
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

fn cannot(problem: String) -> Error {
    Error::CannotCompute {
        method: "svr",
        problem,
    }
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
            // Halfway between the bounds, multipliers that make the dual feasible.
            let slack = SIGN.map(|sign| epsilon - sign * y);
            Row {
                z: [c / 2.0; 2],
                s: slack.map(|v| v.max(0.0) + 1.0),
                t: slack.map(|v| (-v).max(0.0) + 1.0),
            }
        };
        Self {
            rows: target.iter().zip(&bound).map(start).collect(),
            w: vec![0.0; factor.pivots.len()],
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

    /// f of each distinct row.
    fn values(&self) -> Vec<f64> {
        times(&self.factor.phi, &self.w, self.intercept)
    }

    /// Largest violation of σ(f − y) + ε = s − t, and of Σβ = 0 as a share of ΣC.
    fn infeasibility(&self) -> f64 {
        let f = self.values();
        let mut worst = 0.0_f64;
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

    /// One predictor and corrector.
    fn step(&mut self) -> Result<(), Error> {
        let f = self.values();
        let n_distinct = self.distinct.len();
        let mut curvature = vec![0.0; n_distinct];
        for (i, (row, c)) in self.rows.iter().zip(&self.bound).enumerate() {
            let g = self.distinct.row_of[i] as usize;
            curvature[g] += (0..2).map(|k| 1.0 / stiffness(row, *c, k)).sum::<f64>();
        }
        let system = System::new(&self.factor.phi, curvature)?;
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

    /// The direction towards products of `mu`, corrected for the products of an earlier direction.
    fn direction(
        &self,
        system: &System<'_>,
        f: &[f64],
        mu: f64,
        earlier: Option<&[Direction]>,
    ) -> (Vec<Direction>, Vec<f64>, f64) {
        // h and what is needed to go back from Δf to the row's direction.
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
        let mut beta = vec![0.0; self.distinct.len()];
        for (i, row) in self.rows.iter().enumerate() {
            let g = self.distinct.row_of[i] as usize;
            beta[g] += row.z[0] - row.z[1];
            for (k, sign) in SIGN.iter().enumerate() {
                pull[g] += sign * push(i, k) / stiffness(row, self.bound[i], k);
            }
        }
        let (dw, db) = system.solve(&self.w, &beta, &pull);
        let df = times(&self.factor.phi, &dw, db);
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

/// The matrix I + Φᵀ E Φ, factored, bordered by the intercept.
struct System<'a> {
    phi: &'a Mat<f64>,
    curvature: Vec<f64>,
    lower: Mat<f64>,
    /// Φᵀ e.
    border: Vec<f64>,
    /// That matrix's inverse times Φᵀ e.
    solved_border: Vec<f64>,
}

impl<'a> System<'a> {
    fn new(phi: &'a Mat<f64>, curvature: Vec<f64>) -> Result<Self, Error> {
        let rank = phi.ncols();
        let roots: Vec<f64> = curvature.iter().map(|e| e.sqrt()).collect();
        let mut scaled = phi.clone();
        for k in 0..rank {
            let column = scaled.col_mut(k);
            column.iter_mut().zip(&roots).for_each(|(x, root)| *x *= root);
        }
        let mut lower = Mat::<f64>::identity(rank, rank);
        matmul(
            &mut lower,
            BlockStructure::TriangularLower,
            Accum::Add,
            scaled.transpose(),
            BlockStructure::Rectangular,
            &scaled,
            BlockStructure::Rectangular,
            1.0,
            Par::Seq,
        );
        let scratch = cholesky_in_place_scratch::<f64>(rank, Par::Seq, faer::Spec::default());
        let mut memory = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut memory);
        let spec = faer::Spec::default();
        cholesky_in_place(
            lower.as_mut(),
            faer::linalg::cholesky::llt::factor::LltRegularization::default(),
            Par::Seq,
            stack,
            spec,
        )
        .map_err(|e| cannot(format!("{e:?} in the normal equations")))?;
        let border = transposed_times(phi, &curvature);
        let mut solved_border = border.clone();
        solve_in_place(&lower, &mut solved_border);
        Ok(Self {
            phi,
            curvature,
            lower,
            border,
            solved_border,
        })
    }

    /// Δw and Δb for `pull` on the distinct rows; w and β may still be apart.
    fn solve(&self, w: &[f64], beta: &[f64], pull: &[f64]) -> (Vec<f64>, f64) {
        // Δw = Φᵀ(β + Δβ) − w with Δβ = pull − e Δf, Δf = ΦΔw + Δb.
        let both: Vec<f64> = beta.iter().zip(pull).map(|(b, p)| b + p).collect();
        let mut dw = transposed_times(self.phi, &both);
        dw.iter_mut().zip(w).for_each(|(d, w)| *d -= w);
        solve_in_place(&self.lower, &mut dw);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let total: f64 = self.curvature.iter().sum();
        let wanted = both.iter().sum::<f64>() - dot(&self.border, &dw);
        let db = wanted / (total - dot(&self.border, &self.solved_border));
        dw.iter_mut()
            .zip(&self.solved_border)
            .for_each(|(d, s)| *d -= db * s);
        (dw, db)
    }
}

/// L Lᵀ x = b in place.
fn solve_in_place(lower: &Mat<f64>, x: &mut [f64]) {
    let n = x.len();
    let mut x = MatMut::from_column_major_slice_mut(x, n, 1);
    solve_lower_triangular_in_place(lower.as_ref(), x.rb_mut(), Par::Seq);
    solve_upper_triangular_in_place(lower.transpose(), x, Par::Seq);
}

/// Φ w + b.
fn times(phi: &Mat<f64>, w: &[f64], b: f64) -> Vec<f64> {
    let mut values = vec![b; phi.nrows()];
    let to = MatMut::from_column_major_slice_mut(&mut values, phi.nrows(), 1);
    let w = MatRef::from_column_major_slice(w, phi.ncols(), 1);
    product(to, Accum::Add, phi, w, 1.0, Par::Seq);
    values
}

/// Φᵀ x.
fn transposed_times(phi: &Mat<f64>, x: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; phi.ncols()];
    let to = MatMut::from_column_major_slice_mut(&mut values, phi.ncols(), 1);
    let x = MatRef::from_column_major_slice(x, phi.nrows(), 1);
    product(to, Accum::Replace, phi.transpose(), x, 1.0, Par::Seq);
    values
}
