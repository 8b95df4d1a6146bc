//! Reduces the widths of a checkpoint: which heads, feed-forward neurons, experts and residual channels stay.
//!
//! Nothing is copied: a cut is applied when a part is loaded from the files, and selects the rows and columns that
//! stay. A query head is removed with its columns of the output matrix, a neuron with its row of gate and up and its
//! column of down, a channel with its column of every matrix that reads the stream, its row of every matrix that writes
//! to it, its weight in every norm, and its column of embedding and head, so tied weights stay tied.

use crate::config::{DecoderConfig, NormKind, QkNorm};
use crate::error::{Error, Result};
use crate::weights::{Kind, Part};

/// The units that stay, ascending; `None` keeps all. Lists by layer have one entry for each layer of the whole
/// checkpoint, all of equal length, because a configuration has one number for all layers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stays {
    /// Channels of the residual stream, the same in all layers.
    pub channels: Option<Vec<usize>>,
    /// By layer: neurons of the feed-forward part. Not available for checkpoints with mixtures of experts.
    pub neurons: Option<Vec<Vec<usize>>>,
    /// By layer: query heads, the same number for every key-value head that stays.
    pub heads: Option<Vec<Vec<usize>>>,
    /// By layer: key-value heads. Query heads are removed with their key-value head.
    pub kv_heads: Option<Vec<Vec<usize>>>,
    /// By layer: experts. The list of a layer without experts is ignored.
    pub experts: Option<Vec<Vec<usize>>>,
}

/// A validated cut of a checkpoint's structure.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The structure before the cut.
    pub whole: DecoderConfig,
    stays: Stays,
}

/// Rows and columns of a matrix `(out, in)`, or entries of a vector, that stay; `None` keeps all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// Rows, or entries of a vector.
    pub rows: Option<Vec<usize>>,
    /// Columns.
    pub columns: Option<Vec<usize>>,
}

impl Lines {
    /// Whether all rows and columns stay.
    pub fn all(&self) -> bool {
        self.rows.is_none() && self.columns.is_none()
    }

    /// The remaining shape of a matrix or vector of shape `shape`.
    pub fn shape(&self, shape: &[usize]) -> Vec<usize> {
        let mut left = shape.to_vec();
        if let (Some(rows), Some(first)) = (&self.rows, left.first_mut()) {
            *first = rows.len();
        }
        if let (Some(columns), true) = (&self.columns, shape.len() > 1)
            && let Some(last) = left.last_mut()
        {
            *last = columns.len();
        }
        left
    }

    /// The remaining elements of a matrix with rows of `width` elements of `size` values each.
    pub fn of<T: Copy>(&self, values: &[T], width: usize, size: usize) -> Vec<T> {
        let n_rows = values.len() / (width * size).max(1);
        let columns = self.columns.clone().unwrap_or_else(|| (0..width).collect());
        let rows = self.rows.clone().unwrap_or_else(|| (0..n_rows).collect());
        let mut out = Vec::with_capacity(rows.len() * columns.len() * size);
        for row in rows {
            let row = &values[row * width * size..(row + 1) * width * size];
            for column in &columns {
                out.extend_from_slice(&row[column * size..(column + 1) * size]);
            }
        }
        out
    }
}

fn wrong(part: &'static str, what: String) -> Error {
    Error::Cut { part, what }
}

/// Checks that a list is ascending without repeats, below `n`, and has at least `least` entries.
fn checked(part: &'static str, list: &[usize], n: usize, least: usize) -> Result<()> {
    if list.len() < least {
        return Err(wrong(
            part,
            format!("{} would stay, at least {least} must", list.len()),
        ));
    }
    if let Some(at) = list.windows(2).position(|pair| pair[0] >= pair[1]) {
        return Err(wrong(
            part,
            format!("{} stands before {}", list[at], list[at + 1]),
        ));
    }
    match list.last() {
        Some(last) if *last >= n => Err(wrong(
            part,
            format!("there is no {last} among {n}, counted from 0"),
        )),
        _ => Ok(()),
    }
}

