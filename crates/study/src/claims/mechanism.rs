//! Claims on what happens inside checkpoints: they need weights, not tables.

use super::{Claim, Evidence, Rule};
use crate::published::PAPER;

/// Claim, place, and the command that tests it on weights of one's own.
const CLAIMS: [(&str, &str, &str, &str); 5] = [
    (
        "pruning.reasoning_falls",
        "Removing layers 21 to 29 of Llama-2-7B costs ARC, HellaSwag and WinoGrande much, MMLU and TruthfulQA little",
        "section 5.1, figure 9",
        "anatomy probe prune --model DIR --layers 21,22,23,24,25,26,27,28,29, then anatomy probe evaluate",
    ),
    (
        "pruning.influence_is_alike",
        "Block Influence by layer is alike over benchmarks",
        "appendix C.2, figure 14",
        "anatomy probe influence --model DIR --texts FILE, once a benchmark",
    ),
    (
        "gradients.deep_layers_arc",
        "Nuclear norms of gradients in deep layers stay high on ARC and low on TruthfulQA",
        "section 5.2, figure 10",
        "anatomy probe gradients --model DIR --data FILE.jsonl, once a benchmark",
    ),
    (
        "gradients.style",
        "Gradients of deep feed-forward layers rise on archaic texts, not on plain or mathematical ones",
        "appendix C.5, figure 17",
        "anatomy probe gradients --model DIR on corpora of each style",
    ),
    (
        "llm.predicts",
        "A language model tuned on structures in words predicts scores reasonably",
        "section 4, table 2",
        "anatomy probe tune --model FILE",
    ),
];

pub(super) fn claims() -> Vec<Claim> {
    let needs = |command: &str| Evidence::cannot(&format!("needs weights: {command}"));
    CLAIMS
        .iter()
        .map(|(id, statement, place, command)| Claim {
            id: (*id).into(),
            statement: (*statement).into(),
            work: PAPER,
            place,
            claimed: 1.0,
            unit: "1 yes, 0 no".into(),
            rule: Rule::AtLeast,
            literature: needs(command),
            strict: Evidence::none(),
            why: String::new(),
        })
        .collect()
}
