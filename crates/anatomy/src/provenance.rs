//! Where a findings file comes from: program, command, catalog.

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
    /// Seed of everything random.
    pub(crate) seed: u64,
}

impl Provenance {
    /// The running program on a catalog.
    pub(crate) fn of(catalog_sha256: &str, seed: u64) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self {
            program: "anatomy",
            version: env!("CARGO_PKG_VERSION"),
            command: format!("anatomy {}", arguments.join(" ")),
            catalog_sha256: catalog_sha256.into(),
            data: None,
            seed,
        }
    }
}

/// The one contract between commands, report and dashboard.
#[derive(Debug, Serialize)]
pub(crate) struct FindingsFile<'a> {
    pub(crate) schema_version: u32,
    pub(crate) provenance: Provenance,
    pub(crate) findings: Vec<&'a Finding>,
}

impl FindingsFile<'_> {
    /// Indented JSON with a line break at its end.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

/// An answer with where it comes from; the answer's fields stand beside the others.
#[derive(Debug, Serialize)]
pub(crate) struct Answered<'a, T> {
    pub(crate) schema_version: u32,
    pub(crate) provenance: Provenance,
    #[serde(flatten)]
    pub(crate) answer: &'a T,
}

impl<'a, T: Serialize> Answered<'a, T> {
    /// An answer made on a catalog.
    pub(crate) fn of(answer: &'a T, catalog_sha256: &str, seed: u64) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            provenance: Provenance::of(catalog_sha256, seed),
            answer,
        }
    }

    /// Indented JSON with a line break at its end.
    pub(crate) fn to_json(&self) -> anyhow::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}
