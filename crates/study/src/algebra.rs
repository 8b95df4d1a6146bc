//! Products of matrices, and what they leave in the processor.

use std::hint::black_box;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
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
