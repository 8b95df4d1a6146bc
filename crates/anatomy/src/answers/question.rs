//! The question of `predict`: a checkpoint, a config or dimensions, and how it is to run.

use catalog::cost::{Device, Dimensions, Rig};
use catalog::tables::Days;
use study::regression::SavedFit;

use super::cost::Setup;
use super::gguf_file::GgufFile;

/// What is asked about.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A checkpoint of the catalog.
    Id(String),
    /// A `config.json`, and what it is called.
    Config { name: String, config: serde_json::Value },
    /// Dimensions.
    Dimensions(Dimensions),
}

/// The question of `predict`.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) subject: Subject,
    /// Day of publication; of a checkpoint its own, else the last day that a leaderboard's rows know.
    pub(crate) date: Option<Days>,
    /// Pretrained only, no chat or instruction tuning; of a checkpoint as it is, else false.
    pub(crate) pretrained: Option<bool>,
    /// Made by merging; of a checkpoint as it is, else false.
    pub(crate) merged: Option<bool>,
    /// Benchmarks; all where empty.
    pub(crate) benchmarks: Vec<String>,
    /// Devices whose decoding is bounded.
    pub(crate) devices: Vec<Device>,
    /// Positions for which memory and decoding are computed, tokens.
    pub(crate) contexts: Vec<i64>,
    /// Engine and types of numbers for which memory and speed are told in full.
    pub(crate) setup: Setup,
    /// What it runs on, for its speed and where it lies; the first device alone where `None`.
    pub(crate) rig: Option<Rig>,
    /// A file whose weights it has.
    pub(crate) file: Option<GgufFile>,
    /// A what-if besides.
    pub(crate) sweep: Option<Sweep>,
    /// A kept fit that predicts besides.
    pub(crate) fit: Option<SavedFit>,
}

impl Question {
    /// Everything about a subject, at the usual contexts.
    pub(crate) fn about(subject: Subject) -> Self {
        Self {
            subject,
            date: None,
            pretrained: None,
            merged: None,
            benchmarks: Vec::new(),
            devices: Vec::new(),
            contexts: vec![2_048, 8_192, 32_768],
            setup: Setup::default(),
            rig: None,
            file: None,
            sweep: None,
            fit: None,
        }
    }
}

/// One dimension through a range, the others as they are, the width chosen so that the parameters stay.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    /// `layers`, `d_model`, `d_ffn` or `kv_heads`.
    pub(crate) over: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: i64,
}
