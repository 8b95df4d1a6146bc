//! Finds the source files under a folder, recognised by their contents, and puts them in the order of trust.
//!
//! A kind that no file is recognised as would never be read; this is a compile error.
#![deny(dead_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::config::json;
use crate::error::Error;
use crate::gather::Role;
use crate::sources::table::Table;
use crate::sources::{
    BOARDS, Board, Reads, architectures, archive, bases, community_evals, config_files, epoch_models,
    every_eval_ever, gemstones, harness, hub_configs, hub_leaderboard, hub_listing, hub_models, inspect,
    interventions, leaderboard_v1, leaderboard_v2, listings, llm_perf, model_info, opencompass, samples,
    scaling, structures, task_tables,
};

/// Kinds of sources in the order in which they are read, most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SourceKind {
    ConfigFile,
    HubConfigs,
    HubModels,
    HubApi,
    Structures,
    Architectures,
    Bases,
    Parameters,
    LeaderboardV2,
    LeaderboardV1,
    /// An element of [`task_tables::SPECS`], by index.
    Task(usize),
    LlmPerf,
    ModelInfo,
    Results(ResultsKind),
    Samples,
    Scaling,
    /// An element of [`BOARDS`], by index.
    Board(usize),
    EpochModels,
    Gemstones,
    Interventions,
    Listing,
    /// Named like a file of results, but not JSON: a rejected row, rather than the end of a build.
    Unreadable,
}

/// Kinds of result files that users have on disk, each of one harness or its publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ResultsKind {
    Harness,
    EveryEvalEver,
    HubLeaderboard,
    Inspect,
    OpenCompass,
    CommunityEvals,
}

impl ResultsKind {
    fn name(self) -> &'static str {
        match self {
            Self::Harness => harness::NAME,
            Self::EveryEvalEver => every_eval_ever::NAME,
            Self::HubLeaderboard => hub_leaderboard::NAME,
            Self::Inspect => inspect::NAME,
            Self::OpenCompass => opencompass::NAME,
            Self::CommunityEvals => community_evals::NAME,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Harness => "lm-evaluation-harness or lighteval results",
            Self::EveryEvalEver => "Every Eval Ever record",
            Self::HubLeaderboard => hub_leaderboard::NAME,
            Self::Inspect => "Inspect log",
            Self::OpenCompass => "OpenCompass summary",
            Self::CommunityEvals => "Community Evals",
        }
    }
}

impl SourceKind {
    /// Name in the manifest.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ConfigFile => config_files::NAME,
            Self::Parameters => listings::PARAMETERS,
            Self::Listing => listings::LISTING,
            Self::HubApi => hub_listing::NAME,
            Self::ModelInfo => model_info::NAME,
            Self::Results(kind) => kind.name(),
            Self::Unreadable => "unreadable",
            Self::Samples => samples::NAME,
            Self::Scaling => scaling::NAME,
            Self::Board(at) => BOARDS.get(at).map_or("board", |board| board.name),
            Self::EpochModels => epoch_models::NAME,
            Self::Gemstones => gemstones::NAME,
            Self::Interventions => interventions::NAME,
            Self::Task(at) => task_tables::SPECS.get(at).map_or("task", |spec| spec.name),
            Self::LlmPerf => llm_perf::NAME,
            Self::HubConfigs => hub_configs::NAME,
            Self::HubModels => hub_models::NAME,
            Self::Structures => structures::NAME,
            Self::Architectures => architectures::NAME,
            Self::Bases => bases::NAME,
            Self::LeaderboardV2 => leaderboard_v2::NAME,
            Self::LeaderboardV1 => leaderboard_v1::NAME,
        }
    }

    /// Name of such files in messages to users.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Results(kind) => kind.title(),
            Self::ConfigFile => "config.json",
            other => other.name(),
        }
    }

    /// Whether its rows are evaluations of a leaderboard.
    pub(crate) fn is_leaderboard(self) -> bool {
        self.role() == Role::Leaderboard
    }

    /// Whether its rows are matched to checkpoints that other sources name, so that it must be read after these.
    pub(crate) fn joins(self) -> bool {
        matches!(
            self,
            Self::Board(_) | Self::EpochModels | Self::Results(ResultsKind::OpenCompass)
        )
    }

    /// The kind of facts that such a source gives about checkpoints.
    pub(crate) fn role(self) -> Role {
        match self {
            Self::ConfigFile | Self::HubConfigs | Self::HubModels | Self::Structures => Role::Structure,
            Self::LeaderboardV1
            | Self::LeaderboardV2
            | Self::Task(_)
            | Self::LlmPerf
            | Self::ModelInfo
            | Self::Results(_)
            | Self::Board(_) => Role::Leaderboard,
            Self::Architectures
            | Self::Bases
            | Self::Parameters
            | Self::Listing
            | Self::HubApi
            | Self::Scaling
            | Self::EpochModels
            | Self::Gemstones
            | Self::Interventions
            | Self::Samples
            | Self::Unreadable => Role::Other,
        }
    }
}

