//! Products compared with sums in `f64`.

use super::*;
use crate::decoder::matmul::exact::{noise, products, transposed};

#[test]
fn products_are_as_exact_as_in_f32_whatever_the_shape_and_order() {
    if !available() {
        return;
    }
    for (m, k, n) in [
        (1, 16, 16),
        (7, 17, 33),
        (65, 97, 130),
        (100, 1700, 272),
        (200, 2000, 31),
    ] {
        let (x, y, before) = (noise(m * k, 1), noise(k * n, 2), noise(m * n, 3));
        let yt = transposed(&y, k, n);
        let exact = products(&x, &y, k, n);
        let a = View::new(&x, m, k, k);
        let right = [View::new(&y, k, n, n), View::new(&yt, n, k, k).t()];
        let mut first: Option<Vec<f32>> = None;
        for b in right {
            for packed in [None, Some(PackedPanels::new(b))] {
                let mut dst = before.clone();
                multiply(&mut dst, a, b, packed.as_ref(), Base::Zero);
                for (value, (sum, square)) in dst.iter().zip(&exact) {
                    let off = (f64::from(*value) - sum).abs();
                    assert!(off < 3e-6 * square.sqrt(), "{m} {k} {n}: {value} {sum}");
                }
                let mut beside = vec![0.0; m * n];
                multiply(&mut beside, a, b, packed.as_ref(), Base::Matrix(&before));
                let mut added = before.clone();
                multiply(&mut added, a, b, packed.as_ref(), Base::Target);
                assert_eq!(beside, added);
                for ((value, product), before) in added.iter().zip(&dst).zip(&before) {
                    assert!((value - (product + before)).abs() < 1e-5 * (1.0 + product.abs()));
                }
                match &first {
                    Some(first) => assert_eq!(&dst, first, "{m} {k} {n}"),
                    None => first = Some(dst),
                }
            }
        }
    }
}

#[test]
fn a_number_depends_on_its_row_and_column_alone() {
    if !available() {
        return;
    }
    let (m, k, n) = (103, 800, 90);
    let (x, y) = (noise(m * k, 4), noise(k * n, 5));
    let b = View::new(&y, k, n, n);
    let mut all = vec![0.0; m * n];
    multiply(&mut all, View::new(&x, m, k, k), b, None, Base::Zero);
    for (from, rows) in [(0, 1), (5, 8), (90, 13)] {
        let mut some = vec![0.0; rows * n];
        multiply(
            &mut some,
            View::new(&x[from * k..], rows, k, k),
            b,
            None,
            Base::Zero,
        );
        assert_eq!(some, all[from * n..(from + rows) * n]);
    }
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a thread");
    let mut alone = vec![0.0; m * n];
    one.install(|| multiply(&mut alone, View::new(&x, m, k, k), b, None, Base::Zero));
    assert_eq!(alone, all);
}

#[test]
fn rows_may_lie_apart() {
    if !available() {
        return;
    }
    let (m, k, n, apart) = (14, 40, 20, 47);
    let (x, y) = (noise(m * apart, 6), noise(k * n, 7));
    let dense: Vec<f32> = x.chunks(apart).flat_map(|row| &row[..k]).copied().collect();
    let b = View::new(&y, k, n, n);
    let (mut got, mut expected) = (vec![0.0; m * n], vec![0.0; m * n]);
    multiply(&mut got, View::new(&x, m, k, apart), b, None, Base::Zero);
    multiply(&mut expected, View::new(&dense, m, k, k), b, None, Base::Zero);
    assert_eq!(got, expected);
}
