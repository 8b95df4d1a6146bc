//! Agreement with scikit-learn 1.9.1 and xgboost 3.2.0 on the rows of leaderboard v1.

use study::regression::{
    DecisionTree, GradientBoosting, Lasso, Linear, NearestNeighbours, Perceptron, RandomForest, Regression,
    Ridge, SupportVector, XgBoost,
};
use study::{Protocol, RowInformation, evaluate, folds};

use crate::shared::{Oracle, oracles, spread};

/// Largest difference of out-of-fold predictions, in standard deviations of the target.
fn check_predictions(oracle: &Oracle, regression: &dyn Regression, reference: &str) {
    let (_, sd) = spread(&oracle.target);
    for (protocol, folds) in &oracle.folds {
        let found =
            evaluate(regression, &oracle.design, &oracle.target, None, folds, 0).expect("valid input");
        let expected = &oracle.predictions[&format!("{reference}_{protocol}")];
        let mut worst = 0.0_f64;
        for (ours, theirs) in found.predictions.iter().zip(expected) {
            assert_eq!(ours.is_none(), theirs.is_nan());
            if let Some(ours) = ours {
                worst = worst.max((ours - theirs).abs() / sd);
            }
        }
        println!("{} {reference} {protocol}: {worst:.2e} sd", oracle.name);
        assert!(worst < 1e-3, "{} {reference} {protocol}: {worst} sd", oracle.name);
    }
}

/// Our R² over seeds against the reference's mean and standard deviation over seeds.
fn check_r2(oracle: &Oracle, regression: &dyn Regression, reference: &str, seeds: u64) {
    for (protocol, folds) in &oracle.folds {
        let (mean, sd) = oracle.r2[&(reference.to_owned(), protocol.clone())];
        let one = |seed| {
            evaluate(regression, &oracle.design, &oracle.target, None, folds, seed)
                .expect("valid input")
                .r2_pooled
                .expect("the target varies")
        };
        let ours: Vec<f64> = (0..seeds).map(one).collect();
        let (our_mean, our_sd) = spread(&ours);
        println!(
            "{} {reference} {protocol}: ours {our_mean:.5} ± {our_sd:.5}, theirs {mean:.5} ± {sd:.5}",
            oracle.name
        );
        // Five seeds of the perceptron are few: seeds 10 and 11 of scikit-learn itself give 0.482 and 0.476 on ARC_B
        // p3, where the five gave 0.516 ± 0.014, so for it only the second bound holds.
        let worst = if reference == "MLP" { 1.0 } else { 0.01 };
        assert!(our_mean > mean - worst, "{our_mean} is worse than {mean}");
        assert!(
            (our_mean - mean).abs() < 3.0 * sd + 0.005,
            "{our_mean} is not within {mean} ± 3 · {sd}"
        );
    }
}

#[test]
fn linear_methods_predict_as_sklearn() {
    for oracle in oracles() {
        check_predictions(&oracle, &Linear, "Linear");
        check_predictions(&oracle, &Ridge::default(), "Ridge");
        check_predictions(&oracle, &Lasso::default(), "Lasso");
    }
}

#[test]
fn neighbours_predict_as_sklearn_with_ties_averaged() {
    for oracle in oracles() {
        check_predictions(&oracle, &NearestNeighbours::default(), "kNN_tie_mean");
    }
}

#[test]
fn support_vectors_predict_as_libsvm() {
    for oracle in oracles() {
        check_predictions(&oracle, &SupportVector::default(), "SVR");
    }
}

#[test]
fn perceptron_reaches_the_r2_of_sklearn() {
    for oracle in oracles() {
        check_r2(&oracle, &Perceptron::default(), "MLP", 3);
    }
}

#[test]
fn a_tree_reaches_the_r2_of_sklearn() {
    for oracle in oracles() {
        check_r2(&oracle, &DecisionTree::default(), "Tree", 10);
    }
}

#[test]
fn boosting_reaches_the_r2_of_sklearn_and_xgboost() {
    for oracle in oracles() {
        check_r2(&oracle, &GradientBoosting::default(), "GBM", 3);
        check_r2(&oracle, &XgBoost::default(), "XGB", 1);
    }
}

#[test]
fn forest_reaches_the_r2_of_sklearn() {
    for oracle in oracles() {
        check_r2(&oracle, &RandomForest::default(), "RF", 10);
    }
}

#[test]
fn forest_shares_importance_as_sklearn() {
    for oracle in oracles() {
        let forest = RandomForest::default();
        let fit = forest.fit_forest(&oracle.design, &oracle.target, None, 0);
        let mdi = fit.expect("valid input").impurity_importance();
        assert!((mdi.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        for ((ours, (theirs, _)), name) in mdi.iter().zip(&oracle.mdi).zip(oracle.design.names()) {
            println!("{} {name}: ours {ours:.4}, theirs {theirs:.4}", oracle.name);
            assert!((ours - theirs).abs() < 0.02, "{name}: {ours} against {theirs}");
        }
    }
}

/// Forest R² where no shape is in training and test: near what ../shared says was found (there with other folds).
#[test]
fn forest_fails_on_shapes_it_has_not_seen() {
    for oracle in oracles() {
        let rows = RowInformation {
            n_rows: oracle.target.len(),
            shape: Some(&oracle.shapes),
            ..RowInformation::default()
        };
        let folds = folds(Protocol::StructureOut, &rows, 0).expect("170 shapes");
        let forest = RandomForest::default();
        let found = evaluate(&forest, &oracle.design, &oracle.target, None, &folds, 0);
        let r2 = found.expect("valid input").r2_pooled.expect("varies");
        let seen = oracle.r2[&("RF".to_owned(), "p2".to_owned())].0;
        println!("{} by shape: {r2:.3}, by row {seen:.3}", oracle.name);
        assert!(r2 < seen - 0.3, "{r2} is no worse than {seen}");
    }
}
