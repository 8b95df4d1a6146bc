//! Columns of very different units, prepared for least squares: scaled to unit length and decomposed.

use crate::error::Error;
use crate::svd::Svd;

/// If the smallest singular value is below this share of the largest, columns are collinear.
const COLLINEAR: f64 = 1e-10;

/// Columns scaled to unit length, their former lengths, and their singular value decomposition.
pub(super) struct Scaled {
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) lengths: Vec<f64>,
    pub(super) svd: Svd,
}

impl Scaled {
    /// Scales and decomposes columns, `(n_columns, n_rows)`; `method` is the caller's name in errors.
    ///
    /// # Errors
    /// [`Error::CannotCompute`] for collinear columns.
    pub(super) fn of(columns: &[Vec<f64>], method: &'static str) -> Result<Self, Error> {
        let length = |column: &Vec<f64>| column.iter().map(|x| x * x).sum::<f64>().sqrt();
        let lengths: Vec<f64> = columns
            .iter()
            .map(|column| length(column).max(f64::MIN_POSITIVE))
            .collect();
        let columns: Vec<Vec<f64>> = columns
            .iter()
            .zip(&lengths)
            .map(|(column, length)| column.iter().map(|x| x / length).collect())
            .collect();
        let svd = Svd::new(&columns);
        let is_small = |last: &f64| *last < COLLINEAR * svd.singular[0];
        if svd.singular.last().is_none_or(is_small) {
            return Err(Error::CannotCompute {
                method,
                problem: format!("the {} columns are collinear", columns.len()),
            });
        }
        Ok(Self {
            columns,
            lengths,
            svd,
        })
    }
}
