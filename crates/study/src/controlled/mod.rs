//! Section: what runs say whose structure was changed on purpose while data, tokens and tokenizer were not.
//!
//! A suite of shapes gives, per benchmark, the effect of doubling a part at fixed size: least squares on the size, its square
//! and the parts that vary on their own, HC3 errors, Student's t. What "size" is changes the answer, so each is given in three
//! readings: operations per token, all parameters, parameters without embeddings. Pairs of published surgery are turned to
//! the same unit. Copies of a checkpoint with layers that do nothing are the placebo.

mod contrasts;
mod doublings;
mod effects;
mod pairs;
mod placebo;
mod suite;
mod tables;
#[cfg(test)]
mod tests;
mod together;

use crate::finding::SourceOf;
use crate::section::Section;

pub use doublings::{Doubling, doublings};
pub use placebo::Placebo;

/// One score of one run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ControlledRun {
    /// The suite or work: `gemstones`, `minitron`.
    pub suite: String,
    /// The run of a suite, or the pair that is compared.
    pub pair_or_run: String,
    /// The checkpoint.
    pub id: String,
    /// Where it was published.
    pub source: String,
    /// What was changed; several joined by `+`.
    pub dimension: String,
    /// What was held fixed.
    pub held_fixed: String,
    /// Parameters without embeddings.
    pub n_body: Option<f64>,
    /// Parameters of the embeddings.
    pub n_embedding: Option<f64>,
    /// Operations of one token.
    pub flops_token: Option<f64>,
    /// Layers, `d_model`, `d_ffn`, heads, `kv_heads`, experts.
    pub parts: [Option<f64>; 6],
    /// Training step.
    pub step: Option<f64>,
    /// Name as in the findings.
    pub benchmark: String,
    /// What it asks for.
    pub ability: String,
    /// Points.
    pub score: f64,
    /// Standard error over items, points.
    pub stderr: Option<f64>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Controlled<'a> {
    /// Every score of every run.
    pub runs: &'a [ControlledRun],
    /// Copies of a checkpoint with layers that do nothing.
    pub placebo: &'a [Placebo],
    /// Shuffles of each permutation test and draws of each simultaneous interval.
    pub shuffles: usize,
    /// Seed of both.
    pub seed: u64,
}

/// What "size" is held fixed while a part is doubled; the first is the one that is read first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// Operations of one token forwards.
    FlopsToken,
    /// All parameters.
    Parameters,
    /// Parameters without embeddings.
    ParametersBody,
}

impl Fixed {
    /// All readings, in the order in which they are read.
    pub const ALL: [Self; 3] = [Self::FlopsToken, Self::Parameters, Self::ParametersBody];

    /// As it stands in ids of findings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlopsToken => "flops_token",
            Self::Parameters => "parameters",
            Self::ParametersBody => "parameters_body",
        }
    }

    /// As people read it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::FlopsToken => "operations per token",
            Self::Parameters => "all parameters",
            Self::ParametersBody => "parameters without embeddings",
        }
    }

    fn of(self, run: &ControlledRun) -> Option<f64> {
        match self {
            Self::FlopsToken => run.flops_token,
            Self::Parameters => run.n_body.zip(run.n_embedding).map(|(body, rest)| body + rest),
            Self::ParametersBody => run.n_body,
        }
        .filter(|size| *size > 0.0)
    }
}

/// The section.
pub fn section(study: &Controlled<'_>) -> Section {
    let mut section = Section {
        id: "controlled".into(),
        title: "Structure changed on purpose".into(),
        ..Section::default()
    };
    let suites = suite::Suite::all(study.runs);
    let mut across = Vec::new();
    for suite in &suites {
        for fixed in Fixed::ALL {
            let Some(design) = suite.design(fixed) else {
                continue;
            };
            let found = effects::effects(suite, &design, study);
            contrasts::findings(&mut section.findings, suite, &design, &found);
            together::findings(&mut section.findings, suite, &design, &found);
            effects::findings(&mut section.findings, suite, &design, &found, study);
            across.extend(effects::entries(suite, fixed, &found));
        }
    }
    effects::over_suites(&mut section.findings, &across);
    pairs::findings(&mut section.findings, study.runs);
    placebo::findings(&mut section.findings, study.placebo);
    tables::tables(&mut section, &suites);
    section
}

/// Where a suite's rows come from.
fn source_of(suite: &str, source: &str) -> SourceOf {
    SourceOf {
        work: suite.into(),
        place: source.into(),
    }
}
