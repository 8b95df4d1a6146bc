//! Forward pass of one block, the only code in which all differences between families come together.

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

/// Intermediate results of a block's forward pass, kept for the backward pass; the next layer reuses the buffers.
#[derive(Debug)]
pub struct Trace<M: Machine = Cpu> {
    /// Input of the query, key and value projections, `(rows, d_model)`.
    pub attention_input: M::Rows,
    /// Queries before their norm, `(rows, q_width)`; empty without one.
    pub q_raw: M::Rows,
    /// Keys before their norm, `(rows, kv_width)`; empty without one.
    pub k_raw: M::Rows,
    /// Queries after norm and rotation, `(rows, q_width)`.
    pub q: M::Rows,
    /// Keys after norm and rotation, `(rows, kv_width)`.
    pub k: M::Rows,
    /// Values, `(rows, kv_width)`.
    pub v: M::Rows,
    /// Weighted sums of values, the input of the output projection, `(rows, q_width)`.
    pub mixed: M::Rows,
    /// Result of the output projection, `(rows, d_model)`; computed separately only if a norm or an observer needs it.
    pub attention_out: M::Rows,
    /// The residual stream between the two parts, `(rows, d_model)`.
    pub middle: M::Rows,
    /// Input of the feed-forward part, `(rows, d_model)`.
    pub ffn_input: M::Rows,
    /// Intermediate results of a dense feed-forward part.
    pub inner: Inner<M>,
    /// Intermediate results of a mixture of experts.
    pub mixture: MixtureTrace<M>,
    /// Result of the feed-forward part, `(rows, d_model)`; computed separately only if a norm or an observer needs it.
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

/// Attention parameters of layer `index`.
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

/// `x += norm(y)`, with `scratch` for the intermediate result; `x += y` without a norm.
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

/// A layer with its index, the machine that computes it, and the rows it is applied to.
#[derive(Debug)]
pub struct Block<'a, M: Machine = Cpu> {
    /// The machine that computes.
    pub machine: &'a M,
    /// Structure of the decoder.
    pub config: &'a DecoderConfig,
    /// Index of the layer, from 0.
    pub index: usize,
    /// Weights.
    pub layer: &'a Layer<M>,
    /// Rotation angles of the rows, and the texts in the machine's representation.
    pub laid: &'a Laid<M>,
    /// The texts to which the rows belong.
    pub segments: &'a [Segment],
    /// Index of the first text, which is passed to the observer.
    pub first_text: usize,
}

impl<M: Machine> Clone for Block<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M: Machine> Copy for Block<'_, M> {}

impl<M: Machine> Block<'_, M> {
    /// Passes the residual stream `x` `(rows, d_model)` through the block into `out`.
    ///
    /// # Errors
    /// Errors of the observer.
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

    /// Passes one new token of each text through the block into `out`. `kept` holds each text's key-value cache, to
    /// which the new keys and values are added.
    ///
    /// `x` is `(texts, d_model)`; row `i` belongs to text `i`, and segment `i` gives its position.
    ///
    /// # Errors
    /// None of its own; those of [`Block::forward`].
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

    /// The rest of the block after attention's weighted sums.
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
            // Nobody needs the attention output separately, so the product is added to the residual stream directly.
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

    /// Shows the observer the activation at one place of this block, and replaces it with what the observer returns.
    ///
    /// # Errors
    /// Errors of the observer.
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

    /// Computes queries, keys and values, with norms and rotation.
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
