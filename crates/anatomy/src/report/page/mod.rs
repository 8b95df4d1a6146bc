//! `report.html`: one page that opens offline, made from the sections alone.

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
    /// Sentences that stand first where there is no first screen of their own.
    headlines: &'a [String],
    /// SQL that the rows fulfil.
    condition: Option<&'a str>,
    /// What the numbers were made from, in a few words each.
    strip: Vec<(&'static str, String)>,
    bibtex: String,
    sections: Vec<SectionView<'a>>,
    claims: Vec<ledger::LedgerGroup>,
    ledger: Vec<ledger::LedgerRow>,
    printed: Option<String>,
    /// Few sections: nothing is folded.
    is_short: bool,
    /// The words that the sections use in a sense of their own.
    terms: Vec<&'static Term>,
    /// The findings, for the search.
    index: String,
    findings: &'a FindingsFile<'a>,
    /// The catalog is the one compiled in.
    is_public: bool,
    /// Who is to be named for the data, under which licence, a line each.
    credits: &'a [String],
    style: &'static str,
    script: &'static str,
}

/// The section whose figure stands first.
const ANSWER: &str = "answer";
/// The ledger's section.
const CLAIMS: &str = "claims";
/// So many sections are few.
const FEW: usize = 3;

const STYLE: &str = concat!(
    include_str!("../../../templates/first.css"),
    include_str!("../../../templates/report/style.css")
);
const SCRIPT: &str = concat!(
    include_str!("../../../templates/first.js"),
    include_str!("../../../templates/report/page.js")
);

/// The whole page; `drawn` holds each figure's id and SVG.
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
