//! `anatomy report`: the whole study, written where a browser and a spreadsheet find it.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, ValueEnum};
use study::finding::Finding;

use super::study_rows::StudyRows;
use crate::draw::Form;
use crate::global::{Format, Global};
use crate::output;
use crate::probes::Probes;
use crate::provenance::FindingsFile;
use crate::report::{self, Files, PartChoice, changes};

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  anatomy report
  anatomy report --out /tmp/study --seed 7
  anatomy report --catalog my-catalog --format json > findings.json
  anatomy report --only scale,claims
  anatomy report --only scale --figures png,pdf
  anatomy report --where \"official_provider\" --out official
  anatomy report --compare last-month/findings.json
  anatomy report --only scale --probe probes
  anatomy report --verify          are the findings those that were kept when the tables were made?

Exit status: 0 done, 1 with --verify: a finding differs, 2 could not run")]
pub(crate) struct ReportArgs {
    /// Folder to write the report to
    #[arg(long, default_value = "anatomy-report", value_name = "DIR")]
    pub(crate) out: PathBuf,
    #[command(flatten)]
    pub(crate) rows: StudyRows,
    /// Only these sections or parts, separated by commas; `claims` is judged on all of them, which are computed though not shown
    #[arg(long, value_name = "NAMES")]
    only: Option<String>,
    /// Figure formats, separated by commas; SVG is always written
    #[arg(
        long,
        value_name = "FORMS",
        value_enum,
        value_delimiter = ',',
        default_value = "svg"
    )]
    figures: Vec<Form>,
    /// findings.json of an earlier report: show what changed since
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Folder with results of `anatomy probe … --format json`, one file each: adds sections on what is inside checkpoints
    #[arg(long, value_name = "DIR")]
    probe: Option<PathBuf>,
    /// Write nothing: compute every finding anew and compare with those that are kept beside the catalog
    #[arg(long, conflicts_with_all = ["only", "compare", "probe", "filter"])]
    verify: bool,
}

pub(crate) fn run(global: &Global, args: &ReportArgs) -> Result<ExitCode> {
    if args.verify {
        return super::verify::run(global, &args.rows);
    }
    let choice = args
        .only
        .as_deref()
        .map_or_else(|| Ok(PartChoice::all()), PartChoice::of)?;
    if let Some(note) = choice.beside_the_ledger() {
        output::say(global.quiet, &format!("note: {note}"));
    }
    let earlier = args.compare.as_deref().map(changes::read).transpose()?;
    let probes = args.probe.as_deref().map(Probes::read).transpose()?;
    // The folder is tried first: a bad path fails before the work, not after it.
    let files = Files::begin(&args.out)?;
    let (mut study, catalog_hash, bar) = args.rows.study(global, &choice, probes.as_ref(), None)?;
    if let (Some(earlier), Some(path)) = (&earlier, &args.compare) {
        let now = study.sections.iter().flat_map(|section| &section.findings);
        let section = changes::section(&path.display().to_string(), earlier, args.rows.condition(), now);
        study.sections.insert(0, section);
    }
    if let Some(probes) = &probes {
        study.sections.extend(report::probes::sections(probes));
    }
    bar.set_message("drawing");
    let findings = FindingsFile::findings(
        study.sections.iter().flat_map(|section| &section.findings),
        study.about.provenance(&catalog_hash, global.seed),
    );
    report::write(&files, &study, &findings, &args.figures)?;
    files.finish()?;
    bar.finish_and_clear();

    match global.format() {
        Format::Json => output::result(&findings.to_json()?)?,
        Format::Csv => output::result(&findings_csv(&findings.answer.findings)?)?,
        Format::Table => output::result(&summary(args, &study, &findings)?)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn summary(args: &ReportArgs, study: &report::Study, findings: &FindingsFile<'_>) -> Result<String> {
    let mut text = String::new();
    if let Some(condition) = study.about.condition() {
        writeln!(text, "Only rows where {condition}.")?;
    }
    if !study.headlines.is_empty() {
        writeln!(
            text,
            "The most important findings (seed {}):",
            findings.provenance.seed.unwrap_or_default()
        )?;
    }
    for (place, headline) in study.headlines.iter().enumerate() {
        writeln!(text, "  {}. {headline}", place + 1)?;
    }
    if let Some(section) = study.sections.iter().find(|section| section.id == changes::ID) {
        writeln!(text)?;
        for words in &section.text {
            writeln!(text, "{words}")?;
        }
        for table in section.tables.iter().filter(|table| table.shown) {
            text.push_str(&output::table(table));
        }
    }
    let figures: usize = study.sections.iter().map(|section| section.figures.len()).sum();
    let tables: usize = study.sections.iter().map(|section| section.tables.len()).sum();
    let out = args.out.display();
    writeln!(text)?;
    writeln!(text, "Written:")?;
    writeln!(text, "  {out}/report.html     open it in a browser")?;
    writeln!(
        text,
        "  {out}/findings.json   {}",
        output::plural(findings.answer.findings.len(), "finding")
    )?;
    let forms: Vec<String> = Form::value_variants()
        .iter()
        .filter(|form| **form == Form::Svg || args.figures.contains(form))
        .map(|form| form.extension().to_uppercase())
        .collect();
    let forms = forms.join(", ");
    writeln!(
        text,
        "  {out}/figures/        {} ({forms})",
        output::plural(figures, "figure")
    )?;
    writeln!(
        text,
        "  {out}/tables/         {} (CSV)",
        output::plural(tables, "table")
    )?;
    writeln!(
        text,
        "Findings: sha256 {}",
        crate::kept::hash(findings.answer.findings.iter().copied())?
    )?;
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
