//! The importances of one target as a section: all kinds side by side, clusters of columns, curves, pairs of columns.

mod figures;

use super::clusters::{Dendrogram, dendrogram};
use super::impurity::{Effort, Rows, impurity};
use super::permutation::permutation;
use super::shap::{mean_interactions, mean_shapley};
use super::{Importance, Setting, disagreement, reading};
use crate::error::Error;
use crate::finding::{Finding, SourceOf};
use crate::groups::Groups;
use crate::published::published;
use crate::section::{Cell, Section, Table};

/// Columns nearer than this, in 1 − |Spearman's ρ|, are permuted together.
pub const NEAR: f64 = 0.5;

/// Number of columns whose curves are drawn, starting with the most important.
const CURVES: usize = 3;

/// Number of points of a curve.
const POINTS: usize = 20;

/// Number of pairs of columns in the table.
const PAIRS: usize = 6;

/// Input of the section.
pub struct ImportanceQuestion<'a> {
    /// Method, rows, folds and seeds.
    pub setting: Setting<'a>,
    /// Name inside ids: `arc` …
    pub target: &'a str,
    /// Unit of the target.
    pub unit: &'a str,
    /// Name of the feature set inside ids: `core` …
    pub set: &'a str,
    /// Name of the protocol that made the folds.
    pub protocol: &'a str,
    /// Where the rows come from.
    pub source: SourceOf,
    /// Shape of each row.
    pub shape: &'a Groups,
    /// Number of fits for the impurity importance.
    pub effort: Effort,
    /// Number of permutations per fold and seed.
    pub repeats: usize,
    /// Whether to compute interactions of pairs of columns, which takes as many passes through the trees as there are
    /// columns.
    pub pairs: bool,
    /// Whether published values refer to the same rows, and so may be compared with.
    pub is_published: bool,
}

/// One kind of importance, for every column or group of columns.
struct Kind<'a> {
    name: &'static str,
    unit: &'a str,
    importances: Vec<Importance>,
}

/// Builds the section of one target.
///
/// # Errors
/// As [`crate::evaluate::evaluate`]; [`Error::CannotCompute`] if the target is constant.
pub fn section(question: &ImportanceQuestion<'_>) -> Result<Section, Error> {
    let setting = &question.setting;
    let tree = dendrogram(setting.design)?;
    let groups = tree.groups(NEAR);
    let single: Vec<Vec<usize>> = (0..setting.design.n_features()).map(|f| vec![f]).collect();
    let mut kinds = Vec::new();
    let is_of_trees = setting.regression.is_of_trees();
    if is_of_trees {
        let rows = Rows {
            regression: setting.regression,
            design: setting.design,
            target: setting.target,
            shape: question.shape,
        };
        let told = impurity(&rows, question.effort, setting.seed)?;
        kinds.push(kind("mdi", "share", told.columns));
    }
    let of_columns = permutation(setting, &single, question.repeats)?;
    kinds.push(kind("permutation", "fraction", of_columns));
    let of_groups = permutation(setting, &groups, question.repeats)?;
    kinds.push(kind("grouped", "fraction", of_groups));
    if is_of_trees {
        kinds.push(kind("shap", question.unit, mean_shapley(setting)?));
    }
    let mut section = Section {
        id: format!("importance-{}", question.target),
        title: format!("Importance for {}", question.target),
        ..Section::default()
    };
    for kind in &kinds {
        section.findings.extend(question.findings(kind));
    }
    let agreement = question.agreement(&kinds);
    section.text.push(agreement.notes.join(" "));
    section.findings.push(agreement);
    section.tables.push(question.table(&kinds));
    section.tables.push(question.merges(&tree, &groups));
    section.figures.push(question.bars(&kinds));
    section.figures.push(question.tree(&tree));
    let curves = question.curves(&kinds, &mut section.tables)?;
    section.figures.push(curves);
    if question.pairs && is_of_trees {
        question.add_pairs(&mut section)?;
    }
    Ok(section)
}

fn kind<'a>(name: &'static str, unit: &'a str, importances: Vec<Importance>) -> Kind<'a> {
    Kind {
        name,
        unit,
        importances,
    }
}

/// The value to sort by; NaN comes last.
fn rank(importance: &Importance) -> f64 {
    if importance.value.is_nan() {
        f64::NEG_INFINITY
    } else {
        importance.value
    }
}

/// The importance with the largest known value.
fn largest(importances: &[Importance]) -> Option<&Importance> {
    let known = importances.iter().filter(|i| i.value.is_finite());
    known.max_by(|a, b| a.value.total_cmp(&b.value))
}

/// Whether the largest has an interval above 0 and above all other intervals; false where an interval is missing.
fn is_first_for_sure(importances: &[Importance]) -> bool {
    let Some(first) = largest(importances) else {
        return false;
    };
    let Some(low) = first.interval.as_ref().map(|ends| ends.low) else {
        return false;
    };
    let mut others = importances
        .iter()
        .filter(|other| other.features != first.features);
    low > 0.0 && others.all(|other| other.interval.as_ref().is_some_and(|ends| ends.high < low))
}

/// Name of a group of columns in ids and tables: `size+d_model`.
fn label(importance: &Importance) -> String {
    importance.features.join("+")
}

