//! What must hold of every regression, whatever its method.

use study::regression::{self, Regression};
use study::{Design, Error};

/// A table with repeated rows, a constant column and a target that follows the others with noise.
fn table(n: usize) -> (Design, Vec<f64>) {
    let noise = |i: usize, k: usize| ((i * 7919 + k * 104_729) % 1000) as f64 / 1000.0;
    let a: Vec<f64> = (0..n).map(|i| ((i * 13) % 9) as f64).collect();
    let b: Vec<f64> = (0..n).map(|i| ((i * 29) % 5) as f64 * 100.0).collect();
    let constant = vec![7.0; n];
    let y = (0..n)
        .map(|i| 3.0 * a[i] - b[i] / 50.0 + 4.0 * noise(i, 1) + 20.0)
        .collect();
    let names = ["a", "b", "constant"].map(str::to_owned).to_vec();
    (Design::new(names, vec![a, b, constant]).expect("valid"), y)
}

fn predict(
    method: &dyn Regression,
    design: &Design,
    target: &[f64],
    weights: Option<&[f64]>,
    at: &Design,
) -> Vec<f64> {
    let fit = method.fit(design, target, weights, 3);
    let fit = fit.unwrap_or_else(|e| panic!("{}: {e}", method.name()));
    let values = fit.predict(at).expect("the same columns");
    assert!(values.iter().all(|v| v.is_finite()), "{}", method.name());
    values
}

#[test]
fn order_of_rows_does_not_matter() {
    let (x, y) = table(120);
    let order: Vec<usize> = (0..120).map(|i| (i * 47 + 5) % 120).collect();
    let shuffled: Vec<f64> = order.iter().map(|&r| y[r]).collect();
    for method in regression::all() {
        let straight = predict(method.as_ref(), &x, &y, None, &x);
        let other = predict(method.as_ref(), &x.select(&order), &shuffled, None, &x);
        assert_eq!(straight, other, "{}", method.name());
    }
}

#[test]
fn a_row_of_weight_two_is_two_rows() {
    let (x, y) = table(60);
    let twice: Vec<usize> = (0..60).chain(0..30).collect();
    let target: Vec<f64> = twice.iter().map(|&r| y[r]).collect();
    let weights: Vec<f64> = (0..60).map(|i| if i < 30 { 2.0 } else { 1.0 }).collect();
    for method in regression::all() {
        // A bootstrap or a batch draws rows, so weights change what is drawn.
        if ["random_forest", "mlp"].contains(&method.name()) {
            continue;
        }
        let weighted = predict(method.as_ref(), &x, &y, Some(&weights), &x);
        let repeated = predict(method.as_ref(), &x.select(&twice), &target, None, &x);
        for (a, b) in weighted.iter().zip(&repeated) {
            assert!((a - b).abs() < 1e-4, "{}: {a} {b}", method.name());
        }
    }
}

#[test]
fn weights_of_zero_take_rows_away() {
    let (x, y) = table(80);
    let kept: Vec<usize> = (0..50).collect();
    let weights: Vec<f64> = (0..80).map(|i| f64::from(u8::from(i < 50))).collect();
    for method in regression::all() {
        let weighted = predict(method.as_ref(), &x, &y, Some(&weights), &x);
        let fewer = predict(method.as_ref(), &x.select(&kept), &y[..50], None, &x);
        assert_eq!(weighted, fewer, "{}", method.name());
    }
}

#[test]
fn constant_targets_are_learnt() {
    let (x, _) = table(50);
    for method in regression::all() {
        // Its 100 epochs do not reach a constant far from zero; the reference does not either.
        if method.name() == "mlp" {
            continue;
        }
        for value in predict(method.as_ref(), &x, &[4.5; 50], None, &x) {
            assert!((value - 4.5).abs() < 1e-6, "{}: {value}", method.name());
        }
    }
}

#[test]
fn one_row_one_feature_and_more_features_than_rows_fit() {
    let one = Design::new(vec!["a".to_owned()], vec![vec![2.0]]).expect("valid");
    let names: Vec<String> = (0..8).map(|f| format!("x{f}")).collect();
    let column = |f: usize| (0..4).map(|i| ((i * 5 + f * 3) % 7) as f64).collect();
    let wide = Design::new(names, (0..8).map(column).collect()).expect("valid");
    let constant = Design::new(vec!["c".to_owned()], vec![vec![1.0; 6]]).expect("valid");
    for method in regression::all() {
        predict(method.as_ref(), &one, &[3.0], None, &one);
        predict(method.as_ref(), &wide, &[1.0, 2.0, 3.0, 5.0], None, &wide);
        let mean = predict(
            method.as_ref(),
            &constant,
            &[1.0, 2.0, 3.0, 5.0, 6.0, 7.0],
            None,
            &constant,
        );
        assert!(mean.iter().all(|v| *v == mean[0]), "{}", method.name());
    }
}

