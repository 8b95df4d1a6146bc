//! Tables of named numeric columns for the study's commands, from the catalog or from a user's file.

mod other;
mod own;
mod rows;

pub(crate) use rows::{Division, FeatureSet, Rows, divide, rows};

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use catalog::answer::Values;
use catalog::query::Engine;
use catalog::tables::{Checkpoint, Evaluation, Training};
use study::abilities::{LISTED, Listed};
use study::features::{COLUMNS, SETS, feature_set};

use crate::rows::{self as joins, Shapes};

/// Auxiliary column that identifies the rows kept by a filter.
const ROW: &str = "__row";

/// Facts that a leaderboard states about a row besides structure and scores: flags as 0 and 1, and the number of likes.
const FLAGS: [&str; 6] = [
    "merged",
    "is_moe",
    "chat_template",
    "official_provider",
    "pretrained",
    "likes",
];

/// Derived columns `average_NAME`, the mean of a listed board's benchmarks where a row has all of them. Boards whose
/// benchmarks are in separate tables have none.
fn averages() -> impl Iterator<Item = (String, &'static Listed)> {
    let whole = LISTED.iter().filter(|board| board.name != "epoch");
    whole.map(|board| (format!("average_{}", board.name), board))
}

/// Whether a column is derived here: a flag of the leaderboards, or a mean of scores.
pub(crate) fn is_derived(name: &str) -> bool {
    FLAGS.contains(&name) || averages().any(|(average, _)| average == name)
}

/// Columns of equal length; `None` is an empty cell.
pub(crate) struct Frame {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<Vec<Option<f64>>>,
    /// Architecture family of each row; `None` where the table has no such column.
    pub(crate) family: Option<Vec<String>>,
    /// Root ancestor of each row; `None` where the table has no such column.
    pub(crate) lineage: Option<Vec<String>>,
    /// Checkpoint names of all rows of the table before filtering; `None` where it has no such column.
    pub(crate) ids: Option<Vec<String>>,
    /// Row index in the original table, for each row kept; `n_table` is that table's number of rows.
    pub(crate) numbers: Vec<usize>,
    pub(crate) n_table: usize,
    pub(crate) source: String,
    /// SHA-256 of the file; `None` for rows of the catalog.
    pub(crate) sha256: Option<String>,
    /// For each text column, the cells that cannot be read as numbers.
    pub(crate) not_numbers: BTreeMap<String, other::OtherCells>,
    /// Unit by benchmark.
    pub(crate) units: BTreeMap<String, String>,
}

impl Frame {
    pub(crate) fn column(&self, name: &str) -> Result<&[Option<f64>]> {
        match self.names.iter().position(|column| column == name) {
            Some(place) => Ok(&self.columns[place]),
            None if self.not_numbers.contains_key(name) => bail!(
                "column `{name}` of {} is text: {}",
                self.source,
                self.not_numbers[name].words()
            ),
            None if self.names.is_empty() => bail!(
                "no numeric column named `{name}` in {}: it has no column of numbers",
                self.source
            ),
            None => bail!(
                "no numeric column named `{name}` in {}{}; there are {}",
                self.source,
                crate::near::hint(name, self.names.iter().map(String::as_str)),
                some(&self.names)
            ),
        }
    }

    /// Text columns whose first non-numeric cell is nearly a number: column, line, cell, and how to write it.
    pub(crate) fn almost_numbers(&self) -> impl Iterator<Item = (&str, u64, &str, String)> {
        let text = self
            .not_numbers
            .iter()
            .filter(|(name, _)| !self.names.contains(name));
        text.filter_map(|(name, cells)| {
            let (line, cell, written) = cells.meant()?;
            Some((name.as_str(), line, cell, written))
        })
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.numbers.len()
    }

    /// Unit of a column: a benchmark's from the catalog, else that of the structure column.
    pub(crate) fn unit(&self, name: &str) -> &str {
        let column =
            study::features::StructureColumn::named(name).map(study::features::StructureColumn::unit);
        match (self.units.get(name), column) {
            (Some(unit), _) => unit,
            (None, Some(unit)) => unit,
            (None, None) => "unit of the target",
        }
    }

