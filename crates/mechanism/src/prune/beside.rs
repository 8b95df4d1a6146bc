//! Writes the files besides weights and configuration, so that a derived checkpoint behaves like its original:
//! tokenizer settings, chat template, and the tokens with which generation begins and ends.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::whole::write_then_rename;
use crate::checkpoint::Checkpoint;
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Value as Stored};
use crate::weights::Store;

/// Files that are copied unchanged if they exist.
const COPIED: [&str; 10] = [
    "generation_config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "chat_template.json",
    "tokenizer.model",
    "vocab.json",
    "merges.txt",
    "vocab.txt",
];

/// Writes these files into `folder`.
pub(super) fn write(checkpoint: &Checkpoint, folder: &Path) -> Result<()> {
    match &*checkpoint.weights.store {
        Store::Gguf(file) => from_gguf(file, folder),
        Store::Safetensors(_) => copied(&checkpoint.path, folder),
    }
}

fn copied(from: &Path, folder: &Path) -> Result<()> {
    let from = if from.is_dir() {
        from
    } else {
        from.parent().unwrap_or(Path::new("."))
    };
    for name in COPIED {
        let path = from.join(name);
        if !path.is_file() {
            continue;
        }
        let bytes = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
        write_then_rename(&folder.join(name), |file| file.write_all(&bytes))?;
    }
    Ok(())
}

/// Ids of the special tokens in a GGUF file, by their names in `config.json`.
pub(super) fn special_ids(file: &Gguf) -> Map<String, Value> {
    let mut ids = Map::new();
    for (name, key) in [
        ("bos_token_id", "tokenizer.ggml.bos_token_id"),
        ("eos_token_id", "tokenizer.ggml.eos_token_id"),
        ("pad_token_id", "tokenizer.ggml.padding_token_id"),
    ] {
        if let Some(id) = file.number(key) {
            ids.insert(name.to_owned(), json!(id));
        }
    }
    ids
}

fn from_gguf(file: &Gguf, folder: &Path) -> Result<()> {
    let put = |name: &str, value: Value| {
        let text = format!("{value:#}\n");
        write_then_rename(&folder.join(name), |file| file.write_all(text.as_bytes()))
    };
    let mut generation = special_ids(file);
    // A turn of a conversation may end with another token than the text.
    let turn = file.number("tokenizer.ggml.eot_token_id");
    if let (Some(turn), Some(end)) = (turn, generation.get("eos_token_id").and_then(Value::as_u64))
        && turn != end
    {
        generation.insert("eos_token_id".to_owned(), json!([end, turn]));
    }
    if !generation.is_empty() {
        put("generation_config.json", Value::Object(generation))?;
    }
    let mut settings = Map::new();
    settings.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
    settings.insert("clean_up_tokenization_spaces".to_owned(), json!(false));
    if let Some(Stored::Texts(pieces)) = file.metadata.get("tokenizer.ggml.tokens") {
        for (name, key) in [
            ("bos_token", "tokenizer.ggml.bos_token_id"),
            ("eos_token", "tokenizer.ggml.eos_token_id"),
            ("pad_token", "tokenizer.ggml.padding_token_id"),
            ("unk_token", "tokenizer.ggml.unknown_token_id"),
        ] {
            let id = file.number(key).and_then(|id| usize::try_from(id).ok());
            if let Some(piece) = id.and_then(|id| pieces.get(id)) {
                settings.insert(name.to_owned(), json!(piece));
            }
        }
    }
    if let Some(template) = file.text("tokenizer.chat_template") {
        settings.insert("chat_template".to_owned(), json!(template));
    }
    put("tokenizer_config.json", Value::Object(settings))
}
