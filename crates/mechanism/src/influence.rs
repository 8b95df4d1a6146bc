//! How much each layer changes the residual stream: Block Influence, and the angular distance across blocks of layers.
//!
//! `BI_i = 1 − E[cos(X_i, X_{i+1})]` over all tokens, on the raw stream: the last layer's output is taken before the
//! final norm (Men et al. 2024, <https://arxiv.org/abs/2403.03853>). Angular distance across the `n` layers from `l`
//! on, at the last token of each text: `arccos(cos(x_l, x_{l+n})) / π` (Gromov et al. 2024,
//! <https://arxiv.org/abs/2403.17887>). Products and sums are in `f64`.

use std::collections::BTreeMap;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::checkpoint::Checkpoint;
use crate::decoder::cosine;
use crate::error::{Error, Result};
use crate::run::{Group, Progress, RunSettings, Tree, run, trees};
use crate::site::Nobody;
use common::quantile::quantile_of_sorted;

/// Settings of the influence measurement.
#[derive(Debug, Clone)]
pub struct InfluenceSettings {
    /// How the network is run.
    pub run: RunSettings,
    /// Greatest length of the blocks for the angular distance, layers.
    pub max_block: usize,
    /// Number of bootstrap resamples of texts for the intervals; 0 computes no intervals.
    pub resamples: usize,
    /// Confidence level of the intervals, between 0 and 1.
    pub level: f64,
    /// Seed of the bootstrap.
    pub seed: u64,
}

impl InfluenceSettings {
    /// Defaults: blocks of up to five layers, 95 % intervals from 1,000 resamples, in memory.
    pub fn usual() -> Self {
        Self {
            run: RunSettings::in_memory(),
            max_block: 5,
            resamples: 1000,
            level: 0.95,
            seed: 0,
        }
    }
}

/// A percentile bootstrap interval over texts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
}

/// Influence of each layer on some texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Influence {
    /// Block Influence of each layer.
    pub block_influence: Vec<f64>,
    /// Interval of each layer's Block Influence over texts; empty with fewer than two texts or without resamples.
    pub intervals: Vec<Interval>,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Layer indices, least influential first.
    pub order_least_important_first: Vec<usize>,
    /// For each block length, the mean angular distance by the block's first layer.
    pub angular: BTreeMap<usize, Vec<f64>>,
    /// Number of texts that have tokens.
    pub texts: usize,
    /// Number of tokens of all texts.
    pub tokens: usize,
    /// Number of texts without tokens, which are left out.
    pub empty_texts: usize,
}

