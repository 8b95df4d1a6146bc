//! Ridge regression: Σ w (y − b − xᵀβ)² + penalty · Σ β² (Hoerl and Kennard 1970).
//!
//! On raw columns with an unpenalised intercept, as scikit-learn's `Ridge`, against which it is tested.

use super::distinct::Distinct;
use super::linear::{LinearFit, fit_damped};
use super::{Fit, Regression, Slot, check_setting};
use crate::design::Design;
use crate::error::Error;

/// Settings of ridge regression.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ridge {
    /// Penalty α, in squared units of the columns; 0 gives least squares.
    pub penalty: f64,
}

impl Default for Ridge {
    /// α = 1.
    fn default() -> Self {
        Self { penalty: 1.0 }
    }
}

impl Ridge {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_linear(
        self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<LinearFit, Error> {
        let valid = self.penalty >= 0.0 && self.penalty.is_finite();
        check_setting("penalty", self.penalty, valid, "at least 0 and finite")?;
        let distinct = Distinct::new(design, target, weights)?;
        Ok(fit_damped(&distinct, self.penalty))
    }
}

impl Regression for Ridge {
    fn name(&self) -> &'static str {
        "ridge"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("penalty", Slot::Number(&mut self.penalty))]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_linear(design, target, weights)?))
    }
}
