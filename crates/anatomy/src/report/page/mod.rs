//! Renders `report.html`, a single page without external resources, from the sections.

mod index;
mod ledger;
mod views;

use anyhow::Result;
use askama::Template;
use study::claims::Tally;
use study::finding::Finding;

use self::views::SectionView;
use super::about::is_compiled_in;
use super::first::First;
use super::glossary::{TERMS, Term};
use super::{Study, told};
use crate::provenance::FindingsFile;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    lead: String,
    first: First,
    /// Headline sentences, shown where there is no first screen.
    headlines: &'a [String],
    /// SQL condition on the rows; `None`: all rows.
    condition: Option<&'a str>,
    /// Short labelled facts about the data behind the numbers.
    strip: Vec<(&'static str, String)>,
    bibtex: String,
    sections: Vec<SectionView<'a>>,
    claims: Vec<ledger::LedgerGroup>,
    ledger: Vec<ledger::LedgerRow>,
    printed: Option<String>,
    /// Whether there are so few sections that none is collapsed.
    is_short: bool,
    /// Terms defined on the page.
    terms: Vec<&'static Term>,
    /// Search index of the findings, as JSON.
    index: String,
    findings: &'a FindingsFile<'a>,
    /// Whether the catalog is the compiled-in one.
    is_public: bool,
    /// Attribution of the data with their licences, one line each.
    credits: &'a [String],
    style: &'static str,
    script: &'static str,
}

/// Id of the section whose figure is the matrix at the top.
const ANSWER: &str = "answer";
/// Id of the ledger's section.
const CLAIMS: &str = "claims";
/// Maximum number of sections for an uncollapsed page.
const FEW: usize = 3;

const STYLE: &str = concat!(
    include_str!("../../../templates/first.css"),
    include_str!("../../../templates/report/style.css")
);
const SCRIPT: &str = concat!(
    include_str!("../../../templates/first.js"),
    include_str!("../../../templates/report/page.js")
);

/// Renders the page; `drawn` holds each figure's id and SVG.
pub(super) fn html(study: &Study, findings: &FindingsFile<'_>, drawn: &[(String, String)]) -> Result<String> {
    let all: Vec<&Finding> = findings.answer.findings.clone();
    let mut order: Vec<usize> = (0..study.sections.len()).collect();
    order.sort_by_key(|at| (told::place(&study.sections[*at].id), *at));
    let is_short = order.len() <= FEW;
    let claims = ledger::groups(&all);
    let has_answer = study.sections.iter().any(|section| section.id == ANSWER);
    let first = First::of(all.iter().copied(), "#", has_answer);
    let sections: Vec<SectionView<'_>> = order
        .iter()
        .map(|at| SectionView::of(&study.sections[*at], drawn, is_short))
        .collect();
    let words: Vec<&str> = sections
        .iter()
        .flat_map(|view| view.words.iter().copied())
        .collect();
    let provenance = &findings.provenance;
    let page = Page {
        title: study.about.title(),
        lead: study
            .about
            .lead(all.len(), &provenance.command, &provenance.catalog_sha256),
        first: if is_short && !has_answer {
            First::none()
        } else {
            first
        },
        headlines: &study.headlines,
        condition: study.about.condition(),
        strip: study.about.strip(provenance, all.len()),
        bibtex: study.about.bibtex(provenance),
        sections,
        claims,
        ledger: ledger::printed(&all),
        printed: Tally::printed(all.iter().copied()).printed_in_words(),
        is_short,
        terms: TERMS.iter().filter(|term| words.contains(&term.id)).collect(),
        index: index::json(&study.sections)?,
        is_public: is_compiled_in(&provenance.catalog_sha256),
        credits: study.about.credits(),
        findings,
        style: STYLE,
        script: SCRIPT,
    };
    Ok(page.render()?)
}
