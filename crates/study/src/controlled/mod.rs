//! Section on controlled runs, in which structure was changed on purpose while data, tokens and tokenizer were not.
//!
//! A suite of shapes gives the effect of doubling a part at fixed size for each benchmark: a regression on size, its
//! square and the parts that vary independently, with HC3 standard errors and Student's t. The definition of size
//! changes the result, so each effect is given for three: operations per token, all parameters, parameters without
//! embeddings. Published pairs from surgery are converted to the same unit. Copies of a checkpoint with layers that do
//! nothing serve as placebo.

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

/// One score of one training run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ControlledRun {
    /// Name of the suite or work: `gemstones`, `minitron`.
    pub suite: String,
    /// Name of the run within a suite, or of the pair compared.
    pub pair_or_run: String,
    /// The checkpoint.
    pub id: String,
    /// Where it was published.
    pub source: String,
    /// The part or parts changed, joined by `+`.
    pub dimension: String,
    /// What was held fixed.
    pub held_fixed: String,
    /// Parameters without embeddings.
    pub n_body: Option<f64>,
    /// Parameters of the embeddings.
    pub n_embedding: Option<f64>,
    /// Operations per token.
    pub flops_token: Option<f64>,
    /// Layers, `d_model`, `d_ffn`, heads, `kv_heads`, experts; `None` where unknown.
    pub parts: [Option<f64>; 6],
    /// Training step.
    pub step: Option<f64>,
    /// Benchmark name, as in the findings.
    pub benchmark: String,
    /// Ability that the benchmark measures.
    pub ability: String,
    /// Score in points.
    pub score: f64,
    /// Standard error over items, points.
    pub stderr: Option<f64>,
}

/// Input of the section.
#[derive(Debug, Clone, Copy)]
pub struct Controlled<'a> {
    /// Every score of every run.
    pub runs: &'a [ControlledRun],
    /// Copies of a checkpoint with layers that do nothing, and their scores.
    pub placebo: &'a [Placebo],
    /// Number of permutations of each test and of draws for each simultaneous interval.
    pub shuffles: usize,
    /// Seed of permutations and draws.
    pub seed: u64,
}

/// Definition of the size that is fixed while a part is doubled; the first is the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// Operations of the forward pass, per token.
    FlopsToken,
    /// All parameters.
    Parameters,
    /// Parameters without embeddings.
    ParametersBody,
}

impl Fixed {
    /// All definitions, the main one first.
    pub const ALL: [Self; 3] = [Self::FlopsToken, Self::Parameters, Self::ParametersBody];

    /// The name used in finding ids.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlopsToken => "flops_token",
            Self::Parameters => "parameters",
            Self::ParametersBody => "parameters_body",
        }
    }

    /// The wording shown to readers.
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

/// Builds the section.
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
