//! Time against size among pretrained checkpoints: how soon a smaller checkpoint reaches an equal score.
//!
//! Model: score = a + b log2(size) + c · years. A year is worth c/b doublings, so the size for an equal score halves in
//! 12 b/c months. Where the interval of c includes zero, that of the ratio is unbounded.

use super::Base;
use crate::board::Board;
use crate::calendar::decimal_year;
use crate::finding::{Finding, Interval};
use crate::section::{Cell, Section, Table};
use crate::statistics::{Contrast, Ratio, clustered_ols};

/// Points per doubling of size and per year, and the months in which the size for an equal score halves.
pub(super) fn trade(board: &Board, bases: &[Base<'_>], section: &mut Section) {
    let mut table = Table {
        id: format!("progress-trade-{}", board.name),
        caption: format!(
            "Score of pretrained checkpoints on {} = a + b log2(size) + c · years: points per doubling and per year with 95 % \
             intervals clustered by shape, and the months in which the size for an equal score halves (interval by Fieller; unbounded \
             where the points per year may be 0).",
            board.title
        ),
        columns: [
            "benchmark",
            "n",
            "points per doubling",
            "low",
            "high",
            "points per year",
            "low",
            "high",
            "months to halve",
            "low",
            "high",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    for (outcome, (name, title)) in board.outcomes.iter().enumerate() {
        let known: Vec<(&Base<'_>, f64)> = bases
            .iter()
            .filter_map(|base| Some((base, base.row.scores[outcome]?)))
            .collect();
        let target: Vec<f64> = known.iter().map(|(_, score)| *score).collect();
        let shapes: Vec<u32> = known.iter().map(|(base, _)| base.row.shape).collect();
        let columns = [
            vec![1.0; target.len()],
            known.iter().map(|(base, _)| base.size.log2()).collect(),
            known
                .iter()
                .map(|(base, _)| decimal_year(base.date) - 2024.0)
                .collect(),
        ];
        let Ok(fit) = clustered_ols(&columns, &target, &shapes) else {
            continue;
        };
        let (doubling, year) = (fit.coefficient(1), fit.coefficient(2));
        let mut halving = fit.ratio(1, 2).times(12.0);
        let open = is_open(&halving);
        let idle = is_idle(&doubling);
        halving.value = halving
            .value
            .filter(|months| *months > 0.0 && year.value > 0.0 && !idle);
        if halving.value.is_none() && !open {
            halving.interval = None;
        }
        let ends = |interval: &Option<Interval>| -> [Cell; 2] {
            [
                interval.as_ref().map(|ends| ends.low).into(),
                interval.as_ref().map(|ends| ends.high).into(),
            ]
        };
        let mut cells: Vec<Cell> = vec![title.as_str().into(), target.len().into(), doubling.value.into()];
        cells.extend(ends(&doubling.interval));
        cells.push(year.value.into());
        cells.extend(ends(&year.interval));
        cells.push(halving.value.into());
        if open {
            cells.extend(["unbounded".into(), "unbounded".into()]);
        } else {
            cells.extend(ends(&halving.interval));
        }
        table.rows.push(cells);
        let finding = |what: &str, question: String, value: f64, unit: &str, method: &str| {
            Finding::new(
                format!("progress.{what}.{}.{name}", board.name),
                question,
                &board.source(),
            )
            .with_value(value, unit, target.len(), method)
            .with_note("pretrained checkpoints only")
        };
        let method = "least squares on log2 size and date, clustered by shape";
        section.findings.extend([
            finding(
                "points_per_doubling",
                format!("What is a doubling of size worth on {title} at equal date?"),
                doubling.value,
                "points per doubling",
                method,
            )
            .with_interval(doubling.interval.clone()),
            finding(
                "points_per_year",
                format!("What is a year worth on {title} at equal size?"),
                year.value,
                "points per year",
                method,
            )
            .with_interval(year.interval.clone()),
            finding(
                "halving_months",
                format!("In how many months does the size for an equal {title} halve?"),
                halving.value.unwrap_or(f64::NAN),
                "months",
                "12 times points per doubling over points per year",
            )
            .with_interval(halving.interval.clone())
            .with_note(note(open, idle, year.value, doubling.value)),
        ]);
        if outcome == board.average() {
            section
                .text
                .push(words(board, [&doubling, &year], &halving, target.len()));
        }
    }
    section.tables.push(table);
}

/// Whether the interval of the months is unbounded, as growth per year may be zero.
fn is_open(halving: &Ratio) -> bool {
    halving.interval.as_ref().is_some_and(|ends| !ends.is_bounded())
}

/// Whether the effect of a doubling of size may be zero, so that no size compensates for time.
fn is_idle(doubling: &Contrast) -> bool {
    doubling
        .interval
        .as_ref()
        .is_some_and(|ends| ends.low <= 0.0 && ends.high >= 0.0)
}

/// A note on how the months are bounded, or why they are not given.
fn note(open: bool, idle: bool, year: f64, doubling: f64) -> &'static str {
    if open {
        "cannot tell: growth per year covers 0, so nothing bounds the months (ends null)"
    } else if idle {
        "cannot tell: points per doubling cover 0, so size may buy nothing to make up for"
    } else if year <= 0.0 {
        "no value: scores fall with date at equal size"
    } else if doubling <= 0.0 {
        "no value: scores do not rise with size at equal date"
    } else {
        "Fieller's interval: errors of both, and how they go together"
    }
}

/// Text on the trade-off for the mean of the benchmarks.
fn words(board: &Board, [doubling, year]: [&Contrast; 2], halving: &Ratio, n: usize) -> String {
    let between = |ends: &Option<Interval>, digits: usize| {
        ends.as_ref().map_or(String::new(), |ends| {
            format!(" [{:.digits$}, {:.digits$}]", ends.low, ends.high)
        })
    };
    let worth = format!(
        "On {} a doubling of size is worth {:.1} points of Average and a year {:.1}{}",
        board.title,
        doubling.value,
        year.value,
        between(&year.interval, 1)
    );
    let of = format!("(n = {n} pretrained checkpoints)");
    match halving.value {
        _ if is_open(halving) => format!(
            "{worth}: in how many months the size that an equal score needs halves we cannot tell: growth per year covers 0 {of}."
        ),
        Some(months) => format!(
            "{worth}: the size that an equal score needs halves in {months:.0} months{} {of}.",
            between(&halving.interval, 0)
        ),
        None if is_idle(doubling) => format!(
            "{worth}: in how many months the size that an equal score needs halves we cannot tell: points per doubling cover 0 {of}."
        ),
        None => format!("{worth}: the size that an equal score needs does not halve {of}."),
    }
}
