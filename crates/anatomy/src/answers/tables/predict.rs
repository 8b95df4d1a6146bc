//! Formats the answer of `predict` as a page of tables.

use std::fmt::Write as _;

use catalog::cost::{Footprint, Speed, SpeedOf};
use study::section::{Cell, Table};

use crate::answers::predict::PredictAnswer;
use crate::answers::score::ScoreAnswer;
use crate::answers::tables::sweep::points;
use crate::output::{self, number};

/// The whole answer as text.
pub(crate) fn page(answer: &PredictAnswer) -> String {
    let structure = &answer.structure;
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str(&words);
        text.push('\n');
    };
    if let Some(words) = in_short(answer) {
        line(words);
    }
    let show = |value: Option<i64>| value.map_or("?".to_owned(), |value| value.to_string());
    let of = |value: Option<i64>, what: &str| {
        let plural = if value == Some(1) { "" } else { "s" };
        format!("{} {what}{plural}", show(value))
    };
    line(format!(
        "{}: {}, d_model {}, d_ffn {}, {}, {}, vocabulary {} ({})",
        answer.id.as_deref().unwrap_or("structure"),
        of(structure.layers, "layer"),
        show(structure.d_model),
        show(structure.d_ffn),
        of(structure.heads, "head"),
        of(structure.kv_heads, "key-value head"),
        show(structure.vocab_size),
        structure.resolved_by,
    ));
    let costs = &answer.costs;
    if let (Some(total), Some(active)) = (costs.parameters_total, costs.parameters_active) {
        line(format!(
            "parameters {}{}, active {}; {} GFLOP a token; cache {} KiB a token at 16 bits",
            number(total as f64),
            if costs.parameters_exact { "" } else { " (about)" },
            number(active as f64),
            number(costs.flops_per_token.unwrap_or(f64::NAN) / 1e9),
            number(costs.kv_cache_bytes_per_token.unwrap_or(f64::NAN) / 1024.0),
        ));
    }
    for note in costs.cost_notes.iter().chain(&answer.notes) {
        line(format!("note: {note}"));
    }
    line(String::new());
    let (told, untold): (Vec<&ScoreAnswer>, Vec<&ScoreAnswer>) = answer
        .scores
        .iter()
        .partition(|score| score.value.is_some() || !score.measured.is_empty());
    if !told.is_empty() {
        line(output::table(&table_of(&told)));
    }
    for (why, names) in alike(untold.iter().map(|score| (score.notes.join("; "), *score))) {
        line(format!("not predicted: {names}: {why}"));
    }
    if !untold.is_empty() {
        line(String::new());
    }
    let drivers: Vec<&ScoreAnswer> = answer
        .scores
        .iter()
        .filter(|score| !score.drivers.is_empty())
        .collect();
    if !drivers.is_empty() {
        line("What drives it (Shapley values in points, against the mean over known shapes):".into());
        line(output::table(&driving(&drivers)));
    }
    let beyond = answer.scores.iter().filter(|score| score.extrapolating);
    for (why, names) in alike(beyond.map(|score| (score.outside.join("; "), score))) {
        line(format!("extrapolating on {names}: {why}"));
    }
    if !answer.nearest.is_empty() {
        line("Nearest known checkpoints:".into());
        line(output::table(&neighbours(answer)));
    }
    if let Some(memory) = &answer.costs.memory {
        line(run_in_words(memory, answer.costs.speed.as_ref()));
    }
    line("Memory of one sequence, GB (weights + cache + activations), by arithmetic:".into());
    line(output::table(&memory(answer)));
    if !answer.costs.decode.is_empty() {
        line("Decoding one sequence, tokens/s at most, by arithmetic:".into());
        line(output::table(&decode(answer)));
        for device in &answer.costs.devices {
            line(format!("{}: {}", device.name, device.source));
        }
    }
    if let Some(saved) = &answer.saved {
        let ends = saved.interval.as_ref().map_or(String::new(), |ends| {
            format!(", 80 % [{:.1}, {:.1}]", ends.low, ends.high)
        });
        line(format!(
            "The kept fit ({}) says {} of {}{ends} (n = {}, {} shapes, {}): {}",
            saved.method,
            number(saved.value),
            saved.target,
            saved.n,
            saved.n_shapes,
            saved.protocol,
            saved.notes.join("; ")
        ));
    }
    if let Some(sweep) = &answer.sweep {
        line(String::new());
        line(format!("Sweep of {} at equal {}:", sweep.over, sweep.held));
        line(output::table(&points(sweep)));
        for effect in &sweep.effects {
            let r2 = effect.r2_with.map_or("–".into(), number);
            // R² with the swept dimension, and without it where that was computed.
            let without = effect
                .r2_without
                .map_or_else(String::new, |r2| format!(", without it {}", number(r2)));
            line(format!(
                "{} (n = {}, {} shapes; R² out of shape {r2}{without})",
                effect.sentence, effect.n, effect.n_shapes
            ));
        }
        for note in &sweep.notes {
            line(format!("note: {note}"));
        }
    }
    text
}

