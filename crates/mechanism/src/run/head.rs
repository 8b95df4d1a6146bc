//! The output head, from the residual stream after the last layer to logits.

use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::decoder::layer::load_norm;
use crate::decoder::machine::Product;
use crate::decoder::matrix::Use;
use crate::decoder::norm::Norm;
use crate::decoder::{Cpu, Form, Machine};
use crate::error::Result;
use crate::weights::{Kind, Part};

/// The output head: final norm, product with the vocabulary matrix, soft cap.
#[derive(Debug)]
pub struct Head<'a, M: Machine = Cpu> {
    machine: &'a M,
    checkpoint: &'a Checkpoint,
    norm: Norm<M::Vector>,
    /// `(vocab_size, d_model)`.
    table: Arc<M::Matrix>,
    bias: Option<M::Vector>,
}

impl<'a> Head<'a> {
    /// Reads the head for the CPU.
    ///
    /// # Errors
    /// Errors of reading.
    pub fn load(checkpoint: &'a Checkpoint) -> Result<Self> {
        Self::load_on(&Cpu, checkpoint, Form::Wide)
    }

    /// Logits `(rows, vocab_size)` of residual streams `x` `(rows, d_model)`.
    pub fn logits(&self, x: &[f32]) -> Vec<f32> {
        let (mut normed, mut logits) = (Vec::new(), Vec::new());
        self.logits_of(&x.to_vec(), &mut normed, &mut logits);
        logits
    }
}

impl<'a, M: Machine> Head<'a, M> {
    /// Reads the head for `machine`.
    ///
    /// # Errors
    /// Errors of reading, and those of [`Machine::matrix`].
    pub fn load_on(machine: &'a M, checkpoint: &'a Checkpoint, form: Form) -> Result<Self> {
        let (config, weights) = (&checkpoint.config, &checkpoint.weights);
        let bias = if !config.tied && weights.has(config, None, Part::Head, Kind::Bias) {
            Some(machine.vector(weights.load(config, None, Part::Head, Kind::Bias)?)?)
        } else {
            None
        };
        let (vocab, d) = (config.vocab_size, config.d_model);
        Ok(Self {
            machine,
            checkpoint,
            norm: load_norm(machine, weights, config, None, Part::FinalNorm)?,
            table: checkpoint
                .shelf
                .table(machine, weights.precision, || match form {
                    Form::Wide => machine.matrix(weights.head_rows(config, 0..vocab)?, vocab, d, Use::Table),
                    Form::Stored => machine.stored(weights.raw_head(config)?, Use::Table),
                })?,
            bias,
        })
    }

    /// The final norm.
    pub fn norm(&self) -> &Norm<M::Vector> {
        &self.norm
    }

    /// The vocabulary matrix `(vocab_size, d_model)`.
    pub fn table(&self) -> &M::Matrix {
        &self.table
    }

    /// The machine that computes.
    pub fn machine(&self) -> &'a M {
        self.machine
    }

    /// Logits `(rows, vocab_size)` of residual streams `x` `(rows, d_model)`; `normed` receives the normalised streams.
    pub fn logits_of(&self, x: &M::Rows, normed: &mut M::Rows, logits: &mut M::Rows) {
        let (machine, config) = (self.machine, &self.checkpoint.config);
        machine.norm(&self.norm, x, config.d_model, normed);
        let product = Product {
            matrix: &*self.table,
            bias: self.bias.as_ref(),
            base: None,
            out: logits,
        };
        machine.product(normed, [product]);
        if let Some(cap) = config.logit_cap {
            machine.soft_cap(logits, cap);
        }
    }
}
