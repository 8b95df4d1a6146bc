//! Routes for checkpoints: as a list, one by one, and as points of a chart.

use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{Pairs, Route, kept, kept_bytes, params};
use crate::near::near;
use crate::server::checkpoints::{Checkpoints, ListedCheckpoint};
use crate::server::columns::{COLUMNS, Kind, place};
use crate::server::params::Params;
use crate::server::peers;
use crate::server::problem::Problem;
use crate::server::search::{self, Search};
use crate::server::state::Shared;

/// The routes of this module.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/v1/columns", get(columns)),
        (Method::GET, "/api/v1/checkpoints", get(list)),
        (Method::GET, "/api/v1/checkpoints.csv", get(list_csv)),
        (Method::GET, "/api/v1/checkpoints/{id}", get(one)),
        (
            Method::GET,
            "/api/v1/checkpoints/{organisation}/{name}",
            get(one_by_parts),
        ),
        (Method::GET, "/api/v1/points", get(points)),
    ]
}

async fn columns(query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    let columns: Vec<Value> = COLUMNS
        .iter()
        .map(|column| {
            let kind = match column.kind {
                Kind::Text => "text",
                Kind::Number => "number",
                Kind::Day => "date",
                Kind::Flag => "boolean",
            };
            json!({ "name": column.name, "type": kind, "unit": column.unit, "about": column.about })
        })
        .collect();
    Ok(kept(&json!({ "columns": columns })))
}

async fn list(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let search = Search::read(&params(query, &search::NAMES)?)?;
    let rows = search.all(&state.checkpoints);
    let page: Vec<Value> = search
        .page(&rows)
        .into_iter()
        .map(|row| object(row, &search.columns))
        .collect();
    Ok(kept(&json!({
        "n": rows.len(),
        "offset": search.offset,
        "limit": search.limit,
        "rows": page,
    })))
}

fn object(row: &ListedCheckpoint, columns: &[usize]) -> Value {
    let cells: Map<String, Value> = columns
        .iter()
        .map(|&place| {
            let column = &COLUMNS[place];
            (column.name.to_owned(), row.cells[place].json(column.kind))
        })
        .collect();
    Value::Object(cells)
}

/// Maximum number of rows in a file.
const ROWS: usize = 10_000_000;

/// All matching rows, or the range given by `limit` and `offset`; a file may have more rows than a page.
async fn list_csv(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let whole = Params::strict(query.0.clone(), &search::NAMES)?;
    let limit = whole.count("limit", 1, ROWS)?.unwrap_or(ROWS);
    let offset = whole.count("offset", 0, ROWS)?.unwrap_or(0);
    let mut pairs = query.0;
    pairs.retain(|(name, _)| !["limit", "offset"].contains(&name.as_str()));
    let search = Search::read(&Params::strict(pairs, &search::NAMES)?)?;
    let rows = search.all(&state.checkpoints);
    let rows: Vec<&ListedCheckpoint> = rows.into_iter().skip(offset).take(limit).collect();
    let mut response = kept_bytes(search::csv(&rows, &search.columns)?, "text/csv; charset=utf-8");
    response.headers_mut().insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"checkpoints.csv\""),
    );
    Ok(response)
}

async fn one(State(state): State<Shared>, Path(id): Path<String>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    Ok(kept(&about(&state.checkpoints, &id)?))
}

async fn one_by_parts(
    State(state): State<Shared>,
    Path((organisation, name)): Path<(String, String)>,
    query: Pairs,
) -> Result<Response, Problem> {
    params(query, &[])?;
    Ok(kept(&about(
        &state.checkpoints,
        &format!("{organisation}/{name}"),
    )?))
}

/// Problem for an unknown checkpoint, with similar ids.
pub(crate) fn unknown(checkpoints: &Checkpoints, id: &str) -> Problem {
    let problem = Problem::missing(format!("no checkpoint `{id}` in this catalog"));
    match like(checkpoints, id) {
        found if found.is_empty() => problem,
        found => problem.with_hint(format!("did you mean {}?", found.join(", "))),
    }
}

