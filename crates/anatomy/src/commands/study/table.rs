//! The rows of a regression: from the catalog, or from a CSV file of the user's own.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use catalog::Catalog;
use study::features::feature_set;
use study::{Design, Groups};

use crate::rows::{self, Shapes};

/// Rows whose features and target are all known.
pub(super) struct Rows {
    /// What each row is; row numbers where the file names none.
    pub(super) design: Design,
    pub(super) target: Vec<f64>,
    /// Number of each row in the table it was taken from.
    pub(super) numbers: Vec<usize>,
    /// Shape of each row: layers, `d_model`, `d_ffn` and heads, as far as the table has them.
    pub(super) shape: Groups,
    pub(super) lineage: Option<Groups>,
    pub(super) family: Option<Groups>,
    pub(super) date: Option<Vec<f64>>,
    /// Rows of the table before those without a value were left out.
    pub(super) n_table: usize,
    /// Where they come from.
    pub(super) source: String,
}

/// A table of numbers with names, `None` where a cell is empty.
pub(super) struct Frame {
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Vec<Option<f64>>>,
    pub(super) family: Option<Vec<String>>,
    pub(super) lineage: Option<Vec<String>>,
    pub(super) source: String,
}

impl Frame {
    fn column(&self, name: &str) -> Result<&[Option<f64>]> {
        match self.names.iter().position(|column| column == name) {
            Some(place) => Ok(&self.columns[place]),
            None => bail!(
                "no column named `{name}` in {}; there are {}",
                self.source,
                self.names.join(", ")
            ),
        }
    }

    fn n_rows(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }
}

/// A CSV file; a cell that is neither empty nor a number makes its column text, which no regression can use.
pub(super) fn read_csv(path: &Path) -> Result<Frame> {
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let names: Vec<String> = reader.headers()?.iter().map(ToString::to_string).collect();
    let mut columns = vec![Vec::new(); names.len()];
    let mut is_text = vec![false; names.len()];
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read {}", path.display()))?;
        for (place, cell) in record.iter().enumerate() {
            let number = cell.trim().parse::<f64>().ok().filter(|value| value.is_finite());
            is_text[place] |=
                number.is_none() && !cell.trim().is_empty() && !cell.trim().eq_ignore_ascii_case("nan");
            columns[place].push(number);
        }
    }
    let keep: Vec<bool> = is_text.iter().map(|text| !text).collect();
    let kept = |place: &usize| keep[*place];
    Ok(Frame {
        columns: (0..names.len())
            .filter(kept)
            .map(|place| std::mem::take(&mut columns[place]))
            .collect(),
        names: (0..names.len())
            .filter(kept)
            .map(|place| names[place].clone())
            .collect(),
        family: None,
        lineage: None,
        source: path.display().to_string(),
    })
}

/// The catalog's checkpoints with a score on the target benchmark, one row an evaluation, repeats left out.
pub(super) fn from_catalog(catalog: &Catalog, target: &str) -> Result<Frame> {
    let shapes = Shapes::of(catalog);
    let benchmarks: std::collections::BTreeSet<&str> = catalog
        .scores
        .iter()
        .map(|score| score.benchmark.as_str())
        .collect();
    if !benchmarks.contains(target) {
        let all: Vec<&str> = benchmarks.into_iter().collect();
        bail!(
            "no benchmark named `{target}` in the catalog; there are {}",
            all.join(", ")
        );
    }
    let repeats: std::collections::BTreeSet<&str> = catalog
        .evaluations
        .iter()
        .filter(|evaluation| evaluation.duplicate_of.is_some())
        .map(|evaluation| evaluation.evaluation.as_str())
        .collect();
    let checkpoints: BTreeMap<&str, &catalog::tables::Checkpoint> = catalog
        .checkpoints
        .iter()
        .map(|checkpoint| (checkpoint.id.as_str(), checkpoint))
        .collect();
    let names: Vec<String> = study::features::COLUMNS
        .iter()
        .copied()
        .chain([target])
        .map(ToString::to_string)
        .collect();
    let mut columns = vec![Vec::new(); names.len()];
    let (mut family, mut lineage) = (Vec::new(), Vec::new());
    for score in &catalog.scores {
        if score.benchmark != target || repeats.contains(score.evaluation.as_str()) {
            continue;
        }
        let structure = shapes.columns(&score.id);
        for (column, value) in columns
            .iter_mut()
            .zip(structure.into_iter().chain([Some(score.value)]))
        {
            column.push(value);
        }
        let architecture = checkpoints
            .get(score.id.as_str())
            .and_then(|checkpoint| checkpoint.architecture.clone());
        family.push(architecture.unwrap_or_else(|| format!("unknown: {}", score.id)));
        lineage.push(rows::root(&checkpoints, &score.id));
    }
    Ok(Frame {
        names,
        columns,
        family: Some(family),
        lineage: Some(lineage),
        source: "the catalog".into(),
    })
}

