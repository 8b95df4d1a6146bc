//! What can go wrong with a checkpoint, with the values that clashed.

use std::path::PathBuf;

/// Everything this crate can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A folder holds none of the files that make a checkpoint.
    #[error("{} holds no checkpoint: no {missing}", path.display())]
    NoCheckpoint {
        /// The folder or file.
        path: PathBuf,
        /// What was looked for.
        missing: &'static str,
    },
    /// A folder holds something else than a checkpoint that can be read, or only a part of one.
    #[error("{}: {what}", path.display())]
    OtherFiles {
        /// The folder.
        path: PathBuf,
        /// What it holds, and what to do.
        what: String,
    },
    /// A file is not what its name or first bytes promise.
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
        /// How many tensors there are.
        n_tensors: usize,
    },
    /// A tensor has another shape than the configuration says.
    #[error("tensor `{name}` has shape {found:?} but the configuration asks for {expected:?}")]
    TensorShape {
        /// The tensor's name as stored.
        name: String,
        /// Shape in the file.
        found: Vec<usize>,
        /// Shape by the configuration.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a type that is not read here.
    #[error("tensor `{name}` is stored as {dtype}, which is not supported")]
    TensorType {
        /// The tensor's name as stored.
        name: String,
        /// The storage type.
        dtype: String,
    },
    /// The architecture is not one of those the decoder covers.
    #[error("architecture `{architecture}` is not supported: {missing}")]
    Architecture {
        /// `model_type` or `general.architecture`.
        architecture: String,
        /// What the decoder lacks for it.
        missing: String,
    },
    /// A configuration field is absent or senseless.
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
    /// A token id lies outside the vocabulary.
    #[error("token id {id} is outside the vocabulary of {vocab_size}")]
    TokenId {
        /// The id.
        id: u32,
        /// Number of embeddings.
        vocab_size: usize,
    },
    /// A text is longer than the checkpoint's learned positions.
    #[error("text {text} has {tokens} tokens but the checkpoint knows {max_positions} positions")]
    TooLong {
        /// Index of the text.
        text: usize,
        /// Its length, tokens.
        tokens: usize,
        /// Positions of the checkpoint.
        max_positions: usize,
    },
    /// Nothing to compute on.
    #[error("no {what} to run on: {reason}")]
    Empty {
        /// What was expected.
        what: &'static str,
        /// Why there is none.
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
    /// A layer number that the checkpoint does not have.
    #[error("layer {layer} does not exist: the checkpoint has {n_layers} layers")]
    Layer {
        /// The layer asked for.
        layer: usize,
        /// Layers there are.
        n_layers: usize,
    },
    /// Asked to remove more layers than there are.
    #[error("cannot remove {asked} of {n_layers} layers: at least one must stay")]
    TooManyLayers {
        /// Layers to remove.
        asked: usize,
        /// Layers there are.
        n_layers: usize,
    },
    /// A part cannot be cut as asked.
    #[error("{part} cannot be cut so: {what}")]
    Cut {
        /// The part.
        part: &'static str,
        /// What is wrong, with the values.
        what: String,
    },
    /// An activation of a replacing observer has another length than the site.
    #[error("the observer returned {found} values for {site}, which has {expected}")]
    Replacement {
        /// The site's name.
        site: String,
        /// Values handed back.
        found: usize,
        /// Values the site has.
        expected: usize,
    },
    /// A method that does not exist for this architecture yet.
    #[error("{method} is not available for {what}")]
    Unavailable {
        /// The method.
        method: &'static str,
        /// The part of the architecture that is in the way.
        what: &'static str,
    },
    /// A benchmark that is not known here.
    #[error("unknown task `{name}`; there are {known}")]
    UnknownTask {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A benchmark's file is not in the folder.
    #[error("{} has no {split} of {task}: looked for {split}*.jsonl and {split}*.jsonl.gz", folder.display())]
    NoBenchmark {
        /// The benchmark's folder.
        folder: PathBuf,
        /// The task.
        task: String,
        /// `train`, `test` and so on.
        split: &'static str,
    },
    /// A benchmark's folder cannot be read, or its files are not those of one split.
    #[error("{} {what}", folder.display())]
    BenchmarkFiles {
        /// The benchmark's folder.
        folder: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A line of a benchmark is not what the task needs.
    #[error("{}, line {line}: {what}", path.display())]
    BenchmarkLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
    /// Fewer examples than shots.
    #[error("{task}: {shots} shots asked for, but there are {examples} examples to draw them from")]
    Shots {
        /// The task.
        task: String,
        /// Shots asked for.
        shots: usize,
        /// Examples there are.
        examples: usize,
    },
    /// An item table holds other items than those of this evaluation.
    #[error("{}, line {line}: {found} stands where this evaluation has {expected}", path.display())]
    OtherItems {
        /// The table.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Task and document there.
        found: String,
        /// Task and document of this evaluation.
        expected: String,
    },
    /// A context leaves no room for what is to be generated.
    #[error("{tokens} tokens are to be generated, but the checkpoint knows {max_positions} positions")]
    NoRoom {
        /// Tokens to generate.
        tokens: usize,
        /// Positions of the checkpoint.
        max_positions: usize,
    },
    /// An adapter is not one of this checkpoint and these settings.
    #[error("the adapter in {} does not fit: {what}", path.display())]
    Adapter {
        /// Its folder.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A card cannot be used, or failed.
    #[error("the card: {0}")]
    Card(String),
    /// A numerical routine did not converge.
    #[error("the {routine} of a {rows}x{columns} matrix did not converge")]
    NoConvergence {
        /// The routine.
        routine: &'static str,
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        columns: usize,
    },
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
