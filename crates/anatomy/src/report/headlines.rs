//! At most six headline sentences, made from the findings.

use study::attribution::{Lead, lead};
use study::claims::Tally;
use study::finding::Finding;
use study::leaderboard_v1::BENCHMARKS;
use study::section::Section;

use crate::output::number;

/// The sentences in order of importance; those whose findings are missing are left out.
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
        answer(sections),
        leak(&find),
        importance(&all),
        scale(&find),
        chat_template(&find),
        popularity(&find),
        ledger(sections),
    ]
    .into_iter()
    .flatten()
    .take(6)
    .collect()
}

/// The clear effects of parts: the first paragraph of the section `answer`.
fn answer(sections: &[Section]) -> Option<String> {
    let section = sections.iter().find(|section| section.id == "answer")?;
    let has_figure = !section.figures.is_empty();
    section.text.first().filter(|_| has_figure).cloned()
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

/// The optimism of random splits, by rows and by shapes: a single shape may dominate R² by rows, so both are stated.
fn leak<'a>(find: &impl Fn(&str) -> Option<&'a Finding>) -> Option<String> {
    let mean = |id: &dyn Fn(&str) -> String| {
        let values: Option<Vec<f64>> = BENCHMARKS
            .iter()
            .map(|benchmark| find(&id(benchmark)).map(value))
            .collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    let r2 = |statistic: &str, protocol: &str| {
        mean(&|benchmark| {
            format!("regression.{statistic}.structure_date.{protocol}.random_forest.{benchmark}")
        })
    };
    let rows = (r2("r2", "random_split")?, r2("r2", "structure_out")?);
    let once = (
        r2("r2_shapes", "random_split")?,
        r2("r2_shapes", "structure_out")?,
    );
    let effective =
        mean(&|benchmark| format!("regression.effective_shapes.structure_date.structure_out.{benchmark}"))?;
    let n = find("regression.r2.structure_date.structure_out.random_forest.mmlu")?.n;
    Some(format!(
        "On shapes never seen a forest reaches R² {:.2} over six benchmarks by rows, where the largest shape decides \
         (effective number of shapes {effective:.1}), and {:.2} with each shape counted once; with rows divided at random \
         {:.2} and {:.2}, so what random rows leak is worth {:.2} by rows and {:.2} by shapes (n = {}).",
        rows.1,
        once.1,
        rows.0,
        once.0,
        rows.0 - rows.1,
        once.0 - once.1,
        number(n as f64)
    ))
}

/// Which of the four shape columns clearly ranks first, by impurity importance over bootstrap resamples of shapes.
fn importance(all: &[&Finding]) -> Option<String> {
    let mut targets: Vec<&str> = Vec::new();
    for finding in all {
        let target = finding.id.strip_prefix("importance.first_share.core.");
        if let Some(target) = target.and_then(|rest| rest.split('.').next())
            && !targets.contains(&target)
        {
            targets.push(target);
        }
    }
    let leads: Vec<(&str, Lead<'_>)> = targets
        .iter()
        .filter_map(|target| Some((*target, lead(all.iter().copied(), "mdi", "core", target)?)))
        .collect();
    if leads.is_empty() {
        return None;
    }
    let open = leads.iter().filter(|(_, lead)| lead.first.is_none()).count();
    let said: Vec<String> = leads
        .iter()
        .filter(|(target, lead)| lead.first.is_some() || BENCHMARKS.contains(target))
        .map(|(target, lead)| format!("{target} {}", lead.words()))
        .collect();
    Some(format!(
        "Of layers, d_model, d_ffn and heads none can be named first for {open} of {} targets (impurity importance over \
         resamples of shapes): {}.",
        leads.len(),
        said.join("; ")
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

/// Verdicts on the claims; where no claim was judged, agreement with printed figures.
fn ledger(sections: &[Section]) -> Option<String> {
    let findings = || sections.iter().flat_map(|section| &section.findings);
    let printed = || Tally::printed(findings()).printed_in_words();
    Tally::claims(findings()).in_words().or_else(printed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use study::finding::SourceOf;

    fn finding(id: String, value: f64) -> Finding {
        let source = SourceOf {
            work: "a table".into(),
            place: "rows".into(),
        };
        Finding::new(id, "?", &source).with_value(value, "fraction", 5856, "random_forest")
    }

    #[test]
    fn the_leak_is_said_by_rows_and_by_shapes() {
        let mut findings = Vec::new();
        for benchmark in BENCHMARKS {
            for (statistic, random, unseen) in [("r2", 0.65, -0.18), ("r2_shapes", 0.87, 0.69)] {
                for (protocol, value) in [("random_split", random), ("structure_out", unseen)] {
                    let id =
                        format!("regression.{statistic}.structure_date.{protocol}.random_forest.{benchmark}");
                    findings.push(finding(id, value));
                }
            }
            let id = format!("regression.effective_shapes.structure_date.structure_out.{benchmark}");
            findings.push(finding(id, 3.7));
        }
        let said = headlines(&[Section {
            findings: findings.clone(),
            ..Section::default()
        }]);
        for part in [
            "R² -0.18 over six benchmarks by rows",
            "effective number of shapes 3.7",
            "0.69 with each shape counted once",
            "worth 0.83 by rows and 0.18 by shapes",
        ] {
            assert!(said[0].contains(part), "{part}: {}", said[0]);
        }
        findings.retain(|finding| !finding.id.contains("r2_shapes"));
        let said = headlines(&[Section {
            findings,
            ..Section::default()
        }]);
        assert!(said.is_empty(), "never by rows alone: {said:?}");
    }
}
