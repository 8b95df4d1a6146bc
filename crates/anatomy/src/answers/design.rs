//! Plans shapes of one size: which are no worse than the best, what they cost, what is unknown, and which experiment
//! would resolve it.

use anyhow::{Result, bail};
use catalog::Catalog;
use catalog::cost::{Arithmetic, Device, Dimensions, Precision};
use serde::Serialize;
use study::abilities::asks_for;
use study::controlled::{Doubling, Fixed, doublings};
use study::finding::Finding;
use study::planning::{Experiment, JudgedShape, PlanEvidence, PlannedShape, Standing, experiment, judged};
use study::pooled::{Pooled, effects_on};

use crate::rows;

/// A question about the design of an architecture.
pub(crate) struct DesignQuestion {
    /// Total number of parameters.
    pub(crate) parameters: f64,
    /// Training tokens; `None` where not given.
    pub(crate) tokens: Option<f64>,
    /// The ability of interest; `None` stands for all tests.
    pub(crate) ability: Option<&'static str>,
    pub(crate) device: Option<Device>,
    /// Minimum decoding speed (tokens per second) that the device's upper bound must allow.
    pub(crate) min_speed: Option<f64>,
    /// Cached positions while decoding, in tokens.
    pub(crate) context: i64,
    pub(crate) vocabulary: i64,
    pub(crate) seed: u64,
}

/// A shape with its costs.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct CostedShape {
    #[serde(flatten)]
    pub(crate) judged: JudgedShape,
    /// Floating-point operations per token at an empty context.
    pub(crate) flops_per_token: f64,
    /// Floating-point operations of training: three times those of the forward passes over all training tokens.
    pub(crate) training_operations: Option<f64>,
    /// Bytes of the weights at 16 bits.
    pub(crate) weight_bytes: f64,
    /// Bytes of the key-value cache per token at 16 bits.
    pub(crate) cache_bytes_per_token: f64,
    /// Upper bound of decoding speed on the device, tokens per second at 16 bits and the given context.
    pub(crate) tokens_per_second: Option<f64>,
}

/// The answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DesignAnswer {
    pub(crate) ability: Option<&'static str>,
    /// Benchmarks of the controlled runs over which effects are averaged.
    pub(crate) benchmarks: Vec<String>,
    /// Gain from 10 % more parameters, points; smaller differences between shapes are treated as none.
    pub(crate) margin: Option<f64>,
    /// Shapes, those that are certainly no worse than the best first.
    pub(crate) shapes: Vec<CostedShape>,
    /// Number of shapes excluded because the device's bound is below the minimum speed.
    pub(crate) too_slow: usize,
    /// Known effect of each part at fixed size.
    pub(crate) evidence: Vec<PlanEvidence>,
    /// Experiments, the one that narrows an interval most first.
    pub(crate) experiments: Vec<Experiment>,
    /// What is not known, in sentences.
    pub(crate) not_known: Vec<String>,
}

/// Ratio of feed-forward width to model width (result rounded to a multiple of 128): three matrices of this width have
/// as many parameters as two of four times the model width.
const FFN: f64 = 8.0 / 3.0;
/// Model widths are multiples of this: four heads of width 64.
const WIDTH: i64 = 256;
/// Largest relative deviation from the requested number of parameters.
const NEAR: f64 = 0.03;
/// Maximum number of shapes reported.
const TOLD: usize = 14;
/// Parts estimated from observed checkpoints: name, the two values that an experiment would compare, and a description.
const OBSERVED: [(&str, (f64, f64), &str); 3] = [
    ("d_ffn", (2.0, 8.0), "feed-forward width over width"),
    ("heads_per_kv", (1.0, 8.0), "heads over key and value heads"),
    ("vocabulary", (32_000.0, 256_000.0), "vocabulary"),
];

