//! Compared with statsmodels' `MixedLM` (`oracles/answer.py`), and by identities.

use super::*;
use crate::finding::Interval;
use crate::random::Random;
use crate::statistics::LinearDesign;

const FIGURES: &str = include_str!("fixtures/answer.json");

fn figures(of: &str, model: &str, what: &str) -> Vec<f64> {
    let all: serde_json::Value = serde_json::from_str(FIGURES).expect("JSON");
    let found = &all[of][model][what];
    match found.as_array() {
        Some(list) => list.iter().map(|x| x.as_f64().expect("a number")).collect(),
        None => vec![found.as_f64().expect("a number")],
    }
}

fn table(text: &str) -> Vec<Vec<f64>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<Vec<f64>> = reader
        .records()
        .map(|row| {
            let row = row.expect("a row");
            row.iter().map(|cell| cell.parse().expect("a number")).collect()
        })
        .collect();
    (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column]).collect())
        .collect()
}

fn near(found: &[f64], wanted: &[f64], relative: f64) {
    assert_eq!(found.len(), wanted.len());
    for (a, b) in found.iter().zip(wanted) {
        assert!(
            (a - b).abs() <= relative * b.abs().max(1e-3),
            "{found:?} is not {wanted:?}"
        );
    }
}

#[test]
fn least_squares_with_hc3_are_those_of_statsmodels() {
    let columns = table(include_str!("fixtures/robust.csv"));
    let ones = vec![1.0; columns[0].len()];
    let design = LinearDesign::new(&[vec![ones], columns[2..5].to_vec()].concat()).expect("full rank");
    for (name, place) in [("a", 5), ("b", 6), ("c", 7)] {
        let fit = design.fit(&columns[place]);
        near(&fit.coefficients, &figures("robust", name, "coefficients"), 1e-10);
        let errors: Vec<f64> = (0..4).map(|place| fit.error(place)).collect();
        near(&errors, &figures("robust", name, "robust"), 1e-10);
        let classical: Vec<f64> = (0..4).map(|place| fit.classical[place][place].sqrt()).collect();
        near(&classical, &figures("robust", name, "classical"), 1e-10);
        let ends: Vec<Interval> = (0..4).filter_map(|place| fit.interval(place, 0.95)).collect();
        let lows: Vec<f64> = ends.iter().map(|ends| ends.low).collect();
        near(&lows, &figures("robust", name, "low"), 1e-9);
        let highs: Vec<f64> = ends.iter().map(|ends| ends.high).collect();
        near(&highs, &figures("robust", name, "high"), 1e-9);
    }
}

fn labels(column: &[f64]) -> Vec<u32> {
    column.iter().map(|x| *x as u32).collect()
}

#[test]
fn mixed_models_are_those_of_statsmodels() {
    let all = table(include_str!("fixtures/mixed.csv"));
    let [family, unit, board] = [0, 1, 2].map(|place| labels(&all[place]));
    let ones = vec![1.0; family.len()];
    let columns = [ones, all[3].clone(), all[4].clone()];
    let check = |model: &str, columns: &[Vec<f64>], target: &[f64], groupings: &[Vec<u32>]| {
        let fit = Mixed {
            columns,
            target,
            groupings,
            known: &[],
        };
        let fit = fit.fit().expect("fits");
        near(&fit.coefficients, &figures("mixed", model, "coefficients"), 1e-5);
        let errors: Vec<f64> = (0..3).map(|place| fit.error(place)).collect();
        near(&errors, &figures("mixed", model, "errors"), 1e-3);
        near(&fit.variances, &figures("mixed", model, "variances"), 1e-3);
        near(&[fit.residual], &figures("mixed", model, "residual"), 1e-3);
    };
    check("nested", &columns, &all[5], &[family.clone(), unit.clone()]);
    check("crossed", &columns, &all[5], &[unit, board.clone()]);
    let first: Vec<usize> = (0..board.len()).filter(|row| board[*row] == 0).collect();
    let of = |column: &[f64]| -> Vec<f64> { first.iter().map(|row| column[*row]).collect() };
    let columns = columns.map(|column| of(&column));
    let families: Vec<u32> = first.iter().map(|row| family[*row]).collect();
    check("one_row_a_unit", &columns, &of(&all[5]), &[families]);
}

