//! The five sentences that a reader sees first, made from the findings.

use study::claims::Tally;
use study::finding::Finding;
use study::leaderboard_v1::BENCHMARKS;
use study::section::Section;

use crate::output::number;

/// In order of importance; a sentence whose findings are missing is left out.
pub(crate) fn headlines(sections: &[Section]) -> Vec<String> {
    let all: Vec<&Finding> = sections
        .iter()
        .filter(|section| section.id != "claims")
        .flat_map(|section| &section.findings)
        .collect();
    let find = |id: &str| {
        all.iter()
            .copied()
            .find(|finding| finding.id == id && finding.value.is_some())
    };
    [
        leak(&find),
        importance(&all),
        scale(&find),
        chat_template(&find),
        popularity(&find),
        ledger(sections),
    ]
    .into_iter()
    .flatten()
    .take(5)
    .collect()
}

fn value(finding: &Finding) -> f64 {
    finding.value.unwrap_or(f64::NAN)
}

fn with_interval(finding: &Finding, digits: usize) -> String {
    let value = value(finding);
    match &finding.interval {
        Some(interval) => format!(
            "{value:.digits$} [{:.digits$}, {:.digits$}]",
            interval.low, interval.high
        ),
        None => format!("{value:.digits$}"),
    }
}

fn leak<'a>(find: &impl Fn(&str) -> Option<&'a Finding>) -> Option<String> {
    let mean = |protocol: &str| {
        let id =
            |benchmark: &str| format!("regression.r2.structure_date.{protocol}.random_forest.{benchmark}");
        let values: Option<Vec<f64>> = BENCHMARKS
            .iter()
            .map(|benchmark| find(&id(benchmark)).map(value))
            .collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    let (random, unseen) = (mean("random_split")?, mean("structure_out")?);
    let n = find("regression.r2.structure_date.structure_out.random_forest.mmlu")?.n;
    Some(format!(
        "Most of what a forest seems to predict from structure is a look-up: R² over six benchmarks averages {random:.2} \
         with rows divided at random and {unseen:.2} on shapes never seen (random_split against structure_out, n = {n})."
    ))
}

fn importance(all: &[&Finding]) -> Option<String> {
    let mut first = Vec::new();
    for benchmark in BENCHMARKS {
        let prefix = format!("importance.mdi.structure_date.{benchmark}.");
        let best = all
            .iter()
            .filter(|finding| finding.id.starts_with(&prefix) && finding.value.is_some())
            .max_by(|a, b| value(a).total_cmp(&value(b)))?;
        first.push(format!("{benchmark} {}", best.id.trim_start_matches(&prefix)));
    }
    Some(format!(
        "The column a forest relies on most (impurity importance, structure and date): {}.",
        first.join(", ")
    ))
}

fn scale<'a>(find: &impl Fn(&str) -> Option<&'a Finding>) -> Option<String> {
    let (first, second) = (
        find("scale.difference.medium_small")?,
        find("scale.difference.large_medium")?,
    );
    Some(format!(
        "From under 10 to 10–50 billion parameters the mean Average rises by {} points, from there to 50 and more by {} \
         (95 % intervals over shapes; n = {} and {}).",
        with_interval(first, 1),
        with_interval(second, 1),
        number(first.n as f64),
        number(second.n as f64)
    ))
}

fn chat_template<'a>(find: &impl Fn(&str) -> Option<&'a Finding>) -> Option<String> {
    let (follow, reason) = (
        find("chat_template.difference.ifeval")?,
        find("chat_template.difference.musr")?,
    );
    Some(format!(
        "Evaluations with a chat template score {} points higher on IFEval and {} on MUSR; unadjusted, the sides are \
         different checkpoints (n = {}).",
        with_interval(follow, 1),
        with_interval(reason, 1),
        number(follow.n as f64)
    ))
}

fn popularity<'a>(find: &impl Fn(&str) -> Option<&'a Finding>) -> Option<String> {
    let (rank, r2) = (find("popularity.spearman")?, find("popularity.r2")?);
    Some(format!(
        "Likes say almost nothing about the score: Spearman {}, R² {} among the {} evaluations with more than 10 likes.",
        with_interval(rank, 3),
        with_interval(r2, 3),
        rank.n
    ))
}

/// What became of the claims; of printed figures where no claim is judged.
fn ledger(sections: &[Section]) -> Option<String> {
    let findings = || sections.iter().flat_map(|section| &section.findings);
    let printed = || Tally::printed(findings()).printed_in_words();
    Tally::claims(findings()).in_words().or_else(printed)
}
