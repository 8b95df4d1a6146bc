//! Figures of importances: kinds side by side, clusters of columns, curves.

use super::{CURVES, ImportanceQuestion, Kind, NEAR, POINTS, label, rank};
use crate::error::Error;
use crate::importance::clusters::Dendrogram;
use crate::importance::dependence::{Curve, Point, dependence};
use crate::section::{Axis, Bar, Bin, Cell, Drawing, Figure, Table};

impl ImportanceQuestion<'_> {
    pub(super) fn figure_id(&self, what: &str) -> String {
        format!("{what}-{}", self.target)
    }

    /// The kinds, each as shares of its own sum, so that they fit on one axis.
    pub(super) fn bars(&self, kinds: &[Kind<'_>]) -> Figure {
        let mut bars = Vec::new();
        for kind in kinds.iter().filter(|kind| kind.name != "grouped") {
            let total: f64 = kind.importances.iter().map(|i| i.value.max(0.0)).sum();
            bars.extend(
                kind.importances
                    .iter()
                    .filter(|i| i.value.is_finite())
                    .map(|importance| Bar {
                        group: label(importance),
                        series: kind.name.into(),
                        value: importance.value / total,
                        interval: importance
                            .interval
                            .as_ref()
                            .map(|i| (i.low / total, i.high / total)),
                    }),
            );
        }
        Figure {
            id: self.figure_id("importance"),
            title: format!("What {} leans on, by kind of importance", self.target),
            caption: format!(
                "Each kind as a share of its own sum, with 2.5 to 97.5 % of {} folds × {} seeds; {}, {}, n = {}.",
                self.setting.folds.len(),
                self.setting.seeds,
                self.setting.regression.name(),
                self.protocol,
                self.setting.target.len()
            ),
            n: self.setting.target.len(),
            x: Axis::linear("column"),
            y: Axis::linear("share of the kind's sum"),
            drawing: Drawing::Bars(bars),
        }
    }

    pub(super) fn tree(&self, tree: &Dendrogram) -> Figure {
        Figure {
            id: self.figure_id("importance-clusters"),
            title: "Columns that move together".into(),
            caption: format!(
                "Average linkage of 1 − |Spearman's ρ| between columns, n = {}. Columns joined within {NEAR} are shuffled \
                 as one.",
                self.setting.target.len()
            ),
            n: self.setting.target.len(),
            x: Axis::linear("1 − |Spearman's ρ|"),
            y: Axis::linear("column"),
            drawing: Drawing::Dendrogram {
                names: tree.names.clone(),
                merges: tree
                    .merges
                    .iter()
                    .map(|m| (m.left, m.right, m.distance))
                    .collect(),
            },
        }
    }

    /// Partial dependence and local effects of the columns that rank highest by permutation.
    pub(super) fn curves(&self, kinds: &[Kind<'_>], tables: &mut Vec<Table>) -> Result<Figure, Error> {
        let by = kinds.iter().find(|kind| kind.name == "permutation");
        let mut order: Vec<usize> = (0..self.setting.design.n_features()).collect();
        if let Some(kind) = by {
            order.sort_by(|&a, &b| rank(&kind.importances[b]).total_cmp(&rank(&kind.importances[a])));
        }
        let mut panels = Vec::new();
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for &feature in order.iter().take(CURVES) {
            let name = &self.setting.design.names()[feature];
            for (curve, word) in [
                (Curve::PartialDependence, "partial dependence"),
                (Curve::LocalEffects, "local effects"),
            ] {
                let points = dependence(&self.setting, curve, feature, POINTS)?;
                rows.extend(points.iter().map(|point| {
                    vec![
                        name.as_str().into(),
                        word.into(),
                        point.at.into(),
                        point.value.into(),
                        point.interval.as_ref().map(|i| i.low).into(),
                        point.interval.as_ref().map(|i| i.high).into(),
                        point.rows.into(),
                    ]
                }));
                panels.push((format!("{name}, {word}"), points.iter().map(bin).collect()));
            }
        }
        tables.push(Table {
            id: format!("importance-curves-{}", self.target),
            caption: format!(
                "How predictions of {} move with a column ({})",
                self.target, self.unit
            ),
            columns: ["column", "curve", "at", "value", "low", "high", "rows"]
                .map(String::from)
                .to_vec(),
            rows,
            shown: false,
        });
        Ok(Figure {
            id: self.figure_id("importance-curves"),
            title: format!(
                "How the prediction of {} moves with its first columns",
                self.target
            ),
            caption: format!(
                "Partial dependence and accumulated local effects ({}), band: 2.5 to 97.5 % over {} folds × {} seeds; bars \
                 below: rows near each point. {}, {}, n = {}.",
                self.unit,
                self.setting.folds.len(),
                self.setting.seeds,
                self.setting.regression.name(),
                self.protocol,
                self.setting.target.len()
            ),
            n: self.setting.target.len(),
            x: Axis::linear("column's value"),
            y: Axis::linear(self.unit),
            drawing: Drawing::Curves(panels),
        })
    }
}

/// A point with the limits of its interval and its support.
fn bin(point: &Point) -> Bin {
    let (q1, q3) = point
        .interval
        .as_ref()
        .map_or((point.value, point.value), |i| (i.low, i.high));
    Bin {
        x: point.at,
        mean: point.value,
        q1,
        q3,
        n: point.rows,
    }
}
