//! Low-rank tuning of SmolLM2 against PyTorch: losses over five steps; and training taken up again.

use mechanism::checkpoint::Checkpoint;
use mechanism::gradients::{GradientSettings, gradients_of_ids};
use mechanism::run::RunSettings;
use mechanism::tune::{AdamW, EncodedSample, TARGETS, Tuner, batch};
use mechanism::weights::{SafetensorsFiles, Store};

use crate::common::{furthest, gguf, ids, numbers, oracle, shared};

#[test]
fn losses_and_factors_over_five_steps_agree_with_pytorch() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("lora.json")) else {
        return;
    };
    let Some(initial) = shared("oracles/lm/smollm2/lora_A_init.safetensors") else {
        return;
    };
    let initial = Store::Safetensors(SafetensorsFiles::open(&[initial]).unwrap());
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let mut tuner = Tuner::new(&checkpoint, 8, 16.0, AdamW::usual(1e-4), 0).unwrap();
    for (layer, own) in tuner.adapter.layers.iter_mut().enumerate() {
        for factors in own {
            let name = format!("model.layers.{layer}.{}.lora_A.weight", TARGETS[factors.target]);
            factors.a = initial.whole(&name).unwrap();
        }
    }
    let samples: Vec<EncodedSample> = oracle["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            let prompt = ids(&item["prompt_ids"]);
            let n = prompt.len();
            ([prompt, ids(&item["response_ids"])].concat(), n)
        })
        .collect();
    let before = tuner.losses(&samples).unwrap();
    assert!(furthest(&before, &numbers(&oracle["loss_before_all_items"])) < 1e-3);
    for (step, log) in oracle["step_log"].as_array().unwrap().iter().enumerate() {
        let losses = tuner.step(&samples[step..=step]).unwrap();
        let difference = (losses[0] - log["loss"].as_f64().unwrap()).abs();
        assert!(difference < 1e-3, "step {step}: loss differs by {difference}");
    }
    let after = tuner.losses(&samples).unwrap();
    assert!(furthest(&after, &numbers(&oracle["loss_after_all_items"])) < 1e-3);
    for (layer, own) in tuner.adapter.layers.iter().enumerate() {
        for factors in own {
            let norm = factors
                .b
                .iter()
                .map(|v| f64::from(*v).powi(2))
                .sum::<f64>()
                .sqrt();
            let name = format!("model.layers.{layer}.{}", TARGETS[factors.target]);
            let expected = oracle["final_B_norms"][&name].as_f64().unwrap();
            assert!(
                (norm / expected - 1.0).abs() < 1e-2,
                "{name}: {norm}, not {expected}"
            );
        }
    }
}

#[test]
fn training_taken_up_again_gives_the_same_bits() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let samples: Vec<EncodedSample> = (0..5).map(|i| (vec![3, 1, 4 + i, 1, 5, 9 + i, 2], 3)).collect();
    let fresh = || Tuner::new(&checkpoint, 2, 4.0, AdamW::usual(1e-2), 7).unwrap();
    let take = |tuner: &mut Tuner<'_>, steps: u64| {
        let mut losses = Vec::new();
        while tuner.steps < steps {
            let chosen: Vec<EncodedSample> = batch(5, 2, tuner.steps, 1)
                .into_iter()
                .map(|i| samples[i].clone())
                .collect();
            losses.extend(tuner.step(&chosen).unwrap());
        }
        losses
    };
    let mut whole = fresh();
    let losses = take(&mut whole, 12);
    assert!(losses[losses.len() - 1] < losses[0], "{losses:?}");
    let out = tempfile::tempdir().unwrap();
    let mut first = fresh();
    take(&mut first, 5);
    first.save(out.path()).unwrap();
    let mut second = fresh();
    second.resume(out.path()).unwrap();
    assert_eq!(second.steps, 5);
    take(&mut second, 12);
    assert_eq!(second.adapter, whole.adapter);
    // An adapter of another alpha is refused.
    let mut other = Tuner::new(&checkpoint, 2, 8.0, AdamW::usual(1e-2), 7).unwrap();
    let text = other.resume(out.path()).unwrap_err().to_string();
    assert!(text.contains("lora_alpha is 4, not 8"), "{text}");
    // An adapter of another rank is refused.
    let mut other = Tuner::new(&checkpoint, 3, 4.0, AdamW::usual(1e-2), 7).unwrap();
    assert!(other.resume(out.path()).unwrap_err().to_string().contains("rank"));
    // Every sample comes once an epoch.
    let mut epoch: Vec<usize> = (3..6).flat_map(|step| batch(5, 2, step, 1)).collect();
    epoch.sort_unstable();
    assert_eq!(epoch, [0, 1, 2, 3, 4]);
}

/// Before the first step the adapter is nothing: gradients are those of the checkpoint, and what tells them moves it alike.
#[test]
fn gradients_along_the_steps_begin_with_those_of_the_checkpoint() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama");
    let checkpoint = Checkpoint::open(&folder).unwrap();
    let sample: EncodedSample = (vec![3, 1, 4, 1, 5, 9, 2], 3);
    let one = std::slice::from_ref(&sample);
    let fresh = || Tuner::new(&checkpoint, 2, 4.0, AdamW::usual(1e-2), 7).unwrap();
    let mut tuner = fresh();
    let found = tuner.step_with_gradients(one).unwrap();
    let settings = GradientSettings {
        run: RunSettings::in_memory(),
        per_sample: false,
    };
    let whole = gradients_of_ids(&checkpoint, one, &settings, &mut |_| (), &mut |_, _| Ok(())).unwrap();
    assert!((found.mean_loss - whole.mean_loss).abs() < 1e-6);
    assert_eq!((found.prompt_tokens, found.response_tokens), (3, 4));
    for (ours, theirs) in found.layers.iter().zip(&whole.layers) {
        for ((name, ours), (_, theirs)) in ours.named().iter().zip(theirs.named()) {
            let (ours, theirs) = (ours.spectrum.nuclear_norm, theirs.spectrum.nuclear_norm);
            assert!((ours - theirs).abs() <= 1e-4 * theirs, "{name}: {ours} {theirs}");
        }
    }
    let mut silent = fresh();
    silent.step(one).unwrap();
    assert_eq!(silent.adapter, tuner.adapter);
    assert_eq!(silent.losses(one).unwrap(), tuner.losses(one).unwrap());
    // Losses of several samples together are those of each alone.
    let other: EncodedSample = (vec![7, 7, 8], 1);
    let both = tuner.losses(&[sample.clone(), other.clone()]).unwrap();
    let alone = [tuner.losses(one).unwrap()[0], tuner.losses(&[other]).unwrap()[0]];
    assert!(
        both.iter().zip(alone).all(|(a, b)| (a - b).abs() < 1e-6),
        "{both:?} {alone:?}"
    );
}
