//! Structures that are known exactly, each with the sizes it can have.

use crate::config::family;
use crate::known::Known;

/// Layers, `d_model`, `d_ffn`, heads.
pub(crate) type Shape = [i64; 4];

/// One structure that occurs in the pool, with all that its parameter count needs.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    pub(crate) family: String,
    pub(crate) shape: Shape,
    /// Checkpoints that have it.
    pub(crate) members: Vec<u32>,
    /// Sizes it can have, in billions: its own, untied or tied, as one expert of several.
    pub(crate) sizes: Vec<Admitted>,
}

impl Template {
    /// How many checkpoints have it, that one not counted, and the first of them. Members ascend.
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
    /// Billions.
    pub(crate) size: f64,
    /// How far a listed size may be off: a vocabulary larger or smaller by a little.
    pub(crate) below: f64,
    pub(crate) above: f64,
    /// Experts; 1 where it is dense.
    pub(crate) experts: i64,
    /// Not known to be another than the checkpoints of this structure have: with the output head tied where theirs is not.
    pub(crate) usual: bool,
}

/// Families whose blocks are the same, so that a checkpoint of one may carry another's name.
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

/// What a size admits.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BySize {
    /// One structure, and a checkpoint that has it.
    One(Shape, u32),
    /// Several.
    Several(Vec<Shape>),
    /// None that is known.
    None,
}
