//! One block forwards: the only place where the families' differences meet.

use rayon::prelude::*;

use super::attention::{self, Heads};
use super::elementwise::{add_parallel, copy};
use super::feed_forward::{Inner, resized};
use super::layer::{FeedForward, Layer};
use super::linear::forward_each;
use super::mixture::MixtureTrace;
use super::norm::Norm;
use super::rope::Angles;
use crate::config::{Arrangement, DecoderConfig, QkNorm};
use crate::error::Result;
use crate::segment::Segment;
use crate::site::{Nobody, Observer, Place, Site, offer};

/// Everything a block computes on the way; buffers are used again by the next layer.
#[derive(Debug, Default)]
pub struct Trace {
    /// Input of queries, keys and values, `(rows, d_model)`.
    pub attention_input: Vec<f32>,
    /// Queries before their norm, `(rows, q_width)`; empty without one.
    pub q_raw: Vec<f32>,
    /// Keys before their norm, `(rows, kv_width)`; empty without one.
    pub k_raw: Vec<f32>,
    /// Queries, rotated.
    pub q: Vec<f32>,
    /// Keys, rotated.
    pub k: Vec<f32>,
    /// Values.
    pub v: Vec<f32>,
    /// Values mixed by attention, `(rows, q_width)`.
    pub mixed: Vec<f32>,
    /// What attention's output matrix gives, `(rows, d_model)`; only where a norm or an observer needs it.
    pub attention_out: Vec<f32>,
    /// The residual stream between the two parts, `(rows, d_model)`.
    pub middle: Vec<f32>,
    /// Input of the feed-forward part, `(rows, d_model)`.
    pub ffn_input: Vec<f32>,
    /// Inside the feed-forward part, where it is one network.
    pub inner: Inner,
    /// Inside the feed-forward part, where it is a mixture.
    pub mixture: MixtureTrace,
    /// What the feed-forward part gives, `(rows, d_model)`; only where a norm or an observer needs it.
    pub ffn_out: Vec<f32>,
    /// Scratch of `d_model` columns.
    scratch: Vec<f32>,
}

/// Keys and values of a text in one layer, kept while it is continued; `(positions, n_kv_heads · head_dim)` each.
#[derive(Debug, Default, Clone)]
pub struct KeysValues {
    /// Keys, rotated.
    pub k: Vec<f32>,
    /// Values.
    pub v: Vec<f32>,
}

/// Settings of attention in layer `index`.
pub fn heads(c: &DecoderConfig, index: usize) -> Heads {
    Heads {
        n_heads: c.n_heads,
        n_kv_heads: c.n_kv_heads,
        head_dim: c.head_dim,
        scale: c.attention_scale,
        cap: c.attention_cap,
        window: c.windows[index],
    }
}

pub(super) fn qk_width(c: &DecoderConfig, whole: usize) -> usize {
    if c.qk_norm == Some(QkNorm::Whole) {
        whole
    } else {
        c.head_dim
    }
}

fn normed(norm: Option<&Norm>, x: &[f32], width: usize, out: &mut Vec<f32>) {
    let out = resized(out, x.len());
    match norm {
        Some(norm) => norm.forward(x, width, out),
        None => out.copy_from_slice(x),
    }
}

/// `x += norm(y)`, by way of `scratch`; `x += y` without a norm.
fn add_normed(norm: Option<&Norm>, y: &[f32], width: usize, scratch: &mut Vec<f32>, x: &mut [f32]) {
    if norm.is_some() {
        normed(norm, y, width, scratch);
        add_parallel(x, scratch);
    } else {
        add_parallel(x, y);
    }
}

/// A layer at its place, with what its attention needs.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// Structure.
    pub config: &'a DecoderConfig,
    /// Number of the layer, from 0.
    pub index: usize,
    /// Weights.
    pub layer: &'a Layer,
    /// Rotation of the rows, if the family rotates.
    pub angles: Option<&'a Angles>,
    /// Texts.
    pub segments: &'a [Segment],
    /// Number of the first text, for the observer.
    pub first_text: usize,
}

