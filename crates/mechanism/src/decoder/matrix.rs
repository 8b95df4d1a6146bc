//! A weight as the processor keeps it.

use super::matmul::{Kept, View, transposed};

/// Numbers of the largest matrix of a layer that is kept packed (32 MB, or 50 on tiles).
const LARGEST_OF_LAYER: usize = 1 << 23;
/// Numbers of the largest table of a vocabulary that is kept packed (256 MB, or 384 on tiles).
const LARGEST_TABLE: usize = 1 << 26;

/// What a matrix is for, which says how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// One of a layer.
    Layer,
    /// One of an expert, of which there are many.
    Expert,
    /// The vocabulary's.
    Table,
}

/// A matrix `(n_out, n_in)`.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Height.
    pub n_out: usize,
    /// Width.
    pub n_in: usize,
    /// Row-major; `(n_in, n_out)` of a layer's, the order in which products read it, `(n_out, n_in)` of a table.
    values: Vec<f32>,
    is_table: bool,
    /// What products keep of it.
    kept: Option<Kept>,
}

impl Matrix {
    /// From values `(n_out, n_in)`, row-major.
    pub fn new(values: Vec<f32>, n_out: usize, n_in: usize, what: Use) -> Self {
        let is_table = what == Use::Table;
        Self {
            n_out,
            n_in,
            values: if is_table {
                values
            } else {
                transposed(&values, n_out, n_in)
            },
            is_table,
            kept: match what {
                Use::Layer => Some(Kept::up_to(LARGEST_OF_LAYER)),
                Use::Expert => None,
                Use::Table => Some(Kept::up_to(LARGEST_TABLE)),
            },
        }
    }

    /// Whether products keep a matrix of a layer of this many numbers packed here.
    pub fn stays_packed(numbers: usize) -> bool {
        Kept::of_use() && numbers <= LARGEST_OF_LAYER
    }

    /// The values, `(n_in, n_out)` of a layer's, to be changed.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.kept = self.kept.clone();
        &mut self.values
    }

    /// The values `(n_out, n_in)`, row-major.
    pub fn rows(&self) -> Vec<f32> {
        if self.is_table {
            self.values.clone()
        } else {
            transposed(&self.values, self.n_in, self.n_out)
        }
    }

    /// As a matrix `(n_out, n_in)`.
    pub fn view(&self) -> View<'_> {
        if self.is_table {
            View::new(&self.values, self.n_out, self.n_in, self.n_in)
        } else {
            View::new(&self.values, self.n_in, self.n_out, self.n_out).t()
        }
    }

    /// What products keep of it.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}
