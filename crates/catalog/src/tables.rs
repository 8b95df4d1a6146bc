//! The row types of the catalog's tables, used throughout the program.
//!
//! Each struct is one table, each field a column of the same name in Parquet and SQL. `id` joins all tables. Absent
//! values are `None`, never zero, an empty string or −1.

mod interventions;
mod training;

use serde::{Deserialize, Serialize};

pub use interventions::Intervention;
pub use training::Training;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;
/// Days since 1970-01-01.
pub type Days = i32;

/// One checkpoint: all that is known of it apart from structure and scores.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Checkpoint {
    /// `org/name`, as the Hub spells it.
    pub id: String,
    /// Commit hash of the weights, where known.
    pub revision: Option<String>,
    /// The part of `id` before the slash.
    pub organisation: Option<String>,
    /// Class name of the Hub's config, for example `LlamaForCausalLM`.
    pub architecture: Option<String>,
    /// `model_type` of the Hub's config, for example `llama`.
    pub model_type: Option<String>,
    /// When it was first published. `None` also for the earliest date that the Hub reports, 2022-03-02T23:29:04Z, which
    /// means unknown.
    pub created_at: Option<Millis>,
    /// When the repository was last changed.
    pub last_modified: Option<Millis>,
    /// Likes on the Hub.
    pub likes: Option<i64>,
    /// Downloads on the Hub in the source's window (30 days, or all time: see the manifest).
    pub downloads: Option<i64>,
    /// Licence as the Hub names it.
    pub license: Option<String>,
    /// Whether it is a mixture of experts.
    pub is_moe: Option<bool>,
    /// Whether it takes more than text.
    pub is_multimodal: Option<bool>,
    /// Whether it was evaluated with, or ships, a chat template.
    pub has_chat_template: Option<bool>,
    /// Whether it was made by merging other checkpoints: by a leaderboard's flag or type, else by the name.
    pub merged: Option<bool>,
    /// Whether it is stored with fewer bits per weight than it was trained with, by its config, tags or name.
    pub quantized: Option<bool>,
    /// Whether it is only an adapter to a base, by a leaderboard's weight type or by the name.
    pub adapter: Option<bool>,
    /// Whether a leaderboard flagged it (contamination, false statements of origin).
    pub flagged: Option<bool>,
    /// The flagged ancestor from which the flag was inherited; `None` where it was not inherited.
    pub flagged_by: Option<String>,
    /// The checkpoint this one was made from.
    pub base: Option<String>,
    /// How it was made from the base: `finetune`, `merge`, `quantized`, `adapter`, or `declared` where only the fact is
    /// known.
    pub base_relation: Option<String>,
    /// Number of parameters in all.
    pub parameters_total: Option<i64>,
    /// Number of parameters active for one token.
    pub parameters_active: Option<i64>,
    /// Number of tokens seen in pre-training, as stated by other works.
    pub training_tokens: Option<i64>,
    /// The source of `training_tokens`, with the confidence it states.
    pub training_tokens_by: Option<String>,
    /// Number of floating-point operations of training, as stated by other works.
    pub training_flop: Option<f64>,
    /// The source of `training_flop`, with the confidence it states.
    pub training_flop_by: Option<String>,
    /// Day of release as a source other than the Hub states it.
    pub released: Option<Days>,
    /// The source of `released`.
    pub released_by: Option<String>,
    /// The last training step that made it, a label used throughout; `None` where nothing states it or the statement is
    /// not credible.
    pub training: Option<Training>,
    /// Evidence for the label: a leaderboard's type, a word of the name, the base, or a copy.
    pub training_by: Option<String>,
}

/// How a checkpoint's structure was found, most reliable first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResolvedBy {
    /// From the checkpoint's own config.
    Exact,
    /// From its base's structure.
    Lineage,
    /// From a base named in its name.
    Name,
    /// The only structure compatible with its architecture and size.
    Size,
    /// Not found.
    #[default]
    None,
}

impl ResolvedBy {
    /// All ways, most reliable first.
    pub const ALL: [Self; 5] = [Self::Exact, Self::Lineage, Self::Name, Self::Size, Self::None];

