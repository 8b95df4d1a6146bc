//! From structure to score: a random forest on `structure_date`, under random rows and under unseen shapes.

use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1, column, source};
use crate::ceiling::{ceiling, lookup};
use crate::design::Design;
use crate::error::Error;
use crate::evaluate::{Evaluation, bootstrap_r2_over_groups, evaluate};
use crate::features::{COLUMNS, feature_set};
use crate::finding::{Finding, Interval};
use crate::groups::Groups;
use crate::protocol::{Fold, Protocol, RowInformation, folds};
use crate::published::published;
use crate::regression::RandomForest;
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{mean, quantile};

const SET: &str = "structure_date";
const PROTOCOLS: [Protocol; 2] = [Protocol::RandomSplit, Protocol::StructureOut];

/// The rows that a regression uses: all features and the score are known.
struct Rows {
    /// Numbers of the rows in the study.
    rows: Vec<usize>,
    design: Design,
    target: Vec<f64>,
    shape: Groups,
    /// All structure columns but the date equal.
    structure: Groups,
}

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
        columns: ["benchmark", "protocol", "n tested", "R²", "low", "high", "MAE (points)", "look-up R²", "ceiling"]
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
            let forest = RandomForest::default();
            let result = evaluate(&forest, &rows.design, &rows.target, None, &folds, study.seed)?;
            let own_shape = lookup(&rows.target, &rows.shape, &folds)?;
            let interval = bootstrap_r2_over_groups(
                &rows.target,
                &result.predictions,
                &rows.shape,
                study.resamples,
                0.95,
                study.seed,
            )?;
            table.rows.push(table_row(
                place,
                protocol,
                &result,
                interval.as_ref(),
                &own_shape,
                limit.adjusted,
            ));
            section.findings.extend(scores(
                study, place, protocol, &rows, &result, interval, &own_shape,
            ));
            add_folds(&mut row_table, protocol, &folds, &result);
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

