//! Mixtures of experts, forwards and backwards.
//!
//! Each token goes to the `k` experts of the greatest router probability and gets their sum weighted by it (Shazeer et al.
//! 2017; Jiang et al. 2024). Which experts a token goes to is taken as given on the way back: the derivative of a choice is
//! zero wherever it has one.

use super::elementwise::{add, add_scaled, scale, softmax};
use super::feed_forward::{Inner, resized};
use super::linear::{Linear, Mlp};
use super::linear_gradient::{LinearGradient, MlpGradient, linear_backward, mlp_backward};
use crate::config::{Activation, Mixture};

/// The weights of a mixture.
#[derive(Debug, Clone)]
pub struct Experts {
    /// Scores of experts `(n_experts, d_model)`.
    pub router: Linear,
    /// The experts.
    pub experts: Vec<Mlp>,
    /// An expert for all tokens and its sigmoid gate `(1, d_model)`.
    pub shared: Option<(Mlp, Linear)>,
}

/// Gradients of [`Experts`].
#[derive(Debug, Clone)]
#[expect(
    missing_docs,
    reason = "each field is the gradient of the field of that name in `Experts`"
)]
pub struct MixtureGradient {
    pub router: LinearGradient,
    pub experts: Vec<MlpGradient>,
    pub shared: Option<(MlpGradient, LinearGradient)>,
}

impl MixtureGradient {
    pub(super) fn new(mixture: &Experts) -> Self {
        let shared = mixture.shared.as_ref();
        Self {
            router: LinearGradient::new(&mixture.router),
            experts: mixture.experts.iter().map(MlpGradient::new).collect(),
            shared: shared.map(|(mlp, gate)| (MlpGradient::new(mlp), LinearGradient::new(gate))),
        }
    }
}

/// A token that an expert sees.
#[derive(Debug, Clone, Copy)]
struct Visit {
    row: usize,
    /// What the expert's answer is multiplied by.
    weight: f32,
}

/// One expert's tokens and what it made of them.
#[derive(Debug, Default)]
struct Seen {
    visits: Vec<Visit>,
    /// `(visits, d_model)`.
    input: Vec<f32>,
    inner: Inner,
    /// `(visits, d_model)`, before the weight.
    out: Vec<f32>,
}

/// Everything a mixture computes on the way; kept for the way back.
#[derive(Debug, Default)]
pub struct MixtureTrace {
    /// Router probabilities, `(rows, n_experts)`.
    probabilities: Vec<f32>,
    experts: Vec<Seen>,
    /// The expert for all tokens.
    shared: Seen,
    /// Sigmoid of the shared expert's gate, `(rows,)`.
    opened: Vec<f32>,
}

impl MixtureTrace {
    /// Which expert saw which row, and what its answer was multiplied by.
    pub fn chosen(&self) -> impl Iterator<Item = (usize, usize, f32)> + '_ {
        self.experts.iter().enumerate().flat_map(|(expert, seen)| {
            seen.visits
                .iter()
                .map(move |visit| (expert, visit.row, visit.weight))
        })
    }
}

