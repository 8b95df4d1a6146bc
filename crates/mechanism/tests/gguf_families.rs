//! The same tiny checkpoints written as GGUF in llama.cpp's names and layouts: logits must be those of the safetensors.

use std::path::Path;

use mechanism::checkpoint::Checkpoint;
use mechanism::config::{DecoderConfig, Family, NormKind, Scaling};
use mechanism::weights::{Kind, Part};

use crate::families::{fixtures, logits};

/// Tiny checkpoints whose rotation is not written here.
const UNWRITTEN: [&str; 3] = ["llama_dynamic", "llama_yarn", "phi3_long"];

/// Whether a tiny checkpoint is written as GGUF here: llama.cpp has an architecture for it.
pub(crate) fn is_written(name: &str, family: Family) -> bool {
    family.architecture().is_some() && !UNWRITTEN.contains(&name)
}

/// A GGUF file in the making.
#[derive(Default)]
struct Writer {
    values: Vec<Vec<u8>>,
    tensors: Vec<(String, Vec<usize>, Vec<f32>)>,
}

fn text(bytes: &mut Vec<u8>, s: &str) {
    bytes.extend((s.len() as u64).to_le_bytes());
    bytes.extend(s.as_bytes());
}

impl Writer {
    fn value(&mut self, key: &str, kind: u32, value: &[u8]) {
        let mut bytes = Vec::new();
        text(&mut bytes, key);
        bytes.extend(kind.to_le_bytes());
        bytes.extend(value);
        self.values.push(bytes);
    }

    fn count(&mut self, key: &str, value: usize) {
        self.value(key, 4, &(value as u32).to_le_bytes());
    }

    fn float(&mut self, key: &str, value: f64) {
        self.value(key, 6, &(value as f32).to_le_bytes());
    }

