//! What attention needs to know about a group's rows, the same in all layers: their rotation, and what each attends to.

use super::machine::{Cpu, Machine};
use super::rope::Angles;
use crate::config::{DecoderConfig, Rotary};
use crate::error::Result;
use crate::segment::Segment;

/// Rotation angles of a group's rows for global and local layers, and its texts in the machine's form.
#[derive(Debug)]
pub struct Laid<M: Machine = Cpu> {
    main: Option<M::Angles>,
    local: Option<M::Angles>,
    /// The texts, in the machine's form.
    pub texts: M::Texts,
}

impl<M: Machine> Laid<M> {
    /// For the rows of `segments`.
    ///
    /// # Errors
    /// Those of [`Machine::rows`].
    pub fn new(machine: &M, config: &DecoderConfig, segments: &[Segment]) -> Result<Self> {
        let of = |rotary: &Option<Rotary>| {
            let angles = rotary.as_ref().map(|rotary| Angles::new(rotary, segments));
            angles.map(|angles| machine.angles(angles)).transpose()
        };
        Ok(Self {
            main: of(&config.rotary)?,
            local: of(&config.rotary_local)?,
            texts: machine.texts(segments)?,
        })
    }

    /// Rotation angles in layer `layer`; `None` without rotary embedding.
    pub fn angles(&self, config: &DecoderConfig, layer: usize) -> Option<&M::Angles> {
        if config.rotates_locally(layer) {
            self.local.as_ref()
        } else {
            self.main.as_ref()
        }
    }
}
