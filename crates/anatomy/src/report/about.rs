//! What a report is about: its title, what its numbers were made from, and the condition its rows fulfil.

use crate::provenance::{OwnData, Provenance};

/// What stands above and below the findings of a page.
#[derive(Debug, Clone)]
pub(crate) struct About {
    title: String,
    /// SQL that the rows fulfil.
    condition: Option<String>,
    data: Option<OwnData>,
    /// Who is to be named for the data, under which licence, a line each.
    credits: Vec<String>,
}

impl About {
    /// The study of the catalog.
    pub(crate) fn study(condition: Option<&str>) -> Self {
        Self {
            title: "Which part of a language model's structure buys which ability?".into(),
            condition: condition.map(String::from),
            data: None,
            credits: Vec::new(),
        }
    }

    /// The same with those to be named for the catalog's data.
    pub(crate) fn with_credits(mut self, credits: Vec<String>) -> Self {
        self.credits = credits;
        self
    }

    /// Who is to be named for the data, under which licence, a line each.
    pub(crate) fn credits(&self) -> &[String] {
        &self.credits
    }

    /// A question put to the catalog, or to rows of the user's own.
    pub(crate) fn question(title: String, condition: Option<&str>, data: Option<OwnData>) -> Self {
        Self {
            title,
            condition: condition.map(String::from),
            data,
            credits: Vec::new(),
        }
    }

    /// The condition, where there is one.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// True where the numbers were made from rows of the user's own.
    pub(crate) fn is_own(&self) -> bool {
        self.data.is_some()
    }

    /// The title with the condition.
    pub(crate) fn title(&self) -> String {
        match &self.condition {
            Some(condition) => format!("{} Only rows where {condition}", ended(&self.title)),
            None => self.title.clone(),
        }
    }

    /// How many findings there are and what they were made from: `catalog_sha256` of a catalog, or the user's own rows.
    pub(crate) fn lead(&self, n: usize, command: &str, catalog_sha256: &str) -> String {
        let findings = if n == 1 { "finding" } else { "findings" };
        let only = self
            .condition
            .as_ref()
            .map_or_else(String::new, |condition| format!(", only rows where {condition}"));
        match &self.data {
            None if is_compiled_in(catalog_sha256) => {
                format!("{n} {findings} on open checkpoints and public leaderboards{only}.")
            }
            None => format!(
                "{n} {findings} on the checkpoints and scores of the catalog {}, which is not the one that comes along{only}.",
                catalog_sha256.get(..16).unwrap_or(catalog_sha256)
            ),
            Some(data) => format!(
                "{n} {findings} made from {} ({} rows{only}; columns used: {}; SHA-256 {}) by {command}.",
                data.file,
                data.rows,
                data.columns.join(", "),
                data.sha256
            ),
        }
    }

    /// Program, command, and the catalog or the user's rows.
    pub(crate) fn provenance(&self, catalog_sha256: &str, seed: u64) -> Provenance {
        let catalog = if self.is_own() { "" } else { catalog_sha256 };
        Provenance {
            data: self.data.clone(),
            ..Provenance::of(catalog, seed)
        }
    }
}

/// Whether that is the catalog compiled into the program, whose sources are public leaderboards.
pub(crate) fn is_compiled_in(catalog_sha256: &str) -> bool {
    catalog::catalog::snapshot_identity().is_ok_and(|own| own == catalog_sha256)
}

/// A sentence with a mark at its end.
fn ended(text: &str) -> String {
    if text.ends_with(['?', '.', '!']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
