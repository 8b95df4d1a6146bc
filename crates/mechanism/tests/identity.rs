//! What must hold whatever the weights are.

use std::path::PathBuf;

use mechanism::checkpoint::Checkpoint;
use mechanism::config::Arrangement;
use mechanism::decoder::gradient::GradientMatrix;
use mechanism::evaluate::{Encoded, log_likelihoods_of_ids};
use mechanism::influence::{InfluenceSettings, block_influence_of_ids};
use mechanism::prune::{Choice, choose, write_pruned};
use mechanism::run::{Group, Head, RunSettings, run};
use mechanism::site::{Nobody, Observer, Place, Record, Replace, Site};
use mechanism::spectrum::{Spectrum, singular_values};

use crate::families::{fixture, fixtures, logits, noise, texts};

/// The last residual streams of all texts, observed.
fn observed(
    checkpoint: &Checkpoint,
    layers: &[usize],
    spill: Option<PathBuf>,
    observer: &mut dyn Observer,
) -> Vec<f32> {
    let groups = Group::pack(&texts(), 8);
    let settings = RunSettings {
        group_tokens: Some(8),
        spill,
    };
    let mut streams = run(
        checkpoint,
        &groups,
        layers,
        &settings,
        observer,
        &mut |_| (),
        &mut |_| Ok(()),
    )
    .unwrap();
    (0..groups.len()).flat_map(|i| streams.take(i).unwrap()).collect()
}

fn all_layers(checkpoint: &Checkpoint) -> Vec<usize> {
    (0..checkpoint.config.n_layers).collect()
}

#[test]
fn replacing_a_place_by_itself_changes_nothing() {
    for folder in fixtures() {
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let layers = all_layers(&checkpoint);
        let clean = observed(&checkpoint, &layers, None, &mut Nobody);
        for place in [
            Place::ResidualIn,
            Place::AttentionOut,
            Place::ResidualMiddle,
            Place::FeedForwardOut,
            Place::ResidualOut,
        ] {
            let site = Site { place, layer: 1 };
            let mut same = Replace::new(site, |_, x: &[f32]| x.to_vec());
            let replaced = observed(&checkpoint, &layers, None, &mut same);
            for (a, b) in clean.iter().zip(&replaced) {
                assert!(
                    (a - b).abs() <= 1e-5 * a.abs().max(1.0),
                    "{}: {site}",
                    folder.display()
                );
            }
        }
    }
}

#[test]
fn the_stream_after_a_block_is_the_stream_before_and_what_its_parts_add() {
    for folder in fixtures() {
        let checkpoint = Checkpoint::open(&folder).unwrap();
        if checkpoint.config.norm_after {
            continue; // what is added is normed once more there
        }
        let places = [
            Place::ResidualIn,
            Place::AttentionOut,
            Place::FeedForwardOut,
            Place::ResidualOut,
        ];
        let mut record = Record::new(places.map(|place| Site { place, layer: 0 }).to_vec());
        observed(&checkpoint, &[0], None, &mut record);
        for text in 0..texts().len() {
            let at = |place| {
                &record
                    .seen
                    .iter()
                    .find(|(s, t, _)| s.place == place && *t == text)
                    .unwrap()
                    .2
            };
            for (i, out) in at(Place::ResidualOut).iter().enumerate() {
                let sum =
                    at(Place::ResidualIn)[i] + at(Place::AttentionOut)[i] + at(Place::FeedForwardOut)[i];
                assert!(
                    (sum - out).abs() <= 1e-5 * out.abs().max(1.0),
                    "{}",
                    folder.display()
                );
            }
        }
        let middle = Record::new(vec![Site {
            place: Place::ResidualMiddle,
            layer: 0,
        }]);
        let mut middle = middle;
        observed(&checkpoint, &[0], None, &mut middle);
        let sequential = checkpoint.config.arrangement == Arrangement::Sequential;
        assert_eq!(middle.seen.len(), if sequential { texts().len() } else { 0 });
    }
}

