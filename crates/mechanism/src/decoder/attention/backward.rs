//! Backward pass of attention; probabilities are recomputed block by block.

use rayon::prelude::*;

use super::super::elementwise::{dot, scale as scale_by, soft_cap};
use super::super::matmul::{View, multiply};
use super::{Heads, columns_of, head_of, key_rows, probabilities, stack, tasks};
use crate::segment::Segment;

/// Gradients with respect to queries, keys and values.
#[derive(Debug)]
pub struct AttentionGradients {
    /// `(rows, n_heads · head_dim)`.
    pub q: Vec<f32>,
    /// `(rows, n_kv_heads · head_dim)`.
    pub k: Vec<f32>,
    /// `(rows, n_kv_heads · head_dim)`.
    pub v: Vec<f32>,
}

/// Backward pass for whole texts (segments without a shared prefix).
///
/// `dV = Pᵀ·dO`, `dP = dO·Vᵀ`, `dS = P ⊙ (dP − Σ_j P·dP)`, times `1 − (s/c)²` where scores `s` are soft-capped at `c`,
/// then `dQ = scale·dS·K`, `dK = scale·dSᵀ·Q`.
pub fn backward(
    heads: &Heads,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    d_out: &[f32],
    segments: &[Segment],
) -> AttentionGradients {
    let (dim, q_width, kv_width) = (heads.head_dim, heads.q_width(), heads.kv_width());
    let mut all = AttentionGradients {
        q: vec![0.0; q.len()],
        k: vec![0.0; k.len()],
        v: vec![0.0; v.len()],
    };
    let jobs: Vec<(&Segment, usize)> = segments
        .iter()
        .flat_map(|segment| (0..heads.n_kv_heads).map(move |kv| (segment, kv)))
        .collect();
    let parts: Vec<AttentionGradients> = jobs
        .par_iter()
        .map(|(segment, kv)| head_backward(heads, q, k, v, d_out, segment, *kv))
        .collect();
    for ((segment, kv), part) in jobs.iter().zip(parts) {
        let group_width = heads.group() * dim;
        for (i, row) in segment.rows.clone().enumerate() {
            let to = row * q_width + kv * group_width;
            all.q[to..to + group_width].copy_from_slice(&part.q[i * group_width..(i + 1) * group_width]);
            let to = row * kv_width + kv * dim;
            all.k[to..to + dim].copy_from_slice(&part.k[i * dim..(i + 1) * dim]);
            all.v[to..to + dim].copy_from_slice(&part.v[i * dim..(i + 1) * dim]);
        }
    }
    all
}

fn head_backward(
    heads: &Heads,
    q: &[f32],
    k: &[f32],
    v: &[f32],
    d_out: &[f32],
    segment: &Segment,
    kv: usize,
) -> AttentionGradients {
    let (dim, group, n) = (heads.head_dim, heads.group(), segment.rows.len());
    let mut part = AttentionGradients {
        q: vec![0.0; n * group * dim],
        k: vec![0.0; n * dim],
        v: vec![0.0; n * dim],
    };
    for task in tasks(heads, std::slice::from_ref(segment)) {
        let rows = task.within.len();
        let start = segment.rows.start + task.within.start;
        let columns = columns_of(heads, &task);
        let pieces = key_rows(segment, columns.clone());
        let keys = segment.rows.start + columns.start..segment.rows.start + columns.end;
        let (m, c) = (group * rows, columns.len());
        let (mut stacked, mut d_stacked, mut p) = (vec![0.0; m * dim], vec![0.0; m * dim], vec![0.0; m * c]);
        stack(q, heads, kv, start..start + rows, &mut stacked);
        stack(d_out, heads, kv, start..start + rows, &mut d_stacked);
        probabilities(heads, &stacked, k, kv, &task, &pieces, &columns, &mut p);
        let mut dp = vec![0.0; m * c];
        let d_view = View::new(&d_stacked, m, dim, dim);
        multiply(&mut dp, c, d_view, head_of(v, heads, kv, &keys).t(), 1.0, 0.0);
        multiply(
            &mut part.v[columns.start * dim..],
            dim,
            View::new(&p, m, c, c).t(),
            d_view,
            1.0,
            1.0,
        );
        // With a soft cap, the derivative needs the capped scores, which are recomputed.
        let capped = heads.cap.map(|cap| {
            let mut scores = vec![0.0; m * c];
            multiply(
                &mut scores,
                c,
                View::new(&stacked, m, dim, dim),
                head_of(k, heads, kv, &keys).t(),
                heads.scale,
                0.0,
            );
            soft_cap(&mut scores, cap);
            scale_by(&mut scores, 1.0 / cap);
            scores
        });
        for (i, (ds, p)) in dp.chunks_exact_mut(c).zip(p.chunks_exact(c)).enumerate() {
            let inner = dot(ds, p);
            for (ds, p) in ds.iter_mut().zip(p) {
                *ds = p * (*ds - inner) * heads.scale;
            }
            if let Some(capped) = &capped {
                for (ds, t) in ds.iter_mut().zip(&capped[i * c..(i + 1) * c]) {
                    *ds *= 1.0 - t * t;
                }
            }
        }
        let ds = View::new(&dp, m, c, c);
        let mut dq = vec![0.0; m * dim];
        multiply(&mut dq, dim, ds, head_of(k, heads, kv, &keys), 1.0, 0.0);
        multiply(
            &mut part.k[columns.start * dim..],
            dim,
            ds.t(),
            View::new(&stacked, m, dim, dim),
            1.0,
            1.0,
        );
        for (i, row) in dq.chunks_exact(dim).enumerate() {
            let at = ((task.within.start + i % rows) * group + i / rows) * dim;
            part.q[at..at + dim].copy_from_slice(row);
        }
    }
    part
}
