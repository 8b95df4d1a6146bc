//! A weight matrix in the CPU's representation.

use std::borrow::Cow;

use super::matmul::{Kept, View, transposed};
use crate::weights::Raw;

/// Number of elements of the largest matrix of a layer whose packed form is cached (32 MiB, or 48 for tiles).
const LARGEST_OF_LAYER: usize = 1 << 23;
/// Number of elements of the largest vocabulary matrix whose packed form is cached (256 MiB, or 384 for tiles).
const LARGEST_TABLE: usize = 1 << 26;

/// The role of a matrix, which determines how it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A matrix of a layer.
    Layer,
    /// A matrix of an expert, of which there are many.
    Expert,
    /// The vocabulary matrix.
    Table,
}

/// A matrix `(n_out, n_in)` in memory.
#[derive(Debug, Clone)]
pub struct Matrix {
    /// Number of rows.
    pub n_out: usize,
    /// Number of columns.
    pub n_in: usize,
    numbers: Numbers,
    /// Cache for the packed form that products use, if any.
    kept: Option<Kept>,
}

/// The order in which elements are stored.
#[derive(Debug, Clone)]
enum Numbers {
    /// `(n_in, n_out)`, the order in which products read the matrices of layers.
    Turned(Vec<f32>),
    /// `(n_out, n_in)`, for the vocabulary matrix.
    Upright(Vec<f32>),
    /// In the format of the file, for products of few rows.
    Stored(Raw),
}

impl Matrix {
    /// From values `(n_out, n_in)`, row-major.
    pub fn new(values: Vec<f32>, n_out: usize, n_in: usize, what: Use) -> Self {
        Self {
            n_out,
            n_in,
            numbers: if what == Use::Table {
                Numbers::Upright(values)
            } else {
                Numbers::Turned(transposed(&values, n_out, n_in))
            },
            kept: match what {
                Use::Layer => Some(Kept::up_to(LARGEST_OF_LAYER)),
                Use::Expert => None,
                Use::Table => Some(Kept::up_to(LARGEST_TABLE)),
            },
        }
    }

    /// A matrix that keeps the format of its file.
    pub fn stored(raw: Raw) -> Self {
        Self {
            n_out: raw.n_out,
            n_in: raw.n_in,
            numbers: Numbers::Stored(raw),
            kept: None,
        }
    }

    /// Whether a layer's matrix with this many elements is kept in packed form on this machine.
    pub fn stays_packed(numbers: usize) -> bool {
        Kept::of_use() && numbers <= LARGEST_OF_LAYER
    }

    /// The values for modification, `(n_in, n_out)` except for the vocabulary matrix. Stored values become `f32`.
    pub fn values_mut(&mut self) -> &mut [f32] {
        self.kept = self.kept.clone();
        if let Numbers::Stored(raw) = &self.numbers {
            self.numbers = Numbers::Turned(transposed(&raw.values(), self.n_out, self.n_in));
        }
        match &mut self.numbers {
            Numbers::Turned(values) | Numbers::Upright(values) => values,
            Numbers::Stored(_) => &mut [],
        }
    }

    /// The values `(n_out, n_in)`, row-major.
    pub fn rows(&self) -> Vec<f32> {
        match &self.numbers {
            Numbers::Turned(values) => transposed(values, self.n_in, self.n_out),
            Numbers::Upright(values) => values.clone(),
            Numbers::Stored(raw) => raw.values(),
        }
    }

    /// The values as `f32`, decoded if necessary, in the order that [`Matrix::view`] expects.
    pub fn values(&self) -> Cow<'_, [f32]> {
        match &self.numbers {
            Numbers::Turned(values) | Numbers::Upright(values) => Cow::Borrowed(values),
            Numbers::Stored(raw) => Cow::Owned(raw.values()),
        }
    }

    /// Views [`Matrix::values`] as a matrix `(n_out, n_in)`.
    pub fn view<'a>(&self, values: &'a [f32]) -> View<'a> {
        match &self.numbers {
            Numbers::Turned(_) => View::new(values, self.n_in, self.n_out, self.n_out).t(),
            Numbers::Upright(_) | Numbers::Stored(_) => View::new(values, self.n_out, self.n_in, self.n_in),
        }
    }

    /// The matrix in its stored format, if it was kept.
    pub fn raw(&self) -> Option<&Raw> {
        match &self.numbers {
            Numbers::Stored(raw) => Some(raw),
            _ => None,
        }
    }

    /// Cache for the packed form that products use, if any.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}
