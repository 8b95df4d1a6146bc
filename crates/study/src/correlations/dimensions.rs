//! Number of dimensions that the benchmarks span: principal components of their ranks, compared with permuted columns,
//! and their stability when shapes are resampled.

use std::collections::BTreeMap;

use super::{Columns, Correlations};
use crate::board::Board;
use crate::finding::Finding;
use crate::section::{Axis, Cell, Drawing, Figure, Layer, Panel, Section, Table};
use crate::statistics::{
    Components, RankedColumns, bootstrap_interval, components, mean, median, parallel_analysis,
    resample_counts,
};

/// Permutations of the parallel analysis.
const SHUFFLES: usize = 200;

pub(super) fn add(study: &Correlations<'_>, board: &Board, section: &mut Section) {
    let columns = Columns::of(board, false);
    if columns.n() < 10 {
        return;
    }
    let ranked = RankedColumns::new(&columns.values, &columns.shapes);
    let n_groups = ranked.n_groups();
    let found = components(&ranked.correlations(&vec![1; n_groups]));
    let resampled: Vec<Components> = resample_counts(n_groups, study.bootstrap, |counts| {
        components(&ranked.correlations(counts))
    });
    let noise = parallel_analysis(&columns.values, SHUFFLES, study.bootstrap.seed);
    let by_shape = shape_means(&columns);
    let shape_rows = RankedColumns::new(&by_shape, &(0..by_shape[0].len() as u32).collect::<Vec<_>>());
    let of_shapes = components(&shape_rows.correlations(&vec![1; shape_rows.n_groups()]));
    let shape_noise = parallel_analysis(&by_shape, SHUFFLES, study.bootstrap.seed);
    let p = columns.names.len();

    let mut table = Table {
        id: format!("correlation-components-{}", board.name),
        caption: format!(
            "Principal components of the ranks of the benchmarks of {} (n = {} checkpoints, {n_groups} shapes): eigenvalue with its \
             95 % interval over shapes, share of the variance, the 95 % quantile of shuffled columns ({SHUFFLES} shuffles), how \
             alike the component is in resamples (median |cosine|), the same of one row a shape, and its loadings.",
            board.title,
            columns.n()
        ),
        columns: [
            "component",
            "eigenvalue",
            "low",
            "high",
            "share",
            "noise",
            "stability",
            "by shape",
            "noise by shape",
        ]
        .into_iter()
        .map(String::from)
        .chain(columns.titles.iter().cloned())
        .collect(),
        shown: true,
        ..Table::default()
    };
    let finding = |what: String, question: String, value: f64, unit: &str, method: &str| {
        Finding::new(
            format!("correlation.components.{}.{what}", board.name),
            question,
            &board.source(),
        )
        .with_value(value, unit, columns.n(), method)
        .with_figure(&format!("correlation-components-{}", board.name))
    };
    let method = "principal components of rank correlations";
    let (mut line, mut band) = (Vec::new(), Vec::new());
    for k in 0..p {
        let number = k + 1;
        let values: Vec<f64> = resampled.iter().map(|of| of.eigenvalues[k]).collect();
        let interval = bootstrap_interval(&values, n_groups, 0.95);
        let alike: Vec<f64> = resampled
            .iter()
            .map(|of| {
                of.vectors[k]
                    .iter()
                    .zip(&found.vectors[k])
                    .map(|(a, b)| a * b)
                    .sum::<f64>()
                    .abs()
            })
            .collect();
        let stability = median(&alike);
        let share = found.eigenvalues[k] / p as f64;
        let mut cells: Vec<Cell> = vec![
            number.into(),
            found.eigenvalues[k].into(),
            interval.as_ref().map(|ends| ends.low).into(),
            interval.as_ref().map(|ends| ends.high).into(),
            share.into(),
            noise[k].into(),
            stability.into(),
            of_shapes.eigenvalues[k].into(),
            shape_noise[k].into(),
        ];
        cells.extend(found.vectors[k].iter().map(|entry| Cell::from(*entry)));
        table.rows.push(cells);
        line.push((number as f64, found.eigenvalues[k]));
        if let Some(ends) = &interval {
            band.push((number as f64, ends.low, ends.high));
        }
        section.findings.extend([
            finding(
                format!("eigenvalue.{number}"),
                format!("What is eigenvalue {number} of the benchmarks' rank correlations?"),
                found.eigenvalues[k],
                "1",
                method,
            )
            .with_interval(interval)
            .with_seed(study.bootstrap.seed),
            finding(
                format!("share.{number}"),
                format!("Which share of the benchmarks' variance lies along component {number}?"),
                share,
                "fraction",
                method,
            ),
            finding(
                format!("stability.{number}"),
                format!("How alike is component {number} when shapes are drawn anew (median |cosine|)?"),
                stability,
                "1",
                "bootstrap over shapes",
            )
            .with_seed(study.bootstrap.seed),
        ]);
    }
    let above = |own: &[f64], noise: &[f64]| {
        own.iter()
            .zip(noise)
            .take_while(|(own, noise)| own > noise)
            .count()
    };
    let retained = above(&found.eigenvalues, &noise);
    let retained_by_shape = above(&of_shapes.eigenvalues, &shape_noise);
    let horn = "parallel analysis, shuffled columns, 95 % quantile";
    section.findings.extend([
        finding(
            "retained".into(),
            "How many components of the benchmarks exceed noise?".into(),
            retained as f64,
            "components",
            horn,
        )
        .with_seed(study.bootstrap.seed)
        .with_note("rows of one shape are not independent: the next finding takes one row per shape"),
        Finding::new(
            format!("correlation.components.{}.retained_by_shape", board.name),
            "How many components exceed noise with one row a shape?",
            &board.source(),
        )
        .with_value(retained_by_shape as f64, "components", by_shape[0].len(), horn)
        .with_seed(study.bootstrap.seed),
    ]);
    section.text.push(format!(
        "The benchmarks of {} span {retained} dimension{} above noise ({retained_by_shape} with one row a shape): the first holds \
         {:.0} % of their variance, the second {:.0} %.",
        board.title,
        if retained == 1 { "" } else { "s" },
        100.0 * found.eigenvalues[0] / p as f64,
        100.0 * found.eigenvalues[1] / p as f64
    ));
    section.tables.push(table);
    section.figures.push(Figure {
        id: format!("correlation-components-{}", board.name),
        title: format!("How many dimensions the benchmarks span, {}", board.title),
        caption: format!(
            "Eigenvalues of the rank correlations of six benchmarks with 95 % intervals over shapes, and the 95 % quantile of those \
             of shuffled columns: what lies above the dashes is more than noise; n = {} checkpoints, {n_groups} shapes.",
            columns.n()
        ),
        n: columns.n(),
        x: Axis::linear("component"),
        y: Axis::linear("eigenvalue (sum: 6)"),
        drawing: Drawing::Panels(vec![Panel {
            title: String::new(),
            layers: vec![
                Layer::Band {
                    name: "benchmarks".into(),
                    points: band,
                },
                Layer::Line {
                    name: "benchmarks".into(),
                    points: line.clone(),
                    step: false,
                },
                Layer::Line {
                    name: "shuffled columns".into(),
                    points: line.iter().zip(&noise).map(|((x, _), y)| (*x, *y)).collect(),
                    step: false,
                },
            ],
        }]),
    });
}

/// Column means over the rows of each shape.
fn shape_means(columns: &Columns) -> Vec<Vec<f64>> {
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, &shape) in columns.shapes.iter().enumerate() {
        members.entry(shape).or_default().push(row);
    }
    columns
        .values
        .iter()
        .map(|column| {
            let of = |rows: &Vec<usize>| mean(&rows.iter().map(|&row| column[row]).collect::<Vec<_>>());
            members.values().map(of).collect()
        })
        .collect()
}
