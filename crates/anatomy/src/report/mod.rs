//! The report: computes the study's sections and writes them as files.

mod about;
pub(crate) mod changes;
mod figures;
mod files;
pub(crate) mod first;
mod glossary;
mod headlines;
mod joined;
mod page;
mod parts;
pub(crate) mod probes;
mod rests_on;
pub(crate) mod told;

use anyhow::Result;
use study::section::Section;

pub(crate) use about::{About, Facts};
pub(crate) use files::{Files, write_whole};
pub(crate) use headlines::headlines;
pub(crate) use parts::{Context, PartChoice, add_ledger, is_section, part_of};
pub(crate) use study::claims::verdict_name;

use crate::provenance::FindingsFile;
use crate::{draw, narrow, output};

/// All sections, with the headline sentences.
pub(crate) struct Study {
    pub(crate) sections: Vec<Section>,
    pub(crate) headlines: Vec<String>,
    pub(crate) about: About,
}

/// Computes the chosen sections on a catalog; `condition` is the SQL condition by which its rows were selected.
pub(crate) fn study(context: &Context<'_>, choice: &PartChoice, condition: Option<&str>) -> Result<Study> {
    let mut sections = parts::sections(context, choice)?;
    // Before the headlines, so that none compares selected rows with numbers published for all rows.
    if let Some(condition) = condition {
        narrow::say(&mut sections, condition);
    }
    figures::add(&mut sections);
    let headlines = headlines::headlines(&sections);
    Ok(Study {
        sections,
        headlines,
        about: About::study(condition)
            .with_credits(catalog::credits::foot(&context.catalog.manifest))
            .with_facts(Facts::of(context.catalog)),
    })
}

/// Writes all files of the report: figures, tables, `findings.json` and `report.html`.
pub(crate) fn write(
    files: &Files,
    study: &Study,
    findings: &FindingsFile<'_>,
    forms: &[draw::Form],
) -> Result<()> {
    let mut drawn = Vec::new();
    for figure in study.sections.iter().flat_map(|section| &section.figures) {
        let svg = draw::svg(figure);
        files.write(&format!("figures/{}.svg", figure.id), svg.as_bytes())?;
        for form in forms.iter().filter(|form| **form != draw::Form::Svg) {
            let name = format!("figures/{}.{}", figure.id, form.extension());
            files.write(&name, &form.of_svg(&svg)?)?;
        }
        drawn.push((figure.id.clone(), svg));
    }
    for table in study.sections.iter().flat_map(|section| &section.tables) {
        files.write(&format!("tables/{}.csv", table.id), &output::csv(table)?)?;
    }
    files.write("findings.json", findings.to_json()?.as_bytes())?;
    files.write("report.html", page::html(study, findings, &drawn)?.as_bytes())
}
