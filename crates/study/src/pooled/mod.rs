//! Section on associations of parts with abilities over all checkpoints, at equal size, date and tokens.
//!
//! Thousands of fine-tunes of one base measure that base well but are not independent. Rows are therefore aggregated to
//! units (one shape with its key and value heads and vocabulary); effects of tuning, merging and a later date are
//! estimated within units and subtracted. Units then enter a mixed model with a random effect of the family, fitted by
//! restricted maximum likelihood. Effects are reported on known structures (`exact`, `lineage`), with those on all rows
//! beside them. They are associations: the robustness value says how strong a confounder must be to explain one.

mod effects;
mod families;
mod forward;
mod prediction;
mod process;
mod tables;
#[cfg(test)]
mod tests;
mod units;

use rayon::prelude::*;

use crate::finding::SourceOf;
use crate::section::Section;

pub use families::family_of_name;

/// One checkpoint on one board.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PooledRow {
    /// Unit identifier: shape, key and value heads, vocabulary and experts together.
    pub unit: u32,
    /// Family named in the ids of its lineage; `None` where no id names one.
    pub family: Option<String>,
    /// Whether the structure is from its own config or its base's.
    pub is_sure: bool,
    /// Billions of parameters.
    pub size: f64,
    /// Share of the parameters used per token: 1 without experts.
    pub active: f64,
    /// Layers, `d_model`, `d_ffn`, heads, `kv_heads`, vocabulary.
    pub parts: [f64; 6],
    /// Day of publication, days since 1970-01-01.
    pub date: Option<f64>,
    /// Training tokens of its base model.
    pub tokens: Option<f64>,
    /// Whether it was anything but trained from scratch.
    pub is_tuned: bool,
    /// Whether it is a merge.
    pub is_merged: bool,
    /// Scores in points, in the order of the board's benchmarks.
    pub scores: Vec<Option<f64>>,
}

/// A board with its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct PooledBoard {
    /// Short name, as in finding ids: `v1`.
    pub name: String,
    /// Where its rows come from.
    pub work: String,
    /// Benchmark names, as in the findings.
    pub benchmarks: Vec<String>,
    /// Rows without repeats and without checkpoints with idle layers.
    pub rows: Vec<PooledRow>,
}

/// Input of the section.
#[derive(Debug, Clone, Copy)]
pub struct Pooled<'a> {
    /// The boards.
    pub boards: &'a [PooledBoard],
    /// Number of permutations of each test.
    pub shuffles: usize,
    /// Seed of the permutations.
    pub seed: u64,
}

/// Fewest units, in excess of the number of columns, for a model.
const LEAST_UNITS: usize = 8;

/// Builds the section.
pub fn section(study: &Pooled<'_>) -> Section {
    let mut section = Section {
        id: "pooled".into(),
        title: "Parts and abilities over all checkpoints".into(),
        ..Section::default()
    };
    let asked: Vec<(&PooledBoard, usize)> = study
        .boards
        .iter()
        .flat_map(|board| (0..board.benchmarks.len()).map(move |benchmark| (board, benchmark)))
        .collect();
    let n_benchmarks = asked.len();
    let found: Vec<_> = asked
        .par_iter()
        .map(|(board, benchmark)| effects::findings(board, *benchmark, n_benchmarks, study))
        .collect();
    section.findings.extend(found.into_iter().flatten());
    for board in study.boards {
        section.findings.extend(effects::ceilings(board));
        section.findings.extend(prediction::findings(board, study));
        section.findings.extend(forward::findings(board, study));
    }
    tables::tables(&mut section, study.boards);
    section
}

/// Only the effects, on the benchmarks of these names, for a question on one ability.
pub fn effects_on(study: &Pooled<'_>, benchmarks: &[&str]) -> Vec<crate::finding::Finding> {
    let asked: Vec<(&PooledBoard, usize)> = study
        .boards
        .iter()
        .flat_map(|board| (0..board.benchmarks.len()).map(move |benchmark| (board, benchmark)))
        .filter(|(board, benchmark)| benchmarks.contains(&board.benchmarks[*benchmark].as_str()))
        .collect();
    let found: Vec<_> = asked
        .par_iter()
        .map(|(board, benchmark)| effects::findings(board, *benchmark, asked.len(), study))
        .collect();
    found.into_iter().flatten().collect()
}

fn source_of(board: &PooledBoard) -> SourceOf {
    SourceOf {
        work: board.work.clone(),
        place: "rows without repeats, surgery and idle layers, as units".into(),
    }
}
