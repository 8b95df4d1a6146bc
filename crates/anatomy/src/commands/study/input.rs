//! What every question of the study takes: rows, features, targets, and how rows are divided.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use clap::Args;
use study::Protocol;
use study::abilities::{LISTED, Listed};
use study::features::feature_set;
use study::protocol::folds_from_numbers;

use crate::frame::{self, Division, FeatureSet, Frame, Rows, divide, rows};
use crate::output;
use crate::provenance::OwnData;
use crate::report::About;

/// Rows, features, targets, protocols.
#[derive(Debug, Args)]
pub(super) struct Input {
    /// What to explain, separated by commas: benchmarks, `average_BOARD` or structure columns of the catalog; columns of
    /// --data [default: the benchmarks of leaderboard v1]
    #[arg(short, long, value_name = "NAMES")]
    target: Option<String>,
    /// Explain the benchmarks of this board: v1, v2, proteus, euroeval, swallow, swallow-ja, epoch
    #[arg(long, value_name = "NAME", value_parser = super::claims::board, conflicts_with_all = ["target", "data"])]
    board: Option<&'static Listed>,
    /// Features: core, structure, structure_date, structural (several of these separated by commas are asked one after
    /// another), or columns separated by commas [default: structure_date; of the method structural alone, structural; of --data
    /// all its columns of numbers]
    #[arg(short, long, value_name = "SET")]
    features: Option<String>,
    /// How training and test rows are divided, separated by commas: random_split, random_folds, structure_out,
    /// lineage_out, family_out, forward_in_time
    #[arg(short, long, default_value = "structure_out", value_name = "NAMES")]
    protocol: String,
    /// Only rows for which this SQL condition holds: over `observations` (`anatomy query --tables`), or the columns of
    /// --data
    #[arg(long = "where", value_name = "SQL")]
    filter: Option<String>,
    /// A CSV or Parquet table of your own instead of the catalog; `-` reads CSV from standard input
    #[arg(long, value_name = "FILE", conflicts_with = "catalog")]
    data: Option<PathBuf>,
    /// Only this many rows, drawn at random by the seed
    #[arg(long, value_name = "NUM", conflicts_with = "folds")]
    rows: Option<usize>,
    /// Fold numbers instead of a protocol: a column of --data, or FILE:COLUMN (0, 1 … test folds, -1 always training)
    #[arg(long, value_name = "COLUMN", requires = "data", conflicts_with = "protocol")]
    folds: Option<String>,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    catalog: Option<PathBuf>,
}

/// The rows of a question, before a target is chosen.
pub(super) struct Table<'a> {
    input: &'a Input,
    frame: Frame,
    /// Identity of the catalog; empty for a table of the user's own.
    pub(super) catalog_hash: String,
}

impl Input {
    pub(super) fn targets(&self) -> Vec<&str> {
        match &self.target {
            Some(target) => split(target),
            None => self.board.unwrap_or(&LISTED[0]).benchmarks.to_vec(),
        }
    }

    /// Protocols named; none where fold numbers are given.
    pub(super) fn protocols(&self) -> Result<Vec<Protocol>> {
        if self.folds.is_some() {
            return Ok(Vec::new());
        }
        let all: Vec<&str> = Protocol::ALL.iter().map(|protocol| protocol.name()).collect();
        let of = |name| {
            Protocol::from_name(name).with_context(|| {
                let meant = crate::near::hint(name, all.iter().copied());
                format!("no protocol named `{name}`{meant}; there are {}", all.join(", "))
            })
        };
        split(&self.protocol).into_iter().map(of).collect()
    }

