//! Low-rank factorisation of the radial kernel matrix of the distinct rows.

use faer::linalg::triangular_solve::solve_lower_triangular_in_place;
use faer::{Accum, Mat, MatRef, Par};

use crate::algebra::{multiply, settle};

/// exp(−γ‖a − b‖²).
pub(super) fn radial(a: &[f64], b: &[f64], gamma: f64) -> f64 {
    let squared: f64 = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum();
    (-gamma * squared).exp()
}

/// K ≈ Φ Φᵀ by pivoted Cholesky, with every element within [`TOLERANCE`].
pub(super) struct Factor {
    /// Φ, `(n_rows, rank)`, column-major.
    values: Vec<f64>,
    /// Pivot rows of the columns of Φ, in order; Φ is lower triangular on these rows.
    pub(super) pivots: Vec<usize>,
}

/// Largest element of K − Φ Φᵀ. Multipliers are at most C per row, so predictions change by less than this times Σ C.
const TOLERANCE: f64 = 1e-6;

/// Number of columns computed together, so that the part explained by earlier columns is one matrix product.
const PANEL: usize = 48;

impl Factor {
    /// Factorises the kernel of rows of `width` values each, row-major.
    ///
    /// Several pivots are taken at a time: of rows, evenly spread, with a residual of at least half the largest, those
    /// that still have a quarter of it after the others in the batch (within a factor of four as greedy as one at a
    /// time).
    pub(super) fn new(rows: &[f64], width: usize, gamma: f64) -> Self {
        let n = rows.len() / width;
        // Feature-major, so that the distances to a pivot are sums over contiguous columns.
        let by_feature: Vec<Vec<f64>> = (0..width)
            .map(|f| (0..n).map(|r| rows[r * width + f]).collect())
            .collect();
        let mut left = vec![1.0_f64; n];
        let mut values: Vec<f64> = Vec::new();
        let mut pivots: Vec<usize> = Vec::new();
        loop {
            let largest = left.iter().copied().fold(0.0, f64::max);
            if largest <= TOLERANCE {
                return Self { values, pivots };
            }
            let candidates = candidates(&left, largest);
            let rank = pivots.len();
            let phi = MatRef::from_column_major_slice(&values, n, rank);
            let explained = |rows: &[usize]| Mat::from_fn(rank, rows.len(), |k, c| phi[(rows[c], k)]);
            let mut square = Mat::from_fn(candidates.len(), candidates.len(), |r, c| {
                let row = |g: usize| &rows[g * width..(g + 1) * width];
                radial(row(candidates[r]), row(candidates[c]), gamma)
            });
            let of_candidates = explained(&candidates);
            let transposed = of_candidates.transpose();
            multiply(
                square.as_mut(),
                Accum::Add,
                transposed,
                of_candidates.as_ref(),
                -1.0,
            );
            let (taken, lower) = independent(&square, (largest / 4.0).max(TOLERANCE));
            let taken: Vec<usize> = taken.iter().map(|&t| candidates[t]).collect();
            let mut columns = kernels(&by_feature, &taken, gamma);
            multiply(
                columns.as_mut(),
                Accum::Add,
                phi,
                explained(&taken).as_ref(),
                -1.0,
            );
            solve_lower_triangular_in_place(lower.as_ref(), columns.as_mut().transpose_mut(), Par::Seq);
            settle();
            // Residuals of the pivots themselves are rounding errors, and are set to zero.
            for &earlier in &pivots {
                columns.row_mut(earlier).fill(0.0);
            }
            for (i, &pivot) in taken.iter().enumerate() {
                for k in 0..taken.len() {
                    columns[(pivot, k)] = if k <= i { lower[(i, k)] } else { 0.0 };
                }
            }
            for k in 0..taken.len() {
                let squares = columns.col(k).iter().map(|x| x * x);
                left.iter_mut().zip(squares).for_each(|(left, x)| *left -= x);
            }
            for &pivot in &taken {
                left[pivot] = 0.0;
            }
            pivots.extend(&taken);
            for k in 0..taken.len() {
                values.extend(columns.col(k).iter());
            }
        }
    }

