//! Tests of the whole crate: against oracles, identities and hostile files.

mod common;
mod families; // every family against transformers, and gradients against differences
mod hostile; // files that lie
mod oracle_smollm2; // SmolLM2-135M-Instruct against PyTorch
