//! Reads Proteus: the tasks of leaderboard v2, run on later checkpoints without chat templates.
//!
//! Values are fractions. For BBH, GPQA, `MuSR` and MMLU-Pro two scores are stored: the raw one (`proteus_bbh_raw`), and
//! one normalised to 0 at chance and 100 at best, subtask by subtask as in leaderboard v2 (`proteus_bbh`), which is
//! comparable with v2. `IFEval` and MATH were run differently from v2 and are comparable with no other board, so they
//! are stored raw. Individual subtasks are not stored apart from these means.

use crate::error::Error;
use crate::identity::Identities;
use crate::observed::{Observed, Out};
use crate::sources::metrics::{NORMALISED, RAW};
use crate::sources::table::{Cells, Table};
use crate::sources::{Board, Published, Reads, State, joined, score};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source and its board.
const NAME: &str = "proteus";

/// The board, and where it was published.
pub(super) const BOARD: Board = Board {
    name: NAME,
    reads: Reads::Table(recognises, read),
    published: &[
        Published {
            path: "proteus/proteus_2k.csv",
            address: "https://github.com/hlzhang109/prescriptive-scaling",
            revision: "5bdca776",
            license: "",
            attribution: "Proteus-2k",
            state: "2026-03-24",
        },
        Published {
            path: "proteus/validation_leaderboard.csv",
            address: "https://github.com/hlzhang109/prescriptive-scaling",
            revision: "5bdca776",
            license: "",
            attribution: "Proteus-2k",
            state: "2026-03-24",
        },
        Published {
            path: "proteus/new_leaderboard_results_with_tokens.csv",
            address: "https://github.com/hlzhang109/prescriptive-scaling",
            revision: "5bdca776",
            license: "",
            attribution: "Proteus-2k",
            state: "2026-03-24",
        },
    ],
};

/// The subtasks of BBH with their numbers of answer choices, from leaderboard v2's documentation.
const BBH: [(&str, f64); 24] = [
    ("boolean_expressions", 2.0),
    ("causal_judgement", 2.0),
    ("date_understanding", 6.0),
    ("disambiguation_qa", 3.0),
    ("formal_fallacies", 2.0),
    ("geometric_shapes", 11.0),
    ("hyperbaton", 2.0),
    ("logical_deduction_five_objects", 5.0),
    ("logical_deduction_seven_objects", 7.0),
    ("logical_deduction_three_objects", 3.0),
    ("movie_recommendation", 6.0),
    ("navigate", 2.0),
    ("object_counting", 19.0),
    ("penguins_in_a_table", 5.0),
    ("reasoning_about_colored_objects", 18.0),
    ("ruin_names", 6.0),
    ("salient_translation_error_detection", 6.0),
    ("snarks", 2.0),
    ("sports_understanding", 2.0),
    ("temporal_sequences", 4.0),
    ("tracking_shuffled_objects_five_objects", 5.0),
    ("tracking_shuffled_objects_seven_objects", 7.0),
    ("tracking_shuffled_objects_three_objects", 3.0),
    ("web_of_lies", 2.0),
];
const MUSR: [(&str, f64); 3] = [
    ("murder_mysteries", 2.0),
    ("object_placements", 5.0),
    ("team_allocation", 3.0),
];

/// A benchmark: its column, its subtasks with their numbers of answer choices (if it has any), metric, few-shot
/// examples.
struct Task {
    name: &'static str,
    column: &'static str,
    parts: &'static [(&'static str, f64)],
    /// Number of answer choices, where the benchmark has no subtasks.
    answers: f64,
    metric: &'static str,
    shots: i64,
}

/// A benchmark, the index of its column, and those of its subtasks' columns.
type Placed<'a> = (&'a Task, Option<usize>, Vec<Option<usize>>);

const TASKS: [Task; 4] = [
    Task {
        name: "bbh",
        column: "leaderboard_bbh",
        parts: &BBH,
        answers: 0.0,
        metric: "acc_norm",
        shots: 3,
    },
    Task {
        name: "gpqa",
        column: "leaderboard_gpqa",
        parts: &[],
        answers: 4.0,
        metric: "acc_norm",
        shots: 0,
    },
    Task {
        name: "musr",
        column: "leaderboard_musr",
        parts: &MUSR,
        answers: 0.0,
        metric: "acc_norm",
        shots: 0,
    },
    Task {
        name: "mmlu_pro",
        column: "leaderboard_mmlu_pro",
        parts: &[],
        answers: 10.0,
        metric: "acc",
        shots: 5,
    },
];

/// Benchmarks that are only stored raw: benchmark, column, metric, few-shot examples.
const ALONE: [(&str, &str, &str, i64); 3] = [
    ("math", "leaderboard_math_hard_exact_match_none", "exact_match", 4),
    (
        "ifeval_prompt",
        "leaderboard_ifeval_prompt_level_strict_acc_none",
        "prompt_level_strict_acc",
        0,
    ),
    (
        "ifeval_instruction",
        "leaderboard_ifeval_inst_level_strict_acc_none",
        "inst_level_strict_acc",
        0,
    ),
];

/// The setting of all runs, which distinguishes them from leaderboard v2's.
const SETTING: &str = "run again by the authors";

