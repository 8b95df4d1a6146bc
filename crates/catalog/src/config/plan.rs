//! How the parameters of a config are counted: its family's recipe, modified by what the config states.

use crate::config::blocks::block;
use crate::config::defaults::key_heads;
use crate::config::family::family;
use crate::config::fields::{self, Fields};
use crate::config::keys::{self, Family};
use crate::config::names::{D_FFN, HEAD_DIM, HEADS, KV_HEADS};
use crate::config::recipe::{self, Recipe, Sizes};
use crate::config::stated::{Config, KeyHeads};
use crate::config::switches::with_flags;

/// How the parameters of a config are counted.
#[derive(Debug, Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) config: &'a Config,
    pub(crate) inner: &'a Fields,
    pub(crate) recipe: Recipe,
    /// Whether the recipe is the family's own; otherwise it is Llama's.
    pub(crate) is_known: bool,
    /// The language model's family including the words for its mixture: `qwen3moe`.
    pub(crate) kind: String,
    /// Where the number of key and value heads comes from.
    pub(crate) key_heads: KeyHeads,
}

impl<'a> Plan<'a> {
    /// The plan for a config; `outer` and `inner` are its fields and those of its language model (the same where
    /// nothing is nested).
    pub(crate) fn new(config: &'a Config, outer: &Fields, inner: &'a Fields) -> Option<Self> {
        let whole = family(config.architecture.as_deref(), config.model_type.as_deref());
        let nested =
            family(None, fields::text(inner, &["model_type"])).filter(|_| !std::ptr::eq(outer, inner));
        let kind = nested.as_deref().or(whole.as_deref()).unwrap_or_default();
        let kind = if kind.starts_with("hunyuan") {
            "hunyuan"
        } else {
            kind
        };
        // The config that wraps a language model may name a known family where the language model's own name is not
        // known.
        let names = [kind, whole.as_deref().unwrap_or_default()];
        let known = names
            .iter()
            .find_map(|name| Some((stem(name), recipe::recipe(stem(name))?)));
        let (family, recipe) = match known {
            Some(known) => known,
            None => (stem(kind), recipe::recipe("llama")?),
        };
        let recipe = with_flags(recipe, kind, family, outer, inner);
        let own = Some(kind).filter(|kind| !kind.is_empty());
        let mut key_heads = key_heads(config, own, inner);
        if config.kv_heads.is_none() && matches!(key_heads, KeyHeads::Default(_)) && known.is_some() {
            // Falcon and BigCode state by a switch whether there is one key-value head or as many as query heads.
            if matches!(family, "falcon" | "gptbigcode") {
                key_heads = KeyHeads::Default(if recipe.multi_query { 1 } else { config.heads? });
            }
        }
        Some(Self {
            config,
            inner,
            recipe,
            is_known: known.is_some(),
            kind: kind.to_owned(),
            key_heads,
        })
    }

    /// The dimensions that the count needs, with defaults for what the config omits; `None` where one is missing.
    pub(crate) fn sizes(&self) -> Option<Sizes> {
        let config = self.config;
        let heads = config.heads.or_else(|| {
            config
                .layers
                .filter(|_| config.attention_layers == Some(0))
                .map(|_| 1)
        })?;
        let d_model = config.d_model?;
        let kv_heads = match self.key_heads {
            KeyHeads::Default(count) => count,
            KeyHeads::Stated | KeyHeads::Unknown => heads,
        };
        Some(Sizes {
            layers: config.layers?,
            d_model,
            d_ffn: config.dense_width.or(config.d_ffn).unwrap_or(0),
            heads,
            kv_heads: config.kv_heads.unwrap_or(kv_heads),
            head_dim: config.head_dim.unwrap_or(d_model / heads.max(1)),
            vocab: config.vocab_rows.or(config.vocab_size)?,
            pos: config.pos.unwrap_or(0),
        })
    }

    /// `sizes` with the values specific to layer `at`.
    pub(crate) fn sizes_at(&self, sizes: Sizes, at: i64) -> Sizes {
        let own = |names: &[&str]| fields::at(self.inner, names, at, sizes.layers);
        let heads = own(HEADS).unwrap_or(sizes.heads);
        let block = block(self.inner, at);
        Sizes {
            heads,
            kv_heads: block
                .and_then(|block| block.kv_heads(heads))
                .or_else(|| own(KV_HEADS))
                .unwrap_or(sizes.kv_heads),
            d_ffn: block
                .and_then(|block| block.width())
                .or_else(|| own(D_FFN).filter(|_| !self.config.is_moe))
                .unwrap_or(sizes.d_ffn),
            head_dim: own(HEAD_DIM).unwrap_or(sizes.head_dim),
            ..sizes
        }
    }

    /// Whether layers differ in widths or in numbers of heads.
    pub(crate) fn layers_differ(&self, sizes: Sizes) -> bool {
        (0..sizes.layers.clamp(0, 4_096)).any(|at| self.sizes_at(sizes, at) != self.sizes_at(sizes, 0))
            || block(self.inner, 0).is_some()
    }

    /// Keys of the config whose effect on the count is not known.
    pub(crate) fn not_understood(&self, outer: &Fields) -> Vec<String> {
        let family = Family {
            kind: &self.kind,
            stem: stem(&self.kind),
        };
        keys::not_understood(family, self.config.layers, outer, self.inner)
    }
}

/// A family without the words for its mixture, vision or text part: `qwen3vlmoe` gives `qwen3`.
fn stem(family: &str) -> &str {
    let mut name = family;
    // A family in its own right, not Phi with experts: gated, with biases.
    if name == "phimoe" {
        return name;
    }
    for end in ["text", "moe", "vl", "vlmoe"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    match name {
        "mixtral" => "mistral",
        "qwen3next" => "qwen3",
        "qwen25" => "qwen2",
        other => other,
    }
}
