//! Number formats of weights, and their size in bytes.

use serde::{Deserialize, Serialize};

/// How weights are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Precision {
    /// 32 bits.
    #[serde(rename = "f32")]
    F32,
    /// 16 bits, either `bf16` or `f16`.
    #[serde(rename = "bf16")]
    Half,
    /// 8 bits inside the layers; embedding and output head keep 16 (Dettmers et al. 2022,
    /// <https://arxiv.org/abs/2208.07339>).
    #[serde(rename = "int8")]
    Int8,
    /// 4 bits inside the layers with a 32-bit scale for each 64 weights, 4.5 bits in all; embedding and output head
    /// keep 16 (Dettmers et al. 2023, <https://arxiv.org/abs/2305.14314>, section 3).
    #[serde(rename = "4bit")]
    Int4,
}

impl Precision {
    /// All formats, widest first.
    pub const ALL: [Self; 4] = [Self::F32, Self::Half, Self::Int8, Self::Int4];

    /// The word that commands and answers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Half => "bf16",
            Self::Int8 => "int8",
            Self::Int4 => "4bit",
        }
    }

    /// The format with that name, or `None`; common aliases are accepted.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "f32" | "fp32" | "float32" => Self::F32,
            "bf16" | "f16" | "fp16" | "float16" | "bfloat16" | "half" => Self::Half,
            "int8" | "8bit" | "8-bit" | "q8" | "q8_0" => Self::Int8,
            "4bit" | "int4" | "4-bit" | "nf4" | "q4" => Self::Int4,
            _ => return None,
        })
    }

    /// Bits per weight inside the layers.
    pub const fn bits(self) -> f64 {
        match self {
            Self::F32 => 32.0,
            Self::Half => 16.0,
            Self::Int8 => 8.0,
            Self::Int4 => 4.5,
        }
    }

    /// Bytes per number in the cache and in activations: quantized weights are converted to 16 bits.
    pub const fn cache_bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::Half | Self::Int8 | Self::Int4 => 2.0,
        }
    }

    /// Bytes of `inside` weights in layers and `outside` weights elsewhere.
    pub(crate) fn bytes(self, inside: i64, outside: i64) -> f64 {
        inside as f64 * self.bits() / 8.0 + outside as f64 * self.cache_bytes()
    }
}
