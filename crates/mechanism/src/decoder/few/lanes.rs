//! Vectors of sixteen `f32` on any machine: one AVX-512 register, two AVX2 registers, or an array left to the compiler.
//!
//! All implementations with fused multiply-add give identical bits; a sum of sixteen is always computed pairwise,
//! adding the upper half to the lower.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

use crate::gguf::half;

/// Number of elements in a vector.
pub(super) const WIDE: usize = 16;

/// Operations on vectors of sixteen elements.
pub(super) trait Lanes: Copy {
    /// Sixteen `f32`.
    type Floats: Copy;
    /// Sixteen 32-bit integers.
    type Wholes: Copy;
    /// 32 five-bit elements.
    type Fives: Copy;
    /// Whether sixteen vectors of partial sums fit in registers beside the factors.
    const ROOMY: bool;

    fn splat(self, value: f32) -> Self::Floats;
    fn load(self, values: &[f32; WIDE]) -> Self::Floats;
    /// From little-endian bytes.
    fn load_bytes(self, bytes: &[u8; 4 * WIDE]) -> Self::Floats;
    fn store(self, values: Self::Floats) -> [f32; WIDE];
    fn add(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    fn mul(self, a: Self::Floats, b: Self::Floats) -> Self::Floats;
    /// `a·b + c`.
    fn mul_add(self, a: Self::Floats, b: Self::Floats, c: Self::Floats) -> Self::Floats;
    /// The sum of all elements, computed pairwise.
    fn sum(self, values: Self::Floats) -> f32;
    fn bytes(self, bytes: &[u8; WIDE]) -> Self::Wholes;
    fn signed_bytes(self, bytes: &[u8; WIDE]) -> Self::Wholes;
    /// Shifts each element right by four bits: the high half of a byte moves to the low half.
    fn high_halves(self, values: Self::Wholes) -> Self::Wholes;
    fn floats(self, values: Self::Wholes) -> Self::Floats;
    /// `d·q + m` for the low four bits `q` of each element; `d·q` must be exact, so that there is one rounding.
    fn of_low_halves(self, values: Self::Wholes, d: f32, m: f32) -> Self::Floats;

    /// 32 five-bit elements: their low four bits (sixteen low halves of bytes, then sixteen high halves), and a bit each of `fifth`.
    fn fives(self, low: &[u8; WIDE], fifth: u32) -> Self::Fives;
    /// `d·q + m` for the first (`HALF` is 0) or last sixteen elements `q`; `d·q` must be exact, so that there is one rounding.
    fn of_fives<const HALF: usize>(self, fives: &Self::Fives, d: f32, m: f32) -> Self::Floats;

    /// Converts sixteen half-precision numbers.
    #[inline(always)]
    fn of_halves(self, bytes: &[u8; 2 * WIDE]) -> Self::Floats {
        let mut out = [0.0; WIDE];
        for (value, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *value = half(u16::from_le_bytes(*bytes));
        }
        self.load(&out)
    }

    /// Converts sixteen `bfloat16` numbers.
    #[inline(always)]
    fn of_brain_halves(self, bytes: &[u8; 2 * WIDE]) -> Self::Floats {
        let mut out = [0.0; WIDE];
        for (value, bytes) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
            *value = f32::from_bits(u32::from(u16::from_le_bytes(*bytes)) << 16);
        }
        self.load(&out)
    }
}

/// The portable implementation, with arrays.
#[derive(Clone, Copy)]
pub(super) struct Plain;

/// `a·b + c`, fused on machines that have such an instruction by default.
#[inline(always)]
fn multiplied(a: f32, b: f32, c: f32) -> f32 {
    if cfg!(target_arch = "aarch64") {
        a.mul_add(b, c)
    } else {
        a * b + c
    }
}

impl Lanes for Plain {
    type Floats = [f32; WIDE];
    type Wholes = [i32; WIDE];
    type Fives = [u8; 32];
    const ROOMY: bool = false;

    #[inline(always)]
    fn splat(self, value: f32) -> [f32; WIDE] {
        [value; WIDE]
    }

