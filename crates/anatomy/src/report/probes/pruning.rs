//! Section on the losses in log-likelihood and score when layers are removed.

use mechanism::evaluate::metrics::Method;
use mechanism::evaluate::paired::Paired;
use mechanism::prune::PruningEffect;
use study::finding::{Finding, Interval};
use study::section::{Axis, Bar, Drawing, Figure, Section, Table};

use super::{Named, Z, slug, source};

/// Builds the section.
pub(super) fn section(all: &[Named<PruningEffect>]) -> Section {
    let mut section = Section {
        id: "pruning".into(),
        title: "Inside checkpoints: what removing layers costs".into(),
        ..Section::default()
    };
    let asked: Vec<_> = all
        .iter()
        .filter(|named| !named.result.before.is_empty())
        .collect();
    if !asked.is_empty() {
        requests(&asked, &mut section);
    }
    let scored: Vec<_> = all
        .iter()
        .filter(|named| !named.result.benchmarks.is_empty())
        .collect();
    if !scored.is_empty() {
        benchmarks(&scored, &mut section);
    }
    section
}

/// Loss in log-likelihood of continuations.
fn requests(all: &[&Named<PruningEffect>], section: &mut Section) {
    section.text.push(
        "Log-likelihoods of the same continuations with all layers and with some removed; differences are paired by \
         request."
            .into(),
    );
    let mut rows = Vec::new();
    for named in all {
        let found = change(named);
        let removed = removed(named);
        section.text.push(format!(
            "{}: without layers {removed} a continuation changes by {} nats.",
            named.name,
            found
                .value
                .map_or_else(|| "–".into(), |value| format!("{value:+.3}"))
        ));
        rows.push(Bar {
            group: "change of log-likelihood".into(),
            series: format!("{} (without {removed})", named.name),
            value: found.value.unwrap_or(f64::NAN),
            interval: found.interval.as_ref().map(|ends| (ends.low, ends.high)),
        });
        section.findings.push(found);
    }
    let n: usize = all.iter().map(|named| named.result.before.len()).sum();
    section.figures.push(Figure {
        id: "pruning-change".into(),
        title: "Log-likelihoods with layers removed".into(),
        caption: format!(
            "Mean change of a continuation's log-likelihood with 95 % intervals over paired requests; n = {n} requests in {} \
             results.",
            all.len()
        ),
        n,
        x: Axis::linear("change of log-likelihood (nats)"),
        y: Axis::default(),
        drawing: Drawing::Intervals {
            rows,
            reference: 0.0,
        },
    });
    section.tables.push(table(all));
}

/// Loss in benchmark scores.
fn benchmarks(all: &[&Named<PruningEffect>], section: &mut Section) {
    section.text.push(
        "Scores on the same items with all layers and with some removed; intervals are of items in pairs. Multiple choice \
         says little of what generation loses."
            .into(),
    );
    let (mut bars, mut rows) = (Vec::new(), Vec::new());
    for named in all {
        for paired in &named.result.benchmarks {
            let found = score_change(named, paired);
            let metric = paired.metric.trim_end_matches(",none");
            let ends = found.interval.as_ref().map(|ends| (ends.low, ends.high));
            bars.push(Bar {
                group: format!("{}, {metric}", paired.task),
                series: format!("{} (without {})", named.name, removed(named)),
                value: found.value.unwrap_or(f64::NAN),
                interval: ends,
            });
            rows.push(vec![
                named.name.clone().into(),
                removed(named).into(),
                paired.task.as_str().into(),
                metric.into(),
                (100.0 * paired.before).into(),
                (100.0 * paired.after).into(),
                found.value.into(),
                ends.map(|ends| ends.0).into(),
                ends.map(|ends| ends.1).into(),
                paired.comparison.mcnemar_p.into(),
                found.n.into(),
            ]);
            section.findings.push(found);
        }
    }
    let n: usize = rows.len();
    // Panels are titled by their group; a single panel needs no title.
    let first = bars.first().map(|bar| bar.group.clone()).unwrap_or_default();
    let single = bars.iter().all(|bar| bar.group == first);
    let of = if single {
        format!(": {first}")
    } else {
        String::new()
    };
    section.figures.push(Figure {
        id: "pruning-scores".into(),
        title: format!("Scores with layers removed{of}"),
        caption: format!(
            "Change of scores with 95 % intervals over paired items; n = {n} scores of {} results.",
            all.len()
        ),
        n,
        x: Axis::linear("change of score (points)"),
        y: Axis::default(),
        drawing: Drawing::Intervals {
            rows: bars,
            reference: 0.0,
        },
    });
    section.tables.push(Table {
        id: "pruning-scores".into(),
        caption: "Scores in points with all layers and with some removed; differences with 95 % intervals over paired items."
            .into(),
        columns: [
            "result", "removed", "task", "metric", "before", "after", "difference", "low", "high", "McNemar p", "items",
        ]
        .map(String::from)
        .to_vec(),
        rows,
        shown: true,
    });
}

fn score_change(named: &Named<PruningEffect>, paired: &Paired) -> Finding {
    let metric = paired.metric.trim_end_matches(",none");
    let comparison = &paired.comparison;
    Finding::new(
        format!(
            "pruning.{}.{}.{}",
            slug(&named.name),
            slug(&paired.task),
            slug(metric)
        ),
        format!(
            "How many points does {} on {} change without layers {}?",
            metric,
            paired.task,
            removed(named)
        ),
        &source(&named.name, "prune"),
    )
    .with_value(
        100.0 * comparison.difference,
        "points",
        comparison.n,
        "mean of paired differences",
    )
    .with_interval(Some(Interval {
        low: 100.0 * comparison.low,
        high: 100.0 * comparison.high,
        level: comparison.level,
        method: comparison
            .method
            .unwrap_or(Method::PercentileBootstrap)
            .said()
            .into(),
    }))
    .with_figure("pruning-scores")
}

fn removed(named: &Named<PruningEffect>) -> String {
    let layers = named.result.pruning.removed_layers.iter();
    layers.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn change(named: &Named<PruningEffect>) -> Finding {
    let result = &named.result;
    let pairs = result.before.iter().zip(&result.after);
    let differences: Vec<f64> = pairs.map(|(before, after)| after.sum - before.sum).collect();
    let n = differences.len();
    let mean = differences.iter().sum::<f64>() / n as f64;
    let square: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    let error = (square / (n as f64 - 1.0) / n as f64).sqrt();
    Finding::new(
        format!("pruning.{}.change", slug(&named.name)),
        format!(
            "How much does a continuation's log-likelihood change without layers {}?",
            removed(named)
        ),
        &source(&named.name, "prune"),
    )
    .with_value(mean, "nats", n, "mean of paired differences")
    .with_interval((n > 1).then(|| Interval {
        low: mean - Z * error,
        high: mean + Z * error,
        level: 0.95,
        method: "normal, paired by request".into(),
    }))
    .with_figure("pruning-change")
}

fn table(all: &[&Named<PruningEffect>]) -> Table {
    let mut rows = Vec::new();
    for named in all {
        let pairs = named.result.before.iter().zip(&named.result.after);
        rows.extend(pairs.enumerate().map(|(request, (before, after))| {
            vec![
                named.name.clone().into(),
                request.into(),
                before.sum.into(),
                after.sum.into(),
                before.tokens.into(),
            ]
        }));
    }
    Table {
        id: "pruning-requests".into(),
        caption: "Log-likelihoods (nats) of each request with all layers and with some removed.".into(),
        columns: ["result", "request", "before", "after", "tokens"]
            .map(String::from)
            .to_vec(),
        rows,
        shown: false,
    }
}
