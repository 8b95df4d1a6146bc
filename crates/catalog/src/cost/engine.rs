//! The memory that an inference engine needs for one sequence: weights, keys and values by the engine's policy, states,
//! and buffers.
//!
//! | engine | positions kept by a layer with full attention | by a layer with a window of w |
//! | --- | --- | --- |
//! | llama.cpp | the context, rounded up to a multiple of 256 | w and a batch of 512, rounded up to a multiple of 256 |
//! | vLLM | the context, rounded up to a page of 16 | w and 2,048 tokens computed at once, in pages, and one page |
//! | transformers | the context | w − 1 |
//!
//! Taken from the sources of llama.cpp (`llama-kv-cache-iswa.cpp`, 2025-10), vLLM (`v1/kv_cache_interface.py`, 0.11)
//! and transformers (`cache_utils.py`, 4.57). What the driver itself uses (some 300 to 600 MB on CUDA) is not counted.

use serde::{Deserialize, Serialize};

use super::layer::Layer;
use super::{Arithmetic, Quant, STATE_BYTES};

/// A program that runs inference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum InferenceEngine {
    /// llama.cpp and what is built on it (ollama, LM Studio).
    #[default]
    #[serde(rename = "llama.cpp")]
    LlamaCpp,
    /// vLLM.
    #[serde(rename = "vllm")]
    Vllm,
    /// Hugging Face transformers.
    #[serde(rename = "transformers")]
    Transformers,
}

/// How keys and values are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum CacheType {
    /// 32 bits.
    #[serde(rename = "f32")]
    F32,
    /// 16 bits.
    #[default]
    #[serde(rename = "f16")]
    F16,
    /// 8 bits, with a 16-bit scale for each 32 numbers: 8.5 bits.
    #[serde(rename = "q8_0")]
    Q8,
    /// 8 bits.
    #[serde(rename = "fp8")]
    Fp8,
    /// 4 bits, with a 16-bit scale for each 32 numbers: 4.5 bits.
    #[serde(rename = "q4_0")]
    Q4,
}

impl CacheType {
    /// The type with that name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "f32" | "fp32" => Self::F32,
            "f16" | "fp16" | "bf16" | "auto" => Self::F16,
            "q8_0" | "q8" | "int8" => Self::Q8,
            "fp8" | "fp8_e4m3" | "fp8_e5m2" => Self::Fp8,
            "q4_0" | "q4" => Self::Q4,
            _ => return None,
        })
    }

    /// Names of all types.
    pub const NAMES: [&str; 5] = ["f32", "f16", "q8_0", "fp8", "q4_0"];

    /// Bytes per number.
    pub const fn bytes(self) -> f64 {
        match self {
            Self::F32 => 4.0,
            Self::F16 => 2.0,
            Self::Q8 => 8.5 / 8.0,
            Self::Fp8 => 1.0,
            Self::Q4 => 4.5 / 8.0,
        }
    }
}

/// One component of the memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemoryItem {
    /// Name of the component: `weights`, `cache`, `state` or `overhead`.
    pub item: String,
    /// Size in bytes.
    pub bytes: f64,
    /// How the bytes are computed.
    pub formula: String,
    /// Source of the formula.
    pub source: String,
}

/// Memory that one sequence needs in an engine, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Footprint {
    /// The engine.
    pub engine: InferenceEngine,
    /// How the weights are stored.
    pub quant: Quant,
    /// Bits per weight, averaged over all parameters.
    pub bits_per_weight: f64,
    /// How keys and values are stored.
    pub cache_type: CacheType,
    /// Number of positions in the context.
    pub context: i64,
    /// Bytes of the weights.
    pub weights_bytes: f64,
    /// Bytes of the keys and values.
    pub cache_bytes: f64,
    /// Bytes that one more position adds to the cache at this context, ignoring rounding to pages.
    pub cache_bytes_per_token: f64,
    /// Bytes of the states of layers that keep a state instead of a cache.
    pub state_bytes: f64,
    /// Bytes of the buffers for computation.
    pub overhead_bytes: f64,
    /// Sum of all components.
    pub total_bytes: f64,
    /// The components, each with its formula and source.
    pub items: Vec<MemoryItem>,
}

impl InferenceEngine {
    /// All engines.
    pub const ALL: [Self; 3] = [Self::LlamaCpp, Self::Vllm, Self::Transformers];

