//! The page of a checkpoint: its structure drawn to scale, its scores among its peers, its ancestors and descendants.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use catalog::tables::{Checkpoint, Score, Structure};

use super::{error, kept, link_to};
use crate::output::number;
use crate::server::api::unknown;
use crate::server::checkpoints::{Checkpoints, day};
use crate::server::params::encode;
use crate::server::peers::{self, Peers};
use crate::server::state::Shared;
use crate::server::structure_svg;

#[derive(Template)]
#[template(path = "server/checkpoint.html")]
struct Page<'a> {
    title: &'a str,
    here: &'static str,
    checkpoint: &'a Checkpoint,
    facts: Vec<(&'static str, String)>,
    structure: Option<&'a Structure>,
    drawing: Option<String>,
    dimensions: Vec<(&'static str, String, &'static str)>,
    peers: Vec<PeerView>,
    bounds: String,
    peers_sql: String,
    evaluations: Vec<EvaluationView<'a>>,
    ancestors: Vec<(String, String, bool)>,
    children: Vec<(String, &'a str)>,
    n_children: usize,
    api: String,
    encoded: String,
}

struct PeerView {
    peers: Peers,
    score: String,
    median: String,
    quartiles: String,
    range: String,
    above: String,
    strip: String,
}

struct EvaluationView<'a> {
    leaderboard: &'a str,
    about: String,
    repeats: Option<&'a str>,
    scores: Vec<(&'a str, String, &'a str, String)>,
}

pub(super) async fn page(
    State(state): State<Shared>,
    Path((organisation, name)): Path<(String, String)>,
) -> Response {
    one(&state, &format!("{organisation}/{name}"))
}

pub(super) async fn page_without_organisation(
    State(state): State<Shared>,
    Path(name): Path<String>,
) -> Response {
    one(&state, &name)
}

fn one(state: &Shared, id: &str) -> Response {
    let all = &state.checkpoints;
    let Some(checkpoint) = all.get(id) else {
        return error(&unknown(all, id));
    };
    let structure = all.structure(id);
    let peers = peers::of(all, id);
    let size = structure.and_then(|row| row.size);
    let (bounds, peers_sql) = size.map_or_else(Default::default, |size| {
        let (least, most) = peers::bounds(size);
        (
            format!("{} to {} billion parameters", number(least), number(most)),
            encode(&peers::sql(size, &peers)),
        )
    });
    let children = all.children(id);
    let page = Page {
        title: id,
        here: "/checkpoints",
        checkpoint,
        facts: facts(checkpoint),
        structure,
        drawing: structure.and_then(structure_svg::draw),
        dimensions: structure.map_or_else(Vec::new, dimensions),
        peers: peers.into_iter().map(peer_view).collect(),
        bounds,
        peers_sql,
        evaluations: evaluations(all, id),
        ancestors: all
            .ancestors(id)
            .into_iter()
            .map(|ancestor| (link_to(&ancestor), ancestor.clone(), all.get(&ancestor).is_some()))
            .collect(),
        n_children: children.len(),
        children: children
            .iter()
            .take(50)
            .map(|child| (link_to(&child.id), child.id.as_str()))
            .collect(),
        api: format!("/api/v1{}", link_to(id)),
        encoded: encode(id),
    };
    kept(&page)
}

fn facts(row: &Checkpoint) -> Vec<(&'static str, String)> {
    let count = |value: Option<i64>| value.map(|value| number(value as f64));
    let flag = |value: Option<bool>| value.map(|value| if value { "yes" } else { "no" }.to_owned());
    let facts = [
        ("architecture", row.architecture.clone()),
        ("licence", row.license.clone()),
        ("likes", count(row.likes)),
        ("downloads", count(row.downloads)),
        ("total parameters", count(row.parameters_total)),
        ("active parameters", count(row.parameters_active)),
        ("training tokens", count(row.training_tokens)),
        ("made by", row.training.map(|label| label.as_str().to_owned())),
        ("which rests on", row.training_by.clone()),
        ("merged", flag(row.merged)),
        ("mixture of experts", flag(row.is_moe)),
        ("quantized", flag(row.quantized)),
        ("flagged", flag(row.flagged)),
        ("made from its base by", row.base_relation.clone()),
        ("revision", row.revision.clone()),
    ];
    facts
        .into_iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)))
        .collect()
}

