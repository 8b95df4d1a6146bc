//! Named places in the decoder, and observers that see or replace what stands there.

use std::fmt;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::segment::Segment;

/// A place within a block; all have the shape `(tokens, d_model)` per text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The residual stream before the block.
    ResidualIn,
    /// What attention adds, before any norm of it.
    AttentionOut,
    /// The residual stream between attention and feed-forward; no such place in parallel blocks.
    ResidualMiddle,
    /// What the feed-forward part adds, before any norm of it.
    FeedForwardOut,
    /// The residual stream after the block, before the final norm.
    ResidualOut,
}

impl Place {
    /// All places, in the order of the block.
    pub const ALL: [Self; 5] = [
        Self::ResidualIn,
        Self::AttentionOut,
        Self::ResidualMiddle,
        Self::FeedForwardOut,
        Self::ResidualOut,
    ];
}

/// A place in a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Site {
    /// Which place.
    pub place: Place,
    /// Layer, from 0.
    pub layer: usize,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} of layer {}", self.place, self.layer)
    }
}

/// Sees every site of a run; may return values to stand there instead.
pub trait Observer {
    /// Whether [`Observer::visit`] should be called for this site.
    fn wants(&self, site: Site) -> bool;

    /// `activation` is `(tokens, d_model)` of text `text`; `Some` replaces it and must be as long.
    ///
    /// # Errors
    /// Whatever the observer cannot do.
    fn visit(&mut self, site: Site, text: usize, activation: &[f32]) -> Result<Option<Vec<f32>>>;
}

/// Wants nothing.
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

/// Keeps copies.
#[derive(Debug, Default)]
pub struct Record {
    /// Sites to keep.
    pub sites: Vec<Site>,
    /// What stood there: site, text, values `(tokens, d_model)`.
    pub seen: Vec<(Site, usize, Vec<f32>)>,
}

impl Record {
    /// Keeps what stands at these sites.
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

/// Puts other values in place of what stands at one site.
pub struct Replace<F> {
    /// Where.
    pub site: Site,
    /// From text and activation to what shall stand there.
    pub by: F,
}

impl<F: FnMut(usize, &[f32]) -> Vec<f32>> Replace<F> {
    /// Replaces what stands at `site`.
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

/// Shows one place of all texts to the observer and takes what it returns.
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
