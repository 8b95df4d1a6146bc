//! Answers to individual items: a table that may outgrow one machine, partitioned by benchmark, with views for common
//! questions.
//!
//! ```text
//! items/
//!   benchmark=arc_challenge/3f2a….parquet     whole files, named by the hash of what they were made from
//!   benchmark=gsm8k/3f2a….parquet
//!   _imports/3f2a….json                       what was read, kept and left out; written last
//! ```
//!
//! The folder may be in an object store. [`import()`] appends; [`crate::query::Engine::with_items`] registers the
//! folder as the table `items` with the views in [`VIEWS`]. Several processes may import at once: each file appears
//! complete or not at all, and its name is determined by its contents.

mod builtin;
mod details;
mod dialects;
mod foreign;
mod found;
mod import;
mod imported;
mod instances;
mod kept;
mod logs;
mod store;
#[cfg(all(test, feature = "sql"))]
mod tests;

use crate::schema::table;

#[cfg(feature = "sql")]
pub(crate) use store::parts;

#[cfg(feature = "sql")]
pub(crate) use builtin::{Answers, PACKED};
pub use builtin::{BENCHMARK as BUILTIN_BENCHMARK, BUILTIN, CREDIT as BUILTIN_CREDIT};
pub(crate) use import::import_one;
pub use import::{FoundFile, ImportSettings, files, import};
pub use imported::{Imported, ImportedBenchmark};

/// Folder of the records of what was imported.
pub(crate) const RECORDS: &str = "_imports";

/// Name of the column by which the table is partitioned.
pub(crate) const PARTITION: &str = "benchmark";

/// One item answered by one checkpoint; the benchmark is given by the folder that the file is in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ItemRow {
    /// The checkpoint, `org/name`.
    pub id: String,
    /// The item's index or key in the benchmark.
    pub item: String,
    /// Whether it was answered correctly; `None` where the metric does not say so.
    pub correct: Option<bool>,
    /// Value of the item's metric, 0 to 1 where it is a share.
    pub score: Option<f64>,
    /// Name of the metric and, after a comma, of the filter.
    pub metric: Option<String>,
    /// Log-likelihood of the right choice, nats.
    pub loglikelihood: Option<f64>,
    /// The answer: the index of the most likely choice, or the text extracted from the generated output.
    pub prediction: Option<String>,
}

table!(ItemRow, "items", {
    id: Text "" "the checkpoint, `org/name`",
    item: Text "" "the item's number or key in the benchmark",
    correct: Bool "" "answered correctly, where the metric says so",
    score: Float "" "the item's metric, 0 to 1 where it is one",
    metric: Text "" "name of that metric, and after a comma of the filter",
    loglikelihood: Float "nats" "log-likelihood of the right choice",
    prediction: Text "" "number of the likeliest choice, or the text taken from what was generated",
});

/// Views over `items` with their statements, in the order in which they are created.
pub const VIEWS: [(&str, &str); 6] = [
    ("item_difficulty", include_str!("views/item_difficulty.sql")),
    ("items_all_fail", include_str!("views/items_all_fail.sql")),
    ("items_all_solve", include_str!("views/items_all_solve.sql")),
    ("score_bootstrap", include_str!("views/score_bootstrap.sql")),
    (
        "checkpoint_agreement",
        include_str!("views/checkpoint_agreement.sql"),
    ),
    ("paired_comparison", include_str!("views/paired_comparison.sql")),
];