/// Answers a design question.
///
/// # Errors
/// No shape has the requested size, lies within the range of the controlled runs, or reaches the minimum speed.
pub(crate) fn design(catalog: &Catalog, asked: &DesignQuestion) -> Result<DesignAnswer> {
    let mut shapes = shapes(asked);
    if shapes.is_empty() {
        bail!(
            "no shape of 4 to 160 layers has about {:.3e} parameters with a vocabulary of {}; ask for more parameters or a \
             smaller --vocab-size",
            asked.parameters,
            asked.vocabulary
        );
    }
    let runs = rows::runs(catalog);
    let asks = |name: &str, own: &str| {
        asked
            .ability
            .is_none_or(|ability| asks_for(name, ability) || own == ability)
    };
    let found = doublings(&runs, Fixed::Parameters, asks);
    let layers = found.iter().find(|own| own.part == "layers");
    let mut not_known = Vec::new();
    match layers {
        Some(known) => {
            let (low, high) = known.widths_per_layer;
            let ratio = |shape: &PlannedShape| shape.d_model as f64 / shape.layers as f64;
            let depths = known.layers.0..=known.layers.1;
            shapes.retain(|(shape, _)| {
                low <= ratio(shape) && ratio(shape) <= high && depths.contains(&(shape.layers as f64))
            });
            if shapes.is_empty() {
                bail!(
                    "no shape of {:.3e} parameters has the depth ({} to {} layers) and width over depth ({low:.0} to {high:.0}) of \
                     the controlled runs ({}), beyond which nothing is known of depth; ask for other parameters",
                    asked.parameters,
                    known.layers.0,
                    known.layers.1,
                    known.suite
                );
            }
            if !(known.parameters.0..=known.parameters.1).contains(&asked.parameters) {
                not_known.push(format!(
                    "the controlled runs ({}) have {:.2} to {:.2} billion parameters: whether depth is worth the same at {:.2} \
                     billion is not known",
                    known.suite,
                    known.parameters.0 / 1e9,
                    known.parameters.1 / 1e9,
                    asked.parameters / 1e9
                ));
            }
        }
        None => not_known.push(format!(
            "no controlled runs ask for {}: shapes cannot be told apart on it",
            asked.ability.unwrap_or("any test")
        )),
    }
    let before = shapes.len();
    let speed = |cost: &Arithmetic| -> Option<f64> {
        let device = asked.device.as_ref()?;
        Some(
            cost.decode_bound(device, Precision::Half, asked.context)
                .tokens_per_second,
        )
    };
    if let Some(least) = asked.min_speed {
        shapes.retain(|(_, cost)| speed(cost).is_none_or(|own| own >= least));
    }
    let too_slow = before - shapes.len();
    if shapes.is_empty() {
        bail!(
            "none of {before} shapes of {:.3e} parameters reaches {} tokens a second on this device in 16 bits at a context of \
             {}; ask for fewer parameters or a lower --min-speed",
            asked.parameters,
            asked.min_speed.unwrap_or_default(),
            asked.context
        );
    }
    let known = layers.map(evidence_of);
    let margin = layers.map(|own| (own.size * 1.1_f64.log2()).max(0.0));
    let all: Vec<PlannedShape> = shapes.iter().map(|(shape, _)| shape.clone()).collect();
    let told = match &known {
        Some(_) => judged(&all, known.as_ref(), margin.unwrap_or_default()),
        None => all.iter().cloned().map(untold).collect(),
    };
    let costed: Vec<CostedShape> = told
        .into_iter()
        .filter_map(|judged| {
            let (_, cost) = shapes.iter().find(|(shape, _)| *shape == judged.shape)?;
            let flops = cost.flops_per_token(0);
            Some(CostedShape {
                flops_per_token: flops,
                training_operations: asked.tokens.map(|tokens| 3.0 * flops * tokens),
                weight_bytes: cost.weight_bytes(Precision::Half),
                cache_bytes_per_token: cost.cache_bytes_per_token(Precision::Half),
                tokens_per_second: speed(cost),
                judged,
            })
        })
        .collect();
    let observed = observed(catalog, asked);
    let residual = layers.map_or(1.0, |own| own.residual);
    let depths: Vec<f64> = all.iter().map(|shape| shape.layers as f64).collect();
    let ends = depths.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), x| {
        (low.min(*x), high.max(*x))
    });
    let mut experiments = Vec::new();
    if ends.1 > ends.0 {
        experiments.push(experiment("layers", known.as_ref(), ends, residual));
    }
    for (part, ends, _) in OBSERVED {
        let own = observed.iter().find(|own| own.part == part);
        experiments.push(experiment(part, own, ends, residual));
    }
    for own in &mut experiments {
        own.operations = asked.tokens.map(|tokens| 2.0 * 6.0 * asked.parameters * tokens);
    }
    let gain = |own: &Experiment| own.now.map_or(f64::INFINITY, |now| now - own.after);
    experiments.sort_by(|a, b| gain(b).total_cmp(&gain(a)));
    for (part, _, words) in OBSERVED {
        not_known.push(match observed.iter().find(|own| own.part == part) {
            Some(own) => format!(
                "{words}: no controlled runs varied it; over checkpoints a doubling goes with {:+.1} points [{:+.1}, {:+.1}], which \
                 is an association",
                own.value,
                own.value - own.half(),
                own.value + own.half()
            ),
            None => format!("{words}: nothing here says what it is worth"),
        });
    }
    if asked.tokens.is_none() {
        not_known.push(
            "how many tokens it is trained on (--tokens): cost of training and of experiments are left out"
                .into(),
        );
    }
    Ok(DesignAnswer {
        ability: asked.ability,
        benchmarks: layers.map(|own| own.benchmarks.clone()).unwrap_or_default(),
        margin,
        shapes: thinned(costed),
        too_slow,
        evidence: known.into_iter().chain(observed).collect(),
        experiments,
        not_known,
    })
}

