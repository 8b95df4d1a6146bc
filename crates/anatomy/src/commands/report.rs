//! `anatomy report`: the whole study, written where a browser and a spreadsheet find it.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use study::finding::Finding;

use crate::cli::{Format, Global};
use crate::provenance::{FindingsFile, Provenance, SCHEMA_VERSION};
use crate::report::{self, Files};
use crate::{output, progress};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy report
  anatomy report --out /tmp/study --seed 7
  anatomy report --catalog my-catalog --format json > findings.json

Exit status: 0 done, 2 could not run")]
pub(crate) struct ReportArgs {
    /// Folder the report goes to
    #[arg(long, default_value = "anatomy-report", value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Catalog made by `anatomy catalog build` [default: the one compiled in]
    #[arg(long, value_name = "DIR")]
    pub(crate) catalog: Option<PathBuf>,
    /// Resamples of each bootstrap interval
    #[arg(long, default_value_t = 1000, value_name = "NUM", value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) resamples: u32,
}

pub(crate) fn run(global: &Global, args: &ReportArgs) -> Result<ExitCode> {
    // The folder is tried first: a bad path fails before the work, not after it.
    let files = Files::begin(&args.out)?;
    let catalog = super::open_catalog(args.catalog.as_deref())?;
    let bar = progress::bar(global.quiet, report::STEPS, "reading the catalog");
    let study = report::study(&catalog, args.resamples as usize, global.seed, &bar)?;
    bar.set_message("drawing");
    let findings = FindingsFile {
        schema_version: SCHEMA_VERSION,
        provenance: Provenance::of(&catalog.manifest.catalog_sha256, global.seed),
        findings: study
            .sections
            .iter()
            .flat_map(|section| &section.findings)
            .collect(),
    };
    report::write(&files, &study, &findings)?;
    files.finish()?;
    bar.finish_and_clear();

    match global.format() {
        Format::Json => output::result(&findings.to_json()?)?,
        Format::Csv => output::result(&findings_csv(&findings.findings)?)?,
        Format::Table => output::result(&summary(args, &study, &findings)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(args: &ReportArgs, study: &report::Study, findings: &FindingsFile<'_>) -> Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "The five most important findings (seed {}):",
        findings.provenance.seed
    )?;
    for (place, headline) in study.headlines.iter().enumerate() {
        writeln!(text, "  {}. {headline}", place + 1)?;
    }
    let figures: usize = study.sections.iter().map(|section| section.figures.len()).sum();
    let tables: usize = study.sections.iter().map(|section| section.tables.len()).sum();
    let out = args.out.display();
    writeln!(text)?;
    writeln!(text, "Written:")?;
    writeln!(text, "  {out}/report.html     open it in a browser")?;
    writeln!(
        text,
        "  {out}/findings.json   {} findings",
        findings.findings.len()
    )?;
    writeln!(text, "  {out}/figures/        {figures} figures (SVG)")?;
    writeln!(text, "  {out}/tables/         {tables} tables (CSV)")?;
    Ok(text)
}

/// The findings as one flat table.
fn findings_csv(findings: &[&Finding]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "id",
        "value",
        "unit",
        "low",
        "high",
        "level",
        "n",
        "method",
        "protocol",
        "seed",
        "published",
        "tolerance",
        "verdict",
        "work",
        "place",
    ])?;
    let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
    for finding in findings {
        let interval = finding.interval.as_ref();
        let published = finding.published.as_ref();
        writer.write_record([
            finding.id.clone(),
            number(finding.value),
            finding.unit.clone(),
            number(interval.map(|interval| interval.low)),
            number(interval.map(|interval| interval.high)),
            number(interval.map(|interval| interval.level)),
            finding.n.to_string(),
            finding.method.clone(),
            finding.protocol.clone(),
            finding.seed.map(|seed| seed.to_string()).unwrap_or_default(),
            number(published.map(|published| published.value)),
            number(published.map(|published| published.tolerance)),
            finding
                .verdict
                .map(report::verdict_name)
                .unwrap_or_default()
                .to_string(),
            finding.source.work.clone(),
            finding.source.place.clone(),
        ])?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}