    /// Name of the engine.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LlamaCpp => "llama.cpp",
            Self::Vllm => "vllm",
            Self::Transformers => "transformers",
        }
    }

    /// The engine with that name, or `None`; programs built on llama.cpp count as llama.cpp.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "llama.cpp" | "llamacpp" | "llama-cpp" | "ollama" | "lmstudio" | "lm-studio" | "koboldcpp" => {
                Self::LlamaCpp
            }
            "vllm" => Self::Vllm,
            "transformers" | "hf" => Self::Transformers,
            _ => return None,
        })
    }

    /// Whether the engine loads weights of this type, according to its documentation.
    pub fn loads(self, quant: Quant) -> bool {
        match self {
            Self::LlamaCpp => !quant.is_packed(),
            Self::Vllm => true,
            Self::Transformers => !quant.is_gguf(),
        }
    }

    /// The weight types in which checkpoints for this engine are usually published, from 16 bits to 4.
    pub fn usual_quants(self) -> Vec<Quant> {
        let names: &[&str] = match self {
            Self::LlamaCpp => &["bf16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"],
            Self::Vllm => &["bf16", "fp8", "awq"],
            Self::Transformers => &["bf16", "int8", "nf4"],
        };
        names.iter().filter_map(|name| Quant::from_name(name)).collect()
    }

    /// The weight type with that name, or `None`; `int8` and `4bit` mean the engine's own type with that many bits.
    pub fn quant_of(self, name: &str) -> Option<Quant> {
        let own = match (self, name.to_ascii_lowercase().as_str()) {
            (Self::LlamaCpp, "int8" | "8bit") => "Q8_0",
            (Self::LlamaCpp, "4bit" | "int4") => "Q4_K_M",
            (Self::Vllm, "4bit") => "awq",
            _ => name,
        };
        Quant::from_name(own)
    }

    /// Number of positions, out of `context`, that a layer keeps in the cache.
    pub(super) fn kept(self, layer: &Layer, context: i64) -> i64 {
        let whole = match self {
            Self::LlamaCpp => up_to(context, 256),
            Self::Vllm => up_to(context, PAGE),
            Self::Transformers => context,
        };
        let Some(window) = layer.window else {
            return whole;
        };
        let windowed = match self {
            Self::LlamaCpp => up_to(window.saturating_add(UBATCH), 256),
            Self::Vllm => up_to(window.saturating_add(BATCHED - 1), PAGE).saturating_add(PAGE),
            Self::Transformers => (window - 1).max(1),
        };
        whole.min(windowed)
    }

    /// Bytes of the buffers for one sequence, the formula in words, and its source.
    fn overhead(self, cost: &Arithmetic, context: i64) -> (f64, String, &'static str) {
        let (width, hidden, vocab) = (cost.d_model as f64, cost.d_ffn as f64, cost.vocab as f64);
        match self {
            Self::LlamaCpp => {
                let batch = context.clamp(1, UBATCH) as f64;
                let buffer = 4.0 * batch * (vocab + width).max(2.0 * hidden + 2.0 * width);
                (
                    buffer + 4.0 * vocab,
                    format!(
                        "4 bytes × a batch of {batch} × the larger of (vocabulary + d_model) and (2 d_ffn + 2 d_model), and the \
                         logits of one token"
                    ),
                    "llama.cpp's compute buffer with flash attention",
                )
            }
            Self::Vllm => {
                let batch = context.clamp(1, BATCHED) as f64;
                (
                    2.0 * batch * (4.0 * width + 2.0 * hidden) + 6.0 * vocab,
                    format!(
                        "2 bytes × {batch} tokens at once × (4 d_model + 2 d_ffn), and the logits of one token"
                    ),
                    "vLLM's profiled activations, max_num_batched_tokens 2048",
                )
            }
            Self::Transformers => (
                2.0 * context as f64 * (4.0 * width + 2.0 * hidden) + 6.0 * vocab,
                "2 bytes × the whole prompt at once × (4 d_model + 2 d_ffn), and the logits of one token"
                    .into(),
                "transformers' generate with scaled-dot-product attention",
            ),
        }
    }

    fn says(self) -> &'static str {
        match self {
            Self::LlamaCpp => {
                "context up to a multiple of 256; a window and a batch of 512 in layers that have one"
            }
            Self::Vllm => "context in pages of 16; a window and 2,048 tokens in layers that have one",
            Self::Transformers => "the context; a window less one in layers that have one",
        }
    }
}

/// Number of tokens that llama.cpp computes at once.
const UBATCH: i64 = 512;
/// Tokens in a page of vLLM.
const PAGE: i64 = 16;
/// Number of tokens that vLLM computes at once.
const BATCHED: i64 = 2_048;

/// `count` rounded up to a multiple of `multiple`.
fn up_to(count: i64, multiple: i64) -> i64 {
    count.saturating_add(multiple - 1) / multiple * multiple
}

