//! Products of matrices, and what they leave in the processor.

use std::hint::black_box;

use faer::dyn_stack::{MemBuffer, MemStack, StackReq};
use faer::linalg::cholesky::llt::{factor, inverse as of_factor};
use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};
use pulp::Arch;

/// `to = alpha a b`, added to what is there or in its place; one thread.
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

/// Inverse of a symmetric positive definite matrix given by its lower half, and the logarithm of its determinant; one
/// thread. The error says why it has none.
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

/// Clears the upper halves of the vector registers, which the assembly kernels of products, factors and decompositions
/// leave in use. Until something clears them, code for narrow registers waits for them: `exp` of the C library takes
/// thirty times as long, divisions a third more. Call it after such work.
///
/// # Source
/// Intel 64 and IA-32 Architectures Optimization Reference Manual, "Mixing AVX code with SSE code".
pub(crate) fn settle() {
    let mut few = [0.0_f32; 64];
    // The compiler ends a function that used wide registers by clearing them.
    Arch::new().dispatch(|| {
        for x in black_box(&mut few) {
            *x += 1.0;
        }
    });
    black_box(few);
}
