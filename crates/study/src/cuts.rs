//! Value of a part at fixed size in networks that were cut and not retrained: the score of the network with other parts
//! cut, less that of the same network cut to the same size by this part, per doubling of the part lost. By network, and
//! pooled over networks.

use crate::finding::{Finding, Interval, SourceOf};
use crate::section::{Cell, Section, Table};
use crate::statistics::{hartung_knapp, normal_quantile};
use crate::weights::slug;

/// Effect of one part on one benchmark in one network.
#[derive(Debug, Clone, PartialEq)]
pub struct PartCut {
    /// The network's name.
    pub checkpoint: String,
    /// SHA-256 of the weights; empty where the result does not record it.
    pub sha256: String,
    /// The part, as named in the answer section: `layers`.
    pub part: String,
    /// The parts that were cut instead; their scores are averaged.
    pub against: Vec<String>,
    /// The benchmark, as named in the answer section: `arc`.
    pub benchmark: String,
    /// Effect in points per doubling of the part.
    pub value: f64,
    /// Standard error from paired items, in points; `None` where no answer differs.
    pub error: Option<f64>,
    /// Number of items.
    pub n: usize,
    /// Number of doses: shares of the network that were removed.
    pub doses: usize,
    /// Whether the score of the uncut network is indistinguishable from guessing.
    pub at_chance: bool,
}

/// Confidence level of each of `m` intervals for a joint coverage of 95 % (Bonferroni).
fn at_once(m: usize) -> f64 {
    1.0 - 0.05 / m.max(1) as f64
}

/// Pooled effect of several networks on one benchmark (Hartung–Knapp); of a single network its own effect and normal
/// interval.
fn pooled(own: &[&PartCut], level: f64) -> Option<(f64, Option<Interval>)> {
    let (values, errors): (Vec<f64>, Vec<f64>) =
        own.iter().filter_map(|cut| Some((cut.value, cut.error?))).unzip();
    if let ([value], [error]) = (&values[..], &errors[..]) {
        let half = normal_quantile(level) * error;
        let method = "items in pairs, of one network".to_owned();
        let ends = Interval {
            low: value - half,
            high: value + half,
            level,
            method,
        };
        return Some((*value, Some(ends)));
    }
    hartung_knapp(&values, &errors, level, "networks").map(|found| (found.value, found.interval))
}

/// Findings by network, `cuts.CHECKPOINT.PART.BENCHMARK`; pooled over networks, `cuts.all.PART.BENCHMARK`; and pooled
/// with intervals that hold for all benchmarks of a part at once, `cuts.simultaneous.PART.BENCHMARK`. Networks at
/// chance on a benchmark are reported but not pooled: their score cannot fall.
pub fn findings(cuts: &[PartCut]) -> Vec<Finding> {
    let mut all = Vec::new();
    for cut in cuts {
        let source = SourceOf {
            work: cut.checkpoint.clone(),
            place: format!("weights, SHA-256 {}", cut.sha256),
        };
        let interval = pooled(&[cut], 0.95).and_then(|(_, interval)| interval);
        let mut finding = Finding::new(
            format!("cuts.{}.{}.{}", slug(&cut.checkpoint), cut.part, cut.benchmark),
            format!(
                "How many points on {} is a doubling of {} worth at one size in {}, cut and not trained again?",
                cut.benchmark, cut.part, cut.checkpoint
            ),
            &source,
        )
        .with_value(cut.value, "points per doubling", cut.n, "line through the origin over doses, by item")
        .with_interval(interval)
        .with_note(format!(
            "{} doses; {} cut instead, their mean",
            cut.doses,
            cut.against.join(", ")
        ));
        if cut.at_chance {
            finding = finding.with_note("at chance before anything was cut");
        }
        all.push(finding);
    }
    let mut parts: Vec<&str> = cuts.iter().map(|cut| cut.part.as_str()).collect();
    parts.sort_unstable();
    parts.dedup();
    for part in parts {
        let told: Vec<&PartCut> = cuts
            .iter()
            .filter(|cut| cut.part == part && !cut.at_chance)
            .collect();
        let mut benchmarks: Vec<&str> = told.iter().map(|cut| cut.benchmark.as_str()).collect();
        benchmarks.sort_unstable();
        benchmarks.dedup();
        for benchmark in &benchmarks {
            let own: Vec<&PartCut> = told
                .iter()
                .copied()
                .filter(|cut| cut.benchmark == *benchmark)
                .collect();
            let names: Vec<&str> = own.iter().map(|cut| cut.checkpoint.as_str()).collect();
            let source = SourceOf {
                work: names.join(", "),
                place: "weights".into(),
            };
            for (kind, level) in [("all", 0.95), ("simultaneous", at_once(benchmarks.len()))] {
                let Some((value, interval)) = pooled(&own, level) else {
                    continue;
                };
                let question = format!(
                    "How many points on {benchmark} is a doubling of {part} worth at one size, over networks cut and not trained \
                     again{}?",
                    if kind == "all" {
                        ""
                    } else {
                        ", all benchmarks looked at together"
                    }
                );
                all.push(
                    Finding::new(format!("cuts.{kind}.{part}.{benchmark}"), question, &source)
                        .with_value(
                            value,
                            "points per doubling",
                            own.len(),
                            "random effects over networks",
                        )
                        .with_interval(interval)
                        .with_note(format!(
                            "{} items in all",
                            own.iter().map(|cut| cut.n).sum::<usize>()
                        )),
                );
            }
        }
    }
    all
}

