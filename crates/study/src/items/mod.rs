//! What answers to single items say: how hard items are, which checkpoints answer alike, and which do suspiciously well on a
//! part of a benchmark.

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
