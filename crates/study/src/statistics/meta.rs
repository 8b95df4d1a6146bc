//! Random-effects meta-analysis of one effect over several suites or networks by `DerSimonian` and Laird 1986
//! (<https://doi.org/10.1016/0197-2456(86)90046-2>), with the interval of Hartung and Knapp 2001
//! (<https://doi.org/10.1002/sim.791>), which keeps its coverage with few suites where the usual one does not.

use super::robust::{dot, interval};
use crate::finding::Interval;

/// The pooled effect over all suites.
#[derive(Debug, Clone, PartialEq)]
pub struct MetaEstimate {
    /// Pooled effect: the weighted mean.
    pub value: f64,
    /// Interval by Student's t with one degree of freedom less than the number of effects.
    pub interval: Option<Interval>,
    /// Standard deviation τ of the true effects between suites.
    pub between: f64,
}

/// Pools effects with their standard errors; `whose` says what the effects belong to (`suites`), and `level` is that of
/// the interval. `None` with fewer than two effects, or a standard error that is not positive and finite.
pub fn hartung_knapp(effects: &[f64], errors: &[f64], level: f64, whose: &str) -> Option<MetaEstimate> {
    let k = effects.len();
    if k < 2 || errors.len() != k || errors.iter().any(|error| !error.is_finite() || *error <= 0.0) {
        return None;
    }
    let mean = |weights: &[f64]| dot(weights, effects) / weights.iter().sum::<f64>();
    let spread = |weights: &[f64], centre: f64| -> f64 {
        weights
            .iter()
            .zip(effects)
            .map(|(w, y)| w * (y - centre).powi(2))
            .sum()
    };
    let df = k as f64 - 1.0;
    let fixed: Vec<f64> = errors.iter().map(|error| error.powi(-2)).collect();
    let total: f64 = fixed.iter().sum();
    let scale = total - dot(&fixed, &fixed) / total;
    let between = ((spread(&fixed, mean(&fixed)) - df) / scale).max(0.0);
    let weights: Vec<f64> = errors
        .iter()
        .map(|error| 1.0 / (error * error + between))
        .collect();
    let value = mean(&weights);
    // Never narrower than the standard errors alone imply (Röver, Knapp and Friede 2015).
    let factor = (spread(&weights, value) / df).max(1.0);
    let error = (factor / weights.iter().sum::<f64>()).sqrt();
    Some(MetaEstimate {
        value,
        interval: interval(
            value,
            error,
            df,
            level,
            format!("Hartung and Knapp over {k} {whose}"),
        ),
        between: between.sqrt(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_suites_agree_with_their_mean() {
        // Equal effects: no between-suite variance, equal weights, mean 2, standard error √(1/ (2/0.25)) = √0.125, t(1)
        // = 12.706.
        let found = hartung_knapp(&[2.0, 2.0], &[0.5, 0.5], 0.95, "suites").expect("two suites");
        assert!((found.value - 2.0).abs() < 1e-12 && found.between == 0.0);
        let ends = found.interval.expect("an interval");
        assert!((ends.high - 2.0 - 12.706_204_736_432_095 * 0.125_f64.sqrt()).abs() < 1e-9);
        assert_eq!(hartung_knapp(&[2.0], &[0.5], 0.95, "suites"), None);
        assert_eq!(hartung_knapp(&[2.0, 1.0], &[0.5, 0.0], 0.95, "suites"), None);
    }

    #[test]
    fn suites_apart_widen_what_is_said() {
        // Weights 4, Q = 4·(4+4) = 32, df 1, scale 8 − 32/8 = 4, τ² = 31/4.
        let found = hartung_knapp(&[0.0, 4.0], &[0.5, 0.5], 0.95, "suites").expect("two suites");
        assert!((found.between.powi(2) - 7.75).abs() < 1e-12);
        assert!((found.value - 2.0).abs() < 1e-12);
        let ends = found.interval.expect("an interval");
        // Weights 1/8 each; weighted sum of squares 1/8·8 = 1 over df 1, so the factor is 1 and the standard error
        // √(1/(2/8)) = 2.
        assert!((ends.high - 2.0 - 2.0 * 12.706_204_736_432_095).abs() < 1e-8);
    }
}