impl Influence {
    /// The `n` least influential layers as text: `17, 25, 14`.
    pub fn least_influential(&self, n: usize) -> String {
        let first = self.order_least_important_first.iter().take(n);
        first.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}

/// Measures Block Influence and angular distances on `texts`.
///
/// # Errors
/// [`Error::Empty`] when no text has a token; errors of encoding and running.
pub fn block_influence(
    checkpoint: &Checkpoint,
    texts: &[String],
    settings: &InfluenceSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Influence> {
    let encoded: Vec<Vec<u32>> = texts
        .par_iter()
        .map(|text| checkpoint.encode(text))
        .collect::<Result<_>>()?;
    block_influence_of_ids(checkpoint, &encoded, settings, progress)
}

/// As [`block_influence`], for tokenised texts.
///
/// # Errors
/// Those of [`block_influence`].
pub fn block_influence_of_ids(
    checkpoint: &Checkpoint,
    encoded: &[Vec<u32>],
    settings: &InfluenceSettings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Influence> {
    let filled: Vec<Vec<u32>> = encoded.iter().filter(|ids| !ids.is_empty()).cloned().collect();
    if filled.is_empty() {
        let reason = format!("{} texts, none with a token", encoded.len());
        return Err(Error::Empty { what: "text", reason });
    }
    let (n_layers, d) = (checkpoint.config.n_layers, checkpoint.config.d_model);
    let forest = forest(checkpoint, &filled, &settings.run);
    let groups: Vec<Group> = forest.iter().map(|tree| tree.group.clone()).collect();
    // Sums of cosines by layer and text, and for each layer the stream at each text's last token.
    let mut sums = vec![vec![0.0_f64; filled.len()]; n_layers];
    let mut last = vec![vec![0.0_f32; filled.len() * d]; n_layers + 1];
    let layers: Vec<usize> = (0..n_layers).collect();
    run(
        checkpoint,
        &groups,
        &layers,
        &settings.run,
        &mut Nobody,
        progress,
        &mut |steps| {
            let of_rows: Vec<Vec<f64>> = steps
                .par_iter()
                .map(|step| step.stream.cosines())
                .collect::<Result<_>>()?;
            for (step, of_rows) in steps.iter().zip(of_rows) {
                let paths = &forest[step.group].paths;
                let ends = paths
                    .iter()
                    .map(|(_, path)| path.rows.last().map_or(0, |rows| rows.end) - 1);
                let [before, after] = step.stream.rows(&ends.collect::<Vec<_>>())?;
                let ends = before.chunks_exact(d).zip(after.chunks_exact(d));
                for ((text, path), (before, after)) in paths.iter().zip(ends) {
                    let rows = path.rows.iter().cloned().flatten();
                    sums[step.layer][*text] = rows.map(|row| of_rows[row]).sum();
                    let here = text * d..(text + 1) * d;
                    last[step.layer][here.clone()].copy_from_slice(before);
                    last[step.layer + 1][here].copy_from_slice(after);
                }
            }
            Ok(())
        },
    )?;
    let lengths: Vec<f64> = filled.iter().map(|ids| ids.len() as f64).collect();
    let influence = |sums: &[f64]| 1.0 - sums.iter().sum::<f64>() / lengths.iter().sum::<f64>();
    let by_layer: Vec<f64> = sums.iter().map(|sums| influence(sums)).collect();
    let mut order: Vec<usize> = (0..n_layers).collect();
    order.sort_by(|a, b| by_layer[*a].total_cmp(&by_layer[*b]));
    Ok(Influence {
        intervals: intervals(&sums, &lengths, settings),
        block_influence: by_layer,
        level: settings.level,
        order_least_important_first: order,
        angular: angular(&last, d, settings.max_block),
        texts: filled.len(),
        tokens: filled.iter().map(Vec::len).sum(),
        empty_texts: encoded.len() - filled.len(),
    })
}

/// Minimum length of a common prefix that is computed only once, tokens.
const SHARED: usize = 8;

/// Arranges texts in trees so that common prefixes (mostly the few-shot examples of benchmark items) are computed once.
/// Uses larger groups if they save at least a tenth of the rows. Nothing is shared if rotation angles depend on the
/// length of a text.
fn forest(checkpoint: &Checkpoint, texts: &[Vec<u32>], run: &RunSettings) -> Vec<Tree> {
    let config = &checkpoint.config;
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let least = if config.rotates_by_length() {
        usize::MAX
    } else {
        SHARED
    };
    let rows = |forest: &[Tree]| -> usize { forest.iter().map(|tree| tree.group.ids.len()).sum() };
    let small = trees(&texts, run.tokens_a_group(checkpoint), least);
    let large = trees(&texts, run.tokens_a_large_group(checkpoint), least);
    if rows(&large) < rows(&small) / 10 * 9 {
        large
    } else {
        small
    }
}

fn angular(last: &[Vec<f32>], d: usize, max_block: usize) -> BTreeMap<usize, Vec<f64>> {
    let n_layers = last.len() - 1;
    (1..=max_block.min(n_layers))
        .map(|block| {
            let distances = (0..=n_layers - block)
                .map(|first| {
                    let pairs = last[first]
                        .par_chunks_exact(d)
                        .zip(last[first + block].par_chunks_exact(d));
                    let each: Vec<f64> = pairs
                        .map(|(a, b)| cosine(a, b).clamp(-1.0, 1.0).acos() / std::f64::consts::PI)
                        .collect();
                    each.iter().sum::<f64>() / each.len() as f64
                })
                .collect();
            (block, distances)
        })
        .collect()
}

/// Percentile bootstrap over texts (tokens of one text are not independent), with the same resamples for every layer.
fn intervals(sums: &[Vec<f64>], lengths: &[f64], settings: &InfluenceSettings) -> Vec<Interval> {
    let n = lengths.len();
    if n < 2 || settings.resamples == 0 {
        return Vec::new();
    }
    let mut random = ChaCha8Rng::seed_from_u64(settings.seed);
    let mut drawn = vec![Vec::with_capacity(settings.resamples); sums.len()];
    let mut counts = vec![0.0; n];
    for _ in 0..settings.resamples {
        counts.fill(0.0);
        for _ in 0..n {
            counts[random.random_range(0..n)] += 1.0;
        }
        let tokens: f64 = counts.iter().zip(lengths).map(|(c, l)| c * l).sum();
        for (sums, drawn) in sums.iter().zip(&mut drawn) {
            drawn.push(1.0 - counts.iter().zip(sums).map(|(c, s)| c * s).sum::<f64>() / tokens);
        }
    }
    let tail = (1.0 - settings.level) / 2.0;
    drawn
        .into_iter()
        .map(|mut values| {
            values.sort_by(f64::total_cmp);
            Interval {
                low: quantile_of_sorted(&values, tail),
                high: quantile_of_sorted(&values, 1.0 - tail),
            }
        })
        .collect()
}

/// A quantile of sorted values, or `otherwise` if there are none.
pub(crate) fn quantile_or(sorted: &[f64], q: f64, otherwise: f64) -> f64 {
    if sorted.is_empty() {
        otherwise
    } else {
        quantile_of_sorted(sorted, q)
    }
}
