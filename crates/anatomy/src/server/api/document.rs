//! The OpenAPI document: a hand-written file, completed with names from the program's data.

use ::catalog::cost::{Quant, device};
use ::catalog::describe::{ColumnHelp, schema};
use serde_json::{Map, Value, json};

use crate::server::asked::task_names;
use crate::server::columns::{self, BENCHMARKS, COLUMNS, Column, Kind};
use crate::server::state::Shared;

/// The hand-written document. The test `every_route_is_described_and_every_description_routed` compares its paths with
/// the routes, `tests/api.rs` its schemas with actual answers.
static OPENAPI: &str = include_str!("openapi.json");

/// Tables that are returned as rows, and the names of their schemas.
const TABLES: [(&str, &str); 4] = [
    ("checkpoints", "CheckpointRow"),
    ("structures", "StructureRow"),
    ("evaluations", "EvaluationRow"),
    ("scores", "ScoreRow"),
];

/// Completes the document.
///
/// Adds the columns, devices, weight types, predicted `benchmarks` and names of `tasks`.
pub(super) fn document(benchmarks: &[&str], tasks: &[&str]) -> Value {
    let mut document: Value =
        serde_json::from_str(OPENAPI).expect("the compiled-in OpenAPI document is JSON");
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
    let orders: Vec<String> = names
        .iter()
        .flat_map(|name| [(*name).to_owned(), format!("-{name}")])
        .collect();
    let schemas = &mut document["components"]["schemas"];
    schemas["Sort"]["enum"] = json!(orders);
    schemas["Column"]["enum"] = json!(names);
    schemas["NumericColumn"]["enum"] =
        json!(columns::numeric().map(|column| column.name).collect::<Vec<_>>());
    schemas["Benchmark"]["enum"] = json!(&BENCHMARKS[..]);
    schemas["Predicted"]["enum"] = json!(benchmarks);
    schemas["Task"]["enum"] = json!(tasks);
    schemas["Quant"]["enum"] = json!(Quant::names());
    let devices = device::devices();
    schemas["Device"]["enum"] = json!(devices.iter().map(|one| &one.name).collect::<Vec<_>>());
    for column in &COLUMNS {
        schemas["Row"]["properties"][column.name] = cell(column);
    }
    let tables = schema();
    for (table, name) in TABLES {
        let columns = tables.iter().find(|one| one.name == table);
        for column in columns.into_iter().flat_map(|one| &one.columns) {
            let described = &mut schemas[name]["properties"][column.name];
            let kept = described.as_object().cloned().unwrap_or_default();
            *described = column_of(column, kept);
        }
        let required = columns.map_or_else(Vec::new, |one| {
            one.columns.iter().map(|column| column.name).collect()
        });
        schemas[name]["required"] = json!(required);
    }
    document
}

/// The document for this server.
pub(super) fn served(state: &Shared) -> Value {
    let predictor = &state.answers.predictor;
    let benchmarks: Vec<&str> = predictor.names().collect();
    document(&benchmarks, &task_names(predictor))
}

/// The document with references to shared parameters and responses replaced by their content, for readers by operation.
pub(crate) fn document_of(state: &Shared) -> Value {
    spelt_out(served(state))
}

fn spelt_out(mut document: Value) -> Value {
    let shared = document["components"].clone();
    let spell = |part: &mut Value| {
        let place = part["$ref"].as_str();
        let place = place.and_then(|place| place.strip_prefix("#/components"));
        if let Some(found) = place.and_then(|place| shared.pointer(place)) {
            *part = found.clone();
        }
    };
    let paths = document["paths"].as_object_mut();
    let operations = paths.into_iter().flat_map(Map::values_mut);
    for operation in operations
        .filter_map(Value::as_object_mut)
        .flat_map(Map::values_mut)
    {
        let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
        parameters.into_iter().flatten().for_each(spell);
        let responses = operation.get_mut("responses").and_then(Value::as_object_mut);
        responses.into_iter().flat_map(Map::values_mut).for_each(spell);
    }
    document
}

