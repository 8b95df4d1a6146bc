//! Mixtures of experts, forward and backward.
//!
//! Each token goes to the `k` experts with the greatest router probability, whose outputs are summed with these
//! probabilities as weights (Shazeer et al. 2017; Jiang et al. 2024). The backward pass treats the choice of experts as
//! constant: its derivative is zero wherever it exists.

use super::elementwise::{scale, softmax};
use super::feed_forward::Inner;
use super::linear::{Linear, Mlp};
use super::linear_gradient::{LinearGradient, MlpGradient, linear_backward, mlp_backward};
use super::machine::{Cpu, Machine, Visit};
use crate::config::{Activation, Mixture};
use crate::error::Result;

/// The weights of a mixture.
#[derive(Debug, Clone)]
pub struct Experts<M: Machine = Cpu> {
    /// Linear layer for the experts' scores, `(n_experts, d_model)`.
    pub router: Linear<M>,
    /// The experts.
    pub experts: Vec<Mlp<M>>,
    /// A shared expert for all tokens, and its sigmoid gate `(1, d_model)`.
    pub shared: Option<(Mlp<M>, Linear<M>)>,
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
    pub(super) fn new<M: Machine>(mixture: &Experts<M>) -> Self {
        let shared = mixture.shared.as_ref();
        Self {
            router: LinearGradient::new(&mixture.router),
            experts: mixture.experts.iter().map(MlpGradient::new).collect(),
            shared: shared.map(|(mlp, gate)| (MlpGradient::new(mlp), LinearGradient::new(gate))),
        }
    }
}

/// The tokens that one expert processed, with its intermediate results.
#[derive(Debug)]
struct Seen<M: Machine> {
    visits: Vec<Visit>,
    /// `(visits, d_model)`.
    input: M::Rows,
    inner: Inner<M>,
    /// Output of the expert before weighting, `(visits, d_model)`.
    out: M::Rows,
}

impl<M: Machine> Default for Seen<M> {
    fn default() -> Self {
        Self {
            visits: Vec::new(),
            input: M::Rows::default(),
            inner: Inner::default(),
            out: M::Rows::default(),
        }
    }
}

/// Intermediate results of a mixture's forward pass, kept for the backward pass.
#[derive(Debug)]
pub struct MixtureTrace<M: Machine = Cpu> {
    /// Router probabilities, `(rows, n_experts)`.
    probabilities: Vec<f32>,
    experts: Vec<Seen<M>>,
    /// The shared expert.
    shared: Seen<M>,
    /// Sigmoid of the shared expert's gate, `(rows,)`.
    opened: Vec<f32>,
    /// Output of the router or of the gate on the machine.
    scores: M::Rows,
}

impl<M: Machine> Default for MixtureTrace<M> {
    fn default() -> Self {
        Self {
            probabilities: Vec::new(),
            experts: Vec::new(),
            shared: Seen::default(),
            opened: Vec::new(),
            scores: M::Rows::default(),
        }
    }
}

impl<M: Machine> MixtureTrace<M> {
    /// For each row an expert processed: expert, row and the factor on the expert's output.
    pub fn chosen(&self) -> impl Iterator<Item = (usize, usize, f32)> + '_ {
        self.experts.iter().enumerate().flat_map(|(expert, seen)| {
            seen.visits
                .iter()
                .map(move |visit| (expert, visit.row, visit.weight))
        })
    }
}

