//! Vectors of sixteen in AVX-512 and AVX2 registers. `pulp` provides its token only if the processor has the
//! instructions, so calling them is safe.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

use std::arch::x86_64::{__m128i, __m256, __m256i, __m512, __m512i};

use pulp::cast;
use pulp::x86::{V3, V4};

use super::lanes::{Lanes, WIDE};

/// The sixteen values that four bits can have.
const ALL: [f32; WIDE] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
];

impl Lanes for V4 {
    type Floats = __m512;
    type Wholes = __m512i;
    const ROOMY: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        self.avx512f._mm512_set1_ps(value)
    }

    #[inline(always)]
    fn load(self, values: &[f32; WIDE]) -> __m512 {
        cast(*values)
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 4 * WIDE]) -> __m512 {
        cast(*bytes)
    }

    #[inline(always)]
    fn store(self, values: __m512) -> [f32; WIDE] {
        cast(values)
    }

    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        self.avx512f._mm512_add_ps(a, b)
    }

    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        self.avx512f._mm512_mul_ps(a, b)
    }

    #[inline(always)]
    fn mul_add(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        self.avx512f._mm512_fmadd_ps(a, b, c)
    }

    #[inline(always)]
    fn sum(self, values: __m512) -> f32 {
        let [low, high]: [__m256; 2] = cast(values);
        sum_of_eight(*self, self.avx._mm256_add_ps(low, high))
    }

    #[inline(always)]
    fn bytes(self, bytes: &[u8; WIDE]) -> __m512i {
        self.avx512f._mm512_cvtepu8_epi32(cast(*bytes))
    }

    #[inline(always)]
    fn signed_bytes(self, bytes: &[u8; WIDE]) -> __m512i {
        self.avx512f._mm512_cvtepi8_epi32(cast(*bytes))
    }

    #[inline(always)]
    fn high_halves(self, values: __m512i) -> __m512i {
        self.avx512f._mm512_srli_epi32::<4>(values)
    }

    #[inline(always)]
    fn floats(self, values: __m512i) -> __m512 {
        self.avx512f._mm512_cvtepi32_ps(values)
    }

    /// All sixteen possible results fit in one register, from which the four bits select.
    #[inline(always)]
    fn of_low_halves(self, values: __m512i, d: f32, m: f32) -> __m512 {
        let all = self.mul(cast(ALL), self.splat(d));
        self.avx512f
            ._mm512_permutexvar_ps(values, self.add(all, self.splat(m)))
    }

    #[inline(always)]
    fn of_halves(self, bytes: &[u8; 2 * WIDE]) -> __m512 {
        self.avx512f._mm512_cvtph_ps(cast(*bytes))
    }

    #[inline(always)]
    fn of_brain_halves(self, bytes: &[u8; 2 * WIDE]) -> __m512 {
        let wide = self.avx512f._mm512_cvtepu16_epi32(cast(*bytes));
        cast(self.avx512f._mm512_slli_epi32::<16>(wide))
    }

    #[inline(always)]
    fn sixteens(self, bits: u32) -> [u8; 32] {
        let each: __m256i = cast([16_u8; 32]);
        cast(self.avx512bw._mm256_maskz_mov_epi8(bits, each))
    }
}

