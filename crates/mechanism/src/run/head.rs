//! From the last residual stream to logits.

use crate::checkpoint::Checkpoint;
use crate::decoder::elementwise::{add, soft_cap};
use crate::decoder::layer::load_norm;
use crate::decoder::matmul::{Base, Kept, Product, View, multiply_each};
use crate::decoder::norm::Norm;
use crate::error::Result;
use crate::weights::{Kind, Part};

/// Numbers of the largest table that is kept packed (256 MB, or 384 on tiles).
const LARGEST_KEPT: usize = 1 << 26;

/// The output head: final norm, product with the vocabulary, cap.
#[derive(Debug)]
pub struct Head<'a> {
    checkpoint: &'a Checkpoint,
    norm: Norm,
    /// `(vocab_size, d_model)`.
    table: Vec<f32>,
    /// What products keep of the table.
    kept: Kept,
    bias: Option<Vec<f32>>,
}

impl<'a> Head<'a> {
    /// Reads the head.
    ///
    /// # Errors
    /// What reading fails with.
    pub fn load(checkpoint: &'a Checkpoint) -> Result<Self> {
        let (config, weights) = (&checkpoint.config, &checkpoint.weights);
        let norm = load_norm(weights, config, None, Part::FinalNorm)?;
        let bias = if !config.tied && weights.has(config, None, Part::Head, Kind::Bias) {
            Some(weights.load(config, None, Part::Head, Kind::Bias)?)
        } else {
            None
        };
        Ok(Self {
            checkpoint,
            norm,
            table: weights.head_rows(config, 0..config.vocab_size)?,
            kept: Kept::up_to(LARGEST_KEPT),
            bias,
        })
    }

    /// The final norm.
    pub fn norm(&self) -> &Norm {
        &self.norm
    }

    /// The head's matrix `(vocab_size, d_model)`.
    pub fn table(&self) -> View<'_> {
        let config = &self.checkpoint.config;
        View::new(&self.table, config.vocab_size, config.d_model, config.d_model)
    }

    /// Rows after the final norm.
    pub fn normed(&self, x: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        self.norm.forward(x, self.checkpoint.config.d_model, &mut out);
        out
    }

    /// Logits `(rows, vocab_size)` of residual streams `(rows, d_model)`.
    pub fn logits(&self, x: &[f32]) -> Vec<f32> {
        let config = &self.checkpoint.config;
        let d = config.d_model;
        let normed = self.normed(x);
        let rows = x.len() / d;
        let mut logits = vec![0.0; rows * config.vocab_size];
        let normed = View::new(&normed, rows, d, d);
        let product = Product {
            dst: &mut logits,
            base: Base::Zero,
            right: self.table().t(),
            kept: Some(&self.kept),
        };
        multiply_each(normed, vec![product]);
        if let Some(bias) = &self.bias {
            for row in logits.chunks_exact_mut(config.vocab_size) {
                add(row, bias);
            }
        }
        if let Some(cap) = config.logit_cap {
            soft_cap(&mut logits, cap);
        }
        logits
    }
}
