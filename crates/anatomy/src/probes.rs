//! Reads results of `anatomy probe … --format json` from a folder.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

/// Maximum size of a file in bytes.
const LARGEST: u64 = 64 << 20;

/// One result of a probe.
pub(crate) struct Probe {
    /// The file's name without `.json`.
    pub(crate) name: String,
    pub(crate) content: Value,
}

/// All results, ordered by name.
#[derive(Default)]
pub(crate) struct Probes {
    pub(crate) all: Vec<Probe>,
    /// Files left out, with the reason.
    pub(crate) left_out: Vec<(String, String)>,
    /// Whether a folder was given.
    pub(crate) asked: bool,
}

impl Probes {
    /// Reads every `*.json` in the folder; files that cannot be read are listed in `left_out`.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "json") && path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let mut probes = Self {
            asked: true,
            ..Self::default()
        };
        for path in files {
            let name = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            match content(&path) {
                Ok(content) => probes.all.push(Probe { name, content }),
                Err(error) => probes.left_out.push((name, crate::explain::explain(&error))),
            }
        }
        Ok(probes)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Probe> {
        self.all.iter().find(|probe| probe.name == name)
    }
}

fn content(path: &Path) -> Result<Value> {
    let bytes = std::fs::metadata(path)?.len();
    if bytes > LARGEST {
        anyhow::bail!("{bytes} bytes; {LARGEST} are the most");
    }
    let text = std::fs::read(path).context("cannot be read")?;
    serde_json::from_slice(&text).context("is not valid JSON")
}
