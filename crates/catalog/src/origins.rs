//! Consistency rules of table `provenance`: every cell of `structures` has an origin, and a cell taken from another
//! checkpoint agrees with that checkpoint's cell.

use std::collections::BTreeMap;

use crate::rule::{RuleCheck, ask};
use crate::schema::{Row, Value};
use crate::tables::{Provenance, Structure};

/// Columns about the row itself, which have no origin in a source.
const OF_THE_ROW: [&str; 5] = ["id", "date_by", "resolved_by", "source", "conflicts"];

/// A cell of `structures`: checkpoint and column.
type Key<'a> = (&'a str, &'a str);

/// Checks every rule of `provenance`.
pub(crate) fn rules(structures: &[Structure], provenance: &[Provenance]) -> Vec<RuleCheck> {
    let told: BTreeMap<Key<'_>, &Provenance> = provenance
        .iter()
        .map(|cell| ((cell.id.as_str(), cell.field.as_str()), cell))
        .collect();
    vec![
        ask(
            "cell_has_origin",
            "every cell of structures has a row in provenance with its value",
            structures,
            |row| {
                Structure::columns()
                    .iter()
                    .filter(|column| !OF_THE_ROW.contains(&column.name))
                    .find_map(|column| {
                        let value = text((column.get)(row))?;
                        let held = told
                            .get(&(row.id.as_str(), column.name))
                            .map(|cell| cell.value.as_str());
                        (held != Some(value.as_str())).then(|| format!("{} {}", row.id, column.name))
                    })
            },
        ),
        ask(
            "origin_is_a_row",
            "what is stated, listed or taken from another names the checkpoint, the source and the row in it",
            provenance,
            |cell| {
                let made = ["nearest_names", "formula", "named"].contains(&cell.how.as_str());
                let names = cell.of.is_some() && cell.source.is_some() && cell.row.is_some();
                (made == names).then(|| format!("{} {}", cell.id, cell.field))
            },
        ),
        ask(
            "taken_is_as_stated",
            "what is taken from another checkpoint stands there, of the same row of the same source",
            provenance,
            |cell| {
                let of = cell.of.as_deref().filter(|of| *of != cell.id)?;
                let theirs = told.get(&(of, cell.field.as_str()))?;
                let same =
                    (&theirs.value, &theirs.source, &theirs.row) == (&cell.value, &cell.source, &cell.row);
                (!same).then(|| format!("{} {} of {of}", cell.id, cell.field))
            },
        ),
    ]
}

/// A cell as text; `None` where it is absent.
pub(crate) fn text(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Text(text) => text.to_owned(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
        Value::Bool(value) => value.to_string(),
    })
}