/// One file to read.
#[derive(Debug, Clone)]
pub(crate) struct SourceFile {
    pub(crate) path: PathBuf,
    /// Path under the sources folder, with `/`.
    pub(crate) file: String,
    pub(crate) kind: SourceKind,
}

/// A folder of sources (or one file), and the prefix of its files' names in the tables.
#[derive(Debug, Clone, Copy)]
pub struct Root<'a> {
    /// The folder or file.
    pub path: &'a Path,
    /// Empty, or a prefix that distinguishes its files from those of other roots: `hub` makes `hub/hub-listing.jsonl`.
    pub name: &'a str,
}

/// All sources under the roots, in the order of trust, then by name.
///
/// # Errors
/// [`Error::NoSources`] where there is none; the readers' errors where a recognised file cannot be read.
pub(crate) fn discover(roots: &[Root<'_>]) -> Result<Vec<SourceFile>, Error> {
    let mut found = Vec::new();
    for root in roots {
        under(root, &mut found)?;
    }
    if found.is_empty() {
        return Err(Error::NoSources {
            path: roots.first().map(|root| root.path.to_owned()).unwrap_or_default(),
        });
    }
    found.sort_by(|a, b| (a.kind, &a.file).cmp(&(b.kind, &b.file)));
    Ok(found)
}

fn under(root: &Root<'_>, found: &mut Vec<SourceFile>) -> Result<(), Error> {
    let folder = root.path;
    let mut files = Vec::new();
    walk(folder, &mut files)?;
    for path in files {
        let file = path
            .strip_prefix(folder)
            .unwrap_or(&path)
            .to_string_lossy()
            .replace('\\', "/");
        let file = if file.is_empty() {
            path.file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        } else {
            file
        };
        if let Some(kind) = kind(&path, &file)? {
            let file = if root.name.is_empty() {
                file
            } else {
                format!("{}/{file}", root.name)
            };
            found.push(SourceFile { path, file, kind });
        }
    }
    Ok(())
}

fn walk(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    if path.is_file() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(Error::io(path))? {
        entries.push(entry.map_err(Error::io(path))?.path());
    }
    entries.sort();
    entries.iter().try_for_each(|entry| walk(entry, files))
}

/// The kind of the file at `path`, by its name and contents; `None` where it is no source.
pub(crate) fn kind(path: &Path, file: &str) -> Result<Option<SourceKind>, Error> {
    let name = file.rsplit('/').next().unwrap_or(file).to_ascii_lowercase();
    if ends_in(&name, &["csv", "parquet"])
        || name.trim_end_matches(".gz").len() + 3 == name.len() && ends_in(&name[..name.len() - 3], &["csv"])
    {
        return csv_kind(path, file);
    }
    if ends_in(&name, &["jsonl"]) {
        return jsonl_kind(path, file);
    }
    if ends_in(&name, &["yaml", "yml"]) {
        return yaml_kind(path, file);
    }
    if ends_in(&name, &["json"]) {
        return json_kind(path, file);
    }
    if ends_in(&name, &["eval"]) {
        let start = start_of(path, archive::MAGIC.len() as u64)?;
        return Ok((start == archive::MAGIC).then_some(SourceKind::Results(ResultsKind::Inspect)));
    }
    if ends_in(&name, &["txt"]) {
        return Ok(opencompass::recognises(&start_of(path, 1 << 16)?)
            .then_some(SourceKind::Results(ResultsKind::OpenCompass)));
    }
    Ok(None)
}

/// The first `length` bytes of a file.
fn start_of(path: &Path, length: u64) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    let source = fs::File::open(path).map_err(Error::io(path))?;
    source
        .take(length)
        .read_to_end(&mut start)
        .map_err(Error::io(path))?;
    Ok(start)
}

/// Whether a file's name has one of these extensions.
pub(crate) fn ends_in(name: &str, extensions: &[&str]) -> bool {
    let own = Path::new(name).extension();
    own.is_some_and(|own| {
        extensions
            .iter()
            .any(|extension| own.eq_ignore_ascii_case(extension))
    })
}

/// A kind, and how its files are recognised.
type Told<T> = (SourceKind, fn(&T) -> bool);

