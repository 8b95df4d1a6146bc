//! Section: which part goes with which ability over all checkpoints, at equal size, date and tokens.
//!
//! Thousands of fine-tunes of one base are one base measured well. So rows become units first (one shape with its key and
//! value heads and vocabulary): what tuning, merging and a later date do is estimated within units and taken off. Units
//! then stand in one mixed model with an effect of the family, fitted by restricted maximum likelihood. Effects are given
//! on structures that are known (`exact`, `lineage`), those on all rows beside them. They are associations: the robustness
//! value says how strong what was left out must be to undo one.

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
    /// Shape, key and value heads, vocabulary and experts together.
    pub unit: u32,
    /// Family by lineage, none where no name says it.
    pub family: Option<String>,
    /// Its structure is its own config's or its base's.
    pub is_sure: bool,
    /// Billions of parameters.
    pub size: f64,
    /// Share of them used for a token: 1 without experts.
    pub active: f64,
    /// Layers, `d_model`, `d_ffn`, heads, `kv_heads`, vocabulary.
    pub parts: [f64; 6],
    /// Days since 1970.
    pub date: Option<f64>,
    /// Tokens of its base's training.
    pub tokens: Option<f64>,
    /// Anything but trained from scratch.
    pub is_tuned: bool,
    /// A merge.
    pub is_merged: bool,
    /// Points, in the order of the board's benchmarks.
    pub scores: Vec<Option<f64>>,
}

/// A board.
#[derive(Debug, Clone, PartialEq)]
pub struct PooledBoard {
    /// Short name, as in ids: `v1`.
    pub name: String,
    /// Where its rows come from.
    pub work: String,
    /// Names as in the findings.
    pub benchmarks: Vec<String>,
    /// Its rows, repeats and rows with idle layers out.
    pub rows: Vec<PooledRow>,
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Pooled<'a> {
    /// The boards.
    pub boards: &'a [PooledBoard],
    /// Shuffles of each permutation test.
    pub shuffles: usize,
    /// Its seed.
    pub seed: u64,
}

/// Fewer units than this over the columns are no model.
const LEAST_UNITS: usize = 8;

/// The section.
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

/// The effects alone, on the benchmarks of these names, with few shuffles: what a question on one ability needs.
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
