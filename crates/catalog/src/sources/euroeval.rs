//! Reads the boards of `EuroEval`, one per language: scores with published intervals, and numbers of parameters and
//! vocabulary sizes.
//!
//! There are two header lines, the first with tasks, the second with columns. A cell is `shown@@sorted`, a score
//! `first ± half / second ± half`. The name is a link, with the reasoning mode after `#`, a revision after `@` and the
//! kind of run in brackets. Runs without examples (`zero-shot`) and on the validation split (`val`) are not comparable
//! with the others: they are boards and benchmarks of their own. First metrics of classification are Matthews
//! correlations, which are 0 at chance. The half-widths are of 95 % intervals over ten draws of examples and items.
//!
//! Only checkpoints whose link leads to the Hub are taken. Their counts serve as ground truth from outside: they are
//! not used for resolving, but the catalog's values are compared with them, and deviations are recorded. Parameters are
//! undercounted for packed weights, so these give no count.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::identity::{Identities, mode_of};
use crate::observed::{Observed, Out, Outside};
use crate::sources::metrics::{NORMALISED, RAW};
use crate::sources::table::{Cells, Table};
use crate::sources::{Board, Published, Reads, State, joined, score};
use crate::tables::{Evaluation, Score};
use crate::words::holds;

/// Name of this kind of source, and prefix of its boards' names.
const NAME: &str = "euroeval";

/// The board, and where it was published.
pub(super) const BOARD: Board = Board {
    name: NAME,
    reads: Reads::Table(recognises, read),
    published: &[Published {
        path: "euroeval/",
        address: "https://github.com/EuroEval/leaderboards",
        revision: "1a77f1d2",
        license: "MIT",
        attribution: "EuroEval",
        state: "2026-04-20",
    }],
};

/// Parts of names of checkpoints with packed weights, whose count is too small.
const PACKED: [&str; 8] = ["fp8", "fp4", "awq", "gptq", "gguf", "4bit", "8bit", "int4"];

/// Task as in the board's header, its first and second metric (`task_config.yaml`), and the scale of the first.
const TASKS: [(&str, &str, &str, &str); 8] = [
    ("Sentiment classification", "mcc", "macro_f1", NORMALISED),
    ("Named entity recognition", "micro_f1_no_misc", "micro_f1", RAW),
    ("Linguistic acceptability", "mcc", "macro_f1", NORMALISED),
    ("Reading comprehension", "f1", "em", RAW),
    ("Summarization", "chr_f3pp", "chr_f4pp", RAW),
    ("Simplification", "meteor", "sari", RAW),
    ("Knowledge", "mcc", "accuracy", NORMALISED),
    ("Common sense reasoning", "mcc", "accuracy", NORMALISED),
];

/// Whether a table is one of these boards, by the first header line.
fn recognises(table: &Table) -> bool {
    table
        .headers
        .first()
        .is_some_and(|first| plain(first) == "Task Type")
}

/// The columns of one data set.
struct Dataset {
    name: String,
    column: usize,
    version: Option<usize>,
    /// First metric, second metric, and scale of the first.
    metrics: (&'static str, &'static str, &'static str),
    /// Whether the board excludes it from its means.
    beside: bool,
}

/// How a row was run, according to its name.
struct Run<'a> {
    id: &'a str,
    revision: Option<&'a str>,
    mode: Option<String>,
    zero_shot: bool,
    validation: bool,
}

impl<'a> Run<'a> {
    /// Parses `org/name@revision#mode (zero-shot, val)`.
    fn of(name: &'a str) -> Self {
        let (name, kinds) = name.split_once(" (").unwrap_or((name, ""));
        let (name, mode) = mode_of(name);
        let (id, revision) = name
            .split_once('@')
            .map_or((name, None), |(id, at)| (id, Some(at)));
        let has = |kind: &str| kinds.trim_end_matches(')').split(", ").any(|one| one == kind);
        Self {
            id: id.trim(),
            revision,
            mode,
            zero_shot: has("zero-shot"),
            validation: has("val"),
        }
    }

    /// Suffix that distinguishes this kind of run; empty for few-shot runs on the test split.
    fn kind(&self, mark: char) -> String {
        let mut kind = String::new();
        for (is, word) in [(self.zero_shot, "zero-shot"), (self.validation, "val")] {
            if is {
                kind.push(mark);
                kind.push_str(&word.replace('-', &mark.to_string()));
            }
        }
        kind
    }
}

