//! Selects the regression methods for a question of the study, with their settings.

use std::sync::Arc;

use anyhow::{Result, bail};
use study::Regression;
use study::regression::{names, with_settings};

use super::input::{Input, split};
use super::llm::{self, LlmAnswers, LlmArgs};
use crate::frame::FeatureSet;

/// Name of this project's own method, which derives its features from the shape columns.
pub(super) const STRUCTURAL: &str = "structural";

/// The chosen methods, and the counts of `llm`'s answers where it is among them.
pub(super) struct Methods {
    pub(super) methods: Vec<Box<dyn Regression>>,
    pub(super) answers: Option<Arc<LlmAnswers>>,
}

/// The requested methods with their settings; by default all but `llm`, and `structural` only where every feature set
/// has the columns that it needs.
pub(super) fn chosen(
    input: &Input,
    asked: Option<&str>,
    settings: &[String],
    llm: &LlmArgs,
) -> Result<Methods> {
    let asked = asked.map_or_else(
        || {
            let sets = input.sets("structure_date");
            let has = |set: &FeatureSet| SHAPE.iter().all(|column| set.columns.iter().any(|c| c == column));
            let mut names = names();
            if !sets.iter().all(has) || input.is_own_table() && input.has_no_features() {
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
            "--set {setting}: not a setting of the chosen methods ({})",
            asked.join(", ")
        );
    }
    let mut answers = None;
    let mut methods: Vec<Box<dyn Regression>> = Vec::new();
    for name in asked {
        if name != llm::NAME {
            methods.push(method(name, settings)?);
            continue;
        }
        let Some(model) = &llm.model else {
            bail!("the method llm tunes a checkpoint: name one with --model");
        };
        let (tuned, counted) = llm.method(model)?;
        methods.push(Box::new(tuned));
        answers = Some(counted);
    }
    Ok(Methods { methods, answers })
}

/// Columns required by `structural`.
const SHAPE: [&str; 4] = ["layers", "d_model", "d_ffn", "heads"];

/// The method of that name with its settings from `settings`, each METHOD.NAME=VALUE; others are ignored.
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
        None => bail!(
            "no method named `{name}`{}; there are {}, llm",
            crate::near::hint(name, names().iter().copied()),
            names().join(", ")
        ),
    }
}
