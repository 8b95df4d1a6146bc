//! Decides how a section is presented: its position, its result in a few words, and which paragraphs are the finding,
//! its uncertainty, or its method.

use study::claims::Tally;
use study::finding::{Finding, Verdict};
use study::section::{Drawing, Section};

use super::first::signed;
use crate::aligned::first_sentence;
use crate::output::number;

/// Sections in display order; sections not named here are placed just before `claims`.
const ORDER: [&str; 24] = [
    "changes",
    "answer",
    "controlled",
    "pooled",
    "attribution",
    "methods",
    "regression",
    "scale",
    "chat_template",
    "merging",
    "efficiency",
    "popularity",
    "architecture",
    "correlation",
    "progress",
    "forecast",
    "anchored",
    "certain",
    "weights",
    "size_bins",
    "distribution",
    "trends",
    "claims",
    "dataset",
];

/// Sort key of a section's position on the page.
pub(crate) fn place(id: &str) -> usize {
    let known = ORDER.iter().position(|known| *known == id);
    // Index of `trends`, after which the unnamed sections (those on probe results) are inserted.
    let before_ledger = ORDER.len() - 3;
    known.map_or(2 * before_ledger + 1, |place| 2 * place)
}

/// A section's paragraphs by purpose.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// The main finding, one or two sentences.
    pub(crate) finding: String,
    /// Further findings.
    pub(crate) more: Vec<String>,
    /// Uncertainty, and what would change the result.
    pub(crate) sure: Vec<String>,
    /// Method, and data left out.
    pub(crate) method: Vec<String>,
}

/// Beginnings of paragraphs about uncertainty.
const SURE: [&str; 6] = [
    "What would change the answer",
    "What holds on all rows only",
    "No model of structure",
    "Placebo:",
    "Under the stricter reading",
    "A ratio to size",
];

/// Phrases that occur in paragraphs about the method or data left out.
const METHOD: [&str; 13] = [
    "left out",
    "list no size",
    "lists no size",
    "have no `",
    "Each quarter's fit knows",
    "Probed on",
    "that do not vary on their own",
    "unknown and is left",
    "Of a share of",
    "is only written",
    "one row each;",
    "The two readings of unseen shapes",
    "Which of layers, d_model, d_ffn and heads is first: named only",
];

pub(crate) fn told(section: &Section) -> Told {
    let mut told = Told::default();
    let mut found: Vec<String> = Vec::new();
    for paragraph in &section.text {
        let text = paragraph.trim();
        if text.is_empty() {
            continue;
        }
        if SURE.iter().any(|begins| text.starts_with(begins)) {
            told.sure.push(text.to_owned());
        } else if METHOD.iter().any(|part| text.contains(part)) {
            told.method.push(text.to_owned());
        } else {
            found.push(text.to_owned());
        }
    }
    if let Some(line) = result(section) {
        // A result with its interval is shorter than the first paragraph.
        told.finding = line.long;
        told.more = found;
    } else if let Some(first) = found.first() {
        let (first, rest) = first_sentence(first);
        told.finding = first.into();
        if !rest.is_empty() {
            told.more.push(rest.to_owned());
        }
        told.more.extend(found.iter().skip(1).cloned());
    } else {
        // The first paragraph on the method, else the caption of the first figure.
        let shown = section.figures.first().map(|figure| figure.caption.as_str());
        let text = told.method.first().map(String::as_str).or(shown);
        told.finding = text
            .map_or(section.title.as_str(), |text| first_sentence(text).0)
            .into();
    }
    if let Some(words) = intervals(&section.findings) {
        told.sure.push(words);
    }
    told
}

/// The result of a section in a few words, for the table of contents; else its largest n.
pub(crate) fn line(section: &Section) -> String {
    result(section).map_or_else(
        || {
            let n = section
                .findings
                .iter()
                .map(|finding| finding.n)
                .max()
                .unwrap_or(0);
            if n > 0 {
                format!("n = {}", number(n as f64))
            } else {
                String::new()
            }
        },
        |line| line.short,
    )
}

/// A result in short form for the table of contents, and as a sentence.
struct Line {
    short: String,
    long: String,
}

#[allow(
    clippy::unnecessary_wraps,
    reason = "every section has one shape, those that have no result too"
)]
fn said(short: String, long: String) -> Option<Line> {
    Some(Line { short, long })
}

