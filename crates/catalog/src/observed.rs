//! The facts that readers take from sources (about checkpoints, scores, items, and what was left out), and the sink
//! that readers put them into.

use std::collections::BTreeMap;

pub(crate) use crate::config::dimensions::{DIMENSIONS, DimensionValues};
use crate::config::stated::Makeup;
use crate::error::{Error, cut};
use crate::tables::{Days, Evaluation, Intervention, Item, Millis, Reject, Score};

/// A position in the sources: the number of a source and a row in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) source: u16,
    pub(crate) row: u32,
}

impl Place {
    /// No position known yet.
    pub(crate) const NONE: Self = Self { source: 0, row: 0 };

    /// Row `row` of the source with number `source`; rows that do not fit into 32 bits are given the largest row
    /// number.
    pub(crate) fn new(source: u16, row: u64) -> Self {
        Self {
            source,
            row: u32::try_from(row).unwrap_or(u32::MAX),
        }
    }
}

/// Everything one source says of one checkpoint; `None` where it says nothing.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of a checkpoint"
)]
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) id: String,
    pub(crate) dimensions: DimensionValues,
    /// Width of one head where it is stated; heads need then not divide `d_model`.
    pub(crate) head_dim: Option<i64>,
    /// What its layers consist of beside the dimensions.
    pub(crate) makeup: Makeup,
    /// Exact counts of parameters.
    pub(crate) parameters_total: Option<i64>,
    pub(crate) parameters_active: Option<i64>,
    /// Billions of parameters as a leaderboard lists them (possibly rounded, unknown, or of packed weights).
    pub(crate) listed_size: Option<f64>,
    pub(crate) architecture: Option<String>,
    pub(crate) model_type: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) created_at: Option<Millis>,
    pub(crate) last_modified: Option<Millis>,
    /// Day of publication; where only the day of submission is known, it is in `submitted`.
    pub(crate) date: Option<Days>,
    pub(crate) submitted: Option<Days>,
    pub(crate) likes: Option<i64>,
    pub(crate) downloads: Option<i64>,
    pub(crate) license: Option<String>,
    pub(crate) base: Option<String>,
    pub(crate) base_relation: Option<String>,
    pub(crate) is_moe: Option<bool>,
    pub(crate) is_multimodal: Option<bool>,
    pub(crate) has_chat_template: Option<bool>,
    pub(crate) merged: Option<bool>,
    /// Whether a leaderboard's type of checkpoint is the one for merges.
    pub(crate) kind_merged: Option<bool>,
    pub(crate) training_tokens: Option<i64>,
    /// Whether a study of checkpoints trained from scratch lists it.
    pub(crate) from_scratch: bool,
    /// Floating-point operations of training.
    pub(crate) training_flop: Option<f64>,
    /// How confident the source states it is of tokens and operations.
    pub(crate) confidence: Option<String>,
    /// Day of release as a source other than the Hub states it.
    pub(crate) released: Option<Days>,
    pub(crate) flagged: Option<bool>,
    /// Whether the weights are stored packed (quantized) or are only a part of a model, so that listed sizes are not
    /// its size.
    pub(crate) packed: bool,
    /// Whether the listed size was counted, if only in whole billions, rather than copied from the name.
    pub(crate) measured: bool,
    /// Whether the source states what kind of weights it evaluated.
    pub(crate) weight_type: bool,
    /// Whether it is only an adapter or a difference to a base.
    pub(crate) adapter: bool,
}

/// What a reader finds in a row; `u64` is the row.
pub(crate) enum Fact {
    /// Something about a checkpoint, and the row that says it.
    Observed(u64, Box<Observed>),
    /// A row of a leaderboard with its scores.
    Evaluation(Box<Evaluation>, Vec<Score>),
    /// One item of a benchmark.
    Item(Box<Item>),
    /// One score of a run whose structure was changed on purpose.
    Intervention(Box<Intervention>),
    /// What a row of an outside board says of a checkpoint: for comparison, and its count is used where no other source
    /// has one.
    Outside(Outside, u64),
    /// A field or row left out.
    Reject(Reject),
}

