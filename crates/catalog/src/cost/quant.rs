//! Formats of stored weights by name, and the bytes that a checkpoint takes in each.
//!
//! A GGUF type such as `Q4_K_M` is a rule, not a number of bits: llama.cpp stores some matrices with more bits than
//! others, depending on the layer (`src/llama-quant.cpp`, `llama_tensor_get_type`). The rules here are those for
//! checkpoints without an importance matrix and with rows that are multiples of 256; norms and biases stay in 32 bits.
//! Bits per weight follow from the blocks in `ggml-common.h`. Packed formats of the Hub quantize the matrices of the
//! layers; embedding and output head keep 16 bits.

use serde::{Deserialize, Serialize};

use super::pack::{PACKS, Pack, packed};
use super::{Arithmetic, Parts, Precision};
use crate::config::matrices::Matrices;

/// A format of stored weights.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Quant(Kind);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// All numbers in the same format.
    Plain(Precision),
    /// A rule of llama.cpp.
    Gguf(&'static Mix),
    /// Matrices of the layers quantized, everything else in 16 bits.
    Packed(&'static Pack),
}

/// A rule of llama.cpp.
#[derive(Debug, PartialEq)]
struct Mix {
    name: &'static str,
    /// Bits of a matrix for which there is no exception.
    usual: f64,
    /// Bits of the output head, or of the embedding where the two are tied.
    head: f64,
    /// Bits of an embedding that is not tied to the output head.
    embedding: f64,
    /// Exceptions for the value matrix and for the last matrix of the feed-forward layer.
    values: Instead,
    down: Instead,
    /// Bits of the output projection of attention.
    attention_out: f64,
}

/// In which layers a matrix has other than the usual bits, and how many.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Instead {
    None,
    All(f64),
    /// The first eighth and the last eighth of the layers, and every third layer between.
    More(f64),
    /// The first eighth of the layers.
    FirstEighth(f64),
    /// The first sixteenth of the layers with the first number of bits, the others with the second.
    FirstSixteenth(f64, f64),
    /// The given number of first layers with the first number of bits, the others with the second.
    First(usize, f64, f64),
    /// The first number of bits where four or more query heads share a key-value head, else the second.
    Grouped(f64, f64),
}

impl Instead {
    fn bits(self, usual: f64, at: usize, layers: usize, group: i64) -> f64 {
        let eighth = layers / 8;
        match self {
            Self::All(bits) => bits,
            Self::More(bits) if at < eighth || at >= 7 * layers / 8 || at.saturating_sub(eighth) % 3 == 2 => {
                bits
            }
            Self::FirstEighth(bits) if at < eighth => bits,
            Self::FirstSixteenth(first, others) => {
                if at < layers / 16 {
                    first
                } else {
                    others
                }
            }
            Self::First(count, first, others) => {
                if at < count {
                    first
                } else {
                    others
                }
            }
            Self::Grouped(grouped, others) => {
                if group >= 4 {
                    grouped
                } else {
                    others
                }
            }
            _ => usual,
        }
    }
}

const Q2_K: f64 = 2.625;
const Q3_K: f64 = 3.4375;
const Q4_K: f64 = 4.5;
const Q5_K: f64 = 5.5;
const Q6_K: f64 = 6.5625;
const IQ3_S: f64 = 3.4375;

/// A rule by which all matrices except the output head have the same bits.
const fn alike(name: &'static str, usual: f64, head: f64) -> Mix {
    Mix {
        name,
        usual,
        head,
        embedding: usual,
        values: Instead::None,
        down: Instead::None,
        attention_out: usual,
    }
}

