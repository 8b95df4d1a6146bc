//! Writes a pruned or cut checkpoint as `model.safetensors` with a `config.json` that other tools can load.
//!
//! From safetensors, the stored bytes are copied (of cut parts, only the remaining rows and columns), and layers are
//! renumbered. From GGUF, weights are written dequantised (`f32`) under the names and in the layouts of transformers.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

pub(crate) use super::whole::write_then_rename;
use super::{Pruning, beside, taken};
use crate::checkpoint::Checkpoint;
use crate::config::{DecoderConfig, Family, to_hub};
use crate::error::{Error, Result};
use crate::weights::{Kind, Part, SafetensorsFiles, Store};

/// Configuration fields that hold a list with one value for each layer.
const PER_LAYER_LISTS: [&str; 3] = ["layer_types", "mlp_layer_types", "sliding_window_list"];

/// One tensor to be written; `bytes` reads its content.
pub(crate) struct PlannedWrite<'a> {
    pub(crate) name: String,
    pub(crate) dtype: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) n_bytes: u64,
    pub(crate) bytes: Box<dyn Fn() -> Result<Vec<u8>> + 'a>,
}

/// Writes into `folder`: `model.safetensors`, `config.json`, the tokenizer with its settings if there is one, the chat
/// template and the generation settings.
///
/// Each file is written under a temporary name and then renamed.
///
/// # Errors
/// [`Error::Write`], errors of reading, [`Error::Unavailable`] for GGUF families that cannot be written, and
/// [`Error::Cut`] for a width that transformers rejects.
pub fn write_pruned(checkpoint: &Checkpoint, pruning: &Pruning, folder: &Path) -> Result<()> {
    let cut = checkpoint.weights.cut.as_deref();
    let c = &checkpoint.config;
    let asked = matches!(c.family, Family::Llama | Family::Gemma2 | Family::Gemma3);
    if cut.is_some() && asked && !c.d_model.is_multiple_of(c.n_heads) {
        return Err(Error::Cut {
            part: "the checkpoint",
            what: format!(
                "{} heads in a width of {} can be run here, but not be written: transformers refuses {:?} checkpoints whose width is \
                 no multiple of their heads",
                c.n_heads, c.d_model, c.family
            ),
        });
    }
    std::fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_path_buf(),
        source,
    })?;
    let planned = match &*checkpoint.weights.store {
        Store::Safetensors(files) => from_safetensors(checkpoint, files, pruning),
        Store::Gguf(_) => from_gguf(checkpoint, pruning)?,
    };
    let model = folder.join("model.safetensors");
    write_safetensors(&model, &planned)?;
    let config = if let Some(config) = &checkpoint.config_json {
        let left = renumbered(config, pruning);
        cut.map_or(left.clone(), |cut| {
            narrowed(&left, &cut.whole, &checkpoint.config)
        })
    } else {
        let mut config = renumbered(&to_hub(&checkpoint.config)?, pruning);
        if let Store::Gguf(file) = &*checkpoint.weights.store {
            config.extend(beside::special_ids(file));
        }
        config
    };
    let text = format!("{:#}\n", Value::Object(config));
    let path = folder.join("config.json");
    write_then_rename(&path, |file| file.write_all(text.as_bytes()))?;
    if let Ok(tokenizer) = checkpoint.tokenizer() {
        tokenizer.save(&folder.join("tokenizer.json"))?;
    }
    beside::write(checkpoint, folder)
}

/// The configuration with only the kept layers.
fn renumbered(config: &Map<String, Value>, pruning: &Pruning) -> Map<String, Value> {
    let mut config = config.clone();
    if let Some(Value::Object(text)) = config.get("text_config") {
        let text = renumbered(text, pruning);
        config.insert("text_config".to_owned(), Value::Object(text));
        return config;
    }
    for key in ["num_hidden_layers", "n_layer"] {
        if config.contains_key(key) {
            config.insert(key.to_owned(), json!(pruning.kept_layers.len()));
        }
    }
    for key in PER_LAYER_LISTS {
        if let Some(Value::Array(list)) = config.get(key) {
            let kept: Vec<Value> = pruning
                .kept_layers
                .iter()
                .filter_map(|layer| list.get(*layer))
                .cloned()
                .collect();
            config.insert(key.to_owned(), Value::Array(kept));
        }
    }
    if let Some(Value::Array(dense)) = config.get("mlp_only_layers") {
        let renamed: Vec<Value> = dense
            .iter()
            .filter_map(|layer| {
                pruning
                    .kept_layers
                    .iter()
                    .position(|kept| Some(*kept as u64) == layer.as_u64())
            })
            .map(|layer| json!(layer))
            .collect();
        config.insert("mlp_only_layers".to_owned(), Value::Array(renamed));
    }
    config
}

