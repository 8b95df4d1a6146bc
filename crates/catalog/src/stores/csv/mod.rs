//! CSV files, local or in stores, as tables for the SQL engine: header and types are determined here, rows are read by
//! the engine.
//!
//! The engine's own inference splits a file at line ends found by searching backwards from the end of each block, where
//! a closing quote cannot be told from an opening one; and it uses headers unchanged. Here a file is read from
//! beginning to end, record by record: a quoted cell may contain line ends anywhere, a column's type fits all its
//! cells, blanks around names are removed, and a malformed file is refused with the position of the fault.

mod kinds;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::context::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::{StreamExt, TryStreamExt};
use object_store::{GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::mpsc;

pub(crate) use survey::CsvSurvey;
use survey::{CsvSource, Parts};

use crate::error::Error;

/// Extensions of such files.
const ENDINGS: [&str; 2] = ["csv", "tsv"];
/// Number of blocks of an object that may wait to be read.
const WAITING: usize = 4;

/// The table at `place`, a path or address of a file or folder; `None` where it is not CSV.
///
/// # Errors
/// What is wrong with the first malformed file, as [`DataFusionError::External`] of [`Error`].
pub(crate) async fn table(state: &SessionState, place: &str) -> Result<Option<Arc<dyn TableProvider>>> {
    let Ok(url) = ListingTableUrl::parse(place) else {
        return Ok(None);
    };
    let Some(ending) = ending(state, &url).await? else {
        return Ok(None);
    };
    let surveys = surveys(state, &url, &ending).await?;
    let schema = schema(&surveys).map_err(external)?;
    let format = CsvFormat::default()
        .with_has_header(true)
        .with_newlines_in_values(true)
        .with_delimiter(surveys[0].delimiter);
    let options = ListingOptions::new(Arc::new(format)).with_file_extension(ending);
    let config = ListingTableConfig::new(url)
        .with_listing_options(options)
        .infer_partitions_from_path(state)
        .await?
        .with_schema(Arc::new(schema));
    Ok(Some(Arc::new(ListingTable::try_new(config)?)))
}

/// Surveys the files of a table again; `None` where the table does not consist of CSV files.
pub(crate) async fn of_table(state: &SessionState, table: &dyn TableProvider) -> Option<Vec<CsvSurvey>> {
    let table = table.downcast_ref::<ListingTable>()?;
    table.options().format.downcast_ref::<CsvFormat>()?;
    let url = table.table_paths().first()?;
    surveys(state, url, &table.options().file_extension).await.ok()
}

/// The extension of the files; `None` where the first is not CSV, or no file is found.
async fn ending(state: &SessionState, url: &ListingTableUrl) -> Result<Option<String>> {
    let Ok(store) = state.runtime_env().object_store(url) else {
        return Ok(None);
    };
    // Any failure here recurs, and is reported, when the address is tried as a file of another kind.
    let Ok(mut all) = url.list_all_files(state, store.as_ref(), "").await else {
        return Ok(None);
    };
    let Some(Ok(first)) = all.next().await else {
        return Ok(None);
    };
    let name = first.location.filename().unwrap_or_default();
    let (ending, packed) = ListingTableConfig::infer_file_extension_and_compression_type(name)?;
    if !ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
        return Ok(None);
    }
    match packed {
        None => Ok(Some(ending)),
        Some(packing) => Err(external(Error::Packed {
            file: name.to_owned(),
            packing,
        })),
    }
}

/// Surveys of all non-empty files, in the order of names.
async fn surveys(state: &SessionState, url: &ListingTableUrl, ending: &str) -> Result<Vec<CsvSurvey>> {
    let store = state.runtime_env().object_store(url)?;
    let all = url.list_all_files(state, store.as_ref(), ending).await?;
    let mut files: Vec<ObjectMeta> = all.try_collect().await?;
    files.sort_by(|a, b| a.location.cmp(&b.location));
    let named = |file: &ObjectMeta| named(&url.object_store(), file);
    let first = files.first().map(&named).unwrap_or_default();
    files.retain(|file| file.size > 0);
    let mut found: Vec<CsvSurvey> = Vec::with_capacity(files.len());
    for file in files {
        let (name, told) = (named(&file), found.first().map(|first| first.delimiter));
        let source = open(&store, &file).await?;
        let done = tokio::task::spawn_blocking(move || CsvSurvey::of(source, name, told));
        found.push(
            done.await
                .map_err(|error| external(died(&error)))?
                .map_err(external)?,
        );
    }
    if found.is_empty() {
        return Err(external(Error::Empty { file: first }));
    }
    Ok(found)
}

/// The name of a file in errors: a local path, or an address.
fn named(store: &ObjectStoreUrl, file: &ObjectMeta) -> String {
    match store.as_str() {
        "file:///" => format!("/{}", file.location),
        root => format!("{root}{}", file.location),
    }
}

/// The bytes of a file, for reading on a thread that may block.
async fn open(store: &Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<CsvSource> {
    let object = store.get(&file.location).await?;
    let mut blocks = match object.payload {
        GetResultPayload::File(file, _) => return Ok(Box::new(file)),
        GetResultPayload::Stream(blocks) => blocks,
    };
    let (sender, receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        while let Some(block) = blocks.next().await {
            if sender.send(block.map(Some)).await.is_err() {
                return;
            }
        }
        // Without this final message the reader knows that the object was cut short.
        sender.send(Ok(None)).await.ok();
    });
    Ok(Box::new(Parts::from(receiver)))
}

/// The common schema of files that form one table: the engine matches columns by position, so all headers must be
/// equal.
fn schema(surveys: &[CsvSurvey]) -> std::result::Result<Schema, Error> {
    let first = &surveys[0];
    let names = |survey: &CsvSurvey| {
        survey
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect::<Vec<_>>()
    };
    let mut kinds: Vec<_> = first.columns.iter().map(|column| column.kinds).collect();
    for other in &surveys[1..] {
        if names(other) != names(first) {
            return Err(Error::OtherHeader {
                file: other.file.clone(),
                header: names(other).join(", "),
                first: first.file.clone(),
                wanted: names(first).join(", "),
            });
        }
        for (kinds, column) in kinds.iter_mut().zip(&other.columns) {
            kinds.join(column.kinds);
        }
    }
    let fields = first.columns.iter().zip(kinds);
    Ok(Schema::new(
        fields
            .map(|(column, kinds)| Field::new(&column.name, kinds.data_type(), true))
            .collect::<Vec<_>>(),
    ))
}

/// Names in a header, with blanks around them removed; an empty name is replaced by the column's position.
fn names(cells: &[String], file: &str) -> std::result::Result<Vec<String>, Error> {
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, cell) in cells.iter().enumerate() {
        let name = cell.trim();
        if name.is_empty() {
            continue;
        }
        if let Some(first) = places.insert(name, place) {
            return Err(Error::DoubledColumn {
                file: file.to_owned(),
                column: name.to_owned(),
                first: first + 1,
                second: place + 1,
            });
        }
    }
    let unnamed = |place: usize| {
        let mut name = format!("column_{}", place + 1);
        while places.contains_key(name.as_str()) {
            name.push('_');
        }
        name
    };
    Ok(cells
        .iter()
        .enumerate()
        .map(|(place, cell)| match cell.trim() {
            "" => unnamed(place),
            name => name.to_owned(),
        })
        .collect())
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn died(error: &tokio::task::JoinError) -> Error {
    Error::Query {
        message: format!("reading the file ended early: {error}"),
        suggestions: Vec::new(),
    }
}

/// Whether a column with this type holds text.
pub(crate) fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}
