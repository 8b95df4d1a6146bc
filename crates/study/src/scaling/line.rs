//! Linear regression of a score's log odds on the logarithms of the dimensions.

use crate::statistics::LinearDesign;

/// A fitted line: intercept, then slopes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct LawLine(pub(super) Vec<f64>);

impl LawLine {
    pub(super) fn fit(ln: &[Vec<f64>], target: &[f64]) -> Option<Self> {
        let k = ln.first()?.len();
        if target.len() < 2 * (k + 1) {
            return None;
        }
        let mut columns = vec![vec![1.0; target.len()]];
        columns.extend((0..k).map(|dimension| ln.iter().map(|x| x[dimension]).collect::<Vec<f64>>()));
        let design = LinearDesign::new(&columns).ok()?;
        Some(Self(design.fit(target).coefficients))
    }

    pub(super) fn at(&self, ln: &[f64]) -> f64 {
        self.0[0]
            + self.0[1..]
                .iter()
                .zip(ln)
                .map(|(slope, x)| slope * x)
                .sum::<f64>()
    }
}
