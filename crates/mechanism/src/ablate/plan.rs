//! Plans cuts: which units of which part to remove so as to remove a given share of the parameters.

use std::fmt;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::importance::Importance;
use crate::checkpoint::Checkpoint;
use crate::config::DecoderConfig;
use crate::weights::{Kind, Part, Stays};

/// A structural dimension from which units can be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Whole blocks.
    Layers,
    /// Neurons of the feed-forward part, the same number in every layer.
    DFfn,
    /// Query heads, the same number for every key-value head of every layer.
    Heads,
    /// Key-value heads with the query heads that share them, the same number in every layer.
    KvHeads,
    /// Channels of the residual stream.
    DModel,
    /// Experts, the same number in every mixture layer.
    Experts,
}

impl Dimension {
    /// All dimensions.
    pub const ALL: [Self; 6] = [
        Self::Layers,
        Self::DFfn,
        Self::Heads,
        Self::KvHeads,
        Self::DModel,
        Self::Experts,
    ];

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Layers => "layers",
            Self::DFfn => "d_ffn",
            Self::Heads => "heads",
            Self::KvHeads => "kv_heads",
            Self::DModel => "d_model",
            Self::Experts => "experts",
        }
    }

    /// Why nothing can be removed along this dimension in such a structure; `None` where something can.
    pub fn absent(self, c: &DecoderConfig) -> Option<String> {
        let fixed = c.family.facts().head_follows_width;
        let (heads, kv) = (c.n_heads, c.n_kv_heads);
        match self {
            Self::Layers if c.n_layers < 2 => Some("there is one layer".to_owned()),
            Self::DFfn if c.mixture.is_some() => {
                Some("its feed-forward parts are mixtures of experts; `experts` can be removed".to_owned())
            }
            Self::Heads | Self::KvHeads | Self::DModel if fixed => Some(format!(
                "the width of a head is d_model divided by the heads in {:?}, so neither can change alone",
                c.family
            )),
            Self::Heads if heads == kv && kv > 1 => Some(format!(
                "each of the {heads} query heads has a key-value head of its own: `kv_heads` removes both"
            )),
            Self::Heads if heads == kv => Some("there is one head".to_owned()),
            Self::KvHeads if kv == 1 => Some("there is one key-value head".to_owned()),
            Self::Experts => match &c.mixture {
                None => Some("it has none".to_owned()),
                Some(mixture) if mixture.n_experts == mixture.top_k => {
                    Some(format!("each token uses all {} of them", mixture.n_experts))
                }
                Some(_) => None,
            },
            _ => None,
        }
    }

    /// Units per layer (`Heads`: per key-value head; `Layers`, `DModel`: in total), and how many of them must stay.
    fn units(self, c: &DecoderConfig) -> (usize, usize) {
        match self {
            Self::Layers => (c.n_layers, 1),
            Self::DFfn => (c.d_ffn, 1),
            Self::Heads => (c.n_heads / c.n_kv_heads, 1),
            Self::KvHeads => (c.n_kv_heads, 1),
            Self::DModel => (c.d_model, 1),
            Self::Experts => c.mixture.as_ref().map_or((0, 0), |m| (m.n_experts, m.top_k)),
        }
    }

    /// Units are removed in multiples of this; `d_model` stays a multiple of the heads, as transformers requires.
    fn step(self, c: &DecoderConfig) -> usize {
        if self == Self::DModel && c.d_model.is_multiple_of(c.n_heads) {
            c.n_heads
        } else {
            1
        }
    }

    /// The structure with `count` fewer units; layers are not changed here.
    fn narrower(self, c: &DecoderConfig, count: usize) -> DecoderConfig {
        let mut left = c.clone();
        match self {
            Self::Layers => {}
            Self::DFfn => left.d_ffn -= count,
            Self::Heads => left.n_heads -= count * c.n_kv_heads,
            Self::KvHeads => {
                left.n_kv_heads -= count;
                left.n_heads = left.n_kv_heads * (c.n_heads / c.n_kv_heads);
            }
            Self::DModel => left.d_model -= count,
            Self::Experts => {
                if let Some(mixture) = &mut left.mixture {
                    mixture.n_experts -= count;
                }
            }
        }
        left
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How the units to remove are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// The least important ones on the calibration texts.
    Importance,
    /// Random ones, in several draws.
    Random,
    /// The first ones.
    First,
    /// The last ones.
    Last,
}

impl How {
    /// All ways of choosing.
    pub const ALL: [Self; 4] = [Self::Importance, Self::Random, Self::First, Self::Last];

    /// Its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Importance => "importance",
            Self::Random => "random",
            Self::First => "first",
            Self::Last => "last",
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One network with some units removed.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The part that is cut.
    pub part: Dimension,
    /// Requested share of the parameters outside of embeddings.
    pub share: f64,
    /// How the removed units are chosen.
    pub how: How,
    /// Index of the random draw; `None` where units are not chosen at random.
    pub draw: Option<usize>,
    /// Units removed: layers and channels in total, others per layer; query heads per key-value head.
    pub count: usize,
    /// Units before the cut, counted in the same way.
    pub units: usize,
    /// Parameters removed, outside of embeddings.
    pub removed_parameters: u64,
    /// Removed parameters as a share of all parameters outside of embeddings.
    pub removed_share: f64,
    /// Units that stay where a width is cut; `None` where layers are removed.
    pub stays: Option<Stays>,
    /// Layers that stay.
    pub layers: Vec<usize>,
}

