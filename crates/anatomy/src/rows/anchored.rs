//! Reads Sloth's table and its saved errors for the study.

use study::abilities::benchmark;
use study::anchored::{AnchoredBenchmark, AnchoredQuestion, AnchoredRow, Saved};

const TABLE: &str = include_str!("sloth.csv");
const SAVED: &str = include_str!("sloth-errors.csv");

/// Expected score of guessing in raw accuracy, points: the mean over sub-tasks of 1 / number of choices, as in the
/// leaderboard's normalisation.
const CHANCE: [f64; 6] = [0.0, 30.76, 0.0, 25.0, 34.4, 10.0];

/// Rows of a file, without comments and header.
fn lines(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|line| line.split(',').collect())
}

fn numbers(cells: &[&str]) -> Option<Vec<f64>> {
    cells.iter().map(|cell| cell.parse().ok()).collect()
}

/// The question defined by Sloth's own split into training and test.
pub(crate) fn anchored() -> AnchoredQuestion {
    let names = study::dimensions::BENCHMARKS;
    let benchmarks = names.iter().zip(CHANCE).map(|(name, chance)| AnchoredBenchmark {
        name: (*name).to_owned(),
        title: benchmark(name).map_or_else(|| (*name).to_owned(), |known| known.title.clone()),
        chance,
    });
    let rows = lines(TABLE).filter_map(|cells| {
        Some(AnchoredRow {
            model: (*cells.first()?).to_owned(),
            family: (*cells.get(1)?).to_owned(),
            group: cells.get(2)?.parse().ok(),
            size: cells.get(3)?.parse().ok()?,
            tokens: cells.get(4)?.parse().ok()?,
            is_tuned: *cells.get(5)? == "1",
            scores: numbers(cells.get(6..)?)?,
        })
    });
    let saved = lines(SAVED).filter_map(|cells| {
        Some(Saved {
            method: (*cells.first()?).to_owned(),
            group: cells.get(1)?.parse().ok()?,
            checkpoints: cells.get(2)?.parse().ok()?,
            errors: numbers(cells.get(3..)?)?,
        })
    });
    AnchoredQuestion {
        name: "sloth_v2".into(),
        work: "Sloth's table of leaderboard v2".into(),
        place: "arXiv 2412.06540; data_v2.csv and e1_1.npy of felipemaiapolo/sloth at 6dc6bb3e (MIT)".into(),
        benchmarks: benchmarks.collect(),
        rows: rows.collect(),
        saved: saved.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::anchored;

    /// Checks the table, its groups, and the error printed in the paper for its best method (2.9, figure 1) against the
    /// saved ones.
    #[test]
    fn the_table_is_whole_and_its_best_error_is_what_was_printed() {
        let question = anchored();
        assert_eq!((question.rows.len(), question.saved.len()), (102, 28 * 12));
        assert!(question.rows.iter().all(|row| row.scores.len() == 6));
        let own: Vec<f64> = question
            .saved
            .iter()
            .filter(|saved| saved.method == "factor_trainlink_faminter_2")
            .map(|saved| saved.errors.iter().sum::<f64>() / 6.0)
            .collect();
        // Computed by numpy from e1_1.npy: 2.855092.
        assert!((own.iter().sum::<f64>() / 12.0 - 2.855_092).abs() < 1e-6);
    }
}
