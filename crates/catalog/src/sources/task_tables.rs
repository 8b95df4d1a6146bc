//! Reads leaderboards of single tasks, one table each: `BigCodeBench`, `EvalPlus`, `LongBench` v2, LLM-Perf.
//!
//! They differ only in their columns, so each is described by a [`Spec`]. The checkpoint of a row is the one that its
//! link leads to; rows without such a link are services or people, stored under the name they are given (except `Human`
//! and `Random`).

use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::leaderboard_v1;
use crate::sources::metrics::RAW;
use crate::sources::table::{Cells, Table};
use crate::tables::{Evaluation, Score};

/// The columns of one table.
pub(crate) struct Spec {
    /// Name of the leaderboard.
    pub(crate) name: &'static str,
    /// A word in the file's name that identifies the table where the header does not.
    file: &'static str,
    id: &'static str,
    link: Option<&'static str>,
    /// Column, benchmark, unit.
    scores: &'static [(&'static str, &'static str, &'static str)],
    size: &'static str,
    active: Option<&'static str>,
    moe: Option<&'static str>,
    architecture: Option<&'static str>,
    precision: Option<&'static str>,
    prompted: Option<&'static str>,
    date: Option<&'static str>,
    /// The metric of the scores.
    metric: Option<&'static str>,
    /// Columns that affect comparability, and the text put before their cells.
    setting: &'static [(&'static str, &'static str)],
    /// The machine or place of the runs, the same for all rows.
    place: &'static str,
}

const BIG_CODE: Spec = Spec {
    name: "bigcodebench",
    file: "",
    id: "name",
    link: Some("link"),
    scores: &[
        ("pass@1.complete", "bigcodebench_complete", "points"),
        ("pass@1.instruct", "bigcodebench_instruct", "points"),
    ],
    size: "size",
    active: Some("act_param"),
    moe: Some("moe"),
    architecture: None,
    precision: None,
    prompted: Some("prompted"),
    date: Some("date"),
    metric: Some("pass@1"),
    setting: &[("prefill", "prefill ")],
    place: "",
};

/// The variant of the Hub's `bigcode/bigcodebench-results`.
const BIG_CODE_HUB: Spec = Spec {
    id: "model",
    scores: &[
        ("complete", "bigcodebench_complete", "points"),
        ("instruct", "bigcodebench_instruct", "points"),
    ],
    prompted: None,
    ..BIG_CODE
};

const LLM_PERF: Spec = Spec {
    name: "llm-perf-1xA10",
    file: "1xA10",
    id: "Model 🤗",
    link: None,
    scores: &[
        ("Decode (tokens/s)", "decode_speed", "tokens/s"),
        ("Prefill (s)", "prefill_time", "s"),
        ("Per Token (s)", "token_time", "s"),
        ("End-to-End (s)", "end_to_end_time", "s"),
        ("Energy (tokens/kWh)", "energy", "tokens/kWh"),
        ("Memory (MB)", "memory", "MB"),
    ],
    size: "Params (B)",
    active: None,
    moe: None,
    architecture: Some("Architecture 🏛️"),
    precision: Some("Precision 📥"),
    prompted: None,
    date: None,
    metric: None,
    setting: &[
        ("Backend 🏭", ""),
        ("Quantization 🗜️", ""),
        ("Attention 👁️", ""),
        ("Kernel ⚛️", ""),
    ],
    place: "1xA10",
};

