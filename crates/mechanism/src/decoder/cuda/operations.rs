//! The [`Machine`] trait for CUDA, each operation by the method of [`Cuda`] that launches its kernels.

use super::attend::KeptAttention;
use super::launch::{Arg, said};
use super::numbers::over;
use super::texts::Texts;
use super::{CardMatrix, Cuda, Rows, Turns, Vector, brought, fits};
use crate::config::{Activation, DecoderConfig};
use crate::decoder::attention::Heads;
use crate::decoder::gradient::GradientMatrix;
use crate::decoder::machine::{Machine, Product, Visit};
use crate::decoder::matrix::Use;
use crate::decoder::norm::{Norm, NormGradient};
use crate::decoder::rope::Angles;
use crate::error::Result;
use crate::segment::Segment;

impl Machine for Cuda {
    type Rows = Rows;
    type Matrix = CardMatrix;
    type Vector = Vector;
    type Angles = Turns;
    type Texts = Texts;
    type Kept = KeptAttention;

    fn rows_a_wave(&self, config: &DecoderConfig) -> Result<usize> {
        self.wave(config)
    }

    fn has_room(&self) -> bool {
        // A third of the memory is left for residual streams and for intermediate results of a block.
        let free = self.context.mem_get_info();
        self.most_rows.is_none() && free.is_ok_and(|(free, total)| free > total / 3)
    }

    fn reads_ahead(&self) -> bool {
        true
    }

    fn rows(&self, values: Vec<f32>) -> Result<Rows> {
        self.fine()?;
        Ok(Rows {
            len: values.len(),
            buffer: Some(brought(&self.work, &values)?),
        })
    }

    fn read(&self, rows: &Rows) -> Result<Vec<f32>> {
        self.fine()?;
        self.down(rows)
    }

    fn edit(&self, rows: &mut Rows, change: &mut dyn FnMut(&mut [f32]) -> Result<()>) -> Result<()> {
        let mut values = self.read(rows)?;
        change(&mut values)?;
        *rows = self.rows(values)?;
        Ok(())
    }

    fn len(&self, rows: &Rows) -> usize {
        rows.len
    }

    fn matrix(&self, values: Vec<f32>, n_out: usize, n_in: usize, _: Use) -> Result<CardMatrix> {
        self.load_matrix(&values, n_out, n_in)
    }

    fn vector(&self, values: Vec<f32>) -> Result<Vector> {
        self.load_vector(&values)
    }

    fn vector_len(vector: &Vector) -> usize {
        vector.len
    }

    fn angles(&self, angles: Angles) -> Result<Turns> {
        self.load_angles(&angles)
    }

    fn texts(&self, segments: &[Segment]) -> Result<Texts> {
        Texts::new(self, segments)
    }

    fn product<const N: usize>(&self, x: &Rows, each: [Product<'_, '_, Self>; N]) {
        self.attempt(|| {
            let rounded = self.rounded(x)?;
            for mut product in each {
                self.times(x, rounded.as_ref(), &mut product)?;
            }
            Ok(())
        });
    }

    fn product_back(&self, dy: &Rows, matrix: &CardMatrix, dx: &mut Rows) {
        self.attempt(|| self.times_back(self.library.as_ref(), dy, matrix, dx));
    }

    fn norm(&self, norm: &Norm<Vector>, x: &Rows, width: usize, out: &mut Rows) {
        self.attempt(|| self.normed(norm, x, width, out));
    }

    fn norm_back(
        &self,
        norm: &Norm<Vector>,
        x: &Rows,
        dy: &Rows,
        width: usize,
        dx: &mut Rows,
        gradient: &mut NormGradient,
    ) -> Result<()> {
        self.norm_backwards(norm, x, dy, width, dx, gradient)
    }

    fn rotate(&self, angles: &Turns, x: &mut Rows, heads: usize, head_dim: usize, backwards: bool) {
        self.attempt(|| self.turned(angles, x, heads, head_dim, backwards));
    }

    fn gate(&self, activation: Activation, gate: Option<&Rows>, up: &Rows, out: &mut Rows) {
        self.attempt(|| self.gated(activation, gate, up, out));
    }

