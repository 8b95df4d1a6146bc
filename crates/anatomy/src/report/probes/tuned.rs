//! Evidence from tuned checkpoints for the claims on weights.

use study::finding::Interval;
use study::statistics::mean;
use study::weights::Witness;

use super::probed::{Model, deep_share};
use super::tuning::{Tuning, name_of};

/// Compares the gradients during two tunings of one checkpoint, on ARC and on TruthfulQA: the mean share of deep layers
/// over steps. Steps of one tuning are dependent, so there is no interval.
pub(super) fn of_steps(found: &[(String, Tuning)], model: &Model) -> Vec<Witness> {
    let share = |part: &str| {
        let (_, tuning) = found
            .iter()
            .find(|(name, _)| name.to_lowercase().contains(part))?;
        let shares: Vec<f64> = tuning
            .gradients
            .iter()
            .filter_map(|at| deep_share(&at.gradients, false))
            .collect();
        let last = tuning.gradients.last()?.step;
        (!shares.is_empty()).then_some((shares, last))
    };
    let (Some((arc, arc_last)), Some((truthful, truthful_last))) = (share("arc"), share("truthful")) else {
        return Vec::new();
    };
    let samples: usize = found
        .iter()
        .flat_map(|(_, tuning)| tuning.gradients.iter().map(|at| at.gradients.samples))
        .sum();
    let (first, second) = (mean(&arc), mean(&truthful));
    vec![Witness {
        unit: "points",
        note: format!(
            "deep third of the layers: {:.1} % of the norms on ARC ({} steps looked at up to step {arc_last}), {:.1} % on TruthfulQA ({} up \
             to {truthful_last}); from the first to the last of them {:.1} to {:.1} % and {:.1} to {:.1} %",
            100.0 * first,
            arc.len(),
            100.0 * second,
            truthful.len(),
            100.0 * arc[0],
            100.0 * arc[arc.len() - 1],
            100.0 * truthful[0],
            100.0 * truthful[truthful.len() - 1],
        ),
        ..model.witness(
            "gradients.tuning",
            "By how many points is the share of deep layers in the nuclear norms of gradients along the steps of tuning higher on ARC \
             than on TruthfulQA",
            100.0 * (first - second),
            samples,
            "difference of means over steps of the share of the deep third of layers",
        )
    }]
}

/// Name of each benchmark, and id of the claim on its R².
const R2: [(&str, &str); 6] = [
    ("arc", "llm.r2.arc"),
    ("hellaswag", "llm.r2.hellaswag"),
    ("mmlu", "llm.r2.mmlu"),
    ("truthfulqa", "llm.r2.truthfulqa"),
    ("winogrande", "llm.r2.winogrande"),
    ("gsm8k", "llm.r2.gsm8k"),
];

/// R² on each benchmark, and their mean, of a checkpoint tuned to predict scores from structures described in words.
pub(super) fn of_tuning(found: &Tuning, model: &Model) -> Vec<Witness> {
    let (Some((test, scores)), Some(all_six)) = (found.test(), found.mean_r2()) else {
        return Vec::new();
    };
    let how = format!(
        "{} steps of {}, {} training rows, {} test rows, {} answers malformed",
        found.steps, found.settings.batch, found.samples, test.n, scores.malformed
    );
    let mut all = vec![Witness {
        unit: "fraction",
        note: how.clone(),
        ..model.witness(
            "llm.predicts",
            "What is the mean R² over the six benchmarks of the scores a tuned checkpoint answers",
            all_six,
            test.n,
            "mean of R² on rows left out of training, random split",
        )
    }];
    for error in &scores.benchmarks {
        let name = name_of(&error.benchmark);
        let claim = R2.iter().find(|(known, _)| Some(*known) == name);
        let (Some((_, claim)), Some(value)) = (claim, error.r2) else {
            continue;
        };
        let interval = error.low.zip(error.high).map(|(low, high)| Interval {
            low,
            high,
            level: 0.95,
            method: "bootstrap over structures".into(),
        });
        let off = error.mae.map_or(String::new(), |mae| {
            format!("mean absolute error {mae:.2} points; ")
        });
        all.push(Witness {
            unit: "fraction",
            interval,
            note: format!("{off}{how}"),
            ..model.witness(
                claim,
                "What is R² of the scores a tuned checkpoint answers",
                value,
                error.n,
                "R² on rows left out of training, random split, over well-formed answers",
            )
        });
    }
    all
}
