//! Pages for probe results: the output of `anatomy probe … --format json` in the folder given to the server.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::Value;

use super::{PageCell, error, kept};
use crate::output::number;
use crate::probes::Probe;
use crate::server::problem::Problem;
use crate::server::state::Shared;

#[derive(Template)]
#[template(path = "server/probes.html")]
struct Index<'a> {
    title: &'static str,
    here: &'static str,
    probes: &'a [Probe],
    left_out: &'a [(String, String)],
    asked: bool,
}

pub(super) async fn index(State(state): State<Shared>) -> Response {
    kept(&Index {
        title: "Probes",
        here: "/probes",
        probes: &state.probes.all,
        left_out: &state.probes.left_out,
        asked: state.probes.asked,
    })
}

#[derive(Template)]
#[template(path = "server/probe.html")]
struct Page<'a> {
    title: &'a str,
    here: &'static str,
    facts: Vec<(String, String)>,
    tables: Vec<Grid>,
    /// Whether numeric columns by layer are offered as charts.
    chart: bool,
    name: &'a str,
}

/// A table made from parallel arrays, or from an array of objects.
struct Grid {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<PageCell>>,
    cut: bool,
}

/// Maximum number of rows shown per table.
const SHOWN: usize = 200;

pub(super) async fn one(State(state): State<Shared>, Path(name): Path<String>) -> Response {
    let Some(probe) = state.probes.get(&name) else {
        return error(&Problem::missing(format!("no probe result `{name}`")));
    };
    let mut facts = Vec::new();
    let mut tables = Vec::new();
    gather("", &probe.content, &mut facts, &mut tables);
    kept(&Page {
        title: &probe.name,
        here: "/probes",
        facts,
        chart: !tables.is_empty(),
        tables,
        name: &probe.name,
    })
}

/// Collects facts and tables from JSON: plain values are facts, arrays columns; objects are traversed with a prefix.
fn gather(name: &str, value: &Value, facts: &mut Vec<(String, String)>, tables: &mut Vec<Grid>) {
    match value {
        Value::Object(fields) => {
            let mut columns: Vec<(String, Vec<&Value>)> = Vec::new();
            for (field, inner) in fields {
                let path = if name.is_empty() {
                    field.clone()
                } else {
                    format!("{name}.{field}")
                };
                match inner {
                    Value::Array(cells) if cells.iter().all(|cell| !cell.is_array() && !cell.is_object()) => {
                        columns.push((path, cells.iter().collect()));
                    }
                    // Objects of numbers, one per index: their fields become columns beside arrays of the same length.
                    Value::Array(cells) if cells.iter().all(is_of_numbers) => {
                        let rows: Vec<&Value> = cells.iter().collect();
                        apart(&path, &rows, &mut columns);
                    }
                    _ => gather(&path, inner, facts, tables),
                }
            }
            parallel(name, &columns, tables);
        }
        Value::Array(rows) => of_objects(name, rows, tables),
        Value::Null => {}
        plain => facts.push((name.to_owned(), words(plain))),
    }
}

/// Whether a value is an object whose leaves are all numbers.
fn is_of_numbers(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        !fields.is_empty()
            && fields
                .values()
                .all(|field| field.is_number() || is_of_numbers(field))
    })
}

/// The fields of objects as columns; nested fields get compound names.
fn apart<'a>(name: &str, rows: &[&'a Value], columns: &mut Vec<(String, Vec<&'a Value>)>) {
    let mut fields: Vec<&String> = Vec::new();
    for field in rows
        .iter()
        .filter_map(|row| row.as_object())
        .flat_map(|row| row.keys())
    {
        if !fields.contains(&field) {
            fields.push(field);
        }
    }
    for field in fields {
        let cells: Vec<&Value> = rows
            .iter()
            .map(|row| row.get(field).unwrap_or(&Value::Null))
            .collect();
        let name = format!("{name}.{field}");
        if cells.iter().any(|cell| cell.is_object()) {
            apart(&name, &cells, columns);
        } else {
            columns.push((name, cells));
        }
    }
}

/// Arrays of equal length become columns of one table.
fn parallel(name: &str, columns: &[(String, Vec<&Value>)], tables: &mut Vec<Grid>) {
    let mut lengths: Vec<usize> = columns.iter().map(|(_, cells)| cells.len()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    for length in lengths.into_iter().filter(|length| *length > 0) {
        let of_length: Vec<&(String, Vec<&Value>)> = columns
            .iter()
            .filter(|(_, cells)| cells.len() == length)
            .collect();
        let mut heads = vec!["#".to_owned()];
        heads.extend(of_length.iter().map(|(head, _)| head.clone()));
        let rows = (0..length.min(SHOWN)).map(|row| {
            let mut cells = vec![view(&Value::from(row))];
            cells.extend(of_length.iter().map(|(_, column)| view(column[row])));
            cells
        });
        tables.push(Grid {
            name: if name.is_empty() {
                "by place".into()
            } else {
                name.to_owned()
            },
            columns: heads,
            rows: rows.collect(),
            cut: length > SHOWN,
        });
    }
}

fn of_objects(name: &str, rows: &[Value], tables: &mut Vec<Grid>) {
    let mut columns: Vec<String> = Vec::new();
    for row in rows.iter().filter_map(Value::as_object) {
        for field in row.keys() {
            if !columns.contains(field) {
                columns.push(field.clone());
            }
        }
    }
    if columns.is_empty() {
        return;
    }
    let cells = rows.iter().take(SHOWN).map(|row| {
        columns
            .iter()
            .map(|field| view(row.get(field).unwrap_or(&Value::Null)))
            .collect()
    });
    tables.push(Grid {
        name: if name.is_empty() {
            "rows".into()
        } else {
            name.to_owned()
        },
        rows: cells.collect(),
        columns,
        cut: rows.len() > SHOWN,
    });
}

fn view(value: &Value) -> PageCell {
    PageCell {
        text: words(value),
        is_number: value.is_number(),
        link: String::new(),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::Number(_) => value.as_f64().map_or_else(|| value.to_string(), number),
        Value::String(text) => text.clone(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_of_numbers_stand_beside_the_columns_of_their_length() {
        let content = json!({
            "influence": [0.5, 0.25],
            "intervals": [{"low": 0.4, "high": 0.6}, {"low": 0.2, "high": 0.3}],
            "layers": [{"q": {"norm": 1.0}, "k": {"norm": 2.0}}, {"q": {"norm": 3.0}}],
            "items": [{"name": "a", "n": 1}],
            "mean": 3,
        });
        let (mut facts, mut tables) = (Vec::new(), Vec::new());
        gather("", &content, &mut facts, &mut tables);
        let places = tables.iter().find(|grid| grid.columns[0] == "#").expect("a grid");
        let mut columns = places.columns[1..].to_vec();
        columns.sort_unstable();
        assert_eq!(
            columns,
            [
                "influence",
                "intervals.high",
                "intervals.low",
                "layers.k.norm",
                "layers.q.norm"
            ]
        );
        assert_eq!(places.rows.len(), 2);
        let k = places
            .columns
            .iter()
            .position(|column| column == "layers.k.norm")
            .expect("k");
        assert_eq!(
            (places.rows[0][k].text.as_str(), places.rows[1][k].text.as_str()),
            ("2", "–")
        );
        assert!(tables.iter().any(|grid| grid.columns == ["name", "n"]));
        assert_eq!(facts, [("mean".to_owned(), "3".to_owned())]);
    }
}
