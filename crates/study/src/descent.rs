//! Minimises a smooth function by a quasi-Newton method (Broyden, Fletcher, Goldfarb and Shanno 1970).

/// Halvings of the step length after which the line search gives up.
const HALVINGS: usize = 20;
/// Share of the linearly predicted decrease that a step must reach (Armijo 1966).
const ENOUGH: f64 = 1e-4;
/// Iteration stops once a step decreases the value by less than this, relative to the value or to 1, whichever is
/// larger.
const TOO_LITTLE: f64 = 1e-7;
/// Length of the first step at most.
const LONGEST: f64 = 1.0;

/// The point that at most `steps` steps from `start` reach, and the value there. `f` returns value and gradient, or
/// `None` where it is undefined; the result is `None` if `f` is undefined at `start`.
pub(crate) fn descend(
    start: &[f64],
    steps: usize,
    f: impl Fn(&[f64]) -> Option<(f64, Vec<f64>)>,
) -> Option<(Vec<f64>, f64)> {
    let n = start.len();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    let (mut at, (mut value, mut slopes)) = (start.to_vec(), f(start)?);
    let first = (LONGEST / dot(&slopes, &slopes).sqrt().max(1e-12)).min(1.0);
    let identity = |scale: f64| -> Vec<Vec<f64>> {
        (0..n)
            .map(|i| (0..n).map(|j| if i == j { scale } else { 0.0 }).collect())
            .collect()
    };
    let mut inverse = identity(first);
    for _ in 0..steps {
        let mut direction: Vec<f64> = inverse.iter().map(|row| -dot(row, &slopes)).collect();
        let mut along = dot(&direction, &slopes);
        if along >= 0.0 {
            inverse = identity(first);
            direction = slopes.iter().map(|slope| -first * slope).collect();
            along = dot(&direction, &slopes);
        }
        let mut length = 1.0;
        let found = (0..HALVINGS).find_map(|_| {
            let next: Vec<f64> = at.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let told = f(&next).filter(|(new, _)| *new <= value + ENOUGH * length * along);
            length *= 0.5;
            told.map(|told| (next, told))
        });
        let Some((next, (new, new_slopes))) = found else {
            break;
        };
        let step: Vec<f64> = next.iter().zip(&at).map(|(a, b)| a - b).collect();
        let turn: Vec<f64> = new_slopes.iter().zip(&slopes).map(|(a, b)| a - b).collect();
        let curvature = dot(&step, &turn);
        if curvature > 1e-12 {
            let pulled: Vec<f64> = inverse.iter().map(|row| dot(row, &turn)).collect();
            let by = (1.0 + dot(&turn, &pulled) / curvature) / curvature;
            for i in 0..n {
                for j in 0..n {
                    inverse[i][j] +=
                        by * step[i] * step[j] - (pulled[i] * step[j] + step[i] * pulled[j]) / curvature;
                }
            }
        }
        let gained = value - new;
        (at, value, slopes) = (next, new, new_slopes);
        if gained < TOO_LITTLE * value.abs().max(1.0) {
            break;
        }
    }
    Some((at, value))
}

#[cfg(test)]
mod tests {
    use super::descend;

    /// Rosenbrock's valley (1960), with its minimum at (1, 1).
    #[test]
    fn the_lowest_place_of_a_bent_valley_is_found() {
        let valley = |at: &[f64]| {
            let (x, y) = (at[0], at[1]);
            let bend = y - x * x;
            Some((
                (1.0 - x).powi(2) + 100.0 * bend * bend,
                vec![-2.0 * (1.0 - x) - 400.0 * x * bend, 200.0 * bend],
            ))
        };
        let (at, value) = descend(&[-1.2, 1.0], 200, valley).expect("a place");
        assert!(
            value < 1e-8 && (at[0] - 1.0).abs() < 1e-3 && (at[1] - 1.0).abs() < 1e-3,
            "{at:?}"
        );
    }
}
