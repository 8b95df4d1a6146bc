//! Sweeps: predictions for one dimension varied at a constant number of parameters.

mod effect;
mod resize;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use study::Design;
use study::section::{Axis, Bin, Drawing, Figure};

use super::Predictor;
use super::predictor::{BOUNDS, FitRows};
use super::question::Sweep;
use super::score;
use super::structure::StructureOf;
use super::subject::AskedStructure;
use effect::{effect, sentence};
use resize::resized;

/// The answer of a sweep.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SweepAnswer {
    pub(crate) over: String,
    /// The quantity held constant, in words.
    pub(crate) held: String,
    pub(crate) points: Vec<SweepPoint>,
    /// The effect on each benchmark.
    pub(crate) effects: Vec<SweepEffect>,
    pub(crate) notes: Vec<String>,
}

/// One structure of a sweep.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SweepPoint {
    /// Value of the swept dimension.
    pub(crate) value: i64,
    pub(crate) structure: StructureOf,
    pub(crate) parameters_total: i64,
    pub(crate) scores: Vec<SweepScore>,
}

/// The prediction for one benchmark at one point.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SweepScore {
    pub(crate) benchmark: String,
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) extrapolating: bool,
}

/// The effect of the whole sweep on one benchmark.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct SweepEffect {
    pub(crate) benchmark: String,
    /// Predicted score at the last point minus that at the first, points.
    pub(crate) difference: f64,
    /// 95 % bootstrap interval of the difference, resampling whole shapes: lower limit.
    pub(crate) low: f64,
    pub(crate) high: f64,
    pub(crate) resamples: usize,
    pub(crate) n: usize,
    pub(crate) n_shapes: usize,
    pub(crate) seed: u64,
    pub(crate) unit: String,
    /// R² on unseen shapes with the swept dimension among the features, and without it.
    pub(crate) r2_with: Option<f64>,
    pub(crate) r2_without: Option<f64>,
    pub(crate) sentence: String,
}

/// Dimensions that can be swept.
pub(crate) const OVER: [&str; 4] = ["layers", "d_model", "d_ffn", "kv_heads"];
/// Maximum number of points.
const MOST_POINTS: i64 = 100;
/// Feature by which depth enters at equal size; the default features do not contain it.
const ASPECT: &str = "ln d_model / layers";

impl std::str::FromStr for Sweep {
    type Err = String;

    /// Parses `layers=16..64:8`; both limits of the range are points.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("`{text}` is not of the form layers=16..64:8");
        let (over, range) = text.split_once('=').ok_or_else(form)?;
        let (ends, step) = range.split_once(':').unwrap_or((range, "1"));
        let (from, to) = ends.split_once("..").ok_or_else(form)?;
        let number = |part: &str| part.trim().parse::<i64>().map_err(|_| form());
        let sweep = Self {
            over: over.trim().to_owned(),
            from: number(from)?,
            to: number(to)?,
            step: number(step)?,
        };
        if !OVER.contains(&sweep.over.as_str()) {
            return Err(format!(
                "`{}` cannot be swept; {} can",
                sweep.over,
                OVER.join(", ")
            ));
        }
        if sweep.from < 1 || sweep.step < 1 || sweep.to < sweep.from {
            return Err(format!(
                "`{text}`: the range must rise from at least 1 in steps of at least 1"
            ));
        }
        if (sweep.to - sweep.from) / sweep.step >= MOST_POINTS {
            return Err(format!("`{text}` has more than {MOST_POINTS} points"));
        }
        Ok(sweep)
    }
}

