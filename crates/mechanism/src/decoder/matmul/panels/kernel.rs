//! The innermost product: up to six rows times a panel of 16 columns.

use std::arch::x86_64::{
    __m256, _MM_HINT_T0, _mm_prefetch, _mm256_add_ps, _mm256_broadcast_ss, _mm256_fmadd_ps, _mm256_load_ps,
    _mm256_loadu_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

/// Number of rows computed at once.
pub(super) const HIGH: usize = 6;
/// Number of columns of a panel.
pub(super) const WIDE: usize = 16;

/// One row of a panel, aligned to a cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line(pub(super) [f32; WIDE]);

impl Line {
    pub(super) const ZERO: Self = Self([0.0; WIDE]);
}

/// Operands of one call of [`multiply`].
#[derive(Clone, Copy)]
pub(super) struct PanelStep<'a> {
    /// First element of the left-hand rows.
    pub(super) left: *const f32,
    /// Distance between these rows, in elements.
    pub(super) apart: usize,
    /// The panel, one line for each element of a left-hand row.
    pub(super) right: &'a [Line],
    /// Lines to prefetch meanwhile, one for every four lines of `right`; any address is allowed.
    pub(super) fetch: *const Line,
    /// What the product is added to, if anything; may equal `to`.
    pub(super) base: Option<*const f32>,
    /// Where the result is written.
    pub(super) to: *mut f32,
    /// Distance between rows of target and base, in elements.
    pub(super) stride: usize,
}

/// `to = base + left·right` for `high` rows and `wide` columns.
///
/// # Safety
/// The CPU has AVX2 and FMA; `high` (1 to 6) left-hand rows as long as `right` may be read; `high` rows of `wide` (1 to
/// 16) numbers may be read at the base and written at the target, and nobody else accesses the latter.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
pub(super) unsafe fn multiply(step: PanelStep<'_>, high: usize, wide: usize) {
    if wide == WIDE {
        // SAFETY: as the caller promises.
        unsafe { rows(step, high) };
        return;
    }
    let mut sums = [0.0_f32; HIGH * WIDE];
    let inside = PanelStep {
        base: None,
        to: sums.as_mut_ptr(),
        stride: WIDE,
        ..step
    };
    // SAFETY: `sums` has room for six rows of sixteen; all other memory that is read or written is covered by the
    // caller's promise.
    unsafe {
        rows(inside, high);
        for (row, sums) in sums.as_chunks::<WIDE>().0.iter().take(high).enumerate() {
            for (column, sum) in sums.iter().take(wide).enumerate() {
                let at = row * step.stride + column;
                let base = step.base.map_or(0.0, |base| *base.add(at));
                *step.to.add(at) = base + sum;
            }
        }
    }
}

/// # Safety
/// As for [`multiply`], with 16 columns.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
unsafe fn rows(step: PanelStep<'_>, high: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        match high {
            6 => tile::<6>(step),
            5 => tile::<5>(step),
            4 => tile::<4>(step),
            3 => tile::<3>(step),
            2 => tile::<2>(step),
            _ => tile::<1>(step),
        }
    }
}

/// # Safety
/// As for [`multiply`], with `N` rows and 16 columns.
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads and writes through pointers")]
unsafe fn tile<const N: usize>(step: PanelStep<'_>) {
    // SAFETY: each iteration reads one number of each of `N` left-hand rows and one line of the panel; prefetching any
    // address affects only the cache; access to the rows of base and target is promised by the caller.
    unsafe {
        let ends = |start: *const f32, row: usize| {
            let start = start.wrapping_add(row * step.stride);
            _mm_prefetch::<_MM_HINT_T0>(start.cast());
            _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(WIDE - 1).cast());
        };
        for row in 0..N {
            ends(step.to, row);
        }
        if let Some(base) = step.base {
            for row in 0..N {
                ends(base, row);
            }
        }
        let mut sums = [[_mm256_setzero_ps(); 2]; N];
        let (fours, rest) = step.right.as_chunks::<4>();
        let mut left = step.left;
        let mut fetch = step.fetch;
        for lines in fours {
            _mm_prefetch::<_MM_HINT_T0>(fetch.cast());
            for (at, line) in lines.iter().enumerate() {
                onto(&mut sums, left.add(at), step.apart, line);
            }
            left = left.wrapping_add(4);
            fetch = fetch.wrapping_add(1);
        }
        for (at, line) in rest.iter().enumerate() {
            onto(&mut sums, left.add(at), step.apart, line);
        }
        for (row, sums) in sums.into_iter().enumerate() {
            for (half, sums) in sums.into_iter().enumerate() {
                let at = row * step.stride + 8 * half;
                let sums = match step.base {
                    Some(base) => _mm256_add_ps(_mm256_loadu_ps(base.add(at)), sums),
                    None => sums,
                };
                _mm256_storeu_ps(step.to.add(at), sums);
            }
        }
    }
}

/// # Safety
/// One number of each of `N` rows may be read from `left` on.
#[inline]
#[target_feature(enable = "avx2,fma")]
#[expect(unsafe_code, reason = "reads through pointers")]
unsafe fn onto<const N: usize>(sums: &mut [[__m256; 2]; N], left: *const f32, apart: usize, line: &Line) {
    // SAFETY: as the caller promises; a line is aligned to 64 bytes.
    unsafe {
        let (first, second) = (
            _mm256_load_ps(line.0.as_ptr()),
            _mm256_load_ps(line.0.as_ptr().add(8)),
        );
        // With a separate address for the fourth row, six rows need only two base registers and stride multiples.
        let fourth = left.wrapping_add(3 * apart);
        for (row, [a, b]) in sums.iter_mut().enumerate() {
            let from = if row < 3 {
                left.add(row * apart)
            } else {
                fourth.add((row - 3) * apart)
            };
            let x = _mm256_broadcast_ss(&*from);
            *a = _mm256_fmadd_ps(x, first, *a);
            *b = _mm256_fmadd_ps(x, second, *b);
        }
    }
}
