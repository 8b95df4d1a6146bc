//! Claims on the six dimensions.

use super::{Claim, Evidence, Findings, Rule};
use crate::finding::Finding;
use crate::published::NOTEBOOK;

/// The article that sums up the notebook.
const ARTICLE: &str = "six dimensions, conclusions";

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    vec![
        popularity(findings),
        best_family(findings, "llama", "bbh", "logical reasoning"),
        best_family(findings, "llama", "ifeval", "following instructions"),
        best_family(findings, "qwen2", "math", "mathematics"),
        chat_template(findings, "ifeval", 17.0),
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
        literature: Evidence::none(),
        strict: Evidence::none(),
        why: String::new(),
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

/// The family with the best single score on a benchmark.
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
    let literature = first.map_or_else(Evidence::none, |(name, finding)| {
        let score = finding.value.unwrap_or(f64::NAN);
        let mut evidence =
            Evidence::from(*finding).saying(format!("best single score: {name}, {score:.1} points"));
        evidence.value = Some(f64::from(u8::from(*name == family)));
        evidence.interval = None;
        evidence
    });
    Claim {
        literature,
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
