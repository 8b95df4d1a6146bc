//! Resolves what a user names to one structure: dimensions, parameter counts, and the assumptions made.

use anyhow::{Context, Result, bail};
use catalog::cost::{Arithmetic, Dimensions};
use catalog::day_text;
use catalog::tables::Days;

use super::known::{Costed, Known};
use super::question::{Question, Subject};
use super::structure::{StructureOf, structure_of};

/// The resolved subject of a question.
pub(crate) struct AskedStructure {
    pub(crate) id: Option<String>,
    pub(crate) structure: StructureOf,
    /// Dimensions from which sweeps start.
    pub(crate) dimensions: Dimensions,
    pub(crate) arithmetic: Option<Arithmetic>,
    /// Date of publication, where known or given.
    pub(crate) date: Option<Days>,
    pub(crate) notes: Vec<String>,
}

impl AskedStructure {
    /// The value of a regression feature; `None` where it is not known. `last_date` replaces a missing date.
    pub(crate) fn column(&self, name: &str, last_date: Option<f64>) -> Option<f64> {
        let count = |value: Option<i64>| value.map(|value| value as f64);
        let flag = |value: Option<bool>| Some(f64::from(u8::from(value.unwrap_or(false))));
        match name {
            "layers" => count(self.structure.layers),
            "d_model" => count(self.structure.d_model),
            "d_ffn" => count(self.structure.d_ffn),
            "heads" => count(self.structure.heads),
            "kv_heads" => count(self.structure.kv_heads.or(self.structure.heads)),
            "vocab_size" => count(self.structure.vocab_size),
            "pos" => count(self.structure.pos),
            "size" => self.structure.size,
            "date" => self.date.map(f64::from).or(last_date),
            "pretrained" => flag(self.structure.pretrained),
            "merged" => flag(self.structure.merged),
            _ => None,
        }
    }
}

/// Resolves the subject of a question.
///
/// # Errors
/// An unknown id (with similar ids as suggestions), or a structure without the dimensions that a prediction needs.
pub(crate) fn resolve(known: &Known<'_>, question: &Question) -> Result<AskedStructure> {
    let mut asked = match &question.subject {
        Subject::Id(id) => of_id(known, known.id(id)?)?,
        Subject::Config { name, config } => of_config(name, config)?,
        Subject::Dimensions(dimensions) => of_dimensions(dimensions)?,
    };
    if let Some(date) = question.date {
        asked.date = Some(date);
    }
    asked.structure.date = asked.date.map(day_text);
    asked.structure.date_assumed = asked.date.is_none();
    let assume = |given: Option<bool>, found: Option<bool>| Some(given.or(found).unwrap_or(false));
    asked.structure.pretrained = assume(question.pretrained, asked.structure.pretrained);
    asked.structure.merged = assume(question.merged, asked.structure.merged);
    if asked.date.is_none() {
        asked.notes.push(
            "no date: each benchmark is predicted as of the last day that its rows know; --date sets one"
                .into(),
        );
    }
    Ok(asked)
}

fn of_id(known: &Known<'_>, id: &str) -> Result<AskedStructure> {
    let checkpoint = known.checkpoints.get(id).copied();
    let structure = known
        .structures
        .get(id)
        .copied()
        .filter(|structure| structure.layers.is_some() && structure.d_model.is_some())
        .with_context(|| format!("the catalog does not know the structure of `{id}`"))?;
    let mut notes = Vec::new();
    let Costed {
        arithmetic,
        size,
        note,
    } = known.costed(structure, checkpoint);
    notes.extend(note);
    let mut shown = structure_of(structure, checkpoint);
    shown.size = size;
    if shown.size.is_none() {
        shown.size = arithmetic.as_ref().map(|cost| cost.parameters_total as f64 / 1e9);
    }
    let tells_key_heads =
        |cost: &Arithmetic| cost.notes.iter().any(|note| note.starts_with("key-value heads"));
    if shown.kv_heads.is_none() && !arithmetic.as_ref().is_some_and(tells_key_heads) {
        notes.push("key and value heads are not known: taken as many as heads".into());
    }
    if checkpoint.and_then(|c| c.flagged) == Some(true) {
        notes.push("a leaderboard flagged this checkpoint or an ancestor of it".into());
    }
    let mut dimensions = Dimensions::of_row(structure);
    dimensions.family = catalog::config::family(
        checkpoint.and_then(|c| c.architecture.as_deref()),
        checkpoint.and_then(|c| c.model_type.as_deref()),
    );
    Ok(AskedStructure {
        id: Some(id.to_owned()),
        date: structure.date,
        structure: shown,
        dimensions,
        arithmetic,
        notes,
    })
}

