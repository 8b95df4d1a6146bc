//! The pages `predict`, `recommend` and `compare`: forms with the answer below, whose addresses can be shared.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use catalog::cost::{InferenceEngine, Quant, device};
use study::section::Table;

use super::{HeadView, PageCell, aligned, fresh, kept};
use crate::answers::predict::PredictAnswer;
use crate::answers::recommend::RecommendAnswer;
use crate::answers::tables::{compare, predict, recommend};
use crate::server::answering::Now;
use crate::server::api::Pairs;
use crate::server::asked;
use crate::server::differences_figure;
use crate::server::params::Params;
use crate::server::problem::Problem;
use crate::server::state::Shared;

/// A table as printed by the commands.
struct TableView {
    name: &'static str,
    caption: String,
    heads: Vec<HeadView>,
    rows: Vec<Vec<PageCell>>,
}

impl TableView {
    fn of(name: &'static str, caption: impl Into<String>, table: &Table) -> Self {
        // Cells in a column `checkpoint` become links.
        let named = table.columns.iter().position(|column| column == "checkpoint");
        let rows = table.rows.iter().map(|row| {
            row.iter()
                .enumerate()
                .map(|(place, cell)| {
                    let mut view = PageCell::of(cell);
                    if Some(place) == named {
                        view.link = super::link_to(&view.text);
                    }
                    view
                })
                .collect()
        });
        let (heads, rows) = aligned(&table.columns, rows.collect());
        Self {
            name,
            caption: caption.into(),
            heads,
            rows,
        }
    }
}

/// The content below a form.
#[derive(Default)]
struct Below {
    words: Vec<String>,
    tables: Vec<TableView>,
    notes: Vec<String>,
    figure: Option<String>,
    figure_name: &'static str,
    api: Option<String>,
    /// Progress of the fits, where the answer is still being computed.
    later: Option<String>,
    problem: Option<Problem>,
}

impl Below {
    fn failed(problem: Problem) -> Self {
        Self {
            problem: Some(problem),
            ..Self::default()
        }
    }

    /// `api` is the address of the answer in the API.
    fn later(state: &Shared, api: String) -> Self {
        Self {
            later: Some(state.answers.words().1),
            api: Some(api),
            ..Self::default()
        }
    }
}

/// The submitted values of the form.
struct Sent(Params);

impl Sent {
    fn value(&self, name: &str) -> String {
        self.0.list(name).join(",")
    }

    fn first(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default()
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.first(name) == value
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.0.list(name).iter().any(|one| one == value)
    }
}

