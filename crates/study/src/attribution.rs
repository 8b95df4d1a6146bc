//! Which structure column a random forest ranks first for each target, and how certain that ranking is.
//!
//! The literature reads impurity importances of one forest on all rows, where fine-tunes of one base count thousands of
//! times. This section sets beside them the same importances over resampled shapes, with each shape counted once, and
//! the drop in R² when a column is permuted in shapes that the forest was not trained on.

mod drawn;
mod lead;
#[cfg(test)]
mod tests;
mod told;

use rayon::prelude::*;

use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, evaluate};
use crate::finding::{Finding, SourceOf};
use crate::groups::Groups;
use crate::importance::blocks::{self, first};
use crate::importance::impurity::{Effort, Impurity, Rows, impurity};
use crate::importance::permutation::permutation_and_scores;
use crate::importance::{Importance, Setting};
use crate::leaderboard_v1::BENCHMARKS;
use crate::protocol::{Fold, Protocol, RowInformation, folds};
use crate::regression::RandomForest;
use crate::runs::{Over, Runs, SPLITS};
use crate::scored::Scored;
use crate::section::{Bar, Cell, Drawing, Section};
use crate::statistics::means_of_groups;
use drawn::{empty_table, figure, words};
pub use lead::{Lead, SURE, lead, lead_among};

/// Targets with a bar chart besides the benchmarks of leaderboard v1.
const DRAWN: [&str; 5] = [
    "bigcodebench_complete",
    "ifeval",
    "longbench_v2",
    "decode_speed",
    "memory",
];

/// Permutations of each column per fold.
pub const REPEATS: usize = 5;

/// Rows of one target and the columns that explain it.
pub struct Asked<'a> {
    /// Name of the feature set inside ids: `core` …
    pub set: &'a str,
    /// Name of the target: `arc` …
    pub target: &'a str,
    /// Unit of the target.
    pub unit: &'a str,
    /// The features.
    pub design: &'a Design,
    /// Target values, `(n_rows,)`.
    pub values: &'a [f64],
    /// Shape of each row.
    pub shape: &'a Groups,
    /// Where the rows come from.
    pub source: &'a SourceOf,
    /// Number of forests and resamples.
    pub effort: Effort,
    /// Whether published values refer to such rows, and so may be compared with.
    pub is_published: bool,
    /// Whether another section already reports R² and impurity importances on all rows.
    pub is_told_elsewhere: bool,
}

/// Findings, table rows and bars of one target.
struct Answer {
    findings: Vec<Finding>,
    rows: Vec<Vec<Cell>>,
    bars: Vec<Bar>,
}

