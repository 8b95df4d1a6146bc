//! Reads the regression oracles of `../shared`, where they are.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;

use study::{Design, Fold, Groups};

/// One pair of target and features with scikit-learn's results.
pub(crate) struct Oracle {
    pub(crate) name: &'static str,
    pub(crate) design: Design,
    pub(crate) target: Vec<f64>,
    /// `p1`, `p2`, `p3`.
    pub(crate) folds: BTreeMap<String, Vec<Fold>>,
    pub(crate) shapes: Groups,
    /// `method_protocol` or `method_protocol_mean`, `_sd`; NaN where not predicted.
    pub(crate) predictions: BTreeMap<String, Vec<f64>>,
    /// `(method, protocol)`: mean and standard deviation over seeds of the pooled R².
    pub(crate) r2: BTreeMap<(String, String), (f64, f64)>,
    /// Per feature mean and standard deviation of the forest's impurity importance.
    pub(crate) mdi: Vec<(f64, f64)>,
}

/// Both oracles, or nothing, said aloud, where `../shared` is not here.
pub(crate) fn oracles() -> Vec<Oracle> {
    ["ARC_B", "MMLU_A"].into_iter().filter_map(read).collect()
}

/// Says what a test skips; where `ANATOMY_REQUIRE` names `kind` (data, oracles, browser, python, weights), the test fails
/// instead.
fn skipped(kind: &str, why: &str) {
    let required = std::env::var("ANATOMY_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|one| one.trim() == kind),
        "ANATOMY_REQUIRE names {kind}: {why}"
    );
    println!("skipped: {why}");
}

/// A file of `../shared/data`, or nothing, said aloud.
pub(crate) fn data(file: &str) -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = here.ancestors().map(|p| p.join("../shared/data").join(file));
    let found = found.find(|p| p.is_file());
    if found.is_none() {
        skipped("data", &format!("../shared/data/{file} is not here"));
    }
    found
}

pub(crate) fn folder() -> Option<PathBuf> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let found = here
        .ancestors()
        .map(|p| p.join("../shared/oracles/regression"))
        .find(|p| p.is_dir());
    if found.is_none() {
        skipped("oracles", "../shared/oracles/regression is not here");
    }
    found
}

fn table(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut rows = reader
        .records()
        .map(|r| r.expect("readable").iter().map(str::to_owned).collect());
    let header = rows.next().expect("a header");
    (header, rows.collect())
}

fn number(text: &str) -> f64 {
    if text.is_empty() {
        f64::NAN
    } else {
        text.parse().expect("a number")
    }
}

fn read(name: &'static str) -> Option<Oracle> {
    let folder = folder()?.join(name);
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).expect("readable");
    let (names, x) = table(&text("X.csv"));
    let column = |c: usize| x.iter().map(|r| number(&r[c])).collect();
    let columns = (0..names.len()).map(column).collect();
    let (_, y) = table(&text("y.csv"));
    let (header, f) = table(&text("folds.csv"));
    let folds = ["p1", "p2", "p3"].map(|p| {
        let c = header.iter().position(|h| h == p).expect("the protocol");
        let ids: Vec<i64> = f.iter().map(|r| r[c].parse().expect("a fold")).collect();
        let folds = study::protocol::folds_from_numbers(&ids).expect("folds");
        (p.to_owned(), folds)
    });
    let core = header.iter().position(|h| h == "core_id").expect("core_id");
    let shapes: Vec<i64> = f.iter().map(|r| r[core].parse().expect("an id")).collect();
    let mut zipped = String::new();
    let file = std::fs::File::open(folder.join("oof_predictions.csv.gz")).expect("there");
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut zipped)
        .expect("text");
    let (methods, p) = table(&zipped);
    let predictions = methods.iter().enumerate().map(|(c, m)| {
        let values = p.iter().map(|r| number(&r[c])).collect();
        (m.clone(), values)
    });
    let (_, metrics) = table(&text("metrics_raw.csv"));
    let mut seeds: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for row in metrics.iter().filter(|r| r[3] == "pooled") {
        let of = seeds.entry((row[0].clone(), row[2].clone())).or_default();
        of.push(number(&row[4]));
    }
    let (_, mdi) = table(&text("rf_mdi_full_data.csv"));
    Some(Oracle {
        name,
        design: Design::new(names, columns).expect("a design"),
        target: y.iter().map(|r| number(&r[0])).collect(),
        folds: folds.into(),
        shapes: Groups::from_labels(&shapes),
        predictions: predictions.collect(),
        r2: seeds.into_iter().map(|(k, v)| (k, spread(&v))).collect(),
        mdi: mdi.iter().map(|r| (number(&r[1]), number(&r[2]))).collect(),
    })
}

pub(crate) fn spread(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n - 1.0).max(1.0)).sqrt())
}
