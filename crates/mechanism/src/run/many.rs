//! Runs several networks made from one checkpoint on the same texts; the layers before the first in which two of them
//! differ are computed once.

use std::sync::Arc;

use super::{Group, Progress, Residuals, RunSettings, Through};
use crate::checkpoint::Checkpoint;
use crate::decoder::Machine;
use crate::error::Result;
use crate::site::{Observer, Site};

/// A replacement for the activation at a site: the same row for every token.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// The site whose activation is replaced.
    pub site: Site,
    /// The row, of `d_model` values.
    pub row: Arc<Vec<f32>>,
}

/// A checkpoint with the layers that are run.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    /// The checkpoint, whole or cut.
    pub checkpoint: &'a Checkpoint,
    /// Indices of the layers to run, ascending.
    pub layers: Vec<usize>,
    /// A part whose output is replaced, if any.
    pub silence: Option<Silence>,
}

impl<'a> Network<'a> {
    /// The whole checkpoint, with all layers.
    pub fn whole(checkpoint: &'a Checkpoint) -> Self {
        Self {
            checkpoint,
            layers: (0..checkpoint.config.n_layers).collect(),
            silence: None,
        }
    }

    /// The replacement in layer `index`, if there is one.
    fn silenced(&self, index: usize) -> Option<&Silence> {
        self.silence
            .as_ref()
            .filter(|silence| silence.site.layer == index)
    }
}

/// Observer that replaces the activation of a silenced site.
struct Silenced<'a>(Option<&'a Silence>);

impl Observer for Silenced<'_> {
    fn wants(&self, site: Site) -> bool {
        self.0.is_some_and(|silence| silence.site == site)
    }

    fn visit(&mut self, _: Site, _: usize, activation: &[f32]) -> Result<Option<Vec<f32>>> {
        Ok(self.0.map(|silence| {
            silence
                .row
                .iter()
                .copied()
                .cycle()
                .take(activation.len())
                .collect()
        }))
    }
}

/// Progress, counted in layers.
struct Count<'a> {
    done: usize,
    total: usize,
    progress: &'a mut dyn FnMut(Progress),
}

/// Runs `groups` through every network; `end` receives each network's index and its residual streams after its last
/// layer (before the final norm), which it may consume.
///
/// Networks of the same checkpoint share their first layers; from the first different layer on, they are run apart.
///
/// # Errors
/// Those of [`super::run`] and of `end`.
pub(crate) fn run_many<M: Machine>(
    machine: &M,
    networks: &[Network<'_>],
    groups: &[Group],
    settings: &RunSettings,
    progress: &mut dyn FnMut(Progress),
    end: &mut dyn FnMut(usize, &mut Residuals<M>) -> Result<()>,
) -> Result<()> {
    let mut apart: Vec<Vec<usize>> = Vec::new();
    for (i, network) in networks.iter().enumerate() {
        let same = |other: &&mut Vec<usize>| std::ptr::eq(networks[other[0]].checkpoint, network.checkpoint);
        match apart.iter_mut().find(same) {
            Some(members) => members.push(i),
            None => apart.push(vec![i]),
        }
    }
    let total = apart.iter().map(|members| steps(networks, members, 0)).sum();
    let mut count = Count {
        done: 0,
        total,
        progress,
    };
    for members in apart {
        let mut through = Through::new(machine, networks[members[0]].checkpoint, groups, 0)?;
        let streams = through.embedded(settings.spill.as_deref())?;
        branch(networks, &mut through, &members, 0, streams, &mut count, end)?;
    }
    Ok(())
}

/// Partitions networks by their `depth`-th layer: those in one part run the same layer with the same replacement.
/// Networks without such a layer are left out.
fn alike(networks: &[Network<'_>], members: &[usize], depth: usize) -> Vec<Vec<usize>> {
    let mut parts: Vec<Vec<usize>> = Vec::new();
    for &i in members {
        let Some(&layer) = networks[i].layers.get(depth) else {
            continue;
        };
        let same = |part: &&mut Vec<usize>| {
            let other = &networks[part[0]];
            other.layers[depth] == layer && other.silenced(layer) == networks[i].silenced(layer)
        };
        match parts.iter_mut().find(same) {
            Some(part) => part.push(i),
            None => parts.push(vec![i]),
        }
    }
    parts
}

/// Total number of layers to run from depth `depth` on.
fn steps(networks: &[Network<'_>], members: &[usize], depth: usize) -> usize {
    let parts = alike(networks, members, depth);
    parts
        .iter()
        .map(|part| 1 + steps(networks, part, depth + 1))
        .sum()
}

fn branch<M: Machine>(
    networks: &[Network<'_>],
    through: &mut Through<'_, M>,
    members: &[usize],
    depth: usize,
    mut streams: Residuals<M>,
    count: &mut Count<'_>,
    end: &mut dyn FnMut(usize, &mut Residuals<M>) -> Result<()>,
) -> Result<()> {
    let mut parts = alike(networks, members, depth);
    let last = parts.pop();
    for &i in members.iter().filter(|i| networks[**i].layers.len() == depth) {
        if last.is_none() && members.last() == Some(&i) {
            return end(i, &mut streams);
        }
        end(i, &mut streams.again(through.machine)?)?;
    }
    for part in parts {
        let copy = streams.again(through.machine)?;
        step(networks, through, &part, depth, copy, count, end)?;
    }
    match last {
        Some(part) => step(networks, through, &part, depth, streams, count, end),
        None => Ok(()),
    }
}

fn step<M: Machine>(
    networks: &[Network<'_>],
    through: &mut Through<'_, M>,
    part: &[usize],
    depth: usize,
    mut streams: Residuals<M>,
    count: &mut Count<'_>,
    end: &mut dyn FnMut(usize, &mut Residuals<M>) -> Result<()>,
) -> Result<()> {
    let network = &networks[part[0]];
    let layer = network.layers[depth];
    let mut observer = Silenced(network.silenced(layer));
    (count.progress)(Progress {
        stage: "layers",
        done: count.done,
        total: count.total,
        tokens: 0,
    });
    let next = network.layers.get(depth + 1).copied();
    through.layer(layer, next, &mut streams, &mut observer, &mut |_| Ok(()))?;
    count.done += 1;
    branch(networks, through, part, depth + 1, streams, count, end)
}