/// The configuration with the remaining widths; fields whose default depends on a changed width are set explicitly.
fn narrowed(config: &Map<String, Value>, whole: &DecoderConfig, left: &DecoderConfig) -> Map<String, Value> {
    let mut config = config.clone();
    if let Some(Value::Object(text)) = config.get("text_config") {
        let text = narrowed(text, whole, left);
        config.insert("text_config".to_owned(), Value::Object(text));
        return config;
    }
    let experts = |c: &DecoderConfig| c.mixture.as_ref().map_or(0, |mixture| mixture.n_experts);
    let numbers = [
        ("hidden_size", whole.d_model, left.d_model),
        ("intermediate_size", whole.d_ffn, left.d_ffn),
        ("num_attention_heads", whole.n_heads, left.n_heads),
        ("num_key_value_heads", whole.n_kv_heads, left.n_kv_heads),
        ("num_experts", experts(whole), experts(left)),
        ("num_local_experts", experts(whole), experts(left)),
    ];
    for (key, before, after) in numbers {
        if before != after && (config.contains_key(key) || key == "num_key_value_heads") {
            config.insert(key.to_owned(), json!(after));
        }
    }
    if whole.family == Family::Gpt2 && whole.d_ffn != left.d_ffn {
        config.insert("n_inner".to_owned(), json!(left.d_ffn));
    }
    if (whole.d_model, whole.n_heads) != (left.d_model, left.n_heads) {
        config.insert("head_dim".to_owned(), json!(left.head_dim));
        // Without this field, transformers assumes as many as there are query heads.
        config.insert("num_key_value_heads".to_owned(), json!(left.n_kv_heads));
    }
    config
}

/// The layer index in a tensor's name, and its byte range there.
fn layer_in(name: &str) -> Option<(usize, std::ops::Range<usize>)> {
    number_in(name, &["layers", "h"])
}

/// The number that follows one of the pieces `after` of a tensor's name, and its byte range there.
fn number_in(name: &str, after: &[&str]) -> Option<(usize, std::ops::Range<usize>)> {
    let mut at = 0;
    let mut previous = "";
    for piece in name.split('.') {
        if after.contains(&previous)
            && let Ok(layer) = piece.parse()
        {
            return Some((layer, at..at + piece.len()));
        }
        previous = piece;
        at += piece.len() + 1;
    }
    None
}

fn from_safetensors<'a>(
    checkpoint: &'a Checkpoint,
    files: &'a SafetensorsFiles,
    pruning: &Pruning,
) -> Vec<PlannedWrite<'a>> {
    let mut taken = taken::of_tensors(checkpoint, &pruning.kept_layers);
    let mut planned = Vec::new();
    for (name, entry) in &files.tensors {
        let mut new_name = match layer_in(name) {
            None => name.clone(),
            Some((layer, place)) => match pruning.kept_layers.iter().position(|kept| *kept == layer) {
                None => continue,
                Some(number) => format!("{}{number}{}", &name[..place.start], &name[place.end..]),
            },
        };
        if let (Some(cut), Some((layer, _)), Some((expert, _))) = (
            checkpoint.weights.cut.as_deref(),
            layer_in(name),
            number_in(name, &["experts"]),
        ) {
            let Some(number) = cut.expert_number(layer, expert) else {
                continue;
            };
            if let Some((_, place)) = number_in(&new_name, &["experts"]) {
                new_name = format!("{}{number}{}", &new_name[..place.start], &new_name[place.end..]);
            }
        }
        let lines = taken.remove(name).filter(|lines| !lines.all());
        let width = if entry.shape.len() > 1 {
            entry.shape[entry.shape.len() - 1]
        } else {
            1
        };
        let n: usize = entry.shape.iter().product();
        let size = entry.n_bytes.checked_div(n).unwrap_or(0);
        let shape = lines
            .as_ref()
            .map_or_else(|| entry.shape.clone(), |lines| lines.shape(&entry.shape));
        planned.push(PlannedWrite {
            name: new_name,
            dtype: entry.dtype.clone(),
            n_bytes: (shape.iter().product::<usize>() * size) as u64,
            shape,
            bytes: Box::new(move || {
                let whole = files.raw(name)?;
                Ok(match &lines {
                    Some(lines) => lines.of(&whole, width, size),
                    None => whole,
                })
            }),
        });
    }
    planned
}