    /// The word that tables and findings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Lineage => "lineage",
            Self::Name => "name",
            Self::Size => "size",
            Self::None => "none",
        }
    }

    /// The way with that word; `None` if there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == name)
    }
}

/// The dimensions of one checkpoint: the structure columns of the published dataset, same names and units.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Structure {
    /// `org/name`.
    pub id: String,
    /// Billions of parameters.
    pub size: Option<f64>,
    /// Width of the residual stream.
    pub d_model: Option<i64>,
    /// Width of the feed-forward layer (of one expert, where there are several).
    pub d_ffn: Option<i64>,
    /// Attention heads.
    pub heads: Option<i64>,
    /// Decoder layers.
    pub layers: Option<i64>,
    /// Key and value heads.
    pub kv_heads: Option<i64>,
    /// Entries of the vocabulary.
    pub vocab_size: Option<i64>,
    /// Maximum input positions, tokens.
    pub pos: Option<i64>,
    /// Experts of one layer, shared ones not counted; `None` of a dense checkpoint.
    pub experts: Option<i64>,
    /// Of those, the number active for one token.
    pub experts_per_token: Option<i64>,
    /// Number of shared experts, which every token uses.
    pub shared_experts: Option<i64>,
    /// Width of the dense feed-forward layers: of all layers, or of those that a mixture has beside its experts.
    pub d_ffn_dense: Option<i64>,
    /// Feed-forward width that one token passes through in one layer, summed over the experts it uses, if any.
    pub d_ffn_total_active: Option<i64>,
    /// Width of one attention head.
    pub head_dim: Option<i64>,
    /// Whether the output head shares the embedding's weights.
    pub tied_embeddings: Option<bool>,
    /// One letter per layer: F full attention, S sliding window, C latent attention, L linear, M state-space, B
    /// attention and state-space in parallel, V convolution, N none.
    pub attention: Option<String>,
    /// Number of parameters of the language model, computed from its structure by formula.
    pub parameters_by_shape: Option<i64>,
    /// As `parameters_by_shape`, without embeddings, output head and learned positions.
    pub parameters_body: Option<i64>,
    /// As `parameters_by_shape`, counting only what one token uses, embeddings included.
    pub parameters_active_by_shape: Option<i64>,
    /// Day of publication; the one date used in all analyses.
    pub date: Option<Days>,
    /// Kind of `date`: `upload` (to the Hub, as a leaderboard noted it), `stated` (by another source), `created` (on
    /// the Hub), or `submitted` (to a leaderboard, where nothing else is known).
    pub date_by: Option<String>,
    /// How the structure was found.
    pub resolved_by: ResolvedBy,
    /// Where the structure comes from: a source and, unless it is the checkpoint's own, the checkpoint it was taken
    /// from.
    pub source: Option<String>,
    /// Disagreements found while resolving, or the candidates where the structure stayed ambiguous.
    pub conflicts: Option<String>,
}

/// Where one cell of [`Structure`] comes from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// `org/name`.
    pub id: String,
    /// The column of `structures`.
    pub field: String,
    /// The cell, as text.
    pub value: String,
    /// How it is known: `stated` in a source's row of the checkpoint, or derived from what that row states by the rules
    /// of the class's code (four times the width, a head's share of it, letters of layers); `lineage`, `name` or `size`
    /// where it is taken from the checkpoint in `of`; `nearest_names` of the same shape; `formula` from its structure;
    /// `listed` by a leaderboard; `named` by the checkpoint's own name.
    pub how: String,
    /// The checkpoint for which `source` states it.
    pub of: Option<String>,
    /// Path of the source under the sources folder.
    pub source: Option<String>,
    /// Row in the source, from 0; for JSON objects the position of the key.
    pub row: Option<i64>,
}

