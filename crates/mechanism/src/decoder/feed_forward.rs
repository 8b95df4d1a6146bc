//! Forward pass of feed-forward networks. Gated: `down(act(gate(x)) ⊙ up(x))` (Shazeer 2020).

use super::linear::Mlp;
use super::machine::{Cpu, Machine};
use crate::config::Activation;

/// Intermediate results of a feed-forward network, kept for the backward pass.
#[derive(Debug)]
pub struct Inner<M: Machine = Cpu> {
    /// `gate(x)`, `(rows, d_ffn)`; empty without a gate.
    pub gate: M::Rows,
    /// `up(x)`, `(rows, d_ffn)`.
    pub up: M::Rows,
    /// Input of `down`, `(rows, d_ffn)`.
    pub hidden: M::Rows,
}

impl<M: Machine> Default for Inner<M> {
    fn default() -> Self {
        Self {
            gate: M::Rows::default(),
            up: M::Rows::default(),
            hidden: M::Rows::default(),
        }
    }
}

impl<M: Machine> Mlp<M> {
    /// Computes `hidden = act(gate(x)) ⊙ up(x)`, or `act(up(x))` without a gate; keeps all results in `inner`.
    pub fn hidden(&self, machine: &M, kind: Activation, x: &M::Rows, inner: &mut Inner<M>) {
        if let Some(gate) = &self.gate {
            machine.product(x, [gate.to(&mut inner.gate), self.up.to(&mut inner.up)]);
            machine.gate(kind, Some(&inner.gate), &inner.up, &mut inner.hidden);
        } else {
            self.up.forward(machine, x, &mut inner.up);
            machine.gate(kind, None, &inner.up, &mut inner.hidden);
        }
    }

    /// Applies the whole network to `x`; `out` is `(rows, d_model)`.
    pub fn forward(
        &self,
        machine: &M,
        kind: Activation,
        x: &M::Rows,
        inner: &mut Inner<M>,
        out: &mut M::Rows,
    ) {
        self.hidden(machine, kind, x, inner);
        self.down.forward(machine, &inner.hidden, out);
    }
}
