//! The one dimension that a source leaves out, computed from the others and the exact count of parameters.
//!
//! A count is linear in the layers, and in the feed-forward width: `count = outside + layers · (attention + norms +
//! matrices · d_model · d_ffn)`. Where exactly one whole number solves it, over whether the output head is tied, the usual
//! vocabularies of the family and the key and value heads where they are not stated, that number is the dimension.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::recipe::{Recipe, Sizes, layer, outside, recipe, usual_positions, usual_vocabulary};
use crate::known::Known;
use crate::resolve::listed::Listed;
use crate::resolve::pool::{Shape, family_of};

/// Layers that no decoder of today has more of.
const DEEPEST: i128 = 200;
/// A count that is off by this much is the same (buffers, a scale per layer).
const EXACT: i128 = 2_000;
/// Half of the last digit of sizes listed in billions with three decimals, and a little for buffers.
const ROUNDED: i128 = 600_000;
/// Vocabularies of a family that are tried where none is stated.
const VOCABULARIES: usize = 6;

/// Vocabularies of each family, the most common first.
pub(crate) type Vocabularies = BTreeMap<String, Vec<i64>>;

/// The vocabularies that checkpoints of each family state.
pub(crate) fn vocabularies(known: &[Known]) -> Vocabularies {
    let mut counts: BTreeMap<String, BTreeMap<i64, usize>> = BTreeMap::new();
    for entry in known {
        if let (Some(family), Some(vocab)) = (family_of(entry), entry.details.dimensions[5]) {
            *counts.entry(family).or_default().entry(vocab).or_insert(0) += 1;
        }
    }
    let common = |counts: BTreeMap<i64, usize>| {
        let mut all: Vec<_> = counts
            .into_iter()
            .map(|(vocab, count)| (std::cmp::Reverse(count), vocab))
            .collect();
        all.sort_unstable();
        all.into_iter()
            .take(VOCABULARIES)
            .map(|(_, vocab)| vocab)
            .collect()
    };
    counts
        .into_iter()
        .map(|(family, counts)| (family, common(counts)))
        .collect()
}

/// Fills [`Known::computed`] where one dimension is missing.
pub(crate) fn fill(known: &mut [Known]) {
    let vocabularies = vocabularies(known);
    for entry in known.iter_mut() {
        if entry.shape().is_none() {
            let computed = compute(entry, entry.details.dimensions, &vocabularies);
            if computed.is_some() {
                entry.details.computed = computed;
            }
        }
    }
}

/// The shape that `dimensions` and the count of `known` admit, where one of layers and `d_ffn` is missing.
pub(crate) fn compute(
    known: &Known,
    dimensions: [Option<i64>; 7],
    vocabularies: &Vocabularies,
) -> Option<Shape> {
    let [layers, d_model, d_ffn, heads, kv_heads, vocab, pos] = dimensions;
    let (d_model, heads) = (d_model?, heads?);
    if known.is_moe == Some(true) || layers.is_some() == d_ffn.is_some() {
        return None;
    }
    let (count, slack) = counted(known)?;
    let family = family_of(known)?;
    let usual = recipe(&family)?;
    let kinds: Vec<i64> = match kv_heads {
        Some(kv) => vec![kv],
        None if usual.multi_query => vec![1, heads],
        None => vec![heads, 8.min(heads)],
    };
    let own = vocab.map(|vocab| vec![vocab]);
    let default = usual_vocabulary(&family).map(|vocab| vec![vocab]);
    let vocabs = own
        .as_ref()
        .or_else(|| vocabularies.get(&family))
        .or(default.as_ref())?;
    let mut found = BTreeSet::new();
    for (&kv_heads, &vocab) in kinds
        .iter()
        .flat_map(|kv| vocabs.iter().map(move |vocab| (kv, vocab)))
    {
        for tied in [false, true] {
            let recipe = Recipe { tied, ..usual };
            let sizes = Sizes {
                layers: 1,
                d_model,
                d_ffn: d_ffn.unwrap_or(0),
                heads,
                kv_heads,
                head_dim: known.details.head_dim.unwrap_or(d_model / heads.max(1)),
                vocab,
                pos: pos.unwrap_or(usual_positions(&family)),
            };
            for masks in recipe.masks(sizes.pos) {
                let Some(inside) = outside(recipe, sizes).map(|outside| count - outside) else {
                    continue;
                };
                let solved = match layers {
                    None => layer(recipe, sizes).and_then(|one| whole(inside, one + masks, slack, DEEPEST)),
                    Some(layers) => width(
                        recipe,
                        sizes,
                        inside - i128::from(layers) * masks,
                        i128::from(layers),
                        slack,
                    ),
                };
                if let Some(solved) = solved {
                    found.insert([layers.unwrap_or(solved), d_model, d_ffn.unwrap_or(solved), heads]);
                }
            }
        }
    }
    (found.len() == 1).then(|| found.pop_first()).flatten()
}

/// The count of parameters and how far it may be off; nothing of packed weights and of round numbers.
fn counted(known: &Known) -> Option<(i128, i128)> {
    let packed = known.quantized || crate::resolve::listed::is_packed(known);
    if let Some(count) = known
        .details
        .parameters_total
        .filter(|count| !packed && count % 1_000_000 != 0)
    {
        return Some((i128::from(count), EXACT));
    }
    match Listed::of(known) {
        Listed::Counted(size) => Some(((size * 1e9).round() as i128, ROUNDED)),
        _ => None,
    }
}

/// How many times `one` goes into `all`, where it goes nearly without rest.
fn whole(all: i128, one: i128, slack: i128, most: i128) -> Option<i64> {
    if one <= 2 * slack {
        return None;
    }
    let times = (all + one / 2).div_euclid(one);
    ((1..=most).contains(&times) && (all - times * one).abs() <= slack).then_some(times as i64)
}

/// The feed-forward width that fills what `layers` layers leave of `inside`; a multiple of 16 where the count is rounded.
fn width(recipe: Recipe, sizes: Sizes, inside: i128, layers: i128, slack: i128) -> Option<i64> {
    let empty = layer(recipe, Sizes { d_ffn: 0, ..sizes })?;
    let step = if slack > EXACT { 64 } else { 1 };
    let one = layer(recipe, Sizes { d_ffn: step, ..sizes })? - empty;
    let rest = inside - layers * empty;
    let times = whole(rest, layers * one, slack, 1 << 20)?;
    let wide = times * step;
    (wide >= sizes.d_model / 8).then_some(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known::Detail;

    fn known(architecture: &str, dimensions: [Option<i64>; 7], count: i64) -> Known {
        Known {
            architecture: Some(architecture.into()),
            details: Detail {
                dimensions,
                parameters_total: Some(count),
                ..Detail::default()
            }
            .into(),
            ..Known::default()
        }
    }

    #[test]
    fn the_missing_dimension_is_the_one_that_gives_the_count() {
        // Llama-2-7B without layers, then without its feed-forward width.
        let all = [
            Some(32),
            Some(4096),
            Some(11_008),
            Some(32),
            Some(32),
            Some(32_000),
            Some(4096),
        ];
        for missing in [0, 2] {
            let mut dimensions = all;
            dimensions[missing] = None;
            let one = known("LlamaForCausalLM", dimensions, 6_738_415_616);
            assert_eq!(
                compute(&one, one.details.dimensions, &Vocabularies::new()),
                Some([32, 4096, 11_008, 32])
            );
            let round = known("LlamaForCausalLM", dimensions, 7_000_000_000);
            assert_eq!(compute(&round, dimensions, &Vocabularies::new()), None);
        }
    }
}
