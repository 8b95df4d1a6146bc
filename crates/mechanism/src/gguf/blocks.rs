//! Blocks of 32 weights: `w = d·q` or `w = d·q + m`. Source: ggml `ggml-common.h`, `ggml-quants.c`.

use half::f16;

/// Values of the 4-bit codes of IQ4, `kvalues_iq4nl` in ggml.
pub(super) const IQ4_VALUES: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
];

/// A half-precision number at `at`.
pub(super) fn half_at(block: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([block[at], block[at + 1]]).to_f32()
}

pub(super) fn q4_0(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for i in 0..16 {
        let q = block[2 + i];
        out[i] = d * (f32::from(q & 15) - 8.0);
        out[i + 16] = d * (f32::from(q >> 4) - 8.0);
    }
}

pub(super) fn q4_1(block: &[u8; 20], out: &mut [f32; 32]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for i in 0..16 {
        let q = block[4 + i];
        out[i] = d * f32::from(q & 15) + m;
        out[i + 16] = d * f32::from(q >> 4) + m;
    }
}

fn fifth_bits(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

fn with_fifth(low: u8, high: u32, bit: usize) -> f32 {
    (u32::from(low) | (((high >> bit) & 1) << 4)) as f32
}

pub(super) fn q5_0(block: &[u8; 22], out: &mut [f32; 32]) {
    let (d, high) = (half_at(block, 0), fifth_bits(block, 2));
    for i in 0..16 {
        let q = block[6 + i];
        out[i] = d * (with_fifth(q & 15, high, i) - 16.0);
        out[i + 16] = d * (with_fifth(q >> 4, high, i + 16) - 16.0);
    }
}

pub(super) fn q5_1(block: &[u8; 24], out: &mut [f32; 32]) {
    let (d, m, high) = (half_at(block, 0), half_at(block, 2), fifth_bits(block, 4));
    for i in 0..16 {
        let q = block[8 + i];
        out[i] = d * with_fifth(q & 15, high, i) + m;
        out[i + 16] = d * with_fifth(q >> 4, high, i + 16) + m;
    }
}

pub(super) fn q8_0(block: &[u8; 34], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (value, q) in out.iter_mut().zip(&block[2..]) {
        *value = d * f32::from(q.cast_signed());
    }
}

pub(super) fn q8_1(block: &[u8; 36], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for (value, q) in out.iter_mut().zip(&block[4..]) {
        *value = d * f32::from(q.cast_signed());
    }
}

pub(super) fn iq4_nl(block: &[u8; 18], out: &mut [f32; 32]) {
    let d = half_at(block, 0);
    for i in 0..16 {
        let q = block[2 + i];
        out[i] = d * IQ4_VALUES[usize::from(q & 15)];
        out[i + 16] = d * IQ4_VALUES[usize::from(q >> 4)];
    }
}
