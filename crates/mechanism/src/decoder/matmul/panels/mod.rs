//! Products with a right-hand side packed in panels of 16 columns, on vectors of eight numbers (AVX2 and FMA).
//!
//! The left-hand side is read in place, six rows at a time: 12 vectors of sums, two of the panel and one broadcast
//! number use 15 of the 16 registers. Only the right-hand side is copied, once if it is cached (Goto and van de Geijn
//! 2008, <https://doi.org/10.1145/1356052.1356053>, without their packing of the left-hand side). Sums of at most
//! [`DEPTH`] products, each step rounded once, are added in order, so an element depends only on its row and column.

mod kernel;

use std::sync::OnceLock;

use rayon::prelude::*;

use super::super::buffers::Buffers;
use super::{Base, Target, View};
use kernel::{HIGH, Line, WIDE};

/// Number of rows of a task, such that its part of the left-hand side stays in the L2 cache while panels are processed.
const TALL: usize = 96;
/// Number of panels whose sums stay in the L2 cache while the inner dimension is processed in pieces.
const GROUP: usize = 16;
/// Longest piece of the inner dimension: one piece of a panel about fills the L1 cache.
const DEPTH: usize = 768;
/// Maximum number of elements packed at once if nothing is cached (64 MB).
const PACKED: usize = 1 << 24;
/// Minimum number of rows for which packing a right-hand side that is not cached is worthwhile.
const ROWS: usize = 48;

/// Whether products are computed here: if the machine has these vectors but no wider ones, with which `gemm` is fast.
/// On Zen 3 this reaches 0.9 of peak throughput, `gemm` 0.67.
pub(super) fn preferred() -> bool {
    available() && !is_x86_feature_detected!("avx512f")
}

fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
}

/// Whether a product with this left-hand side is worth computing here.
pub(super) fn worth(a: View<'_>, columns: usize, kept: bool) -> bool {
    a.column_stride == 1 && columns >= WIDE && a.columns >= 16 && (kept || a.rows >= ROWS)
}

/// A right-hand side packed in panels, padded with zero columns: four bytes per element.
#[derive(Debug, Clone)]
pub(super) struct PackedPanels {
    lines: Vec<Line>,
    rows: usize,
    columns: usize,
}

impl PackedPanels {
    pub(super) fn new(b: View<'_>) -> Self {
        let mut lines = vec![Line::ZERO; b.columns.div_ceil(WIDE) * b.rows];
        pack(b, &mut lines);
        Self {
            lines,
            rows: b.rows,
            columns: b.columns,
        }
    }
}

/// Packs all of `b`, on all threads.
fn pack(b: View<'_>, lines: &mut [Line]) {
    lines
        .par_chunks_mut(b.rows)
        .enumerate()
        .for_each(|(panel, lines)| panel_of(b.columns_from(panel * WIDE, WIDE), lines));
}

fn panel_of(b: View<'_>, lines: &mut [Line]) {
    if b.column_stride == 1 {
        for (k, Line(line)) in lines.iter_mut().enumerate() {
            let from = &b.data[k * b.row_stride..][..b.columns];
            line[..b.columns].copy_from_slice(from);
            line[b.columns..].fill(0.0);
        }
        return;
    }
    // The matrix is not row-major: 16 lines are filled at a time, so that source and target stay in the cache.
    for (block, lines) in lines.chunks_mut(16).enumerate() {
        for column in 0..WIDE {
            let from = b.data.get(column * b.column_stride + block * 16 * b.row_stride..);
            match from {
                Some(from) if column < b.columns => {
                    let from = from.iter().step_by(b.row_stride);
                    lines
                        .iter_mut()
                        .zip(from)
                        .for_each(|(line, x)| line.0[column] = *x);
                }
                _ => lines.iter_mut().for_each(|line| line.0[column] = 0.0),
            }
        }
    }
}

