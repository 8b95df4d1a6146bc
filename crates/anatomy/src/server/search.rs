//! Selects the checkpoints that the explorer shows: filters, order and columns, parsed from a query string.

use std::cmp::Ordering;

use super::checkpoints::{CheckpointCell, Checkpoints, ListedCheckpoint};
use super::columns::{BENCHMARKS, COLUMNS, Kind, place};
use super::params::Params;
use super::problem::Problem;

/// Parameters of [`Search::read`].
pub(crate) const NAMES: [&str; 17] = [
    "q",
    "organisation",
    "architecture",
    "resolved_by",
    "license",
    "merged",
    "flagged",
    "min_size",
    "max_size",
    "min_layers",
    "max_layers",
    "benchmark",
    "min_score",
    "sort",
    "columns",
    "limit",
    "offset",
];

/// Ways in which a structure can be resolved.
pub(crate) const RESOLVED_BY: [&str; 5] = ["exact", "lineage", "name", "size", "none"];

/// Default number of rows per page.
pub(crate) const PAGE: usize = 50;
/// Maximum number of rows per response.
pub(crate) const MOST: usize = 1000;

/// Filters, order, columns and page.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    words: Vec<String>,
    equal: Vec<(usize, String)>,
    flags: Vec<(usize, bool)>,
    ranges: Vec<(usize, f64, f64)>,
    /// Columns that must have a value.
    present: Vec<usize>,
    /// Index of the column to sort by, and whether in descending order.
    pub(crate) sort: (usize, bool),
    /// Indices into [`COLUMNS`].
    pub(crate) columns: Vec<usize>,
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Search {
    /// Parses the query parameters.
    pub(crate) fn read(params: &Params) -> Result<Self, Problem> {
        let mut search = Self {
            limit: params.count("limit", 1, MOST)?.unwrap_or(PAGE),
            offset: params.count("offset", 0, 10_000_000)?.unwrap_or(0),
            ..Self::default()
        };
        let words = params.one("q")?.unwrap_or_default().to_lowercase();
        search.words = words.split_whitespace().map(str::to_owned).collect();
        if let Some(way) = params.one("resolved_by")?
            && !RESOLVED_BY.contains(&way)
        {
            return Err(Problem::bad(format!("no way of resolving named `{way}`"))
                .with_hint(format!("there are {}", RESOLVED_BY.join(", "))));
        }
        for name in ["organisation", "architecture", "resolved_by", "license"] {
            if let Some(value) = params.one(name)? {
                search.equal.push((known(name)?, value.to_owned()));
            }
        }
        for name in ["merged", "flagged"] {
            if let Some(value) = params.flag(name)? {
                search.flags.push((known(name)?, value));
            }
        }
        for (column, least, most) in [
            ("size", "min_size", "max_size"),
            ("layers", "min_layers", "max_layers"),
        ] {
            search.range(column, params.number(least)?, params.number(most)?)?;
        }
        let least = params.number("min_score")?;
        match params.one("benchmark")? {
            Some(name) if BENCHMARKS.contains(&name) => {
                search.range(name, least, None)?;
                search.present.push(known(name)?);
            }
            Some(name) => {
                return Err(Problem::bad(format!("no benchmark named `{name}`"))
                    .with_hint(format!("there are {}", BENCHMARKS.join(", "))));
            }
            None => search.range("average_v2", least, None)?,
        }
        search.sort = match params.one("sort")? {
            None => (0, false),
            Some(name) => match name.strip_prefix('-') {
                Some(name) => (known(name)?, true),
                None => (known(name)?, false),
            },
        };
        search.columns = chosen(params)?;
        Ok(search)
    }

    fn range(&mut self, column: &str, least: Option<f64>, most: Option<f64>) -> Result<(), Problem> {
        if least.is_some() || most.is_some() {
            self.ranges.push((
                known(column)?,
                least.unwrap_or(f64::NEG_INFINITY),
                most.unwrap_or(f64::INFINITY),
            ));
        }
        Ok(())
    }

    fn keeps(&self, row: &ListedCheckpoint) -> bool {
        self.words.iter().all(|word| row.folded.contains(word.as_str()))
            && self.equal.iter().all(
                |(place, value)| matches!(&row.cells[*place], CheckpointCell::Text(text) if text == value),
            )
            && self
                .flags
                .iter()
                .all(|(place, value)| row.cells[*place] == CheckpointCell::Flag(*value))
            && self.ranges.iter().all(|(place, least, most)| {
                row.number(*place)
                    .is_some_and(|value| (*least..=*most).contains(&value))
            })
            && self
                .present
                .iter()
                .all(|place| row.cells[*place] != CheckpointCell::Missing)
    }

    /// Default order of the explorer: checkpoints with the most measured benchmarks first.
    pub(crate) fn by_evidence(mut self, params: &Params) -> Self {
        if params.get("sort").is_none() {
            self.sort = BY_EVIDENCE;
        }
        self
    }

    /// All matching rows in order; missing values come last in either direction.
    pub(crate) fn all<'a>(&self, checkpoints: &'a Checkpoints) -> Vec<&'a ListedCheckpoint> {
        let mut rows: Vec<&ListedCheckpoint> =
            checkpoints.rows.iter().filter(|row| self.keeps(row)).collect();
        let (place, largest_first) = self.sort;
        // Rows are already in the order of their ids, and the sort is stable.
        if (place, largest_first) == BY_EVIDENCE {
            rows.sort_by_key(|row| std::cmp::Reverse(measured(row)));
        } else if (place, largest_first) != (0, false) {
            rows.sort_by(|a, b| order(&a.cells[place], &b.cells[place], largest_first));
        }
        rows
    }

    /// The rows of the current page.
    pub(crate) fn page<'a>(&self, rows: &[&'a ListedCheckpoint]) -> Vec<&'a ListedCheckpoint> {
        rows.iter().skip(self.offset).take(self.limit).copied().collect()
    }
}

