//! Products of matrices: bounds-checked views over slices, and `gemm` behind them.

use rayon::prelude::*;

/// A matrix inside a slice.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Values; element `(i, j)` is `data[i·row_stride + j·column_stride]`.
    pub data: &'a [f32],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Distance between rows.
    pub row_stride: usize,
    /// Distance between columns.
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix whose rows lie `row_stride` apart.
    pub fn new(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The transposed matrix.
    #[must_use]
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    fn fits(self) -> bool {
        within(
            self.data.len(),
            self.rows,
            self.columns,
            self.row_stride,
            self.column_stride,
        )
    }
}

fn within(len: usize, rows: usize, columns: usize, row_stride: usize, column_stride: usize) -> bool {
    rows == 0 || columns == 0 || (rows - 1) * row_stride + (columns - 1) * column_stride < len
}

/// `dst = beta·dst + alpha·a·b`, with `dst` row-major, rows `dst_stride` apart; one thread.
///
/// # Panics
/// If shapes or extents do not fit: a bug of the caller.
#[expect(
    unsafe_code,
    reason = "gemm takes pointers; every extent is checked against its slice first"
)]
pub fn multiply(dst: &mut [f32], dst_stride: usize, a: View<'_>, b: View<'_>, alpha: f32, beta: f32) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    assert!(
        b.rows == k && a.fits() && b.fits(),
        "a product's operands must fit each other and their slices"
    );
    assert!(
        within(dst.len(), m, n, dst_stride, 1) && (dst_stride >= n || m <= 1),
        "a product must fit its slice"
    );
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: every element gemm touches lies inside the three slices, as asserted; `dst` is borrowed mutably, so it
    // overlaps neither operand; `dst_stride >= n` keeps its elements distinct.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst.as_mut_ptr(),
            1,
            dst_stride.cast_signed(),
            beta != 0.0,
            a.data.as_ptr(),
            a.column_stride.cast_signed(),
            a.row_stride.cast_signed(),
            b.data.as_ptr(),
            b.column_stride.cast_signed(),
            b.row_stride.cast_signed(),
            beta,
            alpha,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// Rows per task, so that every thread has work and a task's packing of the other operand is paid back.
pub fn rows_per_task(rows: usize) -> usize {
    let threads = rayon::current_num_threads();
    // At most 512 rows a task: their inputs and outputs stay in the second-level cache.
    rows.div_ceil(threads).clamp(16, 512)
}

/// `dst = beta·dst + a·b` with `dst` `(a.rows, b.columns)` row-major and dense; all threads.
pub fn multiply_parallel(dst: &mut [f32], a: View<'_>, b: View<'_>, beta: f32) {
    multiply_columns(dst, b.columns, 0, a, b, beta);
}

/// The same into columns `column..` of a matrix whose rows are `stride` long.
///
/// # Panics
/// If shapes or extents do not fit: a bug of the caller.
pub fn multiply_columns(dst: &mut [f32], stride: usize, column: usize, a: View<'_>, b: View<'_>, beta: f32) {
    assert!(
        dst.len() == a.rows * stride && column + b.columns <= stride,
        "a product must fit its rows"
    );
    if dst.is_empty() {
        return;
    }
    let chunk = rows_per_task(a.rows);
    dst.par_chunks_mut(chunk * stride)
        .enumerate()
        .for_each(|(i, dst)| {
            let rows = dst.len() / stride;
            let part = View {
                data: &a.data[i * chunk * a.row_stride..],
                rows,
                ..a
            };
            multiply(&mut dst[column..], stride, part, b, 1.0, beta);
        });
}
