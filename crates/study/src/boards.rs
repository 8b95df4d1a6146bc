//! Section that compares all boards, benchmark by benchmark: the relation of score and size, and the effect of
//! post-training.
//!
//! Scores are not rescaled: each row is one benchmark on one board, in that benchmark's points. Only ranks are
//! comparable across boards.

use crate::abilities::benchmark;
use crate::board::{Board, ScoredCheckpoint};
use crate::calendar::decimal_year;
use crate::finding::{Finding, Interval};
use crate::section::{Axis, Bar, Cell, Drawing, Figure, Section, Table};
use crate::statistics::{
    GroupBootstrap, RankedColumns, bootstrap_interval, clustered_ols, given, resample_counts,
    stratified_difference,
};

/// Benchmarks with fewer checkpoints are left out.
const LEAST: usize = 20;

/// Rank correlations of score and size on one benchmark.
struct Ranks {
    n: usize,
    n_shapes: usize,
    /// Spearman's rank correlation of score and size, and its interval from resampling shapes.
    plain: (f64, Option<Interval>),
    /// The partial rank correlation given the date, and its interval.
    partial: (f64, Option<Interval>),
}

/// Builds the section.
pub fn section(boards: &[Board], bootstrap: GroupBootstrap) -> Section {
    let mut section = Section {
        id: "boards".into(),
        title: "Boards side by side".into(),
        ..Section::default()
    };
    let mut table = Table {
        id: "boards".into(),
        caption: "Benchmarks of every board, each on its own scale: the abilities it asks for, what guessing gets there, checkpoints with size and date, their shapes (one of its own \
                  where the shape is not known), Spearman's rank correlation of score and size and the same given the date (95 % intervals over shapes), points per doubling of size \
                  at equal date (clustered by shape), and post-trained minus pretrained checkpoints of one shape (points). Of a \
                  checkpoint that a board ran several times the first run without a mode counts."
            .into(),
        columns: [
            "board",
            "benchmark",
            "asks for",
            "chance",
            "n",
            "shapes",
            "rank with size",
            "low",
            "high",
            "given date",
            "low",
            "high",
            "points per doubling",
            "low",
            "high",
            "post-training",
            "low",
            "high",
        ]
        .map(String::from)
        .to_vec(),
        shown: true,
        ..Table::default()
    };
    let mut bars = Vec::new();
    let mut n_most = 0;
    for board in boards {
        for (outcome, (name, title)) in board.outcomes.iter().enumerate().take(board.average()) {
            let rows = known(board, outcome);
            let Some(ranks) = ranks(&rows, bootstrap) else {
                continue;
            };
            n_most = n_most.max(ranks.n);
            let doubling = doubling(&rows);
            let tuned = post_training(board, outcome);
            let known = benchmark(name);
            let mut cells: Vec<Cell> = vec![
                board.title.into(),
                title.as_str().into(),
                known
                    .as_ref()
                    .map_or_else(String::new, |known| known.abilities.join(", "))
                    .into(),
                known.and_then(|known| known.chance).into(),
                ranks.n.into(),
                ranks.n_shapes.into(),
            ];
            for (value, interval) in [
                Some(ranks.plain.clone()),
                Some(ranks.partial.clone()),
                doubling.clone(),
                tuned.clone(),
            ]
            .map(|found| found.map_or((None, None), |(value, ends)| (Some(value), ends)))
            {
                cells.push(value.into());
                cells.push(interval.as_ref().map(|ends| ends.low).into());
                cells.push(interval.as_ref().map(|ends| ends.high).into());
            }
            table.rows.push(cells);
            bars.push(Bar {
                group: board.title.into(),
                series: title.clone(),
                value: ranks.partial.0,
                interval: ranks.partial.1.as_ref().map(|ends| (ends.low, ends.high)),
            });
            let finding = |what: &str,
                           question: String,
                           (value, interval): (f64, Option<Interval>),
                           unit: &str,
                           method: &str| {
                Finding::new(
                    format!("boards.{what}.{}.{name}", board.name),
                    question,
                    &board.source(),
                )
                .with_value(value, unit, ranks.n, method)
                .with_interval(interval)
                .with_seed(bootstrap.seed)
                .with_figure("boards-size")
            };
            section.findings.push(finding(
                "rank",
                format!("Do larger checkpoints rank higher on {title}?"),
                ranks.plain,
                "1",
                "spearman",
            ));
            section.findings.push(finding(
                "rank_given_date",
                format!("Do larger checkpoints of one date rank higher on {title}?"),
                ranks.partial,
                "1",
                "partial spearman given date",
            ));
            if let Some(doubling) = doubling {
                section.findings.push(finding(
                    "points_per_doubling",
                    format!("What is a doubling of size worth on {title} at equal date?"),
                    doubling,
                    "points",
                    "least squares on log2 size and date, clustered by shape",
                ));
            }
        }
    }
    let n_boards = {
        let mut names: Vec<&str> = bars.iter().map(|bar| bar.group.as_str()).collect();
        names.dedup();
        names.len()
    };
    let clear = bars
        .iter()
        .filter(|bar| bar.interval.is_some_and(|(low, _)| low > 0.0))
        .count();
    section.text.push(format!(
        "Given the date, larger checkpoints rank higher for certain (interval above 0) on {clear} of {} benchmarks of {n_boards} boards. \
         Boards differ in checkpoints, prompts, metrics and scales: ranks may be read across them, points not.",
        bars.len()
    ));
    section.figures.push(Figure {
        id: "boards-size".into(),
        title: "Rank correlation of score and size given the date, board by board".into(),
        caption: format!(
            "Partial rank correlation with 95 % intervals over shapes; n ≤ {n_most} checkpoints of a benchmark with size and date."
        ),
        n: n_most,
        x: Axis::linear("rank correlation of score and size, given date"),
        y: Axis::linear(""),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    });
    section.tables.push(table);
    section.text.push(
        "What would change the answer: the choice of checkpoints. Each board ran what its makers cared for; of small boards intervals are \
         wide, and what post-training is worth differs with who was tuned for the test. `anatomy study trends --board NAME` and \
         `correlations --board NAME` have the rest of a board."
            .into(),
    );
    section
}