#[test]
fn streams_on_disk_give_the_same_bits_and_the_file_goes() {
    let checkpoint = Checkpoint::open(&fixture("gemma3")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let layers = all_layers(&checkpoint);
    let memory = observed(&checkpoint, &layers, None, &mut Nobody);
    let disk = observed(
        &checkpoint,
        &layers,
        Some(folder.path().to_path_buf()),
        &mut Nobody,
    );
    assert_eq!(memory, disk);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn scores_over_shared_beginnings_are_those_of_single_texts() {
    // Dynamic scaling and long factors depend on the whole text's length, so sharing is not exact there.
    for folder in fixtures() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if name == "llama_dynamic" || name == "phi3_long" {
            continue;
        }
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let layers = all_layers(&checkpoint);
        let requests: Vec<Encoded> = [
            vec![3, 1, 4, 1, 5, 9, 2, 6],
            vec![3, 1, 4, 1, 5, 9, 2, 7, 8, 1],
            vec![3, 1, 4, 1, 5, 10],
            vec![3, 2, 4, 1, 5, 10],
            vec![3, 1, 4, 1, 5, 9, 2, 6],
            vec![9, 9, 9],
        ]
        .into_iter()
        .map(|ids| Encoded { context: 2, ids })
        .collect();
        let settings = RunSettings {
            group_tokens: Some(64),
            spill: None,
        };
        let together =
            log_likelihoods_of_ids(&checkpoint, &requests, &layers, &settings, &mut |_| ()).unwrap();
        for (request, together) in requests.iter().zip(&together) {
            let ids = request.ids.clone();
            let rows = logits(&checkpoint, std::slice::from_ref(&ids), 64);
            let vocab = checkpoint.config.vocab_size;
            let mut sum = 0.0;
            for position in 1..ids.len() - 1 {
                let row: Vec<f64> = rows[position * vocab..(position + 1) * vocab]
                    .iter()
                    .map(|v| f64::from(*v))
                    .collect();
                let total = row.iter().map(|v| v.exp()).sum::<f64>().ln();
                sum += row[ids[position + 1] as usize] - total;
            }
            assert!(
                (sum - together.sum).abs() < 1e-4,
                "{name}: {sum} {}",
                together.sum
            );
            assert_eq!(together.tokens, ids.len() - 2);
        }
    }
}

#[test]
fn influence_does_not_depend_on_grouping_and_its_interval_holds_it() {
    let checkpoint = Checkpoint::open(&fixture("qwen3")).unwrap();
    let mut texts = texts();
    texts.push(Vec::new());
    let of = |group_tokens| {
        let run = RunSettings {
            group_tokens: Some(group_tokens),
            spill: None,
        };
        let settings = InfluenceSettings {
            run,
            ..InfluenceSettings::usual()
        };
        block_influence_of_ids(&checkpoint, &texts, &settings, &mut |_| ()).unwrap()
    };
    let (one, all) = (of(1), of(1000));
    assert_eq!((one.texts, one.tokens, one.empty_texts), (3, 18, 1));
    for (a, b) in one.block_influence.iter().zip(&all.block_influence) {
        assert!((a - b).abs() < 1e-6);
    }
    assert_eq!(one.angular.keys().copied().collect::<Vec<_>>(), [1, 2]);
    for (interval, value) in all.intervals.iter().zip(&all.block_influence) {
        assert!(interval.low <= *value && *value <= interval.high);
    }
}

#[test]
fn a_pruned_checkpoint_written_and_read_is_the_run_without_those_layers() {
    for name in [
        "llama",
        "llama_sharded",
        "llama_bf16",
        "qwen2",
        "gemma3",
        "phi3",
        "gpt_neox",
        "gpt2",
        "qwen2_moe",
    ] {
        let checkpoint = Checkpoint::open(&fixture(name)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let pruning = choose(&Choice::List(vec![0]), checkpoint.config.n_layers).unwrap();
        write_pruned(&checkpoint, &pruning, folder.path()).unwrap();
        let pruned = Checkpoint::open(folder.path()).unwrap();
        assert_eq!(pruned.config.n_layers, checkpoint.config.n_layers - 1, "{name}");
        let without = observed(&checkpoint, &pruning.kept_layers, None, &mut Nobody);
        let written = observed(&pruned, &all_layers(&pruned), None, &mut Nobody);
        if name == "qwen2" {
            // Which layers have a window is said by number there (`max_window_layers`), not by layer.
            assert_eq!(pruned.config.windows.len(), 2);
        } else {
            assert_eq!(without, written, "{name}");
        }
        let head = |c: &Checkpoint, x: &[f32]| Head::load(c).unwrap().logits(x);
        assert_eq!(head(&checkpoint, &without), head(&pruned, &without), "{name}");
    }
}

#[test]
fn choices_name_the_layers_they_say() {
    let removed = |choice| choose(&choice, 6).map(|pruning| pruning.removed_layers);
    assert_eq!(
        removed(Choice::LeastInfluential {
            order: vec![4, 1, 0, 2, 3, 5],
            count: 2
        })
        .unwrap(),
        [1, 4]
    );
    assert_eq!(removed(Choice::Block { first: 2, count: 3 }).unwrap(), [2, 3, 4]);
    assert_eq!(removed(Choice::First(2)).unwrap(), [0, 1]);
    assert_eq!(removed(Choice::Last(2)).unwrap(), [4, 5]);
    assert_eq!(removed(Choice::List(vec![5, 2, 2])).unwrap(), [2, 5]);
    let random = removed(Choice::Random { count: 3, seed: 1 }).unwrap();
    assert_eq!(random, removed(Choice::Random { count: 3, seed: 1 }).unwrap());
    assert_eq!(random.len(), 3);
    for impossible in [
        Choice::Last(6),
        Choice::First(9),
        Choice::List(vec![6]),
        Choice::Block { first: 4, count: 3 },
    ] {
        assert!(removed(impossible).is_err());
    }
}

#[test]
fn spectra_of_factors_and_of_the_matrix_agree() {
    let (n_out, n_in, tokens) = (30, 50, 7);
    let (dy, x) = (noise(tokens * n_out, 3), noise(tokens * n_in, 4));
    let mut factors = GradientMatrix::new(n_out, n_in);
    factors.add(&dy, &x);
    assert!(matches!(factors, GradientMatrix::Factors { .. }));
    let dense = GradientMatrix::Dense {
        values: factors.dense(),
        n_out,
        n_in,
    };
    let (a, b) = (
        singular_values(&factors).unwrap(),
        singular_values(&dense).unwrap(),
    );
    assert_eq!((a.len(), b.len()), (tokens, n_out));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-6 * a, "{a} {b}");
    }
    assert!(b[tokens..].iter().all(|v| *v < 1e-6 * b[0]));
    let frobenius = factors
        .dense()
        .iter()
        .map(|v| f64::from(*v).powi(2))
        .sum::<f64>()
        .sqrt();
    assert!((Spectrum::of(&a).frobenius / frobenius - 1.0).abs() < 1e-6);
    // Beyond three quarters of the smaller side it becomes the matrix, and stays the same.
    let mut grown = GradientMatrix::new(n_out, n_in);
    for _ in 0..4 {
        grown.add(&dy, &x);
    }
    assert!(matches!(grown, GradientMatrix::Dense { .. }));
    let four = singular_values(&grown).unwrap();
    assert!((four[0] / a[0] - 4.0).abs() < 1e-5);
}

