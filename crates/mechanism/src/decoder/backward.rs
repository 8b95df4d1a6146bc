//! One block backwards: gradients of every weight of it, and of its input.
//!
//! Written out by hand for the block of `block.rs`, so that no operation can lack a derivative in silence; a test compares
//! each gradient with finite differences.

use super::attention;
use super::block::{Block, Trace, heads, qk_width};
use super::block_gradient::{BlockGradient, FeedForwardGradient};
use super::elementwise::add;
use super::layer::FeedForward;
use super::linear_gradient::{linear_backward, mlp_backward};
use super::norm::{Norm, NormGradient};
use crate::config::Arrangement;

/// Gradient before a norm that may be absent: `dy` itself then.
fn norm_backward(
    norm: Option<&Norm>,
    x: &[f32],
    dy: Vec<f32>,
    width: usize,
    gradient: Option<&mut NormGradient>,
) -> Vec<f32> {
    match (norm, gradient) {
        (Some(norm), Some(gradient)) => {
            let mut dx = vec![0.0; dy.len()];
            norm.backward(x, &dy, width, &mut dx, gradient);
            dx
        }
        _ => dy,
    }
}

impl Block<'_> {
    /// From the gradient of the block's output to that of its input, adding to the weights' gradients.
    ///
    /// `x` is the input `(rows, d_model)`; `trace` what [`Block::forward`] left on it. Texts must be whole (no shared
    /// beginnings).
    ///
    /// # Panics
    /// Where `gradient` was made for another kind of layer.
    pub fn backward(&self, x: &[f32], trace: &Trace, dy: &[f32], gradient: &mut BlockGradient) -> Vec<f32> {
        let (c, layer, d) = (self.config, self.layer, self.config.d_model);
        let d_ffn_out = norm_backward(
            layer.ffn_post_norm.as_ref(),
            &trace.ffn_out,
            dy.to_vec(),
            d,
            gradient.ffn_post_norm.as_mut(),
        );
        let d_ffn_input = self.feed_forward_backward(trace, &d_ffn_out, &mut gradient.feed_forward);
        // Gradient of the stream between the two parts; of the block's input where they stand in parallel.
        let mut d_middle = dy.to_vec();
        if c.arrangement != Arrangement::ParallelSharedNorm {
            let through = norm_backward(
                layer.ffn_norm.as_ref(),
                &trace.middle,
                d_ffn_input.clone(),
                d,
                gradient.ffn_norm.as_mut(),
            );
            add(&mut d_middle, &through);
        }
        let d_added = if c.arrangement == Arrangement::Sequential {
            d_middle.clone()
        } else {
            dy.to_vec()
        };
        let d_attention = norm_backward(
            layer.attention_post_norm.as_ref(),
            &trace.attention_out,
            d_added,
            d,
            gradient.attention_post_norm.as_mut(),
        );
        let mut d_input = self.attention_backward(trace, &d_attention, gradient);
        if c.arrangement == Arrangement::ParallelSharedNorm {
            add(&mut d_input, &d_ffn_input);
        }
        let through = norm_backward(
            layer.attention_norm.as_ref(),
            x,
            d_input,
            d,
            gradient.attention_norm.as_mut(),
        );
        add(&mut d_middle, &through);
        d_middle
    }

    fn feed_forward_backward(
        &self,
        trace: &Trace,
        d_out: &[f32],
        gradient: &mut FeedForwardGradient,
    ) -> Vec<f32> {
        let (kind, x) = (self.config.activation, trace.ffn_input.as_slice());
        let settings = self.config.mixture_at(self.index);
        match (&self.layer.feed_forward, gradient, settings) {
            (FeedForward::Dense(mlp), FeedForwardGradient::Dense(gradient), _) => {
                mlp_backward(kind, mlp, x, &trace.inner, d_out, gradient)
            }
            (FeedForward::Mixture(experts), FeedForwardGradient::Mixture(gradient), Some(settings)) => {
                experts.backward(settings, kind, x, &trace.mixture, d_out, gradient)
            }
            _ => unreachable!("gradients are made for the layer that they are of"),
        }
    }

    fn attention_backward(&self, trace: &Trace, d_out: &[f32], gradient: &mut BlockGradient) -> Vec<f32> {
        let (c, layer) = (self.config, self.layer);
        let mut d_mixed = vec![0.0; trace.mixed.len()];
        linear_backward(&layer.o, &trace.mixed, d_out, &mut gradient.o, &mut d_mixed);
        let heads = heads(c, self.index);
        let mut of = attention::backward(&heads, &trace.q, &trace.k, &trace.v, &d_mixed, self.segments);
        if let Some(angles) = self.angles {
            angles.rotate(&mut of.q, c.n_heads, c.head_dim, true);
            angles.rotate(&mut of.k, c.n_kv_heads, c.head_dim, true);
        }
        let q_width = qk_width(c, c.q_width());
        let kv_width = qk_width(c, c.kv_width());
        let dq = norm_backward(
            layer.q_norm.as_ref(),
            &trace.q_raw,
            of.q,
            q_width,
            gradient.q_norm.as_mut(),
        );
        let dk = norm_backward(
            layer.k_norm.as_ref(),
            &trace.k_raw,
            of.k,
            kv_width,
            gradient.k_norm.as_mut(),
        );
        let mut d_input = vec![0.0; trace.attention_input.len()];
        linear_backward(
            &layer.q,
            &trace.attention_input,
            &dq,
            &mut gradient.q,
            &mut d_input,
        );
        linear_backward(
            &layer.k,
            &trace.attention_input,
            &dk,
            &mut gradient.k,
            &mut d_input,
        );
        linear_backward(
            &layer.v,
            &trace.attention_input,
            &of.v,
            &mut gradient.v,
            &mut d_input,
        );
        d_input
    }
}