fn result(section: &Section) -> Option<Line> {
    let find = |id: &str| {
        section
            .findings
            .iter()
            .find(|finding| finding.id == id && finding.value.is_some())
    };
    let with = |id: &str, digits: usize| find(id).map(|finding| with_interval(finding, digits));
    match section.id.as_str() {
        "answer" => {
            let figure = section.figures.first()?;
            let Drawing::Matrix(matrix) = &figure.drawing else {
                return None;
            };
            let (clear, cells) = super::first::counted(matrix);
            said(
                format!("{clear} of {cells} pairs stand"),
                format!(
                    "An effect at fixed size stands in {clear} of {cells} pairs of part and benchmark; in the others nothing can be \
                     told from no effect."
                ),
            )
        }
        "controlled" => standing(
            section,
            "controlled.simultaneous.",
            "effects of layers at fixed size, over three readings of size and all benchmarks",
        ),
        "pooled" => standing(
            section,
            "pooled.simultaneous.",
            "associations of parts, size, tokens and date with benchmarks",
        ),
        "attribution" => {
            let text = super::headlines(std::slice::from_ref(section))
                .into_iter()
                .next()?;
            let counts = text.split(" none can be named first for ").nth(1)?;
            let counts = counts.split(" targets").next()?;
            said(
                format!("none first for {counts}"),
                format!("Of layers, d_model, d_ffn and heads none can be named first for {counts} targets."),
            )
        }
        "methods" => {
            let best = "regression.r2_shapes.structural.structure_out.structural.average_v1";
            let words = with(best, 2)?;
            said(
                format!("structural R\u{b2} {words} on v1"),
                format!(
                    "On shapes never seen `structural` reaches R\u{b2} {words} of v1's Average, each shape counted once."
                ),
            )
        }
        "scale" => {
            let (first, second) = (
                with("scale.difference.medium_small", 1)?,
                with("scale.difference.large_medium", 1)?,
            );
            said(
                format!("{first} to 10\u{2013}50 B"),
                format!(
                    "From under 10 to 10\u{2013}50 billion parameters the mean Average rises by {first} points, from there to 50 and more \
                     by {second}."
                ),
            )
        }
        "chat_template" => {
            let (words, n) = (
                with("chat_template.paired.ifeval", 1)?,
                find("chat_template.paired.ifeval")?.n,
            );
            said(
                format!("{words} IFEval, {n} pairs"),
                format!(
                    "With its chat template the same checkpoint scores {words} points on IFEval ({n} checkpoints evaluated both ways)."
                ),
            )
        }
        "merging" => {
            let id = "merging.effect.either.structure_date.average";
            let (words, n) = (with(id, 1)?, find(id)?.n);
            said(
                format!("{words} at one shape, month"),
                format!(
                    "Merged checkpoints score {words} points of Average at one shape and month (n = {}).",
                    number(n as f64)
                ),
            )
        }
        "popularity" => {
            let (r2, rank) = (with("popularity.r2", 3)?, with("popularity.spearman", 3)?);
            said(
                format!("R\u{b2} {r2}"),
                format!(
                    "Likes say almost nothing about the score: R\u{b2} {r2}, rank correlation {rank}, among evaluations with more than 10 likes."
                ),
            )
        }
        "progress" => {
            let words = with("progress.halving_months.v2.average", 0)?;
            let words = words
                .trim_start_matches('+')
                .replace("[+", "[")
                .replace(", +", ", ");
            said(
                format!("size halves in {words} months"),
                format!("The size that an equal Average of leaderboard v2 needs halves in {words} months."),
            )
        }
        "efficiency" => {
            let n = find("efficiency.front.size.members")?.value?;
            said(
                format!("{n:.0} on the front over size"),
                format!(
                    "{n:.0} checkpoints lie on the front of Average over size: nothing of the same or lower size beats them."
                ),
            )
        }
        "architecture" => {
            let all: Vec<f64> = section
                .findings
                .iter()
                .filter(|finding| finding.id.starts_with("architecture.holm_p."))
                .filter_map(|finding| finding.value)
                .collect();
            let clear = all.iter().filter(|p| **p < 0.05).count();
            (!all.is_empty()).then(|| Line {
                short: format!("{clear} of {} pairs differ", all.len()),
                long: format!(
                    "{clear} of {} differences between two families on one benchmark stand (p < 0.05 after Holm's correction).",
                    all.len()
                ),
            })
        }
        "correlation" => {
            let (first, second) = (
                find("correlation.components.v1.retained")?.value?,
                find("correlation.components.v2.retained")?.value?,
            );
            said(
                format!("above noise: v1 {first:.0}, v2 {second:.0} of six dimensions"),
                format!(
                    "Of six dimensions of scores {first:.0} of leaderboard v1 and {second:.0} of v2 exceed noise."
                ),
            )
        }
        "forecast" => {
            let (ours, size) = (find("forecast.mae.bbh")?, find("forecast.mae_size.bbh")?);
            said(
                format!("BBH missed by {:.1}, by size {:.1}", ours.value?, size.value?),
                format!(
                    "Frozen fits miss next year's BBH by {} points, the mean of shapes of that size by {}.",
                    with_interval(ours, 1).trim_start_matches('+'),
                    with_interval(size, 1).trim_start_matches('+')
                ),
            )
        }
        "certain" => {
            let count = |name: &str| find(&format!("certain.count.{name}")).and_then(|finding| finding.value);
            let (holds, lost, turned) = (count("holds")?, count("only_on_all")?, count("turned_around")?);
            said(
                format!("{holds:.0} hold, {lost:.0} do not"),
                format!(
                    "On structures known for certain {holds:.0} findings about depth, width and size hold, {lost:.0} do not any more, {turned:.0} turn around."
                ),
            )
        }
        "claims" => {
            let tally = Tally::of_abilities(&section.findings);
            (tally.total() > 0).then(|| Line {
                short: format!(
                    "{} agree, {} contradicted",
                    tally.count(Verdict::Reproduced),
                    tally.count(Verdict::Differs)
                ),
                long: format!(
                    "Of {} claims about abilities, read as the works made them, {}.",
                    tally.total(),
                    tally.counts()
                ),
            })
        }
        _ => None,
    }
}

