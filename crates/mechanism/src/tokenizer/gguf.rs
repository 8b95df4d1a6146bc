//! Converts the vocabulary of a GGUF file to the JSON of a `tokenizer.json`: byte-level BPE ("gpt2") and
//! `SentencePiece` ("llama").

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::pre::division;
use crate::error::{Error, Result};
use crate::gguf::{Gguf, Value};

/// Values of `tokenizer.ggml.token_type`.
const UNKNOWN: f64 = 2.0;
const CONTROL: f64 = 3.0;
const USER_DEFINED: f64 = 4.0;

pub(super) fn tokenizer_json(file: &Gguf) -> Result<Json> {
    let Some(Value::Texts(pieces)) = file.metadata.get("tokenizer.ggml.tokens") else {
        return Err(Error::Tokenizer(
            "the file has no tokenizer.ggml.tokens".to_owned(),
        ));
    };
    let kinds = numbers(file, "tokenizer.ggml.token_type");
    let added = added_tokens(pieces, kinds, file);
    let mut vocabulary = Map::new();
    for (id, piece) in pieces.iter().enumerate() {
        vocabulary.entry(piece.clone()).or_insert(json!(id));
    }
    let model = file.text("tokenizer.ggml.model").unwrap_or("(none)");
    let (mut json, begin) = match model {
        "gpt2" => byte_level(file, &vocabulary)?,
        "llama" => sentence_piece(file, pieces, &vocabulary)?,
        other => {
            return Err(Error::Tokenizer(format!(
                "tokenizer.ggml.model `{other}` is not read; gpt2 and llama are"
            )));
        }
    };
    json["version"] = json!("1.0");
    json["added_tokens"] = json!(added);
    json["post_processor"] = template(file, pieces, begin)?;
    Ok(json)
}

fn numbers<'a>(file: &'a Gguf, key: &str) -> &'a [f64] {
    match file.metadata.get(key) {
        Some(Value::Numbers(numbers)) => numbers,
        _ => &[],
    }
}

fn flag(file: &Gguf, key: &str) -> Option<bool> {
    match file.metadata.get(key) {
        Some(Value::Bool(truth)) => Some(*truth),
        _ => None,
    }
}

/// Control tokens and user-defined tokens, which are recognised in a text before anything else.
fn added_tokens(pieces: &[String], kinds: &[f64], file: &Gguf) -> Vec<Json> {
    let unknown = file.number("tokenizer.ggml.unknown_token_id");
    let mut added = Vec::new();
    for (id, (piece, kind)) in pieces.iter().zip(kinds).enumerate() {
        let special = *kind == CONTROL || *kind == UNKNOWN || unknown == Some(id as u64);
        if (special || *kind == USER_DEFINED) && !piece.is_empty() {
            added.push(json!({
                "id": id, "content": piece, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": special,
            }));
        }
    }
    added
}

fn byte_level(file: &Gguf, vocabulary: &Map<String, Json>) -> Result<(Json, bool)> {
    let name = file.text("tokenizer.ggml.pre").unwrap_or("(none)");
    let division = division(name).ok_or_else(|| {
        Error::Tokenizer(format!(
            "tokenizer.ggml.pre unknown parameter `{name}`; put a tokenizer.json beside the file"
        ))
    })?;
    let Some(Value::Texts(merges)) = file.metadata.get("tokenizer.ggml.merges") else {
        return Err(Error::Tokenizer(
            "the file has no tokenizer.ggml.merges".to_owned(),
        ));
    };
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": division.ignore_merges, "vocab": vocabulary, "merges": merges,
    });
    let json = json!({
        "normalizer": division.normalizer,
        "pre_tokenizer": division.pre_tokenizer,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": model,
    });
    Ok((json, division.begin))
}

