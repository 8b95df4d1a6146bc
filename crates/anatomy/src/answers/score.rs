//! Predicts one benchmark: value, calibrated interval, feature contributions, and whether it extrapolates.

use anyhow::Result;
use catalog::day_text;
use serde::Serialize;
use study::Design;
use study::conformal::Conformal;
use study::finding::Interval;
use study::regression::{Attribution, Novelty, Prediction};

use super::measured::Measured;
use super::predictor::{BOUNDS, Benchmark, Fitted, LEVEL};
use super::subject::AskedStructure;

/// One benchmark's prediction.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ScoreAnswer {
    pub(crate) benchmark: String,
    pub(crate) leaderboard: String,
    /// Predicted score; `None` where too few shapes were measured or a feature is not known (see `notes`).
    pub(crate) value: Option<f64>,
    pub(crate) unit: String,
    /// Conformal interval, calibrated over shapes, for the score of a single checkpoint of this structure.
    pub(crate) interval: Option<Interval>,
    /// Score of random guessing, points; `None` where not known.
    pub(crate) chance: Option<f64>,
    /// Comparison with `chance` in words; `None` where the prediction and its interval lie above it.
    pub(crate) floor: Option<String>,
    /// Number of training rows.
    pub(crate) n: usize,
    /// Number of shapes among the training rows.
    pub(crate) n_shapes: usize,
    /// Number of training rows of exactly this shape.
    pub(crate) n_of_this_shape: usize,
    pub(crate) method: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) features: Vec<String>,
    /// Measured coverage of such intervals on unseen shapes.
    pub(crate) coverage: Option<CoverageAnswer>,
    /// R² on unseen shapes, pooled over folds.
    pub(crate) r2_out_of_shape: Option<f64>,
    /// Baseline of the Shapley values: the mean over known shapes. `base` plus all contributions gives the value.
    pub(crate) base: Option<f64>,
    /// Contribution of each feature (Shapley value), the largest in absolute value first.
    pub(crate) drivers: Vec<Driver>,
    pub(crate) extrapolating: bool,
    /// Reasons for `extrapolating`, in words; empty where it is false.
    pub(crate) outside: Vec<String>,
    /// Distance to the nearest training structure, in length scales of the regression.
    pub(crate) distance: Option<f64>,
    /// 95th percentile of the known shapes' distances to their nearest neighbour; beyond it counts as extrapolation.
    pub(crate) distance_usual: Option<f64>,
    /// Scores that leaderboards measured for this checkpoint.
    pub(crate) measured: Vec<Measured>,
    pub(crate) notes: Vec<String>,
}

/// The Shapley value of one feature.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Driver {
    pub(crate) feature: String,
    /// The feature's value in the structure in question, formatted.
    pub(crate) given: String,
    /// Contribution to the prediction, in the score's unit.
    pub(crate) adds: f64,
}

/// Coverage measured by nested cross-validation: calibrated on inner folds, tested on unseen shapes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CoverageAnswer {
    /// Nominal coverage, a fraction.
    pub(crate) level: f64,
    /// Share of held-out rows covered, each shape weighted equally.
    pub(crate) by_shape: f64,
    /// Share of held-out rows covered.
    pub(crate) by_row: f64,
    pub(crate) n_shapes: usize,
    pub(crate) n_rows: usize,
    /// Confidence interval of `by_shape`, over shapes.
    pub(crate) interval: Option<Interval>,
    /// Mean width of the intervals, each shape weighted equally, in the score's unit.
    pub(crate) mean_width: f64,
    pub(crate) protocol: &'static str,
    pub(crate) seed: u64,
}

/// Days per year in the regression's feature `years`.
const YEAR: f64 = 365.25;

