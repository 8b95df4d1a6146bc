//! The network during training: padded to whole vectors, with buffers for one batch and its gradient.

use pulp::Arch;

use super::aligned::{Aligned, LANES, padded};
use super::kernel::{AdamStep, Finish, OuterSum, RowsTimes, TILE};
use super::layers::Layers;

/// Decay rates of Adam's two moments.
const DECAY: (f32, f32) = (0.9, 0.999);
const TINY: f32 = 1e-8;

/// Positions of a layer's parameters: its matrix, one padded row per input, and its biases. Padding is zero and stays
/// zero, as a padded unit outputs zero and has no gradient.
struct Place {
    matrix: std::ops::Range<usize>,
    biases: std::ops::Range<usize>,
    /// Range in the transposed matrices.
    transposed: std::ops::Range<usize>,
}

/// Layers, activations and gradients of one batch, and Adam's moments.
pub(super) struct Network {
    arch: Arch,
    units: Vec<usize>,
    widths: Vec<usize>,
    places: Vec<Place>,
    /// Number of matrix elements; the biases follow.
    matrices: usize,
    parameters: Aligned,
    gradient: Aligned,
    moments: (Aligned, Aligned),
    transposed: Aligned,
    activations: Vec<Aligned>,
    slopes: Vec<Aligned>,
    steps: i32,
}

impl Network {
    /// Allocates buffers for batches of at most `size` rows.
    pub(super) fn new(layers: &Layers, size: usize) -> Self {
        let units = layers.units.clone();
        let widths: Vec<usize> = units.iter().map(|&u| padded(u)).collect();
        let pairs: Vec<(usize, usize)> = widths.windows(2).map(|w| (w[0], w[1])).collect();
        let matrices: usize = pairs.iter().map(|(i, o)| i * o).sum();
        let (mut matrix, mut bias, mut turned) = (0, matrices, 0);
        let mut places = Vec::new();
        for (k, &(inputs, outputs)) in pairs.iter().enumerate() {
            let back = units[k + 1] * inputs;
            places.push(Place {
                matrix: matrix..matrix + inputs * outputs,
                biases: bias..bias + outputs,
                transposed: turned..turned + back,
            });
            matrix += inputs * outputs;
            bias += outputs;
            turned += back;
        }
        let rows = size.next_multiple_of(TILE);
        let room = || widths.iter().map(|w| Aligned::zeros(rows * w)).collect();
        let mut network = Self {
            arch: Arch::new(),
            activations: room(),
            slopes: room(),
            parameters: Aligned::zeros(bias),
            gradient: Aligned::zeros(bias),
            moments: (Aligned::zeros(bias), Aligned::zeros(bias)),
            transposed: Aligned::zeros(turned),
            steps: 0,
            units,
            widths,
            places,
            matrices,
        };
        network.copy(|ours, theirs| *ours = layers.parameters[theirs]);
        network
    }

    /// Calls `one` with each parameter and its index in [`Layers`].
    fn copy(&mut self, mut one: impl FnMut(&mut f32, usize)) {
        let parameters = self.parameters.get_mut();
        let mut at = 0;
        for (k, place) in self.places.iter().enumerate() {
            let (inputs, outputs, width) = (self.units[k], self.units[k + 1], self.widths[k + 1]);
            for i in 0..inputs {
                for o in 0..outputs {
                    one(&mut parameters[place.matrix.start + i * width + o], at);
                    at += 1;
                }
            }
            for o in 0..outputs {
                one(&mut parameters[place.biases.start + o], at);
                at += 1;
            }
        }
    }

    /// Copies the parameters back to the layers.
    pub(super) fn keep(mut self, layers: &mut Layers) {
        self.copy(|ours, theirs| layers.parameters[theirs] = *ours);
    }

    /// Input of row `at` of the batch.
    pub(super) fn input(&mut self, at: usize) -> &mut [f32] {
        let (width, used) = (self.widths[0], self.units[0]);
        &mut self.activations[0].get_mut()[at * width..at * width + used]
    }

    /// Output of the last layer for the first `rows` rows, each with the place for the gradient of the loss.
    pub(super) fn outputs(&mut self, rows: usize) -> impl Iterator<Item = (f32, &mut f32)> {
        let last = self.widths.len() - 1;
        let output = self.activations[last].get().iter().step_by(self.widths[last]);
        let slopes = self.slopes[last].get_mut().iter_mut().step_by(self.widths[last]);
        output.copied().zip(slopes).take(rows)
    }

    /// Forward pass of the first `rows` rows.
    pub(super) fn forward(&mut self, rows: usize) {
        let rows = rows.next_multiple_of(TILE);
        let parameters = self.parameters.get();
        let last = self.places.len() - 1;
        for (k, place) in self.places.iter().enumerate() {
            let (before, after) = self.activations.split_at_mut(k + 1);
            self.arch.dispatch(RowsTimes {
                left: &before[k].get()[..rows * self.widths[k]],
                stride: self.widths[k],
                right: &parameters[place.matrix.clone()],
                terms: self.units[k],
                start: Some(&parameters[place.biases.clone()]),
                finish: if k < last {
                    Finish::Rectified
                } else {
                    Finish::Plain
                },
                result: &mut after[0].get_mut()[..rows * self.widths[k + 1]],
                width: self.widths[k + 1],
            });
        }
    }

