//! One block forwards: the only place where the families' differences meet.

use super::attention::Heads;
use super::feed_forward::Inner;
use super::laid::Laid;
use super::layer::{FeedForward, Layer};
use super::machine::{Cpu, Machine};
use super::mixture::MixtureTrace;
use super::norm::Norm;
use crate::config::{Arrangement, DecoderConfig, QkNorm};
use crate::error::Result;
use crate::segment::Segment;
use crate::site::{Nobody, Observer, Place, Site, offer};

/// Everything a block computes on the way; buffers are used again by the next layer.
#[derive(Debug)]
pub struct Trace<M: Machine = Cpu> {
    /// Input of queries, keys and values, `(rows, d_model)`.
    pub attention_input: M::Rows,
    /// Queries before their norm, `(rows, q_width)`; empty without one.
    pub q_raw: M::Rows,
    /// Keys before their norm, `(rows, kv_width)`; empty without one.
    pub k_raw: M::Rows,
    /// Queries, rotated.
    pub q: M::Rows,
    /// Keys, rotated.
    pub k: M::Rows,
    /// Values.
    pub v: M::Rows,
    /// Values mixed by attention, `(rows, q_width)`.
    pub mixed: M::Rows,
    /// What attention's output matrix gives, `(rows, d_model)`; only where a norm or an observer needs it.
    pub attention_out: M::Rows,
    /// The residual stream between the two parts, `(rows, d_model)`.
    pub middle: M::Rows,
    /// Input of the feed-forward part, `(rows, d_model)`.
    pub ffn_input: M::Rows,
    /// Inside the feed-forward part, where it is one network.
    pub inner: Inner<M>,
    /// Inside the feed-forward part, where it is a mixture.
    pub mixture: MixtureTrace<M>,
    /// What the feed-forward part gives, `(rows, d_model)`; only where a norm or an observer needs it.
    pub ffn_out: M::Rows,
    /// Scratch of `d_model` columns.
    scratch: M::Rows,
}

impl<M: Machine> Default for Trace<M> {
    fn default() -> Self {
        Self {
            attention_input: M::Rows::default(),
            q_raw: M::Rows::default(),
            k_raw: M::Rows::default(),
            q: M::Rows::default(),
            k: M::Rows::default(),
            v: M::Rows::default(),
            mixed: M::Rows::default(),
            attention_out: M::Rows::default(),
            middle: M::Rows::default(),
            ffn_input: M::Rows::default(),
            inner: Inner::default(),
            mixture: MixtureTrace::default(),
            ffn_out: M::Rows::default(),
            scratch: M::Rows::default(),
        }
    }
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

fn normed<M: Machine>(
    machine: &M,
    norm: Option<&Norm<M::Vector>>,
    x: &M::Rows,
    width: usize,
    out: &mut M::Rows,
) {
    match norm {
        Some(norm) => machine.norm(norm, x, width, out),
        None => machine.copy(x, out),
    }
}

/// `x += norm(y)`, by way of `scratch`; `x += y` without a norm.
fn add_normed<M: Machine>(
    machine: &M,
    norm: Option<&Norm<M::Vector>>,
    y: &M::Rows,
    width: usize,
    scratch: &mut M::Rows,
    x: &mut M::Rows,
) {
    if norm.is_some() {
        normed(machine, norm, y, width, scratch);
        machine.add(x, scratch);
    } else {
        machine.add(x, y);
    }
}

/// A layer at its place, with what computes it and what its attention needs.
#[derive(Debug)]
pub struct Block<'a, M: Machine = Cpu> {
    /// What computes.
    pub machine: &'a M,
    /// Structure.
    pub config: &'a DecoderConfig,
    /// Number of the layer, from 0.
    pub index: usize,
    /// Weights.
    pub layer: &'a Layer<M>,
    /// Rotation of the rows and their texts, as the machine has them.
    pub laid: &'a Laid<M>,
    /// Texts.
    pub segments: &'a [Segment],
    /// Number of the first text, for the observer.
    pub first_text: usize,
}

impl<M: Machine> Clone for Block<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Machine> Copy for Block<'_, M> {}

