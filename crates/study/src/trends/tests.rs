//! Trends on rows with a known answer.

use super::*;
use crate::board::ScoredCheckpoint;

/// Score = 10 log2(size) + 20 per year: a year is worth two doublings, so the size for one score halves in 6 months.
fn steady(_: u32, log_size: f64, years: f64) -> f64 {
    10.0 * log_size + 20.0 * years
}

/// As `steady`, without a rise over time, and with unexplained noise.
fn standing(number: u32, log_size: f64, _: f64) -> f64 {
    10.0 * log_size + f64::from(number.wrapping_mul(2_654_435_761) >> 16 & 1023) / 100.0
}

/// As `steady`, but falling over time.
fn falling(number: u32, log_size: f64, years: f64) -> f64 {
    standing(number, log_size, years) - 50.0 * years
}

/// Rising over time, with no effect of size.
fn for_nothing(number: u32, _: f64, years: f64) -> f64 {
    let noise = if (number / 6).is_multiple_of(2) { 2.0 } else { -2.0 };
    noise + 50.0 * years
}

fn boards(score: fn(u32, f64, f64) -> f64) -> Vec<Board> {
    let rows = (0..120_u32)
        .map(|number| {
            let size = f64::from(number % 6).exp2();
            let date = 19_400.0 + f64::from(number) * 3.0;
            let score = score(number, size.log2(), (date - 19_400.0) / 365.25);
            ScoredCheckpoint {
                id: format!("org/{number:03}"),
                shape: number % 12,
                pretrained: Some(number % 2 == 0),
                date: Some(date),
                size: Some(size),
                scores: vec![Some(score); 7],
                ..ScoredCheckpoint::default()
            }
        })
        .collect();
    vec![Board {
        name: "v2",
        title: "leaderboard v2",
        leaderboard: "made by hand",
        outcomes: [
            ("ifeval", "IFEval"),
            ("bbh", "BBH"),
            ("math", "MATH"),
            ("gpqa", "GPQA"),
            ("musr", "MUSR"),
            ("mmlu_pro", "MMLU-PRO"),
            ("average", "Average"),
        ]
        .map(|(name, title)| (name, title.to_owned()))
        .to_vec(),
        rows,
        n_repeats: 0,
    }]
}

fn made(score: fn(u32, f64, f64) -> f64) -> Vec<Section> {
    let checkpoints: Vec<CheckpointRow> = [
        (19_053.0, Some(true)),
        (19_754.0, Some(true)),
        (19_755.0, None),
        (19_800.0, Some(false)),
    ]
    .into_iter()
    .map(|(date, moe)| CheckpointRow {
        date: Some(date),
        moe,
        architecture: Some("LlamaForCausalLM".into()),
        derivative: date > 19_754.5,
        likes: Some(date - 19_000.0),
        size: Some(7.0),
        ..CheckpointRow::default()
    })
    .collect();
    let boards = boards(score);
    let trends = Trends {
        checkpoints: &checkpoints,
        boards: &boards,
        bootstrap: GroupBootstrap {
            resamples: 100,
            seed: 1,
        },
    };
    sections(&trends)
}

fn findings() -> Vec<crate::finding::Finding> {
    made(steady)
        .into_iter()
        .flat_map(|section| section.findings)
        .collect()
}

#[test]
fn months_halving_and_counts_are_those_put_in() {
    let all = findings();
    let value = |id: &str| {
        let found = all.iter().find(|finding| finding.id == id);
        found.unwrap_or_else(|| panic!("no {id}")).value
    };
    assert_eq!(
        value("trends.new.all.2024-02"),
        Some(2.0),
        "the Hub's floor is no date"
    );
    assert_eq!(value("trends.new.moe.2024-02"), Some(1.0), "unknown is not yes");
    assert_eq!(
        value("trends.architecture.derivatives.llamaforcausallm"),
        Some(2.0)
    );
    assert_eq!(value("trends.likes.median.5_10b"), Some(754.5));
    let months = value("progress.halving_months.v2.average").expect("a value");
    assert!((months - 6.0).abs() < 1e-9, "{months}");
    // Of 120 checkpoints, 114 is the last pretrained one of size 1, 118 of size 16.
    let best = value("progress.frontier.v2.average").expect("a value");
    assert!(
        (best - (40.0 + 20.0 * 3.0 * 118.0 / 365.25)).abs() < 1e-9,
        "{best}"
    );
    assert_eq!(value("progress.size_needed.v2.10.smallest"), Some(1.0));
}

#[test]
fn where_scores_may_not_rise_nothing_is_said_to_halve() {
    for (score, is_open, said) in [
        (
            standing as fn(u32, f64, f64) -> f64,
            true,
            "we cannot tell: growth per year covers 0",
        ),
        (falling, false, "does not halve"),
        (for_nothing, false, "we cannot tell: points per doubling cover 0"),
    ] {
        let sections = made(score);
        let finding = sections
            .iter()
            .flat_map(|section| &section.findings)
            .find(|finding| finding.id == "progress.halving_months.v2.average")
            .expect("a finding");
        assert_eq!(finding.value, None, "{said}");
        let json = serde_json::to_value(finding).expect("JSON");
        if is_open {
            let ends = json["interval"].as_object().expect("an interval");
            assert!(ends["low"].is_null() && ends["high"].is_null(), "{ends:?}");
            assert!(
                ends["method"]
                    .as_str()
                    .is_some_and(|method| method.starts_with("Fieller"))
            );
            assert!(
                finding
                    .notes
                    .join(" ")
                    .contains("cannot tell: growth per year covers 0")
            );
        } else {
            assert!(json["interval"].is_null(), "{json}");
        }
        let text: Vec<&String> = sections.iter().flat_map(|section| &section.text).collect();
        assert!(text.iter().any(|sentence| sentence.contains(said)), "{text:?}");
    }
}
