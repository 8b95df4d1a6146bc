//! Reads the header of a GGUF file: the config that its metadata describe, and the tensors' sizes, but no tensor.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::cost::{Arithmetic, Quant};
use mechanism::gguf::{Gguf, Value};
use serde::Serialize;
use serde_json::{Map, json};

/// Contents of a GGUF file according to its header.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct GgufFile {
    /// `general.architecture`.
    pub(crate) architecture: String,
    /// The quantisation type named in the header, else the one whose predicted size is closest to the tensors' bytes.
    pub(crate) quant: Quant,
    /// Total bytes of all tensors.
    pub(crate) weights_bytes: f64,
    /// Total number of weights in all tensors.
    pub(crate) parameters: i64,
    /// Number of tensors and their bytes, by tensor type.
    pub(crate) tensors: BTreeMap<String, (usize, f64)>,
    pub(crate) notes: Vec<String>,
}

/// Values of `general.file_type` as numbered in llama.h, and the name of the corresponding type here.
const FILE_TYPES: [(u64, &str); 29] = [
    (0, "f32"),
    (1, "bf16"),
    (2, "Q4_0"),
    (3, "Q4_1"),
    (7, "Q8_0"),
    (8, "Q5_0"),
    (9, "Q5_1"),
    (10, "Q2_K"),
    (11, "Q3_K_S"),
    (12, "Q3_K_M"),
    (13, "Q3_K_L"),
    (14, "Q4_K_S"),
    (15, "Q4_K_M"),
    (16, "Q5_K_S"),
    (17, "Q5_K_M"),
    (18, "Q6_K"),
    (19, "IQ2_XXS"),
    (21, "Q2_K_S"),
    (23, "IQ3_XXS"),
    (24, "IQ1_S"),
    (25, "IQ4_NL"),
    (26, "IQ3_S"),
    (27, "IQ3_M"),
    (29, "IQ2_M"),
    (30, "IQ4_XS"),
    (31, "IQ1_M"),
    (32, "bf16"),
    (37, "TQ2_0"),
    (38, "mxfp4"),
];

/// llama.cpp architecture names and the `model_type` of the Hub's configs, where they differ in more than `-`.
const MODEL_TYPES: [(&str, &str); 18] = [
    ("gemma3", "gemma3_text"),
    ("gemma4", "gemma4_text"),
    ("qwen2moe", "qwen2_moe"),
    ("qwen3moe", "qwen3_moe"),
    ("qwen3next", "qwen3_next"),
    ("qwen35", "qwen3_5_text"),
    ("qwen35moe", "qwen3_5_moe_text"),
    ("gptneox", "gpt_neox"),
    ("command-r", "cohere"),
    ("deepseek2", "deepseek_v3"),
    ("gpt-oss", "gpt_oss"),
    ("granitemoe", "granitemoe"),
    ("granitehybrid", "granitemoehybrid"),
    ("lfm2moe", "lfm2_moe"),
    ("falcon-h1", "falcon_h1"),
    ("phi2", "phi"),
    ("olmoe", "olmoe"),
    ("smollm3", "smollm3"),
];

/// Metadata keys (after the architecture prefix) and the corresponding config fields.
const COUNTS: [(&str, &str); 21] = [
    ("block_count", "num_hidden_layers"),
    ("embedding_length", "hidden_size"),
    ("feed_forward_length", "intermediate_size"),
    ("attention.head_count", "num_attention_heads"),
    ("attention.key_length", "head_dim"),
    ("attention.sliding_window", "sliding_window"),
    ("context_length", "max_position_embeddings"),
    ("expert_count", "num_local_experts"),
    ("expert_used_count", "num_experts_per_tok"),
    ("expert_feed_forward_length", "moe_intermediate_size"),
    ("expert_shared_count", "n_shared_experts"),
    (
        "expert_shared_feed_forward_length",
        "shared_expert_intermediate_size",
    ),
    ("leading_dense_block_count", "first_k_dense_replace"),
    ("attention.q_lora_rank", "q_lora_rank"),
    ("attention.kv_lora_rank", "kv_lora_rank"),
    ("full_attention_interval", "full_attention_interval"),
    ("attention.shared_kv_layers", "num_kv_shared_layers"),
    ("ssm.conv_kernel", "mamba_d_conv"),
    ("ssm.state_size", "mamba_d_state"),
    ("ssm.group_count", "mamba_n_groups"),
    ("ssm.time_step_rank", "mamba_n_heads"),
];

