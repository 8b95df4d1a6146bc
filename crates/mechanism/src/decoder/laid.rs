//! What a group's rows need beside their numbers, the same in all layers: how they are rotated, and which attend to which.

use super::machine::{Cpu, Machine};
use super::rope::Angles;
use crate::config::{DecoderConfig, Rotary};
use crate::error::Result;
use crate::segment::Segment;

/// Angles of a group's rows for both kinds of layers, and its texts as attention takes them.
#[derive(Debug)]
pub struct Laid<M: Machine = Cpu> {
    main: Option<M::Angles>,
    local: Option<M::Angles>,
    /// Texts.
    pub texts: M::Texts,
}

impl<M: Machine> Laid<M> {
    /// Those of `segments`.
    ///
    /// # Errors
    /// As [`Machine::rows`].
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

    /// Angles of layer `layer`.
    pub fn angles(&self, config: &DecoderConfig, layer: usize) -> Option<&M::Angles> {
        if config.rotates_locally(layer) {
            self.local.as_ref()
        } else {
            self.main.as_ref()
        }
    }
}
