//! What sources say: facts of checkpoints, scores, items, and what was left out; and where readers put them.

use std::collections::BTreeMap;

pub(crate) use crate::config::dimensions::{DIMENSIONS, DimensionValues};
use crate::config::stated::Makeup;
use crate::error::{Error, cut};
use crate::tables::{Days, Evaluation, Intervention, Item, Millis, Reject, Score};

/// Where something stands: a source by number, and the row in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) source: u16,
    pub(crate) row: u32,
}

impl Place {
    /// Nowhere yet.
    pub(crate) const NONE: Self = Self { source: 0, row: 0 };

    /// Row `row` of source number `source`; rows beyond the four billionth are called the last.
    pub(crate) fn new(source: u16, row: u64) -> Self {
        Self {
            source,
            row: u32::try_from(row).unwrap_or(u32::MAX),
        }
    }
}

/// Everything one source says of one checkpoint. Absent is `None`.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says one thing of a checkpoint"
)]
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Observed {
    pub(crate) id: String,
    pub(crate) dimensions: DimensionValues,
    /// Width of one head where it is stated: then heads need not divide `d_model`.
    pub(crate) head_dim: Option<i64>,
    /// What its layers hold beside the dimensions.
    pub(crate) makeup: Makeup,
    /// Exact counts.
    pub(crate) parameters_total: Option<i64>,
    pub(crate) parameters_active: Option<i64>,
    /// Billions, as a leaderboard lists it (rounded, unknown, or of packed weights).
    pub(crate) listed_size: Option<f64>,
    pub(crate) architecture: Option<String>,
    pub(crate) model_type: Option<String>,
    pub(crate) revision: Option<String>,
    pub(crate) created_at: Option<Millis>,
    pub(crate) last_modified: Option<Millis>,
    /// Day of publication, and whether it is only the day of submission.
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
    /// A leaderboard's type of checkpoint is one of merges.
    pub(crate) kind_merged: Option<bool>,
    pub(crate) training_tokens: Option<i64>,
    /// A study of checkpoints trained from scratch lists it.
    pub(crate) from_scratch: bool,
    /// Floating-point operations of training.
    pub(crate) training_flop: Option<f64>,
    /// How sure the source calls itself of tokens and operations.
    pub(crate) confidence: Option<String>,
    /// Day of release as a source other than the Hub states it.
    pub(crate) released: Option<Days>,
    pub(crate) flagged: Option<bool>,
    /// The weights are not whole numbers of bits per parameter as stored, or only a part: sizes listed are not sizes.
    pub(crate) packed: bool,
    /// The listed size was counted, if only in whole billions.
    pub(crate) measured: bool,
    /// Whether the source tells what kind of weights it evaluated.
    pub(crate) weight_type: bool,
    /// Only an adapter or a difference to a base.
    pub(crate) adapter: bool,
}

/// What a reader finds in a row.
pub(crate) enum Fact {
    /// Something about a checkpoint, and the row that says it.
    Observed(u64, Box<Observed>),
    /// A row of a leaderboard with its scores.
    Evaluation(Box<Evaluation>, Vec<Score>),
    /// One item of a benchmark.
    Item(Box<Item>),
    /// One score of a run whose structure was changed on purpose.
    Intervention(Box<Intervention>),
    /// What a row of a board outside says of a checkpoint: to compare with, and its count where nobody else has one.
    Outside(Outside, u64),
    /// A field or row left out.
    Reject(Reject),
}

/// Where a reader puts what it finds; counts rows as it goes.
pub(crate) struct Out<'a> {
    file: String,
    kept_row: Option<u64>,
    rejected_row: Option<u64>,
    /// Rows of which something was kept.
    pub(crate) kept: u64,
    /// Rows left out whole.
    pub(crate) rejected: u64,
    /// The same by reason.
    pub(crate) by_reason: BTreeMap<String, u64>,
    sink: &'a mut dyn FnMut(Fact) -> Result<(), Error>,
}

impl<'a> Out<'a> {
    /// Facts of `file` go to `sink`.
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

    /// Row `row` says something about a checkpoint.
    pub(crate) fn observe(&mut self, row: u64, observed: Observed) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Observed(row, Box::new(observed)))
    }

    /// Row `row` is one of a leaderboard, with its scores.
    pub(crate) fn evaluation(
        &mut self,
        row: u64,
        evaluation: Evaluation,
        scores: Vec<Score>,
    ) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Evaluation(Box::new(evaluation), scores))
    }

    /// Row `row` says something to compare with.
    pub(crate) fn outside(&mut self, row: u64, outside: Outside) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Outside(outside, row))
    }

    /// Row `row` is one item of a benchmark.
    pub(crate) fn item(&mut self, row: u64, item: Item) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Item(Box::new(item)))
    }

    /// Row `row` is a score of a run whose structure was changed on purpose.
    pub(crate) fn intervention(&mut self, row: u64, intervention: Intervention) -> Result<(), Error> {
        self.keep(row);
        (self.sink)(Fact::Intervention(Box::new(intervention)))
    }

    /// Row `row` is left out whole.
    pub(crate) fn reject_row(&mut self, row: u64, field: &str, raw: &str, reason: &str) -> Result<(), Error> {
        if self.rejected_row != Some(row) {
            self.rejected_row = Some(row);
            self.rejected += 1;
            *self.by_reason.entry(reason.to_owned()).or_insert(0) += 1;
        }
        self.reject(row, field, raw, reason, true)
    }

    /// Field `field` of row `row` is set to null.
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

/// `org/name` with the organisation's part, `None` for names without one.
pub(crate) fn organisation(id: &str) -> Option<&str> {
    id.split_once('/')
        .map(|(organisation, _)| organisation)
        .filter(|organisation| !organisation.is_empty())
}

/// What a board says of one checkpoint.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Outside {
    pub(crate) id: String,
    /// A count.
    pub(crate) parameters: Option<f64>,
    /// Entries of the tokenizer.
    pub(crate) vocabulary: Option<f64>,
}
