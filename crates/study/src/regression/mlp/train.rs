//! Training: Adam on shuffled batches.

use super::Perceptron;
use super::layers::Layers;
use super::network::Network;
use crate::error::Error;
use crate::random::Random;
use crate::regression::distinct::Distinct;
use crate::regression::scale::Scaler;

/// Training stops after this many epochs in which the loss decreased by less than [`LEAST_FALL`].
const PATIENCE: usize = 10;
const LEAST_FALL: f64 = 1e-4;

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
    let mut order: Vec<u32> = (0..n as u32).collect();
    let (mut best, mut waited) = (f64::INFINITY, 0);
    for _ in 0..settings.epochs {
        random.shuffle(&mut order);
        let mut loss = 0.0;
        for rows in order.chunks(size) {
            loss += batch.step(rows, settings) * rows.len() as f64;
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
    batch.network.keep(&mut layers);
    Ok(layers)
}

/// One batch, collapsed to its distinct rows.
struct Batch<'a> {
    distinct: &'a Distinct,
    inputs: Vec<f32>,
    network: Network,
    /// Per distinct row of the table: its index in this batch.
    place: Vec<u32>,
    /// Per distinct row of this batch: Σw, Σwy.
    sums: Vec<(f64, f64)>,
    members: Vec<u32>,
}

impl<'a> Batch<'a> {
    fn new(layers: &Layers, distinct: &'a Distinct, inputs: Vec<f32>, size: usize) -> Self {
        Self {
            network: Network::new(layers, size),
            place: vec![u32::MAX; distinct.len()],
            sums: Vec::new(),
            members: Vec::new(),
            distinct,
            inputs,
        }
    }

    /// One step of Adam; returns the loss of the batch before it: Σ w (y − ŷ)² / 2 Σ w plus half the penalty.
    fn step(&mut self, rows: &[u32], settings: &Perceptron) -> f64 {
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
                self.network.input(at).copy_from_slice(row);
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
        self.network.forward(n);
        let mut loss = squares;
        for ((y, slope), (w, wy)) in self.network.outputs(n).zip(&self.sums) {
            let y = f64::from(y);
            loss += (w * y - 2.0 * wy) * y;
            *slope = ((w * y - wy) / weight) as f32;
        }
        self.network.backward(n);
        let share = settings.penalty / weight;
        let lengths = self.network.step(settings.rate, share);
        loss / (2.0 * weight) + share * lengths / 2.0
    }
}