/// All tables; of two with the same header the one identified by its file name comes first.
pub(crate) const SPECS: &[Spec] = &[
    Spec {
        name: "bigcodebench-hard",
        file: "hard",
        scores: &[
            ("pass@1.complete", "bigcodebench_hard_complete", "points"),
            ("pass@1.instruct", "bigcodebench_hard_instruct", "points"),
        ],
        ..BIG_CODE
    },
    BIG_CODE,
    Spec {
        name: "bigcodebench-hard",
        file: "hard",
        scores: &[
            ("complete", "bigcodebench_hard_complete", "points"),
            ("instruct", "bigcodebench_hard_instruct", "points"),
        ],
        ..BIG_CODE_HUB
    },
    BIG_CODE_HUB,
    Spec {
        name: "evalplus",
        scores: &[
            ("pass@1.humaneval", "humaneval", "points"),
            ("pass@1.humaneval+", "humaneval_plus", "points"),
            ("pass@1.mbpp", "mbpp", "points"),
            ("pass@1.mbpp+", "mbpp_plus", "points"),
        ],
        active: None,
        moe: None,
        date: None,
        setting: &[],
        ..BIG_CODE
    },
    Spec {
        name: "longbench-v2",
        id: "model",
        scores: &[
            ("overall", "longbench_v2", "points"),
            ("overall_cot", "longbench_v2_cot", "points"),
            ("easy", "longbench_v2_easy", "points"),
            ("hard", "longbench_v2_hard", "points"),
            ("short", "longbench_v2_short", "points"),
            ("medium", "longbench_v2_medium", "points"),
            ("long", "longbench_v2_long", "points"),
        ],
        size: "params",
        active: None,
        moe: None,
        prompted: None,
        metric: Some("acc"),
        setting: &[("context", "context ")],
        ..BIG_CODE
    },
    Spec {
        name: "llm-perf-1xA100",
        file: "1xA100",
        place: "1xA100",
        ..LLM_PERF
    },
    LLM_PERF,
    // A table from another machine, with another file name: recognised by its columns, with the machine unknown.
    Spec {
        name: "llm-perf",
        file: "",
        place: "",
        ..LLM_PERF
    },
];

/// The index of the spec that a table matches.
pub(crate) fn recognise(table: &Table) -> Option<usize> {
    SPECS.iter().position(|spec| {
        let told = [spec.id, spec.size]
            .into_iter()
            .chain(spec.link)
            .chain(spec.scores.iter().take(2).map(|s| s.0));
        table.file.contains(spec.file) && told.into_iter().all(|column| table.find(column).is_some())
    })
}

/// Reads the table into `out`.
pub(crate) fn read(
    spec: &Spec,
    table: &mut Table,
    snapshot: &str,
    version: &str,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let id = table.need(&[spec.id])?;
    let find = |name: Option<&str>| name.and_then(|name| table.find(name));
    let (link, date, size) = (find(spec.link), find(spec.date), table.find(spec.size));
    let [active, moe, class, precision, prompted] = [
        spec.active,
        spec.moe,
        spec.architecture,
        spec.precision,
        spec.prompted,
    ]
    .map(find);
    let setting: Vec<_> = spec
        .setting
        .iter()
        .filter_map(|&(name, before)| Some((table.find(name)?, before)))
        .collect();
    let scored: Vec<_> = spec
        .scores
        .iter()
        .filter_map(|&(column, name, unit)| Some((table.find(column)?, name, unit)))
        .collect();
    while let Some(cells) = table.next()? {
        let Some(printed) = cells.text(Some(id))? else {
            out.reject_row(cells.row, spec.id, "", "no_name")?;
            continue;
        };
        if matches!(printed, "Human" | "Random") {
            out.reject_row(cells.row, spec.id, printed, "not_a_checkpoint")?;
            continue;
        }
        let linked = cells.text(link)?.and_then(checkpoint_of);
        let evaluation = Evaluation {
            evaluation: format!("{}/{}", spec.name, cells.row),
            leaderboard: spec.name.to_owned(),
            id: linked.map_or_else(|| without_maker(printed).to_owned(), str::to_owned),
            precision: cells.text(precision)?.map(str::to_owned),
            architecture: cells.text(class)?.and_then(leaderboard_v1::architecture),
            listed_size: cells.parse(size, "a size", billions)?,
            moe: cells.bool(moe)?,
            chat_template: cells.bool(prompted)?,
            submitted: cells.day(date)?,
            ..Evaluation::default()
        };
        let setting = setting_of(&cells, &setting, spec.place)?;
        let mut scores = Vec::new();
        for &(column, benchmark, unit) in &scored {
            let Some(value) = cells.float(Some(column))? else {
                continue;
            };
            if value < 0.0 || (unit == "points" && value > 100.0) {
                out.reject_field(cells.row, benchmark, &value.to_string(), "score_out_of_range")?;
                continue;
            }
            scores.push(Score {
                evaluation: evaluation.evaluation.clone(),
                id: evaluation.id.clone(),
                leaderboard: spec.name.to_owned(),
                version: version.to_owned(),
                benchmark: benchmark.to_owned(),
                value,
                unit: unit.to_owned(),
                metric: spec.metric.map(str::to_owned),
                scale: spec.metric.map(|_| RAW.to_owned()),
                precision: evaluation.precision.clone(),
                shots: None,
                chat_template: evaluation.chat_template,
                setting: setting.clone(),
                date: evaluation.submitted,
                snapshot: snapshot.to_owned(),
                ..Score::default()
            });
        }
        let active = cells.float(active)?.map(|size| (size * 1e9).round() as i64);
        out.observe(
            cells.row,
            Observed {
                parameters_active: active,
                submitted: None,
                // These boards copy the size from the name.
                measured: false,
                ..leaderboard_v1::observed(&evaluation)
            },
        )?;
        out.evaluation(cells.row, evaluation, scores)?;
    }
    Ok(())
}

