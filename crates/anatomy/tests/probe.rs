//! What results of probes say they were made from.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::command::{anatomy, root};

fn sha256(bytes: &[u8]) -> String {
    let digits: Vec<String> = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    digits.concat()
}

/// A folder with a small checkpoint in three files, texts, samples, requests and a benchmark.
pub(crate) fn made() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let model = folder.path().join("model");
    fs::create_dir(&model).expect("a folder");
    let fixture = root().join("crates/mechanism/tests/fixtures/llama_sharded");
    for entry in fs::read_dir(fixture).expect("the fixture") {
        let path = entry.expect("an entry").path();
        fs::copy(&path, model.join(path.file_name().expect("a name"))).expect("copied");
    }
    let words = [
        "<s>", "</s>", "?", "Alice", "gave", "Bob", "a", "book", "because", "she", "was", "kind", ".",
    ];
    let vocab: serde_json::Map<String, Value> = words
        .iter()
        .enumerate()
        .map(|(id, word)| ((*word).to_owned(), json!(id)))
        .collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
        "model": {"type": "WordLevel", "vocab": vocab, "unk_token": "?"}
    });
    fs::write(model.join("tokenizer.json"), tokenizer.to_string()).expect("written");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, text).expect("written");
    };
    put(
        "texts.txt",
        "Alice gave Bob a book .\nBob was kind because she was .\n",
    );
    put(
        "samples.jsonl",
        "{\"prompt\": \"Alice gave\", \"response\": \" Bob a book\"}\n",
    );
    put(
        "requests.jsonl",
        "{\"context\": \"Alice gave\", \"continuation\": \" Bob\"}\n",
    );
    let question = json!({"sentence": "Alice gave Bob a book because _ was kind .", "option1": "Alice", "option2": "Bob", "answer": "1"});
    put("data/winogrande/validation.jsonl", &format!("{question}\n"));
    put("models.txt", &format!("{}\torg/one\n", model.display()));
    folder
}