/// Names of the features asked for: a named set, or columns separated by commas.
pub(super) fn feature_names(asked: &str) -> Vec<String> {
    match feature_set(asked) {
        Some(set) => set.iter().map(ToString::to_string).collect(),
        None => asked.split(',').map(|name| name.trim().to_string()).collect(),
    }
}

/// Takes the rows in which the target and every feature are known.
pub(super) fn complete_rows(frame: &Frame, features: &[String], target: &str) -> Result<Rows> {
    let wanted: Vec<&[Option<f64>]> = features
        .iter()
        .map(|name| frame.column(name))
        .collect::<Result<_>>()?;
    let score = frame.column(target)?;
    let is_complete =
        |row: &usize| score[*row].is_some() && wanted.iter().all(|column| column[*row].is_some());
    let numbers: Vec<usize> = (0..frame.n_rows()).filter(is_complete).collect();
    let values = |column: &[Option<f64>]| {
        numbers
            .iter()
            .filter_map(|&row| column[row])
            .collect::<Vec<f64>>()
    };
    let design = Design::new(
        features.to_vec(),
        wanted.iter().map(|column| values(column)).collect(),
    )?;
    let labels = |labels: &Option<Vec<String>>| {
        labels
            .as_ref()
            .map(|labels| Groups::from_labels(&numbers.iter().map(|&row| &labels[row]).collect::<Vec<_>>()))
    };
    Ok(Rows {
        target: values(score),
        shape: shapes_of(frame, &design, &numbers)?,
        lineage: labels(&frame.lineage),
        family: labels(&frame.family),
        date: frame
            .column("date")
            .ok()
            .map(values)
            .filter(|dates| dates.len() == numbers.len()),
        n_table: frame.n_rows(),
        source: frame.source.clone(),
        numbers,
        design,
    })
}

/// Rows of one shape: equal layers, `d_model`, `d_ffn`, heads; where the table lacks one of these, equal features.
fn shapes_of(frame: &Frame, design: &Design, numbers: &[usize]) -> Result<Groups> {
    let core = ["layers", "d_model", "d_ffn", "heads"];
    let columns: Result<Vec<&[Option<f64>]>> = core.iter().map(|name| frame.column(name)).collect();
    let Ok(columns) = columns else {
        let names: Vec<&str> = design.names().iter().map(String::as_str).collect();
        return Ok(Groups::from_columns(design, &names)?);
    };
    let key = |row: &usize| -> Vec<Option<u64>> {
        columns
            .iter()
            .map(|column| column[*row].map(f64::to_bits))
            .collect()
    };
    Ok(Groups::from_labels(&numbers.iter().map(key).collect::<Vec<_>>()))
}

/// Fold numbers from a column of a table (`FILE:COLUMN`, or `COLUMN` of the data file itself).
pub(super) fn fold_numbers(frame: &Frame, asked: &str, rows: &Rows) -> Result<Vec<i64>> {
    let own;
    let (frame, column) = match asked.rsplit_once(':') {
        Some((file, column)) => {
            own = read_csv(Path::new(file))?;
            (&own, column)
        }
        None => (frame, asked),
    };
    if frame.n_rows() != rows.n_table {
        bail!(
            "{} has {} rows, the data {}",
            frame.source,
            frame.n_rows(),
            rows.n_table
        );
    }
    let column_values = frame.column(column)?;
    rows.numbers
        .iter()
        .map(|&row| match column_values[row] {
            Some(number) if number == number.trunc() => Ok(number as i64),
            _ => bail!("{}, row {row}, column `{column}`: no fold number", frame.source),
        })
        .collect()
}
