//! Converts texts to token ids and back, with a `tokenizer.json` or the vocabulary of a GGUF file.

mod gguf;
mod pre;

use std::path::Path;

use crate::error::{Error, Result};
use crate::gguf::Gguf;

/// A tokenizer of a checkpoint.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Read`] if the file cannot be read, [`Error::Tokenizer`] if it is not a tokenizer.
    pub fn from_file(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Self::from_json(&bytes)
    }

    fn from_json(bytes: &[u8]) -> Result<Self> {
        let mut inner =
            tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| Error::Tokenizer(e.to_string()))?;
        // Some files set a maximum length; here texts are never truncated silently.
        inner
            .with_truncation(None)
            .map_err(|e| Error::Tokenizer(e.to_string()))?;
        inner.with_padding(None);
        Ok(Self { inner })
    }

    /// Builds the tokenizer that a GGUF file describes.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the vocabulary is missing or of an unsupported kind.
    pub fn from_gguf(file: &Gguf) -> Result<Self> {
        let json = gguf::tokenizer_json(file)?;
        let bytes = serde_json::to_vec(&json).map_err(|e| Error::Tokenizer(e.to_string()))?;
        Self::from_json(&bytes)
    }

    /// Token ids of a text; `special` adds the checkpoint's special tokens (such as a beginning-of-sequence token).
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the tokenizer cannot encode the text.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>> {
        let encoding = self
            .inner
            .encode_fast(text, special)
            .map_err(|e| Error::Tokenizer(e.to_string()))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// Text of token ids, including special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if an id is unknown.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.decoded(ids, false)
    }

    /// Text of token ids without special tokens.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if an id is unknown.
    pub fn decode_plain(&self, ids: &[u32]) -> Result<String> {
        self.decoded(ids, true)
    }

    fn decoded(&self, ids: &[u32], skip_special: bool) -> Result<String> {
        self.inner
            .decode(ids, skip_special)
            .map_err(|e| Error::Tokenizer(e.to_string()))
    }

    /// Writes the tokenizer as a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Write`] if the file cannot be written, [`Error::Tokenizer`] if the tokenizer cannot be serialised.
    pub fn save(&self, path: &Path) -> Result<()> {
        let json = self
            .inner
            .to_string(true)
            .map_err(|e| Error::Tokenizer(e.to_string()))?;
        std::fs::write(path, json).map_err(|source| Error::Write {
            path: path.to_path_buf(),
            source,
        })
    }
}
