//! Claims on five example checkpoints of the paper's dataset, one per table entry.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::dataset::{EXAMPLE_COLUMNS, EXAMPLES};
use crate::published::PAPER;

/// Table 5 of the paper: one row per column of [`EXAMPLE_COLUMNS`], one entry per checkpoint of [`EXAMPLES`]; `None`
/// where the table has no number.
#[rustfmt::skip]
const TABLE_5: [[Option<f64>; 5]; 16] = {
    const fn of(numbers: [f64; 5]) -> [Option<f64>; 5] {
        let [a, b, c, d, e] = numbers;
        [Some(a), Some(b), Some(c), Some(d), Some(e)]
    }
    const fn without_bloom([a, c, d, e]: [f64; 4]) -> [Option<f64>; 5] {
        [Some(a), None, Some(c), Some(d), Some(e)]
    }
    [
        of([8.0, 176.0, 46.0, 7.0, 7.0]),
        of([4096.0, 14336.0, 4096.0, 4096.0, 4096.0]),
        without_bloom([14336.0, 14336.0, 11008.0, 14336.0]),
        of([32.0, 112.0, 32.0, 32.0, 32.0]),
        of([32.0, 70.0, 32.0, 32.0, 32.0]),
        without_bloom([8.0, 8.0, 32.0, 8.0]),
        of([128_256.0, 250_880.0, 32000.0, 32000.0, 32000.0]),
        without_bloom([8192.0, 32768.0, 4096.0, 32768.0]),
        of([4883.0, 4632.0, 3920.0, 3633.0, 3259.0]),
        of([556_210.0, 28821.0, 2_911_366.0, 927_400.0, 3_147_345.0]),
        of([60.24, 50.43, 66.38, 53.07, 59.98]),
        of([82.23, 76.41, 86.46, 78.59, 83.31]),
        of([66.7, 30.85, 71.88, 46.87, 64.16]),
        of([42.93, 39.76, 46.81, 38.76, 42.15]),
        of([78.45, 72.06, 81.69, 74.03, 78.37]),
        of([45.19, 6.9, 57.62, 14.48, 37.83]),
    ]
};

/// Tolerance: sizes are printed as whole billions, truncated or rounded; all else as in the sources.
fn tolerance(column: &str) -> f64 {
    match column {
        "size" => 1.0,
        "arc" | "hellaswag" | "mmlu" | "truthfulqa" | "winogrande" | "gsm8k" => 0.005,
        _ => 0.0,
    }
}

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = Vec::new();
    for (column, cells) in EXAMPLE_COLUMNS.iter().zip(TABLE_5) {
        for ((name, id), claimed) in EXAMPLES.iter().zip(cells) {
            let Some(claimed) = claimed else { continue };
            let counts_change = ["likes", "downloads"].contains(column);
            all.push(Claim {
                id: format!("dataset.example.{name}.{column}"),
                statement: format!("{column} of {id} is {claimed}"),
                work: PAPER,
                place: "table 5",
                claimed,
                unit: "units of the column".into(),
                rule: Rule::Within(tolerance(column)),
                literature: findings.evidence(&format!("dataset.example.{name}.{column}")),
                strict: ClaimEvidence::cannot("one cell of a table: there is no stricter reading"),
                why: if counts_change {
                    "a count of the Hub that grows with every day: the two were not taken on the same".into()
                } else {
                    String::new()
                },
            });
        }
    }
    all
}
