//! Terms that the page uses in a special sense: linked at first use in each section and defined at its end.

use std::fmt::Write as _;

/// A defined term.
pub(crate) struct Term {
    /// Suffix of its anchor on the page, `#term-ID`.
    pub(crate) id: &'static str,
    /// Name in the heading.
    pub(crate) name: &'static str,
    /// Forms in which it occurs in sentences, the longest first.
    forms: &'static [&'static str],
    pub(crate) meaning: &'static str,
}

const fn term(
    id: &'static str,
    name: &'static str,
    forms: &'static [&'static str],
    meaning: &'static str,
) -> Term {
    Term {
        id,
        name,
        forms,
        meaning,
    }
}

/// All terms, in alphabetical order.
pub(crate) const TERMS: [Term; 27] = [
    term(
        "association",
        "association",
        &["associations", "association"],
        "Goes together over checkpoints that others made. What was fed to a network goes with its shape, so nothing here says that the one makes the other.",
    ),
    term(
        "average",
        "Average",
        &["mean Average", "Average"],
        "Mean of a leaderboard's six benchmarks, 0 to 100 points.",
    ),
    term(
        "by-rows",
        "by rows",
        &["by rows"],
        "Every checkpoint counts once, so a shape with many fine-tunes decides.",
    ),
    term(
        "by-shape",
        "each shape counted once",
        &["each shape counted once", "each counted once", "by shape"],
        "The mean of a shape's checkpoints counts as one row, however many they are.",
    ),
    term(
        "ceiling",
        "ceiling",
        &["Ceiling", "ceiling"],
        "The most that any function of structure alone can explain: checkpoints of one structure differ.",
    ),
    term(
        "checkpoint",
        "checkpoint",
        &["checkpoints", "checkpoint"],
        "One published set of weights.",
    ),
    term(
        "contradicted",
        "contradicted",
        &["contradicted"],
        "Our number does not agree with the claimed one within its tolerance, and our interval leaves it out.",
    ),
    term(
        "controlled",
        "controlled",
        &["runs that differ in nothing else", "controlled"],
        "Networks trained alike on the same data that differ in the part asked about alone.",
    ),
    term(
        "doubling",
        "per doubling",
        &["points per doubling", "per doubling"],
        "What twice as much of a part goes with, all else that is named held fixed.",
    ),
    term(
        "effective-shapes",
        "effective number of shapes",
        &["effective number of shapes"],
        "How many shapes of equal weight the rows are worth: (sum of n) squared by the sum of n squared.",
    ),
    term(
        "front",
        "Pareto front",
        &["Pareto front"],
        "Checkpoints that nothing of the same or lower cost beats. A front takes maxima, so it rises with the number tried.",
    ),
    term(
        "impurity",
        "impurity importance",
        &["impurity importance", "by impurity"],
        "How much the splits of a forest on a column lower the spread of the scores it was trained on. Columns that move together share it at random.",
    ),
    term(
        "interval",
        "95 % interval",
        &["95 % intervals", "95 % interval"],
        "Made so that in 95 of 100 studies of this size it holds the number sought. Most here resample whole shapes.",
    ),
    term(
        "leaderboard",
        "leaderboards v1 and v2",
        &["leaderboard v1", "leaderboard v2"],
        "The two Open LLM Leaderboards: until June 2024 (ARC, HellaSwag, MMLU, TruthfulQA, WinoGrande, GSM8K), then until February 2025 (IFEval, BBH, MATH, GPQA, MUSR, MMLU-PRO).",
    ),
    term(
        "lookup",
        "nearest-relative baseline",
        &["look-up", "Look-up"],
        "Predicts the mean of the training checkpoints with the same structure, and fits nothing.",
    ),
    term(
        "not-excluded",
        "not excluded",
        &["not excluded"],
        "Our number does not agree with the claimed one, but our interval holds it: these data leave both outcomes open.",
    ),
    term(
        "permutation",
        "permutation importance",
        &["by permutation"],
        "How far R\u{b2} drops on held-out rows when a column is shuffled.",
    ),
    term(
        "placebo",
        "placebo",
        &["Placebo", "placebo"],
        "Copies of a checkpoint with layers added that do nothing: what a change of the count alone does to scores.",
    ),
    term("points", "points", &["points"], "Of a score from 0 to 100."),
    term(
        "r2",
        "R\u{b2}",
        &["R\u{b2}"],
        "Share of the variance of scores that a prediction explains: 1 is perfect, 0 no better than the mean, below 0 worse than it.",
    ),
    term(
        "random-split",
        "rows divided at random",
        &["rows divided at random", "random rows", "random_split"],
        "Test rows are drawn from all. Fine-tunes of one base then stand on both sides, and a method may look its relatives up.",
    ),
    term(
        "resample",
        "resample",
        &["resamples of shapes", "resamples", "draws of shapes"],
        "The study again on shapes drawn with replacement (bootstrap): how far a result depends on which shapes happened to be there.",
    ),
    term(
        "shape",
        "shape",
        &["shapes", "shape"],
        "Layers, d_model, d_ffn and heads together; of a table of one's own, the values of the columns that are asked. Fine-tunes of one base have one shape.",
    ),
    term(
        "spearman",
        "rank correlation",
        &["rank correlations", "rank correlation", "Spearman"],
        "Spearman's rho: whether what is high in one is high in the other; \u{2212}1 to 1.",
    ),
    term(
        "surgery",
        "surgery",
        &["surgery"],
        "One trained network cut in two ways to one size, and both trained on; where that is said, cut and left so.",
    ),
    term(
        "unseen",
        "shapes never seen",
        &[
            "shapes never seen",
            "shapes it has never seen",
            "shapes not trained on",
            "unseen shapes",
            "structure_out",
        ],
        "Test rows whose shape stands in no training row: what is asked of a new structure.",
    ),
    term(
        "untestable",
        "untestable",
        &["untestable"],
        "These data have no such number; the ledger says what would be needed.",
    ),
];

