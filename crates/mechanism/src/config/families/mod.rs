//! The decoder families: their names, how `config.json` and GGUF metadata are read, and what tensors are called.
//!
//! A family is a [`Facts`] constant in a file of this folder and an entry in `families!`; all code that reads, writes
//! or tests families uses that list. A constant missing from the list is dead code and does not compile.
#![deny(dead_code)]

mod gpt2;
mod gpt_neox;
mod like_llama;
mod llama;

use serde::Serialize;

use super::DecoderConfig;
use super::fields::Fields;
use super::gguf::keys::Keys;
use crate::error::Result;
use crate::layout::{Kind, Part, Source};

/// The facts that distinguish a family from the others.
pub(crate) struct Facts {
    /// Its `model_type`s in `config.json`; the first is used in messages and when writing.
    pub(crate) model_types: &'static [&'static str],
    /// Its class in transformers; `None` for families whose `config.json` is only read, never written.
    pub(crate) class: Option<&'static str>,
    /// Its `general.architecture` in GGUF; `None` where llama.cpp has none.
    pub(crate) architecture: Option<&'static str>,
    /// Whether llama.cpp's converter reorders the rows of queries and keys.
    pub(crate) is_permuted: bool,
    /// Whether no configuration field sets the width of a head, which is `d_model` divided by the heads.
    pub(crate) head_follows_width: bool,
    /// Reads the fields of `config.json`.
    pub(super) read: fn(Family, Fields<'_>) -> Result<DecoderConfig>,
    /// Adjusts a configuration read from GGUF with Llama's defaults to what differs in the family.
    pub(super) read_gguf: fn(&mut DecoderConfig, &Keys<'_>) -> Result<()>,
    /// Names of its tensors in safetensors.
    pub(crate) names: Names,
}

/// Names of tensors in safetensors files, without prefix, `.weight` and `.bias`.
pub(crate) struct Names {
    pub(crate) embedding: &'static str,
    /// What precedes a layer's index.
    pub(crate) layers: &'static str,
    pub(crate) final_norm: &'static str,
    /// The output head, whose name has no prefix.
    pub(crate) head: &'static str,
    /// Source of a part of a layer: the tensor it is stored in, and which piece of that tensor.
    pub(crate) part: fn(&StoredLayer<'_>, &DecoderConfig, Part, Kind) -> Source,
}

/// A layer of a checkpoint in safetensors files.
pub(crate) struct StoredLayer<'a> {
    /// Prefix of its tensors' names, for example `model.layers.3.`.
    pub(crate) at: String,
    /// Whether the files have a tensor of that name.
    pub(crate) has: &'a dyn Fn(&str) -> bool,
}

impl StoredLayer<'_> {
    /// The full name of a tensor of the layer.
    fn named(&self, name: &str, kind: Kind) -> String {
        format!("{}{name}{}", self.at, kind.suffix())
    }
}

macro_rules! families {
    ($($family:ident $facts:path;)*) => {
        /// A supported kind of decoder; the differences between families are in `Facts`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        #[expect(missing_docs, reason = "the names are the families' own")]
        pub enum Family {
            $($family,)*
        }

        impl Family {
            /// All families, in the order in which messages list them.
            pub const ALL: &[Self] = &[$(Self::$family),*];

            pub(crate) fn facts(self) -> &'static Facts {
                match self {
                    $(Self::$family => const { &$facts },)*
                }
            }
        }
    };
}

families! {
    Llama llama::LLAMA;
    Mistral llama::MISTRAL;
    Mixtral llama::MIXTRAL;
    Qwen2 llama::QWEN2;
    Qwen2Moe llama::QWEN2_MOE;
    Qwen3 llama::QWEN3;
    Qwen3Moe llama::QWEN3_MOE;
    Gemma llama::GEMMA;
    Gemma2 llama::GEMMA2;
    Gemma3 llama::GEMMA3;
    Phi3 llama::PHI3;
    Olmo2 llama::OLMO2;
    StableLm llama::STABLE_LM;
    GptNeoX gpt_neox::GPT_NEOX;
    Gpt2 gpt2::GPT2;
}

impl Family {
    /// The family of a `model_type` in `config.json`.
    pub(super) fn of_model_type(model_type: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|family| family.facts().model_types.contains(&model_type))
            .copied()
    }

    /// The family of a `general.architecture` in GGUF; the first, where several share it.
    pub(super) fn of_architecture(architecture: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|family| family.facts().architecture == Some(architecture))
            .copied()
    }

    /// The `general.architecture` of its GGUF files, where llama.cpp has one.
    pub fn architecture(self) -> Option<&'static str> {
        self.facts().architecture
    }

    /// Whether llama.cpp's converter reorders the rows of its queries and keys.
    pub fn is_permuted(self) -> bool {
        self.facts().is_permuted
    }
}

/// The distinct names of all families as an English list: `a, b and c`.
pub(super) fn listed(name: impl Fn(&'static Facts) -> Option<&'static str>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in Family::ALL.iter().filter_map(|family| name(family.facts())) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Facts derived from another family's keep its names unless they are overridden.
    #[test]
    fn no_family_has_the_names_of_another() {
        // llama.cpp has no separate architecture for these.
        let shared = [Family::Mistral, Family::Mixtral];
        for family in Family::ALL {
            let facts = family.facts();
            assert!(!facts.model_types.is_empty(), "{family:?} has no model_type");
            for model_type in facts.model_types {
                assert_eq!(
                    Family::of_model_type(model_type),
                    Some(*family),
                    "the model_type {model_type} of {family:?}"
                );
            }
            if let Some(architecture) = facts.architecture.filter(|_| !shared.contains(family)) {
                assert_eq!(
                    Family::of_architecture(architecture),
                    Some(*family),
                    "the architecture {architecture} of {family:?}"
                );
            }
            for other in Family::ALL.iter().filter(|other| *other != family) {
                let is_same = facts.class.is_some() && facts.class == other.facts().class;
                assert!(
                    !is_same,
                    "{family:?} and {other:?} are both written as {:?}",
                    facts.class
                );
            }
        }
    }
}
