//! View models of sections, figures and tables for the page's template.

use std::collections::BTreeSet;

use study::section::{Cell, Section, Table};

use super::super::glossary::{escaped, linked};
use super::super::told;
use super::{ANSWER, CLAIMS};
use crate::output;

/// Number of table rows shown before the rest is collapsed.
const ROWS: usize = 10;

pub(super) struct SectionView<'a> {
    pub(super) section: &'a Section,
    /// The result in a few words.
    pub(super) line: String,
    /// The main finding as HTML with linked terms; likewise `more`, `sure` and `method`.
    pub(super) finding: String,
    pub(super) more: Vec<String>,
    pub(super) sure: Vec<String>,
    pub(super) method: Vec<String>,
    /// The figure that shows the finding; the others are collapsed.
    pub(super) main: Option<FigureView<'a>>,
    pub(super) figures: Vec<FigureView<'a>>,
    pub(super) tables: Vec<TableView<'a>>,
    /// Whether its figure is the matrix at the top of the page.
    pub(super) is_at_top: bool,
    /// It is drawn as a ledger.
    pub(super) is_ledger: bool,
    /// Ids of the terms linked in the section.
    pub(super) words: Vec<&'static str>,
    /// First components of the ids of its findings.
    pub(super) prefixes: BTreeSet<&'a str>,
}

pub(super) struct FigureView<'a> {
    pub(super) id: &'a str,
    pub(super) title: &'a str,
    pub(super) caption: String,
    pub(super) svg: &'a str,
}

pub(super) struct TableView<'a> {
    pub(super) table: &'a Table,
    /// The first sentence of the caption; `caption` is the rest.
    pub(super) summary: &'a str,
    pub(super) caption: &'a str,
    pub(super) heads: Vec<CellView>,
    pub(super) first: Vec<Vec<CellView>>,
    pub(super) rest: Vec<Vec<CellView>>,
    pub(super) is_open: bool,
}

impl TableView<'_> {
    pub(super) fn n(&self) -> usize {
        self.first.len() + self.rest.len()
    }
}

pub(super) struct CellView {
    pub(super) text: String,
    pub(super) is_number: bool,
    /// Whether the text is long and may wrap.
    pub(super) is_long: bool,
}

impl<'a> SectionView<'a> {
    pub(super) fn of(section: &'a Section, drawn: &'a [(String, String)], is_open: bool) -> Self {
        let told = told::told(section);
        let mut seen = Vec::new();
        let mut link = |paragraphs: &[String]| -> Vec<String> {
            paragraphs.iter().map(|text| linked(text, &mut seen)).collect()
        };
        let finding = link(&[told.finding]).concat();
        let (more, sure, method) = (link(&told.more), link(&told.sure), link(&told.method));
        let mut figures: Vec<FigureView<'a>> = section
            .figures
            .iter()
            .filter_map(|figure| {
                let (_, svg) = drawn.iter().find(|(id, _)| *id == figure.id)?;
                // An SVG embedded in HTML needs no XML declaration.
                let start = svg.find("<svg").unwrap_or(0);
                Some(FigureView {
                    id: &figure.id,
                    title: &figure.title,
                    caption: escaped(&figure.caption),
                    svg: &svg[start..],
                })
            })
            .collect();
        let is_at_top = section.id == ANSWER;
        let main = if figures.is_empty() || is_at_top {
            None
        } else {
            Some(figures.remove(0))
        };
        let is_ledger = section.id == CLAIMS;
        let tables = section
            .tables
            .iter()
            .filter(|table| table.shown && !(is_ledger && table.id == "claims-in-short"))
            .map(|table| table_view(table, is_open));
        Self {
            section,
            line: told::line(section),
            finding,
            more,
            sure,
            method,
            main,
            figures,
            tables: tables.collect(),
            is_at_top,
            is_ledger,
            words: seen,
            prefixes: section
                .findings
                .iter()
                .filter_map(|finding| finding.id.split('.').next())
                .collect(),
        }
    }
}

fn table_view(table: &Table, is_open: bool) -> TableView<'_> {
    let (summary, caption) = crate::aligned::first_sentence(&table.caption);
    let is_words = |column: usize| {
        table
            .rows
            .iter()
            .any(|row| matches!(row.get(column), Some(Cell::Text(_))))
    };
    let words: Vec<bool> = (0..table.columns.len()).map(is_words).collect();
    let cells = |row: &Vec<Cell>| {
        row.iter()
            .zip(&words)
            .map(|(cell, is_words)| {
                let text = output::cell(cell);
                CellView {
                    is_number: !is_words,
                    is_long: text.chars().count() > 40,
                    text,
                }
            })
            .collect()
    };
    // One or two remaining rows are shown rather than collapsed.
    let shown = if table.rows.len() <= ROWS + 2 {
        table.rows.len()
    } else {
        ROWS
    };
    TableView {
        table,
        summary,
        caption,
        heads: table
            .columns
            .iter()
            .zip(&words)
            .map(|(name, is_words)| CellView {
                text: name.clone(),
                is_number: !is_words,
                is_long: false,
            })
            .collect(),
        first: table.rows[..shown].iter().map(cells).collect(),
        rest: table.rows[shown..].iter().map(cells).collect(),
        is_open,
    }
}
