//! The error type of this crate; its messages carry the values that clashed.

mod not_numbers;

use std::path::PathBuf;

pub use not_numbers::NotNumbers;

/// Every failure of this crate. Advice on what to do is added only by the binary.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A capability that this program was built without.
    #[error(
        "{what} is not built in: build with `cargo build --release --features {feature}` (or `--features full` for everything)"
    )]
    NotBuiltIn {
        /// What was requested.
        what: String,
        /// The cargo feature that provides it.
        feature: &'static str,
    },
    /// The operating system reported an error.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file without any bytes, or a table without a header.
    #[error("{file}: the file is empty")]
    Empty {
        /// The source.
        file: String,
    },
    /// Bytes that are not UTF-8 where text is required.
    #[error("{file}, {}, column {column}: not UTF-8 after byte {valid_up_to} of the cell", place(*.row, *.line))]
    NotUtf8 {
        /// The source.
        file: String,
        /// Row from 0, header not counted.
        row: u64,
        /// Line from 1.
        line: u64,
        /// Column name, or its index where the header itself is at fault.
        column: String,
        /// Number of bytes of the cell that are valid UTF-8.
        valid_up_to: usize,
    },
    /// A table lacks a column that its reader needs.
    #[error("{file}: column `{column}` is missing (the header has: {present})")]
    MissingColumn {
        /// The source.
        file: String,
        /// The column that was looked for.
        column: String,
        /// The columns that the header has.
        present: String,
    },
    /// A cell that cannot be parsed as the type of its column.
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
        /// The type of value that was expected.
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
        /// The CSV reader's message.
        message: String,
    },
    /// Two columns of a table have the same name.
    #[error(
        "{file}: columns {first} and {second} are both named `{column}`: the intended one cannot be told"
    )]
    DoubledColumn {
        /// The file.
        file: String,
        /// The name.
        column: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// Files of one folder that do not form one table, because their columns differ.
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
    /// A table compressed in a way that is not supported.
    #[error("{file}: compression {packing} is not supported")]
    Packed {
        /// The file.
        file: String,
        /// Extension of its name.
        packing: String,
    },
    /// A numeric function was applied to a column that other cells made text.
    #[error("{0}")]
    NotNumbers(Box<NotNumbers>),
    /// Text that is not valid JSON.
    #[error("{file}, line {line}, column {column}: {message}")]
    Json {
        /// The source.
        file: String,
        /// Line from 1.
        line: usize,
        /// Column from 1.
        column: usize,
        /// The parser's message.
        message: String,
    },
    /// JSON or YAML whose structure is not the one that the reader expects.
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
        /// The message of the reader or writer.
        message: String,
    },
    /// A Parquet table that lacks a column, or has it with another type.
    #[error("{file}: table `{table}` needs column `{column}` as {wanted}, found {found}")]
    WrongColumn {
        /// The file.
        file: String,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Type in the schema.
        wanted: String,
        /// Type in the file, or `none` where the column is missing.
        found: String,
    },
    /// A null in a column that the schema declares as never null.
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
    /// A catalog with another schema version.
    #[error("{file}: schema version {found}, this program reads {wanted}")]
    SchemaVersion {
        /// The manifest.
        file: String,
        /// Version in the file.
        found: u32,
        /// Version that this program reads.
        wanted: u32,
    },
    /// The bytes of a table do not match the hash in the manifest.
    #[error("{file}: SHA-256 {found}, the manifest says {wanted}")]
    HashMismatch {
        /// The table's file.
        file: String,
        /// Hash of the bytes.
        found: String,
        /// Hash in the manifest.
        wanted: String,
    },
    /// Nothing under the folder is a source that this crate knows.
    #[error("{path}: no known source under this folder")]
    NoSources {
        /// The folder.
        path: PathBuf,
    },
    /// Every source was left out because its licence is not known.
    #[error("none of the {found} sources here has a known licence; without --licensed-only all are read")]
    NoLicensedSources {
        /// Sources found.
        found: usize,
    },
    /// The requested leaderboards have no evaluations.
    #[error("no evaluations of leaderboard `{leaderboard}`; known are {known}")]
    NoLeaderboard {
        /// The requested leaderboards.
        leaderboard: String,
        /// The leaderboards of the catalog.
        known: String,
    },
    /// The path to write to exists and is not a catalog.
    #[error("{path}: exists and is not a catalog (no manifest.json in it)")]
    NotACatalog {
        /// The path.
        path: PathBuf,
    },
    /// The path to write to exists and is not empty.
    #[error("{path}: exists and is not empty")]
    NotEmpty {
        /// The path.
        path: PathBuf,
    },
    /// A structure lacks dimensions that the answer needs.
    #[error("the structure lacks {}", .missing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))]
    MissingDimensions {
        /// Names of the missing columns of `structures`.
        missing: Vec<&'static str>,
    },
    /// A config does not state what counting its parameters needs.
    #[error(
        "the config states {}; found in {}: {}; keys there: {}",
        .missing.join(", "),
        .at.as_ref().map_or("it".to_owned(), |name| format!("its `{name}`")),
        if .found.is_empty() { "nothing of a decoder's structure".to_owned() } else { .found.join(", ") },
        shortened(.keys)
    )]
    ConfigLacks {
        /// What is missing, each with the keys that were searched for.
        missing: Vec<String>,
        /// What was found, each with its value.
        found: Vec<String>,
        /// The keys that the config has.
        keys: Vec<String>,
        /// Name of the nested object that was read; `None` where nothing is nested.
        at: Option<String>,
    },
    /// A config of a model that is not decoder-only.
    #[error(
        "`{name}` is not a decoder-only model (an encoder, or an encoder with a decoder): its parameters cannot be counted here"
    )]
    NotADecoder {
        /// Its class or type.
        name: String,
    },
    /// A decoder for which there is no formula here.
    #[error("no formula for the layers of `{family}`: they share weights, or are of a kind of their own")]
    NoFormula {
        /// Its class or type.
        family: String,
    },
    /// A structure whose number of parameters exceeds 2^63.
    #[error("{layers} layers of width {d_model}: more parameters than 2^63")]
    Uncountable {
        /// Number of layers.
        layers: i64,
        /// Width of the residual stream.
        d_model: i64,
    },
    /// An answer that contradicts an earlier one for the same checkpoint, benchmark and item.
    #[error(
        "{}: checkpoint `{}` answers item `{}` of `{}` with {}, and in {} with another",
        .0.file, .0.id, .0.item, .0.benchmark, .0.answer, .0.earlier
    )]
    ItemClash(Box<ItemClash>),
    /// Items for which no checkpoint is named.
    #[error("{file}, row {row}: no checkpoint is named")]
    NoCheckpoint {
        /// The file being imported.
        file: String,
        /// Row from 0.
        row: u64,
    },
    /// A benchmark whose name cannot be a folder name.
    #[error(
        "{file}: benchmark `{benchmark}` cannot name a folder (allowed: letters, digits, `_`, `-` and `.`, at most 100)"
    )]
    BenchmarkName {
        /// The file being imported.
        file: String,
        /// The name.
        benchmark: String,
    },
    /// A file that holds no items, or a folder without a file that does.
    #[error("{path}: no items ({message})")]
    NoItems {
        /// The file or folder.
        path: PathBuf,
        /// What was looked for.
        message: String,
    },
    /// An address of an unknown kind, or malformed.
    #[error("{text}: {message}")]
    Address {
        /// The address, without a password.
        text: String,
        /// What is wrong with it.
        message: String,
    },
    /// An object store or the Hub refused, or could not be reached.
    #[error("{place}: {message}")]
    Store {
        /// The object or prefix.
        place: PathBuf,
        /// The store's message, without credentials.
        message: String,
    },
    /// A statement that the SQL engine rejects or could not run.
    #[error("{message}")]
    Query {
        /// The engine's message.
        message: String,
        /// Existing columns and tables with names similar to those used.
        suggestions: Vec<String>,
    },
}

impl Error {
    /// The same error for a statement whose condition begins on its second line, `… where (\ncondition\n)`: line and
    /// column in the message are converted to positions in `condition`, the only part that the user typed.
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

/// Two different answers where there can be only one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemClash {
    /// The file being imported.
    pub file: String,
    /// The checkpoint.
    pub id: String,
    /// The benchmark.
    pub benchmark: String,
    /// The item.
    pub item: String,
    /// The answer in `file`, in a few words.
    pub answer: String,
    /// The file with the other answer: one already in the table, or the same file.
    pub earlier: String,
}

impl Error {
    /// Makes an [`Error::Io`] for `path`.
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

/// Where a row is: its line, or in a format without lines (`line` 0) its index from 0.
fn place(row: u64, line: u64) -> String {
    match line {
        0 => format!("row {row}"),
        line => format!("line {line}"),
    }
}

/// The first 200 characters of `text`, as stored in `rejects.raw` and in errors.
pub(crate) fn cut(text: &str) -> String {
    text.chars().take(200).collect()
}

/// The first forty names, and how many more there are; `none` if there are none.
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
