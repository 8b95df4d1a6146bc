//! From structure to score: a random forest on `structure_date`, under random rows and under unseen shapes.

use super::forests::{Forests, SEEDS, forests, importance_by_tree};
use super::rows::{Rows, SET, add_folds, rows_of, rows_table};
use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, source};
use crate::ceiling::{ceiling, lookup};
use crate::error::Error;
use crate::evaluate::Evaluation;
use crate::features::COLUMNS;
use crate::finding::Finding;
use crate::protocol::{Protocol, RowInformation, folds};
use crate::published::published;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, quantile};

const PROTOCOLS: [Protocol; 2] = [Protocol::RandomSplit, Protocol::StructureOut];

pub(super) fn section(
    study: &LeaderboardV1<'_>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Result<Section, Error> {
    let mut section = Section {
        id: "regression".into(),
        title: "From structure to score".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "regression".into(),
        caption: "R² of a random forest (100 trees, all features per split) from structure and date to score. Ceiling: \
                  adjusted η² of the full structure, the most that any function of structure alone can explain on these \
                  rows (date can pass it). Look-up: predicting the training mean of the row's own shape. Intervals: 95 %, \
                  bootstrap over shapes."
            .into(),
        columns: ["benchmark", "protocol", "n tested", "R²", "sd over seeds", "low", "high", "MAE (points)", "look-up R²", "ceiling"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut importances = Vec::new();
    let mut fits = 0;
    let all_fits = BENCHMARKS.len() * (PROTOCOLS.len() + 1);
    let mut done = || {
        fits += 1;
        progress(fits, all_fits);
    };
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        let rows = rows_of(study, place)?;
        let limit = ceiling(&rows.target, &rows.structure)?;
        section.findings.push(
            finding(
                &format!("regression.ceiling.structure.{benchmark}"),
                &format!(
                    "What share of the variance of {} can any function of structure alone explain?",
                    BENCHMARK_TITLES[place]
                ),
            )
            .with_value(
                limit.adjusted.unwrap_or(f64::NAN),
                "fraction",
                rows.target.len(),
                "adjusted eta squared",
            )
            .with_note(format!("{} distinct structures", rows.structure.n_groups())),
        );
        let mut row_table = rows_table(study, benchmark, &rows);
        for protocol in PROTOCOLS {
            let information = RowInformation {
                n_rows: rows.target.len(),
                shape: Some(&rows.shape),
                ..RowInformation::default()
            };
            let folds = folds(protocol, &information, study.seed)?;
            let forests = forests(
                &rows.design,
                &rows.target,
                &rows.shape,
                &folds,
                study.resamples,
                study.seed,
            )?;
            let own_shape = lookup(&rows.target, &rows.shape, &folds)?;
            table
                .rows
                .push(table_row(place, protocol, &forests, &own_shape, limit.adjusted));
            section
                .findings
                .extend(scores(study, place, protocol, &rows, &forests, &own_shape));
            add_folds(&mut row_table, protocol, &folds, &forests.first);
            done();
        }
        importances.extend(importance(study, place, &rows, &mut section)?);
        done();
        section.tables.push(row_table);
    }
    section.tables.insert(0, table);
    section.text = words(&section);
    section.figures = vec![r2_figure(&section, study), importance_figure(importances, study)];
    Ok(section)
}

fn finding(id: &str, question: &str) -> Finding {
    Finding::new(id, question, &source()).with_published(None)
}

fn scores(
    study: &LeaderboardV1<'_>,
    place: usize,
    protocol: Protocol,
    rows: &Rows,
    forests: &Forests,
    own_shape: &Evaluation,
) -> Vec<Finding> {
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let name = protocol.name();
    let complete = |finding: Finding, value: f64, unit: &str, method: &str| {
        finding
            .with_value(value, unit, forests.first.n_tested, method)
            .with_protocol(name, rows.design.names())
            .with_seed(study.seed)
            .with_note(format!(
                "{} shapes; {} checkpoints in all",
                rows.shape.n_groups(),
                rows.target.len()
            ))
    };
    let id =
        |statistic: &str, method: &str| format!("regression.{statistic}.{SET}.{name}.{method}.{benchmark}");
    let r2_id = id("r2", "random_forest");
    vec![
        complete(
            finding(
                &r2_id,
                &format!(
                    "Which share of the variance of {title} does a forest predict from structure and date?"
                ),
            ),
            forests.r2,
            "fraction",
            "random_forest",
        )
        .with_interval(forests.interval.clone())
        .with_note(format!(
            "mean over {SEEDS} seeds of the forest, standard deviation {:.3}; one forest of 100 trees differs from \
             another by as much",
            forests.r2_sd
        ))
        .with_figure("regression-r2")
        .with_published(published(&r2_id)),
        complete(
            finding(
                &id("r2_mean_of_folds", "random_forest"),
                &format!("The same as the mean of the folds' R², for {title}?"),
            ),
            forests.r2_mean_of_folds,
            "fraction",
            "random_forest",
        ),
        complete(
            finding(
                &id("mae", "random_forest"),
                &format!("How far off is the forest on {title}, on the mean?"),
            ),
            forests.mae,
            "points",
            "random_forest",
        ),
        complete(
            finding(
                &id("r2", "lookup"),
                &format!(
                    "Which share of the variance of {title} does the mean of the row's own shape predict?"
                ),
            ),
            own_shape.r2_pooled.unwrap_or(f64::NAN),
            "fraction",
            "look-up: training mean of the row's shape, else of all",
        ),
    ]
}

fn table_row(
    place: usize,
    protocol: Protocol,
    forests: &Forests,
    own_shape: &Evaluation,
    ceiling: Option<f64>,
) -> Vec<Cell> {
    vec![
        BENCHMARK_TITLES[place].into(),
        protocol.name().into(),
        forests.first.n_tested.into(),
        forests.r2.into(),
        forests.r2_sd.into(),
        forests.interval.as_ref().map(|interval| interval.low).into(),
        forests.interval.as_ref().map(|interval| interval.high).into(),
        forests.mae.into(),
        own_shape.r2_pooled.into(),
        ceiling.into(),
    ]
}

/// Impurity importances of forests on all rows; how trees differ says nothing of other shapes, so no interval.
fn importance(
    study: &LeaderboardV1<'_>,
    place: usize,
    rows: &Rows,
    section: &mut Section,
) -> Result<Vec<Bar>, Error> {
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let by_feature = importance_by_tree(&rows.design, &rows.target, study.seed)?;
    let mut bars = Vec::new();
    for (feature, of_trees) in rows.design.names().iter().zip(&by_feature) {
        let value = mean(of_trees);
        bars.push(Bar {
            group: title.into(),
            series: feature.clone(),
            value,
            interval: None,
        });
        section.findings.push(
            finding(
                &format!("importance.mdi.{SET}.{benchmark}.{feature}"),
                &format!("How much of the forest's fall of impurity on {title} is due to {feature}?"),
            )
            .with_value(
                value,
                "fraction",
                rows.target.len(),
                "impurity decrease (random_forest)",
            )
            .with_protocol("all_rows", rows.design.names())
            .with_seed(study.seed)
            .with_figure("importance-mdi")
            .with_note("measured on training rows and shared at random between features that move together"),
        );
    }
    Ok(bars)
}

fn words(section: &Section) -> Vec<String> {
    let value = |protocol: &str, benchmark: &str| {
        let id = format!("regression.r2.{SET}.{protocol}.random_forest.{benchmark}");
        section
            .findings
            .iter()
            .find(|finding| finding.id == id)
            .and_then(|finding| finding.value)
    };
    let range = |protocol: &str| {
        let values: Vec<f64> = BENCHMARKS
            .iter()
            .filter_map(|benchmark| value(protocol, benchmark))
            .collect();
        (quantile(&values, 0.0), quantile(&values, 1.0))
    };
    let (random, unseen) = (range("random_split"), range("structure_out"));
    vec![format!(
        "With rows divided at random the forest explains {:.0} to {:.0} % of the variance; with shapes it has never seen, \
         {:.0} to {:.0} %. Fine-tunes of one base share a structure, so random rows put near-copies of the test rows into \
         training: the gap is what leaks. Features: {}.",
        100.0 * random.0,
        100.0 * random.1,
        100.0 * unseen.0,
        100.0 * unseen.1,
        COLUMNS.join(", ")
    )]
}

fn r2_figure(section: &Section, study: &LeaderboardV1<'_>) -> Figure {
    let mut bars = Vec::new();
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        for protocol in PROTOCOLS {
            let id = format!(
                "regression.r2.{SET}.{}.random_forest.{benchmark}",
                protocol.name()
            );
            let Some(finding) = section.findings.iter().find(|finding| finding.id == id) else {
                continue;
            };
            let Some(value) = finding.value else { continue };
            bars.push(Bar {
                group: BENCHMARK_TITLES[place].into(),
                series: protocol.name().into(),
                value,
                interval: finding
                    .interval
                    .as_ref()
                    .map(|interval| (interval.low, interval.high)),
            });
        }
    }
    Figure {
        id: "regression-r2".into(),
        title: "What a forest predicts, by protocol".into(),
        caption: format!(
            "R² of a random forest from structure and date to score under random_split and structure_out, with 95 % \
             intervals over shapes; leaderboard v1, {} checkpoints before rows without structure are left out.",
            study.rows.len()
        ),
        n: study.rows.len(),
        x: Axis::linear("benchmark"),
        y: Axis::linear("R² (fraction of variance)"),
        drawing: Drawing::Bars(bars),
    }
}

fn importance_figure(bars: Vec<Bar>, study: &LeaderboardV1<'_>) -> Figure {
    Figure {
        id: "importance-mdi".into(),
        title: "Impurity importance of each structure column".into(),
        caption: format!(
            "Share of the forest's fall of impurity due to each column, all rows, without an interval; \
             leaderboard v1, {} checkpoints before rows without structure are left out. Columns that move together share \
             their importance at random.",
            study.rows.len()
        ),
        n: study.rows.len(),
        x: Axis::linear("benchmark"),
        y: Axis::linear("impurity importance (fraction)"),
        drawing: Drawing::Bars(bars),
    }
}
