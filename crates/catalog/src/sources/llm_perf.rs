//! Reads LLM-Perf's own measurements (`perf-df-awq-1xA10.csv` and similar): each row is one checkpoint under one
//! setting, with the columns of optimum-benchmark's report. Recognised by its columns, not by its name.
//!
//! The leaderboard's published table renames some of these columns and derives quantization, attention and kernel from
//! the setting's name (`4bit-gptq-exllama-v1-fa2`); this reader does the same with the same words, so that both files
//! can be joined.

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::table::{Cells, Table};
use crate::tables::{Evaluation, Score};

/// Name of this kind of source.
pub(crate) const NAME: &str = "llm-perf";

const MODEL: &str = "config.backend.model";
const SETTING: &str = "config.name";
const DECODE: &str = "report.decode.throughput.value";
/// Columns, benchmark, unit; the first of several columns that exists is used, since older reports have no medians.
const SCORES: [(&[&str], &str, &str); 5] = [
    (&[DECODE], "decode_speed", "tokens/s"),
    (
        &["report.prefill.latency.p50", "report.prefill.latency.mean"],
        "prefill_time",
        "s",
    ),
    (
        &["report.per_token.latency.p50", "report.per_token.latency.mean"],
        "token_time",
        "s",
    ),
    (&["report.decode.efficiency.value"], "energy", "tokens/kWh"),
    (&["report.decode.memory.max_allocated"], "memory", "MB"),
];
/// Machines by a part of their GPU's name; taken from the file's name where there is no such column.
const MACHINES: [(&str, &str); 5] = [
    ("A100", "1xA100"),
    ("A10", "1xA10"),
    ("T4", "1xT4"),
    ("H100", "1xH100"),
    ("32vCPU", "32vCPU"),
];

/// Whether a table is of this kind, by its header.
pub(crate) fn recognises(table: &Table) -> bool {
    [MODEL, SETTING, DECODE]
        .iter()
        .all(|name| table.find(name).is_some())
}

fn first_of(table: &Table, names: &[&str]) -> Option<usize> {
    names.iter().find_map(|name| table.find(name))
}

/// Reads the table into `out`.
pub(crate) fn read(table: &mut Table, snapshot: &str, version: &str, out: &mut Out<'_>) -> Result<(), Error> {
    let (id, setting) = (table.need(&[MODEL])?, table.need(&[SETTING])?);
    let [backend, precision, gpu] = [
        "config.backend.name",
        "config.backend.torch_dtype",
        "config.environment.gpu",
    ]
    .map(|name| table.find(name));
    let scored: Vec<_> = SCORES
        .iter()
        .filter_map(|&(columns, benchmark, unit)| Some((first_of(table, columns)?, benchmark, unit)))
        .collect();
    let whole = [
        first_of(table, SCORES[1].0),
        first_of(
            table,
            &["report.decode.latency.p50", "report.decode.latency.mean"],
        ),
    ];
    let file = table.file.clone();
    let stem = file.rsplit('/').next().unwrap_or(&file);
    let stem = stem.split_once('.').map_or(stem, |(stem, _)| stem);
    while let Some(cells) = table.next()? {
        let Some(id) = cells.text(Some(id))? else {
            out.reject_row(cells.row, MODEL, "", "no_name")?;
            continue;
        };
        let name = cells.text(Some(setting))?.unwrap_or_default();
        let machine = machine(cells.text(gpu)?).or_else(|| machine(Some(stem)));
        let leaderboard = machine.map_or_else(|| NAME.to_owned(), |machine| format!("{NAME}-{machine}"));
        let evaluation = Evaluation {
            evaluation: format!("{leaderboard}/{stem}/{}", cells.row),
            leaderboard,
            id: id.to_owned(),
            precision: cells.text(precision)?.map(str::to_owned),
            ..Evaluation::default()
        };
        let parts = [
            machine.map(str::to_owned),
            cells.text(backend)?.map(str::to_owned),
            Some(quantization(name)),
            attention(name).map(str::to_owned),
            Some(kernel(name).to_owned()),
        ];
        let setting = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let mut measured = measured(&cells, &scored, out)?;
        if let (Some(prefill), Some(decode)) = (cells.float(whole[0])?, cells.float(whole[1])?) {
            measured.push((prefill + decode, "end_to_end_time", "s"));
        }
        if measured.is_empty() {
            // Failed runs have a row too, with a traceback instead of a report.
            out.reject_row(cells.row, DECODE, name, "no_measurement")?;
            continue;
        }
        let score = |(value, benchmark, unit): (f64, &str, &str)| Score {
            evaluation: evaluation.evaluation.clone(),
            id: evaluation.id.clone(),
            leaderboard: evaluation.leaderboard.clone(),
            version: version.to_owned(),
            benchmark: benchmark.to_owned(),
            value,
            unit: unit.to_owned(),
            precision: evaluation.precision.clone(),
            setting: Some(setting.clone()),
            snapshot: snapshot.to_owned(),
            ..Score::default()
        };
        let scores = measured.into_iter().map(score).collect();
        out.observe(
            cells.row,
            Observed {
                id: id.to_owned(),
                ..Observed::default()
            },
        )?;
        out.evaluation(cells.row, evaluation, scores)?;
    }
    Ok(())
}

