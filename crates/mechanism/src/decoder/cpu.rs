//! The CPU as a [`Machine`], implemented by the decoder's functions on slices.

use std::borrow::Cow;

use rayon::prelude::*;

use super::attention::{self, Heads, KeysValues};
use super::elementwise::{
    activate, activate_derivative, activate_gated, add, add_parallel, add_scaled, copy, exp, log_sum_exp,
    moments, multiply_by, soft_cap,
};
use super::few::{self, FEW};
use super::gradient::GradientMatrix;
use super::machine::{Cpu, Machine, Product, Visit};
use super::matmul::{self, Base, View, multiply_each, multiply_parallel};
use super::matrix::{Matrix, Use};
use super::norm::{Norm, NormGradient};
use super::rope::Angles;
use crate::config::Activation;
use crate::error::Result;
use crate::segment::Segment;
use crate::weights::Raw;

/// Resizes `buffer` to `len` elements of unspecified content.
fn resized(buffer: &mut Vec<f32>, len: usize) -> &mut [f32] {
    buffer.resize(len, 0.0);
    buffer
}

/// Number of values that a thread processes at once in elementwise operations.
const CHUNK: usize = 1 << 14;

impl Machine for Cpu {
    type Rows = Vec<f32>;
    type Matrix = Matrix;
    type Vector = Vec<f32>;
    type Angles = Angles;
    type Texts = ();
    type Kept = KeysValues;

    const IS_PROCESSOR: bool = true;

    fn rows(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        Ok(values)
    }

    fn read(&self, rows: &Vec<f32>) -> Result<Vec<f32>> {
        Ok(rows.clone())
    }

    fn taken(&self, rows: Vec<f32>) -> Result<Vec<f32>> {
        Ok(rows)
    }

    fn edit(&self, rows: &mut Vec<f32>, change: &mut dyn FnMut(&mut [f32]) -> Result<()>) -> Result<()> {
        change(rows)
    }

    fn len(&self, rows: &Vec<f32>) -> usize {
        rows.len()
    }

    fn matrix(&self, values: Vec<f32>, n_out: usize, n_in: usize, what: Use) -> Result<Matrix> {
        Ok(Matrix::new(values, n_out, n_in, what))
    }

    fn stored(&self, raw: Raw, _: Use) -> Result<Matrix> {
        Ok(Matrix::stored(raw))
    }

    fn vector(&self, values: Vec<f32>) -> Result<Vec<f32>> {
        Ok(values)
    }

    fn vector_len(vector: &Vec<f32>) -> usize {
        vector.len()
    }

    fn angles(&self, angles: Angles) -> Result<Angles> {
        Ok(angles)
    }

    fn texts(&self, _: &[Segment]) -> Result<()> {
        Ok(())
    }

    fn product<const N: usize>(&self, x: &Vec<f32>, mut each: [Product<'_, '_, Self>; N]) {
        let Some(n_in) = each.first().map(|product| product.matrix.n_in) else {
            return;
        };
        let rows = x.len() / n_in;
        let mut few_rows = Vec::new();
        let values = each.iter().map(|product| match product.matrix.raw() {
            Some(_) if rows <= FEW => Cow::Borrowed(&[][..]),
            _ => product.matrix.values(),
        });
        let values: Vec<Cow<'_, [f32]>> = values.collect();
        let mut products = Vec::new();
        for (product, values) in each.iter_mut().zip(&values) {
            let out = resized(product.out, rows * product.matrix.n_out);
            match product.matrix.raw() {
                Some(weight) if rows <= FEW => few_rows.push(few::FewRowsProduct { weight, out }),
                _ => products.push(matmul::KeptProduct {
                    dst: out,
                    base: product.base.map_or(Base::Zero, |base| Base::Matrix(base)),
                    right: product.matrix.view(values).t(),
                    kept: product.matrix.kept(),
                }),
            }
        }
        multiply_each(View::new(x, rows, n_in, n_in), products);
        few::multiply(x, n_in, &mut few_rows);
        for product in each {
            if let (Some(_), Some(base)) = (product.matrix.raw().filter(|_| rows <= FEW), product.base) {
                add_parallel(product.out, base);
            }
            if let Some(bias) = product.bias {
                let n = product.matrix.n_out;
                product.out.par_chunks_mut(64 * n).for_each(|rows| {
                    for row in rows.chunks_exact_mut(n) {
                        add(row, bias);
                    }
                });
            }
        }
    }

