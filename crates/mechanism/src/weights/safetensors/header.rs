//! Reads the header of a safetensors file and validates it against the file's length.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};

use super::SafetensorsEntry;
use crate::error::{Error, Result};

/// Maximum header length, bytes; as in the reference implementation.
const MAX_HEADER: u64 = 100_000_000;

pub(super) fn malformed(path: &Path, what: String, at: u64) -> Error {
    Error::Malformed {
        path: path.to_path_buf(),
        what,
        at,
    }
}

pub(super) fn read_header(path: &Path, mut file: &File) -> Result<BTreeMap<String, SafetensorsEntry>> {
    let failed = |source| Error::Read {
        path: path.to_path_buf(),
        source,
    };
    let length = file.metadata().map_err(failed)?.len();
    if length < 8 {
        return Err(malformed(
            path,
            format!("a file of {length} bytes has no header"),
            0,
        ));
    }
    let mut eight = [0; 8];
    file.read_exact(&mut eight).map_err(failed)?;
    if &eight == b"version " {
        return Err(malformed(path, crate::mapped::POINTER.to_owned(), 0));
    }
    let n = u64::from_le_bytes(eight);
    if n > MAX_HEADER || n > length - 8 {
        return Err(malformed(
            path,
            format!("a header of {n} bytes claimed in a file of {length}"),
            0,
        ));
    }
    let mut header = vec![0; n as usize];
    file.read_exact(&mut header).map_err(failed)?;
    let parsed: Map<String, Value> =
        serde_json::from_slice(&header).map_err(|e| malformed(path, e.to_string(), 8 + e.column() as u64))?;
    let data = 8 + n;
    let mut tensors = BTreeMap::new();
    for (name, value) in parsed {
        if name == "__metadata__" {
            continue;
        }
        let Some(entry) = entry(&value, data, length) else {
            return Err(malformed(
                path,
                format!("tensor `{name}`: {value} does not fit the file of {length} bytes"),
                data,
            ));
        };
        tensors.insert(name, entry);
    }
    Ok(tensors)
}

/// Parses an entry; `None` unless type, shape and offsets are consistent with each other and with the file's length.
fn entry(value: &Value, data: u64, length: u64) -> Option<SafetensorsEntry> {
    let dtype = value.get("dtype")?.as_str()?.to_owned();
    let mut shape = Vec::new();
    for dim in value.get("shape")?.as_array()? {
        shape.push(usize::try_from(dim.as_u64()?).ok()?);
    }
    let (from, to) = match value.get("data_offsets")?.as_array()?.as_slice() {
        [from, to] => (from.as_u64()?, to.as_u64()?),
        _ => return None,
    };
    let n_bytes = to.checked_sub(from)?;
    if data.checked_add(to)? > length {
        return None;
    }
    let width = match dtype.as_str() {
        "F64" | "I64" | "U64" => 8,
        "F32" | "I32" | "U32" => 4,
        "F16" | "BF16" | "I16" | "U16" => 2,
        "I8" | "U8" | "BOOL" | "F8_E4M3" | "F8_E5M2" => 1,
        // Types of less than a byte can be listed but not decoded.
        _ => 0,
    };
    let n_elements = shape
        .iter()
        .try_fold(1_u64, |product, dim| product.checked_mul(*dim as u64))?;
    if width > 0 && n_elements.checked_mul(width)? != n_bytes {
        return None;
    }
    Some(SafetensorsEntry {
        shape,
        dtype,
        file: 0,
        start: data + from,
        n_bytes: usize::try_from(n_bytes).ok()?,
    })
}
