//! Blocks of quantised weights, decoded in registers to the same bits as by `gguf`.
//!
//! `d·(q − 8)` is computed as `d·q − 8·d`: `d` has eleven significant bits and `q` at most five, so this is exact. So is
//! every `d·q` to which an offset is added (scales of blocks of 256 have six bits more), wherefore one instruction may do both.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

use super::lanes::{Lanes, WIDE};

/// Number of elements of a weight's row whose products are summed before they are added to the row's total: a multiple
/// of the block size of every type.
pub(super) const STRIP: usize = 1024;
/// Maximum number of scales and offsets in a strip.
const HEADS: usize = 64;
/// Number of 32-element blocks in a strip.
const SMALL: usize = STRIP / 32;

/// Scales and offsets of the blocks of a strip, as `f32`.
pub(super) struct BlockHeads(pub(super) [f32; HEADS]);

impl BlockHeads {
    pub(super) const ZERO: Self = Self([0.0; HEADS]);

    #[inline(always)]
    pub(super) fn at(&self, at: usize) -> f32 {
        // The remainder saves a bounds check; no index actually reaches `HEADS`.
        self.0[at % HEADS]
    }
}

/// Scales and offsets of a strip's blocks in half precision, packed side by side.
pub(super) struct Bits([[u8; 2]; HEADS]);

impl Bits {
    pub(super) const ZERO: Self = Self([[0; 2]; HEADS]);
}

/// A storage type of blocks.
pub(super) trait Packed {
    type Block: Copy;
    /// What is computed from a block before its elements are decoded.
    type Ready<L: Lanes>: Copy;
    /// Number of elements of a block, in vectors of sixteen.
    const VECTORS: usize;

    /// All blocks of a row.
    fn blocks(row: &[u8]) -> &[Self::Block];

    /// Packs the stored scales and offsets side by side. All rows are gathered before [`Packed::heads`], because a wide
    /// load that follows narrow stores to the same memory has to wait for them.
    #[inline(always)]
    fn gather(_: &[Self::Block], _: &mut Bits) {}

    /// Decodes the scales and offsets of a strip's blocks.
    #[inline(always)]
    fn heads<L: Lanes>(_: L, _: &[Self::Block], _: &Bits, _: &mut BlockHeads) {}

    fn ready<L: Lanes>(lanes: L, block: &Self::Block) -> Self::Ready<L>;

    /// Decodes vector `I` (sixteen elements) of block `at` of the strip.
    fn vector<L: Lanes, const I: usize>(
        lanes: L,
        block: &Self::Block,
        ready: &Self::Ready<L>,
        heads: &BlockHeads,
        at: usize,
    ) -> L::Floats;
}

/// Sixteen bytes from index `at` on.
#[inline(always)]
pub(super) fn sixteen<const N: usize>(bytes: &[u8; N], at: usize) -> &[u8; WIDE] {
    let mut out = &[0; WIDE];
    if let Some(found) = bytes[at..].first_chunk() {
        out = found;
    }
    out
}

/// Gathers the half-precision number at the start of each small block.
#[inline(always)]
fn gather_one<const N: usize>(blocks: &[[u8; N]], bits: &mut Bits) {
    for (bits, block) in bits.0.iter_mut().zip(blocks) {
        *bits = [block[0], block[1]];
    }
}

/// Gathers the two half-precision numbers at the start of each small block.
#[inline(always)]
fn gather_two<const N: usize>(blocks: &[[u8; N]], bits: &mut Bits) {
    for (bits, block) in bits.0.as_chunks_mut::<2>().0.iter_mut().zip(blocks) {
        *bits = [[block[0], block[1]], [block[2], block[3]]];
    }
}

/// Converts gathered numbers to `f32`, for the first `n` heads.
#[inline(always)]
fn widened<L: Lanes>(lanes: L, bits: &Bits, n: usize, heads: &mut BlockHeads) {
    let halves = bits.0.as_flattened().as_chunks::<{ 2 * WIDE }>().0;
    let numbers = heads.0[..n].as_chunks_mut::<WIDE>().0;
    for (numbers, halves) in numbers.iter_mut().zip(halves) {
        *numbers = lanes.store(lanes.of_halves(halves));
    }
}

/// Decodes scales, and computes offsets as `factor` times the scales.
#[inline(always)]
fn with_offsets<L: Lanes>(lanes: L, bits: &Bits, factor: f32, heads: &mut BlockHeads) {
    widened(lanes, bits, SMALL, heads);
    let (scales, offsets) = heads.0.split_at_mut(SMALL);
    let offsets = offsets.as_chunks_mut::<WIDE>().0;
    for (scales, offsets) in scales.as_chunks::<WIDE>().0.iter().zip(offsets) {
        *offsets = lanes.store(lanes.mul(lanes.load(scales), lanes.splat(factor)));
    }
}

/// Indices of scale and offset of a small block: side by side (`two`), or all offsets after all scales.
#[inline(always)]
fn places(two: bool, at: usize) -> (usize, usize) {
    if two {
        (2 * at, 2 * at + 1)
    } else {
        (at, SMALL + at)
    }
}

