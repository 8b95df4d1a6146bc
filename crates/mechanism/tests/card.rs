//! Everything on a card: run by `emulated.rs` in a process of its own, whose driver is the emulated one; a process that has
//! another driver passes over them.

use std::sync::{Arc, OnceLock};

use mechanism::checkpoint::Checkpoint;
use mechanism::decoder::Device;
use mechanism::decoder::block::{Block, Trace};
use mechanism::decoder::block_gradient::BlockGradient;
use mechanism::decoder::cuda::{Cuda, Rows, Terms};
use mechanism::decoder::suite::Extent;
use mechanism::decoder::{Form, Laid, Layer, Machine};
use mechanism::evaluate::{Encoded, continue_ids, log_likelihoods_of_ids};
use mechanism::gradients::{GradientSettings, gradients_of_ids};
use mechanism::influence::{InfluenceSettings, block_influence_of_ids};
use mechanism::run::{Group, RunSettings, check_first_layer};
use mechanism::site::Nobody;
use mechanism::tune::{AdamW, Tuner};

use crate::families::{fixture, fixtures, logits, noise, texts};
use crate::machine::wrong;

/// The card of this process.
fn card() -> Arc<Cuda> {
    static CARD: OnceLock<Arc<Cuda>> = OnceLock::new();
    Arc::clone(CARD.get_or_init(|| Arc::new(Cuda::open(Terms::Exact).unwrap())))
}

fn on_the_card(name: &str) -> Checkpoint {
    let mut checkpoint = Checkpoint::open(&fixture(name)).unwrap();
    checkpoint.device = Device::Card(card());
    checkpoint
}

