//! How each checkpoint's structure came to be known: `exact`, else `lineage`, else `name`, else `size`, else `none`.

mod accuracy;
pub(crate) mod compute;
pub(crate) mod lineage;
mod listed;
mod memo;
mod name;
mod names;
mod pairs;
pub(crate) mod pool;
pub(crate) mod rest;
mod size;
mod stated;
mod weight;
pub(crate) mod words;

use crate::gather::Gathered;
use crate::known::Known;
use crate::tables::{Accuracy, ResolvedBy, Structure};
use lineage::by_lineage;
use listed::Listed;
use memo::thin;
use name::Lexicon;
use names::Names;
use pairs::Pairs;
use pool::{Pool, Shape, family_of};
use rest::Rest;
use size::{BySize, by_size, deeper};
use std::collections::BTreeMap;

/// How often names are read again with what was learned from them.
const READINGS: usize = 2;
/// Checkpoints of which at most is learned what names mean; of more, so many, evenly spread: a catalog of millions is
/// resolved by what some hundred thousand teach.
const MOST_LESSONS: usize = 100_000;

/// Everything that the ways of resolving ask.
pub(crate) struct Resolver<'a> {
    gathered: &'a Gathered,
    pool: Pool,
    names: Names,
    lexicon: Lexicon,
    pairs: Pairs,
    rest: Rest,
    /// Shapes of counted checkpoints that stack the layers of another, and that one's template.
    stacked: BTreeMap<u32, (Shape, u32)>,
}

/// How one checkpoint was resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resolution {
    pub(crate) by: ResolvedBy,
    pub(crate) shape: Option<Shape>,
    /// The checkpoint whose structure it is.
    pub(crate) from: Option<u32>,
    /// What else was possible.
    pub(crate) note: Option<String>,
}

impl<'a> Resolver<'a> {
    /// Learns what is exact, and from names whose size tells their structure for certain.
    pub(crate) fn new(gathered: &'a Gathered) -> Self {
        Self::learn(gathered, READINGS)
    }

