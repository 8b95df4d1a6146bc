//! Parts removed from checkpoints: what must not change, what is written, and what is worked out once.

use std::path::{Path, PathBuf};

use mechanism::ablate::{
    Dimension, How, Importance, PlanSettings, Planned, cut_checkpoints, importance, plan,
};
use mechanism::checkpoint::Checkpoint;
use mechanism::evaluate::{Encoded, log_likelihoods_of_ids, log_likelihoods_of_many};
use mechanism::prune::{Choice, choose, write_pruned};
use mechanism::run::{Network, RunSettings, Silence};
use mechanism::site::{Place, Site};
use mechanism::weights::{SafetensorsFiles, Stays, Store};

use crate::families::{fixture, fixtures, logits, noise, texts};

fn measured(checkpoint: &Checkpoint) -> Importance {
    importance(checkpoint, &texts(), &RunSettings::in_memory(), &mut |_| ()).unwrap()
}

/// All cuts of a checkpoint at some shares.
fn cuts(checkpoint: &Checkpoint, shares: &[f64]) -> Vec<Planned> {
    let settings = PlanSettings {
        parts: Dimension::ALL.to_vec(),
        shares: shares.to_vec(),
        hows: How::ALL.to_vec(),
        draws: 2,
        seed: 7,
    };
    plan(checkpoint, &settings, &measured(checkpoint)).0
}

/// A copy of a fixture with some tensors changed, in `f32`.
fn changed(name: &str, folder: &Path, change: &dyn Fn(&str, &mut [f32])) -> Checkpoint {
    let from = fixture(name);
    let store = Store::Safetensors(SafetensorsFiles::open(&[from.join("model.safetensors")]).unwrap());
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for tensor in store.names() {
        let mut values = store.whole(tensor).unwrap();
        change(tensor, &mut values);
        let start = data.len();
        data.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let entry = serde_json::json!({
            "dtype": "F32", "shape": store.shape(tensor).unwrap(), "data_offsets": [start, data.len()],
        });
        header.insert(tensor.to_owned(), entry);
    }
    let mut text = serde_json::to_vec(&header).unwrap();
    text.resize(text.len().next_multiple_of(8), b' ');
    let file = [&(text.len() as u64).to_le_bytes()[..], &text, &data].concat();
    std::fs::write(folder.join("model.safetensors"), file).unwrap();
    std::fs::copy(from.join("config.json"), folder.join("config.json")).unwrap();
    Checkpoint::open(folder).unwrap()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= tolerance * a.abs().max(1.0))
}

#[test]
fn a_cut_of_nothing_changes_no_bit() {
    for folder in fixtures() {
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let whole = logits(&checkpoint, &texts(), 8);
        let planned = cuts(&checkpoint, &[0.0]);
        assert!(
            planned.len() >= 8,
            "{}: layers and one width at least",
            folder.display()
        );
        for (one, cut) in planned
            .iter()
            .zip(cut_checkpoints(&checkpoint, &planned).unwrap())
        {
            assert_eq!(one.removed_parameters, 0);
            if let Some(cut) = cut {
                assert_eq!(
                    logits(&cut, &texts(), 8),
                    whole,
                    "{}: {}",
                    folder.display(),
                    one.id()
                );
            }
        }
    }
}