/// Predicts a benchmark; without a value, and with the reason in `notes`, where that is impossible.
pub(crate) fn score(benchmark: &Benchmark, asked: &AskedStructure, seed: u64) -> Result<ScoreAnswer> {
    let n_shapes = benchmark.rows.groups().n_groups();
    let mut answer = ScoreAnswer {
        benchmark: benchmark.name.clone(),
        leaderboard: benchmark.leaderboard.clone(),
        value: None,
        unit: benchmark.unit.clone(),
        interval: None,
        chance: study::abilities::benchmark(&benchmark.name).and_then(|known| known.chance),
        floor: None,
        n: benchmark.rows.n(),
        n_shapes,
        n_of_this_shape: 0,
        method: "structural",
        protocol: "structure_out",
        features: benchmark.rows.names.clone(),
        coverage: None,
        r2_out_of_shape: None,
        base: None,
        drivers: Vec::new(),
        extrapolating: false,
        outside: Vec::new(),
        distance: None,
        distance_usual: None,
        measured: Vec::new(),
        notes: Vec::new(),
    };
    if !benchmark.is_predicted() {
        answer.notes.push(format!(
            "{n_shapes} shapes measured, too few to predict from ({} are needed)",
            super::predictor::FEWEST_SHAPES
        ));
        return Ok(answer);
    }
    let last = benchmark.rows.last_date();
    let design = match row(&benchmark.rows.names, asked, last) {
        Ok(design) => design,
        Err(missing) => {
            answer
                .notes
                .push(format!("not predicted: `{missing}` is not known"));
            return Ok(answer);
        }
    };
    if asked.date.is_none()
        && let Some(day) = last
    {
        answer.notes.push(format!(
            "as of {}, the latest day of publication among its rows",
            day_text(day as i32)
        ));
    }
    let fitted = benchmark.fit()?;
    let found = at(fitted, &design)?;
    let said = fitted.posterior.shapley(&design)?.into_iter().next();
    answer.value = Some(found.value);
    answer.interval.clone_from(&found.interval);
    answer.floor = floor(&benchmark.name, found.value, found.interval.as_ref());
    answer.n_of_this_shape = found.novelty.n_of_shape;
    answer.distance = Some(found.novelty.distance);
    answer.distance_usual = Some(found.novelty.usual);
    answer.outside = found.outside();
    answer.extrapolating = !answer.outside.is_empty();
    if let Some(attribution) = said {
        answer.base = Some(attribution.base);
        answer.drivers = drivers(&attribution, &design);
    }
    let worth = benchmark.worth(seed)?;
    answer.r2_out_of_shape = worth.r2;
    answer.coverage = worth.coverage.as_ref().map(|coverage| CoverageAnswer {
        level: LEVEL,
        by_shape: coverage.by_group,
        by_row: coverage.by_row,
        n_shapes: coverage.n_groups,
        n_rows: coverage.n,
        interval: coverage.interval.clone(),
        mean_width: coverage.mean_width,
        protocol: "structure_out, nested",
        seed,
    });
    Ok(answer)
}

/// Compares a prediction with guessing, in words: not above it, or not distinguishable from it; else `None`.
pub(crate) fn floor(benchmark: &str, value: f64, interval: Option<&Interval>) -> Option<String> {
    let chance = study::abilities::benchmark(benchmark)?.chance?;
    if value <= chance {
        Some(format!("no better than guessing, which gets {chance:.0}"))
    } else if interval.is_some_and(|ends| ends.low <= chance) {
        Some(format!("interval holds guessing, which gets {chance:.0}"))
    } else {
        None
    }
}

/// A design of one row with these columns; the error is the name of the first feature that is not known.
pub(crate) fn row(
    names: &[String],
    asked: &AskedStructure,
    last_date: Option<f64>,
) -> Result<Design, String> {
    let mut columns = Vec::new();
    for name in names {
        let value = asked.column(name, last_date).filter(|value| value.is_finite());
        columns.push(vec![value.ok_or_else(|| name.clone())?]);
    }
    Design::new(names.to_vec(), columns).map_err(|error| error.to_string())
}

/// A prediction at one point, clamped to the scale of points.
pub(crate) struct At {
    pub(crate) value: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) novelty: Novelty,
}

