//! Describes the subject of a report: its title, the data behind its numbers, and the condition on its rows.

use crate::provenance::{OwnData, Provenance};

/// Text shown above and below the findings of a page.
#[derive(Debug, Clone)]
pub(crate) struct About {
    title: String,
    /// SQL condition on the rows; `None`: all rows.
    condition: Option<String>,
    data: Option<OwnData>,
    /// Attribution of the data with their licences, one line each.
    credits: Vec<String>,
    /// Size and age of the catalog.
    facts: Option<Facts>,
}

/// Size and age of a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) checkpoints: usize,
    pub(crate) evaluations: usize,
    pub(crate) scores: usize,
    pub(crate) sources: usize,
    /// Latest day (`2025-02-20`) of leaderboard v2, which trends and regressions use; `newest` is that of any board.
    pub(crate) scores_end: Option<String>,
    pub(crate) newest: Option<String>,
}

impl Facts {
    pub(crate) fn of(catalog: &catalog::Catalog) -> Self {
        let day = |days: Option<i32>| days.map(|days| common::calendar::text(i64::from(days)));
        let submitted = |board: Option<&str>| {
            let rows = catalog.evaluations.iter();
            rows.filter(|row| board.is_none_or(|board| row.leaderboard == board))
                .filter_map(|row| row.submitted)
                .max()
        };
        // A score without a date is dated by the version of its board.
        let scored = catalog
            .scores
            .iter()
            .filter_map(|row| row.date.or_else(|| catalog::day_of_text(&row.version)))
            .max();
        Self {
            checkpoints: catalog.checkpoints.len(),
            evaluations: catalog.evaluations.len(),
            scores: catalog.scores.len(),
            sources: catalog.manifest.sources.len(),
            scores_end: day(submitted(Some("open-llm-leaderboard-v2"))),
            newest: day(submitted(None).max(scored)),
        }
    }
}

impl About {
    /// Description of a study of the catalog.
    pub(crate) fn study(condition: Option<&str>) -> Self {
        Self {
            title: "Which part of a language model's structure buys which ability?".into(),
            condition: condition.map(String::from),
            data: None,
            credits: Vec::new(),
            facts: None,
        }
    }

    /// Adds the attribution of the catalog's data.
    pub(crate) fn with_credits(mut self, credits: Vec<String>) -> Self {
        self.credits = credits;
        self
    }

    /// Adds the size and age of the catalog.
    pub(crate) fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = Some(facts);
        self
    }

    /// Short labelled facts about the data behind the numbers.
    pub(crate) fn strip(&self, provenance: &Provenance, findings: usize) -> Vec<(&'static str, String)> {
        let mut strip = Vec::new();
        let mut say = |name: &'static str, words: String| strip.push((name, words));
        let number = |n: usize| crate::output::number(n as f64);
        if let Some(data) = &self.data {
            say("data", format!("{}, {} rows", data.file, number(data.rows)));
            say("SHA-256", short(&data.sha256));
        } else {
            say("catalog", short(&provenance.catalog_sha256));
        }
        if let Some(facts) = &self.facts {
            say("checkpoints", number(facts.checkpoints));
            say("evaluations", number(facts.evaluations));
            if let Some(day) = &facts.scores_end {
                say("leaderboard v2 until", day.clone());
            }
            if let Some(day) = facts
                .newest
                .as_ref()
                .filter(|day| Some(*day) != facts.scores_end.as_ref())
            {
                say("newest score", day.clone());
            }
        }
        say("findings", number(findings));
        if let Some(seed) = provenance.seed {
            say("seed", seed.to_string());
        }
        say("version", provenance.version.to_owned());
        strip
    }

    /// Citation in BibTeX.
    pub(crate) fn bibtex(&self, provenance: &Provenance) -> String {
        let of = self.data.as_ref().map_or_else(
            || format!("catalog SHA-256 {}", provenance.catalog_sha256),
            |data| format!("{}, SHA-256 {}", data.file, data.sha256),
        );
        let facts = self.facts.as_ref();
        let ends = facts.and_then(|facts| facts.newest.as_ref().or(facts.scores_end.as_ref()));
        let ends = ends.map_or_else(String::new, |day| format!("; scores until {day}"));
        let only = self
            .condition
            .as_ref()
            .map_or_else(String::new, |condition| format!("; only rows where {condition}"));
        let seed = provenance
            .seed
            .map_or_else(String::new, |seed| format!("; seed {seed}"));
        format!(
            "@software{{anatomy,\n  title = {{anatomy: which part of a language model's structure buys which ability}},\n  version = \
             {{{}}},\n  note = {{{of}{ends}{only}{seed}}}\n}}\n\n{}",
            provenance.version, provenance.command
        )
    }

    /// Attribution of the data with their licences, one line each.
    pub(crate) fn credits(&self) -> &[String] {
        &self.credits
    }

    /// Description of a single question about the catalog, or about a user's own rows (`data`).
    pub(crate) fn question(title: String, condition: Option<&str>, data: Option<OwnData>) -> Self {
        Self {
            title,
            condition: condition.map(String::from),
            data,
            credits: Vec::new(),
            facts: None,
        }
    }

    /// The condition, where there is one.
    pub(crate) fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// Whether the numbers are computed from a user's own rows.
    pub(crate) fn is_own(&self) -> bool {
        self.data.is_some()
    }

    /// The title, followed by the condition where there is one.
    pub(crate) fn title(&self) -> String {
        match &self.condition {
            Some(condition) => format!("{} Only rows where {condition}", ended(&self.title)),
            None => self.title.clone(),
        }
    }

    /// One sentence with the number of findings and the data they are computed from: a catalog or the user's own rows.
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

    /// Provenance: program, command, and the catalog or the user's rows.
    pub(crate) fn provenance(&self, catalog_sha256: &str, seed: u64) -> Provenance {
        let catalog = if self.is_own() { "" } else { catalog_sha256 };
        Provenance {
            data: self.data.clone(),
            ..Provenance::of(catalog, seed)
        }
    }
}

/// Whether this is the compiled-in catalog, whose sources are public leaderboards.
pub(crate) fn is_compiled_in(catalog_sha256: &str) -> bool {
    catalog::catalog::snapshot_identity().is_ok_and(|own| own == catalog_sha256)
}

/// The first digits of a hash.
fn short(sha256: &str) -> String {
    sha256.get(..12).unwrap_or(sha256).to_owned()
}

/// A sentence with a final punctuation mark.
fn ended(text: &str) -> String {
    if text.ends_with(['?', '.', '!']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