/// One-line summary: a predicted score with its interval, the size, and whether it fits the device's memory.
pub(crate) fn in_short(answer: &PredictAnswer) -> Option<String> {
    let mut parts = Vec::new();
    let known: Vec<&ScoreAnswer> = answer
        .scores
        .iter()
        .filter(|score| score.value.is_some() && score.interval.is_some())
        .collect();
    // The first of the usual benchmarks with a prediction.
    let usual = ["mmlu_pro", "bbh", "mmlu", "average_v2"];
    let first = usual
        .iter()
        .find_map(|name| known.iter().find(|score| score.benchmark == *name))
        .or(known.first());
    if let Some(score) = first
        && let (Some(value), Some(ends)) = (score.value, &score.interval)
    {
        let beyond = if score.extrapolating {
            ", extrapolating"
        } else {
            ""
        };
        let floor = score
            .floor
            .as_ref()
            .map_or(String::new(), |words| format!("; {words}"));
        let predicted = format!(
            "about {value:.0} points (80 %: {:.0} to {:.0}{beyond}{floor})",
            ends.low, ends.high
        );
        parts.push(match score.measured.first() {
            Some(measured) => format!(
                "{} {:.0} points measured, {predicted} by structure",
                score.benchmark, measured.value
            ),
            None => format!("{} {predicted}", score.benchmark),
        });
    }
    if let Some(total) = answer.costs.parameters_total {
        parts.push(format!("{:.1} B parameters", total as f64 / 1e9));
    }
    if let Some(memory) = &answer.costs.memory {
        parts.push(fits_in_words(memory, answer));
    }
    (!parts.is_empty()).then(|| format!("In short: {}.", parts.join("; ")))
}

/// Required memory, and whether the first device has that much.
fn fits_in_words(memory: &Footprint, answer: &PredictAnswer) -> String {
    let needs = format!(
        "{:.1} GB as {} at {} tokens",
        memory.total_bytes / 1e9,
        memory.quant.name(),
        number(memory.context as f64)
    );
    let device = answer.costs.devices.first();
    match device.and_then(|device| Some((device.name.as_str(), device.memory_bytes?))) {
        Some((name, there)) if memory.total_bytes <= there => {
            format!("{needs}: fits {name} ({:.0} GB)", there / 1e9)
        }
        Some((name, there)) => format!("{needs}: does not fit {name} ({:.0} GB)", there / 1e9),
        None => needs,
    }
}

/// Every table of the answer with its name; tables without rows are left out.
pub(crate) fn all(answer: &PredictAnswer) -> Vec<(&'static str, Table)> {
    let driven: Vec<&ScoreAnswer> = answer
        .scores
        .iter()
        .filter(|score| !score.drivers.is_empty())
        .collect();
    let sweep = answer.sweep.as_ref().map(points).unwrap_or_default();
    let tables = [
        ("Scores", scores(answer)),
        ("What drives it", driving(&driven)),
        ("Sweep", sweep),
        ("Nearest known checkpoints", neighbours(answer)),
        ("Memory of one sequence, GB", memory(answer)),
        ("Decoding one sequence, tokens/s at most", decode(answer)),
    ];
    tables
        .into_iter()
        .filter(|(_, table)| !table.rows.is_empty())
        .collect()
}

