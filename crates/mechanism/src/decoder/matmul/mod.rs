//! Matrix products: bounds-checked views over slices, multiplied by the fastest implementation for the machine.
//!
//! Large products use the CPU's matrix tiles if it has them (`tiles`), or eight-element vectors with a packed
//! right-hand side if no wider vectors exist (`panels`). Other machines, and small products, use `gemm`.

#[cfg(test)]
mod exact;
mod kept;
#[cfg(target_arch = "x86_64")]
mod panels;
mod target;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod tiles;

use rayon::prelude::*;

pub use kept::{Kept, KeptProduct};
use target::Target;

/// A matrix stored in a slice.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// Values; element `(i, j)` is `data[i·row_stride + j·column_stride]`.
    pub data: &'a [f32],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Distance between the starts of adjacent rows, in elements.
    pub row_stride: usize,
    /// Distance between adjacent columns, in elements.
    pub column_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix whose rows start `row_stride` elements apart.
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

    /// At most `n` rows from row `first`.
    fn rows_from(self, first: usize, n: usize) -> Self {
        Self {
            data: &self.data[first * self.row_stride..],
            rows: n.min(self.rows - first),
            ..self
        }
    }

    /// At most `n` columns from column `first`.
    fn columns_from(self, first: usize, n: usize) -> Self {
        self.t().rows_from(first, n).t()
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

/// `dst = beta·dst + alpha·a·b` on one thread; `dst` is row-major with rows `dst_stride` apart.
///
/// # Panics
/// If shapes do not match or exceed their slices, which is a bug of the caller.
#[expect(
    unsafe_code,
    reason = "gemm takes pointers; every extent is checked against its slice first"
)]
pub fn multiply(dst: &mut [f32], dst_stride: usize, a: View<'_>, b: View<'_>, alpha: f32, beta: f32) {
    let (m, n) = (a.rows, b.columns);
    assert!(
        b.rows == a.columns && a.fits() && b.fits(),
        "a product's operands must fit each other and their slices"
    );
    assert!(
        within(dst.len(), m, n, dst_stride, 1) && (dst_stride >= n || m <= 1),
        "a product must fit its slice"
    );
    // SAFETY: every element gemm touches lies inside the three slices, as asserted; `dst` is borrowed mutably, so it
    // overlaps neither operand; `dst_stride >= n` keeps its elements distinct.
    unsafe { raw(dst.as_mut_ptr(), dst_stride, a, b, alpha, beta) };
}

