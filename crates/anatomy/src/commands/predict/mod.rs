//! `anatomy predict`: scores, costs and neighbours of a structure.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use catalog::cost::{CacheType, Dimensions, InferenceEngine, Quant};
use clap::Args;
use study::section::Table;

use crate::answers::cost::Setup;
use crate::answers::gguf_file;
use crate::answers::predict::predict;
use crate::answers::question::{Question, Subject, Sweep};
use crate::answers::tables::predict::{all, explained, page, scores};
use crate::answers::tables::sweep::points;
use crate::commands::asked::{Common, RigArgs, cache_type, engine, list_devices, loadable, quant};
use crate::global::{Format, Global};
use crate::output;
use crate::provenance::{Envelope, Provenance};
use crate::units::day;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy predict --layers 32 --d-model 4096 --d-ffn 14336 --heads 32 --kv-heads 8 --vocab-size 128256
  anatomy predict --config config.json --device \"RTX 4090\" --context 8192,32768
  anatomy predict --config config.json --engine vllm --quant awq --context 32768 --explain
  anatomy predict --gguf model-Q4_K_M.gguf --device \"RTX 3060\" --offload=32GB --explain
  anatomy predict Qwen/Qwen2.5-7B --date 2025-06-01 --format json | jq '.scores[] | {benchmark, value, interval}'
  anatomy predict --layers 32 --d-model 4096 --sweep layers=16..64:8 --benchmarks math,bbh --out sweep.svg

Intervals are conformal: built to cover 80 % of checkpoints with unseen structures; measured coverage is printed. Costs are arithmetic, not measured.
Exit status: 0 done, 2 could not run")]
#[command(allow_negative_numbers = true)]
#[group(id = "subject", multiple = true)]
pub(crate) struct PredictArgs {
    /// A checkpoint of the catalog, `org/name`
    #[arg(value_name = "ID", conflicts_with_all = ["config", "gguf", "layers", "d_model"])]
    id: Option<String>,
    /// The config.json of a checkpoint
    #[arg(long, value_name = "FILE", conflicts_with_all = ["layers", "d_model"])]
    config: Option<PathBuf>,
    /// A GGUF file: structure and bytes of weights from its header; no tensor is read
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "layers", "d_model", "quant"])]
    gguf: Option<PathBuf>,
    /// Decoder layers
    #[arg(long, value_name = "NUM", requires = "d_model", value_parser = positive())]
    layers: Option<i64>,
    /// Width of the residual stream
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    d_model: Option<i64>,
    /// Width of the feed-forward layer, of one expert where there are several [default: Llama's proportion]
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    d_ffn: Option<i64>,
    /// Attention heads [default: heads of 128]
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    heads: Option<i64>,
    /// Key and value heads [default: as many as heads]
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    kv_heads: Option<i64>,
    /// Width of one head [default: d_model / heads, or the family's]
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    head_dim: Option<i64>,
    /// Entries of the vocabulary [default: 32000]
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    vocab_size: Option<i64>,
    /// Positions that windowed layers see
    #[arg(long, value_name = "NUM", requires = "layers", value_parser = positive())]
    sliding_window: Option<i64>,
    /// Experts of one layer
    #[arg(long, value_name = "NUM", requires = "layers", requires = "experts_per_token", value_parser = positive())]
    experts: Option<i64>,
    /// Experts that one token uses
    #[arg(long, value_name = "NUM", requires = "experts", value_parser = positive())]
    experts_per_token: Option<i64>,
    /// Family whose layout is counted: llama, qwen2, gemma2, mixtral …
    #[arg(long, value_name = "NAME", requires = "layers")]
    family: Option<String>,
    /// Publication date, e.g. 2024-05-31 [default: the checkpoint's own, else the latest date in the data]
    #[arg(long, value_name = "DAY")]
    date: Option<String>,
    /// Predict a pretrained checkpoint, without chat or instruction tuning
    #[arg(long)]
    pretrained: bool,
    /// Predict a merge
    #[arg(long)]
    merged: bool,
    /// Benchmarks, separated by commas [default: all; with --sweep the six of leaderboard v2]
    #[arg(long, value_name = "NAMES")]
    benchmarks: Option<String>,
    /// Context lengths for memory and decoding, in tokens, separated by commas
    #[arg(long, value_name = "NUMS", default_value = "2048,8192,32768", value_delimiter = ',', value_parser = positive())]
    context: Vec<i64>,
    /// Inference engine, for memory and speed: llama.cpp, vllm, transformers
    #[arg(long, value_name = "NAME", default_value = "llama.cpp", value_parser = engine)]
    engine: InferenceEngine,
    /// Weight type: bf16, Q4_K_M and GGUF's others, awq, gptq, fp8, nvfp4, mxfp4, nf4
    #[arg(long, value_name = "TYPE", default_value = "bf16", value_parser = quant)]
    quant: Quant,
    /// Type of cached keys and values: f16, q8_0, fp8, q4_0, f32
    #[arg(long, value_name = "TYPE", default_value = "f16", value_parser = cache_type)]
    cache_type: CacheType,
    /// Explain each part of the memory, with formula and source
    #[arg(long)]
    explain: bool,
    /// Vary one dimension at equal parameters: layers=16..64:8 (also d_model, d_ffn, kv_heads)
    #[arg(long, value_name = "RANGE")]
    sweep: Option<Sweep>,
    /// Also predict with a fit saved by `anatomy study regressions --save`
    #[arg(long, value_name = "FILE")]
    fit: Option<PathBuf>,
    /// Write a plot of the sweep; format by file extension (.svg, .png, .pdf)
    #[arg(long, value_name = "FILE", requires = "sweep")]
    out: Option<PathBuf>,
    #[command(flatten)]
    rig: RigArgs,
    #[command(flatten)]
    common: Common,
}

