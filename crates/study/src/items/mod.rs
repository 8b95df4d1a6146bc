//! Analysis of answers to single items: difficulty of items, checkpoints that answer alike, and checkpoints that do
//! suspiciously well on a part of a benchmark.

mod answers;
mod bits;
pub mod contamination;
pub mod copies;
pub mod difficulty;
mod parts;
mod section;
mod shuffled;
mod tail;
#[cfg(test)]
mod tests;

pub use answers::{Answers, Gather};
pub use bits::Bits;
pub use section::{ItemStudy, compared, section};
