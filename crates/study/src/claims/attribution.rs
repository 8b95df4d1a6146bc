//! Claims on which structure column matters most for which ability.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::finding::Finding;
use crate::leaderboard_v1::BENCHMARKS;
use crate::published::PAPER;

const REASONING: [&str; 3] = ["arc", "hellaswag", "winogrande"];
const KNOWLEDGE: [&str; 3] = ["gsm8k", "mmlu", "truthfulqa"];

/// Table 3 of the paper: target, importances of layers, `d_model`, `d_ffn`, heads, and R² where the text states it.
const TABLE_3: [(&str, [f64; 4], Option<f64>); 5] = [
    ("bigcodebench_complete", [0.354, 0.335, 0.231, 0.081], Some(0.662)),
    ("ifeval", [0.293, 0.252, 0.390, 0.065], Some(0.482)),
    ("longbench_v2", [0.193, 0.167, 0.499, 0.141], Some(0.7026)),
    ("decode_speed", [0.276, 0.326, 0.324, 0.075], Some(0.8154)),
    ("memory", [0.109, 0.613, 0.274, 0.004], Some(0.8836)),
];
const TABLE_3_COLUMNS: [&str; 4] = ["layers", "d_model", "d_ffn", "heads"];

/// Tolerance for an importance or an R², as the rows and the forest differ.
const TOLERANCE: f64 = 0.05;

/// Share of the R² of all columns that primary factors must reach.
const PRIMARY: f64 = 0.9;

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = vec![
        comes_first(findings, "core", "layers", &REASONING, ""),
        comes_first(findings, "core", "d_ffn", &KNOWLEDGE, ""),
        comes_first(
            findings,
            "core_official",
            "layers",
            &REASONING,
            " among official providers",
        ),
        comes_first(
            findings,
            "core_official",
            "d_ffn",
            &["truthfulqa", "gsm8k"],
            " among official providers",
        ),
        depth_and_width_with_date(findings),
        size_and_date(findings),
        primary_factors(findings),
        reverse(findings),
    ];
    for (target, shares, r2) in TABLE_3 {
        all.extend(table_3(findings, target, &shares, r2));
    }
    all
}

fn template(id: String, statement: String, place: &'static str, claimed: usize) -> Claim {
    Claim {
        id,
        statement,
        work: PAPER,
        place,
        claimed: claimed as f64,
        unit: format!("of {claimed} targets"),
        rule: Rule::AtLeast,
        literature: ClaimEvidence::none(),
        strict: ClaimEvidence::none(),
        why: String::new(),
    }
}

/// Number of targets for which the expected column ranks first by `kind`, among the columns that `is_asked` accepts.
/// The result is open if one target is undecided and no other contradicts the claim.
fn count_firsts(
    findings: &Findings<'_>,
    (kind, set): (&str, &str),
    targets: &[(&str, &str)],
    is_asked: impl Fn(&str) -> bool,
) -> ClaimEvidence {
    let (mut answers, mut said) = (Vec::new(), Vec::new());
    let mut is_open = false;
    for (target, column) in targets {
        if let Some(lead) = findings.lead(kind, set, target, &is_asked) {
            let is_first = lead.first == Some(*column);
            is_open |= !is_first && !lead.not_first.contains(column);
            answers.push((is_first, lead.of, lead.not_first.contains(column)));
            said.push(format!("{target} {}", lead.words()));
        }
    }
    if answers.len() < targets.len() {
        return ClaimEvidence::cannot("too few rows or shapes");
    }
    let says = format!(
        "first by {kind}: {}{}",
        said.join(", "),
        together(findings, set, targets)
    );
    if is_open && !answers.iter().any(|answer| answer.2) {
        return ClaimEvidence::open(&says);
    }
    let answers: Vec<(bool, &Finding)> = answers.iter().map(|answer| (answer.0, answer.1)).collect();
    ClaimEvidence::count(&answers, says)
}

/// Text on the blocks of correlated columns that contain the expected columns.
fn together(findings: &Findings<'_>, set: &str, targets: &[(&str, &str)]) -> String {
    let mut told: Vec<String> = targets
        .iter()
        .filter_map(|(target, column)| {
            let blocks = findings.get(&format!("importance.blocks.{set}.{target}"))?;
            let all = blocks
                .notes
                .iter()
                .find_map(|note| note.strip_prefix("together: "))?;
            let own = all
                .split("; ")
                .find(|block| block.split(", ").any(|name| name == *column))?;
            Some(format!(
                "; {own} move together, and their order is not identified"
            ))
        })
        .collect();
    told.dedup();
    told.concat()
}

