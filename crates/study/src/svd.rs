//! Singular value decomposition of a tall, narrow matrix by one-sided Jacobi rotations.
//!
//! Pairs of columns are rotated until all are orthogonal: A V = U S (Hestenes 1958). Small singular values have high
//! relative accuracy (Demmel and Veselić 1992), and results are bit-identical on any number of threads.

/// A = Σ singular(k) · left(k) · right(k)ᵀ, largest first.
pub(crate) struct Svd {
    pub(crate) singular: Vec<f64>,
    /// `(n_columns, n_rows)`: left singular vectors; zero where the singular value is zero.
    pub(crate) left: Vec<Vec<f64>>,
    /// `(n_columns, n_columns)`: right singular vectors.
    pub(crate) right: Vec<Vec<f64>>,
}

/// Two columns are taken as orthogonal if the cosine of their angle is below this.
const ORTHOGONAL: f64 = 1e-14;
/// Largest number of sweeps; 6 to 10 are usual.
const MAX_SWEEPS: usize = 60;

impl Svd {
    /// Decomposes the matrix with these columns.
    pub(crate) fn new(columns: &[Vec<f64>]) -> Self {
        let p = columns.len();
        let mut a: Vec<Vec<f64>> = columns.to_vec();
        let mut v: Vec<Vec<f64>> = (0..p)
            .map(|k| (0..p).map(|i| f64::from(u8::from(i == k))).collect())
            .collect();
        for _ in 0..MAX_SWEEPS {
            let mut rotated = false;
            for i in 0..p {
                for j in i + 1..p {
                    rotated |= rotate(&mut a, &mut v, i, j);
                }
            }
            if !rotated {
                break;
            }
        }
        let lengths: Vec<f64> = a.iter().map(|c| length(c)).collect();
        let mut order: Vec<usize> = (0..p).collect();
        order.sort_by(|&i, &j| lengths[j].total_cmp(&lengths[i]));
        let unit = |&k: &usize| {
            let by = if lengths[k] > 0.0 { lengths[k] } else { 1.0 };
            a[k].iter().map(|x| x / by).collect()
        };
        Self {
            singular: order.iter().map(|&k| lengths[k]).collect(),
            left: order.iter().map(unit).collect(),
            right: order.iter().map(|&k| v[k].clone()).collect(),
        }
    }
}

/// Makes columns `i` and `j` orthogonal; returns whether a rotation was needed.
fn rotate(a: &mut [Vec<f64>], v: &mut [Vec<f64>], i: usize, j: usize) -> bool {
    let (li, lj) = (length(&a[i]), length(&a[j]));
    if li == 0.0 || lj == 0.0 {
        return false;
    }
    // A cosine and a ratio instead of products, so that nothing overflows at any scale.
    let cosine: f64 = a[i].iter().zip(&a[j]).map(|(x, y)| (x / li) * (y / lj)).sum();
    if cosine.abs() <= ORTHOGONAL {
        return false;
    }
    let zeta = (lj / li - li / lj) / (2.0 * cosine);
    let t = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
    let c = 1.0 / t.hypot(1.0);
    let s = c * t;
    if s == 0.0 {
        return false;
    }
    for m in [a, v] {
        let (head, tail) = m.split_at_mut(j);
        for (x, y) in head[i].iter_mut().zip(tail[0].iter_mut()) {
            (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
        }
    }
    true
}

/// Euclidean length, without overflow at any scale.
pub(super) fn length(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    largest * x.iter().map(|v| (v / largest).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_multiply_back() {
        let a: Vec<Vec<f64>> = (0..4)
            .map(|k| (0..7).map(|i| f64::from((i * 5 + k * k * 3) % 11)).collect())
            .collect();
        let svd = Svd::new(&a);
        for (k, column) in a.iter().enumerate() {
            for (i, x) in column.iter().enumerate() {
                let sum: f64 = (0..4)
                    .map(|m| svd.singular[m] * svd.left[m][i] * svd.right[m][k])
                    .sum();
                assert!((sum - x).abs() < 1e-12, "{sum} {x}");
            }
        }
        assert!(svd.singular.windows(2).all(|w| w[0] >= w[1]));
    }

    #[test]
    fn a_repeated_column_has_rank_one() {
        let svd = Svd::new(&[vec![1.0, 2.0, 3.0], vec![2.0, 4.0, 6.0]]);
        assert!(svd.singular[1] < 1e-14 * svd.singular[0]);
    }
}