impl ImportanceQuestion<'_> {
    fn finding(&self, id: String, words: String, value: f64, unit: &str, method: &str) -> Finding {
        Finding::new(id, words, &self.source)
            .with_value(value, unit, self.setting.target.len(), method)
            .with_protocol(self.protocol, self.setting.design.names())
            .with_seed(self.setting.seed)
    }

    fn findings(&self, kind: &Kind<'_>) -> Vec<Finding> {
        let one = |importance: &Importance| {
            let name = label(importance);
            let id = format!("importance.{}.{}.{}.{name}", kind.name, self.set, self.target);
            let words = reading::question(kind.name, self.set, self.target, &name);
            let method = format!("{} of {}", kind.name, self.setting.regression.name());
            let published = published(&id).filter(|_| self.is_published);
            self.finding(id, words, importance.value, kind.unit, &method)
                .with_interval(importance.interval.clone())
                .with_figure(&self.figure_id("importance"))
                .with_published(published)
        };
        kind.importances.iter().map(one).collect()
    }

    /// A finding on the number of different columns that are ranked first by some kind; 1 where all kinds agree.
    fn agreement(&self, kinds: &[Kind<'_>]) -> Finding {
        // Groups are not compared: the group ranked first cannot equal a column.
        let named: Vec<(&str, &[Importance])> = kinds
            .iter()
            .filter(|kind| kind.name != "grouped")
            .map(|kind| (kind.name, kind.importances.as_slice()))
            .collect();
        let apart = disagreement(&named);
        let mut firsts: Vec<String> = apart.iter().map(|(_, features)| features.join("+")).collect();
        firsts.sort();
        firsts.dedup();
        let words = if apart.is_empty() {
            let first = named
                .first()
                .and_then(|(_, importances)| largest(importances))
                .map(label)
                .unwrap_or_default();
            if named
                .iter()
                .any(|(_, importances)| is_first_for_sure(importances))
            {
                format!(
                    "Every kind of importance of single columns puts {first} first for {}, and the interval of one at least \
                     lies above those of all others.",
                    self.target
                )
            } else {
                format!(
                    "Every kind of importance of single columns is largest for {first} on {}, but its intervals and those of \
                     others overlap: which column is first cannot be told.",
                    self.target
                )
            }
        } else {
            let said: Vec<String> = apart
                .iter()
                .map(|(kind, features)| format!("{kind} {}", features.join("+")))
                .collect();
            format!(
                "The kinds of importance disagree on which column is largest for {}: {}.",
                self.target,
                said.join(", ")
            )
        };
        self.finding(
            format!("importance.firsts.{}.{}", self.set, self.target),
            format!(
                "How many columns does one kind or another put first for {}?",
                self.target
            ),
            firsts.len().max(1) as f64,
            "columns",
            "first of each kind",
        )
        .with_note(words)
    }

    fn table(&self, kinds: &[Kind<'_>]) -> Table {
        let row = |kind: &Kind<'_>, importance: &Importance| -> Vec<Cell> {
            let interval = importance.interval.as_ref();
            vec![
                self.target.into(),
                kind.name.into(),
                label(importance).into(),
                if importance.value.is_finite() {
                    importance.value.into()
                } else {
                    "not identified".into()
                },
                interval.map(|i| i.low).into(),
                interval.map(|i| i.high).into(),
                kind.unit.into(),
            ]
        };
        let mut rows = Vec::new();
        for kind in kinds {
            let mut ordered: Vec<&Importance> = kind.importances.iter().collect();
            ordered.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
            rows.extend(ordered.into_iter().map(|importance| row(kind, importance)));
        }
        Table {
            id: format!("importance-{}", self.target),
            caption: format!(
                "Importance for {}, {} on {}, {} folds × {}, n = {}. mdi: the importance as the report states it, \
                 the share of the split gain, all rows, interval over draws of shapes; the others answer other questions: permutation, \
                 grouped: the drop in R² when held-out rows are shuffled; shap: how far a column moves a held-out prediction, the mean \
                 |Shapley value|",
                self.target,
                self.setting.regression.name(),
                self.protocol,
                self.setting.folds.len(),
                match self.setting.seeds {
                    1 => "1 seed".to_owned(),
                    many => format!("{many} seeds"),
                },
                self.setting.target.len()
            ),
            columns: ["target", "kind", "columns", "importance", "low", "high", "unit"]
                .map(String::from)
                .to_vec(),
            rows,
            shown: true,
        }
    }

    fn merges(&self, tree: &Dendrogram, groups: &[Vec<usize>]) -> Table {
        let p = tree.names.len();
        let mut names = tree.names.clone();
        for merge in &tree.merges {
            names.push(format!("{}+{}", names[merge.left], names[merge.right]));
        }
        let rows = tree
            .merges
            .iter()
            .map(|merge| {
                vec![
                    names[merge.left].as_str().into(),
                    names[merge.right].as_str().into(),
                    merge.distance.into(),
                ]
            })
            .collect();
        let named: Vec<String> = groups
            .iter()
            .filter(|group| group.len() > 1)
            .map(|group| {
                let names: Vec<&str> = group.iter().map(|&f| tree.names[f].as_str()).collect();
                names.join("+")
            })
            .collect();
        Table {
            id: format!("importance-clusters-{}", self.target),
            caption: format!(
                "Which of the {p} columns move together: average linkage of 1 − |Spearman's ρ|, n = {}. Within {NEAR}: {}",
                self.setting.target.len(),
                if named.is_empty() {
                    "none".into()
                } else {
                    named.join(", ")
                }
            ),
            columns: ["one", "other", "1 − |ρ|"].map(String::from).to_vec(),
            rows,
            shown: false,
        }
    }

    /// Adds the pairs of columns with the largest interactions.
    fn add_pairs(&self, section: &mut Section) -> Result<(), Error> {
        let mut pairs = mean_interactions(&self.setting)?;
        pairs.sort_by(|a, b| b.value.total_cmp(&a.value));
        pairs.truncate(PAIRS);
        let kind = Kind {
            name: "interaction",
            unit: self.unit,
            importances: pairs,
        };
        section.findings.extend(self.findings(&kind));
        if let Some(table) = section.tables.first_mut() {
            table.rows.extend(self.table(&[kind]).rows);
        }
        Ok(())
    }
}
