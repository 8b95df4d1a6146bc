//! Vectors and symmetric matrices with one entry per factor.

use super::FACTORS;

pub(super) type Vector = [f64; FACTORS];
pub(super) type SmallMatrix = [[f64; FACTORS]; FACTORS];

pub(super) const ZERO: SmallMatrix = [[0.0; FACTORS]; FACTORS];

pub(super) fn identity(scale: f64) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| if i == j { scale } else { 0.0 }))
}

pub(super) fn plus(a: &SmallMatrix, b: &SmallMatrix) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] + b[i][j]))
}

pub(super) fn minus(a: &SmallMatrix, b: &SmallMatrix) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] - b[i][j]))
}

pub(super) fn scaled(a: &SmallMatrix, by: f64) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i][j] * by))
}

pub(super) fn product(a: &SmallMatrix, b: &SmallMatrix) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| (0..FACTORS).map(|k| a[i][k] * b[k][j]).sum()))
}

pub(super) fn transposed(a: &SmallMatrix) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[j][i]))
}

pub(super) fn outer(a: &Vector, b: &Vector) -> SmallMatrix {
    std::array::from_fn(|i| std::array::from_fn(|j| a[i] * b[j]))
}

pub(super) fn of(a: &SmallMatrix, v: &Vector) -> Vector {
    std::array::from_fn(|i| inner(&a[i], v))
}

pub(super) fn inner(a: &Vector, b: &Vector) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub(super) fn added(a: &Vector, b: &Vector) -> Vector {
    std::array::from_fn(|i| a[i] + b[i])
}

pub(super) fn less(a: &Vector, b: &Vector) -> Vector {
    std::array::from_fn(|i| a[i] - b[i])
}

/// The quadratic form v' A v.
pub(super) fn form(a: &SmallMatrix, v: &Vector) -> f64 {
    inner(v, &of(a, v))
}

/// Cholesky factor L with L L' = A, for positive definite A; pivots below `1e-12` are raised to it.
pub(super) fn factor(a: &SmallMatrix) -> SmallMatrix {
    let mut lower = ZERO;
    for i in 0..FACTORS {
        for j in 0..=i {
            let left: f64 = a[i][j] - (0..j).map(|k| lower[i][k] * lower[j][k]).sum::<f64>();
            lower[i][j] = if i == j {
                left.max(1e-12).sqrt()
            } else {
                left / lower[j][j]
            };
        }
    }
    lower
}

/// Inverse of a lower triangular matrix.
pub(super) fn inverse_of_lower(lower: &SmallMatrix) -> SmallMatrix {
    // Row-wise on the transpose: one column of the inverse per row.
    let mut columns = ZERO;
    for (column, of) in columns.iter_mut().enumerate() {
        for i in column..FACTORS {
            let unit = if i == column { 1.0 } else { 0.0 };
            let left: f64 = (column..i).map(|k| lower[i][k] * of[k]).sum();
            of[i] = (unit - left) / lower[i][i];
        }
    }
    transposed(&columns)
}

/// Inverse of a positive definite matrix.
pub(super) fn inverse(a: &SmallMatrix) -> SmallMatrix {
    let half = inverse_of_lower(&factor(a));
    product(&transposed(&half), &half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_times_its_inverse_is_one() {
        let mut a = identity(2.0);
        for (i, row) in a.iter_mut().enumerate() {
            for (j, cell) in row.iter_mut().enumerate() {
                *cell += 1.0 / (1.0 + (i + j) as f64);
            }
        }
        let one = product(&a, &inverse(&a));
        for (i, row) in one.iter().enumerate() {
            for (j, cell) in row.iter().enumerate() {
                assert!((cell - f64::from(u8::from(i == j))).abs() < 1e-12);
            }
        }
    }
}
