//! Labels of a checkpoint (mixture of experts, multimodal, merged, quantized, adapter), derived from the sources'
//! columns, class names and checkpoint names, and the conflicts between these.
//!
//! | label | rule | why |
//! | --- | --- | --- |
//! | `is_moe` | config, then class name, then column, then name; a class without experts is no mixture unless the name says so | columns of leaderboards miss mixtures, and call plain networks mixtures |
//! | `is_multimodal` | config, then class name, then name | |
//! | `merged` | column or `Type`, either; where neither speaks, the name | 871 rows have `Type` merge and the flag not, 108 the other way round |
//! | `quantized` | config or tags, then name | columns tell how a run was loaded, not what is published |
//! | `adapter` | weight type, then name | |

use crate::gather::Gathered;
use crate::known::Known;
use crate::tables::Conflict;
use crate::words::{Stated, holds, sizes, words};

/// Words of names that say how weights are stored.
const QUANTIZED: [&str; 18] = [
    "gptq", "awq", "gguf", "ggml", "4bit", "8bit", "4-bit", "8-bit", "int4", "int8", "fp8", "fp4", "nvfp4",
    "mxfp4", "exl2", "w4a16", "w8a8", "-mlx",
];
/// Words of names that say a checkpoint was merged.
const MERGED: [&str; 10] = [
    "merge",
    "merged",
    "slerp",
    "ties",
    "dare",
    "della",
    "passthrough",
    "stock",
    "frankenmerge",
    "moerge",
];
/// Words of names that say a checkpoint is an adapter alone.
const ADAPTER: [&str; 4] = ["lora", "qlora", "peft", "adapter"];
/// Parts of class names of mixtures.
const MIXTURES: [&str; 5] = ["Moe", "MoE", "MixtralFor", "DbrxFor", "DeepseekV"];
/// Class names of networks without experts.
const DENSE: [&str; 24] = [
    "LlamaForCausalLM",
    "LLaMAForCausalLM",
    "MistralForCausalLM",
    "Qwen2ForCausalLM",
    "Qwen3ForCausalLM",
    "QWenLMHeadModel",
    "GemmaForCausalLM",
    "Gemma2ForCausalLM",
    "Gemma3ForCausalLM",
    "PhiForCausalLM",
    "Phi3ForCausalLM",
    "GPT2LMHeadModel",
    "GPTNeoForCausalLM",
    "GPTNeoXForCausalLM",
    "GPTJForCausalLM",
    "OPTForCausalLM",
    "BloomForCausalLM",
    "FalconForCausalLM",
    "MPTForCausalLM",
    "StableLmForCausalLM",
    "CohereForCausalLM",
    "OlmoForCausalLM",
    "Olmo2ForCausalLM",
    "InternLM2ForCausalLM",
];
/// Parts of class names of models that take more than text.
const MULTIMODAL: [&str; 14] = [
    "Llava",
    "VLFor",
    "VLMoeFor",
    "VL_Moe",
    "Vision",
    "Mllama",
    "Pixtral",
    "PaliGemma",
    "Idefics",
    "InternVL",
    "Qwen2VL",
    "Qwen2_5_VL",
    "Gemma3ForConditional",
    "Multimodal",
];

/// Who states a label, and the value.
type Said = (String, bool);

/// One label: the value kept, and all statements about it, the kept one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) field: &'static str,
    pub(crate) value: Option<bool>,
    said: Vec<Said>,
    rule: &'static str,
}

impl Label {
    fn first(field: &'static str, rule: &'static str, said: impl IntoIterator<Item = Option<Said>>) -> Self {
        let said: Vec<Said> = said.into_iter().flatten().collect();
        Self {
            field,
            value: said.first().map(|(_, value)| *value),
            said,
            rule,
        }
    }

    /// True if any statement is true.
    fn either(field: &'static str, rule: &'static str, said: impl IntoIterator<Item = Option<Said>>) -> Self {
        let mut label = Self::first(field, rule, said);
        label.said.sort_by_key(|&(_, value)| !value);
        label.value = label.said.first().map(|(_, value)| *value);
        label
    }

    /// The conflict between the value kept and the first statement that differs, if any.
    fn conflicts(&self, id: &str) -> Option<Conflict> {
        let (kept_source, kept) = self.said.first()?;
        let (other_source, other) = self.said.iter().find(|(_, value)| value != kept)?;
        Some(Conflict {
            id: id.to_owned(),
            field: self.field.to_owned(),
            kept: kept.to_string(),
            kept_source: kept_source.clone(),
            other: other.to_string(),
            other_source: other_source.clone(),
            rule: self.rule.to_owned(),
        })
    }
}

