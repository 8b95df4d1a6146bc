//! SmolLM2-135M-Instruct (GGUF, Q4_1) against PyTorch in f32; tolerances are the oracle's README's.

use mechanism::checkpoint::Checkpoint;
use mechanism::influence::{InfluenceSettings, block_influence};
use mechanism::run::{Group, Head, RunSettings, run};
use mechanism::site::{Place, Record, Site};
use mechanism::weights::{Kind, Part, SafetensorsFiles, Store};

use crate::common::{furthest, gguf, ids, numbers, oracle, shared};

#[test]
fn token_ids_equal_the_reference() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("tokens.json")) else {
        return;
    };
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let tokenizer = checkpoint.tokenizer().unwrap();
    let items = oracle["items"].as_array().unwrap();
    assert!(!items.is_empty());
    for item in items {
        let text = item["text"].as_str().unwrap();
        assert_eq!(
            tokenizer.encode(text, false).unwrap(),
            ids(&item["ids"]),
            "{text:?}"
        );
        assert_eq!(
            tokenizer.encode(text, true).unwrap(),
            ids(&item["ids_with_special"]),
            "{text:?}"
        );
    }
}

#[test]
fn dequantized_weights_equal_the_reference() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("weights_fingerprint.json")) else {
        return;
    };
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let parts = [
        ("input_layernorm", Part::AttentionNorm),
        ("post_attention_layernorm", Part::FfnNorm),
        ("self_attn.q_proj", Part::Q),
        ("self_attn.k_proj", Part::K),
        ("self_attn.v_proj", Part::V),
        ("self_attn.o_proj", Part::O),
        ("mlp.gate_proj", Part::Gate),
        ("mlp.up_proj", Part::Up),
        ("mlp.down_proj", Part::Down),
    ];
    for layer in [0, 17, 29] {
        for (name, part) in parts {
            let values = checkpoint
                .weights
                .load(&checkpoint.config, Some(layer), part, Kind::Weight)
                .unwrap();
            let expected = &oracle["tensors"][format!("model.layers.{layer}.{name}.weight")];
            let sum: f64 = values.iter().map(|v| f64::from(*v)).sum();
            let l2 = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            assert!(
                (sum - expected["sum"].as_f64().unwrap()).abs() < 1e-6 * l2.max(1.0),
                "{layer} {name}"
            );
            assert!(
                (l2 - expected["l2"].as_f64().unwrap()).abs() < 1e-9 * l2,
                "{layer} {name}"
            );
            let first: Vec<f64> = values[..4].iter().map(|v| f64::from(*v)).collect();
            assert_eq!(first, numbers(&expected["first4"]), "{layer} {name}");
        }
    }
}

#[test]
fn residual_streams_and_logits_agree() {
    let (Some(gguf), Some(info)) = (gguf(), oracle("logits_info.json")) else {
        return;
    };
    let (Some(hidden), Some(logits)) = (
        shared("oracles/lm/smollm2/hidden.safetensors"),
        shared("oracles/lm/smollm2/logits.safetensors"),
    ) else {
        return;
    };
    let hidden = Store::Safetensors(SafetensorsFiles::open(&[hidden]).unwrap());
    let logits = Store::Safetensors(SafetensorsFiles::open(&[logits]).unwrap());
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let d = checkpoint.config.d_model;
    let all: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    for (i, prompt) in info["prompts"].as_array().unwrap().iter().enumerate() {
        let text = prompt["text"].as_str().or(prompt["prompt"].as_str()).unwrap();
        let groups = Group::pack(&[checkpoint.encode(text).unwrap()], 2048);
        let sites = all
            .iter()
            .map(|&layer| Site {
                place: Place::ResidualIn,
                layer,
            })
            .collect();
        let mut record = Record::new(sites);
        let mut residuals = run(
            &checkpoint,
            &groups,
            &all,
            &RunSettings::in_memory(),
            &mut record,
            &mut |_| (),
            &mut |_| Ok(()),
        )
        .unwrap();
        let last = residuals.take(0).unwrap();
        let streams: Vec<&[f32]> = record
            .seen
            .iter()
            .map(|(_, _, x)| x.as_slice())
            .chain([last.as_slice()])
            .collect();
        let expected = hidden.whole(&format!("prompt{i}.hidden")).unwrap();
        assert_eq!(expected.len(), streams.len() * streams[0].len());
        let mut worst = 0.0_f64;
        for (got, expected) in streams.concat().chunks(d).zip(expected.chunks(d)) {
            let norm = |x: &[f32]| x.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
            let difference: Vec<f32> = got.iter().zip(expected).map(|(a, b)| a - b).collect();
            worst = worst.max(norm(&difference) / norm(expected));
        }
        assert!(worst < 1e-4, "prompt {i}: relative difference {worst}");
        let head = Head::load(&checkpoint).unwrap();
        let got: Vec<f64> = head
            .logits(&last[last.len() - d..])
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        let expected: Vec<f64> = logits
            .whole(&format!("prompt{i}.logits_last"))
            .unwrap()
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        let difference = furthest(&got, &expected);
        assert!(difference < 1e-3, "prompt {i}: logits differ by {difference}");
    }
}

#[test]
fn block_influence_and_angular_distance_agree() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("block_influence.json")) else {
        return;
    };
    let Some(texts) = shared("oracles/lm/smollm2/bi_text.txt") else {
        return;
    };
    let texts: Vec<String> = std::fs::read_to_string(texts)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let influence = block_influence(&checkpoint, &texts, &InfluenceSettings::usual(), &mut |_| ()).unwrap();
    assert_eq!(influence.texts as u64, oracle["lines"].as_u64().unwrap());
    assert_eq!(influence.tokens as u64, oracle["tokens"].as_u64().unwrap());
    let difference = furthest(&influence.block_influence, &numbers(&oracle["bi"]));
    assert!(difference < 1e-6, "block influence differs by {difference}");
    let order: Vec<u32> = influence
        .order_least_important_first
        .iter()
        .map(|l| u32::try_from(*l).unwrap())
        .collect();
    assert_eq!(order, ids(&oracle["order_least_important_first"]));
    for (block, distances) in &influence.angular {
        let expected = numbers(&oracle["angular"][block.to_string()]);
        let difference = furthest(distances, &expected);
        assert!(
            difference < 1e-6,
            "angular distance of {block} layers differs by {difference}"
        );
    }
    for (interval, value) in influence.intervals.iter().zip(&influence.block_influence) {
        assert!(interval.low < *value && *value < interval.high);
    }
}
