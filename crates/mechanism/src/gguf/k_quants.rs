//! Super-blocks of 256 weights with quantised scales. Source: ggml `ggml-common.h`, `ggml-quants.c`.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the vectorised loop to be vectorised"
)]

use super::blocks::{IQ4_VALUES, half_at, signed};

#[inline(always)]
pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, qs) = (&block[..16], &block[16..80]);
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    // 128 weights share 32 bytes, with four shifts of two bits; each sixteen weights have one scale.
    for (i, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let shift = 2 * (i / 2 % 4);
        let from = i / 8 * 32 + i % 2 * 16;
        let scale = d * f32::from(scales[i] & 15);
        let min = dmin * f32::from(scales[i] >> 4);
        let mut all = [0; 16];
        for (q, byte) in all.iter_mut().zip(&qs[from..from + 16]) {
            *q = i32::from((byte >> shift) & 3);
        }
        for (value, q) in out.iter_mut().zip(all) {
            *value = scale * q as f32 - min;
        }
    }
}

#[inline(always)]
pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, qs, packed) = (&block[..32], &block[32..96], &block[96..108]);
    let d = half_at(block, 108);
    // 16 scales of 6 bits: low 4 bits in bytes 0..8, high 2 bits in bytes 8..12.
    let scale = |j: usize| -> f32 {
        let low = if j < 8 { packed[j] & 15 } else { packed[j - 8] >> 4 };
        let top = (packed[8 + j % 4] >> (2 * (j / 4))) & 3;
        f32::from(low | (top << 4)) - 32.0
    };
    for (i, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (half, shift, lane) = (i / 8, i / 2 % 4, i % 2 * 16);
        let scale = d * scale(i);
        let (low, high) = (&qs[half * 32 + lane..][..16], &high[lane..lane + 16]);
        let mut all = [0; 16];
        for (q, (low, high)) in all.iter_mut().zip(low.iter().zip(high)) {
            // If the third bit is not set, 4 is subtracted.
            *q = i32::from(((low >> (2 * shift)) & 3) | (((high >> (half * 4 + shift)) & 1) << 2)) - 4;
        }
        for (value, q) in out.iter_mut().zip(all) {
            *value = scale * q as f32;
        }
    }
}

/// Scale and minimum `j` of eight, six bits each, packed in twelve bytes (`get_scale_min_k4` in ggml).
#[inline(always)]
fn scale_min(packed: &[u8], j: usize) -> (f32, f32) {
    let (scale, min) = if j < 4 {
        (packed[j] & 63, packed[j + 4] & 63)
    } else {
        (
            (packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4),
            (packed[j + 4] >> 4) | ((packed[j] >> 6) << 4),
        )
    };
    (f32::from(scale), f32::from(min))
}

#[inline(always)]
pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, qs) = (&block[4..16], &block[16..]);
    for group in 0..8 {
        let (scale, min) = scale_min(packed, group);
        let (scale, min, shift) = (d * scale, dmin * min, 4 * (group % 2));
        let qs = &qs[(group / 2) * 32..][..32];
        for (value, q) in out[group * 32..][..32].iter_mut().zip(qs) {
            *value = scale * f32::from((q >> shift) & 15) - min;
        }
    }
}

#[inline(always)]
pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, high, qs) = (&block[4..16], &block[16..48], &block[48..]);
    for group in 0..8 {
        let (scale, min) = scale_min(packed, group);
        let (scale, min, shift) = (d * scale, dmin * min, 4 * (group % 2));
        let qs = qs[(group / 2) * 32..][..32].iter().zip(high);
        for (value, (q, high)) in out[group * 32..][..32].iter_mut().zip(qs) {
            let q = ((q >> shift) & 15) | (((high >> group) & 1) << 4);
            *value = scale * f32::from(q) - min;
        }
    }
}

#[inline(always)]
pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let d = half_at(block, 208);
    for (i, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let (half, quarter, lane) = (i / 8, i / 2 % 4, i % 2 * 16);
        let scale = d * f32::from(scales[i].cast_signed());
        let low = &low[half * 64 + (quarter % 2) * 32 + lane..][..16];
        let high = &high[half * 32 + lane..][..16];
        let mut all = [0; 16];
        for (q, (low, high)) in all.iter_mut().zip(low.iter().zip(high)) {
            *q = i32::from(((low >> (4 * (quarter / 2))) & 15) | (((high >> (2 * quarter)) & 3) << 4)) - 32;
        }
        for (value, q) in out.iter_mut().zip(all) {
            *value = scale * q as f32;
        }
    }
}

#[inline(always)]
pub(super) fn q8_k(block: &[u8; 292], out: &mut [f32; 256]) {
    let d = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    signed(&block[4..260], d, out);
}

#[inline(always)]
pub(super) fn iq4_xs(block: &[u8; 136], out: &mut [f32; 256]) {
    let d = half_at(block, 0);
    let scales_high = u16::from_le_bytes([block[2], block[3]]);
    let (scales_low, qs) = (&block[4..8], &block[8..]);
    for group in 0..8 {
        let low = (scales_low[group / 2] >> (4 * (group % 2))) & 15;
        let high = ((scales_high >> (2 * group)) & 3) as u8;
        let scale = d * (f32::from(low | (high << 4)) - 32.0);
        for lane in 0..16 {
            let q = qs[group * 16 + lane];
            out[group * 32 + lane] = scale * IQ4_VALUES[usize::from(q & 15)];
            out[group * 32 + lane + 16] = scale * IQ4_VALUES[usize::from(q >> 4)];
        }
    }
}
