//! `study regressions` against scikit-learn's predictions of the same rows and folds.

use std::path::Path;

use crate::command::{anatomy, shared};

/// The same rows and folds as scikit-learn's: predictions equal within 1e-3 of the target's deviation.
#[test]
fn predictions_agree_with_scikit_learn() {
    let Some(oracle) = shared("oracles/regression/MMLU_A") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (x, y, folds) = (
        oracle.join("X.csv"),
        oracle.join("y.csv"),
        oracle.join("folds.csv"),
    );
    let read = |path: &Path| std::fs::read_to_string(path).expect("the oracle's table");
    let (columns, target) = (read(&x), read(&y));
    let joined: Vec<String> = columns
        .lines()
        .zip(target.lines())
        .map(|(x, y)| format!("{x},{}", y.split(',').next().unwrap_or_default()))
        .collect();
    let joined = joined.join("\n") + "\n";
    let data = folder.path().join("data.csv");
    std::fs::write(&data, &joined).expect("a writable folder");
    let header = joined.lines().next().expect("a header");
    let (features, name) = header.rsplit_once(',').expect("features and a target");
    let out = folder.path().join("out.csv").display().to_string();
    let ran = anatomy(&[
        "-q",
        "study",
        "regressions",
        "--data",
        &data.display().to_string(),
        "--target",
        name,
        "--features",
        features,
        "--methods",
        "linear,svr",
        "--folds",
        &format!("{}:p2", folds.display()),
        "--predictions",
        &out,
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut theirs = String::new();
    let packed =
        std::fs::File::open(oracle.join("oof_predictions.csv.gz")).expect("the oracle's predictions");
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut theirs).expect("text");
    let names: Vec<&str> = theirs.lines().next().expect("a header").split(',').collect();
    let places = ["Linear_p2", "SVR_p2"].map(|name| names.iter().position(|n| *n == name).expect("a column"));
    let scores: Vec<f64> = target
        .lines()
        .skip(1)
        .map(|line| line.parse().expect("a score"))
        .collect();
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let deviation = (scores.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / scores.len() as f64).sqrt();
    let ours = std::fs::read_to_string(&out).expect("predictions");
    assert_eq!(ours.lines().count(), joined.lines().count());
    for (row, (ours, theirs)) in ours.lines().zip(theirs.lines()).enumerate().skip(1) {
        let cells: Vec<&str> = theirs.split(',').collect();
        // Row, observed value and fold stand before the predictions.
        for (cell, place) in ours.split(',').skip(3).zip(places) {
            let (our, their): (f64, f64) = (
                cell.parse().expect("a number"),
                cells[place].parse().expect("a number"),
            );
            let off = (our - their).abs() / deviation;
            assert!(off < 1e-3, "row {row}, {}: {our} {their}", names[place]);
        }
    }
}
