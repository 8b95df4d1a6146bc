//! Where oracles and weights lie; a test that misses them says `skipped` and passes.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The repository's root.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Says what a test skips; where `ANATOMY_REQUIRE` names `kind` (data, oracles, browser, cxx, python, weights), the test fails
/// instead.
pub(crate) fn skipped(kind: &str, why: &str) {
    let required = std::env::var("ANATOMY_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|one| one.trim() == kind),
        "ANATOMY_REQUIRE names {kind}: {why}"
    );
    println!("skipped: {why}");
}

/// A file below `../shared` beside the repository.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let file = root().join("../shared").join(path);
    if file.exists() {
        return Some(file);
    }
    skipped("oracles", &format!("../shared/{path} is not here"));
    None
}

/// The GGUF file of SmolLM2: `ANATOMY_TEST_GGUF`, or in `target/`.
pub(crate) fn gguf() -> Option<PathBuf> {
    let named = std::env::var_os("ANATOMY_TEST_GGUF").map(PathBuf::from);
    let file = named.unwrap_or_else(|| root().join("target/SmolLM2-135M-Instruct.Q4_1.gguf"));
    if file.exists() {
        return Some(file);
    }
    skipped(
        "weights",
        "neither ANATOMY_TEST_GGUF nor target/SmolLM2-135M-Instruct.Q4_1.gguf is here",
    );
    None
}

/// A JSON file of the SmolLM2 oracle.
pub(crate) fn oracle(name: &str) -> Option<Value> {
    let path = shared(&format!("oracles/lm/smollm2/{name}"))?;
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

/// A list of numbers.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap())
        .collect()
}

/// A list of ids.
pub(crate) fn ids(value: &Value) -> Vec<u32> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| u32::try_from(v.as_u64().unwrap()).unwrap())
        .collect()
}

/// Greatest absolute difference.
pub(crate) fn furthest(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