    /// Φ, `(n_rows, rank)`.
    pub(super) fn phi(&self) -> MatRef<'_, f64> {
        let rank = self.pivots.len();
        MatRef::from_column_major_slice(&self.values, self.values.len() / rank.max(1), rank)
    }

    /// Coefficients of kernels centred on the pivots, as many as weights, whose sum is wᵀ φ(x): back substitution
    /// through the pivots' rows.
    pub(super) fn coefficients(&self, w: &[f64]) -> Vec<f64> {
        let (phi, rank) = (self.phi(), w.len());
        let mut c = w.to_vec();
        for k in (0..rank).rev() {
            // Row of Φ for pivot p: φ(x_p)_k for k ≤ p.
            for (p, &pivot) in self.pivots.iter().enumerate().take(rank).skip(k + 1) {
                c[k] -= phi[(pivot, k)] * c[p];
            }
            c[k] /= phi[(self.pivots[k], k)];
        }
        c
    }
}

/// The row with the largest residual and others with at least half of it, evenly spread, at most [`PANEL`].
fn candidates(left: &[f64], largest: f64) -> Vec<usize> {
    let least = (largest / 2.0).max(TOLERANCE);
    let likely: Vec<usize> = (0..left.len()).filter(|&r| left[r] >= least).collect();
    let n = likely.len();
    let spread = |&k: &usize| n <= PANEL || k * PANEL / n != (k + 1) * PANEL / n;
    let mut taken: Vec<usize> = (0..n).filter(spread).map(|k| likely[k]).collect();
    let first = likely.into_iter().find(|&r| left[r] >= largest);
    if let Some(first) = first.filter(|first| !taken.contains(first)) {
        taken[0] = first;
    }
    taken
}

/// Columns of the kernel, `(n_rows, n_candidates)`.
fn kernels(by_feature: &[Vec<f64>], candidates: &[usize], gamma: f64) -> Mat<f64> {
    let n = by_feature.first().map_or(0, Vec::len);
    let mut panel = Mat::<f64>::zeros(n, candidates.len());
    for (c, &row) in candidates.iter().enumerate() {
        let mut column = vec![0.0; n];
        for values in by_feature {
            let at = values[row];
            for (sum, v) in column.iter_mut().zip(values) {
                *sum += (v - at) * (v - at);
            }
        }
        let to = panel.col_mut(c);
        to.iter_mut()
            .zip(&column)
            .for_each(|(to, sum)| *to = (-gamma * sum).exp());
    }
    panel
}

/// Pivoted Cholesky of a small matrix until residuals are below `least`: the pivot rows and their triangular factor.
fn independent(square: &Mat<f64>, least: f64) -> (Vec<usize>, Mat<f64>) {
    let n = square.nrows();
    let mut left: Vec<f64> = (0..n).map(|k| square[(k, k)]).collect();
    let mut columns: Vec<Vec<f64>> = Vec::new();
    let mut taken: Vec<usize> = Vec::new();
    while taken.len() < n {
        let pivot = (0..n).fold(0, |best, k| if left[k] > left[best] { k } else { best });
        // The first pivot has the largest residual of all, so it is always accepted.
        if left[pivot] < least && !taken.is_empty() {
            break;
        }
        let root = left[pivot].max(f64::MIN_POSITIVE).sqrt();
        let entry = |r: usize| {
            let explained: f64 = columns.iter().map(|column| column[r] * column[pivot]).sum();
            (square[(r, pivot)] - explained) / root
        };
        let column: Vec<f64> = (0..n).map(entry).collect();
        for (left, x) in left.iter_mut().zip(&column) {
            *left -= x * x;
        }
        left[pivot] = f64::NEG_INFINITY;
        taken.push(pivot);
        columns.push(column);
    }
    let lower = Mat::from_fn(taken.len(), taken.len(), |r, c| {
        if c <= r { columns[c][taken[r]] } else { 0.0 }
    });
    (taken, lower)
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
                    .map(|k| factor.phi()[(a, k)] * factor.phi()[(b, k)])
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
            let direct: f64 = (0..w.len()).map(|k| w[k] * factor.phi()[(r, k)]).sum();
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
