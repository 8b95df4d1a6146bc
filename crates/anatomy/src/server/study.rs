//! The study behind the pages: kept from when the catalog was made, else computed in the background from the start; findings
//! may be read from a report that was written before.

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

/// The study, ready to be shown.
pub(crate) struct ServedStudy {
    pub(crate) headlines: Vec<String>,
    pub(crate) sections: Vec<Section>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) provenance: Value,
    /// `findings.json`, as `anatomy report` writes it.
    pub(crate) file: Bytes,
    /// Where the numbers come from, in words.
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

/// How it is to be computed.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Folder of the catalog where it is not the one compiled in.
    pub(crate) dir: Option<PathBuf>,
    /// Resamples of each bootstrap interval.
    pub(crate) resamples: usize,
    pub(crate) seed: u64,
    /// Sections and parts, separated by commas; all where none is named.
    pub(crate) only: Option<String>,
}

/// What is quick comes first: pages show it while the rest is computed.
const QUICK: &str = "answer,controlled,pooled,dataset,trends,dimensions,correlations,leaderboard_v1";
/// The rest: regressions by many methods, repeated. The ledger is made of all findings.
const SLOW: &str = "attribution";

/// How far it is.
#[derive(Clone)]
enum Progress {
    Computing,
    Done,
    Failed(String),
}

/// The study, now or later; findings of a report may stand in until it is computed.
pub(crate) struct Slot {
    progress: RwLock<(Progress, Option<Arc<ServedStudy>>)>,
    given: Option<Arc<ServedStudy>>,
    bar: ProgressBar,
    plan: Plan,
    stages: Vec<PartChoice>,
}

impl Slot {
    /// An empty place, with the findings of a report where one was given.
    ///
    /// # Errors
    /// A section that is not known.
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

    /// Takes the study that is kept beside the catalog, where it is the one that would be computed.
    ///
    /// # Errors
    /// None where what is kept can be written as JSON.
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

    /// How it is computed.
    pub(crate) fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Whether anything of it is still to come.
    pub(crate) fn is_computing(&self) -> bool {
        matches!(self.read().0, Progress::Computing)
    }

    /// The study with its figures, as far as it is computed.
    pub(crate) fn ready(&self) -> Option<Arc<ServedStudy>> {
        self.read().1
    }

    /// The findings: computed, or those of the report until all are.
    pub(crate) fn findings(&self) -> Option<Arc<ServedStudy>> {
        match (self.read(), &self.given) {
            ((Progress::Done, study), _) | ((_, study), None) => study,
            (_, given) => given.clone(),
        }
    }

    /// `ready`, `computing` or `failed`, and how far in words.
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

    /// Computes the study; blocks until it is done. `changed` hears of each stage.
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
        // What `anatomy report` does when all parts are there.
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

/// The findings of a report's folder; its catalog must be the one served.
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