fn named(id: &str, columns: &[&str], rows: Vec<Vec<Cell>>) -> Table {
    Table {
        id: id.into(),
        columns: columns.iter().map(ToString::to_string).collect(),
        rows,
        ..Table::default()
    }
}

/// Groups benchmarks that share a remark: each remark with the names of its benchmarks, in order.
fn alike<'a>(said: impl Iterator<Item = (String, &'a ScoreAnswer)>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for (why, score) in said {
        match found.iter_mut().find(|(other, _)| *other == why) {
            Some((_, names)) => {
                names.push_str(", ");
                names.push_str(&score.benchmark);
            }
            None => found.push((why, score.benchmark.clone())),
        }
    }
    found
}

pub(crate) fn scores(answer: &PredictAnswer) -> Table {
    table_of(&answer.scores.iter().collect::<Vec<_>>())
}

fn table_of(scores: &[&ScoreAnswer]) -> Table {
    let rows = scores.iter().map(|score| {
        let interval = score.interval.as_ref();
        let mut said: Vec<String> = score.floor.iter().cloned().collect();
        if score.extrapolating {
            said.insert(0, "extrapolating".to_owned());
        } else {
            said.extend(score.notes.iter().cloned());
        }
        let said = said.join("; ");
        vec![
            score.benchmark.as_str().into(),
            score.leaderboard.as_str().into(),
            score.value.into(),
            interval.map(|interval| interval.low).into(),
            interval.map(|interval| interval.high).into(),
            score.measured.first().map(|measured| measured.value).into(),
            score.n.into(),
            score.n_shapes.into(),
            score.coverage.as_ref().map(|coverage| coverage.by_shape).into(),
            score.r2_out_of_shape.into(),
            said.into(),
        ]
    });
    named(
        "scores",
        &[
            "benchmark",
            "leaderboard",
            "predicted",
            "low 80 %",
            "high 80 %",
            "measured",
            "n",
            "shapes",
            "covered",
            "R²",
            "note",
        ],
        rows.collect(),
    )
}

fn driving(scores: &[&ScoreAnswer]) -> Table {
    let mut features: Vec<(String, String)> = Vec::new();
    for driver in scores.iter().flat_map(|score| &score.drivers) {
        if !features.iter().any(|(name, _)| *name == driver.feature) {
            features.push((driver.feature.clone(), driver.given.clone()));
        }
    }
    let mut columns = vec!["benchmark".to_owned(), "mean".to_owned()];
    columns.extend(features.iter().map(|(name, _)| name.clone()));
    let rows = scores.iter().map(|score| {
        let mut cells: Vec<Cell> = vec![score.benchmark.as_str().into(), score.base.into()];
        for (name, _) in &features {
            let driver = score.drivers.iter().find(|driver| driver.feature == *name);
            cells.push(driver.map_or(Cell::Missing, |driver| format!("{:+.1}", driver.adds).into()));
        }
        cells
    });
    Table {
        id: "drivers".into(),
        rows: rows.collect(),
        columns,
        ..Table::default()
    }
}

fn neighbours(answer: &PredictAnswer) -> Table {
    let rows = answer.nearest.iter().map(|near| {
        let structure = &near.structure;
        let count = |value: Option<i64>| Cell::from(value.map(|value| value as f64));
        let score = |name: &str| Cell::from(near.scores.get(name).copied());
        vec![
            near.id.as_str().into(),
            near.distance.into(),
            count(structure.layers),
            count(structure.d_model),
            count(structure.d_ffn),
            structure.size.into(),
            near.n_of_shape.into(),
            score("mmlu_pro"),
            score("mmlu"),
        ]
    });
    named(
        "nearest",
        &[
            "checkpoint",
            "distance",
            "layers",
            "d_model",
            "d_ffn",
            "size (B)",
            "of its shape",
            "mmlu_pro",
            "mmlu",
        ],
        rows.collect(),
    )
}

