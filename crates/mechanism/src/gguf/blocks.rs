//! Blocks of 32 weights: `w = d·q` or `w = d·q + m`. Source: ggml `ggml-common.h`, `ggml-quants.c`.
//!
//! Plain loops over arrays, which are compiled for the widest vectors of the machine where `quantization.rs` calls
//! them. The numbers at the start of a block (`d`, and `m` if there is one) are passed in decoded form.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the vectorised loop to be vectorised"
)]

/// Values of the 4-bit codes of IQ4, `kvalues_iq4nl` in ggml.
pub(super) const IQ4_VALUES: [f32; 16] = [
    -127.0, -104.0, -83.0, -65.0, -49.0, -35.0, -22.0, -10.0, 1.0, 13.0, 25.0, 38.0, 53.0, 69.0, 89.0, 113.0,
];

/// Converts a half-precision number to `f32` without branches or calls, so that loops over it can be vectorised.
#[inline(always)]
pub(crate) fn half(bits: u16) -> f32 {
    let magnitude = u32::from(bits & 0x7fff) << 13;
    // The exponent biases differ by 112; multiplying by a power of two is exact, also for subnormal numbers.
    let finite = f32::from_bits(magnitude) * f32::from_bits((112 + 127) << 23);
    // An exponent of all ones means infinity or NaN in both formats.
    let all_ones = magnitude | 0x7f80_0000;
    let of = if bits & 0x7c00 == 0x7c00 {
        all_ones
    } else {
        finite.to_bits()
    };
    f32::from_bits(of | (u32::from(bits & 0x8000) << 16))
}

/// The half-precision number at index `at`.
#[inline(always)]
pub(super) fn half_at(block: &[u8], at: usize) -> f32 {
    half(u16::from_le_bytes([block[at], block[at + 1]]))
}

/// The low halves of sixteen bytes, then their high halves.
///
/// First extracts all integers and only then converts to `f32`, so that both loops are vectorised. The compiler must
/// not know that `shifts` is `[0, 4]`, or it would unroll the loops and not vectorise them.
#[inline(always)]
fn halves(bytes: &[u8], shifts: [u32; 2]) -> [i32; 32] {
    let mut all = [0; 32];
    for (all, shift) in all.as_chunks_mut::<16>().0.iter_mut().zip(shifts) {
        for (q, byte) in all.iter_mut().zip(bytes) {
            *q = i32::from((byte >> shift) & 15);
        }
    }
    all
}

#[inline(always)]
pub(super) fn q4_0([d, _]: [f32; 2], shifts: [u32; 2], block: &[u8; 18], out: &mut [f32; 32]) {
    for (value, q) in out.iter_mut().zip(halves(&block[2..], shifts)) {
        *value = d * (q as f32 - 8.0);
    }
}

#[inline(always)]
pub(super) fn q4_1([d, m]: [f32; 2], shifts: [u32; 2], block: &[u8; 20], out: &mut [f32; 32]) {
    for (value, q) in out.iter_mut().zip(halves(&block[4..], shifts)) {
        *value = d * q as f32 + m;
    }
}

#[inline(always)]
fn fifth_bits(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[inline(always)]
fn with_fifth(low: u8, high: u32, bit: usize) -> f32 {
    (u32::from(low) | (((high >> bit) & 1) << 4)) as f32
}

#[inline(always)]
pub(super) fn q5_0([d, _]: [f32; 2], _: [u32; 2], block: &[u8; 22], out: &mut [f32; 32]) {
    let high = fifth_bits(block, 2);
    for i in 0..16 {
        let q = block[6 + i];
        out[i] = d * (with_fifth(q & 15, high, i) - 16.0);
        out[i + 16] = d * (with_fifth(q >> 4, high, i + 16) - 16.0);
    }
}

#[inline(always)]
pub(super) fn q5_1([d, m]: [f32; 2], _: [u32; 2], block: &[u8; 24], out: &mut [f32; 32]) {
    let high = fifth_bits(block, 4);
    for i in 0..16 {
        let q = block[8 + i];
        out[i] = d * with_fifth(q & 15, high, i) + m;
        out[i + 16] = d * with_fifth(q >> 4, high, i + 16) + m;
    }
}

/// Decodes signed bytes, each multiplied by `d`.
#[inline(always)]
pub(super) fn signed<const N: usize>(bytes: &[u8], d: f32, out: &mut [f32; N]) {
    let mut all = [0; N];
    for (q, byte) in all.iter_mut().zip(bytes) {
        *q = i32::from(byte.cast_signed());
    }
    for (value, q) in out.iter_mut().zip(all) {
        *value = d * q as f32;
    }
}

#[inline(always)]
pub(super) fn q8_0([d, _]: [f32; 2], _: [u32; 2], block: &[u8; 34], out: &mut [f32; 32]) {
    signed(&block[2..], d, out);
}

#[inline(always)]
pub(super) fn q8_1([d, _]: [f32; 2], _: [u32; 2], block: &[u8; 36], out: &mut [f32; 32]) {
    signed(&block[4..], d, out);
}

#[inline(always)]
pub(super) fn iq4_nl([d, _]: [f32; 2], _: [u32; 2], block: &[u8; 18], out: &mut [f32; 32]) {
    for i in 0..16 {
        let q = block[2 + i];
        out[i] = d * IQ4_VALUES[usize::from(q & 15)];
        out[i + 16] = d * IQ4_VALUES[usize::from(q >> 4)];
    }
}

#[cfg(test)]
mod tests {
    use super::half;

    #[test]
    fn every_half_is_the_number_that_the_format_says() {
        for bits in 0..=u16::MAX {
            let (own, known) = (half(bits), half::f16::from_bits(bits).to_f32());
            if known.is_nan() {
                assert!(own.is_nan(), "{bits:#06x}: {own}");
            } else {
                assert_eq!(own.to_bits(), known.to_bits(), "{bits:#06x}: {own}, not {known}");
            }
        }
    }
}
