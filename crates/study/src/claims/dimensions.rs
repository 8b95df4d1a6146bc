//! Claims on the six dimensions of leaderboard analysis.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::finding::Finding;
use crate::published::NOTEBOOK;

/// The article that summarises the notebook.
const ARTICLE: &str = "six dimensions, conclusions";

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    vec![
        diminishing(findings),
        most_efficient(findings),
        merging(findings),
        popularity(findings),
        popularity_rank(findings),
        best_family(findings, "llama", "bbh", "logical reasoning"),
        best_family(findings, "llama", "ifeval", "following instructions"),
        best_family(findings, "qwen2", "math", "mathematics"),
        chat_template(findings, "ifeval", 17.0),
        loss_in_reasoning(findings, "bbh"),
        loss_in_reasoning(findings, "gpqa"),
        loss_in_reasoning(findings, "musr"),
    ]
}

fn template(id: &str, statement: String, claimed: f64, unit: &str, rule: Rule) -> Claim {
    Claim {
        id: id.into(),
        statement,
        work: NOTEBOOK,
        place: ARTICLE,
        claimed,
        unit: unit.into(),
        rule,
        literature: ClaimEvidence::none(),
        strict: ClaimEvidence::none(),
        why: String::new(),
    }
}

/// Diminishing returns to size: between buckets, and per doubling on a smooth curve.
fn diminishing(findings: &Findings<'_>) -> Claim {
    let less = |larger: &str, smaller: &str, method: &str| {
        let (Some(larger), Some(smaller)) = (findings.get(larger), findings.get(smaller)) else {
            return ClaimEvidence::none();
        };
        let difference = larger.value.unwrap_or(f64::NAN) - smaller.value.unwrap_or(f64::NAN);
        ClaimEvidence {
            value: Some(difference),
            interval: None,
            method: method.into(),
            ..ClaimEvidence::from(larger)
        }
    };
    Claim {
        literature: less(
            "scale.difference.large_medium",
            "scale.difference.medium_small",
            "gain from medium to large less gain from small to medium",
        ),
        strict: less(
            "scale.curve.slope.32b",
            "scale.curve.slope.3b",
            "points per doubling at 32 B less those at 3 B (spline)",
        ),
        ..template(
            "scale.diminishing_returns",
            "Beyond some size, more parameters bring less".into(),
            0.0,
            "points",
            Rule::Below,
        )
    }
}

/// The size range with the most points per billion parameters, and that with most of the Pareto front.
fn most_efficient(findings: &Findings<'_>) -> Claim {
    let largest = |prefix: &str, wanted: &dyn Fn(&str) -> bool, what: &str| {
        let all = findings.under(prefix);
        let best = all.iter().max_by(|(_, a), (_, b)| {
            a.value
                .unwrap_or(f64::NAN)
                .total_cmp(&b.value.unwrap_or(f64::NAN))
        });
        best.map_or_else(ClaimEvidence::none, |(name, finding)| {
            let mut evidence = ClaimEvidence::from(*finding).saying(format!("{what}: {name}"));
            evidence.value = Some(f64::from(u8::from(wanted(name))));
            evidence.interval = None;
            evidence
        })
    };
    Claim {
        literature: largest(
            "efficiency.per_billion.mean.",
            &|name| name == "7_13b",
            "most points per billion parameters",
        ),
        strict: largest(
            "efficiency.front.size.share.",
            &|name| name == "4_8b" || name == "8_16b",
            "most of the Pareto front of size and score under resampling",
        ),
        why: "the ratio favours tiny checkpoints by its form".into(),
        ..template(
            "efficiency.medium_is_best",
            "Checkpoints of 7 to 13 billion parameters give most per billion parameters".into(),
            1.0,
            "1 yes, 0 no",
            Rule::AtLeast,
        )
    }
}

fn merging(findings: &Findings<'_>) -> Claim {
    Claim {
        literature: findings.evidence("merging.effect.flag.raw.average"),
        strict: findings.evidence("merging.effect.either.base.average"),
        why: "strict: by flag or type, within one declared base".into(),
        ..template(
            "merging.helps",
            "Merging raises scores".into(),
            0.0,
            "points",
            Rule::Above,
        )
    }
}

