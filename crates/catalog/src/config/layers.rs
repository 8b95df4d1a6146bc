//! The kind of each layer: whether it attends, and whether its feed-forward layer is a mixture of experts.

use serde_json::Value;

use crate::config::blocks::block;
use crate::config::fields::{self, Fields};
pub(crate) use crate::config::parts::{Feed, Mixer};

/// Keys that concern all layers alike: where a config has no other keys and no lists, every layer is of the same kind.
const OF_ALL_LAYERS: [&str; 11] = [
    "model_type",
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "num_key_value_heads",
    "head_dim",
    "vocab_size",
    "max_position_embeddings",
    "sliding_window",
    "tie_word_embeddings",
];

/// How each of `layers` layers mixes positions, and its feed-forward part; at most 4,096 layers.
pub(crate) fn kinds(config: &Fields, layers: i64, experts: bool) -> Vec<(Mixer, Feed)> {
    if config
        .iter()
        .all(|(name, value)| OF_ALL_LAYERS.contains(&name.as_str()) && !value.is_array())
    {
        return vec![kind(config, 0, experts); layers.clamp(0, 4_096) as usize];
    }
    let pattern =
        fields::text(config, &["hybrid_override_pattern"]).map(|text| text.replace('|', "").into_bytes());
    (0..layers.clamp(0, 4_096))
        .map(
            |at| match pattern.as_ref().and_then(|pattern| pattern.get(at as usize)) {
                Some(b'*') => (Mixer::Attention, Feed::Nothing),
                Some(b'M') => (Mixer::Linear, Feed::Nothing),
                Some(b'-') => (Mixer::Nothing, Feed::Dense),
                Some(b'E') => (Mixer::Nothing, Feed::Experts),
                _ => kind(config, at, experts),
            },
        )
        .collect()
}

fn kind(config: &Fields, at: i64, experts: bool) -> (Mixer, Feed) {
    if let Some(block) = block(config, at) {
        return (block.mixer, block.feed);
    }
    let feed = if experts { feed(config, at) } else { Feed::Dense };
    let blocks = fields::list(config, &["layers_block_type"]).unwrap_or_default();
    let is_feed = |block: &Value| matches!(block.as_str(), Some("mlp" | "moe"));
    if blocks.iter().any(is_feed) {
        // Nemotron-H: each block is only attention, only a state-space layer or only a feed-forward layer.
        return match blocks.get(at as usize).and_then(Value::as_str) {
            Some("mlp") => (Mixer::Nothing, Feed::Dense),
            Some("moe") => (Mixer::Nothing, Feed::Experts),
            _ => (mixer(config, at), Feed::Nothing),
        };
    }
    match fields::text(config, &["model_type"]) {
        Some("mamba" | "mamba2" | "falcon_mamba") => (Mixer::Linear, Feed::Nothing),
        _ => (mixer(config, at), feed),
    }
}

