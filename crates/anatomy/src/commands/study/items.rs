//! `anatomy study items`: what answers to single items say of items and of checkpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use ::catalog::query::{Engine, Values, identity_of_items};
use anyhow::{Context, Result, bail};
use clap::Args;
use study::finding::SourceOf;
use study::items::{Answers, Gather, ItemStudy, compared, section};
use study::statistics::GroupBootstrap;

use super::answer;
use crate::answers::folders::metrics;
use crate::global::Global;
use crate::provenance::OwnData;
use crate::report::About;
use crate::units::quantity;
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy study items --items DIR
  anatomy study items --items builtin               MMLU-Pro, 12,032 items and 29 checkpoints, which come along
  anatomy study items --items DIR --where \"benchmark like 'mmlu%' and id like 'org/%'\" --out items-report
  anatomy study items --items DIR --subset leaked.csv                which checkpoints do too well on the items in leaked.csv?
  anatomy study items --items DIR --subset-where \"benchmark = 'gsm8k' and cast(item as int) < 100\"
  anatomy study items --items DIR --pair org/old,org/new --format json

DIR was made by `anatomy catalog import-items` or `anatomy import`; `builtin` is MMLU-Pro as 29 checkpoints answered it. Difficulty and discrimination of items, items that all or none solve, agreement of
checkpoints beyond chance, scores with intervals over items, pairs that answer alike beyond score and difficulty (copies and
relatives), and with --subset or --subset-where checkpoints that do suspiciously well on those items.
Exit status: 0 done, 1 no answer left, 2 could not run")]
pub(crate) struct ItemsArgs {
    /// Table of items made by `anatomy catalog import-items`
    #[arg(long, value_name = "DIR")]
    items: PathBuf,
    /// Only answers for which this SQL condition over `items` holds
    #[arg(
        long = "where",
        value_name = "SQL",
        default_value = "true",
        hide_default_value = true
    )]
    filter: String,
    /// CSV or Parquet with a column item, and benchmark where there are several: items that may have been seen
    #[arg(long, value_name = "FILE", conflicts_with = "subset_where")]
    subset: Option<PathBuf>,
    /// The same by an SQL condition over `items`
    #[arg(long, value_name = "SQL")]
    subset_where: Option<String>,
    /// Two checkpoints to compare on the items both answered
    #[arg(long, value_name = "A,B")]
    pair: Option<String>,
    /// Tables drawn at random for the test of copies
    #[arg(long, value_name = "NUM", default_value_t = 199, value_parser = clap::value_parser!(u32).range(39..=9999))]
    draws: u32,
    /// Rate of false alarms allowed to each list of suspects
    #[arg(long, value_name = "RATE", default_value_t = 0.05, value_parser = rate)]
    false_alarms: f64,
    /// Resamples of each bootstrap interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    resamples: u32,
    /// Bytes that reading may hold before it spills to disk
    #[arg(long, value_name = "SIZE", default_value = "2GiB", value_parser = memory)]
    memory: usize,
    /// Also write figures, tables and findings to this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn memory(text: &str) -> Result<usize> {
    Ok(quantity(text)? as usize)
}

fn rate(text: &str) -> Result<f64> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate < 1.0 => Ok(rate),
        _ => bail!("`{text}` is not a rate between 0 and 1"),
    }
}

