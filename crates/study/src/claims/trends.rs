//! Claims on how checkpoints changed with size and over time.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::finding::Finding;
use crate::leaderboard_v1::BENCHMARKS;
use crate::published::PAPER;

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = vec![
        mixtures_slow(findings),
        multimodal_mirrors(findings),
        most_derivatives(findings, "llama", 1, &["llamaforcausallm"]),
        most_derivatives(
            findings,
            "gpt",
            2,
            &[
                "gpt2lmheadmodel",
                "gptneoxforcausallm",
                "gptjforcausallm",
                "gptneoforcausallm",
                "gptbigcodeforcausallm",
            ],
        ),
        most_derivatives(findings, "mistral", 3, &["mistralforcausallm"]),
        most_liked(findings, "5_10b", 1, "7B"),
        most_liked(findings, "from_50b", 2, "70B"),
        size_shrinks(findings),
        post_training(findings),
    ];
    all.extend(BENCHMARKS.map(|benchmark| dip(findings, benchmark)));
    all
}

fn template(
    id: String,
    statement: String,
    place: &'static str,
    claimed: f64,
    unit: &str,
    rule: Rule,
) -> Claim {
    Claim {
        id,
        statement,
        work: PAPER,
        place,
        claimed,
        unit: unit.into(),
        rule,
        literature: ClaimEvidence::none(),
        strict: ClaimEvidence::none(),
        why: String::new(),
    }
}

/// New checkpoints of a class in the months from `from` (inclusive) to `to` (exclusive), both `YYYY-MM`.
fn new_between(findings: &Findings<'_>, class: &str, from: &str, to: &str) -> f64 {
    findings
        .under(&format!("trends.new.{class}."))
        .iter()
        .filter(|(month, _)| *month >= from && *month < to)
        .filter_map(|(_, finding)| finding.value)
        .sum()
}

/// Mixtures of experts: many more in the half year from December 2023 on, then slower growth.
fn mixtures_slow(findings: &Findings<'_>) -> Claim {
    let between = |from, to| new_between(findings, "moe", from, to);
    let (before, first, second) = (
        between("2023-06", "2023-12"),
        between("2023-12", "2024-06"),
        between("2024-06", "2024-12"),
    );
    let all = findings.under("trends.new.moe.");
    let of = all.first().map(|(_, finding)| *finding);
    let literature = of.filter(|_| before > 0.0 && first > 0.0).map_or_else(
        || ClaimEvidence::cannot("no mixtures with dates before December 2023 in the catalog"),
        |of| ClaimEvidence {
            value: Some(second / first - first / before),
            n: of.n,
            protocol: of.protocol.clone(),
            method: "counts of half years".into(),
            says: format!(
                "{before} new mixtures in the half year before December 2023, {first} in that from it, {second} in the next; \
                 the catalog holds what leaderboards and listings hold"
            ),
            ..ClaimEvidence::default()
        },
    );
    Claim {
        literature,
        strict: ClaimEvidence::cannot("needs a listing of the whole Hub: `anatomy hub crawl`"),
        ..template(
            "trends.moe_slows".into(),
            "New mixtures of experts rose sharply from December 2023 and slower after six months".into(),
            "section 3, figure 2",
            0.0,
            "growth of the later half year less that of the earlier",
            Rule::Below,
        )
    }
}

fn multimodal_mirrors(findings: &Findings<'_>) -> Claim {
    let of = |class: &str| findings.under(&format!("trends.new.{class}."));
    let (all, multimodal) = (of("all"), of("multimodal"));
    let counted: f64 = multimodal.iter().filter_map(|(_, finding)| finding.value).sum();
    let literature = if counted < 30.0 {
        ClaimEvidence::cannot(
            "the catalog has fewer than 30 dated multimodal checkpoints: leaderboards of text leave them out",
        )
    } else {
        let pairs: Vec<(f64, f64)> = all
            .iter()
            .filter_map(|(month, finding)| {
                let other = multimodal.iter().find(|(of, _)| of == month)?;
                Some((finding.value?, other.1.value?))
            })
            .collect();
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        ClaimEvidence {
            value: Some(crate::statistics::spearman(&a, &b).value),
            n: a.len(),
            protocol: "all_rows".into(),
            method: "spearman over months".into(),
            ..ClaimEvidence::default()
        }
    };
    Claim {
        literature,
        strict: ClaimEvidence::cannot("needs a listing of the whole Hub: `anatomy hub crawl`"),
        ..template(
            "trends.multimodal_mirrors_all".into(),
            "Monthly counts of new multimodal checkpoints go as those of all".into(),
            "section 3, figure 2",
            0.7,
            "Spearman's rho over months",
            Rule::AtLeast,
        )
    }
}