    fn product_back(&self, dy: &Vec<f32>, matrix: &Matrix, dx: &mut Vec<f32>) {
        let n = matrix.n_out;
        multiply_parallel(
            dx,
            View::new(dy, dy.len() / n, n, n),
            matrix.view(&matrix.values()),
            1.0,
        );
    }

    fn norm(&self, norm: &Norm, x: &Vec<f32>, width: usize, out: &mut Vec<f32>) {
        norm.forward(x, width, resized(out, x.len()));
    }

    fn norm_back(
        &self,
        norm: &Norm,
        x: &Vec<f32>,
        dy: &Vec<f32>,
        width: usize,
        dx: &mut Vec<f32>,
        gradient: &mut NormGradient,
    ) -> Result<()> {
        norm.backward(x, dy, width, resized(dx, dy.len()), gradient);
        Ok(())
    }

    fn rotate(&self, angles: &Angles, x: &mut Vec<f32>, heads: usize, head_dim: usize, backwards: bool) {
        angles.rotate(x, heads, head_dim, backwards);
    }

    fn gate(&self, kind: Activation, gate: Option<&Vec<f32>>, up: &Vec<f32>, out: &mut Vec<f32>) {
        let out = resized(out, up.len())
            .par_chunks_mut(CHUNK)
            .zip(up.par_chunks(CHUNK));
        match gate {
            Some(gate) => out
                .zip(gate.par_chunks(CHUNK))
                .for_each(|((out, up), gate)| activate_gated(kind, gate, up, out)),
            None => out.for_each(|(out, up)| activate(kind, up, out)),
        }
    }

    fn gate_back(
        &self,
        kind: Activation,
        gate: Option<&Vec<f32>>,
        up: &Vec<f32>,
        d: &mut Vec<f32>,
        d_gate: &mut Vec<f32>,
    ) {
        let mut scratch = vec![0.0; d.len()];
        if let Some(gate) = gate {
            activate_derivative(kind, gate, &mut scratch);
            multiply_by(&mut scratch, up);
            multiply_by(&mut scratch, d);
            std::mem::swap(d_gate, &mut scratch);
            scratch.resize(d.len(), 0.0);
            activate(kind, gate, &mut scratch);
        } else {
            activate_derivative(kind, up, &mut scratch);
        }
        multiply_by(d, &scratch);
    }

    fn copy(&self, x: &Vec<f32>, out: &mut Vec<f32>) {
        copy(x, resized(out, x.len()));
    }

    fn add(&self, y: &mut Vec<f32>, x: &Vec<f32>) {
        add_parallel(y, x);
    }

    fn zeros(&self, len: usize, out: &mut Vec<f32>) {
        out.clear();
        out.resize(len, 0.0);
    }

    fn take(
        &self,
        x: &Vec<f32>,
        width: usize,
        rows: &mut dyn ExactSizeIterator<Item = usize>,
        out: &mut Vec<f32>,
    ) {
        out.clear();
        out.reserve(rows.len() * width);
        for row in rows {
            out.extend_from_slice(&x[row * width..(row + 1) * width]);
        }
    }

    fn put(&self, x: &Vec<f32>, at: usize, out: &mut Vec<f32>) {
        out[at..at + x.len()].copy_from_slice(x);
    }

    fn spread(&self, answers: &Vec<f32>, width: usize, visits: &[Visit], out: &mut Vec<f32>) {
        for (visit, answer) in visits.iter().zip(answers.chunks_exact(width)) {
            add_scaled(
                &mut out[visit.row * width..(visit.row + 1) * width],
                answer,
                visit.weight,
            );
        }
    }

    fn attention(
        &self,
        heads: &Heads,
        q: &Vec<f32>,
        k: &Vec<f32>,
        v: &Vec<f32>,
        segments: &[Segment],
        (): &(),
        out: &mut Vec<f32>,
    ) {
        attention::forward(heads, q, k, v, segments, resized(out, q.len()));
    }

