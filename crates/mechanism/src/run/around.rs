//! What a layer did to a group, for whoever watches a run.

use super::Group;
use crate::decoder::Machine;
use crate::error::Result;

/// The residual stream around a layer, wherever it lies.
pub trait Around: Sync {
    /// Rows `rows` of the stream before the layer, and after it before any final norm, `d_model` values each.
    ///
    /// # Errors
    /// [`crate::Error::Card`] when they cannot be brought here.
    fn rows(&self, rows: &[usize]) -> Result<[Vec<f32>; 2]>;
    /// The whole stream before the layer, `(rows, d_model)`.
    ///
    /// # Errors
    /// As [`Around::rows`].
    fn before(&self) -> Result<Vec<f32>>;
    /// The whole stream after it.
    ///
    /// # Errors
    /// As [`Around::rows`].
    fn after(&self) -> Result<Vec<f32>>;
    /// Cosines between rows before and after.
    ///
    /// # Errors
    /// As [`Around::rows`].
    fn cosines(&self) -> Result<Vec<f64>>;
}

pub(super) struct OfPass<'a, M: Machine> {
    pub(super) machine: &'a M,
    pub(super) d: usize,
    pub(super) pass: &'a Pass<M>,
}

impl<M: Machine> Around for OfPass<'_, M> {
    fn rows(&self, rows: &[usize]) -> Result<[Vec<f32>; 2]> {
        let of = |stream: &M::Rows| {
            let mut taken = M::Rows::default();
            self.machine
                .take(stream, self.d, &mut rows.iter().copied(), &mut taken);
            self.machine.read(&taken)
        };
        Ok([of(&self.pass.before)?, of(&self.pass.after)?])
    }

    fn before(&self) -> Result<Vec<f32>> {
        self.machine.read(&self.pass.before)
    }

    fn after(&self) -> Result<Vec<f32>> {
        self.machine.read(&self.pass.after)
    }

    fn cosines(&self) -> Result<Vec<f64>> {
        self.machine.cosines(&self.pass.before, &self.pass.after, self.d)
    }
}

/// What a layer did to a group.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Layer, from 0.
    pub layer: usize,
    /// Number of the group.
    pub group: usize,
    /// The texts' rows and the first text's number.
    pub texts: &'a Group,
    /// The residual stream before and after it.
    pub stream: &'a dyn Around,
}

/// A group on its way through a layer.
pub(super) struct Pass<M: Machine> {
    pub(super) before: M::Rows,
    pub(super) after: M::Rows,
}

impl<M: Machine> Default for Pass<M> {
    fn default() -> Self {
        Self {
            before: M::Rows::default(),
            after: M::Rows::default(),
        }
    }
}
