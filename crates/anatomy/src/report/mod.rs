//! The report: the study's sections, and the files they become.

mod files;
mod headlines;
mod page;

use anyhow::Result;
use catalog::Catalog;
use indicatif::ProgressBar;
use study::board::Board;
use study::correlations::{self, Correlations};
use study::dimensions::{self, Dimensions, six_dimensions};
use study::finding::Verdict;
use study::leaderboard_v1::{self, LeaderboardV1};
use study::section::Section;
use study::statistics::GroupBootstrap;
use study::trends::{self, Trends};

pub(crate) use files::{Files, write_whole};

use crate::provenance::FindingsFile;
use crate::{draw, output, rows};

/// Steps of the progress bar: the catalog, the dataset, trends, six dimensions, correlations, and the fits of leaderboard
/// v1.
pub(crate) const STEPS: u64 = 23;

/// All sections, and the sentences that come first.
pub(crate) struct Study {
    pub(crate) sections: Vec<Section>,
    pub(crate) headlines: Vec<String>,
}

/// Runs the whole study on a catalog.
pub(crate) fn study(catalog: &Catalog, resamples: usize, seed: u64, bar: &ProgressBar) -> Result<Study> {
    let shapes = rows::Shapes::of(catalog);
    bar.inc(1);
    bar.set_message("dataset");
    let v2 = rows::leaderboard_v2(catalog, &shapes);
    let (v1, n_repeats) = rows::leaderboard_v1(catalog, &shapes);
    let checkpoints = rows::checkpoints(catalog, &shapes);
    let boards = [Board::v1(&v1, n_repeats), Board::v2(&v2)];
    let bootstrap = GroupBootstrap { resamples, seed };
    let mut dataset = rows::dataset_section(catalog);
    // The rows that all other sections are computed from: whoever has these tables can check them.
    dataset.tables.push(dimensions::rows_table(&v2));
    dataset.tables.extend(boards.iter().map(Board::table));
    dataset.tables.push(trends::rows_table(&checkpoints));
    let mut sections = vec![dataset];
    bar.inc(1);
    bar.set_message("trends");
    sections.extend(trends::sections(&Trends {
        checkpoints: &checkpoints,
        boards: &boards,
        bootstrap,
    }));
    bar.inc(1);
    bar.set_message("six dimensions");
    sections.extend(six_dimensions(&Dimensions {
        rows: &v2,
        resamples,
        seed,
    }));
    bar.inc(1);
    bar.set_message("correlations");
    sections.push(correlations::section(&Correlations {
        boards: &boards,
        bootstrap,
    }));
    bar.inc(1);
    bar.set_message("structure to score");
    let study = LeaderboardV1 {
        rows: &v1,
        n_repeats,
        resamples,
        seed,
    };
    sections.extend(leaderboard_v1::sections(&study, &|_, _| bar.inc(1))?);
    let headlines = headlines::headlines(&sections);
    Ok(Study { sections, headlines })
}

/// Writes every file of the report.
pub(crate) fn write(files: &Files, study: &Study, findings: &FindingsFile<'_>) -> Result<()> {
    let mut drawn = Vec::new();
    for figure in study.sections.iter().flat_map(|section| &section.figures) {
        let svg = draw::svg(figure);
        files.write(&format!("figures/{}.svg", figure.id), svg.as_bytes())?;
        drawn.push((figure.id.clone(), svg));
    }
    for table in study.sections.iter().flat_map(|section| &section.tables) {
        files.write(&format!("tables/{}.csv", table.id), &output::csv(table)?)?;
    }
    files.write("findings.json", findings.to_json()?.as_bytes())?;
    files.write("report.html", page::html(study, findings, &drawn)?.as_bytes())
}

/// A verdict as it is written everywhere.
pub(crate) fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Reproduced => "reproduced",
        Verdict::Differs => "differs",
        Verdict::NotTestable => "not_testable",
    }
}
