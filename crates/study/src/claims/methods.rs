//! Claims on the methods: R² of each on each benchmark, which is best, and their errors.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::leaderboard_v1::BENCHMARKS;
use crate::published::{PAPER, table_2};
use crate::weights::prefix;

/// Tolerance for an R², as the rows of the leaderboard and the random split differ.
const TOLERANCE: f64 = 0.05;

/// Methods of Table 2; `XGBoost` is named in the appendix only, and beats the forest here on random splits.
const METHODS: [&str; 9] = [
    "random_forest",
    "linear",
    "decision_tree",
    "svr",
    "ridge",
    "lasso",
    "knn",
    "gradient_boosting",
    "mlp",
];

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all: Vec<Claim> = table_2()
        .map(|(method, benchmark, r2)| {
            let of = |protocol: &str| {
                findings.evidence(&format!(
                    "regression.r2.structure_date.{protocol}.{method}.{benchmark}"
                ))
            };
            let llm = method == "llm";
            Claim {
                id: format!("r2.{method}.{benchmark}"),
                statement: format!("R² of {method} on {benchmark} is {r2:.2}"),
                work: PAPER,
                place: "table 2",
                claimed: r2,
                unit: "fraction".into(),
                rule: Rule::Within(TOLERANCE),
                literature: if llm {
                    tuned(findings, benchmark)
                } else {
                    of("random_split")
                },
                strict: if llm {
                    ClaimEvidence::cannot(
                        "needs a checkpoint tuned on `anatomy study prompts --protocol structure_out`",
                    )
                } else {
                    of("structure_out")
                },
                why: String::new(),
            }
        })
        .collect();
    all.push(forest_is_best(findings));
    all.extend(errors(findings));
    all
}

/// R² of the fine-tuned checkpoint with the most test rows: a stand-in, as its name says.
fn tuned(findings: &Findings<'_>, benchmark: &str) -> ClaimEvidence {
    let asked = findings.under(&prefix(&format!("llm.r2.{benchmark}")));
    let most = asked.into_iter().max_by_key(|(_, finding)| finding.n);
    most.map_or_else(
        || {
            ClaimEvidence::cannot(
                "needs a checkpoint tuned on `anatomy study prompts` by `anatomy probe tune`",
            )
        },
        |(_, finding)| {
            ClaimEvidence::from(finding).saying(format!(
                "of {}, a stand-in for Llama-2-7B; {}",
                finding.source.work,
                finding.notes.join("; ")
            ))
        },
    )
}

/// Number of benchmarks on which the forest beats every other method of the literature.
fn forest_is_best(findings: &Findings<'_>) -> Claim {
    let on = |protocol: &str| {
        let mut answers = Vec::new();
        let mut others = Vec::new();
        for benchmark in BENCHMARKS {
            let r2 = |method: &str| {
                findings.get(&format!(
                    "regression.r2.structure_date.{protocol}.{method}.{benchmark}"
                ))
            };
            let best = METHODS
                .iter()
                .filter_map(|method| Some((*method, r2(method)?)))
                .max_by(|(_, a), (_, b)| {
                    a.value
                        .unwrap_or(f64::NAN)
                        .total_cmp(&b.value.unwrap_or(f64::NAN))
                });
            if let (Some((best, _)), Some(forest)) = (best, r2("random_forest")) {
                answers.push((best == "random_forest", forest));
                if best != "random_forest" {
                    others.push(format!("{benchmark}: {best}"));
                }
            }
        }
        let says = if others.is_empty() {
            String::new()
        } else {
            format!("best elsewhere ({protocol}): {}", others.join(", "))
        };
        ClaimEvidence::count(&answers, says)
    };
    Claim {
        id: "r2.best_is_random_forest".into(),
        statement: "The random forest predicts best on each benchmark".into(),
        work: PAPER,
        place: "section 4, table 2",
        claimed: BENCHMARKS.len() as f64,
        unit: "of 6 benchmarks".into(),
        rule: Rule::AtLeast,
        literature: on("random_split"),
        strict: on("structure_out"),
        why: String::new(),
    }
}

/// The mean absolute error is below 6 points on all benchmarks but GSM8K.
fn errors(findings: &Findings<'_>) -> Vec<Claim> {
    BENCHMARKS
        .iter()
        .filter(|benchmark| **benchmark != "gsm8k")
        .map(|benchmark| {
            let of = |protocol: &str| {
                findings.evidence(&format!(
                    "regression.mae.structure_date.{protocol}.random_forest.{benchmark}"
                ))
            };
            Claim {
                id: format!("mae.{benchmark}"),
                statement: format!("The forest's mean absolute error on {benchmark} is below 6 points"),
                work: PAPER,
                place: "section 4",
                claimed: 6.0,
                unit: "points".into(),
                rule: Rule::Below,
                literature: of("random_split"),
                strict: of("structure_out"),
                why: String::new(),
            }
        })
        .collect()
}
