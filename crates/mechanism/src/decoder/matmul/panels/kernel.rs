//! The innermost product: up to six rows times a panel of 16 columns.

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_load_ps,
    _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

/// Rows worked out at once.
pub(super) const HIGH: usize = 6;
/// Columns of a panel.
pub(super) const WIDE: usize = 16;

/// One row of a panel.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [f32; WIDE]);

impl Line {
    pub(super) const ZERO: Self = Self([0.0; WIDE]);
}

/// What one call multiplies.
#[derive(Clone, Copy)]
pub(super) struct Step<'a> {
    /// First number of the left side's rows.
    pub(super) left: *const f32,
    /// Distance between these rows.
    pub(super) stride: usize,
    /// As many lines as the rows have numbers.
    pub(super) right: &'a [Line],
    /// Lines fetched into the cache on the way, one for every four numbers; any address will do.
    pub(super) fetch: *const Line,
    /// Whether to add to what is there.
    pub(super) add: bool,
}

/// `to = left·right`, or `to += left·right`: `high` rows and `wide` columns of a matrix whose rows are `stride` apart.
///
/// # Safety
/// The processor has AVX2 and FMA; `high` (1 to 6) rows of the left side may be read, as long as `right`; `high` rows of `wide`
/// (1 to 16) numbers may be written at `to`, and nobody else touches them.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
pub(super) unsafe fn multiply(step: Step<'_>, high: usize, wide: usize, to: *mut f32, stride: usize) {
    if wide == WIDE {
        // SAFETY: as the caller promises.
        unsafe { rows(step, high, to, stride) };
        return;
    }
    let mut sums = [0.0_f32; HIGH * WIDE];
    // SAFETY: the sums have room for six rows of sixteen; the columns written are those the caller lends.
    unsafe {
        rows(Step { add: false, ..step }, high, sums.as_mut_ptr(), WIDE);
        for (row, sums) in sums.as_chunks::<WIDE>().0.iter().take(high).enumerate() {
            for (column, sum) in sums.iter().take(wide).enumerate() {
                let to = to.add(row * stride + column);
                *to = if step.add { *to + sum } else { *sum };
            }
        }
    }
}

/// # Safety
/// As [`multiply`], of 16 columns.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
unsafe fn rows(step: Step<'_>, high: usize, to: *mut f32, stride: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        match high {
            6 => tile::<6>(step, to, stride),
            5 => tile::<5>(step, to, stride),
            4 => tile::<4>(step, to, stride),
            3 => tile::<3>(step, to, stride),
            2 => tile::<2>(step, to, stride),
            _ => tile::<1>(step, to, stride),
        }
    }
}

/// # Safety
/// As [`multiply`], of `N` rows and 16 columns.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
unsafe fn tile<const N: usize>(step: Step<'_>, to: *mut f32, stride: usize) {
    // SAFETY: each step reads one number of each of `N` rows of the left side and one line of the right; a fetch from anywhere
    // has no effect but on the cache; the target's rows are the caller's.
    unsafe {
        for row in 0..N {
            let to = to.wrapping_add(row * stride);
            _mm_prefetch::<_MM_HINT_T0>(to.cast());
            _mm_prefetch::<_MM_HINT_T0>(to.wrapping_add(WIDE - 1).cast());
        }
        let mut sums = [[_mm256_setzero_ps(); 2]; N];
        let (fours, rest) = step.right.as_chunks::<4>();
        let mut left = step.left;
        let mut fetch = step.fetch;
        for lines in fours {
            _mm_prefetch::<_MM_HINT_T0>(fetch.cast());
            for (at, line) in lines.iter().enumerate() {
                onto(&mut sums, left.add(at), step.stride, line);
            }
            left = left.wrapping_add(4);
            fetch = fetch.wrapping_add(1);
        }
        for (at, line) in rest.iter().enumerate() {
            onto(&mut sums, left.add(at), step.stride, line);
        }
        for (row, [first, second]) in sums.into_iter().enumerate() {
            put(first, to.add(row * stride), step.add);
            put(second, to.add(row * stride + 8), step.add);
        }
    }
}

/// # Safety
/// One number of each of `N` rows from `left` on may be read.
#[inline]
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads through pointers")]
unsafe fn onto<const N: usize>(sums: &mut [[__m256; 2]; N], left: *const f32, stride: usize, line: &Line) {
    // SAFETY: as the caller promises; a line is aligned to 64 bytes.
    unsafe {
        let (first, second) = (
            _mm256_load_ps(line.0.as_ptr()),
            _mm256_load_ps(line.0.as_ptr().add(8)),
        );
        // The fourth row has an address of its own, so that six rows need but two registers and multiples of the stride.
        let fourth = left.wrapping_add(3 * stride);
        for (row, [a, b]) in sums.iter_mut().enumerate() {
            let from = if row < 3 {
                left.add(row * stride)
            } else {
                fourth.add((row - 3) * stride)
            };
            let x = _mm256_broadcast_ss(&*from);
            *a = _mm256_fmadd_ps(x, first, *a);
            *b = _mm256_fmadd_ps(x, second, *b);
        }
    }
}

/// # Safety
/// Eight numbers may be written at `to`.
#[inline]
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "writes through a pointer")]
unsafe fn put(sums: __m256, to: *mut f32, add: bool) {
    // SAFETY: as the caller promises.
    unsafe {
        let sums = if add {
            _mm256_add_ps(_mm256_loadu_ps(to), sums)
        } else {
            sums
        };
        _mm256_storeu_ps(to, sums);
    }
}
