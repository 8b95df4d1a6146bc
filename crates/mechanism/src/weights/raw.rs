//! A matrix in the format of its file: rows of blocks, which are decoded when they are multiplied.

use std::ops::Range;

use rayon::prelude::*;

use crate::gguf::GgmlType;

/// A matrix `(n_out, n_in)` in its stored format, row-major.
#[derive(Debug, Clone)]
pub struct Raw {
    /// Storage type of the elements.
    pub dtype: GgmlType,
    /// Number of rows.
    pub n_out: usize,
    /// Number of columns, a whole number of blocks.
    pub n_in: usize,
    bytes: Vec<u8>,
}

impl Raw {
    /// Selects rows `rows` of a matrix stored in `bytes` with `n_in` elements per row.
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

    /// Stores values `(n_out, n_in)` as `f32`.
    pub fn of_values(values: &[f32], n_out: usize, n_in: usize) -> Self {
        Self {
            dtype: GgmlType::F32,
            n_out,
            n_in,
            bytes: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        }
    }

    /// The bytes of rows `rows`, one row after the other.
    pub(crate) fn bytes_of(&self, rows: Range<usize>) -> &[u8] {
        let each = self.dtype.bytes(self.n_in);
        &self.bytes[rows.start * each..rows.end * each]
    }

    /// Decodes columns `columns` (starting at a block boundary) of rows `rows`, one row after the other.
    ///
    /// # Panics
    /// If there are no such rows or columns, which is a bug of the caller.
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

    /// All elements as `f32`, row-major.
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