fn setting_of(cells: &Cells<'_>, columns: &[(usize, &str)], place: &str) -> Result<Option<String>, Error> {
    let mut parts = Vec::new();
    if !place.is_empty() {
        parts.push(place.to_owned());
    }
    for &(column, before) in columns {
        if let Some(text) = cells.text(Some(column))? {
            parts.push(format!("{before}{text}"));
        }
    }
    Ok((!parts.is_empty()).then(|| parts.join("; ")))
}

/// The checkpoint in a link: `https://huggingface.co/org/name[/…]` gives `org/name`.
fn checkpoint_of(link: &str) -> Option<&str> {
    let rest = link
        .trim_start_matches("https://")
        .trim_start_matches("http://")
        .strip_prefix("huggingface.co/")?;
    let rest = rest.split(['?', '#']).next()?;
    let (organisation, after) = rest.split_once('/')?;
    let name = after.split('/').next()?;
    let known = !organisation.is_empty()
        && !name.is_empty()
        && !matches!(
            organisation,
            "datasets" | "spaces" | "papers" | "blog" | "collections"
        );
    known.then(|| &rest[..organisation.len() + 1 + name.len()])
}

/// A size in billions from `235B`, `1T`, `350M` or `7.0`.
fn billions(cell: &str) -> Option<f64> {
    let (number, scale) = match cell.as_bytes().last()? {
        b'T' => (&cell[..cell.len() - 1], 1e3),
        b'B' => (&cell[..cell.len() - 1], 1.0),
        b'M' => (&cell[..cell.len() - 1], 1e-3),
        _ => (cell, 1.0),
    };
    number
        .trim()
        .parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(|value: f64| value * scale)
}

/// Makers whose names `LongBench` appends to the names of models.
const MAKERS: [&str; 14] = [
    "Google",
    "OpenAI",
    "Anthropic",
    "Alibaba",
    "DeepSeek",
    "MiniMax",
    "Meta",
    "Nvidia",
    "Cohere",
    "Moonshot AI",
    "Mistral AI",
    "CAS",
    "Z.ai & Tsinghua",
    "Zhipu AI",
];

/// A name without its maker, as in `GPT-4o OpenAI`, `o1-preview 🧠 OpenAI`.
fn without_maker(printed: &str) -> &str {
    let name = printed.split('🧠').next().unwrap_or(printed).trim();
    MAKERS
        .iter()
        .find_map(|maker| {
            name.strip_suffix(maker)
                .map(str::trim_end)
                .filter(|rest| !rest.is_empty())
        })
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_sizes_and_makers() {
        assert_eq!(
            checkpoint_of("https://huggingface.co/Qwen/Qwen3-32B/tree/main?x"),
            Some("Qwen/Qwen3-32B")
        );
        assert_eq!(checkpoint_of("https://huggingface.co/blog/llama"), None);
        assert_eq!(checkpoint_of("https://openai.com/index/x"), None);
        assert_eq!(
            (billions("235B"), billions("1T"), billions("7.0"), billions("x")),
            (Some(235.0), Some(1000.0), Some(7.0), None)
        );
        assert_eq!(without_maker("o1-preview 🧠 OpenAI"), "o1-preview");
        assert_eq!(without_maker("GLM-4-Plus Z.ai & Tsinghua"), "GLM-4-Plus");
        assert_eq!(without_maker("GPT-4.1"), "GPT-4.1");
    }
}
