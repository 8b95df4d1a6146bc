//! Table for the answer of a sweep.

use study::section::{Cell, Table};

use crate::answers::sweep::SweepAnswer;

/// One row per point: the dimensions, the parameters, and each score with its interval.
pub(crate) fn points(sweep: &SweepAnswer) -> Table {
    let others: Vec<&str> = ["layers", "d_model", "d_ffn", "heads", "kv_heads"]
        .into_iter()
        .filter(|name| *name != sweep.over)
        .collect();
    let mut columns = vec![sweep.over.clone()];
    columns.extend(others.iter().map(ToString::to_string));
    columns.push("parameters (B)".into());
    if let Some(first) = sweep.points.first() {
        for score in &first.scores {
            columns.extend([score.benchmark.clone(), "low".into(), "high".into()]);
        }
    }
    let rows = sweep.points.iter().map(|point| {
        let structure = &point.structure;
        let dimension = |name: &&str| {
            let value = match *name {
                "layers" => structure.layers,
                "d_model" => structure.d_model,
                "d_ffn" => structure.d_ffn,
                "heads" => structure.heads,
                _ => structure.kv_heads,
            };
            Cell::from(value.map(|value| value as f64))
        };
        let mut cells = vec![Cell::from(point.value as f64)];
        cells.extend(others.iter().map(dimension));
        cells.push(Cell::from(point.parameters_total as f64 / 1e9));
        for score in &point.scores {
            cells.extend([score.value.into(), score.low.into(), score.high.into()]);
        }
        cells
    });
    Table {
        id: "sweep".into(),
        rows: rows.collect(),
        columns,
        ..Table::default()
    }
}
