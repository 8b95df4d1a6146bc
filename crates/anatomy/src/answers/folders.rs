//! Compares two folders of evaluation results item by item: is the candidate worse than the baseline?

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::items::{ImportSettings, files, import};
use catalog::query::{Engine, Values};
use serde::Serialize;
use study::finding::Interval;

/// Names of the two in the table of items.
const NAMES: [&str; 2] = ["baseline", "candidate"];
/// Family-wise error rate: probability of reporting any decline when none of the benchmarks declined.
const ALPHA: f64 = 0.05;

/// The answer of `compare --baseline --candidate`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FolderComparison {
    pub(crate) baseline: String,
    pub(crate) candidate: String,
    /// One per benchmark that both were evaluated on.
    pub(crate) benchmarks: Vec<OfBenchmark>,
    /// Benchmarks on which the candidate is significantly worse.
    pub(crate) worse: Vec<String>,
    /// Benchmarks on which the candidate is significantly better.
    pub(crate) better: Vec<String>,
    pub(crate) verdict: String,
    pub(crate) notes: Vec<String>,
    pub(crate) seed: u64,
}

/// One benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OfBenchmark {
    pub(crate) benchmark: String,
    /// Metric that scores the answers, as the harness names it (`acc_norm,none`); empty where the results do not say.
    pub(crate) metric: String,
    /// Number of items that both answered.
    pub(crate) n: usize,
    /// Mean score of the baseline over these items, points.
    pub(crate) baseline: f64,
    /// Mean score of the candidate over these items, points.
    pub(crate) candidate: f64,
    /// Candidate minus baseline, points.
    pub(crate) difference: f64,
    /// 95 % confidence interval of the difference.
    pub(crate) interval: Interval,
    /// Number of items that only the baseline solves; `None` where items have partial scores.
    pub(crate) only_baseline: Option<usize>,
    /// Number of items that only the candidate solves; `None` likewise.
    pub(crate) only_candidate: Option<usize>,
    /// p value of McNemar's exact test; `None` where items have partial scores.
    pub(crate) p: Option<f64>,
    /// `p` adjusted for the number of benchmarks that have one (Holm 1979).
    pub(crate) p_adjusted: Option<f64>,
    /// `worse`, `better` or `no difference seen`.
    pub(crate) verdict: &'static str,
}

/// Formats a p value for display.
fn small(p: f64) -> String {
    if p < 0.001 {
        format!("{p:.0e}")
    } else {
        format!("{p:.3}")
    }
}

/// Compares the results in two folders on the items that both contain.
///
/// # Errors
/// A folder without answers to items, or with those of several checkpoints; no item in common.
pub(crate) fn folders(baseline: &Path, candidate: &Path, seed: u64) -> Result<FolderComparison> {
    let table = tempfile::tempdir().context("not enough memory for the table of items")?;
    for (folder, name) in [baseline, candidate].into_iter().zip(NAMES) {
        let settings = ImportSettings {
            id: Some(name.to_owned()),
            filter: None,
        };
        let found = files(&[folder.to_path_buf()])?;
        import(&found, table.path(), &settings, &mut |_| {}).with_context(|| {
            format!(
                "{} must hold the answers of one checkpoint only",
                folder.display()
            )
        })?;
    }
    let engine = Engine::with_items(None, table.path(), 2 << 30, 0, seed)?;
    let sql = format!(
        "select benchmark, n, score_a, score_b, difference, low, high, only_a, only_b, p from paired_comparison \
         where a = '{}' and b = '{}' order by benchmark",
        NAMES[0], NAMES[1]
    );
    let mut benchmarks = rows(&engine.query(&sql)?.columns()?);
    if benchmarks.is_empty() {
        let of = |name: &str| -> Result<String> {
            let sql = format!("select distinct benchmark from items where id = '{name}' order by 1");
            let columns = engine.query(&sql)?.columns()?;
            Ok(texts(&columns, "benchmark").join(", "))
        };
        bail!(
            "the two folders have no item in common: {} holds {}, {} holds {}",
            baseline.display(),
            of(NAMES[0])?,
            candidate.display(),
            of(NAMES[1])?
        );
    }
    let metrics = metrics(&engine)?;
    for one in &mut benchmarks {
        if let Some(metric) = metrics.get(&one.benchmark) {
            one.metric.clone_from(metric);
        }
    }
    judge(&mut benchmarks);
    let named = |verdict: &str| -> Vec<String> {
        let found = benchmarks.iter().filter(|one| one.verdict == verdict);
        found.map(|one| one.benchmark.clone()).collect()
    };
    let (worse, better) = (named("worse"), named("better"));
    let n = benchmarks.len();
    let verdict = match (worse.is_empty(), better.is_empty()) {
        (false, _) => format!(
            "worse by more than noise on {} of {n}: {}",
            worse.len(),
            worse.join(", ")
        ),
        (true, false) => format!(
            "nowhere worse by more than noise, better on {}",
            better.join(", ")
        ),
        (true, true) => format!(
            "no difference is seen on {n} benchmark{}",
            if n == 1 { "" } else { "s" }
        ),
    };
    Ok(FolderComparison {
        baseline: baseline.display().to_string(),
        candidate: candidate.display().to_string(),
        benchmarks,
        worse,
        better,
        verdict,
        notes: vec![
            "items are paired: both answered the same ones; an interval says what other items would give, not another run"
                .into(),
            format!(
                "a fall is one where p, adjusted for the number of benchmarks, is below {ALPHA}; where items have partial \
                 scores, where the interval lies below 0"
            ),
        ],
        seed,
    })
}

