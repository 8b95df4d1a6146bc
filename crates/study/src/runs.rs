//! Repeated fits of one method and their mean scores: a single fit's score depends on the split where rows are divided
//! at random, and on the seed of the fit.

use rayon::prelude::*;

use crate::by_group::{ByGroup, by_group};
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups};
use crate::finding::Interval;
use crate::groups::Groups;
use crate::statistics::{mean, standard_deviation};

/// Number of random splits of the rows, one fit each, with consecutive seeds from the study's seed on. Scores vary
/// about ten times more between 80/20 splits than between forests on one split.
pub const SPLITS: u64 = 12;

/// What differs between the runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The random split of the rows, and with it the seed of the fit.
    Splits,
    /// Only the seed of the fit.
    Seeds,
}

impl Over {
    fn name(self) -> &'static str {
        match self {
            Self::Splits => "splits",
            Self::Seeds => "seeds",
        }
    }
}

/// Mean scores of one method over several runs on the same rows.
#[derive(Debug, Clone)]
pub struct Runs {
    /// Number of runs.
    pub n: usize,
    /// What differs between the runs.
    pub over: Over,
    /// Evaluation of the first run, with its predictions.
    pub first: Evaluation,
    /// Pooled R²; NaN where a run has none.
    pub r2: f64,
    /// Standard deviation of the pooled R² over runs; NaN for a single run.
    pub r2_sd: f64,
    /// Interval of R² over shapes, its limits averaged over runs; `None` where a run has none.
    pub interval: Option<Interval>,
    /// Scores of the same predictions with each shape counted once.
    pub by_shape: ByGroup,
    /// Mean of the folds' R².
    pub r2_mean_of_folds: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
}

impl Runs {
    /// Averages runs on the same rows; each run comes with the seed of its bootstrap.
    ///
    /// # Errors
    /// [`Error::NoRows`] if there are no runs; otherwise as [`bootstrap_r2_over_groups`].
    pub fn of(
        mut runs: Vec<(Evaluation, u64)>,
        over: Over,
        target: &[f64],
        shape: &Groups,
        resamples: usize,
    ) -> Result<Self, Error> {
        type Told = (Option<Interval>, ByGroup);
        let told: Vec<Told> = runs
            .par_iter()
            .map(|(run, seed)| {
                let interval =
                    bootstrap_r2_over_groups(target, &run.predictions, shape, resamples, 0.95, *seed)?;
                let by_shape = by_group(target, &run.predictions, shape, resamples, 0.95, *seed)?;
                Ok((interval, by_shape))
            })
            .collect::<Result<_, Error>>()?;
        let n = runs.len();
        let r2: Vec<f64> = runs
            .iter()
            .map(|(run, _)| run.r2_pooled.unwrap_or(f64::NAN))
            .collect();
        let mean_of = |pick: &dyn Fn(&Evaluation) -> f64| {
            mean(&runs.iter().map(|(run, _)| pick(run)).collect::<Vec<_>>())
        };
        let all: Option<Vec<&Interval>> = told.iter().map(|(interval, _)| interval.as_ref()).collect();
        let interval = all.and_then(|all| match all.as_slice() {
            [] => None,
            [only] => Some((*only).clone()),
            [first, ..] => Some(Interval {
                low: mean(&all.iter().map(|ends| ends.low).collect::<Vec<_>>()),
                high: mean(&all.iter().map(|ends| ends.high).collect::<Vec<_>>()),
                level: first.level,
                method: format!("{}, mean over {n} {}", first.method, over.name()),
            }),
        });
        let once: Vec<ByGroup> = told.into_iter().map(|(_, by_shape)| by_shape).collect();
        let by_shape = match once.as_slice() {
            [only] => Some(only.clone()),
            all => ByGroup::mean_of(all),
        };
        Ok(Self {
            n,
            over,
            r2: mean(&r2),
            r2_sd: if n > 1 { standard_deviation(&r2) } else { f64::NAN },
            interval,
            by_shape: by_shape.ok_or(Error::NoRows)?,
            r2_mean_of_folds: mean_of(&|run| run.r2_mean_of_folds().unwrap_or(f64::NAN)),
            mae: mean_of(&|run| run.mae),
            rmse: mean_of(&|run| run.rmse),
            first: runs.swap_remove(0).0,
        })
    }

    /// Number and kind of the runs: `12 splits`.
    pub fn name(&self) -> String {
        format!("{} {}", self.n, self.over.name())
    }

    /// What the mean and its standard deviation are over; `None` for a single run.
    pub fn spread_in_words(&self, method: &str) -> Option<String> {
        let what = match self.over {
            Over::Splits => format!("splits of the rows at random, a {method} each"),
            Over::Seeds => format!("seeds of the {method} on the same folds"),
        };
        (self.n > 1).then(|| {
            format!(
                "mean over {} {what}; sd over {} {:.3}",
                self.n,
                self.over.name(),
                self.r2_sd
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(r2: f64) -> Evaluation {
        let target = target();
        // Predictions a share of the way from the mean to the truth leave (1 − share)² of the variance unexplained.
        let share = 1.0 - (1.0 - r2).sqrt();
        let middle = mean(&target);
        Evaluation {
            r2_pooled: Some(r2),
            r2_folds: vec![Some(r2)],
            mae: 1.0 - r2,
            rmse: 2.0 - r2,
            predictions: target
                .iter()
                .map(|y| Some(middle + share * (y - middle)))
                .collect(),
            n_tested: target.len(),
        }
    }

    fn target() -> Vec<f64> {
        (0..40)
            .map(|row| f64::from(row % 8) + f64::from(row / 8))
            .collect()
    }

    #[test]
    fn scores_are_means_and_a_single_run_is_itself() {
        let shape = Groups::from_labels(&(0..40).map(|row| row % 8).collect::<Vec<u32>>());
        let of = |all: &[f64]| {
            let runs = all.iter().zip(7..).map(|(r2, seed)| (run(*r2), seed)).collect();
            Runs::of(runs, Over::Splits, &target(), &shape, 200).expect("scores")
        };
        let many = of(&[0.6, 0.8, 0.7]);
        assert!((many.r2 - 0.7).abs() < 1e-12 && (many.r2_sd - 0.1).abs() < 1e-12);
        assert!((many.mae - 0.3).abs() < 1e-12 && (many.rmse - 1.3).abs() < 1e-12);
        assert_eq!(many.name(), "3 splits");
        let words = many.spread_in_words("fit").expect("a spread");
        assert_eq!(
            words,
            "mean over 3 splits of the rows at random, a fit each; sd over splits 0.100"
        );
        let ends = many.interval.expect("an interval");
        assert!(ends.method.ends_with("mean over 3 splits"), "{}", ends.method);
        let single = |r2: f64, seed| Runs::of(vec![(run(r2), seed)], Over::Splits, &target(), &shape, 200);
        let lows = [(0.6, 7), (0.8, 8), (0.7, 9)].map(|(r2, seed)| {
            let ends = single(r2, seed).expect("scores").interval.expect("an interval");
            assert!(!ends.method.contains("mean over"), "{}", ends.method);
            ends.low
        });
        assert!((ends.low - mean(&lows)).abs() < 1e-12);
        let one = single(0.6, 7).expect("scores");
        assert!(one.r2_sd.is_nan() && one.spread_in_words("fit").is_none());
        assert_eq!(one.first, run(0.6));
        assert!(Runs::of(Vec::new(), Over::Seeds, &target(), &shape, 200).is_err());
    }
}
