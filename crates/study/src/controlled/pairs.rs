//! Published pairs: two networks of one origin that differ in one part, as an effect in points per doubling of it.

use std::collections::BTreeMap;

use super::suite::part_words;
use super::{ControlledRun, Fixed, source_of};
use crate::finding::{Finding, Interval};
use crate::noise::items_of;
use crate::statistics::normal_quantile;

/// The value in a run of the part that a pair's dimension names; `None` where unknown or not positive.
fn value(run: &ControlledRun, dimension: &str) -> Option<f64> {
    let place = match dimension {
        "layers" => 0,
        "d_model" => 1,
        "d_ffn" => 2,
        "heads" => 3,
        "kv_heads" => 4,
        "experts" => 5,
        _ => return None,
    };
    run.parts[place].filter(|value| *value > 0.0)
}

/// What a pair held fixed, as named in ids.
fn fixed_name(held: &str) -> &str {
    match held {
        "params_total" => Fixed::Parameters.name(),
        "params_nonembedding" => Fixed::ParametersBody.name(),
        other => other,
    }
}

/// Sampling variance of a score from its benchmark's items, in squared points; `None` where items are unknown.
fn variance(run: &ControlledRun) -> Option<f64> {
    if let Some(stderr) = run.stderr {
        return Some(stderr * stderr);
    }
    Some(items_of(&run.benchmark)?.error(run.score).powi(2))
}

pub(super) fn findings(to: &mut Vec<Finding>, runs: &[ControlledRun]) {
    let mut pairs: BTreeMap<(&str, &str, &str), Vec<&ControlledRun>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.held_fixed != "tokens") {
        let key = (
            run.suite.as_str(),
            run.pair_or_run.as_str(),
            run.benchmark.as_str(),
        );
        pairs.entry(key).or_default().push(run);
    }
    for ((suite, pair, benchmark), sides) in pairs {
        let [one, other] = sides[..] else { continue };
        let dimension = one.dimension.as_str();
        let Some((a, b)) = value(one, dimension).zip(value(other, dimension)) else {
            continue;
        };
        // Ordered by the value of the part, from less to more.
        let (less, more, doublings) = if a < b {
            (one, other, (b / a).log2())
        } else {
            (other, one, (a / b).log2())
        };
        if doublings <= 0.0 {
            continue;
        }
        let effect = (more.score - less.score) / doublings;
        let error = variance(less)
            .zip(variance(more))
            .map(|(a, b)| (a + b).sqrt() / doublings);
        let held = fixed_name(&one.held_fixed);
        let id = format!("controlled.{suite}.{held}.{dimension}.{benchmark}");
        let is_size_fixed = held != "parent";
        let question = format!(
            "How many points per doubling is it worth on {benchmark}: {}, {}?",
            part_words(dimension),
            if is_size_fixed {
                "two networks cut to one size"
            } else {
                "the network that was cut against the one it was cut from, size falling with it"
            }
        );
        let level = 0.95;
        let interval = error.map(|error| {
            let half = normal_quantile(level) * error;
            Interval {
                low: effect - half,
                high: effect + half,
                level,
                method: "sampling of items alone, as if the two did not share them".into(),
            }
        });
        to.push(
            Finding::new(id, question, &source_of(suite, &one.source))
                .with_value(effect, "points per doubling", 2, "difference of two networks")
                .with_interval(interval)
                .with_protocol("published_pair", &[dimension.to_owned()])
                .with_note(format!(
                    "{pair}: {} {:.1}, {} {:.1}; {} {} against {}; one pair, so the spread between such pairs is not known",
                    more.id,
                    more.score,
                    less.id,
                    less.score,
                    dimension,
                    value(more, dimension).unwrap_or_default(),
                    value(less, dimension).unwrap_or_default(),
                )),
        );
    }
}