/// Whether a table is of this kind, by its header. The accompanying table of bases repeats the first table's scores and
/// is only read for its bases.
fn recognises(table: &Table) -> bool {
    let has = |name: &str| table.find(name).is_some();
    has("model_id")
        && has("leaderboard_bbh_acc_norm_none")
        && (!has("mapped_base_model") || has("Pretraining tokens (T)"))
}

/// Reads the table into `out`.
fn read(
    table: &mut Table,
    (snapshot, version): State<'_>,
    identities: &Identities,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let id = table.need(&["model_id"])?;
    let (base, size) = (table.find("mapped_base_model"), table.find("#Params (B)"));
    let key = if base.is_some() { "proteus-tokens" } else { NAME };
    let find = |name: String| table.find(&name);
    let tasks: Vec<Placed<'_>> = TASKS
        .iter()
        .map(|task| {
            let whole = find(format!("{}_{}_none", task.column, task.metric));
            let part = |(part, _): &(&str, f64)| find(format!("{}_{part}_{}_none", task.column, task.metric));
            (task, whole, task.parts.iter().map(part).collect())
        })
        .collect();
    let alone = ALONE.map(|(name, column, metric, shots)| (name, table.find(column), metric, shots));
    while let Some(cells) = table.next()? {
        let Some(printed) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "model_id", "", "no_name")?;
            continue;
        };
        if printed.split('/').count() != 2 {
            out.reject_row(cells.row, "model_id", printed, "name_without_organisation")?;
            continue;
        }
        let Some(id) = joined(identities.of_id(printed), printed, cells.row, out)? else {
            continue;
        };
        let base = cells.text(base)?.filter(|&base| base != id);
        let evaluation = Evaluation {
            evaluation: format!("{key}/{}", cells.row),
            leaderboard: NAME.to_owned(),
            id: id.clone(),
            chat_template: Some(false),
            listed_size: cells.float(size)?,
            base: base.map(str::to_owned),
            ..Evaluation::default()
        };
        let mut found: Vec<(String, f64, &str, &str, i64)> = Vec::new();
        for (task, whole, parts) in &tasks {
            let Some(value) = fraction(&cells, *whole, task.name, out)? else {
                continue;
            };
            found.push((
                format!("{}_raw", task.name),
                value * 100.0,
                task.metric,
                RAW,
                task.shots,
            ));
            let normalised = if task.parts.is_empty() {
                Some(over_chance(value, task.answers))
            } else {
                let mut sum = Some(0.0);
                for (&(name, answers), &column) in task.parts.iter().zip(parts) {
                    let part = fraction(&cells, column, name, out)?;
                    sum = sum.zip(part).map(|(sum, part)| sum + over_chance(part, answers));
                }
                sum.map(|sum| sum / task.parts.len() as f64)
            };
            found.extend(
                normalised.map(|value| (task.name.to_owned(), value, task.metric, NORMALISED, task.shots)),
            );
        }
        for (name, column, metric, shots) in alone {
            let value = fraction(&cells, column, name, out)?;
            found.extend(value.map(|value| (name.to_owned(), value * 100.0, metric, RAW, shots)));
        }
        let scores: Vec<Score> = found
            .into_iter()
            .map(|(name, value, metric, scale, shots)| Score {
                benchmark: format!("{NAME}_{name}"),
                // Rounded to a thousandth of a point; further digits come from the division.
                value: (value * 1e3).round() / 1e3,
                metric: Some(metric.to_owned()),
                scale: Some(scale.to_owned()),
                shots: Some(shots),
                setting: Some(SETTING.to_owned()),
                ..score(&evaluation, snapshot, version)
            })
            .collect();
        out.observe(
            cells.row,
            Observed {
                id,
                base: base.map(str::to_owned),
                base_relation: base.map(|_| "named".to_owned()),
                ..Observed::default()
            },
        )?;
        if !scores.is_empty() {
            out.evaluation(cells.row, evaluation, scores)?;
        }
    }
    Ok(())
}

/// A fraction from 0 to 1; anything else is recorded as a reject.
fn fraction(
    cells: &Cells<'_>,
    column: Option<usize>,
    name: &str,
    out: &mut Out<'_>,
) -> Result<Option<f64>, Error> {
    let Some(value) = cells.float(column)? else {
        return Ok(None);
    };
    if (0.0..=1.0).contains(&value) {
        return Ok(Some(value));
    }
    out.reject_field(cells.row, name, &value.to_string(), "score_out_of_range")?;
    Ok(None)
}

/// Points normalised to 0 at chance for the given number of answer choices, not below 0: leaderboard v2's rule.
fn over_chance(share: f64, answers: f64) -> f64 {
    let chance = 1.0 / answers;
    ((share - chance) / (1.0 - chance) * 100.0).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::over_chance;

    #[test]
    fn chance_is_zero_and_all_right_a_hundred() {
        assert_eq!((over_chance(0.1, 10.0), over_chance(1.0, 10.0)), (0.0, 100.0));
        assert!((over_chance(0.55, 10.0) - 50.0).abs() < 1e-9);
        assert_eq!(over_chance(0.2, 4.0), 0.0);
    }
}
