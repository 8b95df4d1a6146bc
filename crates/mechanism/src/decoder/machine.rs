//! What computes on rows of numbers, wherever these lie: the one seam between the decoder and a processor or a card.
//!
//! Rows are `f32`, row-major, activations of many tokens one after the other. An operation gives its output the length that it
//! needs. What can fail on a card (memory, above all) does not fail where it is asked for but sticks: operations after it do
//! nothing, and whatever reads numbers next gives the error. So the decoder's text is that of one that cannot fail.

use std::fmt::Debug;

use super::attention::Heads;
use super::gradient::GradientMatrix;
use super::matrix::Use;
use super::norm::{Norm, NormGradient};
use super::rope::Angles;
use crate::config::{Activation, DecoderConfig};
use crate::error::Result;
use crate::segment::Segment;
use crate::weights::Raw;

/// A product `out = base + x·Wᵀ + b`.
#[derive(Debug)]
pub struct Product<'a, 'b, M: Machine> {
    /// `W`, `(n_out, n_in)`.
    pub matrix: &'a M::Matrix,
    /// `b`, `(n_out,)`.
    pub bias: Option<&'a M::Vector>,
    /// Added, `(rows, n_out)`.
    pub base: Option<&'a M::Rows>,
    /// `(rows, n_out)`.
    pub out: &'b mut M::Rows,
}

/// A row that an expert sees.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Which.
    pub row: usize,
    /// What the expert's answer is multiplied by.
    pub weight: f32,
}

