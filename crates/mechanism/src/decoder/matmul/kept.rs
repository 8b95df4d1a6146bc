//! Chooses the implementation of a large product, and caches the packed form of its right-hand side.

#[cfg(target_arch = "x86_64")]
use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
use super::panels;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
use super::tiles;
use super::{Base, View};

/// Cache of a right-hand side that many products share: the matrix in the order in which tiles or vectors read it, six
/// or four bytes per element, packed at its first large product. It stays empty where `gemm` multiplies, and for large
/// matrices, whose packed copy would need more memory than the packing time saved is worth.
#[derive(Debug)]
pub struct Kept {
    /// Number of elements of the largest matrix that is cached.
    #[cfg_attr(
        not(target_arch = "x86_64"),
        expect(dead_code, reason = "nothing is kept there")
    )]
    largest: usize,
    #[cfg(target_arch = "x86_64")]
    packed: OnceLock<Packed>,
}

#[cfg(target_arch = "x86_64")]
#[derive(Debug)]
enum Packed {
    #[cfg(target_os = "linux")]
    Tiles(tiles::PackedTiles),
    Panels(panels::PackedPanels),
}

impl Kept {
    /// Whether anything is cached on this machine.
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

    /// An empty cache, which remains empty for a matrix of more than `largest` elements.
    pub fn up_to(largest: usize) -> Self {
        Self {
            largest,
            #[cfg(target_arch = "x86_64")]
            packed: OnceLock::new(),
        }
    }
}

impl Clone for Kept {
    /// An empty cache, because a matrix is copied in order to be modified.
    fn clone(&self) -> Self {
        Self::up_to(self.largest)
    }
}

/// A product whose right-hand side may be cached.
#[derive(Debug)]
pub struct KeptProduct<'a, 'b> {
    /// Result, `(rows, right.columns)`, row-major and contiguous.
    pub dst: &'b mut [f32],
    /// What the product is added to.
    pub base: Base<'a>,
    /// Right-hand side.
    pub right: View<'a>,
    /// Cache of the right-hand side, if any.
    pub kept: Option<&'a Kept>,
}

/// Computes the products for which tiles or vectors are worthwhile (see [`super::multiply_each`]); returns the others.
#[cfg(target_arch = "x86_64")]
pub(super) fn multiply<'a, 'b>(a: View<'_>, products: Vec<KeptProduct<'a, 'b>>) -> Vec<KeptProduct<'a, 'b>> {
    let kept_of = |product: &KeptProduct<'a, 'b>| {
        let View { rows, columns, .. } = product.right;
        product.kept.filter(|kept| rows * columns <= kept.largest)
    };
    let mut left = Vec::new();
    #[cfg(target_os = "linux")]
    let mut jobs: Vec<tiles::Job<'a, 'b>> = Vec::new();
    for product in products {
        let (kept, b) = (kept_of(&product), product.right);
        #[cfg(target_os = "linux")]
        if tiles::worth(a.rows, b.columns, a.columns) {
            let packed = kept.and_then(|kept| kept.packed(|| Packed::Tiles(tiles::PackedTiles::new(b))));
            jobs.push(tiles::Job {
                dst: product.dst,
                base: product.base,
                right: b,
                packed: packed.and_then(Packed::tiles),
            });
            continue;
        }
        if panels::preferred() && panels::worth(a, b.columns, kept.is_some()) {
            let packed = kept.and_then(|kept| kept.packed(|| Packed::Panels(panels::PackedPanels::new(b))));
            panels::multiply(product.dst, a, b, packed.and_then(Packed::panels), product.base);
            continue;
        }
        left.push(product);
    }
    #[cfg(target_os = "linux")]
    tiles::multiply(a, &mut jobs);
    left
}

#[cfg(target_arch = "x86_64")]
impl Packed {
    #[cfg(target_os = "linux")]
    fn tiles(&self) -> Option<&tiles::PackedTiles> {
        match self {
            Self::Tiles(packed) => Some(packed),
            Self::Panels(_) => None,
        }
    }

    fn panels(&self) -> Option<&panels::PackedPanels> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Tiles(_) => None,
            Self::Panels(packed) => Some(packed),
        }
    }
}

#[cfg(target_arch = "x86_64")]
impl Kept {
    fn packed(&self, pack: impl FnOnce() -> Packed) -> Option<&Packed> {
        // Not `get_or_init`: packing runs on all threads, and a waiting thread may run a task that comes back here.
        if self.packed.get().is_none() {
            let _ = self.packed.set(pack());
        }
        self.packed.get()
    }
}

/// On this architecture only `gemm` is used.
#[cfg(not(target_arch = "x86_64"))]
pub(super) fn multiply<'a, 'b>(_: View<'_>, products: Vec<KeptProduct<'a, 'b>>) -> Vec<KeptProduct<'a, 'b>> {
    products
}