#[derive(Template)]
#[template(path = "server/recommend.html")]
struct RecommendPage {
    title: &'static str,
    here: &'static str,
    sent: Sent,
    devices: Vec<String>,
    tasks: Vec<&'static str>,
    engines: [&'static str; 3],
    quants: Vec<&'static str>,
    modes: [&'static str; 2],
    below: Below,
}

fn device_names() -> Vec<String> {
    device::devices().into_iter().map(|one| one.name).collect()
}

/// Pages with a complete answer may be cached; pages that wait or failed may not.
fn given(page: &impl Template, below: (bool, Option<StatusCode>)) -> Response {
    match below {
        (false, None) => kept(page),
        (_, status) => {
            let mut response = fresh(page);
            if let Some(status) = status {
                *response.status_mut() = status;
            }
            response
        }
    }
}

fn state_of(below: &Below) -> (bool, Option<StatusCode>) {
    (below.later.is_some(), below.problem.as_ref().map(Problem::code))
}

/// The parameters known to the API, as a query string.
fn api_link(params: &Params, known: &[&str]) -> String {
    let pairs: Vec<(String, String)> = known
        .iter()
        .flat_map(|name| {
            params
                .all(name)
                .map(|value| ((*name).to_owned(), value.to_owned()))
        })
        .collect();
    Params::form(pairs).link(&[], &[])
}

pub(super) async fn recommend_page(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    let link = api_link(&params, &asked::RECOMMEND);
    let below = if link.is_empty() {
        Below::default()
    } else {
        match asked::budget(&params, &state.answers.predictor) {
            Err(problem) => Below::failed(problem),
            Ok(budget) => match state.answers.recommend(budget).await {
                Err(problem) => Below::failed(problem),
                Ok(Now::Later) => Below::later(&state, format!("/api/v1/recommend?{link}")),
                Ok(Now::Answer(answer)) => recommended(&answer, &link),
            },
        }
    };
    let page = RecommendPage {
        title: "Recommend",
        here: "/recommend",
        sent: Sent(params),
        devices: device_names(),
        tasks: study::abilities::ABILITIES
            .iter()
            .map(|ability| ability.name)
            .collect(),
        engines: InferenceEngine::ALL.map(InferenceEngine::as_str),
        quants: Quant::names(),
        modes: asked::MODES,
        below,
    };
    let status = state_of(&page.below);
    given(&page, status)
}

fn recommended(answer: &RecommendAnswer, link: &str) -> Below {
    let list = |choices: &[crate::answers::recommend::Choice]| {
        let all: Vec<_> = choices.iter().collect();
        recommend::table(answer, &all)
    };
    let left_out: usize = answer.excluded.iter().map(|excluded| excluded.n).sum();
    let mut words = answer.answer.clone();
    if words.is_empty() {
        words.push(if answer.predicted.is_empty() {
            "Nothing fits.".into()
        } else {
            "Nothing that fits was measured by a board that asks for this; what is predicted stands below."
                .into()
        });
    }
    words.push(format!(
        "Asked: {}, {:.1} GB, {} tokens of context, {}{}.",
        answer.budget.what(),
        answer.budget.memory_bytes / 1e9,
        answer.budget.context,
        answer.budget.engine.as_str(),
        answer.budget.conditions()
    ));
    let mut notes = answer.notes.clone();
    notes.push(format!(
        "{left_out} of {} checkpoints left out: {}.",
        answer.n_checkpoints,
        answer
            .excluded
            .iter()
            .map(|excluded| format!("{} {}", excluded.n, excluded.words))
            .collect::<Vec<_>>()
            .join("; ")
    ));
    // The combined ranking only: rankings by a single leaderboard are in the JSON, and `--by-board` prints them.
    Below {
        words,
        tables: vec![
            TableView::of(
                "Ranking",
                format!(
                    "{} of {} that fit into {:.1} GB{} and were measured, by {}: all boards on one scale, by the lower end of the \
                     interval. Rows of one group cannot be told apart: official and original checkpoints stand first in it.",
                    answer.ranking.len(),
                    answer.n_ranked,
                    answer.budget.memory_bytes / 1e9,
                    answer.budget.conditions(),
                    answer.budget.what()
                ),
                &recommend::ranking_table(answer),
            ),
            TableView::of(
                "Predicted, not measured",
                format!(
                    "{} of {} that fit; no board measured them for this, so they do not rank with those above. Marked ~.",
                    answer.predicted.len(),
                    answer.n_predicted
                ),
                &list(&answer.predicted),
            ),
        ],
        notes,
        figure: Some(format!("/api/v1/recommend/figure?{link}")),
        figure_name: "Mean score on the benchmarks of one leaderboard against memory, with the Pareto front of what was measured on all of them; the ranking below \
                      puts all boards on one scale, so it has more checkpoints and other numbers",
        api: Some(format!("/api/v1/recommend?{link}")),
        ..Below::default()
    }
}

#[derive(Template)]
#[template(path = "server/predict.html")]
struct PredictPage {
    title: &'static str,
    here: &'static str,
    sent: Sent,
    devices: Vec<String>,
    below: Below,
}

pub(super) async fn predict_page(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    let link = api_link(&params, &asked::PREDICT);
    let below = if link.is_empty() {
        Below::default()
    } else {
        match asked::question(&params, &state.answers.predictor) {
            Err(problem) => Below::failed(problem),
            Ok(question) => match state.answers.predict(question).await {
                Err(problem) => Below::failed(problem),
                Ok(Now::Later) => Below::later(&state, format!("/api/v1/predict?{link}")),
                Ok(Now::Answer(answer)) => predicted(&answer, &link),
            },
        }
    };
    let page = PredictPage {
        title: "Predict",
        here: "/predict",
        sent: Sent(params),
        devices: device_names(),
        below,
    };
    let status = state_of(&page.below);
    given(&page, status)
}

fn predicted(answer: &PredictAnswer, link: &str) -> Below {
    let tables = predict::all(answer)
        .into_iter()
        .map(|(name, table)| TableView::of(name, table.caption.clone(), &table))
        .collect();
    let mut words: Vec<String> = predict::in_short(answer).into_iter().collect();
    for score in answer.scores.iter().filter(|score| score.extrapolating) {
        words.push(format!(
            "Extrapolating on {}: {}.",
            score.benchmark,
            score.outside.join("; ")
        ));
    }
    Below {
        words,
        tables,
        notes: answer
            .costs
            .cost_notes
            .iter()
            .chain(&answer.notes)
            .cloned()
            .collect(),
        figure: Some(format!("/api/v1/predict/figure?{link}")),
        figure_name: "Predicted scores with their intervals, or the sweep where one is asked for",
        api: Some(format!("/api/v1/predict?{link}")),
        ..Below::default()
    }
}

#[derive(Template)]
#[template(path = "server/compare.html")]
struct ComparePage {
    title: &'static str,
    here: &'static str,
    sent: Sent,
    ids: Vec<String>,
    below: Below,
}

pub(super) async fn compare_page(State(state): State<Shared>, query: Pairs) -> Response {
    let params = Params::form(query.0);
    let link = api_link(&params, &asked::COMPARE);
    let below = if link.is_empty() {
        Below::default()
    } else {
        match asked::comparison(&params) {
            Err(problem) => Below::failed(problem),
            Ok(comparison) => match state.answers.compare(comparison).await {
                Err(problem) => Below::failed(problem),
                Ok(Now::Later) => Below::later(&state, format!("/api/v1/compare?{link}")),
                Ok(Now::Answer(answer)) => Below {
                    words: answer.verdicts.clone(),
                    tables: vec![
                        TableView::of("Structure and cost", "* differs", &compare::structure(&answer)),
                        TableView::of(
                            "Scores",
                            "Points, with 95 % intervals from the number of test items",
                            &compare::scores(&answer),
                        ),
                        TableView::of(
                            "How each run was made",
                            "What all runs of a benchmark have in common, and of each checkpoint what it has not",
                            &compare::runs(&answer),
                        ),
                        TableView::of(
                            "Each against the first",
                            "Runs that differ are not comparable; more than noise where p, adjusted for the number of \
                             benchmarks, is below 0.05",
                            &compare::pairs(&answer),
                        ),
                    ],
                    notes: answer.notes.clone(),
                    figure: differences_figure::of(&answer).map(|_| format!("/api/v1/compare/figure?{link}")),
                    figure_name: "Differences on benchmarks whose runs are alike, with 95 % intervals where the number of test items is known",
                    api: Some(format!("/api/v1/compare?{link}")),
                    ..Below::default()
                },
            },
        }
    };
    let mut ids: Vec<String> = params.all("id").map(str::to_owned).collect();
    ids.resize(
        ids.len().max(2) + usize::from(ids.len() >= 2 && ids.len() < 8),
        String::new(),
    );
    let page = ComparePage {
        title: "Compare",
        here: "/compare",
        sent: Sent(params),
        ids,
        below,
    };
    let status = state_of(&page.below);
    given(&page, status)
}
