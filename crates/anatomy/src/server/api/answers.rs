//! Routes for predictions, recommendations and comparisons: the same answers as the commands print.

use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::get;
use catalog::cost::device;
use serde::Serialize;
use serde_json::json;

use super::{Pairs, Route, being_made, kept, params};
use crate::answers::recommend::Budget;
use crate::provenance::{Envelope, Provenance};
use crate::server::answering::Now;
use crate::server::asked;
use crate::server::differences_figure;
use crate::server::params::Params;
use crate::server::plotly;
use crate::server::problem::Problem;
use crate::server::scores_figure;
use crate::server::state::Shared;

/// The routes of this module.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/v1/devices", get(devices)),
        (Method::GET, "/api/v1/predict", get(predict)),
        (Method::GET, "/api/v1/predict/figure", get(predict_figure)),
        (Method::GET, "/api/v1/recommend", get(recommend)),
        (Method::GET, "/api/v1/recommend/figure", get(recommend_figure)),
        (Method::GET, "/api/v1/compare", get(compare)),
        (Method::GET, "/api/v1/compare/figure", get(compare_figure)),
    ]
}

async fn devices(query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    Ok(kept(&json!({ "devices": device::devices() })))
}

fn answered<T: Serialize>(state: &Shared, kind: &'static str, now: &Now<T>) -> Response {
    match now {
        Now::Later => being_made(state),
        Now::Answer(answer) => {
            let sha = &state.checkpoints.catalog.manifest.catalog_sha256;
            kept(&Envelope::of(kind, &**answer, Provenance::of(sha, state.seed)))
        }
    }
}

fn read<T>(query: Pairs, known: &[&str], of: impl Fn(&Params) -> Result<T, Problem>) -> Result<T, Problem> {
    of(&params(query, known)?)
}

async fn predict(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let question = read(query, &asked::PREDICT, |params| {
        asked::question(params, &state.answers.predictor)
    })?;
    Ok(answered(
        &state,
        "prediction",
        &state.answers.predict(question).await?,
    ))
}

/// A figure of the sweep where one is requested, else of each benchmark's prediction with its interval.
async fn predict_figure(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let question = read(query, &asked::PREDICT, |params| {
        asked::question(params, &state.answers.predictor)
    })?;
    Ok(match state.answers.predict(question).await? {
        Now::Later => being_made(&state),
        Now::Answer(answer) => {
            let figure = answer.sweep.as_ref().map_or_else(
                || scores_figure::of(&answer),
                crate::answers::sweep::SweepAnswer::figure,
            );
            kept(&plotly::spec(&figure))
        }
    })
}

/// Parses the question to `recommend`; `precision` is an alias of `quant`, as on the command line.
fn budget(state: &Shared, mut query: Pairs) -> Result<Budget, Problem> {
    for (name, _) in &mut query.0 {
        if name == "precision" {
            "quant".clone_into(name);
        }
    }
    read(query, &asked::RECOMMEND, |params| {
        asked::budget(params, &state.answers.predictor)
    })
}

async fn recommend(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let budget = budget(&state, query)?;
    Ok(answered(
        &state,
        "recommendation",
        &state.answers.recommend(budget).await?,
    ))
}

/// A figure of score against memory, with the Pareto front.
async fn recommend_figure(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let budget = budget(&state, query)?;
    Ok(match state.answers.recommend(budget).await? {
        Now::Later => being_made(&state),
        Now::Answer(answer) => kept(&plotly::spec(&answer.figure())),
    })
}

async fn compare(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let comparison = read(query, &asked::COMPARE, asked::comparison)?;
    Ok(answered(
        &state,
        "comparison",
        &state.answers.compare(comparison).await?,
    ))
}

/// Differences with their intervals, of benchmarks whose runs are alike.
async fn compare_figure(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let comparison = read(query, &asked::COMPARE, asked::comparison)?;
    Ok(match state.answers.compare(comparison).await? {
        Now::Later => being_made(&state),
        Now::Answer(answer) => {
            let figure = differences_figure::of(&answer).ok_or_else(|| {
                Problem::missing("no two runs of these checkpoints are alike: there is nothing to draw")
            })?;
            kept(&plotly::spec(&figure))
        }
    })
}
