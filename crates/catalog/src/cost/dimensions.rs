//! A structure as a user describes it, converted to the `config.json` that its family would have.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The family assumed where none is stated.
pub(super) const USUAL_FAMILY: &str = "llama";

/// Dimensions of a decoder; where one is absent, the family's usual value is assumed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dimensions {
    /// `model_type` of the Hub's configs: `llama` where absent.
    pub family: Option<String>,
    /// Number of decoder layers.
    pub layers: Option<i64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer; of one expert, where there are several.
    pub d_ffn: Option<i64>,
    /// Number of attention heads.
    pub heads: Option<i64>,
    /// Number of key and value heads; as many as `heads` where absent.
    pub kv_heads: Option<i64>,
    /// Width of one head; where absent, the family's own default or else `d_model` / `heads`.
    pub head_dim: Option<i64>,
    /// Number of vocabulary entries.
    pub vocab_size: Option<i64>,
    /// Maximum input positions, tokens.
    pub pos: Option<i64>,
    /// Number of positions that a layer sees, for those layers that have a window in this family.
    pub sliding_window: Option<i64>,
    /// Number of experts per layer.
    pub experts: Option<i64>,
    /// Number of experts that one token uses.
    pub experts_per_token: Option<i64>,
    /// Whether the output head shares the embedding's weights; as usual in the family where absent.
    pub tied: Option<bool>,
}

impl Dimensions {
    /// The config of a checkpoint with these dimensions.
    pub fn config(&self) -> Value {
        let family = self.family.as_deref().unwrap_or(USUAL_FAMILY);
        let head_dim = self.head_dim.or_else(|| usual_head_dim(family));
        let numbers = [
            ("num_hidden_layers", self.layers),
            ("hidden_size", self.d_model),
            ("intermediate_size", self.d_ffn),
            ("num_attention_heads", self.heads),
            ("num_key_value_heads", self.kv_heads),
            ("head_dim", head_dim),
            ("vocab_size", self.vocab_size),
            ("max_position_embeddings", self.pos),
            ("sliding_window", self.sliding_window),
            ("num_local_experts", self.experts),
            ("num_experts_per_tok", self.experts_per_token),
        ];
        let mut config = Map::new();
        config.insert("model_type".into(), family.into());
        for (name, value) in numbers {
            if let Some(value) = value {
                config.insert(name.into(), value.into());
            }
        }
        if let Some(tied) = self.tied {
            config.insert("tie_word_embeddings".into(), tied.into());
        }
        if self.sliding_window.is_some() {
            config.insert("use_sliding_window".into(), true.into());
        }
        Value::Object(config)
    }
}

/// Default width of a head in a family's config class in transformers; `None` where it is `d_model` / heads.
fn usual_head_dim(family: &str) -> Option<i64> {
    Some(match family.trim_end_matches("_text") {
        "gemma" | "gemma2" | "gemma3" => 256,
        "qwen3" | "qwen3_moe" => 128,
        _ => return None,
    })
}
