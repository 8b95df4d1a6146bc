//! Section that scores every method of the literature on every benchmark, on random splits and on held-out shapes.

use std::collections::BTreeMap;

use crate::attribution::Asked;
use crate::finding::Finding;
use crate::protocol::Protocol;
use crate::regression::{Regression, all, from_name};
use crate::runs::{Runs, SPLITS};
use crate::scored::Scored;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::mean;

/// The method that uses the feature set of the same name.
const STRUCTURAL: &str = "structural";

/// Methods whose fits take longer than those of all others together; they are run on one split only.
const SLOW: [&str; 2] = ["svr", "mlp"];

/// Number of splits on which a method is run: [`SPLITS`] where a protocol divides rows at random, unless the method is
/// slow.
pub fn runs_of(method: &str, protocol: Protocol) -> usize {
    match protocol {
        Protocol::RandomSplit if !SLOW.contains(&method) => SPLITS as usize,
        _ => 1,
    }
}

/// The methods run on a feature set: its own on `structural`; else all but the forest, which has its own section.
pub fn of_set(set: &str) -> Vec<Box<dyn Regression>> {
    if set == STRUCTURAL {
        return from_name(STRUCTURAL).into_iter().collect();
    }
    let mut methods = all();
    methods.retain(|method| method.name() != "random_forest");
    methods
}

/// Results of the methods on one target under one protocol.
pub struct Target<'a> {
    /// Rows and names.
    pub asked: Asked<'a>,
    /// Name of the protocol.
    pub protocol: &'a str,
    /// Method and its scores, averaged over splits where rows are divided at random.
    pub results: Vec<(&'a str, Runs)>,
    /// R² of predicting each row by the training mean of its shape, on the same runs.
    pub lookup: Option<f64>,
}

