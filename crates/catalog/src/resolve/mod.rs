//! How each checkpoint's structure came to be known: `exact`, else `lineage`, else `name`, else `size`, else `none`.

use std::collections::BTreeMap;

use crate::gather::{Gathered, Known};
use crate::sources::organisation;
use crate::tables::{ResolvedBy, Structure};

/// One structure per checkpoint, in the order of `gathered`.
pub(crate) fn structures(gathered: &Gathered) -> Vec<Structure> {
    let by_size = by_size(&gathered.known);
    gathered
        .known
        .iter()
        .map(|known| structure(gathered, known, &by_size))
        .collect()
}

fn structure(gathered: &Gathered, known: &Known, by_size: &BTreeMap<(String, i64), [i64; 4]>) -> Structure {
    let [layers, d_model, d_ffn, heads, kv_heads, vocab_size, pos] = known.dimensions;
    let mut structure = Structure {
        id: known.id.clone(),
        size: known
            .parameters_total
            .map(|count| count as f64 / 1e9)
            .or(known.listed_size),
        d_model,
        d_ffn,
        heads,
        layers,
        kv_heads,
        vocab_size,
        pos,
        date: known.published(),
        ..Structure::default()
    };
    if known.shape().is_some() {
        structure.resolved_by = ResolvedBy::Exact;
        structure.source = gathered
            .sources
            .get(usize::from(known.dimension_sources[0]))
            .cloned();
    } else if let Some(&[layers, d_model, d_ffn, heads]) = size_key(known).and_then(|key| by_size.get(&key)) {
        structure.layers = Some(layers);
        structure.d_model = Some(d_model);
        structure.d_ffn = Some(d_ffn);
        structure.heads = Some(heads);
        structure.resolved_by = ResolvedBy::Size;
    }
    debug_assert!(organisation(&known.id).is_none_or(|o| !o.is_empty()));
    structure
}

fn size_key(known: &Known) -> Option<(String, i64)> {
    Some((
        known.architecture.clone()?,
        (known.listed_size? * 1000.0).round() as i64,
    ))
}

/// Architecture and listed size to shape, where at least 95 % of the checkpoints that are known exactly agree.
fn by_size(known: &[Known]) -> BTreeMap<(String, i64), [i64; 4]> {
    let mut shapes: BTreeMap<(String, i64), BTreeMap<[i64; 4], usize>> = BTreeMap::new();
    for entry in known {
        if let (Some(key), Some(shape)) = (size_key(entry), entry.shape()) {
            *shapes.entry(key).or_default().entry(shape).or_insert(0) += 1;
        }
    }
    shapes
        .into_iter()
        .filter_map(|(key, counts)| {
            let all: usize = counts.values().sum();
            let (shape, most) = counts.into_iter().max_by_key(|&(_, count)| count)?;
            (most * 100 >= all * 95).then_some((key, shape))
        })
        .collect()
}