/// Reads the board into `out`.
fn read(
    table: &mut Table,
    (snapshot, version): State<'_>,
    identities: &Identities,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let width = table.headers.len();
    let heads: Vec<String> = table.headers.iter().map(|head| plain(head)).collect();
    let stem = table.file.rsplit('/').next().unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let board = format!("{NAME}-{}", stem.trim_end_matches("_all"));
    let Some(header) = table.next()? else {
        return Ok(());
    };
    let columns: Vec<String> = (0..width)
        .map(|column| Ok(header.text(Some(column))?.map(plain).unwrap_or_default()))
        .collect::<Result<_, Error>>()?;
    let find = |name: &str| columns.iter().position(|column| column == name);
    let [model, parameters, vocabulary, kind, merge, scratch] = [
        "Model",
        "Parameters",
        "Vocabulary",
        "Type",
        "Merge",
        "Trained from scratch",
    ]
    .map(find);
    out.reject_row(header.row, "Model", "", "second_header")?;
    let datasets = datasets(&heads, &columns);
    while let Some(cells) = table.next()? {
        let printed = cells.text(model)?.unwrap_or_default();
        let name = plain(printed);
        let run = Run::of(&name);
        let is_on_hub = ["hf.co/", "huggingface.co/"]
            .iter()
            .any(|place| printed.contains(place));
        let is_id = run.id.split('/').count() == 2 && !run.id.starts_with("ollama");
        let kind = cells.text(kind)?.unwrap_or_default();
        if !is_id || !is_on_hub {
            out.reject_row(cells.row, "Model", &name, "not_a_checkpoint")?;
            continue;
        }
        if kind.starts_with('\u{1f50d}') {
            out.reject_row(cells.row, "Type", &name, "not_a_decoder")?;
            continue;
        }
        let Some(id) = joined(identities.of_id(run.id), run.id, cells.row, out)? else {
            continue;
        };
        let is_packed = holds(&id.to_ascii_lowercase(), &PACKED);
        let (parameters, vocabulary) = (number(&cells, parameters)?, number(&cells, vocabulary)?);
        let merged = yes(&cells, merge)?;
        let evaluation = Evaluation {
            evaluation: format!("{board}/{}", cells.row),
            leaderboard: format!("{board}{}", run.kind('-')),
            id: id.clone(),
            revision: run.revision.map(str::to_owned),
            kind: kind_of(kind, merged, yes(&cells, scratch)?).map(str::to_owned),
            listed_size: parameters.filter(|_| !is_packed).map(|count| count / 1e9),
            merged,
            ..Evaluation::default()
        };
        let mut scores = Vec::new();
        for dataset in &datasets {
            scores.extend(dataset.scores(&cells, &evaluation, &run, (snapshot, version), out)?);
        }
        out.observe(
            cells.row,
            Observed {
                id: id.clone(),
                merged,
                ..Observed::default()
            },
        )?;
        if !is_packed {
            out.outside(
                cells.row,
                Outside {
                    id,
                    parameters,
                    vocabulary,
                },
            )?;
        }
        out.evaluation(cells.row, evaluation, scores)?;
    }
    Ok(())
}

/// The data sets, each with its task's metrics; columns of unknown tasks are skipped.
fn datasets(heads: &[String], columns: &[String]) -> Vec<Dataset> {
    let by_name: BTreeMap<&str, usize> = columns
        .iter()
        .enumerate()
        .map(|(place, name)| (name.as_str(), place))
        .collect();
    let mut task = "";
    let mut found = Vec::new();
    for (column, name) in columns.iter().enumerate() {
        if let Some(head) = heads.get(column).filter(|head| !head.is_empty()) {
            task = head;
        }
        let version = by_name.get(format!("{name}_version").as_str()).copied();
        let metrics = TASKS.iter().find(|(known, ..)| *known == task.trim_matches('~'));
        if let (Some(_), Some((_, first, second, scale))) = (version, metrics) {
            found.push(Dataset {
                name: name.replace('-', "_"),
                column,
                version,
                metrics: (*first, *second, *scale),
                beside: task.starts_with('~'),
            });
        }
    }
    found
}