/// Escapes a text for HTML and links the first occurrence of each term to its definition. `seen` are the terms already
/// linked in the section, and is extended.
pub(crate) fn linked(text: &str, seen: &mut Vec<&'static str>) -> String {
    // Occurrences of terms; nested ones are skipped below.
    let mut places: Vec<(usize, usize, &Term)> = Vec::new();
    for term in &TERMS {
        if seen.contains(&term.id) {
            continue;
        }
        let found = term
            .forms
            .iter()
            .filter_map(|form| word_at(text, form).map(|at| (at, form.len())));
        let first = found.min_by_key(|(at, length)| (*at, std::cmp::Reverse(*length)));
        if let Some((at, length)) = first {
            places.push((at, at + length, term));
        }
    }
    places.sort_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let mut html = String::with_capacity(text.len() + 200);
    let mut done = 0;
    for (from, to, term) in places {
        if from < done {
            continue;
        }
        seen.push(term.id);
        html.push_str(&escaped(&text[done..from]));
        let _ = write!(
            html,
            "<a class=\"term\" href=\"#term-{}\" data-def=\"{}\">{}</a>",
            term.id,
            escaped(term.meaning),
            escaped(&text[from..to])
        );
        done = to;
    }
    html.push_str(&escaped(&text[done..]));
    html
}

/// First position where a form occurs as a whole word.
fn word_at(text: &str, form: &str) -> Option<usize> {
    text.match_indices(form).map(|(at, _)| at).find(|at| {
        let before = text[..*at].chars().next_back();
        let after = text[at + form.len()..].chars().next();
        let is_letter =
            |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_');
        !is_letter(before) && !is_letter(after)
    })
}

/// Escapes a text for HTML.
pub(crate) fn escaped(text: &str) -> String {
    with_minus(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}

/// Replaces the hyphen before negative numbers by a minus sign.
fn with_minus(text: &str) -> String {
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    let mut set = String::with_capacity(text.len());
    while let Some(letter) = letters.next() {
        let begins = before.is_whitespace() || "[(".contains(before);
        let is_minus = letter == '-' && begins && letters.peek().is_some_and(char::is_ascii_digit);
        set.push(if is_minus { '−' } else { letter });
        before = letter;
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negative_numbers_have_a_minus_sign_and_dates_ids_and_options_stay() {
        assert_eq!(
            escaped("MATH -3.4 [-8.2, +1.4] on 2024-05-31, gpt-2, --top -a"),
            "MATH −3.4 [−8.2, +1.4] on 2024-05-31, gpt-2, --top -a"
        );
    }

    #[test]
    fn a_word_is_linked_once_and_only_where_it_stands_alone() {
        let mut seen = Vec::new();
        let html = linked("a shapeless < shape, and shapes by rows", &mut seen);
        assert_eq!(html.matches("<a class=\"term\"").count(), 2, "{html}");
        assert!(
            html.starts_with("a shapeless &lt; <a class=\"term\" href=\"#term-shape\""),
            "{html}"
        );
        assert!(html.ends_with("and shapes <a class=\"term\" href=\"#term-by-rows\" data-def=\"Every checkpoint counts once, so a shape with many fine-tunes decides.\">by rows</a>"));
        let again = linked("a shape", &mut seen);
        assert_eq!(again, "a shape");
    }

    #[test]
    fn the_longest_form_is_taken_and_addresses_are_one_each() {
        let html = linked("R² on shapes never seen", &mut Vec::new());
        assert!(
            html.contains("href=\"#term-unseen\"") && !html.contains("#term-shape\""),
            "{html}"
        );
        let mut ids: Vec<&str> = TERMS.iter().map(|term| term.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), TERMS.len());
    }
}
