//! Reads a JSON object from checkpoint ids to configs, either whole (with a `model_type`) or an extract of some fields.

use serde_json::Value;

use crate::clean;
use crate::config;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::config_files;

/// Name of this kind of source.
pub(crate) const NAME: &str = "hub-configs";

/// Whether a JSON value is of this kind: an object of objects with structure fields.
pub(crate) fn recognises(value: &Value) -> bool {
    let Some(object) = value.as_object() else {
        return false;
    };
    let told = [
        "vocab_size",
        "hidden_size",
        "n_embd",
        "d_model",
        "num_hidden_layers",
        "n_layer",
    ];
    let is_config = |entry: &Value| {
        entry
            .as_object()
            .is_some_and(|e| told.iter().any(|k| e.contains_key(*k)) || e.contains_key("architectures"))
    };
    // Broken configs in a crawl are stored as text.
    let is_broken = |id: &str, entry: &Value| !entry.is_object() && id.contains('/');
    let mut first = object.iter().take(8);
    !object.contains_key("architectures")
        && object.values().take(8).any(is_config)
        && first.all(|(id, entry)| is_config(entry) || is_broken(id, entry))
}

/// Reads the configs into `out`; returns the number of rows.
pub(crate) fn read(value: &Value, out: &mut Out<'_>) -> Result<u64, Error> {
    let Some(object) = value.as_object() else {
        return Ok(0);
    };
    let mut row = 0;
    for (id, extract) in object {
        if !extract.is_object() {
            let raw = extract
                .as_str()
                .map_or_else(|| extract.to_string(), str::to_owned);
            out.reject_row(row, "config", &format!("{id}: {raw}"), "no_json_object")?;
            row += 1;
            continue;
        }
        let config = config::read(extract);
        if let Some(why) = config.not_a_decoder() {
            out.reject_row(row, "architectures", &why, "not_a_decoder")?;
        } else {
            let mut observed = if extract.get("model_type").is_some_and(Value::is_string) {
                config_files::whole(id.clone(), config)
            } else {
                // An extract lacks the switches that counts and kinds of layers depend on.
                Observed {
                    id: id.clone(),
                    dimensions: config.dimensions(),
                    head_dim: config.head_dim,
                    architecture: config.architecture,
                    ..Observed::default()
                }
            };
            clean::dimensions(&mut observed, row, out)?;
            out.observe(row, observed)?;
        }
        row += 1;
    }
    Ok(row)
}
