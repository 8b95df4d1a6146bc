//! Correlation of likes and downloads with the score, within size, within month of publication, and within both.

use super::super::{Bucket, Dimensions, LeaderboardRow, source};
use crate::finding::{Finding, Interval};
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{RankedColumns, bootstrap_interval, correlation_within, given, resample_counts};

/// Measures of popularity: name in ids, description with the rows used, function.
const MEASURES: [(&str, &str, Measure); 3] = [
    ("likes", "likes, all evaluations with likes", |row| row.likes),
    ("likes_over_10", "likes, more than 10", |row| {
        row.likes.filter(|&likes| likes > 10.0)
    }),
    ("downloads", "downloads, where known", |row| row.downloads),
];
type Measure = fn(&LeaderboardRow) -> Option<f64>;

/// Strata within which the correlation is computed.
const STRATA: [(&str, &str, Stratum); 3] = [
    ("within_size", "same size (half a doubling)", |row| {
        Some((size_class(row)?, 0))
    }),
    ("within_month", "same month", |row| Some((0, row.month()?))),
    ("within_size_month", "same size and month", |row| {
        Some((size_class(row)?, row.month()?))
    }),
];
type Stratum = fn(&LeaderboardRow) -> Option<(i64, i64)>;

/// Size class: half doublings of size.
fn size_class(row: &LeaderboardRow) -> Option<i64> {
    row.best_size().map(|size| (2.0 * size.log2()).floor() as i64)
}

/// A correlation with its sample.
struct Found {
    value: f64,
    n: usize,
    interval: Option<Interval>,
}

pub(super) fn add(dimensions: &Dimensions<'_>, section: &mut Section) {
    let mut table = Table {
        id: "popularity-adjusted".into(),
        caption: "Rank correlation of popularity with Average, raw and like with like (ranks within strata, pooled), and partial \
                  given size and date; 95 % intervals over shapes."
            .into(),
        columns: ["measure", "held equal", "n", "correlation", "low", "high"]
            .map(String::from)
            .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    for (name, words, measure) in MEASURES {
        let mut add = |key: &str, held: &str, found: Found, method: &str| {
            let cells: [Cell; 6] = [
                words.into(),
                held.into(),
                found.n.into(),
                found.value.into(),
                found.interval.as_ref().map(|ends| ends.low).into(),
                found.interval.as_ref().map(|ends| ends.high).into(),
            ];
            table.rows.push(cells.to_vec());
            bars.push(Bar {
                group: words.into(),
                series: held.into(),
                value: found.value,
                interval: found.interval.as_ref().map(|ends| (ends.low, ends.high)),
            });
            section.findings.push(
                Finding::new(
                    format!("popularity.{name}.{key}"),
                    format!("Does popularity ({words}) go with Average, {held}?"),
                    &source(),
                )
                .with_value(found.value, "1", found.n, method)
                .with_interval(found.interval)
                .with_seed(dimensions.seed)
                .with_figure("popularity-adjusted"),
            );
        };
        add(
            "raw",
            "nothing held equal",
            raw(dimensions, measure, |_| true),
            "spearman",
        );
        for bucket in Bucket::ALL {
            let of = raw(dimensions, measure, |row| {
                row.size_known() && row.bucket() == bucket
            });
            add(bucket.name(), &format!("{} only", bucket.name()), of, "spearman");
        }
        for (key, held, stratum) in STRATA {
            add(
                key,
                held,
                within(dimensions, measure, stratum),
                "ranks within strata, pearson",
            );
        }
        add(
            "partial",
            "size and date partialled out",
            partial(dimensions, measure),
            "partial spearman",
        );
    }
    section.tables.push(table);
    let n = dimensions.rows.iter().filter(|row| row.likes.is_some()).count();
    let figure = Figure {
        id: "popularity-adjusted".into(),
        title: "Popularity and score, like with like".into(),
        caption: format!(
            "Rank correlation of likes with Average: {} raw, {} at equal size and month; 95 % intervals over shapes, n ≤ {n} \
             evaluations with likes. Downloads are known for few.",
            section.said("popularity.likes.raw", 2),
            section.said("popularity.likes.within_size_month", 2)
        ),
        n,
        x: Axis::linear("rank correlation"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    };
    section.figures.push(figure);
    words(section);
}

fn raw(dimensions: &Dimensions<'_>, measure: Measure, keep: impl Fn(&LeaderboardRow) -> bool) -> Found {
    let (mut x, mut y, mut shape) = (Vec::new(), Vec::new(), Vec::new());
    for row in dimensions.rows.iter().filter(|row| keep(row)) {
        if let Some(value) = measure(row) {
            x.push(value);
            y.push(row.average);
            shape.push(row.shape);
        }
    }
    let n = x.len();
    let ranked = RankedColumns::new(&[x, y], &shape);
    let of = |counts: &[u32]| ranked.correlations(counts)[0][1];
    ranked_found(dimensions, &ranked, n, of)
}

fn partial(dimensions: &Dimensions<'_>, measure: Measure) -> Found {
    let mut columns = vec![Vec::new(); 4];
    let mut shape = Vec::new();
    for row in dimensions.rows {
        if let (Some(value), Some(size), Some(date)) = (measure(row), row.best_size(), row.date) {
            for (column, value) in columns.iter_mut().zip([value, row.average, size, date]) {
                column.push(value);
            }
            shape.push(row.shape);
        }
    }
    let ranked = RankedColumns::new(&columns, &shape);
    let of = |counts: &[u32]| given(&ranked.correlations(counts), &[2, 3])[0][1];
    ranked_found(dimensions, &ranked, shape.len(), of)
}

fn ranked_found(
    dimensions: &Dimensions<'_>,
    ranked: &RankedColumns,
    n: usize,
    of: impl Fn(&[u32]) -> f64 + Sync,
) -> Found {
    let groups = ranked.n_groups();
    let value = if n > 2 { of(&vec![1; groups]) } else { f64::NAN };
    let resampled = resample_counts(groups, dimensions.settings(), &of);
    Found {
        value,
        n,
        interval: bootstrap_interval(&resampled, groups, 0.95),
    }
}

fn within(dimensions: &Dimensions<'_>, measure: Measure, stratum: Stratum) -> Found {
    let (mut x, mut y, mut strata, mut shape) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in dimensions.rows {
        if let (Some(value), Some(stratum)) = (measure(row), stratum(row)) {
            x.push(value);
            y.push(row.average);
            strata.push(stratum);
            shape.push(row.shape);
        }
    }
    let (value, n, interval) = correlation_within(&x, &y, &strata, &shape, dimensions.settings());
    Found { value, n, interval }
}

fn words(section: &mut Section) {
    let said = |id: &str| section.said(id, 2);
    let text = format!(
        "Over all evaluations the rank correlation of likes with Average is {}, within size {}, within month {}, within both {}; \
         of downloads {} raw and {} within size.",
        said("popularity.likes.raw"),
        said("popularity.likes.within_size"),
        said("popularity.likes.within_month"),
        said("popularity.likes.within_size_month"),
        said("popularity.downloads.raw"),
        said("popularity.downloads.within_size")
    );
    section.text.push(text);
    section.text.push(
        "What would change the answer: likes counted at one age of each checkpoint instead of on one day, so that old ones \
         had no head start; and the reach of who publishes, which neither size nor month holds equal. Downloads count requests \
         of one file, by machines as well as people."
            .into(),
    );
}