/// Reads a file's config and a summary of its tensors.
///
/// # Errors
/// The file is not GGUF, its header contradicts its length, or its metadata lack a dimension that the counts need.
pub(crate) fn read(path: &Path) -> Result<(serde_json::Value, GgufFile)> {
    let file = Gguf::open(path)?;
    let architecture = file
        .text("general.architecture")
        .with_context(|| format!("{}: the header has no general.architecture", path.display()))?
        .to_owned();
    let config = config(&file, &architecture);
    let mut notes = Vec::new();
    let (tensors, weights_bytes, parameters) = held(&file, &mut notes);
    if tensors.is_empty() {
        bail!(
            "{}: the header lists no tensors: a vocabulary alone has no weights",
            path.display()
        );
    }
    let cost = Arithmetic::of_config(&config)
        .with_context(|| format!("{}: architecture {architecture}", path.display()))?;
    let off = cost.parameters_total as f64 / parameters as f64 - 1.0;
    if off.abs() > 0.01 {
        notes.push(format!(
            "the file holds {parameters} numbers and its metadata make {} ({:+.1} %): the weights' bytes are the file's, cache and \
             speed follow the metadata",
            cost.parameters_total,
            100.0 * off
        ));
    }
    let quant = file
        .number("general.file_type")
        .and_then(|code| FILE_TYPES.iter().find(|(known, _)| *known == code))
        .and_then(|(_, name)| Quant::from_name(name))
        .or_else(|| nearest(&cost, weights_bytes))
        .context("no type of weights")?;
    Ok((
        config,
        GgufFile {
            architecture,
            quant,
            weights_bytes,
            parameters,
            tensors,
            notes,
        },
    ))
}

/// The quantisation type whose predicted size is closest to these bytes.
fn nearest(cost: &Arithmetic, bytes: f64) -> Option<Quant> {
    let all = Quant::names()
        .into_iter()
        .filter_map(Quant::from_name)
        .filter(|quant| !quant.is_packed());
    all.min_by(|a, b| {
        let off = |quant: &Quant| (quant.bytes(cost) / bytes).ln().abs();
        off(a).total_cmp(&off(b))
    })
}

/// Number of tensors and bytes by type, total bytes, and total number of weights. A tensor of unknown type is taken to
/// extend to the start of the next one.
fn held(file: &Gguf, notes: &mut Vec<String>) -> (BTreeMap<String, (usize, f64)>, f64, i64) {
    let mut order: Vec<_> = file.tensors.values().collect();
    order.sort_by_key(|entry| (entry.file, entry.start));
    let mut tensors: BTreeMap<String, (usize, f64)> = BTreeMap::new();
    let (mut all, mut numbers, mut unknown) = (0.0, 0_i64, 0);
    for (at, entry) in order.iter().enumerate() {
        let held: usize = entry.shape.iter().product();
        let bytes = if entry.n_bytes == 0 && held > 0 {
            unknown += 1;
            let next = order.get(at + 1).filter(|next| next.file == entry.file);
            next.map_or(0, |next| next.start - entry.start)
        } else {
            entry.n_bytes
        } as f64;
        let of_type = tensors.entry(entry.dtype.to_string()).or_default();
        of_type.0 += 1;
        of_type.1 += bytes;
        all += bytes;
        numbers = numbers.saturating_add(held as i64);
    }
    if unknown > 0 {
        notes.push(format!(
            "{unknown} tensors are of a type that is not known here: their bytes are what lies between them and the next"
        ));
    }
    (tensors, all, numbers)
}