/// Dot product.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<M: Machine> Experts<M> {
    /// Applies the mixture to `x` `(rows, d_model)`; `out` is overwritten.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    pub fn forward(
        &self,
        machine: &M,
        settings: &Mixture,
        kind: Activation,
        x: &M::Rows,
        trace: &mut MixtureTrace<M>,
        out: &mut M::Rows,
    ) -> Result<()> {
        let d = self.router.n_in;
        self.route(machine, settings, x, trace)?;
        machine.zeros(machine.len(x), out);
        for (expert, seen) in self.experts.iter().zip(&mut trace.experts) {
            let mut rows = seen.visits.iter().map(|visit| visit.row);
            machine.take(x, d, &mut rows, &mut seen.input);
            if seen.visits.is_empty() {
                machine.zeros(0, &mut seen.out);
                continue;
            }
            expert.forward(machine, kind, &seen.input, &mut seen.inner, &mut seen.out);
            machine.spread(&seen.out, d, &seen.visits, out);
        }
        if let Some((expert, gate)) = &self.shared {
            let shared = &mut trace.shared;
            expert.forward(machine, kind, x, &mut shared.inner, &mut shared.out);
            gate.forward(machine, x, &mut trace.scores);
            trace.opened = machine.read(&trace.scores)?;
            for opened in &mut trace.opened {
                *opened = 1.0 / (1.0 + (-*opened).exp());
            }
            shared.visits.clear();
            let opened = trace.opened.iter().enumerate();
            shared
                .visits
                .extend(opened.map(|(row, &weight)| Visit { row, weight }));
            machine.spread(&shared.out, d, &shared.visits, out);
        }
        Ok(())
    }

    /// Decides which tokens each expert processes, and with which weights.
    fn route(&self, machine: &M, settings: &Mixture, x: &M::Rows, trace: &mut MixtureTrace<M>) -> Result<()> {
        let n = self.router.n_out;
        self.router.forward(machine, x, &mut trace.scores);
        trace.probabilities = machine.read(&trace.scores)?;
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
        Ok(())
    }

    /// Gradient of the input `x`, from that of the output; adds to the weights' gradients.
    #[expect(clippy::too_many_arguments, reason = "as forwards, and the gradients")]
    pub(super) fn backward(
        &self,
        machine: &M,
        settings: &Mixture,
        kind: Activation,
        x: &M::Rows,
        trace: &MixtureTrace<M>,
        d_out: &M::Rows,
        gradient: &mut MixtureGradient,
    ) -> Result<M::Rows> {
        let (d, n) = (self.router.n_in, self.router.n_out);
        let mut d_input = M::Rows::default();
        machine.zeros(machine.len(x), &mut d_input);
        let d_out = machine.read(d_out)?;
        // Gradient of the chosen experts' weights; zero for the others.
        let mut d_weights = vec![0.0; trace.probabilities.len()];
        let experts = self.experts.iter().zip(&trace.experts);
        for (e, ((expert, seen), gradient)) in experts.zip(&mut gradient.experts).enumerate() {
            if seen.visits.is_empty() {
                continue;
            }
            let answers = machine.read(&seen.out)?;
            let mut d_answers = Vec::with_capacity(answers.len());
            for (visit, answer) in seen.visits.iter().zip(answers.chunks_exact(d)) {
                let of_row = &d_out[visit.row * d..(visit.row + 1) * d];
                d_weights[visit.row * n + e] = dot(of_row, answer);
                d_answers.extend(of_row.iter().map(|v| v * visit.weight));
            }
            let d_answers = machine.rows(d_answers)?;
            let (input, inner) = (&seen.input, &seen.inner);
            let through = mlp_backward(machine, kind, expert, input, inner, &d_answers, gradient)?;
            let whole = |visit: &Visit| Visit {
                weight: 1.0,
                ..*visit
            };
            let visits: Vec<Visit> = seen.visits.iter().map(whole).collect();
            machine.spread(&through, d, &visits, &mut d_input);
        }
        let d_scores = machine.rows(self.scores_backward(settings, trace, d_weights))?;
        let router = &mut gradient.router;
        linear_backward(machine, &self.router, x, &d_scores, router, &mut d_input)?;
        if let (Some((expert, gate)), Some((of_expert, of_gate))) = (&self.shared, &mut gradient.shared) {
            let answers = machine.read(&trace.shared.out)?;
            let mut d_answers = d_out;
            let mut d_gate = Vec::with_capacity(trace.opened.len());
            let rows = d_answers.chunks_exact_mut(d).zip(answers.chunks_exact(d));
            for ((d_answer, answer), opened) in rows.zip(&trace.opened) {
                d_gate.push(dot(d_answer, answer) * opened * (1.0 - opened));
                scale(d_answer, *opened);
            }
            let (d_answers, d_gate) = (machine.rows(d_answers)?, machine.rows(d_gate)?);
            let inner = &trace.shared.inner;
            let through = mlp_backward(machine, kind, expert, x, inner, &d_answers, of_expert)?;
            machine.add(&mut d_input, &through);
            linear_backward(machine, gate, x, &d_gate, of_gate, &mut d_input)?;
        }
        Ok(d_input)
    }

    /// Gradient of the router's scores, from that of the chosen experts' weights.
    fn scores_backward(
        &self,
        settings: &Mixture,
        trace: &MixtureTrace<M>,
        mut d_weights: Vec<f32>,
    ) -> Vec<f32> {
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
                // Normalised weights are w = p/T, T the sum over the chosen experts, so dp = (dw − Σ dw·w)/T for these.
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