/// The rank correlation of likes and score is weak (absolute value below 0.2).
fn popularity_rank(findings: &Findings<'_>) -> Claim {
    let size = |id: &str| {
        let mut evidence = findings.evidence(id);
        evidence.value = evidence.value.map(f64::abs);
        evidence.interval = None;
        evidence
    };
    Claim {
        literature: size("popularity.spearman"),
        strict: size("popularity.likes.within_size_month"),
        why: "strict: all evaluations with likes, ranks within size and month of publication".into(),
        ..template(
            "popularity.no_correlation",
            "Popularity has almost no correlation with the score".into(),
            0.2,
            "absolute rank correlation",
            Rule::Below,
        )
    }
}

fn popularity(findings: &Findings<'_>) -> Claim {
    Claim {
        literature: findings.evidence("popularity.r2"),
        ..template(
            "popularity.r2",
            "Likes explain 1.8 % of the variance of scores".into(),
            0.018,
            "fraction",
            Rule::Within(0.005),
        )
    }
}

/// The family with the highest single score on a benchmark.
fn best_family(findings: &Findings<'_>, family: &str, benchmark: &str, ability: &str) -> Claim {
    let best: Vec<(&str, &Finding)> = findings
        .under("architecture.best.")
        .into_iter()
        .filter_map(|(rest, finding)| Some((rest.strip_suffix(&format!(".{benchmark}"))?, finding)))
        .collect();
    let first = best.iter().max_by(|(_, a), (_, b)| {
        a.value
            .unwrap_or(f64::NAN)
            .total_cmp(&b.value.unwrap_or(f64::NAN))
    });
    let literature = first.map_or_else(ClaimEvidence::none, |(name, finding)| {
        let score = finding.value.unwrap_or(f64::NAN);
        let mut evidence =
            ClaimEvidence::from(*finding).saying(format!("best single score: {name}, {score:.1} points"));
        evidence.value = Some(f64::from(u8::from(*name == family)));
        evidence.interval = None;
        evidence
    });
    let typical: Vec<(&str, &Finding)> = findings
        .under("architecture.typical.")
        .into_iter()
        .filter_map(|(rest, finding)| Some((rest.strip_suffix(&format!(".{benchmark}"))?, finding)))
        .collect();
    let best_typical = typical.iter().max_by(|(_, a), (_, b)| {
        a.value
            .unwrap_or(f64::NAN)
            .total_cmp(&b.value.unwrap_or(f64::NAN))
    });
    let strict = best_typical.map_or_else(ClaimEvidence::none, |(name, finding)| {
        let mut evidence = ClaimEvidence::from(*finding).saying(format!(
            "highest median checkpoint at equal size and date: {name}"
        ));
        evidence.value = Some(f64::from(u8::from(*name == family)));
        evidence.interval = None;
        evidence
    });
    Claim {
        literature,
        strict,
        why: "rows whose architecture our copy of the table does not state are left out".into(),
        ..template(
            &format!("architecture.best.{benchmark}"),
            format!("{family} is best in {ability} ({benchmark})"),
            1.0,
            "1 yes, 0 no",
            Rule::AtLeast,
        )
    }
}

fn chat_template(findings: &Findings<'_>, benchmark: &str, points: f64) -> Claim {
    Claim {
        literature: findings.evidence(&format!("chat_template.difference.{benchmark}")),
        strict: findings.evidence(&format!("chat_template.paired.{benchmark}")),
        ..template(
            &format!("chat_template.{benchmark}"),
            format!("With its chat template a checkpoint gains {points} points on {benchmark}"),
            points,
            "points",
            Rule::Within(1.0),
        )
    }
}

/// Evaluations with a chat template score lower on a reasoning benchmark.
fn loss_in_reasoning(findings: &Findings<'_>, benchmark: &str) -> Claim {
    Claim {
        literature: findings.evidence(&format!("chat_template.difference.{benchmark}")),
        strict: findings.evidence(&format!("chat_template.paired.{benchmark}")),
        why: "strict: checkpoints evaluated both ways".into(),
        ..template(
            &format!("chat_template.loss.{benchmark}"),
            format!("With its chat template a checkpoint loses on {benchmark}"),
            0.0,
            "points",
            Rule::Below,
        )
    }
}