/// A count: a whole number above zero.
fn positive() -> fn(&str) -> Result<i64, String> {
    |text| match text.trim().replace('_', "").parse::<i64>() {
        Ok(n) if (1..=1_000_000_000).contains(&n) => Ok(n),
        _ => Err("a whole number from 1 to 1000000000 is wanted".into()),
    }
}

pub(crate) fn run(global: &Global, args: &PredictArgs) -> Result<ExitCode> {
    if args.common.lists_devices() {
        list_devices(global)?;
        return Ok(ExitCode::SUCCESS);
    }
    // A bad name fails before the work, not after it.
    let form = args.out.as_deref().map(crate::draw::Form::of_path).transpose()?;
    let question = question(global, args)?;
    let predictor = args.common.predictor(global)?;
    let answer = predict(&predictor, &question)?;
    let drawn = answer
        .sweep
        .as_ref()
        .map(|sweep| crate::draw::svg(&sweep.figure()));
    if let (Some(path), Some(svg), Some(form)) = (&args.out, &drawn, form) {
        crate::report::write_whole(path, &form.of_svg(svg)?)?;
        output::say(global.quiet, &format!("Written: {}", path.display()));
    }
    match global.format() {
        Format::Json => {
            output::result(
                &Envelope::of(
                    "prediction",
                    &answer,
                    Provenance::of(&answer.catalog_sha256, answer.seed),
                )
                .to_json()?,
            )?;
        }
        Format::Csv => {
            let usual = answer.sweep.as_ref().map_or_else(|| scores(&answer), points);
            let tables: Vec<Table> = all(&answer).into_iter().map(|(_, table)| table).collect();
            let table = match &global.table {
                None => &usual,
                Some(name) => output::one_of(&tables.iter().collect::<Vec<_>>(), Some(name))?,
            };
            output::result_bytes(&output::csv(table)?)?;
        }
        Format::Table => {
            output::result(&output::wrapped(&page(&answer)))?;
            if args.explain {
                output::result(&output::table(&explained(&answer)))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn question(global: &Global, args: &PredictArgs) -> Result<Question> {
    let mut file = None;
    let subject = if let Some(id) = &args.id {
        Subject::Id(id.clone())
    } else if let Some(path) = &args.config {
        let name = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {name}"))?;
        let config = catalog::config::json::parse(&bytes, &name)?;
        Subject::Config { name, config }
    } else if let Some(path) = &args.gguf {
        let (config, found) = gguf_file::read(path)?;
        file = Some(found);
        Subject::Config {
            name: path.display().to_string(),
            config,
        }
    } else if args.layers.is_some() {
        Subject::Dimensions(Dimensions {
            family: args.family.clone(),
            layers: args.layers,
            d_model: args.d_model,
            d_ffn: args.d_ffn,
            heads: args.heads,
            kv_heads: args.kv_heads,
            head_dim: args.head_dim,
            vocab_size: args.vocab_size,
            pos: None,
            sliding_window: args.sliding_window,
            experts: args.experts,
            experts_per_token: args.experts_per_token,
            tied: None,
        })
    } else {
        bail!(
            "nothing to predict: give a checkpoint's id, --config config.json, --gguf FILE, or --layers and --d-model"
        );
    };
    let mut question = Question::about(subject);
    question.date = args.date.as_deref().map(day).transpose()?;
    question.pretrained = args.pretrained.then_some(true);
    question.merged = args.merged.then_some(true);
    question.benchmarks = match (&args.benchmarks, &args.sweep) {
        (Some(names), _) => names.split(',').map(|name| name.trim().to_owned()).collect(),
        (None, Some(_)) => study::dimensions::BENCHMARKS.map(String::from).to_vec(),
        (None, None) => Vec::new(),
    };
    question.contexts.clone_from(&args.context);
    let runs = args.rig.runs(global, &args.common, None)?;
    // A processor bounds nothing: its bandwidth is not told.
    question.devices = runs
        .rig
        .iter()
        .filter(|rig| !rig.is_processor)
        .map(|rig| rig.device.clone())
        .collect();
    question.rig = runs.rig;
    let quant = file.as_ref().map_or(args.quant, |file| file.quant);
    loadable(args.engine, quant)?;
    question.setup = Setup {
        engine: args.engine,
        quant,
        cache: args.cache_type,
    };
    question.file = file;
    question.sweep.clone_from(&args.sweep);
    question.fit = args.fit.as_deref().map(saved).transpose()?;
    Ok(question)
}

fn saved(path: &std::path::Path) -> Result<study::regression::SavedFit> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{} is not a fit saved by `anatomy study regressions --save`",
            path.display()
        )
    })
}
