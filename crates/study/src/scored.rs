//! How well one method predicts one target under one protocol, as findings.

use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups};
use crate::finding::{Finding, SourceOf};
use crate::groups::Groups;
use crate::published::published;

/// Rows of one target under one protocol, and the names they have inside ids.
#[derive(Clone, Copy)]
pub struct Scored<'a> {
    /// Name of the feature set: `core` …
    pub set: &'a str,
    /// Name of the target: `arc` …
    pub target: &'a str,
    /// Name of the protocol that made the folds.
    pub protocol: &'a str,
    /// The features.
    pub design: &'a Design,
    /// `(n_rows,)`.
    pub values: &'a [f64],
    /// Shape of each row.
    pub shape: &'a Groups,
    /// Where the rows come from.
    pub source: &'a SourceOf,
    /// Resamples of the interval.
    pub resamples: usize,
    /// Seed of the fits and of the interval.
    pub seed: u64,
    /// Whether a published figure is of the same rows.
    pub is_published: bool,
}

impl Scored<'_> {
    /// Pooled R² of a method with its interval over shapes: `regression.r2.{set}.{protocol}.{method}.{target}`.
    ///
    /// # Errors
    /// As [`bootstrap_r2_over_groups`].
    pub fn r2(&self, method: &str, result: &Evaluation) -> Result<Finding, Error> {
        let id = self.id("r2", method);
        let interval = bootstrap_r2_over_groups(
            self.values,
            &result.predictions,
            self.shape,
            self.resamples,
            0.95,
            self.seed,
        )?;
        let published = published(&id).filter(|_| self.is_published);
        let words = format!(
            "Which share of the variance of {} does {method} predict?",
            self.target
        );
        let value = result.r2_pooled.unwrap_or(f64::NAN);
        Ok(self
            .finding(id, words, value, "fraction", method, result)
            .with_interval(interval)
            .with_published(published)
            .with_note(format!(
                "mean absolute error {:.3}, root mean squared error {:.3}",
                result.mae, result.rmse
            )))
    }

    /// Mean absolute error of a method in the target's `unit`: `regression.mae.{set}.{protocol}.{method}.{target}`.
    pub fn mae(&self, method: &str, unit: &str, result: &Evaluation) -> Finding {
        let words = format!("How far off is {method} on {}, on the mean?", self.target);
        self.finding(self.id("mae", method), words, result.mae, unit, method, result)
    }

    fn id(&self, statistic: &str, method: &str) -> String {
        format!(
            "regression.{statistic}.{}.{}.{method}.{}",
            self.set, self.protocol, self.target
        )
    }

    fn finding(
        &self,
        id: String,
        words: String,
        value: f64,
        unit: &str,
        method: &str,
        result: &Evaluation,
    ) -> Finding {
        Finding::new(id, words, self.source)
            .with_value(value, unit, result.n_tested, method)
            .with_protocol(self.protocol, self.design.names())
            .with_seed(self.seed)
    }
}
