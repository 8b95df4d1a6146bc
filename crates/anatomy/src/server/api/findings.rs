//! Routes for the study (findings, sections, figures) and for probe results.

use axum::extract::{Path, State};
use axum::http::Method;
use axum::response::Response;
use axum::routing::get;
use serde_json::{Value, json};
use study::finding::{Finding, Verdict};
use study::section::{Figure, Section};

use super::{Pairs, Route, being_made, kept, kept_bytes, later, missing, params};
use crate::provenance::SCHEMA_VERSION;
use crate::report::verdict_name;
use crate::server::answering::Now;
use crate::server::narrowed::{self, NarrowedRows};
use crate::server::plotly;
use crate::server::problem::Problem;
use crate::server::state::Shared;

/// The routes of this module.
pub(super) fn routes() -> Vec<Route> {
    vec![
        (Method::GET, "/api/v1/findings", get(all)),
        (Method::GET, "/api/v1/findings/{id}", get(one)),
        (Method::GET, "/api/v1/sections", get(sections)),
        (Method::GET, "/api/v1/sections/{id}", get(section)),
        (Method::GET, "/api/v1/figures/{id}", get(figure)),
        (Method::GET, "/api/v1/figures/{id}/plotly", get(plotly)),
        (Method::GET, "/api/v1/probes", get(probes)),
        (Method::GET, "/api/v1/probes/{name}", get(probe)),
    ]
}

async fn all(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    let params = params(query, &["prefix", "verdict"])?;
    let (prefix, verdict) = (params.one("prefix")?, params.one("verdict")?);
    if let Some(verdict) = verdict
        && Verdict::named(verdict).is_none()
    {
        let all = Verdict::ALL.map(Verdict::name).join(", ");
        return Err(
            Problem::bad(format!("no verdict named `{verdict}`")).with_hint(format!("there are {all}"))
        );
    }
    let Some(study) = state.study.findings() else {
        return Ok(later(&state));
    };
    if prefix.is_none() && verdict.is_none() {
        return Ok(kept_bytes(study.file.clone(), "application/json"));
    }
    let passes = |finding: &&Finding| {
        prefix.is_none_or(|prefix| finding.id.starts_with(prefix))
            && verdict.is_none_or(|verdict| finding.verdict.map(verdict_name) == Some(verdict))
    };
    let findings: Vec<&Finding> = study.findings.iter().filter(passes).collect();
    Ok(kept(&json!({
        "kind": "findings",
        "schema_version": SCHEMA_VERSION,
        "provenance": study.provenance,
        "findings": findings,
    })))
}

async fn one(State(state): State<Shared>, Path(id): Path<String>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    let Some(study) = state.study.findings() else {
        return Ok(later(&state));
    };
    let Some(finding) = study.finding(&id) else {
        let all = study.findings.iter().map(|finding| finding.id.as_str());
        return Err(missing("finding", &id, all));
    };
    Ok(kept(finding))
}

async fn sections(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    let Some(study) = state.study.ready() else {
        return Ok(later(&state));
    };
    let sections: Vec<Value> = study
        .sections
        .iter()
        .map(|section| {
            let figures: Vec<&str> = section.figures.iter().map(|figure| figure.id.as_str()).collect();
            json!({ "id": section.id, "title": section.title, "n_findings": section.findings.len(), "figures": figures })
        })
        .collect();
    Ok(kept(
        &json!({ "headlines": study.headlines, "sections": sections }),
    ))
}

/// A kind of object for messages, and a function that lists the ids of this kind in a section.
type Named = (&'static str, fn(&Section) -> Vec<&str>);

const SECTION: Named = ("section", |section| vec![section.id.as_str()]);
const FIGURE: Named = ("figure", |section| {
    let figures = section.figures.iter();
    figures.map(|figure| figure.id.as_str()).collect()
});

/// The object that `pick` finds in a section, computed on the rows that the query selects.
async fn from_study(
    state: &Shared,
    query: Pairs,
    (what, names): Named,
    id: &str,
    pick: impl Fn(&Section) -> Option<Response>,
) -> Result<Response, Problem> {
    let rows = NarrowedRows::read(&params(query, &narrowed::NAMES)?)?;
    let Some(study) = state.study.ready() else {
        return Ok(later(state));
    };
    let found = study
        .sections
        .iter()
        .find_map(|section| Some((&section.id, pick(section)?)));
    let (section, found) = found.ok_or_else(|| missing(what, id, study.sections.iter().flat_map(names)))?;
    let Some(rows) = rows else {
        return Ok(found);
    };
    let condition = rows.condition();
    match state.answers.sections(section, rows, state.study.plan()).await? {
        Now::Later => Ok(being_made(state)),
        Now::Answer(sections) => sections
            .iter()
            .find_map(pick)
            .ok_or_else(|| Problem::beyond(format!("no {what} `{id}` where {condition}"))),
    }
}

async fn section(
    State(state): State<Shared>,
    Path(id): Path<String>,
    query: Pairs,
) -> Result<Response, Problem> {
    let pick = |section: &Section| (section.id == id).then(|| kept(section));
    from_study(&state, query, SECTION, &id, pick).await
}

fn named<'a>(section: &'a Section, id: &str) -> Option<&'a Figure> {
    section.figures.iter().find(|figure| figure.id == id)
}

async fn figure(
    State(state): State<Shared>,
    Path(id): Path<String>,
    query: Pairs,
) -> Result<Response, Problem> {
    let pick = |section: &Section| named(section, &id).map(kept);
    from_study(&state, query, FIGURE, &id, pick).await
}

async fn plotly(
    State(state): State<Shared>,
    Path(id): Path<String>,
    query: Pairs,
) -> Result<Response, Problem> {
    let pick = |section: &Section| named(section, &id).map(|figure| kept(&plotly::spec(figure)));
    from_study(&state, query, FIGURE, &id, pick).await
}

async fn probes(State(state): State<Shared>, query: Pairs) -> Result<Response, Problem> {
    params(query, &[])?;
    let names: Vec<&str> = state.probes.all.iter().map(|probe| probe.name.as_str()).collect();
    let left_out: Vec<Value> = state
        .probes
        .left_out
        .iter()
        .map(|(name, reason)| json!({ "name": name, "reason": reason }))
        .collect();
    Ok(kept(&json!({ "probes": names, "left_out": left_out })))
}

async fn probe(
    State(state): State<Shared>,
    Path(name): Path<String>,
    query: Pairs,
) -> Result<Response, Problem> {
    params(query, &[])?;
    let Some(probe) = state.probes.get(&name) else {
        let all = state.probes.all.iter().map(|probe| probe.name.as_str());
        return Err(missing("probe result", &name, all));
    };
    Ok(kept(&probe.content))
}