impl Planned {
    /// Doublings that would restore the part to its former size; `None` if none or all of its units were removed.
    pub fn doublings(&self) -> Option<f64> {
        let left = self
            .units
            .checked_sub(self.count)
            .filter(|left| *left > 0 && self.count > 0)?;
        Some((self.units as f64 / left as f64).log2())
    }

    /// Identifier of the network: part, percentage, way of choosing and draw, for example `d_ffn-10-random-1`.
    pub fn id(&self) -> String {
        let draw = self.draw.map(|draw| format!("-{draw}")).unwrap_or_default();
        format!("{}-{}-{}{draw}", self.part, percent(self.share), self.how)
    }
}

/// A share as a percentage, without trailing zeros.
pub fn percent(share: f64) -> String {
    let rounded = (share * 1e5).round() / 1e3;
    format!("{rounded}")
}

/// A requested cut that cannot be made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The part.
    pub part: Dimension,
    /// The requested share; `None` where the part cannot be cut at all.
    pub share: Option<f64>,
    /// Why not.
    pub why: String,
}

/// The cuts to plan.
#[derive(Debug, Clone)]
pub struct PlanSettings {
    /// The parts to cut.
    pub parts: Vec<Dimension>,
    /// Shares of the parameters outside of embeddings to remove, each between 0 and 1; 0 removes nothing.
    pub shares: Vec<f64>,
    /// Ways of choosing the removed units.
    pub hows: Vec<How>,
    /// Number of random draws for [`How::Random`].
    pub draws: usize,
    /// Seed of the random draws.
    pub seed: u64,
}

/// Maximum relative deviation of the share actually removed from the requested share.
const TOLERANCE: f64 = 0.35;

/// Parameters of one layer, counted for the structure `c` of the files of `checkpoint`.
pub fn layer_parameters(checkpoint: &Checkpoint, c: &DecoderConfig, layer: usize) -> u64 {
    let mut sum = 0;
    for part in Part::of_layer(c, layer) {
        for kind in [Kind::Weight, Kind::Bias] {
            if checkpoint.weights.has(c, Some(layer), part, kind) {
                sum += part.shape(c, kind).iter().product::<usize>() as u64;
            }
        }
    }
    sum
}

/// Total parameters of `layers`.
pub fn parameters(checkpoint: &Checkpoint, c: &DecoderConfig, layers: &[usize]) -> u64 {
    layers
        .iter()
        .map(|layer| layer_parameters(checkpoint, c, *layer))
        .sum()
}

/// Parameters left after removing `count` units of a part; for layers, as if all layers were of equal size.
fn left_with(checkpoint: &Checkpoint, part: Dimension, count: usize, total: u64) -> u64 {
    let c = &checkpoint.config;
    if part == Dimension::Layers {
        return total - (total as f64 * count as f64 / c.n_layers as f64).round() as u64;
    }
    let narrower = part.narrower(c, count);
    // Whether a tensor exists is looked up for the original structure; its shape is that of the narrower one.
    let mut sum = 0;
    for layer in 0..c.n_layers {
        for stored in Part::of_layer(&narrower, layer) {
            for kind in [Kind::Weight, Kind::Bias] {
                if checkpoint.weights.has(c, Some(layer), stored, kind) {
                    sum += stored.shape(&narrower, kind).iter().product::<usize>() as u64;
                }
            }
        }
    }
    sum
}

