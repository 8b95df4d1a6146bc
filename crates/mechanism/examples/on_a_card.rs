//! Times a card: `on_a_card [small]` prints one JSON with products by shape, precision and what multiplies, kernels of our own or
//! cuBLAS (Tflop/s, and the error of sampled numbers against `f64`), one layer of Llama-2-7B's shape forwards, and the bringing of weights. `benches/on_a_card.sh` runs it.
#![allow(clippy::print_stdout, reason = "what it measures is its output")]

use std::time::Instant;

use mechanism::Checkpoint;
use mechanism::decoder::Layer;
use mechanism::decoder::block::{Block, Trace};
use mechanism::decoder::cuda::{Cuda, Terms};
use mechanism::decoder::machine::Product;
use mechanism::decoder::matrix::Use;
use mechanism::decoder::{Form, Laid, Machine};
use mechanism::run::{Group, embed};
use mechanism::site::Nobody;
use serde_json::{Value, json};

type Rows = <Cuda as Machine>::Rows;

/// Numbers that look random, between −1 and 1, of so many bits: 8 are exact in bf16.
fn noise(n: usize, seed: u32, bits: u32) -> Vec<f32> {
    let mut state = seed | 1;
    (0..n)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> (32 - bits)) as f32 / (1_u32 << (bits - 1)) as f32 - 1.0
        })
        .collect()
}

/// Seconds of one of `n` times, the last number read.
fn seconds(card: &Cuda, n: usize, out: &mut Rows, mut work: impl FnMut(&mut Rows)) -> mechanism::Result<f64> {
    work(out);
    card.pick(out, &[0])?;
    let begun = Instant::now();
    for _ in 0..n {
        work(out);
    }
    card.pick(out, &[0])?;
    Ok(begun.elapsed().as_secs_f64() / n as f64)
}

fn product(card: &Cuda, m: usize, n: usize, k: usize, times: usize) -> mechanism::Result<Value> {
    let (x, w) = (noise(m * k, 1, 24), noise(n * k, 2, 8));
    let begun = Instant::now();
    let matrix = card.matrix(w.clone(), n, k, Use::Layer)?;
    let brought = begun.elapsed().as_secs_f64();
    let there = card.rows(x.clone())?;
    let mut out = Rows::default();
    let each = seconds(card, times, &mut out, |out| {
        card.product(
            &there,
            [Product {
                matrix: &matrix,
                bias: None,
                base: None,
                out,
            }],
        );
    })?;
    let sampled: Vec<usize> = (0..4096.min(m * n)).map(|i| i * 7919 % (m * n)).collect();
    let (mut worst, mut square) = (0.0_f64, 0.0);
    for (at, got) in sampled.iter().zip(card.pick(&out, &sampled)?) {
        let (i, j) = (at / n, at % n);
        let want: f64 = (0..k)
            .map(|z| f64::from(x[i * k + z]) * f64::from(w[j * k + z]))
            .sum();
        worst = worst.max((f64::from(got) - want).abs());
        square += want * want;
    }
    Ok(json!({
        "m": m, "n": n, "k": k, "seconds": each, "tflops": 2e-12 * (m * n * k) as f64 / each,
        "worst_error_over_rms": worst / (square / sampled.len() as f64).sqrt(),
        "weight_split_and_brought_gb_per_s_of_bf16": 2e-9 * (n * k) as f64 / brought,
    }))
}

/// One layer of a checkpoint, its weights used again and again.
fn layer(card: &Cuda, checkpoint: &Checkpoint, rows: usize, times: usize) -> mechanism::Result<Value> {
    let config = &checkpoint.config;
    let ids = (0..rows).map(|i| (i * 7919 % config.vocab_size) as u32).collect();
    let group = Group::pack(&[ids], usize::MAX).remove(0);
    let begun = Instant::now();
    let layer = Layer::load_on(card, &checkpoint.weights, config, 0, Form::Wide)?;
    let read = begun.elapsed().as_secs_f64();
    let laid = Laid::new(card, config, &group.segments)?;
    let block = Block {
        machine: card,
        config,
        index: 0,
        layer: &layer,
        laid: &laid,
        segments: &group.segments,
        first_text: 0,
    };
    let x = card.rows(embed(checkpoint, &group)?)?;
    let (mut trace, mut out, mut failed) = (Trace::default(), Rows::default(), None);
    let each = seconds(card, times, &mut out, |out| {
        if let Err(error) = block.forward(&x, out, &mut trace, &mut Nobody) {
            failed = Some(error);
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None => Ok(
            json!({"rows": rows, "seconds": each, "rows_per_s": rows as f64 / each, "read_and_brought_s": read}),
        ),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let small = words.first().is_some_and(|word| word == "small");
    let model = words.iter().find(|word| *word != "small");
    let mut found = serde_json::Map::new();
    for (name, terms, by_library) in [
        ("exact", Terms::Exact, false),
        ("fast", Terms::Fast, false),
        ("fast_by_cublas", Terms::Fast, true),
    ] {
        let card = Cuda::unchecked(terms)?;
        card.check_itself()?;
        let card = if by_library { card.with_library()? } else { card };
        if by_library && !card.has_library() {
            found.insert(name.to_owned(), json!({"products_by": card.multiplied_by()}));
            continue;
        }
        let (called, free, total) = card.described()?;
        found.insert(
            "card".to_owned(),
            json!({"name": called, "free": free, "memory": total}),
        );
        let shapes: &[(usize, usize, usize)] = if small {
            &[(5, 70, 130)]
        } else {
            &[
                (1, 4096, 4096),
                (16, 4096, 4096),
                (512, 4096, 4096),
                (4096, 4096, 4096),
                (8192, 11008, 4096),
                (8192, 4096, 11008),
                (8192, 32000, 4096),
                (8192, 28672, 8192),
            ]
        };
        let products: mechanism::Result<Vec<Value>> = shapes
            .iter()
            .map(|&(m, n, k)| product(&card, m, n, k, if small { 1 } else { 10 }))
            .collect();
        let mut of_card = json!({"products_by": card.multiplied_by(), "products": products?});
        if let Some(path) = model {
            let checkpoint = Checkpoint::open(std::path::Path::new(path))?;
            let rows: &[usize] = if small { &[7] } else { &[512, 2048, 8192] };
            let layers: mechanism::Result<Vec<Value>> = rows
                .iter()
                .map(|rows| layer(&card, &checkpoint, *rows, if small { 1 } else { 8 }))
                .collect();
            of_card["layer"] = json!(layers?);
        }
        found.insert(name.to_owned(), of_card);
    }
    println!("{}", Value::Object(found));
    Ok(())
}
