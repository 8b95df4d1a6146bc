//! Compares the closed form with direct leave-one-shape-out, and tests what the process must learn.

use super::*;
use crate::random::Random;

/// Twelve shapes, some with grouped heads; the target follows size, grouping and date.
fn table(n: usize) -> (Design, Vec<f64>) {
    let mut random = Random::new(5, 0);
    let mut columns = vec![Vec::new(); 6];
    let mut target = Vec::new();
    for _ in 0..n {
        let k = random.below(12) as f64;
        let (layers, d_model) = (12.0 + 4.0 * k, 1024.0 + 512.0 * k);
        let kv = if k % 2.0 == 0.0 { 4.0 } else { 16.0 };
        let date = 19_000.0 + random.below(700) as f64;
        let size = 12.0 * layers * d_model * d_model / 1e9;
        for (c, x) in columns
            .iter_mut()
            .zip([layers, d_model, 4.0 * d_model, 16.0, kv, date])
        {
            c.push(x);
        }
        let noise = random.uniform() - 0.5;
        target.push(40.0 + 5.0 * size.ln() + 6.0 * (16.0_f64 / kv).ln() + (date - 19_000.0) / 100.0 + noise);
    }
    let names = ["layers", "d_model", "d_ffn", "heads", "kv_heads", "date"];
    let design = Design::new(names.map(str::to_owned).to_vec(), columns);
    (design.expect("valid"), target)
}

#[test]
fn predicts_a_shape_it_has_not_seen() {
    let (x, y) = table(400);
    let layers: Vec<i64> = x.column(0).iter().map(|&l| l as i64).collect();
    let shapes = crate::Groups::from_labels(&layers);
    let rows = crate::RowInformation {
        n_rows: 400,
        shape: Some(&shapes),
        ..crate::RowInformation::default()
    };
    let folds = crate::k_folds(crate::Protocol::StructureOut, 6, &rows, 0).expect("12 shapes");
    let found = crate::evaluate(&Structural::default(), &x, &y, None, &folds, 0).expect("valid");
    assert!(found.r2_pooled.expect("varies") > 0.9, "{:?}", found.r2_pooled);
}

#[test]
fn order_of_rows_does_not_matter_and_names_do() {
    let (x, y) = table(90);
    let order: Vec<usize> = (0..90).map(|i| (i * 47 + 5) % 90).collect();
    let shuffled: Vec<f64> = order.iter().map(|&r| y[r]).collect();
    let method = Structural::default();
    let straight = method.fit(&x, &y, None, 0).expect("valid");
    let other = method.fit(&x.select(&order), &shuffled, None, 0).expect("valid");
    assert_eq!(straight.predict(&x), other.predict(&x));
    let without = x
        .select_columns(&["layers", "d_model", "heads"])
        .expect("columns");
    let error = method.fit(&without, &y, None, 0).err();
    assert!(matches!(error, Some(Error::UnknownColumn { name, .. }) if name == "d_ffn"));
    let zero = x.with_column(3, vec![0.0; 90]).expect("valid");
    assert!(method.fit(&zero, &y, None, 0).is_err());
}

#[test]
fn one_row_and_a_constant_target_fit() {
    let (x, _) = table(30);
    let method = Structural::default();
    let one = method.fit(&x.select(&[0]), &[3.0], None, 0).expect("valid");
    assert!((one.predict(&x.select(&[0])).expect("columns")[0] - 3.0).abs() < 1e-6);
    let flat = method.fit(&x, &[7.0; 30], None, 0).expect("valid");
    let values = flat.predict(&x).expect("columns");
    assert!(values.iter().all(|v| (v - 7.0).abs() < 1e-6));
}
