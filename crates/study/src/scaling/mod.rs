//! Scaling laws for a user's own runs: a law of their loss or their scores, with its uncertainty.
//!
//! Several laws are fitted to the same runs: on parameters and tokens; with layers and width instead of parameters; on
//! all of them; and each with a Gaussian process on its residuals, as shapes differ in more than size. Each is reported
//! with its leave-one-shape-out error; the error of the selected law is nested, as the left-out shape takes no part in
//! the selection.

mod law;
mod line;
mod process;
#[cfg(test)]
mod tests;
mod told;

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::error::Error;
use crate::statistics::{GroupBootstrap, mean, median, percentile_interval, resample};
use law::Law;
use line::LawLine;
use process::LawProcess;

pub use told::{Answer, Deeper, Exponent, Told};

/// A run, or a checkpoint of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// Loss in nats per token, or a score in points.
    pub target: f64,
    /// Number of parameters.
    pub parameters: f64,
    /// Number of training tokens.
    pub tokens: f64,
    /// Layers and width; `None` where unknown.
    pub shape: Option<(f64, f64)>,
}

/// Kind of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LawTarget {
    /// Loss in nats per token, modelled as a sum of powers.
    Loss,
    /// Score from 0 to 100 points, whose log odds are modelled as linear in logarithms.
    Score,
}

/// The dimensions of a law.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Parameters and tokens.
    Size,
    /// Width, layers and tokens.
    Shape,
    /// Width, layers, parameters and tokens.
    Both,
}

impl Form {
    const ALL: [Self; 3] = [Self::Size, Self::Shape, Self::Both];

    /// Names of the dimensions.
    pub const fn dimensions(self) -> &'static [&'static str] {
        match self {
            Self::Size => &["parameters", "tokens"],
            Self::Shape => &["width", "layers", "tokens"],
            Self::Both => &["width", "layers", "parameters", "tokens"],
        }
    }

    fn of(self, run: &Run) -> Option<Vec<f64>> {
        let all = match (self, run.shape) {
            (Self::Size, _) => vec![run.parameters, run.tokens],
            (Self::Shape, Some((layers, width))) => vec![width, layers, run.tokens],
            (Self::Both, Some((layers, width))) => vec![width, layers, run.parameters, run.tokens],
            (_, None) => return None,
        };
        Some(all.into_iter().map(f64::ln).collect())
    }
}

#[derive(Debug, Clone)]
enum Mean {
    Law(Law),
    LawLine(LawLine),
}

impl Mean {
    fn fit(target: LawTarget, ln: &[Vec<f64>], y: &[f64]) -> Option<Self> {
        match target {
            LawTarget::Loss => Law::fit(ln, y).map(Self::Law),
            LawTarget::Score => LawLine::fit(ln, y).map(Self::LawLine),
        }
    }

    /// The law refitted to other runs, starting from this fit.
    fn again(&self, ln: &[Vec<f64>], y: &[f64]) -> Option<Self> {
        match self {
            Self::Law(law) => Some(Self::Law(law.again(ln, y))),
            Self::LawLine(_) => LawLine::fit(ln, y).map(Self::LawLine),
        }
    }

    fn at(&self, ln: &[f64]) -> f64 {
        match self {
            Self::Law(law) => law.ln_loss(ln),
            Self::LawLine(line) => line.at(ln),
        }
    }

    fn exponents(&self) -> Vec<f64> {
        match self {
            Self::Law(law) => law.exponents.clone(),
            Self::LawLine(line) => line.0[1..].to_vec(),
        }
    }
}

/// Scores are clamped to between this share and one minus this share.
const EDGE: f64 = 0.005;

impl LawTarget {
    fn linked(self, value: f64) -> f64 {
        match self {
            Self::Loss => value.ln(),
            Self::Score => {
                let share = (value / 100.0).clamp(EDGE, 1.0 - EDGE);
                (share / (1.0 - share)).ln()
            }
        }
    }

    fn back(self, linked: f64) -> f64 {
        match self {
            Self::Loss => linked.exp(),
            Self::Score => 100.0 / (1.0 + (-linked).exp()),
        }
    }
}

/// Form of a law, and whether a process is fitted to its residuals.
type Candidate = (Form, bool);

struct Asked<'a> {
    target: LawTarget,
    runs: &'a [Run],
    y: Vec<f64>,
    /// Logarithms of the dimensions, by form.
    ln: BTreeMap<usize, Vec<Vec<f64>>>,
    /// Input of the process, per run.
    places: Vec<Vec<f64>>,
    /// Shape index of each run.
    shapes: Vec<usize>,
    n_shapes: usize,
    candidates: Vec<Candidate>,
}

fn chosen<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|&row| all[row].clone()).collect()
}

