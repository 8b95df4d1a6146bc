//! Confidence interval of a ratio of two coefficients of one fit (Fieller's theorem).
//!
//! The interval contains every ratio θ of b over c for which b − θ c does not differ from zero: `(b − θ c)² ≤ t² (V_bb
//! − 2 θ V_bc + θ² V_cc)` (Fieller 1954, <https://doi.org/10.1111/j.2517-6161.1954.tb00159.x>). If c differs from zero
//! these θ form a bounded interval; otherwise they are all numbers, or all but a gap, which two finite limits cannot
//! express.

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::ols::OlsFit;
use crate::finding::Interval;

/// The ratio of two coefficients.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// The ratio; `None` where the interval of the denominator covers zero, or the ratio is not finite.
    pub value: Option<f64>,
    /// 95 % interval, with infinite limits where that of the denominator covers zero; `None` where the fit has no
    /// standard errors.
    pub interval: Option<Interval>,
}

impl Ratio {
    /// The ratio multiplied by `by`, to change its unit.
    #[must_use]
    pub fn times(mut self, by: f64) -> Self {
        self.value = self.value.map(|value| by * value);
        self.interval = self.interval.map(|ends| Interval {
            low: by * ends.low,
            high: by * ends.high,
            ..ends
        });
        self
    }
}

/// `b` over `c`, with variances and covariance `[V_bb, V_bc, V_cc]`, by Student's t with `df` degrees of freedom; `how`
/// describes the standard errors.
pub(crate) fn ratio_of(b: f64, c: f64, [bb, bc, cc]: [f64; 3], df: f64, how: &str) -> Ratio {
    let level = 0.95;
    let law = StudentsT::new(0.0, 1.0, df).ok();
    let Some(law) = law.filter(|_| cc > 0.0 && (bb + bc + cc).is_finite()) else {
        return Ratio {
            value: Some(b / c).filter(|ratio| ratio.is_finite()),
            interval: None,
        };
    };
    let t2 = law.inverse_cdf(0.5 + level / 2.0).powi(2);
    // The limits are the roots of (c² − t² V_cc) θ² − 2 (bc − t² V_bc) θ + (b² − t² V_bb).
    let (square, half) = (c * c - t2 * cc, b * c - t2 * bc);
    let interval = |low: f64, high: f64| {
        Some(Interval {
            low,
            high,
            level,
            method: format!("Fieller, {how}, t"),
        })
    };
    if square <= 0.0 {
        return Ratio {
            value: None,
            interval: interval(f64::NEG_INFINITY, f64::INFINITY),
        };
    }
    // θ = b / c always satisfies the inequality, so the roots are real; rounding may make the discriminant negative.
    let root = (half * half - square * (b * b - t2 * bb)).max(0.0).sqrt();
    Ratio {
        value: Some(b / c),
        interval: interval((half - root) / square, (half + root) / square),
    }
}

