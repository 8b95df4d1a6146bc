//! Formats the results of an ablation as tables and text.

use mechanism::ablate::Ablation;
use mechanism::ablate::effects::Measure;
use mechanism::ablate::percent;
use mechanism::ablate::screen::{By, Silenced};
use study::section::{Cell, Table};

fn table(id: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    Table {
        id: id.into(),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
        rows,
        ..Table::default()
    }
}

fn measure(measure: Measure) -> &'static str {
    match measure {
        Measure::Score => "score",
        Measure::LogPGold => "log P(gold)",
    }
}

/// Effects by benchmark; only those on scores unless `all`.
pub(super) fn effects(found: &Ablation, all: bool) -> Table {
    let shown = found
        .found
        .effects
        .iter()
        .filter(|effect| all || effect.measure == Measure::Score);
    let rows = shown.map(|effect| {
        let cells: [Cell; 15] = [
            effect.part.name().into(),
            format!("{} %", percent(effect.share)).into(),
            effect.how.name().into(),
            effect.removed_units.into(),
            (100.0 * effect.removed_share).into(),
            (effect.removed_parameters as f64).into(),
            effect.task.as_str().into(),
            measure(effect.measure).into(),
            effect.n.into(),
            effect.before.into(),
            effect.after.into(),
            effect.difference.into(),
            effect.low.into(),
            effect.high.into(),
            (if effect.at_chance { "at chance before" } else { "" }).into(),
        ];
        cells.to_vec()
    });
    let columns = [
        "part",
        "share",
        "how",
        "units",
        "removed %",
        "parameters",
        "task",
        "measure",
        "items",
        "before",
        "after",
        "difference",
        "low",
        "high",
        "note",
    ];
    table("ablate", &columns, rows.collect())
}

/// Change in score per tenth of the parameters removed, by part and benchmark.
pub(super) fn matrix(found: &Ablation) -> Table {
    let rows = found.found.matrix.iter().map(|slope| {
        let cells: [Cell; 9] = [
            slope.part.name().into(),
            slope.how.name().into(),
            slope.task.as_str().into(),
            measure(slope.measure).into(),
            slope.n.into(),
            slope.doses.into(),
            slope.per_tenth.into(),
            slope.low.into(),
            slope.high.into(),
        ];
        cells.to_vec()
    });
    let columns = [
        "part",
        "how",
        "task",
        "measure",
        "items",
        "doses",
        "change per 10 %",
        "low",
        "high",
    ];
    table("ablate-matrix", &columns, rows.collect())
}

/// Contrasts between parts, such as layers against feed-forward width.
pub(super) fn contrasts(found: &Ablation) -> Table {
    let rows = found.found.contrasts.iter().map(|contrast| {
        let cells: [Cell; 7] = [
            contrast.name.as_str().into(),
            contrast.how.name().into(),
            measure(contrast.measure).into(),
            contrast.n.into(),
            contrast.value.into(),
            contrast.low.into(),
            contrast.high.into(),
        ];
        cells.to_vec()
    });
    let columns = [
        "contrast",
        "how",
        "measure",
        "items",
        "loss per 10 %",
        "low",
        "high",
    ];
    table("ablate-contrasts", &columns, rows.collect())
}

/// Change per doubling of a part at constant size.
pub(super) fn at_one_size(found: &Ablation) -> Table {
    let rows = found.found.at_one_size.iter().map(|one| {
        let against: Vec<&str> = one.against.iter().map(|part| part.name()).collect();
        let cells: [Cell; 10] = [
            one.part.name().into(),
            against.join(", ").into(),
            one.how.name().into(),
            one.task.as_str().into(),
            measure(one.measure).into(),
            one.n.into(),
            one.doses.into(),
            one.per_doubling.into(),
            one.low.into(),
            one.high.into(),
        ];
        cells.to_vec()
    });
    let columns = [
        "part",
        "cut instead",
        "how",
        "task",
        "measure",
        "items",
        "doses",
        "change per doubling at one size",
        "low",
        "high",
    ];
    table("ablate-one-size", &columns, rows.collect())
}

/// Effects of silencing single components.
pub(super) fn screen(found: &[Silenced]) -> Table {
    let rows = found.iter().map(|one| {
        let by = match one.by {
            By::Mean => "mean",
            By::Zero => "zero",
        };
        let cells: [Cell; 10] = [
            one.place.as_str().into(),
            one.layer.into(),
            by.into(),
            one.changed.task.as_str().into(),
            measure(one.changed.measure).into(),
            one.changed.n.into(),
            one.changed.before.into(),
            one.changed.after.into(),
            one.changed.low.into(),
            one.changed.high.into(),
        ];
        cells.to_vec()
    });
    let columns = [
        "part", "layer", "by", "task", "measure", "items", "before", "after", "low", "high",
    ];
    table("ablate-screen", &columns, rows.collect())
}

/// Summary of how the tables were made.
pub(super) fn in_words(found: &Ablation, seed: u64) -> String {
    let mut floor: Vec<&str> = Vec::new();
    for effect in found.found.effects.iter().filter(|effect| effect.at_chance) {
        if !floor.contains(&effect.task.as_str()) {
            floor.push(&effect.task);
        }
    }
    let floor = if floor.is_empty() {
        String::new()
    } else {
        format!(
            "; before anything is removed {} cannot be told from guessing: its score has no room to fall, log P(gold) has",
            floor.join(", ")
        )
    };
    format!(
        "{} parameters outside of embeddings; importance on {} texts, {} tokens; {} % intervals: {}; seed {seed}{floor}",
        found.parameters,
        found.calibration_texts,
        found.calibration_tokens,
        100.0 * found.level,
        found.method
    )
}
