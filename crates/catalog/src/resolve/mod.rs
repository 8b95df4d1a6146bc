//! Determines each checkpoint's structure, by the first way that applies: `exact`, else `lineage`, else `name`, else
//! `size`, else `none`.

mod accuracy;
pub(crate) mod admit;
mod ages;
mod calibrate;
pub(crate) mod edits;
pub(crate) mod formula;
mod heads;
mod inside;
pub(crate) mod lineage;
pub(crate) mod listed;
mod memo;
mod name;
mod names;
mod pairs;
pub(crate) mod pool;
pub(crate) mod rest;
mod row;
mod size;
pub(crate) mod stated;
mod telling;
pub(crate) mod template;
mod vocabulary;
pub(crate) mod weight;

pub(crate) use accuracy::{LEFT_OUT, OUTSIDE, in_words};

use std::collections::BTreeMap;

use crate::gather::Gathered;
use crate::known::Known;
use crate::tables::{Accuracy, Conflict, ResolvedBy};
use admit::{Asked, Ground, Why};
use heads::Heads;
use inside::Agreed;
use listed::Listed;
use memo::thin;
use name::Lexicon;
use names::Names;
use pairs::Pairs;
use pool::Pool;
use rest::Rest;
use size::by_size;
use template::{BySize, Shape, family_of};

/// Number of further readings of the names, each using what was learned from the one before.
const READINGS: usize = 2;
/// Number of checkpoints that must have a structure before a counted size alone determines it: among many structures
/// some have a given size by chance.
const ENOUGH: usize = 3;
/// Greatest number of checkpoints from which the meaning of names is learned; of more, an evenly spaced selection. A
/// catalog of millions is resolved from some hundred thousand.
const MOST_LESSONS: usize = 100_000;

/// Everything that the ways of resolving need.
pub(crate) struct Resolver<'a> {
    gathered: &'a Gathered,
    pool: Pool,
    names: Names,
    lexicon: Lexicon,
    pairs: Pairs,
    rest: Rest,
    /// For each shape, on which further columns its checkpoints agree.
    agreed: BTreeMap<Shape, Agreed>,
    heads: Heads,
}

/// A structure found by one way.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    shape: Shape,
    /// Index of the checkpoint that the structure was taken from.
    of: u32,
    /// What disagreed and was disregarded.
    note: Option<String>,
}

/// Structures that a way suggested, with the reasons why they are impossible.
type Refuted = Vec<(Shape, Why)>;

/// The result of resolving one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolution {
    pub(crate) by: ResolvedBy,
    pub(crate) shape: Option<Shape>,
    /// Index of the checkpoint that the structure was taken from.
    pub(crate) from: Option<u32>,
    /// What disagreed, or what other structures were possible.
    pub(crate) note: Option<String>,
}

impl<'a> Resolver<'a> {
    /// Learns from exact structures, and from names of checkpoints whose counted size determines the structure.
    pub(crate) fn new(gathered: &'a Gathered) -> Self {
        Self::learn(gathered, READINGS)
    }

    /// As [`Self::new`], with the given number of further readings of names that could be resolved before.
    fn learn(gathered: &'a Gathered, readings: usize) -> Self {
        let pool = Pool::of(&gathered.known);
        let mut lessons = Vec::new();
        let mut is_lesson = vec![false; gathered.known.len()];
        for (at, known) in gathered.known.iter().enumerate() {
            let listed = Listed::of(known);
            match known.shape() {
                Some(shape) => lessons.push((at as u32, shape)),
                None if known.evaluated && matches!(listed, Listed::Counted(_)) => {
                    let Some(family) = family_of(known) else { continue };
                    if let BySize::One(shape, _) = by_size(&pool, Some(&family), listed, None)
                        && pool
                            .of_shape(shape)
                            .map(|template| template.members.len())
                            .sum::<usize>()
                            >= 2
                    {
                        lessons.push((at as u32, shape));
                    }
                }
                None => {}
            }
            is_lesson[at] = lessons.last().is_some_and(|last| last.0 == at as u32);
        }
        let lessons = thin(lessons, MOST_LESSONS);
        let lexicon = Lexicon::learn(&pool, &gathered.known, &lessons, lessons.len());
        let pairs = Pairs::learn(&gathered.known, &lessons, lessons.len());
        let mut resolver = Self {
            gathered,
            names: Names::of(&pool, &gathered.known),
            pool,
            lexicon,
            pairs,
            rest: Rest::of(&gathered.known),
            agreed: inside::agreed(&gathered.known),
            heads: Heads::of(gathered),
        };
        // Further readings learn also from names that were resolved before; most of these are from other years than the
        // exact ones.
        let certain = lessons.len();
        let untold = |&at: &u32| {
            let known = &gathered.known[at as usize];
            known.evaluated && known.shape().is_none() && !is_lesson[at as usize]
        };
        let untold = thin(
            (0..gathered.known.len() as u32).filter(untold).collect(),
            MOST_LESSONS,
        );
        for _ in 0..readings {
            let told = |&at: &u32| Some((at, resolver.resolve(at, false).shape?));
            let lessons: Vec<_> = lessons
                .iter()
                .copied()
                .chain(untold.iter().filter_map(told))
                .collect();
            resolver.pairs = Pairs::learn(&gathered.known, &lessons, certain);
            resolver.lexicon = Lexicon::learn(&resolver.pool, &gathered.known, &lessons, certain);
        }
        resolver
    }

