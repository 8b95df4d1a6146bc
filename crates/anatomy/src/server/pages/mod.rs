//! The pages: templates over the API's data. They work without scripts, which only add charts and convenience.

mod answers;
mod checkpoint;
mod explorer;
mod overview;
mod probes;
mod reference;
mod section;
mod sql;
mod study;

use askama::Template;
use axum::Router;
use axum::extract::{Query, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::api::kept_bytes;
use super::problem::Problem;
use super::state::Shared;
use super::{asked, narrowed, search};

/// The main pages in three groups, in the order of the menu.
pub(crate) const MENU: [(&str, &[(&str, &str)]); 3] = [
    (
        "Use",
        &[
            ("/recommend", "Recommend"),
            ("/compare", "Compare"),
            ("/predict", "Predict"),
        ],
    ),
    (
        "Look up",
        &[("/checkpoints", "Checkpoints"), ("/sql", "SQL"), ("/api", "API")],
    ),
    ("Study", &[("/study", "Findings"), ("/probes", "Probes")]),
];

/// The query parameters that a page accepts, as lists of names.
fn takes(path: &str) -> &'static [&'static [&'static str]] {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "checkpoints" if path.trim_end_matches('/') == "/checkpoints" => &[&search::NAMES],
        "chart" => &[&["x", "y"], &search::NAMES],
        "study" | "figures" | "tables" => &[&narrowed::NAMES],
        "compare" => &[&asked::COMPARE],
        "recommend" => &[&asked::RECOMMEND],
        "predict" => &[&asked::PREDICT],
        "sql" => &[&["sql"]],
        _ => &[],
    }
}

/// Rejects addresses with parameters that the page does not accept, so that none is silently ignored.
async fn refuse_unknown(request: Request, next: Next) -> Response {
    let known = takes(request.uri().path());
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).map(|query| query.0);
    let is_known = |name: &str| known.iter().any(|names| names.contains(&name));
    let unknown = pairs
        .unwrap_or_default()
        .into_iter()
        .find(|(name, _)| !is_known(name));
    let Some((name, _)) = unknown else {
        return next.run(request).await;
    };
    let names: Vec<&str> = known.iter().flat_map(|names| names.iter().copied()).collect();
    let meant = crate::near::hint(&name, names.iter().copied());
    let problem = Problem::bad(format!("this page takes nothing named `{name}`{meant}"));
    error(&problem.with_hint(if names.is_empty() {
        "it takes nothing after the question mark: leave it out".to_owned()
    } else {
        format!("it takes {}", names.join(", "))
    }))
}

pub(super) fn add(router: Router<Shared>) -> Router<Shared> {
    router.merge(all().route_layer(from_fn(refuse_unknown)))
}

fn all() -> Router<Shared> {
    Router::new()
        .route("/", get(overview::page))
        .route("/checkpoints", get(explorer::page))
        .route("/checkpoints/{organisation}/{name}", get(checkpoint::page))
        .route("/checkpoints/{name}", get(checkpoint::page_without_organisation))
        .route("/chart", get(explorer::chart))
        .route("/study", get(study::index))
        .route("/study/{section}", get(section::page))
        .route("/study/published", get(study::published))
        .route("/figures/{file}", get(study::figure_file))
        .route("/tables/{file}", get(study::table_file))
        .route("/findings.json", get(study::findings_file))
        .route("/probes", get(probes::index))
        .route("/probes/{name}", get(probes::one))
        .route("/compare", get(answers::compare_page))
        .route("/recommend", get(answers::recommend_page))
        .route("/predict", get(answers::predict_page))
        .route("/sql", get(sql::page))
        .route("/api", get(reference::page))
}

/// Renders a page that may be cached.
fn kept(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => kept_bytes(html, "text/html; charset=utf-8"),
        Err(fault) => error(&Problem::fault(fault.to_string())),
    }
}

/// Renders a page that must not be cached.
fn fresh(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(fault) => error(&Problem::fault(fault.to_string())),
    }
}

#[derive(Template)]
#[template(path = "server/error.html")]
struct ErrorPage<'a> {
    title: &'a str,
    here: &'static str,
    problem: &'a Problem,
}

/// Renders a problem as a page.
pub(crate) fn error(problem: &Problem) -> Response {
    let page = ErrorPage {
        title: &problem.title,
        here: "",
        problem,
    };
    let html = page.render().unwrap_or_else(|_| problem.detail.clone());
    (
        problem.code(),
        [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
        html,
    )
        .into_response()
}

/// Response for an unknown address.
pub(crate) async fn nowhere(request: Request) -> Response {
    let path = request.uri().path();
    let problem = Problem::missing(format!("no page at `{path}`"));
    if path.starts_with("/api/") {
        problem
            .with_hint("GET /api/v1/openapi.json lists every address")
            .into_response()
    } else {
        error(&problem)
    }
}

/// A table cell for display.
pub(crate) struct PageCell {
    pub(crate) text: String,
    pub(crate) is_number: bool,
    pub(crate) link: String,
}

impl PageCell {
    pub(crate) fn of(cell: &::study::section::Cell) -> Self {
        Self {
            text: crate::output::cell(cell),
            is_number: !matches!(cell, ::study::section::Cell::Text(_)),
            link: String::new(),
        }
    }
}

/// A column heading, and whether the column is numeric.
pub(crate) struct HeadView {
    pub(crate) text: String,
    pub(crate) is_number: bool,
}

/// Headings and cells with a uniform alignment per column; missing cells follow their column.
pub(crate) fn aligned(
    columns: &[String],
    mut rows: Vec<Vec<PageCell>>,
) -> (Vec<HeadView>, Vec<Vec<PageCell>>) {
    let heads: Vec<HeadView> = columns
        .iter()
        .enumerate()
        .map(|(place, name)| HeadView {
            text: name.clone(),
            is_number: rows
                .iter()
                .all(|row| row.get(place).is_none_or(|cell| cell.is_number)),
        })
        .collect();
    for row in &mut rows {
        for (cell, head) in row.iter_mut().zip(&heads) {
            cell.is_number = head.is_number;
        }
    }
    (heads, rows)
}

/// Address of a checkpoint's page.
pub(crate) fn link_to(id: &str) -> String {
    let parts: Vec<String> = id.split('/').map(super::params::encode).collect();
    format!("/checkpoints/{}", parts.join("/"))
}

/// Status of a page that waits for the study.
const WAITING: StatusCode = StatusCode::OK;