/// One row of a leaderboard: a checkpoint evaluated once. A checkpoint may have several.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// Key of this table: leaderboard, slash, row number in the source from 0.
    pub evaluation: String,
    /// For example `open-llm-leaderboard-v2`.
    pub leaderboard: String,
    /// `org/name`.
    pub id: String,
    /// Commit hash of the evaluated weights.
    pub revision: Option<String>,
    /// Number format of the weights in the run: `bfloat16`, `float16`, `4bit` …
    pub precision: Option<String>,
    /// What was evaluated: `Original`, `Adapter` or `Delta`.
    pub weight_type: Option<String>,
    /// Kind of checkpoint, plain words without the emoji: `pretrained`, `fine-tuned on domain-specific datasets` …
    pub kind: Option<String>,
    /// Architecture as the leaderboard prints it (`?` and `Unknown` are `None`).
    pub architecture: Option<String>,
    /// Billions of parameters **as the leaderboard prints them**: 0 or −1 where unknown, halved for packed weights.
    /// `Structure::size` is the cleaned value.
    pub listed_size: Option<f64>,
    /// Likes when the table was made.
    pub likes: Option<i64>,
    /// Whether it was made by merging.
    pub merged: Option<bool>,
    /// Whether it is a mixture of experts.
    pub moe: Option<bool>,
    /// Whether it is flagged.
    pub flagged: Option<bool>,
    /// Whether it was evaluated with its chat template.
    pub chat_template: Option<bool>,
    /// Whether one of the leaderboard's official providers published it.
    pub official_provider: Option<bool>,
    /// Emissions of the run, kg CO₂.
    pub co2: Option<f64>,
    /// Licence.
    pub license: Option<String>,
    /// Day the checkpoint was put on the Hub.
    pub uploaded: Option<Days>,
    /// Day the evaluation was requested.
    pub submitted: Option<Days>,
    /// Number of derivation steps from the base, as the leaderboard counts them.
    pub generation: Option<i64>,
    /// Base checkpoint as the leaderboard prints it.
    pub base: Option<String>,
    /// Mean of the leaderboard's benchmarks, as printed, points.
    pub average: Option<f64>,
    /// The evaluation this row repeats, by the rule in `duplicates`; `None` for an evaluation that counts.
    pub duplicate_of: Option<String>,
}

/// One score, in long format: a new benchmark adds rows, not columns.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Score {
    /// The evaluation it belongs to.
    pub evaluation: String,
    /// `org/name`.
    pub id: String,
    /// For example `open-llm-leaderboard-v2`.
    pub leaderboard: String,
    /// Version of the leaderboard's table: a date or a revision.
    pub version: String,
    /// Name as in the findings: `arc`, `hellaswag`, `mmlu_pro` …
    pub benchmark: String,
    /// The score: points (0 to 100), or in the unit of `unit`.
    pub value: f64,
    /// Unit of `value`: `points`, `tokens/s`, `MB` …
    pub unit: String,
    /// The metric: `acc`, `acc_norm`, `exact_match`, `pass@1` …
    pub metric: Option<String>,
    /// `raw` as the metric gives it, or `normalised`: 0 at chance, 100 at best.
    pub scale: Option<String>,
    /// Number format of the weights in the run.
    pub precision: Option<String>,
    /// Few-shot examples in the prompt.
    pub shots: Option<i64>,
    /// Chat template applied.
    pub chat_template: Option<bool>,
    /// Everything else about the setting that affects comparability (backend, quantization …).
    pub setting: Option<String>,
    /// Reasoning mode in which the weights were run: `thinking`, `no-thinking`, `effort high` …; `None` where none was
    /// set.
    pub mode: Option<String>,
    /// The part of the benchmark that was used: `test` or `validation`, where the board distinguishes them.
    pub split: Option<String>,
    /// Standard error as published, in the value's unit.
    pub error: Option<f64>,
    /// Half the width of the 95 % interval as published, in the value's unit.
    pub half_width: Option<f64>,
    /// The program that ran the benchmark, and its version.
    pub harness: Option<String>,
    /// Day of the evaluation or submission.
    pub date: Option<Days>,
    /// First 16 hexadecimal digits of the source's SHA-256.
    pub snapshot: String,
}

/// What was left out of a table, and why.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reject {
    /// Path of the source under the sources folder.
    pub source: String,
    /// Row in the source, from 0; for JSON objects the position of the key.
    pub row: i64,
    /// The field at fault; empty where the whole row is.
    pub field: String,
    /// The value as it stood there (cut after 200 characters).
    pub raw: String,
    /// Name of the rule that was broken, and what it found.
    pub reason: String,
    /// True where the whole row was left out, false where only the field was set to null.
    pub whole_row: bool,
}

