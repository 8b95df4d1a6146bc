//! Tests of the whole crate: against oracles, identities and hostile files.
#![allow(clippy::print_stdout, reason = "a skipped test says so")]
#![allow(clippy::unwrap_used, reason = "a test may fail by panicking")]
#![allow(
    clippy::doc_markdown,
    reason = "names of checkpoints need no backticks in tests"
)]

mod ablation; // parts removed: what must not change, and what is written
#[cfg(feature = "cuda")]
mod card; // everything again on an emulated card
mod common;
#[cfg(feature = "cuda")]
mod emulated; // the emulated card: built, run, and with faults in it
mod evaluation;
mod families; // every family against transformers, and gradients against differences
mod folders; // folders as people have them
mod generation; // texts continued with weights as stored
mod gguf_families; // the same as GGUF
mod hostile; // files that lie
mod identity; // what holds whatever the weights are
mod machine; // every operation against sums in f64
mod oracle_lora; // low-rank tuning against PyTorch
mod oracle_smollm2; // SmolLM2-135M-Instruct against PyTorch
