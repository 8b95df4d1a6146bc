//! Reads listings of the Hub's API (`/api/models?expand[]=…`): an array of checkpoints, or one JSON object per line.

use serde_json::Value;

use crate::calendar::{self, HUB_FLOOR_MILLIS};
use crate::config::decoders;
use crate::config::fields::{self, Fields};
use crate::error::Error;
use crate::observed::{Observed, Out};

/// Name of this kind of source.
pub(crate) const NAME: &str = "hub-api";

/// Whether a JSON value is one entry of a listing.
fn is_entry(value: &Value) -> bool {
    value.as_object().is_some_and(|entry| {
        entry.get("id").is_some_and(Value::is_string)
            && [
                "modelId",
                "createdAt",
                "pipeline_tag",
                "safetensors",
                "library_name",
            ]
            .iter()
            .any(|name| entry.contains_key(*name))
    })
}

/// Whether a JSON value is a listing, or one entry of one.
pub(crate) fn recognises(value: &Value) -> bool {
    match value {
        Value::Array(list) => !list.is_empty() && list.iter().take(8).all(is_entry),
        entry => is_entry(entry),
    }
}

/// Reads a listing into `out`, with row numbers starting at `row`; returns the number of rows.
pub(crate) fn read(value: &Value, mut row: u64, out: &mut Out<'_>) -> Result<u64, Error> {
    let start = row;
    for entry in value
        .as_array()
        .map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
    {
        let id = entry
            .get("id")
            .and_then(Value::as_str)
            .filter(|id| !id.is_empty());
        match (id, entry.as_object()) {
            (Some(id), Some(fields)) => {
                let observed = observed(fields, id);
                if let Some(why) =
                    decoders::not_a_decoder(observed.architecture.as_deref(), observed.model_type.as_deref())
                {
                    out.reject_row(row, "config", why, "not_a_decoder")?;
                } else {
                    out.observe(row, observed)?;
                }
            }
            _ => out.reject_row(row, "id", &entry.to_string(), "no_name")?,
        }
        row += 1;
    }
    Ok(row - start)
}

fn observed(entry: &Fields, id: &str) -> Observed {
    let config = fields::object(entry, &["config"]);
    let tags: Vec<&str> = fields::list(entry, &["tags"])
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let tagged = |start: &str| tags.iter().find_map(|tag| tag.strip_prefix(start));
    let time = |name: &str| fields::text(entry, &[name]).and_then(calendar::millis);
    let (base, base_relation) = base(entry, &tags);
    let total = fields::object(entry, &["safetensors"]).and_then(|counts| fields::int(counts, &["total"]));
    let packed = tags
        .iter()
        .any(|tag| ["4-bit", "8-bit", "gptq", "awq", "gguf", "bitsandbytes", "fp8"].contains(tag))
        || config.is_some_and(|config| config.contains_key("quantization_config"));
    Observed {
        id: id.to_owned(),
        // For packed weights the count is smaller than the number of parameters.
        parameters_total: total.filter(|_| !packed),
        architecture: config
            .and_then(|config| fields::list(config, &["architectures"])?.first()?.as_str())
            .map(str::to_owned),
        model_type: config
            .and_then(|config| fields::text(config, &["model_type"]))
            .map(str::to_owned),
        revision: fields::text(entry, &["sha"]).map(str::to_owned),
        created_at: time("createdAt").filter(|&at| at != HUB_FLOOR_MILLIS),
        last_modified: time("lastModified"),
        likes: fields::count(entry, &["likes"]),
        downloads: fields::count(entry, &["downloads"]),
        license: tagged("license:").map(str::to_owned),
        base,
        base_relation,
        is_multimodal: tagged("image-text-to-text").map(|_| true),
        merged: tags
            .iter()
            .any(|tag| ["merge", "mergekit"].contains(tag))
            .then_some(true),
        is_moe: tags.contains(&"moe").then_some(true),
        packed,
        ..Observed::default()
    }
}

/// The declared base and relation: from `baseModels` if it was requested, else from the tags
/// `base_model:relation:org/name`.
fn base(entry: &Fields, tags: &[&str]) -> (Option<String>, Option<String>) {
    if let Some(bases) = fields::object(entry, &["baseModels"]) {
        let first = fields::list(bases, &["models"]).and_then(|list| list.first()?.get("id")?.as_str());
        if let Some(first) = first {
            return (
                Some(first.to_owned()),
                fields::text(bases, &["relation"]).map(str::to_owned),
            );
        }
    }
    let mut plain = None;
    for tag in tags.iter().filter_map(|tag| tag.strip_prefix("base_model:")) {
        match tag.split_once(':') {
            Some((relation, base)) => return (Some(base.to_owned()), Some(relation.to_owned())),
            None => plain = plain.or(Some(tag)),
        }
    }
    (plain.map(str::to_owned), plain.map(|_| "declared".to_owned()))
}