fn dimensions(row: &Structure) -> Vec<(&'static str, String, &'static str)> {
    let count = |value: Option<i64>| value.map_or_else(|| "–".into(), |value| number(value as f64));
    vec![
        (
            "size",
            row.size.map_or_else(|| "–".into(), number),
            "billion parameters",
        ),
        ("layers", count(row.layers), "layers"),
        ("d_model", count(row.d_model), "width"),
        ("d_ffn", count(row.d_ffn), "width"),
        ("heads", count(row.heads), "heads"),
        ("kv_heads", count(row.kv_heads), "heads"),
        ("vocab_size", count(row.vocab_size), "tokens"),
        ("pos", count(row.pos), "tokens"),
        (
            "date",
            row.date.map_or_else(|| "–".into(), |date| day(i64::from(date))),
            "published",
        ),
    ]
}

fn peer_view(peers: Peers) -> PeerView {
    let points = |value: f64| format!("{value:.1}");
    PeerView {
        score: points(peers.score),
        median: points(peers.median),
        quartiles: format!(
            "{} to {}",
            points(peers.lower_quartile),
            points(peers.upper_quartile)
        ),
        range: format!("{} to {}", points(peers.least), points(peers.most)),
        above: format!("{:.0} %", peers.above * 100.0),
        strip: strip(&peers),
        peers,
    }
}

/// Range, quartiles and median of the peers, and the checkpoint's own score, on a line from 0 to 100 points.
fn strip(peers: &Peers) -> String {
    let x = |points: f64| 4.0 + points.clamp(0.0, 100.0) * 1.92;
    format!(
        "<svg class=\"strip\" viewBox=\"0 0 200 22\" role=\"img\" aria-label=\"{name}: {score:.1} points; median of {n} peers \
         {median:.1}, quartiles {q1:.1} to {q3:.1}\"><path class=\"range\" d=\"M{least:.1} 11H{most:.1}\"/>\
         <rect class=\"quartiles\" x=\"{x1:.1}\" y=\"6\" width=\"{w:.1}\" height=\"10\"/>\
         <path class=\"median\" d=\"M{mid:.1} 4V18\"/><circle class=\"own\" cx=\"{own:.1}\" cy=\"11\" r=\"4\"/></svg>",
        name = peers.benchmark,
        score = peers.score,
        n = peers.n,
        median = peers.median,
        q1 = peers.lower_quartile,
        q3 = peers.upper_quartile,
        least = x(peers.least),
        most = x(peers.most),
        x1 = x(peers.lower_quartile),
        w = (x(peers.upper_quartile) - x(peers.lower_quartile)).max(0.5),
        mid = x(peers.median),
        own = x(peers.score),
    )
}

fn evaluations<'a>(all: &'a Checkpoints, id: &str) -> Vec<EvaluationView<'a>> {
    all.evaluations(id)
        .into_iter()
        .map(|(row, scores)| {
            let mut about: Vec<String> = Vec::new();
            about.extend(row.precision.clone());
            about.extend(row.kind.clone());
            about.extend(row.chat_template.map(|with| {
                if with {
                    "with chat template"
                } else {
                    "without chat template"
                }
                .to_owned()
            }));
            about.extend(
                row.submitted
                    .map(|date| format!("asked for {}", day(i64::from(date)))),
            );
            about.extend(row.average.map(|average| format!("average {average:.2} points")));
            // Settings that distinguish runs on one leaderboard: backend, quantisation, attention.
            let first = scores.first().and_then(|score| score.setting.clone());
            about.extend(first.filter(|first| {
                let same = |score: &&Score| score.setting.as_ref() == Some(first);
                scores.iter().all(same)
            }));
            EvaluationView {
                leaderboard: &row.leaderboard,
                about: about.join(", "),
                repeats: row.duplicate_of.as_deref(),
                scores: scores
                    .into_iter()
                    .map(|score| {
                        let mut setting: Vec<String> = Vec::new();
                        setting.extend(score.shots.map(|shots| format!("{shots} shots")));
                        setting.extend(score.setting.clone());
                        (
                            score.benchmark.as_str(),
                            number(score.value),
                            score.unit.as_str(),
                            setting.join(", "),
                        )
                    })
                    .collect(),
            }
        })
        .collect()
}
