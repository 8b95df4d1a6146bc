//! Importance of each unit of a checkpoint on calibration texts, from forward passes alone (Muralidharan et al. 2024,
//! <https://arxiv.org/abs/2407.14679>, section 2.2).
//!
//! A head: the L2 norm of its attention output; a neuron: the absolute value of the input to `down`; a channel: the
//! absolute value of the inputs to attention and feed-forward parts, summed over all of them; an expert: its router
//! weight. Each is averaged over the tokens of a text, then combined over texts as the root of the sum of squares. A
//! layer: Block Influence.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::decoder::block::{Block, Trace};
use crate::decoder::elementwise::moments;
use crate::decoder::layer::FeedForward;
use crate::decoder::{Cpu, Laid, Layer};
use crate::error::{Error, Result};
use crate::run::{Group, Progress, RunSettings, embed};
use crate::segment::Segment;
use crate::site::{Observer, Place, Site};

/// Importance of every unit.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Importance {
    /// Block Influence of each layer: 1 minus the mean cosine between its input and its output.
    pub layers: Vec<f64>,
    /// By layer and neuron; empty for layers that are mixtures.
    pub d_ffn: Vec<Vec<f64>>,
    /// By layer and query head; the importance of a key-value head is the sum over the query heads that share it.
    pub heads: Vec<Vec<f64>>,
    /// By channel of the residual stream.
    pub d_model: Vec<f64>,
    /// By layer and expert; empty for layers without any.
    pub experts: Vec<Vec<f64>>,
    /// Texts measured on.
    pub texts: usize,
    /// Tokens in those texts.
    pub tokens: usize,
    /// Mean of the attention output, by layer and channel; not serialised.
    #[serde(skip)]
    pub attention_mean: Vec<Vec<f32>>,
    /// Mean of the feed-forward output, by layer and channel; not serialised.
    #[serde(skip)]
    pub feed_forward_mean: Vec<Vec<f32>>,
}

/// Sums over tokens of the attention and the feed-forward output of a block, by channel.
struct Sums {
    attention: Vec<f64>,
    feed_forward: Vec<f64>,
}

impl Observer for Sums {
    fn wants(&self, site: Site) -> bool {
        matches!(site.place, Place::AttentionOut | Place::FeedForwardOut)
    }

    fn visit(&mut self, site: Site, _: usize, activation: &[f32]) -> Result<Option<Vec<f32>>> {
        let sums = if site.place == Place::AttentionOut {
            &mut self.attention
        } else {
            &mut self.feed_forward
        };
        for row in activation.chunks_exact(sums.len()) {
            for (sum, value) in sums.iter_mut().zip(row) {
                *sum += f64::from(*value);
            }
        }
        Ok(None)
    }
}

/// For each column of `x` `(rows, width)`: the mean absolute value in each text, squared and summed over texts.
fn sizes(x: &[f32], width: usize, segments: &[Segment]) -> Vec<f64> {
    let of_text = |segment: &Segment| {
        let mut means = vec![0.0_f64; width];
        for row in x[segment.rows.start * width..segment.rows.end * width].chunks_exact(width) {
            for (mean, value) in means.iter_mut().zip(row) {
                *mean += f64::from(value.abs());
            }
        }
        let n = segment.rows.len() as f64;
        for mean in &mut means {
            *mean = (*mean / n).powi(2);
        }
        means
    };
    summed(segments.par_iter().map(of_text).collect(), width)
}

/// As [`sizes`], but for the L2 norm of each head's part of a row.
fn lengths(x: &[f32], heads: usize, head_dim: usize, segments: &[Segment]) -> Vec<f64> {
    let width = heads * head_dim;
    let of_text = |segment: &Segment| {
        let mut means = vec![0.0_f64; heads];
        for row in x[segment.rows.start * width..segment.rows.end * width].chunks_exact(width) {
            for (mean, head) in means.iter_mut().zip(row.chunks_exact(head_dim)) {
                *mean += head.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            }
        }
        let n = segment.rows.len() as f64;
        for mean in &mut means {
            *mean = (*mean / n).powi(2);
        }
        means
    };
    summed(segments.par_iter().map(of_text).collect(), heads)
}

fn summed(all: Vec<Vec<f64>>, width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for one in all {
        add(&mut sums, &one);
    }
    sums
}

