//! The error for a config that does not state what counting its parameters needs.

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::config::layouts;
use crate::config::names::{D_FFN, D_MODEL, HEADS, LAYERS, NESTED, VOCAB};
use crate::config::read::{parts, read};
use crate::error::Error;

/// The error for a config that cannot be counted: the dimensions that are missing, with the keys searched for, those
/// that are stated, and the config's keys. `None` where nothing is missing.
pub(crate) fn lacking(value: &Value) -> Option<Error> {
    let config = read(value);
    let empty = Fields::new();
    let written = layouts::usual(value);
    let (_, inner) = parts(&written, &empty);
    let needed = [
        ("number of layers", LAYERS, config.layers),
        ("width of the residual stream", D_MODEL, config.d_model),
        ("feed-forward width", D_FFN, config.d_ffn.or(config.dense_width)),
        ("number of heads", HEADS, config.heads),
        ("vocabulary", VOCAB, config.vocab_size),
    ];
    let missing: Vec<String> = needed
        .iter()
        .filter(|(_, _, value)| value.is_none())
        .map(|(what, keys, _)| format!("no {what} (looked for {})", ticked(keys)))
        .collect();
    if missing.is_empty() {
        return None;
    }
    let found = needed
        .iter()
        .filter_map(|(what, _, value)| Some(format!("{what} {}", (*value)?)))
        .collect();
    let stated = value.as_object();
    let at = NESTED
        .iter()
        .find(|name| fields::object(stated.unwrap_or(&empty), &[name]).is_some());
    let own = at
        .and_then(|name| fields::object(stated?, &[name]))
        .or(stated)
        .unwrap_or(&empty);
    debug_assert!(
        !inner.is_empty() || own.is_empty(),
        "the fields that were read are those that are shown"
    );
    Some(Error::ConfigLacks {
        missing,
        found,
        keys: own.keys().cloned().collect(),
        at: at.map(|name| (*name).to_owned()),
    })
}

fn ticked(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
