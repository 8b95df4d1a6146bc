//! Layers found one by one by architecture search: `block_configs` of Nemotron-NAS (`DeciLM`), whose layers have
//! individual widths and numbers of heads, or lack attention or the feed-forward layer (Bercovich et al. 2024, arXiv
//! 2411.19146).

use serde_json::Value;

use crate::config::fields::{self, Fields};
use crate::config::layouts::multiple_of;
use crate::config::parts::{Feed, Mixer};

/// One layer's replacement for attention and for the feed-forward layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) mixer: Mixer,
    pub(crate) feed: Feed,
    /// Query heads per key-value head.
    heads_in_group: Option<i64>,
    /// Width of the feed-forward layer.
    width: Option<i64>,
}

/// Keys of a block that are read.
const READ: [&str; 5] = [
    "n_heads_in_group",
    "no_op",
    "replace_with_linear",
    "ffn_mult",
    "intermediate_size",
];
/// Keys of a block that do not affect the number of parameters: how far a layer sees.
const HARMLESS: [&str; 5] = [
    "num_sink_tokens",
    "unshifted_sink",
    "use_prefill_window_in_sink_attention",
    "window_length",
    "hidden_act",
];

/// The block of layer `at`; `None` where the config lists no blocks.
pub(crate) fn block(inner: &Fields, at: i64) -> Option<Block> {
    let block = list(inner)?.get(usize::try_from(at).ok()?)?.as_object()?;
    let attention = fields::object(block, &["attention"]);
    let feed = fields::object(block, &["ffn"]);
    let says =
        |part: Option<&Fields>, name: &str| part.and_then(|part| fields::flag(part, &[name])) == Some(true);
    let width = fields::int(inner, &["hidden_size"])?;
    Some(Block {
        mixer: if says(attention, "no_op") {
            Mixer::Nothing
        } else if says(attention, "replace_with_linear") {
            Mixer::Matrix
        } else {
            Mixer::Attention
        },
        feed: if says(feed, "no_op") {
            Feed::Nothing
        } else if says(feed, "replace_with_linear") {
            Feed::Matrix
        } else {
            Feed::Dense
        },
        heads_in_group: attention.and_then(|part| fields::int(part, &["n_heads_in_group"])),
        width: feed.and_then(|part| {
            fields::int(part, &["intermediate_size"]).or_else(|| {
                let share = fields::float(part, &["ffn_mult"])?;
                // Two thirds of the width, since a gated layer has three matrices.
                Some(multiple_of((2.0 * share * width as f64 / 3.0) as i64, 256))
            })
        }),
    })
}

impl Block {
    /// Number of key-value heads for `heads` query heads.
    pub(crate) fn kv_heads(&self, heads: i64) -> Option<i64> {
        heads.checked_div(self.heads_in_group?)
    }

    /// Width of the feed-forward layer.
    pub(crate) fn width(&self) -> Option<i64> {
        self.width
    }
}

fn list(inner: &Fields) -> Option<&[Value]> {
    fields::list(inner, &["block_configs"]).filter(|list| !list.is_empty())
}

/// The most frequent value of `of` over all blocks; the larger of equally frequent ones.
pub(crate) fn usual(inner: &Fields, of: impl Fn(&Block) -> Option<i64>) -> Option<i64> {
    let count = i64::try_from(list(inner)?.len()).ok()?;
    let values: Vec<Value> = (0..count)
        .filter_map(|at| of(&block(inner, at)?).map(Value::from))
        .collect();
    fields::most_frequent(&values)
}

/// Keys within blocks that are not understood.
pub(crate) fn not_understood(inner: &Fields) -> Vec<String> {
    let mut unknown = Vec::new();
    let parts = list(inner)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_object)
        .flatten();
    for (part, stated) in parts {
        let stated = match stated.as_object() {
            Some(stated) if part == "attention" || part == "ffn" => stated,
            _ => {
                unknown.push(format!("block_configs.{part}"));
                continue;
            }
        };
        for (name, value) in stated {
            let is_known = READ.contains(&name.as_str()) || HARMLESS.contains(&name.as_str());
            if !is_known && !value.is_null() && value != &Value::Bool(false) {
                unknown.push(format!("block_configs.{part}.{name}"));
            }
        }
    }
    unknown.sort();
    unknown.dedup();
    unknown
}