/// Computes a sweep for the named benchmarks.
///
/// # Errors
/// The structure is a mixture of experts or lacks a dimension, or a value is impossible at that number of parameters.
pub(crate) fn sweep(
    predictor: &Predictor,
    asked: &AskedStructure,
    sweep: &Sweep,
    names: &[&str],
) -> Result<SweepAnswer> {
    let target = asked
        .arithmetic
        .as_ref()
        .context("a sweep holds the parameters, and this structure's cannot be counted")?
        .parameters_total;
    if asked.dimensions.experts.is_some_and(|experts| experts > 1) {
        bail!("a sweep at equal parameters is for dense structures, and this is a mixture");
    }
    let values: Vec<i64> = (sweep.from..=sweep.to).step_by(sweep.step as usize).collect();
    let structures: Vec<(i64, AskedStructure)> = values
        .iter()
        .map(|&value| Ok((value, resized(asked, &sweep.over, value, target)?)))
        .collect::<Result<_>>()?;
    let mut points: Vec<SweepPoint> = structures
        .iter()
        .map(|(value, other)| SweepPoint {
            value: *value,
            structure: other.structure.clone(),
            parameters_total: other.arithmetic.as_ref().map_or(0, |cost| cost.parameters_total),
            scores: Vec::new(),
        })
        .collect();
    let mut known_shapes: Vec<i64> = Vec::new();
    let is_depth = matches!(sweep.over.as_str(), "layers" | "d_model");
    let mut effects = Vec::new();
    for name in names {
        let Some(benchmark) = predictor
            .benchmark(name)
            .filter(|benchmark| benchmark.is_predicted())
        else {
            continue;
        };
        let own;
        let rows = if is_depth {
            own = benchmark
                .rows
                .with(ASPECT, |shape| aspect(shape[1] as f64, shape[0] as f64));
            &own
        } else {
            &benchmark.rows
        };
        let fitted = rows.fit()?;
        let last = rows.last_date();
        let mut designs = Vec::new();
        for (point, (_, other)) in points.iter_mut().zip(&structures) {
            let design = row(rows, other, last)?;
            let found = score::at(&fitted, &design)?;
            if found.novelty.n_of_shape > 0 && !known_shapes.contains(&point.value) {
                known_shapes.push(point.value);
            }
            let (low, high) = found
                .interval
                .as_ref()
                .map_or((BOUNDS.0, BOUNDS.1), |interval| (interval.low, interval.high));
            point.scores.push(SweepScore {
                benchmark: (*name).to_owned(),
                value: found.value,
                low,
                high,
                extrapolating: !found.outside().is_empty(),
            });
            designs.push(design);
        }
        let (Some(first), Some(end)) = (designs.first(), designs.last()) else {
            continue;
        };
        let mut effect = effect(rows, first, end, predictor.seed)?;
        effect.benchmark.push_str(name);
        let usual = benchmark.worth(predictor.seed)?.r2;
        (effect.r2_with, effect.r2_without) = if is_depth {
            (rows.worth(predictor.seed)?.r2, usual)
        } else {
            (usual, None)
        };
        effects.push(effect);
    }
    let n_effects = effects.len();
    for effect in &mut effects {
        effect.sentence = sentence(effect, sweep, n_effects);
    }
    let mut notes = vec![
        "a prediction from how checkpoints that exist differ, not an experiment: nobody trained these"
            .to_owned(),
    ];
    if is_depth {
        notes.push(format!(
            "at equal parameters the default regression sees no depth; here {ASPECT} is a feature besides, and each \
             benchmark says whether that predicts unseen shapes any better; so values differ a little from the prediction's"
        ));
    }
    if !known_shapes.is_empty() {
        let values: Vec<String> = known_shapes.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "at {} {} the very shape was trained on, so its own checkpoints pull the prediction there and the interval \
             is narrower",
            sweep.over,
            values.join(", ")
        ));
    }
    Ok(SweepAnswer {
        over: sweep.over.clone(),
        held: format!("parameters, about {:.3} billion", target as f64 / 1e9),
        points,
        effects,
        notes,
    })
}

impl SweepAnswer {
    /// One panel per benchmark: the prediction with its interval against the swept dimension.
    pub(crate) fn figure(&self) -> Figure {
        let panels: Vec<(String, Vec<Bin>)> = self
            .effects
            .iter()
            .enumerate()
            .map(|(place, effect)| {
                let bins = self.points.iter().enumerate().map(|(at, point)| {
                    let score = &point.scores[place];
                    Bin {
                        x: point.value as f64,
                        mean: score.value,
                        q1: score.low,
                        q3: score.high,
                        // Count the training rows once, at the first point.
                        n: if at == 0 { effect.n } else { 0 },
                    }
                });
                (effect.benchmark.clone(), bins.collect())
            })
            .collect();
        Figure {
            id: format!("sweep-{}", self.over),
            title: format!("Score against {} at equal {}", self.over, self.held),
            caption: "Prediction and 80 % conformal interval".into(),
            n: self.effects.iter().map(|effect| effect.n).sum(),
            x: Axis::linear(&self.over),
            y: Axis::linear("score, points (80 % interval)"),
            drawing: Drawing::Bins(panels),
        }
    }
}

fn aspect(d_model: f64, layers: f64) -> f64 {
    (d_model / layers.max(1.0)).ln()
}

fn row(rows: &FitRows, asked: &AskedStructure, last_date: Option<f64>) -> Result<Design> {
    let column = |name: &String| {
        if name == ASPECT {
            let dimension = |value: Option<i64>| value.map(|value| value as f64);
            Some(aspect(
                dimension(asked.structure.d_model)?,
                dimension(asked.structure.layers)?,
            ))
        } else {
            asked.column(name, last_date)
        }
    };
    let columns = rows
        .names
        .iter()
        .map(|name| {
            Ok(vec![
                column(name).with_context(|| format!("unknown parameter `{name}`"))?,
            ])
        })
        .collect::<Result<_>>()?;
    Ok(Design::new(rows.names.clone(), columns)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_and_wrong_ones_said() {
        let read: Sweep = "layers=16..64:8".parse().expect("a range");
        assert_eq!(
            (read.over.as_str(), read.from, read.to, read.step),
            ("layers", 16, 64, 8)
        );
        for wrong in [
            "layers",
            "layers=16",
            "layers=64..16:8",
            "vocab_size=1..2:1",
            "layers=1..9999:1",
        ] {
            assert!(wrong.parse::<Sweep>().is_err(), "{wrong}");
        }
    }
}
