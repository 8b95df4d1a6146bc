//! `anatomy probe ablate`: the same share of the parameters removed from each part, and what that costs.

mod told;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use mechanism::Checkpoint;
use mechanism::ablate::screen::{By, Silenced, screen};
use mechanism::ablate::{
    AblateSettings, Ablation, Asked, Dimension, How, LeftOut, PlanSettings, Planned, ablate, cut_checkpoints,
    importance, percent, plan,
};
use mechanism::corpora::{CALIBRATION_TEXTS, CORPORA};
use mechanism::prune::{Choice, choose, write_pruned};
use serde::Serialize;

use super::corpus::named_corpus;
use super::made_from::{Hashing, of_file, of_tasks, of_values, provenance};
use super::model::{Follow, ModelArgs, lines};
use super::tasks::TaskArgs;
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::Envelope;
use crate::provenance::InputOf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy probe ablate --model FILE.gguf --tasks arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc2,gsm8k --data DIR --limit 100
  anatomy probe ablate --model FOLDER --parts layers,d_ffn --shares 10,20 --how importance --tasks mmlu --data DIR --format json
  anatomy probe ablate --model FOLDER --parts heads --shares 10 --how importance --write smaller/
  anatomy probe ablate --model FOLDER --tasks winogrande --data DIR --screen zero,mean

Parts: layers; d_ffn, neurons of the feed-forward part; heads, query heads; kv_heads, key-value heads with the query heads that read
them; d_model, channels of the residual stream; experts. Shares are of the parameters outside of embeddings and head; a part that cannot
give one is left out with the reason. Importance is measured on --texts or --corpus: activations as Minitron does (arXiv 2407.14679), of
layers Block Influence. Examples before an item: 0 unless --shots says otherwise. --limit counts all subjects of mmlu together.
Answers to gsm8k are generated, 256 tokens at most, and read by the harness' flexible filter: without examples nothing shows the form
that the strict one asks for.
Run again with the same --items to resume.
Exit status: 0 done, 2 could not run")]
pub(crate) struct AblateArgs {
    #[command(flatten)]
    model: ModelArgs,
    /// Parts to remove from, separated by commas [default: all that the checkpoint has]
    #[arg(long, value_name = "LIST")]
    parts: Option<String>,
    /// Shares of the parameters to remove, percent, separated by commas
    #[arg(long, value_name = "LIST", default_value = "5,10,20,30")]
    shares: String,
    /// How units are chosen, separated by commas
    #[arg(long, value_name = "LIST", default_value = "importance,random,first,last")]
    how: String,
    /// Draws of random units
    #[arg(long, value_name = "NUM", default_value_t = 3)]
    draws: usize,
    /// One text a line, on which importance is measured
    #[arg(long, value_name = "FILE", conflicts_with = "corpus")]
    texts: Option<PathBuf>,
    /// Texts that come with the program, on which importance is measured [default: all of them]
    #[arg(long, value_name = "NAMES")]
    corpus: Option<String>,
    #[command(flatten)]
    items: TaskArgs,
    /// Folder for item-level answers, one table per network; incomplete ones are resumed
    #[arg(long = "items", value_name = "DIR", requires = "tasks")]
    tables: Option<PathBuf>,
    /// Also knock out every attention and feed-forward part, one at a time, replacing its output by: zero, mean
    #[arg(long, value_name = "LIST", requires = "tasks")]
    screen: Option<String>,
    /// Write the importance of every unit here, as JSON
    #[arg(long, value_name = "FILE")]
    importance: Option<PathBuf>,
    /// Write the smaller checkpoints here, as safetensors with config.json; several each in a folder of its own
    #[arg(long, value_name = "DIR")]
    write: Option<PathBuf>,
}

/// The result as JSON.
#[derive(Debug, Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    ablation: &'a Ablation,
    #[serde(skip_serializing_if = "<[Silenced]>::is_empty")]
    screen: &'a [Silenced],
}

