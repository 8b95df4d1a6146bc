//! Products of few rows with weights as they are stored: reading weights is all that costs there, so they are read once, in
//! their blocks, decoded a strip at a time into the first-level cache, and multiplied from there.
//!
//! Decoded weights are those of every other product, to the bit; sums are in `f32`, in lanes, strips of [`STRIP`] numbers
//! added in order, so a number depends on its row and column alone.

use std::borrow::Cow;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::buffers::Buffers;
use super::matmul::transposed;
use crate::weights::Raw;

/// Most rows of a product that is worked out here; of more, weights are widened whole.
pub(super) const FEW: usize = 16;
/// Numbers of a weight's row that are decoded at a time: whole blocks of every type.
const STRIP: usize = 1024;
/// Rows of a weight that are multiplied at a time.
const HIGH: usize = 4;
/// Rows of a weight in a task at least: what a task costs to begin is small beside them.
const TASK: usize = 32;
/// Strips are as long as a multiple of the widest vectors, zeros at their end.
const LANES: usize = 16;

/// A product `out = x·Wᵀ` of few rows.
pub(super) struct FewRowsProduct<'a, 'b> {
    pub(super) weight: &'a Raw,
    /// `(rows, n_out)`.
    pub(super) out: &'b mut [f32],
}

/// Products of `x`, `(rows, n_in)`; all threads.
pub(super) fn multiply(x: &[f32], n_in: usize, products: &mut [FewRowsProduct<'_, '_>]) {
    if products.is_empty() {
        return;
    }
    let rows = x.len() / n_in;
    let padded = n_in.next_multiple_of(LANES);
    let x = if padded == n_in {
        Cow::Borrowed(x)
    } else {
        let mut wide = vec![0.0; rows * padded];
        for (to, from) in wide.chunks_exact_mut(padded).zip(x.chunks_exact(n_in)) {
            to[..n_in].copy_from_slice(from);
        }
        Cow::Owned(wide)
    };
    // A weight's rows are divided among tasks, so what they make is a row of the transposed product.
    let mut turned: Vec<Vec<f32>> = Vec::new();
    if rows > 1 {
        turned.extend(products.iter().map(|product| vec![0.0; product.out.len()]));
    }
    let outs: Vec<(&Raw, &mut [f32])> = if rows > 1 {
        let weights = products.iter().map(|product| product.weight);
        weights.zip(turned.iter_mut().map(Vec::as_mut_slice)).collect()
    } else {
        let each = products.iter_mut();
        each.map(|product| (product.weight, &mut *product.out)).collect()
    };
    let all: usize = outs.iter().map(|(weight, _)| weight.n_out).sum();
    let each = all
        .div_ceil(4 * rayon::current_num_threads())
        .max(TASK)
        .next_multiple_of(HIGH);
    let tasks: Vec<(&Raw, usize, &mut [f32])> = outs
        .into_iter()
        .flat_map(|(weight, out)| {
            let blocks = out.chunks_mut(each * rows).enumerate();
            blocks.map(move |(block, out)| (weight, block * each, out))
        })
        .collect();
    tasks
        .into_par_iter()
        .for_each(|(weight, first, out)| some_rows(weight, first, &x, padded, out));
    for (product, turned) in products.iter_mut().zip(turned) {
        product
            .out
            .copy_from_slice(&transposed(&turned, product.weight.n_out, rows));
    }
}

/// Rows of a weight from `first` on, as many as `out` has room for: `out` is `(rows of the weight, rows of x)`.
fn some_rows(weight: &Raw, first: usize, x: &[f32], padded: usize, out: &mut [f32]) {
    static STRIPS: Buffers<f32> = Buffers::new();
    let rows = x.len() / padded;
    let n = out.len() / rows;
    let arch = Arch::new();
    out.fill(0.0);
    STRIPS.lend(HIGH * STRIP, 0.0, |strips| {
        for (four, out) in out.chunks_mut(HIGH * rows).enumerate() {
            let from = first + four * HIGH;
            let these = from..(from + HIGH).min(first + n);
            for start in (0..weight.n_in).step_by(STRIP) {
                let columns = start..(start + STRIP).min(weight.n_in);
                let long = columns.len().next_multiple_of(LANES);
                if long == columns.len() {
                    weight.decode(these.clone(), columns.clone(), &mut strips[..these.len() * long]);
                } else {
                    for (row, strip) in these.clone().zip(strips.chunks_exact_mut(long)) {
                        weight.decode(row..row + 1, columns.clone(), &mut strip[..columns.len()]);
                        strip[columns.len()..].fill(0.0);
                    }
                }
                arch.dispatch(Strips {
                    // Beyond the last row stands what was there before; its sums are left out.
                    weights: &strips[..HIGH * long],
                    long,
                    x: &x[start..],
                    apart: padded,
                    rows,
                    out,
                });
            }
        }
    });
}

/// Strips of four rows of a weight and what they are multiplied by.
struct Strips<'a> {
    weights: &'a [f32],
    /// Numbers of a strip.
    long: usize,
    x: &'a [f32],
    /// Distance between rows of `x`.
    apart: usize,
    /// Rows of `x`.
    rows: usize,
    /// `(rows of the weight, rows of x)`, added to.
    out: &'a mut [f32],
}

impl WithSimd for Strips<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
    fn with_simd<S: Simd>(mut self, simd: S) {
        // Sums of all sixteen pairs need as many registers.
        let together = if S::REGISTER_COUNT > 16 { 4 } else { 2 };
        let mut row = 0;
        while row < self.rows {
            match (self.rows - row).min(together) {
                4 => row += self.some::<S, 4>(simd, row),
                2 | 3 => row += self.some::<S, 2>(simd, row),
                _ => row += self.some::<S, 1>(simd, row),
            }
        }
    }
}