/// Predicts the first row of `design`.
pub(crate) fn at(fitted: &Fitted, design: &Design) -> Result<At, study::Error> {
    let nothing = || study::Error::NoRows;
    let Prediction { value, deviation } = fitted
        .posterior
        .predict(design)?
        .into_iter()
        .next()
        .ok_or_else(nothing)?;
    let mut novelty = fitted
        .posterior
        .novelty(design)?
        .into_iter()
        .next()
        .ok_or_else(nothing)?;
    // The regression rounds sizes; show the exact size that was asked about.
    for (name, value, ..) in &mut novelty.outside {
        if let Some(size) = asked_size(design).filter(|_| name == LN_SIZE) {
            *value = size.ln();
        }
    }
    let (value, interval) = within(fitted.width.as_ref(), Prediction { value, deviation });
    Ok(At {
        value,
        interval,
        novelty,
    })
}

/// Name of the regression's feature for the logarithm of the size in billions.
const LN_SIZE: &str = "ln size";

/// Size of the first row before rounding, billions of parameters.
fn asked_size(design: &Design) -> Option<f64> {
    let place = design.names().iter().position(|name| name == "size")?;
    design.column(place).first().copied().filter(|size| *size > 0.0)
}

/// The predicted value and its interval, clamped to the scale of points.
pub(crate) fn within(width: Option<&Conformal>, found: Prediction) -> (f64, Option<Interval>) {
    let cut = |x: f64| x.clamp(BOUNDS.0, BOUNDS.1);
    let interval = width.map(|width| {
        let interval = width.interval(found.value, found.deviation);
        Interval {
            low: cut(interval.low),
            high: cut(interval.high),
            ..interval
        }
    });
    (cut(found.value), interval)
}

impl At {
    /// Reasons why this point lies outside the training data, in words; empty where it does not.
    pub(crate) fn outside(&self) -> Vec<String> {
        let mut said: Vec<String> = self
            .novelty
            .outside
            .iter()
            .map(|(name, value, low, high)| {
                let (what, bound) = if value < low {
                    ("below the least", *low)
                } else {
                    ("above the most", *high)
                };
                format!(
                    "{} {} lies {what} trained on, {}",
                    plain(name),
                    words(name, *value),
                    words(name, bound)
                )
            })
            .collect();
        if said.is_empty() && self.novelty.distance > self.novelty.usual {
            said.push(format!(
                "the nearest known structure is {:.2} length scales away, further than 95 % of known shapes are from \
                 their nearest other ({:.2})",
                self.novelty.distance, self.novelty.usual
            ));
        }
        said
    }
}

fn drivers(attribution: &Attribution, design: &Design) -> Vec<Driver> {
    let mut drivers: Vec<Driver> = attribution
        .features
        .iter()
        .map(|(name, value, adds)| Driver {
            feature: plain(name).to_owned(),
            given: match asked_size(design).filter(|_| name == LN_SIZE) {
                Some(size) => words(name, size.ln()),
                None => value.map_or_else(String::new, |value| words(name, value)),
            },
            adds: *adds,
        })
        .collect();
    drivers.sort_by(|a, b| b.adds.abs().total_cmp(&a.adds.abs()));
    drivers
}

/// A feature's name for display.
pub(crate) fn plain(feature: &str) -> &str {
    match feature {
        LN_SIZE => "size",
        "ln d_ffn / d_model" => "d_ffn / d_model",
        "ln heads / kv_heads" => "heads / kv_heads",
        "years" => "date",
        other => other,
    }
}

/// A feature's value for display, inverting the regression's transformation.
fn words(feature: &str, value: f64) -> String {
    match feature {
        LN_SIZE => format!("{:.3} B", value.exp()),
        "ln d_ffn / d_model" | "ln heads / kv_heads" => format!("{:.2}", value.exp()),
        "years" => day_text((value * YEAR) as i32),
        "pretrained" | "merged" => (if value > 0.0 { "yes" } else { "no" }).into(),
        _ => format!("{value:.2} deviations from the mean"),
    }
}
