//! Storage types of ggml, and decoding of their blocks to `f32`.

use std::fmt;

use half::bf16;

use super::{blocks, k_quants};
use crate::wide::wide;

/// A ggml storage type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are ggml's own")]
#[expect(non_camel_case_types, reason = "the names are ggml's own")]
pub enum GgmlType {
    F32,
    F16,
    BF16,
    F64,
    Q4_0,
    Q4_1,
    Q5_0,
    Q5_1,
    Q8_0,
    Q8_1,
    Q2_K,
    Q3_K,
    Q4_K,
    Q5_K,
    Q6_K,
    Q8_K,
    IQ4_NL,
    IQ4_XS,
    /// A type that can be listed but not decoded; its code in ggml.
    Other(u32),
}

/// Names of types that can be listed but not decoded.
const NAMES: [(u32, &str); 10] = [
    (16, "IQ2_XXS"),
    (17, "IQ2_XS"),
    (18, "IQ3_XXS"),
    (19, "IQ1_S"),
    (21, "IQ3_S"),
    (22, "IQ2_S"),
    (29, "IQ1_M"),
    (34, "TQ1_0"),
    (35, "TQ2_0"),
    (39, "MXFP4"),
];

impl fmt::Display for GgmlType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(code) => match NAMES.iter().find(|(known, _)| known == code) {
                Some((_, name)) => f.write_str(name),
                None => write!(f, "ggml type {code}"),
            },
            known => write!(f, "{known:?}"),
        }
    }
}

impl GgmlType {
    /// The type with code `code` in ggml.
    pub fn from_code(code: u32) -> Self {
        match code {
            0 => Self::F32,
            1 => Self::F16,
            2 => Self::Q4_0,
            3 => Self::Q4_1,
            6 => Self::Q5_0,
            7 => Self::Q5_1,
            8 => Self::Q8_0,
            9 => Self::Q8_1,
            10 => Self::Q2_K,
            11 => Self::Q3_K,
            12 => Self::Q4_K,
            13 => Self::Q5_K,
            14 => Self::Q6_K,
            15 => Self::Q8_K,
            20 => Self::IQ4_NL,
            23 => Self::IQ4_XS,
            28 => Self::F64,
            30 => Self::BF16,
            other => Self::Other(other),
        }
    }

    /// Number of elements and bytes of one block, as in `ggml-common.h`, including types that cannot be decoded
    /// (reading these fails). An unknown type counts zero bytes.
    pub fn block(self) -> (u64, u64) {
        match self {
            Self::F32 => (1, 4),
            Self::F16 | Self::BF16 => (1, 2),
            Self::F64 => (1, 8),
            Self::Q4_0 | Self::IQ4_NL => (32, 18),
            Self::Q4_1 => (32, 20),
            Self::Q5_0 => (32, 22),
            Self::Q5_1 => (32, 24),
            Self::Q8_0 => (32, 34),
            Self::Q8_1 => (32, 36),
            Self::Q2_K => (256, 84),
            Self::Q3_K => (256, 110),
            Self::Q4_K => (256, 144),
            Self::Q5_K => (256, 176),
            Self::Q6_K => (256, 210),
            Self::Q8_K => (256, 292),
            Self::IQ4_XS => (256, 136),
            Self::Other(code) => match code {
                // The codes are those of IQ2_XXS, IQ2_XS, IQ3_XXS, IQ1_S, IQ3_S, IQ2_S, IQ1_M,
                // and, of the same size as IQ2_XXS, TQ2_0.
                16 | 35 => (256, 66),
                17 => (256, 74),
                18 => (256, 98),
                19 => (256, 50),
                21 => (256, 110),
                22 => (256, 82),
                29 => (256, 56),
                // Integers of 8, 16, 32 and 64 bits.
                24 => (1, 1),
                25 => (1, 2),
                26 => (1, 4),
                27 => (1, 8),
                // TQ1_0, MXFP4.
                34 => (256, 54),
                39 => (32, 17),
                _ => (1, 0),
            },
        }
    }

