//! The API reference, rendered from the OpenAPI document.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde_json::Value;

use super::kept;
use crate::server::api::document_of;
use crate::server::params::{Params, encode};
use crate::server::state::Shared;

#[derive(Template)]
#[template(path = "server/reference.html")]
struct Page {
    title: &'static str,
    here: &'static str,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    summary: String,
    parameters: Vec<Parameter>,
    responses: Vec<(String, String)>,
    /// An example address; `None` where the operation needs a body.
    example: Option<String>,
}

struct Parameter {
    name: String,
    place: String,
    kind: String,
    about: String,
    required: bool,
}

pub(super) async fn page(State(state): State<Shared>) -> Response {
    let document = document_of(&state);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            operations.push(read(&document, path, method, operation));
        }
    }
    kept(&Page {
        title: "API",
        here: "/api",
        description: text(&document["info"]["description"]),
        operations,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read(document: &Value, path: &str, method: &str, operation: &Value) -> Operation {
    let parameters = operation["parameters"].as_array().map_or_else(Vec::new, |all| {
        all.iter()
            .map(|parameter| Parameter {
                name: text(&parameter["name"]),
                place: text(&parameter["in"]),
                kind: kind(document, &parameter["schema"]),
                about: text(&parameter["description"]),
                required: parameter["required"].as_bool().unwrap_or(false),
            })
            .collect()
    });
    let responses = operation["responses"].as_object().into_iter().flatten();
    let example = example(path, operation);
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        parameters,
        responses: responses
            .map(|(status, response)| (status.clone(), text(&response["description"])))
            .collect(),
        example: (method == "get" && !example.contains('{')).then_some(example),
    }
}

/// The path with example parameters; exploded lists are repeated, others comma-separated.
fn example(path: &str, operation: &Value) -> String {
    let mut path = path.to_owned();
    let mut pairs: Vec<(String, String)> = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = text(&parameter["name"]);
        let mut values: Vec<String> = match &parameter["example"] {
            Value::String(one) => vec![one.clone()],
            Value::Array(all) => all
                .iter()
                .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
                .collect(),
            _ => continue,
        };
        if parameter["in"] == "path" {
            path = path.replace(&format!("{{{name}}}"), &encode(&values.concat()));
            continue;
        }
        if parameter["explode"] == false {
            values = vec![values.join(",")];
        }
        pairs.extend(values.into_iter().map(|value| (name.clone(), value)));
    }
    if pairs.is_empty() {
        return path;
    }
    format!("{path}?{}", Params::form(pairs).link(&[], &[]))
}

/// Short description of a schema.
fn kind(document: &Value, schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|place| place.rsplit('/').next()) {
        return kind(document, &document["components"]["schemas"][name]);
    }
    if let Some(values) = schema["enum"].as_array() {
        let names: Vec<String> = values.iter().take(40).map(text).collect();
        let more = if values.len() > 40 { " …" } else { "" };
        return format!("one of {}{more}", names.join(", "));
    }
    if schema["type"] == "array" {
        return format!("list, each {}", kind(document, &schema["items"]));
    }
    let mut words = text(&schema["type"]);
    if let (Some(least), Some(most)) = (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
        words = format!("{words} from {least} to {most}");
    }
    words
}