#[test]
fn without_groups_it_is_least_squares() {
    let mut random = Random::new(3, 0);
    let x: Vec<f64> = (0..30).map(|_| random.uniform()).collect();
    let y: Vec<f64> = x.iter().map(|x| 2.0 + 3.0 * x + random.uniform()).collect();
    let columns = [vec![1.0; 30], x];
    let fit = Mixed {
        columns: &columns,
        target: &y,
        groupings: &[],
        known: &[],
    }
    .fit()
    .expect("fits");
    let plain = LinearDesign::new(&columns).expect("full rank").fit(&y);
    near(&fit.coefficients, &plain.coefficients, 1e-9);
    let errors: Vec<f64> = (0..2).map(|place| plain.classical[place][place].sqrt()).collect();
    near(&[fit.error(0), fit.error(1)], &errors, 1e-6);
}

/// Rows with a large known variance get little weight, and the order of rows does not matter.
#[test]
fn known_variances_weigh_and_order_says_nothing() {
    let y = [1.0, 1.2, 0.8, 9.0, 1.1, 0.9];
    let known = [0.01, 0.01, 0.01, 400.0, 0.01, 0.01];
    let fit = |order: [usize; 6]| {
        Mixed {
            columns: &[vec![1.0; 6]],
            target: &order.map(|row| y[row]),
            groupings: &[order.map(|row| (row / 2) as u32).to_vec()],
            known: &order.map(|row| known[row]),
        }
        .fit()
        .expect("fits")
    };
    let found = fit([0, 1, 2, 3, 4, 5]);
    assert!((found.coefficients[0] - 1.0).abs() < 0.1, "{found:?}");
    let other = fit([3, 0, 5, 1, 4, 2]);
    assert!((found.coefficients[0] - other.coefficients[0]).abs() < 1e-9);
    let collinear = Mixed {
        columns: &[vec![1.0; 6], vec![2.0; 6]],
        target: &y,
        groupings: &[],
        known: &[],
    };
    assert!(collinear.fit().is_err());
}

/// Davies and Goldsmith's dyestuff (1972, table 6.1), which lme4 includes: yields of five samples of each of six
/// batches. By REML lme4 gives variances 1764.05 between batches and 2451.25 within (Bates and others 2015, section 1.2
/// of the lme4 book); in a balanced design these equal the estimates of the analysis of variance.
#[test]
fn the_dyestuff_is_as_lme4_has_it() {
    let batches: [[f64; 5]; 6] = [
        [1545.0, 1440.0, 1440.0, 1520.0, 1580.0],
        [1540.0, 1555.0, 1490.0, 1560.0, 1495.0],
        [1595.0, 1550.0, 1605.0, 1510.0, 1560.0],
        [1445.0, 1440.0, 1595.0, 1465.0, 1545.0],
        [1595.0, 1630.0, 1515.0, 1635.0, 1625.0],
        [1520.0, 1455.0, 1450.0, 1480.0, 1445.0],
    ];
    let target: Vec<f64> = batches.iter().flatten().copied().collect();
    let groups: Vec<u32> = (0..30).map(|row| row / 5).collect();
    let fit = Mixed {
        columns: &[vec![1.0; 30]],
        target: &target,
        groupings: &[groups],
        known: &[],
    }
    .fit()
    .expect("a fit");
    assert!((fit.coefficients[0] - 1527.5).abs() < 1e-9);
    assert!((fit.variances[0] - 1764.05).abs() < 0.01, "{}", fit.variances[0]);
    assert!((fit.residual - 2451.25).abs() < 0.01, "{}", fit.residual);
    // The standard error of the mean over balanced batches.
    let error = ((5.0 * 1764.05 + 2451.25) / 30.0_f64).sqrt();
    assert!((fit.error(0) - error).abs() < 1e-3);
    // Closed form for a balanced design: mean square within, and a fifth of the excess of the mean square between over
    // it.
    let means = batches.map(|own| own.iter().sum::<f64>() / 5.0);
    let between = means.iter().map(|own| (own - 1527.5).powi(2)).sum::<f64>();
    let within = batches
        .iter()
        .zip(means)
        .flat_map(|(own, middle)| own.iter().map(move |one| (one - middle).powi(2)))
        .sum::<f64>()
        / 24.0;
    assert!((fit.residual / within - 1.0).abs() < 1e-6);
    assert!((fit.variances[0] / ((between - within) / 5.0) - 1.0).abs() < 1e-6);
}
