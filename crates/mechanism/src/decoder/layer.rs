//! The weights of one block in memory, each matrix as `(out, in)`.

use std::any::Any;

use super::linear::{Form, Linear, Mlp};
use super::machine::{Cpu, Machine};
use super::matrix::Matrix;
use super::mixture::Experts;
use super::norm::Norm;
use crate::config::{Arrangement, DecoderConfig, NormKind};
use crate::error::{Error, Result};
use crate::weights::{Kind, Part, Weights};

/// The feed-forward part of a block.
#[derive(Debug, Clone)]
pub enum FeedForward<M: Machine = Cpu> {
    /// One network for all tokens.
    Dense(Mlp<M>),
    /// A mixture of experts: each token uses a few of them.
    Mixture(Experts<M>),
}

/// The weights of one block.
#[derive(Debug, Clone)]
pub struct Layer<M: Machine = Cpu> {
    /// Norm before attention.
    pub attention_norm: Option<Norm<M::Vector>>,
    /// Norm of the attention output.
    pub attention_post_norm: Option<Norm<M::Vector>>,
    /// Norm before the feed-forward part.
    pub ffn_norm: Option<Norm<M::Vector>>,
    /// Norm of the feed-forward output.
    pub ffn_post_norm: Option<Norm<M::Vector>>,
    /// Queries `(q_width, d_model)`.
    pub q: Linear<M>,
    /// Keys `(kv_width, d_model)`.
    pub k: Linear<M>,
    /// Values `(kv_width, d_model)`.
    pub v: Linear<M>,
    /// Output `(d_model, q_width)`.
    pub o: Linear<M>,
    /// Norm of queries.
    pub q_norm: Option<Norm<M::Vector>>,
    /// Norm of keys.
    pub k_norm: Option<Norm<M::Vector>>,
    /// Feed-forward part.
    pub feed_forward: FeedForward<M>,
}

/// Loads a norm of the residual stream.
pub(crate) fn load_norm<M: Machine>(
    machine: &M,
    weights: &Weights,
    c: &DecoderConfig,
    layer: Option<usize>,
    part: Part,
) -> Result<Norm<M::Vector>> {
    let bias = if c.norm == NormKind::Layer && weights.has(c, layer, part, Kind::Bias) {
        Some(machine.vector(weights.load(c, layer, part, Kind::Bias)?)?)
    } else {
        None
    };
    Ok(Norm {
        kind: c.norm,
        epsilon: c.norm_epsilon,
        weight: machine.vector(weights.load(c, layer, part, Kind::Weight)?)?,
        bias,
    })
}

impl Layer {
    /// Whether all large matrices of a layer are kept in packed form between products.
    pub fn stays_packed(c: &DecoderConfig) -> bool {
        let widest = c.d_ffn.max(c.q_width());
        c.mixture.is_none() && Matrix::stays_packed(c.d_model * widest)
    }

    /// Reads layer `index` for the CPU.
    ///
    /// # Errors
    /// Those of [`Weights::load`].
    pub fn load(weights: &Weights, c: &DecoderConfig, index: usize) -> Result<Self> {
        Self::load_on(&Cpu, weights, c, index, Form::Wide)
    }
}

/// A norm in the representation of `machine`.
fn norm_brought<M: Machine>(machine: &M, norm: Option<&Norm>) -> Result<Option<Norm<M::Vector>>> {
    let brought = |norm: &Norm| {
        Ok(Norm {
            kind: norm.kind,
            epsilon: norm.epsilon,
            weight: machine.vector(norm.weight.clone())?,
            bias: norm.bias.clone().map(|bias| machine.vector(bias)).transpose()?,
        })
    };
    norm.map(brought).transpose()
}

