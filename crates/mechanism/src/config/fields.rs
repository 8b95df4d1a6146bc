//! Typed reading of `config.json`: numbers and booleans may be strings, integers may be floats, and null means absent.

use serde_json::{Map, Value};

use super::Activation;
use crate::error::{Error, Result};

/// One JSON object with typed access.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Fields<'a> {
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn f64(self, key: &str) -> Result<Option<f64>> {
        match self.get(key) {
            None => Ok(None),
            Some(value) => match value
                .as_f64()
                .or_else(|| value.as_str().and_then(|s| s.trim().parse().ok()))
            {
                Some(number) => Ok(Some(number)),
                None => Err(wrong(key, value, "a number")),
            },
        }
    }

    pub(super) fn usize(self, key: &str) -> Result<Option<usize>> {
        match self.f64(key)? {
            None => Ok(None),
            Some(number) if number.fract() == 0.0 && (0.0..9e15).contains(&number) => {
                Ok(Some(number as usize))
            }
            Some(number) => Err(Error::Config {
                field: key.to_owned(),
                what: format!("{number} is no count"),
            }),
        }
    }

    pub(super) fn needed(self, key: &str) -> Result<usize> {
        self.usize(key)?.ok_or_else(|| Error::Config {
            field: key.to_owned(),
            what: "is missing".to_owned(),
        })
    }

    /// A number of layers; more than 4096 are refused, so that no list of absurd length is made.
    pub(super) fn layers(self, key: &str) -> Result<usize> {
        let n_layers = self.needed(key)?;
        if n_layers > 4096 {
            return Err(Error::Config {
                field: key.to_owned(),
                what: format!("{n_layers} layers"),
            });
        }
        Ok(n_layers)
    }

    pub(super) fn flag(self, key: &str, default: bool) -> Result<bool> {
        match self.get(key) {
            None => Ok(default),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
            Some(Value::String(text)) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(wrong(key, value, "true or false")),
        }
    }

    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(value) => Err(wrong(key, value, "text")),
        }
    }

    pub(super) fn object(self, key: &str) -> Result<Option<Fields<'a>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Fields(map))),
            Some(value) => Err(wrong(key, value, "an object")),
        }
    }

    pub(super) fn numbers(self, key: &str) -> Result<Option<Vec<f64>>> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Array(values)) => values
                .iter()
                .map(|v| v.as_f64().ok_or_else(|| wrong(key, v, "a number")))
                .collect::<Result<_>>()
                .map(Some),
            Some(value) => Err(wrong(key, value, "a list of numbers")),
        }
    }
}

fn wrong(key: &str, value: &Value, wanted: &str) -> Error {
    let mut shown = value.to_string();
    if let Some((end, _)) = shown.char_indices().nth(60) {
        shown.truncate(end);
    }
    Error::Config {
        field: key.to_owned(),
        what: format!("{shown} is not {wanted}"),
    }
}

/// The activation function of that name, or `default` if no name is given.
pub(super) fn activation(name: Option<&str>, default: Activation) -> Result<Activation> {
    Ok(match name {
        None => default,
        Some("silu" | "swish") => Activation::Silu,
        Some("gelu") => Activation::Gelu,
        Some("gelu_new" | "gelu_pytorch_tanh" | "gelu_fast" | "gelu_tanh") => Activation::GeluTanh,
        Some("relu") => Activation::Relu,
        Some(other) => {
            return Err(Error::Config {
                field: "hidden_act".to_owned(),
                what: format!("`{other}` is not known"),
            });
        }
    })
}
