//! Section: how right were we. Fits frozen at a day, tested on checkpoints that appeared later.
//!
//! At the start of every quarter the rows known by then are fitted, and what appeared after is predicted: on the same board,
//! or on another that runs the same tasks. Beside it stand two rules that fit nothing: the mean of the known shapes of about
//! that size, and the mean of the same shape, else of the nearest one.
//!
//! Intervals are of the past's own futures (rolling origin): at each earlier quarter the same was done, and how far what came
//! within the next ten months lay from it, each shape counting the same, gives the drift (median) and the ends (10th and
//! 90th percentile, widened as one more shape infinitely far off would). Shapes known at the time and shapes not known
//! have errors of their own. Of the structural regression, the two rules and the mean of the checkpoints of about
//! that size (each counting the same, so that what many build on counts more), each with its drift, the one that erred less in
//! the past, by then, is taken: nothing of what is tested chooses it. Where the past holds too few shapes there is no forecast.

mod roll;
mod rules;
mod section;
#[cfg(test)]
mod tests;
mod units;

use rayon::prelude::*;

use crate::error::Error;
use crate::past::quarters;
use crate::section::Section;
use roll::{Cut, outcomes};

/// A scored checkpoint whose columns are all known.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `org/name`.
    pub id: String,
    /// Shape as a number.
    pub shape: u32,
    /// The line of checkpoints it comes of.
    pub family: String,
    /// The regression's columns, in the order of [`Question::names`].
    pub columns: Vec<f64>,
    /// Layers, `d_model`, `d_ffn`, heads.
    pub dimensions: [f64; 4],
    /// Billions of parameters.
    pub size: f64,
    /// Day of publication; of what has none its base's, days since 1970-01-01.
    pub day: f64,
    /// Points.
    pub score: f64,
}

/// One benchmark.
#[derive(Debug, Clone)]
pub struct Question {
    /// Name in ids.
    pub benchmark: String,
    /// Name for people.
    pub title: String,
    /// What it asks for.
    pub abilities: Vec<String>,
    /// The board of the rows that are fitted.
    pub board: String,
    /// Names of the regression's columns.
    pub names: Vec<String>,
    /// The rows that are fitted, up to each day.
    pub rows: Vec<Row>,
    /// What is tested instead of the board's own later rows: another board's, none of them on this one.
    pub later: Option<Vec<Row>>,
}

/// What was forecast of one checkpoint at one day, and what came.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// `org/name`.
    pub id: String,
    /// Its shape as a number.
    pub shape: u32,
    /// The day that the fit was frozen at.
    pub frozen: f64,
    /// Days from there to the checkpoint's own.
    pub horizon: f64,
    /// A row of its shape was known.
    pub shape_known: bool,
    /// A row of its family was known.
    pub family_known: bool,
    /// What it scored.
    pub score: f64,
    /// The forecast, with drift.
    pub value: f64,
    /// Ends of the interval that shall hold four times in five.
    pub ends: (f64, f64),
    /// The mean of shapes of about its size.
    pub by_size: f64,
    /// The mean of its shape, else of the nearest.
    pub by_shape: f64,
    /// The mean of the checkpoints of about its size, with the drift of the past: the simplest forecast there is.
    pub by_look_up: f64,
    /// What the forecast was made by: `structural`, `size`, `shape` or `checkpoints`.
    pub method: &'static str,
}

/// A question and what became of its forecasts.
#[derive(Debug, Clone)]
pub struct Forecasts {
    /// The question.
    pub question: Question,
    /// Every forecast, by day and row.
    pub outcomes: Vec<Outcome>,
}

/// First quarter that fits are frozen at: 2023-06-01.
const FIRST: (i64, i64) = (2023, 6);
/// The first quarter whose errors calibrate.
const PAST: (i64, i64) = (2022, 9);
/// Share that intervals shall cover.
pub const LEVEL: f64 = crate::past::LEVEL;

/// Makes every forecast of every question.
///
/// # Errors
/// Those of the structural regression.
pub fn forecasts(questions: Vec<Question>) -> Result<Vec<Forecasts>, Error> {
    questions
        .into_par_iter()
        .map(|question| {
            let later = question.later.as_deref();
            let tested = later.unwrap_or(&question.rows);
            let last = tested.iter().map(|row| row.day).fold(f64::NEG_INFINITY, f64::max);
            let cuts: Vec<Cut> = quarters(PAST, last)
                .into_par_iter()
                .map(|day| Cut::at(day, &question, tested))
                .collect::<Result<Vec<_>, Error>>()?
                .into_iter()
                .flatten()
                .collect();
            let first = quarters(FIRST, last).first().copied().unwrap_or(f64::INFINITY);
            let outcomes = outcomes(&cuts, &question, tested, first);
            Ok(Forecasts { question, outcomes })
        })
        .collect()
}

/// The section.
pub fn section(all: &[Forecasts], resamples: usize, seed: u64) -> Section {
    section::section(all, resamples, seed)
}
