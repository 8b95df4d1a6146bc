//! Folders as people have them: opened where the weights are all there, else told what is there instead.

use std::path::Path;

use mechanism::checkpoint::Checkpoint;
use serde_json::{Value, json};

use crate::families::fixture;
use crate::families::logits;

/// A folder with some files of a fixture.
fn copied(name: &str, files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        std::fs::copy(fixture(name).join(file), folder.path().join(file)).unwrap();
    }
    folder
}

const SHARDS: [&str; 3] = [
    "model-00001-of-00003.safetensors",
    "model-00002-of-00003.safetensors",
    "model-00003-of-00003.safetensors",
];
const INDEX: &str = "model.safetensors.index.json";

fn same(folder: &Path, name: &str) {
    let texts = vec![vec![3, 1, 4, 1, 5]];
    let of = |path: &Path| {
        logits(
            &Checkpoint::open(path).unwrap_or_else(|error| panic!("{error}")),
            &texts,
            8,
        )
    };
    assert_eq!(of(folder), of(&fixture(name)));
}

fn refused(folder: &Path) -> String {
    Checkpoint::open(folder).unwrap_err().to_string()
}

#[test]
fn shards_are_read_without_their_index_and_a_missing_one_is_named() {
    let folder = copied("llama_sharded", &[&["config.json"][..], &SHARDS].concat());
    same(folder.path(), "llama_sharded");
    // An adapter beside them is none of them.
    std::fs::write(folder.path().join("adapter_model.safetensors"), b"no").unwrap();
    same(folder.path(), "llama_sharded");
    std::fs::remove_file(folder.path().join(SHARDS[1])).unwrap();
    let error = refused(folder.path());
    assert!(
        error.contains("2 of 3 shards") && error.contains(SHARDS[1]),
        "{error}"
    );
}

#[test]
fn an_index_stands_in_for_a_single_file_left_from_something_else() {
    let folder = copied("llama_sharded", &[&["config.json", INDEX][..], &SHARDS].concat());
    let header = json!({"other": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).to_string();
    let bytes = [
        &(header.len() as u64).to_le_bytes()[..],
        header.as_bytes(),
        &[0; 4],
    ]
    .concat();
    std::fs::write(folder.path().join("model.safetensors"), bytes).unwrap();
    same(folder.path(), "llama_sharded");
    std::fs::remove_file(folder.path().join(INDEX)).unwrap();
    assert!(
        refused(folder.path()).contains("embed_tokens.weight"),
        "nothing says that the shards are meant"
    );
}

#[test]
fn an_index_may_name_a_tied_head_that_was_dropped_but_nothing_else_that_is_not_there() {
    let folder = copied("llama", &["config.json"]);
    std::fs::copy(
        fixture("llama").join("model.safetensors"),
        folder.path().join("model-00001-of-00001.safetensors"),
    )
    .unwrap();
    let put = |extra: &str| {
        let map = json!({"model.embed_tokens.weight": "model-00001-of-00001.safetensors", extra: "model-00001-of-00001.safetensors"});
        std::fs::write(folder.path().join(INDEX), json!({"weight_map": map}).to_string()).unwrap();
    };
    put("lm_head.weight");
    same(folder.path(), "llama");
    put("model.layers.9.mlp.up_proj.weight");
    assert!(refused(folder.path()).contains("model.layers.9.mlp.up_proj.weight"));
}

#[test]
fn pointers_pickles_and_adapters_are_called_what_they_are() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 100\n";
    let folder = copied("llama", &["config.json"]);
    let single = folder.path().join("model.safetensors");
    std::fs::write(&single, pointer).unwrap();
    for path in [folder.path(), &single] {
        assert!(refused(path).contains("Git LFS pointer"), "{}", refused(path));
    }
    std::fs::rename(&single, folder.path().join("model.gguf")).unwrap();
    assert!(refused(&folder.path().join("model.gguf")).contains("Git LFS pointer"));
    for (file, said) in [
        ("pytorch_model.bin", "PyTorch pickles (pytorch_model.bin)"),
        (
            "adapter_model.safetensors",
            "an adapter (adapter_model.safetensors)",
        ),
        ("adapter_model.bin", "an adapter (adapter_model.bin)"),
        ("weights.safetensors", "name the file itself"),
        ("notes.txt", "holds no checkpoint"),
    ] {
        let folder = copied("llama", &["config.json"]);
        std::fs::write(folder.path().join(file), b"12345678").unwrap();
        let error = refused(folder.path());
        assert!(error.contains(said), "{file}: {error}");
    }
}

#[test]
fn what_stands_beside_a_checkpoint_goes_with_it() {
    let folder = copied("llama", &["config.json", "model.safetensors"]);
    let generation = json!({"eos_token_id": [1, 5]});
    std::fs::write(
        folder.path().join("generation_config.json"),
        generation.to_string(),
    )
    .unwrap();
    std::fs::write(folder.path().join("chat_template.jinja"), "{{ messages }}").unwrap();
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let pruning = mechanism::prune::choose(&mechanism::prune::Choice::Last(1), 2).unwrap();
    mechanism::prune::write_pruned(&checkpoint, &pruning, out.path()).unwrap();
    let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&read("generation_config.json")).unwrap(),
        generation
    );
    assert_eq!(read("chat_template.jinja"), "{{ messages }}");
    assert_eq!(Checkpoint::open(out.path()).unwrap().end_tokens, [1, 5]);
}
