//! Elementwise loops and reductions (softmax, activations, sums), compiled for the machine's widest vectors.
//!
//! They are written so that the compiler can vectorise them (no branches, sums in sixteen partial sums).

use rayon::prelude::*;

use crate::config::Activation;
use crate::wide::wide;

/// Number of partial sums in a reduction.
const LANES: usize = 16;

/// `exp(x)` to within two units in the last place for `x` in `[−87, 88]`; `x` is clamped to that range.
///
/// `exp(x) = 2ⁿ·exp(r)`, `r = x − n·ln 2`, by the polynomial of Cephes `expf`.
#[inline(always)]
#[allow(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
pub fn exp(x: f32) -> f32 {
    const MAGIC: f32 = 12_582_912.0; // 1.5·2²³: adding it rounds to an integer, which is then in the low bits
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + MAGIC;
    let n = shifted - MAGIC;
    let r = x - n * 0.693_359_4;
    let r = r + n * 2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    p = p * r + 1.398_2e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 0.166_666_66;
    p = p * r + 0.5;
    let y = p * r * r + r + 1.0;
    let scale = f32::from_bits((shifted.to_bits() << 23).wrapping_add(127 << 23));
    y * scale
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn tanh(x: f32) -> f32 {
    let e = exp(-2.0 * x.abs());
    let t = (1.0 - e) / (1.0 + e);
    t.copysign(x)
}

/// Sum of `f(a, b)` over two slices, in sixteen partial sums of `f32`.
#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn lanes(a: &[f32], b: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..LANES {
            sums[i] += f(a[i], b[i]);
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| f(*a, *b)).sum();
    // Pairwise, so that the order of additions does not depend on the machine.
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0] + rest
}

/// `Σ aᵢ·bᵢ`.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    wide(
        #[inline(always)]
        || lanes(a, b, |a, b| a * b),
    )
}

/// `Σ aᵢ`.
pub fn sum(a: &[f32]) -> f32 {
    wide(
        #[inline(always)]
        || lanes(a, a, |a, _| a),
    )
}

/// `(Σ aᵢbᵢ, Σ aᵢ², Σ bᵢ²)`, each product and sum in `f64`.
pub fn moments(a: &[f32], b: &[f32]) -> (f64, f64, f64) {
    const WIDE: usize = 8;
    wide(
        #[inline(always)]
        || {
            let (mut ab, mut aa, mut bb) = ([0.0_f64; WIDE], [0.0_f64; WIDE], [0.0_f64; WIDE]);
            let (a_chunks, a_rest) = a.as_chunks::<WIDE>();
            let (b_chunks, b_rest) = b.as_chunks::<WIDE>();
            for (x, y) in a_chunks.iter().zip(b_chunks) {
                for i in 0..WIDE {
                    let (x, y) = (f64::from(x[i]), f64::from(y[i]));
                    ab[i] += x * y;
                    aa[i] += x * x;
                    bb[i] += y * y;
                }
            }
            let mut out = (ab.iter().sum(), aa.iter().sum(), bb.iter().sum());
            for (x, y) in a_rest.iter().zip(b_rest) {
                let (x, y) = (f64::from(*x), f64::from(*y));
                out = (out.0 + x * y, out.1 + x * x, out.2 + y * y);
            }
            out
        },
    )
}

/// `y += x`.
pub fn add(y: &mut [f32], x: &[f32]) {
    wide(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y += x;
            }
        },
    );
}

/// `y += x`, on all threads.
pub fn add_parallel(y: &mut [f32], x: &[f32]) {
    let chunk = 1 << 15;
    y.par_chunks_mut(chunk)
        .zip(x.par_chunks(chunk))
        .for_each(|(y, x)| add(y, x));
}

/// `y = x`, on all threads.
pub fn copy(x: &[f32], y: &mut [f32]) {
    let chunk = 1 << 15;
    y.par_chunks_mut(chunk)
        .zip(x.par_chunks(chunk))
        .for_each(|(y, x)| y.copy_from_slice(x));
}

/// `y += factor·x`.
pub fn add_scaled(y: &mut [f32], x: &[f32], factor: f32) {
    wide(
        #[inline(always)]
        || {
            for (y, x) in y.iter_mut().zip(x) {
                *y += factor * x;
            }
        },
    );
}

/// `y *= factor`.
pub fn scale(y: &mut [f32], factor: f32) {
    wide(
        #[inline(always)]
        || {
            for y in y.iter_mut() {
                *y *= factor;
            }
        },
    );
}

/// `y = c·tanh(y/c)`.
pub fn soft_cap(y: &mut [f32], cap: f32) {
    wide(
        #[inline(always)]
        || {
            for y in y.iter_mut() {
                *y = cap * tanh(*y / cap);
            }
        },
    );
}

