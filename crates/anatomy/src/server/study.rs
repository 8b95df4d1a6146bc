//! The study behind the pages: stored with the catalog, else computed in the background from the start. Meanwhile,
//! findings of an existing report may be shown.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{Context, Result, bail};
use axum::body::Bytes;
use indicatif::ProgressBar;
use serde_json::Value;
use study::finding::Finding;
use study::section::Section;

use super::checkpoints::Checkpoints;
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::report;
use crate::report::PartChoice;

/// A study ready for display.
pub(crate) struct ServedStudy {
    pub(crate) headlines: Vec<String>,
    pub(crate) sections: Vec<Section>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) provenance: Value,
    /// `findings.json` as written by `anatomy report`.
    pub(crate) file: Bytes,
    /// Origin of the numbers, in words.
    pub(crate) origin: String,
}

impl ServedStudy {
    pub(crate) fn finding(&self, id: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.id == id)
    }

    pub(crate) fn section(&self, id: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.id == id)
    }
}

/// How the study is to be computed.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Folder of the catalog; `None`: the compiled-in catalog.
    pub(crate) dir: Option<PathBuf>,
    /// Number of resamples for bootstrap intervals.
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
    /// Sections and parts, comma-separated; `None`: all.
    pub(crate) only: Option<String>,
}

/// Fast sections and parts, computed first and shown while the rest is computed.
const QUICK: &str = "answer,controlled,pooled,dataset,trends,dimensions,correlations,leaderboard_v1";
/// The slow part: repeated fits of many regression methods. The ledger is added at the end, as it needs all findings.
const SLOW: &str = "attribution";

/// Progress of the computation.
#[derive(Clone)]
enum Progress {
    Computing,
    Done,
    Failed(String),
}

/// The study, once it is computed; until then, findings of a given report may be shown.
pub(crate) struct Slot {
    progress: RwLock<(Progress, Option<Arc<ServedStudy>>)>,
    given: Option<Arc<ServedStudy>>,
    bar: ProgressBar,
    plan: Plan,
    stages: Vec<PartChoice>,
}

impl Slot {
    /// An empty slot, with the findings of a report where given.
    ///
    /// # Errors
    /// An unknown section in `plan.only`.
    pub(crate) fn new(plan: Plan, given: Option<ServedStudy>) -> Result<Self> {
        let stages = match &plan.only {
            Some(names) => vec![PartChoice::of(names)?],
            None => vec![PartChoice::of(QUICK)?, PartChoice::of(SLOW)?],
        };
        let bar = ProgressBar::hidden();
        bar.set_length(stages.iter().map(PartChoice::steps).sum());
        Ok(Self {
            progress: RwLock::new((Progress::Computing, None)),
            given: given.map(Arc::new),
            bar,
            plan,
            stages,
        })
    }

