//! Rows of a weight matrix times rows of `x`: each weight is decoded to `f32` in registers once and multiplied with all
//! rows of `x` there.
//!
//! Whatever the numbers of rows, a product adds the same numbers in the same order: sixteen partial sums over each
//! strip are added to sixteen totals over all strips, which are then added pairwise.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
use std::marker::PhantomData;

use pulp::NullaryFnOnce;
#[cfg(target_arch = "x86_64")]
use pulp::x86::{V3, V4};

use super::lanes::{Lanes, Plain, WIDE};
use super::packed::{Bits, BlockHeads, Packed, STRIP};

/// Number of weight rows that are processed together.
pub(super) const HIGH: usize = 4;

/// Bytes of a line of memory, as caches hold it.
const LINE: usize = 64;

/// Instruction set that is used.
#[derive(Debug, Clone, Copy)]
pub(super) enum Level {
    #[cfg(target_arch = "x86_64")]
    Avx512(V4),
    #[cfg(target_arch = "x86_64")]
    Avx2(V3),
    Plain,
}

impl Level {
    /// All instruction sets of this machine, the widest first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let wide = [V4::try_new().map(Self::Avx512), V3::try_new().map(Self::Avx2)];
        #[cfg(not(target_arch = "x86_64"))]
        let wide = [None; 2];
        wide.into_iter().flatten().chain([Self::Plain])
    }

    /// The widest instruction set of this machine.
    pub(super) fn widest() -> Self {
        Self::all().next().unwrap_or(Self::Plain)
    }
}

/// Rows of a weight matrix, the rows of `x` they are multiplied with, and the result.
pub(super) struct RowsProduct<'a> {
    /// Rows of the weight matrix, `each` bytes long.
    pub(super) bytes: &'a [u8],
    pub(super) each: usize,
    /// `(rows, columns)`, in vectors of sixteen.
    pub(super) x: &'a [[f32; WIDE]],
    /// Number of rows of `x`.
    pub(super) rows: usize,
    /// `(rows of the weight matrix, rows of x)`.
    pub(super) out: &'a mut [f32],
}

impl RowsProduct<'_> {
    /// Computes the products for blocks of type `T`.
    pub(super) fn multiply<T: Packed>(self, level: Level) {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(lanes) => lanes.vectorize(Work::<T, V4>(self, lanes, PhantomData)),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(lanes) => lanes.vectorize(Work::<T, V3>(self, lanes, PhantomData)),
            Level::Plain => Work::<T, Plain>(self, Plain, PhantomData).call(),
        }
    }
}

struct Work<'a, T, L>(RowsProduct<'a>, L, PhantomData<T>);

impl<T: Packed, L: Lanes> NullaryFnOnce for Work<'_, T, L> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Self(work, lanes, _) = self;
        let columns = work.x.len() / work.rows;
        let last = work.rows - 1;
        for (four, out) in work.out.chunks_mut(HIGH * work.rows).enumerate() {
            let bytes = &work.bytes[four * HIGH * work.each..];
            let mut part = Part {
                lanes,
                bytes,
                each: work.each,
                high: out.len() / work.rows,
                out,
                x: work.x,
                columns,
                last,
            };
            let mut row = 0;
            while row <= last {
                row += match work.rows - row {
                    1 => part.rows::<T, 4, 1>(row),
                    2 if L::ROOMY => part.rows::<T, 4, 2>(row),
                    2 => part.rows::<T, 2, 2>(row),
                    3..=5 if L::ROOMY => part.rows::<T, 4, 4>(row),
                    _ if L::ROOMY => part.rows::<T, 2, 8>(row),
                    _ => part.rows::<T, 1, 4>(row),
                };
            }
        }
    }
}

/// Up to [`HIGH`] rows of a weight matrix.
struct Part<'a, L> {
    lanes: L,
    bytes: &'a [u8],
    each: usize,
    /// Number of weight rows; the last one is repeated where a group of `R` is incomplete.
    high: usize,
    x: &'a [[f32; WIDE]],
    /// Vectors of sixteen in a row of `x`.
    columns: usize,
    /// Index of the last row of `x`, which is repeated where a group of `N` is incomplete.
    last: usize,
    out: &'a mut [f32],
}

