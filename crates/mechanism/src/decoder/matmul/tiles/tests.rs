//! Products compared with sums in `f64`; on CPUs without tiles with the emulated instructions.

use super::kernel::Tile;
use super::*;
use crate::decoder::matmul::exact::{noise, products, transposed};

/// A single product.
fn one(dst: &mut [f32], a: View<'_>, right: View<'_>, packed: Option<&PackedTiles>, base: Base<'_>) {
    multiply(
        a,
        &mut [Job {
            dst,
            base,
            right,
            packed,
        }],
    );
}

#[test]
fn products_that_share_their_rows_are_those_of_each_alone() {
    let (m, k) = (150, 200);
    let x = noise(m * k, 8);
    let a = View::new(&x, m, k, k);
    for threads in [1, 3, 40] {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let sides: Vec<(Vec<f32>, usize)> = [96, 65, 130].map(|n| (noise(k * n, n as u64), n)).to_vec();
        let views: Vec<View<'_>> = sides.iter().map(|(y, n)| View::new(y, k, *n, *n)).collect();
        let packed: Vec<PackedTiles> = views.iter().map(|b| PackedTiles::new(*b)).collect();
        let alone: Vec<Vec<f32>> = views
            .iter()
            .map(|b| {
                let mut dst = vec![0.0; m * b.columns];
                one(&mut dst, a, *b, None, Base::Zero);
                dst
            })
            .collect();
        let mut together: Vec<Vec<f32>> = views.iter().map(|b| vec![0.0; m * b.columns]).collect();
        let mut jobs: Vec<Job<'_, '_>> = together
            .iter_mut()
            .zip(views.iter().zip(&packed))
            .enumerate()
            .map(|(i, (dst, (right, packed)))| Job {
                dst,
                base: Base::Zero,
                right: *right,
                // The second right-hand side is not packed in advance.
                packed: (i != 1).then_some(packed),
            })
            .collect();
        pool.install(|| multiply(a, &mut jobs));
        assert_eq!(together, alone, "{threads} threads");
    }
}

/// `x` truncated to a significand of `bits` bits.
fn cut(x: f32, bits: u32) -> f32 {
    f32::from_bits(x.to_bits() & !0 << (24 - bits))
}

#[test]
fn products_are_as_exact_as_in_f32_whatever_the_shape_and_order() {
    // Numbers with 8-bit significands have one term, with 16 bits two, with 24 bits three.
    for (m, k, n, bits) in [
        (64, 64, 64, 24),
        (65, 97, 130, 16),
        (200, 1100, 70, 8),
        (131, 576, 4130, 24),
    ] {
        let x = noise(m * k, 1);
        let y: Vec<f32> = noise(k * n, 2).iter().map(|y| cut(*y, bits)).collect();
        let before = noise(m * n, 3);
        let (xt, yt) = (transposed(&x, m, k), transposed(&y, k, n));
        let exact = products(&x, &y, k, n);
        let left = [View::new(&x, m, k, k), View::new(&xt, k, m, m).t()];
        let right = [View::new(&y, k, n, n), View::new(&yt, n, k, k).t()];
        let mut first: Option<Vec<f32>> = None;
        for (a, b) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mut dst = before.clone();
            one(&mut dst, left[a], right[b], None, Base::Zero);
            for (value, (sum, square)) in dst.iter().zip(&exact) {
                let off = (f64::from(*value) - sum).abs();
                assert!(off < 3e-6 * square.sqrt(), "{m} {k} {n}: {value} {sum}");
            }
            assert_eq!(first.get_or_insert_with(|| dst.clone()), &dst);
            let mut beside = vec![0.0; m * n];
            one(&mut beside, left[a], right[b], None, Base::Matrix(&before));
            let mut added = before.clone();
            let packed = PackedTiles::new(right[b]);
            one(&mut added, left[a], right[b], Some(&packed), Base::Target);
            assert_eq!(beside, added);
            for ((value, product), before) in added.iter().zip(&dst).zip(&before) {
                assert!((value - (product + before)).abs() < 1e-5 * (1.0 + product.abs()));
            }
        }
    }
}

#[test]
fn a_number_depends_on_its_row_and_column_alone() {
    let (m, k, n) = (200, 900, 150);
    let (x, y) = (noise(m * k, 4), noise(k * n, 5));
    let product = |rows: usize, columns: usize, threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads");
        let mut dst = vec![0.0; rows * columns];
        let (a, b) = (View::new(&x, rows, k, k), View::new(&y, k, columns, n));
        pool.install(|| one(&mut dst, a, b, None, Base::Zero));
        dst
    };
    let whole = product(m, n, 1);
    assert_eq!(whole, product(m, n, 3));
    let part = product(75, 70, 2);
    for (i, row) in part.chunks_exact(70).enumerate() {
        assert_eq!(row, &whole[i * n..i * n + 70], "row {i}");
    }
}

#[test]
fn terms_that_are_zero_are_known() {
    for (bits, terms) in [(8, 1), (16, 2), (24, 3)] {
        let y: Vec<f32> = noise(DEPTH * WIDE, 6).iter().map(|y| cut(*y, bits)).collect();
        let found = pack::right(View::new(&y, DEPTH, WIDE, WIDE), 0, 1, &mut [Right::ZERO]);
        assert_eq!(found, terms, "{bits} bits");
    }
}

#[test]
fn three_terms_give_the_number_back() {
    let values: Vec<f32> = (0..HIGH * DEPTH)
        .map(|at| (at as f32 - 200.0) / 7.0 * 3.0_f32.powi(at as i32 % 40 - 20))
        .collect();
    let mut packed = [Left::ZERO];
    pack::left(View::new(&values, HIGH, DEPTH, DEPTH), 0, &mut packed);
    let [Left(terms)] = packed;
    // The first number of a pair is in the lower half; it comes 16 columns before the second.
    let number = |tile: &Tile, row: usize, column: usize| {
        let pair = tile[row][column % 16];
        f64::from(f32::from_bits(if column < 16 {
            pair << 16
        } else {
            pair & 0xffff_0000
        }))
    };
    for (at, value) in values.iter().enumerate() {
        let sum: f64 = terms
            .iter()
            .map(|tile| number(tile, at / DEPTH, at % DEPTH))
            .sum();
        assert_eq!(sum, f64::from(*value), "number {at}");
    }
}
