#![doc = include_str!("../../../../../docs/structural.md")]

mod features;
mod posterior;
mod process;
mod shapley;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distinct::predict_distinct;
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;

pub(crate) use features::Features;
pub use posterior::{Novelty, Posterior, Prediction};
pub use process::Scales;
pub(crate) use process::{Cells, Process};
pub use shapley::Attribution;

/// Settings of the structural regression.
#[derive(Debug, Clone, PartialEq)]
pub struct Structural {
    /// Starting values of the search for length scales and variances.
    pub start: Scales,
    /// Decrease in error, as a share of the target's variance, required for moving the logarithm of a scale by one from
    /// its start.
    pub inertia: f64,
    /// Rounds of the search over all scales; 0 keeps the starting values.
    pub rounds: usize,
}

impl Default for Structural {
    /// Length scales of e² in size, e in the other ratios and 2 years; a tenth of the variance between shapes and half
    /// within; no search, as its choices predicted worse than the starting values.
    fn default() -> Self {
        Self {
            start: Scales::default(),
            inertia: 0.003,
            rounds: 0,
        }
    }
}

/// A fitted structural regression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StructuralFit {
    names: Vec<String>,
    features: Features,
    process: Process,
}

impl StructuralFit {
    /// The scales used by the fit.
    pub fn scales(&self) -> &Scales {
        &self.process.scales
    }

    /// Names of the derived features.
    pub fn feature_names(&self) -> &[String] {
        &self.features.names
    }
}

impl Structural {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// - As [`Regression::fit`].
    /// - [`Error::UnknownColumn`] without `layers`, `d_model`, `d_ffn` and `heads`.
    /// - [`Error::CannotCompute`] if one of these is not above zero.
    pub fn fit_structural(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<StructuralFit, Error> {
        let valid = self.inertia >= 0.0 && self.inertia.is_finite();
        check_setting("inertia", self.inertia, valid, "at least 0 and finite")?;
        crate::design::check_input(design, target, weights)?;
        let features = Features::new(design)?;
        let derived = features.derive(design)?;
        let cells = Cells::new(&derived, target, weights)?;
        let process = process::fit(&cells, &features, self)?;
        Ok(StructuralFit {
            names: design.names().to_vec(),
            features,
            process,
        })
    }
}

impl Regression for Structural {
    fn name(&self) -> &'static str {
        "structural"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("inertia", Slot::Number(&mut self.inertia)),
            ("rounds", Slot::Whole(&mut self.rounds)),
        ]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_structural(design, target, weights)?))
    }
}

impl Fit for StructuralFit {
    fn is_sound(&self) -> bool {
        let columns: Vec<usize> = self.features.sources();
        columns.iter().all(|&c| c < self.names.len()) && self.process.is_sound(self.features.names.len())
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.names, design)?;
        if design.n_rows() == 0 {
            return Ok(Vec::new());
        }
        let derived = self.features.derive(design)?;
        Ok(predict_distinct(&derived, |rows| {
            let one = |r: usize| {
                self.process.predict(
                    &rows.row(r)[features::SHAPE.len()..],
                    &rows.row(r)[..features::SHAPE.len()],
                )
            };
            (0..rows.n_rows()).into_par_iter().map(one).collect()
        }))
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Structural(self.clone()))
    }
}

#[cfg(test)]
mod tests;
