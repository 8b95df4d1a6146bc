//! Means over items and random draws, with their confidence intervals.

use common::proportions::paired_difference;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Confidence level of all intervals.
pub const LEVEL: f64 = 0.95;

/// The mean of an items × draws table with its variance; items and draws are both treated as random samples.
#[derive(Clone, Copy)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) variance: f64,
    /// Degrees of freedom (Satterthwaite 1946).
    pub(super) degrees: f64,
    pub(super) n: usize,
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// Variance of the mean of `values`; `None` for fewer than two.
fn variance_of_mean(values: &[f64]) -> Option<f64> {
    let (n, centre) = (values.len() as f64, mean(values));
    (values.len() > 1).then(|| values.iter().map(|v| (v - centre).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

impl Estimate {
    /// `draws` holds one value per item for each draw.
    pub(super) fn of(draws: &[Vec<f64>]) -> Self {
        let n = draws.first().map_or(0, Vec::len);
        let by_item: Vec<f64> = (0..n)
            .map(|i| mean(&draws.iter().map(|d| d[i]).collect::<Vec<_>>()))
            .collect();
        let by_draw: Vec<f64> = draws.iter().map(|draw| mean(draw)).collect();
        let items = variance_of_mean(&by_item).unwrap_or(f64::NAN);
        let drawn = variance_of_mean(&by_draw).unwrap_or(0.0);
        let variance = items + drawn;
        let squares = items * items / (n as f64 - 1.0)
            + if by_draw.len() > 1 {
                drawn * drawn / (by_draw.len() as f64 - 1.0)
            } else {
                0.0
            };
        Self {
            value: mean(&by_item),
            variance,
            degrees: if squares > 0.0 {
                variance * variance / squares
            } else {
                n as f64 - 1.0
            },
            n,
        }
    }

    pub(super) fn interval(&self, level: f64) -> Option<(f64, f64)> {
        if self.variance == 0.0 {
            // No item changed in this sample, which does not mean that none ever would.
            let (low, high) = paired_difference(0, 0, self.n, level)?;
            return Some((self.value + low, self.value + high));
        }
        let law = StudentsT::new(0.0, 1.0, self.degrees).ok()?;
        let half = law.inverse_cdf(0.5 + level / 2.0) * self.variance.sqrt();
        half.is_finite().then_some((self.value - half, self.value + half))
    }
}

/// Interval of the mean difference over draws and items. For right-or-wrong items, with one draw or where no item
/// changes, it is the score and exact interval for paired proportions, whose width is then positive too; else Student's
/// t over items and draws.
pub(super) fn interval(before: &[f64], draws: &[Vec<f64>], level: f64) -> Option<(f64, f64)> {
    let differences: Vec<Vec<f64>> = draws.iter().map(|after| less(after, before)).collect();
    let yes_or_no = before
        .iter()
        .chain(draws.iter().flatten())
        .all(|v| *v == 0.0 || *v == 1.0);
    let still = differences.iter().flatten().all(|d| *d == 0.0);
    if yes_or_no && (still || draws.len() == 1) {
        let count = |sign: f64| differences[0].iter().filter(|d| **d * sign > 0.0).count();
        return paired_difference(count(-1.0), count(1.0), before.len(), level);
    }
    Estimate::of(&differences).interval(level)
}

pub(super) fn less(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

/// Confidence level of each of `m` intervals that hold simultaneously at [`LEVEL`] (Bonferroni).
pub(super) fn each_level(m: usize) -> f64 {
    1.0 - (1.0 - LEVEL) / m.max(1) as f64
}

/// Mean over tasks of independent estimates; tasks are independent because they share no items.
pub(super) fn average(estimates: &[Estimate]) -> Option<Estimate> {
    let k = estimates.len() as f64;
    if estimates.is_empty() {
        return None;
    }
    let parts: Vec<f64> = estimates.iter().map(|e| e.variance / (k * k)).collect();
    let variance: f64 = parts.iter().sum();
    let squares: f64 = parts
        .iter()
        .zip(estimates)
        .map(|(part, e)| part * part / e.degrees)
        .sum();
    Some(Estimate {
        value: estimates.iter().map(|e| e.value).sum::<f64>() / k,
        variance,
        degrees: if squares > 0.0 {
            variance * variance / squares
        } else {
            estimates[0].degrees
        },
        n: estimates.iter().map(|e| e.n).sum(),
    })
}
