//! The cost of a checkpoint of the catalog, which holds dimensions and counts but not the whole config.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::dimensions::USUAL_FAMILY;
use super::{Arithmetic, Dimensions};
use crate::config::defaults::knows_no_groups;
use crate::config::family::family;
use crate::config::recipe::recipe;
use crate::error::Error;
use crate::tables::{Checkpoint, Structure};

/// Where the counts of [`of_checkpoint`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Counted from the dimensions.
    Counted,
    /// Taken from the catalog: for a mixture, whose experts do not follow from the dimensions.
    Listed,
}

/// Widths of a head that are tried for families whose configs state one, most usual first.
const HEAD_WIDTHS: [i64; 8] = [128, 64, 256, 96, 80, 192, 160, 112];
/// Families whose configs state a width of a head independently of `d_model` and heads.
const OWN_WIDTH: [&str; 8] = [
    "llama",
    "mistral",
    "ministral",
    "gemma",
    "gemma2",
    "gemma3",
    "qwen3",
    "nemotron",
];
/// Families that tie the output head to the embedding in some sizes only.
const SOMETIMES_TIED: [&str; 4] = ["llama", "qwen2", "qwen3", "phi3"];
/// Families that are tried where a checkpoint's family is not known.
const COMMON: [&str; 8] = ["llama", "gptneox", "gpt2", "opt", "gptj", "bloom", "mpt", "qwen2"];
/// A relative deviation from the listed count above which the count does not confirm a layout.
const NEAR: f64 = 0.02;
/// The same limit where the listed count is rounded to hundreds of millions.
const NEAR_ROUNDED: f64 = 0.06;

/// A relative deviation from the listed count up to which a layout is considered confirmed.
const SURE: f64 = 0.001;
/// The note where the usual layout is only assumed.
const OPEN: &str = "an estimate: the catalog does not state the width of a head or whether the output head is the embedding; \
                    counted as the family usually has them";

/// The cost of a checkpoint from its row of `structures` and, where it has one, of `checkpoints`.
///
/// # Errors
/// - [`Error::MissingDimensions`] where the catalog lacks a dimension; for mixtures also `parameters_total`.
/// - [`Error::Uncountable`] where the count exceeds 2^63.
pub fn of_checkpoint(
    structure: &Structure,
    checkpoint: Option<&Checkpoint>,
) -> Result<(Arithmetic, Origin), Error> {
    Counter::default().of_checkpoint(structure, checkpoint)
}

/// Computes the costs of many checkpoints, also from several threads. Most share their dimensions with others, so each
/// set of dimensions is counted once.
#[derive(Debug, Default)]
pub struct Counter {
    counted: Mutex<HashMap<Dimensions, Arc<Arithmetic>>>,
    /// Parameters of layouts that were tried against a listed count.
    totals: Mutex<HashMap<Dimensions, i64>>,
}