/// Softmax in place.
pub fn softmax(row: &mut [f32]) {
    wide(
        #[inline(always)]
        || {
            let max = maximum(row);
            for x in row.iter_mut() {
                *x = exp(*x - max);
            }
            let inverse = 1.0 / lanes(row, row, |a, _| a);
            for x in row.iter_mut() {
                *x *= inverse;
            }
        },
    );
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn maximum(row: &[f32]) -> f32 {
    let mut most = [f32::NEG_INFINITY; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            most[i] = if chunk[i] > most[i] { chunk[i] } else { most[i] };
        }
    }
    most.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| a.max(*b))
}

/// Index of the greatest value (the first on ties) and `ln Σ exp(xᵢ)`, accumulated in `f64` over chunks.
pub fn log_sum_exp(row: &[f32]) -> (usize, f64) {
    let (max, total) = wide(
        #[inline(always)]
        || {
            let max = maximum(row);
            let mut total = 0.0_f64;
            for chunk in row.chunks(4096) {
                total += f64::from(lanes(chunk, chunk, |x, _| exp(x - max)));
            }
            (max, total)
        },
    );
    let at = row.iter().position(|x| *x == max).unwrap_or(0);
    (at, f64::from(max) + total.ln())
}

/// `Φ(x)`, the standard normal cumulative distribution function.
fn normal(x: f32) -> f32 {
    0.5 * libm::erfcf(-x * std::f32::consts::FRAC_1_SQRT_2)
}

const GELU_A: f32 = 0.797_884_6; // √(2/π)
const GELU_B: f32 = 0.044_715;

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn silu(x: f32) -> f32 {
    x / (1.0 + exp(-x))
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn gelu_tanh(x: f32) -> f32 {
    0.5 * x * (1.0 + tanh(GELU_A * (x + GELU_B * x * x * x)))
}

/// `out = act(x)`.
pub fn activate(kind: Activation, x: &[f32], out: &mut [f32]) {
    wide(
        #[inline(always)]
        || match kind {
            Activation::Silu => each(x, out, silu),
            Activation::GeluTanh => each(x, out, gelu_tanh),
            Activation::Gelu => each(x, out, |x| x * normal(x)),
            Activation::Relu => each(x, out, |x| x.max(0.0)),
        },
    );
}

/// `out = act(gate) ⊙ up`.
pub fn activate_gated(kind: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    wide(
        #[inline(always)]
        || match kind {
            Activation::Silu => each_of_two(gate, up, out, |g, u| silu(g) * u),
            Activation::GeluTanh => each_of_two(gate, up, out, |g, u| gelu_tanh(g) * u),
            Activation::Gelu => each_of_two(gate, up, out, |g, u| g * normal(g) * u),
            Activation::Relu => each_of_two(gate, up, out, |g, u| g.max(0.0) * u),
        },
    );
}

/// `out = act′(x)`.
pub fn activate_derivative(kind: Activation, x: &[f32], out: &mut [f32]) {
    wide(
        #[inline(always)]
        || match kind {
            Activation::Silu => each(x, out, |x| {
                let s = 1.0 / (1.0 + exp(-x));
                s * (1.0 + x * (1.0 - s))
            }),
            Activation::GeluTanh => each(x, out, |x| {
                let t = tanh(GELU_A * (x + GELU_B * x * x * x));
                0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * GELU_A * (1.0 + 3.0 * GELU_B * x * x)
            }),
            Activation::Gelu => each(x, out, |x| normal(x) + x * 0.398_942_3 * exp(-0.5 * x * x)),
            Activation::Relu => each(x, out, |x| if x > 0.0 { 1.0 } else { 0.0 }),
        },
    );
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn each(x: &[f32], out: &mut [f32], f: impl Fn(f32) -> f32) {
    for (out, x) in out.iter_mut().zip(x) {
        *out = f(*x);
    }
}

#[inline(always)]
#[expect(
    clippy::inline_always,
    reason = "it must be inlined into the vectorised loop to be vectorised"
)]
fn each_of_two(x: &[f32], y: &[f32], out: &mut [f32], f: impl Fn(f32, f32) -> f32) {
    for (out, (x, y)) in out.iter_mut().zip(x.iter().zip(y)) {
        *out = f(*x, *y);
    }
}

/// `a *= b`.
pub fn multiply_by(a: &mut [f32], b: &[f32]) {
    wide(
        #[inline(always)]
        || {
            for (a, b) in a.iter_mut().zip(b) {
                *a *= b;
            }
        },
    );
}