/// The number of units whose removal comes closest to `share`, or a message that no number comes close enough.
fn nearest(checkpoint: &Checkpoint, part: Dimension, share: f64, total: u64) -> Result<usize, String> {
    let (units, stay) = part.units(&checkpoint.config);
    let removed = |count: usize| 1.0 - left_with(checkpoint, part, count, total) as f64 / total as f64;
    let step = part.step(&checkpoint.config);
    let steps = (units - stay) / step;
    let (mut low, mut high) = (0, steps);
    while low < high {
        let middle = usize::midpoint(low, high);
        if removed(middle * step) < share {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let nearer = low > 0 && share - removed((low - 1) * step) < (removed(low * step) - share).abs();
    let count = step * if nearer { low - 1 } else { low };
    if share > 0.0 && (count == 0 || (removed(count) - share).abs() > TOLERANCE * share) {
        return Err(format!(
            "{part} go in steps of {} % of the parameters, up to {} %; none is near {} %",
            percent(removed(step)),
            percent(removed(steps * step)),
            percent(share)
        ));
    }
    Ok(count)
}

/// The order in which units are removed, for each layer (query heads: for each key-value head of each layer).
fn orders(
    c: &DecoderConfig,
    part: Dimension,
    how: How,
    draw: usize,
    seed: u64,
    found: &Importance,
) -> Vec<Vec<usize>> {
    let group = c.n_heads / c.n_kv_heads;
    let scores: Vec<Vec<f64>> = match part {
        Dimension::Layers => vec![found.layers.clone()],
        Dimension::DModel => vec![found.d_model.clone()],
        Dimension::DFfn => found.d_ffn.clone(),
        Dimension::Heads => found
            .heads
            .iter()
            .flat_map(|heads| heads.chunks(group).map(<[f64]>::to_vec))
            .collect(),
        Dimension::KvHeads => {
            let of_layer = |heads: &Vec<f64>| heads.chunks(group).map(|heads| heads.iter().sum()).collect();
            found.heads.iter().map(of_layer).collect()
        }
        Dimension::Experts => found.experts.clone(),
    };
    let place = Dimension::ALL
        .iter()
        .position(|other| *other == part)
        .unwrap_or(0) as u64;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(place << 32 | draw as u64);
    let ordered = |scores: Vec<f64>| {
        let mut order: Vec<usize> = (0..scores.len()).collect();
        match how {
            How::Importance => order.sort_by(|a, b| scores[*a].total_cmp(&scores[*b])),
            How::First => {}
            How::Last => order.reverse(),
            How::Random => {
                for i in (1..order.len()).rev() {
                    order.swap(i, random.random_range(0..=i));
                }
            }
        }
        order
    };
    scores.into_iter().map(ordered).collect()
}

/// The units left after removing the first `count` of each order, ascending.
fn staying(orders: &[Vec<usize>], count: usize) -> Vec<Vec<usize>> {
    let of = |order: &Vec<usize>| {
        let mut stay: Vec<usize> = order.iter().skip(count).copied().collect();
        stay.sort_unstable();
        stay
    };
    orders.iter().map(of).collect()
}

/// Plans every requested cut that is possible, and lists why the others are not. Where several shares remove the same
/// number of units, only the first is planned.
pub fn plan(
    checkpoint: &Checkpoint,
    settings: &PlanSettings,
    found: &Importance,
) -> (Vec<Planned>, Vec<LeftOut>) {
    let c = &checkpoint.config;
    let all: Vec<usize> = (0..c.n_layers).collect();
    let total = parameters(checkpoint, c, &all);
    let group = c.n_heads / c.n_kv_heads;
    let (mut planned, mut left_out) = (Vec::new(), Vec::new());
    for &part in &settings.parts {
        if let Some(why) = part.absent(c) {
            left_out.push(LeftOut {
                part,
                share: None,
                why,
            });
            continue;
        }
        let mut counts: Vec<(f64, usize)> = Vec::new();
        for &share in &settings.shares {
            match nearest(checkpoint, part, share, total) {
                Ok(count) => match counts.iter().find(|(_, other)| *other == count) {
                    Some((other, _)) => left_out.push(LeftOut {
                        part,
                        share: Some(share),
                        why: format!("the same {count} units go as at {} %", percent(*other)),
                    }),
                    None => counts.push((share, count)),
                },
                Err(why) => left_out.push(LeftOut {
                    part,
                    share: Some(share),
                    why,
                }),
            }
        }
        for &(share, count) in &counts {
            for &how in &settings.hows {
                let draws = if how == How::Random { settings.draws } else { 1 };
                for draw in 0..draws {
                    let stay = staying(&orders(c, part, how, draw, settings.seed, found), count);
                    let mut layers = all.clone();
                    let mut stays = Stays::default();
                    match part {
                        Dimension::Layers => layers.clone_from(&stay[0]),
                        Dimension::DModel => stays.channels = stay.into_iter().next(),
                        Dimension::DFfn => stays.neurons = Some(stay),
                        Dimension::KvHeads => stays.kv_heads = Some(stay),
                        Dimension::Experts => {
                            let sparse = |layer: usize| c.mixture_at(layer).is_some();
                            stays.experts = Some(
                                stay.into_iter()
                                    .enumerate()
                                    .map(|(layer, stay)| if sparse(layer) { stay } else { Vec::new() })
                                    .collect(),
                            );
                        }
                        Dimension::Heads => {
                            let of_layer = |groups: &[Vec<usize>]| -> Vec<usize> {
                                let numbered = groups.iter().enumerate();
                                numbered
                                    .flat_map(|(kv, heads)| heads.iter().map(move |h| kv * group + h))
                                    .collect()
                            };
                            stays.heads = Some(stay.chunks(c.n_kv_heads).map(of_layer).collect());
                        }
                    }
                    let left = if part == Dimension::Layers {
                        parameters(checkpoint, c, &layers)
                    } else {
                        left_with(checkpoint, part, count, total)
                    };
                    planned.push(Planned {
                        part,
                        share,
                        how,
                        draw: (how == How::Random).then_some(draw),
                        count,
                        units: part.units(c).0,
                        removed_parameters: total - left,
                        removed_share: (total - left) as f64 / total as f64,
                        stays: (part != Dimension::Layers).then_some(stays),
                        layers,
                    });
                }
            }
        }
    }
    (planned, left_out)
}
