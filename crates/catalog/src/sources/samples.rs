//! Reads per-sample files of lm-evaluation-harness (`samples_TASK_TIME.jsonl`), one line per item, into table `items`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value;

use crate::config::fields;
use crate::config::json;
use crate::error::Error;
use crate::observed::{Observed, Out};
use crate::sources::harness;
use crate::tables::Item;

/// Name of this kind of source.
pub(crate) const NAME: &str = "samples";
/// Greatest length of a line in bytes.
const LONGEST: u64 = 16 << 20;
/// Metrics that state whether an item was answered correctly, most informative first.
pub(crate) const METRICS: [&str; 6] = [
    "acc_norm",
    "acc",
    "exact_match",
    "prompt_level_strict_acc",
    "mc2",
    "mc1",
];

/// Benchmark and checkpoint from a file's path: `org__name/samples_arc_challenge_2024-06-12T01-02-03.jsonl`.
pub(crate) fn told_by(file: &str) -> Option<(String, String)> {
    let mut parts = file.rsplit('/');
    let name = parts.next()?.strip_prefix("samples_")?;
    let name = name
        .strip_suffix(".jsonl")
        .or_else(|| name.strip_suffix(".json"))?;
    let benchmark = match name.rsplit_once('_') {
        Some((task, time)) if time.len() >= 10 && time.starts_with(|c: char| c.is_ascii_digit()) => task,
        _ => name,
    };
    let folder = parts.next().unwrap_or("unknown");
    Some((benchmark.to_owned(), checkpoint_of(folder)))
}

/// As [`told_by`], for the file at `path`: where its folder is not named as by the harness, the checkpoint is taken
/// from the results of the same run, or from the only results in the folder.
pub(crate) fn told_at(path: &Path, file: &str) -> Option<(String, String)> {
    let (benchmark, id) = told_by(file)?;
    if id.contains('/') {
        return Some((benchmark, id));
    }
    let time = |name: &str| {
        let stem = name.trim_end_matches(".jsonl").trim_end_matches(".json");
        stem.rsplit_once('_').map(|(_, time)| time.to_owned())
    };
    let own = time(path.file_name()?.to_str()?);
    let mut named: Vec<(bool, String)> = Vec::new();
    for entry in std::fs::read_dir(path.parent()?).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| {
            name.strip_prefix("results_")
                .is_some_and(|rest| rest.strip_suffix(".json").is_some())
        }) else {
            continue;
        };
        let is_small = entry.metadata().is_ok_and(|found| found.len() <= LONGEST);
        let text = is_small.then(|| std::fs::read(entry.path()).ok()).flatten();
        let value = text.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
        if let Some(id) = value.as_ref().and_then(harness::named) {
            named.push((time(name) == own, id));
        }
    }
    named.sort_unstable();
    named.dedup();
    let of_run = named.iter().find(|(is_own, _)| *is_own);
    let only = (named.len() == 1).then(|| &named[0]);
    let told = of_run.or(only).map(|(_, id)| id.clone());
    Some((benchmark, told.unwrap_or(id)))
}

/// The checkpoint for a folder name: `org__name`. A local path begins with `__`, and each `__` in it was a slash.
fn checkpoint_of(folder: &str) -> String {
    if folder.starts_with("__") {
        folder.replace("__", "/")
    } else {
        folder.replacen("__", "/", 1)
    }
}

/// Reads one file line by line into `out`; returns the number of rows.
pub(crate) fn read(path: &Path, file: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let (benchmark, id) = told_at(path, file).ok_or_else(|| Error::Shape {
        file: file.to_owned(),
        message: "the name is not samples_TASK_TIME.jsonl".to_owned(),
    })?;
    let (mut rows, mut counts) = (0, None);
    each_line(path, file, &mut |row, value| {
        rows = row + 1;
        if value.is_null() {
            return out.reject_row(row, "", "", "not_json");
        }
        // Of several filters the first that the file names counts: the others evaluate the same items again.
        let named = value.get("filter").and_then(Value::as_str);
        if let Some(named) = named
            && counts.get_or_insert_with(|| named.to_owned()) != named
        {
            return out.reject_row(row, "filter", named, "other_filter");
        }
        let Some(item) = item(&value, &benchmark, &id, file) else {
            return out.reject_row(row, "doc_id", "", "no_item");
        };
        out.observe(
            row,
            Observed {
                id: id.clone(),
                ..Observed::default()
            },
        )?;
        out.item(row, item)
    })?;
    Ok(rows)
}

