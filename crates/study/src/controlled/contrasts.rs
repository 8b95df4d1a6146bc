//! Tests whether a part has a larger effect on one ability than on another, within the same shapes.
//!
//! All benchmarks have the same columns, so the estimates of seemingly unrelated regressions equal those of each
//! regression alone (Zellner 1962, <https://doi.org/10.1080/01621459.1962.10480664>) and are correlated as the
//! residuals are: the covariance of two coefficients of benchmarks i and j is `S_ij` (X'X)⁻¹ with S = E'E / (n − p).

use std::collections::BTreeMap;

use super::effects::ControlledEffects;
use super::source_of;
use super::suite::{AVERAGE, FIRST_PART, SIZE, Suite, SuiteDesign};
use crate::finding::Finding;
use crate::statistics::robust_interval;

/// Mean effect of a part on some benchmarks minus that on others: estimate and standard error, in points and in
/// doublings of size.
pub(super) struct AbilityContrast {
    pub(super) points: (f64, f64),
    pub(super) doublings: (f64, f64),
}

pub(super) fn contrast(
    design: &SuiteDesign,
    found: &ControlledEffects,
    part: usize,
    first: &[usize],
    second: &[usize],
) -> AbilityContrast {
    let at = FIRST_PART + part;
    let n = found.fits.len();
    let df = found.fits[0].df;
    let shared = |i: usize, j: usize| -> f64 {
        let (a, b) = (&found.fits[i].residuals, &found.fits[j].residuals);
        a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>() / df
    };
    let delta: Vec<f64> = found.fits.iter().map(|fit| fit.coefficients[at]).collect();
    let beta: Vec<f64> = found.fits.iter().map(|fit| fit.coefficients[SIZE]).collect();
    let bread = &design.linear.bread;
    // Standard error of Σ g_i δ_i + Σ h_i β_i.
    let error = |g: &[f64], h: &[f64]| -> f64 {
        let mut variance = 0.0;
        for i in 0..n {
            for j in 0..n {
                let together = g[i] * g[j] * bread[at][at]
                    + h[i] * h[j] * bread[SIZE][SIZE]
                    + (g[i] * h[j] + h[i] * g[j]) * bread[at][SIZE];
                variance += together * shared(i, j);
            }
        }
        variance.max(0.0).sqrt()
    };
    let mut weights = vec![0.0; n];
    let (mut by_delta, mut by_beta) = (vec![0.0; n], vec![0.0; n]);
    let mut doublings = 0.0;
    for (side, sign) in [(first, 1.0), (second, -1.0)] {
        let (up, down) = (
            side.iter().map(|&i| delta[i]).sum::<f64>(),
            side.iter().map(|&i| beta[i]).sum::<f64>(),
        );
        doublings += sign * up / down;
        for &i in side {
            weights[i] += sign / side.len() as f64;
            by_delta[i] += sign / down;
            by_beta[i] -= sign * up / (down * down);
        }
    }
    let points = weights.iter().zip(&delta).map(|(w, d)| w * d).sum();
    AbilityContrast {
        points: (points, error(&weights, &vec![0.0; n])),
        doublings: (doublings, error(&by_delta, &by_beta)),
    }
}

/// Contrasts of every pair of abilities, in points and in doublings of size.
pub(super) fn findings(
    to: &mut Vec<Finding>,
    suite: &Suite<'_>,
    design: &SuiteDesign,
    found: &ControlledEffects,
) {
    let mut abilities: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let single = suite
        .benchmarks
        .iter()
        .enumerate()
        .filter(|(_, (name, _))| *name != AVERAGE);
    for (place, (_, ability)) in single {
        abilities.entry(ability).or_default().push(place);
    }
    // Order of the abilities in a contrast: first those that may need depth, last those of stored knowledge.
    let order = [
        "reasoning",
        "commonsense",
        "maths",
        "code",
        "instructions",
        "truthfulness",
        "knowledge",
    ];
    let rank = |name: &str| {
        order
            .iter()
            .position(|known| *known == name)
            .unwrap_or(order.len())
    };
    let mut names: Vec<&str> = abilities.keys().copied().collect();
    names.sort_by_key(|name| (rank(name), *name));
    let source = source_of(suite.name, suite.source);
    let (n, df) = (
        suite.shapes.len(),
        found.fits.first().map_or(f64::NAN, |fit| fit.df),
    );
    for (place, a) in names.iter().enumerate() {
        for b in &names[place + 1..] {
            for (part, name) in design.parts.iter().enumerate() {
                let told = contrast(design, found, part, &abilities[a], &abilities[b]);
                let end = format!("{a}.{b}.{}.{}.{name}", suite.name, design.fixed.name());
                let of = |place: &usize| suite.benchmarks[*place].0;
                let sides = [a, b].map(|side| abilities[side].iter().map(of).collect::<Vec<_>>().join(", "));
                for (stem, unit, (value, error)) in [
                    ("contrast", "points per doubling", told.points),
                    ("contrast_doublings", "doublings of size", told.doublings),
                ] {
                    let question = format!(
                        "Does a doubling of {name} buy more {a} than {b}, {} fixed, in {unit}?",
                        design.fixed.words()
                    );
                    to.push(
                        Finding::new(format!("controlled.{stem}.{end}"), question, &source)
                            .with_value(value, unit, n, "contrast of seemingly unrelated regressions")
                            .with_interval(robust_interval(
                                value,
                                error,
                                df,
                                0.95,
                                format!("SUR, t with {df} degrees of freedom"),
                            ))
                            .with_protocol("designed_suite", &design.part_names())
                            .with_note(format!("{} against {}", sides[0], sides[1])),
                    );
                }
            }
        }
    }
}