/// Counts the simultaneous intervals that exclude zero; `None` where no finding id starts with `begins`.
fn standing(section: &Section, begins: &str, what: &str) -> Option<Line> {
    let ends: Vec<bool> = section
        .findings
        .iter()
        .filter(|finding| finding.id.starts_with(begins))
        .filter_map(|finding| finding.interval.as_ref().map(|ends| !ends.covers(0.0)))
        .collect();
    let clear = ends.iter().filter(|clear| **clear).count();
    (!ends.is_empty()).then(|| Line {
        short: format!("{clear} of {} stand", ends.len()),
        long: format!(
            "{clear} of {} {what} stand when all benchmarks are looked at together.",
            ends.len()
        ),
    })
}

fn with_interval(finding: &Finding, digits: usize) -> String {
    let value = signed(finding.value.unwrap_or(f64::NAN), digits);
    let is_share = finding.id.contains(".r2");
    let plain = |text: String| {
        if is_share {
            text.trim_start_matches('+').to_owned()
        } else {
            text
        }
    };
    match &finding.interval {
        Some(ends) => format!(
            "{} [{}, {}]",
            plain(value),
            plain(signed(ends.low, digits)),
            plain(signed(ends.high, digits))
        ),
        None => plain(value),
    }
}

/// Summary of the intervals in a section: number, methods, and range of n.
fn intervals(findings: &[Finding]) -> Option<String> {
    let mut methods: Vec<(&str, usize)> = Vec::new();
    for ends in findings.iter().filter_map(|finding| finding.interval.as_ref()) {
        match methods.iter_mut().find(|(name, _)| *name == ends.method) {
            Some((_, n)) => *n += 1,
            None => methods.push((&ends.method, 1)),
        }
    }
    methods.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let total: usize = methods.iter().map(|(_, n)| n).sum();
    if total == 0 {
        return None;
    }
    let (low, high) = (
        findings
            .iter()
            .map(|finding| finding.n)
            .filter(|n| *n > 0)
            .min()?,
        findings.iter().map(|finding| finding.n).max()?,
    );
    let names: Vec<&str> = methods.iter().take(2).map(|(name, _)| *name).collect();
    Some(format!(
        "{total} of {} numbers here have an interval ({}); n {}.",
        findings.len(),
        names.join("; "),
        if low == high {
            number(low as f64)
        } else {
            format!("from {} to {}", number(low as f64), number(high as f64))
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_are_told_apart() {
        let section = Section {
            id: "made_up".into(),
            title: "Made up".into(),
            text: vec![
                "665 of 4576 evaluations have no `Merged` and are left out.".into(),
                "Likes rise with size, as all do. The rest follows.".into(),
                "What would change the answer: more rows.".into(),
            ],
            ..Section::default()
        };
        let told = told(&section);
        assert_eq!(told.finding, "Likes rise with size, as all do.");
        assert_eq!(told.more, ["The rest follows."]);
        assert_eq!(told.sure, ["What would change the answer: more rows."]);
        assert_eq!(told.method.len(), 1);
    }

    #[test]
    fn what_is_most_asked_stands_first_and_what_is_not_named_before_the_ledger() {
        assert!(place("answer") < place("attribution") && place("attribution") < place("scale"));
        assert!(place("influence") > place("trends") && place("influence") < place("claims"));
        assert!(place("claims") < place("dataset"));
    }
}