fn measured<'a>(
    cells: &Cells<'_>,
    scored: &[(usize, &'a str, &'a str)],
    out: &mut Out<'_>,
) -> Result<Vec<(f64, &'a str, &'a str)>, Error> {
    let mut measured = Vec::new();
    for &(column, benchmark, unit) in scored {
        let Some(value) = cells.float(Some(column))? else {
            continue;
        };
        if value < 0.0 {
            out.reject_field(cells.row, benchmark, &value.to_string(), "score_out_of_range")?;
            continue;
        }
        measured.push((value, benchmark, unit));
    }
    Ok(measured)
}

/// The leaderboard's name for a machine: from `['NVIDIA A10G']` or `perf-df-awq-1xA10`.
fn machine(text: Option<&str>) -> Option<&'static str> {
    let text = text?;
    MACHINES
        .iter()
        .find(|(mark, _)| text.contains(mark))
        .map(|&(_, machine)| machine)
}

/// The quantization in a setting's name: `4bit-awq-gemm-eager` is `AWQ.4bit`, `float16-sdpa` is `Unquantized`.
fn quantization(setting: &str) -> String {
    let mut parts = setting.split('-');
    let (bits, scheme) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let scheme = match scheme {
        "awq" => "AWQ",
        "bnb" => "BnB",
        "gptq" => "GPTQ",
        other => other,
    };
    if bits.ends_with("bit") && bits.starts_with(|c: char| c.is_ascii_digit()) && !scheme.is_empty() {
        format!("{scheme}.{bits}")
    } else {
        "Unquantized".to_owned()
    }
}

fn attention(setting: &str) -> Option<&'static str> {
    [
        ("eager", "Eager"),
        ("sdpa", "SDPA"),
        ("fa2", "FAv2"),
        ("flash_attention_2", "FAv2"),
    ]
    .into_iter()
    .find(|(end, _)| setting.ends_with(end))
    .map(|(_, word)| word)
}

fn kernel(setting: &str) -> &'static str {
    [
        ("awq-gemm-", "AWQ.GEMM"),
        ("awq-gemv-", "AWQ.GEMV"),
        ("gptq-exllama-v1-", "GPTQ.ExllamaV1"),
        ("gptq-exllama-v2-", "GPTQ.ExllamaV2"),
    ]
    .into_iter()
    .find(|(part, _)| setting.contains(part))
    .map_or("No Kernel", |(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_leaderboard_reads_them() {
        // Rows of the published table: experiment, quantization, attention, kernel.
        for (name, stored, attends, by) in [
            ("4bit-awq-exllama-v1-eager", "AWQ.4bit", "Eager", "No Kernel"),
            ("4bit-awq-gemm-fa2", "AWQ.4bit", "FAv2", "AWQ.GEMM"),
            ("4bit-awq-gemv-flash_attention_2", "AWQ.4bit", "FAv2", "AWQ.GEMV"),
            ("4bit-bnb-sdpa", "BnB.4bit", "SDPA", "No Kernel"),
            ("8bit-bnb-eager", "BnB.8bit", "Eager", "No Kernel"),
            ("4bit-gptq-exllama-v2-sdpa", "GPTQ.4bit", "SDPA", "GPTQ.ExllamaV2"),
            ("bfloat16-eager", "Unquantized", "Eager", "No Kernel"),
        ] {
            assert_eq!(
                (quantization(name).as_str(), attention(name), kernel(name)),
                (stored, Some(attends), by)
            );
        }
        assert_eq!(machine(Some("['NVIDIA A100-SXM4-80GB']")), Some("1xA100"));
        assert_eq!(machine(Some("perf-df-awq-1xA10")), Some("1xA10"));
        assert_eq!(machine(Some("results")), None);
    }
}
