//! Vectors of sixteen in AVX-512 and AVX2 registers. `pulp` provides its token only if the processor has the
//! instructions, so calling them is safe.

#![expect(
    clippy::inline_always,
    reason = "they must be inlined into the loop that has wide vectors"
)]

use std::arch::x86_64::{__m128i, __m256, __m256i, __m512, __m512i};

use pulp::cast;
use pulp::x86::{V3, V4};

use super::lanes::{Lanes, WIDE, halves, of_bytes};

/// The sixteen values that four bits can have.
const ALL: [f32; WIDE] = [
    0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0,
];

/// The sixteen values that five bits can have beside these.
const LAST: [f32; WIDE] = [
    16.0, 17.0, 18.0, 19.0, 20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 27.0, 28.0, 29.0, 30.0, 31.0,
];
/// How far to the right each bit of 32 is rotated until it is the fifth.
const TURNS: [[u32; WIDE]; 2] = [
    [28, 29, 30, 31, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
    [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27],
];

impl Lanes for V4 {
    type Floats = __m512;
    type Wholes = __m512i;
    /// The bytes, and `fifth` in every element.
    type Fives = [__m512i; 2];
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
        let all = self.mul_add(cast(ALL), self.splat(d), self.splat(m));
        self.avx512f._mm512_permutexvar_ps(values, all)
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
    fn fives(self, low: &[u8; WIDE], fifth: u32) -> [__m512i; 2] {
        [self.bytes(low), cast([fifth; WIDE])]
    }

    /// All 32 possible results fit in two registers. An element's own bit of `fifth` is rotated to the fifth place, above the four others.
    #[inline(always)]
    fn of_fives<const HALF: usize>(self, &[bytes, fifth]: &[__m512i; 2], d: f32, m: f32) -> __m512 {
        let [low, turns] = if HALF == 0 {
            [bytes, cast(TURNS[0])]
        } else {
            [self.high_halves(bytes), cast(TURNS[1])]
        };
        let fifth = self.avx512f._mm512_rorv_epi32(fifth, turns);
        // Bits 0 to 3 from `low`, all others from `fifth`.
        let q = self
            .avx512f
            ._mm512_ternarylogic_epi32::<0xca>(cast([15_u32; WIDE]), low, fifth);
        let (d, m) = (self.splat(d), self.splat(m));
        let [first, last] = [ALL, LAST].map(|all| self.mul_add(cast(all), d, m));
        self.avx512f._mm512_permutex2var_ps(first, q, last)
    }
}

impl Lanes for V3 {
    type Floats = [__m256; 2];
    type Wholes = [__m256i; 2];
    type Fives = [u8; 32];
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
        self.mul_add(self.floats([low, high]), self.splat(d), self.splat(m))
    }

    #[inline(always)]
    fn fives(self, low: &[u8; WIDE], fifth: u32) -> [u8; 32] {
        // Byte `i` tests bit `i % 8` of byte `i / 8` of `fifth`, which is repeated throughout the register.
        const FROM: [[u8; 8]; 4] = [[0; 8], [1; 8], [2; 8], [3; 8]];
        let spread = self
            .avx2
            ._mm256_shuffle_epi8(cast([fifth; 8]), cast::<[[u8; 8]; 4], __m256i>(FROM));
        let own = cast([[1_u8, 2, 4, 8, 16, 32, 64, 128]; 4]);
        let set = self
            .avx2
            ._mm256_cmpeq_epi8(self.avx2._mm256_and_si256(spread, own), own);
        let sixteens = self.avx2._mm256_and_si256(set, cast([16_u8; 32]));
        cast(self.avx2._mm256_or_si256(cast(halves(low)), sixteens))
    }

    #[inline(always)]
    fn of_fives<const HALF: usize>(self, fives: &[u8; 32], d: f32, m: f32) -> [__m256; 2] {
        of_bytes::<_, HALF>(self, fives, d, m)
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
