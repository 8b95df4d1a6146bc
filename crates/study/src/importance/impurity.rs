//! Impurity importance (MDI): each column's share of the impurity decrease in the fits on all rows, the literature's way, and what
//! other shapes would have said. The report and `study importance` ask it here, so that one question has one number.

use super::Importance;
use crate::design::{Design, check_input};
use crate::error::Error;
use crate::groups::Groups;
use crate::regression::Regression;
use crate::statistics::{GroupBootstrap, mean, percentile_interval, resample};

/// Fits made for one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Fits on all rows whose shares are averaged, each with a seed of its own.
    pub forests: u64,
    /// Draws of shapes with replacement, one fit each.
    pub draws: usize,
}

impl Effort {
    /// Where few distinct rows stand for many: structure columns alone.
    pub const MANY: Self = Self {
        forests: 5,
        draws: 40,
    };
    /// Where nearly every row is its own: dates, or scores that explain.
    pub const FEW: Self = Self { forests: 1, draws: 0 };

    /// What a named set of features is given.
    pub fn of_set(set: &str) -> Self {
        if set.starts_with("core") {
            Self::MANY
        } else {
            Self::FEW
        }
    }
}

/// Rows whose columns are asked about.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// A method made of trees.
    pub regression: &'a dyn Regression,
    /// The features.
    pub design: &'a Design,
    /// `(n_rows,)`.
    pub target: &'a [f64],
    /// Shape of each row.
    pub shape: &'a Groups,
}

/// Impurity importances as they are told.
#[derive(Debug, Clone, PartialEq)]
pub struct Impurity {
    /// One a column: mean of the fits on all rows; the central 95 % over draws of shapes, whose shares are its draws.
    pub columns: Vec<Importance>,
    /// Shares of each draw of shapes, `(n_draws, n_features)`; none with fewer than five shapes.
    pub drawn: Vec<Vec<f64>>,
}

/// Shares of all columns.
///
/// # Errors
/// - [`Error::CannotCompute`] if the method is not made of trees.
/// - As [`crate::evaluate::evaluate`].
pub fn impurity(rows: &Rows<'_>, effort: Effort, seed: u64) -> Result<Impurity, Error> {
    check_input(rows.design, rows.target, None)?;
    let all_rows = rows.on_all_rows(effort.forests, seed)?;
    let drawn = rows.on_drawn_shapes(effort.draws, seed)?;
    let method = format!(
        "bootstrap over {} shapes, {} resamples",
        rows.shape.n_groups(),
        drawn.len()
    );
    let of = |(place, name): (usize, &String)| {
        let draws: Vec<f64> = drawn.iter().map(|shares| shares[place]).collect();
        Importance {
            features: vec![name.clone()],
            value: all_rows[place],
            interval: percentile_interval(&draws, 0.95, method.clone()),
            draws,
        }
    };
    Ok(Impurity {
        columns: rows.design.names().iter().enumerate().map(of).collect(),
        drawn,
    })
}

impl Rows<'_> {
    /// Shares of fits on all rows; mean over the fits.
    pub(crate) fn on_all_rows(&self, forests: u64, seed: u64) -> Result<Vec<f64>, Error> {
        let fits: Vec<Vec<f64>> = (seed..seed + forests.max(1))
            .map(|seed| self.shares(self.design, self.target, None, seed))
            .collect::<Result<_, _>>()?;
        Ok((0..self.design.n_features())
            .map(|place| mean(&fits.iter().map(|fit| fit[place]).collect::<Vec<_>>()))
            .collect())
    }

    /// Shares over draws of shapes with replacement; none with fewer than five shapes.
    fn on_drawn_shapes(&self, draws: usize, seed: u64) -> Result<Vec<Vec<f64>>, Error> {
        let n_groups = self.shape.n_groups();
        if n_groups < 5 {
            return Ok(Vec::new());
        }
        let settings = GroupBootstrap {
            resamples: draws,
            seed,
        };
        let found = resample(n_groups, settings, |draw, drawn| {
            let mut times = vec![0.0; n_groups];
            for &shape in drawn {
                times[shape] += 1.0;
            }
            let kept: Vec<usize> = (0..self.target.len())
                .filter(|&row| times[self.shape.ids()[row]] > 0.0)
                .collect();
            let weights: Vec<f64> = kept.iter().map(|&row| times[self.shape.ids()[row]]).collect();
            let target: Vec<f64> = kept.iter().map(|&row| self.target[row]).collect();
            self.shares(
                &self.design.select(&kept),
                &target,
                Some(&weights),
                seed + draw as u64,
            )
        });
        found.into_iter().collect()
    }

    fn shares(
        &self,
        design: &Design,
        target: &[f64],
        weights: Option<&[f64]>,
        seed: u64,
    ) -> Result<Vec<f64>, Error> {
        let fit = self.regression.fit(design, target, weights, seed)?;
        fit.impurity_shares().ok_or_else(|| Error::CannotCompute {
            method: self.regression.name(),
            problem: "impurity importance needs trees".to_owned(),
        })
    }
}
