//! Reads Open LLM Leaderboard v1 (2023-07 to 2024-06): six benchmarks, in points.
//!
//! `Flagged`, `MoE` and `Merged` are stored negated, `date` is the day of the upload, and `#Params (B)` is truncated to
//! whole billions and 0 where unknown.

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::metrics::RAW;
use crate::sources::table::{Cells, Table};
use crate::tables::{Evaluation, Score};

/// Name of the leaderboard.
pub(crate) const NAME: &str = "open-llm-leaderboard-v1";

/// Column, benchmark, few-shot examples (from the leaderboard's own documentation).
const BENCHMARKS: [(&str, &str, i64); 6] = [
    ("ARC", "arc", 25),
    ("HellaSwag", "hellaswag", 10),
    ("MMLU", "mmlu", 5),
    ("TruthfulQA", "truthfulqa", 0),
    ("Winogrande", "winogrande", 5),
    ("GSM8K", "gsm8k", 5),
];

/// Whether a table is of this kind, by its header: it must have most of the columns, so that one that lacks some is
/// still recognised and the error says which.
pub(crate) fn recognises(table: &Table) -> bool {
    let has = |name: &str| table.find(name).is_some();
    let benchmarks = BENCHMARKS.iter().filter(|(column, ..)| has(column)).count();
    let others = ["Average ⬆️", "#Params (B)", "Architecture", "Type", "Precision"]
        .iter()
        .filter(|name| has(name))
        .count();
    benchmarks >= 3 && others >= 3
}

struct Layout {
    model: usize,
    benchmarks: Vec<(usize, &'static str, i64)>,
    average: Option<usize>,
    kind: Option<usize>,
    architecture: Option<usize>,
    weight_type: Option<usize>,
    precision: Option<usize>,
    merged: Option<usize>,
    license: Option<usize>,
    size: usize,
    likes: Option<usize>,
    revision: Option<usize>,
    flagged: Option<usize>,
    moe: Option<usize>,
    date: Option<usize>,
}

impl Layout {
    fn of(table: &Table) -> Result<Self, Error> {
        let mut benchmarks = Vec::new();
        for (column, benchmark, shots) in BENCHMARKS {
            benchmarks.push((table.need(&[column])?, benchmark, shots));
        }
        Ok(Self {
            model: table.need(&["Model", "fullname"])?,
            benchmarks,
            average: Some(table.need(&["Average ⬆️"])?),
            kind: table.find("Type"),
            architecture: Some(table.need(&["Architecture"])?),
            weight_type: table.find("Weight type"),
            precision: table.find("Precision"),
            merged: table.find("Merged"),
            license: table.find("Hub License"),
            size: table.need(&["#Params (B)"])?,
            likes: table.find("Hub ❤️"),
            revision: table.find("Model sha"),
            flagged: table.find("Flagged"),
            moe: table.find("MoE"),
            date: table.find("date"),
        })
    }
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, snapshot: &str, version: &str, out: &mut Out<'_>) -> Result<(), Error> {
    let layout = Layout::of(table)?;
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(layout.model))? else {
            out.reject_row(cells.row, "Model", "", "no_name")?;
            continue;
        };
        let evaluation = evaluation(&cells, &layout, id)?;
        let mut scores = Vec::with_capacity(layout.benchmarks.len());
        for &(column, benchmark, shots) in &layout.benchmarks {
            let Some(value) = cells.float(Some(column))? else {
                continue;
            };
            if !(0.0..=100.0).contains(&value) {
                out.reject_field(cells.row, benchmark, &value.to_string(), "score_out_of_range")?;
                continue;
            }
            scores.push(Score {
                evaluation: evaluation.evaluation.clone(),
                id: id.to_owned(),
                leaderboard: NAME.to_owned(),
                version: version.to_owned(),
                benchmark: benchmark.to_owned(),
                value,
                unit: "points".to_owned(),
                metric: metric(benchmark).map(str::to_owned),
                scale: Some(RAW.to_owned()),
                precision: evaluation.precision.clone(),
                shots: Some(shots),
                chat_template: Some(false),
                setting: None,
                date: evaluation.uploaded,
                snapshot: snapshot.to_owned(),
                ..Score::default()
            });
        }
        out.observe(cells.row, observed(&evaluation))?;
        out.evaluation(cells.row, evaluation, scores)?;
    }
    Ok(())
}