fn csv_kind(path: &Path, file: &str) -> Result<Option<SourceKind>, Error> {
    if ends_in(file, &["csv"]) && opencompass::recognises(&start_of(path, 1 << 12)?) {
        return Ok(Some(SourceKind::Results(ResultsKind::OpenCompass)));
    }
    let table = Table::open(path, file)?;
    let is_board = |board: &Board| matches!(board.reads, Reads::Table(recognises, _) if recognises(&table));
    if let Some(at) = BOARDS.iter().position(is_board) {
        return Ok(Some(SourceKind::Board(at)));
    }
    let kinds: [Told<Table>; 13] = [
        (SourceKind::EpochModels, epoch_models::recognises),
        (SourceKind::Gemstones, gemstones::recognises),
        (SourceKind::Interventions, interventions::recognises),
        (SourceKind::ModelInfo, model_info::recognises),
        (SourceKind::LeaderboardV1, leaderboard_v1::recognises),
        (SourceKind::LeaderboardV2, leaderboard_v2::recognises),
        (SourceKind::Structures, structures::recognises),
        (SourceKind::Architectures, architectures::recognises),
        (SourceKind::Bases, bases::recognises),
        (SourceKind::Parameters, listings::is_parameters),
        (SourceKind::Listing, listings::is_listing),
        (SourceKind::Scaling, scaling::recognises),
        (SourceKind::LlmPerf, llm_perf::recognises),
    ];
    let told = kinds
        .into_iter()
        .find(|(_, recognises)| recognises(&table))
        .map(|(kind, _)| kind);
    Ok(told.or_else(|| task_tables::recognise(&table).map(SourceKind::Task)))
}

fn yaml_kind(path: &Path, file: &str) -> Result<Option<SourceKind>, Error> {
    if community_evals::id_of(file).is_some() {
        return Ok(Some(SourceKind::Results(ResultsKind::CommunityEvals)));
    }
    let start = start_of(path, 1 << 10)?;
    let is_board =
        |board: &Board| matches!(board.reads, Reads::Yaml(recognises, _) if recognises(file, &start));
    Ok(BOARDS.iter().position(is_board).map(SourceKind::Board))
}

fn json_kind(path: &Path, file: &str) -> Result<Option<SourceKind>, Error> {
    let value = match json_file(path, file) {
        // One broken config among thousands is a rejected row and does not end the build.
        Err(Error::Json { .. } | Error::Empty { .. }) if config_files::is_named(file) => {
            return Ok(Some(SourceKind::ConfigFile));
        }
        Err(Error::Json { .. } | Error::Empty { .. }) if is_named_results(file) => {
            return Ok(Some(SourceKind::Unreadable));
        }
        read => read?,
    };
    let kinds: [Told<Value>; 8] = [
        (
            SourceKind::Results(ResultsKind::HubLeaderboard),
            hub_leaderboard::recognises,
        ),
        (
            SourceKind::Results(ResultsKind::EveryEvalEver),
            every_eval_ever::recognises,
        ),
        (SourceKind::Results(ResultsKind::Inspect), inspect::recognises),
        (SourceKind::HubModels, hub_models::recognises),
        (SourceKind::HubApi, hub_listing::recognises),
        (SourceKind::Results(ResultsKind::Harness), harness::recognises),
        (SourceKind::ConfigFile, config_files::recognises),
        (SourceKind::HubConfigs, hub_configs::recognises),
    ];
    Ok(kinds
        .into_iter()
        .find(|(_, recognises)| recognises(&value))
        .map(|(kind, _)| kind))
}

/// Whether a file is named like a harness's file of results: among hundreds a truncated one is a rejected row.
fn is_named_results(file: &str) -> bool {
    file.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("results_"))
}

/// Recognises per-sample files by their name, and listings by their first line.
fn jsonl_kind(path: &Path, file: &str) -> Result<Option<SourceKind>, Error> {
    if samples::told_by(file).is_some() {
        return Ok(Some(SourceKind::Samples));
    }
    let mut first = Vec::new();
    let source = fs::File::open(path).map_err(Error::io(path))?;
    BufReader::new(source)
        .take(1 << 20)
        .read_until(b'\n', &mut first)
        .map_err(Error::io(path))?;
    let value = json::parse(&first, file);
    Ok(value
        .ok()
        .filter(hub_listing::recognises)
        .map(|_| SourceKind::HubApi))
}

/// The JSON of a file.
pub(crate) fn json_file(path: &Path, file: &str) -> Result<Value, Error> {
    json::parse(&fs::read(path).map_err(Error::io(path))?, file)
}
