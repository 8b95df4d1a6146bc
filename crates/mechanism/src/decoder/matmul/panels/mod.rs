//! Products with a right side that lies packed in panels of 16 columns, on vectors of eight numbers (AVX2 and FMA).
//!
//! The left side is read where it lies, six rows at a time: 12 vectors of sums, two of the panel and one number spread over
//! a vector fill the 16 registers. Nothing is copied but the right side, and that once where it is kept (Goto and van de
//! Geijn 2008, <https://doi.org/10.1145/1356052.1356053>, without their packing of the left side). Sums of at most [`DEPTH`] products,
//! each step rounded once, are added in order: a number depends on its row and column alone.

mod kernel;

use std::sync::OnceLock;

use rayon::prelude::*;

use super::super::buffers::Buffers;
use super::{Base, Target, View};
use kernel::{HIGH, Line, WIDE};

/// Rows of a task: those of the left side stay in the second-level cache while panels pass.
const TALL: usize = 96;
/// Panels whose sums stay in the second-level cache while the inner dimension is gone through in pieces.
const GROUP: usize = 16;
/// Longest piece of the inner dimension: a piece of a panel about fills the first-level cache.
const DEPTH: usize = 768;
/// Numbers packed at once at most where nothing is kept (64 MB).
const PACKED: usize = 1 << 24;
/// Fewest rows that are worth packing a right side that is not kept.
const ROWS: usize = 48;

/// Whether products are worked out here: where there are these vectors and no wider ones, which `gemm` uses well. Measured on
/// Zen 3: 0.9 of the peak beside 0.67 of `gemm`.
pub(super) fn preferred() -> bool {
    available() && !is_x86_feature_detected!("avx512f")
}

fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"))
}

/// Whether a product of this left side is worth it.
pub(super) fn worth(a: View<'_>, columns: usize, kept: bool) -> bool {
    a.column_stride == 1 && columns >= WIDE && a.columns >= 16 && (kept || a.rows >= ROWS)
}

/// A right side by panels, zeros beyond its columns: four bytes a number.
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
    // Columns lie apart: some lines of all of them at a time, so that both sides stay in the cache.
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

/// `dst = base + a·b`, `dst` row-major `(a.rows, b.columns)`; all threads. `packed` is `b`, if at hand.
///
/// # Panics
/// If shapes do not fit, or the processor lacks the vectors.
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

/// All rows times the columns packed.
#[derive(Clone, Copy)]
struct Product<'a> {
    left: View<'a>,
    right: &'a [Line],
    target: Target,
    /// First of the target's columns.
    first: usize,
    columns: usize,
    base: Base<'a>,
}

impl Product<'_> {
    /// In tasks of as equal size as tiles allow.
    fn write(&self) {
        let threads = rayon::current_num_threads();
        let (tiles, panels) = (self.left.rows.div_ceil(HIGH), self.columns.div_ceil(WIDE));
        let blocks = self.left.rows.div_ceil(TALL).next_multiple_of(threads).min(tiles);
        // Few rows: columns are divided too, so that every thread has work.
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

    /// Some rows times some panels.
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
                // The panel after this one is fetched on the way: its lines are the next in memory where the depth is one piece.
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
                    // SAFETY: the vectors are there, as `multiply` asserted; `high` rows of the left side may be read, as
                    // asserted here. The target has the product's rows and columns, as `multiply` asserted, and so has what it
                    // is added to; these `high` by `wide` of the target belong to no other task.
                    unsafe { kernel::multiply(step, high, wide) };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
