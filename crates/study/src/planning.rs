//! Which shapes of one size are no worse than the best, and which experiment would tell most.
//!
//! What is known of a part at fixed size is an effect per doubling with its error. Two shapes then differ by the effect times
//! the doublings between them, and a shape is no worse than the best where the whole interval of what it lacks stays below
//! what a tenth more size would buy. Of parts that no controlled runs varied, the association over checkpoints says at most
//! how large an effect could be: shapes that differ in them are not told apart. An experiment of two runs that differ by x
//! doublings adds x² / 2σ² to the precision of the effect, σ a run's standard deviation.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::finding::Interval;

/// What is known of doubling a part at fixed size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlanEvidence {
    /// The part: `layers`, `d_ffn`, `heads_per_kv`, `vocabulary`.
    pub part: String,
    /// Points per doubling.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom of the error.
    pub df: f64,
    /// From runs that differ in nothing else.
    pub is_controlled: bool,
    /// Where it comes from, in words.
    pub source: String,
}

impl PlanEvidence {
    /// Half of its 95 % interval.
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
    /// All parameters.
    pub parameters: f64,
}

/// What is said of a shape beside the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// What it lacks is surely less than a tenth more size buys.
    NoWorse,
    /// It may be.
    CannotTell,
    /// It surely lacks more.
    Worse,
}

impl Standing {
    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NoWorse => "no worse",
            Self::CannotTell => "cannot tell",
            Self::Worse => "worse",
        }
    }
}

/// A shape beside the best.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedShape {
    /// The shape.
    pub shape: PlannedShape,
    /// Points less the best's.
    pub difference: f64,
    /// 95 % interval.
    pub interval: Interval,
    /// What that says.
    pub standing: Standing,
}

/// Sets shapes against the best of them by what controlled runs say of layers; `margin` in points.
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

/// An experiment: two runs that differ in a part and in nothing else but what size asks for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Experiment {
    /// The part.
    pub part: String,
    /// What the two runs have of it.
    pub from: f64,
    /// See `from`.
    pub to: f64,
    /// Doublings between them.
    pub doublings: f64,
    /// Half of the 95 % interval of the effect per doubling now; none where nothing is known.
    pub now: Option<f64>,
    /// What it is expected to be after.
    pub after: f64,
    /// Operations of both runs, where tokens are given.
    pub operations: Option<f64>,
}

/// What two runs would tell of a part: `residual` is the standard deviation of a run, points.
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
        // Two doublings at 1 ± 0.196 lack at most 2.39.
        assert!((all.last().expect("a shape").interval.low + 2.0 * 1.196).abs() < 1e-3);
        // Little is known: nothing can be told but of the best itself and its like.
        let all = judged(&shapes, Some(&layers(0.1, 1.0)), 0.2);
        assert_eq!(
            (of(&all, 8), of(&all, 32)),
            (Standing::CannotTell, Standing::NoWorse)
        );
        assert!(judged(&shapes, None, 0.2).is_empty());
    }

    #[test]
    fn an_experiment_narrows_by_its_own_precision() {
        // Two runs two doublings apart of standard deviation one: the effect's error is √2 / 2.
        let alone = experiment("d_ffn", None, (2.0, 8.0), 1.0);
        assert!((alone.after - 1.959_964 * 0.5_f64.sqrt()).abs() < 1e-5 && alone.now.is_none());
        let known = layers(0.0, 0.5_f64.sqrt());
        let both = experiment("layers", Some(&known), (8.0, 32.0), 1.0);
        assert!((both.after - 1.959_964 * 0.25_f64.sqrt()).abs() < 1e-4);
    }
}