/// A disagreement about one checkpoint between two sources, or between a column and a name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Conflict {
    /// `org/name`.
    pub id: String,
    /// The column they disagree on.
    pub field: String,
    /// The value that was kept.
    pub kept: String,
    /// The source of `kept`.
    pub kept_source: String,
    /// The value that was not kept.
    pub other: String,
    /// The source of `other`.
    pub other_source: String,
    /// The rule that decided.
    pub rule: String,
}

/// An evaluation that repeats another: the same checkpoint again, or the same scores under another name.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Duplicate {
    /// The repeat.
    pub evaluation: String,
    /// Its checkpoint.
    pub id: String,
    /// The evaluation that is kept in its stead.
    pub kept: String,
    /// The checkpoint of `kept`.
    pub kept_id: String,
    /// `same_checkpoint` or `same_scores`.
    pub rule: String,
}

/// One item of one benchmark, answered by one checkpoint: what per-sample files hold.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Item {
    /// `org/name`.
    pub id: String,
    /// Name of the benchmark.
    pub benchmark: String,
    /// The item's index or key in the benchmark.
    pub item: String,
    /// Whether it was answered correctly; `None` where the metric does not say so.
    pub correct: Option<bool>,
    /// Value of the item's metric, 0 to 1 where it is a share.
    pub score: Option<f64>,
    /// Name of that metric.
    pub metric: Option<String>,
    /// Log-likelihood of the target choice, nats.
    pub loglikelihood: Option<f64>,
    /// The file it was read from.
    pub source: String,
}

/// Accuracy of one way of resolving structures: each checkpoint with a known structure is held out in turn and resolved
/// that way.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Accuracy {
    /// Which checkpoints were held out: `evaluated`, `all`, all of one kind (`usual`, `vocabulary changed`,
    /// `depth or width edited`, `packed`, `mixture`, `unknown architecture`), or `organisation out`. For
    /// `outside parameters` and `outside vocabulary` nothing was held out, and `right` counts agreement within two per
    /// cent with a count from outside.
    pub scope: String,
    /// `lineage`, `name`, `size`, or `all` (the ways in their order); `nearest kv_heads` and its siblings for the
    /// columns beside the shape, where `right` means equal in that column and the fields below are 0.
    pub way: String,
    /// Number of checkpoints held out, one at a time.
    pub held_out: i64,
    /// Number of those that this way resolved.
    pub answered: i64,
    /// Number of those equal in layers, `d_model`, `d_ffn` and heads.
    pub right: i64,
    /// Number equal in layers.
    pub right_layers: i64,
    /// Number equal in `d_model`.
    pub right_d_model: i64,
    /// Number equal in `d_ffn`.
    pub right_d_ffn: i64,
    /// Number equal in heads.
    pub right_heads: i64,
}

/// One source: where it came from and what became of its rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Source {
    /// Path under the sources folder.
    pub path: String,
    /// Kind of the source, for example `open-llm-leaderboard-v2`.
    pub name: String,
    /// Where it was published.
    pub address: String,
    /// Revision, commit or date of the copy.
    pub revision: String,
    /// SHA-256 of the bytes, hexadecimal.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Number of rows read.
    pub rows_in: u64,
    /// Number of rows that a table holds.
    pub kept: u64,
    /// Number of rows left out whole; `rows_in = kept + rejected`.
    pub rejected: u64,
    /// Number of rows left out whole, by reason.
    pub rejected_by_reason: std::collections::BTreeMap<String, u64>,
    /// Number of rows kept but marked as repeats of another.
    pub duplicates: u64,
    /// The licence under which it was published; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Whom to credit where its rows are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attribution: Option<String>,
}

/// `manifest.json`: what the tables were made from, and their hashes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the tables' schema.
    pub schema_version: u32,
    /// The identity of this catalog: SHA-256 over the names and hashes of its tables.
    pub catalog_sha256: String,
    /// Sources in the order they were read.
    pub sources: Vec<Source>,
    /// SHA-256 and rows of each table's file.
    pub tables: std::collections::BTreeMap<String, TableFile>,
}

/// One Parquet file of the catalog.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TableFile {
    /// File name in the catalog's folder.
    pub file: String,
    /// Number of rows.
    pub rows: u64,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
}
