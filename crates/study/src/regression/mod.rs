//! Regression methods: a [`Regression`] holds settings and is fitted to give a [`Fit`], which predicts.
//!
//! Every method fits the distinct rows of a table with their weights (`distinct`), as there are few structures and many
//! rows. This is exact, and makes each fit independent of the order of the rows.
//!
//! A method that is missing from the list in `methods!` is unused code and fails the build.
#![deny(dead_code)]

mod boosting;
mod decision_tree;
mod distinct;
mod forest;
mod knn;
mod lasso;
mod linear;
mod mlp;
mod ridge;
mod saved;
mod scale;
mod settings;
mod structural;
mod svr;
mod tree;

use crate::design::Design;
use crate::error::Error;

pub use boosting::BoostingFit;
pub use decision_tree::DecisionTreeFit;
pub(crate) use distinct::distinct_rows;
pub use forest::RandomForestFit;
pub use knn::NearestNeighboursFit;
pub use linear::LinearFit;
pub use mlp::PerceptronFit;
pub use saved::{AnyFit, SavedFit, VERSION};
pub use settings::{Slot, names, with_settings};
pub use structural::{Attribution, Novelty, Posterior, Prediction, Scales, Structural, StructuralFit};
pub use svr::SupportVectorFit;
pub use tree::{Ensemble, Node, Tree};

/// A regression method with its settings, not yet fitted.
pub trait Regression: Send + Sync {
    /// The name used in finding ids: `random_forest`, `linear` …
    fn name(&self) -> &'static str;

    /// Whether the fits are made of trees, so that [`Fit::ensemble`] and [`Fit::impurity_shares`] return a value.
    fn is_of_trees(&self) -> bool {
        false
    }

    /// The settings that can be changed, by name.
    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        Vec::new()
    }

    /// Fits `target`, `(n_rows,)`, on `design`; a row of weight 2 counts as two rows.
    ///
    /// # Errors
    /// - [`Error::NoRows`], [`Error::LengthMismatch`], [`Error::NotFinite`], [`Error::NegativeWeight`],
    ///   [`Error::NoWeight`] for unusable input.
    /// - [`Error::BadSetting`] for unusable settings.
    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<Box<dyn Fit>, Error>;
}

/// A fitted model.
pub trait Fit: Send + Sync {
    /// Predictions in the target's unit, `(n_rows,)`.
    ///
    /// # Errors
    /// [`Error::ColumnsDiffer`] if the design's columns are not those of the fit, in the same order.
    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error>;

    /// Columns used for prediction, in order.
    fn names(&self) -> &[String];

    /// The fit as plain data, to be saved; `None` where it cannot be saved.
    fn keep(&self) -> Option<AnyFit>;

    /// Whether the parts of the fit are consistent, so that one read from a file can predict without failing or
    /// looping.
    fn is_sound(&self) -> bool {
        self.ensemble().is_some_and(saved::trees_are_sound)
    }

    /// Share of each column in the impurity decrease; `None` for fits that are not made of trees.
    fn impurity_shares(&self) -> Option<Vec<f64>> {
        None
    }

    /// The trees; `None` for fits that are not made of trees.
    fn ensemble(&self) -> Option<&Ensemble> {
        None
    }
}

macro_rules! methods {
    ($($file:ident::$method:ident;)*) => {
        $(pub use $file::$method;)*

        /// Every method with default settings, in the order of the paper's table.
        pub fn all() -> Vec<Box<dyn Regression>> {
            vec![$(Box::<$method>::default()),*]
        }
    };
}

methods! {
    forest::RandomForest;
    linear::Linear;
    decision_tree::DecisionTree;
    svr::SupportVector;
    ridge::Ridge;
    lasso::Lasso;
    knn::NearestNeighbours;
    boosting::GradientBoosting;
    boosting::XgBoost;
    mlp::Perceptron;
}

/// The method of this name with default settings, including `structural`, which needs columns of its own.
pub fn from_name(name: &str) -> Option<Box<dyn Regression>> {
    if name == "structural" {
        return Some(Box::new(Structural::default()));
    }
    all().into_iter().find(|r| r.name() == name)
}

fn check_setting(name: &'static str, value: f64, valid: bool, must: &'static str) -> Result<(), Error> {
    if valid {
        return Ok(());
    }
    Err(Error::BadSetting { name, value, must })
}

/// Checks that a design has exactly the columns of the fit.
fn check_columns(fitted: &[String], design: &Design) -> Result<(), Error> {
    if fitted == design.names() {
        return Ok(());
    }
    Err(Error::ColumnsDiffer {
        fitted: fitted.to_vec(),
        given: design.names().to_vec(),
    })
}
