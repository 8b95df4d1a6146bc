//! A matrix as its file stores it: rows of blocks, decoded where they are multiplied.

use std::ops::Range;

use rayon::prelude::*;

use crate::gguf::GgmlType;

/// A matrix `(n_out, n_in)` in blocks, row-major.
#[derive(Debug, Clone)]
pub struct Raw {
    /// How numbers are stored.
    pub dtype: GgmlType,
    /// Height.
    pub n_out: usize,
    /// Width, whole blocks.
    pub n_in: usize,
    bytes: Vec<u8>,
}

impl Raw {
    /// Rows `rows` of a matrix stored in `bytes`, of which `n_in` numbers make a row.
    pub(crate) fn rows_of(dtype: GgmlType, bytes: Vec<u8>, n_in: usize, rows: &[usize]) -> Self {
        let each = dtype.bytes(n_in);
        let whole = bytes.len() == rows.len() * each && rows.iter().enumerate().all(|(i, row)| i == *row);
        let bytes = if whole {
            bytes
        } else {
            rows.iter()
                .flat_map(|row| &bytes[row * each..(row + 1) * each])
                .copied()
                .collect()
        };
        Self {
            dtype,
            n_out: rows.len(),
            n_in,
            bytes,
        }
    }

    /// From numbers `(n_out, n_in)`, kept as `f32`.
    pub fn of_values(values: &[f32], n_out: usize, n_in: usize) -> Self {
        Self {
            dtype: GgmlType::F32,
            n_out,
            n_in,
            bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    /// The bytes of rows, one row after the other.
    pub(crate) fn bytes_of(&self, rows: Range<usize>) -> &[u8] {
        let each = self.dtype.bytes(self.n_in);
        &self.bytes[rows.start * each..rows.end * each]
    }

    /// Decodes numbers `columns` (from a block's first on) of the rows `rows`, one row after the other.
    ///
    /// # Panics
    /// If there are no such rows or columns: a bug of the caller.
    pub fn decode(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32]) {
        let each = self.dtype.bytes(self.n_in);
        if columns == (0..self.n_in) {
            self.dtype
                .decode(&self.bytes[rows.start * each..rows.end * each], out);
            return;
        }
        let (from, to) = (self.dtype.bytes(columns.start), self.dtype.bytes(columns.end));
        for (row, out) in rows.zip(out.chunks_exact_mut(columns.len())) {
            self.dtype
                .decode(&self.bytes[row * each + from..row * each + to], out);
        }
    }

    /// All numbers, row-major.
    pub fn values(&self) -> Vec<f32> {
        const ROWS: usize = 64;
        let mut out = vec![0.0; self.n_out * self.n_in];
        if !out.is_empty() {
            out.par_chunks_mut(ROWS * self.n_in)
                .enumerate()
                .for_each(|(block, out)| {
                    let rows = block * ROWS..block * ROWS + out.len() / self.n_in;
                    self.decode(rows, 0..self.n_in, out);
                });
        }
        out
    }
}