/// The config described by the metadata.
fn config(file: &Gguf, architecture: &str) -> serde_json::Value {
    let value = |key: &str| file.metadata.get(&format!("{architecture}.{key}"));
    let experts = file.number(&format!("{architecture}.expert_count")).unwrap_or(0);
    let model_type = match architecture {
        // llama.cpp has no separate architecture for Mixtral.
        "llama" if experts > 0 => "mixtral".to_owned(),
        _ => MODEL_TYPES
            .iter()
            .find(|(name, _)| *name == architecture)
            .map_or_else(|| architecture.replace('-', "_"), |(_, name)| (*name).to_owned()),
    };
    let mut config = Map::new();
    config.insert("model_type".into(), model_type.clone().into());
    for (key, name) in COUNTS {
        let found = match value(key) {
            // For a list with one value per layer, take the largest.
            Some(Value::Numbers(list)) => list.iter().copied().fold(None, |most: Option<f64>, one| {
                Some(most.map_or(one, |most| most.max(one)))
            }),
            Some(one) => one.as_f64(),
            None => None,
        };
        if let Some(count) = found.filter(|count| *count > 0.0 && *count < 1e12) {
            config.insert(name.into(), (count as i64).into());
        }
    }
    if let (Some(Value::Numbers(list)), true) = (value("feed_forward_length"), experts == 0)
        && list.iter().any(|one| Some(one) != list.first())
    {
        config.insert(
            "intermediate_size".into(),
            list.iter().map(|one| *one as i64).collect::<Vec<_>>().into(),
        );
    }
    let heads = config
        .get("num_attention_heads")
        .and_then(serde_json::Value::as_i64);
    match value("attention.head_count_kv") {
        Some(Value::Numbers(list)) => {
            let most = list.iter().copied().fold(0.0, f64::max) as i64;
            config.insert("num_key_value_heads".into(), most.into());
            // Layers without key-value heads keep a recurrent state or the inputs of a convolution instead.
            if list.contains(&0.0) {
                let kinds = list
                    .iter()
                    .map(|one| if *one == 0.0 { "conv" } else { "full_attention" });
                config.insert("layer_types".into(), kinds.collect::<Vec<_>>().into());
            }
        }
        Some(one) => {
            config.insert("num_key_value_heads".into(), json!(one.as_u64()));
        }
        None => {
            config.insert("num_key_value_heads".into(), json!(heads));
        }
    }
    if experts > 0 {
        config.insert("num_experts".into(), json!(experts));
        config.insert("n_routed_experts".into(), json!(experts));
    } else {
        config.remove("num_local_experts");
    }
    if config.contains_key("kv_lora_rank") {
        latent(file, architecture, &mut config);
    }
    if model_type.starts_with("qwen3_next") || model_type.starts_with("qwen3_5") {
        delta(file, architecture, &mut config);
    }
    let vocabulary = file
        .tensors
        .get("token_embd.weight")
        .and_then(|entry| entry.shape.first().copied());
    config.insert("vocab_size".into(), json!(vocabulary));
    let tied = !file.tensors.contains_key("output.weight");
    config.insert("tie_word_embeddings".into(), tied.into());
    serde_json::Value::Object(config)
}

/// Dimensions of multi-head latent attention: llama.cpp's key length comprises the latent and the rotary part.
fn latent(file: &Gguf, architecture: &str, config: &mut Map<String, serde_json::Value>) {
    let count = |key: &str| file.number(&format!("{architecture}.{key}"));
    let rope = count("rope.dimension_count").unwrap_or(64);
    let key = count("attention.key_length_mla").or_else(|| count("attention.key_length"));
    let values = count("attention.value_length_mla").or_else(|| count("attention.value_length"));
    config.remove("head_dim");
    config.insert("qk_rope_head_dim".into(), json!(rope));
    config.insert(
        "qk_nope_head_dim".into(),
        json!(key.map(|key| key.saturating_sub(rope))),
    );
    config.insert("v_head_dim".into(), json!(values));
    config.insert(
        "num_key_value_heads".into(),
        config["num_attention_heads"].clone(),
    );
}

