//! Known structures, each with the sizes that it can have.

use crate::config::family;
use crate::known::Known;

/// Layers, `d_model`, `d_ffn`, heads.
pub(crate) type Shape = [i64; 4];

/// One known structure within a family, with the sizes that its parameters can sum to.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) family: String,
    pub(crate) shape: Shape,
    /// Indices of the checkpoints that have it, ascending.
    pub(crate) members: Vec<u32>,
    /// Sizes that it can have, in billions: with the output head separate or tied, and with one or several experts.
    pub(crate) sizes: Vec<Admitted>,
}

impl Template {
    /// The number of checkpoints that have it, without `left_out`, and the first of these.
    pub(crate) fn without(&self, left_out: Option<u32>) -> (usize, Option<u32>) {
        let is_member = left_out.is_some_and(|out| self.members.binary_search(&out).is_ok());
        let first = self
            .members
            .iter()
            .copied()
            .find(|&member| Some(member) != left_out);
        (self.members.len() - usize::from(is_member), first)
    }
}

/// A size that a template can have.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Admitted {
    /// Size in billions of parameters.
    pub(crate) size: f64,
    /// How far a listed size may lie below or above it, in billions, because of a slightly different vocabulary.
    pub(crate) below: f64,
    pub(crate) above: f64,
    /// Number of experts; 1 where it is dense.
    pub(crate) experts: i64,
    /// Whether it is usual for this structure; false, for example, with the output head tied where the known
    /// checkpoints have a separate one.
    pub(crate) usual: bool,
}

/// The name shared by families with the same kind of blocks, so that a checkpoint of one may carry another's name.
pub(crate) fn block(family: &str) -> &str {
    match family {
        "mistral" | "mixtral" | "yi" | "solar" => "llama",
        other => other,
    }
}

/// The family of a checkpoint.
pub(crate) fn family_of(known: &Known) -> Option<String> {
    family(known.architecture.as_deref(), known.details.model_type.as_deref())
}

/// The structures that a size admits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BySize {
    /// One structure, and a checkpoint that has it.
    One(Shape, u32),
    /// Several structures.
    Several(Vec<Shape>),
    /// No known structure.
    None,
}