/// Metrics that score each benchmark's items; several where they differ.
pub(crate) fn metrics(engine: &Engine) -> Result<BTreeMap<String, String>> {
    let sql =
        "select distinct benchmark, metric from items where metric is not null order by benchmark, metric";
    let columns = engine.query(sql)?.columns()?;
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (benchmark, metric) in texts(&columns, "benchmark")
        .into_iter()
        .zip(texts(&columns, "metric"))
    {
        let known = all.entry(benchmark).or_default();
        if !known.is_empty() {
            known.push_str(" or ");
        }
        known.push_str(&metric);
    }
    Ok(all)
}

fn judge(benchmarks: &mut [OfBenchmark]) {
    let tested: Vec<usize> = (0..benchmarks.len())
        .filter(|&place| benchmarks[place].p.is_some())
        .collect();
    let p: Vec<f64> = tested.iter().filter_map(|&place| benchmarks[place].p).collect();
    for (&place, adjusted) in tested.iter().zip(study::statistics::holm(&p)) {
        benchmarks[place].p_adjusted = Some(adjusted);
    }
    for one in benchmarks {
        let is_clear = match one.p_adjusted {
            Some(p) => p < ALPHA,
            None => !one.interval.covers(0.0),
        };
        one.verdict = match (is_clear, one.difference < 0.0) {
            (true, true) => "worse",
            (true, false) => "better",
            (false, _) => "no difference seen",
        };
    }
}

type Columns = [(String, Values)];

fn texts(columns: &Columns, name: &str) -> Vec<String> {
    match columns.iter().find(|(other, _)| other == name) {
        Some((_, Values::Text(cells))) => cells
            .iter()
            .map(|cell| cell.clone().unwrap_or_default())
            .collect(),
        _ => Vec::new(),
    }
}

fn rows(columns: &Columns) -> Vec<OfBenchmark> {
    let number = |name: &str, row: usize| match columns.iter().find(|(other, _)| other == name) {
        Some((_, Values::Numbers(cells))) => cells.get(row).copied().flatten(),
        _ => None,
    };
    let points = |name: &str, row: usize| number(name, row).map_or(f64::NAN, |share| 100.0 * share);
    texts(columns, "benchmark")
        .into_iter()
        .enumerate()
        .map(|(row, benchmark)| {
            let p = number("p", row);
            OfBenchmark {
                benchmark,
                metric: String::new(),
                n: number("n", row).unwrap_or_default() as usize,
                baseline: points("score_a", row),
                candidate: points("score_b", row),
                difference: points("difference", row),
                interval: Interval {
                    low: points("low", row),
                    high: points("high", row),
                    level: 0.95,
                    method: if p.is_some() {
                        "paired proportions, Tango".into()
                    } else {
                        "bootstrap over items in pairs (1000)".into()
                    },
                },
                only_baseline: number("only_a", row).map(|n| n as usize),
                only_candidate: number("only_b", row).map(|n| n as usize),
                p,
                p_adjusted: None,
                verdict: "no difference seen",
            }
        })
        .collect()
}

impl FolderComparison {
    /// Markdown for a pull request: one sentence and one table.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!(
            "### Candidate against baseline: {}\n\n| benchmark | metric | items | baseline | candidate | difference | 95 % | p, adjusted \
             | verdict |\n|---|---|--:|--:|--:|--:|---|--:|---|\n",
            self.verdict
        );
        for one in &self.benchmarks {
            let p = one.p_adjusted.map_or_else(|| "–".to_owned(), small);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {:.1} | {:.1} | {:+.1} | [{:+.1}, {:+.1}] | {p} | {} |",
                one.benchmark,
                one.metric,
                one.n,
                one.baseline,
                one.candidate,
                one.difference,
                one.interval.low,
                one.interval.high,
                one.verdict
            );
        }
        for note in &self.notes {
            let _ = write!(text, "\n_{note}_\n");
        }
        text
    }
}
