//! Super-blocks of 256 weights with quantized scales. Source: ggml `ggml-common.h`, `ggml-quants.c`.

use super::blocks::{IQ4_VALUES, half_at};

pub(super) fn q2_k(block: &[u8; 84], out: &mut [f32; 256]) {
    let (scales, qs) = (&block[..16], &block[16..80]);
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    for (i, value) in out.iter_mut().enumerate() {
        // 128 weights share 32 bytes, four shifts of two bits.
        let (half, within) = (i / 128, i % 128);
        let (shift, lane) = (within / 32, within % 32);
        let q = (qs[half * 32 + lane] >> (2 * shift)) & 3;
        let scale = scales[half * 8 + shift * 2 + lane / 16];
        *value = d * f32::from(scale & 15) * f32::from(q) - dmin * f32::from(scale >> 4);
    }
}

pub(super) fn q3_k(block: &[u8; 110], out: &mut [f32; 256]) {
    let (high, qs, packed) = (&block[..32], &block[32..96], &block[96..108]);
    let d = half_at(block, 108);
    // 16 scales of 6 bits: low 4 bits in bytes 0..8, high 2 bits in bytes 8..12.
    let scale = |j: usize| -> f32 {
        let low = if j < 8 { packed[j] & 15 } else { packed[j - 8] >> 4 };
        let top = (packed[8 + j % 4] >> (2 * (j / 4))) & 3;
        f32::from(low | (top << 4)) - 32.0
    };
    for (i, value) in out.iter_mut().enumerate() {
        let (half, within) = (i / 128, i % 128);
        let (shift, lane) = (within / 32, within % 32);
        let low = i16::from((qs[half * 32 + lane] >> (2 * shift)) & 3);
        let set = (high[lane] >> (half * 4 + shift)) & 1;
        let q = if set == 1 { low } else { low - 4 };
        *value = d * scale(half * 8 + shift * 2 + lane / 16) * f32::from(q);
    }
}

/// Scale and minimum `j` of eight, six bits each in twelve bytes (`get_scale_min_k4`).
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

pub(super) fn q4_k(block: &[u8; 144], out: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, qs) = (&block[4..16], &block[16..]);
    for group in 0..8 {
        let (scale, min) = scale_min(packed, group);
        for lane in 0..32 {
            let byte = qs[(group / 2) * 32 + lane];
            let q = if group % 2 == 0 { byte & 15 } else { byte >> 4 };
            out[group * 32 + lane] = d * scale * f32::from(q) - dmin * min;
        }
    }
}

pub(super) fn q5_k(block: &[u8; 176], out: &mut [f32; 256]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    let (packed, high, qs) = (&block[4..16], &block[16..48], &block[48..]);
    for group in 0..8 {
        let (scale, min) = scale_min(packed, group);
        for lane in 0..32 {
            let byte = qs[(group / 2) * 32 + lane];
            let low = if group % 2 == 0 { byte & 15 } else { byte >> 4 };
            let q = low | (((high[lane] >> group) & 1) << 4);
            out[group * 32 + lane] = d * scale * f32::from(q) - dmin * min;
        }
    }
}

pub(super) fn q6_k(block: &[u8; 210], out: &mut [f32; 256]) {
    let (low, high, scales) = (&block[..128], &block[128..192], &block[192..208]);
    let d = half_at(block, 208);
    for (i, value) in out.iter_mut().enumerate() {
        let (half, within) = (i / 128, i % 128);
        let (quarter, lane) = (within / 32, within % 32);
        let byte = low[half * 64 + (quarter % 2) * 32 + lane];
        let low4 = if quarter < 2 { byte & 15 } else { byte >> 4 };
        let top2 = (high[half * 32 + lane] >> (2 * quarter)) & 3;
        let q = f32::from(low4 | (top2 << 4)) - 32.0;
        let scale = scales[half * 8 + quarter * 2 + lane / 16].cast_signed();
        *value = d * f32::from(scale) * q;
    }
}

pub(super) fn q8_k(block: &[u8; 292], out: &mut [f32; 256]) {
    let d = f32::from_le_bytes([block[0], block[1], block[2], block[3]]);
    for (value, q) in out.iter_mut().zip(&block[4..260]) {
        *value = d * f32::from(q.cast_signed());
    }
}

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
