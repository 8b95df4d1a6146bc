//! The methods that a question of the study asks, with their settings.

use anyhow::{Result, bail};
use study::Regression;
use study::regression::{names, with_settings};

use super::input::{Input, split};
use crate::frame::FeatureSet;

/// Our own method, which has features of its own.
pub(super) const STRUCTURAL: &str = "structural";

/// The methods asked for with their settings; by default every one, `structural` too where the columns it needs are
/// among the features.
pub(super) fn chosen(
    input: &Input,
    asked: Option<&str>,
    settings: &[String],
) -> Result<Vec<Box<dyn Regression>>> {
    let asked = asked.map_or_else(
        || {
            let sets = input.sets("structure_date");
            let has = |set: &FeatureSet| SHAPE.iter().all(|column| set.columns.iter().any(|c| c == column));
            let mut names = names();
            if !sets.iter().all(has) {
                names.retain(|name| *name != STRUCTURAL);
            }
            names
        },
        split,
    );
    let unused = settings.iter().find(|setting| {
        let of = setting.split('.').next().unwrap_or_default();
        !asked.contains(&of)
    });
    if let Some(setting) = unused {
        bail!(
            "--set {setting}: not of a method asked for ({})",
            asked.join(", ")
        );
    }
    asked.into_iter().map(|name| method(name, settings)).collect()
}

/// The columns that `structural` cannot do without.
const SHAPE: [&str; 4] = ["layers", "d_model", "d_ffn", "heads"];

/// The method of that name with those of the `settings`, METHOD.NAME=VALUE, that are its own.
pub(super) fn method(name: &str, settings: &[String]) -> Result<Box<dyn Regression>> {
    let mut own = Vec::new();
    for setting in settings {
        let parts = setting
            .split_once('=')
            .and_then(|(key, value)| Some((key.split_once('.')?, value)));
        let Some(((of, key), value)) = parts else {
            bail!("--set {setting}: not of the form METHOD.NAME=VALUE");
        };
        if of == name {
            own.push((key, value));
        }
    }
    match with_settings(name, &own) {
        Some(method) => Ok(method?),
        None => bail!("no method named `{name}`; there are {}", names().join(", ")),
    }
}
