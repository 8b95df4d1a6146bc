//! The kind of attention of each layer: over all positions, in a window, over latents, or by a recurrent state.

use crate::config::fields::{self, Fields};
use crate::config::layers::{Feed, Mixer};
use crate::config::stated::Config;

/// How a layer mixes positions, one letter per layer in column `attention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Softmax attention over all positions, keys and values kept per head.
    Full,
    /// Softmax attention over a window or a chunk of positions.
    Sliding,
    /// Multi-head latent attention: over latents from which keys and values are computed (DeepSeek-AI 2024, arXiv
    /// 2405.04434).
    Latent,
    /// Linear attention: a state of fixed size instead of a cache.
    Linear,
    /// A state-space layer (Mamba).
    StateSpace,
    /// Attention and a state-space layer in parallel (Falcon-H1, Hymba).
    Both,
    /// A short convolution (LFM2).
    Convolution,
    /// Nothing: positions are not mixed.
    Nothing,
}

impl Kind {
    const fn letter(self) -> char {
        match self {
            Self::Full => 'F',
            Self::Sliding => 'S',
            Self::Latent => 'C',
            Self::Linear => 'L',
            Self::StateSpace => 'M',
            Self::Both => 'B',
            Self::Convolution => 'V',
            Self::Nothing => 'N',
        }
    }
}

/// One letter per layer, in the order of the layers; see column `attention` of `structures`.
pub(super) fn letters(config: &Config, inner: &Fields, layers: &[(Mixer, Feed)]) -> String {
    let layers = (0_i64..).zip(layers);
    layers
        .map(|(at, (mixer, _))| kind(config, inner, at, *mixer).letter())
        .collect()
}

fn kind(config: &Config, inner: &Fields, at: i64, mixer: Mixer) -> Kind {
    let family = fields::text(inner, &["model_type"])
        .or(config.model_type.as_deref())
        .unwrap_or_default();
    match mixer {
        Mixer::Nothing | Mixer::Matrix => Kind::Nothing,
        Mixer::Linear => state(inner, family, at),
        Mixer::Attention | Mixer::Window => {
            let latent = ["kv_lora_rank", "o_lora_rank"];
            if matches!(family, "falcon_h1" | "hymba") {
                Kind::Both
            } else if mixer == Mixer::Attention && fields::int(inner, &latent).is_some() {
                Kind::Latent
            } else if mixer == Mixer::Window || window(config, inner, at, mixer).is_some() {
                Kind::Sliding
            } else {
                Kind::Full
            }
        }
    }
}

/// The kind of a layer that keeps a state: as the config's list of layers names it, else by its family.
fn state(inner: &Fields, family: &str, at: i64) -> Kind {
    let listed =
        fields::list(inner, LISTS).and_then(|list| list.get(at as usize % list.len().max(1))?.as_str());
    let says = |words: &[&str]| words.iter().any(|word| listed.unwrap_or(family).contains(word));
    if says(&["conv", "lfm2"]) {
        Kind::Convolution
    } else if says(&[
        "mamba",
        "ssm",
        "jamba",
        "bamba",
        "zamba",
        "nemotron_h",
        "granitemoehybrid",
    ]) || fields::text(inner, &["hybrid_override_pattern"]).is_some()
        || fields::int(inner, &["mamba_d_state", "ssm_state_size"]).is_some()
    {
        Kind::StateSpace
    } else {
        Kind::Linear
    }
}

/// Keys of lists that name the kind of each layer.
const LISTS: &[&str] = &[
    "layer_types",
    "layers_block_type",
    "block_types",
    "attn_type_list",
];

