//! One benchmark's prediction: value, calibrated interval, what drives it, and whether it extrapolates.

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
    /// `None` where too few structures were measured to say anything.
    pub(crate) value: Option<f64>,
    pub(crate) unit: String,
    /// For one checkpoint of this structure, conformal over shapes.
    pub(crate) interval: Option<Interval>,
    /// What guessing gets on it, points; absent where that is not known.
    pub(crate) chance: Option<f64>,
    /// How prediction and interval lie to `chance`, in words; absent where both are above it.
    pub(crate) floor: Option<String>,
    /// Rows trained on.
    pub(crate) n: usize,
    /// Shapes among them.
    pub(crate) n_shapes: usize,
    /// Rows among them of this very shape.
    pub(crate) n_of_this_shape: usize,
    pub(crate) method: &'static str,
    pub(crate) protocol: &'static str,
    pub(crate) features: Vec<String>,
    /// How often such intervals held on shapes never seen.
    pub(crate) coverage: Option<CoverageAnswer>,
    /// Share of variance predicted out of shape, pooled; a fraction.
    pub(crate) r2_out_of_shape: Option<f64>,
    /// The mean over known shapes, from which the drivers lead to the value.
    pub(crate) base: Option<f64>,
    /// What each feature adds to `base`, the strongest first.
    pub(crate) drivers: Vec<Driver>,
    pub(crate) extrapolating: bool,
    /// Why it is called extrapolating, in words.
    pub(crate) outside: Vec<String>,
    /// Distance to the nearest structure trained on, in length scales of the regression.
    pub(crate) distance: Option<f64>,
    /// What 95 % of known shapes keep to their nearest other: beyond it is called extrapolating.
    pub(crate) distance_usual: Option<f64>,
    /// What leaderboards measured of this very checkpoint.
    pub(crate) measured: Vec<Measured>,
    pub(crate) notes: Vec<String>,
}

/// One feature's Shapley value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Driver {
    pub(crate) feature: String,
    /// Its value in the structure asked about, in words.
    pub(crate) given: String,
    /// What it adds to the prediction, in the score's unit.
    pub(crate) adds: f64,
}

/// Coverage measured by the nested protocol: calibrated inside, tested on shapes never seen.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CoverageAnswer {
    /// What the intervals promise, a fraction.
    pub(crate) level: f64,
    /// Share of held-out structures covered, each shape counting the same.
    pub(crate) by_shape: f64,
    /// Share of held-out rows covered.
    pub(crate) by_row: f64,
    pub(crate) n_shapes: usize,
    pub(crate) n_rows: usize,
    /// Of `by_shape`, over shapes.
    pub(crate) interval: Option<Interval>,
    /// Mean width of the intervals, each shape counting the same, in the score's unit.
    pub(crate) mean_width: f64,
    pub(crate) protocol: &'static str,
    pub(crate) seed: u64,
}

/// Days in a year, as the regression counts years.
const YEAR: f64 = 365.25;

/// The prediction of a benchmark; without a value, and with the reason, where there are too few shapes.
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

/// How a prediction lies to what guessing gets: no better, or not told apart from it; nothing where it is above.
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

/// One row of these columns; the name of the first that is not known otherwise.
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

/// What a fit says at one place, cut to the scale.
pub(crate) struct At {
    pub(crate) value: f64,
    pub(crate) interval: Option<Interval>,
    pub(crate) novelty: Novelty,
}

/// The prediction of the first row of `design`.
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
    // The regression rounds sizes; who reads has asked about this one.
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

/// The regression's name of the logarithm of a size in billions.
const LN_SIZE: &str = "ln size";

/// The size of the first row, billions of parameters, before the regression rounds it.
fn asked_size(design: &Design) -> Option<f64> {
    let place = design.names().iter().position(|name| name == "size")?;
    design.column(place).first().copied().filter(|size| *size > 0.0)
}

/// A prediction and its interval, cut to the scale.
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
    /// Why this is outside of what is known, in words; empty where it is not.
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

/// A feature's name for people.
pub(crate) fn plain(feature: &str) -> &str {
    match feature {
        LN_SIZE => "size",
        "ln d_ffn / d_model" => "d_ffn / d_model",
        "ln heads / kv_heads" => "heads / kv_heads",
        "years" => "date",
        other => other,
    }
}

/// A feature's value for people: what the regression rounded it to.
fn words(feature: &str, value: f64) -> String {
    match feature {
        LN_SIZE => format!("{:.3} B", value.exp()),
        "ln d_ffn / d_model" | "ln heads / kv_heads" => format!("{:.2}", value.exp()),
        "years" => day_text((value * YEAR) as i32),
        "pretrained" | "merged" => (if value > 0.0 { "yes" } else { "no" }).into(),
        _ => format!("{value:.2} deviations from the mean"),
    }
}
