//! Typed access to the metadata of a GGUF file.

use crate::error::{Error, Result};
use crate::gguf::{Gguf, Value};

/// Typed access to `{architecture}.{key}`.
pub(in crate::config) struct Keys<'a> {
    pub(super) file: &'a Gguf,
    pub(super) architecture: &'a str,
}

impl Keys<'_> {
    pub(in crate::config) fn value(&self, key: &str) -> Option<&Value> {
        self.file.metadata.get(&format!("{}.{key}", self.architecture))
    }

    /// Whether the file has a tensor of that name.
    pub(in crate::config) fn has(&self, name: &str) -> bool {
        self.file.tensors.contains_key(name)
    }

    pub(in crate::config) fn flag(&self, key: &str) -> Option<bool> {
        match self.value(key) {
            Some(Value::Bool(flag)) => Some(*flag),
            _ => None,
        }
    }

    pub(in crate::config) fn f64(&self, key: &str) -> Option<f64> {
        self.value(key).and_then(Value::as_f64)
    }

    /// A count; of a list with one entry per layer, the common value. An error if layers differ.
    pub(in crate::config) fn usize(&self, key: &str) -> Result<Option<usize>> {
        let bad = |what: &str| Error::Config {
            field: format!("{}.{key}", self.architecture),
            what: what.to_owned(),
        };
        match self.value(key) {
            None => Ok(None),
            Some(Value::Numbers(list)) => match list.first() {
                Some(first) if list.iter().all(|v| v == first) => Ok(Some(*first as usize)),
                _ => Err(bad("differs between layers, which the decoder does not cover")),
            },
            Some(value) => value
                .as_u64()
                .map(|v| Some(v as usize))
                .ok_or_else(|| bad("is no count")),
        }
    }

    pub(in crate::config) fn needed(&self, key: &str) -> Result<usize> {
        let missing = || Error::Config {
            field: format!("{}.{key}", self.architecture),
            what: "is missing".to_owned(),
        };
        self.usize(key)?.ok_or_else(missing)
    }
}
