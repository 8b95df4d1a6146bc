//! The errors of this crate, with the values that caused them.

use std::path::PathBuf;

/// Every error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A path holds none of the files that make a checkpoint.
    #[error("{} holds no checkpoint: no {missing}", path.display())]
    NoCheckpoint {
        /// The folder or file.
        path: PathBuf,
        /// The files that were looked for.
        missing: &'static str,
    },
    /// A folder holds something other than a checkpoint, a checkpoint in an unsupported format, or only part of one.
    #[error("{}: {what}", path.display())]
    OtherFiles {
        /// The folder.
        path: PathBuf,
        /// What it holds, and how to proceed.
        what: String,
    },
    /// A file's content does not match its name or first bytes.
    #[error("{}: {what} at byte {at}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong there.
        what: String,
        /// Offset in the file, bytes.
        at: u64,
    },
    /// A tensor the architecture needs is not in the files.
    #[error("tensor `{name}` is missing; the file has {n_tensors} tensors")]
    MissingTensor {
        /// The tensor's name as stored.
        name: String,
        /// Number of tensors in the files.
        n_tensors: usize,
    },
    /// A tensor's shape differs from the configuration.
    #[error("tensor `{name}` has shape {found:?} but the configuration asks for {expected:?}")]
    TensorShape {
        /// The tensor's name as stored.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape required by the configuration.
        expected: Vec<usize>,
    },
    /// A tensor is stored in an unsupported type.
    #[error("tensor `{name}` is stored as {dtype}, which is not supported")]
    TensorType {
        /// The tensor's name as stored.
        name: String,
        /// The storage type.
        dtype: String,
    },
    /// The decoder does not support the architecture.
    #[error("architecture `{architecture}` is not supported: {missing}")]
    Architecture {
        /// `model_type` or `general.architecture`.
        architecture: String,
        /// What the decoder lacks for it.
        missing: String,
    },
    /// A configuration field is missing or invalid.
    #[error("configuration field `{field}`: {what}")]
    Config {
        /// The field's name as stored.
        field: String,
        /// What is wrong with it.
        what: String,
    },
    /// The tokenizer could not be read or applied.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// A token id is outside the vocabulary.
    #[error("token id {id} is outside the vocabulary of {vocab_size}")]
    TokenId {
        /// The id.
        id: u32,
        /// Number of embeddings.
        vocab_size: usize,
    },
    /// A text is longer than the number of learned positions of the checkpoint.
    #[error("text {text} has {tokens} tokens but the checkpoint knows {max_positions} positions")]
    TooLong {
        /// Index of the text.
        text: usize,
        /// Its length, tokens.
        tokens: usize,
        /// Number of positions of the checkpoint.
        max_positions: usize,
    },
    /// Nothing to compute on.
    #[error("no {what} to run on: {reason}")]
    Empty {
        /// What was expected.
        what: &'static str,
        /// Why it is missing.
        reason: String,
    },
    /// A sample has no token to learn from.
    #[error(
        "sample {sample} has {prompt_tokens} prompt tokens and {response_tokens} response tokens; each needs one"
    )]
    EmptySample {
        /// Index of the sample.
        sample: usize,
        /// Tokens of its prompt.
        prompt_tokens: usize,
        /// Tokens of its response.
        response_tokens: usize,
    },
    /// A layer index that the checkpoint does not have.
    #[error("layer {layer} does not exist: the checkpoint has {n_layers} layers")]
    Layer {
        /// The requested layer.
        layer: usize,
        /// Number of layers of the checkpoint.
        n_layers: usize,
    },
    /// A request to remove all layers or more.
    #[error("cannot remove {asked} of {n_layers} layers: at least one must stay")]
    TooManyLayers {
        /// Number of layers to remove.
        asked: usize,
        /// Number of layers of the checkpoint.
        n_layers: usize,
    },
    /// A part cannot be cut as requested.
    #[error("{part} cannot be cut so: {what}")]
    Cut {
        /// The part.
        part: &'static str,
        /// What is wrong, with the values.
        what: String,
    },
    /// An observer returned a replacement of the wrong length.
    #[error("the observer returned {found} values for {site}, which has {expected}")]
    Replacement {
        /// The site's name.
        site: String,
        /// Number of values returned.
        found: usize,
        /// Number of values at the site.
        expected: usize,
    },
    /// A method that is not implemented for this architecture.
    #[error("{method} is not available for {what}")]
    Unavailable {
        /// The method.
        method: &'static str,
        /// The part of the architecture that prevents it.
        what: &'static str,
    },
    /// A benchmark that is not supported.
    #[error("unknown task `{name}`; there are {known}")]
    UnknownTask {
        /// The requested name.
        name: String,
        /// The supported names.
        known: String,
    },
    /// A benchmark's file is missing from its folder.
    #[error("{} has no {split} of {task}: looked for {split}*.jsonl and {split}*.jsonl.gz", folder.display())]
    NoBenchmark {
        /// The benchmark's folder.
        folder: PathBuf,
        /// The task.
        task: String,
        /// `train`, `test` and so on.
        split: &'static str,
    },
    /// A benchmark's folder cannot be read, or its files do not form one split.
    #[error("{} {what}", folder.display())]
    BenchmarkFiles {
        /// The benchmark's folder.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A line of a benchmark file lacks what the task needs.
    #[error("{}, line {line}: {what}", path.display())]
    BenchmarkLine {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Fewer examples than few-shot prompts need.
    #[error("{task}: {shots} shots asked for, but there are {examples} examples to draw them from")]
    Shots {
        /// The task.
        task: String,
        /// Requested number of shots.
        shots: usize,
        /// Number of examples.
        examples: usize,
    },
    /// An item table holds other items than this evaluation.
    #[error("{}, line {line}: {found} stands where this evaluation has {expected}", path.display())]
    OtherItems {
        /// The table.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// Task and document in the table.
        found: String,
        /// Task and document of this evaluation.
        expected: String,
    },
    /// There is no room for the tokens to be generated.
    #[error("{tokens} tokens are to be generated, but the checkpoint knows {max_positions} positions")]
    NoRoom {
        /// Tokens to generate.
        tokens: usize,
        /// Number of positions of the checkpoint.
        max_positions: usize,
    },
    /// An adapter does not belong to this checkpoint and these settings.
    #[error("the adapter in {} does not fit: {what}", path.display())]
    Adapter {
        /// Folder of the adapter.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A GPU cannot be used, or failed.
    #[error("the card: {0}")]
    Card(String),
    /// A numerical routine did not converge.
    #[error("the {routine} of a {rows}x{columns} matrix did not converge")]
    NoConvergence {
        /// Name of the routine.
        routine: &'static str,
        /// Number of rows of the matrix.
        rows: usize,
        /// Number of columns of the matrix.
        columns: usize,
    },
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