impl<L: Lanes> Part<'_, L> {
    /// Products with `N` rows of `x` from `row` on, taking `R` weight rows at a time; returns `N`.
    #[inline(always)]
    fn rows<T: Packed, const R: usize, const N: usize>(&mut self, row: usize) -> usize {
        let mut x: [&[[f32; WIDE]]; N] = [&[]; N];
        for (at, x) in x.iter_mut().enumerate() {
            let row = (row + at).min(self.last);
            *x = &self.x[row * self.columns..(row + 1) * self.columns];
        }
        for first in (0..self.high).step_by(R) {
            let mut weights: [&[T::Block]; R] = [&[]; R];
            for (at, blocks) in weights.iter_mut().enumerate() {
                let row = (first + at).min(self.high - 1);
                *blocks = T::blocks(&self.bytes[row * self.each..(row + 1) * self.each]);
            }
            let found = products::<T, L, R, N>(self.lanes, weights, HIGH * self.each, x);
            let to = self.out.chunks_exact_mut(self.last + 1).skip(first);
            for (to, found) in to.zip(found) {
                for (to, found) in to[row..].iter_mut().zip(found) {
                    *to = found;
                }
            }
        }
        N
    }
}

/// Asks for the line of memory at an address, whatever is there, before it is needed.
#[inline(always)]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "the instruction takes an address")
)]
fn fetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: prefetching any address affects only the cache.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Dot products of `R` rows of blocks with `N` rows of numbers. Meanwhile blocks that lie so many bytes ahead are fetched:
/// the first thing that is read of rows, scales far apart, would otherwise wait for memory.
#[inline(always)]
fn products<T: Packed, L: Lanes, const R: usize, const N: usize>(
    lanes: L,
    weights: [&[T::Block]; R],
    ahead: usize,
    x: [&[[f32; WIDE]]; N],
) -> [[f32; N]; R] {
    let zero = lanes.splat(0.0);
    let blocks = weights[0].len();
    let mut totals = [[[0.0; WIDE]; N]; R];
    let mut bits = [const { Bits::ZERO }; R];
    let mut heads = [const { BlockHeads::ZERO }; R];
    for start in (0..blocks).step_by(STRIP / (T::VECTORS * WIDE)) {
        let end = (start + STRIP / (T::VECTORS * WIDE)).min(blocks);
        let mut these: [&[T::Block]; R] = [&[]; R];
        for r in 0..R {
            these[r] = &weights[r][start..end];
            T::gather(these[r], &mut bits[r]);
        }
        for r in 0..R {
            T::heads(lanes, these[r], &bits[r], &mut heads[r]);
        }
        let mut strips: [&[[f32; WIDE]]; N] = [&[]; N];
        for n in 0..N {
            strips[n] = &x[n][start * T::VECTORS..end * T::VECTORS];
        }
        let mut sums = [[zero; N]; R];
        for at in 0..end - start {
            let mut block: [&T::Block; R] = [&these[0][at]; R];
            for r in 1..R {
                block[r] = &these[r][at];
            }
            for block in block {
                for line in (0..size_of::<T::Block>()).step_by(LINE) {
                    fetch(std::ptr::from_ref(block).cast::<u8>().wrapping_add(ahead + line));
                }
            }
            let mut ready = [T::ready(lanes, block[0]); R];
            for r in 1..R {
                ready[r] = T::ready(lanes, block[r]);
            }
            let mut own: [&[[f32; WIDE]]; N] = [&[]; N];
            for n in 0..N {
                own[n] = &strips[n][at * T::VECTORS..(at + 1) * T::VECTORS];
            }
            // Unrolled by a macro, so that the index of each vector within its block is a compile-time constant.
            macro_rules! sixteens {
                ($($i:literal)*) => {$(
                    if $i < T::VECTORS {
                        let mut w = [zero; R];
                        for r in 0..R {
                            w[r] = T::vector::<L, $i>(lanes, block[r], &ready[r], &heads[r], at);
                        }
                        for n in 0..N {
                            let x = lanes.load(&own[n][$i]);
                            for r in 0..R {
                                sums[r][n] = lanes.mul_add(w[r], x, sums[r][n]);
                            }
                        }
                    }
                )*};
            }
            sixteens!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
        }
        for r in 0..R {
            for n in 0..N {
                totals[r][n] = lanes.store(lanes.add(lanes.load(&totals[r][n]), sums[r][n]));
            }
        }
    }
    let mut out = [[0.0; N]; R];
    for r in 0..R {
        for n in 0..N {
            out[r][n] = lanes.sum(lanes.load(&totals[r][n]));
        }
    }
    out
}
