//! SQL of visitors.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Pairs, Route, params};
use crate::server::problem::Problem;
use crate::server::sql::RowFormat;
use crate::server::state::Shared;

/// Its routes.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/v1/tables", get(tables)),
        (Method::GET, "/api/v1/query", get(ask)),
        (Method::POST, "/api/v1/query", post(ask_body)),
    ]
}

/// What a body may hold.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    sql: String,
    #[serde(default)]
    limit: Option<usize>,
    #[serde(default = "json")]
    format: RowFormat,
}

fn json() -> RowFormat {
    RowFormat::Json
}

/// Every table with its columns, by SQL.
pub(crate) const TABLES: &str = "select table_name as \"table\", column_name as \"column\", data_type as \"type\" \
    from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position";

async fn tables(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    run(&state, TABLES.to_owned(), None, RowFormat::Json).await
}

async fn ask(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let params = params(query, &["sql", "limit", "format"])?;
    let form = match params.one("format")? {
        None | Some("json") => RowFormat::Json,
        Some("csv") => RowFormat::Csv,
        Some(other) => return Err(Problem::bad(format!("`format` is {other:?}, not json or csv"))),
    };
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
    body: Result<Json<Statement>, JsonRejection>,
) -> Result<Response, Problem> {
    params(query, &[])?;
    let Json(asked) = body.map_err(|error| Problem::of_status(error.status(), error.body_text()))?;
    let most = state.sql.limits.rows;
    if asked.limit.is_some_and(|limit| limit == 0 || limit > most) {
        return Err(Problem::bad(format!(
            "`limit` must be an integer between 1 and {most}"
        )));
    }
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
