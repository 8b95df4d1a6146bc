//! Dense layers as stored in a fit, and their forward pass. A batch is a matrix with one column per row of the table.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::{Deserialize, Serialize};

use crate::algebra::settle;
use crate::random::Random;

/// Parameters of all layers in one vector: layer by layer the matrix `(out, in)`, column-major, then the biases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Layers {
    /// Units of each layer, input first, output (1) last.
    pub(super) units: Vec<usize>,
    pub(super) parameters: Vec<f32>,
}

/// Positions of a layer's matrix and biases in the parameter vector.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) start: usize,
}

impl Place {
    pub(super) fn matrix(self) -> std::ops::Range<usize> {
        self.start..self.start + self.inputs * self.outputs
    }

    pub(super) fn biases(self) -> std::ops::Range<usize> {
        let end = self.matrix().end;
        end..end + self.outputs
    }
}

impl Layers {
    /// Uniform within ±√(6 / (in + out)) (Glorot and Bengio 2010), biases too.
    pub(super) fn new(units: Vec<usize>, random: &mut Random) -> Self {
        let mut layers = Self {
            units,
            parameters: Vec::new(),
        };
        for place in layers.places() {
            let bound = (6.0 / (place.inputs + place.outputs) as f64).sqrt();
            let n = (place.inputs + 1) * place.outputs;
            let draw = |_| (bound * (2.0 * random.uniform() - 1.0)) as f32;
            layers.parameters.extend((0..n).map(draw));
        }
        layers
    }

    /// Whether there are as many parameters as layers with `width` inputs and one output need.
    pub(super) fn is_sound(&self, width: usize) -> bool {
        let needed = self.units.windows(2).try_fold(0_usize, |sum, pair| {
            sum.checked_add(pair[0].checked_add(1)?.checked_mul(pair[1])?)
        });
        self.units.len() >= 2
            && self.units.first() == Some(&width)
            && self.units.last() == Some(&1)
            && needed == Some(self.parameters.len())
    }

    pub(super) fn places(&self) -> Vec<Place> {
        let mut start = 0;
        let place = |pair: &[usize]| {
            let place = Place {
                inputs: pair[0],
                outputs: pair[1],
                start,
            };
            start = place.biases().end;
            place
        };
        self.units.windows(2).map(place).collect()
    }

    /// Buffers for the output of each layer, `(units, rows)`.
    pub(super) fn activations(&self, rows: usize) -> Vec<Vec<f32>> {
        self.units.iter().map(|u| vec![0.0; u * rows]).collect()
    }

    /// Fills `activations[1..]` from `activations[0]`; only the first `rows` columns are used.
    pub(super) fn forward(&self, activations: &mut [Vec<f32>], rows: usize) {
        let places = self.places();
        for (k, place) in places.iter().enumerate() {
            let (before, after) = activations.split_at_mut(k + 1);
            let output = &mut after[0][..place.outputs * rows];
            for column in output.chunks_exact_mut(place.outputs) {
                column.copy_from_slice(&self.parameters[place.biases()]);
            }
            matmul(
                MatMut::from_column_major_slice_mut(&mut *output, place.outputs, rows),
                Accum::Add,
                self.matrix(*place),
                columns(&before[k], place.inputs, rows),
                1.0,
                Par::Seq,
            );
            settle();
            if k + 1 < places.len() {
                for x in output.iter_mut() {
                    *x = x.max(0.0);
                }
            }
        }
    }

    fn matrix(&self, place: Place) -> MatRef<'_, f32> {
        let slice = &self.parameters[place.matrix()];
        MatRef::from_column_major_slice(slice, place.outputs, place.inputs)
    }
}

fn columns(slice: &[f32], units: usize, rows: usize) -> MatRef<'_, f32> {
    MatRef::from_column_major_slice(&slice[..units * rows], units, rows)
}