/// Checks lists by layer: one for each layer, all of the same length, which is returned.
fn by_layer(
    part: &'static str,
    lists: &[Vec<usize>],
    n_layers: usize,
    n: usize,
    least: usize,
) -> Result<usize> {
    if lists.len() != n_layers {
        return Err(wrong(
            part,
            format!("{} lists for {n_layers} layers", lists.len()),
        ));
    }
    let length = lists.first().map_or(0, Vec::len);
    for list in lists {
        checked(part, list, n, least)?;
        if list.len() != length {
            let what = format!(
                "{length} stay in one layer and {} in another; a configuration has one number for all",
                list.len()
            );
            return Err(wrong(part, what));
        }
    }
    Ok(length)
}

impl Cut {
    /// The validated cut, and the structure that remains.
    ///
    /// # Errors
    /// [`Error::Cut`] for lists that are invalid, that leave too few units, or that no configuration can describe.
    pub fn new(whole: &DecoderConfig, stays: Stays) -> Result<(Self, DecoderConfig)> {
        let mut left = whole.clone();
        let n_layers = whole.n_layers;
        let group = whole.n_heads / whole.n_kv_heads;
        let fixed = whole.family.facts().head_follows_width;
        if let Some(channels) = &stays.channels {
            checked("d_model", channels, whole.d_model, 1)?;
            if fixed && channels.len() < whole.d_model {
                return Err(wrong(
                    "d_model",
                    format!("the width of a head follows from it in {:?}", whole.family),
                ));
            }
            left.d_model = channels.len();
            // Gemma's factor is always the square root of the width.
            left.embedding_scale = whole.embedding_scale.map(|scale| {
                if left.d_model == whole.d_model {
                    scale
                } else {
                    (left.d_model as f32).sqrt()
                }
            });
        }
        if let Some(neurons) = &stays.neurons {
            if whole.mixture.is_some() {
                return Err(wrong(
                    "d_ffn",
                    "experts stand in its place; they can go instead".to_owned(),
                ));
            }
            left.d_ffn = by_layer("d_ffn", neurons, n_layers, whole.d_ffn, 1)?;
        }
        if let Some(kv) = &stays.kv_heads {
            left.n_kv_heads = by_layer("kv_heads", kv, n_layers, whole.n_kv_heads, 1)?;
            left.n_heads = left.n_kv_heads * group;
        }
        if let Some(heads) = &stays.heads {
            left.n_heads = by_layer("heads", heads, n_layers, whole.n_heads, 1)?;
            for (layer, heads) in heads.iter().enumerate() {
                let of = |kv: usize| heads.iter().filter(|head| **head / group == kv).count();
                let kept: Vec<usize> = match &stays.kv_heads {
                    Some(kv) => kv[layer].clone(),
                    None => (0..whole.n_kv_heads).collect(),
                };
                let each = left.n_heads / left.n_kv_heads;
                if let Some(kv) = kept.iter().find(|kv| of(**kv) != each || each == 0) {
                    let what = format!(
                        "{} of layer {layer} stay, and {} of them read key-value head {kv}; each must be read by equally many",
                        heads.len(),
                        of(*kv)
                    );
                    return Err(wrong("heads", what));
                }
            }
        }
        if fixed && left.n_heads < whole.n_heads {
            return Err(wrong(
                "heads",
                format!("their width is d_model over their number in {:?}", whole.family),
            ));
        }
        if let Some(experts) = &stays.experts {
            let Some(mixture) = left.mixture.as_mut() else {
                return Err(wrong("experts", "the checkpoint has none".to_owned()));
            };
            let sparse: Vec<Vec<usize>> = experts
                .iter()
                .zip(&mixture.sparse)
                .filter(|(_, sparse)| **sparse)
                .map(|(list, _)| list.clone())
                .collect();
            if experts.len() != n_layers {
                return Err(wrong(
                    "experts",
                    format!("{} lists for {n_layers} layers", experts.len()),
                ));
            }
            mixture.n_experts = by_layer("experts", &sparse, sparse.len(), mixture.n_experts, mixture.top_k)?;
        }
        let cut = Self {
            whole: whole.clone(),
            stays,
        };
        Ok((cut, left.checked()?))
    }