/// Parts of a layer with their names in transformers, for the families written here.
const LAYER_PARTS: [(Part, &str); 11] = [
    (Part::Q, "self_attn.q_proj"),
    (Part::K, "self_attn.k_proj"),
    (Part::V, "self_attn.v_proj"),
    (Part::O, "self_attn.o_proj"),
    (Part::QNorm, "self_attn.q_norm"),
    (Part::KNorm, "self_attn.k_norm"),
    (Part::Gate, "mlp.gate_proj"),
    (Part::Up, "mlp.up_proj"),
    (Part::Down, "mlp.down_proj"),
    (Part::AttentionNorm, "input_layernorm"),
    (Part::FfnPostNorm, "post_feedforward_layernorm"),
];

fn from_gguf<'a>(checkpoint: &'a Checkpoint, pruning: &Pruning) -> Result<Vec<PlannedWrite<'a>>> {
    let c = &checkpoint.config;
    if c.family.facts().class.is_none() {
        return Err(Error::Unavailable {
            method: "writing a pruned checkpoint",
            what: "a GGUF file of this family",
        });
    }
    let mut planned = Vec::new();
    let mut plan = |name: String, layer: Option<usize>, part: Part, kind: Kind| {
        if !checkpoint.weights.has(c, layer, part, kind) {
            return;
        }
        let shape = part.shape(c, kind);
        planned.push(PlannedWrite {
            name,
            dtype: "F32".to_owned(),
            n_bytes: 4 * shape.iter().product::<usize>() as u64,
            shape,
            bytes: Box::new(move || Ok(little_endian(&checkpoint.weights.load(c, layer, part, kind)?))),
        });
    };
    plan(
        "model.embed_tokens.weight".to_owned(),
        None,
        Part::Embedding,
        Kind::Weight,
    );
    for (number, &layer) in pruning.kept_layers.iter().enumerate() {
        let (post, pre) = (
            Some("post_attention_layernorm"),
            Some("pre_feedforward_layernorm"),
        );
        // Gemma 2 uses the name of Llama's feed-forward norm for its norm after attention.
        let norms = [
            (Part::AttentionPostNorm, post.filter(|_| c.norm_after)),
            (Part::FfnNorm, if c.norm_after { pre } else { post }),
        ];
        let named = norms
            .into_iter()
            .filter_map(|(part, name)| name.map(|name| (part, name)));
        for (part, name) in LAYER_PARTS.into_iter().chain(named) {
            for kind in [Kind::Weight, Kind::Bias] {
                plan(
                    format!("model.layers.{number}.{name}{}", kind.suffix()),
                    Some(layer),
                    part,
                    kind,
                );
            }
        }
    }
    plan(
        "model.norm.weight".to_owned(),
        None,
        Part::FinalNorm,
        Kind::Weight,
    );
    if !c.tied {
        plan("lm_head.weight".to_owned(), None, Part::Head, Kind::Weight);
    }
    Ok(planned)
}

pub(crate) fn little_endian(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// Writes tensors in the given order, with one in memory at a time; the header is padded to a multiple of eight bytes.
pub(crate) fn write_safetensors(path: &Path, planned: &[PlannedWrite<'_>]) -> Result<()> {
    let mut header = Map::new();
    header.insert("__metadata__".to_owned(), json!({"format": "pt"}));
    let mut at = 0;
    for tensor in planned {
        let entry =
            json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [at, at + tensor.n_bytes]});
        header.insert(tensor.name.clone(), entry);
        at += tensor.n_bytes;
    }
    let mut text = Value::Object(header).to_string();
    while !text.len().is_multiple_of(8) {
        text.push(' ');
    }
    let mut outcome = Ok(());
    write_then_rename(path, |file| {
        file.write_all(&(text.len() as u64).to_le_bytes())?;
        file.write_all(text.as_bytes())?;
        for tensor in planned {
            match (tensor.bytes)() {
                Ok(bytes) => file.write_all(&bytes)?,
                Err(error) => {
                    outcome = Err(error);
                    return Err(std::io::Error::other("a tensor could not be read"));
                }
            }
        }
        Ok(())
    })
    .or_else(|write| outcome.and(Err(write)))
}
