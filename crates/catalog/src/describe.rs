//! Descriptive statistics of the structure columns, by pandas' definitions, and a description of all tables for
//! readers.

use std::collections::BTreeMap;

use crate::moments::skewness_and_kurtosis;
use crate::parquet_file::data_type;
use crate::schema::Row;
use crate::tables::{
    Accuracy, Checkpoint, Conflict, Duplicate, Evaluation, Intervention, Item, Reject, Score, Source,
    Structure,
};

/// Descriptive statistics of one structure column.
#[derive(Debug, Clone, PartialEq)]
pub struct Description {
    /// Name of the column.
    pub column: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// Number of values present.
    pub n: usize,
    /// Share of rows without a value, 0 to 1.
    pub missing: f64,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Most frequent value; the smallest if several are equally frequent.
    pub mode: Option<f64>,
    /// Smallest.
    pub minimum: Option<f64>,
    /// 25th percentile, with linear interpolation.
    pub lower_quartile: Option<f64>,
    /// 50th percentile.
    pub median: Option<f64>,
    /// 75th percentile.
    pub upper_quartile: Option<f64>,
    /// Largest.
    pub maximum: Option<f64>,
    /// Sample standard deviation (n − 1).
    pub sd: Option<f64>,
    /// Skewness: adjusted Fisher-Pearson coefficient; `None` below three values.
    pub skewness: Option<f64>,
    /// Excess kurtosis, unbiased; `None` below four values.
    pub kurtosis: Option<f64>,
}

/// Describes the structure columns of `structures`, in the order of the published dataset.
pub fn describe<'a>(structures: impl IntoIterator<Item = &'a Structure>) -> Vec<Description> {
    let rows: Vec<&Structure> = structures.into_iter().collect();
    let all = columns(&rows).into_iter();
    all.map(|(column, values)| description(column, values, rows.len()))
        .collect()
}

fn columns(rows: &[&Structure]) -> [(&'static str, Vec<f64>); 9] {
    let int = |get: fn(&Structure) -> Option<i64>| {
        rows.iter()
            .filter_map(|row| get(row))
            .map(|value| value as f64)
            .collect()
    };
    [
        ("size", rows.iter().filter_map(|row| row.size).collect()),
        ("d_model", int(|row| row.d_model)),
        ("d_ffn", int(|row| row.d_ffn)),
        ("heads", int(|row| row.heads)),
        ("layers", int(|row| row.layers)),
        ("kv_heads", int(|row| row.kv_heads)),
        ("vocab_size", int(|row| row.vocab_size)),
        ("pos", int(|row| row.pos)),
        ("date", int(|row| row.date.map(i64::from))),
    ]
}

/// Describes the structure columns before cleaning: the values kept in `structures` together with the numbers that the
/// rules of [`crate::clean`] and of the readers removed from these columns (5,000 heads, a vocabulary of 5,025,700).
/// Compared with [`describe`], it shows what cleaning does to means, standard deviations and tails.
pub fn describe_uncleaned<'a>(
    structures: impl IntoIterator<Item = &'a Structure>,
    rejects: impl IntoIterator<Item = &'a Reject>,
) -> Vec<Description> {
    let rows: Vec<&Structure> = structures.into_iter().collect();
    let mut taken: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for reject in rejects.into_iter().filter(|reject| !reject.whole_row) {
        if let Ok(value) = reject.raw.trim().parse::<f64>() {
            taken.entry(reject.field.as_str()).or_default().push(value);
        }
    }
    columns(&rows)
        .into_iter()
        .map(|(column, mut values)| {
            let more = taken.remove(column).unwrap_or_default();
            let all = rows.len().max(values.len() + more.len());
            values.extend(more);
            description(column, values, all)
        })
        .collect()
}

/// Describes one column of a table with `rows` rows; NaN in `values` counts as missing.
pub fn description(column: &'static str, mut values: Vec<f64>, rows: usize) -> Description {
    values.retain(|value| !value.is_nan());
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let mean = (n > 0).then(|| values.iter().sum::<f64>() / n as f64);
    let sd = mean.filter(|_| n > 1).map(|mean| {
        (values
            .iter()
            .map(|value| (value - mean) * (value - mean))
            .sum::<f64>()
            / (n as f64 - 1.0))
            .sqrt()
    });
    let (skewness, kurtosis) = skewness_and_kurtosis(&values);
    Description {
        column,
        unit: Structure::columns()
            .iter()
            .find(|c| c.name == column)
            .map_or("", |c| c.unit),
        n,
        missing: if rows == 0 {
            0.0
        } else {
            (rows - n) as f64 / rows as f64
        },
        mean,
        mode: mode(&values),
        minimum: values.first().copied(),
        lower_quartile: quantile(&values, 0.25),
        median: quantile(&values, 0.5),
        upper_quartile: quantile(&values, 0.75),
        maximum: values.last().copied(),
        sd,
        skewness,
        kurtosis,
    }
}