fn add(sums: &mut Vec<f64>, more: &[f64]) {
    sums.resize(more.len(), 0.0);
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

fn roots(sums: &[f64]) -> Vec<f64> {
    sums.iter().map(|sum| sum.sqrt()).collect()
}

/// Squares of per-text means in one layer, summed over texts.
#[derive(Default)]
struct Squares {
    neurons: Vec<f64>,
    heads: Vec<f64>,
    attention_input: Vec<f64>,
    ffn_input: Vec<f64>,
    experts: Vec<f64>,
    /// Sum over tokens of the cosine between the layer's input and output.
    cosines: f64,
}

impl Squares {
    fn see(&mut self, block: &Block<'_>, t: &Trace, before: &[f32], after: &[f32]) {
        let (c, segments) = (block.config, block.segments);
        match (&block.layer.feed_forward, c.mixture_at(block.index)) {
            (FeedForward::Mixture(_), Some(mixture)) => {
                for segment in segments {
                    let mut means = vec![0.0; mixture.n_experts];
                    for (expert, row, weight) in t.mixture.chosen() {
                        if segment.rows.contains(&row) {
                            means[expert] += f64::from(weight) / segment.rows.len() as f64;
                        }
                    }
                    for mean in &mut means {
                        *mean *= *mean;
                    }
                    add(&mut self.experts, &means);
                }
            }
            _ => add(&mut self.neurons, &sizes(&t.inner.hidden, c.d_ffn, segments)),
        }
        add(
            &mut self.heads,
            &lengths(&t.mixed, c.n_heads, c.head_dim, segments),
        );
        add(
            &mut self.attention_input,
            &sizes(&t.attention_input, c.d_model, segments),
        );
        add(&mut self.ffn_input, &sizes(&t.ffn_input, c.d_model, segments));
        for (a, b) in before.chunks_exact(c.d_model).zip(after.chunks_exact(c.d_model)) {
            let (ab, aa, bb) = moments(a, b);
            let product = (aa * bb).sqrt();
            self.cosines += if product > 0.0 { ab / product } else { 0.0 };
        }
    }
}

/// Measures importance on tokenised texts; texts without tokens are skipped.
///
/// # Errors
/// [`Error::Empty`] when no text has a token; errors of reading and running the checkpoint.
pub fn importance(
    checkpoint: &Checkpoint,
    texts: &[Vec<u32>],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Importance> {
    let filled: Vec<Vec<u32>> = texts.iter().filter(|ids| !ids.is_empty()).cloned().collect();
    if filled.is_empty() {
        let reason = format!("{} calibration texts, none with a token", texts.len());
        return Err(Error::Empty { what: "text", reason });
    }
    let c = &checkpoint.config;
    let groups = Group::pack(&filled, settings.tokens_a_large_group(checkpoint));
    let tokens: usize = filled.iter().map(Vec::len).sum();
    let mut streams: Vec<Vec<f32>> = groups
        .iter()
        .map(|g| embed(checkpoint, g))
        .collect::<Result<_>>()?;
    let laid: Vec<Laid> = groups
        .iter()
        .map(|g| Laid::new(&Cpu, c, &g.segments))
        .collect::<Result<_>>()?;
    let mut found = Importance {
        d_model: vec![0.0; c.d_model],
        texts: filled.len(),
        tokens,
        ..Importance::default()
    };
    let mut trace = Trace::default();
    for index in 0..c.n_layers {
        progress(Progress {
            stage: "importance",
            done: index,
            total: c.n_layers,
            tokens,
        });
        let layer = Layer::load(&checkpoint.weights, c, index)?;
        let mut squares = Squares::default();
        let mut sums = Sums {
            attention: vec![0.0; c.d_model],
            feed_forward: vec![0.0; c.d_model],
        };
        for ((group, stream), laid) in groups.iter().zip(&mut streams).zip(&laid) {
            let block = Block {
                machine: &Cpu,
                config: c,
                index,
                layer: &layer,
                laid,
                segments: &group.segments,
                first_text: group.first_text,
            };
            let mut after = vec![0.0; stream.len()];
            block.forward(stream, &mut after, &mut trace, &mut sums)?;
            squares.see(&block, &trace, stream, &after);
            *stream = after;
        }
        found.layers.push(1.0 - squares.cosines / tokens as f64);
        found.d_ffn.push(roots(&squares.neurons));
        found.heads.push(roots(&squares.heads));
        found.experts.push(roots(&squares.experts));
        for part in [squares.attention_input, squares.ffn_input] {
            add(&mut found.d_model, &roots(&part));
        }
        let mean = |sums: &[f64]| sums.iter().map(|sum| (sum / tokens as f64) as f32).collect();
        found.attention_mean.push(mean(&sums.attention));
        found.feed_forward_mean.push(mean(&sums.feed_forward));
    }
    progress(Progress {
        stage: "importance",
        done: c.n_layers,
        total: c.n_layers,
        tokens,
    });
    Ok(found)
}
