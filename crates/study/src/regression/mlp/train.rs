//! Adam over shuffled batches.

use super::Perceptron;
use super::layers::Layers;
use crate::error::Error;
use crate::random::Random;
use crate::regression::distinct::Distinct;
use crate::regression::scale::Scaler;

/// Epochs without a fall of the loss by [`LEAST_FALL`] after which training stops.
const PATIENCE: usize = 10;
const LEAST_FALL: f64 = 1e-4;
const BETA: (f64, f64) = (0.9, 0.999);
const TINY: f32 = 1e-8;

pub(super) fn train(
    settings: &Perceptron,
    distinct: &Distinct,
    scaler: &Scaler,
    seed: u64,
) -> Result<Layers, Error> {
    let mut random = Random::new(seed, 0);
    let mut units = vec![distinct.n_features()];
    units.extend(&settings.hidden);
    units.push(1);
    let mut layers = Layers::new(units, &mut random);
    let inputs: Vec<f32> = scaler.rows_of(distinct).iter().map(|&x| x as f32).collect();
    let n = distinct.target.len();
    let size = settings.batch.min(n);
    let mut batch = Batch::new(&layers, distinct, inputs, size);
    let mut adam = Adam::new(layers.parameters.len());
    let mut order: Vec<u32> = (0..n as u32).collect();
    let (mut best, mut waited) = (f64::INFINITY, 0);
    for _ in 0..settings.epochs {
        random.shuffle(&mut order);
        let mut loss = 0.0;
        for rows in order.chunks(size) {
            loss += batch.gradient(&layers, rows, settings.penalty) * rows.len() as f64;
            adam.step(&mut layers.parameters, &batch.gradient, settings.rate);
        }
        loss /= n as f64;
        if !loss.is_finite() {
            return Err(Error::CannotCompute {
                method: "mlp",
                problem: "numbers overflow; scale the target".to_owned(),
            });
        }
        waited = if loss > best - LEAST_FALL { waited + 1 } else { 0 };
        best = best.min(loss);
        if waited > PATIENCE {
            break;
        }
    }
    Ok(layers)
}

/// Room for one batch, collapsed to its distinct rows.
struct Batch<'a> {
    distinct: &'a Distinct,
    inputs: Vec<f32>,
    activations: Vec<Vec<f32>>,
    slopes: Vec<Vec<f32>>,
    gradient: Vec<f32>,
    /// Per distinct row of the table its place in this batch.
    place: Vec<u32>,
    /// Per distinct row of this batch: Σw, Σwy.
    sums: Vec<(f64, f64)>,
    members: Vec<u32>,
}

impl<'a> Batch<'a> {
    fn new(layers: &Layers, distinct: &'a Distinct, inputs: Vec<f32>, size: usize) -> Self {
        Self {
            activations: layers.activations(size),
            slopes: layers.activations(size),
            gradient: vec![0.0; layers.parameters.len()],
            place: vec![u32::MAX; distinct.len()],
            sums: Vec::new(),
            members: Vec::new(),
            distinct,
            inputs,
        }
    }

    /// The batch's loss: Σ w (y − ŷ)² / 2 Σ w with half the penalty; its gradient stands in `self.gradient`.
    fn gradient(&mut self, layers: &Layers, rows: &[u32], penalty: f64) -> f64 {
        let width = self.distinct.n_features();
        self.sums.clear();
        self.members.clear();
        let (mut weight, mut squares) = (0.0, 0.0);
        for &r in rows {
            let g = self.distinct.row_of[r as usize] as usize;
            if self.place[g] == u32::MAX {
                let at = self.members.len();
                self.place[g] = at as u32;
                self.members.push(g as u32);
                self.sums.push((0.0, 0.0));
                let row = &self.inputs[g * width..(g + 1) * width];
                self.activations[0][at * width..(at + 1) * width].copy_from_slice(row);
            }
            let (y, w) = (self.distinct.target[r as usize], self.distinct.weight[r as usize]);
            let sum = &mut self.sums[self.place[g] as usize];
            *sum = (sum.0 + w, sum.1 + w * y);
            weight += w;
            squares += w * y * y;
        }
        for &g in &self.members {
            self.place[g as usize] = u32::MAX;
        }
        let n = self.members.len();
        layers.forward(&mut self.activations, n);
        let output = self.activations.last().expect("there is an output layer");
        let slopes = self.slopes.last_mut().expect("there is an output layer");
        let mut loss = squares;
        for ((slope, &y), (w, wy)) in slopes.iter_mut().zip(output).zip(&self.sums) {
            let y = f64::from(y);
            loss += (w * y - 2.0 * wy) * y;
            *slope = ((w * y - wy) / weight) as f32;
        }
        layers.backward(&self.activations, &mut self.slopes, &mut self.gradient, n);
        let share = penalty / weight;
        let mut lengths = 0.0;
        for place in layers.places() {
            let matrix = &layers.parameters[place.matrix()];
            for (g, p) in self.gradient[place.matrix()].iter_mut().zip(matrix) {
                *g += share as f32 * p;
            }
            lengths += f64::from(squared_length(matrix));
        }
        loss / (2.0 * weight) + share * lengths / 2.0
    }
}

/// Σ x², eight sums side by side.
fn squared_length(values: &[f32]) -> f32 {
    let (eights, rest) = values.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for eight in eights {
        for (sum, x) in sums.iter_mut().zip(eight) {
            *sum += x * x;
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|x| x * x).sum::<f32>()
}

/// First and second moments of the gradient.
struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Adam {
    fn new(n: usize) -> Self {
        Self {
            first: vec![0.0; n],
            second: vec![0.0; n],
            steps: 0,
        }
    }

    fn step(&mut self, parameters: &mut [f32], gradient: &[f32], rate: f64) {
        self.steps += 1;
        let corrected = (1.0 - BETA.1.powi(self.steps)).sqrt() / (1.0 - BETA.0.powi(self.steps));
        let rate = (rate * corrected) as f32;
        let (b1, b2) = (BETA.0 as f32, BETA.1 as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *p -= rate * *m / (v.sqrt() + TINY);
        }
    }
}
