//! The trade of time for size among pretrained checkpoints.
//!
//! Score = a + b log2(size) + c · years: a year is worth c/b doublings, so the size that an equal score needs halves in
//! 12 b/c months.

use super::super::Trends;
use super::{AVERAGE, Base};
use crate::board::Board;
use crate::calendar::decimal_year;
use crate::finding::Finding;
use crate::groups::Groups;
use crate::section::{Cell, Section, Table};
use crate::statistics::{bootstrap_interval, clustered_ols, resample_counts};

/// What a doubling and a year are worth, and in how many months the size for an equal score halves.
pub(super) fn trade(trends: &Trends<'_>, board: &Board, bases: &[Base<'_>], section: &mut Section) {
    let mut table = Table {
        id: format!("progress-trade-{}", board.name),
        caption: format!(
            "Score of pretrained checkpoints on {} = a + b log2(size) + c · years: points per doubling and per year with 95 % \
             intervals clustered by shape, and the months in which the size for an equal score halves (bootstrap over shapes).",
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
        let months = |b: f64, c: f64| {
            if c > 0.0 && b > 0.0 {
                12.0 * b / c
            } else {
                f64::NAN
            }
        };
        let groups = Groups::from_labels(&shapes);
        let members = groups.members();
        let resampled = resample_counts(groups.n_groups(), trends.bootstrap, |counts| {
            let rows: Vec<usize> = members
                .iter()
                .zip(counts)
                .flat_map(|(rows, &count)| std::iter::repeat_n(rows, count as usize).flatten())
                .copied()
                .collect();
            slopes(&columns, &target, &rows).map_or(f64::NAN, |[b, c]| months(b, c))
        });
        let finite = resampled.iter().filter(|months| months.is_finite()).count();
        let halving = bootstrap_interval(&resampled, groups.n_groups(), 0.95);
        let ends = |interval: &Option<crate::finding::Interval>| -> [Cell; 2] {
            [
                interval.as_ref().map(|ends| ends.low).into(),
                interval.as_ref().map(|ends| ends.high).into(),
            ]
        };
        let mut cells: Vec<Cell> = vec![(*title).into(), target.len().into(), doubling.value.into()];
        cells.extend(ends(&doubling.interval));
        cells.push(year.value.into());
        cells.extend(ends(&year.interval));
        cells.push(months(doubling.value, year.value).into());
        cells.extend(ends(&halving));
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
            .with_interval(doubling.interval),
            finding(
                "points_per_year",
                format!("What is a year worth on {title} at equal size?"),
                year.value,
                "points per year",
                method,
            )
            .with_interval(year.interval),
            finding(
                "halving_months",
                format!("In how many months does the size for an equal {title} halve?"),
                months(doubling.value, year.value),
                "months",
                "12 times points per doubling over points per year",
            )
            .with_interval(halving.clone())
            .with_seed(trends.bootstrap.seed)
            .with_note(format!(
                "no value where scores do not rise with date at equal size: so in {} of {} resamples",
                resampled.len() - finite,
                resampled.len()
            )),
        ]);
        if outcome == AVERAGE {
            let value = months(doubling.value, year.value);
            let said = halving.map_or(String::new(), |ends| {
                format!(" [{:.0}, {:.0}]", ends.low, ends.high)
            });
            section.text.push(if value.is_finite() {
                format!(
                    "On {} a doubling of size is worth {:.1} points of Average and a year {:.1}: the size that an equal score needs \
                     halves in {value:.0} months{said} (n = {} pretrained checkpoints).",
                    board.title,
                    doubling.value,
                    year.value,
                    target.len()
                )
            } else {
                format!(
                    "On {} the Average of {} pretrained checkpoints does not rise with date at equal size.",
                    board.title,
                    target.len()
                )
            });
        }
    }
    section.tables.push(table);
}

/// Slopes on the second and third column by the normal equations of two centred columns; `None` where they are collinear.
fn slopes(columns: &[Vec<f64>; 3], target: &[f64], rows: &[usize]) -> Option<[f64; 2]> {
    let n = rows.len() as f64;
    let mean = |values: &[f64]| rows.iter().map(|&row| values[row]).sum::<f64>() / n;
    let (mx, mz, my) = (mean(&columns[1]), mean(&columns[2]), mean(target));
    let (mut xx, mut zz, mut xz, mut xy, mut zy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &row in rows {
        let (x, z, y) = (columns[1][row] - mx, columns[2][row] - mz, target[row] - my);
        xx += x * x;
        zz += z * z;
        xz += x * z;
        xy += x * y;
        zy += z * y;
    }
    let determinant = xx * zz - xz * xz;
    (determinant > 1e-12 * xx * zz).then(|| {
        [
            (xy * zz - zy * xz) / determinant,
            (zy * xx - xy * xz) / determinant,
        ]
    })
}
