//! Ordinary least squares with heteroscedasticity-consistent (HC3) standard errors.
//!
//! HC3 of `MacKinnon` and White 1985 (<https://doi.org/10.1016/0304-4076(85)90158-7>): (X'X)⁻¹ X' diag(e²/(1−h)²) X
//! (X'X)⁻¹, the one of the four estimators that is valid in samples of twenty (Long and Ervin 2000,
//! <https://doi.org/10.1080/00031305.2000.10474549>). Tests and intervals by Student's t with n − p degrees of freedom,
//! as in statsmodels with `cov_type="HC3", use_t=True`.

use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::error::Error;
use crate::finding::Interval;
use crate::statistics::scaled::Scaled;

/// Name of the method in errors.
const METHOD: &str = "least squares";

/// Columns on which several targets are regressed.
#[derive(Debug, Clone)]
pub struct LinearDesign {
    columns: Vec<Vec<f64>>,
    /// (X'X)⁻¹ X', one row per column.
    pseudo: Vec<Vec<f64>>,
    /// (X'X)⁻¹.
    pub bread: Vec<Vec<f64>>,
    /// Leverages, the diagonal of the hat matrix, `(n_rows,)`.
    pub leverage: Vec<f64>,
}

/// The regression of one target.
#[derive(Debug, Clone, PartialEq)]
pub struct RobustFit {
    /// One per column.
    pub coefficients: Vec<f64>,
    /// HC3 covariance of the coefficients.
    pub robust: Vec<Vec<f64>>,
    /// Covariance of the coefficients under homoscedastic errors.
    pub classical: Vec<Vec<f64>>,
    /// Target minus fitted values, `(n_rows,)`.
    pub residuals: Vec<f64>,
    /// Residual degrees of freedom: rows minus columns.
    pub df: f64,
}

impl LinearDesign {
    /// Prepares columns (give a column of ones for an intercept), `(n_columns, n_rows)`.
    ///
    /// # Errors
    /// [`Error::CannotCompute`] if there are no more rows than columns, or columns are collinear.
    pub fn new(columns: &[Vec<f64>]) -> Result<Self, Error> {
        let (k, n) = (columns.len(), columns.first().map_or(0, Vec::len));
        if n <= k || k == 0 {
            return Err(Error::CannotCompute {
                method: METHOD,
                problem: format!("{n} rows for {k} columns"),
            });
        }
        let Scaled { lengths, svd, .. } = Scaled::of(columns, METHOD)?;
        let mut pseudo = vec![vec![0.0; n]; k];
        let mut bread = vec![vec![0.0; k]; k];
        let mut leverage = vec![0.0; n];
        for (component, &singular) in svd.singular.iter().enumerate() {
            let (left, right) = (&svd.left[component], &svd.right[component]);
            for (h, u) in leverage.iter_mut().zip(left) {
                *h += u * u;
            }
            for i in 0..k {
                let share = right[i] / (singular * lengths[i]);
                for (p, u) in pseudo[i].iter_mut().zip(left) {
                    *p += share * u;
                }
                for j in 0..k {
                    bread[i][j] += share * right[j] / (singular * lengths[j]);
                }
            }
        }
        Ok(Self {
            columns: columns.to_vec(),
            pseudo,
            bread,
            leverage,
        })
    }

    /// Regresses a target, `(n_rows,)`, on the columns.
    pub fn fit(&self, target: &[f64]) -> RobustFit {
        let (k, n) = (self.columns.len(), target.len());
        let coefficients: Vec<f64> = self.pseudo.iter().map(|row| dot(row, target)).collect();
        let residuals: Vec<f64> = (0..n)
            .map(|row| {
                target[row]
                    - (0..k)
                        .map(|j| self.columns[j][row] * coefficients[j])
                        .sum::<f64>()
            })
            .collect();
        let df = n as f64 - k as f64;
        let variance = dot(&residuals, &residuals) / df;
        let weights: Vec<f64> = residuals
            .iter()
            .zip(&self.leverage)
            .map(|(e, h)| (e / (1.0 - h)).powi(2))
            .collect();
        let robust = (0..k)
            .map(|i| {
                (0..k)
                    .map(|j| {
                        (0..n)
                            .map(|row| self.pseudo[i][row] * weights[row] * self.pseudo[j][row])
                            .sum()
                    })
                    .collect()
            })
            .collect();
        let classical = self
            .bread
            .iter()
            .map(|row| row.iter().map(|cell| variance * cell).collect())
            .collect();
        RobustFit {
            coefficients,
            robust,
            classical,
            residuals,
            df,
        }
    }

    /// Residuals of a target, `(n_rows,)`.
    pub fn residual(&self, target: &[f64]) -> Vec<f64> {
        let coefficients: Vec<f64> = self.pseudo.iter().map(|row| dot(row, target)).collect();
        (0..target.len())
            .map(|row| {
                let fitted: f64 = self
                    .columns
                    .iter()
                    .zip(&coefficients)
                    .map(|(column, b)| column[row] * b)
                    .sum();
                target[row] - fitted
            })
            .collect()
    }
}

impl RobustFit {
    /// HC3 standard error of a coefficient.
    pub fn error(&self, place: usize) -> f64 {
        self.robust[place][place].max(0.0).sqrt()
    }

    /// Interval of a coefficient, by HC3 and Student's t.
    pub fn interval(&self, place: usize, level: f64) -> Option<Interval> {
        interval(
            self.coefficients[place],
            self.error(place),
            self.df,
            level,
            format!("HC3, t with {} degrees of freedom", self.df),
        )
    }

    /// The smallest true effect that a two-sided test at 5 % detects with a power of 80 %.
    pub fn detectable(&self, place: usize) -> f64 {
        detectable(self.error(place), self.df)
    }
}

/// Interval of an estimate with a standard error, by Student's t; `None` where the standard error is not usable.
pub(crate) fn interval(value: f64, error: f64, df: f64, level: f64, method: String) -> Option<Interval> {
    let law = StudentsT::new(0.0, 1.0, df).ok()?;
    let half = law.inverse_cdf(0.5 + level / 2.0) * error;
    (error > 0.0 && half.is_finite()).then_some(Interval {
        low: value - half,
        high: value + half,
        level,
        method,
    })
}

/// The smallest true effect that a two-sided test at 5 % detects with a power of 80 %.
pub(crate) fn detectable(error: f64, df: f64) -> f64 {
    StudentsT::new(0.0, 1.0, df).map_or(f64::NAN, |law| {
        (law.inverse_cdf(0.975) + law.inverse_cdf(0.8)) * error
    })
}

/// Σ a b.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}