/// Rows with every feature of the set and the score; the rest is counted in the table's caption.
fn rows_of(study: &LeaderboardV1<'_>, benchmark: usize) -> Result<Rows, Error> {
    let names = feature_set(SET).expect("a set of the table");
    let places: Vec<usize> = names.iter().map(|name| column(name)).collect();
    let mut rows = Vec::new();
    let mut target = Vec::new();
    let mut columns = vec![Vec::new(); names.len()];
    for (row, score) in study.scored(benchmark) {
        let values: Option<Vec<f64>> = places
            .iter()
            .map(|&place| study.rows[row].structure[place])
            .collect();
        let Some(values) = values else { continue };
        rows.push(row);
        target.push(score);
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    let design = Design::new(names.iter().map(ToString::to_string).collect(), columns)?;
    let shape = Groups::from_columns(&design, &["layers", "d_model", "d_ffn", "heads"])?;
    let structure = Groups::from_columns(&design, feature_set("structure").expect("a set of the table"))?;
    Ok(Rows {
        rows,
        design,
        target,
        shape,
        structure,
    })
}

fn finding(id: &str, question: &str) -> Finding {
    Finding::new(id, question, &source()).with_published(None)
}

fn scores(
    study: &LeaderboardV1<'_>,
    place: usize,
    protocol: Protocol,
    rows: &Rows,
    result: &Evaluation,
    interval: Option<Interval>,
    own_shape: &Evaluation,
) -> Vec<Finding> {
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let name = protocol.name();
    let complete = |finding: Finding, value: f64, unit: &str, method: &str| {
        finding
            .with_value(value, unit, result.n_tested, method)
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
            result.r2_pooled.unwrap_or(f64::NAN),
            "fraction",
            "random_forest",
        )
        .with_interval(interval)
        .with_figure("regression-r2")
        .with_published(published(&r2_id)),
        complete(
            finding(
                &id("r2_mean_of_folds", "random_forest"),
                &format!("The same as the mean of the folds' R², for {title}?"),
            ),
            result.r2_mean_of_folds().unwrap_or(f64::NAN),
            "fraction",
            "random_forest",
        ),
        complete(
            finding(
                &id("mae", "random_forest"),
                &format!("How far off is the forest on {title}, on the mean?"),
            ),
            result.mae,
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
    result: &Evaluation,
    interval: Option<&Interval>,
    own_shape: &Evaluation,
    ceiling: Option<f64>,
) -> Vec<Cell> {
    vec![
        BENCHMARK_TITLES[place].into(),
        protocol.name().into(),
        result.n_tested.into(),
        result.r2_pooled.into(),
        interval.map(|interval| interval.low).into(),
        interval.map(|interval| interval.high).into(),
        result.mae.into(),
        own_shape.r2_pooled.into(),
        ceiling.into(),
    ]
}

/// Impurity importances of a forest on all rows, with the spread over its trees.
fn importance(
    study: &LeaderboardV1<'_>,
    place: usize,
    rows: &Rows,
    section: &mut Section,
) -> Result<Vec<Bar>, Error> {
    let (benchmark, title) = (BENCHMARKS[place], BENCHMARK_TITLES[place]);
    let fit = RandomForest::default().fit_forest(&rows.design, &rows.target, None, study.seed)?;
    let by_tree = fit.importance_by_tree();
    let mut bars = Vec::new();
    for (place_of_feature, feature) in rows.design.names().iter().enumerate() {
        let of_trees: Vec<f64> = by_tree.iter().map(|tree| tree[place_of_feature]).collect();
        let value = mean(&of_trees);
        let interval = Interval {
            low: quantile(&of_trees, 0.025),
            high: quantile(&of_trees, 0.975),
            level: 0.95,
            method: "quantiles over the forest's trees".into(),
        };
        bars.push(Bar {
            group: title.into(),
            series: feature.clone(),
            value,
            interval: Some((interval.low, interval.high)),
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
            .with_interval(Some(interval))
            .with_protocol("all_rows", rows.design.names())
            .with_seed(study.seed)
            .with_figure("importance-mdi")
            .with_note("measured on training rows and shared at random between features that move together"),
        );
    }
    Ok(bars)
}

/// The rows of one regression, so that anyone can fit them with another program.
fn rows_table(study: &LeaderboardV1<'_>, benchmark: &str, rows: &Rows) -> Table {
    let names = rows.design.names();
    Table {
        id: format!("regression-rows-{benchmark}"),
        caption: format!(
            "The {} rows of the regression on {benchmark} ({} of {} checkpoints lack a feature or the score), their test \
             fold under each protocol (-1: always training) and out-of-fold predictions.",
            rows.target.len(),
            study.rows.len() - rows.target.len(),
            study.rows.len()
        ),
        columns: ["id", "score"]
            .into_iter()
            .map(String::from)
            .chain(names.iter().cloned())
            .collect(),
        rows: rows
            .rows
            .iter()
            .enumerate()
            .map(|(row, &of_study)| {
                let features = rows.design.columns().iter().map(|column| Cell::from(column[row]));
                [
                    Cell::from(study.rows[of_study].id.as_str()),
                    rows.target[row].into(),
                ]
                .into_iter()
                .chain(features)
                .collect()
            })
            .collect(),
        shown: false,
    }
}

fn add_folds(table: &mut Table, protocol: Protocol, folds: &[Fold], result: &Evaluation) {
    let mut numbers = vec![-1.0; table.rows.len()];
    for (number, fold) in folds.iter().enumerate() {
        for &row in &fold.test {
            numbers[row] = number as f64;
        }
    }
    table.columns.push(format!("fold_{}", protocol.name()));
    table.columns.push(format!("prediction_{}", protocol.name()));
    for ((row, number), prediction) in table.rows.iter_mut().zip(numbers).zip(&result.predictions) {
        row.push(number.into());
        row.push((*prediction).into());
    }
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
            "Share of the forest's fall of impurity due to each column, all rows, with the middle 95 % of the trees; \
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