    fn keep(mut self, rows: &[usize]) -> Self {
        for column in &mut self.columns {
            *column = rows.iter().map(|&row| column[row]).collect();
        }
        let pick = |labels: Vec<String>| {
            rows.iter()
                .map(|&row| labels[row].clone())
                .collect::<Vec<String>>()
        };
        self.family = self.family.map(pick);
        self.lineage = self.lineage.map(pick);
        self.numbers = rows.iter().map(|&row| self.numbers[row]).collect();
        self
    }
}

/// Reads a user's table and keeps the rows that satisfy the SQL condition `filter`.
pub(crate) fn from_file(path: &Path, filter: Option<&str>) -> Result<Frame> {
    let own::Own {
        columns: cells,
        not_numbers,
        place,
        sha256,
    } = own::read(path)?;
    let n_table = cells.first().map_or(0, |(_, values)| match values {
        Values::Numbers(column) => column.len(),
        Values::Text(column) => column.len(),
    });
    let label = |names: [&str; 2]| {
        let found = names
            .iter()
            .find_map(|name| cells.iter().find(|(column, _)| column == name));
        found.map(|(_, values)| match values {
            Values::Numbers(column) => column.iter().map(|cell| format!("{cell:?}")).collect(),
            Values::Text(column) => column
                .iter()
                .map(|cell| cell.clone().unwrap_or_default())
                .collect(),
        })
    };
    let (family, lineage) = (label(["architecture", "family"]), label(["lineage", "root"]));
    let ids = label(["id", "checkpoint"]).or_else(|| label(["name", "model"]));
    let kept = match filter {
        None => None,
        Some(condition) => {
            let mut table = cells.clone();
            let places = (0..n_table).map(|row| Some(row as f64)).collect();
            table.push((ROW.to_owned(), Values::Numbers(places)));
            let engine = Engine::empty()?;
            engine.register_columns("data", &table)?;
            Some(row_numbers(&engine, condition)?)
        }
    };
    let mut frame = Frame {
        names: Vec::new(),
        columns: Vec::new(),
        family,
        lineage,
        ids,
        numbers: (0..n_table).collect(),
        n_table,
        source: place,
        sha256: Some(sha256),
        not_numbers,
        units: BTreeMap::new(),
    };
    for (name, values) in cells {
        let numbers = match values {
            Values::Numbers(column) => Some(column),
            Values::Text(column) => own::days_or_flags(&column),
        };
        if let Some(mut column) = numbers {
            for cell in &mut column {
                *cell = cell.filter(|value| value.is_finite());
            }
            frame.names.push(name);
            frame.columns.push(column);
        }
    }
    Ok(match kept {
        Some(rows) => frame.keep(&rows),
        None => frame,
    })
}

fn row_numbers(engine: &Engine, condition: &str) -> Result<Vec<usize>> {
    let sql = format!("select {ROW} from data where (\n{condition}\n) order by {ROW}");
    let answer = engine
        .query(&sql)
        .map_err(|error| error.in_condition(condition))
        .with_context(|| format!("--where `{condition}`"))?;
    match answer.columns()?.into_iter().next() {
        Some((_, Values::Numbers(rows))) if !rows.is_empty() => {
            Ok(rows.into_iter().flatten().map(|row| row as usize).collect())
        }
        _ => bail!("--where `{condition}` matched no rows"),
    }
}