/// Special sort key: by the number of measured benchmarks.
const BY_EVIDENCE: (usize, bool) = (usize::MAX, true);

/// Sort key: number of benchmarks with a score, then whether the structure is known.
fn measured(row: &ListedCheckpoint) -> (usize, bool) {
    let has =
        |name: &str| place(name).is_some_and(|place| !matches!(row.cells[place], CheckpointCell::Missing));
    (BENCHMARKS.iter().filter(|name| has(name)).count(), has("layers"))
}

fn order(a: &CheckpointCell, b: &CheckpointCell, largest_first: bool) -> Ordering {
    let way = |order: Ordering| if largest_first { order.reverse() } else { order };
    match (a, b) {
        (CheckpointCell::Missing, CheckpointCell::Missing) => Ordering::Equal,
        (CheckpointCell::Missing, _) => Ordering::Greater,
        (_, CheckpointCell::Missing) => Ordering::Less,
        (CheckpointCell::Number(a), CheckpointCell::Number(b)) => way(a.total_cmp(b)),
        (CheckpointCell::Flag(a), CheckpointCell::Flag(b)) => way(a.cmp(b)),
        (CheckpointCell::Text(a), CheckpointCell::Text(b)) => way(a.to_lowercase().cmp(&b.to_lowercase())),
        _ => Ordering::Equal,
    }
}

fn known(name: &str) -> Result<usize, Problem> {
    place(name).ok_or_else(|| {
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        Problem::bad(format!("no column named `{name}`")).with_hint(format!("there are {}", names.join(", ")))
    })
}

/// The requested columns without duplicates; the id is always first.
fn chosen(params: &Params) -> Result<Vec<usize>, Problem> {
    let names = params.list("columns");
    let mut columns = vec![0];
    if names.is_empty() {
        columns.extend((1..COLUMNS.len()).filter(|&place| COLUMNS[place].first));
    }
    for name in names {
        let place = known(&name)?;
        if !columns.contains(&place) {
            columns.push(place);
        }
    }
    Ok(columns)
}

/// Rows as CSV, with numbers in full precision.
pub(crate) fn csv(rows: &[&ListedCheckpoint], columns: &[usize]) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| Problem::fault(error.to_string());
    writer
        .write_record(columns.iter().map(|&place| COLUMNS[place].name))
        .map_err(|e| failed(&e))?;
    for row in rows {
        let cells = columns.iter().map(|&place| match &row.cells[place] {
            CheckpointCell::Missing => String::new(),
            CheckpointCell::Number(value) if COLUMNS[place].kind != Kind::Day => value.to_string(),
            cell => match cell.json(COLUMNS[place].kind) {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            },
        });
        writer.write_record(cells).map_err(|e| failed(&e))?;
    }
    writer.into_inner().map_err(|e| failed(&e))
}
