//! The question behind `predict`: a checkpoint, a config or dimensions, and how the model is to be run.

use catalog::cost::{Device, Dimensions, Rig};
use catalog::tables::Days;
use study::regression::SavedFit;

use super::cost::Setup;
use super::gguf_file::GgufFile;

/// The subject of a question.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// A checkpoint of the catalog.
    Id(String),
    /// The content of a `config.json`, and a name for it.
    Config { name: String, config: serde_json::Value },
    /// Bare dimensions.
    Dimensions(Dimensions),
}

/// The question of `predict`.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) subject: Subject,
    /// Date of publication. `None`: a checkpoint's own, else the latest date among a benchmark's rows.
    pub(crate) date: Option<Days>,
    /// Whether it is only pretrained, without chat or instruction tuning. `None`: a checkpoint's own label, else false.
    pub(crate) pretrained: Option<bool>,
    /// Whether it is a merge. `None`: a checkpoint's own label, else false.
    pub(crate) merged: Option<bool>,
    /// Benchmarks to predict; those of the usual boards where empty.
    pub(crate) benchmarks: Vec<String>,
    /// Devices for which decoding speed is bounded.
    pub(crate) devices: Vec<Device>,
    /// Context lengths (tokens) for which memory and decoding speed are computed.
    pub(crate) contexts: Vec<i64>,
    /// Engine and number types for which memory and speed are reported in detail.
    pub(crate) setup: Setup,
    /// The machine it runs on, for its speed and the placement of the weights; `None`: the first device alone.
    pub(crate) rig: Option<Rig>,
    /// A GGUF file with the weights.
    pub(crate) file: Option<GgufFile>,
    /// A sweep over one dimension, in addition.
    pub(crate) sweep: Option<Sweep>,
    /// A saved fit to predict with, in addition.
    pub(crate) fit: Option<SavedFit>,
}

impl Question {
    /// A question about a subject with default settings.
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

/// One dimension varied over a range at a constant number of parameters; `sweep/resize.rs` adjusts the others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sweep {
    /// Name of the dimension: `layers`, `d_model`, `d_ffn` or `kv_heads`.
    pub(crate) over: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) step: i64,
}
