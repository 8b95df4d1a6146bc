//! Products of a layer's small matrices, vectorised along the units.
//!
//! Matrices are row-major, with rows padded to [`super::aligned::LANES`] numbers. Each sum adds its terms in order, so
//! a result does not depend on the width of the machine's vectors, only on whether it has fused multiply-add.

#![allow(
    clippy::inline_always,
    clippy::needless_range_loop,
    reason = "vector instructions reach only what is inlined into their dispatch; sums are kept in registers by place"
)]

use pulp::{Simd, WithSimd};

/// Number of rows of the result that are computed together.
pub(super) const TILE: usize = 8;

/// Operation applied to a sum before it is stored.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    Plain,
    /// max(x, 0).
    Rectified,
    /// The sum where this matrix, of the result's shape, is above zero; else zero.
    Where(&'a [f32]),
}

/// `result[r] = start + Σ_k left[r][k] right[k]`; the number of rows is a multiple of [`TILE`].
pub(super) struct RowsTimes<'a> {
    pub(super) left: &'a [f32],
    /// Distance between rows of `left`, in numbers.
    pub(super) stride: usize,
    pub(super) right: &'a [f32],
    /// Number of rows of `right` to sum over.
    pub(super) terms: usize,
    /// One row.
    pub(super) start: Option<&'a [f32]>,
    pub(super) finish: Finish<'a>,
    pub(super) result: &'a mut [f32],
    /// Length of a row of `right` and of the result.
    pub(super) width: usize,
}

impl WithSimd for RowsTimes<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let vectors = self.width / S::F32_LANES;
        let mut first = 0;
        while first < vectors {
            first += match vectors - first {
                4.. => rows_times::<S, 4, 4>(simd, &mut self, first),
                2.. => rows_times::<S, 8, 2>(simd, &mut self, first),
                _ => rows_times::<S, 8, 1>(simd, &mut self, first),
            };
        }
    }
}

/// Computes `N` vectors of each row of the result, starting at vector `first`, `R` rows at a time. Returns `N`.
#[inline(always)]
fn rows_times<S: Simd, const R: usize, const N: usize>(
    simd: S,
    of: &mut RowsTimes<'_>,
    first: usize,
) -> usize {
    let vectors = of.width / S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let right = S::as_simd_f32s(of.right).0;
    let mut start = [zero; N];
    if let Some(row) = of.start {
        start.copy_from_slice(&S::as_simd_f32s(row).0[first..first + N]);
    }
    let tiles = of.result.chunks_exact_mut(of.width * R);
    for (t, (result, left)) in tiles.zip(of.left.chunks_exact(of.stride * R)).enumerate() {
        let mut rows = [&left[..of.terms]; R];
        for (i, row) in rows.iter_mut().enumerate() {
            *row = &left[i * of.stride..i * of.stride + of.terms];
        }
        let mut sums = [start; R];
        for k in 0..of.terms {
            let line = &right[k * vectors + first..k * vectors + first + N];
            for i in 0..R {
                let a = simd.splat_f32s(rows[i][k]);
                for v in 0..N {
                    sums[i][v] = simd.mul_add_e_f32s(a, line[v], sums[i][v]);
                }
            }
        }
        let result = S::as_mut_simd_f32s(result).0;
        for i in 0..R {
            let at = i * vectors + first;
            let kept = &mut result[at..at + N];
            for v in 0..N {
                kept[v] = match of.finish {
                    Finish::Plain => sums[i][v],
                    Finish::Rectified => simd.max_f32s(sums[i][v], zero),
                    Finish::Where(gate) => {
                        let gate = S::as_simd_f32s(gate).0[t * R * vectors + at + v];
                        simd.select_f32s(simd.greater_than_f32s(gate, zero), sums[i][v], zero)
                    }
                };
            }
        }
    }
    N
}

/// `result[i] = Σ_r left[r][i] right[r]`, and `sums = Σ_r right[r]`; the number of rows of the result is a multiple of
/// [`TILE`].
pub(super) struct OuterSum<'a> {
    pub(super) left: &'a [f32],
    /// Length of a row of `left`: the number of rows of `result`.
    pub(super) stride: usize,
    pub(super) right: &'a [f32],
    /// Number of rows of `left` and `right` to sum over.
    pub(super) terms: usize,
    pub(super) result: &'a mut [f32],
    /// One row.
    pub(super) sums: &'a mut [f32],
    /// Length of a row of `right` and of the result.
    pub(super) width: usize,
}