/// The gradient's dot product with what it is the gradient of.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl Experts {
    /// The mixture of `x` `(rows, d_model)`; `out` is written.
    pub fn forward(
        &self,
        settings: &Mixture,
        kind: Activation,
        x: &[f32],
        trace: &mut MixtureTrace,
        out: &mut [f32],
    ) {
        let d = self.router.n_in;
        let rows = x.len() / d;
        self.route(settings, x, trace);
        out.fill(0.0);
        for (expert, seen) in self.experts.iter().zip(&mut trace.experts) {
            seen.input.clear();
            for visit in &seen.visits {
                seen.input
                    .extend_from_slice(&x[visit.row * d..(visit.row + 1) * d]);
            }
            let answers = resized(&mut seen.out, seen.input.len());
            if answers.is_empty() {
                continue;
            }
            expert.forward(kind, &seen.input, &mut seen.inner, answers);
            for (visit, answer) in seen.visits.iter().zip(answers.chunks_exact(d)) {
                add_scaled(&mut out[visit.row * d..(visit.row + 1) * d], answer, visit.weight);
            }
        }
        if let Some((expert, gate)) = &self.shared {
            let shared = &mut trace.shared;
            expert.forward(kind, x, &mut shared.inner, resized(&mut shared.out, x.len()));
            gate.forward(x, resized(&mut trace.opened, rows));
            for opened in &mut trace.opened {
                *opened = 1.0 / (1.0 + (-*opened).exp());
            }
            let answers = shared.out.chunks_exact(d).zip(&trace.opened);
            for (out, (answer, opened)) in out.chunks_exact_mut(d).zip(answers) {
                add_scaled(out, answer, *opened);
            }
        }
    }

    /// Which tokens each expert sees, and with which weight.
    fn route(&self, settings: &Mixture, x: &[f32], trace: &mut MixtureTrace) {
        let n = self.router.n_out;
        let rows = x.len() / self.router.n_in;
        self.router
            .forward(x, resized(&mut trace.probabilities, rows * n));
        trace.experts.resize_with(n, Seen::default);
        for seen in &mut trace.experts {
            seen.visits.clear();
        }
        for (row, probabilities) in trace.probabilities.chunks_exact_mut(n).enumerate() {
            softmax(probabilities);
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]));
            order.truncate(settings.top_k);
            let total: f32 = order.iter().map(|e| probabilities[*e]).sum();
            let factor = if settings.normalize_top_k {
                1.0 / total
            } else {
                1.0
            };
            for expert in order {
                trace.experts[expert].visits.push(Visit {
                    row,
                    weight: probabilities[expert] * factor,
                });
            }
        }
    }

    /// From the gradient of the mixture's output to that of its input `x`, adding to the weights' gradients.
    pub(super) fn backward(
        &self,
        settings: &Mixture,
        kind: Activation,
        x: &[f32],
        trace: &MixtureTrace,
        d_out: &[f32],
        gradient: &mut MixtureGradient,
    ) -> Vec<f32> {
        let (d, n) = (self.router.n_in, self.router.n_out);
        let mut d_input = vec![0.0; x.len()];
        // Of the weights of the chosen; zero for the others.
        let mut d_weights = vec![0.0; trace.probabilities.len()];
        let experts = self.experts.iter().zip(&trace.experts);
        for (e, ((expert, seen), gradient)) in experts.zip(&mut gradient.experts).enumerate() {
            if seen.visits.is_empty() {
                continue;
            }
            let mut d_answers = Vec::with_capacity(seen.out.len());
            for (visit, answer) in seen.visits.iter().zip(seen.out.chunks_exact(d)) {
                let of_row = &d_out[visit.row * d..(visit.row + 1) * d];
                d_weights[visit.row * n + e] = dot(of_row, answer);
                d_answers.extend(of_row.iter().map(|v| v * visit.weight));
            }
            let through = mlp_backward(kind, expert, &seen.input, &seen.inner, &d_answers, gradient);
            for (visit, through) in seen.visits.iter().zip(through.chunks_exact(d)) {
                add(&mut d_input[visit.row * d..(visit.row + 1) * d], through);
            }
        }
        let d_scores = self.scores_backward(settings, trace, d_weights);
        linear_backward(&self.router, x, &d_scores, &mut gradient.router, &mut d_input);
        if let (Some((expert, gate)), Some((of_expert, of_gate))) = (&self.shared, &mut gradient.shared) {
            let mut d_answers = d_out.to_vec();
            let mut d_gate = Vec::with_capacity(trace.opened.len());
            let rows = d_answers
                .chunks_exact_mut(d)
                .zip(trace.shared.out.chunks_exact(d));
            for ((d_answer, answer), opened) in rows.zip(&trace.opened) {
                d_gate.push(dot(d_answer, answer) * opened * (1.0 - opened));
                scale(d_answer, *opened);
            }
            let through = mlp_backward(kind, expert, x, &trace.shared.inner, &d_answers, of_expert);
            add(&mut d_input, &through);
            linear_backward(gate, x, &d_gate, of_gate, &mut d_input);
        }
        d_input
    }

    /// From the gradient of the chosen experts' weights to that of the router's scores.
    fn scores_backward(&self, settings: &Mixture, trace: &MixtureTrace, mut d_weights: Vec<f32>) -> Vec<f32> {
        let n = self.router.n_out;
        let mut chosen = vec![0.0; d_weights.len()];
        for (e, seen) in trace.experts.iter().enumerate() {
            for visit in &seen.visits {
                chosen[visit.row * n + e] = visit.weight;
            }
        }
        let rows = d_weights.chunks_exact_mut(n).zip(chosen.chunks_exact(n));
        for ((d, weights), p) in rows.zip(trace.probabilities.chunks_exact(n)) {
            if settings.normalize_top_k {
                // Weights are p over the sum of the chosen: w = p/T, so dp = (dw − Σ dw·w)/T where chosen.
                let mean = dot(d, weights);
                let total: f32 = p
                    .iter()
                    .zip(weights)
                    .filter(|(_, w)| **w > 0.0)
                    .map(|(p, _)| p)
                    .sum();
                for (d, w) in d.iter_mut().zip(weights) {
                    *d = if *w > 0.0 { (*d - mean) / total } else { 0.0 };
                }
            }
            let mean = dot(d, p);
            for (d, p) in d.iter_mut().zip(p) {
                *d = p * (*d - mean);
            }
        }
        d_weights
    }
}
