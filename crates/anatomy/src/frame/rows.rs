//! Selects the rows of one question from a frame (those with known target and features), and divides them into folds.

use anyhow::{Context, Result, bail};
use study::finding::SourceOf;
use study::random::Random;
use study::{Design, Fold, Groups, Protocol, RowInformation, folds};

use super::Frame;

/// A named set of feature columns.
pub(crate) struct FeatureSet {
    /// Name as used in finding ids: that of a predefined set, or `own`.
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

/// Rows whose features and target are all known.
pub(crate) struct Rows {
    pub(crate) design: Design,
    pub(crate) target: Vec<f64>,
    /// Checkpoint names of all rows of the original table; `None` where it has no such column.
    pub(crate) ids: Option<Vec<String>>,
    /// Row index in the original table, for each row.
    pub(crate) numbers: Vec<usize>,
    /// Shape of each row, as a group: equal layers, `d_model`, `d_ffn` and heads.
    pub(crate) shape: Groups,
    lineage: Option<Groups>,
    family: Option<Groups>,
    date: Option<Vec<f64>>,
    /// Number of rows in the original table.
    pub(crate) n_table: usize,
    /// Number of rows that satisfy the condition.
    pub(crate) n_filtered: usize,
    /// Source of the rows, with the condition on them.
    pub(crate) source: SourceOf,
}

impl Rows {
    /// A random sample of `n` rows without replacement, in their order; all rows where there are no more than `n`.
    pub(crate) fn drawn(self, n: usize, seed: u64) -> Self {
        let all = self.target.len();
        if n >= all {
            return self;
        }
        let mut random = Random::new(seed, 0);
        let mut order: Vec<usize> = (0..all).collect();
        for place in 0..n {
            let other = place + random.below(all - place);
            order.swap(place, other);
        }
        order.truncate(n);
        order.sort_unstable();
        let groups = |groups: Option<Groups>| groups.map(|groups| groups.select(&order));
        Self {
            design: self.design.select(&order),
            target: order.iter().map(|&row| self.target[row]).collect(),
            numbers: order.iter().map(|&row| self.numbers[row]).collect(),
            shape: self.shape.select(&order),
            lineage: groups(self.lineage),
            family: groups(self.family),
            date: self.date.map(|date| order.iter().map(|&row| date[row]).collect()),
            source: SourceOf {
                work: format!("{n} rows drawn from {}", self.source.work),
                ..self.source
            },
            ..self
        }
    }
}

/// A protocol with its folds.
pub(crate) struct Division {
    pub(crate) name: String,
    pub(crate) folds: Vec<Fold>,
}

/// Selects the rows in which the target and every feature are known.
pub(crate) fn rows(frame: &Frame, target: &str, set: &FeatureSet, filter: Option<&str>) -> Result<Rows> {
    let features = &set.columns;
    if features.iter().any(|feature| feature == target) {
        bail!("`{target}` is both target and feature");
    }
    let wanted: Vec<&[Option<f64>]> = features
        .iter()
        .map(|name| frame.column(name))
        .collect::<Result<_>>()?;
    let score = frame.column(target)?;
    let is_complete =
        |row: &usize| score[*row].is_some() && wanted.iter().all(|column| column[*row].is_some());
    let places: Vec<usize> = (0..frame.n_rows()).filter(is_complete).collect();
    let values =
        |column: &[Option<f64>]| -> Vec<f64> { places.iter().filter_map(|&row| column[row]).collect() };
    let design = Design::new(
        features.clone(),
        wanted.iter().map(|column| values(column)).collect(),
    )?;
    let groups = |labels: &Option<Vec<String>>| {
        let labels = labels.as_ref()?;
        let of_rows: Vec<&String> = places.iter().map(|&row| &labels[row]).collect();
        Some(Groups::from_labels(&of_rows))
    };
    let date = frame.column("date").ok().map(values);
    Ok(Rows {
        target: values(score),
        shape: shapes(frame, &design, &places)?,
        lineage: groups(&frame.lineage),
        family: groups(&frame.family),
        date: date.filter(|dates| dates.len() == places.len()),
        n_table: frame.n_table,
        n_filtered: frame.n_rows(),
        source: SourceOf {
            work: match filter {
                Some(condition) => format!("{} where {condition}", frame.source),
                None => frame.source.clone(),
            },
            place: target.into(),
        },
        ids: frame.ids.clone(),
        numbers: places.iter().map(|&row| frame.numbers[row]).collect(),
        design,
    })
}

/// Divides the rows into folds by one protocol.
pub(crate) fn divide(protocol: Protocol, rows: &Rows, seed: u64) -> Result<Division> {
    let information = RowInformation {
        n_rows: rows.target.len(),
        shape: Some(&rows.shape),
        lineage: rows.lineage.as_ref(),
        family: rows.family.as_ref(),
        date: rows.date.as_deref(),
    };
    if let Some(column) = lacking(protocol, rows) {
        bail!(
            "{} needs a column `{column}` without empty cells in {}",
            protocol.name(),
            rows.source.work
        );
    }
    let folds = folds(protocol, &information, seed).with_context(|| {
        format!(
            "cannot divide the rows of {} by {}",
            rows.source.work,
            protocol.name()
        )
    })?;
    Ok(Division {
        name: protocol.name().into(),
        folds,
    })
}

/// The column that a protocol needs and the rows lack; `None` where nothing is missing.
fn lacking(protocol: Protocol, rows: &Rows) -> Option<&'static str> {
    match protocol {
        Protocol::FamilyOut if rows.family.is_none() => Some("family"),
        Protocol::LineageOut if rows.lineage.is_none() => Some("lineage"),
        Protocol::ForwardInTime if rows.date.is_none() => Some("date"),
        _ => None,
    }
}

/// Groups rows by shape: equal layers, `d_model`, `d_ffn`, heads; where the table lacks one of these, equal features.
fn shapes(frame: &Frame, design: &Design, places: &[usize]) -> Result<Groups> {
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
    Ok(Groups::from_labels(&places.iter().map(key).collect::<Vec<_>>()))
}
