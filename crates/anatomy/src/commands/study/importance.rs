//! `anatomy study importance`: which columns a regression leans on.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use study::importance::Setting;
use study::importance::impurity::Effort;
use study::importance::section::{ImportanceQuestion, section};

use super::answer;
use super::input::{self, Input};
use super::methods::method;
use crate::global::Global;
use crate::progress;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study importance --target mmlu --features core
  anatomy study importance --target arc --pairs --out importance-arc
  anatomy study importance --target bigcodebench_complete --where \"official_provider\" --method gradient_boosting
  anatomy study importance --data my.csv --target score --features a,b,c --protocol random_folds

Kinds: mdi (impurity decrease, all rows; interval over draws of shapes), permutation and grouped (drop in R² on held-out
rows; columns that move together are shuffled as one), shap (mean |Shapley value|, held-out rows; intervals over folds and
seeds). With the defaults mdi and permutation are the report's numbers (importance.mdi.*, importance.permutation.*).
Exit status: 0 done, 1 no row has all the values, 2 could not run")]
pub(crate) struct ImportanceArgs {
    #[command(flatten)]
    input: Input,
    /// Method; mdi and shap need one that is made of trees
    #[arg(short, long, default_value = "random_forest", value_name = "NAME")]
    method: String,
    /// A setting of the method, as random_forest.trees=300; may be repeated
    #[arg(long, value_name = "METHOD.NAME=VALUE")]
    set: Vec<String>,
    /// Fits per fold, each with a seed of its own
    #[arg(long, default_value_t = 1, value_name = "NUM", value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// Shuffles per fit
    #[arg(long, default_value_t = 5, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..=1000))]
    repeats: u32,
    /// Also the pairs of columns that do most together (Shapley interaction values; slow)
    #[arg(long)]
    pairs: bool,
    /// Also write figures, tables and findings to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(global: &Global, args: &ImportanceArgs) -> Result<ExitCode> {
    let regression = method(&args.method, &args.set)?;
    let input = &args.input;
    let targets = input.targets();
    if input.protocols()?.len() > 1 {
        bail!(
            "--protocol takes one protocol for importance, got {}",
            input.protocols()?.len()
        );
    }
    let sets = input.sets_or_columns("structure_date", global.quiet)?;
    let [set] = sets.as_slice() else {
        bail!(
            "--features takes one feature set for importance, got {}",
            sets.len()
        );
    };
    let data = input.read(&sets)?;
    let bar = progress::bar(global.quiet, targets.len() as u64, "targets");
    let mut sections = Vec::new();
    for target in targets {
        bar.set_message(target.to_owned());
        let rows = data.rows(target, set, global.seed)?;
        if rows.target.is_empty() {
            bar.finish_and_clear();
            input::say_none(target, set, &rows);
            return Ok(ExitCode::from(1));
        }
        bar.suspend(|| input::say_rows(global.quiet, target, &rows));
        let Some(division) = data.divisions(&rows, global.seed)?.into_iter().next() else {
            bail!("no protocol");
        };
        let question = ImportanceQuestion {
            setting: Setting {
                regression: &*regression,
                design: &rows.design,
                target: &rows.target,
                weights: None,
                folds: &division.folds,
                seeds: args.seeds,
                seed: global.seed,
            },
            target,
            unit: data.unit(target),
            set: &set.name,
            protocol: &division.name,
            source: rows.source.clone(),
            shape: &rows.shape,
            effort: Effort {
                draws: Effort::MANY.draws,
                ..Effort::of_set(&set.name)
            },
            repeats: args.repeats as usize,
            pairs: args.pairs,
            is_published: input.is_whole_catalog(),
        };
        sections.push(section(&question)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let study = answer::study(sections, data.about(&sets));
    answer::give(global, &study, &data.catalog_hash, args.out.as_deref())?;
    Ok(ExitCode::SUCCESS)
}
