//! Fits survive being written and read, and what was tampered with does not open.

use study::regression::{self, SavedFit};
use study::{Design, Error, Regression};

fn table() -> (Design, Vec<f64>) {
    let column = |k: usize| (0..40).map(|i| 1.0 + ((i * (k + 3)) % 7) as f64).collect();
    let names = ["layers", "d_model", "d_ffn", "heads"].map(str::to_owned);
    let columns: Vec<Vec<f64>> = (0..4).map(column).collect();
    let y = (0..40)
        .map(|i| columns[0][i] * 2.5 - columns[2][i] / 3.0)
        .collect();
    (Design::new(names.to_vec(), columns).expect("valid"), y)
}

#[test]
fn every_fit_predicts_the_same_after_a_round_trip() {
    let (x, y) = table();
    let structural = regression::from_name("structural").expect("a method");
    for method in regression::all().into_iter().chain([structural]) {
        let fit = method.fit(&x, &y, None, 1).expect("valid");
        let saved = SavedFit::new(method.name(), "arc", fit.as_ref()).expect("plain data");
        let text = serde_json::to_string(&saved).expect("plain data");
        let read: SavedFit = serde_json::from_str(&text).expect("what was written");
        let back = read.open().expect("sound");
        let before = fit.predict(&x).expect("columns");
        let after = back.predict(&x).expect("columns");
        // A reader of JSON may be off by the last bit of a number.
        for (a, b) in before.iter().zip(&after) {
            let off = (a - b).abs();
            assert!(off <= 1e-9 * a.abs().max(1.0), "{}: {a} {b}", method.name());
        }
    }
}

#[test]
fn other_versions_and_broken_trees_do_not_open() {
    let (x, y) = table();
    let fit = regression::DecisionTree::default()
        .fit(&x, &y, None, 0)
        .expect("valid");
    let saved = SavedFit::new("decision_tree", "arc", fit.as_ref()).expect("plain data");
    let mut value = serde_json::to_value(&saved).expect("plain data");
    value["version"] = 99.into();
    let other: SavedFit = serde_json::from_value(value.clone()).expect("plain data");
    assert!(matches!(other.open(), Err(Error::SavedVersion { found: 99, .. })));
    value["version"] = 1.into();
    for left in [0xffff_u32, 1] {
        // A child far outside, and a second node that is its own parent.
        value["fit"]["tree"]["ensemble"]["trees"][0]["nodes"][1]["left"] = left.into();
        let broken: SavedFit = serde_json::from_value(value.clone()).expect("plain data");
        assert!(matches!(broken.open(), Err(Error::CannotCompute { .. })));
    }
}