/// The leaderboard's metric for each benchmark.
fn metric(benchmark: &str) -> Option<&'static str> {
    Some(match benchmark {
        "arc" | "hellaswag" => "acc_norm",
        "mmlu" | "winogrande" | "gsm8k" => "acc",
        "truthfulqa" => "mc2",
        _ => return None,
    })
}

fn evaluation(cells: &Cells<'_>, layout: &Layout, id: &str) -> Result<Evaluation, Error> {
    let text = |index| cells.text(index).map(|text| text.map(str::to_owned));
    let opposite = |index| cells.bool(index).map(|value| value.map(|value| !value));
    Ok(Evaluation {
        evaluation: format!("{NAME}/{}", cells.row),
        leaderboard: NAME.to_owned(),
        id: id.to_owned(),
        revision: text(layout.revision)?,
        precision: text(layout.precision)?,
        weight_type: text(layout.weight_type)?,
        kind: cells.text(layout.kind)?.and_then(plain_words),
        architecture: cells.text(layout.architecture)?.and_then(architecture),
        listed_size: cells.float(Some(layout.size))?,
        likes: cells.int(layout.likes)?,
        merged: opposite(layout.merged)?,
        moe: opposite(layout.moe)?,
        flagged: opposite(layout.flagged)?,
        chat_template: Some(false),
        license: text(layout.license)?,
        uploaded: cells.day(layout.date)?,
        average: cells.float(layout.average)?,
        ..Evaluation::default()
    })
}

/// The facts that an evaluation states about its checkpoint, apart from the scores.
pub(crate) fn observed(evaluation: &Evaluation) -> Observed {
    let adapter = evaluation
        .weight_type
        .as_deref()
        .is_some_and(|kind| kind != "Original");
    let packed = adapter
        || evaluation
            .precision
            .as_deref()
            .is_some_and(|p| matches!(p, "4bit" | "8bit" | "GPTQ"));
    Observed {
        id: evaluation.id.clone(),
        listed_size: evaluation.listed_size.filter(|&size| size > 0.0),
        adapter,
        measured: true,
        weight_type: evaluation.weight_type.is_some(),
        architecture: evaluation.architecture.clone(),
        revision: evaluation.revision.clone(),
        date: evaluation.uploaded,
        submitted: evaluation.submitted,
        likes: evaluation.likes,
        license: evaluation.license.clone(),
        base: evaluation.base.clone(),
        is_moe: evaluation.moe,
        has_chat_template: evaluation.chat_template.filter(|&used| used),
        merged: evaluation.merged,
        kind_merged: evaluation.kind.as_deref().map(|kind| kind.contains("merge")),
        flagged: evaluation.flagged,
        packed,
        ..Observed::default()
    }
}

/// A type of checkpoint without its emoji; `None` for `?`.
pub(crate) fn plain_words(kind: &str) -> Option<String> {
    let words = kind
        .trim_start_matches(|c: char| !c.is_ascii_alphanumeric())
        .trim();
    (!words.is_empty()).then(|| words.to_owned())
}

/// An architecture as printed; `None` for `?` and `Unknown`. A class name that was split into letters (`L;l;a;m;a;…`)
/// is reassembled; if several are printed, the first counts.
pub(crate) fn architecture(printed: &str) -> Option<String> {
    if matches!(printed, "?" | "Unknown" | "unknown") {
        return None;
    }
    let parts: Vec<&str> = printed.split(';').collect();
    if parts.len() > 1 && parts.iter().all(|part| part.chars().count() <= 1) {
        return Some(parts.concat());
    }
    parts
        .first()
        .filter(|first| !first.is_empty())
        .map(|&first| first.to_owned())
}
