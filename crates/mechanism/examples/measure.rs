//! Times one method on one checkpoint: `measure forward|influence|gradients FILE [TEXTS]`, or
//! `measure evaluate FILE TASK SHOTS LIMIT DATA`, or `measure generate FILE TEXTS CONTEXT NEW`; `benches/against_pytorch.py` and `benches/against_harness.py` run it beside
//! `PyTorch`. Prints one line of JSON with wall and processor seconds of each repetition.
#![allow(clippy::print_stdout, reason = "what it measures is its output")]

use std::path::Path;
use std::time::Instant;

use mechanism::checkpoint::Checkpoint;
use mechanism::evaluate::answer::{AnswerSettings, answer};
use mechanism::evaluate::continue_ids;
use mechanism::evaluate::tasks::{FEW_SHOT_SEED, Task, items};
use mechanism::gradients::{GradientSettings, Sample, gradients};
use mechanism::influence::{InfluenceSettings, block_influence};
use mechanism::run::{Group, Head, RunSettings, run};
use mechanism::site::Nobody;
use serde_json::json;

/// Processor seconds of this process, user and system, from `/proc/self/stat` (clock ticks of 1/100 s).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // The state letter is no number, so user and system time are the 11th and 12th numbers.
    (fields.get(10).unwrap_or(&0.0) + fields.get(11).unwrap_or(&0.0)) / 100.0
}

/// One evaluation: seconds, and the sum of all log-likelihoods to compare.
fn evaluate(checkpoint: &Checkpoint, rest: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [task, shots, limit, data] = rest else {
        return Err("measure evaluate FILE TASK SHOTS LIMIT DATA".into());
    };
    let limit = Some(limit.parse()?);
    let mut all = Vec::new();
    for task in Task::named(task)? {
        all.extend(items(task, Path::new(data), shots.parse()?, limit, FEW_SHOT_SEED)?.items);
    }
    let (wall, processor) = (Instant::now(), processor_seconds());
    let mut sum = 0.0;
    let settings = AnswerSettings::usual(checkpoint);
    answer(checkpoint, &all, 0, &settings, &mut |_| (), &mut |row| {
        sum += row.log_likelihoods.iter().sum::<f64>();
        Ok(())
    })?;
    let times = [wall.elapsed().as_secs_f64(), processor_seconds() - processor];
    println!(
        "{}",
        json!({"what": "evaluate", "task": task, "items": all.len(), "wall_and_processor_seconds": times, "check": sum})
    );
    Ok(())
}