pub(super) fn run(global: &Global, args: &ItemsArgs) -> Result<ExitCode> {
    let engine = Engine::with_items(None, &args.items, args.memory, global.threads, global.seed)?;
    let pair = args.pair.as_deref().map(two).transpose()?;
    let subset = subset(&engine, args)?;
    let benchmarks = engine.benchmarks_of_items(&args.filter)?;
    if benchmarks.is_empty() {
        output::complain(&format!(
            "no answer that is right or wrong is left in {} where {}",
            args.items.display(),
            args.filter
        ));
        return Ok(ExitCode::from(1));
    }
    if let Some(subset) = &subset
        && let Some(unknown) = subset.keys().find(|name| !benchmarks.contains(name))
    {
        bail!(
            "the subset names items of `{unknown}`; the answers are to {}",
            benchmarks.join(", ")
        );
    }
    let n_answers = match engine
        .query("select count(*) as n from items")?
        .columns()?
        .first()
    {
        Some((_, Values::Numbers(counts))) => counts.first().copied().flatten().unwrap_or_default() as usize,
        _ => 0,
    };
    let bar = progress::bar(global.quiet, benchmarks.len() as u64 + 1, "reading answers");
    let mut answers = Vec::with_capacity(benchmarks.len());
    for benchmark in &benchmarks {
        let mut gather = Gather::default();
        engine.each_answer(benchmark, &args.filter, &mut |row| {
            gather.add(row.id, row.item, row.correct, row.prediction);
        })?;
        let made = gather
            .finish(benchmark)
            .with_context(|| format!("cannot study {}", args.items.display()))?;
        answers.push(made);
        bar.inc(1);
    }
    if let Some((a, b)) = &pair {
        for id in [a, b] {
            known(id, &answers, &args.items)?;
        }
    }
    bar.set_message("comparing checkpoints");
    let metrics = metrics(&engine)?;
    let made = section(&ItemStudy {
        answers: &answers,
        metrics: &metrics,
        subset: subset.as_ref(),
        pair: pair.as_ref().map(|(a, b)| (a.as_str(), b.as_str())),
        draws: args.draws as usize,
        level: args.false_alarms,
        bootstrap: GroupBootstrap {
            resamples: args.resamples as usize,
            seed: global.seed,
        },
        source: SourceOf {
            work: args.items.display().to_string(),
            place: if args.filter == "true" {
                "items".into()
            } else {
                format!("items, where {}", args.filter)
            },
        },
    });
    bar.finish_and_clear();
    let identity = identity_of_items(&args.items)?;
    let used = ["id", "benchmark", "item", "correct", "prediction"];
    let name = args.items.file_name().unwrap_or(args.items.as_os_str());
    let about = About::question(
        format!("Answers to single items in {}", name.to_string_lossy()),
        (args.filter != "true").then_some(args.filter.as_str()),
        Some(OwnData {
            file: args.items.display().to_string(),
            sha256: identity,
            rows: n_answers,
            columns: used.map(String::from).to_vec(),
        }),
    );
    let study = answer::study(vec![made], about);
    answer::give(global, &study, "", args.out.as_deref())?;
    Ok(ExitCode::SUCCESS)
}

/// That some answer is of this checkpoint.
fn known(id: &str, answers: &[Answers], items: &Path) -> Result<()> {
    if answers.iter().any(|answers| answers.row_of(id).is_some()) {
        return Ok(());
    }
    let all: BTreeSet<&str> = answers
        .iter()
        .flat_map(|answers| answers.checkpoints.iter().map(String::as_str))
        .collect();
    bail!(
        "no answers of `{id}` in {}{}; there are {}",
        items.display(),
        crate::near::hint(id, all.iter().copied()),
        Vec::from_iter(all).join(", ")
    )
}

