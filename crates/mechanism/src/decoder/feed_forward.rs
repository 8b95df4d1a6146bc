//! Feed-forward networks, forwards. Gated: `down(act(gate(x)) ⊙ up(x))` (Shazeer 2020).

use rayon::prelude::*;

use super::elementwise::{activate, activate_gated};
use super::linear::{Mlp, forward_each};
use crate::config::Activation;

/// What stands inside a feed-forward network; kept for the way back.
#[derive(Debug, Default)]
pub struct Inner {
    /// `gate(x)`, `(rows, d_ffn)`; empty without a gate.
    pub gate: Vec<f32>,
    /// `up(x)`, `(rows, d_ffn)`.
    pub up: Vec<f32>,
    /// What goes into `down`, `(rows, d_ffn)`.
    pub hidden: Vec<f32>,
}

/// Makes `buffer` as long as asked; what is in it is not meant.
pub(crate) fn resized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}

impl Mlp {
    /// `hidden = act(gate(x)) ⊙ up(x)` or `act(up(x))`, into `inner`.
    pub fn hidden(&self, kind: Activation, x: &[f32], inner: &mut Inner) {
        let len = x.len() / self.up.n_in * self.up.n_out;
        let chunk = 1 << 14;
        let up = resized(&mut inner.up, len);
        let hidden = resized(&mut inner.hidden, len).par_chunks_mut(chunk);
        if let Some(gate) = &self.gate {
            let gated = resized(&mut inner.gate, len);
            forward_each(x, [(gate, gated), (&self.up, up)]);
            let sources = inner.gate.par_chunks(chunk).zip(inner.up.par_chunks(chunk));
            hidden
                .zip(sources)
                .for_each(|(h, (g, u))| activate_gated(kind, g, u, h));
        } else {
            self.up.forward(x, up);
            hidden
                .zip(inner.up.par_chunks(chunk))
                .for_each(|(h, u)| activate(kind, u, h));
        }
    }

    /// The whole network, `(rows, d_model)`.
    pub fn forward(&self, kind: Activation, x: &[f32], inner: &mut Inner, out: &mut [f32]) {
        self.hidden(kind, x, inner);
        self.down.forward(&inner.hidden, out);
    }
}