impl<M: Machine> Block<'_, M> {
    /// Pushes the residual stream `x` `(rows, d_model)` through the block, to `out`.
    ///
    /// # Errors
    /// What the observer fails with.
    pub fn forward(
        &self,
        x: &M::Rows,
        out: &mut M::Rows,
        trace: &mut Trace<M>,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        self.project(x, trace);
        self.machine.attention(
            &heads(self.config, self.index),
            &trace.q,
            &trace.k,
            &trace.v,
            self.segments,
            &self.laid.texts,
            &mut trace.mixed,
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
        x: &M::Rows,
        out: &mut M::Rows,
        trace: &mut Trace<M>,
        kept: &mut [M::Kept],
    ) -> Result<()> {
        self.project(x, trace);
        self.machine.attention_kept(
            &heads(self.config, self.index),
            &trace.q,
            &trace.k,
            &trace.v,
            kept,
            &mut trace.mixed,
        );
        self.after_attention(x, out, trace, &mut Nobody)
    }

    /// All that follows the mixing of values.
    fn after_attention(
        &self,
        x: &M::Rows,
        out: &mut M::Rows,
        t: &mut Trace<M>,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        let (m, c, layer) = (self.machine, self.config, self.layer);
        let d = c.d_model;
        let (attention_norm, ffn_norm) = (layer.attention_post_norm.as_ref(), layer.ffn_post_norm.as_ref());
        let sequential = c.arrangement == Arrangement::Sequential;
        if sequential && attention_norm.is_none() && !self.wanted(observer, Place::AttentionOut) {
            // Nobody asks what attention adds by itself: the product is added where it belongs.
            layer.o.forward_onto(m, &t.mixed, x, &mut t.middle);
        } else {
            m.copy(x, &mut t.middle);
            layer.o.forward(m, &t.mixed, &mut t.attention_out);
            self.offer(observer, Place::AttentionOut, &mut t.attention_out)?;
            if sequential {
                add_normed(
                    m,
                    attention_norm,
                    &t.attention_out,
                    d,
                    &mut t.scratch,
                    &mut t.middle,
                );
            }
        }
        if sequential {
            self.offer(observer, Place::ResidualMiddle, &mut t.middle)?;
        }
        match c.arrangement {
            Arrangement::ParallelSharedNorm => m.copy(&t.attention_input, &mut t.ffn_input),
            _ => normed(m, layer.ffn_norm.as_ref(), &t.middle, d, &mut t.ffn_input),
        }
        if let (FeedForward::Dense(mlp), true) = (
            &layer.feed_forward,
            sequential && ffn_norm.is_none() && !self.wanted(observer, Place::FeedForwardOut),
        ) {
            mlp.hidden(m, c.activation, &t.ffn_input, &mut t.inner);
            mlp.down.forward_onto(m, &t.inner.hidden, &t.middle, out);
            return Ok(());
        }
        m.copy(&t.middle, out);
        if !sequential {
            add_normed(m, attention_norm, &t.attention_out, d, &mut t.scratch, out);
        }
        match (&layer.feed_forward, c.mixture_at(self.index)) {
            (FeedForward::Dense(mlp), _) => {
                mlp.forward(m, c.activation, &t.ffn_input, &mut t.inner, &mut t.ffn_out);
            }
            (FeedForward::Mixture(experts), Some(settings)) => {
                experts.forward(
                    m,
                    settings,
                    c.activation,
                    &t.ffn_input,
                    &mut t.mixture,
                    &mut t.ffn_out,
                )?;
            }
            (FeedForward::Mixture(_), None) => {
                unreachable!("a mixture is loaded only where the configuration has one")
            }
        }
        self.offer(observer, Place::FeedForwardOut, &mut t.ffn_out)?;
        add_normed(m, ffn_norm, &t.ffn_out, d, &mut t.scratch, out);
        Ok(())
    }

    fn wanted(&self, observer: &dyn Observer, place: Place) -> bool {
        observer.wants(Site {
            place,
            layer: self.index,
        })
    }

    /// Shows the observer what stands at a place of this block, and takes what it puts there instead.
    ///
    /// # Errors
    /// What the observer fails with.
    pub fn offer(&self, observer: &mut dyn Observer, place: Place, activation: &mut M::Rows) -> Result<()> {
        let site = Site {
            place,
            layer: self.index,
        };
        if !observer.wants(site) {
            return Ok(());
        }
        self.machine.edit(activation, &mut |activation| {
            offer(
                observer,
                site,
                self.first_text,
                self.config.d_model,
                self.segments,
                activation,
            )
        })
    }

    /// Queries, keys and values, normed and rotated.
    fn project(&self, x: &M::Rows, t: &mut Trace<M>) {
        let (m, c, layer) = (self.machine, self.config, self.layer);
        let norm = layer.attention_norm.as_ref();
        normed(m, norm, x, c.d_model, &mut t.attention_input);
        m.product(
            &t.attention_input,
            [layer.q.to(&mut t.q), layer.k.to(&mut t.k), layer.v.to(&mut t.v)],
        );
        if let Some(norm) = &layer.q_norm {
            std::mem::swap(&mut t.q, &mut t.q_raw);
            m.norm(norm, &t.q_raw, qk_width(c, c.q_width()), &mut t.q);
        }
        if let Some(norm) = &layer.k_norm {
            std::mem::swap(&mut t.k, &mut t.k_raw);
            m.norm(norm, &t.k_raw, qk_width(c, c.kv_width()), &mut t.k);
        }
        if let Some(angles) = self.laid.angles(c, self.index) {
            m.rotate(angles, &mut t.q, c.n_heads, c.head_dim, false);
            m.rotate(angles, &mut t.k, c.n_kv_heads, c.head_dim, false);
        }
    }
}
