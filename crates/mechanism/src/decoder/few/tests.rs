//! Products of few rows compared with sums in `f64`, for all instruction sets of the machine.

use super::*;

/// Pseudorandom numbers between -1 and 1.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// `x·Wᵀ`.
fn product(level: Level, weight: &Raw, x: &[f32]) -> Vec<f32> {
    let mut out = vec![f32::NAN; x.len() / weight.n_in * weight.n_out];
    let out_of = &mut out;
    multiply_with(
        level,
        x,
        weight.n_in,
        &mut [FewRowsProduct { weight, out: out_of }],
    );
    out
}

/// Asserts that `found` is `x·wᵀ`.
fn is_product(found: &[f32], x: &[f32], w: &[f32], n_in: usize, what: &str) {
    let n_out = w.len() / n_in;
    for (at, found) in found.iter().enumerate() {
        let (row, column) = (at / n_out, at % n_out);
        let pairs = || {
            let w = &w[column * n_in..(column + 1) * n_in];
            w.iter().zip(&x[row * n_in..(row + 1) * n_in])
        };
        let exact: f64 = pairs().map(|(w, x)| f64::from(*w) * f64::from(*x)).sum();
        let size: f64 = pairs().map(|(w, x)| (f64::from(*w) * f64::from(*x)).abs()).sum();
        assert!(
            size.is_finite() && size > 0.0,
            "{what}: nothing is tested with {size}"
        );
        let off = (f64::from(*found) - exact).abs();
        assert!(off <= 2e-7 * size, "{what}: {found}, not {exact}; of {size}");
    }
}

/// All types that can be read.
fn types() -> impl Iterator<Item = GgmlType> {
    (0..=30).map(GgmlType::from_code).filter(|dtype| dtype.is_read())
}

/// A random weight of type `dtype`, and its decoded values.
fn blocks(dtype: GgmlType, n_out: usize, n_in: usize) -> (Raw, Vec<f32>) {
    // With the second-highest bit of every byte cleared, scales are small and finite in every type.
    let bytes: Vec<u8> = numbers(n_out * dtype.bytes(n_in), n_in as u32)
        .iter()
        .map(|number| (number.abs() * 255.0) as u8 & 0xbf)
        .collect();
    let rows: Vec<usize> = (0..n_out).collect();
    let weight = Raw::rows_of(dtype, bytes, n_in, &rows);
    let values = weight.values();
    (weight, values)
}

#[test]
fn sums_are_those_of_f64_whatever_the_shape() {
    for (rows, n_out, n_in) in [
        (1, 1, 1),
        (1, 7, 33),
        (2, 70, 1024),
        (3, 33, 576),
        (5, 131, 1537),
        (16, 64, 2100),
    ] {
        let (w, x) = (numbers(n_out * n_in, 1), numbers(rows * n_in, 2));
        let weight = Raw::of_values(&w, n_out, n_in);
        for level in Level::all() {
            let what = format!("{level:?}, {rows} × {n_out} × {n_in}");
            is_product(&product(level, &weight, &x), &x, &w, n_in, &what);
        }
    }
}

#[test]
fn blocks_of_every_type_are_multiplied_as_they_are_decoded() {
    for dtype in types() {
        // Widths of less than one, one and several strips, and blocks that do not fill a strip.
        for (n_out, n_in) in [(9, 256), (6, 1280), (3, 2304), (4, 32), (5, 1056_usize)] {
            if !n_in.is_multiple_of(dtype.block().0 as usize) {
                continue;
            }
            let (weight, w) = blocks(dtype, n_out, n_in);
            for rows in [1, 2, 3, 5, 8, 11, 16] {
                let x = numbers(rows * n_in, 5);
                for level in Level::all() {
                    let what = format!("{dtype}, {level:?}, {rows} × {n_out} × {n_in}");
                    is_product(&product(level, &weight, &x), &x, &w, n_in, &what);
                }
            }
        }
    }
}

#[test]
fn a_number_is_decoded_to_the_bit() {
    for dtype in types() {
        let n_in = 1280;
        let (weight, w) = blocks(dtype, 3, n_in);
        for level in Level::all() {
            // Rows of the identity matrix select one weight each.
            for from in (0..n_in).step_by(16) {
                let mut x = vec![0.0; 16 * n_in];
                for row in 0..16 {
                    x[row * n_in + from + row] = 1.0;
                }
                for (at, found) in product(level, &weight, &x).iter().enumerate() {
                    let known = w[at % 3 * n_in + from + at / 3];
                    assert_eq!(*found, known, "{dtype}, {level:?}");
                }
            }
        }
    }
}

#[test]
fn a_number_depends_on_its_row_alone() {
    for dtype in types() {
        let n_in = 1312_usize.next_multiple_of(dtype.block().0 as usize);
        let (weight, _) = blocks(dtype, 37, n_in);
        let x = numbers(16 * n_in, 4);
        for level in Level::all() {
            let alone: Vec<f32> = x.chunks(n_in).flat_map(|x| product(level, &weight, x)).collect();
            for rows in 1..=16 {
                let together = product(level, &weight, &x[..rows * n_in]);
                assert_eq!(together, alone[..rows * 37], "{dtype}, {level:?}, {rows} rows");
            }
        }
    }
    let (w, x) = (numbers(37 * 1300, 3), numbers(11 * 1300, 4));
    let weight = Raw::of_values(&w, 37, 1300);
    let alone = |x| product(Level::widest(), &weight, x);
    assert_eq!(alone(&x), x.chunks(1300).flat_map(alone).collect::<Vec<_>>());
}

#[cfg(target_arch = "x86_64")]
#[test]
fn registers_of_both_widths_give_the_same() {
    let fused: Vec<Level> = Level::all()
        .filter(|level| !matches!(level, Level::Plain))
        .collect();
    for dtype in types() {
        let (weight, _) = blocks(dtype, 21, 1792);
        let x = numbers(7 * 1792, 6);
        for pair in fused.windows(2) {
            let [a, b] = [pair[0], pair[1]].map(|level| product(level, &weight, &x));
            assert_eq!(a, b, "{dtype}");
        }
    }
}
