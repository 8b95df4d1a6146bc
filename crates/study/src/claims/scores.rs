//! Claims on the scores: which are correlated, and which vary most.

use super::{Claim, ClaimEvidence, Findings, Rule};
use crate::leaderboard_v1::BENCHMARKS;
use crate::published::PAPER;

/// Rank correlations from this value on are called strong (Schober, Boer and Schwarte 2018,
/// <https://doi.org/10.1213/ANE.0000000000002864>); the paper states no threshold.
const STRONG: f64 = 0.7;

pub(super) fn claims(findings: &Findings<'_>) -> Vec<Claim> {
    let mut all = Vec::new();
    for (a, b) in [
        ("arc", "hellaswag"),
        ("arc", "winogrande"),
        ("hellaswag", "winogrande"),
    ] {
        let pair = |prefix: &str| {
            let ids = [format!("{prefix}.{a}.{b}"), format!("{prefix}.{b}.{a}")];
            ids.iter()
                .find_map(|id| findings.get(id))
                .map_or_else(ClaimEvidence::none, ClaimEvidence::from)
        };
        all.push(Claim {
            id: format!("correlation.{a}.{b}"),
            statement: format!("Scores on {a} and {b} are highly correlated"),
            work: PAPER,
            place: "section 4, figure 6",
            claimed: STRONG,
            unit: "Spearman's rho".into(),
            rule: Rule::Above,
            literature: pair("correlation.spearman"),
            strict: pair("correlation.partial"),
            why: "no number is printed; 0.7 is what is commonly called strong. Strict: the partial rank correlation given \
                  size and date"
                .into(),
        });
    }
    all.push(most_dispersed(findings));
    all
}

fn most_dispersed(findings: &Findings<'_>) -> Claim {
    let relative: Vec<(&str, f64, &crate::finding::Finding)> = BENCHMARKS
        .iter()
        .filter_map(|benchmark| {
            let sd = findings.get(&format!("distribution.sd.{benchmark}"))?;
            Some((*benchmark, sd.value?, sd))
        })
        .collect();
    let widest = relative.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    let literature = widest.map_or_else(ClaimEvidence::none, |(name, sd, finding)| {
        let mut evidence =
            ClaimEvidence::from(*finding).saying(format!("{name} scatters most: sd {sd:.1} points"));
        evidence.value = Some(f64::from(u8::from(*name == "gsm8k")));
        evidence.interval = None;
        evidence
    });
    let iqr = |benchmark: &str| {
        let quartile = |name: &str| findings.value(&format!("distribution.{name}.{benchmark}"));
        Some(quartile("q3")? - quartile("q1")?)
    };
    let widest = relative
        .iter()
        .filter_map(|(name, _, finding)| Some((*name, iqr(name)?, *finding)))
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let strict = widest.map_or_else(ClaimEvidence::none, |(name, iqr, finding)| ClaimEvidence {
        value: Some(f64::from(u8::from(name == "gsm8k"))),
        interval: None,
        method: "interquartile range".into(),
        ..ClaimEvidence::from(finding).saying(format!("by interquartile range: {name}, {iqr:.1} points"))
    });
    Claim {
        id: "dispersion.gsm8k".into(),
        statement: "Scores differ most between checkpoints on gsm8k".into(),
        work: PAPER,
        place: "section 3, figure 5",
        claimed: 1.0,
        unit: "1 yes, 0 no".into(),
        rule: Rule::AtLeast,
        literature,
        strict,
        why: String::new(),
    }
}