fn mixer(config: &Fields, at: i64) -> Mixer {
    let listed = fields::list(
        config,
        &[
            "layer_types",
            "layers_block_type",
            "block_types",
            "attn_type_list",
        ],
    );
    if let Some(kind) = listed.and_then(|list| list.get(at as usize % list.len().max(1))) {
        return match kind.as_str() {
            Some(text) if text.contains("sliding") || text.contains("chunked") => Mixer::Window,
            Some(text)
                if ["linear", "mamba", "recurrent", "conv", "ssm"]
                    .iter()
                    .any(|word| text.contains(word)) =>
            {
                Mixer::Linear
            }
            Some(_) => Mixer::Attention,
            // MiniMax: 0 is linear ("lightning") attention, 1 softmax.
            None => {
                if fields::number(kind) == Some(0) {
                    Mixer::Linear
                } else {
                    Mixer::Attention
                }
            }
        };
    }
    if let Some(full) =
        fields::object(config, &["linear_attn_config"]).and_then(|c| fields::list(c, &["full_attn_layers"]))
    {
        let attends = full
            .iter()
            .filter_map(fields::number)
            .any(|layer| layer == at + 1);
        return if attends { Mixer::Attention } else { Mixer::Linear };
    }
    if let Some(pattern) = fields::list(config, &["hybrid_layer_pattern"]) {
        let window = pattern.get(at as usize).and_then(fields::number) == Some(1);
        return if window { Mixer::Window } else { Mixer::Attention };
    }
    if let Some(period) = fields::int(config, &["attn_layer_period"]) {
        let offset = fields::count(config, &["attn_layer_offset"]).unwrap_or(0);
        return if at % period == offset {
            Mixer::Attention
        } else {
            Mixer::Linear
        };
    }
    if let Some(indices) = fields::list(config, &["attn_layer_indices", "full_attn_idxs"]) {
        let attends = indices.iter().filter_map(fields::number).any(|layer| layer == at);
        return if attends { Mixer::Attention } else { Mixer::Linear };
    }
    if let Some(interval) = fields::int(config, &["full_attention_interval"]) {
        return if (at + 1) % interval == 0 {
            Mixer::Attention
        } else {
            Mixer::Linear
        };
    }
    match fields::text(config, &["model_type"]) {
        Some("rwkv" | "rwkv5" | "rwkv6" | "rwkv7") => Mixer::Linear,
        _ => Mixer::Attention,
    }
}

fn feed(config: &Fields, at: i64) -> Feed {
    let experts = |is| if is { Feed::Experts } else { Feed::Dense };
    let among = |list: &[Value]| list.iter().filter_map(fields::number).any(|layer| layer == at);
    if fields::list(config, &["mlp_only_layers"]).is_some_and(among) {
        return Feed::Dense;
    }
    if let Some(layers) = fields::list(config, &["moe_layers"]).filter(|list| !list.is_empty()) {
        return experts(among(layers));
    }
    if let Some(each) = fields::list(config, &["moe_layer_freq", "moe_layer_types"]) {
        return experts(each.get(at as usize).and_then(fields::number) != Some(0));
    }
    if fields::count(
        config,
        &[
            "first_k_dense_replace",
            "num_dense_layers",
            "moe_layer_start_index",
        ],
    )
    .is_some_and(|first| at < first)
    {
        return Feed::Dense;
    }
    if let Some(step) = fields::int(
        config,
        &[
            "decoder_sparse_step",
            "interleave_moe_layer_step",
            "moe_layer_interval",
            "moe_layer_frequency",
        ],
    ) {
        return experts((at + 1) % step == 0);
    }
    if let Some(period) = fields::int(config, &["expert_layer_period"]) {
        return experts(at % period == fields::count(config, &["expert_layer_offset"]).unwrap_or(0));
    }
    if let Some(every) = fields::int(config, &["moe_layer_freq"]) {
        return experts(at % every == 0);
    }
    Feed::Experts
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{OF_ALL_LAYERS, kind, kinds};

    #[test]
    fn layers_of_one_kind_are_those_that_each_is_read_as() {
        let families = [
            "llama",
            "gemma2",
            "mamba",
            "falcon_mamba",
            "rwkv",
            "jamba",
            "llama4",
            "nemotron_h",
        ];
        for family in families {
            for experts in [false, true] {
                let config = json!({
                    "model_type": family, "num_hidden_layers": 6, "hidden_size": 64, "intermediate_size": 256,
                    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 100,
                    "max_position_embeddings": 128, "sliding_window": 32, "tie_word_embeddings": true,
                });
                let config = config.as_object().expect("an object");
                assert!(OF_ALL_LAYERS.iter().all(|name| config.contains_key(*name)));
                let each: Vec<_> = (0..6).map(|at| kind(config, at, experts)).collect();
                assert_eq!(kinds(config, 6, experts), each, "{family}");
            }
        }
    }
}
