//! The front page: main results, comparison with published figures, and the contents of the tables.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use study::claims::Tally;

use super::{fresh, kept};
use crate::output::number;
use crate::report::first::First;
use crate::report::{Facts, told};
use crate::server::state::Shared;

#[derive(Template)]
#[template(path = "server/overview.html")]
struct Page<'a> {
    title: &'static str,
    here: &'static str,
    first: First,
    /// Id, title and result of each section.
    sections: Vec<(&'a str, &'a str, String)>,
    status: &'static str,
    detail: String,
    /// Verdicts on the claims in a sentence; `printed` is that on printed figures. `None` until they are available.
    counted: Option<String>,
    printed: Option<String>,
    n_findings: usize,
    origin: &'a str,
    /// Contents and age of the catalog: label, text, link.
    facts: Vec<(&'static str, String, String)>,
    catalog: &'a str,
    sources: Vec<Source<'a>>,
    devices: Vec<String>,
    usual_device: &'static str,
    usual_memory: &'static str,
    tasks: Vec<&'static str>,
}

/// Default values of the recommendation form.
const USUAL: (&str, &str) = ("RTX 4090", "24GB");

struct Source<'a> {
    name: &'a str,
    path: &'a str,
    revision: &'a str,
    rows: String,
    kept: String,
    rejected: String,
}

pub(super) async fn page(State(state): State<Shared>) -> Response {
    let (status, detail) = state.study.words();
    let findings = state.study.findings();
    let study = state.study.ready();
    let all = || findings.iter().flat_map(|study| &study.findings);
    let (claims, printed) = (Tally::claims(all()), Tally::printed(all()));
    let catalog = &state.checkpoints.catalog;
    let with_structure = catalog
        .structures
        .iter()
        .filter(|row| row.layers.is_some() && row.d_model.is_some())
        .count();
    let count = |name: &'static str, n: usize, link: &str| (name, number(n as f64), link.to_owned());
    let facts = Facts::of(catalog);
    let mut shown = vec![
        count("checkpoints", facts.checkpoints, "/checkpoints"),
        count(
            "with a known structure",
            with_structure,
            "/checkpoints?min_layers=1",
        ),
        count(
            "evaluations",
            facts.evaluations,
            "/sql?sql=select+leaderboard%2C+count%28*%29+as+n+from+evaluations+group+by+leaderboard+order+by+n+desc",
        ),
        count(
            "scores",
            facts.scores,
            "/sql?sql=select+leaderboard%2C+benchmark%2C+unit%2C+count%28*%29+as+n%2C+median%28value%29+as+median+from+scores+group+by+1%2C+2%2C+3+order+by+1%2C+2",
        ),
    ];
    let mut day = |name: &'static str, day: Option<String>| {
        shown.extend(day.map(|day| (name, day, String::new())));
    };
    day("leaderboard v2 until", facts.scores_end);
    day("newest score", facts.newest);
    let mut ordered: Vec<&study::section::Section> = study
        .as_ref()
        .map_or_else(Vec::new, |study| study.sections.iter().collect());
    ordered.sort_by_key(|section| told::place(&section.id));
    let page = Page {
        title: "Overview",
        here: "/",
        first: First::of(all(), "/study/", true),
        sections: ordered
            .into_iter()
            .map(|section| (section.id.as_str(), section.title.as_str(), told::line(section)))
            .collect(),
        status,
        detail,
        counted: claims.in_words(),
        printed: printed.printed_in_words(),
        n_findings: findings.as_ref().map_or(0, |study| study.findings.len()),
        origin: findings.as_ref().map_or("", |study| study.origin.as_str()),
        facts: shown,
        devices: catalog::cost::device::devices()
            .into_iter()
            .map(|one| one.name)
            .collect(),
        usual_device: USUAL.0,
        usual_memory: USUAL.1,
        tasks: study::abilities::ABILITIES
            .iter()
            .map(|ability| ability.name)
            .collect(),
        catalog: &catalog.manifest.catalog_sha256,
        sources: catalog
            .manifest
            .sources
            .iter()
            .map(|source| Source {
                name: &source.name,
                path: &source.path,
                revision: &source.revision,
                rows: number(source.rows_in as f64),
                kept: number(source.kept as f64),
                rejected: number(source.rejected as f64),
            })
            .collect(),
    };
    if state.study.is_computing() {
        fresh(&page)
    } else {
        kept(&page)
    }
}