/// [`multiply`] on a bare pointer.
///
/// # Safety
/// Rows of `dst`, `dst_stride` apart, must be writable for `(a.rows, b.columns)` and overlap neither operand; `a` and `b`
/// must fit each other and their slices.
#[expect(unsafe_code, reason = "gemm takes pointers")]
unsafe fn raw(dst: *mut f32, dst_stride: usize, a: View<'_>, b: View<'_>, alpha: f32, beta: f32) {
    let (m, n, k) = (a.rows, b.columns, a.columns);
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: as the caller promises.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            dst,
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

/// Number of rows per task such that every thread has work; at most 512, so that a task's data stay in the L2 cache.
pub fn rows_per_task(rows: usize) -> usize {
    let threads = rayon::current_num_threads();
    rows.div_ceil(threads).clamp(16, 512)
}

/// What a product is added to.
#[derive(Debug, Clone, Copy)]
pub enum Base<'a> {
    /// Nothing.
    Zero,
    /// The present content of the target.
    Target,
    /// A matrix of the product's shape, row-major and contiguous.
    Matrix(&'a [f32]),
}

/// `dst = beta·dst + a·b` on all threads; `dst` is `(a.rows, b.columns)`, row-major and contiguous, and beta 0 or 1.
///
/// # Panics
/// If shapes do not match or exceed their slices, which is a bug of the caller.
pub fn multiply_parallel(dst: &mut [f32], a: View<'_>, b: View<'_>, beta: f32) {
    let base = if beta == 0.0 { Base::Zero } else { Base::Target };
    let product = KeptProduct {
        dst,
        base,
        right: b,
        kept: None,
    };
    multiply_each(a, vec![product]);
}

/// `dst = base + a·right` for each of `products`, using the caches of their right-hand sides.
///
/// # Panics
/// Those of [`multiply_parallel`].
pub fn multiply_each(a: View<'_>, mut products: Vec<KeptProduct<'_, '_>>) {
    for product in &products {
        let len = a.rows * product.right.columns;
        assert!(product.dst.len() == len, "a product must fill its slice");
        if let Base::Matrix(base) = product.base {
            assert!(
                base.len() == len,
                "what a product is added to must have its shape"
            );
        }
    }
    products.retain(|product| !product.dst.is_empty());
    for KeptProduct { dst, base, right, .. } in kept::multiply(a, products) {
        let beta = match base {
            Base::Zero => 0.0,
            Base::Target => 1.0,
            Base::Matrix(base) => {
                super::elementwise::copy(base, dst);
                1.0
            }
        };
        by_gemm(dst, a, right, beta);
    }
}

/// `dst = beta·dst + a·b` with `gemm`. Tasks are blocks of at most 512 rows, divided further by columns if there are
/// fewer blocks than threads: a task packs the part of `b` it needs, so dividing the columns packs each part of `b`
/// once, whereas dividing the rows would pack all of `b` several times.
fn by_gemm(dst: &mut [f32], a: View<'_>, b: View<'_>, beta: f32) {
    let (rows, columns) = (a.rows, b.columns);
    let tall = rows.div_ceil(512);
    let tall = rows.div_ceil(tall);
    let wide = rayon::current_num_threads().div_ceil(rows.div_ceil(tall));
    let wide = columns.div_ceil(wide).next_multiple_of(32);
    if wide >= columns {
        dst.par_chunks_mut(tall * columns)
            .enumerate()
            .for_each(|(i, dst)| multiply(dst, columns, a.rows_from(i * tall, tall), b, 1.0, beta));
        return;
    }
    // A block of columns is not a contiguous slice, so each task writes its part of every row through a pointer.
    dst.par_chunks_mut(tall * columns)
        .enumerate()
        .for_each(|(i, dst)| {
            let a = a.rows_from(i * tall, tall);
            let blocks = columns.div_ceil(wide);
            let whole = Target(dst.as_mut_ptr(), columns);
            (0..blocks).into_par_iter().for_each(|block| {
                let first = block * wide;
                columns_of(whole, first, a, b.columns_from(first, wide), beta);
            });
        });
}

/// Sets columns `first..first + b.columns` of a matrix with the rows of `a` to beta times themselves plus `a·b`.
#[expect(
    unsafe_code,
    reason = "as for `multiply`; columns of other tasks are not touched"
)]
fn columns_of(matrix: Target, first: usize, a: View<'_>, b: View<'_>, beta: f32) {
    let Target(start, stride) = matrix;
    assert!(
        b.rows == a.columns && a.fits() && b.fits(),
        "a product's operands must fit each other"
    );
    assert!(first + b.columns <= stride, "a product must fit its columns");
    // SAFETY: `by_gemm` gives a matrix with the rows of `a`, whose columns `first..first + b.columns`, inside it as
    // asserted, belong to this task alone; operands are shared borrows of other slices.
    unsafe { raw(start.add(first), stride, a, b, 1.0, beta) };
}

/// Transposes a row-major `(rows, columns)` matrix on all threads.
pub fn transposed(x: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    const SIDE: usize = 16;
    let mut out = vec![0.0; x.len()];
    if out.is_empty() {
        return out;
    }
    out.par_chunks_mut(SIDE * rows)
        .enumerate()
        .for_each(|(block, out)| {
            let first = block * SIDE;
            let n = out.len() / rows;
            for start in (0..rows).step_by(SIDE) {
                for row in start..(start + SIDE).min(rows) {
                    let from = &x[row * columns + first..row * columns + first + n];
                    for (j, value) in from.iter().enumerate() {
                        out[j * rows + row] = *value;
                    }
                }
            }
        });
    out
}
