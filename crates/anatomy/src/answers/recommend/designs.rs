//! The rows of checkpoints as predictions take them.

use std::collections::BTreeMap;

use catalog::Catalog;
use catalog::cost::{Arithmetic, Counter};
use catalog::plausible::apart;
use catalog::tables::{Checkpoint, ResolvedBy, Structure};
use study::Design;

use crate::answers::known::Known;
use crate::answers::measured;
use crate::answers::predictor::Benchmark;
use crate::answers::score::row;
use crate::answers::structure::structure_of;
use crate::answers::subject::AskedStructure;

/// The rows that any budget may ask a prediction of, for each of `benchmarks`, each row once: known structures that the
/// benchmark's leaderboard did not measure.
pub(in crate::answers) fn designs(catalog: &Catalog, benchmarks: &[&Benchmark]) -> Vec<Vec<Design>> {
    let known = Known::of(catalog);
    let counter = Counter::default();
    let mut found: Vec<BTreeMap<Vec<u64>, Design>> = vec![BTreeMap::new(); benchmarks.len()];
    for (&id, &structure) in &known.structures {
        let checkpoint = known.checkpoints.get(id).copied();
        if structure.resolved_by != ResolvedBy::Exact {
            continue;
        }
        let Ok((cost, _)) = counter.of_checkpoint(structure, checkpoint) else {
            continue;
        };
        for (benchmark, rows) in benchmarks.iter().zip(&mut found) {
            if measured::best(&known, id, &benchmark.name, &benchmark.leaderboard).is_some() {
                continue;
            }
            if let Some(design) = design(benchmark, id, structure, checkpoint, &cost) {
                let key = design.row(0).iter().map(|value| value.to_bits()).collect();
                rows.entry(key).or_insert(design);
            }
        }
    }
    found
        .into_iter()
        .map(|rows| rows.into_values().collect())
        .collect()
}

/// The row of a checkpoint as predictions take it; `None` where a column is not known.
pub(super) fn design(
    benchmark: &Benchmark,
    id: &str,
    structure: &Structure,
    checkpoint: Option<&Checkpoint>,
    cost: &Arithmetic,
) -> Option<Design> {
    let mut shown = structure_of(structure, checkpoint);
    let counted = cost.parameters_total as f64 / 1e9;
    shown.size = shown.size.filter(|&size| !apart(size, counted)).or(Some(counted));
    let asked = AskedStructure {
        id: Some(id.to_owned()),
        structure: shown,
        dimensions: catalog::cost::Dimensions::default(),
        arithmetic: None,
        date: structure.date,
        notes: Vec::new(),
    };
    row(&benchmark.rows.names, &asked, None).ok()
}