/// `dst = base + a·b` on all threads; `dst` is `(a.rows, b.columns)`, row-major. `packed` may hold `b` in packed form.
///
/// # Panics
/// If shapes do not match, or the CPU lacks AVX2 or FMA.
pub(super) fn multiply(
    dst: &mut [f32],
    a: View<'_>,
    b: View<'_>,
    packed: Option<&PackedPanels>,
    base: Base<'_>,
) {
    static LINES: Buffers<Line> = Buffers::new();
    assert!(available(), "no such vectors");
    assert!(
        b.rows == a.columns && a.fits() && b.fits() && a.column_stride == 1,
        "a product's operands must fit each other and their slices"
    );
    assert!(dst.len() == a.rows * b.columns, "a product must fill its slice");
    if let Base::Matrix(base) = base {
        assert!(
            base.len() == dst.len(),
            "what a product is added to must have its shape"
        );
    }
    let product = Product {
        left: a,
        right: &[],
        target: Target(dst.as_mut_ptr(), b.columns),
        first: 0,
        columns: b.columns,
        base,
    };
    if let Some(packed) = packed {
        assert!(
            packed.rows == b.rows && packed.columns == b.columns,
            "another matrix was packed"
        );
        let right = packed.lines.as_slice();
        Product { right, ..product }.write();
        return;
    }
    let wide = (PACKED / b.rows.max(1) / WIDE).max(1) * WIDE;
    for first in (0..b.columns).step_by(wide) {
        let b = b.columns_from(first, wide);
        LINES.lend(b.columns.div_ceil(WIDE) * b.rows, Line::ZERO, |right| {
            pack(b, right);
            let columns = b.columns;
            Product {
                right,
                first,
                columns,
                ..product
            }
            .write();
        });
    }
}

/// The product of all rows with the packed columns.
#[derive(Clone, Copy)]
struct Product<'a> {
    left: View<'a>,
    right: &'a [Line],
    target: Target,
    /// First of the target's columns that is computed.
    first: usize,
    columns: usize,
    base: Base<'a>,
}

impl Product<'_> {
    /// Computes the product in tasks of as equal size as the tiles permit.
    fn write(&self) {
        let threads = rayon::current_num_threads();
        let (tiles, panels) = (self.left.rows.div_ceil(HIGH), self.columns.div_ceil(WIDE));
        let blocks = self.left.rows.div_ceil(TALL).next_multiple_of(threads).min(tiles);
        // With few rows, columns are divided too, so that every thread has work.
        let parts = threads.div_ceil(blocks).min(panels);
        (0..blocks * parts).into_par_iter().for_each(|task| {
            let (block, part) = (task / parts, task % parts);
            let rows =
                block * tiles / blocks * HIGH..((block + 1) * tiles / blocks * HIGH).min(self.left.rows);
            for first in (part * panels / parts..(part + 1) * panels / parts).step_by(GROUP) {
                let end = ((part + 1) * panels / parts).min(first + GROUP);
                self.block(rows.clone(), first..end);
            }
        });
    }

    /// Multiplies a range of rows with a range of panels.
    #[expect(
        unsafe_code,
        reason = "vectors are wider than every x86-64 has, and tasks write disjoint parts of one matrix"
    )]
    fn block(&self, rows: std::ops::Range<usize>, panels: std::ops::Range<usize>) {
        let (depth, stride) = (self.left.columns, self.left.row_stride);
        let each = depth.div_ceil(depth.div_ceil(DEPTH));
        for start in (0..depth).step_by(each) {
            let some = start..depth.min(start + each);
            for panel in panels.clone() {
                let right = &self.right[panel * depth..(panel + 1) * depth][some.clone()];
                // The next panel is prefetched meanwhile; its lines follow in memory if the depth is a single piece.
                let next = if panel + 1 < panels.end { depth } else { 0 };
                let wide = WIDE.min(self.columns - panel * WIDE);
                for (tile, row) in rows.clone().step_by(HIGH).enumerate() {
                    let high = HIGH.min(rows.end - row);
                    let left = &self.left.data[row * stride + start..];
                    assert!(
                        (high - 1) * stride + some.len() <= left.len(),
                        "rows of the left side"
                    );
                    let at = row * self.target.1 + self.first + panel * WIDE;
                    let to = self.target.0.wrapping_add(at);
                    let base = match self.base {
                        _ if start > 0 => Some(to.cast_const()),
                        Base::Zero => None,
                        Base::Target => Some(to.cast_const()),
                        Base::Matrix(base) => Some(base.as_ptr().wrapping_add(at)),
                    };
                    let step = kernel::PanelStep {
                        left: left.as_ptr(),
                        apart: stride,
                        right,
                        fetch: right.as_ptr().wrapping_add(next + tile * some.len().div_ceil(4)),
                        base,
                        to,
                        stride: self.target.1,
                    };
                    // SAFETY: the CPU has the vectors, as `multiply` asserted; `high` left-hand rows may be read, as
                    // asserted here. The target and the base have the product's rows and columns, as `multiply`
                    // asserted; these `high` by `wide` elements of the target belong to no other task.
                    unsafe { kernel::multiply(step, high, wide) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
