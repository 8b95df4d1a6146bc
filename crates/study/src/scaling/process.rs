//! A Gaussian process on the residuals of a law, over logarithms of the dimensions, with an effect of the shape.

use faer::Mat;

use crate::algebra::inverse;
use crate::statistics::{mean, standard_deviation, variance};

/// Largest number of runs of a shape used; more add little.
const A_SHAPE: usize = 10;
/// Candidate length scales in standard deviations and, below, shares of variance of the smooth part; selected by
/// likelihood.
const LENGTHS: [f64; 3] = [0.7, 1.5, 3.0];
const SHARES: [f64; 2] = [0.4, 0.8];
/// Share of variance of a single run.
const NOISE: f64 = 0.05;

/// Standardised columns.
pub(super) fn scaled(ln: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let k = ln.first().map_or(0, Vec::len);
    let column = |place: usize| ln.iter().map(|x| x[place]).collect::<Vec<f64>>();
    let by: Vec<(f64, f64)> = (0..k)
        .map(|place| {
            let own = column(place);
            (mean(&own), standard_deviation(&own).max(1e-9))
        })
        .collect();
    ln.iter()
        .map(|x| {
            x.iter()
                .zip(&by)
                .map(|(x, (centre, spread))| (x - centre) / spread)
                .collect()
        })
        .collect()
}

/// A fitted process.
pub(super) struct LawProcess {
    places: Vec<Vec<f64>>,
    weights: Vec<f64>,
    length: f64,
    share: f64,
}

fn smooth(a: &[f64], b: &[f64], length: f64) -> f64 {
    let apart: f64 = a.iter().zip(b).map(|(x, y)| (x - y).powi(2)).sum();
    (-0.5 * apart / length.powi(2)).exp()
}

impl LawProcess {
    /// Fits residuals `left` at `places`, `(n_runs, …)`; `None` where the residuals have no variance.
    pub(super) fn fit(places: &[Vec<f64>], shapes: &[usize], left: &[f64]) -> Option<Self> {
        // Runs evenly spaced in the order given, for each shape.
        let mut rows: Vec<usize> = Vec::new();
        let most = shapes.iter().max()? + 1;
        for shape in 0..most {
            let own: Vec<usize> = (0..shapes.len()).filter(|&row| shapes[row] == shape).collect();
            let kept = own.len().min(A_SHAPE);
            rows.extend((0..kept).map(|k| own[(k * own.len() + own.len() / 2) / kept.max(1) % own.len()]));
        }
        let whole = variance(left);
        if whole.is_nan() || whole <= 1e-18 {
            return None;
        }
        let y: Vec<f64> = rows.iter().map(|&row| left[row] / whole.sqrt()).collect();
        let mut best: Option<(f64, Self)> = None;
        for length in LENGTHS {
            for share in SHARES {
                let covariance = Mat::from_fn(rows.len(), rows.len(), |i, j| {
                    let (a, b) = (rows[i], rows[j]);
                    let of_shape = if shapes[a] == shapes[b] {
                        1.0 - share - NOISE
                    } else {
                        0.0
                    };
                    let own = if i == j { NOISE } else { 0.0 };
                    share * smooth(&places[a], &places[b], length) + of_shape + own
                });
                let Ok((precision, log_determinant)) = inverse(covariance) else {
                    continue;
                };
                let weights: Vec<f64> = (0..rows.len())
                    .map(|i| (0..rows.len()).map(|j| precision[(j, i)] * y[j]).sum())
                    .collect();
                let quadratic: f64 = weights.iter().zip(&y).map(|(w, y)| w * y).sum();
                let likelihood = -0.5 * (quadratic + log_determinant);
                if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
                    let own = Self {
                        places: rows.iter().map(|&row| places[row].clone()).collect(),
                        weights: weights.iter().map(|w| w * whole.sqrt()).collect(),
                        length,
                        share,
                    };
                    best = Some((likelihood, own));
                }
            }
        }
        best.map(|(_, own)| own)
    }

    /// Expected residual at a place for an unseen shape.
    pub(super) fn at(&self, place: &[f64]) -> f64 {
        let own = self.places.iter().zip(&self.weights);
        own.map(|(known, weight)| self.share * smooth(known, place, self.length) * weight)
            .sum()
    }
}
