//! Text and figure on the regressions from structure to score, by rows and with each shape counted once.

use super::rows::PROTOCOLS;
use super::rows::SET;
use super::{BENCHMARK_TITLES, BENCHMARKS, LeaderboardV1};
use crate::features::COLUMNS;
use crate::finding::Finding;
use crate::protocol::Protocol;
use crate::section::{Axis, Bar, Drawing, Figure};
use crate::statistics::{mean, quantile};

/// A statistic of the forest on each benchmark under a protocol; benchmarks without it are left out.
fn values(findings: &[Finding], statistic: &str, protocol: Protocol) -> Vec<f64> {
    let name = protocol.name();
    let of = |benchmark: &&str| {
        let id = format!("regression.{statistic}.{SET}.{name}.random_forest.{benchmark}");
        findings.iter().find(|finding| finding.id == id)?.value
    };
    BENCHMARKS.iter().filter_map(of).collect()
}

/// The section's text.
pub(super) fn words(findings: &[Finding]) -> Vec<String> {
    let (random, unseen) = (Protocol::RandomSplit, Protocol::StructureOut);
    let range = |statistic: &str, protocol: Protocol| {
        let values = values(findings, statistic, protocol);
        format!("{:.2} to {:.2}", quantile(&values, 0.0), quantile(&values, 1.0))
    };
    let gap = |statistic: &str| {
        let of = |protocol| mean(&values(findings, statistic, protocol));
        of(random) - of(unseen)
    };
    let effective: Vec<f64> = BENCHMARKS
        .iter()
        .filter_map(|benchmark| {
            let id = format!("regression.effective_shapes.{SET}.{}.{benchmark}", unseen.name());
            findings.iter().find(|finding| finding.id == id)?.value
        })
        .collect();
    vec![
        format!(
            "With rows divided at random the forest reaches R² {} by benchmark by rows, and {} with each shape counted \
             once. On shapes it has never seen it reaches {} by rows and {} with each shape counted once. Features: {}.",
            range("r2", random),
            range("r2_shapes", random),
            range("r2", unseen),
            range("r2_shapes", unseen),
            COLUMNS.join(", ")
        ),
        format!(
            "The two readings of unseen shapes answer two questions. By rows the effective number of shapes is {:.1}: \
             mostly it says how well the largest shape is predicted when it is held out, and without the rows of that one \
             it is {}. With each shape counted once it says how well a shape is predicted. Fine-tunes of one base share a \
             structure, so random rows put near-copies of the test rows into training: what that adds to R², on the mean \
             of the benchmarks, is {:.2} by rows and {:.2} with each shape counted once.",
            mean(&effective),
            range("r2_without_largest", unseen),
            gap("r2"),
            gap("r2_shapes")
        ),
    ]
}

/// Three bars per benchmark: random rows, held-out shapes by rows, held-out shapes with each counted once.
pub(super) fn r2_figure(findings: &[Finding], study: &LeaderboardV1<'_>) -> Figure {
    let [random, unseen] = PROTOCOLS;
    let series = [
        ("r2", random, "random rows"),
        ("r2", unseen, "unseen shapes, by rows"),
        ("r2_shapes", unseen, "unseen shapes, each once"),
    ];
    let mut bars = Vec::new();
    for (place, benchmark) in BENCHMARKS.iter().enumerate() {
        for (statistic, protocol, name) in series {
            let id = format!(
                "regression.{statistic}.{SET}.{}.random_forest.{benchmark}",
                protocol.name()
            );
            let found = findings.iter().find(|finding| finding.id == id);
            let Some((finding, value)) = found.and_then(|finding| Some((finding, finding.value?))) else {
                continue;
            };
            bars.push(Bar {
                group: BENCHMARK_TITLES[place].into(),
                series: name.into(),
                value,
                interval: finding
                    .interval
                    .as_ref()
                    .map(|interval| (interval.low, interval.high)),
            });
        }
    }
    Figure {
        id: "regression-r2".into(),
        title: "What a forest predicts: random rows, unseen shapes".into(),
        caption: format!(
            "R² of a random forest from structure and date to score: under random_split, under structure_out by rows, and \
             under structure_out with each shape counted once; 95 % intervals over shapes; leaderboard v1, {} checkpoints \
             before rows without structure are left out.",
            study.rows.len()
        ),
        n: study.rows.len(),
        x: Axis::linear("benchmark"),
        y: Axis::linear("R² (fraction of variance)"),
        drawing: Drawing::Bars(bars),
    }
}
