//! Reference implementations of the operations in `f64`, straight from their definitions, to compare machines with.

use super::attention::Heads;
use super::norm::Norm;
use super::rope::Angles;
use crate::config::{Activation, NormKind};
use crate::segment::Segment;

/// `x·Wᵀ`; `x` is `(m, k)`, `w` `(n, k)`.
pub(super) fn product(x: &[f32], w: &[f32], m: usize, n: usize, k: usize) -> Vec<f64> {
    let one = |at: usize| {
        let (i, j) = (at / n, at % n);
        (0..k)
            .map(|z| f64::from(x[i * k + z]) * f64::from(w[j * k + z]))
            .sum()
    };
    (0..m * n).map(one).collect()
}

fn statistics(norm: &Norm, x: &[f32]) -> (f64, f64) {
    let n = x.len() as f64;
    let mean = if norm.kind == NormKind::Layer {
        x.iter().map(|v| f64::from(*v)).sum::<f64>() / n
    } else {
        0.0
    };
    let square = x.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
    (mean, 1.0 / (square + f64::from(norm.epsilon)).sqrt())
}

fn weight(norm: &Norm, at: usize) -> f64 {
    f64::from(norm.weight[at % norm.weight.len()]) + f64::from(u8::from(norm.kind == NormKind::RmsPlusOne))
}

/// Forward pass of a norm.
pub(super) fn norm(norm: &Norm, x: &[f32], width: usize) -> Vec<f64> {
    let mut out = Vec::with_capacity(x.len());
    for row in x.chunks_exact(width) {
        let (mean, inverse) = statistics(norm, row);
        for value in row {
            let at = out.len();
            let bias = norm
                .bias
                .as_ref()
                .map_or(0.0, |bias| f64::from(bias[at % bias.len()]));
            out.push((f64::from(*value) - mean) * inverse * weight(norm, at) + bias);
        }
    }
    out
}

/// Gradients of input, weights and bias.
pub(super) fn norm_back(norm: &Norm, x: &[f32], dy: &[f32], width: usize) -> [Vec<f64>; 3] {
    let n = norm.weight.len();
    let (mut dx, mut dw, mut db) = (Vec::with_capacity(x.len()), vec![0.0; n], vec![0.0; n]);
    for (row, (x, dy)) in x.chunks_exact(width).zip(dy.chunks_exact(width)).enumerate() {
        let (mean, inverse) = statistics(norm, x);
        let hat: Vec<f64> = x.iter().map(|v| (f64::from(*v) - mean) * inverse).collect();
        let g: Vec<f64> = (0..width)
            .map(|i| f64::from(dy[i]) * weight(norm, row * width + i))
            .collect();
        let along = g.iter().zip(&hat).map(|(g, h)| g * h).sum::<f64>() / width as f64;
        let shift = if norm.kind == NormKind::Layer {
            g.iter().sum::<f64>() / width as f64
        } else {
            0.0
        };
        for i in 0..width {
            dx.push(inverse * (g[i] - shift - hat[i] * along));
            dw[(row * width + i) % n] += f64::from(dy[i]) * hat[i];
            db[(row * width + i) % n] += f64::from(dy[i]);
        }
    }
    [dx, dw, db]
}

/// Applies the rotary embedding with given angles.
pub(super) fn rotated(angles: &Angles, x: &[f32], heads: usize, dim: usize, backwards: bool) -> Vec<f64> {
    let mut out: Vec<f64> = x.iter().map(|v| f64::from(*v)).collect();
    for (at, head) in out.chunks_exact_mut(dim).enumerate() {
        let row = at / heads;
        for j in 0..angles.half {
            let cos = f64::from(angles.cos[row * angles.half + j]);
            let sin = f64::from(angles.sin[row * angles.half + j]) * if backwards { -1.0 } else { 1.0 };
            let (a, b) = (head[j], head[j + angles.half]);
            head[j] = a * cos - b * sin;
            head[j + angles.half] = b * cos + a * sin;
        }
    }
    out
}

/// Applies an activation function.
pub(super) fn activated(kind: Activation, x: f64) -> f64 {
    match kind {
        Activation::Silu => x / (1.0 + (-x).exp()),
        Activation::GeluTanh => {
            let root = (2.0 / std::f64::consts::PI).sqrt();
            0.5 * x * (1.0 + (root * (x + 0.044_715 * x * x * x)).tanh())
        }
        Activation::Gelu => 0.5 * x * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2),
        Activation::Relu => x.max(0.0),
    }
}

/// The derivative of an activation function, by central differences.
pub(super) fn slope(kind: Activation, x: f64) -> f64 {
    let step = 1e-5;
    (activated(kind, x + step) - activated(kind, x - step)) / (2.0 * step)
}

/// For each row, the rows that it may see, in order of position, and its own position.
pub(super) struct Seen(Vec<(Vec<usize>, usize)>);

