//! SmolLM2-135M-Instruct (GGUF, Q4_1) against PyTorch in f32; tolerances are the oracle's README's.

use mechanism::checkpoint::Checkpoint;
use mechanism::evaluate::{LogLikelihood, Request, log_likelihoods};
use mechanism::gradients::{GradientSettings, Sample, gradients};
use mechanism::influence::{InfluenceSettings, block_influence};
use mechanism::prune::{Choice, choose};
use mechanism::run::{Group, Head, RunSettings, run};
use mechanism::site::{Place, Record, Site};
use mechanism::weights::{Kind, Part, SafetensorsFiles, Store};

use serde_json::Value;

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
            // The JSON reader rounds the last bit of an f64.
            assert!(
                furthest(&first, &numbers(&expected["first4"])) < 1e-12,
                "{layer} {name}"
            );
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

/// Relative difference.
fn apart(a: f64, b: f64) -> f64 {
    (a - b).abs() / b.abs()
}

#[test]
fn gradient_statistics_agree_and_every_matrix_has_one() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("gradients.json")) else {
        return;
    };
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    for data in oracle["datasets"].as_object().unwrap().values() {
        let samples: Vec<Sample> = data["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| Sample {
                prompt: item["prompt"].as_str().unwrap().to_owned(),
                response: item["response"].as_str().unwrap().to_owned(),
            })
            .collect();
        for per_sample in [false, true] {
            let settings = GradientSettings {
                run: RunSettings::in_memory(),
                per_sample,
            };
            let got = gradients(&checkpoint, &samples, &settings, &mut |_| (), &mut |_, _| Ok(())).unwrap();
            assert!(apart(got.mean_loss, data["mean_loss"].as_f64().unwrap()) < 1e-5);
            let expected_losses: Vec<f64> = data["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["loss"].as_f64().unwrap())
                .collect();
            assert!(furthest(&got.losses, &expected_losses) < 1e-4);
            let mut worst = [0.0_f64; 5];
            let mut seen = 0;
            for matrix in data["matrices"].as_array().unwrap() {
                let layer = &got.layers[usize::try_from(matrix["layer"].as_u64().unwrap()).unwrap()];
                let name = matrix["matrix"].as_str().unwrap();
                let named = layer.named();
                let (_, mine) = named.iter().find(|(of, _)| of == name).unwrap();
                seen += 1;
                let value = |key: &str| matrix[key].as_f64().unwrap();
                assert!(mine.spectrum.frobenius > 0.0);
                worst[0] = worst[0].max(apart(mine.spectrum.nuclear_norm, value("nuclear")));
                worst[1] = worst[1].max(apart(mine.spectrum.sigma_max, value("sigma_max")));
                worst[2] = worst[2].max(apart(mine.spectrum.frobenius, value("frobenius")));
                worst[3] = worst[3].max(apart(mine.spectrum.effective_rank, value("effective_rank")));
                if per_sample {
                    worst[4] = worst[4].max(apart(
                        mine.per_sample_nuclear_mean.unwrap(),
                        value("per_item_nuclear_mean"),
                    ));
                }
            }
            assert_eq!(seen, 7 * checkpoint.config.n_layers);
            assert!(worst.iter().all(|w| *w < 1e-3), "relative differences {worst:?}");
        }
    }
}

/// Requests of a harness file, item by item.
fn requests(items: &[Value]) -> Vec<Vec<Request>> {
    items
        .iter()
        .map(|item| {
            let continuations = item["requests"]["continuations"].as_array().unwrap();
            continuations
                .iter()
                .enumerate()
                .map(|(i, continuation)| {
                    let context = &item["requests"]["context"];
                    let context = context.as_str().or_else(|| context[i].as_str()).unwrap();
                    Request {
                        context: context.to_owned(),
                        continuation: continuation.as_str().unwrap().to_owned(),
                    }
                })
                .collect()
        })
        .collect()
}

/// Greatest difference of log-likelihoods by item, and that `is_greedy` agrees.
fn difference(got: &[LogLikelihood], items: &[Value]) -> f64 {
    let mut got = got.iter();
    let mut worst = 0.0_f64;
    for item in items {
        for (i, expected) in numbers(&item["loglikelihoods"]).into_iter().enumerate() {
            let got = got.next().unwrap();
            worst = worst.max((got.sum - expected).abs());
            assert_eq!(got.is_greedy, item["is_greedy"][i].as_bool().unwrap());
        }
    }
    assert!(got.next().is_none());
    worst
}

#[test]
fn log_likelihoods_agree_with_the_harness() {
    let Some(gguf) = gguf() else { return };
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let all: Vec<usize> = (0..checkpoint.config.n_layers).collect();
    for file in [
        "arc_challenge_0shot_limit50",
        "winogrande_0shot_limit50",
        "hellaswag_0shot_limit50",
        "mmlu_anatomy_5shot_limit50",
        "truthfulqa_mc1_0shot_limit25",
        "truthfulqa_mc2_0shot_limit25",
        "arc_challenge_25shot_limit10",
    ] {
        let Some(oracle) = oracle(&format!("harness/{file}.json")) else {
            return;
        };
        let items = oracle["items"].as_array().unwrap();
        let requests = requests(items).concat();
        let got = log_likelihoods(
            &checkpoint,
            &requests,
            &all,
            true,
            &RunSettings::in_memory(),
            &mut |_| (),
        )
        .unwrap();
        let worst = difference(&got, items);
        assert!(worst < 1e-3, "{file}: log-likelihoods differ by {worst}");
    }
}

#[test]
fn log_likelihoods_of_pruned_layers_agree() {
    let (Some(gguf), Some(oracle)) = (gguf(), oracle("pruning.json")) else {
        return;
    };
    let checkpoint = Checkpoint::open(&gguf).unwrap();
    let order: Vec<usize> = numbers(&oracle["order_least_important_first"])
        .iter()
        .map(|l| *l as usize)
        .collect();
    for run in oracle["runs"].as_array().unwrap() {
        let count = usize::try_from(run["k"].as_u64().unwrap()).unwrap();
        let choice = Choice::LeastInfluential {
            order: order.clone(),
            count,
        };
        let pruning = choose(&choice, checkpoint.config.n_layers).unwrap();
        assert_eq!(
            pruning
                .removed_layers
                .iter()
                .map(|l| *l as f64)
                .collect::<Vec<_>>(),
            numbers(&run["removed_layers"])
        );
        for (task, result) in run["tasks"].as_object().unwrap() {
            let Some(harness) = crate::common::oracle(&format!("harness/{task}_0shot_limit50.json")) else {
                return;
            };
            let requests = requests(harness["items"].as_array().unwrap()).concat();
            let settings = RunSettings::in_memory();
            let got = log_likelihoods(
                &checkpoint,
                &requests,
                &pruning.kept_layers,
                true,
                &settings,
                &mut |_| (),
            )
            .unwrap();
            let worst = difference(&got, result["items"].as_array().unwrap());
            assert!(
                worst < 1e-3,
                "{task} without {count} layers: log-likelihoods differ by {worst}"
            );
        }
    }
}
