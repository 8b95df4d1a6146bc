//! Claims on the descriptive table of the structure columns.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::published::PAPER;

const STATISTICS: [&str; 6] = ["mean", "mode", "q1", "median", "q3", "max"];

/// Table 1 of the paper, in the order of [`STATISTICS`]. Skewness, kurtosis and missing values are specific to its rows
/// and left out.
#[rustfmt::skip]
const TABLE_1: [(&str, [f64; 6]); 10] = [
    ("size",       [8.0, 8.0, 1.0, 7.0, 8.0, 1018.0]),
    ("d_model",    [3284.0, 4096.0, 2048.0, 4096.0, 4096.0, 50257.0]),
    ("d_ffn",      [12767.0, 14336.0, 9216.0, 14336.0, 14336.0, 13_100_072.0]),
    ("heads",      [28.0, 32.0, 16.0, 32.0, 32.0, 5000.0]),
    ("layers",     [30.0, 32.0, 24.0, 32.0, 32.0, 8928.0]),
    ("kv_heads",   [15.0, 8.0, 8.0, 8.0, 32.0, 160.0]),
    ("vocab_size", [76579.0, 32000.0, 32000.0, 50257.0, 128_256.0, 5_025_700.0]),
    ("pos",        [30913.0, 4096.0, 2048.0, 4096.0, 32768.0, 104_857_600.0]),
    ("downloads",  [1827.0, 10.0, 10.0, 14.0, 21.0, 24_279_491.0]),
    ("likes",      [2.0, 0.0, 0.0, 0.0, 0.0, 5927.0]),
];

/// Relative tolerance.
const SHARE: f64 = 0.02;

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = Vec::new();
    for (column, numbers) in TABLE_1 {
        for (statistic, number) in STATISTICS.iter().zip(numbers) {
            let ours = findings.evidence(&format!("dataset.{statistic}.{column}"));
            let impossible = *statistic == "max"
                && ["d_model", "d_ffn", "heads", "layers", "vocab_size"].contains(&column);
            all.push(Claim {
                id: format!("dataset.{statistic}.{column}"),
                statement: format!("The {statistic} of {column} is {number}"),
                work: PAPER,
                place: "table 1",
                claimed: number,
                unit: "units of the column".into(),
                // The values are printed without decimal places.
                rule: Rule::Within((SHARE * number).max(0.5)),
                literature: ours,
                strict: ClaimEvidence::cannot("needs the work's own 160,000 rows; ours are other checkpoints"),
                why: if impossible {
                    "over the catalog's checkpoints, not the work's 160,000; values that no checkpoint can have are left \
                     out here, with their reasons in `rejects`"
                        .into()
                } else {
                    "over the catalog's checkpoints, not the work's 160,000".into()
                },
            });
        }
    }
    all
}