    /// The feature sets asked for; `default` where none is, and of a table of the user's own all columns of numbers.
    ///
    /// # Errors
    /// A table that cannot be read.
    pub(super) fn sets_or_columns(&self, default: &str, quiet: bool) -> Result<Vec<FeatureSet>> {
        let (Some(path), None) = (&self.data, &self.features) else {
            return Ok(self.sets(default));
        };
        let frame = frame::from_file(path, None)?;
        let targets = self.targets();
        let is_left_out = |name: &str| {
            let kinds = ["id", "fold", "folds", "row", "index", "date", "family", "lineage"];
            targets.contains(&name)
                || self.folds.as_deref() == Some(name)
                || kinds.iter().any(|kind| name.eq_ignore_ascii_case(kind))
        };
        let columns: Vec<String> = frame
            .names
            .iter()
            .zip(&frame.columns)
            .filter(|(name, cells)| !is_left_out(name) && cells.iter().any(Option::is_some))
            .map(|(name, _)| name.clone())
            .collect();
        // A target that is not there is the first thing to say.
        for target in &targets {
            frame.column(target)?;
        }
        if columns.is_empty() {
            bail!(
                "{} has no numeric column besides {}: name features with --features",
                frame.source,
                targets.join(", ")
            );
        }
        output::say(
            quiet,
            &format!(
                "features: {} (all columns of numbers; --features names others)",
                columns.join(", ")
            ),
        );
        for (name, line, cell, written) in frame.almost_numbers() {
            if !is_left_out(name) {
                output::say(
                    quiet,
                    &format!(
                        "left out: column `{name}` is text: {cell:?} (line {line}); written as {written}, and so in all cells, it would \
                         be a feature"
                    ),
                );
            }
        }
        Ok(vec![FeatureSet {
            name: "own".into(),
            columns,
        }])
    }

    /// The feature sets asked for; `default` where none is.
    pub(super) fn sets(&self, default: &str) -> Vec<FeatureSet> {
        let asked = self.features.as_deref().unwrap_or(default);
        let names = split(asked);
        if names.iter().all(|name| feature_set(name).is_some()) {
            let set = |name: &str| FeatureSet {
                name: name.to_owned(),
                columns: feature_set(name)
                    .unwrap_or_default()
                    .iter()
                    .map(ToString::to_string)
                    .collect(),
            };
            return names.into_iter().map(set).collect();
        }
        vec![FeatureSet {
            name: "own".into(),
            columns: names.into_iter().map(String::from).collect(),
        }]
    }

    /// True where published figures are of the same rows: the catalog, unfiltered.
    pub(super) fn is_whole_catalog(&self) -> bool {
        self.data.is_none() && self.filter.is_none() && self.rows.is_none()
    }

    /// True where no features are named.
    pub(super) fn has_no_features(&self) -> bool {
        self.features.is_none()
    }

    /// True where the rows are a table of the user's own.
    pub(super) fn is_own_table(&self) -> bool {
        self.data.is_some()
    }

    /// Reads the rows, with the columns of all `sets`.
    pub(super) fn read(&self, sets: &[FeatureSet]) -> Result<Table<'_>> {
        let filter = self.filter.as_deref();
        let (frame, catalog_hash) = if let Some(path) = &self.data {
            (frame::from_file(path, filter)?, String::new())
        } else {
            let catalog: Catalog = crate::commands::open_catalog(self.catalog.as_deref())?;
            let names: Vec<String> = self
                .targets()
                .into_iter()
                .map(String::from)
                .chain(sets.iter().flat_map(|set| set.columns.clone()))
                .collect();
            let frame = frame::from_catalog(&catalog, self.catalog.as_deref(), &names, filter)?;
            (frame, catalog.manifest.catalog_sha256)
        };
        Ok(Table {
            input: self,
            frame,
            catalog_hash,
        })
    }
}

