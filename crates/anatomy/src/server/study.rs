//! The study behind the pages: computed in the background from the start, or read from a report that was written before.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use indicatif::ProgressBar;
use serde_json::Value;
use study::finding::Finding;
use study::section::{Figure, Section, Table};

use super::checkpoints::Checkpoints;
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::{draw, output, report};

/// The study, ready to be shown.
pub(crate) struct Study {
    pub(crate) headlines: Vec<String>,
    pub(crate) sections: Vec<Section>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) provenance: Value,
    /// `findings.json`, as `anatomy report` writes it.
    pub(crate) file: Bytes,
    /// Where the numbers come from, in words.
    pub(crate) origin: String,
}

impl Study {
    pub(crate) fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    pub(crate) fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }

    pub(crate) fn figure(&self, id: &str) -> Option<&Figure> {
        self.sections
            .iter()
            .flat_map(|section| &section.figures)
            .find(|figure| figure.id == id)
    }

    pub(crate) fn table(&self, id: &str) -> Option<&Table> {
        self.sections
            .iter()
            .flat_map(|section| &section.tables)
            .find(|table| table.id == id)
    }

    /// The figure as an SVG document.
    pub(crate) fn svg(&self, id: &str) -> Option<String> {
        self.figure(id).map(draw::svg)
    }

    /// The table as CSV.
    pub(crate) fn csv(&self, id: &str) -> Option<Result<Vec<u8>>> {
        self.table(id).map(output::csv)
    }
}

/// How far it is.
#[derive(Clone)]
pub(crate) enum Progress {
    Computing(ProgressBar),
    Ready(Arc<Study>),
    Failed(String),
}

/// The study, now or later; findings of a report may stand in until it is computed.
pub(crate) struct Slot {
    progress: RwLock<Progress>,
    given: Option<Arc<Study>>,
}

impl Slot {
    /// An empty place, with the findings of a report where one was given.
    pub(crate) fn new(given: Option<Study>) -> Self {
        let bar = ProgressBar::hidden();
        bar.set_length(report::STEPS);
        Self {
            progress: RwLock::new(Progress::Computing(bar)),
            given: given.map(Arc::new),
        }
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The study with its figures, once it is computed.
    pub(crate) fn ready(&self) -> Option<Arc<Study>> {
        match self.progress() {
            Progress::Ready(study) => Some(study),
            _ => None,
        }
    }

    /// The findings: computed, or those of the report.
    pub(crate) fn findings(&self) -> Option<Arc<Study>> {
        self.ready().or_else(|| self.given.clone())
    }

    /// `ready`, `computing` or `failed`, and how far in words.
    pub(crate) fn words(&self) -> (&'static str, String) {
        match self.progress() {
            Progress::Ready(_) => ("ready", "computed".into()),
            Progress::Computing(bar) => (
                "computing",
                format!("step {} of {}", bar.position() + 1, report::STEPS),
            ),
            Progress::Failed(why) => ("failed", why),
        }
    }

    /// Computes the study; blocks until it is done.
    pub(crate) fn compute(&self, checkpoints: &Checkpoints, resamples: usize, seed: u64) {
        let Progress::Computing(bar) = self.progress() else {
            return;
        };
        let catalog = &checkpoints.catalog;
        let done = report::study(catalog, resamples, seed, &bar).and_then(|study| {
            let provenance = Provenance::of(&catalog.manifest.catalog_sha256, seed);
            ready(study, provenance, resamples)
        });
        let progress = match done {
            Ok(study) => Progress::Ready(Arc::new(study)),
            Err(error) => Progress::Failed(crate::explain::explain(&error)),
        };
        *self.progress.write().unwrap_or_else(PoisonError::into_inner) = progress;
    }
}

fn ready(study: report::Study, provenance: Provenance, resamples: usize) -> Result<Study> {
    let report::Study { sections, headlines } = study;
    let seed = provenance.seed;
    let findings: Vec<Finding> = sections
        .iter()
        .flat_map(|section| section.findings.iter().cloned())
        .collect();
    let file = FindingsFile {
        schema_version: SCHEMA_VERSION,
        provenance,
        findings: findings.iter().collect(),
    };
    let provenance = serde_json::to_value(&file.provenance)?;
    let text = file.to_json()?;
    Ok(Study {
        headlines,
        sections,
        findings,
        provenance,
        file: text.into(),
        origin: format!("computed by this server from its catalog, seed {seed}, {resamples} resamples"),
    })
}

/// The findings of a report's folder; its catalog must be the one served.
pub(crate) fn read(folder: &Path, catalog_sha256: &str) -> Result<Study> {
    let path = folder.join("findings.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut file: BTreeMap<String, Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is no findings file", path.display()))?;
    let version = file.get("schema_version").and_then(Value::as_u64);
    if version != Some(u64::from(SCHEMA_VERSION)) {
        bail!(
            "{} has schema version {version:?}; this program reads {SCHEMA_VERSION}",
            path.display()
        );
    }
    let provenance = file.remove("provenance").unwrap_or_default();
    let theirs = provenance["catalog_sha256"].as_str().unwrap_or_default();
    if theirs != catalog_sha256 {
        bail!(
            "{} was made from catalog {theirs}, but the one served is {catalog_sha256}",
            path.display()
        );
    }
    let findings: Vec<Finding> = serde_json::from_value(file.remove("findings").unwrap_or_default())
        .with_context(|| format!("{} has findings of another form", path.display()))?;
    Ok(Study {
        headlines: Vec::new(),
        sections: Vec::new(),
        origin: format!(
            "read from a report, {}",
            provenance["command"].as_str().unwrap_or("command unknown")
        ),
        findings,
        provenance,
        file: text.into(),
    })
}