impl Strips<'_> {
    /// `N` rows of `x` from `row` on; gives `N`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
    fn some<S: Simd, const N: usize>(&mut self, simd: S, row: usize) -> usize {
        let n = self.long / S::F32_LANES;
        let (weights, _) = S::as_simd_f32s(self.weights);
        let [a, b, c, d] = [0, 1, 2, 3].map(|high| &weights[high * n..(high + 1) * n]);
        let mut x: [&[S::f32s]; N] = [&[]; N];
        for (at, x) in x.iter_mut().enumerate() {
            let from = (row + at) * self.apart;
            *x = &S::as_simd_f32s(&self.x[from..from + self.long]).0[..n];
        }
        let mut sums = [[simd.splat_f32s(0.0); HIGH]; N];
        for i in 0..n {
            for at in 0..N {
                let x = x[at][i];
                sums[at][0] = simd.mul_add_e_f32s(a[i], x, sums[at][0]);
                sums[at][1] = simd.mul_add_e_f32s(b[i], x, sums[at][1]);
                sums[at][2] = simd.mul_add_e_f32s(c[i], x, sums[at][2]);
                sums[at][3] = simd.mul_add_e_f32s(d[i], x, sums[at][3]);
            }
        }
        for (high, out) in self.out.chunks_exact_mut(self.rows).enumerate() {
            for at in 0..N {
                out[row + at] += simd.reduce_sum_f32s(sums[at][high]);
            }
        }
        N
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that are anything but regular.
    fn numbers(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..n).map(|_| next()).collect()
    }

    #[test]
    fn sums_are_those_of_f64_whatever_the_shape() {
        for (rows, n_out, n_in) in [
            (1, 1, 1),
            (1, 7, 33),
            (2, 70, 1024),
            (3, 33, 576),
            (5, 131, 1537),
            (16, 64, 2100),
        ] {
            let (w, x) = (numbers(n_out * n_in, 1), numbers(rows * n_in, 2));
            let weight = Raw::of_values(&w, n_out, n_in);
            let mut out = vec![f32::NAN; rows * n_out];
            multiply(
                &x,
                n_in,
                &mut [FewRowsProduct {
                    weight: &weight,
                    out: &mut out,
                }],
            );
            for row in 0..rows {
                for column in 0..n_out {
                    let pairs = || {
                        w[column * n_in..(column + 1) * n_in]
                            .iter()
                            .zip(&x[row * n_in..(row + 1) * n_in])
                    };
                    let exact: f64 = pairs().map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                    let size: f64 = pairs().map(|(w, x)| (f64::from(*w) * f64::from(*x)).abs()).sum();
                    let off = (f64::from(out[row * n_out + column]) - exact).abs();
                    assert!(
                        off <= 2e-7 * size,
                        "{rows} × {n_out} × {n_in}: off by {off} of {size}"
                    );
                }
            }
        }
    }

    #[test]
    fn blocks_of_every_type_are_multiplied_as_they_are_decoded() {
        use crate::gguf::GgmlType;
        for code in 0..=30 {
            let dtype = GgmlType::from_code(code);
            if !dtype.is_read() {
                continue;
            }
            let (n_out, n_in) = (9, 1280);
            // Without the second bit of any byte, scales are small and finite in every type.
            let bytes: Vec<u8> = numbers(n_out * dtype.bytes(n_in), code)
                .iter()
                .map(|number| (number.abs() * 255.0) as u8 & 0xbf)
                .collect();
            let rows: Vec<usize> = (0..n_out).rev().collect();
            let weight = Raw::rows_of(dtype, bytes.clone(), n_in, &rows);
            let mut decoded = vec![0.0; n_out * n_in];
            assert!(dtype.decode(&bytes, &mut decoded));
            let x = numbers(2 * n_in, 5);
            let mut out = vec![0.0; 2 * n_out];
            multiply(
                &x,
                n_in,
                &mut [FewRowsProduct {
                    weight: &weight,
                    out: &mut out,
                }],
            );
            for (at, found) in out.iter().enumerate() {
                let (row, column) = (at / n_out, rows[at % n_out]);
                let pairs = || {
                    decoded[column * n_in..(column + 1) * n_in]
                        .iter()
                        .zip(&x[row * n_in..(row + 1) * n_in])
                };
                let exact: f64 = pairs().map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
                let size: f64 = pairs().map(|(w, x)| (f64::from(*w) * f64::from(*x)).abs()).sum();
                assert!(
                    size.is_finite() && size > 0.0,
                    "{dtype}: nothing is tested with {size}"
                );
                assert!(
                    (f64::from(*found) - exact).abs() <= 2e-7 * size,
                    "{dtype}: {found}, not {exact}"
                );
            }
        }
    }

    #[test]
    fn a_number_depends_on_its_row_alone() {
        let (n_out, n_in) = (37, 1300);
        let (w, x) = (numbers(n_out * n_in, 3), numbers(11 * n_in, 4));
        let weight = Raw::of_values(&w, n_out, n_in);
        let of = |x: &[f32]| {
            let mut out = vec![0.0; x.len() / n_in * n_out];
            multiply(
                x,
                n_in,
                &mut [FewRowsProduct {
                    weight: &weight,
                    out: &mut out,
                }],
            );
            out
        };
        let together = of(&x);
        let alone: Vec<f32> = x.chunks(n_in).flat_map(of).collect();
        assert_eq!(together, alone);
    }
}