pub(super) fn run(global: &Global, args: &AblateArgs) -> Result<ExitCode> {
    let settings = settings(global, args)?;
    let by = args
        .screen
        .as_deref()
        .map(screened_by)
        .transpose()?
        .unwrap_or_default();
    let (asked, mut inputs) = asked(args)?;
    if asked.is_empty() && args.write.is_none() && args.importance.is_none() {
        bail!(
            "nothing to do: --tasks with --data says what is to be asked, --write where a smaller checkpoint is to go, --importance \
             where the importance of units is to go"
        );
    }
    let texts = calibration(args, &mut inputs)?;
    let checkpoint = args.model.open(global)?;
    let hashing = Hashing::begin(global, &checkpoint);
    let encoded = texts
        .iter()
        .map(|text| checkpoint.encode(text))
        .collect::<mechanism::Result<Vec<_>>>()?;
    let follow = Follow::new(global, "importance");
    let found = importance(&checkpoint, &encoded, &args.model.settings(), &mut |progress| {
        follow.hear(&progress);
    })?;
    follow.done();
    if let Some(path) = &args.importance {
        let text = serde_json::to_string(&found)? + "\n";
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let (planned, left_out) = plan(&checkpoint, &settings, &found);
    output::say(global.quiet, &in_words(&planned, &left_out, &asked));
    if planned.is_empty() && by.is_empty() && (args.write.is_some() || !asked.is_empty()) {
        let why: Vec<String> = left_out
            .iter()
            .map(|left| format!("{}: {}", left.part, left.why))
            .collect();
        bail!("nothing can be removed: {}", why.join("; "));
    }
    if let Some(folder) = &args.write {
        write(global, &checkpoint, &planned, folder)?;
    }
    if asked.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    let scoring = AblateSettings {
        run: args.model.settings(),
        items: args.tables.clone(),
        ..AblateSettings::usual(&name(&args.model))
    };
    let follow = Follow::new(global, "networks");
    let ablation = ablate(
        &checkpoint,
        &planned,
        &left_out,
        &asked,
        &found,
        &scoring,
        &mut |progress| {
            follow.hear(&progress);
        },
    )?;
    let screen = if by.is_empty() {
        Vec::new()
    } else {
        screen(&checkpoint, &asked, &found, &by, &scoring, &mut |progress| {
            follow.hear(&progress);
        })?
    };
    follow.done();
    let opened = hashing.map(Hashing::end).transpose()?;
    match global.format() {
        Format::Json => {
            let found = Found {
                ablation: &ablation,
                screen: &screen,
            };
            let made_from = provenance(global, &args.model, &[], opened, inputs);
            output::result(&Envelope::of("ablation", &found, made_from).to_json()?)?;
        }
        Format::Csv => output::result_bytes(&output::csv(&told::effects(&ablation, true))?)?,
        Format::Table => {
            output::result(&output::table(&told::effects(&ablation, false)))?;
            output::result(&output::table(&told::matrix(&ablation)))?;
            if !ablation.found.contrasts.is_empty() {
                output::result(&output::table(&told::contrasts(&ablation)))?;
            }
            if !ablation.found.at_one_size.is_empty() {
                output::result(&output::table(&told::at_one_size(&ablation)))?;
            }
            if !screen.is_empty() {
                output::result(&output::table(&told::screen(&screen)))?;
            }
        }
    }
    output::say(global.quiet, &told::in_words(&ablation, global.seed));
    Ok(ExitCode::SUCCESS)
}

/// What the checkpoint is called in the tables.
fn name(model: &ModelArgs) -> String {
    let file = model
        .model
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match model.weights_as() {
        "f32" => file,
        rounded => format!("{file} in {rounded}"),
    }
}

fn settings(global: &Global, args: &AblateArgs) -> Result<PlanSettings> {
    let parts = match &args.parts {
        None => Dimension::ALL.to_vec(),
        Some(list) => named(list, "part", &Dimension::ALL, Dimension::name)?,
    };
    let share = |text: &str| -> Result<f64> {
        let number: f64 = text
            .trim()
            .trim_end_matches('%')
            .trim()
            .parse()
            .with_context(|| format!("`{text}` is not a share in percent"))?;
        if !(0.0..100.0).contains(&number) {
            bail!("a share of {number} % cannot be removed: shares are from 0 to less than 100 %");
        }
        Ok(number / 100.0)
    };
    if args.draws == 0 {
        bail!("--draws 0: at least one draw is needed; without random cuts say --how importance,first,last");
    }
    Ok(PlanSettings {
        parts,
        shares: args.shares.split(',').map(share).collect::<Result<_>>()?,
        hows: named(&args.how, "way to choose units", &How::ALL, How::name)?,
        draws: args.draws,
        seed: global.seed,
    })
}

/// The values that a list names, each once.
fn named<T: Copy + PartialEq>(
    list: &str,
    what: &str,
    all: &[T],
    name: fn(T) -> &'static str,
) -> Result<Vec<T>> {
    let mut found = Vec::new();
    for text in list.split(',').map(str::trim) {
        let Some(one) = all.iter().find(|one| name(**one) == text) else {
            let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
            bail!("unknown {what} `{text}`; there are {}", known.join(", "));
        };
        if !found.contains(one) {
            found.push(*one);
        }
    }
    Ok(found)
}

fn screened_by(list: &str) -> Result<Vec<By>> {
    let name = |by: By| match by {
        By::Mean => "mean",
        By::Zero => "zero",
    };
    named(list, "replacement", &[By::Mean, By::Zero], name)
}

/// Items by the names they were asked for, and what they were made from.
fn asked(args: &AblateArgs) -> Result<(Vec<Asked>, Vec<InputOf>)> {
    let (mut all, mut inputs) = (Vec::new(), Vec::new());
    for (name, mut tasks) in args.items.read(|_| 0)? {
        tasks.retain(|task| !task.items.is_empty());
        inputs.extend(of_tasks(&tasks)?);
        // Two metrics of the same questions are two benchmarks.
        let metrics = tasks
            .iter()
            .map(|task| task.task.to_string())
            .filter(|task| task.starts_with("truthfulqa"));
        if metrics.count() > 1 {
            all.extend(tasks.into_iter().map(|task| Asked {
                name: task.task.to_string(),
                items: task.items,
            }));
        } else {
            let items: Vec<_> = tasks.into_iter().flat_map(|task| task.items).collect();
            if !items.is_empty() {
                all.push(Asked { name, items });
            }
        }
    }
    Ok((all, inputs))
}

/// The texts importance is measured on.
fn calibration(args: &AblateArgs, inputs: &mut Vec<InputOf>) -> Result<Vec<String>> {
    if let Some(path) = &args.texts {
        let texts = lines(path)?;
        inputs.push(of_file("calibration", path, texts.len())?);
        return Ok(texts);
    }
    let corpora = match &args.corpus {
        Some(names) => names
            .split(',')
            .map(|name| named_corpus(name.trim()))
            .collect::<Result<Vec<_>>>()?,
        None => CORPORA.to_vec(),
    };
    let mut texts = Vec::new();
    for corpus in corpora {
        let own = match args.corpus {
            Some(_) => corpus.texts(),
            None => corpus.some(CALIBRATION_TEXTS),
        };
        inputs.push(of_values("calibration", corpus.name, &own)?);
        texts.extend(own);
    }
    Ok(texts)
}

/// What will be done, before it is.
fn in_words(planned: &[Planned], left_out: &[LeftOut], asked: &[Asked]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for part in Dimension::ALL {
        let mut counts: Vec<(usize, f64)> = Vec::new();
        for one in planned.iter().filter(|one| one.part == part) {
            if !counts.iter().any(|(count, _)| *count == one.count) {
                counts.push((one.count, one.removed_share));
            }
        }
        if !counts.is_empty() {
            let each: Vec<String> = counts
                .iter()
                .map(|(count, share)| format!("{count} ({:.1} %)", 100.0 * share))
                .collect();
            parts.push(format!("{part} {}", each.join(", ")));
        }
    }
    let items: usize = asked.iter().map(|asked| asked.items.len()).sum();
    let mut text = format!(
        "plan: {} networks and the whole one on {items} items; units removed (share of the parameters): {}",
        planned.len(),
        if parts.is_empty() {
            "none".to_owned()
        } else {
            parts.join("; ")
        }
    );
    for left in left_out {
        let share = left
            .share
            .map(|share| format!(", {} %", percent(share)))
            .unwrap_or_default();
        // Writing to a text cannot fail.
        let _ = write!(text, "\nleft out: {}{share}: {}", left.part, left.why);
    }
    text
}

/// Writes each planned network.
fn write(global: &Global, checkpoint: &Checkpoint, planned: &[Planned], folder: &Path) -> Result<()> {
    let cut = cut_checkpoints(checkpoint, planned)?;
    for (one, cut) in planned.iter().zip(&cut) {
        let place = if planned.len() == 1 {
            folder.to_path_buf()
        } else {
            folder.join(one.id())
        };
        let n_layers = checkpoint.config.n_layers;
        let removed = (0..n_layers)
            .filter(|layer| !one.layers.contains(layer))
            .collect();
        let pruning = choose(&Choice::List(removed), n_layers)?;
        write_pruned(cut.as_ref().unwrap_or(checkpoint), &pruning, &place)
            .with_context(|| format!("cannot write {}", place.display()))?;
        let removed = format!(
            "{} parameters ({:.1} %) less",
            one.removed_parameters,
            100.0 * one.removed_share
        );
        output::say(
            global.quiet,
            &format!("{}: {removed}, written to {}", one.id(), place.display()),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_what_there_is() {
        assert_eq!(
            named("layers, d_ffn,layers", "part", &Dimension::ALL, Dimension::name).expect("parts"),
            [Dimension::Layers, Dimension::DFfn]
        );
        let error = named("width", "part", &Dimension::ALL, Dimension::name).expect_err("no part");
        assert!(
            error.to_string().contains("there are layers, d_ffn, heads"),
            "{error}"
        );
    }
}
