//! The known structures, as candidates for other checkpoints.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::recipe::{Recipe, Sizes, dense, recipe, usual_positions};
use crate::known::Known;
use crate::resolve::ages::Firsts;
use crate::resolve::formula::{WIDE, mixture_size};
use crate::resolve::listed::is_packed;
use crate::resolve::memo::Memo;
use crate::resolve::template::{Admitted, BySize, Shape, Template, block, family_of};

/// All known structures, indexed.
pub(crate) struct Pool {
    pub(crate) templates: Vec<Template>,
    /// Families that a leaderboard names; a checkpoint of unknown family is assumed to be of one of these.
    pub(crate) evaluated: BTreeSet<String>,
    by_family: BTreeMap<String, Vec<u32>>,
    by_shape: BTreeMap<Shape, Vec<u32>>,
    /// First known publication day of each structure, by block, shape and vocabulary; and over all vocabularies.
    pub(crate) first: Firsts,
    /// Cache of the structures that sizes admit, by family and listing.
    pub(crate) by_size: Memo<(Option<String>, (u8, u64)), BySize>,
}

/// Which families' templates are considered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Among<'a> {
    /// Those of one family.
    Family(&'a str),
    /// Those of all families with the same blocks as this one.
    Akin(&'a str),
    /// Those of all families that a leaderboard names.
    Evaluated,
}

impl Pool {
    /// Indices of the templates considered.
    pub(crate) fn among<'a>(&'a self, among: Among<'a>) -> impl Iterator<Item = u32> + 'a {
        self.by_family
            .iter()
            .filter(move |(family, _)| match among {
                Among::Family(one) => family.as_str() == one,
                Among::Akin(one) => block(family) == block(one),
                Among::Evaluated => self.evaluated.contains(*family),
            })
            .flat_map(|(_, numbers)| numbers.iter().copied())
    }

    /// The templates with this shape.
    pub(crate) fn of_shape(&self, shape: Shape) -> impl Iterator<Item = &Template> {
        self.by_shape
            .get(&shape)
            .into_iter()
            .flatten()
            .map(|&at| &self.templates[at as usize])
    }
}

const EXPERTS: [i64; 8] = [2, 3, 4, 5, 6, 7, 8, 16];

impl Pool {
    /// The pool of all structures that are exact in `known`.
    pub(crate) fn of(known: &[Known]) -> Self {
        let mut found: BTreeMap<(String, Shape, i64, i64), Vec<u32>> = BTreeMap::new();
        for (at, entry) in known.iter().enumerate() {
            let (Some(shape), Some(family)) = (entry.shape(), family_of(entry)) else {
                continue;
            };
            let kv_heads = entry.details.dimensions[4].unwrap_or(0);
            let head_dim = entry.details.head_dim.unwrap_or(0);
            found
                .entry((family, shape, kv_heads, head_dim))
                .or_default()
                .push(at as u32);
        }
        let mut vocabularies: BTreeMap<(String, Shape), BTreeMap<i64, usize>> = BTreeMap::new();
        for entry in known {
            if let (Some(shape), Some(family), Some(vocab)) =
                (entry.shape(), family_of(entry), entry.details.dimensions[5])
            {
                *vocabularies
                    .entry((family, shape))
                    .or_default()
                    .entry(vocab)
                    .or_insert(0) += 1;
            }
        }
        let mut of_family: BTreeMap<String, BTreeMap<i64, usize>> = BTreeMap::new();
        for ((family, _), counts) in &vocabularies {
            for (&vocab, count) in counts {
                *of_family
                    .entry(family.clone())
                    .or_default()
                    .entry(vocab)
                    .or_insert(0) += count;
            }
        }
        let templates = found
            .into_iter()
            .map(|((family, shape, kv_heads, head_dim), members)| {
                let own = vocabularies.get(&(family.clone(), shape));
                let vocabularies = usual(own, of_family.get(&family));
                let common = |vocab: i64| {
                    own.is_none_or(|own| {
                        let all: usize = own.values().sum();
                        own.get(&vocab).is_some_and(|&count| count * 20 >= all)
                    })
                };
                let mut sizes = admitted(&family, shape, kv_heads, head_dim, &vocabularies, &common);
                // Where there is no formula, counts stated by a source are used, except for packed weights, whose
                // counts are too small.
                let counted = recipe(&family).is_some();
                for &at in members
                    .iter()
                    .filter(|&&at| !counted && !is_packed(&known[at as usize]))
                {
                    if let Some(count) = known[at as usize].details.parameters_total {
                        let size = count as f64 / 1e9;
                        if !sizes.iter().any(|other| (other.size - size).abs() < 0.0006) {
                            sizes.push(Admitted {
                                size,
                                below: 0.0006,
                                above: 0.0006,
                                experts: 1,
                                usual: true,
                            });
                        }
                    }
                }
                let stated: Vec<f64> = members
                    .iter()
                    .filter(|&&at| !is_packed(&known[at as usize]))
                    .filter_map(|&at| Some(known[at as usize].details.parameters_total? as f64 / 1e9))
                    .collect();
                let near = |size: f64| stated.iter().any(|stated| (stated - size).abs() <= 0.012 * size);
                let is_counted = |admitted: &Admitted| admitted.usual && near(admitted.size);
                if sizes
                    .iter()
                    .any(|admitted| admitted.experts == 1 && is_counted(admitted))
                {
                    for admitted in &mut sizes {
                        admitted.usual = admitted.experts > 1 || is_counted(admitted);
                    }
                }
                Template {
                    family,
                    shape,
                    members,
                    sizes,
                }
            })
            .collect();
        let evaluated = known
            .iter()
            .filter(|entry| entry.evaluated)
            .filter_map(family_of)
            .collect();
        let mut pool = Self {
            templates,
            evaluated,
            by_family: BTreeMap::new(),
            by_shape: BTreeMap::new(),
            first: Firsts::of(known),
            by_size: Memo::default(),
        };
        pool.index();
        pool
    }

    fn index(&mut self) {
        self.by_size.clear();
        self.by_family.clear();
        self.by_shape.clear();
        for (at, template) in self.templates.iter().enumerate() {
            self.by_family
                .entry(template.family.clone())
                .or_default()
                .push(at as u32);
            self.by_shape.entry(template.shape).or_default().push(at as u32);
        }
    }
}

fn admitted(
    family: &str,
    shape: Shape,
    kv_heads: i64,
    head_dim: i64,
    vocabularies: &BTreeSet<i64>,
    common: &dyn Fn(i64) -> bool,
) -> Vec<Admitted> {
    let mixture = family == "mixtral";
    let Some(recipe) = recipe(if mixture { "llama" } else { family }) else {
        return Vec::new();
    };
    let [layers, d_model, d_ffn, heads] = shape;
    let head_dim = if head_dim > 0 {
        head_dim
    } else {
        d_model / heads.max(1)
    };
    let kinds: &[i64] = match (kv_heads, recipe.multi_query) {
        (0, true) => &[1],
        (0, false) => &[0],
        _ => std::slice::from_ref(&kv_heads),
    };
    let mut all = Vec::new();
    for &kv in kinds {
        let kv_heads = if kv == 0 { heads } else { kv };
        for &vocab in vocabularies {
            let sizes = Sizes {
                layers,
                d_model,
                d_ffn,
                heads,
                kv_heads,
                head_dim,
                vocab,
                pos: usual_positions(family),
            };
            for tied in [recipe.tied, !recipe.tied] {
                // In a family with separate heads small checkpoints may have tied ones, but not the other way round.
                let likely = tied == recipe.tied || tied && d_model < WIDE;
                let recipe = Recipe { tied, ..recipe };
                let Some(one) = dense(recipe, sizes) else { continue };
                let slack = d_model as f64 * if tied { 1.0 } else { 2.0 } / 1e9;
                let below = 0.0006 + slack * vocab as f64 * 0.004;
                let above = 0.0006 + slack * vocab as f64 * 0.004;
                if !mixture {
                    for masks in recipe.masks(sizes.pos) {
                        all.push(Admitted {
                            size: (i128::from(one) + i128::from(layers) * masks) as f64 / 1e9,
                            below,
                            above,
                            experts: 1,
                            usual: masks == 0 && likely && common(vocab),
                        });
                    }
                }
                if block(family) == "llama" {
                    for experts in EXPERTS {
                        let Some(size) = mixture_size(recipe, sizes, experts) else {
                            continue;
                        };
                        all.push(Admitted {
                            size,
                            below,
                            above,
                            experts,
                            usual: true,
                        });
                    }
                }
            }
        }
    }
    all
}

/// Vocabulary sizes considered for a structure: its own, and those of its family that differ from one of its own by at
/// most 3 % (added or trimmed tokens); the family's five most common where its own is not known.
fn usual(own: Option<&BTreeMap<i64, usize>>, family: Option<&BTreeMap<i64, usize>>) -> BTreeSet<i64> {
    let mut all: BTreeSet<i64> = own.into_iter().flat_map(BTreeMap::keys).copied().collect();
    let family = family.into_iter().flatten();
    if all.is_empty() {
        let mut common: Vec<_> = family
            .map(|(&vocab, &count)| (std::cmp::Reverse(count), vocab))
            .collect();
        common.sort_unstable();
        all.extend(common.into_iter().take(5).map(|(_, vocab)| vocab));
    } else {
        let near: Vec<i64> = family
            .map(|(&vocab, _)| vocab)
            .filter(|vocab| all.iter().any(|own| (vocab - own).abs() * 100 <= own * 3))
            .collect();
        all.extend(near);
    }
    all
}
