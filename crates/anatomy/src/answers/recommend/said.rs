//! The answer in sentences, and what must be known of it.

use catalog::cost::Quant;

use super::Budget;
use super::ability::{Abilities, Ranked, is_tie};
use super::candidates::Fit;
use super::copies::BitsCost;

/// A smaller one is named where it takes this share of the first's memory at most.
const SMALLER: f64 = 0.75;

fn gigabytes(bytes: f64) -> String {
    format!("{:.1} GB", bytes / 1e9)
}

/// `id as Q4_K_M, 5.3 GB with 8192 tokens`.
fn as_run(row: &Ranked) -> String {
    let running = &row.running;
    format!(
        "{} as {}, {} with {} tokens of context",
        row.id,
        running.quant.name(),
        gigabytes(running.memory.total_bytes),
        running.memory.context
    )
}

/// What to take and why, what would do in less memory, and which copy to take.
pub(super) fn answer(ranking: &[Ranked], budget: &Budget) -> Vec<String> {
    // A base checkpoint is taken where nothing else is of the first group.
    let of_first_group = ranking.iter().take_while(|row| row.group == 1);
    let tuned = of_first_group.clone().find(|row| !row.is_base());
    let Some(first) = tuned.or(ranking.first()) else {
        return Vec::new();
    };
    let of_group = ranking.iter().take_while(|row| row.group == 1).count();
    let boards = first.boards.len();
    let alone = match of_group {
        1 => "ahead of all others that fit".to_owned(),
        n => format!(
            "{} of {n} that cannot be told apart",
            if first.rank == 1 {
                "first"
            } else {
                "first tuned to answer"
            }
        ),
    };
    let mut words = vec![format!(
        "Take {}: {alone} in {}, by {} (newest score {}); {}.",
        as_run(first),
        budget.what(),
        if boards == 1 {
            first.boards[0].board.clone()
        } else {
            format!("{boards} boards")
        },
        first.newest_score_date.as_deref().unwrap_or("of a day not known"),
        first
            .why
            .split(", ")
            .take(2)
            .filter(|part| !part.contains("group") && !part.contains("ahead"))
            .collect::<Vec<_>>()
            .join(", "),
    )];
    let is_smaller =
        |row: &&Ranked| row.running.memory.total_bytes <= SMALLER * first.running.memory.total_bytes;
    let mut smaller = ranking
        .iter()
        .filter(is_smaller)
        .filter(|row| row.is_base() == first.is_base());
    let next = smaller.next();
    if let Some(row) = next.filter(|row| is_tie(first.posterior, row.posterior)) {
        words.push(format!(
            "Smaller: {}, which cannot be told apart from it.",
            as_run(row)
        ));
    } else if let Some(row) = next {
        words.push(format!(
            "Smaller: {}, expected to score {:.1} where the first scores {:.1} ({}).",
            as_run(row),
            row.ability.value,
            first.ability.value,
            first.ability.on
        ));
    }
    if first.running.quant.bits_of_plain().is_none() {
        words.push(match first.copies.first() {
            Some(copy) => format!(
                "Copy: {copy} (by its name; look for the {} file).",
                first.running.quant.name()
            ),
            None => format!(
                "Copy: no copy known to the catalog; a {} file is to be found or made.",
                first.running.quant.name()
            ),
        });
        words.push(format!(
            "What {} costs in score: {}.",
            first.running.quant.name(),
            first.quantization_cost
        ));
    }
    words
}

/// What must be known of the answer.
pub(super) fn notes(scale: &Abilities<'_>, fits: &[Fit], costs: &[BitsCost], budget: &Budget) -> Vec<String> {
    let mut notes = vec![
        "winner's curse: the first of many entries is partly lucky; expect its true score to be a little lower".to_owned(),
        "inside a group that cannot be told apart, checkpoints of a leaderboard's official providers and those that their own \
         organisation trained from scratch stand first, then the others; each by the lower end of its interval"
            .to_owned(),
    ];
    let is_plain = |quant: &Quant| quant.bits_of_plain().is_some();
    if !budget.quants.iter().all(is_plain) {
        let measured: Vec<String> = costs.iter().map(BitsCost::in_words).collect();
        notes.push(format!(
            "scores were measured at 16 bits nearly all; what other types cost is unknown but where the same checkpoints were run both \
             ways: {}",
            if measured.is_empty() { "nowhere here".to_owned() } else { measured.join("; ") }
        ));
    }
    if let Some(newest) = scale.newest() {
        let n = fits
            .iter()
            .filter(|fit| fit.date.as_deref().is_some_and(|day| day > newest))
            .count();
        notes.push(format!(
            "the newest score that asks for this is of {newest}; {}",
            match n {
                0 => "nothing that fits is known to be newer".to_owned(),
                n => format!("{n} that fit were published later, and no board here can know them"),
            }
        ));
    }
    match &budget.rig {
        Some(_) => notes.push(
            "tokens per second are intervals that held 79 % of community runs on devices and checkpoints left out, \
             one request at a time, the context full"
                .into(),
        ),
        None => notes.push("no device is named, so no speed: --device, or --bandwidth".into()),
    }
    if budget.mode.is_some() {
        notes.push(
            "only runs of the mode asked for count; most boards set none, which counts as plain".into(),
        );
    }
    notes
}