    fn save(&self, path: &Path) {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend((self.tensors.len() as u64).to_le_bytes());
        bytes.extend((self.values.len() as u64).to_le_bytes());
        bytes.extend(self.values.concat());
        let mut offset = 0_u64;
        for (name, shape, values) in &self.tensors {
            text(&mut bytes, name);
            bytes.extend((shape.len() as u32).to_le_bytes());
            for dim in shape.iter().rev() {
                bytes.extend((*dim as u64).to_le_bytes());
            }
            bytes.extend(0_u32.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            offset += (4 * values.len()).next_multiple_of(32) as u64;
        }
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        for (_, _, values) in &self.tensors {
            bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            bytes.resize(bytes.len().next_multiple_of(32), 0);
        }
        std::fs::write(path, bytes).unwrap();
    }
}

fn metadata(writer: &mut Writer, c: &DecoderConfig) {
    let arch = c.family.architecture().unwrap();
    let mut value = Vec::new();
    text(&mut value, arch);
    writer.value("general.architecture", 8, &value);
    let key = |name: &str| format!("{arch}.{name}");
    for (name, count) in [
        ("block_count", c.n_layers),
        ("embedding_length", c.d_model),
        ("feed_forward_length", c.d_ffn),
        ("attention.head_count", c.n_heads),
        ("attention.head_count_kv", c.n_kv_heads),
        ("attention.key_length", c.head_dim),
        ("context_length", c.max_positions),
    ] {
        writer.count(&key(name), count);
    }
    let epsilon = if c.norm == NormKind::Layer {
        "attention.layer_norm_epsilon"
    } else {
        "attention.layer_norm_rms_epsilon"
    };
    writer.float(&key(epsilon), f64::from(c.norm_epsilon));
    if let Some(rotary) = &c.rotary {
        writer.count(&key("rope.dimension_count"), rotary.dim);
        writer.float(&key("rope.freq_base"), rotary.theta);
        if let Some(Scaling::Linear { factor }) = &rotary.scaling {
            writer.float(&key("rope.scaling.factor"), *factor);
        }
        if matches!(rotary.scaling, Some(Scaling::Llama3 { .. })) {
            // llama.cpp stores what the frequencies are divided by.
            let plain = mechanism::config::Rotary {
                scaling: None,
                ..rotary.clone()
            }
            .frequencies(0)
            .0;
            let divisors: Vec<f32> = plain
                .iter()
                .zip(rotary.frequencies(0).0)
                .map(|(p, s)| p / s)
                .collect();
            writer
                .tensors
                .push(("rope_freqs.weight".to_owned(), vec![divisors.len()], divisors));
        }
    }
    if let Some(window) = c.windows.iter().flatten().next() {
        writer.count(&key("attention.sliding_window"), *window);
    }
    if let Some(cap) = c.attention_cap {
        writer.float(&key("attn_logit_softcapping"), f64::from(cap));
    }
    if let Some(cap) = c.logit_cap {
        writer.float(&key("final_logit_softcapping"), f64::from(cap));
    }
    if c.family == Family::GptNeoX {
        let parallel = c.arrangement == mechanism::config::Arrangement::Parallel;
        writer.value(&key("use_parallel_residual"), 7, &[u8::from(parallel)]);
    }
    if let Some(mixture) = &c.mixture {
        writer.count(&key("expert_count"), mixture.n_experts);
        writer.count(&key("expert_used_count"), mixture.top_k);
        writer.count(&key("expert_feed_forward_length"), mixture.d_expert);
    }
}

/// Writes the checkpoint as llama.cpp's converter would.
pub(crate) fn convert(checkpoint: &Checkpoint, path: &Path) {
    converted(checkpoint).save(path);
}

/// The checkpoint as llama.cpp's converter would write it.
fn converted(checkpoint: &Checkpoint) -> Writer {
    let (c, weights) = (&checkpoint.config, &checkpoint.weights);
    let mut writer = Writer::default();
    metadata(&mut writer, c);
    let load = |layer, part, kind| {
        weights
            .has(c, layer, part, kind)
            .then(|| weights.load(c, layer, part, kind).unwrap())
    };
    let permuted = c.family.is_permuted();
    let is_norm = |part| {
        use Part::{AttentionNorm, AttentionPostNorm, FfnNorm, FfnPostNorm, FinalNorm, KNorm, QNorm};
        matches!(
            part,
            AttentionNorm | AttentionPostNorm | FfnNorm | FfnPostNorm | FinalNorm | KNorm | QNorm
        )
    };
    let stored = |layer, part, kind| -> Option<Vec<f32>> {
        let mut values = load(layer, part, kind)?;
        if is_norm(part) && c.norm == NormKind::RmsPlusOne {
            for v in &mut values {
                *v += 1.0;
            }
        }
        if permuted && matches!(part, Part::Q | Part::K) {
            let inner = if kind == Kind::Weight { c.d_model } else { 1 };
            let half = c.head_dim / 2;
            let rows: Vec<&[f32]> = values.chunks(inner).collect();
            let row = |r: usize| {
                let (head, within) = (r / c.head_dim, r % c.head_dim);
                rows[head * c.head_dim + (within % 2) * half + within / 2]
            };
            values = (0..rows.len()).flat_map(|r| row(r).to_vec()).collect();
        }
        Some(values)
    };
    let mut tensors = Vec::new();
    let mut put = |name: String, layer, parts: &[Part]| {
        for (kind, suffix) in [(Kind::Weight, "weight"), (Kind::Bias, "bias")] {
            let pieces: Vec<Vec<f32>> = parts
                .iter()
                .filter_map(|part| stored(layer, *part, kind))
                .collect();
            if pieces.len() == parts.len() {
                let mut shape = parts[0].shape(c, kind);
                shape[0] = parts.iter().map(|part| part.shape(c, kind)[0]).sum();
                tensors.push((format!("{name}.{suffix}"), shape, pieces.concat()));
            }
        }
    };
    put("token_embd".to_owned(), None, &[Part::Embedding]);
    put("output_norm".to_owned(), None, &[Part::FinalNorm]);
    if c.learned_positions {
        put("position_embd".to_owned(), None, &[Part::Positions]);
    }
    if !c.tied {
        put("output".to_owned(), None, &[Part::Head]);
    }
    for layer in 0..c.n_layers {
        let at = |name: &str| format!("blk.{layer}.{name}");
        let fused = matches!(c.family, Family::Phi3 | Family::GptNeoX | Family::Gpt2);
        let attention: &[(&str, &[Part])] = if fused {
            &[("attn_qkv", &[Part::Q, Part::K, Part::V])]
        } else {
            &[
                ("attn_q", &[Part::Q]),
                ("attn_k", &[Part::K]),
                ("attn_v", &[Part::V]),
            ]
        };
        for (name, parts) in attention {
            put(at(name), Some(layer), parts);
        }
        let mut others = vec![("attn_output", Part::O)];
        if c.norm_before {
            others.push(("attn_norm", Part::AttentionNorm));
        }
        if c.norm_before && c.arrangement != mechanism::config::Arrangement::ParallelSharedNorm {
            others.push(("ffn_norm", Part::FfnNorm));
        }
        if c.norm_after {
            others.extend([
                ("post_attention_norm", Part::AttentionPostNorm),
                ("post_ffw_norm", Part::FfnPostNorm),
            ]);
        }
        if c.qk_norm.is_some() {
            others.extend([("attn_q_norm", Part::QNorm), ("attn_k_norm", Part::KNorm)]);
        }
        match c.mixture_at(layer) {
            None if c.family == Family::Phi3 => put(at("ffn_up"), Some(layer), &[Part::Gate, Part::Up]),
            None => {
                others.push(("ffn_up", Part::Up));
                if c.gated {
                    others.push(("ffn_gate", Part::Gate));
                }
            }
            Some(mixture) => {
                let experts = |part: fn(usize) -> Part| (0..mixture.n_experts).map(part).collect::<Vec<_>>();
                put(at("ffn_gate_exps"), Some(layer), &experts(Part::ExpertGate));
                put(at("ffn_up_exps"), Some(layer), &experts(Part::ExpertUp));
                put(at("ffn_down_exps"), Some(layer), &experts(Part::ExpertDown));
                others.push(("ffn_gate_inp", Part::Router));
                if mixture.d_shared.is_some() {
                    others.extend([
                        ("ffn_gate_shexp", Part::SharedGate),
                        ("ffn_up_shexp", Part::SharedUp),
                        ("ffn_down_shexp", Part::SharedDown),
                        ("ffn_gate_inp_shexp", Part::SharedRouter),
                    ]);
                }
            }
        }
        if c.mixture_at(layer).is_none() {
            others.push(("ffn_down", Part::Down));
        }
        for (name, part) in others {
            put(at(name), Some(layer), &[part]);
        }
    }
    for (name, shape, values) in &mut tensors {
        // Experts are stored as a third dimension.
        if name.contains("_exps") {
            let n = c.mixture.as_ref().unwrap().n_experts;
            *shape = vec![n, shape[0] / n, shape[1]];
        }
        writer.tensors.push((name.clone(), shape.clone(), values.clone()));
    }
    writer
}

#[test]
fn a_file_cut_in_parts_is_opened_by_any_of_them() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama");
    let original = Checkpoint::open(&fixture).unwrap();
    let texts = vec![vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3], vec![7, 7]];
    let expected = logits(&original, &texts, 100);
    let folder = tempfile::tempdir().unwrap();
    let place = |number: usize| folder.path().join(format!("tiny-{number:05}-of-00003.gguf"));
    let whole = converted(&original);
    // As gguf-split does it: the first part has the metadata, here and no tensor, each says which it is.
    let third = whole.tensors.len() / 2;
    for (number, tensors) in [
        &whole.tensors[..0],
        &whole.tensors[..third],
        &whole.tensors[third..],
    ]
    .into_iter()
    .enumerate()
    {
        let mut part = Writer {
            tensors: tensors.to_vec(),
            ..Writer::default()
        };
        if number == 0 {
            part.values.clone_from(&whole.values);
        }
        part.value("split.no", 2, &(number as u16).to_le_bytes());
        part.value("split.count", 2, &3_u16.to_le_bytes());
        part.value(
            "split.tensors.count",
            5,
            &(whole.tensors.len() as i32).to_le_bytes(),
        );
        part.save(&place(number + 1));
    }
    for opened in [place(1), place(2), place(3), folder.path().to_owned()] {
        let checkpoint =
            Checkpoint::open(&opened).unwrap_or_else(|error| panic!("{}: {error}", opened.display()));
        let worst = logits(&checkpoint, &texts, 100)
            .iter()
            .zip(&expected)
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        assert!(worst <= 1e-4, "{}: {worst}", opened.display());
        assert_eq!(checkpoint.weights.store.paths(), [place(1), place(2), place(3)]);
    }
    std::fs::rename(place(2), folder.path().join("other.gguf")).unwrap();
    let error = Checkpoint::open(&place(1)).unwrap_err().to_string();
    assert!(
        error.contains("part 1 of 3") && error.contains("part 2 is not beside it"),
        "{error}"
    );
    let error = Checkpoint::open(&folder.path().join("other.gguf"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("must end in -00002-of-00003.gguf"), "{error}");
}

