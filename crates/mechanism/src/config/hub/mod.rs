//! `config.json` as the Hub has it, to a [`DecoderConfig`]. Defaults are those of transformers 5's configuration classes.

mod gpt;
mod llama;
mod rotary;

use serde_json::{Map, Value};

pub(super) use rotary::yarn_attention;

use super::fields::Fields;
use super::{Activation, DecoderConfig, Family};
use crate::error::{Error, Result};

/// Families by `model_type`.
fn family(model_type: &str) -> Result<Family> {
    Ok(match model_type {
        "llama" => Family::Llama,
        "mistral" => Family::Mistral,
        "mixtral" => Family::Mixtral,
        "qwen2" => Family::Qwen2,
        "qwen2_moe" => Family::Qwen2Moe,
        "qwen3" => Family::Qwen3,
        "qwen3_moe" => Family::Qwen3Moe,
        "gemma" => Family::Gemma,
        "gemma2" => Family::Gemma2,
        "gemma3_text" | "gemma3" => Family::Gemma3,
        "phi3" => Family::Phi3,
        "olmo2" => Family::Olmo2,
        "stablelm" => Family::StableLm,
        "gpt_neox" => Family::GptNeoX,
        "gpt2" => Family::Gpt2,
        other => {
            return Err(Error::Architecture {
                architecture: other.to_owned(),
                missing: "no decoder for this model_type; there is one for llama, mistral, mixtral, qwen2, qwen2_moe, \
                          qwen3, qwen3_moe, gemma, gemma2, gemma3_text, phi3, olmo2, stablelm, gpt_neox and gpt2"
                    .to_owned(),
            });
        }
    })
}

impl DecoderConfig {
    /// Reads the object of a `config.json`; the text part of a multimodal one.
    ///
    /// # Errors
    /// [`Error::Architecture`] for a family that is not covered, [`Error::Config`] for a field that is absent or senseless.
    pub fn from_hub(config: &Map<String, Value>) -> Result<Self> {
        let outer = Fields(config);
        if outer.get("quantization_config").is_some() {
            return Err(Error::Architecture {
                architecture: outer.text("model_type")?.unwrap_or("?").to_owned(),
                missing: "weights packed by a quantization_config are not read; use GGUF".to_owned(),
            });
        }
        let c = outer.object("text_config")?.unwrap_or(outer);
        let model_type = match c.text("model_type")? {
            Some(model_type) => model_type,
            None => outer.text("model_type")?.unwrap_or("(none)"),
        };
        let family = family(model_type)?;
        match family {
            Family::Gpt2 => gpt::gpt2(c),
            Family::GptNeoX => gpt::neox(c),
            _ => llama::llama_like(family, c),
        }?
        .checked()
    }
}

fn activation(name: Option<&str>, default: Activation) -> Result<Activation> {
    Ok(match name {
        None => default,
        Some("silu" | "swish") => Activation::Silu,
        Some("gelu") => Activation::Gelu,
        Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_tanh") => Activation::GeluTanh,
        Some("relu") => Activation::Relu,
        Some(other) => {
            return Err(Error::Config {
                field: "hidden_act".to_owned(),
                what: format!("`{other}` is not known"),
            });
        }
    })
}
