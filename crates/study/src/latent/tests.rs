//! A simulation with known abilities.

use super::*;
use crate::random::{Random, gauss};
use crate::statistics::spearman;

/// Two boards of four tests each that share a tenth of their checkpoints; those of the second board are better by one
/// and a half standard deviations. Returns the table and the true abilities.
fn world(seed: u64) -> (LatentTable, Vec<f64>) {
    let mut random = Random::new(seed, 1);
    let benchmark = |place: usize| LatentBenchmark {
        name: format!("test{place}"),
        test: format!("test{place}"),
        board: if place < 4 { "first" } else { "second" }.to_owned(),
        abilities: vec![if place.is_multiple_of(2) { "even" } else { "odd" }.to_owned()],
        chance: if place.is_multiple_of(2) { 25.0 } else { 0.0 },
        ceiling: 100.0,
        epoch: None,
    };
    let benchmarks: Vec<LatentBenchmark> = (0..8).map(benchmark).collect();
    let features: Vec<LatentFeatures> = (0..30)
        .map(|unit| std::array::from_fn(|k| ((unit * (k + 3)) % 11) as f64))
        .collect();
    let of_units: Vec<f64> = (0..30).map(|_| 0.7 * gauss(&mut random)).collect();
    let mut truth = Vec::new();
    let rows = (0..400).map(|place| {
        let is_second = place % 2 == 1;
        let unit = (place / 2) % 30;
        let ability = of_units[unit] + 0.5 * gauss(&mut random) + if is_second { 1.5 } else { 0.0 };
        truth.push(ability);
        let has = |test: usize| place % 10 == 0 || (test >= 4) == is_second;
        let cells = (0..8).filter(|test| has(*test)).map(|test| {
            let log_odds = 0.8 * ability - 0.3 + 0.1 * test as f64 + 0.2 * gauss(&mut random);
            let known = &benchmarks[test];
            let score = known.chance + (100.0 - known.chance) / (1.0 + (-log_odds).exp());
            LatentCell::new(test, known, score, 1.0)
        });
        let cells: Vec<LatentCell> = cells.collect();
        LatentRow {
            id: format!("a/{place:03}"),
            unit: Some(unit),
            columns: vec![Some(features[unit][0]), None, None, None, None, None, None],
            cells,
            index: None,
        }
    });
    let rows: Vec<LatentRow> = rows.collect();
    let families = (0..30).map(|unit| format!("{}", unit % 6)).collect();
    let table = LatentTable {
        benchmarks,
        rows,
        features,
        families,
    };
    (table, truth)
}

#[test]
fn abilities_of_two_boards_come_on_one_scale() {
    let (table, truth) = world(3);
    let model = Model::of(&table).expect("a model");
    let all = model.abilities(None);
    assert_eq!(all.len(), 400);
    let at = |id: &str| id[2..].parse::<usize>().expect("a number");
    let (centre, spread) = (
        crate::statistics::mean(&truth),
        crate::statistics::standard_deviation(&truth),
    );
    let own: Vec<f64> = all.iter().map(|own| own.ability).collect();
    let true_: Vec<f64> = all
        .iter()
        .map(|own| (truth[at(&own.id)] - centre) / spread)
        .collect();
    let rho = spearman(&own, &true_).value;
    assert!(rho > 0.98, "{rho}");
    // Intervals have their nominal coverage, and neither board is biased towards the other.
    let held = all
        .iter()
        .zip(&true_)
        .filter(|(own, truth)| own.low <= **truth && **truth <= own.high);
    let held = held.count() as f64 / 400.0;
    assert!((0.91..=0.98).contains(&held), "{held}");
    let off = |is_second: bool| {
        let of_board = all
            .iter()
            .zip(&true_)
            .filter(|(own, _)| (at(&own.id) % 2 == 1) == is_second);
        crate::statistics::mean(
            &of_board
                .map(|(own, truth)| own.ability - truth)
                .collect::<Vec<f64>>(),
        )
    };
    assert!(
        off(true).abs() < 0.06 && off(false).abs() < 0.06,
        "{} {}",
        off(false),
        off(true)
    );
    // The first has rank one, and ranks are no finer than the intervals.
    assert_eq!(all[0].rank, 1);
    assert!(all.iter().enumerate().all(|(place, own)| own.rank <= place + 1));
    assert_eq!(model.names().into_iter().collect::<Vec<_>>(), ["even", "odd"]);
    assert_eq!(model.abilities(Some("odd")).len(), 400);
    assert!(model.abilities(Some("none")).is_empty());
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let (table, _) = world(3);
    let mut turned = table.clone();
    turned.rows.reverse();
    let (a, b) = (
        Model::of(&table).expect("a model"),
        Model::of(&turned).expect("a model"),
    );
    for (a, b) in a.abilities(None).iter().zip(b.abilities(None)) {
        assert!(a.id == b.id && (a.ability - b.ability).abs() < 1e-6);
    }
}

#[test]
fn cells_that_were_not_seen_are_held_as_often_as_said() {
    let (table, _) = world(3);
    let section = section(&table, 1);
    let number = |id: &str| {
        let own = section.findings.iter().find(|finding| finding.id == id);
        own.and_then(|finding| finding.value).expect("a number")
    };
    assert!(number("latent.held_out.mae") < 0.6 * number("latent.held_out.mae_of_mean"));
    let coverage = number("latent.held_out.coverage");
    assert!((0.72..=0.90).contains(&coverage), "{coverage}");
}

#[test]
fn the_link_gives_scores_back() {
    let known = LatentBenchmark {
        name: "a".into(),
        test: "a".into(),
        board: "a".into(),
        abilities: Vec::new(),
        chance: 25.0,
        ceiling: 100.0,
        epoch: None,
    };
    let cell = LatentCell::new(0, &known, 62.5, 1.5);
    assert!(cell.log_odds.abs() < 1e-12);
    // A share of one half has slope four, and 1.5 points are 1/50 of the range above chance.
    assert!((cell.variance - (4.0 * 1.5 / 75.0_f64).powi(2)).abs() < 1e-12);
    assert!(LatentCell::new(0, &known, 20.0, 1.5).log_odds < -4.0);
}