    /// Backward pass: the gradient of all parameters, given that of the output.
    pub(super) fn backward(&mut self, rows: usize) {
        let gradient = self.gradient.get_mut();
        for (k, place) in self.places.iter().enumerate().rev() {
            let (before, after) = self.slopes.split_at_mut(k + 1);
            let (inputs, outputs) = (self.widths[k], self.widths[k + 1]);
            let (matrices, biases) = gradient.split_at_mut(self.matrices);
            let first = place.biases.start - self.matrices;
            self.arch.dispatch(OuterSum {
                left: self.activations[k].get(),
                stride: inputs,
                right: after[0].get(),
                terms: rows,
                result: &mut matrices[place.matrix.clone()],
                sums: &mut biases[first..first + outputs],
                width: outputs,
            });
            if k == 0 {
                break;
            }
            let matrix = &self.parameters.get()[place.matrix.clone()];
            let transposed = &mut self.transposed.get_mut()[place.transposed.clone()];
            for (o, line) in transposed.chunks_exact_mut(inputs).enumerate() {
                for (to, row) in line.iter_mut().zip(matrix.chunks_exact(outputs)) {
                    *to = row[o];
                }
            }
            let used = rows.next_multiple_of(TILE);
            self.arch.dispatch(RowsTimes {
                left: &after[0].get()[..used * outputs],
                stride: outputs,
                right: transposed,
                terms: self.units[k + 1],
                start: None,
                finish: Finish::Where(self.activations[k].get()),
                result: &mut before[k].get_mut()[..used * inputs],
                width: inputs,
            });
        }
    }

    /// One step of Adam on the gradient plus `pull` times each weight. Returns Σ w² of the weights before the step.
    pub(super) fn step(&mut self, rate: f64, pull: f64) -> f64 {
        self.steps += 1;
        let kept = |decay: f32| 1.0 - f64::from(decay).powi(self.steps);
        let rate = (rate * kept(DECAY.1).sqrt() / kept(DECAY.0)) as f32;
        let mut squares = 0.0;
        for (range, pull) in [
            (0..self.matrices, pull as f32),
            (self.matrices..self.parameters.get().len(), 0.0),
        ] {
            let sum = self.arch.dispatch(AdamStep {
                parameters: &mut self.parameters.get_mut()[range.clone()],
                gradient: &self.gradient.get()[range.clone()],
                first: &mut self.moments.0.get_mut()[range.clone()],
                second: &mut self.moments.1.get_mut()[range.clone()],
                pull,
                rate,
                decay: DECAY,
                tiny: TINY,
            });
            if range.start == 0 {
                squares = f64::from(sum);
            }
        }
        squares
    }
}

/// A vector of padding is a whole number of tiles.
const _: () = assert!(LANES.is_multiple_of(TILE));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    const ROWS: usize = 11;

    fn loss(network: &mut Network, input: &[f32]) -> f64 {
        for r in 0..ROWS {
            network.input(r).copy_from_slice(&input[r * 3..r * 3 + 3]);
        }
        network.forward(ROWS);
        let mut sum = 0.0;
        for (y, slope) in network.outputs(ROWS) {
            *slope = y - 1.0;
            sum += f64::from(y - 1.0).powi(2) / 2.0;
        }
        sum
    }

    #[test]
    fn gradient_is_the_slope_of_the_loss() {
        let mut random = Random::new(4, 0);
        // Two hidden layers: one wider than a vector, and neither a whole number of vectors.
        let layers = Layers::new(vec![3, 21, 4, 1], &mut random);
        let input: Vec<f32> = (0..3 * ROWS).map(|_| random.uniform() as f32 - 0.5).collect();
        let mut network = Network::new(&layers, ROWS);
        loss(&mut network, &input);
        network.backward(ROWS);
        let expected = network.gradient.get().to_vec();
        let mut places = Vec::new();
        let start = network.parameters.get().as_ptr();
        network.copy(|ours, _| places.push(std::ptr::from_ref(ours).addr()));
        let places: Vec<usize> = places
            .iter()
            .map(|p| (p - start.addr()) / size_of::<f32>())
            .collect();
        assert_eq!(places.len(), layers.parameters.len());
        for &at in &places {
            let value = network.parameters.get()[at];
            network.parameters.get_mut()[at] = value + 1e-3;
            let above = loss(&mut network, &input);
            network.parameters.get_mut()[at] = value - 1e-3;
            let below = loss(&mut network, &input);
            network.parameters.get_mut()[at] = value;
            let slope = (above - below) / 2e-3;
            let off = (slope - f64::from(expected[at])).abs();
            assert!(off < 0.03, "{at}: {slope} {}", expected[at]);
        }
        let padding = (0..expected.len()).filter(|at| !places.contains(at));
        assert!(padding.clone().count() > 0);
        assert!(padding.into_iter().all(|at| expected[at] == 0.0));
    }

    #[test]
    fn trained_layers_put_out_what_the_network_does() {
        let mut random = Random::new(5, 0);
        let mut layers = Layers::new(vec![3, 18, 1], &mut random);
        let input: Vec<f32> = (0..3 * ROWS).map(|_| random.uniform() as f32 - 0.5).collect();
        let mut network = Network::new(&layers, ROWS);
        let before = loss(&mut network, &input);
        for _ in 0..50 {
            loss(&mut network, &input);
            network.backward(ROWS);
            network.step(1e-2, 0.0);
        }
        let after = loss(&mut network, &input);
        assert!(after < before / 2.0, "{before} {after}");
        let theirs: Vec<f32> = network.outputs(ROWS).map(|(y, _)| y).collect();
        network.keep(&mut layers);
        let mut activations = layers.activations(ROWS);
        activations[0].copy_from_slice(&input);
        layers.forward(&mut activations, ROWS);
        for (a, b) in theirs.iter().zip(&activations[2]) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}