/// Implements `gather` and `heads` for small blocks that store scale and offset, or a scale that determines the offset.
macro_rules! small_heads {
    (both) => {
        #[inline(always)]
        fn gather(blocks: &[Self::Block], bits: &mut Bits) {
            gather_two(blocks, bits);
        }

        #[inline(always)]
        fn heads<L: Lanes>(lanes: L, _: &[Self::Block], bits: &Bits, heads: &mut BlockHeads) {
            widened(lanes, bits, HEADS, heads);
        }
    };
    ((-$factor:literal)) => {
        #[inline(always)]
        fn gather(blocks: &[Self::Block], bits: &mut Bits) {
            gather_one(blocks, bits);
        }

        #[inline(always)]
        fn heads<L: Lanes>(lanes: L, _: &[Self::Block], bits: &Bits, heads: &mut BlockHeads) {
            with_offsets(lanes, bits, -$factor, heads);
        }
    };
}

/// Blocks of 32 four-bit elements; `$both` says whether scale and offset are stored side by side.
macro_rules! four_bits {
    ($name:ident, $bytes:literal, $from:literal, $both:literal, $heads:tt) => {
        pub(super) struct $name;

        impl Packed for $name {
            type Block = [u8; $bytes];
            type Ready<L: Lanes> = ();
            const VECTORS: usize = 2;

            #[inline(always)]
            fn blocks(row: &[u8]) -> &[Self::Block] {
                row.as_chunks().0
            }

            small_heads!($heads);

            #[inline(always)]
            fn ready<L: Lanes>(_: L, _: &Self::Block) {}

            #[inline(always)]
            fn vector<L: Lanes, const I: usize>(
                lanes: L,
                block: &Self::Block,
                (): &(),
                heads: &BlockHeads,
                at: usize,
            ) -> L::Floats {
                let q = lanes.bytes(sixteen(block, $from));
                let q = if I == 1 { lanes.high_halves(q) } else { q };
                let (d, m) = places($both, at);
                lanes.of_low_halves(q, heads.at(d), heads.at(m))
            }
        }
    };
}

four_bits!(Q4_0, 18, 2, false, (-8.0));
four_bits!(Q4_1, 20, 4, true, both);

/// Blocks of 32 five-bit elements, with the same parameters.
macro_rules! five_bits {
    ($name:ident, $bytes:literal, $from:literal, $both:literal, $heads:tt) => {
        pub(super) struct $name;

        impl Packed for $name {
            type Block = [u8; $bytes];
            type Ready<L: Lanes> = L::Fives;
            const VECTORS: usize = 2;

            #[inline(always)]
            fn blocks(row: &[u8]) -> &[Self::Block] {
                row.as_chunks().0
            }

            small_heads!($heads);

            #[inline(always)]
            fn ready<L: Lanes>(lanes: L, block: &Self::Block) -> L::Fives {
                let at = |i: usize| block[$from - 4 + i];
                let fifth = u32::from_le_bytes([at(0), at(1), at(2), at(3)]);
                lanes.fives(sixteen(block, $from), fifth)
            }

            #[inline(always)]
            fn vector<L: Lanes, const I: usize>(
                lanes: L,
                _: &Self::Block,
                fives: &L::Fives,
                heads: &BlockHeads,
                at: usize,
            ) -> L::Floats {
                let (d, m) = places($both, at);
                // There is no third half: the kernel's loop only seems to ask for one.
                if I == 1 {
                    lanes.of_fives::<1>(fives, heads.at(d), heads.at(m))
                } else {
                    lanes.of_fives::<0>(fives, heads.at(d), heads.at(m))
                }
            }
        }
    };
}

five_bits!(Q5_0, 22, 6, false, (-16.0));
five_bits!(Q5_1, 24, 8, true, both);

/// Blocks of 32 signed bytes.
pub(super) struct Q8_0;

impl Packed for Q8_0 {
    type Block = [u8; 34];
    type Ready<L: Lanes> = ();
    const VECTORS: usize = 2;

    #[inline(always)]
    fn blocks(row: &[u8]) -> &[Self::Block] {
        row.as_chunks().0
    }

    #[inline(always)]
    fn gather(blocks: &[Self::Block], bits: &mut Bits) {
        gather_one(blocks, bits);
    }

    #[inline(always)]
    fn heads<L: Lanes>(lanes: L, _: &[Self::Block], bits: &Bits, heads: &mut BlockHeads) {
        widened(lanes, bits, SMALL, heads);
    }

    #[inline(always)]
    fn ready<L: Lanes>(_: L, _: &Self::Block) {}

    #[inline(always)]
    fn vector<L: Lanes, const I: usize>(
        lanes: L,
        block: &Self::Block,
        (): &(),
        heads: &BlockHeads,
        at: usize,
    ) -> L::Floats {
        let q = lanes.floats(lanes.signed_bytes(sixteen(block, 2 + I * WIDE)));
        lanes.mul(q, lanes.splat(heads.at(at)))
    }
}

/// Unquantised numbers, sixteen in a block.
macro_rules! alone {
    ($name:ident, $bytes:literal, $load:ident) => {
        pub(super) struct $name;

        impl Packed for $name {
            type Block = [u8; $bytes];
            type Ready<L: Lanes> = ();
            const VECTORS: usize = 1;

            #[inline(always)]
            fn blocks(row: &[u8]) -> &[Self::Block] {
                row.as_chunks().0
            }

            #[inline(always)]
            fn ready<L: Lanes>(_: L, _: &Self::Block) {}

            #[inline(always)]
            fn vector<L: Lanes, const I: usize>(
                lanes: L,
                block: &Self::Block,
                (): &(),
                _: &BlockHeads,
                _: usize,
            ) -> L::Floats {
                lanes.$load(block)
            }
        }
    };
}

alone!(F32, 64, load_bytes);
alone!(F16, 32, of_halves);
alone!(BF16, 32, of_brain_halves);
