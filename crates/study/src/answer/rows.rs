//! Reads the marks of each cell from findings, by id.

use crate::claims::Findings;
use crate::finding::{Finding, Interval};
use crate::section::{Evidence, Mark};
use crate::statistics::normal_quantile;

/// Kinds of evidence in the order of the marks in a cell.
pub(super) const KINDS: [Evidence; 4] = [
    Evidence::Observational,
    Evidence::Controlled,
    Evidence::Surgery,
    Evidence::Cuts,
];

/// Definition of size that is held fixed in the controlled mark.
const FIXED: &str = "flops_token";

pub(super) fn marks(findings: &Findings<'_>, part: &str, benchmark: &str) -> Vec<Mark> {
    [
        observed(findings, part, benchmark),
        controlled(findings, part, benchmark),
        surgery(findings, part, benchmark).or_else(|| cuts(findings, part, benchmark)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mark(evidence: Evidence, finding: &Finding, is_clear: bool, sees: Option<f64>) -> Option<Mark> {
    Some(Mark {
        evidence,
        value: finding.value?,
        interval: finding.interval.as_ref().map(|ends| (ends.low, ends.high)),
        is_clear,
        sees,
        n: finding.n,
    })
}

fn leaves_zero(finding: Option<&Finding>) -> bool {
    finding
        .and_then(|finding| finding.interval.as_ref())
        .is_some_and(|ends: &Interval| !ends.covers(0.0))
}

fn observed(findings: &Findings<'_>, part: &str, benchmark: &str) -> Option<Mark> {
    let end = format!("{part}.{benchmark}");
    let main = findings.get(&format!("pooled.effect.{end}"))?;
    let at_once = findings.get(&format!("pooled.simultaneous.{end}"));
    let sees = findings.value(&format!("pooled.mde.{end}"));
    mark(Evidence::Observational, main, leaves_zero(at_once), sees)
}

/// The mean over suites where there are several, else the result of the only suite.
fn controlled(findings: &Findings<'_>, part: &str, benchmark: &str) -> Option<Mark> {
    if part == "size" {
        let end = format!(".{FIXED}.{benchmark}");
        let under = findings.under("controlled.size.");
        let (_, main) = under.into_iter().find(|(rest, _)| rest.ends_with(&end))?;
        return mark(Evidence::Controlled, main, leaves_zero(Some(main)), None);
    }
    let end = format!("{FIXED}.{part}.{benchmark}");
    if let Some(all) = findings.get(&format!("controlled.all.{end}")) {
        return mark(Evidence::Controlled, all, leaves_zero(Some(all)), None);
    }
    let under = findings.under("controlled.simultaneous.");
    let (rest, at_once) = under
        .into_iter()
        .find(|(rest, _)| rest.ends_with(&format!(".{end}")))?;
    let main = findings.get(&format!("controlled.{rest}"))?;
    let sees = findings.value(&format!("controlled.mde.{rest}"));
    mark(Evidence::Controlled, main, leaves_zero(Some(at_once)), sees)
}

/// Published pairs of networks of one size. Their intervals cover item sampling only, and are widened here for the
/// number of benchmarks tested on the same pair.
fn surgery(findings: &Findings<'_>, part: &str, benchmark: &str) -> Option<Mark> {
    let end = format!(".parameters.{part}.{benchmark}");
    let pairs: Vec<(&str, &Finding)> = findings
        .under("controlled.")
        .into_iter()
        .filter(|(_, finding)| finding.protocol == "published_pair")
        .collect();
    let (rest, main) = pairs.iter().find(|(rest, _)| rest.ends_with(&end))?;
    let stem = rest.strip_suffix(benchmark)?;
    let together = pairs.iter().filter(|(other, _)| other.starts_with(stem)).count();
    let wider = normal_quantile(0.95_f64.powf(1.0 / together as f64)) / normal_quantile(0.95);
    let value = main.value?;
    let is_clear = main
        .interval
        .as_ref()
        .is_some_and(|ends| (ends.high - value) * wider < value.abs());
    mark(Evidence::Surgery, main, is_clear, None)
}

/// Networks cut to one size and not retrained; used where there is no published pair.
fn cuts(findings: &Findings<'_>, part: &str, benchmark: &str) -> Option<Mark> {
    let end = format!("{part}.{benchmark}");
    let main = findings.get(&format!("cuts.all.{end}"))?;
    let at_once = findings.get(&format!("cuts.simultaneous.{end}"));
    mark(Evidence::Cuts, main, leaves_zero(at_once), None)
}
