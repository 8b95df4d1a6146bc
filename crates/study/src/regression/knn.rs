//! k-nearest neighbours: the mean of the k nearest rows, with all rows tied at the k-th distance included.
//!
//! Most rows have equals, so the order of the table would decide which of the tied rows are the k nearest; here every
//! row as near as the k-th counts. Euclidean distance on raw columns, as scikit-learn's `KNeighborsRegressor` (tested
//! against `kNN_tie_mean`, its variant with ties averaged).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::distinct::{Distinct, predict_distinct};
use super::{Fit, Regression, Slot, check_columns, check_setting};
use crate::design::Design;
use crate::error::Error;

/// Settings of nearest neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NearestNeighbours {
    /// Number of neighbours k; all rows where there are fewer.
    pub neighbours: usize,
}

impl Default for NearestNeighbours {
    /// 5 neighbours.
    fn default() -> Self {
        Self { neighbours: 5 }
    }
}

/// Squared distances within this ratio count as equal: 6.86 − 6.85 and 6.87 − 6.86 differ by rounding only.
const TIE: f64 = 1.0 + 2e-12;

/// The distinct training rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NearestNeighboursFit {
    names: Vec<String>,
    neighbours: f64,
    /// `(n_features, n_distinct)`.
    columns: Vec<Vec<f64>>,
    weight: Vec<f64>,
    mean: Vec<f64>,
}

impl Regression for NearestNeighbours {
    fn name(&self) -> &'static str {
        "knn"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![("neighbours", Slot::Whole(&mut self.neighbours))]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        let k = self.neighbours as f64;
        check_setting("neighbours", k, k >= 1.0, "at least 1")?;
        let distinct = Distinct::new(design, target, weights)?;
        let column = |f: usize| {
            (0..distinct.len())
                .map(|g| distinct.value(f, g))
                .collect::<Vec<f64>>()
        };
        Ok(Box::new(NearestNeighboursFit {
            neighbours: k,
            columns: (0..distinct.n_features()).map(column).collect(),
            weight: distinct.total_weight,
            mean: distinct.mean,
            names: distinct.names,
        }))
    }
}

impl NearestNeighboursFit {
    fn predict_one(&self, at: &[f64], distance: &mut Vec<(f64, u32)>) -> f64 {
        let mut squared = vec![0.0; self.mean.len()];
        for (column, x) in self.columns.iter().zip(at) {
            for (s, value) in squared.iter_mut().zip(column) {
                *s += (value - x) * (value - x);
            }
        }
        distance.clear();
        distance.extend(squared.into_iter().zip(0..));
        // Of the distinct rows at most k are nearer than the k-th row, as a row of weight two counts as two.
        let few = (self.neighbours as usize).min(distance.len()) - 1;
        let nearer = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0);
        let far = distance.select_nth_unstable_by(few, nearer).1.0 * TIE;
        let mut near: Vec<(f64, u32)> = distance.iter().copied().filter(|d| d.0 <= far).collect();
        near.sort_by(|a, b| nearer(a, b).then(a.1.cmp(&b.1)));
        let mut within = 0.0;
        let mut last = far;
        for &(d, g) in &near {
            within += self.weight[g as usize];
            if within >= self.neighbours {
                last = d * TIE;
                break;
            }
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for &(_, g) in near.iter().take_while(|d| d.0 <= last) {
            sum += self.weight[g as usize] * self.mean[g as usize];
            weight += self.weight[g as usize];
        }
        sum / weight
    }
}

impl Fit for NearestNeighboursFit {
    fn is_sound(&self) -> bool {
        let n = self.mean.len();
        let columns = self.columns.iter().all(|c| c.len() == n);
        n > 0
            && columns
            && self.weight.len() == n
            && self.columns.len() == self.names.len()
            && self.neighbours >= 1.0
    }

    fn names(&self) -> &[String] {
        &self.names
    }

    fn keep(&self) -> Option<super::AnyFit> {
        Some(super::AnyFit::Neighbours(self.clone()))
    }

    fn predict(&self, design: &Design) -> Result<Vec<f64>, Error> {
        check_columns(&self.names, design)?;
        Ok(predict_distinct(design, |rows| {
            let one = |r: usize| self.predict_one(&rows.row(r), &mut Vec::new());
            (0..rows.n_rows()).into_par_iter().map(one).collect()
        }))
    }
}
