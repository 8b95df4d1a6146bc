//! The Rust side of `benches/regression.py`: fits and predicts tables in CSV files, times each, prints JSON lines.
//!
//! `bench X.csv y.csv folds.csv:COLUMN SEEDS REPEATS METHOD …` where a method may be `all`. Times are wall and user
//! CPU seconds of one evaluation over all folds, the fastest of the repeats.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark reads files and the clock, and prints"
)]

use std::time::Instant;

use study::importance::shap::shapley;
use study::protocol::folds_from_numbers;
use study::regression::RandomForest;
use study::{Design, Fit, evaluate, regression};

fn columns(path: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_path(path).expect("a readable CSV file");
    let names: Vec<String> = reader
        .headers()
        .expect("a header")
        .iter()
        .map(str::to_owned)
        .collect();
    let mut columns = vec![Vec::new(); names.len()];
    for record in reader.records() {
        let record = record.expect("a row");
        for (column, field) in columns.iter_mut().zip(&record) {
            column.push(field.to_owned());
        }
    }
    (names, columns)
}

fn numbers(column: &[String]) -> Vec<f64> {
    column.iter().map(|v| v.parse().expect("a number")).collect()
}

/// User CPU seconds of this process so far (field 14 of `/proc/self/stat`, in ticks of 10 ms).
fn user_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after
        .split_whitespace()
        .nth(11)
        .and_then(|t| t.parse::<f64>().ok());
    ticks.unwrap_or(f64::NAN) / 100.0
}

/// Shapley values of the first 500 rows by a forest of 20 trees of depth 8.
fn explain(design: &Design, target: &[f64], repeats: usize) {
    let forest = RandomForest {
        trees: 20,
        max_depth: Some(8),
        ..RandomForest::default()
    };
    let fit = forest.fit_forest(design, target, None, 0).expect("a fit");
    let rows: Vec<usize> = (0..design.n_rows().min(500)).collect();
    let few = design.select(&rows);
    let ensemble = fit.ensemble().expect("a forest has trees");
    let (mut wall, mut user) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..repeats {
        let (start, before) = (Instant::now(), user_seconds());
        shapley(ensemble, &few).expect("the same columns");
        wall = wall.min(start.elapsed().as_secs_f64());
        user = user.min(user_seconds() - before);
    }
    let line = serde_json::json!({"method": "shap", "wall": wall, "user": user, "r2": []});
    println!("{line}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [x, y, folds, seeds, repeats, methods @ ..] = arguments.as_slice() else {
        println!("usage: bench X.csv y.csv folds.csv:COLUMN SEEDS REPEATS METHOD …");
        return;
    };
    let (names, raw) = columns(x);
    let design = Design::new(names, raw.iter().map(|c| numbers(c)).collect()).expect("a design");
    let target = numbers(&columns(y).1[0]);
    let (file, column) = folds.split_once(':').expect("FILE:COLUMN");
    let (fold_names, fold_columns) = columns(file);
    let place = fold_names
        .iter()
        .position(|n| n == column)
        .expect("the column of folds");
    let ids: Vec<i64> = numbers(&fold_columns[place]).iter().map(|&f| f as i64).collect();
    let folds = folds_from_numbers(&ids).expect("folds");
    let all = regression::all();
    for method in &all {
        let name = method.name();
        if !methods.iter().any(|m| m == name || m == "all") {
            continue;
        }
        let (mut wall, mut user) = (f64::INFINITY, f64::INFINITY);
        let mut r2 = Vec::new();
        for seed in 0..seeds.parse::<u64>().expect("a number of seeds") {
            for _ in 0..repeats.parse::<usize>().expect("a number of repeats") {
                let (start, before) = (Instant::now(), user_seconds());
                let found = evaluate(method.as_ref(), &design, &target, None, &folds, seed);
                let found = found.expect("a fit");
                wall = wall.min(start.elapsed().as_secs_f64());
                user = user.min(user_seconds() - before);
                if r2.len() <= seed as usize {
                    r2.push(found.r2_pooled.unwrap_or(f64::NAN));
                }
            }
        }
        let line = serde_json::json!({"method": name, "wall": wall, "user": user, "r2": r2});
        println!("{line}");
    }
    if methods.iter().any(|m| m == "shap") {
        explain(&design, &target, repeats.parse().expect("a number of repeats"));
    }
}
