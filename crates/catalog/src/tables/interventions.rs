//! Runs in which structure was changed on purpose: designed suites of runs, and published surgery on trained networks.

use serde::{Deserialize, Serialize};

/// One score of one run whose structure was chosen or changed on purpose.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Intervention {
    /// The suite or work: `gemstones`, `minitron` …
    pub suite: String,
    /// The run of a suite, or the pair of networks that are compared.
    pub pair_or_run: String,
    /// The checkpoint of the run, or the member of the pair.
    pub id: String,
    /// Where it was published: address and revision, or work and table.
    pub source: String,
    /// Licence of the source.
    pub licence: Option<String>,
    /// What was changed: `layers`, `d_model` …, several joined by `+`.
    pub dimension: String,
    /// What was held fixed: `params_total`, `params_nonembedding`, `flops_token`, `tokens`, or `parent` where only the
    /// original network is shared and the size changed too.
    pub held_fixed: String,
    /// Number of parameters without embeddings.
    pub n_body: Option<i64>,
    /// Number of parameters in both embedding matrices.
    pub n_embedding: Option<i64>,
    /// Floating-point operations of the forward pass for one token, without attention scores.
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
    /// Experts per layer; `None` where there are none.
    pub experts: Option<i64>,
    /// Number of training tokens seen.
    pub tokens: Option<i64>,
    /// Training step.
    pub step: Option<i64>,
    /// Name of the benchmark, as in the findings.
    pub benchmark: String,
    /// The ability that the benchmark tests: `reasoning`, `commonsense`, `knowledge`, `maths`, `truthfulness` …
    pub ability: String,
    /// Score in points.
    pub score: Option<f64>,
    /// Standard error of the score over items, in points.
    pub stderr: Option<f64>,
}
