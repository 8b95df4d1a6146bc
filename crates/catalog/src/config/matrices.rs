//! The parameters of one layer, grouped by how quantization treats them: llama.cpp stores the value matrix and the last
//! matrix of the feed-forward layer with more bits, and no quantization applies to norms and biases.

use crate::config::experts::experts;
use crate::config::fields;
use crate::config::layers::{Feed, Mixer, kinds};
use crate::config::mixing::mixing;
use crate::config::plan::Plan;
use crate::config::recipe::{self, Sizes};

/// Numbers of parameters in one layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Matrices {
    /// The value projection; 0 with latent attention or without attention.
    pub(crate) values: i64,
    /// The output projection of attention.
    pub(crate) attention_out: i64,
    /// The last (down) matrix of the feed-forward layer, of all experts together.
    pub(crate) down: i64,
    /// The other matrices of the experts.
    pub(crate) experts: i64,
    /// All other matrices.
    pub(crate) others: i64,
    /// Norms and biases.
    pub(crate) vectors: i64,
}

impl Matrices {
    /// All parameters of the layer.
    pub(crate) fn all(&self) -> i64 {
        self.values + self.attention_out + self.down + self.experts + self.others + self.vectors
    }
}

/// The layers of a plan in order; `None` where a dimension is missing or a count exceeds 2^63.
pub(crate) fn matrices(plan: &Plan<'_>) -> Option<Vec<Matrices>> {
    let sizes = plan.sizes()?;
    let layers = kinds(plan.inner, sizes.layers, plan.config.is_moe);
    (0_i64..)
        .zip(layers)
        .map(|(at, (mixer, feed))| one(plan, plan.sizes_at(sizes, at), mixer, feed, at))
        .collect()
}

fn one(plan: &Plan<'_>, sizes: Sizes, mixer: Mixer, feed: Feed, at: i64) -> Option<Matrices> {
    let recipe = plan.recipe;
    let width = i128::from(sizes.d_model);
    let mixing = mixing(mixer, plan, sizes)?;
    let attends = matches!(mixer, Mixer::Attention | Mixer::Window);
    let latent = fields::int(plan.inner, &["kv_lora_rank"]).is_some()
        || fields::int(plan.inner, &["o_lora_rank"]).is_some();
    let head = i128::from(sizes.head_dim);
    let (queries, keys) = (i128::from(sizes.heads) * head, i128::from(sizes.kv_heads) * head);
    let (mut values, mut attention_out, mut vectors) = (0, 0, 0);
    if attends {
        attention_out = queries.checked_mul(width)?;
        if !latent {
            values = keys.checked_mul(width)?;
        }
        vectors += i128::from(recipe.qkv_bias) * (queries + 2 * keys);
        vectors += i128::from(recipe.out_bias) * width;
        vectors += i128::from(recipe.head_norms) * 2 * head;
    }
    let norms = match (mixer == Mixer::Nothing, feed == Feed::Nothing) {
        (true, true) => 0,
        (false, false) => recipe.norms,
        _ => (recipe.norms + 1) / 2,
    };
    let norms = i128::from(norms) * recipe::norm(recipe, sizes.d_model);
    // The last matrix is one of three in a gated layer, else one of two.
    let part = if recipe.gated { 3 } else { 2 };
    let (mut down, mut of_experts, mut others) = (0, 0, (mixing - values - attention_out - vectors).max(0));
    match feed {
        Feed::Nothing => {}
        Feed::Matrix => others += width.checked_mul(width)?,
        Feed::Dense => {
            let all = recipe::feed_forward(recipe, sizes.d_model, sizes.d_ffn)?;
            let hidden = i128::from(sizes.d_ffn);
            let biases = i128::from(recipe.mlp_bias) * ((part - 1) * hidden + width);
            down = hidden.checked_mul(width)?;
            others += all - biases - down;
            vectors += biases;
        }
        Feed::Experts => {
            let (all, _) = experts(plan, sizes, at)?;
            down = all / part;
            of_experts = all - down;
        }
    }
    let int = |value: i128| i64::try_from(value).ok();
    Some(Matrices {
        values: int(values)?,
        attention_out: int(attention_out)?,
        down: int(down)?,
        experts: int(of_experts)?,
        others: int(others)?,
        vectors: int(vectors.checked_add(norms)?)?,
    })
}
