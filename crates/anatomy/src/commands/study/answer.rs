//! Sections as answers: tables or findings to standard output, and with `--out` a folder like the report's.

use std::path::Path;

use anyhow::{Context, Result};
use study::section::Section;

use crate::cli::{Format, Global};
use crate::output;
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::report::{self, Files, Study};

/// Prints the shown tables (or all findings, or the tables as CSV) and writes the folder where one is asked for.
pub(super) fn give(
    global: &Global,
    sections: Vec<Section>,
    catalog_hash: &str,
    out: Option<&Path>,
) -> Result<()> {
    let study = Study {
        sections,
        headlines: Vec::new(),
    };
    let file = FindingsFile {
        schema_version: SCHEMA_VERSION,
        provenance: Provenance::of(catalog_hash, global.seed),
        findings: study
            .sections
            .iter()
            .flat_map(|section| &section.findings)
            .collect(),
    };
    if let Some(folder) = out {
        let files = Files::begin(folder)?;
        report::write(&files, &study, &file)?;
        files.finish()?;
        output::say(global.quiet, &format!("Written: {}", folder.display()));
    }
    let tables = study.sections.iter().flat_map(|section| &section.tables);
    let shown = tables.filter(|table| table.shown);
    match global.format() {
        Format::Json => output::result(&file.to_json()?),
        Format::Csv => {
            let texts: Vec<String> = shown
                .map(|table| String::from_utf8(output::csv(table)?).context("a table as CSV is UTF-8"))
                .collect::<Result<_>>()?;
            output::result(&texts.join("\n"))
        }
        Format::Table => {
            for section in &study.sections {
                for table in section.tables.iter().filter(|table| table.shown) {
                    output::result(&output::table(table))?;
                }
                for words in &section.text {
                    output::result(&format!("{words}\n"))?;
                }
            }
            Ok(())
        }
    }
}
