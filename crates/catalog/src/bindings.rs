//! Consistency rules for structures that were resolved from another checkpoint: such a structure must not be younger
//! than the checkpoint it is given to, and must have the layers that the checkpoint's name and base state.

use std::collections::BTreeMap;

use common::calendar::HUB_FLOOR;

use crate::calendar::DATES_APART;
use crate::catalog::Catalog;
use crate::config::family;
use crate::resolve::edits;
use crate::resolve::stated::near;
use crate::resolve::template::block;
use crate::rule::{RuleCheck, ask};
use crate::tables::{Checkpoint, Days, ResolvedBy, Structure};
use crate::words::{Stated, sizes};

type Shape = [Option<i64>; 4];

fn shape(row: &Structure) -> Shape {
    [row.layers, row.d_model, row.d_ffn, row.heads]
}

/// Whether a structure was taken from another checkpoint, by lineage, name or size.
fn is_taken(row: &Structure) -> bool {
    !matches!(row.resolved_by, ResolvedBy::Exact | ResolvedBy::None)
}

/// The results of the rules, each checked on the structures that were taken from another checkpoint.
pub(crate) fn rules(catalog: &Catalog) -> Vec<RuleCheck> {
    let structures: BTreeMap<&str, &Structure> = catalog
        .structures
        .iter()
        .map(|row| (row.id.as_str(), row))
        .collect();
    let checkpoints: BTreeMap<&str, &Checkpoint> = catalog
        .checkpoints
        .iter()
        .map(|row| (row.id.as_str(), row))
        .collect();
    let blocks = |id: &str| {
        let row = checkpoints.get(id)?;
        let family = family(row.architecture.as_deref(), row.model_type.as_deref())?;
        Some(block(&family).to_owned())
    };
    let key = |row: &Structure| (blocks(&row.id), shape(row), row.vocab_size);
    let mut first: BTreeMap<(Option<String>, Shape, Option<i64>), Days> = BTreeMap::new();
    for row in catalog
        .structures
        .iter()
        .filter(|row| row.resolved_by == ResolvedBy::Exact)
    {
        if let Some(date) = row.date {
            let held = first.entry(key(row)).or_insert(date);
            *held = date.min(*held);
        }
    }
    let taken = || catalog.structures.iter().filter(|row| is_taken(row));
    vec![
        ask(
            "structure_not_younger",
            "a shape and vocabulary taken from another checkpoint were known when this one was published",
            taken(),
            |row| {
                // The family must be known, as it was when the structure was resolved.
                blocks(&row.id)?;
                let date = row.date?;
                let known = *first.get(&key(row))?;
                (row.vocab_size.is_some() && date != HUB_FLOOR && known > date + DATES_APART)
                    .then(|| format!("{}: {}", row.id, crate::calendar::text(date)))
            },
        ),
        ask(
            "layers_of_the_base",
            "a resolved structure has its base's layers, unless architecture or stated size refute the base",
            taken(),
            |row| {
                let own = checkpoints.get(row.id.as_str())?;
                let base = structures.get(own.base.as_deref()?)?;
                let theirs = checkpoints.get(base.id.as_str())?;
                let differs = base.resolved_by == ResolvedBy::Exact && base.layers != row.layers;
                (differs && !is_refuted(own, theirs, base))
                    .then(|| format!("{}: {:?}, {} {:?}", row.id, row.layers, base.id, base.layers))
            },
        ),
        ask(
            "layers_of_the_name",
            "a resolved structure has the layers that the name states",
            taken(),
            |row| {
                let stated = edits::layers(&row.id)?;
                (row.layers != Some(stated)).then(|| row.id.clone())
            },
        ),
    ]
}

/// Whether a declared base is contradicted: its family has another kind of block, or the checkpoint's name states a
/// size that the base does not have.
fn is_refuted(own: &Checkpoint, theirs: &Checkpoint, base: &Structure) -> bool {
    let of = |row: &Checkpoint| family(row.architecture.as_deref(), row.model_type.as_deref());
    let blocks = matches!((of(own), of(theirs)), (Some(own), Some(theirs)) if block(&own) != block(&theirs));
    let stated = sizes(&own.id);
    let far = |size: f64| {
        !stated.is_empty()
            && stated.iter().all(|stated| match *stated {
                Stated::Dense(stated) => !near(stated, size),
                Stated::Mixture(..) => true,
            })
    };
    // A mixture of experts cannot be the base of a checkpoint whose name states a dense size more than 3 % away.
    let mixture = theirs.is_moe == Some(true) && own.is_moe != Some(true);
    let other = |size: f64| {
        !stated.is_empty()
            && stated
                .iter()
                .all(|stated| matches!(*stated, Stated::Dense(stated) if (stated / size).ln().abs() > 0.03))
    };
    blocks || base.size.is_some_and(|size| far(size) || mixture && other(size))
}