static MIXES: [Mix; 25] = [
    alike("Q8_0", 8.5, 8.5),
    alike("Q6_K", Q6_K, Q6_K),
    Mix {
        values: Instead::More(Q6_K),
        down: Instead::More(Q6_K),
        ..alike("Q5_K_M", Q5_K, Q6_K)
    },
    alike("Q5_K_S", Q5_K, Q6_K),
    alike("Q5_1", 6.0, Q6_K),
    alike("Q5_0", 5.5, Q6_K),
    Mix {
        values: Instead::More(Q6_K),
        down: Instead::More(Q6_K),
        ..alike("Q4_K_M", Q4_K, Q6_K)
    },
    Mix {
        values: Instead::First(4, Q5_K, Q4_K),
        down: Instead::FirstEighth(Q5_K),
        ..alike("Q4_K_S", Q4_K, Q6_K)
    },
    alike("Q4_1", 5.0, Q6_K),
    alike("Q4_0", 4.5, Q6_K),
    Mix {
        values: Instead::Grouped(Q5_K, 4.5),
        down: Instead::FirstEighth(Q5_K),
        ..alike("IQ4_NL", 4.5, Q6_K)
    },
    Mix {
        values: Instead::Grouped(Q5_K, 4.25),
        down: Instead::FirstEighth(Q5_K),
        ..alike("IQ4_XS", 4.25, Q6_K)
    },
    Mix {
        values: Instead::All(Q5_K),
        down: Instead::All(Q5_K),
        attention_out: Q5_K,
        ..alike("Q3_K_L", Q3_K, Q6_K)
    },
    Mix {
        values: Instead::First(2, Q5_K, Q4_K),
        down: Instead::FirstSixteenth(Q5_K, Q4_K),
        attention_out: Q4_K,
        ..alike("Q3_K_M", Q3_K, Q6_K)
    },
    alike("Q3_K_S", Q3_K, Q6_K),
    Mix {
        values: Instead::All(Q4_K),
        down: Instead::FirstEighth(Q4_K),
        attention_out: Q4_K,
        ..alike("IQ3_M", IQ3_S, Q6_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, IQ3_S),
        ..alike("IQ3_S", IQ3_S, Q6_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, IQ3_S),
        down: Instead::FirstEighth(Q4_K),
        attention_out: IQ3_S,
        embedding: IQ3_S,
        ..alike("IQ3_XXS", 3.0625, Q5_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, Q3_K),
        down: Instead::All(Q3_K),
        attention_out: Q3_K,
        ..alike("Q2_K", Q2_K, Q6_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, Q2_K),
        down: Instead::FirstEighth(Q4_K),
        ..alike("Q2_K_S", Q2_K, Q6_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, IQ3_S),
        down: Instead::FirstEighth(Q3_K),
        attention_out: IQ3_S,
        embedding: IQ3_S,
        ..alike("IQ2_M", 2.5625, Q5_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, Q2_K),
        down: Instead::FirstEighth(Q2_K),
        embedding: Q2_K,
        ..alike("IQ2_XXS", 2.0625, Q5_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, Q2_K),
        down: Instead::FirstEighth(Q2_K),
        embedding: Q2_K,
        ..alike("IQ1_M", 1.75, Q5_K)
    },
    Mix {
        values: Instead::Grouped(Q4_K, Q2_K),
        down: Instead::FirstEighth(Q2_K),
        embedding: Q2_K,
        ..alike("IQ1_S", 1.5625, Q5_K)
    },
    alike("TQ2_0", 2.0625, Q6_K),
];

/// Bytes of a checkpoint, by part.
pub(super) struct Stored {
    /// Bytes of each layer.
    pub(super) layers: Vec<f64>,
    /// Bytes of embedding, output head, and everything else outside the layers.
    pub(super) tables: f64,
}

/// Aliases, and the names they stand for.
const ALIASES: [(&str, &str); 22] = [
    ("gptq-int4", "gptq"),
    ("gptq-4bit", "gptq"),
    ("awq-int4", "awq"),
    ("int4", "gptq"),
    ("w4a16", "gptq"),
    ("w8a8", "int8"),
    ("8bit", "int8"),
    ("llm.int8", "int8"),
    ("4bit", "nf4"),
    ("bitsandbytes", "nf4"),
    ("bnb", "nf4"),
    ("bnb-4bit", "nf4"),
    ("fp8-dynamic", "fp8"),
    ("f8", "fp8"),
    ("fp4", "nvfp4"),
    ("q8", "q8_0"),
    ("q6", "q6_k"),
    ("q5", "q5_k_m"),
    ("q4", "q4_k_m"),
    ("q4_k", "q4_k_m"),
    ("q5_k", "q5_k_m"),
    ("q3_k", "q3_k_m"),
];

