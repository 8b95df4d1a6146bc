//! Principal components of a correlation matrix, and how many of them are more than noise.
//!
//! Parallel analysis (Horn 1965, <https://doi.org/10.1007/BF02289447>): a component is retained while its eigenvalue
//! exceeds the 95 % quantile of the same eigenvalue when all columns are permuted independently.

use rayon::prelude::*;

use super::{average_ranks, quantile};
use crate::random::Random;
use crate::svd::Svd;

/// Eigenvalues and eigenvectors of a correlation matrix.
#[derive(Debug, Clone, PartialEq)]
pub struct Components {
    /// Descending; they sum to the number of columns.
    pub eigenvalues: Vec<f64>,
    /// `(n_components, n_columns)`, of unit length; signs are chosen so that the entries sum to at least zero.
    pub vectors: Vec<Vec<f64>>,
}

/// The principal components of a correlation matrix, `(n_columns, n_columns)`.
pub fn components(correlation: &[Vec<f64>]) -> Components {
    // For a positive semidefinite matrix the singular vectors are the eigenvectors.
    let svd = Svd::new(correlation);
    let upright = |vector: Vec<f64>| {
        let sign = if vector.iter().sum::<f64>() < 0.0 {
            -1.0
        } else {
            1.0
        };
        vector.into_iter().map(|entry| sign * entry).collect()
    };
    Components {
        eigenvalues: svd.singular,
        vectors: svd.right.into_iter().map(upright).collect(),
    }
}

/// The 95 % quantile of each eigenvalue of the rank correlation matrix of independently permuted columns.
///
/// # Shapes and units
/// - `columns`: `(n_columns, n_rows)`; result `(n_columns,)`, descending.
pub fn parallel_analysis(columns: &[Vec<f64>], shuffles: usize, seed: u64) -> Vec<f64> {
    let ranks: Vec<Vec<f64>> = columns.iter().map(|column| average_ranks(column)).collect();
    let one = |shuffle: usize| {
        let mut random = Random::new(seed, shuffle as u64 + 1);
        let shuffled: Vec<Vec<f64>> = ranks
            .iter()
            .map(|column| {
                let mut column = column.clone();
                random.shuffle(&mut column);
                column
            })
            .collect();
        let row = |a: &Vec<f64>| shuffled.iter().map(|b| super::pearson(a, b).value).collect();
        components(&shuffled.iter().map(row).collect::<Vec<Vec<f64>>>()).eigenvalues
    };
    let all: Vec<Vec<f64>> = (0..shuffles).into_par_iter().map(one).collect();
    (0..columns.len())
        .map(|place| {
            let values: Vec<f64> = all.iter().map(|eigenvalues| eigenvalues[place]).collect();
            quantile(&values, 0.95)
        })
        .collect()
}
