//! Difficulty of the items of each benchmark, and how well they discriminate between checkpoints.

use crate::items::difficulty::{ItemFacts, fleiss, items};
use crate::items::section::{ItemStudy, table, wilson};
use crate::section::{Axis, Cell, Drawing, Figure, Section};
use crate::statistics::{bootstrap_interval, mean, median, resample_counts};

/// A predicate on items.
type Is = fn(&ItemFacts) -> bool;
/// With fewer checkpoints than this the text says that there are few.
const FEW: usize = 10;
/// Maximum number of panels in a figure.
const PANELS: usize = 12;

/// Adds the findings, the row of the table and the panel of the figure for each benchmark.
pub(in crate::items) fn add(study: &ItemStudy<'_>, section: &mut Section) {
    let mut rows = table(
        "items_benchmarks",
        "Items of each benchmark: shares of items (95 % intervals in the findings), median of the corrected item-total correlation, \
         Fleiss' kappa of the checkpoints' right and wrong answers."
            .into(),
        &[
            "benchmark",
            "items",
            "checkpoints",
            "mean share correct",
            "all fail (share)",
            "all solve (share)",
            "median discrimination",
            "negative discrimination (share)",
            "fleiss kappa",
        ],
    );
    let fewest = study
        .answers
        .iter()
        .map(|answers| answers.checkpoints.len())
        .min();
    if let Some(few) = fewest.filter(|few| *few < FEW) {
        section.text.push(format!(
            "Discrimination of items and agreement of checkpoints (kappa) rest on {few} checkpoint{} here: they describe these, and \
             say little of the items.",
            if few == 1 { "" } else { "s" }
        ));
    }
    let mut panels = Vec::new();
    for answers in study.answers {
        let name = answers.benchmark.as_str();
        let facts = items(answers);
        let facts: Vec<ItemFacts> = facts.into_iter().filter(|item| item.n > 0).collect();
        let shares: Vec<f64> = facts.iter().map(ItemFacts::share).collect();
        let n = facts.len();
        if n == 0 {
            continue;
        }
        let seed = study.bootstrap.seed;
        let weighted = |values: &[f64], counts: &[u32]| {
            let sums = values.iter().zip(counts).map(|(v, &w)| v * f64::from(w));
            sums.sum::<f64>() / counts.iter().map(|&w| f64::from(w)).sum::<f64>()
        };
        let drawn = resample_counts(n, study.bootstrap, |counts| {
            (weighted(&shares, counts), fleiss(&facts, counts))
        });
        let (means, kappas): (Vec<f64>, Vec<f64>) = drawn.into_iter().unzip();
        let by_items = |values: &[f64]| {
            let interval = bootstrap_interval(values, n, 0.95)?;
            let method = format!("bootstrap over {n} items, {} resamples", values.len());
            Some(crate::finding::Interval { method, ..interval })
        };
        let average = mean(&shares);
        section.findings.push(
            study
                .finding(
                    &format!("difficulty.{name}"),
                    format!("What share of checkpoints solves an item of {name}, on average?"),
                )
                .with_value(average, "fraction", n, "mean over items of the share correct")
                .with_interval(by_items(&means))
                .with_seed(seed),
        );
        let mut cells: Vec<Cell> = vec![
            name.into(),
            n.into(),
            answers.checkpoints.len().into(),
            average.into(),
        ];
        let kinds: [(&str, &str, Is); 2] = [
            ("all_fail", "does no checkpoint solve", |item| item.correct == 0),
            ("all_solve", "does every checkpoint solve", |item| {
                item.correct == item.n
            }),
        ];
        for (id, words, is) in kinds {
            let count = facts.iter().filter(|item| is(item)).count();
            let share = count as f64 / n as f64;
            // Expected share if all items were equally hard and answers independent.
            let chance = |item: &ItemFacts| {
                let base = if id == "all_fail" { 1.0 - average } else { average };
                base.powi(item.n as i32)
            };
            let expected: f64 = facts.iter().map(chance).sum::<f64>() / n as f64;
            section.findings.push(
                study
                    .finding(
                        &format!("{id}.{name}"),
                        format!("What share of the items of {name} {words}?"),
                    )
                    .with_value(share, "fraction", n, "share of items")
                    .with_interval(wilson(count, n))
                    .with_note(format!(
                        "{count} items, {} checkpoints; were all items equally hard, {expected:.2e} of them",
                        answers.checkpoints.len()
                    )),
            );
            cells.push(share.into());
        }
        let known: Vec<f64> = facts
            .iter()
            .map(|item| item.discrimination)
            .filter(|r| r.is_finite())
            .collect();
        let middle = if known.is_empty() {
            f64::NAN
        } else {
            median(&known)
        };
        let drawn = resample_counts(known.len(), study.bootstrap, |counts| {
            weighted_median(&known, counts)
        });
        let negative = known.iter().filter(|&&r| r < 0.0).count();
        section.findings.push(
            study
                .finding(
                    &format!("discrimination.{name}"),
                    format!("How much does solving an item of {name} go with solving the others?"),
                )
                .with_value(
                    middle,
                    "1",
                    known.len(),
                    "median corrected item-total correlation",
                )
                .with_interval(by_items(&drawn).filter(|_| known.len() >= 5))
                .with_seed(seed)
                .with_note("items that all or none solve have none"),
        );
        section.findings.push(
            study
                .finding(
                    &format!("discrimination.negative.{name}"),
                    format!("What share of the items of {name} do worse checkpoints solve more often?"),
                )
                .with_value(
                    negative as f64 / known.len() as f64,
                    "fraction",
                    known.len(),
                    "share of items with a negative corrected item-total correlation",
                )
                .with_interval(wilson(negative, known.len())),
        );
        let kappa = fleiss(&facts, &vec![1; n]);
        section.findings.push(
            study
                .finding(
                    &format!("agreement.{name}"),
                    format!("How far do checkpoints agree on which items of {name} they solve, beyond their mean score?"),
                )
                .with_value(kappa, "1", n, "fleiss kappa")
                .with_interval(by_items(&kappas))
                .with_seed(seed)
                .with_note("pairs of checkpoints: `select * from checkpoint_agreement`"),
        );
        cells.push(middle.into());
        cells.push((negative as f64 / known.len() as f64).into());
        cells.push(kappa.into());
        rows.rows.push(cells);
        panels.push((
            name.to_owned(),
            shares.iter().map(|share| 100.0 * share).collect::<Vec<f64>>(),
        ));
    }
    panels.sort_by_key(|(_, shares)| std::cmp::Reverse(shares.len()));
    panels.truncate(PANELS);
    let n = panels.iter().map(|(_, shares)| shares.len()).sum();
    if n > 0 {
        section.figures.push(Figure {
            id: "items-difficulty".into(),
            title: "How many checkpoints solve each item".into(),
            caption: format!(
                "Share of checkpoints that solve an item, {n} items of the {} largest benchmarks.",
                panels.len()
            ),
            n,
            x: Axis::linear("checkpoints that solve it (%)"),
            y: Axis::linear("items"),
            drawing: Drawing::Histograms(panels),
        });
    }
    section.tables.push(rows);
}

/// Median of values, each with a count.
fn weighted_median(values: &[f64], counts: &[u32]) -> f64 {
    let mut drawn: Vec<(f64, u32)> = values.iter().copied().zip(counts.iter().copied()).collect();
    drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = counts.iter().map(|&c| u64::from(c)).sum::<u64>() / 2;
    let mut seen = 0;
    for (value, count) in drawn {
        seen += u64::from(count);
        if seen > half {
            return value;
        }
    }
    f64::NAN
}
