//! The SQL console: runs one read-only statement and shows its answer as a table; the address can be shared.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use catalog::query::{TABLES, VIEWS};
use serde_json::Value;

use super::{PageCell, fresh};
use crate::output::number;
use crate::server::api::Pairs;
use crate::server::params::{Params, encode};
use crate::server::problem::Problem;
use crate::server::sql::{Limits, RowFormat};
use crate::server::state::Shared;

/// Maximum number of rows shown; the CSV has all up to the server's limit.
const SHOWN: usize = 500;

/// Example statements, each with the question that it answers.
const EXAMPLES: [(&str, &str); 5] = [
    (
        "How is the structure of each row known?",
        "select resolved_by, count(*) as n from structures group by resolved_by order by n desc",
    ),
    (
        "Does size go with score?",
        "select benchmark, spearman(value, size) as rho, count(*) as n from observations where size is not null and unit = 'points' and duplicate_of is null group by benchmark order by rho desc",
    ),
    (
        "Which organisations have the most evaluations?",
        "select organisation, count(*) as n, median(value) as median from observations where benchmark = 'mmlu_pro' and duplicate_of is null group by organisation having count(*) >= 20 order by median desc",
    ),
    (
        "Depth and width of the best seven-billion checkpoints",
        "select id, layers, d_model, d_ffn, value as mmlu_pro from observations where benchmark = 'mmlu_pro' and size between 6 and 9 and duplicate_of is null order by value desc limit 25",
    ),
    (
        "What was left out, and why?",
        "select reason, count(*) as n from rejects group by reason order by n desc limit 50",
    ),
];

#[derive(Template)]
#[template(path = "server/sql.html")]
struct Page<'a> {
    title: &'static str,
    here: &'static str,
    sql: &'a str,
    encoded: String,
    limits: Limits,
    memory: usize,
    examples: Vec<(&'static str, &'static str, String)>,
    /// Tables and views, the views first, since most questions start from one.
    tables: Vec<&'static str>,
    problem: Option<Problem>,
    answer: Option<AnswerView>,
}

struct AnswerView {
    columns: Vec<(String, String)>,
    rows: Vec<Vec<PageCell>>,
    n: String,
    more: bool,
    cut: bool,
}

pub(super) async fn page(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    let sql = params.get("sql").unwrap_or_default().to_owned();
    let limits = state.sql.limits;
    let (mut problem, mut answer) = (None, None);
    if !sql.is_empty() {
        match state.sql.run(sql.clone(), limits.rows, RowFormat::Json).await {
            Ok(given) => match serde_json::from_slice(&given.body) {
                Ok(body) => answer = Some(view(&body, given.rows, given.more)),
                Err(fault) => problem = Some(Problem::fault(fault.to_string())),
            },
            Err(refused) => problem = Some(refused),
        }
    }
    let status = problem.as_ref().map(Problem::code);
    let page = Page {
        title: "SQL",
        here: "/sql",
        encoded: encode(&sql),
        sql: &sql,
        limits,
        memory: limits.memory >> 20,
        examples: EXAMPLES
            .iter()
            .map(|(what, sql)| (*what, *sql, encode(sql)))
            .collect(),
        tables: VIEWS.into_iter().chain(TABLES).collect(),
        problem,
        answer,
    };
    let mut response = fresh(&page);
    if let Some(status) = status {
        *response.status_mut() = status;
    }
    response
}

fn view(body: &Value, n: usize, more: bool) -> AnswerView {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let columns = body["columns"].as_array().map_or_else(Vec::new, |columns| {
        columns
            .iter()
            .map(|column| (text(&column["name"]), text(&column["type"])))
            .collect()
    });
    let rows = body["rows"].as_array().map_or_else(Vec::new, |rows| {
        rows.iter()
            .take(SHOWN)
            .map(|row| {
                row.as_array()
                    .map_or_else(Vec::new, |cells| cells.iter().map(cell).collect())
            })
            .collect()
    });
    AnswerView {
        columns,
        rows,
        n: number(n as f64),
        more,
        cut: n > SHOWN,
    }
}

fn cell(value: &Value) -> PageCell {
    PageCell {
        text: match value {
            Value::Null => "–".into(),
            Value::Number(_) => value.as_f64().map_or_else(|| value.to_string(), number),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
        is_number: value.is_number(),
        link: String::new(),
    }
}