#[test]
fn what_is_written_is_what_was_measured() {
    let mut written = 0;
    for folder in fixtures() {
        let checkpoint = Checkpoint::open(&folder).unwrap();
        // A window that is told by the number of a layer is not that of the layer once others are gone.
        let by_number = folder.ends_with("qwen2");
        let planned = cuts(&checkpoint, &[0.15, 0.3, 0.5]);
        for (one, cut) in planned
            .iter()
            .zip(cut_checkpoints(&checkpoint, &planned).unwrap())
        {
            let place = tempfile::tempdir().unwrap();
            let removed = (0..checkpoint.config.n_layers)
                .filter(|layer| !one.layers.contains(layer))
                .collect();
            let pruning = choose(&Choice::List(removed), checkpoint.config.n_layers).unwrap();
            let cut = cut.as_ref().unwrap_or(&checkpoint);
            let name = format!("{}: {}", folder.display(), one.id());
            if let Err(error) = write_pruned(cut, &pruning, place.path()) {
                // Three heads in a width of sixteen run here, but transformers has no name for them.
                assert!(
                    error.to_string().contains("no multiple of their heads"),
                    "{name}: {error}"
                );
                assert_eq!((cut.config.d_model, cut.config.n_heads), (16, 3), "{name}");
                continue;
            }
            let again = Checkpoint::open(place.path()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let ids: Vec<Encoded> = texts()
                .into_iter()
                .map(|ids| Encoded { context: 1, ids })
                .collect();
            let of = |checkpoint: &Checkpoint, layers: &[usize]| {
                log_likelihoods_of_ids(checkpoint, &ids, layers, &RunSettings::in_memory(), &mut |_| ())
                    .unwrap()
            };
            let all: Vec<usize> = (0..again.config.n_layers).collect();
            if !(by_number && one.part == Dimension::Layers) {
                assert_eq!(of(cut, &one.layers), of(&again, &all), "{name}");
            }
            assert_eq!(
                again.config.tied, checkpoint.config.tied,
                "{name}: tied stays tied"
            );
            let counted = mechanism::ablate::parameters(&again, &again.config, &all);
            let before: Vec<usize> = (0..checkpoint.config.n_layers).collect();
            let whole = mechanism::ablate::parameters(&checkpoint, &checkpoint.config, &before);
            assert_eq!(whole - counted, one.removed_parameters, "{name}");
            written += 1;
        }
    }
    assert!(written > 200, "{written} cuts");
}

#[test]
fn cutting_what_is_zero_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    // Neurons 1 and 20 say nothing, nor do heads 1 and 2, which read different key-value heads.
    let zeros = |name: &str, values: &mut [f32]| {
        if name.ends_with("up_proj.weight") {
            for neuron in [1, 20] {
                values[neuron * 16..(neuron + 1) * 16].fill(0.0);
            }
        }
        if name.ends_with("o_proj.weight") {
            for row in values.chunks_exact_mut(16) {
                row[4..12].fill(0.0);
            }
        }
    };
    let checkpoint = changed("llama", place.path(), &zeros);
    let whole = logits(&checkpoint, &texts(), 8);
    let without = |stays: Stays| logits(&checkpoint.cut(stays).unwrap(), &texts(), 8);
    let neurons: Vec<usize> = (0..24).filter(|neuron| ![1, 20].contains(neuron)).collect();
    let stays = Stays {
        neurons: Some(vec![neurons.clone(); 2]),
        ..Stays::default()
    };
    assert!(close(&whole, &without(stays), 1e-5));
    let stays = Stays {
        heads: Some(vec![vec![0, 3]; 2]),
        ..Stays::default()
    };
    assert!(close(&whole, &without(stays.clone()), 1e-5));
    // Importance finds them: they go first.
    let found = measured(&checkpoint);
    for layer in 0..2 {
        assert_eq!((found.d_ffn[layer][1], found.d_ffn[layer][20]), (0.0, 0.0));
        assert!(neurons.iter().all(|neuron| found.d_ffn[layer][*neuron] > 0.0));
    }
    // A head that is not zero is missed.
    let other = Stays {
        heads: Some(vec![vec![1, 3]; 2]),
        ..Stays::default()
    };
    assert!(!close(&whole, &without(other), 1e-2));
}

