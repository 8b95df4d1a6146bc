//! Computes what `anatomy catalog keep` stores: every benchmark's fit, with the predictions for recommendations.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::*;

use super::Predictor;
use super::kept::{Fits, KeptFit};
use super::recommend::designs;

/// Fits every benchmark that has enough shapes to be predicted.
///
/// # Errors
/// Those of the fits.
pub(crate) fn made(predictor: &Predictor) -> Result<Fits> {
    let predicted: Vec<_> = predictor
        .benchmarks
        .iter()
        .filter(|benchmark| benchmark.is_predicted())
        .collect();
    let rows = designs(&predictor.catalog, &predicted);
    let made: Vec<Result<KeptFit>> = predicted
        .par_iter()
        .zip(&rows)
        .map(|(benchmark, designs)| benchmark.keep(predictor.seed, designs))
        .collect();
    let mut fits = BTreeMap::new();
    for (benchmark, kept) in predicted.iter().zip(made) {
        fits.insert(benchmark.name.clone(), kept?);
    }
    Ok(Fits::of(&predictor.catalog, predictor.seed, fits))
}
