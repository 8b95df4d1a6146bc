//! Runs plain loops compiled for the widest vectors of the machine.

use pulp::{Arch, Simd, WithSimd};

/// A loop. A closure cannot be passed directly: `pulp` takes it by value, and the compiler would call it through a
/// separate function that is not compiled for wide vectors.
struct Loop<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Loop<F> {
    type Output = R;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Runs `work`, which must be an `#[inline(always)]` closure, with AVX-512 or AVX2 if the machine has them.
pub(crate) fn wide<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Loop(work))
}
