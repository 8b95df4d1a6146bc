//! The error type of this crate; each variant carries the values that were in conflict.

use thiserror::Error;

/// Errors of the statistics and regression functions of this crate.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Error {
    /// Two inputs that must have the same length do not.
    #[error("{what} has {found} values but there are {expected} {of}")]
    LengthMismatch {
        /// What was given: a column's name, `target`, `weights` …
        what: String,
        /// What its length was compared with: `rows`, `columns` …
        of: &'static str,
        /// Length it must have.
        expected: usize,
        /// Length it has.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("`{what}` holds {value} in row {row}")]
    NotFinite {
        /// Column's name, `target`, `weights` …
        what: String,
        /// First offending row, from 0.
        row: usize,
        /// The value found there.
        value: f64,
    },
    /// A weight is negative.
    #[error("weight {value} in row {row} is negative")]
    NegativeWeight {
        /// First offending row, from 0.
        row: usize,
        /// The weight.
        value: f64,
    },
    /// All weights are zero, so no row counts.
    #[error("all {n_rows} weights are zero")]
    NoWeight {
        /// Rows given.
        n_rows: usize,
    },
    /// There are no rows to fit.
    #[error("no rows")]
    NoRows,
    /// A checkpoint answered an item twice.
    #[error("checkpoint `{checkpoint}` answers item `{item}` of `{benchmark}` twice")]
    RepeatedAnswer {
        /// The checkpoint.
        checkpoint: String,
        /// The benchmark.
        benchmark: String,
        /// The item.
        item: String,
    },
    /// A design without columns.
    #[error("no feature columns")]
    NoColumns,
    /// Two columns of one name.
    #[error("two columns are named `{name}`")]
    DuplicateName {
        /// The name.
        name: String,
    },
    /// No such column.
    #[error("no feature named `{name}`; there are {known:?}")]
    UnknownColumn {
        /// The name requested.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A fitted model was given other columns than those it was fitted on.
    #[error("fitted on columns {fitted:?}, but given {given:?} to predict from")]
    ColumnsDiffer {
        /// Columns it was fitted on.
        fitted: Vec<String>,
        /// Columns given for the prediction.
        given: Vec<String>,
    },
    /// The method has no setting of this name.
    #[error("`{method}` has no setting `{name}`; it has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") })]
    UnknownSetting {
        /// The method.
        method: &'static str,
        /// The name requested.
        name: String,
        /// The settings the method has.
        known: Vec<&'static str>,
    },
    /// The text of a setting cannot be parsed.
    #[error("setting `{name}` of `{method}` is `{value}`, not {must}")]
    UnreadableSetting {
        /// The method.
        method: &'static str,
        /// The setting.
        name: String,
        /// Its text.
        value: String,
        /// What it must be.
        must: &'static str,
    },
    /// A setting's value is outside the range that the method allows.
    #[error("`{name}` is {value}: {must}")]
    BadSetting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must: &'static str,
    },
    /// A protocol needs information on every row that was not given.
    #[error("protocol `{protocol}` needs {needs} of every row")]
    MissingRowInformation {
        /// The protocol's name.
        protocol: &'static str,
        /// What is missing: `shape`, `lineage`, `family`, `date`.
        needs: &'static str,
    },
    /// Fewer groups (or rows) than folds.
    #[error("{groups} {of} cannot fill {folds} folds")]
    TooFewGroups {
        /// What was counted: `rows`, `groups`, `dates`.
        of: &'static str,
        /// How many there are.
        groups: usize,
        /// Folds requested.
        folds: usize,
    },
    /// A fold names a row that is not there, or has no training or no test rows.
    #[error("fold {fold}: {problem}")]
    BadFold {
        /// The fold, from 0.
        fold: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// The method cannot compute this with this fit or these rows.
    #[error("{method}: {problem}")]
    CannotCompute {
        /// Method's name.
        method: &'static str,
        /// Why not.
        problem: String,
    },
    /// A saved fit was written by another version.
    #[error("saved fit has version {found}, this program reads {expected}")]
    SavedVersion {
        /// Version read here.
        expected: u32,
        /// Version found.
        found: u32,
    },
}