    /// The structure from its own config.
    fn exact(&self, at: u32) -> Option<(Shape, u32)> {
        Some((self.gathered.known.get(at as usize)?.shape()?, at))
    }

    /// The structure by a way other than the checkpoint's own config; `hidden`: treat that config as unknown. Suggested
    /// structures that are impossible are added to `refuted`.
    fn by(&self, way: ResolvedBy, at: u32, hidden: bool, refuted: &mut Refuted) -> Option<Answer> {
        let all = &self.gathered.known;
        let known = all.get(at as usize)?;
        let bare = hidden.then(|| without_dimensions(known));
        let asked = Asked::of(bare.as_ref().unwrap_or(known));
        let (left_out, own) = (hidden.then_some(at), known.shape().filter(|_| hidden));
        let mut admit = |(shape, of): (Shape, u32), ground| {
            // A structure learned from names that were themselves resolved is represented by a checkpoint that states
            // it.
            let of = if all.get(of as usize)?.shape() == Some(shape) && ground == Ground::Base {
                of
            } else {
                vocabulary::representative(&self.pool, &asked, all, shape, left_out)?
            };
            match asked.admits(&self.pool, shape, all.get(of as usize)?, ground) {
                Ok(note) => Some(Answer { shape, of, note }),
                Err(why) => {
                    refuted.push((shape, why));
                    None
                }
            }
        };
        match way {
            ResolvedBy::Lineage => {
                let found = lineage::ancestor(self.gathered, &self.names, at, left_out)?;
                admit(found, Ground::Base)
            }
            ResolvedBy::Name => {
                let mut held = None;
                self.names.held(all, at, (left_out, own), |shape, of| {
                    held = admit((shape, of), Ground::Base);
                    held.is_some()
                });
                held.or_else(|| admit(self.pairs.tell(all, known, own)?, Ground::Hint))
                    .or_else(|| admit(self.lexicon.by_name(&self.pool, known, hidden)?, Ground::Hint))
            }
            ResolvedBy::Size => match self.sized(asked.known, left_out) {
                BySize::One(shape, of) => admit((shape, of), Ground::Hint),
                BySize::Several(shapes) => {
                    // Structures that are too young or have other experts are not possible.
                    let mut possible = shapes
                        .into_iter()
                        .filter_map(|shape| admit((shape, at), Ground::Hint));
                    possible.next().filter(|_| possible.next().is_none())
                }
                BySize::None => None,
            }
            .or_else(|| admit(self.lexicon.by_census(known, hidden)?, Ground::Hint))
            .filter(|answer| self.is_sure_by_size(&asked, answer, hidden)),
            ResolvedBy::Exact | ResolvedBy::None => None,
        }
    }

