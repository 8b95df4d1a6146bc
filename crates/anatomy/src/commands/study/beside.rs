//! Supplements to a table of R²: paired comparisons of methods, and learning curves.

use anyhow::Result;
use study::compare::compare;
use study::finding::Finding;
use study::learning::{Thinned, learning_curve};
use study::section::{Cell, Table};
use study::{Evaluation, Regression};

use crate::frame::{Division, FeatureSet, Rows};

/// Fractions of the training rows or shapes used for a learning curve.
const SHARES: [f64; 5] = [0.1, 0.25, 0.5, 0.75, 1.0];

/// Number of random subsets per fraction.
const REPEATS: u64 = 3;

/// The rows of one target with their folds.
pub(super) struct Beside<'a> {
    pub(super) set: &'a FeatureSet,
    pub(super) target: &'a str,
    pub(super) division: &'a Division,
    pub(super) rows: &'a Rows,
    pub(super) resamples: usize,
    pub(super) seed: u64,
}

impl Beside<'_> {
    fn finding(&self, id: String, words: String, value: f64, n: usize, method: &str) -> Finding {
        Finding::new(id, words, &self.rows.source)
            .with_value(value, "fraction", n, method)
            .with_protocol(&self.division.name, self.rows.design.names())
            .with_seed(self.seed)
    }

    /// Difference in R² between each method and `against` on the same folds, with interval and p value over shapes.
    pub(super) fn pairs(
        &self,
        predicted: &[(&str, Evaluation)],
        against: &str,
        table: &mut Table,
    ) -> Result<Vec<Finding>> {
        let Some((_, base)) = predicted.iter().find(|(name, _)| *name == against) else {
            return Ok(Vec::new());
        };
        let mut findings = Vec::new();
        for (name, result) in predicted.iter().filter(|(name, _)| *name != against) {
            let found = compare(
                &self.rows.target,
                &result.predictions,
                &base.predictions,
                &self.rows.shape,
                self.resamples,
                0.95,
                self.seed,
            )?;
            let interval = found.interval.as_ref();
            let cells: [Cell; 10] = [
                self.target.into(),
                self.set.name.as_str().into(),
                self.division.name.as_str().into(),
                (*name).into(),
                against.into(),
                found.n.into(),
                found.difference.into(),
                interval.map(|i| i.low).into(),
                interval.map(|i| i.high).into(),
                found.p.into(),
            ];
            table.rows.push(cells.to_vec());
            let (set, protocol) = (&self.set.name, &self.division.name);
            let id = format!(
                "regression.r2_difference.{set}.{protocol}.{name}_{against}.{}",
                self.target
            );
            let words = format!(
                "By how much does {name} predict {} better than {against}?",
                self.target
            );
            let finding = self
                .finding(
                    id,
                    words,
                    found.difference,
                    found.n,
                    "difference of R², same folds",
                )
                .with_interval(found.interval)
                .with_note(format!(
                    "p {:.4}, sign flips over {} shapes",
                    found.p, found.n_groups
                ));
            findings.push(finding);
        }
        Ok(findings)
    }

    /// R² of a method by the fraction of training rows, and by the fraction of training shapes.
    pub(super) fn learning(&self, method: &dyn Regression, table: &mut Table) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for (thinned, word) in [(Thinned::Rows, "rows"), (Thinned::Groups, "shapes")] {
            let points = learning_curve(
                method,
                &self.rows.design,
                &self.rows.target,
                &self.division.folds,
                &self.rows.shape,
                thinned,
                &SHARES,
                REPEATS,
                self.seed,
            )?;
            for point in points {
                let known: Vec<f64> = point.r2.iter().copied().flatten().collect();
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                let lowest = known.iter().copied().reduce(f64::min);
                let highest = known.iter().copied().reduce(f64::max);
                let cells: [Cell; 11] = [
                    self.target.into(),
                    self.set.name.as_str().into(),
                    self.division.name.as_str().into(),
                    method.name().into(),
                    word.into(),
                    point.share.into(),
                    point.rows.into(),
                    point.groups.into(),
                    mean.into(),
                    lowest.into(),
                    highest.into(),
                ];
                table.rows.push(cells.to_vec());
                let (set, protocol, name) = (&self.set.name, &self.division.name, method.name());
                let percent = (point.share * 100.0).round();
                let id = format!(
                    "regression.learning.{set}.{protocol}.{name}.{}.{word}.{percent}",
                    self.target
                );
                let words = format!(
                    "What R² on {} with {percent} % of the training {word}?",
                    self.target
                );
                let n = self.rows.target.len();
                findings.push(self.finding(id, words, mean, n, name).with_note(format!(
                    "mean of {REPEATS} draws, {:.0} rows of {:.0} shapes trained on",
                    point.rows, point.groups
                )));
            }
        }
        Ok(findings)
    }
}

/// Empty table for [`Beside::pairs`].
pub(super) fn pairs_table() -> Table {
    table(
        "pairs",
        "Difference of R² between methods on the same folds; interval and p over shapes",
        &[
            "target",
            "features",
            "protocol",
            "method",
            "against",
            "n",
            "difference",
            "low",
            "high",
            "p",
        ],
    )
}

/// Empty table for [`Beside::learning`].
pub(super) fn learning_table() -> Table {
    table(
        "learning",
        "R² by the share of training rows or whole shapes kept; means of draws, lowest and highest",
        &[
            "target", "features", "protocol", "method", "kept", "share", "rows", "shapes", "R²", "lowest",
            "highest",
        ],
    )
}

fn table(id: &str, caption: &str, columns: &[&str]) -> Table {
    Table {
        id: id.into(),
        caption: caption.into(),
        columns: columns.iter().map(ToString::to_string).collect(),
        shown: true,
        ..Table::default()
    }
}
