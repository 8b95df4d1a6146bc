//! Named places in the decoder, and observers that read or replace the activations there.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::segment::Segment;

/// A place within a block; activations there are `(tokens, d_model)` for each text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The residual stream before the block.
    ResidualIn,
    /// The output of attention, before its norm, if there is one.
    AttentionOut,
    /// The residual stream between attention and feed-forward; absent in parallel blocks.
    ResidualMiddle,
    /// The output of the feed-forward part, before its norm, if there is one.
    FeedForwardOut,
    /// The residual stream after the block, before the final norm.
    ResidualOut,
}

impl Place {
    /// All places, in the order in which a block reaches them.
    pub const ALL: [Self; 5] = [
        Self::ResidualIn,
        Self::AttentionOut,
        Self::ResidualMiddle,
        Self::FeedForwardOut,
        Self::ResidualOut,
    ];
}

/// A place in a certain layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Site {
    /// The place within the layer.
    pub place: Place,
    /// Index of the layer, from 0.
    pub layer: usize,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of layer {}", self.place, self.layer)
    }
}

/// Receives the activations at chosen sites of a run, and may replace them.
pub trait Observer {
    /// Whether [`Observer::visit`] should be called for this site.
    fn wants(&self, site: Site) -> bool;

    /// Receives `activation`, `(tokens, d_model)`, of text `text`; a returned `Some` of the same length replaces it.
    ///
    /// # Errors
    /// Any error of the observer; it ends the run.
    fn visit(&mut self, site: Site, text: usize, activation: &[f32]) -> Result<Option<Vec<f32>>>;
}

/// An observer that wants no site.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Observer for Nobody {
    fn wants(&self, _: Site) -> bool {
        false
    }

    fn visit(&mut self, _: Site, _: usize, _: &[f32]) -> Result<Option<Vec<f32>>> {
        Ok(None)
    }
}

/// An observer that records activations.
#[derive(Debug, Default)]
pub struct Record {
    /// Sites to record.
    pub sites: Vec<Site>,
    /// The recorded activations: site, index of the text, values `(tokens, d_model)`.
    pub seen: Vec<(Site, usize, Vec<f32>)>,
}

impl Record {
    /// Records the activations at these sites.
    pub fn new(sites: Vec<Site>) -> Self {
        Self {
            sites,
            seen: Vec::new(),
        }
    }
}

impl Observer for Record {
    fn wants(&self, site: Site) -> bool {
        self.sites.contains(&site)
    }

    fn visit(&mut self, site: Site, text: usize, activation: &[f32]) -> Result<Option<Vec<f32>>> {
        self.seen.push((site, text, activation.to_vec()));
        Ok(None)
    }
}

/// An observer that replaces the activation at one site.
pub struct Replace<F> {
    /// The site.
    pub site: Site,
    /// Computes the replacement from the index of the text and the activation.
    pub by: F,
}

impl<F: FnMut(usize, &[f32]) -> Vec<f32>> Replace<F> {
    /// Replaces the activation at `site` with the result of `by`.
    pub fn new(site: Site, by: F) -> Self {
        Self { site, by }
    }
}

impl<F: FnMut(usize, &[f32]) -> Vec<f32>> Observer for Replace<F> {
    fn wants(&self, site: Site) -> bool {
        site == self.site
    }

    fn visit(&mut self, _: Site, text: usize, activation: &[f32]) -> Result<Option<Vec<f32>>> {
        Ok(Some((self.by)(text, activation)))
    }
}

/// Shows the observer the activations of all texts at one site, and applies the replacements that it returns.
pub(crate) fn offer(
    observer: &mut dyn Observer,
    site: Site,
    first_text: usize,
    width: usize,
    segments: &[Segment],
    activation: &mut [f32],
) -> Result<()> {
    if !observer.wants(site) {
        return Ok(());
    }
    for (i, segment) in segments.iter().enumerate() {
        let here = &mut activation[segment.rows.start * width..segment.rows.end * width];
        if let Some(other) = observer.visit(site, first_text + i, here)? {
            if other.len() != here.len() {
                return Err(Error::Replacement {
                    site: site.to_string(),
                    found: other.len(),
                    expected: here.len(),
                });
            }
            here.copy_from_slice(&other);
        }
    }
    Ok(())
}
