//! Reads a list of Hub checkpoints, one JSON object each, with structure where known.
//!
//! Peculiarities of the source, which are corrected here: `moe_intermediate_size` also holds the feed-forward width of
//! dense checkpoints; `context_length` is 4096 where it was not known; rows marked `_discovered` have 0 likes.

use serde_json::Value;

use crate::calendar;
use crate::clean;
use crate::config::decoders;
use crate::config::fields;
use crate::config::read::lfm2_usual_width;
use crate::config::stated::Makeup;
use crate::error::Error;
use crate::observed::{Observed, Out};

/// Name of this kind of source.
pub(crate) const NAME: &str = "hub-models";

/// Prefixes of model types with latent attention.
const LATENT: [&str; 9] = [
    "deepseek_v2",
    "deepseek_v3",
    "deepseek_v4",
    "kimi",
    "longcat",
    "minicpm3",
    "glm_moe_dsa",
    "glm4_moe_lite",
    "mistral4",
];

/// The feed-forward width that LFM2 derives from the stated one, if the stated one would give more parameters than
/// there are.
fn lfm2_width(
    stated: Option<i64>,
    d_model: Option<i64>,
    layers: Option<i64>,
    vocab: Option<i64>,
    total: Option<i64>,
) -> Option<i64> {
    let stated = stated?;
    let least = || {
        let feed = stated.checked_mul(3)?.checked_mul(layers?)?;
        feed.checked_add(vocab?)?.checked_mul(d_model?)
    };
    let is_too_wide = least().zip(total).is_some_and(|(least, total)| least > total);
    Some(if is_too_wide {
        lfm2_usual_width(stated)
    } else {
        stated
    })
}

/// The value of `context_length` where the list's authors did not know it.
const FILLER_POSITIONS: i64 = 4096;

/// Whether a JSON value is of this kind.
pub(crate) fn recognises(value: &Value) -> bool {
    value.as_array().is_some_and(|list| {
        !list.is_empty()
            && list
                .iter()
                .take(8)
                .all(|entry| entry.get("name").is_some() && entry.get("parameters_raw").is_some())
    })
}

/// Reads the list into `out`; returns the number of rows.
pub(crate) fn read(value: &Value, out: &mut Out<'_>) -> Result<u64, Error> {
    let mut row = 0;
    for entry in value.as_array().map(Vec::as_slice).unwrap_or_default() {
        let name = entry
            .get("name")
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty());
        let kind = entry
            .get("architecture")
            .and_then(Value::as_str)
            .filter(|&kind| kind != "unknown");
        match (name, entry.as_object()) {
            (Some(name), Some(object)) => {
                if let Some(why) = decoders::not_a_decoder(None, kind) {
                    out.reject_row(row, "architecture", why, "not_a_decoder")?;
                } else {
                    let mut observed = observed(object, name, kind);
                    clean::dimensions(&mut observed, row, out)?;
                    out.observe(row, observed)?;
                }
            }
            _ => out.reject_row(row, "name", &entry.to_string(), "no_name")?,
        }
        row += 1;
    }
    Ok(row)
}

fn observed(entry: &fields::Fields, name: &str, kind: Option<&str>) -> Observed {
    let int = |key| fields::int(entry, &[key]);
    let d_model = int("hidden_size");
    let mut d_ffn = int("moe_intermediate_size");
    if d_ffn.is_none()
        && matches!(
            kind,
            Some("opt" | "gpt2" | "bloom" | "falcon" | "gptj" | "gpt_bigcode")
        )
    {
        d_ffn = d_model.map(|width| width.saturating_mul(4));
    }
    if kind == Some("qwen") {
        // The first Qwen states the sum of both halves of its gated layer.
        d_ffn = d_ffn.map(|width| width / 2);
    }
    if kind == Some("lfm2") {
        d_ffn = lfm2_width(
            d_ffn,
            d_model,
            int("num_hidden_layers"),
            int("vocab_size"),
            int("parameters_raw"),
        );
    }
    let discovered = fields::flag(entry, &["_discovered"]) == Some(true);
    let heads = int("num_attention_heads");
    // The list repeats `heads` where the config has no such field, so equality is no evidence for multi-query families.
    let kv_heads = int("num_key_value_heads")
        .filter(|_| !matches!(kind, Some("falcon" | "gpt_bigcode" | "RefinedWebModel")));
    Observed {
        id: name.to_owned(),
        dimensions: [
            int("num_hidden_layers"),
            d_model,
            d_ffn,
            heads,
            kv_heads,
            int("vocab_size"),
            int("context_length").filter(|&pos| pos != FILLER_POSITIONS),
        ],
        head_dim: int("head_dim"),
        makeup: Makeup {
            experts: int("num_experts").filter(|&experts| experts > 1),
            experts_per_token: int("active_experts"),
            // The list divides `d_model` by `heads` where a config states no head width; with latent attention the
            // result is meaningless.
            head_dim: int("head_dim").filter(|&width| {
                let heads = heads.unwrap_or(0);
                d_model != width.checked_mul(heads)
                    || !kind.is_some_and(|kind| LATENT.iter().any(|l| kind.starts_with(l)))
            }),
            ..Makeup::default()
        },
        parameters_total: int("parameters_raw"),
        parameters_active: int("active_parameters"),
        model_type: kind.map(str::to_owned),
        date: fields::text(entry, &["release_date"]).and_then(calendar::day),
        likes: fields::count(entry, &["hf_likes"]).filter(|&likes| !(discovered && likes == 0)),
        downloads: fields::count(entry, &["hf_downloads"]),
        is_moe: fields::flag(entry, &["is_moe"]),
        ..Observed::default()
    }
}
