//! Shared by the tests of products: pseudorandom numbers, and products in `f64`.

/// Pseudorandom numbers between −1 and 1.
pub(super) fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// `xᵀ` of a row-major `(rows, columns)` matrix.
pub(super) fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..rows * columns)
        .map(|at| x[at % rows * columns + at / rows])
        .collect()
}

/// `x·y` of `(m, k)` and `(k, n)`: each element with the sum of the squares of its summands.
pub(super) fn products(x: &[f32], y: &[f32], k: usize, n: usize) -> Vec<(f64, f64)> {
    let mut exact = vec![(0.0_f64, 0.0_f64); x.len() / k * n];
    for (x, exact) in x.chunks_exact(k).zip(exact.chunks_exact_mut(n)) {
        for (left, y) in x.iter().zip(y.chunks_exact(n)) {
            for (sum, right) in exact.iter_mut().zip(y) {
                let product = f64::from(*left) * f64::from(*right);
                *sum = (sum.0 + product, sum.1 + product * product);
            }
        }
    }
    exact
}