impl Seen {
    pub(super) fn of(segments: &[Segment], rows: usize) -> Self {
        let mut all = vec![(Vec::new(), 0); rows];
        for segment in segments {
            let before: Vec<usize> = segment.before.iter().cloned().flatten().collect();
            for (i, row) in segment.rows.clone().enumerate() {
                let own = segment.rows.start..=row;
                all[row] = (before.iter().copied().chain(own).collect(), segment.position + i);
            }
        }
        Self(all)
    }
}

/// A tree of segments with two levels of shared prefixes.
pub(super) fn tree(large: bool) -> Vec<Segment> {
    let n = if large {
        [33, 20, 17, 1, 12]
    } else {
        [9, 3, 2, 1, 2]
    };
    let mut segments = Vec::new();
    let mut row = 0;
    // For each segment, its length and the segments that precede it.
    for (length, before) in n.into_iter().zip([vec![], vec![0], vec![0], vec![0, 2], vec![]]) {
        let before: Vec<std::ops::Range<usize>> = before
            .into_iter()
            .map(|i: usize| -> std::ops::Range<usize> { Segment::clone(&segments[i]).rows })
            .collect();
        let position = before.iter().map(std::ops::Range::len).sum();
        segments.push(Segment {
            rows: row..row + length,
            before,
            position,
            length: position + length,
        });
        row += length;
    }
    segments
}

/// A description of attention parameters for messages.
pub(super) fn named(heads: &Heads) -> String {
    format!(
        "{}/{} heads of {}, window {:?}, cap {:?}",
        heads.n_heads, heads.n_kv_heads, heads.head_dim, heads.window, heads.cap
    )
}

/// For one row and head, by key: row of the key, attention probability, and derivative of the soft cap.
fn probabilities(
    heads: &Heads,
    q: &[f32],
    k: &[f32],
    seen: &(Vec<usize>, usize),
    row: usize,
    head: usize,
) -> Vec<(usize, f64, f64)> {
    let (dim, kv) = (heads.head_dim, head / (heads.n_heads / heads.n_kv_heads));
    let (keys, position) = seen;
    let from = heads
        .window
        .map_or(0, |window| (position + 1).saturating_sub(window));
    let scores: Vec<(usize, f64, f64)> = keys[from..]
        .iter()
        .map(|&key| {
            let score: f64 = (0..dim)
                .map(|d| {
                    let at = (row * heads.n_heads + head) * dim + d;
                    f64::from(q[at]) * f64::from(k[(key * heads.n_kv_heads + kv) * dim + d])
                })
                .sum();
            let score = score * f64::from(heads.scale);
            heads.cap.map_or((key, score, 1.0), |cap| {
                let t = (score / f64::from(cap)).tanh();
                (key, t * f64::from(cap), 1.0 - t * t)
            })
        })
        .collect();
    let most = scores.iter().map(|s| s.1).fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|s| (s.1 - most).exp()).sum();
    scores
        .into_iter()
        .map(|(key, score, through)| (key, (score - most).exp() / total, through))
        .collect()
}

/// Forward pass of attention.
pub(super) fn attention(heads: &Heads, q: &[f32], k: &[f32], v: &[f32], seen: &Seen) -> Vec<f64> {
    let (dim, group) = (heads.head_dim, heads.n_heads / heads.n_kv_heads);
    let mut out = vec![0.0; q.len()];
    for (row, seen) in seen.0.iter().enumerate() {
        for head in 0..heads.n_heads {
            for (key, p, _) in probabilities(heads, q, k, seen, row, head) {
                for d in 0..dim {
                    let value = f64::from(v[(key * heads.n_kv_heads + head / group) * dim + d]);
                    out[(row * heads.n_heads + head) * dim + d] += p * value;
                }
            }
        }
    }
    out
}

/// Gradients of attention.
pub(super) fn attention_back(
    heads: &Heads,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    d_out: &[f32],
    seen: &Seen,
) -> [Vec<f64>; 3] {
    let (dim, group, scale) = (
        heads.head_dim,
        heads.n_heads / heads.n_kv_heads,
        f64::from(heads.scale),
    );
    let (mut dq, mut dk, mut dv) = (vec![0.0; q.len()], vec![0.0; k.len()], vec![0.0; v.len()]);
    for (row, seen) in seen.0.iter().enumerate() {
        for head in 0..heads.n_heads {
            let mine = (row * heads.n_heads + head) * dim;
            let all = probabilities(heads, q, k, seen, row, head);
            let place = |key: usize| (key * heads.n_kv_heads + head / group) * dim;
            let dp = |key: usize| -> f64 {
                let at = place(key);
                (0..dim)
                    .map(|d| f64::from(d_out[mine + d]) * f64::from(v[at + d]))
                    .sum()
            };
            let along: f64 = all.iter().map(|(key, p, _)| p * dp(*key)).sum();
            for &(key, p, through) in &all {
                let (at, ds) = (place(key), p * (dp(key) - along) * through * scale);
                for d in 0..dim {
                    dv[at + d] += p * f64::from(d_out[mine + d]);
                    dq[mine + d] += ds * f64::from(k[at + d]);
                    dk[at + d] += ds * f64::from(q[mine + d]);
                }
            }
        }
    }
    [dq, dk, dv]
}
