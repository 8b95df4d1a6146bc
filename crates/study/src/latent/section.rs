//! Findings, tables and text of the section.

use super::columns::Columns;
use super::fit::fit;
use super::held::{HeldOut, LEVEL, beside_index, error, held, pairs, rank_correlation};
use super::units::LatentUnits;
use super::{LatentTable, abilities, direction};
use crate::finding::{Finding, SourceOf};
use crate::section::{Cell, Section, Table as Shown};
use crate::statistics::{Correlation, mean};

/// Fewest rows for a scale.
const LEAST: usize = 50;
/// Number of checkpoints shown.
const SHOWN: usize = 25;

const METHOD: &str = "factor model of log odds, process over units";
const WORK: &str = "all boards";

fn source() -> SourceOf {
    SourceOf {
        work: WORK.into(),
        place: "scores in points of tests asked in English, one a checkpoint and benchmark".into(),
    }
}

pub(super) fn section(table: &LatentTable, seed: u64) -> Section {
    let mut section = Section {
        id: "latent".into(),
        title: "All boards on one scale".into(),
        ..Section::default()
    };
    if table.rows.len() < LEAST {
        return section;
    }
    let columns = Columns::of(&table.rows);
    let units = LatentUnits::new(&table.features, table.families.clone());
    let Some(found) = fit(table, &columns, &units, &|_, _| true, None) else {
        return section;
    };
    let (hidden, beside) = rayon::join(
        || held(table, found.shares, seed),
        || beside_index(table, found.shares),
    );
    let all = abilities(table, &found, None);
    let tests = direction(table, &found, None).map_or(0, |(_, n)| n);
    let cells: usize = table.rows.iter().map(|row| row.cells.len()).sum();
    let new = |id: &str, question: &str| Finding::new(id, question, &source()).with_seed(seed);
    section.findings.push(
        new("latent.checkpoints", "How many checkpoints stand on one scale?")
            .with_value(table.rows.len() as f64, "rows", table.rows.len(), METHOD)
            .with_note(format!(
                "{cells} scores on {} benchmarks of {tests} tests; {} units",
                table.benchmarks.len(),
                table.features.len()
            )),
    );
    let half: Vec<f64> = all.iter().map(|own| (own.high - own.low) / 2.0).collect();
    section.findings.push(
        new(
            "latent.half_width",
            "How wide is half an interval of an ability, in standard deviations over checkpoints?",
        )
        .with_value(mean(&half), "standard deviations", all.len(), METHOD),
    );
    let whole = pairs(table, &found, |row| !table.rows[row].cells.is_empty());
    for (id, words, pairs) in [
        (
            "latent.index.rank_correlation",
            "Rank correlation with Epoch AI's capability index?",
            Some(whole),
        ),
        (
            "latent.index.rank_correlation_apart",
            "The same where the model sees no score that the index is made of?",
            beside,
        ),
    ] {
        if let Some(Correlation {
            value, n, interval, ..
        }) = pairs.as_ref().and_then(rank_correlation)
        {
            section.findings.push(
                new(id, words)
                    .with_value(value, "1", n, "spearman")
                    .with_interval(interval),
            );
        }
    }
    if let Some(hidden) = &hidden {
        section.findings.extend(judged(table, hidden, seed));
    }
    tables(&mut section, table, &all, hidden.as_deref());
    let number = |id: &str| {
        let own = section.findings.iter().find(|finding| finding.id == id);
        own.and_then(|finding| finding.value)
    };
    if let (Some(mae), Some(of_mean)) = (
        number("latent.held_out.mae"),
        number("latent.held_out.mae_of_mean"),
    ) {
        let beside = match (
            number("latent.held_out.mae_index"),
            number("latent.held_out.mae_index_own"),
        ) {
            (Some(ours), Some(theirs)) => format!(
                " On cells of Epoch AI's tables it is {ours:.1} points off; their index with their own difficulties and slopes, \
                 which has seen these cells, {theirs:.1}."
            ),
            _ => String::new(),
        };
        section.text.push(format!(
            "{} checkpoints stand on one scale by {cells} scores of {tests} tests. On a fifth of the scores that it did not \
             see it is {mae:.1} points off (the benchmark's mean {of_mean:.1}), and its 80 % intervals hold {:.0} %.{beside}",
            table.rows.len(),
            100.0 * number("latent.held_out.coverage").unwrap_or(f64::NAN),
        ));
    }
    section
}

