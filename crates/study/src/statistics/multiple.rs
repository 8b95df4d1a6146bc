//! Corrections of p values for multiple testing.

/// Holm's step-down adjusted p values (Holm 1979, <https://www.jstor.org/stable/4615733>); NaN entries stay NaN and do
/// not count as tests.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut most = 0.0_f64;
    for (place, &test) in order.iter().enumerate() {
        most = most.max((p[test] * (order.len() - place) as f64).min(1.0));
        adjusted[test] = most;
    }
    adjusted
}

/// Benjamini and Hochberg's step-up adjusted p values (1995, <https://doi.org/10.1111/j.2517-6161.1995.tb02031.x>),
/// which control the false discovery rate. NaN entries stay NaN and do not count as tests.
pub fn benjamini_hochberg(p: &[f64]) -> Vec<f64> {
    let order = ascending(p);
    let mut adjusted = vec![f64::NAN; p.len()];
    let mut least = 1.0_f64;
    for (place, &test) in order.iter().enumerate().rev() {
        least = least.min(p[test] * order.len() as f64 / (place + 1) as f64);
        adjusted[test] = least;
    }
    adjusted
}

/// Indices of the finite p values, smallest first.
fn ascending(p: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).filter(|&test| p[test].is_finite()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    order
}

#[cfg(test)]
mod tests {
    use super::{benjamini_hochberg, holm};

    #[test]
    fn holm_steps_down() {
        // 3·0.01, then 2·0.02, then the larger of that and 1·0.03.
        assert_eq!(holm(&[0.03, 0.01, 0.02]), vec![0.04, 0.03, 0.04]);
        assert!(holm(&[]).is_empty());
        assert!(holm(&[f64::NAN, 0.5])[0].is_nan());
    }

    #[test]
    fn benjamini_hochberg_steps_up() {
        // R: p.adjust(c(0.01, 0.04, 0.03, 0.5), "BH") = 0.04 0.05333333 0.05333333 0.5.
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, f64::NAN, 0.5]);
        for (own, wanted) in adjusted.iter().zip([0.04, 0.16 / 3.0, 0.16 / 3.0, f64::NAN, 0.5]) {
            assert!(
                (own - wanted).abs() < 1e-12 || own.is_nan() && wanted.is_nan(),
                "{adjusted:?}"
            );
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