/// Calls `each` with the JSON of every non-blank line and its index from 0; null for a line that is not JSON.
pub(crate) fn each_line(
    path: &Path,
    file: &str,
    each: &mut dyn FnMut(u64, Value) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut reader = BufReader::new(File::open(path).map_err(Error::io(path))?);
    let (mut row, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = reader
            .by_ref()
            .take(LONGEST)
            .read_until(b'\n', &mut line)
            .map_err(Error::io(path))?;
        if read == 0 {
            return Ok(());
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        // A line that is not JSON (as in a truncated file) is a row too: null, which holds no answer.
        let value = json::parse(&line, file).unwrap_or(Value::Null);
        each(row, value)?;
        row += 1;
    }
}

/// The item that a line describes; `None` where it has no `doc_id`.
pub(crate) fn item(value: &Value, benchmark: &str, id: &str, file: &str) -> Option<Item> {
    let sample = value.as_object()?;
    let key = sample.get("doc_id").and_then(|key| {
        fields::number(key)
            .map(|n| n.to_string())
            .or_else(|| key.as_str().map(str::to_owned))
    })?;
    let metric = METRICS.iter().find(|name| {
        sample
            .get(**name)
            .is_some_and(|v| v.is_number() || v.is_boolean())
    });
    let score = metric.and_then(|name| match &sample[*name] {
        Value::Bool(right) => Some(f64::from(u8::from(*right))),
        number => number.as_f64(),
    });
    let target = sample
        .get("target")
        .and_then(fields::number)
        .and_then(|target| usize::try_from(target).ok());
    let answers = fields::list(sample, &["filtered_resps"]);
    let loglikelihood = target.and_then(|target| answers?.get(target)?.get(0).and_then(number_or_text));
    Some(Item {
        id: id.to_owned(),
        benchmark: benchmark.to_owned(),
        item: key,
        correct: score
            .filter(|&score| score == 0.0 || score == 1.0)
            .map(|score| score == 1.0),
        score,
        metric: metric.map(|&name| name.to_owned()),
        loglikelihood,
        source: file.to_owned(),
    })
}

/// A finite number, given as a number or as text.
pub(crate) fn number_or_text(value: &Value) -> Option<f64> {
    value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())
        .filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{told_at, told_by};

    #[test]
    fn a_folder_of_any_name_has_the_checkpoint_that_the_results_beside_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = |time: &str, id: &str| {
            let text =
                format!(r#"{{"results": {{}}, "n-shot": {{}}, "config": {{}}, "model_name": "{id}"}}"#);
            std::fs::write(folder.path().join(format!("results_{time}.json")), text).expect("written");
        };
        let told = |time: &str| {
            let name = format!("samples_arc_challenge_{time}.jsonl");
            told_at(&folder.path().join(&name), &format!("flat/{name}")).map(|(_, id)| id)
        };
        let (one, two) = ("2025-03-02T10-00-00.000000", "2025-03-03T10-00-00.000000");
        assert_eq!(told(one).as_deref(), Some("flat"), "no results");
        results(one, "my/ckpt-3000");
        assert_eq!(told(two).as_deref(), Some("my/ckpt-3000"), "the only results");
        results(two, "my/ckpt-4000");
        assert_eq!(told(one).as_deref(), Some("my/ckpt-3000"));
        assert_eq!(told(two).as_deref(), Some("my/ckpt-4000"));
    }

    #[test]
    fn a_folder_is_a_checkpoint_or_the_path_of_one() {
        for (folder, id) in [
            ("org__name", "org/name"),
            ("org__name__v2", "org/name__v2"),
            (
                "__mnt__data__runs__llama3.2-3b__checkpoint-14676",
                "/mnt/data/runs/llama3.2-3b/checkpoint-14676",
            ),
        ] {
            let told = told_by(&format!(
                "{folder}/samples_hellaswag_2025-04-23T21-51-32.829014.jsonl"
            ));
            assert_eq!(told, Some(("hellaswag".to_owned(), id.to_owned())));
        }
    }
}
