//! Causal grouped-query attention over packed texts, forward and backward; the full score matrix is never stored.
//!
//! `o_i = Σ_j softmax_j(cap(scale·q_i·k_j))·v_j` over `j ≤ i` (and `j > i − window`). Queries are processed in blocks;
//! the heads that share a key head are stacked, so that each product is one `gemm`.

mod backward;
mod cached;

use std::ops::Range;

use rayon::prelude::*;

use super::buffers::Buffers;
use super::elementwise::{soft_cap, softmax};
use super::matmul::{View, multiply};
use crate::segment::Segment;

pub use backward::{AttentionGradients, backward};
pub use cached::{KeysValues, cached};

/// Target number of stacked query rows (queries times heads that share a key head) in one product.
const BLOCK: usize = 192;

/// The parameters of attention in one layer.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// Number of query heads.
    pub n_heads: usize,
    /// Number of key-value heads.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Factor on scores, applied before the soft cap.
    pub scale: f32,
    /// Soft cap on scores, if any.
    pub cap: Option<f32>,
    /// Sliding window, tokens; `None` for full attention.
    pub window: Option<usize>,
}

impl Heads {
    fn group(&self) -> usize {
        self.n_heads / self.n_kv_heads
    }

    /// Width of a row of queries.
    pub fn q_width(&self) -> usize {
        self.n_heads * self.head_dim
    }

    /// Width of a row of keys or values.
    pub fn kv_width(&self) -> usize {
        self.n_kv_heads * self.head_dim
    }

    fn block_rows(&self) -> usize {
        (BLOCK / self.group()).max(16)
    }

    /// First position that a query at `position` sees.
    fn first(&self, position: usize) -> usize {
        self.window
            .map_or(0, |window| (position + 1).saturating_sub(window))
    }
}

/// A block of queries of one segment.
struct Task<'a> {
    segment: &'a Segment,
    /// Rows of the block within the segment.
    within: Range<usize>,
}

fn tasks<'a>(heads: &Heads, segments: &'a [Segment]) -> Vec<Task<'a>> {
    let size = heads.block_rows();
    let mut tasks = Vec::new();
    for segment in segments {
        let n = segment.rows.len();
        for start in (0..n).step_by(size) {
            tasks.push(Task {
                segment,
                within: start..(start + size).min(n),
            });
        }
    }
    tasks
}

/// Rows of the keys at `positions`, as pieces of `(first column of the score matrix, rows)`.
fn key_rows(segment: &Segment, positions: Range<usize>) -> Vec<(usize, Range<usize>)> {
    let mut at = 0;
    let mut pieces = Vec::new();
    for rows in segment.before.iter().chain([&segment.rows]) {
        let from = positions.start.clamp(at, at + rows.len());
        let to = positions.end.clamp(at, at + rows.len());
        if from < to {
            pieces.push((
                from - positions.start,
                rows.start + from - at..rows.start + to - at,
            ));
        }
        at += rows.len();
    }
    pieces
}

/// Stacks the queries of a block that share key head `kv`: `out` is `(group · rows, head_dim)`.
fn stack(x: &[f32], heads: &Heads, kv: usize, rows: Range<usize>, out: &mut [f32]) {
    let (dim, width) = (heads.head_dim, heads.q_width());
    let of_heads = out.chunks_exact_mut(rows.len() * dim);
    for (head, out) in (kv * heads.group()..).zip(of_heads) {
        for (row, out) in rows.clone().zip(out.chunks_exact_mut(dim)) {
            let at = row * width + head * dim;
            out.copy_from_slice(&x[at..at + dim]);
        }
    }
}

/// Matrix `(rows, head_dim)` of one head's keys or values in packed rows.
fn head_of<'a>(x: &'a [f32], heads: &Heads, kv: usize, rows: &Range<usize>) -> View<'a> {
    View::new(
        &x[rows.start * heads.kv_width() + kv * heads.head_dim..],
        rows.len(),
        heads.head_dim,
        heads.kv_width(),
    )
}

/// Attention probabilities of a block: `scores` is `(group · rows, columns)`, zero where a query does not see a key.
#[expect(clippy::too_many_arguments, reason = "a block, its keys, and where they go")]
fn probabilities(
    heads: &Heads,
    stacked: &[f32],
    k: &[f32],
    kv: usize,
    task: &Task<'_>,
    pieces: &[(usize, Range<usize>)],
    columns: &Range<usize>,
    scores: &mut [f32],
) {
    let (dim, n) = (heads.head_dim, columns.len());
    let rows = task.within.len();
    for (column, keys) in pieces {
        let keys = head_of(k, heads, kv, keys);
        multiply(
            &mut scores[*column..],
            n,
            View::new(stacked, heads.group() * rows, dim, dim),
            keys.t(),
            heads.scale,
            0.0,
        );
    }
    for (i, row) in scores.chunks_exact_mut(n).enumerate() {
        let position = task.segment.position + task.within.start + i % rows;
        let (from, to) = (
            heads.first(position) - columns.start,
            position + 1 - columns.start,
        );
        row[..from].fill(0.0);
        row[to..].fill(0.0);
        let seen = &mut row[from..to];
        if let Some(cap) = heads.cap {
            soft_cap(seen, cap);
        }
        softmax(seen);
    }
}

fn columns_of(heads: &Heads, task: &Task<'_>) -> Range<usize> {
    let first = task.segment.position + task.within.start;
    heads.first(first)..task.segment.position + task.within.end
}

/// Attention of all segments.
///
/// # Shapes
/// - `q`, `out`: `(rows, n_heads · head_dim)`; `q` and `k` are already rotated.
/// - `k`, `v`: `(rows, n_kv_heads · head_dim)`.
pub fn forward(heads: &Heads, q: &[f32], k: &[f32], v: &[f32], segments: &[Segment], out: &mut [f32]) {
    static SCRATCH: Buffers<f32> = Buffers::new();
    let (dim, width) = (heads.head_dim, heads.q_width());
    let mut rest = out;
    let mut work = Vec::new();
    for task in tasks(heads, segments) {
        let (mine, others) = rest.split_at_mut(task.within.len() * width);
        rest = others;
        work.push((task, mine));
    }
    work.into_par_iter().for_each(|(task, out)| {
        let rows = task.within.len();
        let start = task.segment.rows.start + task.within.start;
        let columns = columns_of(heads, &task);
        let pieces = key_rows(task.segment, columns.clone());
        let stacked_rows = heads.group() * rows;
        SCRATCH.lend(stacked_rows * (2 * dim + columns.len()), 0.0, |scratch| {
            let (stacked, scratch) = scratch.split_at_mut(stacked_rows * dim);
            let (mixed, p) = scratch.split_at_mut(stacked_rows * dim);
            for kv in 0..heads.n_kv_heads {
                stack(q, heads, kv, start..start + rows, stacked);
                probabilities(heads, stacked, k, kv, &task, &pieces, &columns, p);
                for (i, (column, keys)) in pieces.iter().enumerate() {
                    let part = View::new(&p[*column..], stacked_rows, keys.len(), columns.len());
                    let beta = if i == 0 { 0.0 } else { 1.0 };
                    multiply(mixed, dim, part, head_of(v, heads, kv, keys), 1.0, beta);
                }
                for (i, value) in mixed.chunks_exact(dim).enumerate() {
                    let at = (i % rows) * width + (kv * heads.group() + i / rows) * dim;
                    out[at..at + dim].copy_from_slice(value);
                }
            }
        });
    });
}
