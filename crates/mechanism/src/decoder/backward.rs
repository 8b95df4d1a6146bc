//! Backward pass of one block: gradients of all its weights and of its input.
//!
//! Derived by hand for the block of `block.rs`, so that no operation can silently lack a derivative; a test compares
//! each gradient with finite differences.

use super::block::{Block, Trace, heads, qk_width};
use super::block_gradient::{BlockGradient, FeedForwardGradient};
use super::layer::FeedForward;
use super::linear_gradient::{linear_backward, mlp_backward};
use super::machine::Machine;
use super::norm::{Norm, NormGradient};
use crate::config::Arrangement;
use crate::error::Result;

/// Gradient of the input of an optional norm; without a norm it is `dy` itself.
fn norm_backward<M: Machine>(
    machine: &M,
    norm: Option<&Norm<M::Vector>>,
    x: &M::Rows,
    dy: M::Rows,
    width: usize,
    gradient: Option<&mut NormGradient>,
) -> Result<M::Rows> {
    match (norm, gradient) {
        (Some(norm), Some(gradient)) => {
            let mut dx = M::Rows::default();
            machine.norm_back(norm, x, &dy, width, &mut dx, gradient)?;
            Ok(dx)
        }
        _ => Ok(dy),
    }
}

fn copied<M: Machine>(machine: &M, x: &M::Rows) -> M::Rows {
    let mut out = M::Rows::default();
    machine.copy(x, &mut out);
    out
}

impl<M: Machine> Block<'_, M> {
    /// Computes the gradient of the block's input from that of its output `dy`, and adds to the weights' gradients.
    ///
    /// `x` is the input `(rows, d_model)`, `trace` what [`Block::forward`] recorded for it. Texts must be whole (no
    /// shared prefixes).
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    ///
    /// # Panics
    /// If `gradient` was made for another kind of layer.
    pub fn backward(
        &self,
        x: &M::Rows,
        trace: &Trace<M>,
        dy: &M::Rows,
        gradient: &mut BlockGradient,
    ) -> Result<M::Rows> {
        let (m, c, layer, d) = (self.machine, self.config, self.layer, self.config.d_model);
        let d_ffn_out = norm_backward(
            m,
            layer.ffn_post_norm.as_ref(),
            &trace.ffn_out,
            copied(m, dy),
            d,
            gradient.ffn_post_norm.as_mut(),
        )?;
        let d_ffn_input = self.feed_forward_backward(trace, &d_ffn_out, &mut gradient.feed_forward)?;
        // Gradient of the residual stream between the two parts; in a parallel block, of the block's input.
        let mut d_middle = copied(m, dy);
        if c.arrangement != Arrangement::ParallelSharedNorm {
            let through = norm_backward(
                m,
                layer.ffn_norm.as_ref(),
                &trace.middle,
                copied(m, &d_ffn_input),
                d,
                gradient.ffn_norm.as_mut(),
            )?;
            m.add(&mut d_middle, &through);
        }
        let d_added = if c.arrangement == Arrangement::Sequential {
            copied(m, &d_middle)
        } else {
            copied(m, dy)
        };
        let d_attention = norm_backward(
            m,
            layer.attention_post_norm.as_ref(),
            &trace.attention_out,
            d_added,
            d,
            gradient.attention_post_norm.as_mut(),
        )?;
        let mut d_input = self.attention_backward(trace, &d_attention, gradient)?;
        if c.arrangement == Arrangement::ParallelSharedNorm {
            m.add(&mut d_input, &d_ffn_input);
        }
        let through = norm_backward(
            m,
            layer.attention_norm.as_ref(),
            x,
            d_input,
            d,
            gradient.attention_norm.as_mut(),
        )?;
        m.add(&mut d_middle, &through);
        Ok(d_middle)
    }

    fn feed_forward_backward(
        &self,
        trace: &Trace<M>,
        d_out: &M::Rows,
        gradient: &mut FeedForwardGradient,
    ) -> Result<M::Rows> {
        let (m, kind, x) = (self.machine, self.config.activation, &trace.ffn_input);
        let settings = self.config.mixture_at(self.index);
        match (&self.layer.feed_forward, gradient, settings) {
            (FeedForward::Dense(mlp), FeedForwardGradient::Dense(gradient), _) => {
                mlp_backward(m, kind, mlp, x, &trace.inner, d_out, gradient)
            }
            (FeedForward::Mixture(experts), FeedForwardGradient::Mixture(gradient), Some(settings)) => {
                experts.backward(m, settings, kind, x, &trace.mixture, d_out, gradient)
            }
            _ => unreachable!("gradients are made for the layer that they are of"),
        }
    }

    fn attention_backward(
        &self,
        trace: &Trace<M>,
        d_out: &M::Rows,
        gradient: &mut BlockGradient,
    ) -> Result<M::Rows> {
        let (m, c, layer) = (self.machine, self.config, self.layer);
        let mut d_mixed = M::Rows::default();
        m.zeros(m.len(&trace.mixed), &mut d_mixed);
        linear_backward(m, &layer.o, &trace.mixed, d_out, &mut gradient.o, &mut d_mixed)?;
        let [mut dq, mut dk, dv] = m.attention_back(
            &heads(c, self.index),
            &trace.q,
            &trace.k,
            &trace.v,
            self.segments,
            &self.laid.texts,
            &trace.mixed,
            &d_mixed,
        );
        if let Some(angles) = self.laid.angles(c, self.index) {
            m.rotate(angles, &mut dq, c.n_heads, c.head_dim, true);
            m.rotate(angles, &mut dk, c.n_kv_heads, c.head_dim, true);
        }
        let dq = norm_backward(
            m,
            layer.q_norm.as_ref(),
            &trace.q_raw,
            dq,
            qk_width(c, c.q_width()),
            gradient.q_norm.as_mut(),
        )?;
        let dk = norm_backward(
            m,
            layer.k_norm.as_ref(),
            &trace.k_raw,
            dk,
            qk_width(c, c.kv_width()),
            gradient.k_norm.as_mut(),
        )?;
        let x = &trace.attention_input;
        let mut d_input = M::Rows::default();
        m.zeros(m.len(x), &mut d_input);
        linear_backward(m, &layer.q, x, &dq, &mut gradient.q, &mut d_input)?;
        linear_backward(m, &layer.k, x, &dk, &mut gradient.k, &mut d_input)?;
        linear_backward(m, &layer.v, x, &dv, &mut gradient.v, &mut d_input)?;
        Ok(d_input)
    }
}