impl Asked<'_> {
    fn ln(&self, form: Form) -> &[Vec<f64>] {
        &self.ln[&(form as usize)]
    }

    /// Predictions of `tested` by each candidate fitted to `train`; laws start from the fits in `from`.
    fn predicted(&self, train: &[usize], tested: &[usize], from: &BTreeMap<usize, Mean>) -> Vec<Vec<f64>> {
        let mut means: BTreeMap<usize, Option<Mean>> = BTreeMap::new();
        let y = chosen(&self.y, train);
        self.candidates
            .iter()
            .map(|(form, has_process)| {
                let ln = self.ln(*form);
                let mean = means
                    .entry(*form as usize)
                    .or_insert_with(|| from.get(&(*form as usize))?.again(&chosen(ln, train), &y));
                let Some(mean) = mean else {
                    return vec![f64::NAN; tested.len()];
                };
                let left: Vec<f64> = train.iter().map(|&row| self.y[row] - mean.at(&ln[row])).collect();
                let process = has_process
                    .then(|| {
                        LawProcess::fit(&chosen(&self.places, train), &chosen(&self.shapes, train), &left)
                    })
                    .flatten();
                tested
                    .iter()
                    .map(|&row| {
                        let more = process
                            .as_ref()
                            .map_or(0.0, |process| process.at(&self.places[row]));
                        self.target.back(mean.at(&ln[row]) + more)
                    })
                    .collect()
            })
            .collect()
    }

    /// Mean absolute leave-one-shape-out error of each candidate on `rows`, each shape counted once; also the errors by
    /// shape.
    fn left_out(&self, rows: &[usize], from: &BTreeMap<usize, Mean>) -> (Vec<f64>, Vec<Vec<f64>>) {
        let shapes: Vec<usize> = (0..self.n_shapes)
            .filter(|shape| rows.iter().any(|&row| self.shapes[row] == *shape))
            .collect();
        let of_shapes: Vec<Vec<f64>> = shapes
            .par_iter()
            .map(|shape| {
                let (tested, train): (Vec<usize>, Vec<usize>) =
                    rows.iter().partition(|&&row| self.shapes[row] == *shape);
                self.predicted(&train, &tested, from)
                    .iter()
                    .map(|own| self.error(&tested, own))
                    .collect()
            })
            .collect();
        let means = (0..self.candidates.len())
            .map(|candidate| mean(&of_shapes.iter().map(|own| own[candidate]).collect::<Vec<f64>>()))
            .collect();
        (means, of_shapes)
    }

    fn error(&self, rows: &[usize], predictions: &[f64]) -> f64 {
        let misses = rows.iter().zip(predictions);
        mean(
            &misses
                .map(|(&row, own)| (own - self.runs[row].target).abs())
                .collect::<Vec<f64>>(),
        )
    }

    /// Change of the target at the median run when layers double at the same width² × layers.
    fn deeper(&self, mean: &Mean) -> f64 {
        let ln = self.ln(Form::Shape);
        let middle: Vec<f64> = (0..3)
            .map(|dimension| median(&ln.iter().map(|x| x[dimension]).collect::<Vec<f64>>()))
            .collect();
        let step = std::f64::consts::LN_2;
        let deeper = [middle[0] - 0.5 * step, middle[1] + step, middle[2]];
        self.target.back(mean.at(&deeper)) - self.target.back(mean.at(&middle))
    }
}

fn least(errors: &[f64]) -> usize {
    (0..errors.len()).fold(0, |best, own| {
        if errors[own] < errors[best] || errors[best].is_nan() {
            own
        } else {
            best
        }
    })
}

