//! Coverage of the boards: checkpoints with a score, and distinct shapes among them.

use crate::finding::{Finding, SourceOf};
use crate::section::{Cell, Table};

/// Counts of one board, or of several boards taken together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoardCount {
    /// Name of the board; `all` for all boards together, `before` for all boards without the dated ones.
    pub name: String,
    /// Number of scores.
    pub scores: usize,
    /// Number of checkpoints with a score.
    pub checkpoints: usize,
    /// Distinct shapes among these checkpoints: layers, `d_model`, `d_ffn`, heads and experts.
    pub shapes: usize,
    /// How many of these shapes have a checkpoint with a score for which all seven structure columns are known.
    pub whole: usize,
    /// Day of the newest score or snapshot of the board.
    pub newest: Option<String>,
}

/// The table of boards, and two findings per board: the number of shapes, and of those with all seven columns.
pub fn boards(counts: &[BoardCount]) -> (Table, Vec<Finding>) {
    let row = |count: &BoardCount| {
        vec![
            Cell::from(count.name.as_str()),
            count.scores.into(),
            count.checkpoints.into(),
            count.shapes.into(),
            count.whole.into(),
            count.newest.clone().map_or(Cell::Missing, Cell::from),
        ]
    };
    let table = Table {
        id: "dataset-boards".into(),
        caption: "Checkpoints with a score on each board, and their distinct shapes: layers, d_model, d_ffn, heads and experts; of \
                  these those with kv_heads, vocabulary and positions too. `before` are the boards without the dated ones \
                  (EuroEval, Swallow, Proteus, Epoch AI)."
            .into(),
        columns: [
            "board",
            "scores",
            "checkpoints",
            "shapes",
            "with all seven columns",
            "newest",
        ]
        .map(String::from)
        .to_vec(),
        rows: counts.iter().map(row).collect(),
        shown: true,
    };
    let findings = counts.iter().flat_map(|count| {
        let source = SourceOf {
            work: count.name.clone(),
            place: "checkpoints with a score".into(),
        };
        let name = &count.name;
        [
            ("shapes", count.shapes, "four"),
            ("shapes_whole", count.whole, "seven"),
        ]
        .map(|(id, value, columns)| {
            Finding::new(
                format!("dataset.{id}.{}", super::slug(name)),
                format!("How many distinct shapes with all {columns} columns have a score on {name}?"),
                &source,
            )
            .with_value(value as f64, "shapes", count.checkpoints, "count")
        })
    });
    (table, findings.collect())
}

#[cfg(test)]
mod tests {
    use super::{BoardCount, boards};

    #[test]
    fn a_row_and_two_findings_a_board() {
        let count = BoardCount {
            name: "open-llm-leaderboard-v2".into(),
            scores: 12,
            checkpoints: 3,
            shapes: 2,
            whole: 1,
            newest: Some("2025-03-13".into()),
        };
        let (table, findings) = boards(&[count]);
        assert_eq!(table.rows.len(), 1);
        let said: Vec<_> = findings
            .iter()
            .map(|one| (one.id.as_str(), one.value, one.n))
            .collect();
        assert_eq!(
            said,
            [
                ("dataset.shapes.open-llm-leaderboard-v2", Some(2.0), 3),
                ("dataset.shapes_whole.open-llm-leaderboard-v2", Some(1.0), 3)
            ]
        );
    }
}
