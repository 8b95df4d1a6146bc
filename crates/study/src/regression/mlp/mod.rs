//! Multilayer perceptron with rectified linear units and squared error, trained by Adam (Kingma and Ba 2015,
//! <https://arxiv.org/abs/1412.6980>) on standardised columns.
//!
//! Tested against scikit-learn's `MLPRegressor` behind a `StandardScaler`: same initial ranges, batches, penalty, steps
//! and stopping rule, but another random number generator and `f32` arithmetic. Rows of a batch with equal features
//! pass through the layers once, as the error of a group of rows is that of their mean plus a constant.

mod aligned;
mod kernel;
mod layers;
mod network;
mod train;

use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, predict_distinct};
use super::scale::Scaler;
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;
use layers::Layers;

/// Settings of the perceptron.
#[derive(Debug, Clone, PartialEq)]
pub struct Perceptron {
    /// Width of each hidden layer.
    pub hidden: Vec<usize>,
    /// Maximum number of passes over the rows; training stops earlier if the loss has not decreased for ten of them.
    pub epochs: usize,
    /// Number of rows per step.
    pub batch: usize,
    /// Learning rate of Adam.
    pub rate: f64,
    /// α: α/2 · Σ w² is added to the summed loss of a batch.
    pub penalty: f64,
}

impl Default for Perceptron {
    /// Layers of 32, 64 and 32; 100 epochs of batches of 200, rate 0.001, α 0.0001.
    fn default() -> Self {
        Self {
            hidden: vec![32, 64, 32],
            epochs: 100,
            batch: 200,
            rate: 1e-3,
            penalty: 1e-4,
        }
    }
}

/// A fitted perceptron.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PerceptronFit {
    names: Vec<String>,
    scaler: Scaler,
    layers: Layers,
}

impl Perceptron {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`]; [`Error::CannotCompute`] if numbers overflow, as they do for targets beyond 1e15.
    pub fn fit_mlp(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<PerceptronFit, Error> {
        let least = |name, value: usize| check_setting(name, value as f64, value > 0, "at least 1");
        least("epochs", self.epochs)?;
        least("batch", self.batch)?;
        self.hidden.iter().try_for_each(|&h| least("hidden", h))?;
        let valid = self.rate > 0.0 && self.rate.is_finite();
        check_setting("rate", self.rate, valid, "above 0 and finite")?;
        let valid = self.penalty >= 0.0 && self.penalty.is_finite();
        check_setting("penalty", self.penalty, valid, "at least 0 and finite")?;
        let distinct = Distinct::new(design, target, weights)?;
        let scaler = Scaler::new(&distinct);
        let layers = train::train(self, &distinct, &scaler, seed)?;
        Ok(PerceptronFit {
            names: distinct.names,
            scaler,
            layers,
        })
    }
}

impl Regression for Perceptron {
    fn name(&self) -> &'static str {
        "mlp"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("hidden", Slot::Sizes(&mut self.hidden)),
            ("epochs", Slot::Whole(&mut self.epochs)),
            ("batch", Slot::Whole(&mut self.batch)),
            ("rate", Slot::Number(&mut self.rate)),
            ("penalty", Slot::Number(&mut self.penalty)),
        ]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_mlp(design, target, weights, seed)?))
    }
}

impl Fit for PerceptronFit {
    fn is_sound(&self) -> bool {
        let width = self.names.len();
        self.scaler.is_sound(width) && self.layers.is_sound(width)
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Perceptron(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.names, design)?;
        Ok(predict_distinct(design, |rows| {
            let input: Vec<f32> = self.scaler.rows(rows).iter().map(|&x| x as f32).collect();
            let mut activations = self.layers.activations(rows.n_rows());
            activations[0].copy_from_slice(&input);
            self.layers.forward(&mut activations, rows.n_rows());
            let output = activations.last().expect("there is an output layer");
            output.iter().map(|&y| f64::from(y)).collect()
        }))
    }
}