/// The labels of one checkpoint: mixture, multimodal, merged, quantized, adapter.
pub(crate) fn labels(gathered: &Gathered, known: &Known) -> [Label; 5] {
    let source = |number: u16| gathered.source(number);
    let class = |parts: &[&str]| {
        let class = known.architecture.as_deref()?;
        parts
            .iter()
            .any(|part| class.contains(part))
            .then(|| (source(known.architecture_source), true))
    };
    let named = |yes: bool| yes.then(|| ("name".to_owned(), true));
    let lower = known
        .id
        .rsplit('/')
        .next()
        .unwrap_or(&known.id)
        .to_ascii_lowercase();
    let word = |marks: &[&str]| {
        let words = words(&known.id);
        marks.iter().any(|mark| words.iter().any(|word| word == mark))
    };
    let column = |value: Option<bool>, number: u16| value.map(|value| (source(number), value));
    let stated = column(known.is_moe, known.moe_source);
    let by_leaderboard = gathered.leaderboards.contains(&known.moe_source);
    let (config, listed) = if by_leaderboard {
        (None, stated)
    } else {
        (stated, None)
    };
    let dense = is_plain(known).then(|| (source(known.architecture_source), false));
    let stored = holds(&lower, &QUANTIZED);
    let alone = ADAPTER.iter().any(|mark| word(&[mark]));
    let adapter = known.adapter_source.map(|number| (source(number), known.adapter));
    [
        Label::first(
            "is_moe",
            "config_class_column_name",
            [
                config,
                class(&MIXTURES),
                dense,
                listed,
                named(named_mixture(&known.id)),
            ],
        ),
        Label::first(
            "is_multimodal",
            "config_class_name",
            [
                column(known.is_multimodal, known.multimodal_source),
                class(&MULTIMODAL),
                named(word(&["vl", "vision", "llava"])),
            ],
        ),
        Label::either(
            "merged",
            "either_column",
            [
                column(known.kind_merged, known.kind_source)
                    .map(|(source, value)| (format!("{source}: Type"), value)),
                column(known.merged, known.merged_source)
                    .map(|(source, value)| (format!("{source}: Merged"), value)),
            ],
        )
        .or_else(|| Label::first("merged", "name_alone", [named(word(&MERGED))])),
        Label::first(
            "quantized",
            "config_then_name",
            [
                known.quantized.then(|| (source(known.quantized_source), true)),
                named(stored),
            ],
        ),
        Label::first("adapter", "weight_type_then_name", [adapter, named(alone)]),
    ]
}

impl Label {
    fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        if self.value.is_some() { self } else { other() }
    }
}

/// Whether the class is one without experts and the name does not say otherwise.
pub(crate) fn is_plain(known: &Known) -> bool {
    let class = known.architecture.as_deref();
    class.is_some_and(|class| DENSE.contains(&class)) && !named_mixture(&known.id)
}

/// Whether the name is that of a mixture: `8x7b`, `moe`.
fn named_mixture(id: &str) -> bool {
    sizes(id)
        .iter()
        .any(|stated| matches!(stated, Stated::Mixture(..)))
        || words(id).iter().any(|word| word == "moe")
}

/// Conflicts of labels on which columns, class names and names disagree; for `merged` also a name that indicates a
/// merge where both columns say no.
pub(crate) fn conflicts(gathered: &Gathered, known: &Known) -> Vec<Conflict> {
    let all = labels(gathered, known);
    let merged = &all[2];
    let named = (merged.value == Some(false))
        .then(|| {
            words(&known.id)
                .into_iter()
                .find(|word| MERGED.contains(&word.as_str()))
        })
        .flatten()
        .map(|word| Conflict {
            id: known.id.to_string(),
            field: "merged".to_owned(),
            kept: "false".to_owned(),
            kept_source: merged
                .said
                .first()
                .map(|(source, _)| source.clone())
                .unwrap_or_default(),
            other: "true".to_owned(),
            other_source: format!("name: {word}"),
            rule: "columns_over_name".to_owned(),
        });
    all.iter()
        .filter_map(|label| label.conflicts(&known.id))
        .chain(named)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gathered() -> Gathered {
        Gathered {
            sources: vec!["board.csv".into(), "config.json".into()],
            leaderboards: [0].into(),
            ..Gathered::default()
        }
    }

    #[test]
    fn a_merge_is_what_either_column_calls_one() {
        let known = Known {
            id: "x/y".into(),
            kind_merged: Some(true),
            merged: Some(false),
            ..Known::default()
        };
        let merged = &labels(&gathered(), &known)[2];
        assert_eq!(merged.value, Some(true));
        assert_eq!(
            merged.conflicts("x/y").map(|c| c.other_source),
            Some("board.csv: Merged".to_owned())
        );
    }

    #[test]
    fn a_class_of_mixtures_is_right_against_a_column_and_a_config_against_both() {
        let mut known = Known {
            id: "x/y".into(),
            architecture: Some("MixtralForCausalLM".into()),
            is_moe: Some(false),
            ..Known::default()
        };
        assert_eq!(labels(&gathered(), &known)[0].value, Some(true));
        known.moe_source = 1;
        assert_eq!(labels(&gathered(), &known)[0].value, Some(false));
    }

    #[test]
    fn a_class_without_experts_is_no_mixture_unless_its_name_says_so() {
        let of = |id: &str, class: &str| {
            let known = Known {
                id: id.into(),
                architecture: Some(class.into()),
                is_moe: Some(true),
                ..Known::default()
            };
            labels(&gathered(), &known)[0].value
        };
        assert_eq!(of("x/Chat-34B", "LlamaForCausalLM"), Some(false));
        assert_eq!(of("x/Chat-2x7B", "LlamaForCausalLM"), Some(true));
        assert_eq!(of("x/Chat-34B", "SomeOtherForCausalLM"), Some(true));
    }

    #[test]
    fn names_speak_where_columns_do_not() {
        let of = |id: &str| {
            let known = Known {
                id: id.into(),
                ..Known::default()
            };
            labels(&gathered(), &known).map(|label| label.value)
        };
        assert_eq!(
            of("x/Llama-3-8B-slerp-GGUF"),
            [None, None, Some(true), Some(true), None]
        );
        assert_eq!(of("x/phi-2-lora"), [None, None, None, None, Some(true)]);
        assert_eq!(of("x/Mixtral-8x7B"), [Some(true), None, None, None, None]);
    }
}