    /// The same with so many further readings of names that the first could tell.
    fn learn(gathered: &'a Gathered, readings: usize) -> Self {
        let mut pool = Pool::of(&gathered.known);
        let stacked = stacks(&pool, &gathered.known);
        pool.extend(
            stacked
                .iter()
                .map(|(&at, &(shape, template))| (at, shape, template)),
        );
        let mut lessons = Vec::new();
        let mut is_lesson = vec![false; gathered.known.len()];
        for (at, known) in gathered.known.iter().enumerate() {
            let listed = Listed::of(known);
            match known.settled() {
                Some(shape) => lessons.push((at as u32, shape)),
                None if known.evaluated && matches!(listed, Listed::Counted(_)) => {
                    let Some(family) = family_of(known) else { continue };
                    if let BySize::One(shape, _) = by_size(&pool, Some(&family), listed, None)
                        && (stacked.contains_key(&(at as u32))
                            || pool
                                .of_shape(shape)
                                .map(|template| template.members.len())
                                .sum::<usize>()
                                >= 2)
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
        let pairs = Pairs::learn(&gathered.known, &lessons);
        let mut resolver = Self {
            gathered,
            names: Names::of(&pool, &gathered.known),
            pool,
            lexicon,
            pairs,
            rest: Rest::of(&gathered.known),
            stacked,
        };
        // A second reading: names that the first could tell, most of them of other years than the exact ones, teach too.
        let certain = lessons.len();
        let untold = |&at: &u32| {
            let known = &gathered.known[at as usize];
            known.evaluated && known.settled().is_none() && !is_lesson[at as usize]
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
            resolver.pairs = Pairs::learn(&gathered.known, &lessons);
            resolver.lexicon = Lexicon::learn(&resolver.pool, &gathered.known, &lessons, certain);
        }
        resolver
    }

    /// By its own config.
    fn exact(&self, at: u32) -> Option<(Shape, u32)> {
        Some((self.gathered.known.get(at as usize)?.shape()?, at))
    }

    /// By a way other than its own config; `hidden`: as if its own config were not known.
    fn by(&self, way: ResolvedBy, at: u32, hidden: bool) -> Option<(Shape, u32)> {
        let known = self.gathered.known.get(at as usize)?;
        let left_out = hidden.then_some(at);
        match way {
            ResolvedBy::Lineage => by_lineage(self.gathered, &self.pool, &self.names, at, left_out),
            ResolvedBy::Name => self
                .names
                .held(
                    &self.gathered.known,
                    at,
                    (left_out, known.shape().filter(|_| hidden)),
                    |shape, of| {
                        lineage::fits(&self.pool, known, &self.gathered.known[of as usize], shape)
                            && self.pool.says(known, shape)
                    },
                )
                .or_else(|| {
                    let own = known.shape().filter(|_| hidden);
                    self.pairs.tell(known, own).filter(|&(shape, of)| {
                        lineage::fits(&self.pool, known, &self.gathered.known[of as usize], shape)
                    })
                })
                .or_else(|| self.lexicon.by_name(&self.pool, known, hidden)),
            ResolvedBy::Size => match known
                .details
                .computed
                .map_or_else(|| self.sized(known, left_out), |shape| BySize::One(shape, at))
            {
                BySize::One(shape, of) => Some((shape, of)),
                BySize::None if !hidden && self.stacked.contains_key(&at) => {
                    let (shape, template) = self.stacked[&at];
                    Some((shape, self.pool.templates[template as usize].members[0]))
                }
                _ => self.lexicon.by_census(known, hidden),
            },
            ResolvedBy::Exact | ResolvedBy::None => None,
        }
    }

    fn sized(&self, known: &Known, left_out: Option<u32>) -> BySize {
        by_size(
            &self.pool,
            family_of(known).as_deref(),
            Listed::of(known),
            left_out,
        )
    }

    /// The surest way that answers. `hidden`: as if its own config were not known.
    pub(crate) fn resolve(&self, at: u32, hidden: bool) -> Resolution {
        if !hidden && let Some((shape, of)) = self.exact(at) {
            return Resolution {
                by: ResolvedBy::Exact,
                shape: Some(shape),
                from: Some(of),
                note: None,
            };
        }
        for way in [ResolvedBy::Lineage, ResolvedBy::Name, ResolvedBy::Size] {
            if let Some((shape, of)) = self.by(way, at, hidden) {
                return Resolution {
                    by: way,
                    shape: Some(shape),
                    from: Some(of),
                    note: None,
                };
            }
        }
        let note = self
            .gathered
            .known
            .get(at as usize)
            .and_then(|known| match self.sized(known, None) {
                BySize::Several(shapes) if shapes.len() <= 8 => Some(candidates(&shapes)),
                _ => None,
            });
        Resolution {
            by: ResolvedBy::None,
            shape: None,
            from: None,
            note,
        }
    }

    /// One structure per checkpoint, in the order in which they were gathered.
    pub(crate) fn structure(&self, at: u32) -> Structure {
        let known = &self.gathered.known[at as usize];
        let resolution = self.resolve(at, false);
        let [layers, d_model, d_ffn, heads, kv_heads, vocab_size, pos] = known.details.dimensions;
        let mut structure = Structure {
            id: known.id.to_string(),
            size: best_size(
                known,
                resolution
                    .from
                    .and_then(|of| self.gathered.known.get(of as usize)),
            )
            .or_else(|| weight::billions(&self.pool, known, resolution.shape)),
            d_model,
            d_ffn,
            heads,
            layers,
            kv_heads,
            vocab_size,
            pos,
            date: known.published(),
            date_by: known.published_by().map(|(_, by)| by.to_owned()),
            resolved_by: resolution.by,
            source: None,
            conflicts: resolution.note,
        };
        if let Some(doubt) = size_doubt(known, structure.size) {
            structure.conflicts = Some(
                structure
                    .conflicts
                    .map_or_else(|| doubt.clone(), |note| format!("{note}; {doubt}")),
            );
        }
        if let Some([layers, d_model, d_ffn, heads]) = resolution.shape {
            structure.layers = Some(layers);
            structure.d_model = Some(d_model);
            structure.d_ffn = Some(d_ffn);
            structure.heads = Some(heads);
        }
        if let Some(of) = resolution
            .from
            .and_then(|of| self.gathered.known.get(of as usize))
        {
            let source = self.gathered.source(of.details.dimension_sources[0]);
            if resolution.by == ResolvedBy::Exact {
                structure.source = Some(source);
            } else {
                structure.source = Some(format!("{source}: {}", of.id));
                structure.kv_heads = structure.kv_heads.or(of.details.dimensions[4]);
                structure.vocab_size = structure.vocab_size.or(of.details.dimensions[5]);
                structure.pos = structure.pos.or(of.details.dimensions[6]);
            }
        }
        if let Some(shape) = resolution.shape {
            let cells = [
                &mut structure.kv_heads,
                &mut structure.vocab_size,
                &mut structure.pos,
            ];
            let mut told = Vec::new();
            if cells.iter().any(|cell| cell.is_none()) {
                let answers = self.rest.tell(known, shape, None);
                for ((cell, answer), name) in cells.into_iter().zip(answers).zip(rest::COLUMNS) {
                    if cell.is_none() {
                        *cell = answer;
                        told.extend(answer.map(|_| name));
                    }
                }
            }
            if let (Some(source), false) = (&mut structure.source, told.is_empty()) {
                *source = format!("{source}; {} by the nearest names of the shape", told.join(", "));
            }
        }
        structure
    }

    /// How right each way is.
    pub(crate) fn accuracy(&self) -> Vec<Accuracy> {
        accuracy::leave_one_out(self)
    }
}

/// Checkpoints of leaderboards whose counted size no known structure has, but a known one with more or fewer layers.
fn stacks(pool: &Pool, known: &[Known]) -> BTreeMap<u32, (Shape, u32)> {
    let unsettled = |entry: &&Known| entry.evaluated && entry.settled().is_none();
    let asked = memo::Memo::default();
    let stack = |entry: &Known| {
        let (family, listed) = (family_of(entry), Listed::of(entry));
        asked.get((family.clone(), listed.key()), || {
            let known = by_size(pool, family.as_deref(), listed, None) != BySize::None;
            deeper(pool, family.as_deref(), listed, None).filter(|_| !known)
        })
    };
    (0..)
        .zip(known)
        .filter(|(_, entry)| unsettled(entry))
        .filter_map(|(at, entry)| Some((at, stack(entry)?)))
        .collect()
}

/// Billions of parameters: counted exactly; else as a leaderboard counted them; else those of the checkpoint whose
/// structure this is, where what is listed and stated agrees; else as listed roughly; else as the name states. Sizes of
/// packed weights are none.
fn best_size(known: &Known, from: Option<&Known>) -> Option<f64> {
    let counted = |entry: &Known| {
        entry
            .details
            .parameters_total
            .filter(|_| !listed::is_packed(entry))
            .map(|count| count as f64 / 1e9)
    };
    let stated = words::sizes(&known.id)
        .into_iter()
        .find_map(|stated| match stated {
            words::Stated::Dense(size) => Some(size),
            words::Stated::Mixture(..) => None,
        });
    let listed = Listed::of(known);
    let near = |size: f64| match (listed, stated) {
        (Listed::Rough(listed), _) => size >= listed - 0.75 && size < listed + 1.0,
        (_, Some(stated)) => size < 1.34 * stated && size > stated / 1.34,
        _ => true,
    };
    counted(known)
        .or(match listed {
            Listed::Counted(size) => Some(size),
            _ => None,
        })
        .or_else(|| from.and_then(counted).filter(|&size| near(size)))
        .or(match listed {
            Listed::Rough(size) => Some(size),
            _ => None,
        })
        .or(stated)
}

/// A listed size that is far from the one kept: packed weights, adapters, typing errors.
fn size_doubt(known: &Known, size: Option<f64>) -> Option<String> {
    let (listed, size) = (known.listed_size?, size?);
    (listed > 1.6 * size || size > 1.6 * listed).then(|| format!("size: {listed} listed, {size} kept"))
}

fn candidates(shapes: &[Shape]) -> String {
    let each: Vec<String> = shapes
        .iter()
        .map(|[l, d, f, h]| format!("layers {l}, d_model {d}, d_ffn {f}, heads {h}"))
        .collect();
    format!("ambiguous: {}", each.join(" | "))
}