impl From<Precision> for Quant {
    fn from(precision: Precision) -> Self {
        Self(Kind::Plain(precision))
    }
}

impl From<Quant> for String {
    fn from(quant: Quant) -> Self {
        quant.name().to_owned()
    }
}

impl TryFrom<String> for Quant {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        Self::from_name(&name).ok_or_else(|| format!("no type of weights named `{name}`"))
    }
}

impl Quant {
    /// The format with that name, or `None`: GGUF (`Q4_K_M`, with or without a leading `UD-`), packed formats of the
    /// Hub (`awq`, `gptq`, `fp8`, `nvfp4`, `mxfp4`, `nf4`), or `bf16`, `f16`, `f32`.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = name.trim().to_ascii_lowercase();
        let plain = plain.strip_prefix("ud-").unwrap_or(&plain);
        let plain = ALIASES
            .iter()
            .find(|(alias, _)| *alias == plain)
            .map_or(plain, |(_, name)| name);
        if let Some(mix) = MIXES.iter().find(|mix| mix.name.eq_ignore_ascii_case(plain)) {
            return Some(Self(Kind::Gguf(mix)));
        }
        if let Some(pack) = PACKS.iter().find(|pack| pack.name == plain) {
            return Some(Self(Kind::Packed(pack)));
        }
        let floats = [
            "f32", "fp32", "float32", "bf16", "f16", "fp16", "float16", "bfloat16", "half",
        ];
        let precision = Precision::from_name(plain).filter(|_| floats.contains(&plain))?;
        Some(Self(Kind::Plain(precision)))
    }

    /// Names of all formats, widest first within each kind.
    pub fn names() -> Vec<&'static str> {
        let floats = [Precision::F32, Precision::Half].map(Precision::as_str);
        let mixes = MIXES.iter().map(|mix| mix.name);
        floats
            .into_iter()
            .chain(mixes)
            .chain(PACKS.iter().map(|pack| pack.name))
            .collect()
    }

    /// Name of the format.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Plain(precision) => precision.as_str(),
            Kind::Gguf(mix) => mix.name,
            Kind::Packed(pack) => pack.name,
        }
    }

    /// How its bytes are computed, in a sentence.
    pub fn formula(self) -> String {
        match self.0 {
            Kind::Plain(precision) => format!("all parameters × {} bits", precision.bits()),
            Kind::Gguf(mix) => format!(
                "matrices × {} bits, those that llama.cpp gives more by its rule for {}, norms and biases × 32 bits",
                mix.usual, mix.name
            ),
            Kind::Packed(pack) => format!(
                "{} × {} bits with their scales, all else × 16 bits",
                if pack.experts_only {
                    "experts"
                } else {
                    "matrices of the layers"
                },
                pack.bits
            ),
        }
    }

    /// Source of the rule.
    pub fn source(self) -> &'static str {
        match self.0 {
            Kind::Plain(_) => "bits of the number format",
            Kind::Gguf(_) => "llama.cpp, src/llama-quant.cpp and ggml-common.h",
            Kind::Packed(pack) => match pack.name {
                "gptq" => "arXiv 2210.17323, groups of 128",
                "awq" => "arXiv 2306.00978, groups of 128",
                "nvfp4" => "NVIDIA: 16 numbers of 4 bits and a scale of 8",
                "mxfp4" => "OCP Microscaling 1.0: 32 numbers of 4 bits and a scale of 8",
                "nf4-double" | "nf4" => "arXiv 2305.14314, section 3",
                "int8" => "arXiv 2208.07339",
                _ => "a scale a tensor or a channel",
            },
        }
    }

    /// Bits per number where all are stored in the same format; `None` for quantized formats.
    pub fn bits_of_plain(self) -> Option<f64> {
        match self.0 {
            Kind::Plain(precision) => Some(precision.bits()),
            _ => None,
        }
    }

    /// Whether it is a type of GGUF files.
    pub fn is_gguf(self) -> bool {
        matches!(self.0, Kind::Gguf(_))
    }

    /// Whether it is a packed format of the Hub.
    pub fn is_packed(self) -> bool {
        matches!(self.0, Kind::Packed(_))
    }

    /// Bytes of the weights of `cost`.
    pub fn bytes(self, cost: &Arithmetic) -> f64 {
        let stored = self.stored(cost);
        stored.layers.iter().sum::<f64>() + stored.tables
    }

    /// Bytes of each layer and of everything outside the layers.
    pub(super) fn stored(self, cost: &Arithmetic) -> Stored {
        let parts = &cost.parts;
        let (n, scale) = (parts.layers.len(), cost.share_of_layers());
        let bits = |at: usize, layer: &Matrices| match self.0 {
            Kind::Plain(precision) => layer.all() as f64 * precision.bits(),
            Kind::Packed(pack) => packed(layer, pack),
            Kind::Gguf(mix) => mix.layer(layer, at, n, parts),
        };
        let tables = match self.0 {
            Kind::Plain(precision) => precision.bytes(0, cost.outside),
            Kind::Packed(_) => cost.outside as f64 * 2.0,
            Kind::Gguf(mix) => {
                let tables = if parts.head > 0 {
                    parts.embedding as f64 * mix.embedding + parts.head as f64 * mix.head
                } else {
                    parts.embedding as f64 * mix.head
                };
                let others = (cost.outside - parts.embedding - parts.head).max(0) as f64 * 32.0;
                (tables + others) / 8.0
            }
        };
        let layers = parts.layers.iter().enumerate();
        Stored {
            layers: layers.map(|(at, layer)| scale * bits(at, layer) / 8.0).collect(),
            tables,
        }
    }

    /// Bits per weight, averaged over all parameters of `cost`.
    pub fn bits_per_weight(self, cost: &Arithmetic) -> f64 {
        self.bytes(cost) * 8.0 / cost.parameters_total as f64
    }

    /// Bytes that are read for one token: active weights, without the rows of the embedding that are only looked up.
    pub fn bytes_per_token(self, cost: &Arithmetic) -> f64 {
        let read = (cost.parameters_active - cost.looked_up) as f64 / cost.parameters_total as f64;
        self.bytes(cost) * read
    }
}