impl Table<'_> {
    /// The rows in which the target and every feature are known.
    pub(super) fn rows(&self, target: &str, set: &FeatureSet, seed: u64) -> Result<Rows> {
        let all = rows(&self.frame, target, set, self.input.filter.as_deref())?;
        Ok(match self.input.rows {
            Some(n) => all.drawn(n, seed),
            None => all,
        })
    }

    /// The question, and the user's own table where it was put to one.
    pub(super) fn about(&self, sets: &[FeatureSet]) -> About {
        let targets = self.input.targets();
        let names = self.input.features.as_deref().map(split);
        let names = names.unwrap_or_else(|| sets.iter().map(|set| set.name.as_str()).collect());
        let mut title = format!("{} from {}", targets.join(", "), names.join(", "));
        let mut data = None;
        if let Some(path) = &self.input.data {
            let name = path.file_name().unwrap_or(path.as_os_str());
            title = format!("{title} in {}", name.to_string_lossy());
            let mut columns: Vec<String> = targets.into_iter().map(String::from).collect();
            let features = sets.iter().flat_map(|set| set.columns.iter().cloned());
            for column in features.chain(self.input.folds.clone()) {
                if !columns.contains(&column) {
                    columns.push(column);
                }
            }
            data = Some(OwnData {
                file: path.display().to_string(),
                sha256: self.frame.sha256.clone().unwrap_or_default(),
                rows: self.frame.n_table,
                columns,
            });
        }
        About::question(title, self.input.filter.as_deref(), data)
    }

    /// Unit of a target: of a benchmark its own, else the column's.
    pub(super) fn unit(&self, target: &str) -> &str {
        self.frame.unit(target)
    }

    /// The rows divided as asked: one division a protocol, or the given fold numbers.
    pub(super) fn divisions(&self, rows: &Rows, seed: u64) -> Result<Vec<Division>> {
        match &self.input.folds {
            Some(asked) => Ok(vec![Division {
                name: "given_folds".into(),
                folds: folds_from_numbers(&self.fold_numbers(asked, rows)?)?,
            }]),
            None => self
                .input
                .protocols()?
                .into_iter()
                .map(|protocol| divide(protocol, rows, seed))
                .collect(),
        }
    }

    /// Fold numbers of the rows from a column of a table (`FILE:COLUMN`, or `COLUMN` of the data file itself).
    fn fold_numbers(&self, asked: &str, rows: &Rows) -> Result<Vec<i64>> {
        let own;
        let (frame, column) = match asked.rsplit_once(':') {
            Some((file, column)) => {
                own = frame::from_file(Path::new(file), None)?;
                (&own, column)
            }
            None => (&self.frame, asked),
        };
        if frame.n_table != rows.n_table {
            bail!(
                "{} has {} rows, the data {}",
                frame.source,
                frame.n_table,
                rows.n_table
            );
        }
        let mut by_number = vec![None; frame.n_table];
        for (&number, &value) in frame.numbers.iter().zip(frame.column(column)?) {
            by_number[number] = value;
        }
        let of_row = |&row: &usize| match by_number[row] {
            Some(number) if number == number.trunc() => Ok(number as i64),
            _ => bail!(
                "{}, row {row}, column `{column}`: not a fold number",
                frame.source
            ),
        };
        rows.numbers.iter().map(of_row).collect()
    }
}

/// How many rows are left, and a plain warning where they can say little.
pub(super) fn say_rows(quiet: bool, target: &str, rows: &Rows) {
    let (kept, shapes) = (rows.target.len(), rows.shape.n_groups());
    let text = format!(
        "{target}: {kept} of {} used{}{}; {} (rows equal in layers, d_model, d_ffn and heads, or else in all features)",
        output::plural(rows.n_table, "row"),
        left_out(rows.n_table - rows.n_filtered, "outside the condition"),
        left_out(rows.n_filtered - kept, "without a value"),
        output::plural(shapes, "shape"),
    );
    output::say(quiet, &text);
    if kept < FEW_ROWS || shapes < FEW_SHAPES {
        let text = format!(
            "{target}: {} of {} are too few to tell methods or columns apart; read the intervals",
            output::plural(kept, "row"),
            output::plural(shapes, "shape")
        );
        output::say(quiet, &text);
    }
}

fn left_out(n: usize, why: &str) -> String {
    if n == 0 {
        String::new()
    } else {
        format!(", {n} {why}")
    }
}

/// Below these, R² and importances are mostly noise: a fold of ten would hold under ten rows or two shapes.
const FEW_ROWS: usize = 100;
const FEW_SHAPES: usize = 30;

/// That no row has all the values.
pub(super) fn say_none(target: &str, set: &FeatureSet, rows: &Rows) {
    let columns = set.columns.join(", ");
    let text = format!(
        "no row of {} has `{target}` and all of {columns}",
        rows.source.work
    );
    output::say(false, &text);
}

/// Names separated by commas.
pub(super) fn split(list: &str) -> Vec<&str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}
