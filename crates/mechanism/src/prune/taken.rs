//! Which rows and columns of each stored tensor stay after a cut: fused tensors hold several parts, and GPT-2's
//! matrices are stored transposed.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::checkpoint::Checkpoint;
use crate::layout::Take;
use crate::weights::{Kind, Lines, Part};

/// Parts outside of layers.
const OUTSIDE: [Part; 4] = [Part::Embedding, Part::Positions, Part::FinalNorm, Part::Head];

/// Converts the rows and columns that stay of a part to those of the tensor that holds it.
fn stored(take: &Take, lines: Lines) -> Lines {
    let within = |range: &Range<usize>, of: Option<Vec<usize>>| -> Vec<usize> {
        match of {
            Some(of) => of.into_iter().map(|line| range.start + line).collect(),
            None => range.clone().collect(),
        }
    };
    match take {
        Take::Rows(range) => Lines {
            rows: Some(within(range, lines.rows)),
            columns: lines.columns,
        },
        // A transposed part, side by side with others.
        Take::Columns(range) => Lines {
            rows: lines.columns,
            columns: Some(within(range, lines.rows)),
        },
        _ => lines,
    }
}

/// Combines what stays of two parts of one tensor; `None` (everything) if either part stays whole.
fn together(a: Lines, b: Lines) -> Lines {
    let both = |a: Option<Vec<usize>>, b: Option<Vec<usize>>| match (a, b) {
        (Some(mut a), Some(b)) => {
            a.extend(b);
            a.sort_unstable();
            a.dedup();
            Some(a)
        }
        _ => None,
    };
    Lines {
        rows: both(a.rows, b.rows),
        columns: both(a.columns, b.columns),
    }
}

/// The rows and columns that stay, by name of the stored tensor; empty if nothing was cut.
pub(super) fn of_tensors(checkpoint: &Checkpoint, layers: &[usize]) -> BTreeMap<String, Lines> {
    let mut all: BTreeMap<String, Lines> = BTreeMap::new();
    let weights = &checkpoint.weights;
    let Some(cut) = weights.cut.as_deref() else {
        return all;
    };
    let c = &cut.whole;
    let inside = |layer: &usize| {
        let layer = *layer;
        Part::of_layer(c, layer)
            .into_iter()
            .map(move |part| (Some(layer), part))
    };
    let of_layers = layers.iter().flat_map(inside);
    for (layer, part) in OUTSIDE.into_iter().map(|part| (None, part)).chain(of_layers) {
        for kind in [Kind::Weight, Kind::Bias] {
            let source = weights.source(c, layer, part, kind);
            if weights.store.shape(&source.name).is_none() {
                continue;
            }
            let mut lines = cut.lines(layer, part, kind);
            if kind == Kind::Bias && matches!(source.take, Take::Columns(_)) {
                // A bias is a vector, however its matrix is stored.
                lines = stored(
                    &match source.take {
                        Take::Columns(range) => Take::Rows(range),
                        other => other,
                    },
                    lines,
                );
            } else {
                lines = stored(&source.take, lines);
            }
            let known = all.remove(&source.name);
            let lines = match known {
                Some(other) => together(other, lines),
                None => lines,
            };
            all.insert(source.name, lines);
        }
    }
    all
}
