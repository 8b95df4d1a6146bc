//! Several networks made from one checkpoint on the same texts: what comes before the first layer in which two of them
//! differ is worked out once.

use std::sync::Arc;

use super::{Group, Progress, Residuals, RunSettings, Through};
use crate::checkpoint::Checkpoint;
use crate::decoder::Machine;
use crate::error::Result;
use crate::site::{Observer, Site};

/// What stands at a site instead of what the layer puts there: the same row at every token.
#[derive(Debug, Clone, PartialEq)]
pub struct Silence {
    /// Where.
    pub site: Site,
    /// The row, as wide as the stream.
    pub row: Arc<Vec<f32>>,
}

/// The layers of a checkpoint that are run, in their order.
#[derive(Debug, Clone)]
pub struct Network<'a> {
    /// The checkpoint, whole or cut.
    pub checkpoint: &'a Checkpoint,
    /// Layers, ascending.
    pub layers: Vec<usize>,
    /// A part that says nothing of its own.
    pub silence: Option<Silence>,
}

impl<'a> Network<'a> {
    /// All layers.
    pub fn whole(checkpoint: &'a Checkpoint) -> Self {
        Self {
            checkpoint,
            layers: (0..checkpoint.config.n_layers).collect(),
            silence: None,
        }
    }

    /// What is silenced in layer `index`.
    fn silenced(&self, index: usize) -> Option<&Silence> {
        self.silence
            .as_ref()
            .filter(|silence| silence.site.layer == index)
    }
}

/// Puts the row where it belongs.
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

/// Work to be done and done, in layers of groups.
struct Count<'a> {
    done: usize,
    total: usize,
    progress: &'a mut dyn FnMut(Progress),
}

/// Runs `groups` through every network; `end` gets each network's number and its residual streams after its last layer,
/// before the final norm, which it may take.
///
/// Networks of the same checkpoint share what they have in common; those that differ from layer `l` on stand apart from there.
///
/// # Errors
/// As [`super::run`]; what `end` fails with.
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

/// Those that go on alike from the `depth`-th layer on, together.
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

/// Layers to be run in all.
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
