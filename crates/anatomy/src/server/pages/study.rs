//! The study: its sections with figures to zoom and hover, tables, findings, published figures beside ours.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use study::finding::Finding;
use study::section::{Figure, Section, Table};

use super::{CellView, WAITING, error, fresh, kept};
use crate::output::number;
use crate::report::verdict_name;
use crate::server::api::kept_bytes;
use crate::server::figure_table;
use crate::server::problem::Problem;
use crate::server::state::Shared;

/// Rows of a figure's table that are shown; the file has all.
const SHOWN: usize = 60;

#[derive(Template)]
#[template(path = "server/waiting.html")]
struct Waiting {
    title: &'static str,
    here: &'static str,
    status: &'static str,
    detail: String,
}

/// The page that stands in while the study is computed; it asks again by itself.
pub(super) fn waiting(state: &Shared) -> Response {
    let (status, detail) = state.study.words();
    let page = Waiting {
        title: "Study",
        here: "/study",
        status,
        detail,
    };
    (WAITING, fresh(&page)).into_response()
}

#[derive(Template)]
#[template(path = "server/study.html")]
struct Index<'a> {
    title: &'static str,
    here: &'static str,
    headlines: &'a [String],
    sections: &'a [Section],
    n_findings: usize,
    origin: &'a str,
}

pub(super) async fn index(State(state): State<Shared>) -> Response {
    let Some(study) = state.study.ready() else {
        return waiting(&state);
    };
    kept(&Index {
        title: "Study",
        here: "/study",
        headlines: &study.headlines,
        sections: &study.sections,
        n_findings: study.findings.len(),
        origin: &study.origin,
    })
}

#[derive(Template)]
#[template(path = "server/section.html")]
struct Page<'a> {
    title: &'a str,
    here: &'static str,
    section: &'a Section,
    sections: &'a [Section],
    figures: Vec<FigureView<'a>>,
    tables: Vec<TableView<'a>>,
    findings: Vec<FindingView<'a>>,
}

struct FigureView<'a> {
    figure: &'a Figure,
    columns: Vec<String>,
    rows: Vec<Vec<CellView>>,
    n_rows: usize,
}

struct TableView<'a> {
    table: &'a Table,
    rows: Vec<Vec<CellView>>,
}

struct FindingView<'a> {
    finding: &'a Finding,
    value: String,
    interval: String,
    verdict: &'static str,
    published: String,
}

pub(super) async fn section(State(state): State<Shared>, Path(id): Path<String>) -> Response {
    let Some(study) = state.study.ready() else {
        return waiting(&state);
    };
    let Some(section) = study.section(&id) else {
        return error(&Problem::missing(format!("no section `{id}` in the study")));
    };
    let cells = |rows: &[Vec<study::section::Cell>], most: usize| {
        rows.iter()
            .take(most)
            .map(|row| row.iter().map(CellView::of).collect())
            .collect()
    };
    let figures = section.figures.iter().map(|figure| {
        let table = figure_table::of(figure);
        FigureView {
            figure,
            n_rows: table.rows.len(),
            rows: cells(&table.rows, SHOWN),
            columns: table.columns,
        }
    });
    let tables = section.tables.iter().filter(|table| table.shown);
    kept(&Page {
        title: &section.title,
        here: "/study",
        section,
        sections: &study.sections,
        figures: figures.collect(),
        tables: tables
            .map(|table| TableView {
                table,
                rows: cells(&table.rows, usize::MAX),
            })
            .collect(),
        findings: section.findings.iter().map(finding_view).collect(),
    })
}

fn finding_view(finding: &Finding) -> FindingView<'_> {
    FindingView {
        value: finding.value.map_or_else(|| "–".into(), number),
        interval: finding.interval.as_ref().map_or_else(String::new, |ends| {
            format!("[{}, {}]", number(ends.low), number(ends.high))
        }),
        verdict: finding.verdict.map(verdict_name).unwrap_or_default(),
        published: finding.published.as_ref().map_or_else(String::new, |theirs| {
            format!("{} ± {}", number(theirs.value), number(theirs.tolerance))
        }),
        finding,
    }
}

#[derive(Template)]
#[template(path = "server/published.html")]
struct Published<'a> {
    title: &'static str,
    here: &'static str,
    findings: Vec<FindingView<'a>>,
    reproduced: usize,
    differs: usize,
    origin: &'a str,
}

pub(super) async fn published(State(state): State<Shared>) -> Response {
    let Some(study) = state.study.findings() else {
        return waiting(&state);
    };
    let findings: Vec<FindingView<'_>> = study
        .findings
        .iter()
        .filter(|finding| finding.published.is_some())
        .map(finding_view)
        .collect();
    let count = |name: &str| findings.iter().filter(|view| view.verdict == name).count();
    kept(&Published {
        title: "Published figures beside ours",
        here: "/study",
        reproduced: count("reproduced"),
        differs: count("differs"),
        findings,
        origin: &study.origin,
    })
}

/// `scale-buckets.svg`, or `.csv` with what the figure shows.
pub(super) async fn figure_file(State(state): State<Shared>, Path(file): Path<String>) -> Response {
    let Some(study) = state.study.ready() else {
        return waiting(&state);
    };
    let found = match file.rsplit_once('.') {
        Some((id, "svg")) => study.svg(id).map(|svg| kept_bytes(svg, "image/svg+xml")),
        Some((id, "csv")) => study
            .figure(id)
            .and_then(|figure| crate::output::csv(&figure_table::of(figure)).ok())
            .map(|csv| kept_bytes(csv, "text/csv; charset=utf-8")),
        _ => None,
    };
    found.unwrap_or_else(|| error(&Problem::missing(format!("no figure `{file}`"))))
}

pub(super) async fn table_file(State(state): State<Shared>, Path(file): Path<String>) -> Response {
    let Some(study) = state.study.ready() else {
        return waiting(&state);
    };
    match file.strip_suffix(".csv").and_then(|id| study.csv(id)) {
        Some(Ok(bytes)) => kept_bytes(bytes, "text/csv; charset=utf-8"),
        Some(Err(fault)) => error(&Problem::fault(fault.to_string())),
        None => error(&Problem::missing(format!("no table `{file}`"))),
    }
}

pub(super) async fn findings_file(State(state): State<Shared>) -> Response {
    match state.study.findings() {
        Some(study) => kept_bytes(study.file.clone(), "application/json"),
        None => waiting(&state),
    }
}