fn comes_first(findings: &Findings<'_>, set: &str, column: &str, targets: &[&str], among: &str) -> Claim {
    let wanted: Vec<(&str, &str)> = targets.iter().map(|target| (*target, column)).collect();
    let count = |kind: &str| count_firsts(findings, (kind, set), &wanted, |_| true);
    let place = if set == "core" {
        "section 4, figure 8a"
    } else {
        "appendix C.1, figure 12a"
    };
    Claim {
        literature: count("mdi"),
        strict: count("permutation"),
        why: "strict: the column whose shuffling costs most on shapes not trained on".into(),
        ..template(
            format!("importance.{column}_first.{set}"),
            format!("{column} comes first for {}{among}", targets.join(", ")),
            place,
            targets.len(),
        )
    }
}

/// Robustness to date: with date included, layers still lead the structure columns for reasoning, and `d_ffn` those for
/// knowledge.
fn depth_and_width_with_date(findings: &Findings<'_>) -> Claim {
    let wanted: Vec<(&str, &str)> = REASONING
        .map(|target| (target, "layers"))
        .into_iter()
        .chain(KNOWLEDGE.map(|target| (target, "d_ffn")))
        .collect();
    let count = |kind: &str| {
        count_firsts(findings, (kind, "structure_date"), &wanted, |column| {
            TABLE_3_COLUMNS.contains(&column)
        })
    };
    Claim {
        literature: count("mdi"),
        strict: count("permutation"),
        ..template(
            "importance.robust_to_date".into(),
            "With the date in, layers lead for ARC, HellaSwag, WinoGrande and d_ffn for GSM8K, MMLU, TruthfulQA".into(),
            "appendix C.1, figure 13",
            BENCHMARKS.len(),
        )
    }
}

/// Size and date are the two most important columns.
fn size_and_date(findings: &Findings<'_>) -> Claim {
    let count = |kind: &str| {
        let (mut answers, mut is_open) = (Vec::new(), false);
        for target in BENCHMARKS {
            let all = findings.under(&format!("importance.{kind}.structure_date.{target}."));
            let (pair, others): (Vec<_>, Vec<_>) = all
                .into_iter()
                .partition(|(name, _)| ["size", "date"].contains(name));
            let low = |finding: &Finding| finding.interval.as_ref().map_or(f64::NEG_INFINITY, |i| i.low);
            let high = |finding: &Finding| finding.interval.as_ref().map_or(f64::INFINITY, |i| i.high);
            let [(_, finding), _] = pair.as_slice() else {
                continue;
            };
            let above = pair
                .iter()
                .map(|(_, finding)| low(finding))
                .fold(f64::INFINITY, f64::min);
            let below = pair
                .iter()
                .map(|(_, finding)| high(finding))
                .fold(f64::INFINITY, f64::min);
            let is_it = above > 0.0 && others.iter().all(|(_, other)| high(other) < above);
            let is_not = others.iter().any(|(_, other)| low(other) > below);
            is_open |= !is_it && !is_not;
            answers.push((is_it, *finding, is_not));
        }
        if is_open && !answers.iter().any(|answer| answer.2) {
            return ClaimEvidence::open(
                "intervals of size or date overlap those of other columns, or none is known",
            );
        }
        let answers: Vec<(bool, &Finding)> = answers.iter().map(|answer| (answer.0, answer.1)).collect();
        ClaimEvidence::count(
            &answers,
            format!("intervals of size and date above all others by {kind}"),
        )
    };
    Claim {
        literature: count("mdi"),
        strict: count("permutation"),
        ..template(
            "importance.size_and_date_first".into(),
            "Size and release date come first on every benchmark".into(),
            "section 4, figure 7",
            BENCHMARKS.len(),
        )
    }
}

