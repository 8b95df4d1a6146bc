//! The radial kernel of distinct rows as a product of a tall matrix with its transpose.

use faer::Mat;

/// exp(−γ‖a − b‖²).
pub(super) fn radial(a: &[f64], b: &[f64], gamma: f64) -> f64 {
    let squared: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    (-gamma * squared).exp()
}

/// K ≈ Φ Φᵀ by pivoted Cholesky, every element within [`TOLERANCE`].
pub(super) struct Factor {
    /// `(n_rows, rank)`.
    pub(super) phi: Mat<f64>,
    /// Rows the columns of Φ stand on, in the order they were taken; Φ is lower triangular on them.
    pub(super) pivots: Vec<usize>,
}

/// Largest element of K − Φ Φᵀ. Multipliers are at most C a row, so predictions move by less than this times Σ C.
const TOLERANCE: f64 = 1e-7;

impl Factor {
    /// Of rows of `width` values each, row after row.
    pub(super) fn new(rows: &[f64], width: usize, gamma: f64) -> Self {
        let n = rows.len() / width;
        // By feature, so that the distances to a pivot are sums over contiguous columns.
        let by_feature: Vec<Vec<f64>> = (0..width)
            .map(|f| (0..n).map(|r| rows[r * width + f]).collect())
            .collect();
        let mut left = vec![1.0_f64; n];
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut pivots = Vec::new();
        while pivots.len() < n {
            let largest = |best: usize, r: usize| if left[r] > left[best] { r } else { best };
            let pivot = (0..n).fold(0, largest);
            if left[pivot] <= TOLERANCE {
                break;
            }
            let mut column = vec![0.0; n];
            for values in &by_feature {
                let at = values[pivot];
                for (c, v) in column.iter_mut().zip(values) {
                    *c += (v - at) * (v - at);
                }
            }
            for c in &mut column {
                *c = (-gamma * *c).exp();
            }
            // Four earlier columns at a time: the new one passes through memory a quarter as often.
            for four in columns.chunks(4) {
                subtract(&mut column, four, pivot);
            }
            let root = left[pivot].sqrt();
            for (r, c) in column.iter_mut().enumerate() {
                *c /= root;
                left[r] -= *c * *c;
            }
            // What rounding left on the pivots themselves is no residual.
            for &taken in &pivots {
                column[taken] = 0.0;
                left[taken] = 0.0;
            }
            column[pivot] = root;
            left[pivot] = 0.0;
            pivots.push(pivot);
            columns.push(column);
        }
        Self {
            phi: Mat::from_fn(n, columns.len(), |r, k| columns[k][r]),
            pivots,
        }
    }

    /// Coefficients of kernels around the pivots whose sum is wᵀ φ(x): back substitution through the pivots' rows.
    pub(super) fn coefficients(&self, w: &[f64]) -> Vec<f64> {
        let rank = self.pivots.len();
        let mut c = w.to_vec();
        for k in (0..rank).rev() {
            // Row p of Φ on pivot p: φ(x_p)_k for k ≤ p.
            for (p, &pivot) in self.pivots.iter().enumerate().skip(k + 1) {
                c[k] -= self.phi[(pivot, k)] * c[p];
            }
            c[k] /= self.phi[(self.pivots[k], k)];
        }
        c
    }
}

fn subtract(column: &mut [f64], earlier: &[Vec<f64>], pivot: usize) {
    if let [a, b, c, d] = earlier {
        let (fa, fb, fc, fd) = (a[pivot], b[pivot], c[pivot], d[pivot]);
        for ((((x, a), b), c), d) in column.iter_mut().zip(a).zip(b).zip(c).zip(d) {
            *x -= fa * a + fb * b + fc * c + fd * d;
        }
        return;
    }
    for e in earlier {
        let factor = e[pivot];
        column.iter_mut().zip(e).for_each(|(x, e)| *x -= factor * e);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_the_kernel() {
        let rows: Vec<f64> = (0..120).map(|i| f64::from((i * 37) % 50) / 20.0).collect();
        let factor = Factor::new(&rows, 3, 0.4);
        for a in 0..40 {
            for b in 0..40 {
                let kernel = radial(&rows[a * 3..a * 3 + 3], &rows[b * 3..b * 3 + 3], 0.4);
                let product: f64 = (0..factor.pivots.len())
                    .map(|k| factor.phi[(a, k)] * factor.phi[(b, k)])
                    .sum();
                assert!((kernel - product).abs() < 1e-6, "{kernel} {product}");
            }
        }
    }

    #[test]
    fn coefficients_give_the_same_function() {
        let rows: Vec<f64> = (0..60).map(|i| f64::from((i * 29) % 41) / 9.0).collect();
        let factor = Factor::new(&rows, 2, 0.3);
        let w: Vec<f64> = (0..factor.pivots.len()).map(|k| (k as f64).sin()).collect();
        let c = factor.coefficients(&w);
        for r in 0..30 {
            let direct: f64 = (0..w.len()).map(|k| w[k] * factor.phi[(r, k)]).sum();
            let kernels: f64 = factor
                .pivots
                .iter()
                .zip(&c)
                .map(|(&p, c)| c * radial(&rows[r * 2..r * 2 + 2], &rows[p * 2..p * 2 + 2], 0.3))
                .sum();
            assert!((direct - kernels).abs() < 1e-5, "{direct} {kernels}");
        }
    }
}