impl Counter {
    /// [`of_checkpoint`].
    ///
    /// # Errors
    /// As for [`of_checkpoint`].
    pub fn of_checkpoint(
        &self,
        structure: &Structure,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<(Arithmetic, Origin), Error> {
        let class = checkpoint.and_then(|c| c.architecture.as_deref());
        let kind = checkpoint.and_then(|c| c.model_type.as_deref());
        let family = family(class, kind);
        let dimensions = Dimensions {
            family: family.clone(),
            head_dim: structure.head_dim,
            tied: structure.tied_embeddings,
            ..Dimensions::of_row(structure)
        };
        let is_moe = checkpoint.and_then(|c| c.is_moe) == Some(true);
        let listed = checkpoint
            .and_then(|c| c.parameters_total)
            .or_else(|| structure.size.map(|size| (size * 1e9).round() as i64));
        if !is_moe {
            let cost = self.dense(&dimensions, listed)?;
            return Ok((as_attended(cost, structure, family.as_deref()), Origin::Counted));
        }
        let total = listed.ok_or_else(|| Error::MissingDimensions {
            missing: vec!["parameters_total"],
        })?;
        let mut cost = self.of(&dimensions)?.as_ref().clone();
        let active = checkpoint
            .and_then(|c| c.parameters_active)
            .or(structure.parameters_active_by_shape);
        cost.parts.experts = structure.experts.unwrap_or(2).max(2);
        cost.parameters_total = total;
        cost.parameters_active = active.unwrap_or(total).clamp(0, total);
        cost.counted_exactly = false;
        cost.notes = vec![
        "a mixture: total and active parameters are those of the catalog, its experts are not stated there"
            .into(),
    ];
        if active.is_none() {
            cost.notes
                .push("active parameters are not known: all are taken as active".into());
        }
        Ok((as_attended(cost, structure, family.as_deref()), Origin::Listed))
    }

    fn of(&self, dimensions: &Dimensions) -> Result<Arc<Arithmetic>, Error> {
        // A thread that panicked while holding the lock left only complete entries.
        let counted = || self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = counted().get(dimensions) {
            return Ok(Arc::clone(found));
        }
        let cost = Arc::new(Arithmetic::of_dimensions(dimensions)?);
        counted().insert(dimensions.clone(), Arc::clone(&cost));
        Ok(cost)
    }

    /// Parameters of a layout that is tried.
    fn total(&self, dimensions: &Dimensions) -> Result<i64, Error> {
        let totals = || self.totals.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = totals().get(dimensions) {
            return Ok(*found);
        }
        let total = Arithmetic::total_of_dimensions(dimensions)?;
        totals().insert(dimensions.clone(), total);
        Ok(total)
    }

    /// The count of a dense decoder. What the catalog does not state (the width of a head, whether the output head is
    /// tied, the layout of an unknown family) is inferred from the listed count where one layout fits it and the usual
    /// one does not. Such a count is exact only if the listed count confirms it.
    fn dense(&self, dimensions: &Dimensions, listed: Option<i64>) -> Result<Arithmetic, Error> {
        let mut cost = self.of(dimensions)?.as_ref().clone();
        if dimensions.kv_heads.is_none() && !dimensions.family.as_deref().is_some_and(knows_no_groups) {
            cost.counted_exactly = false;
        }
        let others = layouts(dimensions);
        let Some(listed) = listed.filter(|&listed| listed > 0) else {
            if others.len() > 1 {
                cost.counted_exactly = false;
                cost.notes.push(OPEN.to_owned());
            }
            return Ok(cost);
        };
        let near = if listed % 100_000_000 == 0 {
            NEAR_ROUNDED
        } else {
            NEAR
        };
        let usual = off(dimensions, cost.parameters_total, listed);
        if usual <= near {
            if others.len() > 1 && usual > SURE && cost.counted_exactly {
                cost.counted_exactly = false;
                cost.notes.push(OPEN.to_owned());
            }
            return Ok(cost);
        }
        // Among layouts that round to the listed count take the most usual one; otherwise the nearest.
        let rounding = rounding(listed) as f64 / listed as f64;
        let mut best = (usual, usual);
        let mut best_layout = None;
        for other in others {
            let distance = off(&other, self.total(&other)?, listed);
            let beyond = if distance <= rounding { 0.0 } else { distance };
            if beyond < best.0 && beyond < NEAR {
                best = (beyond, distance);
                best_layout = Some(other);
            }
        }
        let Some(layout) = best_layout else {
            cost.counted_exactly = false;
            let (counted, billions) = (cost.parameters_total as f64 / 1e9, listed as f64 / 1e9);
            let own = dimensions.family.as_deref().and_then(recipe);
            // A count of the weights is better evidence than an assumed layout, but a known layout is better than a
            // listing.
            cost.notes.push(if own.is_none() {
            cost.parameters_total = listed;
            cost.parameters_active = listed;
            format!("listed {billions:.3} billion parameters are taken: the layout is not known, and Llama's makes {counted:.3}")
        } else {
            format!("counted {counted:.3} billion parameters, listed {billions:.3}")
        });
            return Ok(cost);
        };
        let was_exact = cost.counted_exactly;
        let mut cost = self.of(&layout)?.as_ref().clone();
        cost.counted_exactly &= was_exact && best.1 <= SURE;
        cost.notes.push(format!(
            "layout read off the listed count: {}{}{}{}",
            layout.family.as_deref().unwrap_or("llama"),
            layout
                .head_dim
                .map_or(String::new(), |width| format!(", heads {width} wide")),
            if dimensions.kv_heads.is_none() && layout.kv_heads.is_some() {
                ", as many key-value heads as heads"
            } else {
                ""
            },
            match layout.tied {
                Some(true) => ", output head tied to the embedding",
                Some(false) => ", output head of its own",
                None => "",
            }
        ));
        if best.1 > SURE {
            cost.notes.push(format!(
                "an estimate: {:.3} billion are listed, and other layouts come as near",
                listed as f64 / 1e9
            ));
        }
        Ok(cost)
    }
}

/// Window sizes by family, where all sizes of the family have the same one (from its configs on the Hub).
const WINDOWS: [(&str, i64); 12] = [
    ("gemma2", 4096),
    ("gemma3n", 512),
    ("gemma3", 1024),
    ("gptoss", 128),
    ("cohere2", 4096),
    ("olmo3", 4096),
    ("exaone4", 4096),
    ("llama4", 8192),
    ("ministral", 32_768),
    ("phi3", 2047),
    ("qwen2", 32_768),
    ("mistral", 4096),
];
/// Values per position that latent attention keeps in every checkpoint of DeepSeek-V2 and V3, and of Kimi: a latent of
/// 512 and a rotary key of 64.
const LATENT: i64 = 576;

/// `cost` with each layer's cache corrected by column `attention`: a window, latents, or no cache at all.
fn as_attended(mut cost: Arithmetic, structure: &Structure, family: Option<&str>) -> Arithmetic {
    let Some(letters) = structure
        .attention
        .as_deref()
        .filter(|text| text.len() == cost.layers.len())
    else {
        return cost;
    };
    let named = |(name, _): &&(&str, i64)| family.is_some_and(|family| family.starts_with(name));
    // A window as wide as all positions is none, and then the family's usual window is not this checkpoint's either.
    let narrower = |window: &i64| structure.pos.is_none_or(|pos| *window < pos);
    let window = WINDOWS
        .iter()
        .find(named)
        .map(|(_, window)| *window)
        .filter(narrower);
    let mut said = std::collections::BTreeSet::new();
    for (letter, layer) in letters.chars().zip(&mut cost.layers) {
        match letter {
            'S' if layer.window.is_none() => {
                layer.window = window;
                said.insert(match window {
                    Some(_) => "layers with a window keep the family's usual one",
                    None => {
                        "layers with a window of unknown width are counted as if they kept every position"
                    }
                });
            }
            'C' if layer.cached > LATENT => {
                layer.cached = LATENT;
                said.insert("latent attention is counted with 576 values a position, as DeepSeek has it");
            }
            'L' | 'M' | 'V' | 'N' if layer.cached > 0 => {
                layer.cached = 0;
                said.insert("the states of layers that keep no cache are not counted: their size is not in the catalog");
            }
            _ => {}
        }
    }
    cost.notes.extend(said.into_iter().map(str::to_owned));
    cost
}

/// Half a unit in the last digit that a listed count states.
fn rounding(listed: i64) -> i64 {
    let mut unit = 1;
    while unit < 1_000_000_000 && listed % (unit * 10) == 0 {
        unit *= 10;
    }
    unit / 2
}

/// Relative deviation of a count from the listed one; files of some families store causal masks beside the weights,
/// which listings include in the count.
fn off(dimensions: &Dimensions, total: i64, listed: i64) -> f64 {
    let family = family(None, Some(dimensions.family.as_deref().unwrap_or(USUAL_FAMILY)));
    let recipe = family.as_deref().and_then(recipe);
    let (layers, pos) = (dimensions.layers.unwrap_or(0), dimensions.pos.unwrap_or(0));
    let masks = recipe.map_or_else(|| vec![0], |recipe| recipe.masks(pos));
    let counts = masks
        .into_iter()
        .map(|mask| total as f64 + (i128::from(layers).saturating_mul(mask)) as f64);
    counts
        .map(|count| (count / listed as f64 - 1.0).abs())
        .fold(f64::INFINITY, f64::min)
}

/// Every layout that is compatible with the given dimensions and family.
fn layouts(dimensions: &Dimensions) -> Vec<Dimensions> {
    let families: Vec<String> = match &dimensions.family {
        Some(family) => vec![family.clone()],
        None => COMMON.iter().map(ToString::to_string).collect(),
    };
    let mut all = Vec::new();
    for family in families {
        let mut widths = vec![dimensions.head_dim];
        if dimensions.head_dim.is_none()
            && OWN_WIDTH.contains(&family.as_str())
            && dimensions.family.is_some()
        {
            widths.extend(HEAD_WIDTHS.map(Some));
        }
        let mut ties = vec![dimensions.tied];
        if dimensions.tied.is_none() && SOMETIMES_TIED.contains(&family.as_str()) {
            ties.extend([Some(true), Some(false)]);
        }
        // Where key and value heads are not stated, the class's default may not be this checkpoint's value: also try as
        // many as query heads.
        let mut groups = vec![dimensions.kv_heads];
        if dimensions.kv_heads.is_none() {
            groups.push(dimensions.heads);
        }
        for head_dim in widths {
            for &kv_heads in &groups {
                all.extend(ties.iter().map(|&tied| Dimensions {
                    family: Some(family.clone()),
                    head_dim,
                    tied,
                    kv_heads,
                    ..dimensions.clone()
                }));
            }
        }
    }
    all
}

impl Dimensions {
    /// The seven dimensions of a row of `structures`.
    pub fn of_row(structure: &Structure) -> Self {
        Self {
            layers: structure.layers,
            d_model: structure.d_model,
            d_ffn: structure.d_ffn,
            heads: structure.heads,
            kv_heads: structure.kv_heads,
            vocab_size: structure.vocab_size,
            pos: structure.pos,
            ..Self::default()
        }
    }

    /// The dimensions that a config states.
    pub fn of_config(value: &Value) -> Self {
        let config = crate::config::read(value);
        let kv_heads = config.kv_heads_or_default();
        Self {
            family: config.model_type,
            layers: config.layers,
            d_model: config.d_model,
            d_ffn: config.d_ffn,
            heads: config.heads,
            kv_heads,
            head_dim: config.head_dim,
            vocab_size: config.vocab_size,
            pos: config.pos,
            sliding_window: config.sliding_window,
            experts: config.experts,
            experts_per_token: config.experts_per_token,
            tied: None,
        }
    }
}