/// `SentencePiece`'s BPE merges the pair whose piece has the greatest score first; scores become merges accordingly.
fn sentence_piece(file: &Gguf, pieces: &[String], vocabulary: &Map<String, Json>) -> Result<(Json, bool)> {
    let scores = numbers(file, "tokenizer.ggml.scores");
    if scores.len() != pieces.len() {
        return Err(Error::Tokenizer(format!(
            "{} pieces but {} scores",
            pieces.len(),
            scores.len()
        )));
    }
    let ids: BTreeMap<&str, usize> = pieces
        .iter()
        .enumerate()
        .rev()
        .map(|(id, piece)| (piece.as_str(), id))
        .collect();
    let mut merges: Vec<(&str, &str, f64)> = Vec::new();
    for (piece, score) in pieces.iter().zip(scores) {
        let mut local: Vec<(usize, usize, &str, &str)> = Vec::new();
        for (at, _) in piece.char_indices().skip(1) {
            let (left, right) = piece.split_at(at);
            if let (Some(l), Some(r)) = (ids.get(left), ids.get(right)) {
                local.push((*l, *r, left, right));
            }
        }
        local.sort_by_key(|(l, r, ..)| (*l, *r));
        merges.extend(local.into_iter().map(|(_, _, left, right)| (left, right, *score)));
    }
    let length = |s: &str| s.chars().count();
    merges.sort_by(|a, b| {
        b.2.total_cmp(&a.2)
            .then(length(b.0).cmp(&length(a.0)))
            .then(length(b.1).cmp(&length(a.1)))
    });
    let pairs: Vec<Json> = merges
        .iter()
        .map(|(left, right, _)| json!([left, right]))
        .collect();
    let prefix = flag(file, "tokenizer.ggml.add_space_prefix").unwrap_or(true);
    let replace = json!({"type": "Replace", "pattern": {"String": " "}, "content": "▁"});
    let normalizer = if prefix {
        json!({"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"}, replace]})
    } else {
        replace
    };
    let unknown = file.number("tokenizer.ggml.unknown_token_id").unwrap_or(0) as usize;
    let mut decoders = vec![
        json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
    ];
    if prefix {
        decoders.push(json!({"type": "Strip", "content": " ", "start": 1, "stop": 0}));
    }
    let model = json!({
        "type": "BPE", "dropout": null, "unk_token": pieces.get(unknown), "continuing_subword_prefix": null,
        "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
        "vocab": vocabulary, "merges": pairs,
    });
    let json = json!({
        "normalizer": normalizer,
        "pre_tokenizer": null,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": model,
    });
    Ok((json, true))
}

/// The special tokens around every text: a beginning-of-sequence token, rarely an end-of-sequence token.
fn template(file: &Gguf, pieces: &[String], begin: bool) -> Result<Json> {
    let begin = flag(file, "tokenizer.ggml.add_bos_token").unwrap_or(begin);
    let end = flag(file, "tokenizer.ggml.add_eos_token").unwrap_or(false);
    let token = |key: &str| -> Result<(usize, &String)> {
        let id = file.number(key).map(|id| id as usize);
        match id.and_then(|id| pieces.get(id).map(|piece| (id, piece))) {
            Some(found) => Ok(found),
            None => Err(Error::Tokenizer(format!("{key} is asked for but names no token"))),
        }
    };
    let mut single = Vec::new();
    let mut pair = Vec::new();
    let mut tokens = Map::new();
    let mut special = |key: &str, single: &mut Vec<Json>, pair: &mut Vec<Json>, kind: usize| -> Result<()> {
        let (id, piece) = token(key)?;
        single.push(json!({"SpecialToken": {"id": piece, "type_id": 0}}));
        pair.push(json!({"SpecialToken": {"id": piece, "type_id": kind}}));
        tokens.insert(
            piece.clone(),
            json!({"id": piece, "ids": [id], "tokens": [piece]}),
        );
        Ok(())
    };
    if begin {
        special("tokenizer.ggml.bos_token_id", &mut single, &mut pair, 0)?;
    }
    single.push(json!({"Sequence": {"id": "A", "type_id": 0}}));
    pair.push(json!({"Sequence": {"id": "A", "type_id": 0}}));
    pair.push(json!({"Sequence": {"id": "B", "type_id": 1}}));
    if end {
        special("tokenizer.ggml.eos_token_id", &mut single, &mut pair, 1)?;
    }
    if !begin && !end {
        return Ok(Json::Null);
    }
    Ok(json!({"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}))
}
