//! Regressions: settings that fit, fits that predict.
//!
//! Every method here fits the distinct rows of a table with their weights (`distinct`): few structures, many rows,
//! so most rows equal another. That is exact, and makes each fit independent of the order of the rows.
//!
//! A method that is in no list would be asked by nobody, and does not compile.
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

/// Settings of a method, unfitted.
pub trait Regression: Send + Sync {
    /// The name inside finding ids: `random_forest`, `linear` …
    fn name(&self) -> &'static str;

    /// Whether its fits are made of trees: [`Fit::ensemble`] and [`Fit::impurity_shares`] are there.
    fn is_of_trees(&self) -> bool {
        false
    }

    /// What can be set, by name.
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

/// A fitted result.
pub trait Fit: Send + Sync {
    /// Predictions in the target's unit, `(n_rows,)`.
    ///
    /// # Errors
    /// [`Error::ColumnsDiffer`] if the design's columns are not those of the fit, in the same order.
    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error>;

    /// Columns that it predicts from, in their order.
    fn names(&self) -> &[String];

    /// The fit as plain data, to be saved; none where it is none.
    fn keep(&self) -> Option<AnyFit>;

    /// Whether its parts fit together, so that one read from a file predicts and ends.
    fn is_sound(&self) -> bool {
        self.ensemble().is_some_and(saved::trees_are_sound)
    }

    /// Share of each column in the impurity decrease, of fits that are made of trees.
    fn impurity_shares(&self) -> Option<Vec<f64>> {
        None
    }

    /// The trees, of fits that are made of trees.
    fn ensemble(&self) -> Option<&Ensemble> {
        None
    }
}

macro_rules! methods {
    ($($file:ident::$method:ident;)*) => {
        $(pub use $file::$method;)*

        /// Every method with its defaults, in the order of the literature's table.
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

/// The method of that name, with its defaults; `structural`, which needs columns of its own, too.
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

/// A fit predicts from the columns it was fitted on, nothing else.
fn check_columns(fitted: &[String], design: &Design) -> Result<(), Error> {
    if fitted == design.names() {
        return Ok(());
    }
    Err(Error::ColumnsDiffer {
        fitted: fitted.to_vec(),
        given: design.names().to_vec(),
    })
}
