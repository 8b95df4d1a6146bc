//! Defaults for what a config omits because it equals its class's default, as in the config classes of Hugging Face
//! transformers.

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::config::names::KV_HEADS;
use crate::config::stated::{Config, KeyHeads};

/// Families whose class has as many key and value heads as query heads where the config states none, or that have no
/// others.
const AS_HEADS: [&str; 43] = [
    "apertus",
    "arcee",
    "arctic",
    "baichuan",
    "bloom",
    "codegen",
    "cohere",
    "cohere2",
    "diffllama",
    "flexolmo",
    "gpt2",
    "gptj",
    "gptneo",
    "gptneox",
    "gptneoxjapanese",
    "granite",
    "granitemoe",
    "granitemoehybrid",
    "hunyuan",
    "internlm",
    "internlm2",
    "jais2",
    "llama",
    "longcatflash",
    "minicpm",
    "mpt",
    "nanochat",
    "nemotron",
    "olmo",
    "olmo2",
    "olmo3",
    "olmoe",
    "openelm",
    "opt",
    "persimmon",
    "phi",
    "phi3",
    "qwen",
    "recurrentgemma",
    "xglm",
    "xverse",
    "yi",
    "zamba2",
];

/// Families whose class has a fixed default number of key and value heads.
const FIXED: [(&str, i64); 28] = [
    ("bamba", 8),
    ("ernie45", 2),
    ("ernie45moe", 4),
    ("falconh1", 8),
    ("gemma", 16),
    ("gemma2", 4),
    ("gemma3", 4),
    ("gemma3n", 2),
    ("glm", 2),
    ("glm4", 2),
    ("glm4moe", 8),
    ("gptoss", 8),
    ("helium", 20),
    ("jamba", 8),
    ("lfm2", 8),
    ("llama4", 8),
    ("minimax", 8),
    ("ministral", 8),
    ("ministral3", 8),
    ("mistral", 8),
    ("mixtral", 8),
    ("mllama", 8),
    ("nemotronh", 8),
    ("phimoe", 8),
    ("qwen3moe", 4),
    ("seedoss", 8),
    ("smollm3", 4),
    ("starcoder2", 2),
];

/// Families with a single key and value head (multi-query attention) unless the config says otherwise.
const MULTI_QUERY: [&str; 2] = ["falcon", "gptbigcode"];

/// Families whose class has equal defaults for query heads and for key and value heads: with another number of query
/// heads, the number of key and value heads is a guess.
const EQUAL_DEFAULTS: [(&str, i64); 5] = [
    ("exaone4", 32),
    ("qwen2", 32),
    ("qwen2moe", 16),
    ("qwen3", 32),
    ("stablelm", 32),
];

/// Whether a family's class always has as many key and value heads as query heads, whatever a config says.
pub(crate) fn knows_no_groups(family: &str) -> bool {
    [
        "bloom", "codegen", "gpt2", "gptj", "gptneo", "gptneox", "opt", "qwen", "xglm",
    ]
    .contains(&family)
}

/// Where the number of key and value heads of `config` comes from.
pub(crate) fn key_heads(config: &Config, family: Option<&str>, inner: &Fields) -> KeyHeads {
    let latent = ["kv_lora_rank", "o_lora_rank"];
    if config.kv_heads.is_some()
        || config.attention_layers == Some(0)
        || fields::int(inner, &latent).is_some()
    {
        return KeyHeads::Stated;
    }
    let (Some(family), Some(heads)) = (family, config.heads) else {
        return KeyHeads::Unknown;
    };
    // These classes read an explicit null as "as many as query heads", whatever their default for a missing field.
    let is_null = KV_HEADS
        .iter()
        .any(|name| inner.get(*name).is_some_and(Value::is_null));
    let fixed = FIXED
        .iter()
        .chain(&EQUAL_DEFAULTS)
        .find(|(name, _)| *name == family)
        .map(|&(_, count)| count);
    match fixed {
        Some(_) if is_null => KeyHeads::Default(heads),
        Some(count) if count <= heads && heads % count == 0 => KeyHeads::Default(count),
        None if MULTI_QUERY.contains(&family) => KeyHeads::Default(1),
        None if AS_HEADS.contains(&family) => KeyHeads::Default(heads),
        _ => KeyHeads::Unknown,
    }
}

/// Fills in what a nested config (`text_config` and the like) omits: such configs are written without the values that
/// equal their class's defaults. `model_type` is that of the nested config.
pub(crate) fn nested(config: &mut Config, model_type: &str) {
    let [layers, d_model, d_ffn, heads, vocab_size, pos] = match model_type {
        "llama" => [32, 4096, 11008, 32, 32_000, 2048],
        "mistral" | "mixtral" => [32, 4096, 14336, 32, 32_000, 131_072],
        "qwen2" => [32, 4096, 22016, 32, 151_936, 32_768],
        "gemma" => [28, 3072, 24576, 16, 256_000, 8192],
        "gemma2" => [26, 2304, 9216, 8, 256_000, 8192],
        "gemma3_text" => [26, 2304, 9216, 8, 262_208, 131_072],
        "mllama_text_model" => [40, 4096, 14336, 32, 128_256, 131_072],
        "phi" => [24, 2048, 8192, 32, 51_200, 2048],
        "phi3" => [32, 3072, 8192, 32, 32_064, 4096],
        _ => return,
    };
    let fill = |slot: &mut Option<i64>, value: i64| *slot = slot.or(Some(value));
    fill(&mut config.layers, layers);
    fill(&mut config.d_model, d_model);
    fill(&mut config.d_ffn, d_ffn);
    fill(&mut config.heads, heads);
    fill(&mut config.vocab_size, vocab_size);
    fill(&mut config.pos, pos);
    if model_type.starts_with("gemma") {
        fill(&mut config.head_dim, 256);
    }
}
