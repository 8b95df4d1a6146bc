//! Reads Open LLM Leaderboard v2 (2024-06 to 2025-03): six benchmarks, in points normalised to 0 at chance.
//!
//! There are two dialects. In tables before 2025 `Flagged`, `MoE` and `Merged` are stored negated; this shows in the
//! contents, since no leaderboard flags most of its rows. Some tables have the name only as a link in `Model`.

use crate::error::Error;
use crate::observed::Out;
use crate::sources::leaderboard_v1::{architecture, observed, plain_words};
use crate::sources::metrics::NORMALISED;
use crate::sources::table::{Cells, Table};
use crate::tables::{Days, Evaluation, Score};

/// Name of the leaderboard.
pub(crate) const NAME: &str = "open-llm-leaderboard-v2";

/// Column, benchmark, few-shot examples (from the leaderboard's own documentation).
const BENCHMARKS: [(&str, &str, i64); 6] = [
    ("IFEval", "ifeval", 0),
    ("BBH", "bbh", 3),
    ("MATH Lvl 5", "math", 4),
    ("GPQA", "gpqa", 0),
    ("MUSR", "musr", 0),
    ("MMLU-PRO", "mmlu_pro", 5),
];

/// Whether a table is of this kind, by its header: most of its columns, as for the first leaderboard.
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
    id: usize,
    link: Option<usize>,
    benchmarks: Vec<(usize, &'static str, i64)>,
    average: usize,
    size: usize,
    optional: [Option<usize>; 17],
}

/// Columns that a table may lack.
const OPTIONAL: [&[&str]; 17] = [
    &["Type"],
    &["Architecture"],
    &["Weight type"],
    &["Precision"],
    &["Merged", "Not_Merged"],
    &["MoE", "Not_MoE"],
    &["Flagged", "Not_Flagged"],
    &["Chat Template"],
    &["Official Providers", "Maintainer's Highlight"],
    &["CO₂ cost (kg)"],
    &["Hub License"],
    &["Hub ❤️"],
    &["Model sha"],
    &["Upload To Hub Date"],
    &["Submission Date"],
    &["Generation"],
    &["Base Model"],
];

impl Layout {
    fn of(table: &Table) -> Result<Self, Error> {
        let mut benchmarks = Vec::new();
        for (column, benchmark, shots) in BENCHMARKS {
            benchmarks.push((table.need(&[column])?, benchmark, shots));
        }
        Ok(Self {
            id: table.need(&["fullname", "Model"])?,
            link: table.find("Model"),
            benchmarks,
            average: table.need(&["Average ⬆️"])?,
            size: table.need(&["#Params (B)"])?,
            optional: OPTIONAL.map(|names| names.iter().find_map(|name| table.find(name))),
        })
    }
}

/// What must be known of a table before it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Survey {
    /// Whether the flags are stored negated: more rows are "flagged" than not.
    pub(crate) opposites: bool,
    /// The last day of submission.
    pub(crate) last: Option<Days>,
    /// Number of rows.
    pub(crate) rows: u64,
    /// Whether there is a newer state of the same table (scores were re-graded between states, so states are never
    /// mixed).
    pub(crate) superseded: bool,
}

/// Reads a table to determine its dialect and state.
pub(crate) fn survey(table: &mut Table) -> Result<Survey, Error> {
    let flagged = table.find("Flagged").or_else(|| table.find("Not_Flagged"));
    let submitted = table.find("Submission Date");
    let (mut yes, mut no) = (0_u64, 0_u64);
    let mut survey = Survey::default();
    while let Some(cells) = table.next()? {
        match cells.bool(flagged)? {
            Some(true) => yes += 1,
            Some(false) => no += 1,
            None => {}
        }
        survey.last = survey.last.max(cells.day(submitted)?);
        survey.rows += 1;
    }
    survey.opposites = yes > no;
    Ok(survey)
}

/// Reads the table into `out`; `survey` is the result of [`survey`].
pub(crate) fn read(
    table: &mut Table,
    survey: Survey,
    snapshot: &str,
    version: &str,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let layout = Layout::of(table)?;
    while let Some(cells) = table.next()? {
        let named = cells.text(Some(layout.id))?.map(bare_name);
        let linked = cells.text(layout.link)?.map(bare_name);
        let Some(id) = named.or(linked).filter(|id| !id.is_empty()) else {
            out.reject_row(cells.row, "fullname", "", "no_name")?;
            continue;
        };
        if survey.superseded {
            out.reject_row(cells.row, "", id, "superseded")?;
            continue;
        }
        let evaluation = evaluation(&cells, &layout, id, survey.opposites)?;
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
                id: evaluation.id.clone(),
                leaderboard: NAME.to_owned(),
                version: version.to_owned(),
                benchmark: benchmark.to_owned(),
                value,
                unit: "points".to_owned(),
                metric: metric(benchmark).map(str::to_owned),
                scale: Some(NORMALISED.to_owned()),
                precision: evaluation.precision.clone(),
                shots: Some(shots),
                chat_template: evaluation.chat_template,
                setting: None,
                date: evaluation.submitted,
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
        "ifeval" => "mean of prompt_level_strict_acc and inst_level_strict_acc",
        "bbh" | "gpqa" | "musr" => "acc_norm",
        "math" => "exact_match",
        "mmlu_pro" => "acc",
        _ => return None,
    })
}

fn evaluation(cells: &Cells<'_>, layout: &Layout, id: &str, opposites: bool) -> Result<Evaluation, Error> {
    let [
        kind,
        class,
        weight_type,
        precision,
        merged,
        moe,
        flagged,
        template,
        official,
        co2,
        license,
        likes,
        revision,
        uploaded,
        submitted,
        generation,
        base,
    ] = layout.optional;
    let text = |index| cells.text(index).map(|text| text.map(str::to_owned));
    let flag = |index| {
        cells
            .bool(index)
            .map(|value| value.map(|value| value != opposites))
    };
    Ok(Evaluation {
        evaluation: format!("{NAME}/{}", cells.row),
        leaderboard: NAME.to_owned(),
        id: id.to_owned(),
        revision: text(revision)?,
        precision: text(precision)?,
        weight_type: text(weight_type)?,
        kind: cells.text(kind)?.and_then(plain_words),
        architecture: cells.text(class)?.and_then(architecture),
        listed_size: cells.float(Some(layout.size))?,
        likes: cells.int(likes)?,
        merged: flag(merged)?,
        moe: flag(moe)?,
        flagged: flag(flagged)?,
        chat_template: cells.bool(template)?,
        official_provider: cells.bool(official)?,
        co2: cells.float(co2)?,
        license: text(license)?,
        uploaded: cells.day(uploaded)?,
        submitted: cells.day(submitted)?,
        generation: cells.int(generation)?,
        base: text(base)?,
        average: cells.float(Some(layout.average))?,
        duplicate_of: None,
    })
}

/// The name inside a link, or the text itself: `<a … href="https://huggingface.co/org/name" …>org/name</a>`.
pub(crate) fn bare_name(cell: &str) -> &str {
    let Some(tag) = cell.find("<a ") else { return cell };
    let Some(start) = cell[tag..].find('>').map(|at| tag + at + 1) else {
        return cell;
    };
    let end = cell[start..].find('<').map_or(cell.len(), |at| start + at);
    cell[start..end].trim()
}
