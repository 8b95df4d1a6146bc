//! Which way a large product takes, and what is kept of a right side for the next one.

#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::panels;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::tiles;
use super::{Base, View};

/// What is kept of a right side that many products share: the order in which tiles or vectors read it, six or four bytes a
/// number, from its first large product on. Nothing where `gemm` multiplies, or of large matrices: there memory is worth
/// more than the time of packing.
#[derive(Debug)]
pub struct Kept {
    /// Numbers of the largest matrix that is kept.
    largest: usize,
    #[cfg(target_arch = "x86_64")]
    packed: OnceLock<Packed>,
}

#[cfg(target_arch = "x86_64")]
#[derive(Debug)]
enum Packed {
    #[cfg(target_os = "linux")]
    Tiles(tiles::Packed),
    Panels(panels::Packed),
}

impl Kept {
    /// Whether anything is kept here.
    pub fn of_use() -> bool {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        let tiles = tiles::available();
        #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
        let tiles = false;
        #[cfg(target_arch = "x86_64")]
        let panels = panels::preferred();
        #[cfg(not(target_arch = "x86_64"))]
        let panels = false;
        tiles || panels
    }

    /// Nothing yet; never anything of a matrix of more than `largest` numbers.
    pub fn up_to(largest: usize) -> Self {
        Self {
            largest,
            #[cfg(target_arch = "x86_64")]
            packed: OnceLock::new(),
        }
    }
}

impl Clone for Kept {
    /// Nothing: whoever copies a matrix means to change it.
    fn clone(&self) -> Self {
        Self::up_to(self.largest)
    }
}

/// Multiplies on tiles or vectors, if that is worth it: see [`super::multiply_kept`].
#[cfg(target_arch = "x86_64")]
pub(super) fn multiply(
    dst: &mut [f32],
    a: View<'_>,
    b: View<'_>,
    kept: Option<&Kept>,
    base: Base<'_>,
) -> bool {
    let kept = kept.filter(|kept| b.rows * b.columns <= kept.largest);
    #[cfg(target_os = "linux")]
    if tiles::worth(a.rows, b.columns, a.columns) {
        let packed = kept.and_then(|kept| kept.packed(|| Packed::Tiles(tiles::Packed::new(b))));
        let packed = match packed {
            Some(Packed::Tiles(packed)) => Some(packed),
            _ => None,
        };
        tiles::multiply(dst, a, b, packed, base);
        return true;
    }
    if panels::preferred() && panels::worth(a, b.columns, kept.is_some()) {
        let packed = kept.and_then(|kept| kept.packed(|| Packed::Panels(panels::Packed::new(b))));
        let packed = match packed {
            Some(Packed::Panels(packed)) => Some(packed),
            _ => None,
        };
        panels::multiply(dst, a, b, packed, base);
        return true;
    }
    false
}

#[cfg(target_arch = "x86_64")]
impl Kept {
    fn packed(&self, pack: impl FnOnce() -> Packed) -> Option<&Packed> {
        // Not `get_or_init`: packing runs on all threads, and one that waits may come back here.
        if self.packed.get().is_none() {
            let _ = self.packed.set(pack());
        }
        self.packed.get()
    }
}

/// There is but `gemm` here.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn multiply(_: &mut [f32], _: View<'_>, _: View<'_>, _: Option<&Kept>, _: Base<'_>) -> bool {
    false
}