    fn gate_back(
        &self,
        activation: Activation,
        gate: Option<&Rows>,
        up: &Rows,
        d: &mut Rows,
        d_gate: &mut Rows,
    ) {
        self.attempt(|| self.gate_backwards(activation, gate, up, d, d_gate));
    }

    fn copy(&self, x: &Rows, out: &mut Rows) {
        self.attempt(|| {
            self.resize(out, x.len)?;
            self.paste(x, 0, x.len, 0, out)
        });
    }

    fn add(&self, y: &mut Rows, x: &Rows) {
        self.attempt(|| {
            fits(x.len == y.len, "a sum")?;
            if x.len == 0 {
                return Ok(());
            }
            let n = x.len;
            let parameters = vec![
                Arg::Write(y.held_mut()?),
                Arg::Read(x.held()?),
                Arg::Count(n as u64),
            ];
            self.launch("add_rows", over(n), parameters)
        });
    }

    fn zeros(&self, len: usize, out: &mut Rows) {
        self.attempt(|| {
            let out = self.resize(out, len)?;
            self.work
                .memset_zeros(out)
                .map_err(|error| said("filling with zeros", error))
        });
    }

    fn take(&self, x: &Rows, width: usize, rows: &mut dyn ExactSizeIterator<Item = usize>, out: &mut Rows) {
        self.attempt(|| self.rows_taken(x, width, rows, out));
    }

    fn put(&self, x: &Rows, at: usize, out: &mut Rows) {
        self.attempt(|| self.paste(x, 0, x.len, at, out));
    }

    fn spread(&self, answers: &Rows, width: usize, visits: &[Visit], out: &mut Rows) {
        self.attempt(|| self.rows_given_back(answers, width, visits, out));
    }

    fn attention(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        _: &[Segment],
        texts: &Texts,
        out: &mut Rows,
    ) {
        self.attempt(|| self.attended(heads, q, k, v, texts, out));
    }

    fn attention_back(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        _: &[Segment],
        texts: &Texts,
        mixed: &Rows,
        d: &Rows,
    ) -> [Rows; 3] {
        self.attention_backwards(heads, q, k, v, texts, mixed, d)
    }

    fn gradient(
        &self,
        dy: &Rows,
        x: &Rows,
        weight: &mut GradientMatrix,
        bias: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        weight.add(&self.read(dy)?, &self.read(x)?);
        if let Some(bias) = bias
            && dy.len > 0
        {
            for (sum, more) in bias.iter_mut().zip(self.column_sums(dy, weight.shape().0)?) {
                *sum += more;
            }
        }
        Ok(())
    }

    fn keep(&self, k: &Rows, v: &Rows) -> KeptAttention {
        let mut kept = KeptAttention::default();
        self.copy(k, &mut kept.k);
        self.copy(v, &mut kept.v);
        kept
    }

    fn attention_kept(
        &self,
        heads: &Heads,
        q: &Rows,
        k: &Rows,
        v: &Rows,
        kept: &mut [KeptAttention],
        out: &mut Rows,
    ) {
        self.attempt(|| self.attended_to_kept(heads, q, k, v, kept, out));
    }

    fn loss_back(
        &self,
        logits: &mut Rows,
        width: usize,
        targets: &[u32],
        mean: f32,
        cap: Option<f32>,
    ) -> Result<Vec<f64>> {
        self.losses(logits, width, targets, mean, cap)
    }

    fn soft_cap(&self, y: &mut Rows, cap: f32) {
        self.attempt(|| {
            let n = y.len;
            let parameters = vec![Arg::Write(y.held_mut()?), Arg::Count(n as u64), Arg::Number(cap)];
            self.launch("soft_cap", over(n), parameters)
        });
    }

    fn log_sum_exp(&self, logits: &Rows, width: usize) -> Result<Vec<(usize, f64)>> {
        self.totals(logits, width)
    }

    fn pick(&self, rows: &Rows, at: &[usize]) -> Result<Vec<f32>> {
        self.picked(rows, at)
    }

    fn cosines(&self, a: &Rows, b: &Rows, width: usize) -> Result<Vec<f64>> {
        self.row_cosines(a, b, width)
    }
}
