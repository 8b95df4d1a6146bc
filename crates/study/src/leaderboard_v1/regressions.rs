//! Section on regressions from structure to score: a random forest on `structure_date`, on random splits and on
//! held-out shapes.

use super::forests::{Forests, add_runs, forests, importance_by_tree};
use super::primary;
use super::rows::{BoardRows, PROTOCOLS, SET, rows_of, rows_table};
use super::told;
use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, finding};
use crate::ceiling::ceiling;
use crate::error::Error;
use crate::finding::Finding;
use crate::importance::reading;
use crate::protocol::Protocol;
use crate::published::published;
use crate::scored::readings;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::mean;

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
                  rows (date can pass it). Look-up: predicting the training mean of the row's own shape. By shape: the same \
                  predictions, each shape counted once; without largest: by rows, without those of the largest shape; \
                  effective shapes: (Σn)² / Σn² of the shapes tested. Random rows: mean and standard deviation over splits, \
                  unseen shapes: over seeds of the forest. Intervals: 95 %, bootstrap over shapes."
            .into(),
        columns: [
            "benchmark",
            "protocol",
            "n tested",
            "R²",
            "sd",
            "sd over",
            "low",
            "high",
            "R² by shape",
            "low by shape",
            "high by shape",
            "R² without largest",
            "effective shapes",
            "MAE (points)",
            "look-up R²",
            "look-up R² by shape",
            "ceiling",
        ]
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
            let forests = forests(&rows, protocol, study.resamples, study.seed)?;
            table
                .rows
                .push(table_row(place, protocol, &forests, limit.adjusted));
            section
                .findings
                .extend(scores(study, place, protocol, &rows, &forests));
            add_runs(&mut row_table, protocol, &forests);
            done();
        }
        importances.extend(importance(study, place, &rows, &mut section)?);
        section.findings.extend(primary::findings(study, place, &rows)?);
        done();
        section.tables.push(row_table);
    }
    section.tables.insert(0, table);
    section.text = told::words(&section.findings);
    section.figures = vec![
        told::r2_figure(&section.findings, study),
        importance_figure(importances, study),
    ];
    Ok(section)
}

fn scores(
    study: &LeaderboardV1<'_>,
    place: usize,
    protocol: Protocol,
    rows: &BoardRows,
    forests: &Forests,
) -> Vec<Finding> {
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let name = protocol.name();
    let complete = |finding: Finding, value: f64, unit: &str, method: &str| {
        finding
            .with_value(value, unit, forests.runs.first.n_tested, method)
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
    let by_rows = complete(
        finding(
            &r2_id,
            &format!("Which share of the variance of {title} does a forest predict from structure and date?"),
        ),
        forests.runs.r2,
        "fraction",
        "random_forest",
    )
    .with_interval(forests.runs.interval.clone())
    .with_note(forests.runs.spread_in_words("forest").unwrap_or_default())
    .with_figure("regression-r2")
    .with_published(published(&r2_id));
    let own_shape = complete(
        finding(
            &id("r2", "lookup"),
            &format!("Which share of the variance of {title} does the mean of the row's own shape predict?"),
        ),
        forests.lookup.r2,
        "fraction",
        "look-up: training mean of the row's shape, else of all",
    )
    .with_note(format!("mean over {}", forests.runs.name()));
    let mut all = readings(&by_rows, &forests.runs.by_shape);
    all.extend([
        complete(
            finding(
                &format!("regression.effective_shapes.{SET}.{name}.{benchmark}"),
                &format!("How many shapes of equal size would weigh as evenly as those tested on {title}?"),
            ),
            forests.runs.by_shape.effective_groups,
            "shapes",
            "(Σn)² / Σn² over the rows of each shape tested",
        )
        .with_note(format!(
            "of {}; the largest holds {:.0} % of the rows",
            forests.runs.by_shape.n_groups,
            100.0 * forests.runs.by_shape.largest_share
        )),
        complete(
            finding(
                &id("r2_mean_of_folds", "random_forest"),
                &format!("The same as the mean of the folds' R², for {title}?"),
            ),
            forests.runs.r2_mean_of_folds,
            "fraction",
            "random_forest",
        ),
        complete(
            finding(
                &id("mae", "random_forest"),
                &format!("How far off is the forest on {title}, on the mean?"),
            ),
            forests.runs.mae,
            "points",
            "random_forest",
        ),
    ]);
    all.extend(readings(&own_shape, &forests.lookup.by_shape));
    all
}

fn table_row(place: usize, protocol: Protocol, forests: &Forests, ceiling: Option<f64>) -> Vec<Cell> {
    let once = &forests.runs.by_shape;
    vec![
        BENCHMARK_TITLES[place].into(),
        protocol.name().into(),
        forests.runs.first.n_tested.into(),
        forests.runs.r2.into(),
        forests.runs.r2_sd.into(),
        forests.runs.name().into(),
        forests.runs.interval.as_ref().map(|interval| interval.low).into(),
        forests
            .runs
            .interval
            .as_ref()
            .map(|interval| interval.high)
            .into(),
        once.r2.into(),
        once.interval.as_ref().map(|interval| interval.low).into(),
        once.interval.as_ref().map(|interval| interval.high).into(),
        once.r2_without_largest.into(),
        once.effective_groups.into(),
        forests.runs.mae.into(),
        forests.lookup.r2.into(),
        forests.lookup.by_shape.r2.into(),
        ceiling.into(),
    ]
}

/// Impurity importances of forests on all rows; without intervals, as the variation between trees does not reflect
/// other shapes.
fn importance(
    study: &LeaderboardV1<'_>,
    place: usize,
    rows: &BoardRows,
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
                &reading::question("mdi", SET, title, feature),
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
            .with_note("measured on training rows and shared at random between features that move together")
            .with_note(format!(
                "not the importance of {feature} for {benchmark}, which is stated of layers, d_model, d_ffn and heads alone: {}",
                reading::answer(benchmark, feature)
            )),
        );
    }
    Ok(bars)
}

fn importance_figure(bars: Vec<Bar>, study: &LeaderboardV1<'_>) -> Figure {
    Figure {
        id: "importance-mdi".into(),
        title: "Share of split gain among nine columns, size and date among them".into(),
        caption: format!(
            "Not the importance of a column (section \"Which structural feature matters most\" states that, with intervals): here \
             layers, d_model, d_ffn and heads share a forest's split gain with size, date and three more columns, and columns that \
             move together share it at random. All rows, no interval; leaderboard v1, {} checkpoints before rows without structure \
             are left out.",
            study.rows.len()
        ),
        n: study.rows.len(),
        x: Axis::linear("benchmark"),
        y: Axis::linear("share of split gain (fraction)"),
        drawing: Drawing::Bars(bars),
    }
}
