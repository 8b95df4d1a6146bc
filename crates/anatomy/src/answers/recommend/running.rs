//! How a checkpoint would be run under a budget: which type of weights, what it takes, where it lies, how fast it is.

use catalog::cost::{Arithmetic, CacheType, Footprint, InferenceEngine, Placement, Quant, Speed};
use serde::Serialize;

use super::Budget;

/// What a structure costs, kept beside how it would run.
pub(super) type Costing = (Arithmetic, Option<Running>);

/// Memory of one sequence in the engine, bytes.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct MemoryOf {
    /// Positions.
    pub(crate) context: i64,
    pub(crate) cache_type: CacheType,
    pub(crate) weights_bytes: f64,
    /// Keys and values.
    pub(crate) cache_bytes: f64,
    pub(crate) cache_bytes_per_token: f64,
    /// States of layers that keep one instead.
    pub(crate) state_bytes: f64,
    /// What is computed in, on every card.
    pub(crate) overhead_bytes: f64,
    pub(crate) total_bytes: f64,
}

/// One way to run a checkpoint.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Running {
    pub(crate) engine: InferenceEngine,
    /// How the weights are stored.
    pub(crate) quant: Quant,
    pub(crate) memory: MemoryOf,
    /// What is left of the budget, or of the cards where layers lie beside them.
    pub(crate) spare_bytes: f64,
    /// Layers beside the card, where there are any.
    pub(crate) offloaded_layers: usize,
    pub(crate) speed: Option<Speed>,
}

impl Running {
    /// Tokens that are written in a second, at the median.
    pub(crate) fn decodes(&self) -> Option<f64> {
        Some(self.speed.as_ref()?.decode_tokens_per_s.as_ref()?.value)
    }
}

fn memory_of(memory: &Footprint, cards: usize) -> MemoryOf {
    let more = memory.overhead_bytes * (cards - 1) as f64;
    MemoryOf {
        context: memory.context,
        cache_type: memory.cache_type,
        weights_bytes: memory.weights_bytes,
        cache_bytes: memory.cache_bytes,
        cache_bytes_per_token: memory.cache_bytes_per_token,
        state_bytes: memory.state_bytes,
        overhead_bytes: memory.overhead_bytes + more,
        total_bytes: memory.total_bytes + more,
    }
}

fn footprint(cost: &Arithmetic, budget: &Budget, quant: Quant) -> Footprint {
    cost.footprint(budget.engine, quant, budget.cache, budget.context)
}

/// The first type of weights that fits: wholly on the cards by any of them, else with layers beside the cards.
pub(super) fn fitting(cost: &Arithmetic, budget: &Budget) -> Option<Running> {
    let Some(rig) = &budget.rig else {
        return budget.quants.iter().find_map(|&quant| {
            let memory = footprint(cost, budget, quant);
            (memory.total_bytes <= budget.memory_bytes).then(|| Running {
                engine: budget.engine,
                quant,
                spare_bytes: budget.memory_bytes - memory.total_bytes,
                memory: memory_of(&memory, 1),
                offloaded_layers: 0,
                speed: None,
            })
        });
    };
    let placed: Vec<(Footprint, Placement)> = budget
        .quants
        .iter()
        .filter_map(|&quant| {
            let memory = footprint(cost, budget, quant);
            let placement = cost.placed(&memory, rig)?;
            Some((memory, placement))
        })
        .collect();
    let whole = placed.iter().find(|(_, placement)| placement.is_whole());
    // Of those that do not fit as a whole the smallest: what lies beside the card is what makes it slow.
    let (memory, placement) = whole.or_else(|| placed.last())?;
    Some(Running {
        engine: budget.engine,
        quant: memory.quant,
        memory: memory_of(memory, rig.cards),
        spare_bytes: budget.memory_bytes - placement.card_bytes,
        offloaded_layers: placement.layers - placement.layers_on_cards,
        speed: Some(cost.speed_on(rig, memory)),
    })
}

/// What it takes at least: the type of weights that takes the fewest bytes, and those.
pub(super) fn least(cost: &Arithmetic, budget: &Budget) -> Option<(Quant, f64)> {
    let all = budget
        .quants
        .iter()
        .map(|&quant| (quant, footprint(cost, budget, quant).total_bytes));
    all.min_by(|a, b| a.1.total_cmp(&b.1))
}