fn judged(table: &LatentTable, hidden: &[HeldOut], seed: u64) -> Vec<Finding> {
    let new = |id: &str, question: &str| {
        Finding::new(id, question, &source())
            .with_protocol("a fifth of the cells out", &[])
            .with_seed(seed)
    };
    let mut found = Vec::new();
    if hidden.is_empty() {
        return found;
    }
    let n = hidden.len();
    let inside = hidden.iter().filter(|own| own.is_inside).count() as f64 / n as f64;
    found.push(
        new("latent.held_out.mae", "How far off is a score that was not seen?").with_value(
            error(hidden.iter(), |own| own.miss),
            "points",
            n,
            METHOD,
        ),
    );
    found.push(
        new(
            "latent.held_out.mae_of_mean",
            "How far off is the benchmark's mean?",
        )
        .with_value(
            error(hidden.iter(), |own| own.miss_of_mean),
            "points",
            n,
            "mean of the benchmark's cells that were seen",
        ),
    );
    found.push(
        new(
            "latent.held_out.coverage",
            &format!("Which share of them do {:.0} % intervals hold?", 100.0 * LEVEL),
        )
        .with_value(inside, "fraction", n, METHOD),
    );
    let both: Vec<&HeldOut> = hidden.iter().filter(|own| own.miss_of_index.is_some()).collect();
    if both.len() >= 10 {
        let theirs = |own: &HeldOut| own.miss_of_index.unwrap_or(f64::NAN);
        found.push(
            new(
                "latent.held_out.mae_index",
                "How far off is a score of Epoch AI's tables that was not seen, where their index gives one too?",
            )
            .with_value(
                error(both.iter().copied(), |own| own.miss),
                "points",
                both.len(),
                METHOD,
            ),
        );
        found.push(
            new(
                "latent.held_out.mae_index_own",
                "How far off is Epoch AI's index with their difficulties and slopes on the same cells, which it has seen?",
            )
            .with_value(
                error(both.iter().copied(), theirs),
                "points",
                both.len(),
                "1 / (1 + exp(slope (difficulty - index))), Epoch AI, CC BY 4.0",
            ),
        );
    }
    for (place, known) in table.benchmarks.iter().enumerate() {
        let own = || hidden.iter().filter(move |own| own.benchmark == place);
        let n = own().count();
        if n >= 20 {
            found.push(
                new(
                    &format!("latent.held_out.mae.{}", known.name),
                    &format!("How far off is a score of {} that was not seen?", known.name),
                )
                .with_value(error(own(), |own| own.miss), "points", n, METHOD),
            );
        }
    }
    found
}

fn tables(
    section: &mut Section,
    table: &LatentTable,
    all: &[super::LatentAbility],
    hidden: Option<&[HeldOut]>,
) {
    let row = |own: &super::LatentAbility| -> Vec<Cell> {
        vec![
            own.rank.into(),
            own.id.clone().into(),
            own.ability.into(),
            own.low.into(),
            own.high.into(),
            own.scores.into(),
        ]
    };
    let columns: Vec<String> = ["rank", "checkpoint", "ability", "from", "to", "scores"]
        .map(String::from)
        .to_vec();
    section.tables.push(Shown {
        id: "latent-best".into(),
        caption: format!(
            "The {SHOWN} checkpoints of highest ability of {}, in standard deviations over checkpoints, with 95 % interval. Rank: \
             one more than the checkpoints that are surely better, so ranks tie; all of them are in latent-abilities.csv.",
            all.len()
        ),
        columns: columns.clone(),
        rows: all.iter().take(SHOWN).map(row).collect(),
        shown: true,
    });
    section.tables.push(Shown {
        id: "latent-abilities".into(),
        caption: "Every checkpoint's latent ability, 95 % interval and rank.".into(),
        columns,
        rows: all.iter().map(row).collect(),
        shown: false,
    });
    let Some(hidden) = hidden else { return };
    let rows: Vec<Vec<Cell>> = table
        .benchmarks
        .iter()
        .enumerate()
        .filter_map(|(place, known)| {
            let own = || hidden.iter().filter(move |own| own.benchmark == place);
            let n = own().count();
            (n >= 20).then(|| {
                let inside = own().filter(|own| own.is_inside).count();
                vec![
                    known.name.clone().into(),
                    n.into(),
                    error(own(), |own| own.miss).into(),
                    error(own(), |own| own.miss_of_mean).into(),
                    (100.0 * inside as f64 / n as f64).into(),
                ]
            })
        })
        .collect();
    section.tables.push(Shown {
        id: "latent-held-out".into(),
        caption: "Scores that the model did not see, by benchmark: mean absolute error in points, that of the benchmark's mean, and \
                  the share inside 80 % intervals."
            .into(),
        columns: ["benchmark", "scores", "model [points]", "mean [points]", "inside [%]"]
            .map(String::from)
            .to_vec(),
        rows,
        shown: false,
    });
}
