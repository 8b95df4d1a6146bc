//! Derives what a checkpoint's layers consist of beside the seven dimensions: experts, widths, kinds of attention,
//! parameters by formula.

use crate::config::attention;
use crate::config::count::count;
use crate::config::fields::{self, Fields};
use crate::config::layers::{Feed, kinds};
use crate::config::names::{SHARED, TIED};
use crate::config::plan::Plan;
use crate::config::stated::{Config, Makeup};

/// The make-up of the layers of a config.
pub(super) fn makeup(config: &Config, outer: &Fields, inner: &Fields) -> Makeup {
    let mut makeup = Makeup {
        head_dim: config
            .head_dim
            .or_else(|| divided(config.d_model?, config.heads?)),
        ..Makeup::default()
    };
    let Some(layers) = config.layers else {
        return makeup;
    };
    let layers = kinds(inner, layers, config.is_moe);
    makeup.attention = Some(attention::letters(config, inner, &layers)).filter(|letters| !letters.is_empty());
    let has_letter = |of: &[char]| {
        makeup
            .attention
            .as_deref()
            .is_some_and(|letters| letters.contains(of))
    };
    if !has_letter(&ATTENDS) || config.head_dim.is_none() && has_letter(&['C']) {
        makeup.head_dim = None;
    }
    let has = |what| layers.iter().any(|(_, feed)| *feed == what);
    if config.is_moe && has(Feed::Experts) {
        makeup.experts = config.experts;
        makeup.experts_per_token = config.experts_per_token;
        let width = config.d_ffn;
        makeup.shared_experts = fields::int(inner, SHARED).or_else(|| {
            let (shared, width) = (config.shared_width?, width?);
            (width > 0).then(|| (shared + width - 1) / width)
        });
        makeup.d_ffn_dense = config.dense_width.filter(|_| has(Feed::Dense));
        makeup.d_ffn_total_active = width.zip(config.experts_per_token).and_then(|(width, used)| {
            width
                .checked_mul(used)?
                .checked_add(config.shared_width.unwrap_or(0))
        });
    } else {
        makeup.d_ffn_dense = config.d_ffn;
        makeup.d_ffn_total_active = config.d_ffn;
    }
    makeup.tied = fields::flag(outer, TIED).or_else(|| fields::flag(inner, TIED));
    if let Some(plan) = Plan::new(config, outer, inner) {
        makeup.tied = makeup.tied.or(plan.is_known.then_some(plan.recipe.tied));
        makeup.counts = count(&plan);
    }
    makeup
}

/// Letters (column `attention`) of layers that have attention heads.
const ATTENDS: [char; 4] = ['F', 'S', 'C', 'B'];

fn divided(d_model: i64, heads: i64) -> Option<i64> {
    (heads > 0 && d_model % heads == 0).then(|| d_model / heads)
}