/// Size and date are the primary factors: together they predict nearly as well as all columns, and each does better
/// than the same column shuffled.
fn primary_factors(findings: &Findings<'_>) -> Claim {
    let (mut answers, mut said, mut is_open) = (Vec::new(), Vec::new(), false);
    for target in BENCHMARKS {
        let of = |id: &str| findings.get(&format!("importance.primary.{id}.structure_date.{target}"));
        let (Some(share), Some(size), Some(date)) = (of("share"), of("size"), of("date")) else {
            continue;
        };
        let Some(ends) = share.interval.as_ref() else {
            continue;
        };
        let above = |finding: &Finding| finding.interval.as_ref().is_some_and(|ends| ends.low > 0.0);
        let below = |finding: &Finding| finding.interval.as_ref().is_none_or(|ends| ends.high <= 0.0);
        let is_it = ends.low >= PRIMARY && above(size) && above(date);
        let is_not = ends.high < PRIMARY || below(size) || below(date);
        is_open |= !is_it && !is_not;
        answers.push((is_it, share, is_not));
        said.push(format!(
            "{target} {:.2} [{:.2}, {:.2}], size {:+.3}, date {:+.3}",
            share.value.unwrap_or(f64::NAN),
            ends.low,
            ends.high,
            size.value.unwrap_or(f64::NAN),
            date.value.unwrap_or(f64::NAN)
        ));
    }
    let says = format!(
        "share of the full forest's R² that size and date reach, and R² that each loses when it is shuffled before fitting: {}",
        said.join("; ")
    );
    let literature = if answers.len() < BENCHMARKS.len() {
        ClaimEvidence::cannot("too few rows or shapes")
    } else if is_open && !answers.iter().any(|answer| answer.2) {
        ClaimEvidence::open(&says)
    } else {
        let answers: Vec<(bool, &Finding)> = answers.iter().map(|answer| (answer.0, answer.1)).collect();
        ClaimEvidence::count(&answers, says)
    };
    Claim {
        literature,
        strict: ClaimEvidence::cannot(
            "on shapes not trained on R² by rows is near 0, of which no share can be taken",
        ),
        why: format!("holds where size and date reach {PRIMARY} of R² and each adds more than chance"),
        ..template(
            "importance.size_and_date_primary".into(),
            "Size and release date are the primary factors of every benchmark".into(),
            "section 4, figure 7",
            BENCHMARKS.len(),
        )
    }
}

/// Predicting structure from scores: MMLU ranks first.
fn reverse(findings: &Findings<'_>) -> Claim {
    let targets = TABLE_3_COLUMNS;
    let wanted = targets.map(|target| (target, "mmlu"));
    let count = |kind: &str| count_firsts(findings, (kind, "scores"), &wanted, |_| true);
    Claim {
        literature: count("mdi"),
        strict: count("permutation"),
        ..template(
            "importance.mmlu_first_in_reverse".into(),
            "Of the six scores MMLU says most about layers, d_model, d_ffn and heads".into(),
            "section 4, figure 8b",
            targets.len(),
        )
    }
}

fn table_3(findings: &Findings<'_>, target: &str, shares: &[f64; 4], r2: Option<f64>) -> Vec<Claim> {
    let is_of_device = ["decode_speed", "memory"].contains(&target);
    let slice = if is_of_device {
        "core_unquantized_a10"
    } else {
        "core"
    };
    let claim = |id: String,
                 statement: String,
                 claimed: f64,
                 literature: ClaimEvidence,
                 strict: ClaimEvidence,
                 why: &str| {
        Claim {
            id,
            statement,
            work: PAPER,
            place: "section 4, table 3",
            claimed,
            unit: "fraction".into(),
            rule: Rule::Within(TOLERANCE),
            literature,
            strict,
            why: why.into(),
        }
    };
    let slice_words = if is_of_device {
        "the work does not say which devices and quantizations; strict: one device (A10), nothing quantized, each shape \
         counted once"
    } else {
        "strict: each shape counted once"
    };
    let mut all: Vec<Claim> = TABLE_3_COLUMNS
        .iter()
        .zip(shares)
        .map(|(column, share)| {
            claim(
                format!("importance.{target}.{column}"),
                format!(
                    "{column} has {:.1} % of the importance for {target}",
                    100.0 * share
                ),
                *share,
                findings.evidence(&format!("importance.mdi.core.{target}.{column}")),
                findings.evidence(&format!("importance.mdi_per_shape.{slice}.{target}.{column}")),
                slice_words,
            )
        })
        .collect();
    if let Some(r2) = r2 {
        all.push(claim(
            format!("r2.random_forest.{target}"),
            format!("A forest on layers, d_model, d_ffn and heads reaches R² {r2:.2} on {target}"),
            r2,
            findings.evidence(&format!("regression.r2.core.random_split.random_forest.{target}")),
            findings.evidence(&format!("regression.r2.{slice}.structure_out.random_forest.{target}")),
            if is_of_device {
                "the work does not say which devices and quantizations; strict: one device (A10), nothing quantized, unseen \
                 shapes"
            } else {
                ""
            },
        ));
    }
    all
}
