//! Lasso: Σ w (y − b − xᵀβ)² / 2Σw + penalty · Σ|β| (Tibshirani 1996), by coordinate descent on the Gram matrix
//! (Friedman, Hastie and Tibshirani 2010, <https://doi.org/10.18637/jss.v033.i01>).
//!
//! Iteration stops where scikit-learn's `Lasso` stops, at the same duality gap and with the same safe screening, since
//! on correlated columns the result depends on the stopping point. Residuals are never computed: with few columns a
//! sweep costs p², not n·p.

use super::distinct::Distinct;
use super::linear::{Centered, LinearFit};
use super::{Fit, Regression, Slot, check_setting};
use crate::design::Design;
use crate::error::Error;

/// Settings of the lasso.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lasso {
    /// Penalty α, in the target's unit times the columns'.
    pub penalty: f64,
    /// Maximum number of sweeps over the columns.
    pub max_sweeps: usize,
    /// Duality gap at which to stop, as a share of Σ w (y − ȳ)².
    pub tolerance: f64,
}

impl Default for Lasso {
    /// α = 0.1, 1,000 sweeps, gap 1e-4.
    fn default() -> Self {
        Self {
            penalty: 0.1,
            max_sweeps: 1000,
            tolerance: 1e-4,
        }
    }
}

impl Lasso {
    /// As [`Regression::fit`], but returns the concrete type.
    ///
    /// # Errors
    /// As [`Regression::fit`].
    pub fn fit_linear(
        self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<LinearFit, Error> {
        let finite = |x: f64| x >= 0.0 && x.is_finite();
        check_setting(
            "penalty",
            self.penalty,
            finite(self.penalty),
            "at least 0 and finite",
        )?;
        let valid = finite(self.tolerance);
        check_setting("tolerance", self.tolerance, valid, "at least 0 and finite")?;
        let distinct = Distinct::new(design, target, weights)?;
        let centered = Centered::new(&distinct);
        let total: f64 = distinct.weight.iter().sum();
        let rows = distinct.target.iter().zip(&distinct.weight);
        let squares = rows.map(|(y, w)| w * (y - distinct.grand_mean).powi(2)).sum();
        let problem = Problem::new(&centered, squares, self.penalty * total);
        let slopes = problem.descend(self.max_sweeps, self.tolerance);
        Ok(LinearFit {
            names: distinct.names.clone(),
            center: distinct.grand_mean,
            means: centered.means,
            slopes,
        })
    }
}

/// Sufficient statistics of the rows for coordinate descent.
struct Problem {
    /// Gram matrix of the columns, `XᵀX`.
    gram: Vec<Vec<f64>>,
    /// Xᵀy.
    along: Vec<f64>,
    /// yᵀy.
    squares: f64,
    penalty: f64,
}

impl Problem {
    fn new(centered: &Centered, squares: f64, penalty: f64) -> Self {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let columns = &centered.columns;
        let gram_row = |a: &Vec<f64>| columns.iter().map(|b| dot(a, b)).collect();
        Self {
            gram: columns.iter().map(gram_row).collect(),
            along: columns.iter().map(|c| dot(c, &centered.target)).collect(),
            squares,
            penalty,
        }
    }

    fn descend(&self, max_sweeps: usize, tolerance: f64) -> Vec<f64> {
        let p = self.along.len();
        let enough = tolerance * self.squares;
        let mut slopes = vec![0.0; p];
        // Gradient Xᵀ(y − Xβ).
        let mut left_over = self.along.clone();
        let mut active: Vec<usize> = (0..p).filter(|&j| self.gram[j][j] > 0.0).collect();
        let gap = self.gap(&slopes, &left_over);
        if gap <= enough {
            return slopes;
        }
        self.screen(gap, &mut active, &mut slopes, &mut left_over);
        for sweep in 0..max_sweeps {
            let (mut largest, mut largest_step) = (0.0_f64, 0.0_f64);
            for &j in &active {
                let before = slopes[j];
                let pull = left_over[j] + before * self.gram[j][j];
                let after = pull.signum() * (pull.abs() - self.penalty).max(0.0) / self.gram[j][j];
                self.step(j, after - before, &mut slopes, &mut left_over);
                slopes[j] = after;
                largest_step = largest_step.max((after - before).abs());
                largest = largest.max(after.abs());
            }
            let still = largest == 0.0 || largest_step / largest <= tolerance;
            if still || sweep + 1 == max_sweeps {
                let gap = self.gap(&slopes, &left_over);
                if gap <= enough {
                    break;
                }
                self.screen(gap, &mut active, &mut slopes, &mut left_over);
            }
        }
        slopes
    }

    fn step(&self, j: usize, step: f64, slopes: &mut [f64], left_over: &mut [f64]) {
        if step != 0.0 {
            slopes[j] += step;
            for (l, g) in left_over.iter_mut().zip(&self.gram[j]) {
                *l -= step * g;
            }
        }
    }

    /// Primal minus dual objective, for the dual point along the residual.
    fn gap(&self, slopes: &[f64], left_over: &[f64]) -> f64 {
        let dot = |a: &[f64]| a.iter().zip(slopes).map(|(x, b)| x * b).sum::<f64>();
        let residual_y = self.squares - dot(&self.along);
        let residual_squares = residual_y - dot(left_over);
        let lengths: f64 = slopes.iter().map(|b| b.abs()).sum();
        let steepest = left_over.iter().fold(0.0_f64, |m, l| m.max(l.abs()));
        let shrink = (self.penalty / steepest.max(f64::MIN_POSITIVE)).min(1.0);
        0.5 * residual_squares * (1.0 + shrink * shrink) + self.penalty * lengths - shrink * residual_y
    }

    /// Removes columns whose slope is proved to be 0 by the gap (Fercoq, Gramfort and Salmon 2015).
    fn screen(&self, gap: f64, active: &mut Vec<usize>, slopes: &mut [f64], left_over: &mut [f64]) {
        if self.penalty == 0.0 {
            return;
        }
        let steepest = left_over.iter().fold(0.0_f64, |m, l| m.max(l.abs()));
        let at_dual = left_over.to_vec();
        active.retain(|&j| {
            let along = at_dual[j].abs() / self.penalty.max(steepest);
            let keep = (1.0 - along) / self.gram[j][j].sqrt() <= (2.0 * gap).sqrt() / self.penalty;
            if !keep {
                self.step(j, -slopes[j], slopes, left_over);
                slopes[j] = 0.0;
            }
            keep
        });
    }
}

impl Regression for Lasso {
    fn name(&self) -> &'static str {
        "lasso"
    }

    fn settings(&mut self) -> Vec<(&'static str, Slot<'_>)> {
        vec![
            ("penalty", Slot::Number(&mut self.penalty)),
            ("max_sweeps", Slot::Whole(&mut self.max_sweeps)),
            ("tolerance", Slot::Number(&mut self.tolerance)),
        ]
    }

    fn fit(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        _seed: u64,
    ) -> Result<Box<dyn Fit>, Error> {
        Ok(Box::new(self.fit_linear(design, target, weights)?))
    }
}
