//! Support vector regression with a radial kernel on standardised columns.
//!
//! Minimises ½‖w‖² + C Σ max(|y − f| − ε, 0) with f = wᵀφ(x) + b and φ(x)ᵀφ(x') = exp(−γ‖x − x'‖²)
//! (Drucker et al. 1996). Tested against scikit-learn's `SVR` (libsvm) behind a `StandardScaler`.
//!
//! Whereas libsvm updates two multipliers at a time, this factorises the kernel matrix of the distinct rows once
//! ([`kernel`]; there are few structures, so the rank is low) and solves the whole quadratic programme by an
//! interior-point method ([`interior`]), as Fine and Scheinberg (2001, <https://jmlr.org/papers/v2/fine01a.html>)
//! propose: about 15 steps, each with one matrix product and one Cholesky factorisation ([`normal`]).

mod interior;
mod kernel;
mod normal;

use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, predict_distinct};
use super::scale::Scaler;
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;

/// Settings of support vector regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SupportVector {
    /// C: cost per unit of error beyond ε.
    pub cost: f64,
    /// ε: error without cost, in the target's unit.
    pub epsilon: f64,
    /// γ of the kernel; where `None`, one over the number of columns that vary.
    pub gamma: Option<f64>,
}

impl Default for SupportVector {
    /// C 1, ε 0.1, γ from the number of columns.
    fn default() -> Self {
        Self {
            cost: 1.0,
            epsilon: 0.1,
            gamma: None,
        }
    }
}

/// A fitted function: a sum of kernels centred on some training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SupportVectorFit {
    names: Vec<String>,
    scaler: Scaler,
    gamma: f64,
    /// Standardised rows at the centres of the kernels, row-major.
    centers: Vec<f64>,
    coefficients: Vec<f64>,
    intercept: f64,
}

impl SupportVector {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`]; [`Error::CannotCompute`] if the interior-point method does not converge.
    pub fn fit_svr(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<SupportVectorFit, Error> {
        let positive = |x: f64| x > 0.0 && x.is_finite();
        check_setting("cost", self.cost, positive(self.cost), "above 0 and finite")?;
        let valid = self.epsilon >= 0.0 && self.epsilon.is_finite();
        check_setting("epsilon", self.epsilon, valid, "at least 0 and finite")?;
        let distinct = Distinct::new(design, target, weights)?;
        let scaler = Scaler::new(&distinct);
        let width = distinct.n_features();
        let by_width = 1.0 / (width as f64 * scaler.varying);
        let gamma = match self.gamma {
            Some(gamma) => gamma,
            None if by_width.is_finite() => by_width,
            None => 1.0,
        };
        check_setting("gamma", gamma, positive(gamma), "above 0 and finite")?;
        let rows = scaler.rows_of(&distinct);
        let factor = kernel::Factor::new(&rows, width, gamma);
        let solution = interior::solve(&distinct, &factor, self.cost, self.epsilon)?;
        let pivots = factor.pivots.iter().take(solution.weights.len());
        let centers = pivots.map(|&g| &rows[g * width..(g + 1) * width]);
        Ok(SupportVectorFit {
            coefficients: factor.coefficients(&solution.weights),
            intercept: solution.intercept,
            centers: centers.flatten().copied().collect(),
            names: distinct.names,
            scaler,
            gamma,
        })
    }
}

impl Regression for SupportVector {
    fn name(&self) -> &'static str {
        "svr"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("cost", Slot::Number(&mut self.cost)),
            ("epsilon", Slot::Number(&mut self.epsilon)),
            ("gamma", Slot::Derived(&mut self.gamma)),
        ]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_svr(design, target, weights)?))
    }
}

impl Fit for SupportVectorFit {
    fn is_sound(&self) -> bool {
        let width = self.names.len();
        let centers = width.checked_mul(self.coefficients.len());
        width > 0 && centers == Some(self.centers.len()) && self.scaler.is_sound(width)
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::SupportVector(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.names, design)?;
        let width = self.names.len();
        Ok(predict_distinct(design, |rows| {
            let rows = self.scaler.rows(rows);
            let one = |row: &[f64]| {
                let centers = self.centers.chunks_exact(width).zip(&self.coefficients);
                let sum: f64 = centers
                    .map(|(center, c)| c * kernel::radial(row, center, self.gamma))
                    .sum();
                sum + self.intercept
            };
            rows.chunks_exact(width).map(one).collect()
        }))
    }
}