#[test]
fn key_value_heads_go_with_the_queries_that_read_them() {
    let place = tempfile::tempdir().unwrap();
    let zeros = |name: &str, values: &mut [f32]| {
        if name.ends_with("o_proj.weight") {
            values.chunks_exact_mut(16).for_each(|row| row[0..8].fill(0.0));
        }
    };
    let checkpoint = changed("llama", place.path(), &zeros);
    let cut = checkpoint
        .cut(Stays {
            kv_heads: Some(vec![vec![1]; 2]),
            ..Stays::default()
        })
        .unwrap();
    assert_eq!(
        (cut.config.n_heads, cut.config.n_kv_heads, cut.config.head_dim),
        (2, 1, 4)
    );
    assert!(close(
        &logits(&checkpoint, &texts(), 8),
        &logits(&cut, &texts(), 8),
        1e-5
    ));
    for (heads, said) in [
        (vec![0, 1, 2], "each must be read by equally many"),
        (vec![0, 1], "each must be read by equally many"),
        (vec![3, 0], "3 stands before 0"),
        (vec![], "at least 1 must"),
        (vec![0, 9], "there is no 9 among 4"),
    ] {
        let error = checkpoint
            .cut(Stays {
                heads: Some(vec![heads; 2]),
                ..Stays::default()
            })
            .unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
    let unequal = Stays {
        neurons: Some(vec![vec![0, 1], vec![0]]),
        ..Stays::default()
    };
    assert!(
        checkpoint
            .cut(unequal)
            .unwrap_err()
            .to_string()
            .contains("one number for all")
    );
    assert!(
        cut.cut(Stays::default())
            .unwrap_err()
            .to_string()
            .contains("cut already")
    );
}

#[test]
fn channels_that_carry_nothing_can_go_where_norms_are_told() {
    // The mean of squares is over fewer channels then: a norm of the whole network with its weights times √(14/16) sees the same.
    let gone = [3, 11];
    let stay: Vec<usize> = (0..16).filter(|channel| !gone.contains(channel)).collect();
    let zeros = |name: &str, values: &mut [f32]| {
        if name.ends_with("embed_tokens.weight") {
            for row in values.chunks_exact_mut(16) {
                for channel in gone {
                    row[channel] = 0.0;
                }
            }
        }
        if name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight") {
            let width = values.len() / 16;
            for channel in gone {
                values[channel * width..(channel + 1) * width].fill(0.0);
            }
        }
    };
    let scaled = |name: &str, values: &mut [f32]| {
        zeros(name, values);
        if name.ends_with("norm.weight") {
            for weight in values.iter_mut() {
                *weight *= (14.0_f32 / 16.0).sqrt();
            }
        }
    };
    let places = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let whole = changed("llama", places[0].path(), &scaled);
    let cut = changed("llama", places[1].path(), &zeros)
        .cut(Stays {
            channels: Some(stay),
            ..Stays::default()
        })
        .unwrap();
    assert!(close(
        &logits(&whole, &texts(), 8),
        &logits(&cut, &texts(), 8),
        1e-3
    ));
}

#[test]
fn what_networks_share_is_worked_out_once_and_changes_nothing() {
    let checkpoint = Checkpoint::open(&fixture("gemma3")).unwrap();
    let ids: Vec<Encoded> = texts()
        .into_iter()
        .map(|ids| Encoded { context: 1, ids })
        .collect();
    let row = std::sync::Arc::new(noise(16, 3));
    let with = |layers: &[usize], silence: Option<Site>| Network {
        layers: layers.to_vec(),
        silence: silence.map(|site| Silence {
            site,
            row: row.clone(),
        }),
        ..Network::whole(&checkpoint)
    };
    let site = |layer| {
        Some(Site {
            place: Place::FeedForwardOut,
            layer,
        })
    };
    let networks = [
        with(&[0, 1, 2], None),
        with(&[0, 1], None),
        with(&[0, 2], None),
        with(&[0, 1, 2], None),
        with(&[0, 1, 2], site(2)),
        with(&[0, 1, 2], site(0)),
    ];
    let each = |networks: &[Network<'_>], spill: Option<PathBuf>| {
        let mut found = vec![Vec::new(); networks.len()];
        let mut steps = 0;
        let settings = RunSettings {
            spill,
            ..RunSettings::in_memory()
        };
        log_likelihoods_of_many(
            networks,
            &ids,
            &settings,
            &mut |progress| steps = progress.total,
            &mut |i, scores| {
                found[i] = scores;
                Ok(())
            },
        )
        .unwrap();
        (found, steps)
    };
    let (together, steps) = each(&networks, None);
    let apart: Vec<_> = networks
        .iter()
        .map(|network| each(std::slice::from_ref(network), None).0.remove(0))
        .collect();
    assert_eq!(together, apart);
    // Layers 0, 1 and 2; 2 after 0; 2 silenced; all of those with layer 0 silenced.
    assert_eq!(steps, 3 + 1 + 1 + 3);
    assert_ne!(together[0], together[4]);
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        each(&networks, Some(folder.path().to_owned())).0,
        apart,
        "from a file"
    );
}

#[test]
fn draws_are_nested_and_differ() {
    let checkpoint = Checkpoint::open(&fixture("qwen3")).unwrap();
    let planned = cuts(&checkpoint, &[0.1, 0.3]);
    let of = |share: f64, draw: usize| -> Vec<usize> {
        let found = planned
            .iter()
            .find(|one| one.part == Dimension::DFfn && one.share == share && one.draw == Some(draw))
            .unwrap();
        found.stays.clone().unwrap().neurons.unwrap().remove(0)
    };
    assert!(
        of(0.3, 0).iter().all(|neuron| of(0.1, 0).contains(neuron)),
        "what a small cut removes a large one does"
    );
    assert_ne!(of(0.3, 0), of(0.3, 1));
    assert_eq!(
        cuts(&checkpoint, &[0.1, 0.3]),
        planned,
        "the same seed, the same cuts"
    );
}
