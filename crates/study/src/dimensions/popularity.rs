//! Popularity: likes, and their relation to Average.

mod adjusted;

use super::{Dimensions, source, without};
use crate::finding::Finding;
use crate::published::published;
use crate::section::{Axis, Drawing, Figure, Section, Table};
use crate::statistics::{Statistic, least_squares_line, quantile, spearman};

pub(super) fn section(dimensions: &Dimensions<'_>) -> Section {
    let mut section = Section {
        id: "popularity".into(),
        title: "Popularity".into(),
        ..Section::default()
    };
    let likes = dimensions.sample(|row| row.likes);
    let note = without("likes", likes.len(), dimensions.rows.len());
    let mut table = Table {
        id: "popularity-likes".into(),
        caption: format!("Quantiles of likes; n = {} evaluations with likes.", likes.len()),
        columns: ["quantile", "likes"].map(String::from).to_vec(),
        shown: true,
        ..Table::default()
    };
    for (percent, statistic) in QUANTILES {
        let finding = dimensions
            .finding(
                format!("popularity.likes.q{percent}"),
                format!("How many likes has a checkpoint at the {percent} % quantile?"),
                &likes,
                ("quantile", statistic),
                "likes",
            )
            .with_note(&note);
        table
            .rows
            .push(vec![format!("{percent} %").into(), finding.value.into()]);
        section.findings.push(finding);
    }
    let count = |name: &str, words: &str, keep: fn(f64) -> bool| {
        let n = likes.iter().filter(|(_, likes)| keep(*likes)).count();
        Dimensions::count(
            format!("popularity.count.{name}"),
            format!("How many evaluations have {words}?"),
            n,
        )
        .with_note(&note)
    };
    section.findings.extend([
        count("none", "no likes", |likes| likes == 0.0),
        count("more_than_10", "more than 10 likes", |likes| likes > 10.0),
        count("more_than_100", "more than 100 likes", |likes| likes > 100.0),
    ]);

    let popular: Vec<(u32, f64, f64)> = dimensions
        .rows
        .iter()
        .filter_map(|row| {
            row.likes
                .filter(|&likes| likes > 10.0)
                .map(|likes| (row.shape, likes.log10(), row.average))
        })
        .collect();
    let shapes: Vec<u32> = popular.iter().map(|row| row.0).collect();
    let columns = |rows: &[usize]| -> (Vec<f64>, Vec<f64>) {
        rows.iter().map(|&row| (popular[row].1, popular[row].2)).unzip()
    };
    let all: Vec<usize> = (0..popular.len()).collect();
    let (x, y) = columns(&all);
    let correlation = spearman(&x, &y);
    let line = least_squares_line(&x, &y);
    let finding =
        |id: &str, question: &str, value: f64, method: &str, statistic: fn(&[f64], &[f64]) -> f64| {
            Finding::new(id, question, &source())
                .with_value(value, "1", popular.len(), method)
                .with_interval(dimensions.grouped(&shapes, |rows| {
                    let (x, y) = columns(rows);
                    statistic(&x, &y)
                }))
                .with_seed(dimensions.seed)
                .with_published(published(id))
                .with_figure("popularity")
                .with_note(&note)
        };
    section.findings.extend([
        finding(
            "popularity.spearman",
            "Do likes go with Average, among evaluations with more than 10 likes (rank correlation)?",
            correlation.value,
            "spearman",
            |x, y| spearman(x, y).value,
        ),
        finding(
            "popularity.r2",
            "Which share of the variance of Average does a line on log10 likes explain (more than 10 likes)?",
            line.r2,
            "least squares line",
            |x, y| least_squares_line(x, y).r2,
        ),
    ]);
    section.text = vec![format!(
        "{} evaluations have more than 10 likes. Among them the rank correlation of likes with Average is {:.3} and a \
         line on log10 likes explains {:.1} % of the variance. {note}.",
        popular.len(),
        correlation.value,
        100.0 * line.r2
    )];
    section.figures = vec![scatter(&popular, &line)];
    section.tables = vec![table];
    adjusted::add(dimensions, &mut section);
    section
}

const QUANTILES: [(u32, Statistic); 5] = [
    (50, |values| quantile(values, 0.5)),
    (75, |values| quantile(values, 0.75)),
    (90, |values| quantile(values, 0.9)),
    (95, |values| quantile(values, 0.95)),
    (99, |values| quantile(values, 0.99)),
];

fn scatter(popular: &[(u32, f64, f64)], line: &crate::statistics::Line) -> Figure {
    let ends = |x: f64| (10f64.powf(x), line.intercept + line.slope * x);
    let last = popular.iter().map(|row| row.1).fold(1.0, f64::max);
    Figure {
        id: "popularity".into(),
        title: "Likes say almost nothing about the score".into(),
        caption: format!(
            "Average against likes for the {} evaluations with more than 10 likes, with the least-squares line on \
             log10 likes (R² = {:.3}).",
            popular.len(),
            line.r2
        ),
        n: popular.len(),
        x: Axis::log("likes on the Hub (more than 10)"),
        y: Axis::linear("Average of six benchmarks (points)"),
        drawing: Drawing::Points {
            series: vec![(
                "evaluations".into(),
                popular
                    .iter()
                    .map(|&(_, log_likes, average)| (10f64.powf(log_likes), average))
                    .collect(),
            )],
            line: line.slope.is_finite().then(|| [ends(1.0), ends(last)]),
            named: Vec::new(),
        },
    }
}