fn about(meaning: &str, unit: &str) -> String {
    match (meaning, unit) {
        (meaning, "") => meaning.to_owned(),
        ("", unit) => unit.to_owned(),
        (meaning, unit) => format!("{meaning} ({unit})"),
    }
}

/// Schema of a cell in the explorer's rows.
fn cell(column: &Column) -> Value {
    let kind = match column.kind {
        Kind::Text | Kind::Day => "string",
        Kind::Number => "number",
        Kind::Flag => "boolean",
    };
    let mut cell = json!({ "type": [kind, "null"], "description": about(column.about, column.unit) });
    if column.name == "id" {
        cell["type"] = json!(kind);
    }
    if column.kind == Kind::Day {
        cell["format"] = json!("date");
    }
    cell
}

/// Schema of a cell in a catalog table; `kept` are properties from the hand-written document.
fn column_of(column: &ColumnHelp, kept: Map<String, Value>) -> Value {
    let kind = match column.kind.as_str() {
        "Utf8" => "string",
        "Float64" => "number",
        "Boolean" => "boolean",
        _ => "integer",
    };
    let unit = if column.kind.starts_with("Timestamp") {
        "milliseconds since 1970-01-01T00:00:00Z"
    } else {
        column.unit
    };
    let mut told = kept;
    if !told.contains_key("$ref") && !told.contains_key("anyOf") {
        let kind = if column.nullable {
            json!([kind, "null"])
        } else {
            json!(kind)
        };
        told.insert("type".to_owned(), kind);
    }
    told.insert("description".to_owned(), json!(about(column.meaning, unit)));
    Value::Object(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects every reference in a document.
    fn places<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|one| places(one, found));
            }
            Value::Array(all) => all.iter().for_each(|one| places(one, found)),
            _ => {}
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_nothing_shared_is_unused() {
        let document = document(&[], &[]);
        let mut found = Vec::new();
        places(&document, &mut found);
        for place in &found {
            let place = place.strip_prefix('#').expect("a place in this document");
            assert!(document.pointer(place).is_some(), "{place}");
        }
        for group in ["parameters", "responses", "schemas"] {
            for name in document["components"][group].as_object().expect("a group").keys() {
                let place = format!("#/components/{group}/{name}");
                assert!(found.contains(&place.as_str()), "{place} is not used");
            }
        }
        let spelt = spelt_out(document);
        for operations in spelt["paths"].as_object().expect("paths").values() {
            for operation in operations.as_object().expect("operations").values() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let responses = operation["responses"].as_object().expect("responses");
                for part in parameters.chain(responses.values()) {
                    assert!(part["description"].is_string(), "{part}");
                }
            }
        }
    }

    /// Collects every property of a schema, at any depth, that has no description.
    fn untold(at: &str, schema: &Value, found: &mut Vec<String>) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            let at = format!("{at}.{name}");
            if property["description"].as_str().is_none_or(str::is_empty) {
                found.push(at.clone());
            }
            untold(&at, property, found);
        }
        for key in ["allOf", "anyOf", "oneOf", "prefixItems"] {
            for one in schema[key].as_array().into_iter().flatten() {
                untold(at, one, found);
            }
        }
        for one in ["items", "additionalProperties"]
            .iter()
            .filter_map(|key| schema.get(*key))
        {
            untold(at, one, found);
        }
    }

    #[test]
    fn every_schema_and_every_property_says_what_it_means() {
        let document = document(&[], &[]);
        let mut found = Vec::new();
        for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
            if !schema["description"].is_string() {
                found.push(name.clone());
            }
            untold(name, schema, &mut found);
        }
        assert_eq!(found, Vec::<String>::new());
        for row in [
            "Row",
            "CheckpointRow",
            "StructureRow",
            "EvaluationRow",
            "ScoreRow",
        ] {
            let cells = document["components"]["schemas"][row]["properties"].as_object();
            assert!(cells.is_some_and(|cells| cells.len() > 15), "{row}");
        }
    }
}
