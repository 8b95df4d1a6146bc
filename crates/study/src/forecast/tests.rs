//! Forecasts on made-up boards whose law is known.

use super::{Question, Row, forecasts, quarters, section};
use crate::error::Error;
use crate::random::Random;

const NAMES: [&str; 7] = ["layers", "d_model", "d_ffn", "heads", "size", "kv_heads", "date"];

/// A board on which scores rise with the logarithm of the size and by `drift` points a year, with noise.
fn board(drift: f64, noise: f64) -> Question {
    let mut random = Random::new(7, 0);
    let mut rows = Vec::new();
    for shape in 0..90_u32 {
        let layers = f64::from(16 + shape % 40);
        let width = 64.0 * f64::from(8 + shape % 57);
        let size = 12.0 * layers * width * width / 1e9;
        let day = 19_100.0 + 1_100.0 * random.uniform();
        for copy in 0..3 {
            let day = day + 20.0 * f64::from(copy);
            let score =
                40.0 + 6.0 * size.ln() + drift * (day - 19_100.0) / 365.25 + noise * (random.uniform() - 0.5);
            let heads = width / 64.0;
            rows.push(Row {
                id: format!("a/{shape}-{copy}"),
                shape,
                family: format!("family {}", shape % 9),
                columns: vec![layers, width, 4.0 * width, heads, size, heads, day],
                dimensions: [layers, width, 4.0 * width, heads],
                size,
                day,
                score: score.clamp(0.0, 100.0),
            });
        }
    }
    Question {
        benchmark: "made".into(),
        title: "Made up".into(),
        abilities: vec!["reasoning".into()],
        board: "made up".into(),
        names: NAMES.map(String::from).to_vec(),
        rows,
        later: None,
    }
}

fn value(section: &crate::section::Section, id: &str) -> f64 {
    let finding = section.findings.iter().find(|finding| finding.id == id);
    finding.and_then(|finding| finding.value).unwrap_or(f64::NAN)
}

#[test]
fn intervals_hold_as_often_as_they_shall_and_the_drift_is_seen() -> Result<(), Error> {
    let made = forecasts(vec![board(4.0, 6.0)])?;
    let found = section(&made, 200, 7);
    let held = value(&found, "forecast.coverage.made");
    assert!((0.7..=0.97).contains(&held), "{held}");
    let [ours, size] = ["mae", "mae_size"].map(|id| value(&found, &format!("forecast.{id}.made")));
    assert!(ours < size, "{ours} against {size}: four points a year are drift");
    assert!(value(&found, "forecast.r2.made") > 0.5);
    Ok(())
}

#[test]
fn nothing_after_the_day_is_known_and_the_same_seed_gives_the_same() -> Result<(), Error> {
    let question = board(4.0, 6.0);
    let made = forecasts(vec![question.clone()])?;
    // What comes after the first quarter may be anything: its forecasts stay.
    let first = made[0].outcomes[0].frozen;
    let mut changed = question.clone();
    for row in changed.rows.iter_mut().filter(|row| row.day >= first) {
        row.score = 0.0;
    }
    let other = forecasts(vec![changed])?;
    let of_first = |all: &[super::Forecasts]| -> Vec<(String, f64, (f64, f64))> {
        let outcomes = all[0].outcomes.iter().filter(|one| one.frozen == first);
        outcomes
            .map(|one| (one.id.clone(), one.value, one.ends))
            .collect()
    };
    assert!(!of_first(&made).is_empty());
    assert_eq!(of_first(&made), of_first(&other));
    assert_eq!(made[0].outcomes, forecasts(vec![question])?[0].outcomes);
    Ok(())
}

#[test]
fn another_boards_rows_are_tested_by_the_same_fits() -> Result<(), Error> {
    let mut question = board(4.0, 0.0);
    let later: Vec<Row> = question
        .rows
        .iter()
        .filter(|row| row.day > 19_900.0)
        .cloned()
        .collect();
    question.rows.retain(|row| row.day <= 19_900.0);
    let n = later.len();
    question.later = Some(later);
    let made = forecasts(vec![question])?;
    assert!(n > 0 && made[0].outcomes.iter().all(|one| one.horizon >= 0.0));
    assert!(made[0].outcomes.iter().any(|one| !one.shape_known));
    Ok(())
}

#[test]
fn quarters_begin_when_they_do() {
    let days = quarters((2023, 6), 19_700.0);
    let names: Vec<String> = days.iter().map(|&day| crate::calendar::day_name(day)).collect();
    assert_eq!(names, ["2023-06-01", "2023-09-01", "2023-12-01"]);
}