impl OlsFit {
    /// Coefficient `over` divided by coefficient `under`, from the covariance of both; t with one degree of freedom
    /// less than the number of groups.
    pub fn ratio(&self, over: usize, under: usize) -> Ratio {
        let of = |i: usize, j: usize| self.covariance[i][j];
        ratio_of(
            self.coefficients[over],
            self.coefficients[under],
            [of(over, over), of(over, under), of(under, under)],
            self.n_groups as f64 - 1.0,
            &format!("clustered over {} groups", self.n_groups),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::clustered_ols;
    use super::*;
    use crate::random::Random;

    fn fit(coefficients: [f64; 2], covariance: [[f64; 2]; 2], n_groups: usize) -> OlsFit {
        OlsFit {
            coefficients: coefficients.to_vec(),
            covariance: covariance.map(|row| row.to_vec()).to_vec(),
            n: 100,
            n_groups,
        }
    }

    #[test]
    fn ends_are_those_worked_out_elsewhere() {
        // Limits from numpy.roots of the quadratic; t by Simpson's rule on its density and bisection.
        for (coefficients, covariance, groups, low, high) in WORKED_OUT {
            let found = fit(coefficients, covariance, groups).ratio(0, 1);
            let ends = found.interval.expect("errors");
            let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs();
            assert!(
                near(ends.low, low) && near(ends.high, high),
                "{ends:?} is not [{low}, {high}]"
            );
            assert_eq!(found.value, Some(coefficients[0] / coefficients[1]));
        }
    }

    #[test]
    fn a_lower_coefficient_that_may_be_zero_leaves_all_open() {
        for c in [0.0, 1.0, -1.0] {
            let found = fit([3.0, c], [[0.2, 0.05], [0.05, 0.3]], 12).ratio(0, 1);
            assert_eq!(found.value, None);
            let ends = found.clone().times(12.0).interval.expect("an interval");
            assert_eq!((ends.low, ends.high), (f64::NEG_INFINITY, f64::INFINITY));
            assert_eq!(found.times(12.0).value, None);
        }
        let exact = fit([3.0, 2.0], [[0.0; 2]; 2], 12).ratio(0, 1);
        assert_eq!((exact.value, exact.interval), (Some(1.5), None));
    }

    #[test]
    fn what_is_open_is_null_in_json_and_open_again_when_read() {
        let ends = fit([3.0, 0.0], [[0.2, 0.05], [0.05, 0.3]], 12)
            .ratio(0, 1)
            .interval
            .expect("one");
        let text = serde_json::to_string(&ends).expect("JSON");
        assert!(text.starts_with(r#"{"low":null,"high":null,"#), "{text}");
        assert_eq!(
            serde_json::from_str::<Interval>(&text).expect("an interval"),
            ends
        );
    }

    /// Coverage of the interval of b / c in simulated samples with a known ratio.
    #[test]
    fn nineteen_of_twenty_intervals_cover_the_truth() {
        for (slope, least_open, most_open) in [(2.0, 0, 40), (0.25, 500, 1_000)] {
            let (mut covered, mut open) = (0, 0);
            for sample in 0..1_000 {
                let mut random = Random::new(11, sample);
                // Irwin and Hall: the sum of twelve uniform numbers is nearly normal.
                let mut normal = || (0..12).map(|_| random.uniform()).sum::<f64>() - 6.0;
                let (mut x, mut z, mut y, mut groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                for group in 0..60_u32 {
                    let (shared, size) = (normal(), normal());
                    for _ in 0..3 {
                        let date = 0.5 * size + normal();
                        y.push(1.0 + 3.0 * size + slope * date + 2.0 * shared + 2.0 * normal());
                        x.push(size);
                        z.push(date);
                        groups.push(group);
                    }
                }
                let fit = clustered_ols(&[vec![1.0; y.len()], x, z], &y, &groups).expect("a fit");
                let ends = fit.ratio(1, 2).interval.expect("an interval");
                covered += usize::from(ends.covers(3.0 / slope));
                open += usize::from(ends.low.is_infinite());
            }
            // Expected: 950 of 1000 with a standard deviation of 7; unbounded intervals cover more often.
            assert!((925..=1_000).contains(&covered), "{covered}");
            assert!(least_open > 0 || covered <= 972, "{covered}");
            assert!((least_open..=most_open).contains(&open), "{open}");
        }
    }

    /// Coefficients, covariance, number of groups, lower and upper limit.
    type WorkedOut = ([f64; 2], [[f64; 2]; 2], usize, f64, f64);

    const WORKED_OUT: [WorkedOut; 4] = [
        (
            [10.0, 20.0],
            [[1.5, 0.4], [0.4, 4.0]],
            30,
            0.365_067_419_816,
            0.669_857_177_949,
        ),
        (
            [2.1, 3.4],
            [[0.09, -0.11], [-0.11, 0.8]],
            9,
            0.295_852_323_821,
            1.818_867_969_38,
        ),
        (
            [-1.2, 5.0],
            [[0.5, 0.2], [0.2, 1.1]],
            62,
            -0.698_949_774_648,
            0.038_837_900_809_3,
        ),
        (
            [4.0, -6.0],
            [[0.7, 0.0], [0.0, 1.0]],
            105,
            -1.131_860_252_27,
            -0.364_979_443_49,
        ),
    ];
}
