//! Runs in which structure was changed on purpose: designed suites, and published surgery.

use serde::{Deserialize, Serialize};

/// One score of one run whose structure was chosen or changed on purpose.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Intervention {
    /// The suite or work: `gemstones`, `minitron` …
    pub suite: String,
    /// The run of a suite, or the pair that is compared.
    pub pair_or_run: String,
    /// The checkpoint of that run, or which side of the pair.
    pub id: String,
    /// Where it was published: address and revision, or work and table.
    pub source: String,
    /// Licence of the source.
    pub licence: Option<String>,
    /// What was changed: `layers`, `d_model` …, several joined by `+`.
    pub dimension: String,
    /// What was held fixed: `params_total`, `params_nonembedding`, `flops_token`, `tokens`, or `parent` where only the
    /// origin is shared and the size changed too.
    pub held_fixed: String,
    /// Parameters without embeddings, a count.
    pub n_body: Option<i64>,
    /// Parameters of the embeddings, both matrices, a count.
    pub n_embedding: Option<i64>,
    /// Operations of one token forwards, without attention scores.
    pub flops_token: Option<f64>,
    /// Decoder layers.
    pub layers: Option<i64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer.
    pub d_ffn: Option<i64>,
    /// Attention heads.
    pub heads: Option<i64>,
    /// Key and value heads.
    pub kv_heads: Option<i64>,
    /// Experts of a layer; absent where there are none.
    pub experts: Option<i64>,
    /// Tokens seen.
    pub tokens: Option<i64>,
    /// Training step.
    pub step: Option<i64>,
    /// Name as in the findings.
    pub benchmark: String,
    /// What the benchmark asks for: `reasoning`, `commonsense`, `knowledge`, `maths`, `truthfulness` …
    pub ability: String,
    /// Score in points.
    pub score: Option<f64>,
    /// Its standard error over items, points.
    pub stderr: Option<f64>,
}
