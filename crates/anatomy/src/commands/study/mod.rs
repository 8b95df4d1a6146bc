//! `anatomy study`: single questions of the study, on the catalog or on a table of the user's own.

mod abilities;
mod answer;
mod beside;
mod best;
mod claims;
mod importance;
mod input;
mod items;
mod llm;
mod methods;
mod prompts;
mod regressions;

pub(crate) use items::compare_two;

use std::process::ExitCode;

use anyhow::Result;
use clap::Subcommand;

use crate::global::Global;

#[derive(Debug, Subcommand)]
pub(crate) enum StudyCommand {
    /// Fit regressions from structure to score and say how well they predict rows they have not seen
    Regressions(regressions::RegressionsArgs),
    /// Write structures in words and their six scores, for `anatomy probe tune` to train a language model on
    Prompts(prompts::PromptsArgs),
    /// Say which columns a regression leans on, in four ways that check each other
    Importance(importance::ImportanceArgs),
    /// The six dimensions of leaderboard analysis: scale, efficiency, merging, popularity, architecture, chat templates
    Dimensions(claims::SectionArgs),
    /// Timeline of checkpoints, and how scores moved with size and time
    Trends(claims::BoardArgs),
    /// Which benchmarks and structure columns go together, raw and given size and date
    Correlations(claims::BoardArgs),
    /// Every board side by side: what size says on each benchmark, and what post-training is worth
    Boards(claims::SectionArgs),
    /// Item analysis: difficulty, paired comparison, copies, contamination
    Items(items::ItemsArgs),
    /// Every checkpoint's latent ability with its interval: all boards on one scale
    Abilities(abilities::AbilitiesArgs),
    /// How right were we: fits frozen each quarter from 2023-06 on, against the checkpoints that came later
    Forecast(claims::SectionArgs),
    /// Judge each claim of the literature, as it was made and under a stricter reading
    Claims(claims::ClaimsArgs),
}

pub(crate) fn run(global: &Global, command: &StudyCommand) -> Result<ExitCode> {
    match command {
        StudyCommand::Regressions(args) => regressions::run(global, args),
        StudyCommand::Prompts(args) => prompts::run(global, args),
        StudyCommand::Importance(args) => importance::run(global, args),
        StudyCommand::Dimensions(args) => claims::run(global, args, "dimensions"),
        StudyCommand::Trends(args) => claims::of_board(global, args, "trends"),
        StudyCommand::Correlations(args) => claims::of_board(global, args, "correlations"),
        StudyCommand::Boards(args) => claims::run(global, args, "boards"),
        StudyCommand::Items(args) => items::run(global, args),
        StudyCommand::Abilities(args) => abilities::run(global, args),
        StudyCommand::Forecast(args) => claims::run(global, args, "forecast"),
        StudyCommand::Claims(args) => claims::judged(global, args),
    }
}
