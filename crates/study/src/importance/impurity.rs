//! Impurity importance (mean decrease in impurity): each column's share of the impurity decrease in fits on all rows,
//! as in the literature, with its variability over resampled shapes. The report and `study importance` both use this
//! module, so they agree.

use super::Importance;
use crate::design::{Design, check_input};
use crate::error::Error;
use crate::groups::Groups;
use crate::regression::Regression;
use crate::statistics::{GroupBootstrap, mean, percentile_interval, resample};

/// Number of fits for one set of importances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Number of fits on all rows, with different seeds, whose shares are averaged.
    pub forests: u64,
    /// Number of bootstrap draws of shapes, with one fit each.
    pub draws: usize,
}

impl Effort {
    /// For tables with few distinct rows: structure columns only.
    pub const MANY: Self = Self {
        forests: 5,
        draws: 40,
    };
    /// For tables where nearly every row is distinct: with dates, or scores as features.
    pub const FEW: Self = Self { forests: 1, draws: 0 };

    /// The effort for a feature set, by its name.
    pub fn of_set(set: &str) -> Self {
        if set.starts_with("core") {
            Self::MANY
        } else {
            Self::FEW
        }
    }
}

/// The rows and the method.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The method; it must be made of trees.
    pub regression: &'a dyn Regression,
    /// The features.
    pub design: &'a Design,
    /// Target values, `(n_rows,)`.
    pub target: &'a [f64],
    /// Shape of each row.
    pub shape: &'a Groups,
}

/// Impurity importances with their bootstrap draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Impurity {
    /// One per column: the mean over fits on all rows, and as interval the central 95 % over draws of shapes.
    pub columns: Vec<Importance>,
    /// Shares in each draw of shapes, `(n_draws, n_features)`; empty with fewer than five shapes.
    pub drawn: Vec<Vec<f64>>,
}

/// Computes the impurity importance of every column.
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
    /// Shares in fits on all rows, averaged over the fits.
    pub(crate) fn on_all_rows(&self, forests: u64, seed: u64) -> Result<Vec<f64>, Error> {
        let fits: Vec<Vec<f64>> = (seed..seed + forests.max(1))
            .map(|seed| self.shares(self.design, self.target, None, seed))
            .collect::<Result<_, _>>()?;
        Ok((0..self.design.n_features())
            .map(|place| mean(&fits.iter().map(|fit| fit[place]).collect::<Vec<_>>()))
            .collect())
    }

    /// Shares in draws of shapes with replacement; empty with fewer than five shapes.
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