#[test]
fn effective_rank_counts_equal_values() {
    let spectrum = Spectrum::of(&[2.0, 2.0, 2.0, 0.0]);
    assert!((spectrum.effective_rank - 3.0).abs() < 1e-12);
    assert_eq!((spectrum.nuclear_norm, spectrum.sigma_max), (6.0, 2.0));
    assert_eq!(Spectrum::of(&[]).effective_rank, 0.0);
}

#[test]
fn what_texts_share_is_worked_out_once_and_changes_nothing() {
    let beginning: Vec<u32> = (0..12).map(|i| 3 + i % 7).collect();
    let with = |rest: &[u32]| [&beginning, rest].concat();
    let texts = [
        with(&[9, 2, 6]),
        vec![7, 7],
        with(&[]),
        with(&[9, 4]),
        with(&[9, 2, 6]),
        with(&[1]),
    ];
    for name in ["qwen3", "gemma2", "gpt2", "llama_dynamic"] {
        let checkpoint = Checkpoint::open(&fixture(name)).unwrap();
        let of = |texts: &[Vec<u32>]| {
            block_influence_of_ids(&checkpoint, texts, &InfluenceSettings::usual(), &mut |_| ()).unwrap()
        };
        let together = of(&texts);
        let tokens = texts.iter().map(Vec::len).sum::<usize>() as f64;
        let mut alone = vec![0.0; checkpoint.config.n_layers];
        let mut angular = vec![0.0; checkpoint.config.n_layers];
        for text in &texts {
            let one = of(std::slice::from_ref(text));
            for (layer, value) in one.block_influence.iter().enumerate() {
                alone[layer] += value * text.len() as f64 / tokens;
                angular[layer] += one.angular[&1][layer] / texts.len() as f64;
            }
        }
        for layer in 0..checkpoint.config.n_layers {
            assert!(
                (together.block_influence[layer] - alone[layer]).abs() < 1e-6,
                "{name}, layer {layer}"
            );
            assert!(
                (together.angular[&1][layer] - angular[layer]).abs() < 1e-4,
                "{name}, layer {layer}"
            );
        }
    }
}
