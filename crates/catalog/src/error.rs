//! What can go wrong, with the values that clashed.

mod not_numbers;

use std::path::PathBuf;

pub use not_numbers::NotNumbers;

/// Every failure of this crate. Only the binary adds advice.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that this program was built without.
    #[error(
        "{what} is not built in: build with `cargo build --release --features {feature}` (or `--features full` for everything)"
    )]
    NotBuiltIn {
        /// What was asked for.
        what: String,
        /// The cargo feature that has it.
        feature: &'static str,
    },
    /// The operating system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file without a byte, or a table without a header.
    #[error("{file}: the file is empty")]
    Empty {
        /// The source.
        file: String,
    },
    /// Bytes that are no UTF-8 where text must be.
    #[error("{file}, {}, column {column}: not UTF-8 after byte {valid_up_to} of the cell", place(*.row, *.line))]
    NotUtf8 {
        /// The source.
        file: String,
        /// Row from 0, header not counted.
        row: u64,
        /// Line from 1.
        line: u64,
        /// Column name, or its number where the header itself is at fault.
        column: String,
        /// Bytes of the cell that are well-formed.
        valid_up_to: usize,
    },
    /// A table lacks a column that its reader needs.
    #[error("{file}: column `{column}` is missing (the header has: {present})")]
    MissingColumn {
        /// The source.
        file: String,
        /// What was looked for.
        column: String,
        /// What the header has.
        present: String,
    },
    /// A cell that cannot be read as what its column holds.
    #[error("{file}, {}, column `{column}`: {value:?} is not {wanted}", place(*.row, *.line))]
    BadCell {
        /// The source.
        file: String,
        /// Row from 0, header not counted.
        row: u64,
        /// Line from 1, or 0 where the format has none.
        line: u64,
        /// Column name.
        column: String,
        /// The cell, cut after 200 characters.
        value: String,
        /// What it should have been.
        wanted: &'static str,
    },
    /// A row whose shape is wrong (number of fields, quotes).
    #[error("{file}, line {line}: {message}")]
    BadRow {
        /// The source.
        file: String,
        /// Row from 0.
        row: u64,
        /// Line from 1.
        line: u64,
        /// What the reader said.
        message: String,
    },
    /// Two columns of a table have one name.
    #[error(
        "{file}: columns {first} and {second} are both named `{column}`: the intended one cannot be told"
    )]
    DoubledColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// Place of the first from 1.
        first: usize,
        /// Place of the second from 1.
        second: usize,
    },
    /// Files of one folder that are no one table.
    #[error(
        "{file}: columns {header} differ from {wanted} of {first}: files of one table must have the same columns"
    )]
    OtherHeader {
        /// The file.
        file: String,
        /// Its columns.
        header: String,
        /// The first file of the folder.
        first: String,
        /// That file's columns.
        wanted: String,
    },
    /// A table that is packed.
    #[error("{file}: compression {packing} is not supported")]
    Packed {
        /// The file.
        file: String,
        /// How its name ends.
        packing: String,
    },
    /// A function of numbers over a column that other cells made text.
    #[error("{0}")]
    NotNumbers(Box<NotNumbers>),
    /// Text that is no JSON.
    #[error("{file}, line {line}, column {column}: {message}")]
    Json {
        /// The source.
        file: String,
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// JSON or YAML of another shape than the reader's.
    #[error("{file}: {message}")]
    Shape {
        /// The source.
        file: String,
        /// What was expected and what was found.
        message: String,
    },
    /// A Parquet file that cannot be read or written.
    #[error("{file}: {message}")]
    Parquet {
        /// The file.
        file: String,
        /// What the reader or writer said.
        message: String,
    },
    /// A Parquet table without a column, or with one of another type.
    #[error("{file}: table `{table}` needs column `{column}` as {wanted}, found {found}")]
    WrongColumn {
        /// The file.
        file: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Type of the schema.
        wanted: String,
        /// Type in the file, or `none`.
        found: String,
    },
    /// A null where the schema has none.
    #[error("{file}: table `{table}`, row {row}, column `{column}`: unexpected null")]
    UnexpectedNull {
        /// The file.
        file: String,
        /// The table.
        table: String,
        /// Row from 0.
        row: usize,
        /// The column.
        column: String,
    },
    /// A catalog of another schema.
    #[error("{file}: schema version {found}, this program reads {wanted}")]
    SchemaVersion {
        /// The manifest.
        file: String,
        /// In the file.
        found: u32,
        /// Of this program.
        wanted: u32,
    },
    /// A table's bytes are not those the manifest names.
    #[error("{file}: SHA-256 {found}, the manifest says {wanted}")]
    HashMismatch {
        /// The table's file.
        file: String,
        /// Of the bytes.
        found: String,
        /// In the manifest.
        wanted: String,
    },
    /// Nothing under the folder is a source that this crate knows.
    #[error("{path}: no known source under this folder")]
    NoSources {
        /// The folder.
        path: PathBuf,
    },
    /// Every source was left out for want of a licence.
    #[error("none of the {found} sources here has a known licence; without --licensed-only all are read")]
    NoLicensedSources {
        /// Sources found.
        found: usize,
    },
    /// No evaluation is of a leaderboard that was asked for.
    #[error("no evaluations of leaderboard `{leaderboard}`; known are {known}")]
    NoLeaderboard {
        /// The one asked for.
        leaderboard: String,
        /// Those of the catalog.
        known: String,
    },
    /// The place to write to holds something that is no catalog.
    #[error("{path}: exists and is not a catalog (no manifest.json in it)")]
    NotACatalog {
        /// The place.
        path: PathBuf,
    },
    /// The place to write to holds something.
    #[error("{path}: exists and is not empty")]
    NotEmpty {
        /// The place.
        path: PathBuf,
    },
    /// A structure without dimensions that an answer needs.
    #[error("the structure lacks {}", .missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    MissingDimensions {
        /// Names of the structure's columns.
        missing: Vec<&'static str>,
    },
    /// A config that does not state what a count needs.
    #[error(
        "the config states {}; found in {}: {}; keys there: {}",
        .missing.join(", "),
        .at.as_ref().map_or("it".to_owned(), |name| format!("its `{name}`")),
        if .found.is_empty() { "nothing of a decoder's structure".to_owned() } else { .found.join(", ") },
        shortened(.keys)
    )]
    ConfigLacks {
        /// What is missing, each with the keys that were looked for.
        missing: Vec<String>,
        /// What was found, each with its value.
        found: Vec<String>,
        /// The keys that stand there.
        keys: Vec<String>,
        /// The nested object that was read, where one was.
        at: Option<String>,
    },
    /// A config of something that is no decoder.
    #[error(
        "`{name}` is not a decoder-only model (an encoder, or an encoder with a decoder): its parameters cannot be counted here"
    )]
    NotADecoder {
        /// Its class or type.
        name: String,
    },
    /// A decoder that no formula here describes.
    #[error("no formula for the layers of `{family}`: they share weights, or are of a kind of their own")]
    NoFormula {
        /// Its class or type.
        family: String,
    },
    /// A structure whose parameters pass what can be counted.
    #[error("{layers} layers of width {d_model}: more parameters than 2^63")]
    Uncountable {
        /// Its layers.
        layers: i64,
        /// Its width.
        d_model: i64,
    },
    /// The same checkpoint, benchmark and item with another answer.
    #[error(
        "{}: checkpoint `{}` answers item `{}` of `{}` with {}, and in {} with another",
        .0.file, .0.id, .0.item, .0.benchmark, .0.answer, .0.earlier
    )]
    ItemClash(Box<ItemClash>),
    /// Items whose checkpoint nothing names.
    #[error("{file}, row {row}: no checkpoint is named")]
    NoCheckpoint {
        /// What was being imported.
        file: String,
        /// Row from 0.
        row: u64,
    },
    /// A benchmark that can be no folder.
    #[error(
        "{file}: benchmark `{benchmark}` cannot name a folder (allowed: letters, digits, `_`, `-` and `.`, at most 100)"
    )]
    BenchmarkName {
        /// What was being imported.
        file: String,
        /// The name.
        benchmark: String,
    },
    /// A file, or a folder without one, that holds no items.
    #[error("{path}: no items ({message})")]
    NoItems {
        /// The file or folder.
        path: PathBuf,
        /// What was looked for.
        message: String,
    },
    /// An address of no kind that is known, or not well formed.
    #[error("{text}: {message}")]
    Address {
        /// The address, without a password.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// An object store, or the Hub, said no or could not be reached.
    #[error("{place}: {message}")]
    Store {
        /// The object or prefix.
        place: PathBuf,
        /// What the store said, without credentials.
        message: String,
    },
    /// A statement the engine does not accept or could not run.
    #[error("{message}")]
    Query {
        /// What the engine said.
        message: String,
        /// Columns and tables that exist and look like the ones asked for.
        suggestions: Vec<String>,
    },
}