/// Fits all laws to runs and estimates their errors; intervals are from `resamples` bootstrap draws of shapes.
///
/// # Errors
/// [`Error::CannotCompute`] for too few runs or shapes, or values that are not above 0.
pub fn fit(runs: &[Run], target: LawTarget, resamples: usize, seed: u64) -> Result<Answer, Error> {
    let cannot = |problem: String| Error::CannotCompute {
        method: "scaling law",
        problem,
    };
    let is_positive = |run: &Run| {
        let shape = run
            .shape
            .is_none_or(|(layers, width)| layers > 0.0 && width > 0.0);
        run.parameters > 0.0 && run.tokens > 0.0 && shape && (target == LawTarget::Score || run.target > 0.0)
    };
    if let Some(row) = runs.iter().position(|run| !is_positive(run)) {
        return Err(cannot(format!(
            "run {} has a number that is not above 0 (parameters {}, tokens {}, target {}); a law of logarithms needs all above 0",
            row + 1,
            runs[row].parameters,
            runs[row].tokens,
            runs[row].target
        )));
    }
    let has_shapes = runs.iter().all(|run| run.shape.is_some());
    let mut numbers: BTreeMap<[u64; 2], usize> = BTreeMap::new();
    let shapes: Vec<usize> = runs
        .iter()
        .map(|run| {
            let key = run
                .shape
                .filter(|_| has_shapes)
                .map_or([run.parameters.to_bits(), 0], |(layers, width)| {
                    [layers.to_bits(), width.to_bits()]
                });
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect();
    let n_shapes = numbers.len();
    let forms: Vec<Form> = Form::ALL
        .into_iter()
        .filter(|form| has_shapes || *form == Form::Size)
        .collect();
    if n_shapes < 5 || runs.len() < 10 {
        return Err(cannot(format!(
            "{} runs of {n_shapes} shapes; leaving shapes out needs at least 10 runs of 5 shapes",
            runs.len()
        )));
    }
    let ln: BTreeMap<usize, Vec<Vec<f64>>> = forms
        .iter()
        .map(|form| {
            (
                *form as usize,
                runs.iter().filter_map(|run| form.of(run)).collect(),
            )
        })
        .collect();
    let widest = *forms.last().unwrap_or(&Form::Size);
    let asked = Asked {
        target,
        runs,
        y: runs.iter().map(|run| target.linked(run.target)).collect(),
        places: process::scaled(&ln[&(widest as usize)]),
        ln,
        shapes,
        n_shapes,
        candidates: [false, true]
            .into_iter()
            .flat_map(|has_process| forms.iter().map(move |form| (*form, has_process)))
            .collect(),
    };
    let everything: Vec<usize> = (0..runs.len()).collect();
    let whole: BTreeMap<usize, Mean> = forms
        .par_iter()
        .filter_map(|form| Some((*form as usize, Mean::fit(target, asked.ln(*form), &asked.y)?)))
        .collect();
    if whole.is_empty() {
        return Err(cannot(format!("{} runs are too few for any law", runs.len())));
    }
    let (errors, of_shapes) = asked.left_out(&everything, &whole);
    let fitted = asked.predicted(&everything, &everything, &whole);
    // Nested selection: a law is selected without each shape, and its error is that on the shape.
    let nested: Vec<f64> = (0..n_shapes)
        .into_par_iter()
        .map(|shape| {
            let train: Vec<usize> = everything
                .iter()
                .copied()
                .filter(|&row| asked.shapes[row] != shape)
                .collect();
            of_shapes[shape][least(&asked.left_out(&train, &whole).0)]
        })
        .collect();
    let drawn = resampled(&asked, &whole, &forms, resamples, seed);
    let names: Vec<String> = asked
        .candidates
        .iter()
        .map(|(form, has_process)| {
            let name = match form {
                Form::Size => "size",
                Form::Shape => "shape",
                Form::Both => "both",
            };
            if *has_process {
                format!("{name}+process")
            } else {
                name.to_owned()
            }
        })
        .collect();
    let method = || format!("bootstrap over {n_shapes} shapes, {resamples} resamples");
    let laws = asked
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(place, (form, has_process))| {
            let mean = whole.get(&(*form as usize))?;
            let interval = |dimension: usize| {
                let all: Vec<f64> = drawn
                    .iter()
                    .filter_map(|own| Some(own.0.get(&(*form as usize))?[dimension]))
                    .collect();
                percentile_interval(&all, 0.95, method())
            };
            let exponents = form.dimensions().iter().zip(mean.exponents()).enumerate();
            Some(Told {
                name: names[place].clone(),
                exponents: exponents
                    .map(|(dimension, (name, value))| Exponent {
                        dimension: name,
                        value,
                        interval: if *has_process { None } else { interval(dimension) },
                    })
                    .collect(),
                floor: match mean {
                    Mean::Law(law) => Some(law.floor.exp()),
                    Mean::LawLine(_) => None,
                },
                left_out: errors[place],
                fitted: asked.error(&everything, &fitted[place]),
            })
        })
        .collect();
    let deeper = whole.get(&(Form::Shape as usize)).map(|mean| Deeper {
        value: asked.deeper(mean),
        interval: percentile_interval(
            &drawn.iter().filter_map(|own| own.1).collect::<Vec<f64>>(),
            0.95,
            method(),
        ),
    });
    Ok(Answer {
        target,
        runs: runs.len(),
        shapes: n_shapes,
        chosen: names[least(&errors)].clone(),
        laws,
        nested: mean(&nested),
        deeper,
        seed,
    })
}

/// Exponents by form, and the effect of depth, in one resample.
type Drawn = (BTreeMap<usize, Vec<f64>>, Option<f64>);

fn resampled(
    asked: &Asked<'_>,
    whole: &BTreeMap<usize, Mean>,
    forms: &[Form],
    resamples: usize,
    seed: u64,
) -> Vec<Drawn> {
    let members: Vec<Vec<usize>> = (0..asked.n_shapes)
        .map(|shape| {
            (0..asked.runs.len())
                .filter(|&row| asked.shapes[row] == shape)
                .collect()
        })
        .collect();
    let settings = GroupBootstrap { resamples, seed };
    resample(asked.n_shapes, settings, |_, drawn| -> Drawn {
        let rows: Vec<usize> = drawn
            .iter()
            .flat_map(|&shape| members[shape].iter().copied())
            .collect();
        let y = chosen(&asked.y, &rows);
        let mut own: Drawn = (BTreeMap::new(), None);
        for form in forms {
            if let Some(mean) = whole.get(&(*form as usize))
                && let Some(again) = mean.again(&chosen(asked.ln(*form), &rows), &y)
            {
                if *form == Form::Shape {
                    own.1 = Some(asked.deeper(&again));
                }
                own.0.insert(*form as usize, again.exponents());
            }
        }
        own
    })
}