/// Similar ids among those of the same organisation or with the same first letters; else ids that contain the name.
fn like(checkpoints: &Checkpoints, id: &str) -> Vec<String> {
    let folded = id.to_lowercase();
    let (organisation, name) = folded.split_once('/').unwrap_or(("", folded.as_str()));
    let first: String = name.chars().take(3).collect();
    // Comparing with all ids would take too long.
    let is_close = |row: &&ListedCheckpoint| {
        let own = row.folded.as_str();
        let (its, own) = own.split_once('/').unwrap_or(("", own));
        its == organisation || (first.chars().count() == 3 && own.starts_with(&first))
    };
    let close = checkpoints.rows.iter().filter(is_close);
    let found = near(id, close.map(ListedCheckpoint::id));
    if found.is_empty() {
        let containing = checkpoints.like(id);
        return containing.into_iter().map(str::to_owned).collect();
    }
    found
}

/// Everything the tables contain about a checkpoint, and its position among its peers.
fn about(checkpoints: &Checkpoints, id: &str) -> Result<Value, Problem> {
    let checkpoint = checkpoints.get(id).ok_or_else(|| unknown(checkpoints, id))?;
    let evaluations: Vec<Value> = checkpoints
        .evaluations(id)
        .into_iter()
        .map(|(evaluation, scores)| json!({ "evaluation": evaluation, "scores": scores }))
        .collect();
    let children = checkpoints.children(id);
    let first: Vec<&str> = children.iter().take(50).map(|child| child.id.as_str()).collect();
    Ok(json!({
        "checkpoint": checkpoint,
        "structure": checkpoints.structure(id),
        "evaluations": evaluations,
        "ancestors": checkpoints.ancestors(id),
        "n_children": children.len(),
        "children": first,
        "peers": peers::of(checkpoints, id),
    }))
}

/// Parameters of [`points`], besides the filters.
const AXES: [&str; 2] = ["x", "y"];
/// Parameters of paged lists that do not apply here: all points are returned, in no particular order.
const OF_A_PAGE: [&str; 4] = ["sort", "columns", "limit", "offset"];

async fn points(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let choosing = search::NAMES.iter().filter(|name| !OF_A_PAGE.contains(name));
    let known: Vec<&str> = AXES.iter().chain(choosing).copied().collect();
    Ok(kept(&cloud(&state.checkpoints, &params(query, &known)?)?))
}

/// Checkpoints with values in both columns, as parallel arrays.
fn cloud(checkpoints: &Checkpoints, params: &Params) -> Result<Value, Problem> {
    let axis = |name: &str, default: &str| {
        let column = params.one(name)?.unwrap_or(default).to_owned();
        match place(&column) {
            Some(place) if matches!(COLUMNS[place].kind, Kind::Number | Kind::Day) => Ok(place),
            _ => Err(Problem::bad(format!(
                "`{name}` must be a numeric column, got {column:?}"
            ))),
        }
    };
    let (x, y) = (axis("x", "size")?, axis("y", "average_v2")?);
    let search = Search::read(params)?;
    let family = place("architecture").unwrap_or_default();
    let rows: Vec<&ListedCheckpoint> = search
        .all(checkpoints)
        .into_iter()
        .filter(|row| row.number(x).is_some() && row.number(y).is_some())
        .collect();
    let column = |place: usize| -> Vec<Value> {
        rows.iter()
            .map(|row| row.cells[place].json(COLUMNS[place].kind))
            .collect()
    };
    let axis = |place: usize| {
        let column = &COLUMNS[place];
        json!({ "name": column.name, "unit": column.unit, "type": if column.kind == Kind::Day { "date" } else { "number" } })
    };
    Ok(json!({
        "n": rows.len(),
        "x": axis(x),
        "y": axis(y),
        "ids": rows.iter().map(|row| row.id()).collect::<Vec<_>>(),
        "families": column(family),
        "xs": column(x),
        "ys": column(y),
    }))
}
