//! Norms of rows, forward and backward.
//!
//! RMS: `y = x·s·w`, `s = (mean(x²) + ε)^(−1/2)` (Zhang and Sennrich 2019, <https://arxiv.org/abs/1910.07467>).
//! Layer: `y = (x − μ)·s·w + b`, `s = (var(x) + ε)^(−1/2)`.

use rayon::prelude::*;

use super::elementwise::{add, dot, sum};
use super::matmul::rows_per_task;
use crate::config::NormKind;
use crate::wide::wide;

/// Weights of a norm, in the representation of the machine that computes.
#[derive(Debug, Clone)]
pub struct Norm<V = Vec<f32>> {
    /// Kind of norm.
    pub kind: NormKind,
    /// Added to the variance or mean square under the root.
    pub epsilon: f32,
    /// Scale: as long as a row, or a multiple of that if each head has its own.
    pub weight: V,
    /// Shift, as long as `weight`, if any.
    pub bias: Option<V>,
}

impl Norm {
    /// Mean (0 for RMS) and reciprocal standard deviation (or RMS) of a row.
    fn statistics(&self, x: &[f32]) -> (f32, f32) {
        let n = x.len() as f32;
        match self.kind {
            NormKind::Layer => {
                let mean = sum(x) / n;
                let variance = x.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / n;
                (mean, 1.0 / (variance + self.epsilon).sqrt())
            }
            NormKind::Rms | NormKind::RmsPlusOne => (0.0, 1.0 / (dot(x, x) / n + self.epsilon).sqrt()),
        }
    }

    fn one(&self) -> f32 {
        if self.kind == NormKind::RmsPlusOne {
            1.0
        } else {
            0.0
        }
    }

    /// `out = norm(x)` for rows of `width` values; a `weight` longer than a row is applied to consecutive rows in turn.
    pub fn forward(&self, x: &[f32], width: usize, out: &mut [f32]) {
        let chunk = rows_per_task(x.len() / width.max(1)) * self.weight.len().max(width);
        out.par_chunks_mut(chunk)
            .zip(x.par_chunks(chunk))
            .for_each(|(out, x)| {
                for (i, (y, x)) in out.chunks_exact_mut(width).zip(x.chunks_exact(width)).enumerate() {
                    self.row(x, i * width % self.weight.len(), y);
                }
            });
    }

    fn row(&self, x: &[f32], at: usize, y: &mut [f32]) {
        let (mean, inverse) = self.statistics(x);
        let weight = &self.weight[at..at + x.len()];
        let one = self.one();
        wide(
            #[inline(always)]
            || {
                for ((y, x), w) in y.iter_mut().zip(x).zip(weight) {
                    *y = (x - mean) * inverse * (one + w);
                }
            },
        );
        if let Some(bias) = &self.bias {
            add(y, &bias[at..at + x.len()]);
        }
    }

    /// Gradients: `dx` is overwritten, `gradient` is added to.
    ///
    /// With `g = dy·w` and `x̂ = (x − μ)·s`: `dx = s·(g − x̂·mean(g·x̂))` and, for the layer norm, minus `s·mean(g)`.
    pub fn backward(&self, x: &[f32], dy: &[f32], width: usize, dx: &mut [f32], gradient: &mut NormGradient) {
        let n = width as f32;
        let one = self.one();
        let mut hat = vec![0.0; width];
        let mut g = vec![0.0; width];
        for (i, ((x, dy), dx)) in x
            .chunks_exact(width)
            .zip(dy.chunks_exact(width))
            .zip(dx.chunks_exact_mut(width))
            .enumerate()
        {
            let at = i * width % self.weight.len();
            let (mean, inverse) = self.statistics(x);
            for j in 0..width {
                hat[j] = (x[j] - mean) * inverse;
                g[j] = dy[j] * (one + self.weight[at + j]);
                gradient.weight[at + j] += dy[j] * hat[j];
                if let Some(bias) = &mut gradient.bias {
                    bias[at + j] += dy[j];
                }
            }
            let along = dot(&g, &hat) / n;
            let shift = if self.kind == NormKind::Layer {
                sum(&g) / n
            } else {
                0.0
            };
            for j in 0..width {
                dx[j] = inverse * (g[j] - shift - hat[j] * along);
            }
        }
    }

    /// A zero gradient with the shape of this norm.
    pub fn zero_gradient(&self) -> NormGradient {
        NormGradient {
            weight: vec![0.0; self.weight.len()],
            bias: self.bias.as_ref().map(|b| vec![0.0; b.len()]),
        }
    }
}

/// Gradient of a norm's weights.
#[derive(Debug, Clone)]
pub struct NormGradient {
    /// Gradient of the scale.
    pub weight: Vec<f32>,
    /// Gradient of the shift, if there is one.
    pub bias: Option<Vec<f32>>,
}
