//! Fits as plain data with a version, to be saved and read back.
//!
//! Files that are read back are not trusted: [`SavedFit::open`] checks that trees terminate and tables have the right
//! lengths before anything predicts with them. Numbers survive JSON exactly only if the reader parses floats exactly
//! (`serde_json`'s `float_roundtrip`).

use serde::{Deserialize, Serialize};

use super::Fit;
use super::boosting::BoostingFit;
use super::decision_tree::DecisionTreeFit;
use super::forest::RandomForestFit;
use super::knn::NearestNeighboursFit;
use super::linear::LinearFit;
use super::mlp::PerceptronFit;
use super::structural::StructuralFit;
use super::svr::SupportVectorFit;
use super::tree::Ensemble;
use crate::error::Error;

/// Version of the format written here.
pub const VERSION: u32 = 1;

/// A saved fit, with the information needed to read it back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedFit {
    /// [`VERSION`] of the program that wrote the fit.
    pub version: u32,
    /// The method's name: `random_forest` …
    pub method: String,
    /// Target and its unit: `arc (points)` …
    pub target: String,
    /// The fit.
    pub fit: AnyFit,
}

/// Defines the enum of all fits and its conversion to a [`Fit`]; a new kind of fit is one line below.
macro_rules! fits {
    ($($kind:ident($fit:ty), $of:literal;)*) => {
        /// A fit of any method.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[non_exhaustive]
        pub enum AnyFit {
            $(#[doc = $of] $kind($fit),)*
        }

        impl AnyFit {
            fn opened(self) -> Box<dyn Fit> {
                match self {
                    $(Self::$kind(fit) => Box::new(fit),)*
                }
            }
        }
    };
}

fits! {
    Forest(RandomForestFit), "Of [`super::RandomForest`].";
    Tree(DecisionTreeFit), "Of [`super::DecisionTree`].";
    Boosting(BoostingFit), "Of [`super::GradientBoosting`] and [`super::XgBoost`].";
    Linear(LinearFit), "Of [`super::Linear`], [`super::Ridge`] and [`super::Lasso`].";
    Neighbours(NearestNeighboursFit), "Of [`super::NearestNeighbours`].";
    SupportVector(SupportVectorFit), "Of [`super::SupportVector`].";
    Perceptron(PerceptronFit), "Of [`super::Perceptron`].";
    Structural(StructuralFit), "Of [`super::Structural`].";
}

impl SavedFit {
    /// Prepares a fit for saving; `None` where it cannot be saved.
    pub fn new(method: &str, target: &str, fit: &dyn Fit) -> Option<Self> {
        Some(Self {
            version: VERSION,
            method: method.to_owned(),
            target: target.to_owned(),
            fit: fit.keep()?,
        })
    }

    /// Checks and returns the fit.
    ///
    /// # Errors
    /// - [`Error::SavedVersion`] if another version wrote it.
    /// - [`Error::CannotCompute`] if its parts are inconsistent.
    pub fn open(self) -> Result<Box<dyn Fit>, Error> {
        if self.version != VERSION {
            return Err(Error::SavedVersion {
                expected: VERSION,
                found: self.version,
            });
        }
        let fit = self.fit.opened();
        if !fit.is_sound() {
            return Err(Error::CannotCompute {
                method: "saved fit",
                problem: format!("the parts of this `{}` do not fit together", self.method),
            });
        }
        Ok(fit)
    }
}

/// Whether children follow their parents, exist, and split on existing columns, so that every walk terminates.
pub(super) fn trees_are_sound(ensemble: &Ensemble) -> bool {
    ensemble.trees.iter().all(|tree| {
        let n = tree.nodes.len();
        let sound = |(k, node): (usize, &super::Node)| {
            let left = node.left as usize;
            left == 0 || (left > k && left + 1 < n && (node.feature as usize) < ensemble.names.len())
        };
        n > 0 && tree.nodes.iter().enumerate().all(sound)
    })
}
