//! Attention of one new token to cached keys and values.

use super::super::elementwise::{soft_cap, softmax};
use super::super::matmul::{View, multiply};
use super::{Heads, head_of};

/// Key-value cache of a text in one layer; `(positions, n_kv_heads · head_dim)` each.
#[derive(Debug, Default, Clone)]
pub struct KeysValues {
    /// Keys, already rotated.
    pub k: Vec<f32>,
    /// Values.
    pub v: Vec<f32>,
}

/// Attention of the last position, for the query heads that share key head `kv`.
///
/// # Shapes
/// - `q`, `out`: `(group · head_dim,)`, for the heads of the group; `q` is already rotated.
/// - `k`, `v`: `(positions, n_kv_heads · head_dim)`, with the new token in the last row.
pub fn cached(heads: &Heads, kv: usize, q: &[f32], k: &[f32], v: &[f32], out: &mut [f32]) {
    let (dim, group) = (heads.head_dim, heads.group());
    let n = k.len() / heads.kv_width();
    let seen = heads.first(n - 1)..n;
    let columns = seen.len();
    let mut scores = vec![0.0; group * columns];
    let queries = View::new(q, group, dim, dim);
    let keys = head_of(k, heads, kv, &seen).t();
    multiply(&mut scores, columns, queries, keys, heads.scale, 0.0);
    for row in scores.chunks_exact_mut(columns) {
        if let Some(cap) = heads.cap {
            soft_cap(row, cap);
        }
        softmax(row);
    }
    let p = View::new(&scores, group, columns, columns);
    multiply(out, dim, p, head_of(v, heads, kv, &seen), 1.0, 0.0);
}
