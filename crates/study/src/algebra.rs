//! Dense matrix products and inverses on one thread, and the reset of the vector registers that such kernels leave
//! dirty.

use std::hint::black_box;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt::{factor, inverse as of_factor};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::Arch;

/// Computes `alpha a b` on one thread, and adds it to `to` or overwrites `to`, as `accum` says.
pub(crate) fn multiply(
    to: MatMut<'_, f64>,
    accum: Accum,
    a: MatRef<'_, f64>,
    b: MatRef<'_, f64>,
    alpha: f64,
) {
    matmul(to, accum, a, b, alpha, Par::Seq);
    settle();
}

/// Inverse of a symmetric positive definite matrix, given by its lower triangle, and the logarithm of its determinant;
/// on one thread. The error message says why the matrix cannot be factorised.
pub(crate) fn inverse(mut lower: Mat<f64>) -> Result<(Mat<f64>, f64), String> {
    let n = lower.nrows();
    let spec = faer::Spec::default();
    let scratch = StackReq::any_of(&[
        factor::cholesky_in_place_scratch::<f64>(n, Par::Seq, spec),
        of_factor::inverse_scratch::<f64>(n, Par::Seq),
    ]);
    let mut memory = MemBuffer::new(scratch);
    factor::cholesky_in_place(
        lower.as_mut(),
        factor::LltRegularization::default(),
        Par::Seq,
        MemStack::new(&mut memory),
        spec,
    )
    .map_err(|e| format!("{e:?}"))?;
    let mut out = Mat::zeros(n, n);
    let stack = MemStack::new(&mut memory);
    of_factor::inverse(out.as_mut(), lower.as_ref(), Par::Seq, stack);
    settle();
    for j in 0..n {
        for i in 0..j {
            out[(i, j)] = out[(j, i)];
        }
    }
    let log_determinant = 2.0 * (0..n).map(|i| lower[(i, i)].ln()).sum::<f64>();
    Ok((out, log_determinant))
}

/// Clears the upper halves of the vector registers, which the assembly kernels of products, factorisations and
/// decompositions leave in use. Until they are cleared, code that uses narrow registers stalls: `exp` of the C library
/// takes thirty times as long, divisions a third longer. Call this after such kernels.
///
/// # Source
/// Intel 64 and IA-32 Architectures Optimization Reference Manual, "Mixing AVX code with SSE code".
pub(crate) fn settle() {
    let mut few = [0.0_f32; 64];
    // A function compiled for wide registers clears them when it returns.
    Arch::new().dispatch(|| {
        for x in black_box(&mut few) {
            *x += 1.0;
        }
    });
    black_box(few);
}