/// Requests that begin alike, so that they stand in trees.
fn requests() -> Vec<Encoded> {
    let long: Vec<u32> = (0..25).map(|i| i * 7 % 48).collect();
    let mut all: Vec<Encoded> = texts()
        .into_iter()
        .filter(|ids| ids.len() > 2)
        .map(|ids| Encoded { ids, context: 2 })
        .collect();
    for end in [[1, 2, 3], [1, 2, 4], [9, 2, 4]] {
        let mut ids = long.clone();
        ids.extend(end);
        all.push(Encoded { ids, context: 25 });
    }
    all
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn the_card_computes_every_operation() {
    let card = Cuda::unchecked(Terms::Exact).unwrap();
    let found = card.suite(Extent::Whole).unwrap();
    assert!(found.len() > 100, "{} operations", found.len());
    assert_eq!(wrong(&found), "");
    let fast = Cuda::unchecked(Terms::Fast).unwrap();
    assert_eq!(wrong(&fast.suite(Extent::Whole).unwrap()), "");
    // What a run is, to the bit: of forwards and backwards the same.
    let bits: Vec<u64> = found.iter().map(|one| one.error.to_bits()).collect();
    if let Some(place) = std::env::var_os("ANATOMY_BITS") {
        std::fs::write(place, format!("{bits:?}")).unwrap();
    }
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn every_family_scores_as_on_the_processor() {
    let requests = requests();
    let mut bad = Vec::new();
    for folder in fixtures() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let there = on_the_card(&name);
        let here = Checkpoint::open(&folder).unwrap();
        let layers: Vec<usize> = (0..here.config.n_layers).collect();
        let of = |checkpoint: &Checkpoint| {
            let settings = RunSettings::in_memory();
            log_likelihoods_of_ids(checkpoint, &requests, &layers, &settings, &mut |_| ()).unwrap()
        };
        for (a, b) in of(&here).iter().zip(of(&there)) {
            if (a.sum - b.sum).abs() > 2e-4 || a.is_greedy != b.is_greedy || b.sum.is_nan() {
                bad.push(format!("{name}: {} on the card, {} here", b.sum, a.sum));
            }
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn influence_is_that_of_the_processor() {
    for name in ["llama", "gemma2", "qwen2_moe", "gpt2"] {
        let of = |checkpoint: &Checkpoint| {
            let settings = InfluenceSettings::usual();
            block_influence_of_ids(checkpoint, &texts(), &settings, &mut |_| ()).unwrap()
        };
        let (here, there) = (
            of(&Checkpoint::open(&fixture(name)).unwrap()),
            of(&on_the_card(name)),
        );
        let pairs = here.block_influence.iter().zip(&there.block_influence);
        for (a, b) in pairs {
            assert!((a - b).abs() <= 1e-6, "{name}: {b} on the card, {a} here");
        }
        for (block, distances) in &here.angular {
            for (a, b) in distances.iter().zip(&there.angular[block]) {
                assert!((a - b).abs() <= 1e-4, "{name}: {b} on the card, {a} here");
            }
        }
    }
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn generation_keeps_what_it_needs() {
    for name in ["llama", "gemma2", "mistral", "qwen2_moe", "gpt2"] {
        let here = Checkpoint::open(&fixture(name)).unwrap();
        let contexts = texts();
        let layers: Vec<usize> = (0..here.config.n_layers).collect();
        let n = 8;
        let got = continue_ids(&on_the_card(name), &contexts, &layers, n).unwrap();
        for (context, got) in contexts.iter().zip(got) {
            // Without keeping anything, on the processor.
            let mut ids = context.clone();
            for _ in 0..n {
                let all = logits(&here, std::slice::from_ref(&ids), 1000);
                let last = &all[all.len() - here.config.vocab_size..];
                let best = (0..last.len()).fold(0, |best, i| if last[i] > last[best] { i } else { best });
                ids.push(best as u32);
            }
            assert_eq!(got, ids[context.len()..], "{name}");
        }
    }
}

fn samples() -> Vec<(Vec<u32>, usize)> {
    vec![
        (vec![3, 1, 4, 1, 5, 9, 2, 6], 3),
        (vec![7, 7, 2, 11], 2),
        ((0..20).map(|i| i * 5 % 47).collect(), 4),
    ]
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn gradients_are_those_of_the_processor() {
    for name in ["llama", "gemma2", "gpt2", "qwen3", "qwen2_moe", "gpt_neox"] {
        for per_sample in [false, true] {
            let of = |checkpoint: &Checkpoint| {
                let settings = GradientSettings {
                    run: RunSettings::in_memory(),
                    per_sample,
                };
                gradients_of_ids(checkpoint, &samples(), &settings, &mut |_| (), &mut |_, _| Ok(())).unwrap()
            };
            let (here, there) = (
                of(&Checkpoint::open(&fixture(name)).unwrap()),
                of(&on_the_card(name)),
            );
            for (a, b) in here.losses.iter().zip(&there.losses) {
                assert!((a - b).abs() <= 2e-4, "{name}: loss {b} on the card, {a} here");
            }
            for (layer, (a, b)) in here.layers.iter().zip(&there.layers).enumerate() {
                for ((matrix, a), (_, b)) in a.named().iter().zip(b.named()) {
                    let (a, b) = (a.spectrum.nuclear_norm, b.spectrum.nuclear_norm);
                    assert!(
                        (a - b).abs() <= 1e-4 * a.max(1e-3),
                        "{name}, layer {layer}, {matrix}: nuclear norm {b} on the card, {a} here"
                    );
                }
            }
        }
    }
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn the_gradient_of_the_input_is_that_of_finite_differences() {
    let (checkpoint, card) = (on_the_card("gemma2"), card());
    let (config, machine) = (&checkpoint.config, &*card);
    let group = Group::pack(&[vec![1; 9], vec![2; 5]], 100).remove(0);
    let n = group.ids.len() * config.d_model;
    let (x, direction) = (noise(n, 1), noise(n, 2));
    for index in 0..config.n_layers {
        let layer = Layer::load_on(machine, &checkpoint.weights, config, index, Form::Wide).unwrap();
        let laid = Laid::new(machine, config, &group.segments).unwrap();
        let block = Block {
            machine,
            config,
            index,
            layer: &layer,
            laid: &laid,
            segments: &group.segments,
            first_text: 0,
        };
        let objective = |x: Vec<f32>| -> f64 {
            let (x, mut out) = (machine.rows(x).unwrap(), Rows::default());
            block
                .forward(&x, &mut out, &mut Trace::default(), &mut Nobody)
                .unwrap();
            let out = machine.read(&out).unwrap();
            out.iter()
                .zip(&direction)
                .map(|(y, d)| f64::from(*y) * f64::from(*d))
                .sum()
        };
        let (mut trace, mut out) = (Trace::default(), Rows::default());
        let there = machine.rows(x.clone()).unwrap();
        block.forward(&there, &mut out, &mut trace, &mut Nobody).unwrap();
        let d = machine.rows(direction.clone()).unwrap();
        let mut gradient = BlockGradient::new(&layer);
        let dx = block.backward(&there, &trace, &d, &mut gradient).unwrap();
        let dx = machine.read(&dx).unwrap();
        let length = dx.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let step = 3e-3_f32;
        let moved = |step: f32| {
            x.iter()
                .zip(&dx)
                .map(|(x, g)| x + step * g / length as f32)
                .collect()
        };
        let slope = (objective(moved(step)) - objective(moved(-step))) / (2.0 * f64::from(step));
        assert!(
            ((slope - length) / length).abs() < 2e-2,
            "layer {index}: {length}, {slope} by differences"
        );
    }
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn three_steps_of_an_adapter_are_those_of_the_processor() {
    let (here, there, card) = (
        Checkpoint::open(&fixture("llama")).unwrap(),
        on_the_card("llama"),
        card(),
    );
    let mut a = Tuner::new(&here, 2, 4.0, AdamW::usual(1e-2), 1).unwrap();
    let mut b = Tuner::new_on(&*card, &there, 2, 4.0, AdamW::usual(1e-2), 1).unwrap();
    let mut losses = Vec::new();
    for _ in 0..3 {
        let (a, b) = (a.step(&samples()).unwrap(), b.step(&samples()).unwrap());
        for (a, b) in a.iter().zip(&b) {
            assert!((a - b).abs() <= 1e-4, "{b} on the card, {a} here");
        }
        losses.push(a.iter().sum::<f64>());
    }
    assert!(losses[2] < losses[0], "{losses:?}");
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn the_first_layer_is_that_of_the_processor() {
    for name in ["llama", "gemma3", "gpt_neox", "mixtral"] {
        let checkpoint = on_the_card(name);
        check_first_layer(&checkpoint, card().allowed_of_a_layer()).unwrap();
    }
}

#[test]
#[ignore = "run by `emulated.rs`"]
fn waves_and_weights_brought_anew_change_no_bit() {
    let narrow = Arc::new(Cuda::open(Terms::Exact).unwrap().in_waves_of(20));
    for name in ["llama", "gemma3", "mixtral"] {
        let whole = on_the_card(name);
        let mut streamed = Checkpoint::open(&fixture(name)).unwrap();
        streamed.device = Device::Card(Arc::clone(&narrow));
        let layers: Vec<usize> = (0..whole.config.n_layers).collect();
        let run = RunSettings {
            group_tokens: Some(12),
            spill: None,
        };
        let of = |checkpoint: &Checkpoint| {
            let mut told = 0;
            let scores = log_likelihoods_of_ids(checkpoint, &requests(), &layers, &run, &mut |progress| {
                told = progress.total;
            });
            let influence = InfluenceSettings {
                run: run.clone(),
                ..InfluenceSettings::usual()
            };
            let influence = block_influence_of_ids(checkpoint, &texts(), &influence, &mut |_| ());
            (scores.unwrap(), influence.unwrap(), told)
        };
        let (a, b) = (of(&whole), of(&streamed));
        assert!(b.2 > a.2, "{name}: one wave alone");
        assert_eq!(a.0, b.0, "{name}");
        assert_eq!(a.1, b.1, "{name}");
    }
}

/// Says what opening a card came to: run with drivers that something is wrong with.
#[test]
#[ignore = "run by `emulated.rs`"]
fn opening_a_card_says_what_is_missing() {
    match Cuda::open(Terms::Exact) {
        Ok(_) => println!("opened"),
        Err(error) => println!("refused: {error}"),
    }
}

/// Products of one term, by whatever is found to multiply: said, right, and near those of the processor.
#[test]
#[ignore = "run by `emulated.rs`"]
fn one_term_by_what_is_found() {
    let exact = Cuda::open(Terms::Exact).unwrap();
    let fast = Cuda::open(Terms::Fast).unwrap();
    println!(
        "exact by {}, fast by {}",
        exact.multiplied_by(),
        fast.multiplied_by()
    );
    assert!(!exact.has_library());
    assert_eq!(fast.has_library(), fast.multiplied_by().starts_with("cuBLAS"));
    assert_eq!(wrong(&fast.suite(Extent::Whole).unwrap()), "");
    let fast = Arc::new(fast);
    for name in ["llama", "gpt2", "qwen2_moe"] {
        let here = Checkpoint::open(&fixture(name)).unwrap();
        let mut there = Checkpoint::open(&fixture(name)).unwrap();
        there.device = Device::Card(Arc::clone(&fast));
        let layers: Vec<usize> = (0..here.config.n_layers).collect();
        let of = |checkpoint: &Checkpoint| {
            let settings = RunSettings::in_memory();
            log_likelihoods_of_ids(checkpoint, &requests(), &layers, &settings, &mut |_| ()).unwrap()
        };
        for (a, b) in of(&here).iter().zip(of(&there)) {
            assert!(
                (a.sum - b.sum).abs() < 0.3,
                "{name}: {} there, {} here",
                b.sum,
                a.sum
            );
        }
    }
}

/// Says what running a checkpoint came to where memory is scarce.
#[test]
#[ignore = "run by `emulated.rs`"]
fn running_says_what_is_missing() {
    let one = |i: u32| {
        let ids = (0..20).map(|j| (i * 5 + j * (i % 7 + 1) + i / 7 * j * j) % 48);
        Encoded {
            ids: ids.collect(),
            context: 2,
        }
    };
    let many: Vec<Encoded> = (0..300).map(one).collect();
    let (checkpoint, settings) = (on_the_card("llama"), RunSettings::in_memory());
    match log_likelihoods_of_ids(&checkpoint, &many, &[0, 1], &settings, &mut |_| ()) {
        Ok(_) => println!("ran"),
        Err(error) => println!("refused: {error}"),
    }
}
