//! The suite's tests of logits and losses.

use super::Suite;
use crate::decoder::machine::Machine;
use crate::error::Result;

impl<M: Machine> Suite<'_, M> {
    pub(super) fn logits(&mut self, rows: usize, width: usize, cap: Option<f32>) -> Result<()> {
        let mut x: Vec<f32> = self.noise.numbers(rows * width).iter().map(|v| v * 9.0).collect();
        if width > 20 {
            // A tie far apart: the first must be returned.
            (x[width - 1], x[19]) = (10.0, 10.0);
        }
        if width > 147 {
            // And one at a distance of 128, where the same thread may read both.
            (x[width + 147], x[width + 19]) = (10.0, 10.0);
        }
        let there = self.up(&x)?;
        let found = self.machine.log_sum_exp(&there, width)?;
        let (mut places, mut totals) = (Vec::new(), Vec::new());
        for row in x.chunks_exact(width) {
            let first = |best: usize, at: usize| if row[at] > row[best] { at } else { best };
            places.push((0..width).fold(0, first) as f64);
            totals.push(row.iter().map(|v| f64::from(*v).exp()).sum::<f64>().ln());
        }
        let what = format!("logits {rows}x{width}");
        let got: Vec<f64> = found.iter().map(|(_, total)| *total).collect();
        self.see_exactly(format!("{what}, ln of the sum"), &got, &totals, 1e-6);
        let got: Vec<f64> = found.iter().map(|(place, _)| *place as f64).collect();
        self.see_exactly(format!("{what}, the greatest"), &got, &places, 0.0);
        let targets: Vec<u32> = (0..rows).map(|row| (row * 7 % width) as u32).collect();
        let mut gradient = self.up(&x)?;
        let terms = self
            .machine
            .loss_back(&mut gradient, width, &targets, 0.25, cap)?;
        let mut want = Vec::new();
        let mut want_terms = Vec::new();
        for (row, (total, target)) in x.chunks_exact(width).zip(totals.iter().zip(&targets)) {
            want_terms.push(total - f64::from(row[*target as usize]));
            want.extend(row.iter().enumerate().map(|(i, v)| {
                let (v, is) = (f64::from(*v), f64::from(u8::from(i == *target as usize)));
                let through = cap.map_or(1.0, |cap| 1.0 - (v / f64::from(cap)).powi(2));
                ((v - total).exp() - is) * 0.25 * through
            }));
        }
        if width > 1 {
            self.see_exactly(format!("{what}, losses"), &terms, &want_terms, 1e-5);
            let got = self.machine.read(&gradient)?;
            self.see(format!("{what}, backwards"), &got, &want, 1e-5);
        }
        Ok(())
    }
}