/// The operations that a decoder is made of.
///
/// Shapes fit each other, or it is a bug of the caller: the processor panics then, as slices do, and a card keeps the error.
pub trait Machine: Debug + Sync + Send + Sized + 'static {
    /// Numbers, `(rows, width)`, row-major.
    type Rows: Debug + Default + Send + Sync;
    /// A weight `(n_out, n_in)` as this machine keeps it.
    type Matrix: Debug + Clone + Send + Sync;
    /// Weights of a norm, or a bias.
    type Vector: Debug + Clone + Send + Sync;
    /// Cosines and sines of a group's rows.
    type Angles: Debug + Send + Sync;
    /// What attention needs to know of a group's segments beside themselves.
    type Texts: Debug + Send + Sync;
    /// Keys and values of one text in one layer, kept while it is continued.
    type Kept: Debug + Default + Send + Sync;

    /// Whether it is the processor: groups of texts may go through a layer side by side then, a thread each, and streams to disk.
    const IS_PROCESSOR: bool = false;

    /// Rows of all texts together that go through all layers before the next texts do; all where nothing bounds them.
    ///
    /// # Errors
    /// [`crate::Error::Card`] when it does not say.
    fn rows_a_wave(&self, config: &DecoderConfig) -> Result<usize> {
        let _ = config;
        Ok(usize::MAX)
    }
    /// Whether there is room to keep a layer for the next texts, beside what the work itself needs.
    fn has_room(&self) -> bool {
        false
    }
    /// Whether the next layer is read while one computes.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Brings rows here.
    ///
    /// # Errors
    /// [`crate::Error::Card`] without room for them.
    fn rows(&self, values: Vec<f32>) -> Result<Self::Rows>;
    /// Takes rows back.
    ///
    /// # Errors
    /// [`crate::Error::Card`]: what went wrong on the way to them.
    fn read(&self, rows: &Self::Rows) -> Result<Vec<f32>>;
    /// Takes rows back that are not needed here any more.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn taken(&self, rows: Self::Rows) -> Result<Vec<f32>> {
        self.read(&rows)
    }
    /// Lets `change` see and change rows.
    ///
    /// # Errors
    /// As [`Machine::read`]; what `change` fails with.
    fn edit(&self, rows: &mut Self::Rows, change: &mut dyn FnMut(&mut [f32]) -> Result<()>) -> Result<()>;
    /// Numbers in all rows.
    fn len(&self, rows: &Self::Rows) -> usize;
    /// Brings a weight `(n_out, n_in)` here.
    ///
    /// # Errors
    /// As [`Machine::rows`].
    fn matrix(&self, values: Vec<f32>, n_out: usize, n_in: usize, what: Use) -> Result<Self::Matrix>;
    /// Brings a weight here as it is stored, where the machine multiplies few rows with such; else widened.
    ///
    /// # Errors
    /// As [`Machine::rows`].
    fn stored(&self, raw: Raw, what: Use) -> Result<Self::Matrix> {
        self.matrix(raw.values(), raw.n_out, raw.n_in, what)
    }
    /// Brings weights of a norm or a bias here.
    ///
    /// # Errors
    /// As [`Machine::rows`].
    fn vector(&self, values: Vec<f32>) -> Result<Self::Vector>;
    /// Numbers of weights of a norm or a bias.
    fn vector_len(vector: &Self::Vector) -> usize;
    /// Brings angles here; they are worked out on the processor.
    ///
    /// # Errors
    /// As [`Machine::rows`].
    fn angles(&self, angles: Angles) -> Result<Self::Angles>;
    /// Prepares attention over segments.
    ///
    /// # Errors
    /// As [`Machine::rows`].
    fn texts(&self, segments: &[Segment]) -> Result<Self::Texts>;

    /// Products of the same rows `x`, `(rows, n_in)`.
    fn product<const N: usize>(&self, x: &Self::Rows, each: [Product<'_, '_, Self>; N]);
    /// `dx += dy·W`; `dy` is `(rows, n_out)`, `dx` `(rows, n_in)` and as long already.
    fn product_back(&self, dy: &Self::Rows, matrix: &Self::Matrix, dx: &mut Self::Rows);
    /// `out = norm(x)`, rows of `width` values; weights are used in turns where they are longer than a row.
    fn norm(&self, norm: &Norm<Self::Vector>, x: &Self::Rows, width: usize, out: &mut Self::Rows);
    /// Gradients of [`Machine::norm`]: `dx` is written, `gradient`, which lies with the processor, added to.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn norm_back(
        &self,
        norm: &Norm<Self::Vector>,
        x: &Self::Rows,
        dy: &Self::Rows,
        width: usize,
        dx: &mut Self::Rows,
        gradient: &mut NormGradient,
    ) -> Result<()>;
    /// Rotates every head of every row; `backwards` by the transposed rotation, which is the gradient.
    fn rotate(
        &self,
        angles: &Self::Angles,
        x: &mut Self::Rows,
        heads: usize,
        head_dim: usize,
        backwards: bool,
    );
    /// `out = act(gate) ⊙ up`, or `act(up)` without a gate.
    fn gate(&self, kind: Activation, gate: Option<&Self::Rows>, up: &Self::Rows, out: &mut Self::Rows);
    /// From the gradient of [`Machine::gate`]'s output to that of `gate` (where there is one, into `d_gate`) and of `up`, which
    /// takes the place of `d`.
    fn gate_back(
        &self,
        kind: Activation,
        gate: Option<&Self::Rows>,
        up: &Self::Rows,
        d: &mut Self::Rows,
        d_gate: &mut Self::Rows,
    );
    /// `out = x`.
    fn copy(&self, x: &Self::Rows, out: &mut Self::Rows);
    /// `y += x`.
    fn add(&self, y: &mut Self::Rows, x: &Self::Rows);
    /// `len` zeros.
    fn zeros(&self, len: usize, out: &mut Self::Rows);
    /// Rows `rows` of `x`, of `width` values.
    fn take(
        &self,
        x: &Self::Rows,
        width: usize,
        rows: &mut dyn ExactSizeIterator<Item = usize>,
        out: &mut Self::Rows,
    );
    /// Writes `x` into `out` from its number `at` on.
    fn put(&self, x: &Self::Rows, at: usize, out: &mut Self::Rows);
    /// `out[visit.row] += visit.weight · answers[i]` for each visit; no row twice.
    fn spread(&self, answers: &Self::Rows, width: usize, visits: &[Visit], out: &mut Self::Rows);
    /// Causal attention of all segments: `q`, `out` `(rows, n_heads · head_dim)`, `k`, `v` `(rows, n_kv_heads · head_dim)`.
    #[expect(
        clippy::too_many_arguments,
        reason = "three inputs, whose texts, and where they go"
    )]
    fn attention(
        &self,
        heads: &Heads,
        q: &Self::Rows,
        k: &Self::Rows,
        v: &Self::Rows,
        segments: &[Segment],
        texts: &Self::Texts,
        out: &mut Self::Rows,
    );
    /// Gradients of [`Machine::attention`] for whole texts: `d` is that of its output `mixed`; gives those of `q`, `k` and `v`.
    #[expect(clippy::too_many_arguments, reason = "as forwards, and what came of it")]
    fn attention_back(
        &self,
        heads: &Heads,
        q: &Self::Rows,
        k: &Self::Rows,
        v: &Self::Rows,
        segments: &[Segment],
        texts: &Self::Texts,
        mixed: &Self::Rows,
        d: &Self::Rows,
    ) -> [Self::Rows; 3];
    /// Adds `dyᵀ·x` to a matrix' gradient and the sum of `dy` to a bias'; gradients lie with the processor.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn gradient(
        &self,
        dy: &Self::Rows,
        x: &Self::Rows,
        weight: &mut GradientMatrix,
        bias: Option<&mut Vec<f32>>,
    ) -> Result<()>;
    /// Keys and values of one text, kept.
    fn keep(&self, k: &Self::Rows, v: &Self::Rows) -> Self::Kept;
    /// Attention of one new token of each text to what was kept of it, which gets the new key and value.
    fn attention_kept(
        &self,
        heads: &Heads,
        q: &Self::Rows,
        k: &Self::Rows,
        v: &Self::Rows,
        kept: &mut [Self::Kept],
        out: &mut Self::Rows,
    );
    /// From logits of rows of `width` (after a cap) to the gradient of `mean · Σ (ln Σ exp − logit of the target)` with respect
    /// to them before the cap, in their place; gives each row's term, nats.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn loss_back(
        &self,
        logits: &mut Self::Rows,
        width: usize,
        targets: &[u32],
        mean: f32,
        cap: Option<f32>,
    ) -> Result<Vec<f64>>;
    /// `y = c·tanh(y/c)`.
    fn soft_cap(&self, y: &mut Self::Rows, cap: f32);

    /// Of each row of `width` logits the index of the greatest (the first on ties) and `ln Σ exp`.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn log_sum_exp(&self, logits: &Self::Rows, width: usize) -> Result<Vec<(usize, f64)>>;
    /// Single numbers, by their places.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn pick(&self, rows: &Self::Rows, at: &[usize]) -> Result<Vec<f32>>;
    /// Cosine of each row of `a` and the same of `b`, in `f64`; 0 where one of them is zero.
    ///
    /// # Errors
    /// As [`Machine::read`].
    fn cosines(&self, a: &Self::Rows, b: &Self::Rows, width: usize) -> Result<Vec<f64>>;
}

/// The processor.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;
