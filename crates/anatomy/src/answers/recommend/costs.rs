//! What candidates cost, each structure counted once, on all threads.

use std::collections::HashMap;

use catalog::cost::Counter;
use catalog::tables::{Checkpoint, Structure};
use rayon::prelude::*;

use super::Budget;
use super::running::{Costing, fitting};

/// What a structure costs depends on these alone.
type CostKey = (
    Vec<Option<i64>>,
    Option<u64>,
    [Option<String>; 3],
    Option<bool>,
    Option<i64>,
);

/// Costs under one budget.
pub(super) struct CostTable<'a> {
    budget: &'a Budget,
    counter: Counter,
    counted: HashMap<CostKey, Option<Costing>>,
}

impl<'a> CostTable<'a> {
    pub(super) fn new(budget: &'a Budget) -> Self {
        Self {
            budget,
            counter: Counter::default(),
            counted: HashMap::new(),
        }
    }

    /// Counts them side by side, so that [`CostTable::of`] finds them.
    pub(super) fn count(&mut self, rows: &[(&Structure, Option<&Checkpoint>)]) {
        let by_key: HashMap<CostKey, _> = rows
            .iter()
            .map(|&(structure, checkpoint)| (key(structure, checkpoint), (structure, checkpoint)))
            .collect();
        self.counted = by_key
            .into_par_iter()
            .map(|(key, (structure, checkpoint))| (key, self.costing(structure, checkpoint)))
            .collect();
    }

    /// What one costs, and how it runs where it fits; `None` where its parameters cannot be counted.
    pub(super) fn of(&self, structure: &Structure, checkpoint: Option<&Checkpoint>) -> Option<Costing> {
        let found = self.counted.get(&key(structure, checkpoint));
        found.map_or_else(|| self.costing(structure, checkpoint), Clone::clone)
    }

    fn costing(&self, structure: &Structure, checkpoint: Option<&Checkpoint>) -> Option<Costing> {
        let (cost, _) = self.counter.of_checkpoint(structure, checkpoint).ok()?;
        let running = fitting(&cost, self.budget);
        Some((cost, running))
    }
}

fn key(structure: &Structure, checkpoint: Option<&Checkpoint>) -> CostKey {
    (
        vec![
            structure.layers,
            structure.d_model,
            structure.d_ffn,
            structure.heads,
            structure.kv_heads,
            structure.vocab_size,
            structure.pos,
            structure.head_dim,
            structure.experts,
            structure.tied_embeddings.map(i64::from),
            structure.parameters_active_by_shape,
            checkpoint.and_then(|row| row.parameters_total),
        ],
        structure.size.map(f64::to_bits),
        [
            checkpoint.and_then(|row| row.architecture.clone()),
            checkpoint.and_then(|row| row.model_type.clone()),
            structure.attention.clone(),
        ],
        checkpoint.and_then(|row| row.is_moe),
        checkpoint.and_then(|row| row.parameters_active),
    )
}
