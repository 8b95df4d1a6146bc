//! Features of the structural regression, derived from the structure columns.

use serde::{Deserialize, Serialize};

use crate::design::Design;
use crate::error::Error;

/// The columns that define a shape; all are required.
pub(super) const SHAPE: [&str; 4] = ["layers", "d_model", "d_ffn", "heads"];

/// Columns that did not improve prediction of held-out shapes, and are not used.
const UNUSED: [&str; 2] = ["vocab_size", "pos"];

/// Days in a year.
const YEAR: f64 = 365.25;

/// One derived feature.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Kind {
    /// ln of column 0 (billions of parameters).
    Size(usize),
    /// ln (12 · layers · `d_model`² / 1e9), where there is no `size`.
    Volume,
    /// ln (`d_ffn` / `d_model`).
    Widening,
    /// ln (heads / `kv_heads`).
    Grouping(usize),
    /// Date in years, from days.
    Date(usize),
    /// Any other column, standardised: index, mean, standard deviation.
    Other(usize, f64, f64),
}

/// Mapping from the columns of a design to features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Features {
    /// Column indices of [`SHAPE`].
    shape: [usize; 4],
    kinds: Vec<Kind>,
    /// Name of each feature.
    pub(crate) names: Vec<String>,
}

impl Features {
    pub(super) fn new(design: &Design) -> Result<Self, Error> {
        let mut shape = [0; 4];
        for (place, name) in shape.iter_mut().zip(SHAPE) {
            *place = design.position(name)?;
        }
        let find = |name: &str| design.names().iter().position(|n| n == name);
        let mut kinds = vec![find("size").map_or(Kind::Volume, Kind::Size), Kind::Widening];
        let mut names = vec!["ln size".to_owned(), "ln d_ffn / d_model".to_owned()];
        if let Some(c) = find("kv_heads") {
            kinds.push(Kind::Grouping(c));
            names.push("ln heads / kv_heads".to_owned());
        }
        if let Some(c) = find("date") {
            kinds.push(Kind::Date(c));
            names.push("years".to_owned());
        }
        for (c, name) in design.names().iter().enumerate() {
            let known = ["size", "kv_heads", "date"].contains(&name.as_str());
            if known || SHAPE.contains(&name.as_str()) || UNUSED.contains(&name.as_str()) {
                continue;
            }
            let column = design.column(c);
            let n = column.len() as f64;
            let mean = column.iter().sum::<f64>() / n;
            let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n).sqrt();
            let deviation = if deviation > 0.0 { deviation } else { 1.0 };
            kinds.push(Kind::Other(c, mean, deviation));
            names.push(name.clone());
        }
        Ok(Self { shape, kinds, names })
    }

    /// Indices of the design's columns that are used.
    pub(super) fn sources(&self) -> Vec<usize> {
        let of_kind = |kind: &Kind| match kind {
            Kind::Size(c) | Kind::Grouping(c) | Kind::Date(c) | Kind::Other(c, _, _) => Some(*c),
            Kind::Volume | Kind::Widening => None,
        };
        let kinds = self.kinds.iter().filter_map(of_kind);
        self.shape.iter().copied().chain(kinds).collect()
    }

    /// Which starting length scale each feature takes: 0 size, 1 widening, 2 grouping, 3 date, 4 other.
    pub(super) fn scale_of(&self) -> Vec<usize> {
        let scale = |kind: &Kind| match kind {
            Kind::Size(_) | Kind::Volume => 0,
            Kind::Widening => 1,
            Kind::Grouping(_) => 2,
            Kind::Date(_) => 3,
            Kind::Other(..) => 4,
        };
        self.kinds.iter().map(scale).collect()
    }

    /// Whether a feature has a linear part. The widening has none: gated networks, at 2.7 to 3.5, and ungated ones, at
    /// 4, are not two ends of one scale.
    pub(super) fn straight(&self) -> Vec<bool> {
        self.kinds.iter().map(|k| *k != Kind::Widening).collect()
    }

    /// The shape's four columns, then the features, each rounded so that near-identical rows coincide.
    pub(super) fn derive(&self, design: &Design) -> Result<Design, Error> {
        let [layers, d_model, d_ffn, heads] = self.shape.map(|c| design.column(c));
        let positive = |name: &str, column: &[f64]| match column.iter().position(|&x| x <= 0.0) {
            None => Ok(()),
            Some(row) => Err(Error::CannotCompute {
                method: "structural",
                problem: format!("`{name}` is {} in row {row}, not above 0", column[row]),
            }),
        };
        for (name, column) in SHAPE.iter().zip([layers, d_model, d_ffn, heads]) {
            positive(name, column)?;
        }
        let mut names: Vec<String> = SHAPE.iter().map(|s| (*s).to_owned()).collect();
        names.extend(self.names.iter().map(|n| format!("feature {n}")));
        let mut columns = [layers, d_model, d_ffn, heads].map(<[f64]>::to_vec).to_vec();
        for (kind, name) in self.kinds.iter().zip(&self.names) {
            let column: Vec<f64> = match *kind {
                Kind::Size(c) => {
                    positive("size", design.column(c))?;
                    design.column(c).iter().map(|x| tenth(x.ln())).collect()
                }
                Kind::Volume => {
                    let volume = |(l, d): (&f64, &f64)| tenth((12.0 * l * d * d / 1e9).ln());
                    layers.iter().zip(d_model).map(volume).collect()
                }
                Kind::Widening => {
                    let ratio = |(f, d): (&f64, &f64)| tenth((f / d).ln());
                    d_ffn.iter().zip(d_model).map(ratio).collect()
                }
                Kind::Grouping(c) => {
                    positive("kv_heads", design.column(c))?;
                    let ratio = |(h, k): (&f64, &f64)| tenth((h / k).ln());
                    heads.iter().zip(design.column(c)).map(ratio).collect()
                }
                Kind::Date(c) => {
                    let quarter = |d: &f64| (d / YEAR * 4.0).round() / 4.0;
                    design.column(c).iter().map(quarter).collect()
                }
                Kind::Other(c, mean, deviation) => {
                    let scaled = |x: &f64| tenth((x - mean) / deviation);
                    design.column(c).iter().map(scaled).collect()
                }
            };
            if let Some(row) = column.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: name.clone(),
                    row,
                    value: column[row],
                });
            }
            columns.push(column);
        }
        Design::new(names, columns)
    }
}

fn tenth(x: f64) -> f64 {
    (x * 10.0).round() / 10.0
}