/// The sink of a reader: passes on what the reader finds, and counts rows.
pub(crate) struct Out<'a> {
    file: String,
    kept_row: Option<u64>,
    rejected_row: Option<u64>,
    /// Number of rows from which something was kept.
    pub(crate) kept: u64,
    /// Number of rows left out whole.
    pub(crate) rejected: u64,
    /// Number of rows left out whole, by reason.
    pub(crate) by_reason: BTreeMap<String, u64>,
    sink: &'a mut dyn FnMut(Fact) -> Result<(), Error>,
}

impl<'a> Out<'a> {
    /// A sink that passes the facts of `file` on to `sink`.
    pub(crate) fn new(file: &str, sink: &'a mut dyn FnMut(Fact) -> Result<(), Error>) -> Self {
        Self {
            file: file.to_owned(),
            kept_row: None,
            rejected_row: None,
            kept: 0,
            rejected: 0,
            by_reason: BTreeMap::new(),
            sink,
        }
    }

    fn keep(&mut self, row: u64) {
        if self.kept_row != Some(row) {
            self.kept_row = Some(row);
            self.kept += 1;
        }
    }

    /// Passes on what row `row` says about a checkpoint.
    pub(crate) fn observe(&mut self, row: u64, observed: Observed) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Observed(row, Box::new(observed)))
    }

    /// Passes on row `row` of a leaderboard with its scores.
    pub(crate) fn evaluation(
        &mut self,
        row: u64,
        evaluation: Evaluation,
        scores: Vec<Score>,
    ) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Evaluation(Box::new(evaluation), scores))
    }

    /// Passes on what row `row` says for comparison only.
    pub(crate) fn outside(&mut self, row: u64, outside: Outside) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Outside(outside, row))
    }

    /// Passes on row `row`, one item of a benchmark.
    pub(crate) fn item(&mut self, row: u64, item: Item) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Item(Box::new(item)))
    }

    /// Passes on row `row`, a score of a run whose structure was changed on purpose.
    pub(crate) fn intervention(&mut self, row: u64, intervention: Intervention) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Intervention(Box::new(intervention)))
    }

    /// Records that row `row` is left out whole.
    pub(crate) fn reject_row(&mut self, row: u64, field: &str, raw: &str, reason: &str) -> Result<(), Error> {
        if self.rejected_row != Some(row) {
            self.rejected_row = Some(row);
            self.rejected += 1;
            *self.by_reason.entry(reason.to_owned()).or_insert(0) += 1;
        }
        self.reject(row, field, raw, reason, true)
    }

    /// Records that field `field` of row `row` is set to null.
    pub(crate) fn reject_field(
        &mut self,
        row: u64,
        field: &str,
        raw: &str,
        reason: &str,
    ) -> Result<(), Error> {
        self.reject(row, field, raw, reason, false)
    }

    fn reject(
        &mut self,
        row: u64,
        field: &str,
        raw: &str,
        reason: &str,
        whole_row: bool,
    ) -> Result<(), Error> {
        (self.sink)(Fact::Reject(Reject {
            source: self.file.clone(),
            row: i64::try_from(row).unwrap_or(i64::MAX),
            field: field.to_owned(),
            raw: cut(raw),
            reason: reason.to_owned(),
            whole_row,
        }))
    }
}

/// The organisation of `org/name`; `None` for names without one.
pub(crate) fn organisation(id: &str) -> Option<&str> {
    id.split_once('/')
        .map(|(organisation, _)| organisation)
        .filter(|organisation| !organisation.is_empty())
}

/// What an outside board says of one checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outside {
    pub(crate) id: String,
    /// Number of parameters.
    pub(crate) parameters: Option<f64>,
    /// Number of tokenizer entries.
    pub(crate) vocabulary: Option<f64>,
}