#[test]
fn arrays_within_arrays_are_passed_over() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama");
    let original = Checkpoint::open(&fixture).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odd.gguf");
    let nested = |deep: usize| {
        // An array of one array of … of one number.
        let mut value = [
            4_u32.to_le_bytes().to_vec(),
            1_u64.to_le_bytes().to_vec(),
            7_u32.to_le_bytes().to_vec(),
        ]
        .concat();
        for _ in 0..deep {
            value = [9_u32.to_le_bytes().to_vec(), 1_u64.to_le_bytes().to_vec(), value].concat();
        }
        let mut writer = converted(&original);
        writer.value("odd.arrays", 9, &value);
        writer.save(&path);
        Checkpoint::open(&path)
    };
    let texts = vec![vec![3, 1, 4]];
    assert_eq!(
        logits(&nested(1).unwrap(), &texts, 8),
        logits(&nested(0).unwrap(), &texts, 8)
    );
    let error = nested(5000).unwrap_err().to_string();
    assert!(error.contains("arrays within arrays"), "{error}");
}

#[test]
fn gguf_files_of_every_family_give_the_logits_of_the_safetensors() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for fixture in fixtures() {
        let name = fixture.file_name().unwrap().to_string_lossy().into_owned();
        let mut original = Checkpoint::open(&fixture).unwrap();
        if !is_written(&name, original.config.family) {
            continue;
        }
        let path = folder.path().join(format!("{name}.gguf"));
        convert(&original, &path);
        let converted = match Checkpoint::open(&path) {
            Ok(converted) => converted,
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        // What GGUF cannot say: windows by layer, the scalar of small Gemmas, the activation.
        original.config.windows.clone_from(&converted.config.windows);
        original.config.attention_scale = converted.config.attention_scale;
        original.config.activation = converted.config.activation;
        let texts = vec![vec![3, 1, 4, 1, 5, 9, 2, 6, 5, 3], vec![7, 7]];
        let (a, b) = (logits(&original, &texts, 100), logits(&converted, &texts, 100));
        let worst = a.iter().zip(&b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        if worst.is_nan() || worst > 1e-4 {
            wrong.push(format!("{name}: logits differ by {worst}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
