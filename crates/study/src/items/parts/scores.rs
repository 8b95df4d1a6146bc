//! Every checkpoint's score with its interval from sampling of items.

use statrs::distribution::{Binomial, DiscreteCDF};

use crate::finding::Interval;
use crate::items::section::{ItemStudy, slug, table};
use crate::section::Section;

/// Adds one finding per checkpoint and benchmark.
pub(in crate::items) fn add(study: &ItemStudy<'_>, section: &mut Section) {
    let mut rows = table(
        "items_scores",
        "Share correct with the percentile interval of resampling items (95 %; exact, as a resampled share is binomial).".into(),
        &["benchmark", "checkpoint", "items", "share correct", "low", "high"],
    );
    for answers in study.answers {
        for (c, checkpoint) in answers.checkpoints.iter().enumerate() {
            let n = answers.n_answered(c);
            let score = answers.score(c);
            let interval = bootstrap(score, n);
            section.findings.push(
                study
                    .finding(
                        &format!("score.{}.{}", answers.benchmark, slug(checkpoint)),
                        format!(
                            "What share of {} does {checkpoint} answer correctly?",
                            answers.benchmark
                        ),
                    )
                    .with_value(score, "fraction", n, "mean over items")
                    .with_interval(interval.clone()),
            );
            rows.rows.push(vec![
                answers.benchmark.as_str().into(),
                checkpoint.as_str().into(),
                n.into(),
                score.into(),
                interval.as_ref().map(|interval| interval.low).into(),
                interval.as_ref().map(|interval| interval.high).into(),
            ]);
        }
    }
    // The report shows the table only if it fits on a screen; all rows are in the findings and the file.
    rows.shown = rows.rows.len() <= 60;
    section.tables.push(rows);
}

/// The limit of a bootstrap over items with infinitely many resamples.
fn bootstrap(score: f64, n: usize) -> Option<Interval> {
    let law = Binomial::new(score, n as u64).ok().filter(|_| n > 1)?;
    Some(Interval {
        low: law.inverse_cdf(0.025) as f64 / n as f64,
        high: law.inverse_cdf(0.975) as f64 / n as f64,
        level: 0.95,
        method: format!("bootstrap over {n} items, exact"),
    })
}
