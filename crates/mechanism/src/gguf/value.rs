//! Metadata values of a GGUF file, and the bounds-checked cursor that reads them.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// One metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An unsigned integer of any width.
    Unsigned(u64),
    /// A signed integer of any width.
    Signed(i64),
    /// A float of either width.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A string; invalid UTF-8 is replaced.
    Text(String),
    /// An array of strings.
    Texts(Vec<String>),
    /// An array of numbers or booleans.
    Numbers(Vec<f64>),
    /// An array of arrays.
    Arrays(Vec<Value>),
}

/// Maximum depth of nested arrays.
const DEEPEST: usize = 8;

impl Value {
    /// The value as an unsigned integer; `None` if it is not a non-negative integer.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(value) => Some(value),
            Self::Signed(value) => u64::try_from(value).ok(),
            _ => None,
        }
    }

    /// The value as a float; `None` if it is not a number.
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Unsigned(value) => Some(value as f64),
            Self::Signed(value) => Some(value as f64),
            Self::Float(value) => Some(value),
            _ => None,
        }
    }
}

/// Reads forward and never beyond the end of the file.
pub(super) struct Cursor<'a> {
    path: PathBuf,
    reader: BufReader<&'a File>,
    position: u64,
    length: u64,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(path: &Path, file: &'a File, length: u64) -> Self {
        Self {
            path: path.to_path_buf(),
            reader: BufReader::with_capacity(1 << 16, file),
            position: 0,
            length,
        }
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn malformed(&self, what: &str) -> Error {
        Error::Malformed {
            path: self.path.clone(),
            what: what.to_owned(),
            at: self.position,
        }
    }

    pub(super) fn bytes(&mut self, n: u64) -> Result<Vec<u8>> {
        if n > self.length - self.position {
            return Err(self.malformed(&format!(
                "{n} bytes claimed, {} left",
                self.length - self.position
            )));
        }
        let mut bytes = vec![0; n as usize];
        self.reader.read_exact(&mut bytes).map_err(|source| Error::Read {
            path: self.path.clone(),
            source,
        })?;
        self.position += n;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.bytes(N as u64)?;
        Ok(bytes.try_into().expect("exactly N bytes were read"))
    }

    pub(super) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Reads a count of elements of at least `least` bytes each; refused if they cannot fit in the rest of the file.
    pub(super) fn count(&mut self, least: u64, what: &str) -> Result<u64> {
        let n = self.u64()?;
        match n.checked_mul(least) {
            Some(bytes) if bytes <= self.length - self.position => Ok(n),
            _ => Err(self.malformed(&format!(
                "{n} {what} claimed in {} bytes",
                self.length - self.position
            ))),
        }
    }

    pub(super) fn text(&mut self) -> Result<String> {
        let n = self.count(1, "bytes of text")?;
        let bytes = self.bytes(n)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    pub(super) fn value(&mut self) -> Result<Value> {
        let code = self.u32()?;
        if code == 9 {
            self.list(0)
        } else {
            self.scalar(code)
        }
    }

    /// Reads an array that is nested in `depth` others.
    fn list(&mut self, depth: usize) -> Result<Value> {
        let inner = self.u32()?;
        let least = match inner {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 | 10..=12 => 8,
            9 if depth < DEEPEST => 12,
            9 => return Err(self.malformed(&format!("arrays within arrays, more than {DEEPEST} deep"))),
            _ => return Err(self.malformed(&format!("array of type {inner}"))),
        };
        let n = self.count(least, "array elements")?;
        if inner == 9 {
            let mut lists = Vec::new();
            for _ in 0..n {
                lists.push(self.list(depth + 1)?);
            }
            return Ok(Value::Arrays(lists));
        }
        if inner == 8 {
            let mut texts = Vec::new();
            for _ in 0..n {
                texts.push(self.text()?);
            }
            return Ok(Value::Texts(texts));
        }
        let mut numbers = Vec::new();
        for _ in 0..n {
            let value = self.scalar(inner)?;
            numbers.push(match value {
                Value::Bool(truth) => f64::from(u8::from(truth)),
                other => other
                    .as_f64()
                    .ok_or_else(|| self.malformed("an array element that is no number"))?,
            });
        }
        Ok(Value::Numbers(numbers))
    }

    fn scalar(&mut self, code: u32) -> Result<Value> {
        Ok(match code {
            0 => Value::Unsigned(u64::from(u8::from_le_bytes(self.array()?))),
            1 => Value::Signed(i64::from(i8::from_le_bytes(self.array()?))),
            2 => Value::Unsigned(u64::from(u16::from_le_bytes(self.array()?))),
            3 => Value::Signed(i64::from(i16::from_le_bytes(self.array()?))),
            4 => Value::Unsigned(u64::from(self.u32()?)),
            5 => Value::Signed(i64::from(i32::from_le_bytes(self.array()?))),
            6 => Value::Float(f64::from(f32::from_le_bytes(self.array()?))),
            7 => Value::Bool(self.array::<1>()?[0] != 0),
            8 => Value::Text(self.text()?),
            10 => Value::Unsigned(self.u64()?),
            11 => Value::Signed(i64::from_le_bytes(self.array()?)),
            12 => Value::Float(f64::from_le_bytes(self.array()?)),
            _ => return Err(self.malformed(&format!("metadata value of type {code}"))),
        })
    }
}