/// One row per evaluation of the leaderboards that have all benchmarks among `names`, without duplicates: structure,
/// the leaderboard's facts and all benchmarks. Of these, the rows that satisfy `filter`, an SQL condition over
/// `observations`.
pub(crate) fn from_catalog(
    catalog: &Catalog,
    dir: Option<&Path>,
    names: &[String],
    filter: Option<&str>,
) -> Result<Frame> {
    let boards = leaderboards(catalog, names)?;
    let benchmarks: BTreeSet<&str> = catalog
        .scores
        .iter()
        .filter(|score| boards.contains(score.leaderboard.as_str()))
        .map(|score| score.benchmark.as_str())
        .collect();
    let benchmarks: Vec<&str> = benchmarks.into_iter().collect();
    let evaluations: Vec<&Evaluation> = catalog
        .evaluations
        .iter()
        .filter(|row| boards.contains(row.leaderboard.as_str()) && row.duplicate_of.is_none())
        .collect();
    let place: BTreeMap<&str, usize> = evaluations
        .iter()
        .enumerate()
        .map(|(place, row)| (row.evaluation.as_str(), place))
        .collect();
    let mut units: BTreeMap<String, String> = BTreeMap::new();
    let mut scores = vec![vec![None; evaluations.len()]; benchmarks.len()];
    for score in &catalog.scores {
        if let (Some(&row), Ok(column)) = (
            place.get(score.evaluation.as_str()),
            benchmarks.binary_search(&score.benchmark.as_str()),
        ) {
            scores[column][row] = Some(score.value);
            if !units.contains_key(&score.benchmark) {
                units.insert(score.benchmark.clone(), score.unit.clone());
            }
        }
    }
    let shapes = Shapes::of(catalog);
    let checkpoints: BTreeMap<&str, &Checkpoint> = catalog
        .checkpoints
        .iter()
        .map(|checkpoint| (checkpoint.id.as_str(), checkpoint))
        .collect();
    let mut columns: Vec<Vec<Option<f64>>> = vec![Vec::new(); COLUMNS.len() + FLAGS.len()];
    let (mut family, mut lineage) = (Vec::new(), Vec::new());
    for row in &evaluations {
        let checkpoint = checkpoints.get(row.id.as_str()).copied();
        let values = shapes.columns(&row.id).values().chain(flags(row, checkpoint));
        columns
            .iter_mut()
            .zip(values)
            .for_each(|(column, value)| column.push(value));
        let architecture = checkpoint.and_then(|checkpoint| checkpoint.architecture.clone());
        family.push(architecture.unwrap_or_else(|| format!("unknown: {}", row.id)));
        lineage.push(joins::root(&checkpoints, &row.id));
    }
    let mut names: Vec<String> = COLUMNS.iter().chain(&FLAGS).map(ToString::to_string).collect();
    for (name, board) in averages() {
        if boards.contains(board.leaderboard) {
            let six: Vec<usize> = board
                .benchmarks
                .iter()
                .filter_map(|benchmark| benchmarks.binary_search(benchmark).ok())
                .collect();
            let mean = |row: usize| {
                let values: Option<Vec<f64>> = six.iter().map(|&column| scores[column][row]).collect();
                values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
            };
            names.push(name.clone());
            units.insert(name, "points".into());
            columns.push((0..evaluations.len()).map(mean).collect());
        }
    }
    names.extend(benchmarks.iter().map(ToString::to_string));
    columns.append(&mut scores);
    let frame = Frame {
        names,
        columns,
        family: Some(family),
        lineage: Some(lineage),
        ids: Some(evaluations.iter().map(|row| row.id.clone()).collect()),
        numbers: (0..evaluations.len()).collect(),
        n_table: evaluations.len(),
        source: format!("the catalog ({})", Vec::from_iter(boards).join(", ")),
        sha256: None,
        not_numbers: BTreeMap::new(),
        units,
    };
    let Some(condition) = filter else {
        return Ok(frame);
    };
    let kept = crate::narrow::evaluations(catalog, dir, condition)?;
    let rows: Vec<usize> = (0..evaluations.len())
        .filter(|&row| kept.contains(&evaluations[row].evaluation))
        .collect();
    Ok(frame.keep(&rows))
}

/// Whether all these leaderboards are tables of one listed board.
fn apart(known: &BTreeSet<&str>, with: &BTreeSet<&str>) -> bool {
    let of = |board: &&str| {
        LISTED
            .iter()
            .find(|listed| listed.has(board) && listed.leaderboard != *board)
    };
    let mut all = known.iter().chain(with).map(of);
    let first = all.next().flatten();
    first.is_some() && all.all(|listed| listed == first)
}

fn flags(row: &Evaluation, checkpoint: Option<&Checkpoint>) -> [Option<f64>; 6] {
    let flag = |value: Option<bool>| value.map(|value| f64::from(u8::from(value)));
    let of = |pick: fn(&Checkpoint) -> Option<bool>| checkpoint.and_then(pick);
    let likes = row.likes.or(checkpoint.and_then(|checkpoint| checkpoint.likes));
    [
        flag(of(|checkpoint| checkpoint.merged)),
        flag(row.moe.or(of(|checkpoint| checkpoint.is_moe))),
        flag(row.chat_template),
        flag(row.official_provider),
        flag(of(|checkpoint| checkpoint.training.map(Training::is_pretrained))),
        likes.map(|likes| likes as f64),
    ]
}