fn of_config(name: &str, config: &serde_json::Value) -> Result<AskedStructure> {
    let arithmetic = Arithmetic::of_config(config).with_context(|| name.to_owned())?;
    let dimensions = Dimensions::of_config(config);
    Ok(AskedStructure {
        id: Some(name.to_owned()),
        structure: given(&dimensions, &arithmetic),
        dimensions,
        arithmetic: Some(arithmetic),
        date: None,
        notes: Vec::new(),
    })
}

/// Rejects impossible dimensions before anything is computed from them.
fn possible(asked: &Dimensions) -> Result<()> {
    let divides = |part: i64, whole: i64| part > 0 && whole % part == 0;
    if let (Some(heads), Some(d_model), None) = (asked.heads, asked.d_model, asked.head_dim)
        && !divides(heads, d_model)
    {
        bail!(
            "{heads} heads do not divide d_model {d_model}: give a d_model that they divide, or the width of a head (head_dim)"
        );
    }
    if let (Some(heads), Some(kv_heads)) = (asked.heads, asked.kv_heads)
        && !divides(kv_heads, heads)
    {
        bail!(
            "{kv_heads} key and value heads do not divide {heads} heads: each serves as many heads as the others"
        );
    }
    if let (Some(experts), Some(used)) = (asked.experts, asked.experts_per_token)
        && used > experts
    {
        bail!("one token cannot use {used} of {experts} experts");
    }
    Ok(())
}

/// Missing dimensions are filled in with Llama's usual proportions.
fn of_dimensions(given_dimensions: &Dimensions) -> Result<AskedStructure> {
    possible(given_dimensions)?;
    let mut dimensions = given_dimensions.clone();
    let mut notes = Vec::new();
    let mut assume = |name: &str, slot: &mut Option<i64>, value: Option<i64>, why: &str| {
        if slot.is_none()
            && let Some(value) = value
        {
            *slot = Some(value);
            notes.push(format!("{name} not given: {value}, {why}"));
        }
    };
    let width = dimensions.d_model;
    let head = dimensions.head_dim.unwrap_or(128).max(1);
    assume(
        "heads",
        &mut dimensions.heads,
        width.map(|width| (width / head).max(1)),
        "heads of 128",
    );
    let heads = dimensions.heads;
    assume("kv_heads", &mut dimensions.kv_heads, heads, "as many as heads");
    assume(
        "d_ffn",
        &mut dimensions.d_ffn,
        width.map(|width| width.saturating_mul(8).div_euclid(3).saturating_add(255) / 256 * 256),
        "eight thirds of d_model, up to the next multiple of 256, as Llama has it",
    );
    assume(
        "vocab_size",
        &mut dimensions.vocab_size,
        Some(32_000),
        "Llama 2's",
    );
    let arithmetic = Arithmetic::of_dimensions(&dimensions)?;
    Ok(AskedStructure {
        id: None,
        structure: given(&dimensions, &arithmetic),
        dimensions,
        arithmetic: Some(arithmetic),
        date: None,
        notes,
    })
}

/// The form in which answers show a structure that the user gave.
pub(crate) fn given(dimensions: &Dimensions, arithmetic: &Arithmetic) -> StructureOf {
    StructureOf {
        family: dimensions.family.clone(),
        layers: dimensions.layers,
        d_model: dimensions.d_model,
        d_ffn: dimensions.d_ffn,
        heads: dimensions.heads,
        kv_heads: dimensions.kv_heads,
        vocab_size: dimensions.vocab_size,
        pos: dimensions.pos,
        size: Some(arithmetic.parameters_total as f64 / 1e9),
        resolved_by: "given".into(),
        ..StructureOf::default()
    }
}
