//! Blocks of 256 quantised weights (k-quants), decoded in registers to the same bits as by `gguf`.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

use super::lanes::{Lanes, WIDE};
use super::packed::{Bits, BlockHeads, Packed, sixteen};

/// The bytes of sixteen half-precision numbers.
#[inline(always)]
fn flat(pairs: [[u8; 2]; WIDE]) -> [u8; 2 * WIDE] {
    pulp::cast(pairs)
}

/// Eight scales and eight offsets of a block of 256, six bits each in twelve bytes (`get_scale_min_k4` in ggml), as
/// `f32`: scales times `d`, offsets times `-dmin`.
#[inline(always)]
fn scales_and_offsets<L: Lanes, const N: usize>(lanes: L, block: &[u8; N]) -> [f32; WIDE] {
    let word = |at: usize| u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]]);
    let (first, second, third) = (word(4), word(8), word(12));
    let high = |word: u32| ((word >> 6) & 0x0303_0303) << 4;
    let packed = [
        first & 0x3f3f_3f3f,
        (third & 0x0f0f_0f0f) | high(first),
        second & 0x3f3f_3f3f,
        ((third >> 4) & 0x0f0f_0f0f) | high(second),
    ];
    let mut bytes = [0; WIDE];
    for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(packed) {
        *to = word.to_le_bytes();
    }
    let mut head = [[0; 2]; WIDE];
    head[0] = [block[0], block[1]];
    head[1] = [block[2], block[3]];
    let head = lanes.store(lanes.of_halves(&flat(head)));
    let mut factors = [head[0]; WIDE];
    factors[8..].fill(-head[1]);
    lanes.store(lanes.mul(lanes.floats(lanes.bytes(&bytes)), lanes.load(&factors)))
}

/// Blocks of 256 four-bit elements.
pub(super) struct Q4K;

impl Packed for Q4K {
    type Block = [u8; 144];
    type Ready<L: Lanes> = ();
    const VECTORS: usize = 16;

    #[inline(always)]
    fn blocks(row: &[u8]) -> &[Self::Block] {
        row.as_chunks().0
    }

    #[inline(always)]
    fn heads<L: Lanes>(lanes: L, blocks: &[Self::Block], _: &Bits, heads: &mut BlockHeads) {
        for (heads, block) in heads.0.as_chunks_mut().0.iter_mut().zip(blocks) {
            *heads = scales_and_offsets(lanes, block);
        }
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
        let group = I / 2;
        let q = lanes.bytes(sixteen(block, 16 + group / 2 * 32 + I % 2 * WIDE));
        let q = if group % 2 == 1 { lanes.high_halves(q) } else { q };
        let head = at * WIDE + group;
        lanes.of_low_halves(q, heads.at(head), heads.at(head + 8))
    }
}

/// Blocks of 256 five-bit elements.
pub(super) struct Q5K;

impl Packed for Q5K {
    type Block = [u8; 176];
    type Ready<L: Lanes> = [u8; 256];
    const VECTORS: usize = 16;

    #[inline(always)]
    fn blocks(row: &[u8]) -> &[Self::Block] {
        row.as_chunks().0
    }

    #[inline(always)]
    fn heads<L: Lanes>(lanes: L, blocks: &[Self::Block], _: &Bits, heads: &mut BlockHeads) {
        for (heads, block) in heads.0.as_chunks_mut().0.iter_mut().zip(blocks) {
            *heads = scales_and_offsets(lanes, block);
        }
    }

    #[inline(always)]
    fn ready<L: Lanes>(_: L, block: &Self::Block) -> [u8; 256] {
        let (high, low) = (&block[16..48], &block[48..]);
        let mut all = [0; 256];
        for (pair, (all, low)) in all
            .as_chunks_mut::<64>()
            .0
            .iter_mut()
            .zip(low.as_chunks::<32>().0)
            .enumerate()
        {
            for i in 0..32 {
                let high = high[i] >> (2 * pair);
                all[i] = (low[i] & 15) | ((high & 1) << 4);
                all[i + 32] = (low[i] >> 4) | ((high & 2) << 3);
            }
        }
        all
    }

    #[inline(always)]
    fn vector<L: Lanes, const I: usize>(
        lanes: L,
        _: &Self::Block,
        all: &[u8; 256],
        heads: &BlockHeads,
        at: usize,
    ) -> L::Floats {
        let head = at * WIDE + I / 2;
        let q = lanes.floats(lanes.bytes(sixteen(all, I * WIDE)));
        lanes.mul_add(q, lanes.splat(heads.at(head)), lanes.splat(heads.at(head + 8)))
    }
}

/// Blocks of 256 six-bit elements.
pub(super) struct Q6K;

impl Packed for Q6K {
    type Block = [u8; 210];
    type Ready<L: Lanes> = [u8; 256];
    const VECTORS: usize = 16;

    #[inline(always)]
    fn blocks(row: &[u8]) -> &[Self::Block] {
        row.as_chunks().0
    }

    #[inline(always)]
    fn heads<L: Lanes>(lanes: L, blocks: &[Self::Block], _: &Bits, heads: &mut BlockHeads) {
        for (heads, block) in heads.0.as_chunks_mut().0.iter_mut().zip(blocks) {
            let mut d = [[0; 2]; WIDE];
            d[0] = [block[208], block[209]];
            let d = lanes.store(lanes.of_halves(&flat(d)));
            let scales = lanes.floats(lanes.signed_bytes(sixteen(block, 192)));
            *heads = lanes.store(lanes.mul(scales, lanes.splat(d[0])));
        }
    }

    #[inline(always)]
    fn ready<L: Lanes>(_: L, block: &Self::Block) -> [u8; 256] {
        let (low, high) = (&block[..128], &block[128..192]);
        let mut all = [0; 256];
        let parts = low.as_chunks::<64>().0.iter().zip(high.as_chunks::<32>().0);
        for (all, (low, high)) in all.as_chunks_mut::<128>().0.iter_mut().zip(parts) {
            for i in 0..32 {
                let (first, second, high) = (low[i], low[i + 32], high[i]);
                all[i] = ((first & 15) | ((high & 3) << 4)).wrapping_sub(32);
                all[i + 32] = ((second & 15) | ((high & 0x0c) << 2)).wrapping_sub(32);
                all[i + 64] = ((first >> 4) | (high & 0x30)).wrapping_sub(32);
                all[i + 96] = ((second >> 4) | ((high & 0xc0) >> 2)).wrapping_sub(32);
            }
        }
        all
    }

    #[inline(always)]
    fn vector<L: Lanes, const I: usize>(
        lanes: L,
        _: &Self::Block,
        all: &[u8; 256],
        heads: &BlockHeads,
        at: usize,
    ) -> L::Floats {
        let q = lanes.floats(lanes.signed_bytes(sixteen(all, I * WIDE)));
        lanes.mul(q, lanes.splat(heads.at(at * WIDE + I)))
    }
}
