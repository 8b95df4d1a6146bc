//! The parts of a structure, their shapes, and how each is read from stored tensors.

use std::ops::Range;

use super::Store;
use crate::config::{DecoderConfig, QkNorm};
use crate::error::{Error, Result};
use crate::layout::{Kind, Part, Source, Take};

impl Part {
    /// Whether it is a part of one of many experts.
    pub fn of_expert(self) -> bool {
        matches!(
            self,
            Self::ExpertGate(_) | Self::ExpertUp(_) | Self::ExpertDown(_)
        )
    }

    /// The parts of layer `layer`; whether a part has a bias depends on the files.
    pub fn of_layer(c: &DecoderConfig, layer: usize) -> Vec<Self> {
        let shared_norm = c.arrangement == crate::config::Arrangement::ParallelSharedNorm;
        let mut all = vec![Self::Q, Self::K, Self::V, Self::O];
        let mut put = |when: bool, parts: &[Self]| all.extend(parts.iter().filter(|_| when));
        put(c.norm_before, &[Self::AttentionNorm]);
        put(c.norm_before && !shared_norm, &[Self::FfnNorm]);
        put(c.norm_after, &[Self::AttentionPostNorm, Self::FfnPostNorm]);
        put(c.qk_norm.is_some(), &[Self::QNorm, Self::KNorm]);
        match c.mixture_at(layer) {
            None => {
                put(c.gated, &[Self::Gate]);
                put(true, &[Self::Up, Self::Down]);
            }
            Some(mixture) => {
                put(true, &[Self::Router]);
                for e in 0..mixture.n_experts {
                    put(c.gated, &[Self::ExpertGate(e)]);
                    put(true, &[Self::ExpertUp(e), Self::ExpertDown(e)]);
                }
                let shared = mixture.d_shared.is_some();
                put(shared && c.gated, &[Self::SharedGate]);
                put(shared, &[Self::SharedUp, Self::SharedDown, Self::SharedRouter]);
            }
        }
        all
    }

    /// Shape `(out, in)` of a matrix, `(width,)` of a norm or bias.
    pub fn shape(self, c: &DecoderConfig, kind: Kind) -> Vec<usize> {
        let (d, f, q, kv) = (c.d_model, c.d_ffn, c.q_width(), c.kv_width());
        let (expert, shared, n) = c
            .mixture
            .as_ref()
            .map_or((0, 0, 0), |m| (m.d_expert, m.d_shared.unwrap_or(0), m.n_experts));
        let whole = c.qk_norm == Some(QkNorm::Whole);
        let mut shape = match self {
            Self::Embedding | Self::Head => vec![c.vocab_size, d],
            Self::Positions => vec![c.max_positions, d],
            Self::FinalNorm
            | Self::AttentionNorm
            | Self::AttentionPostNorm
            | Self::FfnNorm
            | Self::FfnPostNorm => vec![d],
            Self::Q => vec![q, d],
            Self::K | Self::V => vec![kv, d],
            Self::O => vec![d, q],
            // StableLM has a separate norm for each head.
            Self::QNorm if whole || c.norm == crate::config::NormKind::Layer => vec![q],
            Self::KNorm if whole || c.norm == crate::config::NormKind::Layer => vec![kv],
            Self::QNorm | Self::KNorm => vec![c.head_dim],
            Self::Gate | Self::Up => vec![f, d],
            Self::Down => vec![d, f],
            Self::Router => vec![n, d],
            Self::ExpertGate(_) | Self::ExpertUp(_) => vec![expert, d],
            Self::ExpertDown(_) => vec![d, expert],
            Self::SharedGate | Self::SharedUp => vec![shared, d],
            Self::SharedDown => vec![d, shared],
            Self::SharedRouter => vec![1, d],
        };
        if kind == Kind::Bias {
            shape.truncate(1);
        }
        shape
    }
}

