//! `anatomy probe`: what the layers of a checkpoint do, on its weights.

mod ablate;
mod all;
mod benchmarks;
mod corpus;
mod device;
mod evaluate;
mod gradients;
mod influence;
mod made_from;
mod model;
mod prune;
mod tasks;
mod tokens;
mod tune;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::global::Global;

#[derive(Debug, Subcommand)]
pub(crate) enum ProbeCommand {
    /// Measure what each part is worth: remove the same share of the parameters from layers, widths, heads or experts
    Ablate(ablate::AblateArgs),
    /// Influence, evaluation, ablation, pruning and gradients in one run that can be resumed
    All(all::AllArgs),
    /// Show the card that `--device cuda` uses, and check what it computes
    Device(device::CardArgs),
    /// Evaluate on the benchmarks of Open LLM Leaderboard v1, as lm-evaluation-harness does
    Evaluate(evaluate::EvaluateArgs),
    /// How much each layer changes what passes through it (Block Influence), and how far blocks of layers turn it
    Influence(influence::InfluenceArgs),
    /// Gradients of the fine-tuning loss by layer and matrix: nuclear norm, largest singular value, effective rank
    Gradients(gradients::GradientsArgs),
    /// Remove layers: write the smaller checkpoint, or measure how log-likelihoods and scores change
    Prune(prune::PruneArgs),
    /// Token ids of a text
    Tokens(tokens::TokensArgs),
    /// Fine-tune low-rank adapters, and test what was learned
    Tune(tune::TuneArgs),
}

pub(crate) fn run(global: &Global, command: &ProbeCommand) -> Result<ExitCode> {
    match command {
        ProbeCommand::Ablate(args) => ablate::run(global, args),
        ProbeCommand::All(args) => all::run(global, args),
        ProbeCommand::Device(args) => device::run(global, args),
        ProbeCommand::Evaluate(args) => evaluate::run(global, args),
        ProbeCommand::Influence(args) => influence::run(global, args),
        ProbeCommand::Gradients(args) => gradients::run(global, args),
        ProbeCommand::Prune(args) => prune::run(global, args),
        ProbeCommand::Tokens(args) => tokens::run(global, args),
        ProbeCommand::Tune(args) => tune::run(global, args),
    }
}