    fn read(&self) -> (Progress, Option<Arc<ServedStudy>>) {
        self.progress
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write(&self, progress: Progress, study: Option<Arc<ServedStudy>>) {
        *self.progress.write().unwrap_or_else(PoisonError::into_inner) = (progress, study);
    }

    /// Uses the study stored with the catalog if it has the planned settings; returns whether it did.
    ///
    /// # Errors
    /// Only where the stored study cannot be serialised as JSON.
    pub(crate) fn take_kept(&self, catalog: &::catalog::Catalog) -> Result<bool> {
        let plan = &self.plan;
        if plan.only.is_some() {
            return Ok(false);
        }
        let kept = crate::kept::study(plan.dir.as_deref());
        let Some(kept) =
            kept.filter(|kept| kept.is_of(&catalog.manifest.catalog_sha256, plan.seed, plan.resamples))
        else {
            return Ok(false);
        };
        let study = report::Study {
            headlines: kept.headlines,
            sections: kept.sections,
            about: report::About::study(None),
        };
        let provenance = Provenance::of(&catalog.manifest.catalog_sha256, plan.seed);
        let mut study = ready(study, provenance, plan.resamples)?;
        study.origin = format!(
            "computed when the tables were made and shown at once: seed {}, {} resamples, and `anatomy report --verify` \
             computes them again",
            plan.seed, plan.resamples
        );
        self.write(Progress::Done, Some(Arc::new(study)));
        Ok(true)
    }

    /// How the study is computed.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether the study is not complete yet.
    pub(crate) fn is_computing(&self) -> bool {
        matches!(self.read().0, Progress::Computing)
    }

    /// The study as far as it is computed.
    pub(crate) fn ready(&self) -> Option<Arc<ServedStudy>> {
        self.read().1
    }

    /// The findings: the computed ones if complete or no report was given, else those of the report.
    pub(crate) fn findings(&self) -> Option<Arc<ServedStudy>> {
        match (self.read(), &self.given) {
            ((Progress::Done, study), _) | ((_, study), None) => study,
            (_, given) => given.clone(),
        }
    }

    /// Status `ready`, `computing` or `failed`, with details in words.
    pub(crate) fn words(&self) -> (&'static str, String) {
        match self.read().0 {
            Progress::Done => ("ready", "computed".into()),
            Progress::Computing => (
                "computing",
                format!(
                    "step {} of {}",
                    self.bar.position() + 1,
                    self.bar.length().unwrap_or_default()
                ),
            ),
            Progress::Failed(why) => ("failed", why),
        }
    }

    /// Computes the study; blocks until it is done. `changed` is called after each stage.
    pub(crate) fn compute(&self, checkpoints: &Checkpoints, mut changed: impl FnMut()) {
        let mut sections = Vec::new();
        for (place, choice) in self.stages.iter().enumerate() {
            let is_last = place + 1 == self.stages.len();
            match self.stage(checkpoints, choice, &mut sections, is_last) {
                Ok(study) => {
                    let progress = if is_last {
                        Progress::Done
                    } else {
                        Progress::Computing
                    };
                    self.write(progress, Some(Arc::new(study)));
                }
                Err(error) => {
                    let why = crate::explain::explain(&error);
                    self.write(Progress::Failed(why), self.read().1);
                }
            }
            changed();
            if !self.is_computing() {
                break;
            }
        }
    }

    fn stage(
        &self,
        checkpoints: &Checkpoints,
        choice: &PartChoice,
        sections: &mut Vec<Section>,
        is_last: bool,
    ) -> Result<ServedStudy> {
        let Plan {
            dir,
            resamples,
            seed,
            only,
        } = &self.plan;
        let context = report::Context {
            catalog: &checkpoints.catalog,
            dir: dir.as_deref(),
            resamples: *resamples,
            seed: *seed,
            board: None,
            probes: None,
            bar: &self.bar,
        };
        let more = report::study(&context, choice, None)?;
        sections.extend(more.sections);
        // Add the ledger, as `anatomy report` does once all parts are there.
        if is_last && only.is_none() {
            report::add_ledger(sections, *seed)?;
        }
        let study = report::Study {
            headlines: report::headlines(sections),
            sections: sections.clone(),
            about: report::About::study(None),
        };
        let provenance = Provenance::of(&checkpoints.catalog.manifest.catalog_sha256, *seed);
        ready(study, provenance, *resamples)
    }
}

fn ready(study: report::Study, provenance: Provenance, resamples: usize) -> Result<ServedStudy> {
    let report::Study {
        sections, headlines, ..
    } = study;
    let seed = provenance.seed.unwrap_or_default();
    let findings: Vec<Finding> = sections
        .iter()
        .flat_map(|section| section.findings.iter().cloned())
        .collect();
    let file = FindingsFile::findings(&findings, provenance);
    let provenance = serde_json::to_value(&file.provenance)?;
    let text = file.to_json()?;
    Ok(ServedStudy {
        headlines,
        sections,
        findings,
        provenance,
        file: text.into(),
        origin: format!("computed by this server from its catalog, seed {seed}, {resamples} resamples"),
    })
}

/// Reads the findings of a report's folder. Fails if they are from a catalog other than the one served.
pub(crate) fn read(folder: &Path, catalog_sha256: &str) -> Result<ServedStudy> {
    let path = folder.join("findings.json");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut file: BTreeMap<String, Value> =
        serde_json::from_str(&text).with_context(|| format!("{} is not a findings file", path.display()))?;
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
            "{} was made from catalog {theirs}, but catalog {catalog_sha256} is served",
            path.display()
        );
    }
    let findings: Vec<Finding> = serde_json::from_value(file.remove("findings").unwrap_or_default())
        .with_context(|| format!("{} has findings in an unknown format", path.display()))?;
    Ok(ServedStudy {
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
