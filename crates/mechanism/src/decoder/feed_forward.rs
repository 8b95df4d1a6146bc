//! Feed-forward networks and mixtures of experts, forwards.
//!
//! Gated: `down(act(gate(x)) ⊙ up(x))` (Shazeer 2020). Mixture: the `k` experts with the greatest router probability,
//! weighted by it (Shazeer et al. 2017; Jiang et al. 2024).

use rayon::prelude::*;

use super::elementwise::{activate, add_scaled, multiply_by, softmax};
use super::layer::{Linear, Mlp};
use crate::config::{Activation, Mixture};

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
        let rows = x.len() / self.up.n_in;
        let len = rows * self.up.n_out;
        self.up.forward(x, resized(&mut inner.up, len));
        let chunk = 1 << 14;
        let hidden = resized(&mut inner.hidden, len);
        match &self.gate {
            None => {
                hidden
                    .par_chunks_mut(chunk)
                    .zip(inner.up.par_chunks(chunk))
                    .for_each(|(h, u)| activate(kind, u, h));
            }
            Some(gate) => {
                gate.forward(x, resized(&mut inner.gate, len));
                let sources = inner.gate.par_chunks(chunk).zip(inner.up.par_chunks(chunk));
                hidden.par_chunks_mut(chunk).zip(sources).for_each(|(h, (g, u))| {
                    activate(kind, g, h);
                    multiply_by(h, u);
                });
            }
        }
    }

    /// The whole network, `(rows, d_model)`.
    pub fn forward(&self, kind: Activation, x: &[f32], inner: &mut Inner, out: &mut [f32]) {
        self.hidden(kind, x, inner);
        self.down.forward(&inner.hidden, out);
    }
}

/// A mixture of experts; `out` is written.
pub fn mixture(
    settings: &Mixture,
    kind: Activation,
    router: &Linear,
    experts: &[Mlp],
    shared: Option<&(Mlp, Linear)>,
    x: &[f32],
    out: &mut [f32],
) {
    let d = router.n_in;
    let rows = x.len() / d;
    let mut scores = vec![0.0; rows * router.n_out];
    router.forward(x, &mut scores);
    // Per expert: rows and weights.
    let mut chosen: Vec<Vec<(usize, f32)>> = vec![Vec::new(); experts.len()];
    for (row, probabilities) in scores.chunks_exact_mut(router.n_out).enumerate() {
        softmax(probabilities);
        let mut order: Vec<usize> = (0..probabilities.len()).collect();
        order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
        order.truncate(settings.top_k);
        let total: f32 = order.iter().map(|e| probabilities[*e]).sum();
        let factor = if settings.normalize_top_k {
            1.0 / total
        } else {
            1.0
        };
        for expert in order {
            chosen[expert].push((row, probabilities[expert] * factor));
        }
    }
    out.fill(0.0);
    let mut inner = Inner::default();
    for (expert, tokens) in experts.iter().zip(&chosen) {
        let gathered: Vec<f32> = tokens
            .iter()
            .flat_map(|(row, _)| &x[row * d..(row + 1) * d])
            .copied()
            .collect();
        let mut added = vec![0.0; gathered.len()];
        if gathered.is_empty() {
            continue;
        }
        expert.forward(kind, &gathered, &mut inner, &mut added);
        for ((row, weight), added) in tokens.iter().zip(added.chunks_exact(d)) {
            add_scaled(&mut out[row * d..(row + 1) * d], added, *weight);
        }
    }
    if let Some((expert, gate)) = shared {
        let (mut added, mut gates) = (vec![0.0; x.len()], vec![0.0; rows]);
        expert.forward(kind, x, &mut inner, &mut added);
        gate.forward(x, &mut gates);
        for ((out, added), gate) in out.chunks_exact_mut(d).zip(added.chunks_exact(d)).zip(gates) {
            add_scaled(out, added, 1.0 / (1.0 + (-gate).exp()));
        }
    }
}
