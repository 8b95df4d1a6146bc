//! Products of large matrices on the CPU's matrix tiles (AMX, bf16), as exact as in `f32`.
//!
//! An `f32` is the sum of three bf16 numbers of eight bits each, so a product of two is nine products of such terms.
//! Six are computed; the other three are below 2⁻²⁴ of the product, as small as the rounding to `f32`. Tiles multiply
//! sixteen times as fast as vectors of `f32`, so six products still take less than half the time of one in `f32`.
//! Weights that were bf16 have one term and need three products; most quantised ones have two and need five. Sums are
//! in `f32`, in an order that depends only on the inner dimension; numbers below 2⁻¹²⁶ count as zero, and infinite ones
//! give NaN. Henry, Tang and Heinecke 2019, <https://arxiv.org/abs/1904.06376>.

mod kernel;
mod pack;
#[cfg(test)]
mod portable;

use std::arch::x86_64::{__cpuid_count, _xgetbv};
use std::ops::Range;
use std::sync::OnceLock;

use rayon::prelude::*;

use super::super::buffers::Buffers;
use super::{Base, Target, View};
use kernel::{DEPTH, HIGH, Left, Right, Sum, Tiles, WIDE};

/// Maximum number of row panels in a task, and number of column panels processed at a time: these rows in packed form,
/// and their sums, stay in the L2 cache.
const TALL: usize = 16;
const GROUP: usize = 16;
/// Maximum of steps times terms processed at a time: a panel of columns then stays in the L1 cache.
const STEPS: usize = 12;
/// Maximum number of columns packed at once, and of steps in all their panels together (64 MB).
const PACKED: usize = 4096;
const PACKED_STEPS: usize = 10_923;

/// Whether products of this size are worth computing here.
pub(super) fn worth(rows: usize, columns: usize, depth: usize) -> bool {
    rows >= 128 && columns >= 64 && depth >= 64 && available()
}

/// Whether CPU and operating system have tiles (and AVX-512), and grant them to this process.
pub(super) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        let vectors = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl");
        vectors && granted()
    })
}

#[expect(
    unsafe_code,
    reason = "asks processor and kernel for tiles; neither touches memory"
)]
fn granted() -> bool {
    const TILE_AND_BF16: u32 = 1 << 24 | 1 << 22;
    const TILE_STATE: u64 = 0b11 << 17;
    const REQUEST_PERMISSION: libc::c_long = 0x1023;
    const TILE_DATA: libc::c_long = 18;
    let instructions = __cpuid_count(7, 0).edx & TILE_AND_BF16 == TILE_AND_BF16;
    // SAFETY: `xgetbv` exists wherever AVX-512 is detected.
    let state = instructions && unsafe { _xgetbv(0) } & TILE_STATE == TILE_STATE;
    // SAFETY: this request changes which instructions the process may use; it does not touch memory.
    state && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) } == 0
}

/// A right-hand side in the order in which tiles read it: six bytes per element.
#[derive(Debug, Clone)]
pub(super) struct PackedTiles {
    values: Vec<Right>,
    terms: usize,
}

impl PackedTiles {
    /// # Panics
    /// If the CPU has no tiles: check [`worth`] first.
    pub(super) fn new(b: View<'_>) -> Self {
        let steps = b.rows.div_ceil(DEPTH);
        let mut values = vec![Right::ZERO; b.columns.div_ceil(WIDE) * steps];
        let terms = pack_right(b, steps, &mut values);
        Self { values, terms }
    }
}

/// Packs all of `b` in panels; returns how many terms are not all zero.
fn pack_right(b: View<'_>, steps: usize, packed: &mut [Right]) -> usize {
    let panels = b.columns.div_ceil(WIDE);
    let together = (panels / rayon::current_num_threads()).clamp(1, 8);
    let terms = packed
        .par_chunks_mut(together * steps)
        .enumerate()
        .map(|(i, packed)| pack::right(b, i * together * WIDE, steps, packed))
        .max();
    terms.unwrap_or(0)
}