    /// Whether a size is enough to choose between known structures. A counted size is. A size in whole billions is only
    /// if it was truncated from a count and nearly all known checkpoints of that size agree, or if the name states the
    /// experts of a mixture. Where the architecture is unknown, no word of the name may indicate other blocks.
    fn is_sure_by_size(&self, asked: &Asked<'_>, answer: &Answer, hidden: bool) -> bool {
        let known = asked.known;
        let states_experts = || {
            asked.mixture
                && asked
                    .stated
                    .iter()
                    .any(|stated| matches!(stated, crate::words::Stated::Mixture(..)))
        };
        let of_family = family_of(&self.gathered.known[answer.of as usize]).unwrap_or_default();
        let decides = if let Listed::Rough(_) = asked.listed {
            let census = || self.lexicon.by_census(known, hidden);
            states_experts() || known.measured && census().is_some_and(|(shape, _)| shape == answer.shape)
        } else {
            let templates = asked.akin(&self.pool, answer.shape);
            let members: usize = templates.iter().map(|template| template.members.len()).sum();
            members >= ENOUGH
        };
        decides && (asked.family.is_some() || !self.lexicon.telling.contradicts(&of_family, known, hidden))
    }

    /// Whether the name of checkpoint `at` contains the whole name of a known checkpoint whose structure it can have.
    fn is_named_otherwise(&self, at: u32, hidden: bool) -> bool {
        let all = &self.gathered.known;
        let asked = Asked::of(&all[at as usize]);
        let own = all[at as usize].shape().filter(|_| hidden);
        !asked.stated.is_empty()
            && self
                .names
                .held(all, at, (hidden.then_some(at), own), |shape, of| {
                    let of = &all[of as usize];
                    asked.admits(&self.pool, shape, of, Ground::Base).is_ok()
                })
                .is_some()
    }

    fn sized(&self, known: &Known, left_out: Option<u32>) -> BySize {
        by_size(
            &self.pool,
            family_of(known).as_deref(),
            Listed::of(known),
            left_out,
        )
    }

    /// Resolves a checkpoint by the most reliable way that gives an answer. `hidden`: treat its own config as unknown.
    pub(crate) fn resolve(&self, at: u32, hidden: bool) -> Resolution {
        if !hidden && let Some((shape, of)) = self.exact(at) {
            return Resolution {
                by: ResolvedBy::Exact,
                shape: Some(shape),
                from: Some(of),
                note: None,
            };
        }
        let mut refuted = Vec::new();
        for way in [ResolvedBy::Lineage, ResolvedBy::Name, ResolvedBy::Size] {
            let answer = self.by(way, at, hidden, &mut refuted);
            // A base with edited layers determines this checkpoint's width, which words and sizes must not override.
            if way == ResolvedBy::Lineage
                && let Some((_, Why::Edited(_))) = refuted.first()
                && !self.is_named_otherwise(at, hidden)
            {
                break;
            }
            if let Some(answer) = answer {
                return Resolution {
                    by: way,
                    shape: Some(answer.shape),
                    from: Some(answer.of),
                    note: answer.note,
                };
            }
        }
        let known = self.gathered.known.get(at as usize);
        let ambiguous = known.and_then(|known| match self.sized(known, None) {
            BySize::Several(shapes) if shapes.len() <= 8 => Some(candidates(&shapes)),
            _ => None,
        });
        Resolution {
            by: ResolvedBy::None,
            shape: None,
            from: None,
            note: ambiguous.or_else(|| {
                refuted
                    .into_iter()
                    .next()
                    .map(|(_, why)| format!("not its base: {}", why.words()))
            }),
        }
    }

    /// The accuracy of each way, and conflicts with left-out structures and with counts from outside boards.
    pub(crate) fn accuracy(&self) -> (Vec<Accuracy>, Vec<Conflict>) {
        let (mut rows, mut off) = accuracy::leave_one_out(self);
        let (outside, outside_off) = accuracy::against_outside(self.gathered, &|at| self.structure(at));
        rows.extend(outside);
        off.extend(outside_off);
        (rows, off)
    }
}

/// A copy of the checkpoint without its dimensions and its count of parameters.
fn without_dimensions(known: &Known) -> Known {
    let mut bare = known.clone();
    bare.details.dimensions = [None; 7];
    bare.details.head_dim = None;
    bare.details.parameters_total = None;
    bare
}

fn candidates(shapes: &[Shape]) -> String {
    let each: Vec<String> = shapes.iter().copied().map(in_words).collect();
    format!("ambiguous: {}", each.join(" | "))
}

#[cfg(test)]
mod tests;
