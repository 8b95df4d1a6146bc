//! Reads Gemstones: 22 shapes trained on one corpus, evaluated at 34 steps and at the end (`McLeish` et al. 2025, arXiv
//! 2502.06857).
//!
//! Two tables with the same columns, accuracies and their standard errors (`…_err`), with one row per checkpoint named
//! `Gemstone-WIDTHxDEPTH-step_NUMBER` and one column per task, as fractions. The rest of the shape follows from width
//! and depth: heads with 128 dimensions, half as many key and value heads, a gated feed-forward layer four times as
//! wide as the model, two embedding matrices with 50,304 rows, norms before both halves of a layer and at the end.

use crate::error::Error;
use crate::observed::Out;
use crate::sources::table::Table;
use crate::tables::Intervention;

/// Name of this kind of source.
pub(crate) const NAME: &str = "gemstones";

/// Column, name of the benchmark in the findings, ability.
const TASKS: [(&str, &str, &str); 9] = [
    ("arc:challenge", "arc", "reasoning"),
    ("hellaswag", "hellaswag", "reasoning"),
    ("winogrande", "winogrande", "reasoning"),
    ("arc:easy", "arc_easy", "commonsense"),
    ("commonsense_qa", "commonsense_qa", "commonsense"),
    ("openbookqa", "openbookqa", "commonsense"),
    ("piqa", "piqa", "commonsense"),
    ("siqa", "siqa", "commonsense"),
    ("mmlu", "mmlu", "knowledge"),
];

const ADDRESS: &str = "https://github.com/mcleish7/gemstone-scaling-laws @5f420478";

const VOCABULARY: i64 = 50_304;
const HEAD: i64 = 128;
const TOKENS_A_STEP: i64 = 4_194_304;

/// Names of the column with the checkpoint, an index written by pandas.
const NAMES: [&str; 3] = ["__index_level_0__", "index", "model"];

/// Whether a table is one of these, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    NAMES.iter().any(|name| table.find(name).is_some())
        && TASKS.iter().all(|(column, ..)| table.find(column).is_some())
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, out: &mut Out<'_>) -> Result<(), Error> {
    let name = table.need(&NAMES)?;
    let columns = TASKS.map(|(column, ..)| table.find(column));
    let stem = table.file.split('.').next().unwrap_or_default();
    let is_error = stem.ends_with("_err");
    while let Some(cells) = table.next()? {
        let id = cells.text(Some(name))?.unwrap_or_default().to_owned();
        let Some(run) = run(&id) else {
            out.reject_row(cells.row, "model", &id, "no_shape_in_the_name")?;
            continue;
        };
        for (column, (_, benchmark, ability)) in columns.into_iter().zip(TASKS) {
            let Some(fraction) = cells.float(column)? else {
                continue;
            };
            let points = Some(100.0 * fraction);
            out.intervention(
                cells.row,
                Intervention {
                    benchmark: benchmark.to_owned(),
                    ability: ability.to_owned(),
                    score: points.filter(|_| !is_error),
                    stderr: points.filter(|_| is_error),
                    ..run.clone()
                },
            )?;
        }
    }
    Ok(())
}

/// The shape and the step given by the name of a checkpoint; no step for the last one, `main`.
fn run(id: &str) -> Option<Intervention> {
    let (shape, checkpoint) = id.strip_prefix("Gemstone-")?.split_once('-')?;
    let (width, depth) = shape.split_once('x')?;
    let (d_model, layers): (i64, i64) = (width.parse().ok()?, depth.parse().ok()?);
    let step: Option<i64> = match checkpoint {
        "main" => None,
        other => Some(other.strip_prefix("step_")?.parse().ok()?),
    };
    let heads = d_model / HEAD;
    let kv_heads = (heads / 2).max(1);
    let d_ffn = 4 * d_model;
    // Query, key, value and output matrices, and the three of a gated feed-forward layer.
    let matrices = layers * d_model * ((2 * heads + 2 * kv_heads) * HEAD + 3 * d_ffn);
    let norms = (2 * layers + 1) * d_model;
    Some(Intervention {
        suite: NAME.to_owned(),
        pair_or_run: format!("Gemstone-{shape}"),
        id: id.to_owned(),
        source: ADDRESS.to_owned(),
        licence: Some("MIT".to_owned()),
        dimension: "layers".to_owned(),
        held_fixed: "tokens".to_owned(),
        n_body: Some(matrices + norms),
        n_embedding: Some(2 * VOCABULARY * d_model),
        flops_token: Some(2.0 * (matrices + VOCABULARY * d_model) as f64),
        layers: Some(layers),
        d_model: Some(d_model),
        d_ffn: Some(d_ffn),
        heads: Some(heads),
        kv_heads: Some(kv_heads),
        experts: None,
        tokens: step.map(|step| step * TOKENS_A_STEP),
        step,
        ..Intervention::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_the_shape_and_its_parameters() {
        // Parameters as in the runs' own log: wandb_df_for_fitting_hot_100b+.jsonl.
        let made = run("Gemstone-1024x28-step_00002385").expect("a run");
        let total = made.n_body.zip(made.n_embedding).map(|(body, rest)| body + rest);
        assert_eq!(total, Some(543_482_880));
        assert_eq!((made.step, made.tokens), (Some(2_385), Some(10_003_415_040)));
        assert_eq!((made.kv_heads, made.d_ffn), (Some(4), Some(4_096)));
        assert_eq!(run("Gemstone-256x80-main").and_then(|run| run.step), None);
        for odd in ["Gemstone-256x80", "Gemstone-256x80-step_x", "Other-256x80-main"] {
            assert_eq!(run(odd), None, "{odd}");
        }
    }
}