/// The rank of a family of architectures by derivatives; the classes of the family are counted together.
fn most_derivatives(findings: &Findings<'_>, family: &str, rank: usize, classes: &[&str]) -> Claim {
    let all = findings.under("trends.architecture.derivatives.");
    let count = |wanted: &[&str]| -> f64 {
        all.iter()
            .filter(|(name, _)| wanted.contains(name))
            .filter_map(|(_, finding)| finding.value)
            .sum()
    };
    let own = count(classes);
    let ahead: Vec<&str> = all
        .iter()
        .filter(|(name, finding)| !classes.contains(name) && finding.value.is_some_and(|value| value > own))
        .map(|(name, _)| *name)
        .collect();
    let literature = all
        .first()
        .map_or_else(ClaimEvidence::none, |(_, of)| ClaimEvidence {
            value: Some(ahead.len() as f64 + 1.0),
            n: all.iter().map(|(_, finding)| finding.n).sum(),
            protocol: of.protocol.clone(),
            method: "rank by derivatives".into(),
            says: if ahead.is_empty() {
                String::new()
            } else {
                format!("ahead of it: {}", ahead.join(", "))
            },
            ..ClaimEvidence::default()
        });
    Claim {
        literature,
        strict: ClaimEvidence::cannot("needs a listing of the whole Hub: `anatomy hub crawl`"),
        why: "the catalog holds what leaderboards and listings hold, up to 2025".into(),
        ..template(
            format!("trends.derivatives.{family}"),
            format!("{family} is in place {rank} by checkpoints derived from it"),
            "section 3, figure 3a",
            rank as f64,
            "place",
            Rule::Within(0.0),
        )
    }
}

/// The rank of a size class by total likes; in the strict reading by likes of its median checkpoint.
fn most_liked(findings: &Findings<'_>, class: &str, rank: usize, words: &str) -> Claim {
    let place = |value: &dyn Fn(&str) -> Option<f64>| -> Option<ClaimEvidence> {
        let all = findings.under("trends.likes.mean.");
        let own = value(class)?;
        let ahead: Vec<&str> = all
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| *name != class && value(name).is_some_and(|of| of > own))
            .collect();
        let of = all.iter().find(|(name, _)| *name == class)?.1;
        Some(ClaimEvidence {
            value: Some(ahead.len() as f64 + 1.0),
            n: all.iter().map(|(_, finding)| finding.n).sum(),
            protocol: of.protocol.clone(),
            method: "rank of size classes".into(),
            says: if ahead.is_empty() {
                String::new()
            } else {
                format!("ahead of it: {}", ahead.join(", "))
            },
            ..ClaimEvidence::default()
        })
    };
    let total = |name: &str| {
        let mean = findings.get(&format!("trends.likes.mean.{name}"))?;
        Some(mean.value? * mean.n as f64)
    };
    let median = |name: &str| findings.value(&format!("trends.likes.median.{name}"));
    Claim {
        literature: place(&total).unwrap_or_default(),
        strict: place(&median).unwrap_or_default(),
        why: "likes of all checkpoints of the class together; strict: of its median checkpoint".into(),
        ..template(
            format!("trends.likes.{class}"),
            format!("Checkpoints of {words} scale are in place {rank} by likes"),
            "section 3, figure 3b",
            rank as f64,
            "place",
            Rule::Within(0.0),
        )
    }
}

/// At equal size, scores of pretrained checkpoints rise with the date.
fn size_shrinks(findings: &Findings<'_>) -> Claim {
    let of = |board: &str| findings.evidence(&format!("progress.points_per_year.{board}.average"));
    Claim {
        literature: of("v1"),
        strict: of("v2"),
        why:
            "points a year at equal size, pretrained checkpoints, clustered by shape; strict: leaderboard v2"
                .into(),
        ..template(
            "trends.size_for_equal_score_shrinks".into(),
            "The size that an equal score needs shrinks with time".into(),
            "section 3, figure 4",
            0.0,
            "points per year",
            Rule::Above,
        )
    }
}

/// The benchmark on which post-training has the largest effect.
fn post_training(findings: &Findings<'_>) -> Claim {
    let most = |prefix: &str| {
        let all: Vec<(&str, &Finding)> = findings
            .under(prefix)
            .into_iter()
            .filter(|(name, _)| BENCHMARKS.contains(name))
            .collect();
        let best = all.iter().max_by(|(_, a), (_, b)| {
            a.value
                .unwrap_or(f64::NAN)
                .total_cmp(&b.value.unwrap_or(f64::NAN))
        });
        best.map_or_else(ClaimEvidence::none, |(name, finding)| {
            let points = finding.value.unwrap_or(f64::NAN);
            let mut evidence =
                ClaimEvidence::from(*finding).saying(format!("most on {name}: {points:+.1} points"));
            evidence.value = Some(f64::from(u8::from(*name == "truthfulqa")));
            evidence.interval = None;
            evidence
        })
    };
    Claim {
        literature: most("progress.post_training_raw.v1."),
        strict: most("progress.post_training.v1."),
        why: "strict: within one shape".into(),
        ..template(
            "trends.post_training_gains_most_on_truthfulqa".into(),
            "Post-training adds most on TruthfulQA".into(),
            "section 3, figure 5",
            1.0,
            "1 yes, 0 no",
            Rule::AtLeast,
        )
    }
}

/// Checkpoints of 10 to 20 billion parameters score below those of 5 to 10.
fn dip(findings: &Findings<'_>, benchmark: &str) -> Claim {
    Claim {
        literature: findings.evidence(&format!("size_bins.step_10b.{benchmark}")),
        strict: findings.evidence(&format!("size_bins.step_10b_per_shape.{benchmark}")),
        why: "mean of 10 to 20 less mean of 5 to 10 billion parameters; strict: each shape counted once"
            .into(),
        ..template(
            format!("trends.dip_10b.{benchmark}"),
            format!("Scores on {benchmark} dip between 10 and 20 billion parameters"),
            "section 3, figure 5",
            0.0,
            "points",
            Rule::Below,
        )
    }
}
