//! Pre-tokenisation, which splits texts before merging, by its name in GGUF files (`tokenizer.ggml.pre`). Source:
//! llama.cpp `llama-vocab.cpp` and the `tokenizer.json` of the checkpoints named.

use serde_json::{Value, json};

/// GPT-4's pattern, with up to three digits together (Llama 3, `OLMo` 2).
const THREE_DIGITS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The same pattern with single digits (Qwen 2, `StableLM` 2).
const ONE_DIGIT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// The pattern of Mistral's Tekken.
const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What a byte-level tokenizer needs besides its vocabulary.
pub(super) struct Division {
    /// `pre_tokenizer` of a `tokenizer.json`.
    pub(super) pre_tokenizer: Value,
    /// `normalizer` of a `tokenizer.json`.
    pub(super) normalizer: Value,
    /// Whether a word that is itself a piece of the vocabulary skips merging.
    pub(super) ignore_merges: bool,
    /// Whether a beginning-of-sequence token is added, unless the file says otherwise.
    pub(super) begin: bool,
}

/// The pre-tokenisation called `name`; `None` if it is unknown.
pub(super) fn division(name: &str) -> Option<Division> {
    let split = |pattern: &str| {
        json!({"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": false},
            byte_level(false),
        ]})
    };
    let plain = |pre_tokenizer| Division {
        pre_tokenizer,
        normalizer: Value::Null,
        ignore_merges: false,
        begin: false,
    };
    Some(match name {
        "smollm" | "starcoder" | "refact" | "codeshell" => {
            plain(json!({"type": "Sequence", "pretokenizers": [
                {"type": "Digits", "individual_digits": true},
                byte_level(true),
            ]}))
        }
        "gpt-2" | "gpt2" | "phi-2" | "olmo" => plain(byte_level(true)),
        "llama-bpe" | "llama3" | "llama-v3" | "falcon3" => Division {
            ignore_merges: true,
            begin: true,
            ..plain(split(THREE_DIGITS))
        },
        "dbrx" | "smaug-bpe" | "olmo2" => plain(split(THREE_DIGITS)),
        "qwen2" | "deepseek-r1-qwen" | "megrez" => Division {
            normalizer: json!({"type": "NFC"}),
            ..plain(split(ONE_DIGIT))
        },
        "stablelm2" | "hunyuan" => plain(split(ONE_DIGIT)),
        "tekken" => Division {
            ignore_merges: true,
            begin: true,
            ..plain(split(TEKKEN))
        },
        _ => return None,
    })
}

fn byte_level(divide: bool) -> Value {
    json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": divide})
}
