//! Everything on a card: run by `emulated.rs` in a process of its own, whose driver is the emulated one; a process that has
//! another driver passes over them.

use std::sync::{Arc, OnceLock};

use mechanism::checkpoint::Checkpoint;
use mechanism::decoder::Device;
use mechanism::decoder::cuda::{Cuda, Terms};
use mechanism::decoder::suite::Extent;
use mechanism::evaluate::{Encoded, log_likelihoods_of_ids};
use mechanism::influence::{InfluenceSettings, block_influence_of_ids};
use mechanism::run::RunSettings;

use crate::families::{fixture, fixtures, texts};
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
    let long: Vec<u32> = (0..41).map(|i| i * 7 % 48).collect();
    let mut all: Vec<Encoded> = texts()
        .into_iter()
        .filter(|ids| ids.len() > 2)
        .map(|ids| Encoded { ids, context: 2 })
        .collect();
    for end in [[1, 2, 3], [1, 2, 4], [9, 2, 4]] {
        let mut ids = long.clone();
        ids.extend(end);
        all.push(Encoded { ids, context: 41 });
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
