//! A weight as the processor keeps it.

use std::borrow::Cow;

use super::matmul::{Kept, View, transposed};
use crate::weights::Raw;

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
    numbers: Numbers,
    /// What products keep of it.
    kept: Option<Kept>,
}

/// How numbers lie.
#[derive(Debug, Clone)]
enum Numbers {
    /// `(n_in, n_out)`, the order in which products read a layer's.
    Turned(Vec<f32>),
    /// `(n_out, n_in)`, a table's.
    Upright(Vec<f32>),
    /// As in the file, for products of few rows.
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

    /// One that stays as it is stored.
    pub fn stored(raw: Raw) -> Self {
        Self {
            n_out: raw.n_out,
            n_in: raw.n_in,
            numbers: Numbers::Stored(raw),
            kept: None,
        }
    }

    /// Whether products keep a matrix of a layer of this many numbers packed here.
    pub fn stays_packed(numbers: usize) -> bool {
        Kept::of_use() && numbers <= LARGEST_OF_LAYER
    }

    /// The values, `(n_in, n_out)` of a layer's, to be changed; what was as stored is `f32` from then on.
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

    /// The values in memory, widened where they are not, for [`Matrix::view`].
    pub fn values(&self) -> Cow<'_, [f32]> {
        match &self.numbers {
            Numbers::Turned(values) | Numbers::Upright(values) => Cow::Borrowed(values),
            Numbers::Stored(raw) => Cow::Owned(raw.values()),
        }
    }

    /// [`Matrix::values`] as a matrix `(n_out, n_in)`.
    pub fn view<'a>(&self, values: &'a [f32]) -> View<'a> {
        match &self.numbers {
            Numbers::Turned(_) => View::new(values, self.n_in, self.n_out, self.n_out).t(),
            Numbers::Upright(_) | Numbers::Stored(_) => View::new(values, self.n_out, self.n_in, self.n_in),
        }
    }

    /// The matrix as it is stored, if it stayed so.
    pub fn raw(&self) -> Option<&Raw> {
        match &self.numbers {
            Numbers::Stored(raw) => Some(raw),
            _ => None,
        }
    }

    /// What products keep of it.
    pub fn kept(&self) -> Option<&Kept> {
        self.kept.as_ref()
    }
}