/// Memory and speed of the requested setup, in one or two sentences.
fn run_in_words(memory: &Footprint, speed: Option<&Speed>) -> String {
    let gb = |bytes: f64| format!("{:.2}", bytes / 1e9);
    let mut text = format!(
        "{} with {} weights ({:.2} bits each), {} tokens: {} GB = weights {} + cache {} + state {} + computing {}.",
        memory.engine.as_str(),
        memory.quant.name(),
        memory.bits_per_weight,
        memory.context,
        gb(memory.total_bytes),
        gb(memory.weights_bytes),
        gb(memory.cache_bytes),
        gb(memory.state_bytes),
        gb(memory.overhead_bytes),
    );
    let told = |what: &str, speed: &Option<SpeedOf>| {
        speed.as_ref().map_or(String::new(), |speed| {
            format!(
                " {what} {} tokens/s, 80 % from {} to {}.",
                number(speed.value),
                number(speed.low),
                number(speed.high)
            )
        })
    };
    if let Some(speed) = speed {
        text.push_str(&told(
            &format!("{} decodes", speed.device),
            &speed.decode_tokens_per_s,
        ));
        text.push_str(&told("It reads a prompt at", &speed.prefill_tokens_per_s));
        if let Some(placement) = speed.placement.as_ref().filter(|placement| !placement.is_whole()) {
            let _ = write!(
                text,
                " {} of {} layers on the card ({} GB), the rest beside it ({} GB).",
                placement.layers_on_cards,
                placement.layers,
                gb(placement.card_bytes),
                gb(placement.host_bytes)
            );
        }
        text.extend(speed.notes.iter().map(|note| format!(" Note: {note}.")));
    }
    text.push('\n');
    text
}

/// Every part of the memory, with its formula and source.
pub(crate) fn explained(answer: &PredictAnswer) -> Table {
    let items = answer.costs.memory.iter().flat_map(|memory| &memory.items);
    let rows = items.map(|item| {
        vec![
            item.item.as_str().into(),
            Cell::from(item.bytes / 1e9),
            item.formula.as_str().into(),
            item.source.as_str().into(),
        ]
    });
    named(
        "memory-parts",
        &["part", "GB", "how it is counted", "from"],
        rows.collect(),
    )
}

fn memory(answer: &PredictAnswer) -> Table {
    let contexts: Vec<i64> = {
        let mut contexts: Vec<i64> = answer
            .costs
            .memory_by_precision
            .iter()
            .map(|memory| memory.context)
            .collect();
        contexts.sort_unstable();
        contexts.dedup();
        contexts
    };
    let mut columns = vec!["precision".to_owned(), "weights".to_owned()];
    columns.extend(contexts.iter().map(|context| format!("{context} tokens")));
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for memory in &answer.costs.memory_by_precision {
        let name = memory.precision.as_str();
        if !rows.iter().any(|row| row[0] == Cell::from(name)) {
            let of = |context: &i64| {
                let all = answer.costs.memory_by_precision.iter();
                let found = all
                    .filter(|other| other.precision == memory.precision)
                    .find(|other| other.context == *context);
                Cell::from(found.map(|found| found.total_bytes / 1e9))
            };
            let mut row = vec![Cell::from(name), Cell::from(memory.weights_bytes / 1e9)];
            row.extend(contexts.iter().map(of));
            rows.push(row);
        }
    }
    Table {
        id: "memory".into(),
        columns,
        rows,
        ..Table::default()
    }
}

fn decode(answer: &PredictAnswer) -> Table {
    let rows = answer.costs.decode.iter().map(|bound| {
        vec![
            bound.device.as_str().into(),
            bound.precision.as_str().into(),
            Cell::from(bound.context as f64),
            bound.by_bandwidth.into(),
            bound.by_compute.into(),
            bound.tokens_per_second.into(),
        ]
    });
    named(
        "decode",
        &[
            "device",
            "precision",
            "context",
            "by bandwidth",
            "by compute",
            "at most",
        ],
        rows.collect(),
    )
}
