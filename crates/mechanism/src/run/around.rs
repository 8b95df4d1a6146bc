//! A layer's effect on a group of texts, as shown to the observer of a run.

use super::Group;
use crate::decoder::Machine;
use crate::error::Result;

/// The residual stream before and after a layer, wherever it is stored.
pub trait Around: Sync {
    /// Rows `rows` of the stream before the layer and after it (before any final norm), each as `(rows, d_model)`.
    ///
    /// # Errors
    /// [`crate::Error::Card`] if they cannot be read from the GPU.
    fn rows(&self, rows: &[usize]) -> Result<[Vec<f32>; 2]>;
    /// The whole stream before the layer, `(rows, d_model)`.
    ///
    /// # Errors
    /// Those of [`Around::rows`].
    fn before(&self) -> Result<Vec<f32>>;
    /// The whole stream after the layer, `(rows, d_model)`.
    ///
    /// # Errors
    /// Those of [`Around::rows`].
    fn after(&self) -> Result<Vec<f32>>;
    /// Cosine between each row before and after the layer.
    ///
    /// # Errors
    /// Those of [`Around::rows`].
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

/// A layer's effect on a group.
#[derive(Clone, Copy)]
pub struct Step<'a> {
    /// Layer, from 0.
    pub layer: usize,
    /// Index of the group.
    pub group: usize,
    /// The group, with the rows of its texts.
    pub texts: &'a Group,
    /// The residual stream before and after the layer.
    pub stream: &'a dyn Around,
}

/// The residual stream of a group before and after a layer, on the machine.
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
