//! The explorer: a table of checkpoints with filters, sorting, search and choice of columns; and the same as a chart.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{PageCell, error, kept, link_to};
use crate::output::number;
use crate::server::api::Pairs;
use crate::server::columns::{BENCHMARKS, COLUMNS, Column, Kind, numeric};
use crate::server::params::Params;
use crate::server::search::{self, RESOLVED_BY, Search};
use crate::server::state::Shared;

/// The filter, as both pages show it.
struct Filter {
    params: Params,
    families: Vec<String>,
}

impl Filter {
    /// The submitted value of a field.
    fn value(&self, name: &str) -> &str {
        self.params.get(name).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }
}

#[derive(Template)]
#[template(path = "server/explorer.html")]
struct Page {
    title: &'static str,
    here: &'static str,
    filter: Filter,
    resolved_by: [&'static str; 5],
    benchmarks: [&'static str; BENCHMARKS.len()],
    choices: Vec<(&'static Column, bool)>,
    /// The default columns without the id, comma-separated; `is_usual` says whether these are shown.
    usual: String,
    is_usual: bool,
    heads: Vec<Head>,
    rows: Vec<Vec<PageCell>>,
    n: String,
    from: usize,
    to: usize,
    before: Option<String>,
    after: Option<String>,
    csv: String,
    chart: String,
    permalink: String,
}

struct Head {
    column: &'static Column,
    link: String,
    /// Sort order: `ascending`, `descending` or empty.
    sorted: &'static str,
}

/// The most frequent architectures, as suggestions for the filter.
pub(super) fn families(state: &Shared) -> Vec<String> {
    let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
    for row in &state.checkpoints.catalog.checkpoints {
        if let Some(name) = &row.architecture {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut all: Vec<(&str, usize)> = counts.into_iter().collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    all.into_iter()
        .take(60)
        .map(|(name, _)| name.to_owned())
        .collect()
}

pub(super) async fn page(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    let search = match Search::read(&params).map(|search| search.by_evidence(&params)) {
        Ok(search) => search,
        Err(problem) => return error(&problem),
    };
    let rows = search.all(&state.checkpoints);
    let shown = search.page(&rows);
    let link =
        |without: &[&str], with: &[(&str, &str)]| format!("/checkpoints?{}", params.link(without, with));
    let at = |offset: usize| link(&["offset"], &[("offset", &offset.to_string())]);
    let (sort, largest_first) = search.sort;
    let heads = search.columns.iter().map(|&place| {
        let column = &COLUMNS[place];
        let is_sorted = sort == place;
        // Numeric columns are first sorted in descending order.
        let numbers = !matches!(column.kind, Kind::Text);
        let down = if is_sorted { !largest_first } else { numbers };
        let order = format!("{}{}", if down { "-" } else { "" }, column.name);
        Head {
            column,
            link: link(&["sort", "offset"], &[("sort", &order)]),
            sorted: match (is_sorted, largest_first) {
                (false, _) => "",
                (true, true) => "descending",
                (true, false) => "ascending",
            },
        }
    });
    let cells = shown.iter().map(|row| {
        let cells = search.columns.iter().map(|&place| {
            let kind = COLUMNS[place].kind;
            PageCell {
                text: row.cells[place].words(kind),
                is_number: kind == Kind::Number,
                link: if place == 0 {
                    link_to(row.id())
                } else {
                    String::new()
                },
            }
        });
        cells.collect()
    });
    let usual = (1..COLUMNS.len()).filter(|&place| COLUMNS[place].first);
    let usual: Vec<usize> = usual.collect();
    let page = Page {
        title: "Checkpoints",
        here: "/checkpoints",
        resolved_by: RESOLVED_BY,
        benchmarks: BENCHMARKS,
        choices: COLUMNS
            .iter()
            .enumerate()
            .skip(1)
            .map(|(place, column)| (column, search.columns.contains(&place)))
            .collect(),
        is_usual: search.columns[1..] == usual,
        usual: usual
            .iter()
            .map(|&place| COLUMNS[place].name)
            .collect::<Vec<_>>()
            .join(","),
        heads: heads.collect(),
        rows: cells.collect(),
        n: number(rows.len() as f64),
        from: (search.offset + 1).min(rows.len()),
        to: (search.offset + search.limit).min(rows.len()),
        before: (search.offset > 0).then(|| at(search.offset.saturating_sub(search.limit))),
        after: (search.offset + search.limit < rows.len()).then(|| at(search.offset + search.limit)),
        csv: format!("/api/v1/checkpoints.csv?{}", known(&params, &["limit", "offset"])),
        chart: format!(
            "/chart?{}",
            known(&params, &["columns", "limit", "offset", "sort"])
        ),
        permalink: link(&[], &[]),
        filter: Filter {
            families: families(&state),
            params,
        },
    };
    kept(&page)
}

/// The parameters of the filter that the API knows, as a query string.
fn known(params: &Params, without: &[&str]) -> String {
    let pairs: Vec<(String, String)> = search::NAMES
        .iter()
        .filter(|name| !without.contains(name))
        .filter_map(|name| {
            let value = if *name == "columns" {
                Some(params.list(name).join(",")).filter(|list| !list.is_empty())
            } else {
                params.get(name).map(str::to_owned)
            };
            value.map(|value| ((*name).to_owned(), value))
        })
        .collect();
    Params::form(pairs).link(&[], &[])
}

#[derive(Template)]
#[template(path = "server/chart.html")]
struct Chart {
    title: &'static str,
    here: &'static str,
    filter: Filter,
    resolved_by: [&'static str; 5],
    benchmarks: [&'static str; BENCHMARKS.len()],
    axes: Vec<&'static Column>,
    x: String,
    y: String,
    points: String,
    table: String,
}

pub(super) async fn chart(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    if let Err(problem) = Search::read(&params) {
        return error(&problem);
    }
    let axis = |name: &str, default: &str| params.get(name).unwrap_or(default).to_owned();
    let (x, y) = (axis("x", "size"), axis("y", "average_v2"));
    let filter = known(&params, &["columns", "limit", "offset", "sort"]);
    let axes = Params::form(vec![("x".into(), x.clone()), ("y".into(), y.clone())]).link(&[], &[]);
    let columns = format!("architecture,{x},{y}");
    let columns = Params::form(vec![
        ("columns".into(), columns),
        ("sort".into(), format!("-{y}")),
    ])
    .link(&[], &[]);
    let page = Chart {
        title: "Chart",
        here: "/checkpoints",
        resolved_by: RESOLVED_BY,
        benchmarks: BENCHMARKS,
        axes: numeric().collect(),
        x,
        y,
        points: format!("/api/v1/points?{axes}&{filter}")
            .trim_end_matches('&')
            .to_owned(),
        table: format!("/checkpoints?{columns}&{filter}")
            .trim_end_matches('&')
            .to_owned(),
        filter: Filter {
            families: families(&state),
            params,
        },
    };
    kept(&page)
}
