//! Identifies the checkpoint of a probe's result, and summarises gradient norms by depth.

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
    /// Reads the checkpoint from a result's `provenance`; without one, it is named after the file.
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

/// Deserialises JSON, with `None` for anything else: the sections on probe results report what cannot be read.
pub(super) trait DeserializeFrom: Sized {
    fn deserialize_from(value: &Value) -> Option<Self>;
}

impl<T: DeserializeOwned> DeserializeFrom for T {
    fn deserialize_from(value: &Value) -> Option<Self> {
        T::deserialize(value).ok()
    }
}

/// Sum of nuclear norms in each layer, over all matrices or only those of the feed-forward part.
fn norms(found: &Gradients, feed_forward: bool) -> Vec<f64> {
    let wanted = |name: &str| !feed_forward || !matches!(name, "q" | "k" | "v" | "o");
    let of_layer = |layer| -> f64 {
        let norms = nuclear_norms(layer).into_iter().filter(|(name, _)| wanted(name));
        norms.map(|(_, norm)| norm).sum()
    };
    found.layers.iter().map(of_layer).collect()
}

/// Sum of nuclear norms of the feed-forward matrices in each layer.
pub(super) fn ffn_norms(found: &Gradients) -> Vec<f64> {
    norms(found, true)
}

/// The deepest third of the layers; `None` with fewer than three layers.
fn deep(by_layer: &[f64]) -> Option<&[f64]> {
    let n = by_layer.len();
    (n >= 3).then(|| &by_layer[n - n / 3..])
}

/// Share of the deepest third of layers in the total nuclear norm, of all matrices or only the feed-forward part.
pub(super) fn deep_share(found: &Gradients, feed_forward: bool) -> Option<f64> {
    let by_layer = norms(found, feed_forward);
    let all: f64 = by_layer.iter().sum();
    let deep: f64 = deep(&by_layer)?.iter().sum();
    (all > 0.0).then(|| deep / all)
}

/// Total nuclear norm of the deepest third of layers, divided by the number of samples.
pub(super) fn deep_norm(found: &Gradients) -> Option<f64> {
    let by_layer = norms(found, false);
    let deep: f64 = deep(&by_layer)?.iter().sum();
    (deep > 0.0).then(|| deep / found.samples as f64)
}