impl Dataset {
    /// Appends the two scores of a row on this data set.
    fn scores(
        &self,
        cells: &Cells<'_>,
        evaluation: &Evaluation,
        run: &Run<'_>,
        (snapshot, version): State<'_>,
        out: &mut Out<'_>,
    ) -> Result<Vec<Score>, Error> {
        let cell = cells.text(Some(self.column))?.unwrap_or_default();
        let shown = cell.split("@@").next().unwrap_or_default().trim();
        if shown.is_empty() || shown == "-" || shown == "?" {
            return Ok(Vec::new());
        }
        let parts: Vec<Option<(f64, f64)>> = shown.split(" / ").map(with_half).collect();
        let [Some(first), Some(second)] = parts[..] else {
            out.reject_field(cells.row, &self.name, shown, "not_two_scores_with_intervals")?;
            return Ok(Vec::new());
        };
        let harness = cells.text(self.version)?.unwrap_or_default();
        let harness = harness
            .split("@@")
            .next()
            .filter(|text| !text.is_empty() && *text != "-");
        let benchmark = format!("{NAME}{}_{}", run.kind('_'), self.name);
        let (metric, beside, scale) = self.metrics;
        let of = |(value, half): (f64, f64), benchmark: String, metric: &str, scale: &str| Score {
            benchmark,
            value,
            metric: Some(metric.to_owned()),
            scale: Some(scale.to_owned()),
            shots: run.zero_shot.then_some(0),
            setting: Some(
                [
                    (!run.zero_shot).then_some("few-shot"),
                    self.beside.then_some("beside the official mean"),
                ]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("; "),
            )
            .filter(|text| !text.is_empty()),
            mode: run.mode.clone(),
            split: Some(if run.validation { "validation" } else { "test" }.to_owned()),
            half_width: Some(half),
            harness: harness.map(|version| format!("{NAME} {version}")),
            ..score(evaluation, snapshot, version)
        };
        let mut scores = Vec::new();
        for (pair, benchmark, metric, scale) in [
            (first, benchmark.clone(), metric, scale),
            (second, format!("{benchmark}_{beside}"), beside, RAW),
        ] {
            if (-100.0..=100.0).contains(&pair.0) {
                scores.push(of(pair, benchmark, metric, scale));
            } else {
                out.reject_field(cells.row, &self.name, shown, "score_out_of_range")?;
            }
        }
        Ok(scores)
    }
}

/// Value and half-width in `69.12 ± 1.83`.
fn with_half(text: &str) -> Option<(f64, f64)> {
    let (value, half) = text.split_once('±')?;
    let number = |text: &str| text.trim().parse().ok().filter(|value: &f64| value.is_finite());
    Some((number(value)?, number(half)?))
}

/// The type of checkpoint, in the words that leaderboards use.
fn kind_of(sign: &str, merged: Option<bool>, scratch: Option<bool>) -> Option<&'static str> {
    if merged == Some(true) {
        return Some("merge");
    }
    match (sign.chars().next()?, scratch) {
        ('\u{1f9e0}', Some(true)) => Some("pretrained"),
        ('\u{1f9e0}', Some(false)) => Some("continuously pretrained"),
        ('\u{1f4dd}', _) => Some("chat models (instruction-tuned)"),
        ('\u{1f914}', _) => Some("chat models (reasoning)"),
        _ => None,
    }
}

/// Parses `✓`, `(✓)` and `✗`.
fn yes(cells: &Cells<'_>, column: Option<usize>) -> Result<Option<bool>, Error> {
    Ok(
        match cells.text(column)?.map(|text| text.trim_matches(['(', ')'])) {
            Some("✓") => Some(true),
            Some("✗") => Some(false),
            _ => None,
        },
    )
}

/// The positive number that a cell shows, before its sort key; `None` for `?`.
fn number(cells: &Cells<'_>, column: Option<usize>) -> Result<Option<f64>, Error> {
    let text = cells.text(column)?.unwrap_or_default();
    let shown = text.split("@@").next().unwrap_or_default();
    Ok(shown
        .parse()
        .ok()
        .filter(|&value: &f64| value.is_finite() && value > 0.0))
}

/// Text without HTML tags.
fn plain(text: &str) -> String {
    let mut inside = false;
    text.chars()
        .filter(|&letter| {
            inside = letter == '<' || inside && letter != '>';
            !inside && letter != '>'
        })
        .collect::<String>()
        .trim()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lose_their_marks() {
        assert_eq!(plain("<a href='x'>org/name (val)</a>"), "org/name (val)");
        assert_eq!(plain("Task Type"), "Task Type");
    }

    #[test]
    fn a_name_says_how_it_was_run() {
        let run = Run::of("PleIAs/Baguettotron@refs/pr/6#no-thinking (zero-shot, val)");
        assert_eq!((run.id, run.revision), ("PleIAs/Baguettotron", Some("refs/pr/6")));
        assert_eq!(run.mode.as_deref(), Some("no-thinking"));
        assert_eq!(
            (run.kind('-'), run.kind('_')),
            ("-zero-shot-val".into(), "_zero_shot_val".into())
        );
        let plain = Run::of("google/gemma-3-4b-it");
        assert_eq!(
            (plain.id, plain.mode.as_deref(), plain.kind('-').as_str()),
            ("google/gemma-3-4b-it", None, "")
        );
    }

    #[test]
    fn a_cell_is_two_scores_with_halves_of_intervals() {
        assert_eq!(with_half("-1.20 ± 1.83"), Some((-1.2, 1.83)));
        assert_eq!(with_half("69.12"), None);
    }
}
