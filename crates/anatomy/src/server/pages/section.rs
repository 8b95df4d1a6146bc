//! The page of one section: text, interactive figures, tables and findings, on all rows or a selection.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use study::section::{Figure, Section, Table};

use super::explorer::families;
use super::study::{FindingView, finding_view, waiting};
use super::{HeadView, PageCell, aligned, error, fresh, kept};
use crate::server::answering::Now;
use crate::server::api::Pairs;
use crate::server::figure_table;
use crate::server::narrowed::{self, NarrowedRows};
use crate::server::params::Params;
use crate::server::problem::Problem;
use crate::server::state::Shared;

/// Maximum number of rows shown of a figure's table; the file has all.
const SHOWN: usize = 60;

#[derive(Template)]
#[template(path = "server/section.html")]
struct Page<'a> {
    title: &'a str,
    id: &'a str,
    here: &'static str,
    section: &'a Section,
    sections: &'a [Section],
    /// The form to select rows; `None` where the section is available on all rows only.
    choice: Option<Choice>,
    /// The selection, as a suffix of links.
    suffix: String,
    figures: Vec<FigureView<'a>>,
    tables: Vec<TableView<'a>>,
    findings: Vec<FindingView<'a>>,
}

/// The form that selects rows, and its result.
struct Choice {
    params: Params,
    families: Vec<String>,
    /// Condition and equivalent command, where rows are selected.
    chosen: Option<(String, String)>,
    /// Whether the selection is still being computed.
    later: bool,
    problem: Option<Problem>,
}

impl Choice {
    fn value(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }
}

struct FigureView<'a> {
    figure: &'a Figure,
    heads: Vec<HeadView>,
    rows: Vec<Vec<PageCell>>,
    n_rows: usize,
}

struct TableView<'a> {
    table: &'a Table,
    heads: Vec<HeadView>,
    rows: Vec<Vec<PageCell>>,
}

pub(super) async fn page(State(state): State<Shared>, Path(id): Path<String>, query: Pairs) -> Response {
    let Some(study) = state.study.ready() else {
        if !crate::report::is_section(&id) {
            return error(&Problem::missing(format!("no section `{id}` in the study")));
        }
        return waiting(&state);
    };
    let Some(section) = study.section(&id) else {
        return error(&Problem::missing(format!("no section `{id}` in the study")));
    };
    let params = Params::form(query.0);
    let read = NarrowedRows::read(&params);
    let part = narrowed::part(&id);
    let mut choice = part.map(|_| Choice {
        families: families(&state),
        chosen: None,
        later: false,
        problem: None,
        params,
    });
    let mut suffix = String::new();
    let mut answer: Option<Result<Arc<Vec<Section>>, Option<Problem>>> = None;
    match (read, part) {
        (Ok(None), _) | (_, None) => {}
        (Err(problem), _) => answer = Some(Err(Some(problem))),
        (Ok(Some(rows)), Some(part)) => {
            suffix = format!("?{}", rows.link());
            if let Some(choice) = &mut choice {
                choice.chosen = Some((rows.condition(), narrowed::command(part, &rows)));
            }
            answer = Some(
                match state.answers.sections(&id, rows, state.study.plan()).await {
                    Err(problem) => Err(Some(problem)),
                    Ok(Now::Later) => Err(None),
                    Ok(Now::Answer(sections)) => Ok(sections),
                },
            );
        }
    }
    let shown = match &answer {
        None => Some(section),
        Some(Ok(sections)) => sections.iter().find(|one| one.id == id),
        Some(Err(_)) => None,
    };
    let mut status = None;
    let is_final = matches!(answer, None | Some(Ok(_)));
    if let (Some(Err(failed)), Some(choice)) = (answer.clone(), &mut choice) {
        match failed {
            None => choice.later = true,
            Some(problem) => {
                status = Some(problem.code());
                choice.problem = Some(problem);
            }
        }
    }
    let nothing = Section::default();
    let page = view(
        shown.unwrap_or(&nothing),
        section,
        &study.sections,
        choice,
        suffix,
    );
    if is_final {
        return kept(&page);
    }
    let mut response = fresh(&page);
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

fn view<'a>(
    shown: &'a Section,
    whole: &'a Section,
    sections: &'a [Section],
    choice: Option<Choice>,
    suffix: String,
) -> Page<'a> {
    let cells = |columns: &[String], rows: &[Vec<study::section::Cell>], most: usize| {
        let rows = rows.iter().take(most);
        aligned(
            columns,
            rows.map(|row| row.iter().map(PageCell::of).collect()).collect(),
        )
    };
    let figures = shown.figures.iter().map(|figure| {
        let table = figure_table::of(figure);
        let (heads, rows) = cells(&table.columns, &table.rows, SHOWN);
        FigureView {
            figure,
            n_rows: table.rows.len(),
            heads,
            rows,
        }
    });
    let tables = shown.tables.iter().filter(|table| table.shown).map(|table| {
        let (heads, rows) = cells(&table.columns, &table.rows, usize::MAX);
        TableView { table, heads, rows }
    });
    Page {
        title: &whole.title,
        id: &whole.id,
        here: "/study",
        section: shown,
        sections,
        choice,
        suffix,
        figures: figures.collect(),
        tables: tables.collect(),
        findings: shown.findings.iter().map(finding_view).collect(),
    }
}
