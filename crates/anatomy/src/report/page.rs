//! `report.html`: one page that opens offline, made from the sections alone.

use std::collections::BTreeSet;

use anyhow::Result;
use askama::Template;
use study::claims::{Tally, is_claim};
use study::finding::{Finding, Verdict};
use study::section::{Cell, Section, Table};

use super::Study;
use super::about::is_compiled_in;
use crate::output;
use crate::provenance::FindingsFile;

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    headlines: &'a [String],
    /// The figure that answers, which stands before everything else.
    first: Option<FigureView<'a>>,
    sections: Vec<SectionView<'a>>,
    ledger: Vec<LedgerRow>,
    title: String,
    lead: String,
    /// What became of the claims, and of printed figures, where there are any.
    counted: Option<String>,
    printed: Option<String>,
    findings: &'a FindingsFile<'a>,
    /// The catalog is the one compiled in.
    is_public: bool,
    /// Who is to be named for the data, under which licence, a line each.
    credits: &'a [String],
}

struct SectionView<'a> {
    section: &'a Section,
    tables: Vec<TableView<'a>>,
    figures: Vec<FigureView<'a>>,
    /// First parts of the ids of its findings.
    prefixes: BTreeSet<&'a str>,
}

struct TableView<'a> {
    table: &'a Table,
    rows: Vec<Vec<CellView>>,
}

struct CellView {
    text: String,
    is_number: bool,
    /// A sentence, which may break into lines.
    is_long: bool,
}

struct FigureView<'a> {
    id: &'a str,
    caption: &'a str,
    svg: &'a str,
}

/// One published number beside ours.
struct LedgerRow {
    id: String,
    work: String,
    theirs: String,
    tolerance: String,
    their_n: String,
    ours: String,
    our_n: String,
    verdict: &'static str,
}

/// The section whose figure stands first.
const ANSWER: &str = "answer";

/// The whole page; `drawn` holds each figure's id and SVG.
pub(super) fn html(study: &Study, findings: &FindingsFile<'_>, drawn: &[(String, String)]) -> Result<String> {
    let ledger: Vec<LedgerRow> = findings
        .answer
        .findings
        .iter()
        .filter_map(|finding| ledger_row(finding))
        .collect();
    let all = || findings.answer.findings.iter().copied();
    let mut sections: Vec<SectionView<'_>> = study
        .sections
        .iter()
        .map(|section| view(section, drawn))
        .collect();
    let first = sections
        .iter_mut()
        .find(|view| view.section.id == ANSWER)
        .and_then(|view| view.figures.pop());
    let page = Page {
        headlines: &study.headlines,
        first,
        sections,
        ledger,
        title: study.about.title(),
        lead: study.about.lead(
            findings.answer.findings.len(),
            &findings.provenance.command,
            &findings.provenance.catalog_sha256,
        ),
        counted: Tally::claims(all()).in_words(),
        printed: Tally::printed(all()).printed_in_words(),
        is_public: is_compiled_in(&findings.provenance.catalog_sha256),
        credits: study.about.credits(),
        findings,
    };
    Ok(page.render()?)
}

fn view<'a>(section: &'a Section, drawn: &'a [(String, String)]) -> SectionView<'a> {
    let figures = section.figures.iter().filter_map(|figure| {
        let (_, svg) = drawn.iter().find(|(id, _)| *id == figure.id)?;
        // Inside a page an SVG needs no XML declaration.
        let start = svg.find("<svg").unwrap_or(0);
        Some(FigureView {
            id: &figure.id,
            caption: &figure.caption,
            svg: &svg[start..],
        })
    });
    let tables = section
        .tables
        .iter()
        .filter(|table| table.shown)
        .map(|table| TableView {
            table,
            rows: table
                .rows
                .iter()
                .map(|row| row.iter().map(cell).collect())
                .collect(),
        });
    SectionView {
        section,
        figures: figures.collect(),
        tables: tables.collect(),
        prefixes: section
            .findings
            .iter()
            .filter_map(|finding| finding.id.split('.').next())
            .collect(),
    }
}

fn cell(cell: &Cell) -> CellView {
    let text = output::cell(cell);
    CellView {
        is_number: !matches!(cell, Cell::Text(_)),
        is_long: text.chars().count() > 40,
        text,
    }
}

fn ledger_row(finding: &Finding) -> Option<LedgerRow> {
    let published = finding.published.as_ref().filter(|_| !is_claim(&finding.id))?;
    Some(LedgerRow {
        id: finding.id.clone(),
        work: format!("{}, {}", published.work, published.place),
        theirs: output::number(published.value),
        tolerance: output::number(published.tolerance),
        their_n: published.n.map(|n| output::number(n as f64)).unwrap_or_default(),
        ours: finding.value.map_or_else(|| "–".into(), output::number),
        our_n: output::number(finding.n as f64),
        verdict: finding.verdict.map(Verdict::words).unwrap_or_default(),
    })
}
