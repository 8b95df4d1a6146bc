//! Plain loops, compiled for the widest vectors of the machine.

use pulp::{Arch, Simd, WithSimd};

/// A loop. A bare closure would not do: `pulp` takes it by value, and the compiler then calls it through a function of its
/// own, outside of the one with wide vectors.
struct Loop<F>(F);

impl<R, F: FnMut() -> R> WithSimd for Loop<F> {
    type Output = R;

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "it must be inlined to be vectorised")]
    fn with_simd<S: Simd>(mut self, _: S) -> R {
        (self.0)()
    }
}

/// Runs `work`, an `#[inline(always)]` closure, with AVX-512 or AVX2 where the machine has them.
pub(crate) fn wide<R>(work: impl FnMut() -> R) -> R {
    Arch::new().dispatch(Loop(work))
}