impl WithSimd for OuterSum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let vectors = self.width / S::F32_LANES;
        let pairs = vectors / 2 * 2;
        for first in (0..pairs).step_by(2) {
            outer_sum::<S, 2>(simd, &mut self, first);
        }
        for first in pairs..vectors {
            outer_sum::<S, 1>(simd, &mut self, first);
        }
    }
}

#[inline(always)]
fn outer_sum<S: Simd, const N: usize>(simd: S, of: &mut OuterSum<'_>, first: usize) {
    let vectors = of.width / S::F32_LANES;
    let right = S::as_simd_f32s(of.right).0;
    let zero = simd.splat_f32s(0.0);
    for (t, result) in of.result.chunks_exact_mut(of.width * TILE).enumerate() {
        let mut sums = [[zero; N]; TILE];
        for r in 0..of.terms {
            let line = &right[r * vectors + first..r * vectors + first + N];
            let few = &of.left[r * of.stride + t * TILE..r * of.stride + (t + 1) * TILE];
            for (sums, &a) in sums.iter_mut().zip(few) {
                let a = simd.splat_f32s(a);
                for (sum, &b) in sums.iter_mut().zip(line) {
                    *sum = simd.mul_add_e_f32s(a, b, *sum);
                }
            }
        }
        let result = S::as_mut_simd_f32s(result).0;
        for (i, sums) in sums.iter().enumerate() {
            result[i * vectors + first..i * vectors + first + N].copy_from_slice(sums);
        }
    }
    let mut total = [zero; N];
    for r in 0..of.terms {
        let line = &right[r * vectors + first..r * vectors + first + N];
        for (total, &b) in total.iter_mut().zip(line) {
            *total = simd.add_f32s(*total, b);
        }
    }
    S::as_mut_simd_f32s(of.sums).0[first..first + N].copy_from_slice(&total);
}

/// One step of Adam, updating the parameters and both moments.
pub(super) struct AdamStep<'a> {
    pub(super) parameters: &'a mut [f32],
    pub(super) gradient: &'a [f32],
    pub(super) first: &'a mut [f32],
    pub(super) second: &'a mut [f32],
    /// Weight decay: this times the parameter is added to the gradient.
    pub(super) pull: f32,
    pub(super) rate: f32,
    pub(super) decay: (f32, f32),
    pub(super) tiny: f32,
}

impl WithSimd for AdamStep<'_> {
    /// Σ p² before the step.
    type Output = f32;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let parameters = S::as_mut_simd_f32s(self.parameters).0.iter_mut();
        let gradient = S::as_simd_f32s(self.gradient).0;
        let first = S::as_mut_simd_f32s(self.first).0;
        let second = S::as_mut_simd_f32s(self.second).0;
        let pull = simd.splat_f32s(self.pull);
        let rate = simd.splat_f32s(self.rate);
        let tiny = simd.splat_f32s(self.tiny);
        let keep = (simd.splat_f32s(self.decay.0), simd.splat_f32s(self.decay.1));
        let take = (
            simd.splat_f32s(1.0 - self.decay.0),
            simd.splat_f32s(1.0 - self.decay.1),
        );
        let mut squares = simd.splat_f32s(0.0);
        let moments = first.iter_mut().zip(second.iter_mut());
        for ((p, &g), (m, v)) in parameters.zip(gradient).zip(moments) {
            squares = simd.mul_add_e_f32s(*p, *p, squares);
            let g = simd.mul_add_e_f32s(pull, *p, g);
            *m = simd.mul_add_e_f32s(keep.0, *m, simd.mul_f32s(take.0, g));
            *v = simd.mul_add_e_f32s(keep.1, *v, simd.mul_f32s(take.1, simd.mul_f32s(g, g)));
            let down = simd.add_f32s(simd.sqrt_f32s(*v), tiny);
            *p = simd.sub_f32s(*p, simd.div_f32s(simd.mul_f32s(rate, *m), down));
        }
        simd.reduce_sum_f32s(squares)
    }
}
