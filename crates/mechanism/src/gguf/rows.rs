//! Tensors of a GGUF file as `f32`, whole or by rows.

use std::ops::Range;

use rayon::prelude::*;

use super::{GgmlType, Gguf};
use crate::error::{Error, Result};
use crate::mapped::with_bytes;

/// Reads and decodes a whole tensor of a GGUF file.
pub(crate) fn read_whole(file: &Gguf, name: &str) -> Result<Vec<f32>> {
    let Some(entry) = file.tensors.get(name) else {
        return Err(Error::MissingTensor {
            name: name.to_owned(),
            n_tensors: file.tensors.len(),
        });
    };
    let n_rows: usize = entry.shape.iter().rev().skip(1).product();
    rows_of(file, name, entry.shape.last().copied().unwrap_or(1), 0..n_rows)
}

/// Reads and decodes rows, which consist of whole blocks, since other headers are refused.
pub(crate) fn rows_of(file: &Gguf, name: &str, width: usize, rows: Range<usize>) -> Result<Vec<f32>> {
    let mut out = vec![0.0; rows.len() * width];
    if out.is_empty() {
        return Ok(out);
    }
    with_stored_rows(file, name, width, rows, |dtype, bytes| {
        let chunk = (1_usize << 16).div_ceil(width);
        let row_bytes = bytes.len() / (out.len() / width);
        out.par_chunks_mut(chunk * width)
            .zip(bytes.par_chunks(chunk * row_bytes))
            .for_each(|(out, bytes)| {
                dtype.decode(bytes, out);
            });
    })?;
    Ok(out)
}

/// Reads rows in their stored format, block after block.
pub(crate) fn stored_rows_of(
    file: &Gguf,
    name: &str,
    width: usize,
    rows: Range<usize>,
) -> Result<(GgmlType, Vec<u8>)> {
    let mut out = Vec::new();
    with_stored_rows(file, name, width, rows, |_, bytes| out.extend_from_slice(bytes))?;
    Ok((file.tensors[name].dtype, out))
}

fn with_stored_rows(
    file: &Gguf,
    name: &str,
    width: usize,
    rows: Range<usize>,
    read: impl FnOnce(GgmlType, &[u8]),
) -> Result<()> {
    let entry = &file.tensors[name];
    if !entry.dtype.is_read() {
        return Err(Error::TensorType {
            name: name.to_owned(),
            dtype: entry.dtype.to_string(),
        });
    }
    let row_bytes = entry.dtype.bytes(width);
    let start = entry.start + rows.start as u64 * row_bytes as u64;
    let (path, opened) = file.part(entry.file);
    with_bytes(opened, path, start, rows.len() * row_bytes, |bytes| {
        read(entry.dtype, bytes);
    })
}
