//! Provenance of results (program, command, catalog, inputs), and the common envelope of all JSON answers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Serialize;
use study::finding::Finding;

/// Version of the JSON format; increased when a field changes its meaning.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// A user's own data.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OwnData {
    /// The file or folder as named by the user.
    pub(crate) file: String,
    /// SHA-256 of the file, or over the files of a folder.
    pub(crate) sha256: String,
    /// Number of rows before any is left out.
    pub(crate) rows: usize,
    /// The columns used.
    pub(crate) columns: Vec<String>,
}

/// A checkpoint that was run, with its settings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelOf {
    /// As named by the user: a path, or a name on the Hub.
    pub(crate) name: String,
    /// Type to which the weights were rounded on reading: `f32`, `bf16`, `f16`.
    pub(crate) weights_as: &'static str,
    /// Type of activations and sums: `f32`; on a GPU also the precision of its products.
    pub(crate) computed_as: &'static str,
    /// Indices of removed layers, counted from 0.
    pub(crate) without_layers: Vec<usize>,
    /// Facts from opening the checkpoint; absent where a complete table of its answers made that unnecessary.
    #[serde(flatten)]
    pub(crate) opened: Option<Opened>,
}

/// Facts about an opened checkpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Opened {
    /// Architecture name in its configuration.
    pub(crate) architecture: Option<String>,
    /// Number of layers before any is removed.
    pub(crate) layers: usize,
    /// Number of tensors by stored type.
    pub(crate) stored_as: BTreeMap<String, usize>,
    /// Identity of the weights: SHA-256 of a single file, else of the files' hashes, one per line in the order of
    /// `files`.
    pub(crate) sha256: String,
    /// The weight files.
    pub(crate) files: Vec<FileOf>,
}

/// A file of weights.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FileOf {
    /// File name without folders.
    pub(crate) file: String,
    /// Length in bytes.
    pub(crate) bytes: u64,
    /// SHA-256 of the whole file.
    pub(crate) sha256: String,
}

/// Texts, items or samples that a checkpoint was given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InputOf {
    /// `texts`, `corpus`, `task`, `data`, `requests`, `test`, `against`.
    pub(crate) kind: &'static str,
    /// Name of the file, corpus or task.
    pub(crate) name: String,
    /// SHA-256 of the file; for inputs without a file of their own, of the values given, one line of JSON each.
    pub(crate) sha256: String,
    /// Number of texts, items or samples.
    pub(crate) n: usize,
}

/// Origin of an answer; one per JSON file.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Provenance {
    /// Name of the program.
    pub(crate) program: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// The command as typed, without the number of threads.
    pub(crate) command: String,
    /// Identity of the catalog: SHA-256 over its tables' hashes; absent for a user's own rows.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) catalog_sha256: String,
    /// The user's own data, where the results are computed from them instead of the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<OwnData>,
    /// The checkpoint that was run, where the results are about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<ModelOf>,
    /// Inputs given to the checkpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<InputOf>,
    /// Random seed; absent where nothing is random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
}

impl Provenance {
    /// Provenance of a result computed from a catalog with a seed.
    pub(crate) fn of(catalog_sha256: &str, seed: u64) -> Self {
        Self {
            program: "anatomy",
            version: env!("CARGO_PKG_VERSION"),
            command: without_threads(&words()),
            catalog_sha256: catalog_sha256.into(),
            data: None,
            model: None,
            inputs: Vec::new(),
            seed: Some(seed),
        }
    }

    /// Provenance of a result that depends on neither a catalog nor a seed.
    pub(crate) fn bare() -> Self {
        Self {
            seed: None,
            ..Self::of("", 0)
        }
    }

    /// Provenance of a result computed from a catalog without randomness.
    pub(crate) fn of_catalog(catalog_sha256: &str) -> Self {
        Self {
            seed: None,
            ..Self::of(catalog_sha256, 0)
        }
    }
}

thread_local! {
    /// Arguments of the command that another program runs on this thread.
    static ASKED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Executable that starts this program again, where it is not the current executable.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Sets the executable that starts this program again.
pub(crate) fn started_by(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// The executable to start this program again.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    PROGRAM
        .get()
        .map_or_else(std::env::current_exe, |program| Ok(program.clone()))
}

/// Runs `work` on this thread as if these arguments had been typed.
pub(crate) fn as_typed<T>(words: &[String], work: impl FnOnce() -> T) -> T {
    let outer = ASKED.replace(Some(words.to_vec()));
    let done = work();
    ASKED.set(outer);
    done
}

/// The arguments after the program's name.
fn words() -> Vec<String> {
    let asked = ASKED.with_borrow(Clone::clone);
    asked.unwrap_or_else(|| std::env::args().skip(1).collect())
}

/// The command as typed, without the number of threads, which does not affect results.
fn without_threads(arguments: &[String]) -> String {
    let mut kept: Vec<&str> = vec!["anatomy"];
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--threads" {
            arguments.next();
        } else if !argument.starts_with("--threads=") {
            kept.push(argument);
        }
    }
    kept.join(" ")
}

/// The envelope of every JSON answer: kind, format version, provenance, and the answer's own fields beside these.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<T> {
    /// Kind of answer: `findings`, `prediction`, `comparison`, `influence` …
    pub(crate) kind: &'static str,
    /// [`SCHEMA_VERSION`].
    pub(crate) schema_version: u32,
    /// Origin of the answer.
    pub(crate) provenance: Provenance,
    /// The answer; its fields are serialised beside those of the envelope.
    #[serde(flatten)]
    pub(crate) answer: T,
}

impl<T: Serialize> Envelope<T> {
    /// Wraps an answer of the given kind.
    pub(crate) fn of(kind: &'static str, answer: T, provenance: Provenance) -> Self {
        Self {
            kind,
            schema_version: SCHEMA_VERSION,
            provenance,
            answer,
        }
    }

    /// Indented JSON with a final line break.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The answer of the study's commands, the report and the dashboard.
#[derive(Debug, Serialize)]
pub(crate) struct Found<'a> {
    pub(crate) findings: Vec<&'a Finding>,
}

/// Findings as written to JSON: the common format of commands, report and dashboard.
pub(crate) type FindingsFile<'a> = Envelope<Found<'a>>;

impl<'a> FindingsFile<'a> {
    /// Wraps findings.
    pub(crate) fn findings(findings: impl IntoIterator<Item = &'a Finding>, provenance: Provenance) -> Self {
        let findings = findings.into_iter().collect();
        Self::of("findings", Found { findings }, provenance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_threads_is_no_part_of_what_was_asked() {
        let typed = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for text in ["--threads 3 report --only size", "report --threads=3 --only size"] {
            assert_eq!(without_threads(&typed(text)), "anatomy report --only size");
        }
    }
}
