//! Reads one source of any format, turns it into facts and passes these to a sink.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read};

use crate::config::json;
use crate::discover::{ResultsKind, SourceFile, SourceKind, ends_in, json_file};
use crate::error::Error;
use crate::hash;
use crate::identity::Identities;
use crate::observed::{Fact, Out};
use crate::sources::leaderboard_v2::Survey;
use crate::sources::table::Table;
use crate::sources::{
    BOARDS, Reads, architectures, bases, community_evals, config_files, epoch_models, every_eval_ever,
    gemstones, harness, hub_configs, hub_leaderboard, hub_listing, hub_models, inspect, interventions,
    leaderboard_v1, leaderboard_v2, listings, llm_perf, model_info, opencompass, samples, scaling,
    structures, task_tables,
};
use crate::tables::Source;

/// Longest line of a listing in bytes; a longer one is truncated and so refused.
const LONGEST_LINE: u64 = 64 << 20;
/// Largest file of results in bytes: logs with all their samples have hundreds of megabytes.
const LONGEST_RESULTS: u64 = 2 << 30;

/// For each table of leaderboard v2, what must be known before it is read.
pub(crate) type Surveys = BTreeMap<String, Survey>;

/// Finds out what must be known of the tables of leaderboard v2 before any is read: their dialect, and which is the
/// newest.
pub(crate) fn survey(found: &[SourceFile]) -> Result<Surveys, Error> {
    let mut surveys = BTreeMap::new();
    for source in found
        .iter()
        .filter(|source| source.kind == SourceKind::LeaderboardV2)
    {
        let mut table = Table::open(&source.path, &source.file)?;
        surveys.insert(source.file.clone(), leaderboard_v2::survey(&mut table)?);
    }
    let newest = surveys
        .iter()
        .max_by_key(|(file, survey)| (survey.last, survey.rows, std::cmp::Reverse((*file).clone())));
    let newest = newest.map(|(file, _)| file.clone());
    for (file, survey) in &mut surveys {
        survey.superseded = Some(file) != newest.as_ref();
    }
    Ok(surveys)
}

/// What a reader must know in addition to its file.
pub(crate) struct Context<'a> {
    pub(crate) surveys: &'a Surveys,
    /// First digits of the source's SHA-256, for column `snapshot` of the scores.
    pub(crate) snapshot: &'a str,
    /// Version of the source, for column `version` of the scores.
    pub(crate) version: &'a str,
    /// Whether other sources name a checkpoint; used only by listings.
    pub(crate) known: &'a dyn Fn(&str) -> bool,
    /// The checkpoints to which boards' names are matched; used only by sources that join.
    pub(crate) identities: &'a Identities,
}

/// Reads one source and passes its facts to `sink`; returns its row counts and hash.
pub(crate) fn read(
    found: &SourceFile,
    context: &Context<'_>,
    sink: &mut dyn FnMut(Fact) -> Result<(), Error>,
) -> Result<Source, Error> {
    let mut out = Out::new(&found.file, sink);
    let counted = match found.kind {
        SourceKind::HubApi if ends_in(&found.file, &["jsonl"]) => whole(found, lines(found, &mut out)?)?,
        SourceKind::Results(kind) => {
            // One broken file in a folder of results is recorded as a reject and does not end the build.
            let rows = match results(kind, found, context, &mut out) {
                Err(error @ (Error::Json { .. } | Error::Empty { .. } | Error::Shape { .. })) => {
                    unreadable(&error, &mut out)?
                }
                read => read?,
            };
            whole(found, rows)?
        }
        SourceKind::Unreadable => {
            let tried = json_file(&found.path, &found.file).map(|_| ());
            let rows = tried.map_or_else(|error| unreadable(&error, &mut out), |()| Ok(0))?;
            whole(found, rows)?
        }
        SourceKind::Board(at) => board(at, found, context, &mut out)?,
        SourceKind::Samples => whole(found, samples::read(&found.path, &found.file, &mut out)?)?,
        SourceKind::ConfigFile | SourceKind::HubConfigs | SourceKind::HubModels | SourceKind::HubApi => {
            let bytes = fs::read(&found.path).map_err(Error::io(&found.path))?;
            let value = match json::parse(&bytes, &found.file) {
                Err(Error::Json { .. } | Error::Empty { .. }) if found.kind == SourceKind::ConfigFile => {
                    let rows = config_files::read_broken(&bytes, &found.file, &mut out)?;
                    return Ok(source(found, whole(found, rows)?, out));
                }
                read => read?,
            };
            drop(bytes);
            let rows = match found.kind {
                SourceKind::ConfigFile => config_files::read(&value, &found.file, &mut out)?,
                SourceKind::HubConfigs => hub_configs::read(&value, &mut out)?,
                SourceKind::HubApi => hub_listing::read(&value, 0, &mut out)?,
                _ => hub_models::read(&value, &mut out)?,
            };
            whole(found, rows)?
        }
        kind => {
            let mut table = Table::open(&found.path, &found.file)?;
            read_table(kind, &mut table, context, &mut out)?;
            counted(table)?
        }
    };
    Ok(source(found, counted, out))
}

/// Reads a file of a board into `out`; returns the number of rows, the SHA-256 and the size in bytes.
fn board(
    at: usize,
    found: &SourceFile,
    context: &Context<'_>,
    out: &mut Out<'_>,
) -> Result<(u64, String, u64), Error> {
    let state = (context.snapshot, context.version);
    match BOARDS[at].reads {
        Reads::Table(_, read) => {
            let mut table = Table::open(&found.path, &found.file)?;
            read(&mut table, state, context.identities, out)?;
            counted(table)
        }
        Reads::Yaml(_, read) => {
            let bytes = fs::read(&found.path).map_err(Error::io(&found.path))?;
            let rows = read(&bytes, &found.file, state, context.identities, out)?;
            whole(found, rows)
        }
    }
}

