//! Importances compared with brute force, and on tables where the answer is known.

use super::clusters::dendrogram;
use super::dependence::{Curve, dependence};
use super::impurity::{Effort, Rows, impurity};
use super::permutation::permutation;
use super::shap::{base, interactions, mean_shapley, shapley};
use super::*;
use crate::groups::Groups;
use crate::random::Random;
use crate::regression::{Ensemble, GradientBoosting, Linear, RandomForest};

/// Four columns with few values; the target depends on the interaction of the first two and on the third, not on the
/// last.
fn table() -> (Design, Vec<f64>) {
    let column = |k: u64, n: usize| {
        let mut random = Random::new(9, k);
        (0..150).map(|_| random.below(n) as f64).collect::<Vec<f64>>()
    };
    let columns = vec![column(0, 5), column(1, 4), column(2, 6), column(3, 3)];
    let y = (0..150)
        .map(|i| columns[0][i] * columns[1][i] + 3.0 * columns[2][i] + ((i * 37) % 11) as f64 / 9.0)
        .collect();
    let names = ["a", "b", "c", "none"].map(str::to_owned).to_vec();
    (Design::new(names, columns).expect("valid"), y)
}

fn ensembles() -> Vec<Ensemble> {
    let (x, y) = table();
    let forest = RandomForest {
        trees: 3,
        ..RandomForest::default()
    };
    let boosting = GradientBoosting {
        trees: 5,
        ..GradientBoosting::default()
    };
    let forest = forest.fit_forest(&x, &y, None, 1).expect("valid");
    let boosting = boosting.fit_boosting(&x, &y, None, 1).expect("valid");
    let trees = |fit: &dyn Fit| fit.ensemble().expect("trees").clone();
    vec![trees(&forest), trees(&boosting)]
}

/// Prediction with the columns in `known` fixed and all others averaged by cover.
fn conditional(ensemble: &Ensemble, row: &[f64], known: usize) -> f64 {
    fn at(nodes: &[crate::regression::Node], node: usize, row: &[f64], known: usize) -> f64 {
        let n = &nodes[node];
        if n.is_leaf() {
            return n.value;
        }
        let (left, right) = (n.left as usize, n.left as usize + 1);
        if known >> n.feature & 1 == 1 {
            let child = if row[n.feature as usize] > n.threshold {
                right
            } else {
                left
            };
            return at(nodes, child, row, known);
        }
        let part = |c: usize| nodes[c].cover / n.cover * at(nodes, c, row, known);
        part(left) + part(right)
    }
    let sum: f64 = ensemble.trees.iter().map(|t| at(&t.nodes, 0, row, known)).sum();
    ensemble.base + ensemble.scale * sum
}

fn factorial(n: usize) -> f64 {
    (1..=n).map(|k| k as f64).product()
}

#[test]
fn shapley_values_are_those_of_brute_force_and_add_up() {
    let (x, _) = table();
    for ensemble in ensembles() {
        let found = shapley(&ensemble, &x).expect("same columns");
        let predicted = ensemble.predict(&x);
        for r in (0..150).step_by(7) {
            let row = x.row(r);
            for f in 0..4 {
                let without = (0..16_usize).filter(|s| s >> f & 1 == 0);
                let expected: f64 = without
                    .map(|s| {
                        let size = s.count_ones() as usize;
                        let weight = factorial(size) * factorial(3 - size) / factorial(4);
                        weight * (conditional(&ensemble, &row, s | 1 << f) - conditional(&ensemble, &row, s))
                    })
                    .sum();
                assert!((found.values[r][f] - expected).abs() < 1e-9);
            }
            let sum: f64 = found.values[r].iter().sum();
            assert!((sum + found.base - predicted[r]).abs() < 1e-9);
        }
        assert!((found.base - conditional(&ensemble, &x.row(0), 0)).abs() < 1e-9);
        assert_eq!(found.base, base(&ensemble));
    }
}

#[test]
fn interactions_are_those_of_brute_force_and_sum_to_shapley() {
    let (x, _) = table();
    let few = x.select(&[0, 3, 20, 77]);
    for ensemble in ensembles() {
        let phi = shapley(&ensemble, &few).expect("same columns").values;
        let found = interactions(&ensemble, &few).expect("same columns");
        for (r, matrix) in found.iter().enumerate() {
            let row = few.row(r);
            for i in 0..4 {
                let sum: f64 = matrix[i * 4..i * 4 + 4].iter().sum();
                assert!((sum - phi[r][i]).abs() < 1e-9);
                for j in (0..4).filter(|&j| j != i) {
                    let both = 1 << i | 1 << j;
                    let v = |s: usize| conditional(&ensemble, &row, s);
                    let expected: f64 = (0..16_usize)
                        .filter(|s| s & both == 0)
                        .map(|s| {
                            let size = s.count_ones() as usize;
                            let weight = factorial(size) * factorial(2 - size) / (2.0 * factorial(3));
                            weight * (v(s | both) - v(s | 1 << i) - v(s | 1 << j) + v(s))
                        })
                        .sum();
                    assert!((matrix[i * 4 + j] - expected).abs() < 1e-9);
                }
            }
        }
    }
}

fn folds() -> Vec<Fold> {
    (0..5)
        .map(|k| Fold {
            train: (0..150).filter(|r| r % 5 != k).collect(),
            test: (0..150).filter(|r| r % 5 == k).collect(),
        })
        .collect()
}

fn setting<'a>(
    regression: &'a dyn Regression,
    design: &'a Design,
    target: &'a [f64],
    folds: &'a [Fold],
) -> Setting<'a> {
    Setting {
        regression,
        design,
        target,
        weights: None,
        folds,
        seeds: 2,
        seed: 0,
    }
}