/// Number of positions that layer `at` sees; `None` where it sees all. Which layers have the window follows each
/// family's modelling code in Hugging Face transformers.
pub(crate) fn window(config: &Config, inner: &Fields, at: i64, mixer: Mixer) -> Option<i64> {
    let span = config.sliding_window?;
    let int = |name: &str| fields::int(inner, &[name]);
    if mixer == Mixer::Window {
        return Some(span);
    }
    // A window that spans every position is none: Phi-3's checkpoints with 128k positions state 262,144.
    if config.pos.is_some_and(|pos| span >= pos)
        || fields::list(inner, LISTS).is_some()
        || fields::list(inner, &["hybrid_layer_pattern"]).is_some()
        || fields::flag(inner, &["use_sliding_window"]) == Some(false)
    {
        return None;
    }
    let kind = fields::text(inner, &["model_type"])
        .or(config.model_type.as_deref())
        .unwrap_or_default();
    let all_but_each = |period: i64| (at + 1) % period != 0;
    let is_windowed = match kind.trim_end_matches("_text") {
        "gemma2" => at % 2 == 0,
        "gemma3" => all_but_each(int("sliding_window_pattern").unwrap_or(6)),
        "cohere2" => all_but_each(int("sliding_window_pattern").unwrap_or(4)),
        "llama4" => match fields::list(inner, &["no_rope_layers"]).filter(|list| !list.is_empty()) {
            Some(list) => list.get(at as usize).and_then(fields::number) == Some(1),
            None => all_but_each(int("no_rope_layer_interval").unwrap_or(4)),
        },
        // These families have the field, and use it only where a switch says so.
        kind if kind.starts_with("qwen") => {
            fields::flag(inner, &["use_sliding_window"]) == Some(true)
                && at >= int("max_window_layers").unwrap_or(0)
        }
        _ => true,
    };
    is_windowed.then_some(span)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::config::read;

    fn letters(config: &serde_json::Value) -> String {
        read(config).makeup.attention.expect("a config with layers")
    }

    #[test]
    fn each_layer_has_its_kind() {
        let with = |more: serde_json::Value| {
            let mut config = json!({"model_type": "llama", "num_hidden_layers": 6, "hidden_size": 64,
                "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 100});
            for (key, value) in more.as_object().expect("an object") {
                config[key] = value.clone();
            }
            letters(&config)
        };
        assert_eq!(with(json!({})), "FFFFFF");
        assert_eq!(
            with(json!({"model_type": "mistral", "sliding_window": 32})),
            "SSSSSS"
        );
        assert_eq!(
            with(json!({"model_type": "phi3", "sliding_window": 2047, "max_position_embeddings": 4096})),
            "SSSSSS"
        );
        assert_eq!(
            with(
                json!({"model_type": "phi3", "sliding_window": 262_144, "max_position_embeddings": 131_072})
            ),
            "FFFFFF"
        );
        assert_eq!(
            with(json!({"model_type": "qwen2", "sliding_window": 32, "use_sliding_window": false})),
            "FFFFFF"
        );
        assert_eq!(
            with(json!({"model_type": "gemma2", "sliding_window": 32})),
            "SFSFSF"
        );
        assert_eq!(
            with(json!({"model_type": "gemma3_text", "sliding_window": 32, "sliding_window_pattern": 3})),
            "SSFSSF"
        );
        assert_eq!(
            with(json!({"layer_types": ["sliding_attention", "full_attention"], "sliding_window": 32})),
            "SFSFSF"
        );
        assert_eq!(
            with(json!({"model_type": "deepseek_v3", "kv_lora_rank": 16})),
            "CCCCCC"
        );
        assert_eq!(
            with(json!({"model_type": "qwen3_next", "full_attention_interval": 3})),
            "LLFLLF"
        );
        assert_eq!(
            with(json!({"model_type": "jamba", "attn_layer_period": 3, "attn_layer_offset": 1})),
            "MFMMFM"
        );
        assert_eq!(
            with(json!({"model_type": "nemotron_h", "hybrid_override_pattern": "M-M*-E"})),
            "MNMFNN"
        );
        assert_eq!(
            with(json!({"model_type": "lfm2", "layer_types": ["conv", "full_attention", "conv"]})),
            "VFVVFV"
        );
    }
}