#[test]
fn duplicated_columns_change_no_linear_prediction() {
    let (x, y) = table(40);
    let mut columns = x.columns().to_vec();
    columns.push(columns[0].clone());
    let names = ["a", "b", "constant", "again"].map(str::to_owned).to_vec();
    let wider = Design::new(names, columns).expect("valid");
    let linear = regression::Linear;
    let narrow = predict(&linear, &x, &y, None, &x);
    let wide = predict(&linear, &wider, &y, None, &wider);
    assert!(narrow.iter().zip(&wide).all(|(a, b)| (a - b).abs() < 1e-9));
    for method in regression::all() {
        predict(method.as_ref(), &wider, &y, None, &wider);
    }
}

#[test]
fn any_scale_of_columns_and_targets_fits() {
    let (x, y) = table(60);
    for factor in [1e-12, 1e12] {
        let scaled = |c: &Vec<f64>| c.iter().map(|v| v * factor).collect();
        let columns = x.columns().iter().map(scaled).collect();
        let design = Design::new(x.names().to_vec(), columns).expect("valid");
        let target: Vec<f64> = y.iter().map(|v| v * factor).collect();
        for method in regression::all() {
            predict(method.as_ref(), &design, &y, None, &design);
            predict(method.as_ref(), &x, &target, None, &x);
        }
        // Trees and least squares do not care for units.
        for name in ["random_forest", "decision_tree", "gradient_boosting", "linear"] {
            let method = regression::from_name(name).expect("a method");
            let plain = predict(method.as_ref(), &x, &y, None, &x);
            let other = predict(method.as_ref(), &design, &target, None, &design);
            for (a, b) in plain.iter().zip(&other) {
                assert!(
                    (a - b / factor).abs() < 1e-6 * a.abs(),
                    "{name}: {a} {}",
                    b / factor
                );
            }
        }
    }
}

#[test]
fn unusable_input_is_a_typed_error() {
    let (x, y) = table(20);
    let mut nan = y.clone();
    nan[4] = f64::NAN;
    for method in regression::all() {
        let name = method.name();
        let error =
            |target: &[f64], weights: Option<&[f64]>| method.fit(&x, target, weights, 0).err().expect(name);
        assert!(
            matches!(error(&y[..19], None), Error::LengthMismatch { .. }),
            "{name}"
        );
        assert!(
            matches!(error(&nan, None), Error::NotFinite { row: 4, .. }),
            "{name}"
        );
        assert!(
            matches!(error(&y, Some(&[1.0])), Error::LengthMismatch { .. }),
            "{name}"
        );
        assert!(
            matches!(error(&y, Some(&[0.0; 20])), Error::NoWeight { .. }),
            "{name}"
        );
        let mut negative = [1.0; 20];
        negative[7] = -1.0;
        let found = error(&y, Some(&negative));
        assert!(matches!(found, Error::NegativeWeight { row: 7, .. }), "{name}");
        let none = method.fit(&x.select(&[]), &[], None, 0);
        assert_eq!(none.err(), Some(Error::NoRows), "{name}");
        let fit = method.fit(&x, &y, None, 0).expect("valid");
        let other = x.select_columns(&["b", "a", "constant"]).expect("columns");
        assert!(
            matches!(fit.predict(&other), Err(Error::ColumnsDiffer { .. })),
            "{name}"
        );
        assert_eq!(fit.predict(&x.select(&[])), Ok(Vec::new()), "{name}");
    }
}

#[test]
fn same_seed_same_bits_on_any_number_of_threads() {
    let (x, y) = table(300);
    let bits = |threads: usize| -> Vec<u64> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.expect("threads").install(|| {
            let all = regression::all();
            let values = all.iter().flat_map(|m| predict(m.as_ref(), &x, &y, None, &x));
            values.map(f64::to_bits).collect()
        })
    };
    let one = bits(1);
    assert_eq!(one, bits(2));
    assert_eq!(one, bits(7));
}
