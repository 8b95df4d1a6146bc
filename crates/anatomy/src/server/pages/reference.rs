//! The API's reference, from the document that is served.

use askama::Template;
use axum::response::Response;
use serde_json::Value;

use super::kept;
use crate::server::api::document;

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
    /// An address to try, where the operation needs no body.
    example: Option<String>,
}

struct Parameter {
    name: String,
    place: String,
    kind: String,
    about: String,
    required: bool,
}

pub(super) async fn page() -> Response {
    let document = document();
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
    let mut example = path.to_owned();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let Some(value) = parameter["example"].as_str() else {
            continue;
        };
        let value = crate::server::params::encode(value);
        if parameter["in"] == "path" {
            example = example.replace(&format!("{{{}}}", text(&parameter["name"])), &value);
        } else {
            example = format!("{example}?{}={value}", text(&parameter["name"]));
        }
    }
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

/// A schema in a few words.
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