/// Builds the section: R² and mean absolute error of each method, a table, and a figure of the means over benchmarks.
pub fn section(targets: &[Target<'_>], resamples: usize, seed: u64) -> Section {
    let mut section = Section {
        id: "methods".into(),
        title: "Every method on every benchmark".into(),
        ..Section::default()
    };
    let mut table = empty_table();
    for target in targets {
        let asked = &target.asked;
        let scored = Scored {
            set: asked.set,
            target: asked.target,
            protocol: target.protocol,
            design: asked.design,
            values: asked.values,
            shape: asked.shape,
            source: asked.source,
            resamples,
            seed,
            is_published: asked.is_published,
        };
        for (method, runs) in &target.results {
            table.rows.push(row(target, method, runs));
            let all = scored.of_runs(method, runs);
            section
                .findings
                .extend(all.into_iter().map(|finding| finding.with_figure("methods-r2")));
            section
                .findings
                .push(scored.mae_of_runs(method, asked.unit, runs));
        }
    }
    section.text = words(&section.findings);
    section.figures = vec![figure(targets, &section.findings)];
    section.tables = vec![table];
    section
}

fn row(target: &Target<'_>, method: &str, runs: &Runs) -> Vec<Cell> {
    let (interval, by_shape) = (runs.interval.as_ref(), &runs.by_shape);
    let once = by_shape.interval.as_ref();
    vec![
        target.asked.target.into(),
        method.into(),
        target.asked.set.into(),
        target.protocol.into(),
        runs.first.n_tested.into(),
        runs.r2.into(),
        runs.r2_sd.into(),
        runs.n.into(),
        interval.map(|interval| interval.low).into(),
        interval.map(|interval| interval.high).into(),
        by_shape.r2.into(),
        once.map(|interval| interval.low).into(),
        once.map(|interval| interval.high).into(),
        by_shape.r2_without_largest.into(),
        by_shape.effective_groups.into(),
        runs.mae.into(),
        runs.rmse.into(),
        target.lookup.into(),
    ]
}

/// Mean over targets, by method and protocol, of the findings on `statistic`.
fn means(findings: &[Finding], statistic: &str) -> BTreeMap<(String, String), f64> {
    let mut all: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for finding in findings {
        // regression.{statistic}.{set}.{protocol}.{method}.{target}
        let parts: Vec<&str> = finding.id.split('.').collect();
        if let ["regression", of, _, protocol, method, _] = parts[..]
            && of == statistic
        {
            let key = (method.to_owned(), protocol.to_owned());
            all.entry(key).or_default().extend(finding.value);
        }
    }
    all.into_iter()
        .map(|(key, values)| (key, mean(&values)))
        .collect()
}

fn words(findings: &[Finding]) -> Vec<String> {
    let of = |protocol: Protocol, statistic: &str| {
        let means = means(findings, statistic);
        let mut methods: Vec<(&str, f64)> = means
            .iter()
            .filter(|((_, name), _)| name == protocol.name())
            .map(|((method, _), value)| (method.as_str(), *value))
            .collect();
        methods.sort_by(|a, b| b.1.total_cmp(&a.1));
        let said: Vec<String> = methods
            .iter()
            .map(|(method, value)| format!("{method} {value:.2}"))
            .collect();
        said.join(", ")
    };
    vec![format!(
        "Mean R² over the benchmarks with rows divided at random, mean over {SPLITS} splits (of {}, one): {}. On shapes not trained on, by rows: {}; with \
         each shape counted once: {}. By rows the largest shape says most of it: its share of the rows and the effective \
         number of shapes stand in the table. The forest has its own section.",
        SLOW.join(" and "),
        of(Protocol::RandomSplit, "r2"),
        of(Protocol::StructureOut, "r2"),
        of(Protocol::StructureOut, "r2_shapes")
    )]
}

fn empty_table() -> Table {
    Table {
        id: "methods".into(),
        caption: "R² (pooled over folds) of each method on each benchmark of leaderboard v1, from structure and date, or \
                  from the columns of `structural`; defaults of the literature. Rows divided at random: mean over splits, with the standard \
                  deviation over them. Intervals: 95 %, bootstrap over shapes. \
                  By shape: the same predictions, each shape counted once. Without largest: by rows, without those of the \
                  largest shape. Effective shapes: (Σn)² / Σn² over the rows of the shapes tested. \
                  Look-up: the training mean of the row's own shape."
            .into(),
        columns: [
            "benchmark",
            "method",
            "features",
            "protocol",
            "n tested",
            "R²",
            "sd over splits",
            "splits",
            "low",
            "high",
            "R² by shape",
            "low by shape",
            "high by shape",
            "R² without largest",
            "effective shapes",
            "MAE (points)",
            "RMSE (points)",
            "look-up R²",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    }
}

fn figure(targets: &[Target<'_>], findings: &[Finding]) -> Figure {
    let n = targets.iter().map(|target| target.asked.values.len()).max();
    // Lower limit of the axis: a method that fails badly on held-out shapes would flatten all others.
    let floor = -1.0;
    let bars = |statistic: &'static str, suffix: &'static str| {
        means(findings, statistic)
            .into_iter()
            .filter(move |((_, protocol), value)| {
                value.is_finite() && (suffix.is_empty() || protocol == Protocol::StructureOut.name())
            })
            .map(move |((method, protocol), value)| Bar {
                group: format!("{protocol}{suffix}"),
                series: method,
                value: value.max(floor),
                interval: None,
            })
    };
    let rows: Vec<Bar> = bars("r2", "")
        .chain(bars("r2_shapes", ", each shape once"))
        .collect();
    Figure {
        id: "methods-r2".into(),
        title: "What each method predicts, by protocol".into(),
        caption: format!(
            "Mean R² over the six benchmarks of leaderboard v1 by method: rows divided at random, shapes not trained on \
             by rows, and shapes not trained on with each counted once; values below {floor} drawn at {floor}; n = {} \
             checkpoints.",
            n.unwrap_or_default()
        ),
        n: n.unwrap_or_default(),
        x: Axis::linear("mean R² over six benchmarks"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals { rows, reference: 0.0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_split_at_random_twelve_times_but_for_the_slow() {
        for method in all() {
            let n = runs_of(method.name(), Protocol::RandomSplit);
            assert_eq!(
                n,
                if SLOW.contains(&method.name()) { 1 } else { 12 },
                "{}",
                method.name()
            );
            assert_eq!(runs_of(method.name(), Protocol::StructureOut), 1);
        }
        let known: Vec<&str> = all().iter().map(|method| method.name()).collect();
        assert!(SLOW.iter().all(|slow| known.contains(slow)));
    }
}