    /// Maps a part of the remaining structure to the part of the whole checkpoint: experts are renumbered.
    pub(super) fn part(&self, layer: Option<usize>, part: Part) -> Part {
        let old = |e: usize| match (&self.stays.experts, layer) {
            (Some(experts), Some(layer)) => experts[layer].get(e).copied().unwrap_or(e),
            _ => e,
        };
        match part {
            Part::ExpertGate(e) => Part::ExpertGate(old(e)),
            Part::ExpertUp(e) => Part::ExpertUp(old(e)),
            Part::ExpertDown(e) => Part::ExpertDown(old(e)),
            other => other,
        }
    }

    /// The new index of an expert of the whole checkpoint; `None` if it is removed.
    pub(crate) fn expert_number(&self, layer: usize, expert: usize) -> Option<usize> {
        match &self.stays.experts {
            None => Some(expert),
            Some(experts) => experts[layer].iter().position(|stays| *stays == expert),
        }
    }

    /// The query heads of a layer that stay; `None` if all do.
    fn heads(&self, layer: usize) -> Option<Vec<usize>> {
        if let Some(heads) = &self.stays.heads {
            return Some(heads[layer].clone());
        }
        let group = self.whole.n_heads / self.whole.n_kv_heads;
        let kv = self.stays.kv_heads.as_ref()?;
        Some(
            kv[layer]
                .iter()
                .flat_map(|kv| kv * group..(kv + 1) * group)
                .collect(),
        )
    }

    /// The rows and columns that stay of a part of the whole checkpoint.
    pub fn lines(&self, layer: Option<usize>, part: Part, kind: Kind) -> Lines {
        let c = &self.whole;
        let channels = || self.stays.channels.clone();
        let wide = |heads: Vec<usize>| -> Vec<usize> {
            heads
                .into_iter()
                .flat_map(|head| head * c.head_dim..(head + 1) * c.head_dim)
                .collect()
        };
        let of_layer = |lists: &Option<Vec<Vec<usize>>>| Some(lists.as_ref()?[layer?].clone());
        let q = || layer.and_then(|layer| self.heads(layer)).map(wide);
        let kv = || of_layer(&self.stays.kv_heads).map(wide);
        let neurons = || of_layer(&self.stays.neurons);
        let separate = c.qk_norm == Some(QkNorm::Whole) || c.norm == NormKind::Layer;
        let (rows, columns) = match part {
            // A bias of these has one entry for each token, and all tokens stay.
            Part::Embedding | Part::Head if kind == Kind::Bias => (None, None),
            Part::FinalNorm
            | Part::AttentionNorm
            | Part::AttentionPostNorm
            | Part::FfnNorm
            | Part::FfnPostNorm
            | Part::ExpertDown(_)
            | Part::SharedDown => (channels(), None),
            Part::Q => (q(), channels()),
            Part::K | Part::V => (kv(), channels()),
            Part::O => (channels(), q()),
            Part::QNorm if separate => (q(), None),
            Part::KNorm if separate => (kv(), None),
            Part::QNorm | Part::KNorm => (None, None),
            Part::Gate | Part::Up => (neurons(), channels()),
            Part::Down => (channels(), neurons()),
            Part::Router => (of_layer(&self.stays.experts), channels()),
            Part::Embedding
            | Part::Head
            | Part::Positions
            | Part::ExpertGate(_)
            | Part::ExpertUp(_)
            | Part::SharedGate
            | Part::SharedUp
            | Part::SharedRouter => (None, channels()),
        };
        Lines {
            rows,
            columns: columns.filter(|_| kind == Kind::Weight),
        }
    }
}
