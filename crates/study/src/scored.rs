//! Out-of-sample scores of one method on one target under one protocol, as findings.

use crate::by_group::{ByGroup, by_group};
use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups};
use crate::finding::{Finding, SourceOf};
use crate::groups::Groups;
use crate::protocol::Protocol;
use crate::published::published;
use crate::runs::Runs;

/// Rows of one target under one protocol, and the names that go into the finding ids.
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
    /// Target values, `(n_rows,)`.
    pub values: &'a [f64],
    /// Shape of each row.
    pub shape: &'a Groups,
    /// Where the rows come from.
    pub source: &'a SourceOf,
    /// Number of bootstrap resamples of the interval.
    pub resamples: usize,
    /// Seed of the fits and of the interval.
    pub seed: u64,
    /// Whether published values refer to the same rows, and so may be compared with.
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
        let words = self.question(method);
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

    /// As [`Scored::r2_readings`], but with means over several runs, and their standard deviation in the notes.
    pub fn of_runs(&self, method: &str, runs: &Runs) -> Vec<Finding> {
        let id = self.id("r2", method);
        let published = published(&id).filter(|_| self.is_published);
        let words = self.question(method);
        let mut finding = self
            .finding(id, words, runs.r2, "fraction", method, &runs.first)
            .with_interval(runs.interval.clone())
            .with_published(published)
            .with_note(format!(
                "mean absolute error {:.3}, root mean squared error {:.3}",
                runs.mae, runs.rmse
            ));
        finding.notes.extend(runs.spread_in_words("fit"));
        readings(&finding, &runs.by_shape)
    }

    /// R² of the same predictions with each shape counted once.
    ///
    /// # Errors
    /// As [`by_group`].
    pub fn by_shape(&self, result: &Evaluation) -> Result<ByGroup, Error> {
        by_group(
            self.values,
            &result.predictions,
            self.shape,
            self.resamples,
            0.95,
            self.seed,
        )
    }

    /// R² by rows as [`Scored::r2`], then two variants: with each shape counted once
    /// (`regression.r2_shapes.{set}.{protocol}.{method}.{target}`) and, unless the protocol is known not to hold out
    /// groups, by rows without the largest shape (`regression.r2_without_largest.…`).
    ///
    /// # Errors
    /// As [`Scored::r2`].
    pub fn r2_readings(&self, method: &str, result: &Evaluation) -> Result<Vec<Finding>, Error> {
        let by_rows = self.r2(method, result)?;
        let by_shape = self.by_shape(result)?;
        Ok(readings(&by_rows, &by_shape))
    }

    /// Mean absolute error of a method in the target's `unit`: `regression.mae.{set}.{protocol}.{method}.{target}`.
    pub fn mae(&self, method: &str, unit: &str, result: &Evaluation) -> Finding {
        let words = format!("How far off is {method} on {}, on the mean?", self.target);
        self.finding(self.id("mae", method), words, result.mae, unit, method, result)
    }

    /// As [`Scored::mae`], but the mean over several runs.
    pub fn mae_of_runs(&self, method: &str, unit: &str, runs: &Runs) -> Finding {
        let mut finding = self.mae(method, unit, &runs.first);
        finding.value = Some(runs.mae).filter(|mae| mae.is_finite());
        finding
            .notes
            .extend((runs.n > 1).then(|| format!("mean over {}", runs.name())));
        finding
    }

    fn question(&self, method: &str) -> String {
        format!(
            "Which share of the variance of {} does {method} predict?",
            self.target
        )
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

/// R² by rows, with a note on its values by shape, followed by the variants by shape. The variants' ids are that of
/// `by_rows` with the name of the statistic replaced.
pub fn readings(by_rows: &Finding, by_shape: &ByGroup) -> Vec<Finding> {
    let effective = format!(
        "effective number of shapes {:.1} of {}; the largest holds {:.0} % of the rows",
        by_shape.effective_groups,
        by_shape.n_groups,
        100.0 * by_shape.largest_share
    );
    let sibling = |statistic: &str, value: Option<f64>, method: &str| {
        let mut finding = by_rows.clone();
        finding.id = finding.id.replacen(".r2.", &format!(".{statistic}."), 1);
        finding.value = value.filter(|value| value.is_finite());
        finding.method = format!("{}, {method}", finding.method);
        finding.interval = None;
        finding.notes = vec![effective.clone()];
        finding.with_published(None)
    };
    let mut all = vec![
        by_rows.clone().with_note(by_shape.in_words()),
        sibling("r2_shapes", by_shape.r2, "each shape counted once").with_interval(by_shape.interval.clone()),
    ];
    let holds_out_rows = |protocol: Protocol| !protocol.is_grouped();
    if !Protocol::from_name(&by_rows.protocol).is_some_and(holds_out_rows) {
        all.push(sibling(
            "r2_without_largest",
            by_shape.r2_without_largest,
            "by rows, without the largest shape",
        ));
    }
    all
}
