//! Joint tests of one part over all benchmarks: does it have any effect, and is the effect the same on each?
//!
//! With E the residuals of the scores, S = E'E / (n − p) and b the part's diagonal entry of (X'X)⁻¹, T² = (C δ)' (b C S
//! C')⁻¹ C δ for q contrasts C of the effects δ; if all contrasts are 0, T² (n − p − q + 1) / (q (n − p)) follows an F
//! distribution with q and n − p − q + 1 degrees of freedom (Hotelling 1931, as in statsmodels' multivariate tests). In
//! doublings of size each benchmark's effect is divided by its own effect of size, taken as known.

use faer::Mat;
use statrs::distribution::{ContinuousCDF, FisherSnedecor};

use super::effects::ControlledEffects;
use super::source_of;
use super::suite::{AVERAGE, FIRST_PART, SIZE, Suite, SuiteDesign};
use crate::algebra::inverse;
use crate::finding::Finding;
use crate::statistics::RobustFit;

/// Hotelling's test: F, its degrees of freedom, p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Together {
    pub(super) f: f64,
    pub(super) df: (f64, f64),
    pub(super) p: f64,
}

/// Tests whether `contrasts` of the coefficients at index `place` of fits on the same columns are all 0; `bread` is the
/// diagonal entry of (X'X)⁻¹ there. `None` where there are too few rows, or the scores are collinear.
pub(super) fn together(
    fits: &[&RobustFit],
    bread: f64,
    place: usize,
    contrasts: &[Vec<f64>],
) -> Option<Together> {
    let df = fits.first()?.df;
    let q = contrasts.len();
    let second = df - q as f64 + 1.0;
    if q == 0 || second < 1.0 {
        return None;
    }
    let told: Vec<f64> = contrasts
        .iter()
        .map(|weights| {
            weights
                .iter()
                .zip(fits)
                .map(|(w, fit)| w * fit.coefficients[place])
                .sum()
        })
        .collect();
    let left: Vec<Vec<f64>> = contrasts
        .iter()
        .map(|weights| {
            (0..fits[0].residuals.len())
                .map(|row| {
                    weights
                        .iter()
                        .zip(fits)
                        .map(|(w, fit)| w * fit.residuals[row])
                        .sum()
                })
                .collect()
        })
        .collect();
    let shared = Mat::from_fn(q, q, |i, j| {
        bread * left[i].iter().zip(&left[j]).map(|(a, b)| a * b).sum::<f64>() / df
    });
    let (inverted, _) = inverse(shared).ok()?;
    let squared: f64 = (0..q)
        .map(|i| told[i] * (0..q).map(|j| inverted[(i, j)] * told[j]).sum::<f64>())
        .sum();
    let f = squared * second / (q as f64 * df);
    let law = FisherSnedecor::new(q as f64, second).ok()?;
    Some(Together {
        f,
        df: (q as f64, second),
        p: 1.0 - law.cdf(f),
    })
}

/// Contrasts of each benchmark alone, divided by `scales`; below, of each with the next.
fn alone(scales: &[f64]) -> Vec<Vec<f64>> {
    let n = scales.len();
    (0..n)
        .map(|i| {
            (0..n)
                .map(|j| if i == j { 1.0 / scales[j] } else { 0.0 })
                .collect()
        })
        .collect()
}

pub(super) fn differences(scales: &[f64]) -> Vec<Vec<f64>> {
    let each = alone(scales);
    each.windows(2)
        .map(|pair| pair[0].iter().zip(&pair[1]).map(|(a, b)| a - b).collect())
        .collect()
}

pub(super) fn findings(
    to: &mut Vec<Finding>,
    suite: &Suite<'_>,
    design: &SuiteDesign,
    found: &ControlledEffects,
) {
    let single: Vec<usize> = (0..suite.benchmarks.len())
        .filter(|&place| suite.benchmarks[place].0 != AVERAGE)
        .collect();
    let fits: Vec<&RobustFit> = single.iter().map(|&place| &found.fits[place]).collect();
    let ones = vec![1.0; fits.len()];
    let sizes: Vec<f64> = fits.iter().map(|fit| fit.coefficients[SIZE]).collect();
    for (part, name) in design.parts.iter().enumerate() {
        let place = FIRST_PART + part;
        let asked = [
            ("zero", "nothing to any of", alone(&ones)),
            ("equal", "the same, in points, to each of", differences(&ones)),
            (
                "equal_doublings",
                "the same, in doublings of size, to each of",
                differences(&sizes),
            ),
        ];
        for (end, words, contrasts) in asked {
            let Some(told) = together(&fits, design.linear.bread[place][place], place, &contrasts) else {
                continue;
            };
            to.push(
                Finding::new(
                    format!(
                        "controlled.together.{}.{}.{name}.{end}",
                        suite.name,
                        design.fixed.name()
                    ),
                    format!(
                        "May a doubling of {name} do {words} {} benchmarks, {} fixed?",
                        fits.len(),
                        design.fixed.words()
                    ),
                    &source_of(suite.name, suite.source),
                )
                .with_value(told.p, "p", suite.shapes.len(), "Hotelling's T²")
                .with_protocol("designed_suite", &design.part_names())
                .with_note(format!("F({:.0}, {:.0}) = {:.2}", told.df.0, told.df.1, told.f)),
            );
        }
    }
}