/// One product: target, base, right-hand side, and the latter in packed form, if available.
pub(super) struct Job<'a, 'b> {
    pub(super) dst: &'b mut [f32],
    pub(super) base: Base<'a>,
    pub(super) right: View<'a>,
    pub(super) packed: Option<&'a PackedTiles>,
}

/// `dst = base + a·b` on all threads for each job; `dst` is `(a.rows, b.columns)`, row-major. The rows of `a` are
/// packed once for all jobs whose right-hand side is already packed.
///
/// # Panics
/// If shapes do not match, or the CPU has no tiles: check [`worth`] first.
pub(super) fn multiply(a: View<'_>, jobs: &mut [Job<'_, '_>]) {
    static COLUMNS: Buffers<Right> = Buffers::new();
    let steps = a.columns.div_ceil(DEPTH);
    let mut at_hand = Vec::with_capacity(jobs.len());
    for job in jobs {
        let b = job.right;
        assert!(
            b.rows == a.columns && a.fits() && b.fits(),
            "a product's operands must fit each other and their slices"
        );
        assert!(
            job.dst.len() == a.rows * b.columns,
            "a product must fill its slice"
        );
        if let Base::Matrix(base) = job.base {
            assert!(
                base.len() == job.dst.len(),
                "what a product is added to must have its shape"
            );
        }
        let side = Side {
            right: &[],
            terms: 0,
            target: Target(job.dst.as_mut_ptr(), b.columns),
            first: 0,
            columns: b.columns,
            base: job.base,
        };
        if let Some(PackedTiles { values, terms }) = job.packed {
            assert!(
                values.len() == b.columns.div_ceil(WIDE) * steps,
                "another matrix was packed"
            );
            at_hand.push(Side {
                right: values,
                terms: *terms,
                ..side
            });
            continue;
        }
        let wide = PACKED.min((PACKED_STEPS / steps).max(1) * WIDE);
        for first in (0..b.columns).step_by(wide) {
            let b = b.columns_from(first, wide);
            COLUMNS.lend(b.columns.div_ceil(WIDE) * steps, Right::ZERO, |right| {
                let terms = pack_right(b, steps, right);
                let columns = b.columns;
                let side = Side {
                    right,
                    terms,
                    first,
                    columns,
                    ..side
                };
                let sides = &[side];
                Product {
                    left: a,
                    steps,
                    sides,
                }
                .write();
            });
        }
    }
    if !at_hand.is_empty() {
        let sides = at_hand.as_slice();
        Product {
            left: a,
            steps,
            sides,
        }
        .write();
    }
}

/// A packed right-hand side and the target of its product.
#[derive(Clone, Copy)]
struct Side<'a> {
    right: &'a [Right],
    /// Number of terms of the right-hand side that are not all zero.
    terms: usize,
    target: Target,
    /// First of the target's columns that is computed.
    first: usize,
    columns: usize,
    base: Base<'a>,
}

impl Side<'_> {
    fn panels(&self) -> usize {
        self.columns.div_ceil(WIDE)
    }
}

/// The products of all rows with the packed columns of all sides.
#[derive(Clone, Copy)]
struct Product<'a> {
    left: View<'a>,
    steps: usize,
    sides: &'a [Side<'a>],
}

