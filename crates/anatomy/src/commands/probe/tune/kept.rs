//! Files beside an adapter that allow tuning to be resumed: its settings and the loss of every step.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::report::write_whole;

/// Settings of the tuning.
const SETTINGS: &str = "tune_settings.json";
/// Losses of all steps, an array of numbers.
const LOSSES: &str = "losses.json";

/// Whether `folder` holds an adapter that was begun earlier.
pub(super) fn is_begun(folder: &Path) -> bool {
    folder.join("optimizer.safetensors").exists()
}

pub(super) fn write_settings(folder: &Path, settings: &Map<String, Value>) -> Result<()> {
    let text = serde_json::to_string_pretty(settings)? + "\n";
    write_whole(&folder.join(SETTINGS), text.as_bytes())
}

/// Fails if the adapter in `folder` was begun with other settings than `now`.
pub(super) fn same_settings(folder: &Path, now: &Map<String, Value>) -> Result<()> {
    let path = folder.join(SETTINGS);
    let Ok(text) = std::fs::read(&path) else {
        bail!(
            "the adapter in {} does not say what it was tuned with ({SETTINGS} is not there), so it cannot be gone on with; name another --out",
            folder.display()
        );
    };
    let before: Map<String, Value> =
        serde_json::from_slice(&text).with_context(|| format!("{} is not a JSON object", path.display()))?;
    let unknown = Value::from("not told");
    let differ: Vec<String> = now
        .iter()
        .filter_map(|(name, value)| {
            let then = before.get(name).unwrap_or(&unknown);
            (then != value).then(|| format!("{name} {then} then, {value} now"))
        })
        .collect();
    if differ.is_empty() {
        return Ok(());
    }
    bail!(
        "the adapter in {} was begun with other settings: {}; go on with those, or name another --out",
        folder.display(),
        differ.join("; ")
    )
}

pub(super) fn write_losses(folder: &Path, losses: &[f64]) -> Result<()> {
    write_whole(&folder.join(LOSSES), &serde_json::to_vec(losses)?)
}

/// Losses of the first `steps` steps; empty where they are missing or incomplete.
pub(super) fn losses(folder: &Path, steps: u64) -> Result<Vec<f64>> {
    let path = folder.join(LOSSES);
    if steps == 0 || !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut losses: Vec<f64> = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no array of numbers", path.display()))?;
    // Losses are saved before the adapter: an interruption between the two leaves additional losses.
    losses.truncate(steps as usize);
    Ok(if losses.len() as u64 == steps {
        losses
    } else {
        Vec::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_settings_are_named_with_both_values() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |pairs: &[(&str, Value)]| -> Map<String, Value> {
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect()
        };
        let first = of(&[("rank", 8.into()), ("alpha", 16.0.into())]);
        let refused = |now: &Map<String, Value>| {
            same_settings(folder.path(), now)
                .expect_err("refused")
                .to_string()
        };
        assert!(refused(&first).contains("does not say what it was tuned with"));
        write_settings(folder.path(), &first).expect("written");
        same_settings(folder.path(), &first).expect("the same");
        let text = refused(&of(&[("rank", 8.into()), ("alpha", 32.0.into())]));
        assert!(
            text.contains("alpha 16.0 then, 32.0 now") && !text.contains("rank"),
            "{text}"
        );
        let text = refused(&of(&[
            ("rank", 8.into()),
            ("alpha", 16.0.into()),
            ("seed", 1.into()),
        ]));
        assert!(text.contains("seed \"not told\" then, 1 now"), "{text}");
    }

    #[test]
    fn losses_are_those_of_the_steps_of_the_adapter() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |steps| losses(folder.path(), steps).expect("read");
        assert!(of(3).is_empty());
        write_losses(folder.path(), &[3.0, 2.5, 2.0]).expect("written");
        assert_eq!(of(3), [3.0, 2.5, 2.0]);
        assert_eq!(of(2), [3.0, 2.5], "written before the adapter was");
        assert!(of(4).is_empty() && of(0).is_empty());
    }
}
