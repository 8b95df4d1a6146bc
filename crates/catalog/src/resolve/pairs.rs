//! A base named in a name: a word together with a size (`mistral` and 7b, `llama2` and 13b, `solar` and 10 listed) that
//! nearly always goes with one structure.

use std::collections::{BTreeMap, HashMap};

use crate::gather::Known;
use crate::resolve::listed::Listed;
use crate::resolve::pool::{Shape, family_of};
use crate::resolve::words::{Stated, sizes, words};

/// Checkpoints that must have a pair before it says anything.
const ENOUGH: u32 = 2;
/// The same for a word alone, without any size.
const COMMON: u32 = 8;
/// Of those, per cent that must share the structure.
const AGREE: u32 = 97;

/// How often a word and a size go with a structure.
#[derive(Default)]
pub(crate) struct Pairs(HashMap<(String, String), BTreeMap<Shape, (u32, u32)>>);

/// What stands for the sizes of a checkpoint: those its name states, what is listed, its family where that is known.
/// `learning`: the word alone too, which says something of names that state no size.
fn keys(known: &Known, learning: bool) -> Vec<(String, String)> {
    let mut amounts: Vec<String> = sizes(&known.id)
        .into_iter()
        .map(|stated| match stated {
            Stated::Dense(size) => format!("={size}"),
            Stated::Mixture(experts, size) => format!("={experts}x{size}"),
        })
        .collect();
    if let Listed::Rough(size) | Listed::Counted(size) = Listed::of(known) {
        amounts.push(format!("#{}", size.floor()));
    }
    if learning || amounts.is_empty() {
        amounts.push("=".to_owned());
    }
    let family = family_of(known);
    let mut keys = Vec::new();
    for word in words(&known.id) {
        for amount in &amounts {
            keys.push((word.clone(), amount.clone()));
            if let Some(family) = &family {
                keys.push((word.clone(), format!("{family}{amount}")));
            }
        }
    }
    keys
}

impl Pairs {
    /// Learns from checkpoints and their structures.
    pub(crate) fn learn(known: &[Known], lessons: &[(u32, Shape)]) -> Self {
        let mut pairs = Self::default();
        for &(at, shape) in lessons {
            for key in keys(&known[at as usize], true) {
                let entry = pairs.0.entry(key).or_default().entry(shape).or_insert((0, at));
                entry.0 += 1;
            }
        }
        pairs
    }

    /// The structure that a pair of `known` tells, and a checkpoint that has it; nothing where two pairs disagree.
    /// `hidden`: its own structure, if it is to count as unknown.
    pub(crate) fn tell(&self, known: &Known, hidden: Option<Shape>) -> Option<(Shape, u32)> {
        let family = family_of(known);
        let mut told: Option<(Shape, u32)> = None;
        for key in keys(known, false) {
            // With the family known, pairs that ignore it say less than those that do not.
            if family.is_some() && key.1.starts_with(['=', '#']) {
                continue;
            }
            let Some(counts) = self.0.get(&key) else { continue };
            let own = |shape: Shape| u32::from(hidden == Some(shape));
            let all: u32 = counts
                .iter()
                .map(|(&shape, &(count, _))| count.saturating_sub(own(shape)))
                .sum();
            let most = counts
                .iter()
                .map(|(&shape, &(count, at))| (count.saturating_sub(own(shape)), shape, at))
                .max_by_key(|entry| entry.0);
            let Some((count, shape, at)) = most else { continue };
            // Without a size a word must be common, and an organisation's says too little.
            let bare = key.1.ends_with('=');
            if bare && (count < COMMON || key.0.starts_with('@')) {
                continue;
            }
            if count < ENOUGH || count * 100 < all * AGREE {
                continue;
            }
            match told {
                Some((other, _)) if other != shape => return None,
                _ => told = Some((shape, at)),
            }
        }
        told
    }
}