impl Block<'_> {
    /// Pushes the residual stream `x` `(rows, d_model)` through the block, to `out`.
    ///
    /// # Errors
    /// What the observer fails with.
    pub fn forward(
        &self,
        x: &[f32],
        out: &mut [f32],
        trace: &mut Trace,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        self.project(x, trace);
        let (rows, c) = (x.len() / self.config.d_model, self.config);
        attention::forward(
            &heads(c, self.index),
            &trace.q,
            &trace.k,
            &trace.v,
            self.segments,
            resized(&mut trace.mixed, rows * c.q_width()),
        );
        self.after_attention(x, out, trace, observer)
    }

    /// Pushes one new token of each text through the block, to `out`; `kept` holds the texts' keys and values so far and
    /// gets the new ones.
    ///
    /// `x` is `(texts, d_model)`; segment `i` is row `i` at its position in text `i`.
    ///
    /// # Errors
    /// None of its own; as [`Block::forward`].
    pub fn forward_kept(
        &self,
        x: &[f32],
        out: &mut [f32],
        trace: &mut Trace,
        kept: &mut [KeysValues],
    ) -> Result<()> {
        self.project(x, trace);
        let (q_width, kv_width) = (self.config.q_width(), self.config.kv_width());
        let heads = heads(self.config, self.index);
        let mixed = resized(&mut trace.mixed, kept.len() * q_width);
        let (q, k, v) = (&trace.q, &trace.k, &trace.v);
        kept.par_iter_mut()
            .zip(mixed.par_chunks_exact_mut(q_width))
            .enumerate()
            .for_each(|(i, (kept, mixed))| {
                kept.k.extend_from_slice(&k[i * kv_width..(i + 1) * kv_width]);
                kept.v.extend_from_slice(&v[i * kv_width..(i + 1) * kv_width]);
                attention::cached(
                    &heads,
                    &q[i * q_width..(i + 1) * q_width],
                    &kept.k,
                    &kept.v,
                    mixed,
                );
            });
        self.after_attention(x, out, trace, &mut Nobody)
    }

    /// All that follows the mixing of values.
    fn after_attention(
        &self,
        x: &[f32],
        out: &mut [f32],
        t: &mut Trace,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let (c, layer) = (self.config, self.layer);
        let d = c.d_model;
        let (attention_norm, ffn_norm) = (layer.attention_post_norm.as_ref(), layer.ffn_post_norm.as_ref());
        let sequential = c.arrangement == Arrangement::Sequential;
        let middle = resized(&mut t.middle, x.len());
        if sequential && attention_norm.is_none() && !self.wanted(observer, Place::AttentionOut) {
            // Nobody asks what attention adds by itself: the product is added where it belongs.
            layer.o.forward_onto(&t.mixed, x, middle);
        } else {
            copy(x, middle);
            layer.o.forward(&t.mixed, resized(&mut t.attention_out, x.len()));
            self.offer(observer, Place::AttentionOut, &mut t.attention_out)?;
            if sequential {
                add_normed(attention_norm, &t.attention_out, d, &mut t.scratch, &mut t.middle);
            }
        }
        if sequential {
            self.offer(observer, Place::ResidualMiddle, &mut t.middle)?;
        }
        match c.arrangement {
            Arrangement::ParallelSharedNorm => normed(None, &t.attention_input, d, &mut t.ffn_input),
            _ => normed(layer.ffn_norm.as_ref(), &t.middle, d, &mut t.ffn_input),
        }
        if let (FeedForward::Dense(mlp), true) = (
            &layer.feed_forward,
            sequential && ffn_norm.is_none() && !self.wanted(observer, Place::FeedForwardOut),
        ) {
            mlp.hidden(c.activation, &t.ffn_input, &mut t.inner);
            mlp.down.forward_onto(&t.inner.hidden, &t.middle, out);
            return Ok(());
        }
        copy(&t.middle, out);
        if !sequential {
            add_normed(attention_norm, &t.attention_out, d, &mut t.scratch, out);
        }
        match (&layer.feed_forward, c.mixture_at(self.index)) {
            (FeedForward::Dense(mlp), _) => {
                mlp.forward(
                    c.activation,
                    &t.ffn_input,
                    &mut t.inner,
                    resized(&mut t.ffn_out, x.len()),
                );
            }
            (FeedForward::Mixture(experts), Some(settings)) => {
                let answer = resized(&mut t.ffn_out, x.len());
                experts.forward(settings, c.activation, &t.ffn_input, &mut t.mixture, answer);
            }
            (FeedForward::Mixture(_), None) => {
                unreachable!("a mixture is loaded only where the configuration has one")
            }
        }
        self.offer(observer, Place::FeedForwardOut, &mut t.ffn_out)?;
        add_normed(ffn_norm, &t.ffn_out, d, &mut t.scratch, out);
        Ok(())
    }

    fn wanted(&self, observer: &dyn Observer, place: Place) -> bool {
        observer.wants(Site {
            place,
            layer: self.index,
        })
    }

    fn offer(&self, observer: &mut dyn Observer, place: Place, activation: &mut [f32]) -> Result<()> {
        let site = Site {
            place,
            layer: self.index,
        };
        offer(
            observer,
            site,
            self.first_text,
            self.config.d_model,
            self.segments,
            activation,
        )
    }

    /// Queries, keys and values, normed and rotated.
    fn project(&self, x: &[f32], t: &mut Trace) {
        let (c, layer) = (self.config, self.layer);
        let rows = x.len() / c.d_model;
        let (q_width, kv_width) = (c.q_width(), c.kv_width());
        normed(
            layer.attention_norm.as_ref(),
            x,
            c.d_model,
            &mut t.attention_input,
        );
        forward_each(
            &t.attention_input,
            [
                (&layer.q, resized(&mut t.q, rows * q_width)),
                (&layer.k, resized(&mut t.k, rows * kv_width)),
                (&layer.v, resized(&mut t.v, rows * kv_width)),
            ],
        );
        if let Some(norm) = &layer.q_norm {
            std::mem::swap(&mut t.q, &mut t.q_raw);
            norm.forward(&t.q_raw, qk_width(c, q_width), resized(&mut t.q, rows * q_width));
        }
        if let Some(norm) = &layer.k_norm {
            std::mem::swap(&mut t.k, &mut t.k_raw);
            norm.forward(
                &t.k_raw,
                qk_width(c, kv_width),
                resized(&mut t.k, rows * kv_width),
            );
        }
        if let Some(angles) = self.angles {
            angles.rotate(&mut t.q, c.n_heads, c.head_dim, false);
            angles.rotate(&mut t.k, c.n_kv_heads, c.head_dim, false);
        }
    }
}
