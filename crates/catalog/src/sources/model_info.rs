//! Reads the published dataset's own table (`model_info.csv`): structure columns under their published names, and
//! scores.
//!
//! Any column except the checkpoint's name may be missing; columns named after a known benchmark are scores.

use crate::clean;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::{Cells, Table};
use crate::tables::{Evaluation, Score};

/// Name of the leaderboard its scores are listed under.
pub(crate) const NAME: &str = "model-info";

/// Names of the column with the checkpoint's name.
const IDS: [&str; 6] = ["id", "model_id", "model", "name", "modelId", "model_name"];
/// Names of the dimensions' columns, in the order of the dimensions.
const COLUMNS: [&[&str]; 7] = [
    &["layers", "num_layers", "n_layers"],
    &["d_model"],
    &["d_ffn", "d_ff"],
    &["heads", "num_heads", "n_heads"],
    &["kv_heads", "num_kv_heads", "n_kv_heads"],
    &["vocab_size"],
    &["pos", "max_positions"],
];
/// Column (lower case, letters and digits only) and benchmark.
const BENCHMARKS: [(&str, &str); 16] = [
    ("arc", "arc"),
    ("arcchallenge", "arc"),
    ("hellaswag", "hellaswag"),
    ("mmlu", "mmlu"),
    ("truthfulqa", "truthfulqa"),
    ("winogrande", "winogrande"),
    ("gsm8k", "gsm8k"),
    ("ifeval", "ifeval"),
    ("bbh", "bbh"),
    ("math", "math"),
    ("mathlvl5", "math"),
    ("gpqa", "gpqa"),
    ("musr", "musr"),
    ("mmlupro", "mmlu_pro"),
    ("humaneval", "humaneval"),
    ("mbpp", "mbpp"),
];

/// Upper limit of a dimension, above which 64-bit floats cannot represent every integer.
const MOST: f64 = 9e15;

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    let told = ["d_model", "d_ffn", "heads", "layers", "size"]
        .iter()
        .filter(|name| table.find(name).is_some())
        .count();
    told >= 4 && IDS.iter().any(|name| table.find(name).is_some())
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, snapshot: &str, version: &str, out: &mut Out<'_>) -> Result<(), Error> {
    let id = table.need(&IDS)?;
    let columns = COLUMNS.map(|names| names.iter().find_map(|name| table.find(name)));
    let [size, date, likes, downloads, architecture] =
        ["size", "date", "likes", "downloads", "architecture"].map(|name| table.find(name));
    let plain = |header: &str| {
        header
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    let scored: Vec<(usize, &str)> = table
        .headers
        .iter()
        .enumerate()
        .filter_map(|(at, header)| Some((at, BENCHMARKS.iter().find(|(name, _)| *name == plain(header))?.1)))
        .collect();
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(id))? else {
            out.reject_row(cells.row, "id", "", "no_name")?;
            continue;
        };
        let mut observed = Observed {
            id: id.to_owned(),
            listed_size: number(&cells, size, "size", out)?.filter(|&size| size > 0.0),
            date: cells.day(date)?,
            likes: number(&cells, likes, "likes", out)?.map(|count| count as i64),
            downloads: number(&cells, downloads, "downloads", out)?.map(|count| count as i64),
            architecture: cells.text(architecture)?.map(str::to_owned),
            ..Observed::default()
        };
        for (index, column) in columns.into_iter().enumerate() {
            let name = COLUMNS[index][0];
            let Some(value) = number(&cells, column, name, out)?.filter(|&value| value > 0.0) else {
                continue;
            };
            // Widths computed from a rounded ratio (10922.67) are not valid; the other cells of the row may be.
            if value.fract() == 0.0 && value < MOST {
                observed.dimensions[index] = Some(value as i64);
            } else {
                out.reject_field(cells.row, name, &value.to_string(), "not_a_count")?;
            }
        }
        clean::dimensions(&mut observed, cells.row, out)?;
        let evaluation = Evaluation {
            evaluation: format!("{NAME}/{}", cells.row),
            leaderboard: NAME.to_owned(),
            id: id.to_owned(),
            listed_size: observed.listed_size,
            likes: observed.likes,
            uploaded: observed.date,
            ..Evaluation::default()
        };
        let mut scores = Vec::new();
        for &(column, benchmark) in &scored {
            let Some(value) = number(&cells, Some(column), benchmark, out)? else {
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
                date: observed.date,
                snapshot: snapshot.to_owned(),
                ..Score::default()
            });
        }
        out.observe(cells.row, observed)?;
        out.evaluation(cells.row, evaluation, scores)?;
    }
    Ok(())
}

/// A number; where the cell holds something else (`True`), `None` and a reject: the table is compiled from
/// self-reported values, so one wrong cell does not mean that the file is damaged.
fn number(
    cells: &Cells<'_>,
    column: Option<usize>,
    name: &str,
    out: &mut Out<'_>,
) -> Result<Option<f64>, Error> {
    let Some(text) = cells.text(column)? else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => {
            out.reject_field(cells.row, name, text, "not_a_number")?;
            Ok(None)
        }
    }
}
