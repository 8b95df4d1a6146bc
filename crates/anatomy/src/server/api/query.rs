//! Route for visitors' SQL.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;

use super::{Pairs, Route, params};
use crate::server::problem::Problem;
use crate::server::sql::RowFormat;
use crate::server::state::Shared;

/// The routes of this module.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/v1/tables", get(tables)),
        (Method::GET, "/api/v1/query", get(ask)),
        (Method::POST, "/api/v1/query", post(ask_body)),
    ]
}

/// A request to run SQL.
#[derive(Debug)]
struct Statement {
    sql: String,
    limit: Option<usize>,
    format: RowFormat,
}

/// Fields allowed in a request body.
const FIELDS: [&str; 3] = ["sql", "limit", "format"];
const EXAMPLE: &str = "{\"sql\": \"select count(*) as n from checkpoints\"}";

impl Statement {
    /// Parses a request body; `most` is the maximum number of rows that may be requested.
    fn read(body: &Value, most: usize) -> Result<Self, Problem> {
        let wanted = |detail: String| {
            let fields = FIELDS.join(", ");
            Problem::beyond(detail).with_hint(format!("there are {fields}; `sql` is needed, as in {EXAMPLE}"))
        };
        let Value::Object(fields) = body else {
            return Err(wanted(format!("the body is {}, not an object", kind(body))));
        };
        if let Some(name) = fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
            let name: String = name.chars().take(60).collect();
            return Err(wanted(format!("no field named `{name}`")));
        }
        let sql = match fields.get("sql") {
            Some(Value::String(sql)) => sql.clone(),
            Some(other) => return Err(wanted(format!("`sql` must be a string, got {}", kind(other)))),
            None => return Err(wanted("`sql` is missing".into())),
        };
        let limit = match fields.get("limit") {
            None | Some(Value::Null) => None,
            Some(limit) => {
                let rows = limit.as_u64().and_then(|rows| usize::try_from(rows).ok());
                let fits = rows.filter(|rows| (1..=most).contains(rows));
                Some(fits.ok_or_else(|| {
                    Problem::bad(format!("`limit` must be an integer between 1 and {most}"))
                })?)
            }
        };
        let format = match fields.get("format") {
            None => RowFormat::Json,
            Some(Value::String(name)) => format_named(name)?,
            Some(other) => return Err(wanted(format!("`format` must be a string, got {}", kind(other)))),
        };
        Ok(Self { sql, limit, format })
    }
}

/// Describes the type of a JSON value.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn format_named(name: &str) -> Result<RowFormat, Problem> {
    match name {
        "json" => Ok(RowFormat::Json),
        "csv" => Ok(RowFormat::Csv),
        other => Err(Problem::bad(format!("`format` is {other:?}, not json or csv"))),
    }
}

/// Problem for a body that is not valid JSON.
fn unread(error: &JsonRejection) -> Problem {
    let (status, said) = (error.status(), error.body_text());
    match error {
        JsonRejection::JsonSyntaxError(_) => {
            let place = said.strip_prefix("Failed to parse the request body as JSON: ");
            Problem::bad(format!("the body is not valid JSON: {}", place.unwrap_or(&said)))
        }
        JsonRejection::MissingJsonContentType(_) => {
            Problem::of_status(status, "the body must be JSON, and its head must say so")
                .with_hint("Content-Type: application/json")
        }
        _ if status == StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::of_status(status, "the body is larger than 64 KiB")
        }
        _ => Problem::of_status(status, said),
    }
}

/// SQL that lists every table with its columns.
pub(crate) const TABLES: &str = "select table_name as \"table\", column_name as \"column\", data_type as \"type\" \
    from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position";

async fn tables(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    run(&state, TABLES.to_owned(), None, RowFormat::Json).await
}

async fn ask(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let params = params(query, &["sql", "limit", "format"])?;
    let form = params.one("format")?.map_or(Ok(RowFormat::Json), format_named)?;
    let sql = params
        .one("sql")?
        .ok_or_else(|| Problem::bad("`sql` is missing").with_hint("?sql=select%201"))?
        .to_owned();
    let limit = params.count("limit", 1, state.sql.limits.rows)?;
    run(&state, sql, limit, form).await
}

async fn ask_body(
    State(state): State<Shared>,
    query: Pairs,
    body: Result<Json<Value>, JsonRejection>,
) -> Result<Response, Problem> {
    params(query, &[])?;
    let Json(body) = body.map_err(|error| unread(&error))?;
    let asked = Statement::read(&body, state.sql.limits.rows)?;
    run(&state, asked.sql, asked.limit, asked.format).await
}

async fn run(
    state: &Shared,
    sql: String,
    limit: Option<usize>,
    form: RowFormat,
) -> Result<Response, Problem> {
    let answer = state
        .sql
        .run(sql, limit.unwrap_or(state.sql.limits.rows), form)
        .await?;
    let mut response = Response::new(answer.body.into());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(match form {
            RowFormat::Json => "application/json",
            RowFormat::Csv => "text/csv; charset=utf-8",
        }),
    );
    if form == RowFormat::Csv {
        headers.insert(
            header::CONTENT_DISPOSITION,
            HeaderValue::from_static("attachment; filename=\"answer.csv\""),
        );
        headers.insert("x-rows", HeaderValue::from(answer.rows));
        headers.insert(
            "x-more-rows",
            HeaderValue::from_static(if answer.more { "true" } else { "false" }),
        );
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_of_another_form_is_told_what_is_wanted() {
        for (body, says) in [
            (json!({ "sq": "select 1" }), "no field named `sq`"),
            (json!({}), "`sql` is missing"),
            (json!({ "sql": 3 }), "`sql` must be a string, got a number"),
            (json!(["select 1"]), "the body is a list, not an object"),
            (
                json!({ "sql": "select 1", "limit": 11 }),
                "an integer between 1 and 10",
            ),
            (json!({ "sql": "select 1", "format": "xml" }), "not json or csv"),
        ] {
            let problem = Statement::read(&body, 10).expect_err("refused");
            assert!(problem.detail.contains(says), "{body}: {}", problem.detail);
        }
        let unknown = Statement::read(&json!({ "sq": "select 1" }), 10).expect_err("refused");
        assert!(unknown.hint.is_some_and(|hint| hint.contains("`sql` is needed")));
        let read = Statement::read(&json!({ "sql": "select 1", "limit": null }), 10).expect("read");
        assert_eq!((read.limit, read.format), (None, RowFormat::Json));
    }
}
