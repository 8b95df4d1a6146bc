//! The linear system of one interior-point step: I + Φᵀ E Φ over rows with curvature, factorised and bordered by the
//! intercept.

use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt::factor::{cholesky_in_place, cholesky_in_place_scratch};
use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{solve_lower_triangular_in_place, solve_upper_triangular_in_place};
use faer::reborrow::ReborrowMut;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::algebra::{multiply, settle};
use crate::error::Error;

/// Sum of the curvatures that may be left out of a step's matrix; the matrix's smallest eigenvalue is 1.
const IGNORED: f64 = 0.1;
/// Number of columns of the normal equations that are computed together.
const BLOCK: usize = 96;

/// The matrix I + Φᵀ E Φ, factorised and bordered by the intercept.
pub(super) struct System<'a> {
    phi: MatRef<'a, f64>,
    curvature: Vec<f64>,
    lower: Mat<f64>,
    /// Φᵀ e.
    border: Vec<f64>,
    /// Inverse of the matrix times Φᵀ e.
    solved_border: Vec<f64>,
}

impl<'a> System<'a> {
    pub(super) fn new(phi: MatRef<'a, f64>, curvature: Vec<f64>) -> Result<Self, Error> {
        let rank = phi.ncols();
        let mut lower = normal_equations(phi, &curvature);
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
        settle();
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

    /// Δw and Δb for the right-hand side `pull` on the distinct rows; w = Φᵀβ need not hold yet.
    pub(super) fn solve(&self, w: &[f64], beta: &[f64], pull: &[f64]) -> (Vec<f64>, f64) {
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

/// The lower triangle of I + Φᵀ E Φ, leaving out the rows of the smallest e.
fn normal_equations(phi: MatRef<'_, f64>, curvature: &[f64]) -> Mat<f64> {
    let mut order: Vec<usize> = (0..curvature.len()).collect();
    order.sort_by(|&a, &b| curvature[a].total_cmp(&curvature[b]).then(a.cmp(&b)));
    let mut left_out = 0.0;
    let few = order.iter().take_while(|&&g| {
        left_out += curvature[g];
        left_out <= IGNORED
    });
    let few = few.count();
    let mut kept = order.split_off(few);
    kept.sort_unstable();
    let roots: Vec<f64> = kept.iter().map(|&g| curvature[g].sqrt()).collect();
    let rank = phi.ncols();
    let mut scaled = Mat::<f64>::zeros(kept.len(), rank);
    for k in 0..rank {
        let from = phi.col(k);
        let to = scaled.col_mut(k).iter_mut();
        to.zip(kept.iter().zip(&roots))
            .for_each(|(to, (&g, root))| *to = from[g] * root);
    }
    let mut lower = Mat::<f64>::identity(rank, rank);
    for first in (0..rank).step_by(BLOCK) {
        let width = BLOCK.min(rank - first);
        let below = scaled.subcols(first, rank - first);
        multiply(
            lower.submatrix_mut(first, first, rank - first, width),
            Accum::Add,
            below.transpose(),
            below.subcols(0, width),
            1.0,
        );
    }
    lower
}

/// Solves L Lᵀ x = b in place.
fn solve_in_place(lower: &Mat<f64>, x: &mut [f64]) {
    let n = x.len();
    let mut x = MatMut::from_column_major_slice_mut(x, n, 1);
    solve_lower_triangular_in_place(lower.as_ref(), x.rb_mut(), Par::Seq);
    solve_upper_triangular_in_place(lower.transpose(), x, Par::Seq);
    settle();
}

/// Φ w + b.
pub(super) fn times(phi: MatRef<'_, f64>, w: &[f64], b: f64) -> Vec<f64> {
    let mut values = vec![b; phi.nrows()];
    let to = MatMut::from_column_major_slice_mut(&mut values, phi.nrows(), 1);
    let w = MatRef::from_column_major_slice(w, phi.ncols(), 1);
    matmul(to, Accum::Add, phi, w, 1.0, Par::Seq);
    values
}

/// Φᵀ x.
pub(super) fn transposed_times(phi: MatRef<'_, f64>, x: &[f64]) -> Vec<f64> {
    let mut values = vec![0.0; phi.ncols()];
    let to = MatMut::from_column_major_slice_mut(&mut values, phi.ncols(), 1);
    let x = MatRef::from_column_major_slice(x, phi.nrows(), 1);
    matmul(to, Accum::Replace, phi.transpose(), x, 1.0, Par::Seq);
    values
}

pub(super) fn cannot(problem: String) -> Error {
    Error::CannotCompute {
        method: "svr",
        problem,
    }
}