    fn attention_back(
        &self,
        heads: &Heads,
        q: &Vec<f32>,
        k: &Vec<f32>,
        v: &Vec<f32>,
        segments: &[Segment],
        (): &(),
        _: &Vec<f32>,
        d: &Vec<f32>,
    ) -> [Vec<f32>; 3] {
        let of = attention::backward(heads, q, k, v, d, segments);
        [of.q, of.k, of.v]
    }

    fn gradient(
        &self,
        dy: &Vec<f32>,
        x: &Vec<f32>,
        weight: &mut GradientMatrix,
        bias: Option<&mut Vec<f32>>,
    ) -> Result<()> {
        weight.add(dy, x);
        if let Some(bias) = bias {
            for row in dy.chunks_exact(bias.len()) {
                add(bias, row);
            }
        }
        Ok(())
    }

    fn keep(&self, k: &Vec<f32>, v: &Vec<f32>) -> KeysValues {
        KeysValues {
            k: k.clone(),
            v: v.clone(),
        }
    }

    fn attention_kept(
        &self,
        heads: &Heads,
        q: &Vec<f32>,
        k: &Vec<f32>,
        v: &Vec<f32>,
        kept: &mut [KeysValues],
        out: &mut Vec<f32>,
    ) {
        let (q_width, kv_width) = (heads.q_width(), heads.kv_width());
        let out = resized(out, kept.len() * q_width);
        for (i, kept) in kept.iter_mut().enumerate() {
            kept.k.extend_from_slice(&k[i * kv_width..(i + 1) * kv_width]);
            kept.v.extend_from_slice(&v[i * kv_width..(i + 1) * kv_width]);
        }
        let width = q_width / heads.n_kv_heads;
        out.par_chunks_exact_mut(width)
            .zip(q.par_chunks_exact(width))
            .enumerate()
            .for_each(|(at, (mixed, q))| {
                let (text, kv) = (at / heads.n_kv_heads, at % heads.n_kv_heads);
                attention::cached(heads, kv, q, &kept[text].k, &kept[text].v, mixed);
            });
    }

    fn loss_back(
        &self,
        logits: &mut Vec<f32>,
        width: usize,
        targets: &[u32],
        mean: f32,
        cap: Option<f32>,
    ) -> Result<Vec<f64>> {
        let mut terms = Vec::with_capacity(targets.len());
        for (row, target) in logits.chunks_exact_mut(width).zip(targets) {
            let (_, total) = log_sum_exp(row);
            terms.push(total - f64::from(row[*target as usize]));
            let total = total as f32;
            for (token, value) in row.iter_mut().enumerate() {
                let logit = *value;
                let wanted = if token == *target as usize { 1.0 } else { 0.0 };
                let through = cap.map_or(1.0, |cap| 1.0 - (logit / cap) * (logit / cap));
                *value = (exp(logit - total) - wanted) * mean * through;
            }
        }
        Ok(terms)
    }

    fn soft_cap(&self, y: &mut Vec<f32>, cap: f32) {
        soft_cap(y, cap);
    }

    fn log_sum_exp(&self, logits: &Vec<f32>, width: usize) -> Result<Vec<(usize, f64)>> {
        Ok(logits.par_chunks_exact(width).map(log_sum_exp).collect())
    }

    fn pick(&self, rows: &Vec<f32>, at: &[usize]) -> Result<Vec<f32>> {
        Ok(at.iter().map(|at| rows[*at]).collect())
    }

    fn cosines(&self, a: &Vec<f32>, b: &Vec<f32>, width: usize) -> Result<Vec<f64>> {
        let pairs = a.par_chunks(64 * width).zip(b.par_chunks(64 * width));
        Ok(pairs
            .flat_map_iter(|(a, b)| {
                let pairs = a.chunks_exact(width).zip(b.chunks_exact(width));
                pairs.map(|(a, b)| cosine(a, b))
            })
            .collect())
    }
}

/// Cosine of two rows; 0 if one of them is zero, as in `PyTorch`.
pub fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let (ab, aa, bb) = moments(a, b);
    let product = (aa * bb).sqrt();
    if product > 0.0 { ab / product } else { 0.0 }
}
