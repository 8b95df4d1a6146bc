//! Safetensors files: an 8-byte header length, a JSON header, raw values; a single file or several with an index.
//!
//! The header is parsed here, because the `safetensors` crate requires the whole file in one piece of memory.

mod header;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde_json::Value;

use header::{malformed, read_header};

use crate::error::{Error, Result};
use crate::gguf::GgmlType;
use crate::mapped::with_bytes;

/// One tensor's entry in a header.
#[derive(Debug, Clone)]
pub struct SafetensorsEntry {
    /// Shape, outermost dimension first.
    pub shape: Vec<usize>,
    /// Name of the type as stored; F64, F32, F16 and BF16 can be decoded.
    pub dtype: String,
    /// Index into [`SafetensorsFiles::files`].
    pub file: usize,
    /// Offset of its first byte in that file.
    pub start: u64,
    /// Its size in bytes.
    pub n_bytes: usize,
}

/// Open files with a table of all their tensors.
#[derive(Debug)]
pub struct SafetensorsFiles {
    /// Paths and open files.
    pub files: Vec<(PathBuf, File)>,
    /// Tensors of all files by name.
    pub tensors: BTreeMap<String, SafetensorsEntry>,
}

impl SafetensorsFiles {
    /// Opens files and reads their headers.
    ///
    /// # Errors
    /// [`Error::Read`]; [`Error::Malformed`] if a header is inconsistent with its file or a tensor occurs twice.
    pub fn open(paths: &[PathBuf]) -> Result<Self> {
        let mut all = Self {
            files: Vec::new(),
            tensors: BTreeMap::new(),
        };
        for path in paths {
            let file = File::open(path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?;
            for (name, mut entry) in read_header(path, &file)? {
                entry.file = all.files.len();
                if all.tensors.insert(name.clone(), entry).is_some() {
                    return Err(malformed(
                        path,
                        format!("tensor `{name}` occurs in an earlier file too"),
                        8,
                    ));
                }
            }
            all.files.push((path.clone(), file));
        }
        Ok(all)
    }

    /// Opens the files named in an index (`model.safetensors.index.json`), all of which must be in the index's folder.
    ///
    /// # Errors
    /// Those of [`SafetensorsFiles::open`]; [`Error::Malformed`] for an invalid index, or one that names anything but
    /// safetensors files in its folder; [`Error::MissingTensor`] for a tensor that none of the files contains.
    pub fn open_index(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let index: Value =
            serde_json::from_str(&text).map_err(|e| malformed(path, e.to_string(), e.column() as u64))?;
        let Some(map) = index.get("weight_map").and_then(Value::as_object) else {
            return Err(malformed(path, "no `weight_map`".to_owned(), 0));
        };
        let folder = path.parent().unwrap_or(Path::new("."));
        let mut names = BTreeSet::new();
        for (tensor, file) in map {
            let safe = |f: &&str| {
                let as_path = Path::new(f);
                as_path.components().count() == 1 && as_path.extension().is_some_and(|e| e == "safetensors")
            };
            let Some(file) = file.as_str().filter(safe) else {
                return Err(malformed(
                    path,
                    format!("tensor `{tensor}` lies in {file}, no safetensors file beside the index"),
                    0,
                ));
            };
            names.insert(file);
        }
        let paths: Vec<PathBuf> = names.into_iter().map(|name| folder.join(name)).collect();
        let all = Self::open(&paths)?;
        // A head that is tied to the embedding is often missing from the files but still listed in the index.
        let dropped = |name: &str| {
            name.ends_with("lm_head.weight")
                && all
                    .tensors
                    .keys()
                    .any(|other| other.ends_with("embed_tokens.weight"))
        };
        match map
            .keys()
            .find(|name| !all.tensors.contains_key(*name) && !dropped(name))
        {
            Some(name) => Err(Error::MissingTensor {
                name: name.clone(),
                n_tensors: all.tensors.len(),
            }),
            None => Ok(all),
        }
    }

    /// The bytes of a tensor in its stored format.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::Read`].
    pub fn raw(&self, name: &str) -> Result<Vec<u8>> {
        let Some(entry) = self.tensors.get(name) else {
            return Err(Error::MissingTensor {
                name: name.to_owned(),
                n_tensors: self.tensors.len(),
            });
        };
        let (path, file) = &self.files[entry.file];
        let mut bytes = Vec::new();
        if entry.n_bytes > 0 {
            with_bytes(file, path, entry.start, entry.n_bytes, |stored| {
                bytes.extend_from_slice(stored);
            })?;
        }
        Ok(bytes)
    }

    /// Rows of a tensor as `f32`; the caller has checked that they exist.
    pub(super) fn rows(&self, name: &str, width: usize, rows: Range<usize>) -> Result<Vec<f32>> {
        let mut out = vec![0.0; rows.len() * width];
        if out.is_empty() {
            return Ok(out);
        }
        self.with_stored_rows(name, width, rows, |dtype, bytes| {
            let chunk = 1 << 16;
            out.par_chunks_mut(chunk)
                .zip(bytes.par_chunks(dtype.bytes(chunk)))
                .for_each(|(out, bytes)| {
                    dtype.decode(bytes, out);
                });
        })?;
        Ok(out)
    }

    /// As [`SafetensorsFiles::rows`], in the stored format.
    pub(super) fn stored_rows(
        &self,
        name: &str,
        width: usize,
        rows: Range<usize>,
    ) -> Result<(GgmlType, Vec<u8>)> {
        let mut out = Vec::new();
        let dtype = self.with_stored_rows(name, width, rows, |_, bytes| out.extend_from_slice(bytes))?;
        Ok((dtype, out))
    }

    fn with_stored_rows(
        &self,
        name: &str,
        width: usize,
        rows: Range<usize>,
        read: impl FnOnce(GgmlType, &[u8]),
    ) -> Result<GgmlType> {
        let entry = &self.tensors[name];
        let Some(dtype) = dtype(&entry.dtype) else {
            return Err(Error::TensorType {
                name: name.to_owned(),
                dtype: entry.dtype.clone(),
            });
        };
        let row_bytes = dtype.bytes(width);
        let (path, file) = &self.files[entry.file];
        let start = entry.start + (rows.start * row_bytes) as u64;
        with_bytes(file, path, start, rows.len() * row_bytes, |bytes| {
            read(dtype, bytes);
        })?;
        Ok(dtype)
    }
}

/// The storage type with this name in the format, if it can be decoded; ggml has the same four types.
fn dtype(name: &str) -> Option<GgmlType> {
    match name {
        "F64" => Some(GgmlType::F64),
        "F32" => Some(GgmlType::F32),
        "F16" => Some(GgmlType::F16),
        "BF16" => Some(GgmlType::BF16),
        _ => None,
    }
}
