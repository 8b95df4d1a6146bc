//! Pages of the study: its sections, published figures compared with ours, and downloads.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use study::claims::{Tally, is_claim};
use study::finding::{Finding, Verdict};
use study::section::{Section, Table};

use super::{WAITING, error, fresh, kept};
use crate::output::number;
use crate::report::verdict_name;
use crate::server::answering::Now;
use crate::server::api::{Pairs, being_made, kept_bytes};
use crate::server::figure_table;
use crate::server::narrowed::NarrowedRows;
use crate::server::params::Params;
use crate::server::problem::Problem;
use crate::server::state::Shared;

#[derive(Template)]
#[template(path = "server/waiting.html")]
struct Waiting {
    title: &'static str,
    here: &'static str,
    status: &'static str,
    detail: String,
}

/// Page shown while the study is computed, which reloads itself.
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

/// A finding formatted for tables.
pub(super) struct FindingView<'a> {
    pub(super) finding: &'a Finding,
    pub(super) value: String,
    pub(super) interval: String,
    pub(super) verdict: &'static str,
    /// Text of the verdict.
    pub(super) says: &'static str,
    pub(super) published: String,
}

pub(super) fn finding_view(finding: &Finding) -> FindingView<'_> {
    FindingView {
        value: finding.value.map_or_else(|| "–".into(), number),
        interval: finding.interval.as_ref().map_or_else(String::new, |ends| {
            if ends.is_bounded() {
                format!("[{}, {}]", number(ends.low), number(ends.high))
            } else {
                "unbounded".into()
            }
        }),
        verdict: finding.verdict.map(verdict_name).unwrap_or_default(),
        says: finding.verdict.map(Verdict::words).unwrap_or_default(),
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
    counted: String,
    origin: &'a str,
}

pub(super) async fn published(State(state): State<Shared>) -> Response {
    let Some(study) = state.study.findings() else {
        return waiting(&state);
    };
    let findings: Vec<FindingView<'_>> = study
        .findings
        .iter()
        .filter(|finding| finding.published.is_some() && !is_claim(&finding.id))
        .map(finding_view)
        .collect();
    kept(&Published {
        title: "Printed figures beside ours",
        here: "/study",
        counted: Tally::printed(&study.findings)
            .printed_in_words()
            .unwrap_or_default(),
        findings,
        origin: &study.origin,
    })
}

/// A file made from what `pick` finds in a section, computed on the rows that the query selects.
async fn file(
    state: &Shared,
    query: Pairs,
    name: &str,
    pick: impl Fn(&Section) -> Option<Response>,
) -> Response {
    let rows = match NarrowedRows::read(&Params::form(query.0)) {
        Ok(rows) => rows,
        Err(problem) => return error(&problem),
    };
    let Some(study) = state.study.ready() else {
        return waiting(state);
    };
    let mut sections = study.sections.iter();
    let found = sections.find_map(|section| Some((&section.id, pick(section)?)));
    let Some((section, found)) = found else {
        return error(&Problem::missing(format!("no file `{name}`")));
    };
    let Some(rows) = rows else {
        return found;
    };
    match state.answers.sections(section, rows, state.study.plan()).await {
        Err(problem) => error(&problem),
        Ok(Now::Later) => being_made(state),
        Ok(Now::Answer(sections)) => {
            let few = || error(&Problem::beyond(format!("no file `{name}` on these rows")));
            sections.iter().find_map(pick).unwrap_or_else(few)
        }
    }
}

/// Serves `NAME.svg`, or `NAME.csv` with the figure's content.
pub(super) async fn figure_file(
    State(state): State<Shared>,
    Path(name): Path<String>,
    query: Pairs,
) -> Response {
    let pick = |section: &Section| {
        let (id, kind) = name.rsplit_once('.')?;
        let figure = section.figures.iter().find(|figure| figure.id == id)?;
        match kind {
            "svg" => Some(kept_bytes(crate::draw::svg(figure), "image/svg+xml")),
            "csv" => csv(&figure_table::of(figure)),
            _ => None,
        }
    };
    file(&state, query, &name, pick).await
}

pub(super) async fn table_file(
    State(state): State<Shared>,
    Path(name): Path<String>,
    query: Pairs,
) -> Response {
    let pick = |section: &Section| {
        let id = name.strip_suffix(".csv")?;
        csv(section.tables.iter().find(|table| table.id == id)?)
    };
    file(&state, query, &name, pick).await
}

fn csv(table: &Table) -> Option<Response> {
    let bytes = crate::output::csv(table).ok()?;
    Some(kept_bytes(bytes, "text/csv; charset=utf-8"))
}

pub(super) async fn findings_file(State(state): State<Shared>) -> Response {
    match state.study.findings() {
        Some(study) => kept_bytes(study.file.clone(), "application/json"),
        None => waiting(&state),
    }
}