/// Two checkpoints on the items that both answered: the table, and what each benchmark says in a sentence. `place` is a
/// table of
/// items, or a folder of results that lm-evaluation-harness wrote with --log_samples.
pub(crate) fn compare_two(global: &Global, place: &Path, a: &str, b: &str) -> Result<ExitCode> {
    let memory = 2 << 30;
    let read;
    let (engine, place_of_items) = match Engine::with_items(None, place, memory, global.threads, global.seed)
    {
        Ok(engine) => (engine, place),
        Err(::catalog::Error::NoItems { .. }) => {
            // A folder of results as they were written: read into a table that is gone afterwards.
            read = tempfile::tempdir().context("cannot make a temporary folder")?;
            let found = ::catalog::items::files(&[place.to_path_buf()])?;
            let settings = ::catalog::items::ImportSettings::default();
            ::catalog::items::import(&found, read.path(), &settings, &mut |_| ())?;
            let engine = Engine::with_items(None, read.path(), memory, global.threads, global.seed)?;
            (engine, read.path())
        }
        Err(error) => return Err(error.into()),
    };
    let mut answers = Vec::new();
    for benchmark in engine.benchmarks_of_items("true")? {
        let mut gather = Gather::default();
        engine.each_answer(&benchmark, "true", &mut |row| {
            gather.add(row.id, row.item, row.correct, row.prediction);
        })?;
        let made = gather
            .finish(&benchmark)
            .with_context(|| format!("cannot study {}", place.display()))?;
        answers.push(made);
    }
    for id in [a, b] {
        known(id, &answers, place)?;
    }
    let metrics = metrics(&engine)?;
    let made = compared(&ItemStudy {
        answers: &answers,
        metrics: &metrics,
        subset: None,
        pair: Some((a, b)),
        draws: 39,
        level: 0.05,
        bootstrap: GroupBootstrap {
            resamples: 100,
            seed: global.seed,
        },
        source: SourceOf {
            work: place.display().to_string(),
            place: "items".into(),
        },
    });
    if made.findings.is_empty() {
        bail!("{a} and {b} have no benchmark in common in {}", place.display());
    }
    let about = About::question(
        format!("{a} and {b} on the same items"),
        None,
        Some(OwnData {
            file: place.display().to_string(),
            sha256: identity_of_items(place_of_items)?,
            rows: made.findings.iter().map(|finding| finding.n).sum(),
            columns: ["id", "benchmark", "item", "correct"].map(String::from).to_vec(),
        }),
    );
    answer::give(global, &answer::study(vec![made], about), "", None)?;
    Ok(ExitCode::SUCCESS)
}

fn two(text: &str) -> Result<(String, String)> {
    match text.split_once(',') {
        Some((a, b)) if !a.trim().is_empty() && !b.trim().is_empty() => {
            Ok((a.trim().to_owned(), b.trim().to_owned()))
        }
        _ => bail!("--pair takes two checkpoints, A,B; found `{text}`"),
    }
}

/// The suspected items by benchmark.
fn subset(engine: &Engine, args: &ItemsArgs) -> Result<Option<BTreeMap<String, BTreeSet<String>>>> {
    let sql = match (&args.subset, &args.subset_where) {
        (None, None) => return Ok(None),
        (Some(file), _) => from_file(engine, file)?,
        (None, Some(condition)) => format!("select distinct benchmark, item from items where {condition}"),
    };
    let columns = engine.query(&sql)?.columns()?;
    let text = |name: &str| {
        columns
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, values)| values)
    };
    let (Some(Values::Text(benchmarks)), Some(Values::Text(items))) = (text("benchmark"), text("item"))
    else {
        bail!("the subset has no columns `benchmark` and `item`");
    };
    let mut subset: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (benchmark, item) in benchmarks.iter().zip(items) {
        if let (Some(benchmark), Some(item)) = (benchmark, item) {
            subset.entry(benchmark.clone()).or_default().insert(item.clone());
        }
    }
    if subset.is_empty() {
        bail!("the subset names no item");
    }
    Ok(Some(subset))
}

/// The statement over the user's file: where it names no benchmark, all that have such items.
fn from_file(engine: &Engine, file: &Path) -> Result<String> {
    engine.register_file("subset_given", file)?;
    let has = engine.query(
        "select 1 from information_schema.columns where table_name = 'subset_given' and column_name = 'benchmark'",
    )?;
    Ok(if has.rows() > 0 {
        "select distinct cast(benchmark as varchar) as benchmark, cast(item as varchar) as item from subset_given".into()
    } else {
        "select distinct items.benchmark as benchmark, items.item as item from items \
         join subset_given on items.item = cast(subset_given.item as varchar)"
            .into()
    })
}
