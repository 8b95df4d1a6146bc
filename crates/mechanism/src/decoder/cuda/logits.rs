//! Results read back from rows on a CUDA device: losses, log-sum-exps, single elements, cosines.

use super::launch::{Arg, room, said};
use super::numbers::{over, whole};
use super::{Cuda, Rows, brought, fits};
use crate::error::Result;

impl Cuda {
    pub(super) fn losses(
        &self,
        logits: &mut Rows,
        width: usize,
        targets: &[u32],
        mean: f32,
        cap: Option<f32>,
    ) -> Result<Vec<f64>> {
        self.fine()?;
        let n = targets.len();
        fits(
            logits.len == n * width && targets.iter().all(|target| (*target as usize) < width),
            "a loss",
        )?;
        let places = self.integers(targets.iter().map(|target| *target as usize))?;
        let mut terms = room(&self.work, n)?;
        let parameters = vec![
            Arg::Write(logits.held_mut()?),
            Arg::Integers(&places, 0),
            Arg::DoublesOut(&mut terms),
            whole(width),
            Arg::Number(mean),
            Arg::Number(cap.unwrap_or(0.0)),
        ];
        self.launch("loss_back", (n, 1), parameters)?;
        self.doubles(&terms, n)
    }

    pub(super) fn totals(&self, logits: &Rows, width: usize) -> Result<Vec<(usize, f64)>> {
        self.fine()?;
        let rows = logits.len / width;
        fits(logits.len == rows * width && rows > 0, "logits")?;
        let (mut totals, mut best) = (room(&self.work, rows)?, room(&self.work, rows)?);
        let parameters = vec![
            Arg::Read(logits.held()?),
            Arg::DoublesOut(&mut totals),
            Arg::IntegersOut(&mut best),
            whole(width),
        ];
        self.launch("log_sum_exp", (rows, 1), parameters)?;
        let mut places = vec![0_i32; rows];
        self.work
            .memcpy_dtoh(&best.slice(0..rows), &mut places)
            .map_err(|error| said("taking numbers back", error))?;
        let totals = self.doubles(&totals, rows)?;
        let places = places.into_iter().map(|place| place as usize);
        Ok(places.zip(totals).collect())
    }

    pub(super) fn picked(&self, rows: &Rows, at: &[usize]) -> Result<Vec<f32>> {
        self.fine()?;
        fits(at.iter().all(|at| *at < rows.len), "single numbers")?;
        let places: Vec<u64> = at.iter().map(|at| *at as u64).collect();
        let places = brought(&self.work, &places)?;
        let mut picked = Rows::default();
        let out = self.resize(&mut picked, at.len())?;
        let parameters = vec![
            Arg::Read(rows.held()?),
            Arg::Places(&places),
            Arg::Write(out),
            whole(at.len()),
        ];
        self.launch("pick", over(at.len()), parameters)?;
        self.down(&picked)
    }

    pub(super) fn row_cosines(&self, a: &Rows, b: &Rows, width: usize) -> Result<Vec<f64>> {
        self.fine()?;
        let rows = a.len / width;
        fits(a.len == b.len && a.len == rows * width, "rows that are compared")?;
        let mut sums = room(&self.work, 3 * rows)?;
        let parameters = vec![
            Arg::Read(a.held()?),
            Arg::Read(b.held()?),
            Arg::DoublesOut(&mut sums),
            whole(width),
        ];
        self.launch("moments", (rows, 1), parameters)?;
        let sums = self.doubles(&sums, 3 * rows)?;
        let cosine = |sums: &[f64]| {
            let product = (sums[1] * sums[2]).sqrt();
            if product > 0.0 { sums[0] / product } else { 0.0 }
        };
        Ok(sums.chunks_exact(3).map(cosine).collect())
    }
}
