//! One name per family of architectures, derived from class names and model types alike.

/// The family of a checkpoint, in lower-case letters and digits: `LlamaForCausalLM`, `LLaMAForCausalLM` and `llama` all
/// give `llama`.
pub fn family(architecture: Option<&str>, model_type: Option<&str>) -> Option<String> {
    let plain = |text: &str| {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let name = match architecture {
        Some(class) => plain(stem(class)),
        None => plain(model_type?),
    };
    let name = name.strip_suffix("text").unwrap_or(&name);
    Some(
        match name {
            "rw" | "refinedweb" | "refinedwebmodel" => "falcon",
            "mosaicgpt" => "mpt",
            "stablelmepoch" => "stablelm",
            "qwenlmhead" | "qwenlm" => "qwen",
            "mixformersequential" | "phimultipleheads" | "phimsft" => "phi",
            "gpt2lmhead" | "gpt2lmheadcustom" | "gpt2custom" => "gpt2",
            "hunyuandensev1" => "hunyuanv1dense",
            "yi" | "llavallama" | "longllama" | "ntkscaledllama" => "llama",
            other => other,
        }
        .to_owned(),
    )
    .filter(|name| !name.is_empty())
}

/// Beginnings of the suffixes of class names that state the purpose of a class.
const MARKS: [&str; 11] = [
    "ForCausalLM",
    "ForCasualLM",
    "ForConditionalGeneration",
    "ForSequence",
    "ForToken",
    "ForQuestion",
    "ForReward",
    "LMHeadModel",
    "LMHeadCustomModel",
    "ForScore",
    "Model",
];

/// A class name without its purpose: `Qwen2ForSequenceClassification` and `Qwen2Model` give `Qwen2`.
fn stem(class: &str) -> &str {
    let bytes = class.as_bytes();
    // A single pass: this is called many times for every checkpoint, and a search per suffix would be set up each time.
    let is_mark = |&at: &usize| {
        matches!(bytes[at], b'F' | b'L' | b'M')
            && MARKS
                .iter()
                .any(|mark| bytes[at..].starts_with(mark.as_bytes()) && !class.starts_with(mark))
    };
    (1..bytes.len()).find(is_mark).map_or(class, |at| &class[..at])
}

#[cfg(test)]
mod tests {
    use super::family;

    #[test]
    fn class_names_and_model_types_meet() {
        for (class, kind, expected) in [
            (Some("LLaMAForCausalLM"), None, "llama"),
            (Some("LlamaForSequenceClassification"), Some("x"), "llama"),
            (None, Some("llama"), "llama"),
            (Some("GPTNeoXForCausalLM"), None, "gptneox"),
            (None, Some("gpt_neox"), "gptneox"),
            (Some("RWForCausalLM"), None, "falcon"),
            (Some("GPT2LMHeadModel"), None, "gpt2"),
            (None, Some("gemma3_text"), "gemma3"),
            (Some("Qwen2Model"), None, "qwen2"),
        ] {
            assert_eq!(family(class, kind).as_deref(), Some(expected));
        }
        assert_eq!(family(None, None), None);
    }
}
