//! Opens local folders of benchmarks; Parquet files are converted to JSON lines in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use catalog::answer::{Format, read_parquet};
use tempfile::TempDir;

/// A folder with one subfolder per benchmark, readable as JSON lines.
pub(super) struct Benchmarks {
    given: PathBuf,
    /// Temporary copy with Parquet files converted to JSON lines; `None` where the given folder has no Parquet.
    converted: Option<TempDir>,
}

impl Benchmarks {
    /// Opens the folder itself, or a copy in which each Parquet file is replaced by JSON lines.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            bail!(
                "--data {}: there is no such folder; it must hold one folder per benchmark, as in {}",
                folder.display(),
                folder.join("arc_challenge").display()
            );
        }
        let given = folder.to_path_buf();
        let entries = |folder: &Path| -> Vec<PathBuf> {
            let found = fs::read_dir(folder).into_iter().flatten();
            let mut paths: Vec<PathBuf> = found.filter_map(|entry| Some(entry.ok()?.path())).collect();
            paths.sort();
            paths
        };
        let is_parquet = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "parquet");
        let benchmarks: Vec<PathBuf> = entries(folder).into_iter().filter(|path| path.is_dir()).collect();
        if !benchmarks.iter().any(|path| entries(path).iter().any(is_parquet)) {
            return Ok(Self {
                given,
                converted: None,
            });
        }
        let converted = tempfile::tempdir().context("no temporary folder for benchmarks in Parquet")?;
        for benchmark in benchmarks {
            let place = converted.path().join(benchmark.file_name().unwrap_or_default());
            fs::create_dir(&place)?;
            for file in entries(&benchmark).iter().filter(|path| path.is_file()) {
                let target = place.join(file.file_name().unwrap_or_default());
                if is_parquet(file) {
                    fs::write(target.with_extension("jsonl"), json_lines(file)?)?;
                } else {
                    fs::copy(file, target).with_context(|| format!("cannot read {}", file.display()))?;
                }
            }
        }
        Ok(Self {
            given,
            converted: Some(converted),
        })
    }

    /// Passes on the outcome, with the given folder instead of the temporary one in error messages.
    pub(super) fn naming<T>(&self, outcome: Result<T>) -> Result<T> {
        let Some(converted) = &self.converted else {
            return outcome;
        };
        let temporary = converted.path().display().to_string();
        outcome.map_err(|error| {
            anyhow!(
                "{}",
                format!("{error:#}").replace(&temporary, &self.given.display().to_string())
            )
        })
    }

    pub(super) fn folder(&self) -> &Path {
        self.converted.as_ref().map_or(&self.given, TempDir::path)
    }
}

fn json_lines(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut array = Vec::new();
    read_parquet(&path.display().to_string(), bytes)?.write(Format::Json, &mut array)?;
    let rows: Vec<serde_json::Value> = serde_json::from_slice(&array)?;
    let mut lines = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut lines, &row)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::query::Engine;

    #[test]
    #[cfg_attr(not(feature = "sql"), ignore = "SQL is not built in")]
    fn parquet_and_json_lines_give_the_same_documents() {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("arc_challenge");
        fs::create_dir(&place).expect("a folder");
        let engine = Engine::empty().expect("an engine");
        let answer = engine
            .query(
                "select * from (values ('a1', 'Why — \"so\"?', ['x', 'y'], 3), ('a2', 'How?\n', ['z', null], null)) \
                 as t (id, question, choices, gold)",
            )
            .expect("rows");
        let mut bytes = Vec::new();
        answer.write(Format::Parquet, &mut bytes).expect("Parquet");
        fs::write(place.join("test.parquet"), bytes).expect("written");
        let other = "{\"id\":\"b\"}\n";
        fs::write(place.join("train.jsonl"), other).expect("written");
        let opened = Benchmarks::open(folder.path()).expect("readable");
        let text = |name: &str| {
            fs::read_to_string(opened.folder().join("arc_challenge").join(name)).expect("a file of lines")
        };
        let documents: Vec<serde_json::Value> = text("test.jsonl")
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let expected = [
            serde_json::json!({"id": "a1", "question": "Why — \"so\"?", "choices": ["x", "y"], "gold": 3}),
            serde_json::json!({"id": "a2", "question": "How?\n", "choices": ["z", null], "gold": null}),
        ];
        assert_eq!(documents, expected);
        assert_eq!(text("train.jsonl"), other);
        // A folder without Parquet is read in place.
        fs::remove_file(place.join("test.parquet")).expect("removed");
        assert_eq!(
            Benchmarks::open(folder.path()).expect("readable").folder(),
            folder.path()
        );
        // A file that only pretends to be Parquet gives an error naming it.
        fs::write(place.join("test.parquet"), b"PAR1 no").expect("written");
        let error = Benchmarks::open(folder.path()).err().expect("no Parquet");
        assert!(format!("{error:#}").contains("test.parquet"), "{error:#}");
    }
}
