//! Columns of very different units, made ready for least squares: scaled to length one and taken apart.

use crate::error::Error;
use crate::svd::Svd;

/// Singular values below this share of the largest are collinear columns.
const COLLINEAR: f64 = 1e-10;

/// Columns of length one, their lengths before, and their singular value decomposition.
pub(super) struct Scaled {
    pub(super) columns: Vec<Vec<f64>>,
    pub(super) lengths: Vec<f64>,
    pub(super) svd: Svd,
}

impl Scaled {
    /// Of columns, `(n_columns, n_rows)`; `method` is what errors call the asker.
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