impl Product<'_> {
    /// Computes the products in tasks of as equal size as the panels permit.
    fn write(&self) {
        let threads = rayon::current_num_threads();
        let panels: usize = self.sides.iter().map(Side::panels).sum();
        let tall = self.left.rows.div_ceil(HIGH);
        let blocks = tall.div_ceil(TALL).next_multiple_of(threads).min(tall);
        // With few rows, columns are divided too, so that every thread has work.
        let parts = threads.div_ceil(blocks).min(panels);
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows = block * tall / blocks..(block + 1) * tall / blocks;
            let columns = part * panels / parts..(part + 1) * panels / parts;
            self.block(&rows, &columns);
        });
    }

    /// Multiplies a range of row panels with a range of column panels, which are counted across all sides.
    fn block(&self, rows: &Range<usize>, columns: &Range<usize>) {
        static ROWS: Buffers<Left> = Buffers::new();
        let steps = self.steps;
        ROWS.lend(rows.len() * steps, Left::ZERO, |left| {
            for (panel, left) in rows.clone().zip(left.chunks_exact_mut(steps)) {
                pack::left(self.left, panel * HIGH, left);
            }
            let mut before = 0;
            for side in self.sides {
                let own = columns.start.max(before)..columns.end.min(before + side.panels());
                if !own.is_empty() {
                    self.of_side(side, left, rows, own.start - before..own.end - before);
                }
                before += side.panels();
            }
        });
    }

    /// Multiplies packed rows with a range of one side's panels.
    fn of_side(&self, side: &Side<'_>, left: &[Left], rows: &Range<usize>, columns: Range<usize>) {
        static SUMS: Buffers<Sum> = Buffers::new();
        SUMS.lend(rows.len() * GROUP, Sum::ZERO, |sums| {
            let wide = columns.len().div_ceil(columns.len().div_ceil(GROUP));
            for first in columns.clone().step_by(wide) {
                let group = first..columns.end.min(first + wide);
                let sums = &mut sums[..rows.len() * group.len()];
                self.group(side, left, group, sums);
                for (i, panel) in rows.clone().enumerate() {
                    self.put(side, panel, first, &sums[i..], rows.len());
                }
            }
        });
    }

    /// Computes the sums of packed rows times a range of column panels, stored column panel by column panel.
    fn group(&self, side: &Side<'_>, left: &[Left], columns: Range<usize>, sums: &mut [Sum]) {
        let steps = self.steps;
        let tiles = Tiles::configured();
        let each = steps.div_ceil(steps.div_ceil(STEPS / side.terms.max(1)));
        for first in (0..steps).step_by(each) {
            let some = first..steps.min(first + each);
            let tall = sums.len() / columns.len();
            for (column, sums) in columns.clone().zip(sums.chunks_exact_mut(tall)) {
                let right = &side.right[column * steps..][some.clone()];
                for (sum, left) in sums.iter_mut().zip(left.chunks_exact(steps)) {
                    kernel::multiply(&tiles, &left[some.clone()], right, side.terms, sum, first > 0);
                }
            }
        }
    }

    /// Writes the results of row panel `panel` from column panel `first` on, with every `tall`-th element of `sums`.
    #[expect(
        unsafe_code,
        reason = "tasks write disjoint parts of one matrix, which slices cannot say"
    )]
    fn put(&self, side: &Side<'_>, panel: usize, first: usize, sums: &[Sum], tall: usize) {
        let high = HIGH.min(self.left.rows - panel * HIGH);
        let wide = side.columns - first * WIDE;
        for line in 0..high {
            let at = (panel * HIGH + line) * side.target.1 + side.first + first * WIDE;
            let halves = sums.iter().step_by(tall).flat_map(|sum| sum.0.each_ref());
            for (i, half) in halves.enumerate().take(wide.div_ceil(16)) {
                let values = &half[line];
                let n = 16.min(wide - 16 * i);
                // SAFETY: `multiply` asserted that the matrix has the rows and columns of the product; the `wide`
                // elements of this row from `at` on belong to this panel and group, and to no other task.
                let to = unsafe { std::slice::from_raw_parts_mut(side.target.0.add(at + 16 * i), n) };
                match (side.base, to.first_chunk_mut::<16>()) {
                    (Base::Zero, Some(to)) => *to = *values,
                    (Base::Zero, None) => to.copy_from_slice(&values[..n]),
                    (Base::Target, _) => to.iter_mut().zip(values).for_each(|(to, value)| *to += value),
                    (Base::Matrix(base), _) => {
                        let sums = base[at + 16 * i..][..n].iter().zip(values);
                        to.iter_mut()
                            .zip(sums)
                            .for_each(|(to, (base, value))| *to = base + value);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
