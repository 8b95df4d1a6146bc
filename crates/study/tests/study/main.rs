//! Tests of the study from outside: oracles, and a battery over all regressions.

#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests read the oracles' files and say how near they came"
)]

mod battery;
mod oracle;
mod others_tables;
mod saved;
mod shared;