impl Error {
    /// The same of a statement whose condition begins on its second line, `… where (\ncondition\n)`: places are those of the
    /// condition, which is all that was typed.
    #[must_use]
    pub fn in_condition(self, condition: &str) -> Self {
        let Self::Query { message, suggestions } = self else {
            return self;
        };
        Self::Query {
            message: placed_in_condition(&message, condition).unwrap_or(message),
            suggestions,
        }
    }
}

fn placed_in_condition(message: &str, condition: &str) -> Option<String> {
    let (line, rest) = message.strip_prefix("line ")?.split_once(", column ")?;
    let line = line.parse::<usize>().ok()?.checked_sub(1)?;
    let (column, said) = rest.split_once(": ")?;
    Some(match condition.lines().count() {
        lines if line > lines => match said.strip_prefix("`)` stands where ") {
            Some(wanted) => {
                let wanted = wanted.strip_suffix(" should stand").unwrap_or(wanted);
                format!("the condition ends where {wanted} should follow")
            }
            None => format!("at the end of the condition: {said}"),
        },
        1 => format!("column {column}: {said}"),
        _ => format!("line {line}, column {column}: {said}"),
    })
}

/// Two answers where there can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemClash {
    /// What was being imported.
    pub file: String,
    /// The checkpoint.
    pub id: String,
    /// The benchmark.
    pub benchmark: String,
    /// The item.
    pub item: String,
    /// The answer in `file`, in a few words.
    pub answer: String,
    /// A file of the table, or the same file.
    pub earlier: String,
}

