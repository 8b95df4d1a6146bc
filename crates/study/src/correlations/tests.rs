//! Correlations on rows with a known answer.

use super::*;
use crate::board::ScoredCheckpoint;
use crate::features::StructureValues;

/// Five benchmarks that follow size and one that runs against it; date is a function of size, so given both only the
/// random part of each row is left.
fn board() -> Board {
    let rows = (0..300_u32)
        .map(|number| {
            let size = f64::from(number / 5 + 1);
            let draw = |salt: u32| {
                f64::from((number.wrapping_mul(2_654_435_761).rotate_left(salt)) >> 16 & 255) / 512.0
            };
            let scores = std::array::from_fn::<Option<f64>, 7, _>(|place| {
                let own = draw(place as u32 * 5);
                Some(if place == 5 {
                    100.0 - size - own
                } else {
                    size + own
                })
            });
            ScoredCheckpoint {
                id: format!("org/{number}"),
                shape: number / 5,
                date: Some(20_000.0 + size),
                size: Some(size),
                structure: StructureValues {
                    size: Some(size),
                    d_model: Some(size),
                    d_ffn: Some(size),
                    heads: Some(size),
                    layers: Some(size),
                    kv_heads: Some(size),
                    vocab_size: Some(size),
                    pos: Some(size),
                    date: Some(size),
                },
                scores: scores.to_vec(),
                ..ScoredCheckpoint::default()
            }
        })
        .collect();
    Board {
        name: "v1",
        title: "leaderboard v1",
        leaderboard: "made by hand",
        outcomes: [
            ("arc", "ARC"),
            ("hellaswag", "HellaSwag"),
            ("mmlu", "MMLU"),
            ("truthfulqa", "TruthfulQA"),
            ("winogrande", "WinoGrande"),
            ("gsm8k", "GSM8K"),
            ("average", "Average"),
        ]
        .map(|(name, title)| (name, title.to_owned()))
        .to_vec(),
        rows,
        n_repeats: 0,
    }
}

#[test]
fn one_dimension_is_found_and_nothing_is_left_of_it_at_equal_size() {
    let boards = [board()];
    let study = Correlations {
        boards: &boards,
        bootstrap: GroupBootstrap {
            resamples: 100,
            seed: 3,
        },
    };
    let section = section(&study);
    let value = |id: &str| {
        section
            .findings
            .iter()
            .find(|finding| finding.id == id)
            .unwrap_or_else(|| panic!("no {id}"))
            .value
    };
    assert!(value("correlation.spearman.arc.hellaswag").is_some_and(|rho| rho > 0.99));
    assert!(value("correlation.spearman.arc.gsm8k").is_some_and(|rho| rho < -0.99));
    assert!(value("correlation.spearman.size.mmlu").is_some_and(|rho| rho > 0.99));
    assert_eq!(value("correlation.components.v1.retained"), Some(1.0));
    assert!(value("correlation.components.v1.share.1").is_some_and(|share| share > 0.99));
    let mut ids: Vec<&str> = section
        .findings
        .iter()
        .map(|finding| finding.id.as_str())
        .collect();
    let n = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), n, "two findings have one id");
}