/// Maximum number of names listed in a message.
const LISTED_NAMES: usize = 24;

/// The first names, and the number of those left out.
fn some(names: &[String]) -> String {
    match names.len().saturating_sub(LISTED_NAMES) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names[..LISTED_NAMES].join(", ")),
    }
}

/// Message for a name that is neither a known benchmark nor a column.
fn unknown<'a>(name: &str, benchmarks: impl Iterator<Item = &'a str>) -> String {
    if let Some(columns) = feature_set(name) {
        return format!(
            "`{name}` is a set of features, and stands beside other sets alone: name its columns, {}",
            columns.join(",")
        );
    }
    let sets: Vec<&str> = SETS.iter().map(|(set, _)| *set).collect();
    let known = averages().map(|(name, _)| name);
    let all: Vec<String> = known.chain(benchmarks.map(ToOwned::to_owned)).collect();
    let near = sets
        .iter()
        .copied()
        .chain(COLUMNS)
        .chain(FLAGS)
        .chain(all.iter().map(String::as_str));
    let listing = if all.len() > LISTED_NAMES && catalog::query::needed().is_ok() {
        " (`anatomy query \"select distinct benchmark from scores\"` lists all)"
    } else {
        ""
    };
    format!(
        "no benchmark named `{name}` in the catalog{}; there are {}{listing}; the sets of features {}; and the columns {}, {}",
        crate::near::hint(name, near),
        some(&all),
        sets.join(", "),
        COLUMNS.join(", "),
        FLAGS.join(", ")
    )
}

/// The leaderboards that have every benchmark among `names`; leaderboard v1 where `names` has no benchmark.
fn leaderboards<'a>(catalog: &'a Catalog, names: &[String]) -> Result<BTreeSet<&'a str>> {
    let mut of_benchmark: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for score in &catalog.scores {
        of_benchmark
            .entry(score.benchmark.as_str())
            .or_default()
            .insert(score.leaderboard.as_str());
    }
    let mut boards: Option<BTreeSet<&str>> = None;
    for name in names {
        let average = averages().find(|(average, _)| average == name);
        let with = match (average, of_benchmark.get(name.as_str())) {
            (Some((_, board)), _) => BTreeSet::from([board.leaderboard]),
            (None, Some(boards)) => boards.clone(),
            (None, None) if COLUMNS.contains(&name.as_str()) || FLAGS.contains(&name.as_str()) => continue,
            (None, None) => bail!(unknown(name, of_benchmark.keys().copied())),
        };
        boards = Some(match boards {
            None => with,
            // Benchmarks in separate tables of one board: take the rows of all tables, each with the scores it has.
            Some(known) if apart(&known, &with) => known.union(&with).copied().collect(),
            Some(known) => known.intersection(&with).copied().collect(),
        });
    }
    let boards = boards.unwrap_or_else(|| BTreeSet::from([joins::V1]));
    if boards.is_empty() {
        bail!("no leaderboard in the catalog has all of {}", names.join(", "));
    }
    Ok(boards)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_lists_a_few_and_the_one_that_was_meant() {
        let many: Vec<String> = (0..100).map(|place| format!("benchmark_{place}")).collect();
        let said = unknown("cor", many.iter().map(String::as_str));
        assert!(
            said.starts_with(
                "no benchmark named `cor` in the catalog (did you mean core?); there are average_v1"
            ),
            "{said}"
        );
        assert!(
            said.contains("; the sets of features core, ") && said.len() < 1_000,
            "{said}"
        );
        let said = unknown("core", many.iter().map(String::as_str));
        assert!(
            said.starts_with("`core` is a set of features") && said.ends_with("layers,d_model,d_ffn,heads"),
            "{said}"
        );
        assert_eq!(some(&many[..3]), "benchmark_0, benchmark_1, benchmark_2");
    }
}