impl Error {
    /// An [`Error::Io`] about `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Where a row stands: its line, or its number from 0 in a format without lines.
fn place(row: u64, line: u64) -> String {
    match line {
        0 => format!("row {row}"),
        line => format!("line {line}"),
    }
}

/// `text` cut after 200 characters, as `rejects.raw` and the errors hold it.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The first forty names, and how many more there are.
fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 40;
    if names.is_empty() {
        return "none".to_owned();
    }
    let shown = names.iter().take(SHOWN).map(|name| format!("`{name}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn places_in_a_condition_are_those_of_what_was_typed() {
        let told = |message: &str, condition: &str| {
            let error = Error::Query {
                message: message.to_owned(),
                suggestions: Vec::new(),
            };
            error.in_condition(condition).to_string()
        };
        let wants = "`)` stands where a column or a value should stand";
        assert_eq!(
            told(&format!("line 3, column 1: {wants}"), "layers > 40 and"),
            "the condition ends where a column or a value should follow"
        );
        assert_eq!(
            told("line 2, column 8: `>` stands there", "layers >> 40"),
            "column 8: `>` stands there"
        );
        assert_eq!(told("line 3, column 2: x", "a\nb"), "line 2, column 2: x");
        assert_eq!(
            told("there is no column named `x`", "x > 1"),
            "there is no column named `x`"
        );
    }
}