/// One shape per number of layers: that with the width closest to the requested number of parameters.
fn shapes(asked: &DesignQuestion) -> Vec<(PlannedShape, Arithmetic)> {
    let of = |layers: i64, d_model: i64| -> Option<(PlannedShape, Arithmetic)> {
        // Four query heads share one key-value head in every shape, so that costs differ by the shape alone.
        let head_dim = if d_model % (4 * 128) == 0 { 128 } else { 64 };
        let heads = d_model / head_dim;
        let kv_heads = heads / 4;
        let d_ffn = ((FFN * d_model as f64 / 128.0).round() as i64).max(1) * 128;
        let cost = Arithmetic::of_dimensions(&Dimensions {
            layers: Some(layers),
            d_model: Some(d_model),
            d_ffn: Some(d_ffn),
            heads: Some(heads),
            kv_heads: Some(kv_heads),
            head_dim: Some(head_dim),
            vocab_size: Some(asked.vocabulary),
            tied: Some(asked.parameters < 2e9),
            ..Dimensions::default()
        })
        .ok()?;
        let parameters = cost.parameters_total as f64;
        let shape = PlannedShape {
            layers,
            d_model,
            d_ffn,
            heads,
            kv_heads,
            parameters,
        };
        Some((shape, cost))
    };
    let off = |own: &(PlannedShape, Arithmetic)| (own.0.parameters / asked.parameters).ln().abs();
    (4..=160)
        .filter_map(|layers| {
            // Parameters increase with the width: bisect over multiples of `WIDTH`.
            let (mut low, mut high) = (1, 80);
            while high - low > 1 {
                let middle = i64::midpoint(low, high);
                if of(layers, WIDTH * middle)?.0.parameters < asked.parameters {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            let ends = [low, high]
                .into_iter()
                .filter_map(|step| of(layers, WIDTH * step));
            ends.min_by(|a, b| off(a).total_cmp(&off(b)))
        })
        .filter(|own| (own.0.parameters / asked.parameters - 1.0).abs() <= NEAR)
        .collect()
}

fn untold(shape: PlannedShape) -> JudgedShape {
    JudgedShape {
        shape,
        difference: f64::NAN,
        interval: study::finding::Interval {
            low: f64::NEG_INFINITY,
            high: f64::INFINITY,
            level: 0.95,
            method: "nothing is known".into(),
        },
        standing: Standing::CannotTell,
    }
}

/// At most `TOLD` shapes, evenly spaced over the order and including the first and the last.
fn thinned(all: Vec<CostedShape>) -> Vec<CostedShape> {
    let n = all.len();
    if n <= TOLD {
        return all;
    }
    let kept: std::collections::BTreeSet<usize> = (0..TOLD).map(|k| k * (n - 1) / (TOLD - 1)).collect();
    all.into_iter()
        .enumerate()
        .filter(|(place, _)| kept.contains(place))
        .map(|(_, own)| own)
        .collect()
}

fn evidence_of(own: &Doubling) -> PlanEvidence {
    PlanEvidence {
        part: own.part.to_owned(),
        value: own.value,
        error: own.error,
        df: own.df,
        is_controlled: true,
        source: format!("{}, {} shapes, all parameters fixed, HC3", own.suite, own.shapes),
    }
}

/// Effects estimated from observed checkpoints: means over the relevant benchmarks, with standard errors averaged as if
/// fully correlated.
fn observed(catalog: &Catalog, asked: &DesignQuestion) -> Vec<PlanEvidence> {
    let boards = rows::pooled(catalog);
    let names: Vec<&str> = boards
        .iter()
        .flat_map(|board| board.benchmarks.iter().map(String::as_str))
        .filter(|name| asked.ability.is_none_or(|ability| asks_for(name, ability)))
        .collect();
    let study = Pooled {
        boards: &boards,
        shuffles: 1,
        seed: asked.seed,
    };
    let found = effects_on(&study, &names);
    let one = |part: &str| -> Option<PlanEvidence> {
        let start = format!("pooled.effect.{part}.");
        let own: Vec<&Finding> = found
            .iter()
            .filter(|finding| finding.id.starts_with(&start) && finding.interval.is_some())
            .collect();
        if own.is_empty() {
            return None;
        }
        let mean =
            |of: &dyn Fn(&Finding) -> f64| own.iter().map(|own| of(own)).sum::<f64>() / own.len() as f64;
        let half = mean(&|own| {
            own.interval
                .as_ref()
                .map_or(f64::NAN, |ends| (ends.high - ends.low) / 2.0)
        });
        Some(PlanEvidence {
            part: part.to_owned(),
            value: mean(&|own| own.value.unwrap_or(f64::NAN)),
            error: half / 1.96,
            df: 1e6,
            is_controlled: false,
            source: format!(
                "checkpoints of known structure, {} benchmarks, association",
                own.len()
            ),
        })
    };
    OBSERVED.iter().filter_map(|(part, ..)| one(part)).collect()
}
