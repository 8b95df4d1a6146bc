//! Splits numbers into three bf16 terms and puts them in the order in which tiles read them.
//!
//! Each line of a tile of the left-hand side holds a row of the matrix, of the right-hand side a column. Elements 16
//! apart in the inner dimension form pairs, so a line combines the same lines of two blocks of 16 by 16.

use super::kernel::{DEPTH, Left, Right, Tile, WIDE};
use crate::decoder::matmul::View;

/// 16 by 16 numbers.
type Block = [[f32; 16]; 16];

/// Packs 16 rows from row `first` on, with zeros beyond the matrix.
///
/// # Panics
/// If the CPU has no tiles.
#[expect(unsafe_code, reason = "vectors are wider than every x86-64 has")]
pub(super) fn left(a: View<'_>, first: usize, packed: &mut [Left]) {
    #[cfg(test)]
    if !super::available() {
        rows(a, first, packed);
        return;
    }
    assert!(super::available(), "no tiles");
    // SAFETY: tiles are available only on CPUs that have these vectors.
    unsafe { wide_rows(a, first, packed) };
}

/// Packs panels of 32 columns, `steps` each, from column `first` on, with zeros beyond the matrix. Returns how many
/// terms are not all zero: one for numbers that were bf16, two for most quantised ones.
///
/// # Panics
/// If the CPU has no tiles.
#[expect(unsafe_code, reason = "vectors are wider than every x86-64 has")]
pub(super) fn right(b: View<'_>, first: usize, steps: usize, packed: &mut [Right]) -> usize {
    #[cfg(test)]
    if !super::available() {
        return columns(b, first, steps, packed);
    }
    assert!(super::available(), "no tiles");
    // SAFETY: as above.
    unsafe { wide_columns(b, first, steps, packed) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn wide_rows(a: View<'_>, first: usize, packed: &mut [Left]) {
    rows(a, first, packed);
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn wide_columns(b: View<'_>, first: usize, steps: usize, packed: &mut [Right]) -> usize {
    columns(b, first, steps, packed)
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn rows(a: View<'_>, first: usize, packed: &mut [Left]) {
    for (step, Left(terms)) in packed.iter_mut().enumerate() {
        let depth = step * DEPTH;
        let [x, y, z] = terms;
        split(&block(a, first, depth), &block(a, first, depth + 16), [x, y, z]);
    }
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn columns(b: View<'_>, first: usize, steps: usize, packed: &mut [Right]) -> usize {
    let (mut second, mut third) = (0, 0);
    // Adjacent panels process each step together, because their parts of a row are contiguous in memory.
    for step in 0..steps {
        let depth = step * DEPTH;
        for (panel, Right(terms)) in packed.iter_mut().skip(step).step_by(steps).enumerate() {
            let [x, y, z] = terms;
            for half in 0..2 {
                let column = first + panel * WIDE + 16 * half;
                let (lower, upper) = (block(b, depth, column), block(b, depth + 16, column));
                split(&lower, &upper, [&mut x[half], &mut y[half], &mut z[half]]);
                second |= any(&y[half]);
                third |= any(&z[half]);
            }
        }
    }
    // The sign bit is ignored, so that a negative zero counts as zero.
    let filled = |bits: u32| bits & 0x7fff_7fff != 0;
    1 + usize::from(filled(second) || filled(third)) + usize::from(filled(third))
}

/// Bitwise or of all elements of a tile.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn any(tile: &Tile) -> u32 {
    tile.as_flattened().iter().fold(0, |bits, pair| bits | pair)
}

/// The tiles of the three terms of two blocks; in each pair the element of the first block is the lower half.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn split(lower: &Block, upper: &Block, tiles: [&mut Tile; 3]) {
    let [x, y, z] = tiles;
    for line in 0..16 {
        for at in 0..16 {
            let (lower, upper) = (terms(lower[line][at]), terms(upper[line][at]));
            let pair = |term: usize| lower[term] >> 16 | upper[term] & 0xffff_0000;
            (x[line][at], y[line][at], z[line][at]) = (pair(0), pair(1), pair(2));
        }
    }
}

/// Three numbers whose upper halves, read as bf16, add up to `x`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn terms(x: f32) -> [u32; 3] {
    // Rounds to nearest, ties to even; the remainders are exact, and the last has at most eight significant bits.
    let rounded = |x: f32| {
        let bits = x.to_bits();
        bits.wrapping_add(0x7fff + (bits >> 16 & 1)) & 0xffff_0000
    };
    let first = rounded(x);
    let rest = x - f32::from_bits(first);
    let second = rounded(rest);
    [first, second, (rest - f32::from_bits(second)).to_bits()]
}

/// The block that begins at `(row, column)`.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn block(x: View<'_>, row: usize, column: usize) -> Block {
    if x.column_stride == 1 {
        lines(x, row, column)
    } else {
        transposed(&lines(x.t(), column, row))
    }
}

/// As [`block`], without transposing; full rows are copied whole if they are contiguous.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn lines(x: View<'_>, row: usize, column: usize) -> Block {
    let mut out = [[0.0; 16]; 16];
    let high = x.rows.saturating_sub(row).min(16);
    let wide = x.columns.saturating_sub(column).min(16);
    if wide == 0 {
        return out;
    }
    for (i, out) in out.iter_mut().enumerate().take(high) {
        let from = &x.data[(row + i) * x.row_stride + column * x.column_stride..];
        match from.first_chunk::<16>() {
            Some(from) if x.column_stride == 1 && wide == 16 => *out = *from,
            _ => {
                for (out, value) in out
                    .iter_mut()
                    .take(wide)
                    .zip(from.iter().step_by(x.column_stride))
                {
                    *out = *value;
                }
            }
        }
    }
    out
}

/// Transposes by exchanging ever smaller sub-blocks, from eight rows down to one.
#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn transposed(x: &Block) -> Block {
    exchanged::<1>(&exchanged::<2>(&exchanged::<4>(&exchanged::<8>(x))))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
fn exchanged<const N: usize>(x: &Block) -> Block {
    let mut out = *x;
    for i in (0..16).filter(|i| i & N == 0) {
        let (upper, lower) = (x[i], x[i + N]);
        out[i] = std::array::from_fn(|j| if j & N == 0 { upper[j] } else { lower[j - N] });
        out[i + N] = std::array::from_fn(|j| if j & N == 0 { upper[j + N] } else { lower[j] });
    }
    out
}