impl Source {
    /// Reads the part; `expected` is its shape, `(out, in)` or `(width,)`.
    pub(crate) fn read(&self, store: &Store, expected: &[usize]) -> Result<Vec<f32>> {
        if let Take::Joined(names) = &self.take {
            let mut values = Vec::new();
            for name in names {
                values.extend(store.whole(name)?);
            }
            return if values.len() == expected.iter().product::<usize>() {
                Ok(values)
            } else {
                Err(self.clash(vec![values.len()], expected))
            };
        }
        let stored = self.checked(store, expected)?;
        let inner = if expected.len() > 1 { expected[1] } else { 1 };
        let vector_part = |range: &Range<usize>| -> Result<Vec<f32>> {
            if expected.len() > 1 {
                store.rows(&self.name, range.clone())
            } else {
                Ok(store.whole(&self.name)?[range.clone()].to_vec())
            }
        };
        match &self.take {
            Take::All => store.whole(&self.name),
            Take::LessOne => Ok(store.whole(&self.name)?.into_iter().map(|w| w - 1.0).collect()),
            Take::Rows(range) => vector_part(range),
            Take::Columns(range) if expected.len() == 1 => vector_part(range),
            Take::Columns(columns) => {
                let (whole, width) = (store.whole(&self.name)?, stored[1]);
                let mut out = Vec::with_capacity(columns.len() * inner);
                for column in columns.clone() {
                    out.extend((0..inner).map(|row| whole[row * width + column]));
                }
                Ok(out)
            }
            Take::Interleaved { .. } | Take::Permuted { .. } => {
                let whole = store.whole(&self.name)?;
                let rows = self.rows(expected[0]).unwrap_or_default().into_iter();
                Ok(rows
                    .flat_map(|row| &whole[row * inner..(row + 1) * inner])
                    .copied()
                    .collect())
            }
            Take::Joined(_) => unreachable!("joined vectors were read above"),
        }
    }

    /// The shape of the stored tensor; an error unless the part of shape `expected` can be taken from it.
    pub(crate) fn checked(&self, store: &Store, expected: &[usize]) -> Result<Vec<usize>> {
        let stored = store.known_shape(&self.name)?.to_vec();
        let inner = if expected.len() > 1 { expected[1] } else { 1 };
        let rows_of = |stored: &[usize]| {
            if expected.len() > 1 {
                stored.iter().rev().skip(1).product()
            } else {
                stored.iter().product::<usize>()
            }
        };
        let fits = match &self.take {
            Take::Columns(columns) if expected.len() > 1 => {
                stored.len() == 2 && stored[0] == inner && columns.end <= stored[1]
            }
            Take::Columns(range) | Take::Rows(range) => {
                range.end <= rows_of(&stored) && inner_fits(&stored, expected)
            }
            Take::Interleaved { .. } => rows_of(&stored) == 3 * expected[0] && inner_fits(&stored, expected),
            // A vector may be stored as a matrix: one norm for each head.
            _ if expected.len() == 1 => stored.iter().product::<usize>() == expected[0],
            _ => stored
                .iter()
                .filter(|d| **d != 1)
                .eq(expected.iter().filter(|d| **d != 1)),
        };
        if fits {
            Ok(stored)
        } else {
            Err(self.clash(stored, expected))
        }
    }

    /// Indices of the stored rows that form the part's `n` rows, in order; `None` if it is not made of whole rows.
    pub(crate) fn rows(&self, n: usize) -> Option<Vec<usize>> {
        match &self.take {
            Take::All => Some((0..n).collect()),
            Take::Rows(range) => Some(range.clone().collect()),
            Take::Interleaved { index, head_dim } => Some(
                (0..n)
                    .map(|row| (3 * (row / head_dim) + index) * head_dim + row % head_dim)
                    .collect(),
            ),
            Take::Permuted { head_dim } => {
                let half = head_dim / 2;
                let of = |row: usize| {
                    let (head, within) = (row / head_dim, row % head_dim);
                    head * head_dim + (within % half) * 2 + within / half
                };
                Some((0..n).map(of).collect())
            }
            Take::Columns(_) | Take::LessOne | Take::Joined(_) => None,
        }
    }

    fn clash(&self, found: Vec<usize>, expected: &[usize]) -> Error {
        Error::TensorShape {
            name: self.name.clone(),
            found,
            expected: expected.to_vec(),
        }
    }
}

fn inner_fits(stored: &[usize], expected: &[usize]) -> bool {
    expected.len() == 1 || stored.last() == Some(&expected[1])
}
