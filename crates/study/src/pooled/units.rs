//! Aggregation of rows to units, and the columns of the model of units.

use std::collections::BTreeMap;

use super::PooledRow;
use crate::statistics::{dot, mean, median};

/// A unit, with the score that an untuned checkpoint of its first date would have.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// The unit's identifier, as in the rows.
    pub(super) number: u32,
    pub(super) family: String,
    pub(super) n: f64,
    pub(super) score: f64,
    pub(super) size: f64,
    pub(super) active: f64,
    pub(super) parts: [f64; 6],
    /// Years since 1970 of its first dated row; `None` where no row has a date.
    pub(super) date: Option<f64>,
    pub(super) tokens: Option<f64>,
}

impl Unit {
    /// Hash of the unit's shape, including experts.
    pub(super) fn shape(&self) -> u64 {
        shape(&self.parts, self.size, self.active)
    }
}

impl PooledRow {
    /// Hash of the row's shape, including experts.
    pub(super) fn shape(&self) -> u64 {
        shape(&self.parts, self.size, self.active)
    }
}

/// Hash of layers, `d_model`, `d_ffn`, heads and, for a mixture, the size in whole billions (FNV-1a, Fowler, Noll and
/// Vo 1991).
fn shape(parts: &[f64; 6], size: f64, active: f64) -> u64 {
    let experts = if active < 1.0 { size.round() } else { 0.0 };
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts[..4].iter().chain([&experts]) {
        for byte in part.to_bits().to_le_bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash
}

/// Effects of tuning, merging and a later year within units, in points.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effects([f64; 3]);

impl Effects {
    /// The effects' contribution to a row of a unit whose first year is `first`.
    pub(super) fn of(&self, row: &PooledRow, first: Option<f64>) -> f64 {
        let later = row
            .date
            .zip(first)
            .map_or(0.0, |(date, first)| date / YEAR - first);
        self.0[0] * f64::from(u8::from(row.is_tuned))
            + self.0[1] * f64::from(u8::from(row.is_merged))
            + self.0[2] * later
    }
}

/// Units of one benchmark, and the variance of rows within them.
pub(super) struct Units {
    pub(super) all: Vec<Unit>,
    /// Variance of a row around its unit's mean.
    pub(super) within: f64,
    pub(super) rows: usize,
    /// Effects by which rows differ within their unit.
    pub(super) effects: Effects,
}

const YEAR: f64 = 365.25;

/// Aggregates the rows that have a score.
pub(super) fn units(rows: &[&PooledRow], score: impl Fn(&PooledRow) -> Option<f64>) -> Units {
    let mut members: BTreeMap<u32, Vec<(&PooledRow, f64)>> = BTreeMap::new();
    for row in rows {
        if let Some(score) = score(row) {
            members.entry(row.unit).or_default().push((row, score));
        }
    }
    // Unknown dates are set to the median of the unit.
    let dates: Vec<Vec<f64>> = members
        .values()
        .map(|rows| {
            let known: Vec<f64> = rows.iter().filter_map(|(row, _)| row.date).collect();
            let middle = if known.is_empty() { 0.0 } else { median(&known) };
            rows.iter()
                .map(|(row, _)| row.date.unwrap_or(middle) / YEAR)
                .collect()
        })
        .collect();
    let mut columns = [const { Vec::new() }; 3];
    let mut target = Vec::new();
    for (rows, dates) in members.values().zip(&dates) {
        let flags = |pick: fn(&PooledRow) -> bool| -> Vec<f64> {
            rows.iter()
                .map(|(row, _)| f64::from(u8::from(pick(row))))
                .collect()
        };
        let of_unit = [
            flags(|row| row.is_tuned),
            flags(|row| row.is_merged),
            dates.clone(),
        ];
        for (column, values) in columns.iter_mut().zip(&of_unit) {
            column.extend(centred(values));
        }
        let scores: Vec<f64> = rows.iter().map(|(_, score)| *score).collect();
        target.extend(centred(&scores));
    }
    let slopes = slopes(&columns, &target);
    let left: f64 = (0..target.len())
        .map(|row| {
            let fitted: f64 = (0..3).map(|k| slopes[k] * columns[k][row]).sum();
            (target[row] - fitted).powi(2)
        })
        .sum();
    let used = slopes.iter().filter(|slope| **slope != 0.0).count();
    let free = target.len() as f64 - members.len() as f64 - used as f64;
    let units = members
        .values()
        .zip(&dates)
        .map(|(rows, dates)| {
            let first = dates.iter().copied().fold(f64::INFINITY, f64::min);
            let adjusted: Vec<f64> = rows
                .iter()
                .zip(dates)
                .map(|((row, score), date)| {
                    score
                        - slopes[0] * f64::from(u8::from(row.is_tuned))
                        - slopes[1] * f64::from(u8::from(row.is_merged))
                        - slopes[2] * (date - first)
                })
                .collect();
            let of = |pick: &dyn Fn(&PooledRow) -> f64| {
                median(&rows.iter().map(|(row, _)| pick(row)).collect::<Vec<_>>())
            };
            let tokens: Vec<f64> = rows.iter().filter_map(|(row, _)| row.tokens).collect();
            Unit {
                number: rows[0].0.unit,
                family: family(rows),
                n: rows.len() as f64,
                score: mean(&adjusted),
                size: of(&|row| row.size),
                active: of(&|row| row.active),
                parts: std::array::from_fn(|part| of(&|row| row.parts[part])),
                date: rows.iter().any(|(row, _)| row.date.is_some()).then_some(first),
                tokens: (!tokens.is_empty()).then(|| median(&tokens)),
            }
        })
        .collect();
    Units {
        all: units,
        within: if free > 0.0 { left / free } else { 0.0 },
        rows: target.len(),
        effects: Effects(slopes),
    }
}

/// The most frequent family among rows with certain structure, or else among all; a family of its own where none is
/// known.
fn family(rows: &[(&PooledRow, f64)]) -> String {
    let most = |sure: bool| {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (row, _) in rows.iter().filter(|(row, _)| row.is_sure || !sure) {
            if let Some(family) = &row.family {
                *counts.entry(family).or_default() += 1;
            }
        }
        // The first by name on a tie.
        let best = counts
            .iter()
            .max_by_key(|(name, count)| (**count, std::cmp::Reverse(**name)));
        best.map(|(name, _)| (*name).to_owned())
    };
    most(true)
        .or_else(|| most(false))
        .unwrap_or_else(|| format!("unit {}", rows[0].0.unit))
}

fn centred(values: &[f64]) -> Vec<f64> {
    let centre = mean(values);
    values.iter().map(|value| value - centre).collect()
}

/// Least squares on columns that may be constant or collinear: such a column gets a slope of 0.
fn slopes(columns: &[Vec<f64>; 3], target: &[f64]) -> [f64; 3] {
    let mut basis: Vec<(usize, Vec<f64>)> = Vec::new();
    for (place, column) in columns.iter().enumerate() {
        let mut rest = column.clone();
        for (_, direction) in &basis {
            let along = dot(direction, &rest);
            rest.iter_mut().zip(direction).for_each(|(x, d)| *x -= along * d);
        }
        let length = dot(&rest, &rest).sqrt();
        if length > 1e-6 {
            basis.push((place, rest.iter().map(|x| x / length).collect()));
        }
    }
    let kept: Vec<Vec<f64>> = basis.iter().map(|(place, _)| columns[*place].clone()).collect();
    let mut slopes = [0.0; 3];
    if let Ok(design) = crate::statistics::LinearDesign::new(&kept) {
        for ((place, _), slope) in basis.iter().zip(design.fit(target).coefficients) {
            slopes[*place] = slope;
        }
    }
    slopes
}

/// A column with its name.
pub(super) type Named = (&'static str, Vec<f64>);

/// The centred columns of the model; constant and collinear ones are left out.
pub(super) fn columns(units: &[Unit]) -> Vec<Named> {
    let of = |pick: &dyn Fn(&Unit) -> f64| -> Vec<f64> { units.iter().map(pick).collect() };
    let size = centred(&of(&|unit| unit.size.log2()));
    // Unknown values are set to the mean, with an indicator column.
    let around_mean = |pick: &dyn Fn(&Unit) -> Option<f64>| -> Vec<f64> {
        let known: Vec<f64> = units.iter().filter_map(pick).collect();
        let middle = if known.is_empty() { 0.0 } else { mean(&known) };
        of(&|unit| pick(unit).map_or(0.0, |value| value - middle))
    };
    let is_unknown = |is: &dyn Fn(&Unit) -> bool| of(&|unit| f64::from(u8::from(is(unit))));
    let [layers, d_model, d_ffn, heads, kv_heads, vocabulary] = [0, 1, 2, 3, 4, 5];
    let all: Vec<Named> = vec![
        ("size_squared", size.iter().map(|s| s * s).collect()),
        ("size", size),
        ("date", around_mean(&|unit| unit.date)),
        ("date_unknown", is_unknown(&|unit| unit.date.is_none())),
        ("layers", centred(&of(&|unit| unit.parts[layers].log2()))),
        (
            "d_ffn",
            centred(&of(&|unit| (unit.parts[d_ffn] / unit.parts[d_model]).log2())),
        ),
        (
            "heads_per_kv",
            centred(&of(&|unit| (unit.parts[heads] / unit.parts[kv_heads]).log2())),
        ),
        ("vocabulary", centred(&of(&|unit| unit.parts[vocabulary].log2()))),
        ("experts", centred(&of(&|unit| (1.0 / unit.active).log2()))),
        ("tokens", around_mean(&|unit| unit.tokens.map(f64::log2))),
        ("tokens_unknown", is_unknown(&|unit| unit.tokens.is_none())),
    ];
    let mut kept: Vec<Named> = vec![("one", vec![1.0; units.len()])];
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let unit_length = |column: &[f64], basis: &[Vec<f64>]| -> Option<Vec<f64>> {
        let mut rest = column.to_vec();
        for direction in basis {
            let along = dot(direction, &rest);
            rest.iter_mut().zip(direction).for_each(|(x, d)| *x -= along * d);
        }
        let (length, whole) = (dot(&rest, &rest).sqrt(), dot(column, column).sqrt());
        (length > 1e-6 * whole && length > 1e-9).then(|| rest.iter().map(|x| x / length).collect())
    };
    basis.extend(unit_length(&kept[0].1, &[]));
    for (name, column) in all {
        if let Some(direction) = unit_length(&column, &basis) {
            basis.push(direction);
            kept.push((name, column));
        }
    }
    kept
}

/// Row indices of the units in thirds by size.
pub(super) fn thirds(units: &[Unit]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..units.len()).collect();
    order.sort_by(|&a, &b| units[a].size.total_cmp(&units[b].size));
    order
        .chunks(units.len().div_ceil(3).max(1))
        .map(<[usize]>::to_vec)
        .collect()
}