/// The quantile of sorted values at probability `q`; `None` for no values.
fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    (!sorted.is_empty()).then(|| common::quantile::quantile_of_sorted(sorted, q))
}

/// The most frequent of sorted values, the smallest if several are equally frequent; `None` for no values.
fn mode(sorted: &[f64]) -> Option<f64> {
    let (mut best, mut most, mut start) = (None, 0, 0);
    while start < sorted.len() {
        let end = start
            + sorted[start..]
                .iter()
                .take_while(|&&value| value == sorted[start])
                .count();
        if end - start > most {
            (best, most) = (Some(sorted[start]), end - start);
        }
        start = end;
    }
    best
}

/// One column of one table, described for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnHelp {
    /// Name in Parquet and SQL.
    pub name: &'static str,
    /// Arrow type.
    pub kind: String,
    /// Whether it may be absent.
    pub nullable: bool,
    /// Unit, empty where there is none.
    pub unit: &'static str,
    /// Meaning.
    pub meaning: &'static str,
}

/// One table, described for readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableHelp {
    /// Name in Parquet and SQL.
    pub name: &'static str,
    /// Columns in the order of the file.
    pub columns: Vec<ColumnHelp>,
}

/// All tables with their columns.
pub fn schema() -> Vec<TableHelp> {
    vec![
        help::<Checkpoint>(),
        help::<Structure>(),
        help::<Evaluation>(),
        help::<Score>(),
        help::<Item>(),
        help::<Intervention>(),
        help::<Duplicate>(),
        help::<Conflict>(),
        help::<Reject>(),
        help::<Accuracy>(),
        help::<Source>(),
    ]
}

fn help<R: Row>() -> TableHelp {
    let columns = R::columns().iter().map(|column| ColumnHelp {
        name: column.name,
        kind: data_type(column.kind).to_string(),
        nullable: column.nullable,
        unit: column.unit,
        meaning: column.meaning,
    });
    TableHelp {
        name: R::TABLE,
        columns: columns.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// pandas 2.3: `Series([1, 2, 2, 3, 10, None])`'s mean, mode, quantile, std, skew, kurt.
    #[test]
    fn agrees_with_pandas() {
        let told = description("size", vec![1.0, 2.0, 2.0, 3.0, 10.0, f64::NAN], 6);
        assert_eq!((told.n, told.mean, told.mode), (5, Some(3.6), Some(2.0)));
        assert_eq!(
            (told.lower_quartile, told.median, told.upper_quartile),
            (Some(2.0), Some(2.0), Some(3.0))
        );
        let near = |value: Option<f64>, expected: f64| (value.unwrap_or(f64::NAN) - expected).abs() < 1e-9;
        assert!(near(told.sd, 3.646_916_505_762_094), "{told:?}");
        assert!(near(told.skewness, 2.028_699_102_080_332_7), "{told:?}");
        assert!(near(told.kurtosis, 4.272_146_531_742_891), "{told:?}");
        assert!((told.missing - 1.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn uncleaned_columns_hold_what_the_rules_took_out() {
        let kept = [32, 40].map(|heads| Structure {
            heads: Some(heads),
            ..Structure::default()
        });
        let rejects = [(false, "5000"), (true, "7000"), (false, "many")].map(|(whole_row, raw)| Reject {
            field: "heads".into(),
            raw: raw.into(),
            whole_row,
            ..Reject::default()
        });
        let maximum = |table: Vec<Description>| table[3].maximum;
        assert_eq!(maximum(describe(&kept)), Some(40.0));
        assert_eq!(maximum(describe_uncleaned(&kept, &rejects)), Some(5_000.0));
    }

    #[test]
    fn nothing_is_described_as_nothing() {
        let told = description("size", Vec::new(), 0);
        assert_eq!(
            (told.n, told.mean, told.mode, told.median, told.skewness),
            (0, None, None, None, None)
        );
    }
}
