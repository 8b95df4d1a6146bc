//! A checkpoint that was probed, and what is read of its results.

use mechanism::gradients::Gradients;
use serde::de::DeserializeOwned;
use serde_json::Value;
use study::weights::Witness;

use super::gradients::nuclear_norms;

/// A checkpoint that was probed.
#[derive(Clone)]
pub(super) struct Model {
    pub(super) name: String,
    pub(super) sha256: String,
    pub(super) seed: Option<u64>,
}

impl Model {
    /// From a result's `provenance`; named as its file where there is none.
    pub(super) fn of(result: &Value, file: &str) -> Self {
        let provenance = &result["provenance"];
        let named = provenance["model"]["name"].as_str().unwrap_or(file);
        let last = named.trim_end_matches('/').rsplit('/').next().unwrap_or(named);
        Self {
            name: last.trim_end_matches(".gguf").to_owned(),
            sha256: provenance["model"]["sha256"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            seed: provenance["seed"].as_u64(),
        }
    }

    pub(super) fn witness(
        &self,
        claim: &'static str,
        what: &'static str,
        value: f64,
        n: usize,
        method: &str,
    ) -> Witness {
        Witness {
            claim,
            what,
            checkpoint: self.name.clone(),
            sha256: self.sha256.clone(),
            value,
            above: 0.0,
            unit: "1",
            interval: None,
            n,
            method: method.to_owned(),
            seed: self.seed,
            note: String::new(),
        }
    }
}

/// From JSON, or nothing where it is something else: what cannot be read is told by the sections of results.
pub(super) trait DeserializeFrom: Sized {
    fn deserialize_from(value: &Value) -> Option<Self>;
}

impl<T: DeserializeOwned> DeserializeFrom for T {
    fn deserialize_from(value: &Value) -> Option<Self> {
        T::deserialize(value).ok()
    }
}

/// Nuclear norms of each layer's matrices together: of all, or of those of the feed-forward part.
fn norms(found: &Gradients, feed_forward: bool) -> Vec<f64> {
    let wanted = |name: &str| !feed_forward || !matches!(name, "q" | "k" | "v" | "o");
    let of_layer = |layer| -> f64 {
        let norms = nuclear_norms(layer).into_iter().filter(|(name, _)| wanted(name));
        norms.map(|(_, norm)| norm).sum()
    };
    found.layers.iter().map(of_layer).collect()
}

/// Nuclear norms of each layer's feed-forward matrices together.
pub(super) fn ffn_norms(found: &Gradients) -> Vec<f64> {
    norms(found, true)
}

/// The deep third of layers.
fn deep(by_layer: &[f64]) -> Option<&[f64]> {
    let n = by_layer.len();
    (n >= 3).then(|| &by_layer[n - n / 3..])
}

/// Share of the deep third of layers in the sum of nuclear norms, of all matrices or those of the feed-forward part.
pub(super) fn deep_share(found: &Gradients, feed_forward: bool) -> Option<f64> {
    let by_layer = norms(found, feed_forward);
    let all: f64 = by_layer.iter().sum();
    let deep: f64 = deep(&by_layer)?.iter().sum();
    (all > 0.0).then(|| deep / all)
}

/// Sum of nuclear norms over the deep third of layers, a sample.
pub(super) fn deep_norm(found: &Gradients) -> Option<f64> {
    let by_layer = norms(found, false);
    let deep: f64 = deep(&by_layer)?.iter().sum();
    (deep > 0.0).then(|| deep / found.samples as f64)
}