#[test]
fn a_column_of_no_use_comes_last() {
    let ((x, y), folds) = (table(), folds());
    let forest = RandomForest {
        trees: 20,
        ..RandomForest::default()
    };
    let setting = setting(&forest, &x, &y, &folds);
    let single: Vec<Vec<usize>> = (0..4).map(|f| vec![f]).collect();
    let permuted = permutation(&setting, &single, 3).expect("valid");
    let shapley = mean_shapley(&setting).expect("trees");
    // Each row is a shape of its own.
    let shape = Groups::from_labels(&(0..150).collect::<Vec<u32>>());
    let rows = Rows {
        regression: &forest,
        design: &x,
        target: &y,
        shape: &shape,
    };
    let effort = Effort {
        forests: 2,
        draws: 10,
    };
    let mdi = impurity(&rows, effort, 7).expect("trees").columns;
    for kind in [&permuted, &shapley, &mdi] {
        let last = kind.iter().min_by(|a, b| a.value.total_cmp(&b.value));
        assert_eq!(last.expect("four").features, ["none"]);
        assert_eq!(kind[0].draws.len(), 10);
    }
    let shares: f64 = mdi.iter().map(|i| i.value).sum();
    assert!((shares - 1.0).abs() < 1e-12);
    assert!(permuted[3].value.abs() < 0.05, "{}", permuted[3].value);
    assert!(
        impurity(
            &Rows {
                regression: &Linear,
                ..rows
            },
            effort,
            7
        )
        .is_err()
    );
}

#[test]
fn columns_that_move_together_are_shuffled_together() {
    let (x, y) = table();
    let twin: Vec<f64> = x.column(2).iter().map(|v| v * v + 1.0).collect();
    let names = ["a", "b", "c", "twin"].map(str::to_owned).to_vec();
    let mut columns = x.columns().to_vec();
    columns[3] = twin;
    let x = Design::new(names, columns).expect("valid");
    let tree = dendrogram(&x).expect("rows");
    let merge = &tree.merges[0];
    assert_eq!((merge.left, merge.right), (2, 3));
    assert!(merge.distance.abs() < 1e-12);
    let groups = tree.groups(0.3);
    assert!(groups.contains(&vec![2, 3]), "{groups:?}");
    assert_eq!(tree.groups(2.0), vec![vec![0, 1, 2, 3]]);
    assert_eq!(tree.groups(-1.0).len(), 4);
    let folds = folds();
    let forest = RandomForest {
        trees: 20,
        ..RandomForest::default()
    };
    let setting = setting(&forest, &x, &y, &folds);
    let together = permutation(&setting, &[vec![2, 3]], 3).expect("valid")[0].value;
    let alone = permutation(&setting, &[vec![2], vec![3]], 3).expect("valid");
    assert!(together > alone[0].value.max(alone[1].value));
}

#[test]
fn a_linear_fit_depends_linearly() {
    let ((x, y), folds) = (table(), folds());
    let setting = setting(&Linear, &x, &y, &folds);
    let fit = Linear.fit_linear(&x, &y, None).expect("valid");
    for curve in [Curve::PartialDependence, Curve::LocalEffects] {
        let points = dependence(&setting, curve, 2, 6).expect("valid");
        let last = points.last().expect("points");
        let rise = last.value - points[0].value;
        let run = last.at - points[0].at;
        assert!((rise / run - fit.slopes[2]).abs() < 0.3, "{rise} {run}");
        let even = points[1].value - points[0].value;
        assert!((even / (points[1].at - points[0].at) - rise / run).abs() < 1e-9);
        assert_eq!(points.iter().map(|p| p.rows).sum::<usize>(), 150);
    }
    let effects = dependence(&setting, Curve::LocalEffects, 2, 6).expect("valid");
    let last = effects.last().expect("points");
    assert!(effects[0].value < 0.0 && last.value > 0.0);
}

#[test]
fn kinds_that_disagree_are_named() {
    let one = |name: &str, value: f64| Importance::new(vec![name.to_owned()], vec![value]);
    let (a, b) = ([one("x", 2.0), one("y", 1.0)], [one("x", 1.0), one("y", 2.0)]);
    assert!(disagreement(&[("mdi", &a), ("shap", &a)]).is_empty());
    assert_eq!(disagreement(&[("mdi", &a), ("shap", &b)]).len(), 2);
}

#[test]
fn a_fold_of_one_shape_still_tells_and_a_constant_is_not_identified() {
    let shape: Vec<f64> = (0..100).map(|row| f64::from(row / 10)).collect();
    let noise: Vec<f64> = (0..100).map(|row| f64::from(row * 37 % 11)).collect();
    let y: Vec<f64> = shape.iter().zip(&noise).map(|(s, e)| 5.0 * s + 0.1 * e).collect();
    let names = ["shape", "noise", "constant"].map(str::to_owned).to_vec();
    let x = Design::new(names, vec![shape, noise, vec![3.0; 100]]).expect("valid");
    let folds: Vec<Fold> = (0..10)
        .map(|k| Fold {
            train: (0..100).filter(|row| row / 10 != k).collect(),
            test: (0..100).filter(|row| row / 10 == k).collect(),
        })
        .collect();
    let forest = RandomForest {
        trees: 10,
        ..RandomForest::default()
    };
    let setting = setting(&forest, &x, &y, &folds);
    let found = permutation(&setting, &[vec![0], vec![1], vec![2]], 5).expect("valid");
    assert!(found[0].value > 0.5, "{}", found[0].value);
    assert!(found[2].value.is_nan() && found[2].interval.is_none());
}