impl Lanes for V3 {
    type Floats = [__m256; 2];
    type Wholes = [__m256i; 2];
    const ROOMY: bool = false;

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        [self.avx._mm256_set1_ps(value); 2]
    }

    #[inline(always)]
    fn load(self, values: &[f32; WIDE]) -> [__m256; 2] {
        cast(*values)
    }

    #[inline(always)]
    fn load_bytes(self, bytes: &[u8; 4 * WIDE]) -> [__m256; 2] {
        cast(*bytes)
    }

    #[inline(always)]
    fn store(self, values: [__m256; 2]) -> [f32; WIDE] {
        cast(values)
    }

    #[inline(always)]
    fn add(self, [a, b]: [__m256; 2], [c, d]: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_add_ps(a, c), self.avx._mm256_add_ps(b, d)]
    }

    #[inline(always)]
    fn mul(self, [a, b]: [__m256; 2], [c, d]: [__m256; 2]) -> [__m256; 2] {
        [self.avx._mm256_mul_ps(a, c), self.avx._mm256_mul_ps(b, d)]
    }

    #[inline(always)]
    fn mul_add(self, a: [__m256; 2], b: [__m256; 2], c: [__m256; 2]) -> [__m256; 2] {
        [
            self.fma._mm256_fmadd_ps(a[0], b[0], c[0]),
            self.fma._mm256_fmadd_ps(a[1], b[1], c[1]),
        ]
    }

    #[inline(always)]
    fn sum(self, [low, high]: [__m256; 2]) -> f32 {
        sum_of_eight(self, self.avx._mm256_add_ps(low, high))
    }

    #[inline(always)]
    fn bytes(self, bytes: &[u8; WIDE]) -> [__m256i; 2] {
        let [low, high] = halved(bytes);
        [
            self.avx2._mm256_cvtepu8_epi32(low),
            self.avx2._mm256_cvtepu8_epi32(high),
        ]
    }

    #[inline(always)]
    fn signed_bytes(self, bytes: &[u8; WIDE]) -> [__m256i; 2] {
        let [low, high] = halved(bytes);
        [
            self.avx2._mm256_cvtepi8_epi32(low),
            self.avx2._mm256_cvtepi8_epi32(high),
        ]
    }

    #[inline(always)]
    fn high_halves(self, [low, high]: [__m256i; 2]) -> [__m256i; 2] {
        [
            self.avx2._mm256_srli_epi32::<4>(low),
            self.avx2._mm256_srli_epi32::<4>(high),
        ]
    }

    #[inline(always)]
    fn floats(self, [low, high]: [__m256i; 2]) -> [__m256; 2] {
        [
            self.avx._mm256_cvtepi32_ps(low),
            self.avx._mm256_cvtepi32_ps(high),
        ]
    }

    #[inline(always)]
    fn of_low_halves(self, [low, high]: [__m256i; 2], d: f32, m: f32) -> [__m256; 2] {
        let mask = cast([15_u32; 8]);
        let low = self.avx2._mm256_and_si256(low, mask);
        let high = self.avx2._mm256_and_si256(high, mask);
        let scaled = self.mul(self.floats([low, high]), self.splat(d));
        self.add(scaled, self.splat(m))
    }

    #[inline(always)]
    fn sixteens(self, bits: u32) -> [u8; 32] {
        // Byte `i` tests bit `i % 8` of byte `i / 8` of `bits`, which is repeated throughout the register.
        const FROM: [[u8; 8]; 4] = [[0; 8], [1; 8], [2; 8], [3; 8]];
        let spread = self
            .avx2
            ._mm256_shuffle_epi8(cast([bits; 8]), cast::<[[u8; 8]; 4], __m256i>(FROM));
        let own = cast([[1_u8, 2, 4, 8, 16, 32, 64, 128]; 4]);
        let set = self
            .avx2
            ._mm256_cmpeq_epi8(self.avx2._mm256_and_si256(spread, own), own);
        cast(self.avx2._mm256_and_si256(set, cast([16_u8; 32])))
    }
}

/// Eight bytes each, padded with eight unused ones.
#[inline(always)]
fn halved(bytes: &[u8; WIDE]) -> [__m128i; 2] {
    let [low, high]: [u64; 2] = cast(*bytes);
    [cast([low, 0]), cast([high, 0])]
}

/// The sum of eight elements, computed pairwise.
#[inline(always)]
fn sum_of_eight(simd: V3, values: __m256) -> f32 {
    let [low, high] = cast(values);
    let four = simd.sse._mm_add_ps(low, high);
    let two = simd.sse._mm_add_ps(four, simd.sse._mm_movehl_ps(four, four));
    let one = simd.sse._mm_add_ss(two, simd.sse._mm_shuffle_ps::<1>(two, two));
    simd.sse._mm_cvtss_f32(one)
}