fn probed(folder: &Path, arguments: &str) -> Value {
    let at = folder.to_str().expect("UTF-8");
    let typed: Vec<String> = arguments
        .split(' ')
        .map(|word| word.replace('@', &format!("{at}/")))
        .collect();
    let mut all = vec!["probe"];
    all.extend(typed.iter().map(String::as_str));
    all.extend(["--format", "json", "-q"]);
    let ran = anatomy(&all);
    assert_eq!(ran.code, 0, "{arguments}: {}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// All that every probe says alike; gives what it was given.
fn checked(folder: &Path, result: &Value, weights_as: &str, without: &Value) -> Vec<(String, usize, String)> {
    assert_eq!(result["schema_version"], 1);
    let provenance = &result["provenance"];
    assert_eq!(provenance["program"], "anatomy");
    assert!(provenance["seed"].is_u64() && provenance["version"].is_string());
    let model = &provenance["model"];
    assert_eq!(model["name"], folder.join("model").display().to_string());
    assert_eq!(
        (&model["weights_as"], &model["computed_as"]),
        (&json!(weights_as), &json!("f32"))
    );
    assert_eq!(&model["without_layers"], without);
    assert_eq!(
        (&model["architecture"], &model["layers"]),
        (&json!("LlamaForCausalLM"), &json!(2))
    );
    assert_eq!(
        model["stored_as"]
            .as_object()
            .map(|types| types.contains_key("F32")),
        Some(true)
    );
    let files = model["files"].as_array().expect("files");
    assert_eq!(files.len(), 3);
    let mut hashes = Vec::new();
    for file in files {
        let bytes =
            fs::read(folder.join("model").join(file["file"].as_str().expect("a name"))).expect("a file");
        assert_eq!(
            (&file["bytes"], &file["sha256"]),
            (&json!(bytes.len()), &json!(sha256(&bytes)))
        );
        hashes.push(sha256(&bytes) + "\n");
    }
    assert_eq!(model["sha256"], sha256(hashes.concat().as_bytes()));
    let inputs = provenance["inputs"].as_array().expect("inputs");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    inputs
        .iter()
        .map(|input| {
            let n = input["n"].as_u64().expect("a number") as usize;
            (text(&input["kind"]), n, text(&input["sha256"]))
        })
        .collect()
}

#[test]
fn every_probe_says_what_it_was_made_from() {
    let folder = made();
    let at = folder.path();
    let of_file = |kind: &str, n: usize, name: &str| {
        (
            kind.to_owned(),
            n,
            sha256(&fs::read(at.join(name)).expect("a file")),
        )
    };
    let none = json!([]);
    let told = |arguments: &str| checked(at, &probed(at, arguments), "f32", &none);
    let texts = of_file("texts", 2, "texts.txt");
    assert_eq!(
        told("influence --model @model --texts @texts.txt --max-block 1"),
        std::slice::from_ref(&texts)
    );
    assert_eq!(
        told("gradients --model @model --data @samples.jsonl"),
        [of_file("data", 1, "samples.jsonl")]
    );
    let tuned = told("tune --model @model --data @samples.jsonl --steps 1 --rank 1 --out @adapter");
    assert_eq!(tuned, [of_file("data", 1, "samples.jsonl")]);
    let tokens = told("tokens --model @model --text Alice");
    assert_eq!(tokens, [("texts".to_owned(), 1, sha256(b"\"Alice\"\n"))]);
    // What is left out, and in which type weights are read.
    let pruned = probed(
        at,
        "prune --model @model --dtype bf16 --layers 1 --requests @requests.jsonl",
    );
    let given = checked(at, &pruned, "bf16", &json!([1]));
    assert_eq!(given, [of_file("requests", 1, "requests.jsonl")]);
    let pruned = probed(
        at,
        "prune --model @model --count 1 --texts @texts.txt --requests @requests.jsonl",
    );
    let given = checked(at, &pruned, "f32", &pruned["removed_layers"]);
    assert_eq!(given, [of_file("requests", 1, "requests.jsonl"), texts]);
    // Side by side each says it for itself.
    let both = probed(
        at,
        "influence --model @model --corpus plain,code --corpus-texts 40 --resamples 0 --max-block 1",
    );
    let of = |name: &str| checked(at, &both[name], "f32", &none);
    assert!(of("plain") != of("code") && of("plain")[0].0 == "corpus" && of("plain")[0].1 == 40);
}

#[test]
fn results_of_the_harness_tell_a_changed_checkpoint_from_the_whole() {
    let folder = made();
    let at = folder.path();
    let asked = "evaluate --model @model --tasks winogrande --shots 0 --data @data";
    let whole = probed(at, &format!("{asked} --items @whole.jsonl"));
    let given = checked(at, &whole, "f32", &json!([]));
    assert!(
        matches!(given.as_slice(), [(kind, 1, _)] if kind == "task"),
        "{given:?}"
    );
    let config = &whole["config"];
    assert_eq!(config["model_args"]["dtype"], "float32");
    assert!(config["model_args"].get("without_layers").is_none());
    assert_eq!(config["model_sha"], whole["provenance"]["model"]["sha256"]);
    let cut = probed(
        at,
        &format!("{asked} --without-layers 1 --dtype bf16 --against @whole.jsonl"),
    );
    let against = checked(at, &cut, "bf16", &json!([1]));
    assert_eq!(against.len(), 2);
    assert_eq!(against[0], given[0], "the same items");
    assert_eq!((against[1].0.as_str(), against[1].1), ("against", 1));
    assert_eq!(cut["config"]["model_args"]["dtype"], "bfloat16");
    assert_eq!(cut["config"]["model_args"]["without_layers"], json!([1]));
    // Of a list: the first time it is opened, the second time its table is whole and it is not.
    let list = "evaluate --models @models.txt --tasks winogrande --shots 0 --data @data --items @answers";
    let first = probed(at, list);
    assert_eq!(checked(at, &first["org/one"], "f32", &json!([])), given);
    let again = probed(at, list);
    let model = &again["org/one"]["provenance"]["model"];
    assert!(
        model.get("sha256").is_none() && model["name"].is_string(),
        "{model}"
    );
    assert_eq!(again["org/one"]["results"], first["org/one"]["results"]);
}

/// Where there is no driver, one sentence says so, and nothing is begun.
#[cfg(feature = "cuda")]
#[test]
fn a_card_that_cannot_be_used_is_refused_in_one_sentence() {
    if Path::new("/dev/nvidia0").exists() {
        return; // then it may well be used
    }
    let folder = made();
    let model = folder.path().join("model");
    let model = model.to_str().expect("UTF-8");
    let out = folder.path().join("adapter");
    let samples = folder.path().join("samples.jsonl");
    let asked: [&[&str]; 4] = [
        &["probe", "device"],
        &["probe", "device", "--check"],
        &[
            "probe",
            "influence",
            "--model",
            model,
            "--corpus",
            "plain",
            "--device",
            "cuda",
        ],
        &[
            "probe",
            "tune",
            "--model",
            model,
            "--data",
            samples.to_str().expect("UTF-8"),
            "--out",
            out.to_str().expect("UTF-8"),
            "--device",
            "cuda",
        ],
    ];
    for arguments in asked {
        let ran = anatomy(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        let wanted = "--device cuda: the card: no driver of NVIDIA is installed here";
        assert!(ran.stderr.contains(wanted), "{arguments:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.trim().lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{}", ran.stdout);
    }
    assert!(!out.exists(), "nothing is begun");
}
