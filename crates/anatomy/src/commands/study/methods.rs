//! The methods by name, with the literature's settings.

use anyhow::{Result, bail};
use study::Regression;
use study::regression::{
    DecisionTree, GradientBoosting, Lasso, Linear, NearestNeighbours, RandomForest, Ridge,
    SupportVector, XgBoost,
};

/// Every method, in the order of the literature's table.
pub(super) const NAMES: [&str; 9] = [
    "random_forest",
    "linear",
    "decision_tree",
    "svr",
    "ridge",
    "lasso",
    "knn",
    "gradient_boosting",
    "xgboost",
];

/// The method of that name.
pub(super) fn method(name: &str) -> Result<Box<dyn Regression>> {
    Ok(match name {
        "random_forest" => Box::new(RandomForest::default()),
        "linear" => Box::new(Linear),
        "decision_tree" => Box::new(DecisionTree::default()),
        "svr" => Box::new(SupportVector::default()),
        "ridge" => Box::new(Ridge::default()),
        "lasso" => Box::new(Lasso::default()),
        "knn" => Box::new(NearestNeighbours::default()),
        "gradient_boosting" => Box::new(GradientBoosting::default()),
        "xgboost" => Box::new(XgBoost::default()),
        _ => bail!("no method named `{name}`; there are {}", NAMES.join(", ")),
    })
}
