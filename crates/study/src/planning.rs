//! Which shapes of one size are no worse than the best, and which experiment would be most informative.
//!
//! The evidence on a part at fixed size is an effect per doubling with its standard error. Two shapes then differ by
//! the effect times the doublings between them, and a shape is no worse than the best if the whole interval of its
//! shortfall stays below the gain from a tenth more size. For parts that no controlled runs varied, the association
//! over checkpoints only bounds the effect, so shapes that differ in them are not told apart. An experiment of two runs
//! that differ by x doublings adds x² / 2σ² to the precision of the effect, where σ is the standard deviation of a run.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::finding::Interval;

/// Evidence on the effect of doubling a part at fixed size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanEvidence {
    /// The part: `layers`, `d_ffn`, `heads_per_kv`, `vocabulary`.
    pub part: String,
    /// Points per doubling.
    pub value: f64,
    /// Standard error of the effect.
    pub error: f64,
    /// Degrees of freedom of the standard error.
    pub df: f64,
    /// Whether the evidence comes from controlled runs, which differ in nothing else.
    pub is_controlled: bool,
    /// Source of the evidence, in words.
    pub source: String,
}

impl PlanEvidence {
    /// Half-width of the 95 % interval.
    pub fn half(&self) -> f64 {
        self.error * StudentsT::new(0.0, 1.0, self.df.max(1.0)).map_or(1.96, |law| law.inverse_cdf(0.975))
    }
}

/// A shape that could be trained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlannedShape {
    /// Layers.
    pub layers: i64,
    /// Width.
    pub d_model: i64,
    /// Feed-forward width.
    pub d_ffn: i64,
    /// Heads.
    pub heads: i64,
    /// Key and value heads.
    pub kv_heads: i64,
    /// Total number of parameters.
    pub parameters: f64,
}

/// How a shape compares with the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Its shortfall is below the margin (the gain from a tenth more size), even at the interval's limit.
    NoWorse,
    /// The interval of its shortfall includes the margin.
    CannotTell,
    /// Its shortfall is above the margin, even at the interval's limit.
    Worse,
}

impl Standing {
    /// The wording shown to readers.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoWorse => "no worse",
            Self::CannotTell => "cannot tell",
            Self::Worse => "worse",
        }
    }
}

/// A shape compared with the best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedShape {
    /// The shape.
    pub shape: PlannedShape,
    /// Expected score minus that of the best shape, in points.
    pub difference: f64,
    /// 95 % interval of the difference.
    pub interval: Interval,
    /// The verdict from the interval and the margin.
    pub standing: Standing,
}

/// Compares shapes with the best of them by the controlled evidence on layers, best lower limit first; `margin` in
/// points. Empty without evidence.
pub fn judged(shapes: &[PlannedShape], layers: Option<&PlanEvidence>, margin: f64) -> Vec<JudgedShape> {
    let Some(layers) = layers else {
        return Vec::new();
    };
    let depth = |shape: &PlannedShape| (shape.layers as f64).log2();
    let Some(best) = shapes
        .iter()
        .max_by(|a, b| (layers.value * depth(a)).total_cmp(&(layers.value * depth(b))))
    else {
        return Vec::new();
    };
    let mut all: Vec<JudgedShape> = shapes
        .iter()
        .map(|shape| {
            let doublings = depth(shape) - depth(best);
            let (difference, half) = (layers.value * doublings, layers.half() * doublings.abs());
            let (low, high) = (difference - half, difference + half);
            let standing = if low >= -margin {
                Standing::NoWorse
            } else if high < -margin {
                Standing::Worse
            } else {
                Standing::CannotTell
            };
            JudgedShape {
                shape: shape.clone(),
                difference,
                interval: Interval {
                    low,
                    high,
                    level: 0.95,
                    method: layers.source.clone(),
                },
                standing,
            }
        })
        .collect();
    all.sort_by(|a, b| b.interval.low.total_cmp(&a.interval.low));
    all
}

/// An experiment of two runs that differ in one part only, apart from what a fixed size requires.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// The part.
    pub part: String,
    /// The part's values in the two runs.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Doublings between them.
    pub doublings: f64,
    /// Half-width of the present 95 % interval of the effect per doubling; `None` where there is no evidence.
    pub now: Option<f64>,
    /// Expected half-width after the experiment.
    pub after: f64,
    /// Floating-point operations of both runs; `None` where the number of tokens is not given.
    pub operations: Option<f64>,
}

/// The experiment with the values `ends` of a part; `residual` is the standard deviation of a run, in points.
pub fn experiment(part: &str, known: Option<&PlanEvidence>, ends: (f64, f64), residual: f64) -> Experiment {
    let doublings = (ends.1 / ends.0).log2().abs();
    let more = doublings * doublings / (2.0 * residual * residual);
    let normal = crate::statistics::normal_quantile(0.95);
    let now = known.map(PlanEvidence::half);
    let before = now.map_or(0.0, |half| (normal / half).powi(2));
    Experiment {
        part: part.to_owned(),
        from: ends.0,
        to: ends.1,
        doublings,
        now,
        after: normal / (before + more).sqrt(),
        operations: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(layers: i64) -> PlannedShape {
        PlannedShape {
            layers,
            d_model: 2048,
            d_ffn: 8192,
            heads: 16,
            kv_heads: 4,
            parameters: 1e9,
        }
    }

    fn layers(value: f64, error: f64) -> PlanEvidence {
        PlanEvidence {
            part: "layers".into(),
            value,
            error,
            df: 1e6,
            is_controlled: true,
            source: "made up".into(),
        }
    }

    #[test]
    fn shapes_are_no_worse_worse_or_not_told_apart() {
        let shapes = [shape(8), shape(16), shape(32), shape(31)];
        let of = |all: &[JudgedShape], layers: i64| {
            let own = all.iter().find(|own| own.shape.layers == layers);
            own.map(|own| own.standing).expect("a shape")
        };
        let all = judged(&shapes, Some(&layers(1.0, 0.1)), 0.2);
        assert_eq!(all[0].shape.layers, 32);
        assert_eq!(of(&all, 31), Standing::NoWorse);
        assert_eq!(of(&all, 8), Standing::Worse);
        // Two doublings at 1 ± 0.196 fall short by at most 2.39.
        assert!((all.last().expect("a shape").interval.low + 2.0 * 1.196).abs() < 1e-3);
        // With a wide interval, only the best shape and its likes can be judged.
        let all = judged(&shapes, Some(&layers(0.1, 1.0)), 0.2);
        assert_eq!(
            (of(&all, 8), of(&all, 32)),
            (Standing::CannotTell, Standing::NoWorse)
        );
        assert!(judged(&shapes, None, 0.2).is_empty());
    }

    #[test]
    fn an_experiment_narrows_by_its_own_precision() {
        // Two runs two doublings apart, each of standard deviation one: the standard error of the effect is √2 / 2.
        let alone = experiment("d_ffn", None, (2.0, 8.0), 1.0);
        assert!((alone.after - 1.959_964 * 0.5_f64.sqrt()).abs() < 1e-5 && alone.now.is_none());
        let known = layers(0.0, 0.5_f64.sqrt());
        let both = experiment("layers", Some(&known), (8.0, 32.0), 1.0);
        assert!((both.after - 1.959_964 * 0.25_f64.sqrt()).abs() < 1e-4);
    }
}