    /// Whether values of this type can be decoded.
    pub fn is_read(self) -> bool {
        !matches!(self, Self::Other(_))
    }

    /// Number of bytes of `numbers` elements, which must be whole blocks.
    pub fn bytes(self, numbers: usize) -> usize {
        let (per_block, bytes) = self.block();
        numbers / per_block as usize * bytes as usize
    }

    /// Decodes whole blocks into `out`, with the widest vectors of the machine. The caller has checked that both
    /// lengths match. Returns false if the type cannot be decoded.
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) -> bool {
        wide(
            #[inline(always)]
            || self.decode_plainly(bytes, out),
        )
    }

    #[inline(always)]
    fn decode_plainly(self, bytes: &[u8], out: &mut [f32]) -> bool {
        // Macros, because a function passed as an argument would not be compiled for wide vectors.
        macro_rules! by_block {
            ($bytes:literal, $decode:path) => {{
                let (blocks, _) = bytes.as_chunks::<$bytes>();
                let (values, _) = out.as_chunks_mut::<256>();
                for (block, values) in blocks.iter().zip(values) {
                    $decode(block, values);
                }
            }};
        }
        // The half-precision numbers at the start of 32 blocks are converted together.
        macro_rules! by_small_block {
            ($bytes:literal, $decode:path) => {{
                let (blocks, _) = bytes.as_chunks::<$bytes>();
                let (values, _) = out.as_chunks_mut::<32>();
                let shifts = std::hint::black_box([0, 4]);
                for (blocks, values) in blocks.chunks(32).zip(values.chunks_mut(32)) {
                    let (mut bits, mut heads) = ([[0; 2]; 32], [[0.0; 2]; 32]);
                    for (bits, block) in bits.iter_mut().zip(blocks) {
                        let at = |at| u16::from_le_bytes([block[at], block[at + 1]]);
                        *bits = [at(0), at(2)];
                    }
                    for (head, bits) in heads.as_flattened_mut().iter_mut().zip(bits.as_flattened()) {
                        *head = blocks::half(*bits);
                    }
                    for ((block, values), head) in blocks.iter().zip(values).zip(heads) {
                        $decode(head, shifts, block, values);
                    }
                }
            }};
        }
        match self {
            Self::F32 => {
                for (value, b) in out.iter_mut().zip(bytes.as_chunks::<4>().0) {
                    *value = f32::from_le_bytes(*b);
                }
            }
            Self::F64 => {
                for (value, b) in out.iter_mut().zip(bytes.as_chunks::<8>().0) {
                    *value = f64::from_le_bytes(*b) as f32;
                }
            }
            Self::F16 => {
                for (value, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = blocks::half(u16::from_le_bytes(*b));
                }
            }
            Self::BF16 => {
                for (value, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                    *value = bf16::from_le_bytes(*b).to_f32();
                }
            }
            Self::Q4_0 => by_small_block!(18, blocks::q4_0),
            Self::Q4_1 => by_small_block!(20, blocks::q4_1),
            Self::Q5_0 => by_small_block!(22, blocks::q5_0),
            Self::Q5_1 => by_small_block!(24, blocks::q5_1),
            Self::Q8_0 => by_small_block!(34, blocks::q8_0),
            Self::Q8_1 => by_small_block!(36, blocks::q8_1),
            Self::IQ4_NL => by_small_block!(18, blocks::iq4_nl),
            Self::Q2_K => by_block!(84, k_quants::q2_k),
            Self::Q3_K => by_block!(110, k_quants::q3_k),
            Self::Q4_K => by_block!(144, k_quants::q4_k),
            Self::Q5_K => by_block!(176, k_quants::q5_k),
            Self::Q6_K => by_block!(210, k_quants::q6_k),
            Self::Q8_K => by_block!(292, k_quants::q8_k),
            Self::IQ4_XS => by_block!(136, k_quants::iq4_xs),
            Self::Other(_) => return false,
        }
        true
    }
}