/// New tokens a second of several texts together: contexts of so many tokens, what reading them takes left out.
fn generate(checkpoint: &Checkpoint, rest: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    let [texts, context, new] = rest else {
        return Err("measure generate FILE TEXTS CONTEXT NEW".into());
    };
    let (texts, context, new): (u32, usize, usize) = (texts.parse()?, context.parse()?, new.parse()?);
    let ids = checkpoint.encode(&"The quick brown fox jumps over the lazy dog. ".repeat(context))?;
    // Texts that differ in their first word go on differently.
    let contexts: Vec<Vec<u32>> = (0..texts)
        .map(|i| [&[100 + i], &ids[..context - 1]].concat())
        .collect();
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    let mut took = Vec::new();
    let mut last = Vec::new();
    for tokens in [1, new + 1] {
        let (wall, processor) = (Instant::now(), processor_seconds());
        last = continue_ids(checkpoint, &contexts, &layers, tokens)?;
        took.push([wall.elapsed().as_secs_f64(), processor_seconds() - processor]);
    }
    let made = f64::from(texts) * new as f64;
    let (wall, processor) = (took[1][0] - took[0][0], took[1][1] - took[0][1]);
    println!(
        "{}",
        json!({"what": "generate", "texts": texts, "context": context, "new": new, "tokens_per_second": made / wall,
               "processor_milliseconds_per_token": 1e3 * processor / made, "first": took[0], "check": last[0]})
    );
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, file, rest @ ..] = arguments.as_slice() else {
        return Err("measure forward|influence|gradients FILE [TEXTS]".into());
    };
    if what == "evaluate" {
        return evaluate(&Checkpoint::open(Path::new(file))?, rest);
    }
    if what == "generate" {
        return generate(&Checkpoint::open(Path::new(file))?, rest);
    }
    let lines = || -> Result<Vec<String>, std::io::Error> {
        match rest.first() {
            Some(path) => Ok(std::fs::read_to_string(path)?
                .lines()
                .map(str::to_owned)
                .collect()),
            None => Ok(vec!["The quick brown fox jumps over the lazy dog. ".repeat(60)]),
        }
    };
    let checkpoint = Checkpoint::open(Path::new(file))?;
    let repetitions = if what == "forward" { 7 } else { 3 };
    let mut times = Vec::new();
    let mut tokens = 0;
    let mut note = json!(null);
    let texts = lines()?;
    let layers: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    // The comparison keeps its weights in memory too: layers are read once, outside the clock.
    let loaded: Vec<_> = if what == "forward" {
        layers
            .iter()
            .map(|i| mechanism::decoder::Layer::load(&checkpoint.weights, &checkpoint.config, *i))
            .collect::<Result<_, _>>()?
    } else {
        Vec::new()
    };
    // Only the forward pass ends in logits; the others read the head themselves where they need it.
    let head = if what == "forward" {
        Some(Head::load(&checkpoint)?)
    } else {
        None
    };
    for _ in 0..repetitions {
        let (wall, processor) = (Instant::now(), processor_seconds());
        match what.as_str() {
            "forward" => {
                let mut ids: Vec<u32> = Vec::new();
                for text in &texts {
                    ids.extend(checkpoint.encode(text)?);
                }
                ids.truncate(512);
                tokens = ids.len();
                let group = Group::pack(&[ids], 4096).remove(0);
                let wall = Instant::now();
                let processor = processor_seconds();
                let mut x = mechanism::run::embed(&checkpoint, &group)?;
                let mut out = vec![0.0; x.len()];
                let mut trace = mechanism::decoder::block::Trace::default();
                let config = &checkpoint.config;
                let machine = &mechanism::decoder::Cpu;
                let laid = mechanism::decoder::Laid::new(machine, config, &group.segments)?;
                for (index, layer) in loaded.iter().enumerate() {
                    let block = mechanism::decoder::block::Block {
                        machine,
                        config,
                        index,
                        layer,
                        laid: &laid,
                        segments: &group.segments,
                        first_text: 0,
                    };
                    block.forward(&x, &mut out, &mut trace, &mut Nobody)?;
                    std::mem::swap(&mut x, &mut out);
                }
                let logits = head.as_ref().map(|head| head.logits(&x)).unwrap_or_default();
                note = json!(logits[logits.len() - 1]);
                times.push(json!([
                    wall.elapsed().as_secs_f64(),
                    processor_seconds() - processor
                ]));
                continue;
            }
            "influence" => {
                let influence =
                    block_influence(&checkpoint, &texts, &InfluenceSettings::usual(), &mut |_| ())?;
                tokens = influence.tokens;
                note = json!(influence.block_influence[0]);
            }
            "run" => {
                let ids: Vec<Vec<u32>> = texts
                    .iter()
                    .map(|t| checkpoint.encode(t))
                    .collect::<Result<_, _>>()?;
                let groups = Group::pack(&ids, 2048);
                tokens = ids.iter().map(Vec::len).sum();
                run(
                    &checkpoint,
                    &groups,
                    &layers,
                    &RunSettings::in_memory(),
                    &mut Nobody,
                    &mut |_| (),
                    &mut |_| Ok(()),
                )?;
            }
            "gradients" => {
                let samples: Vec<Sample> = texts
                    .iter()
                    .map(|l| serde_json::from_str(l))
                    .collect::<Result<_, _>>()?;
                let settings = GradientSettings {
                    run: RunSettings::in_memory(),
                    per_sample: false,
                };
                let result = gradients(&checkpoint, &samples, &settings, &mut |_| (), &mut |_, _| Ok(()))?;
                tokens = result.prompt_tokens + result.response_tokens;
                note = json!(result.layers[0].q.spectrum.nuclear_norm);
            }
            other => return Err(format!("nothing called {other} to measure").into()),
        }
        times.push(json!([
            wall.elapsed().as_secs_f64(),
            processor_seconds() - processor
        ]));
    }
    let output = json!({"what": what, "tokens": tokens, "wall_and_processor_seconds": times, "check": note,
                        "threads": rayon::current_num_threads()});
    println!("{output}");
    Ok(())
}
