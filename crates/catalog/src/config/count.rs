//! Parameters of the language model, all and those used for one token, counted from a config.
//!
//! Exact for dense decoders with a [`recipe`] of whose config every key that may shape weights is understood
//! ([`keys`]); for mixtures, hybrids and latent attention the large matrices are counted as their modelling code has
//! them, small ones (gates, decays) nearly. Vision and audio parts, and heads for predicting further tokens, are not
//! counted.

use crate::config::blocks::block;
use crate::config::defaults::{KeyHeads, key_heads};
use crate::config::experts::experts;
use crate::config::family::family;
use crate::config::fields::{self, Fields};
use crate::config::keys::{self, Family};
use crate::config::layers::{Feed, Mixer, kinds};
use crate::config::mixing::mixing;
use crate::config::names::{D_FFN, HEAD_DIM, HEADS, KV_HEADS};
use crate::config::read::Config;
use crate::config::recipe::{self, Recipe, Sizes};
use crate::config::switches::with_flags;

/// The two counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: i64,
    pub(crate) active: i64,
    /// To the parameter.
    pub(crate) exact: bool,
    /// Of `total`, outside of the layers: embeddings, positions, last norm, output head.
    pub(crate) outside: i64,
    /// Of `outside`, tables of which one token reads one row: no product is made with them.
    pub(crate) looked_up: i64,
}

/// How a config's layers are counted.
#[derive(Debug, Clone)]
pub(crate) struct Plan<'a> {
    pub(crate) config: &'a Config,
    pub(crate) inner: &'a Fields,
    pub(crate) recipe: Recipe,
    /// The recipe is the family's own.
    pub(crate) is_known: bool,
    /// The language model's family with the words for its mixture: `qwen3moe`.
    pub(crate) kind: String,
    /// Where the key and value heads come from.
    pub(crate) key_heads: KeyHeads,
}

impl<'a> Plan<'a> {
    /// The plan of a config; `outer` and `inner` are its fields (the same where nothing is nested).
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
        // What wraps a language model may be of its family where the language model's own name is not.
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
            // Falcon and BigCode say by a switch whether there is one head or as many as heads.
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

    /// The dimensions that the count needs, what a config leaves out filled in; `None` where one is missing.
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

    /// `sizes` with what layer `at` has of its own.
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

    /// Whether layers differ in a width or in heads.
    pub(crate) fn layers_differ(&self, sizes: Sizes) -> bool {
        (0..sizes.layers.clamp(0, 4_096)).any(|at| self.sizes_at(sizes, at) != self.sizes_at(sizes, 0))
            || block(self.inner, 0).is_some()
    }

    /// Keys of the config whose part in the count is not known.
    pub(crate) fn not_understood(&self, outer: &Fields) -> Vec<String> {
        let family = Family {
            kind: &self.kind,
            stem: stem(&self.kind),
        };
        keys::not_understood(family, self.config.layers, outer, self.inner)
    }
}

/// Counts the parameters of a plan. `None` where a dimension is missing.
pub(crate) fn count(plan: &Plan<'_>) -> Option<Counts> {
    let (config, recipe) = (plan.config, plan.recipe);
    // Blocks that several layers share, each with an adapter of its own: no formula here.
    if plan.kind.starts_with("zamba") {
        return None;
    }
    let exact = plan.is_known
        && config.layer_kinds_are_plain(plan.inner, &plan.kind)
        && config.not_understood.is_empty()
        && plan.key_heads != KeyHeads::Unknown;
    let sizes = plan.sizes()?;
    let layers = kinds(plan.inner, sizes.layers, config.is_moe);
    let outside = embedding(recipe, sizes, plan.inner)?;
    let (mut total, mut active) = (outside, outside);
    for (at, (mixer, feed)) in (0_i64..).zip(layers) {
        let own = plan.sizes_at(sizes, at);
        // A width that is not stated is not 0.
        if own.d_ffn == 0 && feed == Feed::Dense {
            return None;
        }
        let mixing = mixing(mixer, plan, own)?;
        // A layer of one part alone has that part's norms alone.
        let norms = match (mixer == Mixer::Nothing, feed == Feed::Nothing) {
            (true, true) => 0,
            (false, false) => recipe.norms,
            _ => (recipe.norms + 1) / 2,
        };
        let norms = i128::from(norms) * recipe::norm(recipe, sizes.d_model);
        let (all, used) = match feed {
            Feed::Nothing => (0, 0),
            Feed::Dense => {
                let one = recipe::feed_forward(recipe, sizes.d_model, own.d_ffn)?;
                (one, one)
            }
            Feed::Matrix => {
                let one = i128::from(sizes.d_model).checked_mul(i128::from(sizes.d_model))?;
                (one, one)
            }
            Feed::Experts => experts(plan, own, at)?,
        };
        total = total.checked_add(mixing)?.checked_add(norms)?.checked_add(all)?;
        active = active
            .checked_add(mixing)?
            .checked_add(norms)?
            .checked_add(used)?;
    }
    Some(Counts {
        total: i64::try_from(total).ok()?,
        active: i64::try_from(active).ok()?,
        exact,
        outside: i64::try_from(outside).ok()?,
        looked_up: looked_up(recipe, sizes)?,
    })
}

/// Embedding and learned positions; an embedding that is the output head too is multiplied.
fn looked_up(recipe: Recipe, sizes: Sizes) -> Option<i64> {
    let table = if recipe.tied { 0 } else { sizes.vocab };
    let positions = recipe.positions.map_or(0, |more| sizes.pos + more);
    table.checked_add(positions)?.checked_mul(sizes.d_model)
}

/// A family without the words for its mixture, vision or text part: `qwen3vlmoe` counts as `qwen3`.
fn stem(family: &str) -> &str {
    let mut name = family;
    // A family of its own, not Phi with experts: gated, with biases.
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

fn embedding(recipe: Recipe, sizes: Sizes, inner: &Fields) -> Option<i128> {
    // OPT-350m embeds narrower than it computes, with a projection in and out.
    match fields::int(inner, &["word_embed_proj_dim"]).filter(|&width| width != sizes.d_model) {
        Some(narrow) => {
            let plain = recipe::outside(recipe, Sizes { vocab: 0, ..sizes })?;
            let (narrow, wide) = (i128::from(narrow), i128::from(sizes.d_model));
            let table = i128::from(sizes.vocab).checked_mul(narrow)?;
            plain.checked_add(table)?.checked_add(2 * narrow * wide)
        }
        None => recipe::outside(recipe, sizes),
    }
}
