//! `mcnemar_p(b, c)`: exact two-sided p of the test of `McNemar` (1947) on the items only one of two solves.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Int64Type};
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};

/// The function, of two whole numbers.
pub(crate) fn function() -> ScalarUDF {
    create_udf(
        "mcnemar_p",
        vec![DataType::Int64, DataType::Int64],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(|arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let (b, c) = (
                arrays[0].as_primitive::<Int64Type>(),
                arrays[1].as_primitive::<Int64Type>(),
            );
            let made: Float64Array = b
                .iter()
                .zip(c.iter())
                .map(|(b, c)| {
                    let (b, c) = (u64::try_from(b?).ok()?, u64::try_from(c?).ok()?);
                    Some(two_sided(b.min(c), b.saturating_add(c)))
                })
                .collect();
            Ok(ColumnarValue::Array(Arc::new(made) as ArrayRef))
        }),
    )
}

/// min(1, 2·P(X ≤ k)) for X binomial of n with one half. The sum runs down from its greatest term and ends when terms no
/// longer count.
fn two_sided(k: u64, n: u64) -> f64 {
    if 2 * k >= n {
        return 1.0;
    }
    let mut sum = 0.0;
    let mut term = 1.0;
    let mut i = k;
    while term > sum * 1e-17 {
        sum += term;
        if i == 0 {
            break;
        }
        term *= i as f64 / (n - i + 1) as f64;
        i -= 1;
    }
    let logarithm = log_choose(n, k) - n as f64 * std::f64::consts::LN_2 + sum.ln();
    (2.0 * logarithm.exp()).min(1.0)
}

/// Logarithm of n over k, by the products of its k factors.
fn log_choose(n: u64, k: u64) -> f64 {
    let mut logarithm = 0.0;
    let mut product = 1.0_f64;
    for i in 0..k {
        product *= (n - i) as f64 / (i + 1) as f64;
        if product > 1e250 {
            logarithm += product.ln();
            product = 1.0;
        }
    }
    logarithm + product.ln()
}

#[cfg(test)]
mod tests {
    use super::two_sided;

    /// scipy.stats.binomtest(k, n).pvalue.
    #[test]
    fn is_the_exact_test() {
        for (k, n, p) in [
            (3, 15, 0.035_156_25),
            (0, 0, 1.0),
            (5, 10, 1.0),
            (0, 20, 1.907_348_632_812_5e-6),
            (4_800, 10_000, 6.593_515_598_672_343e-5),
            (100, 400, 2.591_886_906_972_111e-24),
        ] {
            let found = two_sided(k, n);
            assert!((found - p).abs() <= 1e-9 * p, "{k} of {n}: {found}");
        }
    }
}
