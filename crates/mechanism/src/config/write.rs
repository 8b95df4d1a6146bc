//! Writes a [`DecoderConfig`] as `config.json` for transformers, for checkpoints that came without one (GGUF).

use serde_json::{Map, Value, json};

use super::rotary::{Rotary, Scaling};
use super::{Activation, DecoderConfig, Family};
use crate::error::{Error, Result};

/// The `config.json` of a configuration.
///
/// # Errors
/// [`Error::Unavailable`] for families that are only read.
pub fn to_hub(c: &DecoderConfig) -> Result<Map<String, Value>> {
    let facts = c.family.facts();
    let (Some(model_type), Some(class)) = (facts.model_types.first(), facts.class) else {
        return Err(Error::Unavailable {
            method: "writing config.json",
            what: "a family that is only read from GGUF",
        });
    };
    let activation = match c.activation {
        Activation::Silu => "silu",
        Activation::Gelu => "gelu",
        Activation::GeluTanh => "gelu_pytorch_tanh",
        Activation::Relu => "relu",
    };
    let mut config = json!({
        "architectures": [class],
        "model_type": model_type,
        "num_hidden_layers": c.n_layers,
        "hidden_size": c.d_model,
        "intermediate_size": c.d_ffn,
        "num_attention_heads": c.n_heads,
        "num_key_value_heads": c.n_kv_heads,
        "head_dim": c.head_dim,
        "vocab_size": c.vocab_size,
        "max_position_embeddings": c.max_positions,
        "rms_norm_eps": f64::from(c.norm_epsilon),
        "hidden_act": activation,
        "tie_word_embeddings": c.tied,
        "attention_bias": c.biases.output,
        "mlp_bias": c.biases.feed_forward,
        "torch_dtype": "float32",
    });
    let Value::Object(map) = &mut config else {
        unreachable!("json! of braces is an object")
    };
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    if let Some(rotary) = &c.rotary {
        put("rope_theta", json!(rotary.theta));
        if let Some(scaling) = scaling(rotary) {
            put("rope_scaling", scaling);
        }
    }
    if let Some(local) = &c.rotary_local {
        put("rope_local_base_freq", json!(local.theta));
    }
    if let Some(window) = c.windows.iter().flatten().next() {
        put("sliding_window", json!(window));
    }
    if matches!(c.family, Family::Gemma | Family::Gemma2 | Family::Gemma3) {
        put("hidden_activation", json!(activation));
        let width = (1.0 / f64::from(c.attention_scale).powi(2)).round();
        // The transformers classes require an integer here, and floats for the caps.
        put("query_pre_attn_scalar", json!(width as u64));
        put("attn_logit_softcapping", json!(c.attention_cap));
        put("final_logit_softcapping", json!(c.logit_cap));
        let kinds: Vec<&str> = c
            .windows
            .iter()
            .map(|w| {
                if w.is_some() {
                    "sliding_attention"
                } else {
                    "full_attention"
                }
            })
            .collect();
        if c.family != Family::Gemma {
            put("layer_types", json!(kinds));
        }
    }
    Ok(std::mem::take(map))
}

fn scaling(rotary: &Rotary) -> Option<Value> {
    match &rotary.scaling {
        None => None,
        Some(Scaling::Linear { factor }) => Some(json!({"rope_type": "linear", "factor": factor})),
        Some(Scaling::Dynamic { factor }) => Some(json!({"rope_type": "dynamic", "factor": factor})),
        Some(Scaling::Llama3 {
            factor,
            low,
            high,
            original,
        }) => Some(json!({
            "rope_type": "llama3", "factor": factor, "low_freq_factor": low, "high_freq_factor": high,
            "original_max_position_embeddings": original,
        })),
        Some(Scaling::Yarn {
            factor,
            original,
            beta_fast,
            beta_slow,
            attention_factor,
            truncate,
        }) => Some(json!({
            "rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original,
            "beta_fast": beta_fast, "beta_slow": beta_slow, "attention_factor": attention_factor, "truncate": truncate,
        })),
        Some(Scaling::Factors {
            short,
            long,
            original,
            attention_factor,
        }) => Some(json!({
            "rope_type": "longrope", "short_factor": short, "long_factor": long,
            "original_max_position_embeddings": original, "attention_factor": attention_factor,
        })),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;

    #[test]
    fn integers_are_written_as_integers_and_floats_as_floats() {
        for family in ["gemma", "gemma2", "gemma3", "llama", "qwen3"] {
            let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("tests/fixtures")
                .join(family);
            let Value::Object(config) = serde_json::from_str(&format!(
                "{:#}",
                Value::Object(to_hub(&Checkpoint::open(&folder).unwrap().config).unwrap())
            ))
            .unwrap() else {
                unreachable!("an object was written")
            };
            for (key, value) in &config {
                let is_float = ["rms_norm_eps", "rope_theta", "rope_local_base_freq"].contains(&key.as_str())
                    || key.ends_with("_softcapping");
                assert!(
                    !value.is_number() || value.is_f64() == is_float,
                    "{family}: {key} is {value}"
                );
            }
            if family == "gemma2" || family == "gemma3" {
                assert_eq!(config["query_pre_attn_scalar"].to_string(), "9", "{family}");
                assert_eq!(config["sliding_window"].to_string(), "4", "{family}");
            }
            if family == "gemma2" {
                assert_eq!(config["attn_logit_softcapping"].to_string(), "50.0");
                assert_eq!(config["final_logit_softcapping"].to_string(), "30.0");
            }
        }
    }
}