impl Arithmetic {
    /// Memory of one sequence with `context` positions in an engine.
    pub fn footprint(
        &self,
        engine: InferenceEngine,
        quant: Quant,
        cache: CacheType,
        context: i64,
    ) -> Footprint {
        let weights_bytes = quant.bytes(self);
        let values = |positions: &dyn Fn(&Layer) -> i64| -> f64 {
            let of = |layer: &Layer| layer.cached as f64 * positions(layer) as f64;
            self.layers.iter().map(of).sum()
        };
        let cache_bytes = values(&|layer| engine.kept(layer, context)) * cache.bytes();
        let grows = |layer: &Layer| i64::from(layer.window.is_none_or(|window| window > context));
        let cache_bytes_per_token = values(&grows) * cache.bytes();
        let state_bytes: f64 = self
            .layers
            .iter()
            .map(|layer| layer.state as f64 * STATE_BYTES)
            .sum();
        let (overhead_bytes, formula, source) = engine.overhead(self, context);
        let item = |item: &str, bytes: f64, formula: String, source: &str| MemoryItem {
            item: item.to_owned(),
            bytes,
            formula,
            source: source.to_owned(),
        };
        let mut items = vec![
            item("weights", weights_bytes, quant.formula(), quant.source()),
            item(
                "cache",
                cache_bytes,
                format!(
                    "{} values a position over all layers × {} bytes; positions: {}",
                    self.layers.iter().map(|layer| layer.cached).sum::<i64>(),
                    cache.bytes(),
                    engine.says()
                ),
                "keys and values of the key-value heads, latents where attention keeps those",
            ),
        ];
        if state_bytes > 0.0 {
            let formula = "values of the states × 4 bytes, whatever the context".to_owned();
            items.push(item(
                "state",
                state_bytes,
                formula,
                "layers of linear attention and state-space layers",
            ));
        }
        items.push(item("overhead", overhead_bytes, formula, source));
        Footprint {
            engine,
            quant,
            bits_per_weight: quant.bits_per_weight(self),
            cache_type: cache,
            context,
            weights_bytes,
            cache_bytes,
            cache_bytes_per_token,
            state_bytes,
            overhead_bytes,
            total_bytes: weights_bytes + cache_bytes + state_bytes + overhead_bytes,
            items,
        }
    }
}

impl Footprint {
    /// The same footprint with the weights' bytes replaced by those of an actual file.
    #[must_use]
    pub fn with_weights(mut self, bytes: f64, formula: String, source: &str) -> Self {
        self.total_bytes += bytes - self.weights_bytes;
        self.bits_per_weight *= bytes / self.weights_bytes.max(1.0);
        self.weights_bytes = bytes;
        if let Some(item) = self.items.iter_mut().find(|item| item.item == "weights") {
            item.bytes = bytes;
            item.formula = formula;
            source.clone_into(&mut item.source);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const MIB: f64 = 1_048_576.0;

    fn of(config: &Value, engine: InferenceEngine, cache: &str, context: i64) -> Footprint {
        let cost = Arithmetic::of_config(config).expect("a config that can be counted");
        let cache = CacheType::from_name(cache).expect("a type");
        let quant = Quant::from_name("bf16").expect("a type");
        cost.footprint(engine, quant, cache, context)
    }

    fn llama(layers: i64, d_model: i64, d_ffn: i64, heads: i64, kv_heads: i64, vocab: i64) -> Value {
        json!({"model_type": "llama", "num_hidden_layers": layers, "hidden_size": d_model, "intermediate_size": d_ffn,
            "num_attention_heads": heads, "num_key_value_heads": kv_heads, "vocab_size": vocab})
    }

    /// github.com/JamePeng/llama-cpp-python pull request 1: the CUDA0 compute buffer of Qwen2.5-7B at 2,048 positions.
    #[test]
    fn the_buffer_is_what_llama_cpp_printed() {
        let qwen_7b = llama(28, 3584, 18_944, 28, 4, 152_064);
        let found = of(&qwen_7b, InferenceEngine::LlamaCpp, "f16", 2048).overhead_bytes / MIB;
        assert!((found / 304.0 - 1.0).abs() < 0.01, "{found:.2} MiB, printed 304");
    }

    #[test]
    fn windows_are_kept_by_each_engines_policy() {
        let mut gemma = llama(6, 1152, 6912, 4, 1, 262_144);
        for (key, value) in [
            ("model_type", json!("gemma3_text")),
            ("head_dim", json!(256)),
            ("sliding_window", json!(512)),
            ("sliding_window_pattern", json!(6)),
        ] {
            gemma[key] = value;
        }
        // Five of six layers have the window; keys and values with 256 numbers each.
        let a_position = 2.0 * 256.0 * 2.0;
        for (engine, windowed) in [
            (InferenceEngine::LlamaCpp, 1024.0),
            (InferenceEngine::Vllm, 2576.0),
            (InferenceEngine::Transformers, 511.0),
        ] {
            let found = of(&gemma, engine, "f16", 32_768);
            let wanted = a_position * (32_768.0 + 5.0 * windowed);
            assert!(
                (found.cache_bytes - wanted).abs() < 1.0,
                "{engine:?}: {} {wanted}",
                found.cache_bytes
            );
            assert!((found.cache_bytes_per_token - a_position).abs() < 1e-9);
            // A context shorter than the window does not fill it.
            let short = of(&gemma, engine, "f16", 256);
            assert!(
                (short.cache_bytes - a_position * 6.0 * 256.0).abs() < 1.0,
                "{engine:?}"
            );
            assert!((short.cache_bytes_per_token - 6.0 * a_position).abs() < 1e-9);
            let parts: f64 = found.items.iter().map(|item| item.bytes).sum();
            assert!((parts - found.total_bytes).abs() < 1.0);
        }
    }
}