/// Checkpoints for which size, date and this score are known, with these three values.
fn known(board: &Board, outcome: usize) -> Vec<(&ScoredCheckpoint, [f64; 3])> {
    let of = |row: &'_ ScoredCheckpoint| Some([row.size?, row.date?, row.scores[outcome]?]);
    board
        .rows
        .iter()
        .filter_map(|row| Some((row, of(row)?)))
        .collect()
}

fn ranks(rows: &[(&ScoredCheckpoint, [f64; 3])], bootstrap: GroupBootstrap) -> Option<Ranks> {
    if rows.len() < LEAST {
        return None;
    }
    let columns: Vec<Vec<f64>> = (0..3)
        .map(|place| rows.iter().map(|(_, values)| values[place]).collect())
        .collect();
    let shapes: Vec<u32> = rows.iter().map(|(row, _)| row.shape).collect();
    let ranked = RankedColumns::new(&columns, &shapes);
    let n_shapes = ranked.n_groups();
    let both = |counts: &[u32]| {
        let matrix = ranked.correlations(counts);
        let partial = given(&matrix, &[1])[0][2];
        (matrix[0][2], partial)
    };
    let resampled = resample_counts(n_shapes, bootstrap, both);
    let interval = |pick: fn(&(f64, f64)) -> f64| {
        let values: Vec<f64> = resampled.iter().map(pick).collect();
        bootstrap_interval(&values, n_shapes, 0.95)
    };
    let (plain, partial) = both(&vec![1; n_shapes]);
    Some(Ranks {
        n: rows.len(),
        n_shapes,
        plain: (plain, interval(|pair| pair.0)),
        partial: (partial, interval(|pair| pair.1)),
    })
}

fn doubling(rows: &[(&ScoredCheckpoint, [f64; 3])]) -> Option<(f64, Option<Interval>)> {
    let target: Vec<f64> = rows.iter().map(|(_, values)| values[2]).collect();
    let shapes: Vec<u32> = rows.iter().map(|(row, _)| row.shape).collect();
    let columns = [
        vec![1.0; target.len()],
        rows.iter().map(|(_, values)| values[0].log2()).collect(),
        rows.iter()
            .map(|(_, values)| decimal_year(values[1]) - 2024.0)
            .collect(),
    ];
    let fit = clustered_ols(&columns, &target, &shapes).ok()?;
    let doubling = fit.coefficient(1);
    Some((doubling.value, doubling.interval))
}

fn post_training(board: &Board, outcome: usize) -> Option<(f64, Option<Interval>)> {
    let (mut values, mut other, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    for row in &board.rows {
        if let (Some(score), Some(pretrained)) = (row.scores[outcome], row.pretrained) {
            values.push(score);
            other.push(!pretrained);
            shapes.push(row.shape);
        }
    }
    let found = stratified_difference(&values, &other, &shapes, &shapes)?;
    Some((found.difference.value, found.difference.interval))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abilities::LISTED;

    fn row(number: u32, score: f64, size: f64) -> ScoredCheckpoint {
        ScoredCheckpoint {
            id: format!("org/{number}"),
            shape: number % 15,
            date: Some(19_700.0 + f64::from(number * 7 % 60)),
            size: Some(size),
            pretrained: Some(number.is_multiple_of(2)),
            scores: vec![Some(score); 6],
            ..ScoredCheckpoint::default()
        }
    }

    #[test]
    fn three_points_a_doubling_and_a_rank_of_one_are_found_and_too_few_rows_say_nothing() {
        let rows = |count: u32| {
            (0..count)
                .map(|number| {
                    let doublings = f64::from(number % 15) / 2.0;
                    row(number, 10.0 + 3.0 * doublings, doublings.exp2())
                })
                .collect::<Vec<_>>()
        };
        let bootstrap = GroupBootstrap {
            resamples: 100,
            seed: 1,
        };
        let boards = [
            Board::listed(&LISTED[2], rows(60), 0),
            Board::listed(&LISTED[3], rows(LEAST as u32 - 1), 0),
        ];
        let section = section(&boards, bootstrap);
        let value = |id: &str| {
            section
                .findings
                .iter()
                .find(|finding| finding.id == id)
                .and_then(|finding| finding.value)
        };
        assert!((value("boards.rank.proteus.proteus_bbh").unwrap_or_default() - 1.0).abs() < 1e-12);
        let doubling = value("boards.points_per_doubling.proteus.proteus_bbh");
        assert!((doubling.unwrap_or_default() - 3.0).abs() < 1e-9, "{doubling:?}");
        assert!(
            section
                .findings
                .iter()
                .all(|finding| !finding.id.contains("euroeval"))
        );
        // Scores depend on size alone, so that post-training has no effect within a shape.
        let table = &section.tables[0];
        assert_eq!(table.rows.len(), 6);
        assert!(
            matches!(table.rows[0][15], Cell::Number(value) if value.abs() < 1e-9),
            "{:?}",
            table.rows[0][15]
        );
    }

    #[test]
    fn boards_and_their_benchmarks_are_known_to_the_list_of_abilities() {
        for board in &LISTED {
            for name in board.benchmarks {
                assert!(
                    crate::abilities::benchmark(name).is_some(),
                    "{name} of {}",
                    board.name
                );
            }
        }
    }
}