/// Number of rows, SHA-256 and size in bytes of a table that was read to its end.
fn counted(table: Table) -> Result<(u64, String, u64), Error> {
    let rows = table.rows;
    let (sha256, bytes) = table.finish()?;
    Ok((rows, sha256, bytes))
}

/// Reads a harness's file of results into `out`; returns the number of rows.
fn results(
    kind: ResultsKind,
    found: &SourceFile,
    context: &Context<'_>,
    out: &mut Out<'_>,
) -> Result<u64, Error> {
    let Context {
        snapshot, version, ..
    } = context;
    let file = found.file.as_str();
    let length = fs::metadata(&found.path).map_err(Error::io(&found.path))?.len();
    if length > LONGEST_RESULTS {
        return Err(Error::Shape {
            file: file.to_owned(),
            message: format!("{length} bytes, and a file of results has at most {LONGEST_RESULTS}"),
        });
    }
    if kind == ResultsKind::Inspect && ends_in(file, &["eval"]) {
        return inspect::read(&inspect::header(&found.path, file)?, file, snapshot, version, out);
    }
    let bytes = fs::read(&found.path).map_err(Error::io(&found.path))?;
    // The bytes are freed once they are parsed.
    let value = |bytes: Vec<u8>| json::parse(&bytes, file);
    match kind {
        ResultsKind::CommunityEvals => community_evals::read(&bytes, file, snapshot, out),
        ResultsKind::OpenCompass => {
            opencompass::read(&bytes, file, (snapshot, version), context.identities, out)
        }
        ResultsKind::EveryEvalEver => every_eval_ever::read(&value(bytes)?, file, snapshot, version, out),
        ResultsKind::Inspect => inspect::read(&value(bytes)?, file, snapshot, version, out),
        ResultsKind::HubLeaderboard => hub_leaderboard::read(&value(bytes)?, snapshot, version, out),
        ResultsKind::Harness => harness::read(&value(bytes)?, file, snapshot, out),
    }
}

/// Records an unreadable file as one row left out, with the reason; returns the number of rows, 1.
fn unreadable(error: &Error, out: &mut Out<'_>) -> Result<u64, Error> {
    out.reject_row(0, "", &error.to_string(), "not_readable")?;
    Ok(1)
}

/// The manifest's entry for a source that was read, with its row counts.
fn source(found: &SourceFile, (rows_in, sha256, bytes): (u64, String, u64), out: Out<'_>) -> Source {
    Source {
        path: found.file.clone(),
        name: found.kind.name().to_owned(),
        sha256,
        bytes,
        rows_in,
        kept: out.kept,
        rejected: out.rejected,
        rejected_by_reason: out.by_reason,
        ..Source::default()
    }
}

/// Number of rows, SHA-256 and size in bytes of a file that was read in one piece.
fn whole(found: &SourceFile, rows: u64) -> Result<(u64, String, u64), Error> {
    let length = fs::metadata(&found.path).map_err(Error::io(&found.path))?.len();
    Ok((rows, hash::sha256_of(&found.path)?, length))
}

/// Reads a listing with one entry (or one page of entries) per line; returns the number of rows.
fn lines(found: &SourceFile, out: &mut Out<'_>) -> Result<u64, Error> {
    let mut reader = BufReader::new(fs::File::open(&found.path).map_err(Error::io(&found.path))?);
    let (mut row, mut line) = (0, Vec::new());
    loop {
        line.clear();
        if reader
            .by_ref()
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(Error::io(&found.path))?
            == 0
        {
            return Ok(row);
        }
        if !line.iter().all(u8::is_ascii_whitespace) {
            row += hub_listing::read(&json::parse(&line, &found.file)?, row, out)?;
        }
    }
}

fn read_table(
    kind: SourceKind,
    table: &mut Table,
    context: &Context<'_>,
    out: &mut Out<'_>,
) -> Result<(), Error> {
    let Context {
        surveys,
        snapshot,
        version,
        known,
        identities,
    } = context;
    match kind {
        SourceKind::Scaling => scaling::read(table, out),
        SourceKind::EpochModels => epoch_models::read(table, identities, out),
        SourceKind::Gemstones => gemstones::read(table, out),
        SourceKind::Interventions => interventions::read(table, out),
        SourceKind::LeaderboardV1 => leaderboard_v1::read(table, snapshot, version, out),
        SourceKind::LeaderboardV2 => {
            let survey = surveys.get(&table.file).copied().unwrap_or_default();
            leaderboard_v2::read(table, survey, snapshot, version, out)
        }
        SourceKind::Task(at) => match task_tables::SPECS.get(at) {
            Some(spec) => task_tables::read(spec, table, snapshot, version, out),
            None => Ok(()),
        },
        SourceKind::LlmPerf => llm_perf::read(table, snapshot, version, out),
        SourceKind::Structures => structures::read(table, out),
        SourceKind::Architectures => architectures::read(table, out),
        SourceKind::Bases => bases::read(table, out),
        SourceKind::Parameters => listings::read_parameters(table, out),
        SourceKind::Listing => listings::read_listing(table, known, out),
        SourceKind::ModelInfo => model_info::read(table, snapshot, version, out),
        SourceKind::ConfigFile
        | SourceKind::HubConfigs
        | SourceKind::HubModels
        | SourceKind::HubApi
        | SourceKind::Results(_)
        | SourceKind::Unreadable
        | SourceKind::Board(_)
        | SourceKind::Samples => Ok(()),
    }
}
