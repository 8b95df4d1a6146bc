//! Tests of the whole crate: against oracles, identities and hostile files.

mod common;
mod oracle_smollm2; // SmolLM2-135M-Instruct against PyTorch
