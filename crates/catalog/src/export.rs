//! Exports a catalog: as Parquet, CSV or JSON files, or as a folder that the Hugging Face Hub shows as a dataset.

mod records;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use crate::answer::{Answer, Format, read_parquet};
use crate::build::{self, Progress};
use crate::catalog::{Catalog, MANIFEST, read_manifest};
use crate::describe::schema;
use crate::error::Error;
use crate::parquet_file::to_batch;
use crate::query;
use crate::schema::{Row, TABLES};
use crate::snapshot::SNAPSHOT;
use crate::stores;
use crate::tables::{Manifest, Source};

pub use records::Records;

/// The format of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The tables' files and the manifest, which together are again a catalog.
    Parquet,
    /// One CSV file per table.
    Csv,
    /// One JSON file per table, an array of objects.
    Json,
    /// `README.md` with a dataset card, and `data/*.parquet`, one configuration per table.
    HuggingFace,
}

/// Writes the catalog in folder `dir` (the compiled-in snapshot if `None`) to folder `out`, first to a temporary
/// sibling folder, which is then renamed; returns the names of the files.
///
/// # Errors
/// [`Error::NotEmpty`] where `out` exists and is not an empty folder; otherwise the errors of reading and writing.
pub fn export(
    dir: Option<&Path>,
    target: Target,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<String>, Error> {
    if stores::is_remote(out) {
        return export_away(dir, target, out, progress);
    }
    let out = &stores::local(out)?;
    must_be_free(out)?;
    let folder = build::beside(out, ".export-")?;
    let mut written = match target {
        Target::Parquet => copy_tables(dir, folder.path(), "")?,
        Target::HuggingFace => {
            let mut files = copy_tables(dir, folder.path(), "data/")?;
            let manifest = match dir {
                None => Catalog::snapshot()?.manifest,
                Some(dir) => read_manifest(&stores::read(&dir.join(MANIFEST))?)?,
            };
            let path = folder.path().join("README.md");
            fs::write(&path, card(&manifest)).map_err(Error::io(&path))?;
            files.push("README.md".to_owned());
            files
        }
        Target::Csv | Target::Json => {
            let (format, extension) = if target == Target::Csv {
                (Format::Csv, "csv")
            } else {
                (Format::Json, "json")
            };
            let mut files = Vec::new();
            let has = tables_of(dir)?;
            for table in TABLES.into_iter().filter(|table| has(table)) {
                progress(Progress::Writing { table });
                let file = format!("{table}.{extension}");
                let path = folder.path().join(&file);
                let sink = BufWriter::new(File::create(&path).map_err(Error::io(&path))?);
                rows_of(dir, table)?.write(format, sink)?;
                files.push(file);
            }
            files
        }
    };
    if query::needed().is_ok() {
        written.push(view(dir, target, folder.path())?);
    }
    build::put_in_place(folder, out)?;
    written.sort();
    Ok(written)
}

/// Refuses a path that exists and is not an empty folder.
fn must_be_free(out: &Path) -> Result<(), Error> {
    let is_free =
        !out.exists() || out.is_dir() && fs::read_dir(out).map_err(Error::io(out))?.next().is_none();
    if is_free {
        Ok(())
    } else {
        Err(Error::NotEmpty { path: out.to_owned() })
    }
}

/// The view that most questions start from, exported as an additional file: the SQL engine computes it, it is not a
/// table of the catalog.
const VIEW: &str = "observations";
/// The order is fixed so that exports are reproducible.
const OF_VIEW: &str = "select * from observations order by evaluation, id, leaderboard, benchmark, setting, precision, shots, value";

/// Writes the view beside the tables; returns its file name.
fn view(dir: Option<&Path>, target: Target, folder: &Path) -> Result<String, Error> {
    let (format, file) = match target {
        Target::Parquet => (Format::Parquet, format!("{VIEW}.parquet")),
        Target::HuggingFace => (Format::Parquet, format!("data/{VIEW}.parquet")),
        Target::Csv => (Format::Csv, format!("{VIEW}.csv")),
        Target::Json => (Format::Json, format!("{VIEW}.json")),
    };
    let path = folder.join(&file);
    let sink = BufWriter::new(File::create(&path).map_err(Error::io(&path))?);
    query::Engine::open(dir)?.query(OF_VIEW)?.write(format, sink)?;
    Ok(file)
}

/// Writes evaluations of the catalog in folder `dir` (the compiled-in snapshot if `None`) to folder `out` as Every Eval
/// Ever records; if `boards` is not empty, only those of the leaderboards it names. First to a temporary sibling
/// folder, then renamed.
///
/// # Errors
/// As [`export`]; [`Error::NoLeaderboard`] where no evaluation is of any of `boards`.
pub fn export_records(dir: Option<&Path>, boards: &[String], out: &Path) -> Result<Records, Error> {
    let out = &stores::local(out)?;
    must_be_free(out)?;
    let catalog = dir.map_or_else(Catalog::snapshot, Catalog::open)?;
    let known: std::collections::BTreeSet<&str> = catalog
        .evaluations
        .iter()
        .map(|row| row.leaderboard.as_str())
        .collect();
    if let Some(board) = boards.iter().find(|board| !known.contains(board.as_str())) {
        return Err(Error::NoLeaderboard {
            leaderboard: board.clone(),
            known: known.into_iter().collect::<Vec<_>>().join(", "),
        });
    }
    let folder = build::beside(out, ".export-")?;
    let records = records::write(&catalog, boards, folder.path())?;
    build::put_in_place(folder, out)?;
    Ok(records)
}

/// Which tables a catalog has: older catalogs lack tables that were introduced later.
fn tables_of(dir: Option<&Path>) -> Result<impl Fn(&str) -> bool, Error> {
    let manifest = match dir {
        None => Catalog::snapshot()?.manifest,
        Some(dir) => read_manifest(&stores::read(&dir.join(MANIFEST))?)?,
    };
    Ok(move |table: &str| table == Source::TABLE || manifest.tables.contains_key(table))
}

/// All rows of a table of the catalog.
fn rows_of(dir: Option<&Path>, table: &str) -> Result<Answer, Error> {
    let bytes = |file: &str| match dir {
        Some(dir) => stores::read(&dir.join(file)),
        None => Ok(SNAPSHOT
            .iter()
            .find(|(name, _)| *name == file)
            .map(|(_, bytes)| bytes::Bytes::from_static(bytes))
            .unwrap_or_default()),
    };
    if table == Source::TABLE {
        let batch = to_batch(&read_manifest(&bytes(MANIFEST)?)?.sources)?;
        return Ok(Answer {
            schema: batch.schema(),
            batches: vec![batch],
        });
    }
    let manifest = read_manifest(&bytes(MANIFEST)?)?;
    let file = manifest
        .tables
        .get(table)
        .map_or_else(|| format!("{table}.parquet"), |table| table.file.clone());
    read_parquet(&file, bytes(&file)?)
}

/// Exports to an object store: first made locally, then uploaded object by object; the manifest last, so that an
/// incomplete upload is not taken for a catalog.
fn export_away(
    dir: Option<&Path>,
    target: Target,
    out: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<String>, Error> {
    if !stores::list(out)?.is_empty() {
        return Err(Error::NotEmpty { path: out.to_owned() });
    }
    let folder = tempfile::tempdir().map_err(Error::io(&std::env::temp_dir()))?;
    let here = folder.path().join("export");
    let mut files = export(dir, target, &here, progress)?;
    files.sort_by_key(|file| file.ends_with(MANIFEST));
    for file in &files {
        stores::upload(&here.join(file), &out.join(file))?;
    }
    files.sort();
    Ok(files)
}

fn copy_tables(dir: Option<&Path>, out: &Path, prefix: &str) -> Result<Vec<String>, Error> {
    fs::create_dir_all(out.join(prefix)).map_err(Error::io(out))?;
    let mut files = Vec::new();
    let has = tables_of(dir)?;
    for (file, bytes) in SNAPSHOT {
        if file.strip_suffix(".parquet").is_some_and(|table| !has(table)) {
            continue;
        }
        // The manifest stays beside the data; the dataset card explains how to check the data against it.
        let name = format!("{prefix}{file}");
        let path = out.join(&name);
        match dir {
            None => fs::write(&path, bytes).map_err(Error::io(&path))?,
            Some(dir) => fs::write(&path, stores::read(&dir.join(file))?).map_err(Error::io(&path))?,
        }
        files.push(name);
    }
    Ok(files)
}

/// The dataset card: the metadata that the Hub needs to show each table, then the description for readers.
fn card(manifest: &Manifest) -> String {
    let mut text = String::from(
        "---\npretty_name: Structure and scores of open language models\ntask_categories:\n- tabular-regression\nlanguage:\n- en\nlicense: other\nlicense_name: by-source\nlicense_link: '#sources'\ntags:\n- language-models\n- architecture\n- leaderboard\nconfigs:\n",
    );
    for (table, file) in manifest.tables.iter().filter(|(_, file)| file.rows > 0) {
        let default = if table == "structures" {
            "\n  default: true"
        } else {
            ""
        };
        let _ = writeln!(
            text,
            "- config_name: {table}\n  data_files: data/{}{default}",
            file.file
        );
    }
    if query::needed().is_ok() {
        let _ = writeln!(text, "- config_name: {VIEW}\n  data_files: data/{VIEW}.parquet");
    }
    let _ = writeln!(
        text,
        "---\n\n# Structure and scores of open language models\n\nThe structure of open checkpoints joined to what leaderboards measured of them. `id` joins all tables. Built from\npublic tables by stated rules; what was left out is in `rejects`, what sources disagree on in `conflicts`.\n\nCatalog {} (schema {}).\n\n## Tables\n",
        manifest.catalog_sha256, manifest.schema_version
    );
    for table in schema() {
        let rows = manifest
            .tables
            .get(table.name)
            .map_or(manifest.sources.len() as u64, |file| file.rows);
        let _ = writeln!(
            text,
            "### {} ({rows} rows)\n\n| column | type | unit | meaning |\n| --- | --- | --- | --- |",
            table.name
        );
        for column in table.columns {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                column.name,
                column.kind,
                column.unit,
                column.meaning.replace('|', "\\|")
            );
        }
        text.push('\n');
    }
    if query::needed().is_ok() {
        let _ = writeln!(
            text,
            "### {VIEW}\n\nOne score a row with the structure of its checkpoint and what is known of both: the join of `scores`, `evaluations`,\n\
             `structures` and `checkpoints`, whose columns have their names there.\n"
        );
    }
    text.push_str(
        "## Sources\n\nEach source has a licence of its own, or none that is known: its rows are under it.\n\n\
         | file | rows in | kept | rejected | licence | to be named | where from | revision |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for source in &manifest.sources {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            source.path,
            source.rows_in,
            source.kept,
            source.rejected,
            source.license.as_deref().unwrap_or("none known"),
            source.attribution.as_deref().unwrap_or(""),
            source.address,
            source.revision
        );
    }
    text.push_str("\nThe scores are Hugging Face's public leaderboards' and the tasks' own; see each source for its terms.\n");
    text
}

/// Builds a catalog of its own from one file in any known format, for example the published dataset's `model_info.csv`;
/// to add files to an existing catalog use [`crate::importing`].
///
/// # Errors
/// As [`crate::build()`]; [`Error::NoSources`] where the file has no known format.
pub fn import(file: &Path, out: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Manifest, Error> {
    crate::build(file, out, progress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        must_be_free(folder.path()).expect("an empty folder");
        must_be_free(&folder.path().join("new")).expect("a new folder");
        let file = folder.path().join("file");
        fs::write(&file, "x").expect("a file");
        for taken in [folder.path(), file.as_path()] {
            let told = must_be_free(taken).expect_err("it holds something").to_string();
            assert_eq!(told, format!("{}: exists and is not empty", taken.display()));
        }
    }
}
