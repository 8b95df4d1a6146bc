//! The JSON API, version 1: all routes with their handlers, and the OpenAPI document that describes them.
//!
//! A handler without a route is unused code and does not compile.
#![deny(dead_code)]

mod answers;
mod catalog;
pub(crate) use catalog::unknown;
mod document;
pub(crate) use document::document_of;
mod findings;
mod query;

use axum::extract::{Query, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde::Serialize;
use serde_json::json;

use super::memory::Keep;
use super::params::Params;
use super::problem::Problem;
use super::state::Shared;
use crate::near::near;

/// A query string as name-value pairs.
pub(crate) type Pairs = Query<Vec<(String, String)>>;

/// A route: method, path in OpenAPI syntax, handler.
pub(crate) type Route = (Method, &'static str, MethodRouter<Shared>);

/// Every route of the API, as listed beside the handlers.
pub(crate) fn routes() -> Vec<Route> {
    let own = vec![
        (Method::GET, "/api/v1/health", get(health)),
        (Method::GET, "/api/v1/openapi.json", get(openapi)),
    ];
    [
        own,
        catalog::routes(),
        answers::routes(),
        findings::routes(),
        query::routes(),
    ]
    .concat()
}

/// A JSON response that stays valid while the server's data do not change, and may be cached.
pub(crate) fn kept(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(bytes) => kept_bytes(bytes, "application/json"),
        Err(error) => Problem::fault(error.to_string()).into_response(),
    }
}

/// A response of bytes that may be cached likewise.
pub(crate) fn kept_bytes(bytes: impl Into<axum::body::Body>, kind: &'static str) -> Response {
    let mut response = Response::new(bytes.into());
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.extensions_mut().insert(Keep);
    response
}

/// The parameters of a route; fails on names other than `known`.
pub(crate) fn params(query: Pairs, known: &[&str]) -> Result<Params, Problem> {
    Params::strict(query.0, known)
}

/// Problem 404 for an unknown name, with similar names.
fn missing<'a>(what: &str, name: &str, all: impl Iterator<Item = &'a str>) -> Problem {
    let problem = Problem::missing(format!("no {what} `{name}`"));
    match near(name, all) {
        found if found.is_empty() => problem,
        found => problem.with_hint(format!("did you mean {}?", found.join(", "))),
    }
}

/// 202: the study is still being computed.
pub(crate) fn later(state: &Shared) -> Response {
    let (study, detail) = state.study.words();
    let body = json!({ "study": study, "detail": detail });
    let mut response = (StatusCode::ACCEPTED, axum::Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    response
}

/// 202: the fits behind an answer are still being made.
pub(crate) fn being_made(state: &Shared) -> Response {
    let (fits, detail) = state.answers.words();
    let detail = format!("this answer is still being computed; the fits behind it: {detail}");
    let body = json!({ "fits": fits, "detail": detail });
    let mut response = (StatusCode::ACCEPTED, axum::Json(body)).into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    response
}

async fn health(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    let (study, detail) = state.study.words();
    let (fits, fits_detail) = state.answers.words();
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptime_seconds": state.started.elapsed().as_secs(),
        "catalog_sha256": state.checkpoints.catalog.manifest.catalog_sha256,
        "n_checkpoints": state.checkpoints.rows.len(),
        "seed": state.seed,
        "study": study,
        "study_detail": detail,
        "fits": fits,
        "fits_detail": fits_detail,
    });
    Ok(axum::Json(body).into_response())
}

async fn openapi(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    Ok(kept(&document::served(&state)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::document::document;
    use super::*;

    #[test]
    fn every_route_is_described_and_every_description_routed() {
        let document = document(&[], &[]);
        let paths = document["paths"].as_object().expect("paths");
        let mut described = BTreeSet::new();
        for (path, operations) in paths {
            for method in operations.as_object().expect("operations").keys() {
                if method != "parameters" {
                    described.insert((method.to_uppercase(), path.clone()));
                }
            }
        }
        let routed: BTreeSet<(String, String)> = routes()
            .into_iter()
            .map(|(method, path, _)| (method.to_string(), path.to_owned()))
            .collect();
        assert_eq!(described, routed);
        assert_eq!(document["openapi"], "3.1.0");
    }
}
