//! Files that lie: every one is an error, none a panic, and none makes us allocate what a header claims.

use std::path::{Path, PathBuf};

use mechanism::checkpoint::Checkpoint;
use mechanism::gguf::{GgmlType, Gguf};
use mechanism::weights::{SafetensorsFiles, Store};
use serde_json::{Value, json};

/// Name, dimensions innermost first, type, offset.
type Tensor<'a> = (&'a str, &'a [u64], u32, u64);

/// A GGUF header: metadata and tensors, then `data` bytes.
fn gguf_bytes(tensors: &[Tensor<'_>], data: usize) -> Vec<u8> {
    let text = |bytes: &mut Vec<u8>, s: &str| {
        bytes.extend((s.len() as u64).to_le_bytes());
        bytes.extend(s.as_bytes());
    };
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(3_u32.to_le_bytes());
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend(2_u64.to_le_bytes());
    text(&mut bytes, "general.architecture");
    bytes.extend(8_u32.to_le_bytes());
    text(&mut bytes, "llama");
    text(&mut bytes, "tokenizer.ggml.tokens");
    bytes.extend(9_u32.to_le_bytes());
    bytes.extend(8_u32.to_le_bytes());
    bytes.extend(2_u64.to_le_bytes());
    text(&mut bytes, "a");
    text(&mut bytes, "b");
    for (name, dims, kind, offset) in tensors {
        text(&mut bytes, name);
        bytes.extend((dims.len() as u32).to_le_bytes());
        for dim in *dims {
            bytes.extend(dim.to_le_bytes());
        }
        bytes.extend(kind.to_le_bytes());
        bytes.extend(offset.to_le_bytes());
    }
    let aligned = bytes.len().next_multiple_of(32);
    bytes.resize(aligned + data, 0);
    bytes
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn blocks_of_every_type_are_decoded_as_gguf_py_does() {
    let oracle: Value = serde_json::from_str(include_str!("ggml_blocks.json")).unwrap();
    let cases = oracle["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 14);
    for case in cases {
        let kind = GgmlType::from_code(u32::try_from(case["code"].as_u64().unwrap()).unwrap());
        let hex = case["bytes"].as_str().unwrap();
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
            .collect();
        let expected = crate::common::numbers(&case["values"]);
        let mut got = vec![0.0; expected.len()];
        assert!(kind.decode(&bytes, &mut got));
        for (got, expected) in got.iter().zip(expected) {
            assert!(
                (f64::from(*got) - expected).abs() <= 1e-6 * expected.abs().max(1e-3),
                "{kind}: {got} {expected}"
            );
        }
    }
}

#[test]
fn lying_gguf_headers_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let good = gguf_bytes(&[("t", &[32, 2], 0, 0)], 256);
    let path = write(folder.path(), "good.gguf", &good);
    assert_eq!(Gguf::open(&path).unwrap().tensors["t"].shape, [2, 32]);
    let huge = u64::MAX / 2;
    let cases: [(&[Tensor<'_>], usize, &str); 7] = [
        (&[("t", &[32, 2], 0, 0)], 255, "ends beyond"),
        (&[("t", &[32, 2], 0, huge)], 256, "ends beyond"),
        (&[("t", &[huge, huge], 0, 0)], 256, "absurd"),
        (&[("t", &[huge, 1], 0, 0)], 256, "absurd"),
        (&[("t", &[33, 1], 2, 0)], 256, "do not divide"),
        (&[("t", &[1, 1, 1, 1, 1], 0, 0)], 256, "5 dimensions"),
        (&[("t", &[4], 0, 0), ("t", &[4], 0, 0)], 256, "twice"),
    ];
    for (tensors, data, word) in cases {
        let path = write(folder.path(), "bad.gguf", &gguf_bytes(tensors, data));
        let error = Gguf::open(&path).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
    for cut in 0..good.len() - 256 {
        assert!(
            Gguf::open(&write(folder.path(), "cut.gguf", &good[..cut])).is_err(),
            "cut at {cut}"
        );
    }
    // Counts that cannot fit: tensors, metadata, the length of a string.
    for at in [8, 16, 24] {
        let mut bytes = good.clone();
        bytes[at..at + 8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
        assert!(
            Gguf::open(&write(folder.path(), "count.gguf", &bytes)).is_err(),
            "count at {at}"
        );
    }
    let error = Checkpoint::open(&path).unwrap_err().to_string();
    assert!(error.contains("block_count"), "{error}");
}

#[test]
fn types_that_are_listed_and_not_read_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    // IQ2_XXS: its blocks have a size, so the header is right.
    let bytes = gguf_bytes(&[("t", &[256], 16, 0)], 66);
    let file = Gguf::open(&write(folder.path(), "listed.gguf", &bytes)).unwrap();
    let error = Store::Gguf(file).whole("t").unwrap_err().to_string();
    assert!(error.contains("IQ2_XXS"), "{error}");
}

#[test]
fn flipped_bytes_never_panic() {
    let folder = tempfile::tempdir().unwrap();
    let good = gguf_bytes(&[("t", &[32, 2], 0, 0), ("u", &[32], 8, 256)], 512);
    let header = json!({"t": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}).to_string();
    let mut tensors = (header.len() as u64).to_le_bytes().to_vec();
    tensors.extend(header.as_bytes());
    tensors.extend([0; 24]);
    let mut state = 1_u64;
    let mut random = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let (mut opened, mut refused) = (0, 0);
    for _ in 0..3000 {
        let mut bytes = good.clone();
        for _ in 0..=random(3) {
            let at = random(300);
            bytes[at] = random(256) as u8;
        }
        match Checkpoint::open(&write(folder.path(), "x.gguf", &bytes)) {
            Ok(_) => opened += 1,
            Err(_) => refused += 1,
        }
        let mut bytes = tensors.clone();
        for _ in 0..=random(3) {
            let at = random(bytes.len());
            bytes[at] = random(256) as u8;
        }
        match SafetensorsFiles::open(&[write(folder.path(), "x.safetensors", &bytes)]) {
            Ok(_) => opened += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(opened > 0 && refused > 1000, "{opened} opened, {refused} refused");
}

#[test]
fn lying_safetensors_headers_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let open = |header: &str, claimed: Option<u64>, data: usize| {
        let mut bytes = claimed.unwrap_or(header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; data]);
        SafetensorsFiles::open(&[write(folder.path(), "x.safetensors", &bytes)])
    };
    let of = |shape: Value, offsets: Value| {
        json!({"t": {"dtype": "F32", "shape": shape, "data_offsets": offsets}}).to_string()
    };
    assert!(open(&of(json!([2, 3]), json!([0, 24])), None, 24).is_ok());
    for header in [
        of(json!([2, 3]), json!([0, 28])),
        of(json!([2, 3]), json!([24, 0])),
        of(json!([2, 4]), json!([0, 24])),
        of(json!([u64::MAX, u64::MAX]), json!([0, 24])),
        of(json!([-1]), json!([0, 24])),
        of(json!("2"), json!([0, 24])),
        of(json!([2, 3]), json!([0, 24, 48])),
        "[]".to_owned(),
        "{".to_owned(),
        "[".repeat(100_000),
    ] {
        assert!(
            open(&header, None, 24).is_err(),
            "{}",
            &header[..header.len().min(80)]
        );
    }
    assert!(open("{}", Some(u64::MAX), 0).is_err());
    assert!(open("{}", Some(1 << 40), 0).is_err());
}

#[test]
fn indices_and_configurations_that_lie_are_errors() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/llama");
    let folder = tempfile::tempdir().unwrap();
    let config: Value = serde_json::from_slice(&std::fs::read(fixture.join("config.json")).unwrap()).unwrap();
    let put = |config: &Value| write(folder.path(), "config.json", config.to_string().as_bytes());
    std::fs::copy(
        fixture.join("model.safetensors"),
        folder.path().join("model.safetensors"),
    )
    .unwrap();
    put(&config);
    assert!(Checkpoint::open(folder.path()).is_ok());
    for (field, value) in [
        ("num_hidden_layers", json!(1_u64 << 50)),
        ("num_hidden_layers", json!(-1)),
        ("num_hidden_layers", json!(null)),
        ("hidden_size", json!(0)),
        ("num_attention_heads", json!(0)),
        ("num_attention_heads", json!(1e30)),
        ("num_key_value_heads", json!(3)),
        ("vocab_size", json!("many")),
        ("model_type", json!("mamba")),
        ("hidden_act", json!("quick_gelu")),
        ("rope_parameters", json!({"rope_type": "spiral"})),
        ("rope_parameters", json!({"rope_type": "linear"})),
        ("rms_norm_eps", json!(-1)),
        ("quantization_config", json!({"bits": 4})),
    ] {
        let mut lying = config.clone();
        lying[field] = value.clone();
        put(&lying);
        assert!(Checkpoint::open(folder.path()).is_err(), "{field} = {value}");
    }
    // A structure that reads but does not fit the weights.
    let mut lying = config.clone();
    lying["intermediate_size"] = json!(25);
    put(&lying);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let error = mechanism::decoder::Layer::load(&checkpoint.weights, &checkpoint.config, 0)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("[24, 16]") && error.contains("[25, 16]"),
        "{error}"
    );
    lying = config;
    lying["num_hidden_layers"] = json!(3);
    put(&lying);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let error = mechanism::decoder::Layer::load(&checkpoint.weights, &checkpoint.config, 2)
        .unwrap_err()
        .to_string();
    assert!(error.contains("missing"), "{error}");
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    for (file, word) in [
        (json!("../config.json"), "no safetensors file"),
        (json!("model.safetensors.index.json"), "no safetensors file"),
        (json!("/etc/x.safetensors"), "no safetensors file"),
        (json!("absent.safetensors"), "cannot read"),
        (json!(7), "no safetensors file"),
    ] {
        let index = json!({"weight_map": {"t": file}}).to_string();
        write(folder.path(), "model.safetensors.index.json", index.as_bytes());
        let error = Checkpoint::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}