    #[inline(always)]
    fn load(self, values: &[f32; WIDE]) -> [f32; WIDE] {
        *values
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 4 * WIDE]) -> [f32; WIDE] {
        let mut out = [0.0; WIDE];
        for (value, bytes) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *value = f32::from_le_bytes(*bytes);
        }
        out
    }

    #[inline(always)]
    fn store(self, values: [f32; WIDE]) -> [f32; WIDE] {
        values
    }

    #[inline(always)]
    fn add(self, mut a: [f32; WIDE], b: [f32; WIDE]) -> [f32; WIDE] {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }

    #[inline(always)]
    fn mul(self, mut a: [f32; WIDE], b: [f32; WIDE]) -> [f32; WIDE] {
        for (a, b) in a.iter_mut().zip(b) {
            *a *= b;
        }
        a
    }

    #[inline(always)]
    fn mul_add(self, a: [f32; WIDE], b: [f32; WIDE], mut c: [f32; WIDE]) -> [f32; WIDE] {
        for (c, (a, b)) in c.iter_mut().zip(a.into_iter().zip(b)) {
            *c = multiplied(a, b, *c);
        }
        c
    }

    #[inline(always)]
    fn sum(self, mut values: [f32; WIDE]) -> f32 {
        for half in [8, 4, 2, 1] {
            for i in 0..half {
                values[i] += values[i + half];
            }
        }
        values[0]
    }

    #[inline(always)]
    fn bytes(self, bytes: &[u8; WIDE]) -> [i32; WIDE] {
        let mut out = [0; WIDE];
        for (value, byte) in out.iter_mut().zip(bytes) {
            *value = i32::from(*byte);
        }
        out
    }

    #[inline(always)]
    fn signed_bytes(self, bytes: &[u8; WIDE]) -> [i32; WIDE] {
        let mut out = [0; WIDE];
        for (value, byte) in out.iter_mut().zip(bytes) {
            *value = i32::from(byte.cast_signed());
        }
        out
    }

    #[inline(always)]
    fn high_halves(self, mut values: [i32; WIDE]) -> [i32; WIDE] {
        for value in &mut values {
            *value >>= 4;
        }
        values
    }

    #[inline(always)]
    fn floats(self, values: [i32; WIDE]) -> [f32; WIDE] {
        let mut out = [0.0; WIDE];
        for (to, value) in out.iter_mut().zip(values) {
            *to = value as f32;
        }
        out
    }

    #[inline(always)]
    fn of_low_halves(self, values: [i32; WIDE], d: f32, m: f32) -> [f32; WIDE] {
        let mut out = [0.0; WIDE];
        for (to, value) in out.iter_mut().zip(values) {
            *to = d * (value & 15) as f32 + m;
        }
        out
    }

    #[inline(always)]
    fn fives(self, low: &[u8; WIDE], fifth: u32) -> [u8; 32] {
        let mut all = halves(low);
        for (bit, q) in all.iter_mut().enumerate() {
            *q |= (((fifth >> bit) & 1) << 4) as u8;
        }
        all
    }

    #[inline(always)]
    fn of_fives<const HALF: usize>(self, fives: &[u8; 32], d: f32, m: f32) -> [f32; WIDE] {
        of_bytes::<_, HALF>(self, fives, d, m)
    }
}

/// The low halves of sixteen bytes, then their high halves.
#[inline(always)]
pub(super) fn halves(bytes: &[u8; WIDE]) -> [u8; 32] {
    let mut out = [0; 32];
    for (i, byte) in bytes.iter().enumerate() {
        out[i] = byte & 15;
        out[i + WIDE] = byte >> 4;
    }
    out
}

/// `d·q + m` for the first (`HALF` is 0) or last sixteen bytes `q`.
#[inline(always)]
pub(super) fn of_bytes<L: Lanes, const HALF: usize>(lanes: L, all: &[u8; 32], d: f32, m: f32) -> L::Floats {
    let q = lanes.floats(lanes.bytes(&all.as_chunks().0[HALF]));
    lanes.mul_add(q, lanes.splat(d), lanes.splat(m))
}
