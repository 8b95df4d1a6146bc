//! Benchmarks in local folders: JSON lines as they are, Parquet files as JSON lines beside them in a temporary folder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use catalog::query::{Format, read_parquet};
use tempfile::TempDir;

/// A folder with one folder a benchmark, readable as JSON lines.
pub(super) struct Benchmarks {
    given: PathBuf,
    /// Where Parquet files stand as JSON lines; none where the given folder has no Parquet.
    converted: Option<TempDir>,
}

impl Benchmarks {
    /// The folder itself, or a copy in which each Parquet file is a file of JSON lines with the same name.
    pub(super) fn open(folder: &Path) -> Result<Self> {
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
