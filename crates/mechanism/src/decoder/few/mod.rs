//! Products of few rows with weights in their stored format. Reading the weights dominates the time there, so they are
//! read once, block by block, and decoded to `f32` in the registers in which they are multiplied.
//!
//! Decoded weights are bit-identical to those of every other product. Sums are in `f32`, always in the same order, so
//! an element of the result depends only on its row of `x` and its row of the weight.

mod kernel;
mod lanes;
mod packed;
mod packed_k;
#[cfg(target_arch = "x86_64")]
mod vectors;

use std::borrow::Cow;

use rayon::prelude::*;

use self::kernel::{HIGH, Level, RowsProduct};
use self::lanes::WIDE;
use super::matmul::transposed;
use crate::gguf::GgmlType;
use crate::weights::Raw;

/// Maximum number of rows of products computed here; with more rows, weights are decoded whole.
pub(super) const FEW: usize = 16;
/// Minimum number of weight rows in a task, so that the cost of starting a task is small.
const TASK: usize = 32;
/// A product `out = x·Wᵀ` with few rows of `x`.
pub(super) struct FewRowsProduct<'a, 'b> {
    pub(super) weight: &'a Raw,
    /// `(rows, n_out)`.
    pub(super) out: &'b mut [f32],
}

/// Computes products of `x` `(rows, n_in)` on all threads.
pub(super) fn multiply(x: &[f32], n_in: usize, products: &mut [FewRowsProduct<'_, '_>]) {
    multiply_with(Level::widest(), x, n_in, products);
}

fn multiply_with(level: Level, x: &[f32], n_in: usize, products: &mut [FewRowsProduct<'_, '_>]) {
    if products.is_empty() {
        return;
    }
    let rows = x.len() / n_in;
    let padded = n_in.next_multiple_of(WIDE);
    let x = if padded == n_in {
        Cow::Borrowed(x)
    } else {
        let mut wide = vec![0.0; rows * padded];
        for (to, from) in wide.chunks_exact_mut(padded).zip(x.chunks_exact(n_in)) {
            to[..n_in].copy_from_slice(from);
        }
        Cow::Owned(wide)
    };
    // A weight's rows are divided among tasks, so each task computes rows of the transposed product.
    let mut turned: Vec<Vec<f32>> = Vec::new();
    if rows > 1 {
        turned.extend(products.iter().map(|product| vec![0.0; product.out.len()]));
    }
    let outs: Vec<(&Raw, &mut [f32])> = if rows > 1 {
        let weights = products.iter().map(|product| product.weight);
        weights.zip(turned.iter_mut().map(Vec::as_mut_slice)).collect()
    } else {
        let each = products.iter_mut();
        each.map(|product| (product.weight, &mut *product.out)).collect()
    };
    let all: usize = outs.iter().map(|(weight, _)| weight.n_out).sum();
    let each = all
        .div_ceil(4 * rayon::current_num_threads())
        .max(TASK)
        .next_multiple_of(HIGH);
    let tasks: Vec<(&Raw, usize, &mut [f32])> = outs
        .into_iter()
        .flat_map(|(weight, out)| {
            let blocks = out.chunks_mut(each * rows).enumerate();
            blocks.map(move |(block, out)| (weight, block * each, out))
        })
        .collect();
    tasks
        .into_par_iter()
        .for_each(|(weight, first, out)| some_rows(level, weight, first, x.as_chunks().0, rows, out));
    for (product, turned) in products.iter_mut().zip(turned) {
        product
            .out
            .copy_from_slice(&transposed(&turned, product.weight.n_out, rows));
    }
}

/// Products with the weight's rows from `first` on that fit in `out`, `(rows of the weight, rows of x)`.
fn some_rows(level: Level, weight: &Raw, first: usize, x: &[[f32; WIDE]], rows: usize, out: &mut [f32]) {
    let n = out.len() / rows;
    let work = RowsProduct {
        bytes: weight.bytes_of(first..first + n),
        each: weight.dtype.bytes(weight.n_in),
        x,
        rows,
        out,
    };
    match weight.dtype {
        GgmlType::Q4_0 => work.multiply::<packed::Q4_0>(level),
        GgmlType::Q4_1 => work.multiply::<packed::Q4_1>(level),
        GgmlType::Q5_0 => work.multiply::<packed::Q5_0>(level),
        GgmlType::Q5_1 => work.multiply::<packed::Q5_1>(level),
        GgmlType::Q8_0 => work.multiply::<packed::Q8_0>(level),
        GgmlType::Q4_K => work.multiply::<packed_k::Q4K>(level),
        GgmlType::Q5_K => work.multiply::<packed_k::Q5K>(level),
        GgmlType::Q6_K => work.multiply::<packed_k::Q6K>(level),
        GgmlType::F16 if weight.n_in.is_multiple_of(WIDE) => work.multiply::<packed::F16>(level),
        GgmlType::BF16 if weight.n_in.is_multiple_of(WIDE) => work.multiply::<packed::BF16>(level),
        GgmlType::F32 if weight.n_in.is_multiple_of(WIDE) => work.multiply::<packed::F32>(level),
        _ => {
            // Rare types, and rows whose length is no multiple of sixteen, are first decoded and padded with zeros.
            let (n_in, padded) = (weight.n_in, weight.n_in.next_multiple_of(WIDE));
            let mut decoded = vec![0.0; HIGH * n_in];
            let mut bytes = vec![0; HIGH * padded * 4];
            for (four, out) in work.out.chunks_mut(HIGH * rows).enumerate() {
                let from = first + four * HIGH;
                let these = from..from + out.len() / rows;
                let decoded = &mut decoded[..these.len() * n_in];
                weight.decode(these, 0..n_in, decoded);
                for (to, from) in bytes.chunks_exact_mut(padded * 4).zip(decoded.chunks_exact(n_in)) {
                    for (to, from) in to.as_chunks_mut().0.iter_mut().zip(from) {
                        *to = from.to_le_bytes();
                    }
                }
                RowsProduct {
                    bytes: &bytes,
                    each: padded * 4,
                    x,
                    rows,
                    out,
                }
                .multiply::<packed::F32>(level);
            }
        }
    }
}

#[cfg(test)]
mod tests;
