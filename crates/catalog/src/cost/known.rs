//! The cost of a checkpoint of the catalog, which holds dimensions and counts but no whole config.

use serde_json::Value;

use super::dimensions::usual_head_dim;
use super::{Arithmetic, Dimensions};
use crate::config::family::family;
use crate::error::Error;
use crate::tables::{Checkpoint, Structure};

/// Where the counts of [`of_checkpoint`] come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Counted from the dimensions.
    Counted,
    /// As the catalog has them: a mixture, whose experts the dimensions do not tell.
    Listed,
}

/// Widths of a head that are tried where a family has no one width: the one whose count is nearest the listed size is it.
const HEAD_WIDTHS: [i64; 8] = [64, 80, 96, 112, 128, 160, 192, 256];
/// A listed size further off than this share says nothing of the width of a head.
const NEAR: f64 = 0.02;

/// Of a checkpoint by its row of `structures` and, where it has one, of `checkpoints`.
///
/// # Errors
/// - [`Error::MissingDimensions`] where the catalog lacks a dimension; for mixtures also `parameters_total`.
/// - [`Error::Uncountable`] where the count passes 2^63.
pub fn of_checkpoint(
    structure: &Structure,
    checkpoint: Option<&Checkpoint>,
) -> Result<(Arithmetic, Origin), Error> {
    let class = checkpoint.and_then(|c| c.architecture.as_deref());
    let kind = checkpoint.and_then(|c| c.model_type.as_deref());
    let family = family(class, kind);
    let dimensions = Dimensions {
        family: family.clone(),
        layers: structure.layers,
        d_model: structure.d_model,
        d_ffn: structure.d_ffn,
        heads: structure.heads,
        kv_heads: structure.kv_heads,
        vocab_size: structure.vocab_size,
        pos: structure.pos,
        ..Dimensions::default()
    };
    let is_moe = checkpoint.and_then(|c| c.is_moe) == Some(true);
    let listed = checkpoint
        .and_then(|c| c.parameters_total)
        .or_else(|| structure.size.map(|size| (size * 1e9).round() as i64));
    if !is_moe {
        return dense(&dimensions, listed).map(|cost| (cost, Origin::Counted));
    }
    let total = listed.ok_or_else(|| Error::MissingDimensions {
        missing: vec!["parameters_total"],
    })?;
    let mut cost = Arithmetic::of_config(&dimensions.config())?;
    let active = checkpoint.and_then(|c| c.parameters_active);
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
    Ok((cost, Origin::Listed))
}

fn dense(dimensions: &Dimensions, listed: Option<i64>) -> Result<Arithmetic, Error> {
    let family = dimensions.family.as_deref().unwrap_or("llama");
    let mut cost = Arithmetic::of_config(&dimensions.config())?;
    let Some(listed) = listed.filter(|&listed| listed > 0) else {
        return Ok(cost);
    };
    let off = |cost: &Arithmetic| (cost.parameters_total as f64 / listed as f64 - 1.0).abs();
    // Neither the width of a head nor whether the head is the embedding stands in the catalog.
    if off(&cost) > NEAR {
        let widths = std::iter::once(None).chain(HEAD_WIDTHS.map(Some));
        let others = widths.flat_map(|head_dim| [None, Some(true), Some(false)].map(|tied| (head_dim, tied)));
        let mut best = off(&cost).min(NEAR);
        for (head_dim, tied) in others {
            let other = Dimensions {
                head_dim,
                tied,
                ..dimensions.clone()
            };
            let tried = Arithmetic::of_config(&other.config())?;
            if off(&tried) < best {
                best = off(&tried);
                let width = head_dim.or_else(|| usual_head_dim(family));
                cost = tried;
                cost.notes.push(format!(
                    "heads {}, {}: read off the listed size, the catalog states neither",
                    width.map_or_else(
                        || "as wide as d_model / heads".to_owned(),
                        |width| format!("{width} wide")
                    ),
                    match tied {
                        Some(true) => "output head tied to the embedding",
                        Some(false) => "output head of its own",
                        None => "output head as the family has it",
                    }
                ));
            }
        }
    }
    if off(&cost) > NEAR {
        cost.notes.push(format!(
            "counted {:.3} billion parameters, listed {:.3}",
            cost.parameters_total as f64 / 1e9,
            listed as f64 / 1e9
        ));
        cost.counted_exactly = false;
    }
    Ok(cost)
}

impl Dimensions {
    /// The dimensions that a config states.
    pub fn of_config(value: &Value) -> Self {
        let config = crate::config::read(value);
        Self {
            family: config.model_type,
            layers: config.layers,
            d_model: config.d_model,
            d_ffn: config.d_ffn,
            heads: config.heads,
            kv_heads: config.kv_heads.or(config.heads),
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
