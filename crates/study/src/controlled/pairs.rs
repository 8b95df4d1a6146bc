//! Published pairs: two networks of one origin that differ in one part, as an effect in points per doubling of it.

use std::collections::{BTreeMap, BTreeSet};

use super::suite::part_words;
use super::{ControlledRun, Fixed, source_of};
use crate::finding::{Finding, Interval};
use crate::noise::items_of;
use crate::statistics::{hartung_knapp, normal_quantile};
use crate::weights::slug;

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

/// One pair on one benchmark.
struct Pair<'a> {
    name: &'a str,
    less: &'a ControlledRun,
    more: &'a ControlledRun,
    /// Points per doubling of the part.
    effect: f64,
    /// Its standard error; `None` where items are unknown.
    error: Option<f64>,
}

impl<'a> Pair<'a> {
    /// `None` unless there are two sides of which one has more of the part.
    fn of(name: &'a str, sides: &[&'a ControlledRun]) -> Option<Self> {
        let [one, other] = *sides else { return None };
        let dimension = one.dimension.as_str();
        let (a, b) = value(one, dimension).zip(value(other, dimension))?;
        // Ordered by the value of the part, from less to more.
        let (less, more, doublings) = if a < b {
            (one, other, (b / a).log2())
        } else {
            (other, one, (a / b).log2())
        };
        (doublings > 0.0).then(|| Self {
            name,
            less,
            more,
            effect: (more.score - less.score) / doublings,
            error: variance(less)
                .zip(variance(more))
                .map(|(a, b)| (a + b).sqrt() / doublings),
        })
    }

    fn finding(&self, id: String) -> Finding {
        let (less, more, dimension) = (self.less, self.more, self.less.dimension.as_str());
        let question = format!(
            "How many points per doubling is it worth on {}: {}, {}?",
            less.benchmark,
            part_words(dimension),
            sides_in_words(&less.held_fixed)
        );
        let level = 0.95;
        let interval = self.error.map(|error| {
            let half = normal_quantile(level) * error;
            Interval {
                low: self.effect - half,
                high: self.effect + half,
                level,
                method: "sampling of items alone, as if the two did not share them".into(),
            }
        });
        Finding::new(id, question, &source_of(&less.suite, &less.source))
            .with_value(
                self.effect,
                "points per doubling",
                2,
                "difference of two networks",
            )
            .with_interval(interval)
            .with_protocol("published_pair", &[dimension.to_owned()])
            .with_note(format!(
                "{}: {} {:.1}, {} {:.1}; {} {} against {}; one pair, so the spread between such pairs is not known",
                self.name,
                more.id,
                more.score,
                less.id,
                less.score,
                dimension,
                value(more, dimension).unwrap_or_default(),
                value(less, dimension).unwrap_or_default(),
            ))
    }
}

fn sides_in_words(held_fixed: &str) -> &'static str {
    if fixed_name(held_fixed) == "parent" {
        "the network that was cut against the one it was cut from, size falling with it"
    } else {
        "two networks cut to one size"
    }
}

/// Several pairs of one suite on one part and benchmark, pooled; `None` where their errors are unknown.
fn pooled(id: String, pairs: &[Pair<'_>]) -> Option<Finding> {
    let first = pairs.first()?.less;
    let (effects, errors): (Vec<f64>, Vec<f64>) = pairs
        .iter()
        .filter_map(|pair| Some((pair.effect, pair.error?)))
        .unzip();
    let found = hartung_knapp(&effects, &errors, 0.95, "pairs")?;
    let question = format!(
        "How many points per doubling is it worth on {}, over {} pairs of {}: {}, {}?",
        first.benchmark,
        effects.len(),
        first.suite,
        part_words(&first.dimension),
        sides_in_words(&first.held_fixed)
    );
    // A network that several were cut from counts once.
    let networks: BTreeSet<&str> = pairs
        .iter()
        .flat_map(|pair| [pair.less.id.as_str(), pair.more.id.as_str()])
        .collect();
    let shared = if networks.len() < 2 * pairs.len() {
        "; pairs share a side, so they say less than as many apart from each other"
    } else {
        ""
    };
    Some(
        Finding::new(id, question, &source_of(&first.suite, &first.source))
            .with_value(
                found.value,
                "points per doubling",
                networks.len(),
                "random effects over pairs",
            )
            .with_interval(found.interval)
            .with_protocol("published_pair", std::slice::from_ref(&first.dimension))
            .with_note(format!(
                "{} pairs, {:.1} points per doubling apart from each other (SD){shared}",
                effects.len(),
                found.between
            )),
    )
}

/// Effects of published pairs, `controlled.SUITE.FIXED.DIMENSION.BENCHMARK`; where a suite has several pairs, that is
/// the pooled effect and each pair has its own name at the end.
pub(super) fn findings(to: &mut Vec<Finding>, runs: &[ControlledRun]) {
    let mut sides: BTreeMap<(&str, &str, &str), Vec<&ControlledRun>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.held_fixed != "tokens") {
        let key = (
            run.suite.as_str(),
            run.pair_or_run.as_str(),
            run.benchmark.as_str(),
        );
        sides.entry(key).or_default().push(run);
    }
    // In the order of suites, pairs and benchmarks, those of one id together.
    let mut by_id: Vec<(String, Vec<Pair<'_>>)> = Vec::new();
    for ((suite, name, benchmark), sides) in &sides {
        let Some(pair) = Pair::of(name, sides) else {
            continue;
        };
        let held = fixed_name(&pair.less.held_fixed);
        let id = format!("controlled.{suite}.{held}.{}.{benchmark}", pair.less.dimension);
        match by_id.iter_mut().find(|(known, _)| *known == id) {
            Some((_, pairs)) => pairs.push(pair),
            None => by_id.push((id, vec![pair])),
        }
    }
    for (id, pairs) in by_id {
        if let [pair] = &pairs[..] {
            to.push(pair.finding(id));
            continue;
        }
        to.extend(pooled(id.clone(), &pairs));
        to.extend(
            pairs
                .iter()
                .map(|pair| pair.finding(format!("{id}.{}", slug(pair.name)))),
        );
    }
}