/// Dimensions of gated delta nets, which llama.cpp stores under the names of state-space layers.
fn delta(file: &Gguf, architecture: &str, config: &mut Map<String, serde_json::Value>) {
    let count = |key: &str| file.number(&format!("{architecture}.ssm.{key}"));
    let (heads, inner) = (count("time_step_rank"), count("inner_size"));
    let values = heads
        .zip(inner)
        .and_then(|(heads, inner)| inner.checked_div(heads));
    for key in ["mamba_d_conv", "mamba_d_state", "mamba_n_groups", "mamba_n_heads"] {
        config.remove(key);
    }
    config.insert("linear_num_value_heads".into(), json!(heads));
    config.insert("linear_num_key_heads".into(), json!(count("group_count")));
    config.insert("linear_key_head_dim".into(), json!(count("state_size")));
    config.insert("linear_value_head_dim".into(), json!(values));
    config.insert("linear_conv_kernel_dim".into(), json!(count("conv_kernel")));
    if !config.contains_key("full_attention_interval") {
        config.insert("full_attention_interval".into(), json!(4));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a file: metadata as (key, integer or text), tensors as (name, shape innermost first, type code), then
    /// `data` bytes.
    fn file(values: &[(&str, Result<u32, &str>)], tensors: &[(&str, &[u64], u32)], data: usize) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend((tensors.len() as u64).to_le_bytes());
        bytes.extend((values.len() as u64).to_le_bytes());
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        for (key, value) in values {
            text(&mut bytes, key);
            match value {
                Ok(number) => {
                    bytes.extend(4_u32.to_le_bytes());
                    bytes.extend(number.to_le_bytes());
                }
                Err(words) => {
                    bytes.extend(8_u32.to_le_bytes());
                    text(&mut bytes, words);
                }
            }
        }
        let mut offset = 0_u64;
        for (name, shape, code) in tensors {
            text(&mut bytes, name);
            bytes.extend((shape.len() as u32).to_le_bytes());
            for dim in *shape {
                bytes.extend(dim.to_le_bytes());
            }
            bytes.extend(code.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            offset += 4096;
        }
        bytes.resize(bytes.len() + 32 + data, 0);
        bytes
    }

    const LLAMA: [(&str, Result<u32, &str>); 8] = [
        ("general.architecture", Err("llama")),
        ("general.file_type", Ok(15)),
        ("llama.block_count", Ok(1)),
        ("llama.embedding_length", Ok(256)),
        ("llama.feed_forward_length", Ok(512)),
        ("llama.attention.head_count", Ok(4)),
        ("llama.attention.head_count_kv", Ok(2)),
        ("llama.context_length", Ok(2048)),
    ];

    fn opened(bytes: &[u8]) -> Result<(serde_json::Value, GgufFile)> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("small.gguf");
        std::fs::write(&path, bytes).expect("written");
        read(&path)
    }

    #[test]
    fn bytes_are_those_of_the_tensors_whatever_their_type() {
        let tensors: [(&str, &[u64], u32); 3] = [
            ("token_embd.weight", &[256, 16], 14),
            ("blk.0.ffn_up.weight", &[256, 8], 12),
            ("blk.0.attn_q.weight", &[256, 4], 19),
        ];
        let (config, found) = opened(&file(&LLAMA, &tensors, 16_384)).expect("a header");
        // 16 blocks of 210 bytes, 8 of 144, 4 of 50 (IQ1_S, a type that is not supported).
        assert_eq!(found.weights_bytes, 16.0 * 210.0 + 8.0 * 144.0 + 4.0 * 50.0);
        assert_eq!(found.tensors["IQ1_S"], (1, 200.0));
        assert_eq!((found.quant.name(), found.parameters), ("Q4_K_M", 256 * 28));
        assert_eq!(config["num_key_value_heads"], 2);
        assert_eq!(
            (&config["vocab_size"], &config["tie_word_embeddings"]),
            (&json!(16), &json!(true))
        );
        assert!(found.notes[0].contains("its metadata make"), "{:?}", found.notes);
    }

    #[test]
    fn a_header_that_claims_too_much_or_too_little_is_refused() {
        let whole = file(&LLAMA, &[("token_embd.weight", &[256, 16], 14)], 16_384);
        // A tensor count beyond what any file can hold: nothing is allocated for it.
        let mut many = whole.clone();
        many[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(opened(&many).is_err());
        // A tensor larger than the file.
        let large = file(&LLAMA, &[("token_embd.weight", &[256, 1 << 40], 14)], 64);
        assert!(opened(&large).is_err());
        for cut in [0, 3, 20, 60, whole.len() / 2] {
            assert!(opened(&whole[..cut.min(200)]).is_err(), "{cut}");
        }
        let none = opened(&file(&LLAMA, &[], 64))
            .expect_err("no tensors")
            .to_string();
        assert!(none.contains("no tensors"), "{none}");
        let lacking = opened(&file(
            &LLAMA[..4],
            &[("token_embd.weight", &[256, 16], 14)],
            16_384,
        ));
        assert!(lacking.is_err(), "a width is missing");
    }
}
