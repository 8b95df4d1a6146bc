//! Outputs sections: tables or findings to standard output, and with `--out` a folder like the report's.

use std::path::Path;

use anyhow::Result;
use study::section::Section;

use crate::global::{Format, Global};
use crate::provenance::FindingsFile;
use crate::report::{self, About, Files, Study};
use crate::{narrow, output};

/// Prints the shown tables (or all findings as JSON, or one table as CSV), and writes the folder `out` where given.
pub(super) fn give(global: &Global, study: &Study, catalog_hash: &str, out: Option<&Path>) -> Result<()> {
    let file = findings(global, study, catalog_hash);
    if let Some(folder) = out {
        write_folder(global, study, &file, folder)?;
    }
    let tables = study.sections.iter().flat_map(|section| &section.tables);
    let shown = tables.filter(|table| table.shown);
    match global.format() {
        Format::Json => output::result(&file.to_json()?),
        Format::Csv => {
            let table = output::one_of(&shown.collect::<Vec<_>>(), global.table.as_deref())?;
            output::result_bytes(&output::csv(table)?)
        }
        Format::Table => {
            for section in &study.sections {
                for table in section.tables.iter().filter(|table| table.shown) {
                    output::result(&output::titled(table))?;
                }
                for words in &section.text {
                    output::result(&format!("{words}\n"))?;
                }
            }
            Ok(())
        }
    }
}

/// A study that answers one question. Only captions get the condition on the rows: the findings state it already.
pub(super) fn study(mut sections: Vec<Section>, about: About) -> Study {
    if let Some(condition) = about.condition() {
        narrow::say_captions(&mut sections, condition);
    }
    Study {
        sections,
        headlines: Vec::new(),
        about,
    }
}

/// The findings file, as JSON.
pub(super) fn json(global: &Global, study: &Study, catalog_hash: &str) -> Result<String> {
    findings(global, study, catalog_hash).to_json()
}

/// Writes the folder and prints nothing else.
pub(super) fn write(global: &Global, study: &Study, catalog_hash: &str, folder: &Path) -> Result<()> {
    write_folder(global, study, &findings(global, study, catalog_hash), folder)
}

fn findings<'a>(global: &Global, study: &'a Study, catalog_hash: &str) -> FindingsFile<'a> {
    FindingsFile::findings(
        study.sections.iter().flat_map(|section| &section.findings),
        study.about.provenance(catalog_hash, global.seed),
    )
}

fn write_folder(global: &Global, study: &Study, file: &FindingsFile<'_>, folder: &Path) -> Result<()> {
    let files = Files::begin(folder)?;
    report::write(&files, study, file, &[])?;
    files.finish()?;
    output::say(global.quiet, &format!("Written: {}", folder.display()));
    Ok(())
}