/// Builds the section on all targets; `done` is called after each target.
///
/// # Errors
/// As [`evaluate`].
pub fn section(asked: &[Asked<'_>], resamples: usize, seed: u64, done: &dyn Fn()) -> Result<Section, Error> {
    let mut section = Section {
        id: "attribution".into(),
        title: "Which structural feature matters most".into(),
        ..Section::default()
    };
    let mut table = empty_table();
    let (mut of_v1, mut of_others) = (Vec::new(), Vec::new());
    for question in asked {
        let answer = question.answer(resamples, seed)?;
        section.findings.extend(answer.findings);
        table.rows.extend(answer.rows);
        if question.set == "core" && BENCHMARKS.contains(&question.target) {
            of_v1.extend(answer.bars);
        } else if question.set == "core" && DRAWN.contains(&question.target) {
            of_others.extend(answer.bars);
        }
        done();
    }
    let n = asked.iter().map(|question| question.values.len()).max();
    section.text = words(&section.findings, asked);
    let n = n.unwrap_or_default();
    section.figures = vec![
        figure(
            "attribution-core",
            "the six benchmarks of leaderboard v1",
            of_v1,
            n,
        ),
        figure(
            "attribution-others",
            "code, instructions, long contexts, speed and memory",
            of_others,
            n,
        ),
    ];
    section
        .figures
        .retain(|figure| !matches!(&figure.drawing, Drawing::Bars(bars) if bars.is_empty()));
    section.tables = vec![table];
    Ok(section)
}

impl Asked<'_> {
    fn answer(&self, resamples: usize, seed: u64) -> Result<Answer, Error> {
        let names = self.design.names();
        let forest = RandomForest::default();
        let Impurity { columns: told, drawn } = impurity(&self.rows(&forest), self.effort, seed)?;
        let once = self.once_a_shape(seed)?;
        let (unseen, of_unseen) = self.unseen(seed)?.unzip();
        let mut answer = Answer {
            findings: if self.is_told_elsewhere {
                Vec::new()
            } else {
                self.scores(of_unseen, resamples, seed)?
            },
            rows: Vec::new(),
            bars: Vec::new(),
        };
        if names.len() > 1 {
            answer.findings.extend(blocks::findings(
                &blocks::OfBlocks {
                    set: self.set,
                    target: self.target,
                    design: self.design,
                    shape: self.shape,
                    source: self.source,
                },
                &drawn,
            )?);
        }
        for (place, name) in names.iter().enumerate() {
            let firsts = drawn.iter().filter(|shares| first(shares) == Some(place)).count();
            let first_share = (!drawn.is_empty()).then(|| firsts as f64 / drawn.len() as f64);
            let (on_all_rows, interval) = (told[place].value, told[place].interval.clone());
            let held_out = unseen.as_ref().map(|all| &all[place]);
            answer.findings.extend(self.findings(
                name,
                on_all_rows,
                interval.clone(),
                first_share,
                once.as_ref().map(|shares| &shares[place]),
                held_out,
                seed,
            ));
            answer.rows.push(vec![
                self.target.into(),
                self.set.into(),
                self.values.len().into(),
                self.shape.n_groups().into(),
                name.as_str().into(),
                on_all_rows.into(),
                interval.as_ref().map(|i| i.low).into(),
                interval.as_ref().map(|i| i.high).into(),
                first_share.into(),
                once.as_ref().map(|shares| shares[place].value).into(),
                match held_out {
                    Some(found) if !found.value.is_finite() => "not identified".into(),
                    found => found.map(|found| found.value).into(),
                },
                held_out
                    .and_then(|found| found.interval.as_ref())
                    .map(|i| i.low)
                    .into(),
                held_out
                    .and_then(|found| found.interval.as_ref())
                    .map(|i| i.high)
                    .into(),
            ]);
            answer.bars.push(Bar {
                group: self.target.into(),
                series: name.clone(),
                value: on_all_rows,
                interval: interval.map(|i| (i.low, i.high)),
            });
        }
        if self.is_told_elsewhere {
            answer
                .findings
                .retain(|finding| !finding.id.starts_with("importance.mdi."));
        }
        Ok(answer)
    }

    fn rows<'a>(&'a self, forest: &'a RandomForest) -> Rows<'a> {
        Rows {
            regression: forest,
            design: self.design,
            target: self.values,
            shape: self.shape,
        }
    }

    /// Impurity importances with each shape as one row, the mean of its rows, over resampled shapes. `None` with fewer
    /// than five shapes.
    fn once_a_shape(&self, seed: u64) -> Result<Option<Vec<Importance>>, Error> {
        if self.shape.n_groups() < 5 {
            return Ok(None);
        }
        let columns = self
            .design
            .columns()
            .iter()
            .map(|column| means_of_groups(column, self.shape))
            .collect();
        let rows: Vec<u32> = (0..self.shape.n_groups() as u32).collect();
        let once = Asked {
            design: &Design::new(self.design.names().to_vec(), columns)?,
            values: &means_of_groups(self.values, self.shape),
            shape: &Groups::from_labels(&rows),
            ..*self
        };
        let found = impurity(&once.rows(&RandomForest::default()), self.effort, seed)?;
        Ok(Some(found.columns))
    }

    /// Drop in R² when a column is permuted in held-out shapes, and the scores of the same forests; `None` where there
    /// are fewer shapes than folds.
    fn unseen(&self, seed: u64) -> Result<Option<(Vec<Importance>, Evaluation)>, Error> {
        let Some(folds) = self.folds(Protocol::StructureOut, seed)? else {
            return Ok(None);
        };
        let forest = RandomForest::default();
        let setting = Setting {
            regression: &forest,
            design: self.design,
            target: self.values,
            weights: None,
            folds: &folds,
            seeds: 1,
            seed,
        };
        let single: Vec<Vec<usize>> = (0..self.design.n_features()).map(|place| vec![place]).collect();
        permutation_and_scores(&setting, &single, REPEATS).map(Some)
    }

    fn folds(&self, protocol: Protocol, seed: u64) -> Result<Option<Vec<Fold>>, Error> {
        if self.shape.n_groups() < protocol.default_folds().max(2) {
            return Ok(None);
        }
        let information = RowInformation {
            n_rows: self.values.len(),
            shape: Some(self.shape),
            ..RowInformation::default()
        };
        folds(protocol, &information, seed).map(Some)
    }

    /// Forests on random splits of the rows, one per split; `None` where there are too few shapes.
    fn at_random(&self, resamples: usize, seed: u64) -> Result<Option<Runs>, Error> {
        let one = |seed: u64| -> Result<Option<(Evaluation, u64)>, Error> {
            let Some(folds) = self.folds(Protocol::RandomSplit, seed)? else {
                return Ok(None);
            };
            let forest = RandomForest::default();
            let run = evaluate(&forest, self.design, self.values, None, &folds, seed)?;
            Ok(Some((run, seed)))
        };
        let runs: Vec<Option<(Evaluation, u64)>> = (seed..seed + SPLITS)
            .into_par_iter()
            .map(one)
            .collect::<Result<_, _>>()?;
        let runs: Option<Vec<(Evaluation, u64)>> = runs.into_iter().collect();
        runs.map(|runs| Runs::of(runs, Over::Splits, self.values, self.shape, resamples))
            .transpose()
    }

    /// R² and mean absolute error of forests on random splits and, given the evaluation `of_unseen`, on held-out
    /// shapes.
    fn scores(
        &self,
        of_unseen: Option<Evaluation>,
        resamples: usize,
        seed: u64,
    ) -> Result<Vec<Finding>, Error> {
        let scored = |protocol: Protocol| Scored {
            set: self.set,
            target: self.target,
            protocol: protocol.name(),
            design: self.design,
            values: self.values,
            shape: self.shape,
            source: self.source,
            resamples,
            seed,
            is_published: self.is_published,
        };
        let mut findings = Vec::new();
        if let Some(runs) = self.at_random(resamples, seed)? {
            let scored = scored(Protocol::RandomSplit);
            findings.extend(scored.of_runs("random_forest", &runs));
            findings.push(scored.mae_of_runs("random_forest", self.unit, &runs));
        }
        if let Some(result) = of_unseen {
            let scored = scored(Protocol::StructureOut);
            findings.extend(scored.r2_readings("random_forest", &result)?);
            findings.push(scored.mae("random_forest", self.unit, &result));
        }
        Ok(findings)
    }
}
