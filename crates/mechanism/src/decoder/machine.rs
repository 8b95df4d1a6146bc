//! The interface between the decoder and the hardware that computes: all operations on rows of numbers, on CPU or GPU.
//!
//! Rows are `f32`, row-major, the activations of many tokens one after the other. An operation resizes its output as
//! needed. Operations without a `Result` can still fail on a GPU (mostly for lack of memory): the machine records the
//! error, later operations do nothing, and the next one that reads numbers back returns it. So most of the decoder need
//! not handle errors.

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
    /// Added to the product, `(rows, n_out)`, if given.
    pub base: Option<&'a M::Rows>,
    /// Result, `(rows, n_out)`.
    pub out: &'b mut M::Rows,
}

/// A row that an expert processes.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    /// Index of the row.
    pub row: usize,
    /// Factor on the expert's output.
    pub weight: f32,
}

/// The operations of which a decoder consists.
///
/// Shapes that do not match are a bug of the caller: the CPU panics, as slices do, and a GPU records an error.
pub trait Machine: Debug + Sync + Send + Sized + 'static {
    /// `f32` values, `(rows, width)`, row-major.
    type Rows: Debug + Default + Send + Sync;
    /// A weight matrix `(n_out, n_in)` in the machine's representation.
    type Matrix: Debug + Clone + Send + Sync;
    /// Weights of a norm, or a bias.
    type Vector: Debug + Clone + Send + Sync;
    /// Cosines and sines for the rotary embedding of a group's rows.
    type Angles: Debug + Send + Sync;
    /// A group's segments in the form that attention needs.
    type Texts: Debug + Send + Sync;
    /// Key-value cache of one text in one layer.
    type Kept: Debug + Default + Send + Sync;

    /// Whether it is the CPU. If so, groups of texts may pass through a layer in parallel, and streams may be on disk.
    const IS_PROCESSOR: bool = false;

    /// Maximum number of rows that pass through all layers before further texts do; `usize::MAX` if unlimited.
    ///
    /// # Errors
    /// [`crate::Error::Card`] if the amount of free memory cannot be determined or is too small.
    fn rows_a_wave(&self, config: &DecoderConfig) -> Result<usize> {
        let _ = config;
        Ok(usize::MAX)
    }
    /// Whether there is room to cache a layer for later texts, beside the memory that the computation itself needs.
    fn has_room(&self) -> bool {
        false
    }
    /// Whether the next layer is read while the current one computes.
    fn reads_ahead(&self) -> bool {
        false
    }

    /// Transfers rows to the machine.
    ///
    /// # Errors
    /// [`crate::Error::Card`] if there is not enough memory, or for an earlier failure.
    fn rows(&self, values: Vec<f32>) -> Result<Self::Rows>;
    /// Transfers rows back.
    ///
    /// # Errors
    /// [`crate::Error::Card`] with the first failure of the operations so far.
    fn read(&self, rows: &Self::Rows) -> Result<Vec<f32>>;
    /// Transfers rows back that the machine no longer needs.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn taken(&self, rows: Self::Rows) -> Result<Vec<f32>> {
        self.read(&rows)
    }
    /// Lets `change` read and modify rows.
    ///
    /// # Errors
    /// Those of [`Machine::read`] and of `change`.
    fn edit(&self, rows: &mut Self::Rows, change: &mut dyn FnMut(&mut [f32]) -> Result<()>) -> Result<()>;
    /// Total number of elements.
    fn len(&self, rows: &Self::Rows) -> usize;
    /// Transfers a weight `(n_out, n_in)` to the machine.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    fn matrix(&self, values: Vec<f32>, n_out: usize, n_in: usize, what: Use) -> Result<Self::Matrix>;
    /// Transfers a weight in its stored format, if the machine can multiply few rows with it; else decodes it to `f32`.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    fn stored(&self, raw: Raw, what: Use) -> Result<Self::Matrix> {
        self.matrix(raw.values(), raw.n_out, raw.n_in, what)
    }
    /// Transfers the weights of a norm, or a bias, to the machine.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    fn vector(&self, values: Vec<f32>) -> Result<Self::Vector>;
    /// Number of elements of a norm's weights or of a bias.
    fn vector_len(vector: &Self::Vector) -> usize;
    /// Transfers rotation angles, which are computed on the CPU, to the machine.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    fn angles(&self, angles: Angles) -> Result<Self::Angles>;
    /// Prepares segments for attention.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    fn texts(&self, segments: &[Segment]) -> Result<Self::Texts>;

    /// Several products of the same rows `x`, `(rows, n_in)`.
    fn product<const N: usize>(&self, x: &Self::Rows, each: [Product<'_, '_, Self>; N]);
    /// `dx += dy·W`; `dy` is `(rows, n_out)`, `dx` already `(rows, n_in)`.
    fn product_back(&self, dy: &Self::Rows, matrix: &Self::Matrix, dx: &mut Self::Rows);
    /// `out = norm(x)` for rows of `width` values; weights longer than a row are applied to consecutive rows in turn.
    fn norm(&self, norm: &Norm<Self::Vector>, x: &Self::Rows, width: usize, out: &mut Self::Rows);
    /// Gradients of [`Machine::norm`]: `dx` is overwritten; `gradient`, which is in CPU memory, is added to.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn norm_back(
        &self,
        norm: &Norm<Self::Vector>,
        x: &Self::Rows,
        dy: &Self::Rows,
        width: usize,
        dx: &mut Self::Rows,
        gradient: &mut NormGradient,
    ) -> Result<()>;
    /// Applies the rotary embedding to every head of every row; `backwards`: the transposed rotation, for gradients.
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
    /// Gradient of [`Machine::gate`], given that of its output in `d`: replaces `d` with the gradient of `up`, and
    /// writes that of `gate`, if there is one, to `d_gate`.
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
    /// Copies rows `rows` of `x`, each of `width` values, to `out`.
    fn take(
        &self,
        x: &Self::Rows,
        width: usize,
        rows: &mut dyn ExactSizeIterator<Item = usize>,
        out: &mut Self::Rows,
    );
    /// Copies `x` into `out` from element `at` on.
    fn put(&self, x: &Self::Rows, at: usize, out: &mut Self::Rows);
    /// `out[visit.row] += visit.weight · answers[i]` for each visit `i`; no row may occur twice.
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
    /// Gradients of `q`, `k` and `v` in [`Machine::attention`] for whole texts; `d` is that of the output `mixed`.
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
    /// Adds `dyᵀ·x` to a matrix's gradient and the column sums of `dy` to a bias's; both gradients are in CPU memory.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn gradient(
        &self,
        dy: &Self::Rows,
        x: &Self::Rows,
        weight: &mut GradientMatrix,
        bias: Option<&mut Vec<f32>>,
    ) -> Result<()>;
    /// Starts a key-value cache with the keys and values of one text.
    fn keep(&self, k: &Self::Rows, v: &Self::Rows) -> Self::Kept;
    /// Attention of one new token of each text to the text's cache, to which the new key and value are added first.
    fn attention_kept(
        &self,
        heads: &Heads,
        q: &Self::Rows,
        k: &Self::Rows,
        v: &Self::Rows,
        kept: &mut [Self::Kept],
        out: &mut Self::Rows,
    );
    /// Replaces logits (rows of `width`, after the cap) with the gradient of `mean · Σ (ln Σ exp − logit of the
    /// target)` with respect to the logits before the cap; returns each row's term of the sum, nats.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
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

    /// For each row of `width` logits, the index of the greatest (the first on ties) and `ln Σ exp`.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn log_sum_exp(&self, logits: &Self::Rows, width: usize) -> Result<Vec<(usize, f64)>>;
    /// Single elements, by their indices.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn pick(&self, rows: &Self::Rows, at: &[usize]) -> Result<Vec<f32>>;
    /// Cosine between corresponding rows of `a` and `b`, in `f64`; 0 if either is zero.
    ///
    /// # Errors
    /// Those of [`Machine::read`].
    fn cosines(&self, a: &Self::Rows, b: &Self::Rows, width: usize) -> Result<Vec<f64>>;
}

/// The CPU.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cpu;