/// Adds the findings and their table to the section on weights.
pub fn add(section: &mut Section, cuts: &[PartCut]) {
    if cuts.is_empty() {
        return;
    }
    section.findings.extend(findings(cuts));
    section.text.push(
        "Networks cut to one size: the same share of the parameters taken from one part or from the others, on the same items, \
         nothing trained afterwards; in points per doubling of the part, so that it stands beside what runs and checkpoints say."
            .into(),
    );
    let row = |cut: &PartCut| -> Vec<Cell> {
        let ends = pooled(&[cut], 0.95).and_then(|(_, interval)| interval);
        vec![
            cut.checkpoint.as_str().into(),
            cut.part.as_str().into(),
            cut.against.join(", ").as_str().into(),
            cut.benchmark.as_str().into(),
            cut.value.into(),
            ends.as_ref().map(|ends| ends.low).into(),
            ends.as_ref().map(|ends| ends.high).into(),
            cut.n.into(),
            cut.doses.into(),
            (if cut.at_chance { "at chance before" } else { "" }).into(),
        ]
    };
    section.tables.push(Table {
        id: "weights-cuts".into(),
        caption: "Points per doubling of a part at one size, by network; 95 % intervals over items in pairs, each by itself.".into(),
        columns: [
            "checkpoint",
            "part",
            "cut instead",
            "benchmark",
            "points per doubling",
            "low",
            "high",
            "items",
            "doses",
            "note",
        ]
        .map(String::from)
        .to_vec(),
        rows: cuts.iter().map(row).collect(),
        shown: false,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(checkpoint: &str, value: f64, error: Option<f64>, at_chance: bool) -> PartCut {
        PartCut {
            checkpoint: checkpoint.into(),
            sha256: "ab".into(),
            part: "layers".into(),
            against: vec!["d_ffn".into()],
            benchmark: "arc".into(),
            value,
            error,
            n: 40,
            doses: 2,
            at_chance,
        }
    }

    fn of<'a>(all: &'a [Finding], id: &str) -> &'a Finding {
        all.iter()
            .find(|finding| finding.id == id)
            .unwrap_or_else(|| panic!("no {id}"))
    }

    #[test]
    fn networks_are_put_together_and_those_at_chance_are_told_alone() {
        let cuts = [
            cut("A 1", 10.0, Some(2.0), false),
            cut("B", 12.0, Some(2.0), false),
            cut("C", 11.0, Some(2.0), false),
            cut("D", -50.0, Some(2.0), true),
        ];
        let all = findings(&cuts);
        let over = of(&all, "cuts.all.layers.arc");
        assert_eq!((over.value, over.n), (Some(11.0), 3));
        // The t quantile of two degrees of freedom, 4.303, times a standard error of 2 / √3.
        let ends = over.interval.as_ref().expect("three networks");
        assert!(
            (ends.high - 11.0 - 4.302_652_7 * 2.0 / 3.0_f64.sqrt()).abs() < 1e-5,
            "{ends:?}"
        );
        // With a single benchmark there is nothing to correct for.
        assert_eq!(
            of(&all, "cuts.simultaneous.layers.arc")
                .interval
                .as_ref()
                .map(|e| e.high),
            Some(ends.high)
        );
        assert!(
            of(&all, "cuts.d.layers.arc")
                .notes
                .iter()
                .any(|note| note.contains("at chance"))
        );
        let alone = of(&all, "cuts.a_1.layers.arc").interval.as_ref().expect("items");
        assert!((alone.low - (10.0 - 1.959_964 * 2.0)).abs() < 1e-5);
    }

    #[test]
    fn one_network_stands_for_itself_and_what_never_differs_has_no_interval() {
        let all = findings(&[cut("A", 3.0, Some(1.0), false)]);
        assert_eq!(of(&all, "cuts.all.layers.arc").value, Some(3.0));
        let all = findings(&[cut("A", 0.0, None, false)]);
        assert_eq!(of(&all, "cuts.a.layers.arc").interval, None);
        assert!(!all.iter().any(|finding| finding.id.starts_with("cuts.all")));
    }
}
