//! Turns answers before and after cuts into everything that is reported about them.

use super::at_one_size::at_one_size;
use super::contrasts::contrasts;
use super::effects::{Asked, Effects, cells, effect, matrix};
use super::plan::Planned;
use crate::evaluate::answer::Answer;

/// Effects, slopes and contrasts. `before` holds the whole network's answers to all items, benchmark by benchmark in
/// the order of `asked`; `after` holds those of each cut.
pub fn effects(asked: &[Asked], before: &[Answer], after: &[(Planned, Vec<Answer>)]) -> Effects {
    let cells = cells(asked, before, after);
    Effects {
        effects: cells.iter().map(|cell| effect(cell, asked, &cells)).collect(),
        matrix: matrix(&cells, asked),
        contrasts: contrasts(&cells, asked),
        at_one_size: at_one_size(&cells, asked),
    }
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
