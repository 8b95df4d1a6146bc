//! Where a findings file comes from: program, command, catalog.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;

use serde::Serialize;
use study::finding::Finding;

/// Version of the findings file; raised when a field changes its meaning.
pub(crate) const SCHEMA_VERSION: u32 = 1;

/// Rows of the user's own.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OwnData {
    /// The file or folder as it was named.
    pub(crate) file: String,
    /// SHA-256 of the file; of a folder, over its files.
    pub(crate) sha256: String,
    /// Its rows, before any is left out.
    pub(crate) rows: usize,
    /// The columns used.
    pub(crate) columns: Vec<String>,
}

/// A checkpoint that was run, and how.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ModelOf {
    /// As it was named: a path, or a name on the Hub.
    pub(crate) name: String,
    /// The type weights were rounded to as they were read: `f32`, `bf16`, `f16`.
    pub(crate) weights_as: &'static str,
    /// What activations and sums are: `f32`; on a card how exact its products are too.
    pub(crate) computed_as: &'static str,
    /// Layers that were left out, counted from 0.
    pub(crate) without_layers: Vec<usize>,
    /// What was found when it was opened; absent where a whole table of its answers was there and it was not.
    #[serde(flatten)]
    pub(crate) opened: Option<Opened>,
}

/// A checkpoint on this disk.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Opened {
    /// What its configuration calls itself.
    pub(crate) architecture: Option<String>,
    /// Its layers, before any is left out.
    pub(crate) layers: usize,
    /// Tensors by the type they are stored as.
    pub(crate) stored_as: BTreeMap<String, usize>,
    /// Identity of the weights: SHA-256 of the file; of several, over the hashes of all in the order of `files`.
    pub(crate) sha256: String,
    /// The files of weights.
    pub(crate) files: Vec<FileOf>,
}

/// A file of weights.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FileOf {
    /// Its name without folders.
    pub(crate) file: String,
    /// Its length.
    pub(crate) bytes: u64,
    /// Over all of them.
    pub(crate) sha256: String,
}

/// Texts, items or samples that a checkpoint was given.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct InputOf {
    /// `texts`, `corpus`, `task`, `data`, `requests`, `test`, `against`.
    pub(crate) kind: &'static str,
    /// The file, or the name of the corpus or task.
    pub(crate) name: String,
    /// SHA-256 of the file; of what is in no file of its own, over what the checkpoint was given, a line of JSON each.
    pub(crate) sha256: String,
    /// How many texts, items or samples.
    pub(crate) n: usize,
}

/// Once per file of findings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Provenance {
    /// Name of the program.
    pub(crate) program: &'static str,
    /// Its version.
    pub(crate) version: &'static str,
    /// The command as it was typed.
    pub(crate) command: String,
    /// Identity of the catalog: SHA-256 over its tables' hashes; absent where the rows are the user's own.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) catalog_sha256: String,
    /// The user's own rows, where the numbers were made from them instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data: Option<OwnData>,
    /// The checkpoint whose weights were run, where that is what the numbers are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<ModelOf>,
    /// What it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) inputs: Vec<InputOf>,
    /// Seed of everything random; absent where nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
}

impl Provenance {
    /// The running program on a catalog.
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

    /// The running program where nothing random and no catalog is asked.
    pub(crate) fn bare() -> Self {
        Self {
            seed: None,
            ..Self::of("", 0)
        }
    }

    /// The running program on a catalog of which nothing random is asked.
    pub(crate) fn of_catalog(catalog_sha256: &str) -> Self {
        Self {
            seed: None,
            ..Self::of(catalog_sha256, 0)
        }
    }
}

thread_local! {
    /// The words of the question that another program asked on this thread.
    static ASKED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// What starts this program again, where the running file does not.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Says what starts this program again.
pub(crate) fn started_by(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// The program that runs, to be started again.
pub(crate) fn program() -> std::io::Result<PathBuf> {
    PROGRAM
        .get()
        .map_or_else(std::env::current_exe, |program| Ok(program.clone()))
}

/// Works on this thread as if these words had been typed.
pub(crate) fn as_typed<T>(words: &[String], work: impl FnOnce() -> T) -> T {
    let outer = ASKED.replace(Some(words.to_vec()));
    let done = work();
    ASKED.set(outer);
    done
}

/// The words that were typed after the program's name.
fn words() -> Vec<String> {
    let asked = ASKED.with_borrow(Clone::clone);
    asked.unwrap_or_else(|| std::env::args().skip(1).collect())
}

/// The command as it was typed, without the number of threads: it changes no result.
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

/// The form of every JSON answer: what it is, the version of its form, where it comes from, and the answer's own fields beside
/// these.
#[derive(Debug, Serialize)]
pub(crate) struct Envelope<T> {
    /// What kind of answer: `findings`, `prediction`, `comparison`, `influence` …
    pub(crate) kind: &'static str,
    /// [`SCHEMA_VERSION`].
    pub(crate) schema_version: u32,
    /// Where it comes from.
    pub(crate) provenance: Provenance,
    /// The answer.
    #[serde(flatten)]
    pub(crate) answer: T,
}

impl<T: Serialize> Envelope<T> {
    /// An answer of that kind.
    pub(crate) fn of(kind: &'static str, answer: T, provenance: Provenance) -> Self {
        Self {
            kind,
            schema_version: SCHEMA_VERSION,
            provenance,
            answer,
        }
    }

    /// Indented JSON with a line break at its end.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// The answer of the study's commands, the report and the dashboard.
#[derive(Debug, Serialize)]
pub(crate) struct Found<'a> {
    pub(crate) findings: Vec<&'a Finding>,
}

/// Findings as they are written: the one contract between commands, report and dashboard.
pub(crate) type FindingsFile<'a> = Envelope<Found<'a>>;

impl<'a> FindingsFile<'a> {
    /// These findings.
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
