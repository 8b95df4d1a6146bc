//! `anatomy report --verify`: recomputes the findings and compares them with the stored ones.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use anyhow::{Result, bail};
use serde::Serialize;
use study::finding::Finding;
use study::section::Section;

use super::study_rows::StudyRows;
use crate::global::{Format, Global};
use crate::kept;
use crate::output;
use crate::provenance::Provenance;
use crate::report::PartChoice;

/// Relative tolerance: processors differ in the last bits of products, and slightly more in fits based on them.
const ROUNDING: f64 = 1e-6;
/// Maximum number of differing findings listed.
const NAMED: usize = 20;

#[derive(Serialize)]
struct Verified {
    n: usize,
    kept_sha256: String,
    computed_sha256: String,
    same_bits: bool,
    /// Largest relative difference of a value or interval limit, among the findings that agree within rounding.
    largest_difference: f64,
    /// Ids of findings that differ by more than rounding, or are missing on one side.
    differ: Vec<String>,
}

pub(super) fn run(global: &Global, rows: &StudyRows) -> Result<ExitCode> {
    let Some(kept) = rows.kept(global)? else {
        bail!(
            "no study of this catalog with this seed and these resamples is kept: `anatomy catalog keep` keeps one"
        );
    };
    let (study, catalog_hash, bar) = rows.study(global, &PartChoice::all(), None, None)?;
    bar.finish_and_clear();
    let told = compared(&kept.sections, &study.sections)?;
    let holds = told.differ.is_empty();
    match global.format() {
        Format::Json => output::json("verification", &told, Provenance::of(&catalog_hash, global.seed))?,
        Format::Table | Format::Csv => output::result(&words(&told))?,
    }
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn compared(kept: &[Section], computed: &[Section]) -> Result<Verified> {
    let of = |sections: &[Section]| -> Vec<Finding> {
        sections
            .iter()
            .flat_map(|section| section.findings.iter().cloned())
            .collect()
    };
    let (kept, computed) = (of(kept), of(computed));
    let (kept_sha256, computed_sha256) = (kept::hash(&kept)?, kept::hash(&computed)?);
    let by_id: BTreeMap<&str, &Finding> = kept
        .iter()
        .map(|finding| (finding.id.as_str(), finding))
        .collect();
    let mut differ = Vec::new();
    let mut largest = 0.0_f64;
    for finding in &computed {
        let distance = by_id
            .get(finding.id.as_str())
            .map_or(f64::INFINITY, |other| distance(finding, other));
        if distance > ROUNDING {
            differ.push(finding.id.clone());
        } else {
            largest = largest.max(distance);
        }
    }
    let there: BTreeSet<&str> = computed.iter().map(|finding| finding.id.as_str()).collect();
    differ.extend(
        by_id
            .keys()
            .filter(|id| !there.contains(*id))
            .map(ToString::to_string),
    );
    Ok(Verified {
        n: computed.len(),
        same_bits: kept_sha256 == computed_sha256,
        kept_sha256,
        computed_sha256,
        largest_difference: largest,
        differ,
    })
}

/// The largest relative difference of value and interval limits; infinite where n, verdict or presence differ.
fn distance(a: &Finding, b: &Finding) -> f64 {
    let relative = |a: f64, b: f64| {
        if a == b || (a.is_nan() && b.is_nan()) {
            0.0
        } else {
            (a - b).abs() / a.abs().max(b.abs()).max(1e-9)
        }
    };
    let value = match (a.value, b.value) {
        (Some(a), Some(b)) => relative(a, b),
        (None, None) => 0.0,
        _ => f64::INFINITY,
    };
    let ends = match (&a.interval, &b.interval) {
        (Some(a), Some(b)) => relative(a.low, b.low).max(relative(a.high, b.high)),
        (None, None) => 0.0,
        _ => f64::INFINITY,
    };
    if a.n == b.n && a.verdict == b.verdict {
        value.max(ends)
    } else {
        f64::INFINITY
    }
}

fn words(told: &Verified) -> String {
    if told.same_bits {
        return format!(
            "{} findings, the same to the bit: sha256 {}\n",
            told.n, told.computed_sha256
        );
    }
    if told.differ.is_empty() {
        return format!(
            "{} findings, the same but for rounding (at most {:.1e} of a value): sha256 {} here, {} kept\n",
            told.n, told.largest_difference, told.computed_sha256, told.kept_sha256
        );
    }
    let named: Vec<&str> = told.differ.iter().take(NAMED).map(String::as_str).collect();
    let more = match told.differ.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!("\n  and {n} more"),
    };
    format!(
        "{} of {} findings differ from those kept (`anatomy catalog keep` renews them):\n  {}{more}\n",
        told.differ.len(),
        told.n,
        named.join("\n  ")
    )
}