impl Layer {
    /// The layer in the representation of `machine`; unchanged if that is the CPU.
    ///
    /// # Errors
    /// Those of [`Machine::matrix`]; [`Error::Unavailable`] for a mixture of experts on another machine.
    pub fn brought<M: Machine>(self, machine: &M) -> Result<Layer<M>> {
        let here: Box<dyn Any> = match (Box::new(self) as Box<dyn Any>).downcast::<Layer<M>>() {
            Ok(same) => return Ok(*same),
            Err(here) => here,
        };
        let unavailable = || Error::Unavailable {
            method: "a layer that was changed",
            what: "a layer with a mixture of experts on a card",
        };
        let Ok(here) = here.downcast::<Self>() else {
            return Err(unavailable());
        };
        let FeedForward::Dense(mlp) = &here.feed_forward else {
            return Err(unavailable());
        };
        let gate = mlp.gate.as_ref().map(|gate| gate.brought(machine));
        let norm = |norm: &Option<Norm>| norm_brought(machine, norm.as_ref());
        Ok(Layer {
            attention_norm: norm(&here.attention_norm)?,
            attention_post_norm: norm(&here.attention_post_norm)?,
            ffn_norm: norm(&here.ffn_norm)?,
            ffn_post_norm: norm(&here.ffn_post_norm)?,
            q: here.q.brought(machine)?,
            k: here.k.brought(machine)?,
            v: here.v.brought(machine)?,
            o: here.o.brought(machine)?,
            q_norm: norm(&here.q_norm)?,
            k_norm: norm(&here.k_norm)?,
            feed_forward: FeedForward::Dense(Mlp {
                gate: gate.transpose()?,
                up: mlp.up.brought(machine)?,
                down: mlp.down.brought(machine)?,
            }),
        })
    }
}

impl<M: Machine> Layer<M> {
    /// Reads layer `index` for `machine`.
    ///
    /// # Errors
    /// Those of [`Weights::load`] and [`Machine::matrix`].
    pub fn load_on(
        machine: &M,
        weights: &Weights,
        c: &DecoderConfig,
        index: usize,
        form: Form,
    ) -> Result<Self> {
        let at = Some(index);
        let norm = |part, wanted: bool| -> Result<Option<Norm<M::Vector>>> {
            if wanted {
                load_norm(machine, weights, c, at, part).map(Some)
            } else {
                Ok(None)
            }
        };
        let linear = |part, biased| Linear::load(machine, weights, c, at, part, biased, form);
        let b = c.biases.feed_forward;
        let mlp = |gate, up, down, biased: bool| -> Result<Mlp<M>> {
            let gate = if c.gated {
                Some(linear(gate, biased)?)
            } else {
                None
            };
            Ok(Mlp {
                gate,
                up: linear(up, biased)?,
                down: linear(down, biased)?,
            })
        };
        let feed_forward = match c.mixture_at(index) {
            None => FeedForward::Dense(mlp(Part::Gate, Part::Up, Part::Down, b)?),
            Some(mixture) => {
                let experts = (0..mixture.n_experts)
                    .map(|e| mlp(Part::ExpertGate(e), Part::ExpertUp(e), Part::ExpertDown(e), false))
                    .collect::<Result<_>>()?;
                let shared = match mixture.d_shared {
                    None => None,
                    Some(_) => Some((
                        mlp(Part::SharedGate, Part::SharedUp, Part::SharedDown, false)?,
                        linear(Part::SharedRouter, false)?,
                    )),
                };
                FeedForward::Mixture(Experts {
                    router: linear(Part::Router, false)?,
                    experts,
                    shared,
                })
            }
        };
        let qk = c.qk_norm.is_some();
        Ok(Self {
            attention_norm: norm(Part::AttentionNorm, c.norm_before)?,
            attention_post_norm: norm(Part::AttentionPostNorm, c.norm_after)?,
            ffn_norm: norm(
                Part::FfnNorm,
                c.norm_before && c.arrangement != Arrangement::ParallelSharedNorm,
            )?,
            ffn_post_norm: norm(Part::FfnPostNorm, c.norm_after)?,
            q: linear(Part::Q, c.biases.qkv)?,
            k: linear(Part::K, c.biases.qkv)?,
            v: linear(Part::V, c.biases.qkv)?,
            o: linear(Part::O, c.biases.output)?,
            q_norm: norm(Part::QNorm, qk)?,
            k_norm: norm(Part::KNorm, qk)?,
            feed_forward,
        })
    }
}
