//! `anatomy study abilities`: every checkpoint's latent ability on one scale of all boards.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;
use study::latent::{LatentAbility, Model};
use study::section::{Cell, Table};

use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};
use crate::rows;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study abilities --top 20
  anatomy study abilities --ability reasoning --format csv > reasoning.csv
  anatomy study abilities Qwen/Qwen2.5-7B-Instruct meta-llama/Llama-3.1-8B-Instruct

The ability is what a factor model expects of a checkpoint over all tests, each counted once: 0 is the mean checkpoint, 1 a
standard deviation. Rank is one more than the number of checkpoints that are surely better, so ranks tie.
Exit status: 0 done, 1 a checkpoint has no score, 2 could not run")]
pub(crate) struct AbilitiesArgs {
    /// Only these checkpoints, `org/name`
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// Only tests that ask for this ability, for example reasoning [default: all tests]
    #[arg(long, value_name = "NAME")]
    ability: Option<String>,
    /// How many to show, best first
    #[arg(long, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..))]
    top: Option<u32>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

#[derive(Serialize)]
struct Answer {
    /// The ability asked for; none for all tests.
    ability: Option<String>,
    /// Unit of the numbers.
    unit: &'static str,
    /// Checkpoints on the scale.
    of: usize,
    abilities: Vec<LatentAbility>,
    /// Asked for, but without a score that the scale takes.
    unknown: Vec<String>,
}

pub(crate) fn run(global: &Global, args: &AbilitiesArgs) -> Result<ExitCode> {
    let catalog = crate::commands::open_catalog(args.catalog.as_deref())?;
    let table = rows::latent(&catalog);
    let Some(model) = Model::of(&table) else {
        bail!(
            "this catalog has only {} checkpoints with scores: too few to fit a common scale",
            table.rows.len()
        );
    };
    let names = model.names();
    let known = args.ability.as_deref().map(study::abilities::ability_of);
    let asked = match (args.ability.as_deref(), known.flatten()) {
        (Some(_), Some(ability)) => Some(ability.name),
        (asked, _) => asked,
    };
    let all = model.abilities(asked);
    if let (Some(asked), true) = (asked, all.is_empty()) {
        let names: Vec<&str> = names.into_iter().collect();
        bail!(
            "no benchmark of enough checkpoints measures `{asked}`; available: {}",
            names.join(", ")
        );
    }
    let of = all.len();
    let is_asked = |own: &LatentAbility| args.ids.is_empty() || args.ids.contains(&own.id);
    let mut abilities: Vec<LatentAbility> = all.into_iter().filter(is_asked).collect();
    let unknown: Vec<String> = args
        .ids
        .iter()
        .filter(|id| !abilities.iter().any(|own| own.id == **id))
        .cloned()
        .collect();
    if let Some(top) = args.top {
        abilities.truncate(top as usize);
    }
    let shown = table_of(&abilities);
    let is_short = unknown.is_empty();
    let answer = Answer {
        ability: asked.map(str::to_owned),
        unit: "standard deviations over checkpoints",
        of,
        abilities,
        unknown,
    };
    match global.format() {
        Format::Json => {
            let provenance = Provenance::of(&catalog.manifest.catalog_sha256, global.seed);
            output::result(&Envelope::of("abilities", &answer, provenance).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&shown)?)?,
        Format::Table => {
            output::result(&output::table(&shown))?;
            output::result(&format!(
                "\n{of} checkpoints are on this scale; rank: one more than those surely better, so ranks tie.\n"
            ))?;
        }
    }
    for id in &answer.unknown {
        output::say(
            false,
            &format!(
                "{id} has no score that this scale takes; `anatomy compare {id} OTHER` says what is known of it"
            ),
        );
    }
    Ok(if is_short {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

fn table_of(abilities: &[LatentAbility]) -> Table {
    let row = |own: &LatentAbility| -> Vec<Cell> {
        vec![
            own.rank.into(),
            own.id.clone().into(),
            own.ability.into(),
            own.low.into(),
            own.high.into(),
            own.scores.into(),
        ]
    };
    Table {
        id: "abilities".into(),
        caption: "Latent ability, standard deviations over checkpoints, with 95 % interval.".into(),
        columns: ["rank", "checkpoint", "ability", "from", "to", "scores"]
            .map(String::from)
            .to_vec(),
        rows: abilities.iter().map(row).collect(),
        shown: true,
    }
}
