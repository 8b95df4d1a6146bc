//! Section on tuned checkpoints (the eleventh regression of the literature): errors, learning curve and two examples.

use mechanism::gradients::Gradients;
use mechanism::tune::text::{BENCHMARKS, parse};
use serde::Deserialize;
use study::published::{LLM_EXAMPLES, PAPER, table_2};
use study::section::{Axis, Cell, Drawing, Figure, Section, Table};

use super::Named;

/// The fields used of a result of `anatomy probe tune`.
#[derive(Debug, Deserialize)]
pub(in crate::report) struct Tuning {
    pub(super) steps: u64,
    pub(super) samples: usize,
    pub(super) settings: Settings,
    pub(super) losses: Vec<f64>,
    #[serde(default)]
    pub(super) gradients: Vec<AtStep>,
    pub(super) tests: Vec<TunedScores>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    pub(super) rank: u64,
    pub(super) batch: u64,
    pub(super) learning_rate: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct AtStep {
    pub(super) step: u64,
    #[serde(flatten)]
    pub(super) gradients: Gradients,
}

#[derive(Debug, Deserialize)]
pub(super) struct TunedScores {
    pub(super) n: usize,
    pub(super) loss: f64,
    #[serde(default)]
    pub(super) scores: Option<Scores>,
    #[serde(default)]
    pub(super) answers: Vec<TunedAnswer>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Scores {
    pub(super) malformed: usize,
    pub(super) benchmarks: Vec<Error>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Error {
    pub(super) benchmark: String,
    pub(super) n: usize,
    pub(super) mae: Option<f64>,
    pub(super) r2: Option<f64>,
    pub(super) low: Option<f64>,
    pub(super) high: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TunedAnswer {
    prompt: String,
    answer: String,
}

/// Names of the benchmarks in finding ids, in the order of [`BENCHMARKS`].
const NAMES: [&str; 6] = ["arc", "hellaswag", "mmlu", "truthfulqa", "winogrande", "gsm8k"];

/// Name in finding ids of a benchmark as it is called in prompts; `None` for an unknown one.
pub(super) fn name_of(benchmark: &str) -> Option<&'static str> {
    let place = BENCHMARKS.iter().position(|known| *known == benchmark)?;
    NAMES.get(place).copied()
}

impl Tuning {
    /// The largest test with scores, on rows held out of training; `None` where there is none.
    pub(super) fn test(&self) -> Option<(&TunedScores, &Scores)> {
        let scored = self
            .tests
            .iter()
            .filter_map(|test| Some((test, test.scores.as_ref()?)));
        scored.max_by_key(|(test, _)| test.n)
    }

    /// Mean R² over the benchmarks; `None` where one is missing.
    pub(super) fn mean_r2(&self) -> Option<f64> {
        let (_, scores) = self.test()?;
        let all: Option<Vec<f64>> = scores.benchmarks.iter().map(|error| error.r2).collect();
        all.filter(|all| !all.is_empty())
            .map(|all| all.iter().sum::<f64>() / all.len() as f64)
    }

    /// Summary of training and results.
    pub(super) fn in_words(&self, name: &str) -> String {
        let seen = self.steps * self.settings.batch;
        let mut parts = vec![format!(
            "{name}: {} steps of {} (adapters of rank {}, learning rate {}), so {seen} samples of {} training rows; the paper took \
             3500 steps on Llama-2-7B.",
            self.steps, self.settings.batch, self.settings.rank, self.settings.learning_rate, self.samples
        )];
        if let Some((test, scores)) = self.test() {
            parts.push(format!(
                "Asked {} rows left out, it answered {} in the form asked; loss {:.3} nats a token.",
                test.n,
                test.n - scores.malformed,
                test.loss
            ));
        }
        if let Some(mean) = self.mean_r2() {
            parts.push(format!(
                "Mean R² over the six benchmarks is {mean:.2}, {} (R² 0).",
                if mean > 0.0 {
                    "better than always saying the mean of these rows"
                } else {
                    "worse than always saying the mean of these rows"
                }
            ));
        }
        parts.join(" ")
    }
}

/// Builds the section for a user's own results.
pub(super) fn section(all: &[Named<Tuning>]) -> Section {
    let mut section = Section {
        id: "tuning".into(),
        title: "Inside checkpoints: tuned to answer".into(),
        ..Section::default()
    };
    add(&mut section, all, "tuning");
    section
}

/// Adds texts, tables and the learning curve to `section`; ids of figures and tables begin with `prefix`.
pub(in crate::report) fn add(section: &mut Section, all: &[Named<Tuning>], prefix: &str) {
    let asked: Vec<&Named<Tuning>> = all
        .iter()
        .filter(|named| !named.result.tests.is_empty())
        .collect();
    if asked.is_empty() {
        return;
    }
    section
        .text
        .extend(asked.iter().map(|named| named.result.in_words(&named.name)));
    section.figures.push(curve(&asked, &format!("{prefix}-curve")));
    section.tables.push(errors(&asked, &format!("{prefix}-scores")));
    section
        .tables
        .extend(examples(&asked, &format!("{prefix}-examples")));
}

/// Maximum number of points of the learning curve, each a mean over consecutive steps.
const POINTS: usize = 20;

fn curve(all: &[&Named<Tuning>], id: &str) -> Figure {
    let of = |named: &&Named<Tuning>| {
        let losses = &named.result.losses;
        let first = named.result.steps as usize - losses.len();
        let window = losses.len().div_ceil(POINTS).max(1);
        let points = losses.chunks(window).enumerate().map(|(at, chunk)| {
            let middle = first as f64 + (at * window) as f64 + (chunk.len() + 1) as f64 / 2.0;
            (middle, chunk.iter().sum::<f64>() / chunk.len() as f64)
        });
        (named.name.clone(), points.collect())
    };
    let n = all.iter().map(|named| named.result.losses.len()).sum();
    Figure {
        id: id.into(),
        title: "What tuning learned, by step".into(),
        caption: format!(
            "Loss of a step's samples before it, means of steps that follow each other; n = {n} steps in all."
        ),
        n,
        x: Axis::linear("step"),
        y: Axis::linear("loss (nats a token)"),
        drawing: Drawing::Points {
            series: all.iter().map(of).collect(),
            line: None,
            named: Vec::new(),
        },
    }
}

fn errors(all: &[&Named<Tuning>], id: &str) -> Table {
    let printed = |name: &str| {
        table_2()
            .find(|(method, benchmark, _)| *method == "llm" && *benchmark == name)
            .map(|(_, _, r2)| r2)
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for named in all {
        let Some((_, scores)) = named.result.test() else {
            continue;
        };
        for error in &scores.benchmarks {
            let name = name_of(&error.benchmark);
            rows.push(vec![
                named.name.as_str().into(),
                error.benchmark.as_str().into(),
                error.n.into(),
                error.r2.into(),
                error.low.into(),
                error.high.into(),
                error.mae.into(),
                name.and_then(printed).into(),
            ]);
        }
    }
    Table {
        id: id.into(),
        caption: format!(
            "A checkpoint told a structure in words answers all six scores in one line: R² and mean absolute error (points) on rows \
             left out, over well-formed answers; 95 % intervals from whole structures drawn again; beside them what {PAPER} prints \
             of Llama-2-7B."
        ),
        columns: [
            "checkpoint",
            "benchmark",
            "rows",
            "R²",
            "low",
            "high",
            "mean absolute error",
            "R² printed",
        ]
        .map(String::from)
        .to_vec(),
        shown: !rows.is_empty(),
        rows,
    }
}

/// The two example structures of the paper: true scores, the paper's model's answer, and these checkpoints' answers.
fn examples(all: &[&Named<Tuning>], id: &str) -> Option<Table> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for (number, example) in LLM_EXAMPLES.iter().enumerate() {
        let mut row = |who: String, scores: Option<[f64; 6]>| {
            let mut cells: Vec<Cell> = vec![(number + 1).into(), who.into()];
            match scores {
                Some(scores) => cells.extend(scores.map(Cell::from)),
                None => cells.extend((0..6).map(|_| Cell::Missing)),
            }
            rows.push(cells);
        };
        row("true".into(), Some(example.truth));
        row(format!("Llama-2-7B, {PAPER}"), Some(example.answer));
        for named in all {
            let answers = named.result.tests.iter().flat_map(|test| &test.answers);
            for answer in answers.filter(|answer| answer.prompt == example.prompt) {
                row(named.name.clone(), parse(&answer.answer));
            }
        }
    }
    if rows.len() == 2 * LLM_EXAMPLES.len() {
        return None;
    }
    let columns = ["example", "answered by"].into_iter().chain(BENCHMARKS);
    Some(Table {
        id: id.into(),
        caption: format!(
            "The two structures of figure 11 of {PAPER} (1: 32 layers of width 4096, 7B, January 2024; 2: 36 layers of width 5120, 12B, \
             February 2023), scores in points; empty where an answer was not in the form asked."
        ),
        columns: columns.map(String::from).collect(),
        rows,
        shown: true,
    })
}