impl Mix {
    /// Bits of the single matrix that computes queries, keys and values, where it differs from the usual bits.
    fn fused(&self) -> f64 {
        match self.name {
            "Q5_K_M" => Q6_K,
            "Q4_K_M" => Q5_K,
            "Q3_K_M" | "Q3_K_L" | "IQ3_M" => Q4_K,
            _ => self.usual,
        }
    }

    /// Bits of one layer. With eight experts llama.cpp stores the small key and value matrices with 8.5 bits, and the
    /// output projection of attention with 5.5.
    fn layer(&self, layer: &Matrices, at: usize, layers: usize, parts: &Parts) -> f64 {
        let (group, eight) = (parts.group, parts.experts == 8 && self.usual < 8.5);
        // One matrix for all three; its query part is as large as the output projection of attention.
        let fused = parts.fused.then(|| self.fused());
        let values = if eight {
            8.5
        } else if let Some(bits) = fused {
            bits
        } else {
            self.values.bits(self.usual, at, layers, group)
        };
        let attention_out = if eight && self.usual <= Q4_K {
            self.attention_out.max(Q5_K)
        } else {
            self.attention_out
        };
        // The key matrix is as large as the value matrix, and is counted among the others.
        let keys = if eight {
            (8.5 - self.usual) * layer.values as f64
        } else {
            0.0
        };
        let fused = fused.map_or(0.0, |bits| {
            (bits - self.usual) * (layer.attention_out + layer.values) as f64
        });
        fused
            + layer.values as f64 * values
            + layer.down as f64 * self.down.bits(self.usual, at, layers, group)
            + layer.attention_out as f64 * attention_out
            + (layer.others + layer.experts) as f64 * self.usual
            + keys
            + layer.vectors as f64 * 32.0
    }
}

#[cfg(test)]
#[path = "quant_tests.rs"]
mod tests;
