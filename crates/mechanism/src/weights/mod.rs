//! Weights on disk: tensors by name, decoded to `f32` row by row, so that only the requested rows are in memory.
//!
//! Each read maps exactly the bytes of the requested rows and unmaps them afterwards, so a checkpoint larger than the
//! address space that the process may use (`ulimit -v`) can be read.

mod cut;
mod names_gguf;
mod names_hub;
mod part;
mod precision;
mod raw;
mod safetensors;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

pub use crate::layout::{Kind, Part};
pub use cut::{Cut, Lines, Stays};
pub use precision::Precision;
pub use raw::Raw;
pub use safetensors::SafetensorsFiles;

use crate::config::DecoderConfig;
use crate::error::{Error, Result};
use crate::gguf::{GgmlType, Gguf, rows_of, stored_rows_of};
use crate::layout::{Source, Take};

/// The files that hold the tensors.
#[derive(Debug)]
pub enum Store {
    /// One or more safetensors files.
    Safetensors(SafetensorsFiles),
    /// A GGUF file, or several parts of one.
    Gguf(Gguf),
}

impl Store {
    /// A tensor's shape, outermost dimension first; `None` if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        match self {
            Self::Safetensors(files) => files.tensors.get(name).map(|entry| entry.shape.as_slice()),
            Self::Gguf(file) => file.tensors.get(name).map(|entry| entry.shape.as_slice()),
        }
    }

    /// Names of all tensors, sorted.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Safetensors(files) => files.tensors.keys().map(String::as_str).collect(),
            Self::Gguf(file) => file.tensors.keys().map(String::as_str).collect(),
        }
    }

    /// Paths of all files.
    pub fn paths(&self) -> Vec<&Path> {
        match self {
            Self::Safetensors(files) => files.files.iter().map(|(path, _)| path.as_path()).collect(),
            Self::Gguf(file) => {
                let others = file.others.iter().map(|(path, _)| path.as_path());
                std::iter::once(file.path.as_path()).chain(others).collect()
            }
        }
    }

    /// Number of tensors of each storage type, by the file format's name for the type.
    pub fn types(&self) -> BTreeMap<String, usize> {
        let names: Vec<String> = match self {
            Self::Safetensors(files) => files.tensors.values().map(|entry| entry.dtype.clone()).collect(),
            Self::Gguf(file) => file
                .tensors
                .values()
                .map(|entry| entry.dtype.to_string())
                .collect(),
        };
        let mut types = BTreeMap::new();
        for name in names {
            *types.entry(name).or_default() += 1;
        }
        types
    }

    fn known_shape(&self, name: &str) -> Result<&[usize]> {
        let missing = || Error::MissingTensor {
            name: name.to_owned(),
            n_tensors: self.names().len(),
        };
        self.shape(name).ok_or_else(missing)
    }

    /// Rows `rows` of a tensor viewed as a matrix (all dimensions but the last count as rows), as `f32`, row-major.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::TensorType`], [`Error::TensorShape`] if the rows do not exist, [`Error::Read`].
    pub fn rows(&self, name: &str, rows: Range<usize>) -> Result<Vec<f32>> {
        let width = self.width_of(name, &rows)?;
        match self {
            Self::Safetensors(files) => files.rows(name, width, rows),
            Self::Gguf(file) => rows_of(file, name, width, rows),
        }
    }

    /// As [`Store::rows`], in the stored format.
    fn stored_rows(&self, name: &str, rows: Range<usize>) -> Result<(GgmlType, Vec<u8>)> {
        let width = self.width_of(name, &rows)?;
        match self {
            Self::Safetensors(files) => files.stored_rows(name, width, rows),
            Self::Gguf(file) => stored_rows_of(file, name, width, rows),
        }
    }

    /// Number of elements in a row of a tensor; an error if it lacks rows `rows`.
    fn width_of(&self, name: &str, rows: &Range<usize>) -> Result<usize> {
        let shape = self.known_shape(name)?;
        let width = shape.last().copied().unwrap_or(1);
        let n_rows: usize = shape.iter().rev().skip(1).product();
        if rows.end > n_rows || rows.start > rows.end {
            return Err(Error::TensorShape {
                name: name.to_owned(),
                found: shape.to_vec(),
                expected: vec![rows.end, width],
            });
        }
        Ok(width)
    }

    /// A whole tensor as `f32`.
    ///
    /// # Errors
    /// Those of [`Store::rows`].
    pub fn whole(&self, name: &str) -> Result<Vec<f32>> {
        let n_rows: usize = self.known_shape(name)?.iter().rev().skip(1).product();
        self.rows(name, 0..n_rows)
    }
}

/// A store, together with the tensor names and layouts of the checkpoint's family.
#[derive(Debug, Clone)]
pub struct Weights {
    /// The files.
    pub store: Arc<Store>,
    /// Prefix of the names in safetensors files, before `layers.` and the like.
    base: String,
    /// The precision to which values are rounded when they are read.
    pub precision: Precision,
    /// The cut that is applied when parts are read, if any.
    pub(crate) cut: Option<Arc<Cut>>,
}

impl Weights {
    /// Finds the prefix of the names, and checks the shapes of embedding and head.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] if embedding or head is missing, [`Error::TensorShape`] if its shape is unexpected.
    pub fn new(store: Store, config: &DecoderConfig) -> Result<Self> {
        let base = match &store {
            Store::Gguf(_) => String::new(),
            Store::Safetensors(files) => names_hub::base(files, config)?,
        };
        let weights = Self {
            store: Arc::new(store),
            base,
            precision: Precision::default(),
            cut: None,
        };
        for part in [Part::Embedding, Part::Head] {
            // Rows of these two are read individually, so their shape is checked once here.
            if part == Part::Embedding || !config.tied {
                let name = weights.source(config, None, part, Kind::Weight).name;
                let (found, expected) = (
                    weights.store.known_shape(&name)?,
                    part.shape(config, Kind::Weight),
                );
                if found != expected {
                    return Err(Error::TensorShape {
                        name,
                        found: found.to_vec(),
                        expected,
                    });
                }
            }
        }
        Ok(weights)
    }

    /// The same files with a cut applied on reading.
    pub(crate) fn with_cut(&self, cut: Cut) -> Self {
        Self {
            cut: Some(Arc::new(cut)),
            ..self.clone()
        }
    }

    /// The structure of the files; `config` is that of what remains after a cut.
    fn stored<'a>(&'a self, config: &'a DecoderConfig) -> &'a DecoderConfig {
        self.cut.as_ref().map_or(config, |cut| &cut.whole)
    }

    /// The tensor that holds a part, and how to take it; `config` and `part` are those of the files.
    pub(crate) fn source(
        &self,
        config: &DecoderConfig,
        layer: Option<usize>,
        part: Part,
        kind: Kind,
    ) -> Source {
        match &*self.store {
            Store::Safetensors(files) => names_hub::source(files, &self.base, config, layer, part, kind),
            Store::Gguf(file) => names_gguf::source(file, config, layer, part, kind),
        }
    }

    /// Whether the files contain a part of a layer (or, with `None`, a part outside of layers).
    pub fn has(&self, config: &DecoderConfig, layer: Option<usize>, part: Part, kind: Kind) -> bool {
        let config = self.stored(config);
        match self.source(config, layer, part, kind).take {
            Take::Joined(names) => names.iter().all(|name| self.store.shape(name).is_some()),
            _ => self
                .store
                .shape(&self.source(config, layer, part, kind).name)
                .is_some(),
        }
    }

    /// Reads a part in the orientation `(out, in)`, row-major, and checks it against the shape in the configuration.
    ///
    /// # Errors
    /// [`Error::MissingTensor`], [`Error::TensorShape`], [`Error::TensorType`], [`Error::Read`].
    pub fn load(
        &self,
        config: &DecoderConfig,
        layer: Option<usize>,
        part: Part,
        kind: Kind,
    ) -> Result<Vec<f32>> {
        let (whole, expected) = (self.stored(config), part.shape(config, kind));
        let part = self.cut.as_ref().map_or(part, |cut| cut.part(layer, part));
        let stored = part.shape(whole, kind);
        let mut values = self.source(whole, layer, part, kind).read(&self.store, &stored)?;
        if let Some(cut) = &self.cut {
            let lines = cut.lines(layer, part, kind);
            if !lines.all() {
                values = lines.of(&values, stored.get(1).copied().unwrap_or(1), 1);
            }
        }
        self.precision.round(&mut values);
        debug_assert_eq!(values.len(), expected.iter().product::<usize>());
        Ok(values)
    }

    /// Reads a weight `(out, in)` in its stored format, for products that decode it as they go; as `f32` if it is
    /// rounded, stored in another orientation, or has lost columns in a cut.
    ///
    /// # Errors
    /// Those of [`Weights::load`].
    pub fn raw(&self, config: &DecoderConfig, layer: Option<usize>, part: Part) -> Result<Raw> {
        let (whole, expected) = (self.stored(config), part.shape(config, Kind::Weight));
        let of_files = self.cut.as_ref().map_or(part, |cut| cut.part(layer, part));
        let source = self.source(whole, layer, of_files, Kind::Weight);
        let lines = self
            .cut
            .as_ref()
            .map(|cut| cut.lines(layer, of_files, Kind::Weight));
        let stored = of_files.shape(whole, Kind::Weight);
        let columns = lines.as_ref().is_some_and(|lines| lines.columns.is_some());
        let rows = source
            .rows(stored[0])
            .filter(|_| !columns && self.precision == Precision::F32);
        let Some(mut rows) = rows else {
            let values = self.load(config, layer, part, Kind::Weight)?;
            return Ok(Raw::of_values(&values, expected[0], expected[1]));
        };
        source.checked(&self.store, &stored)?;
        if let Some(stay) = lines.and_then(|lines| lines.rows) {
            rows = stay.into_iter().map(|row| rows[row]).collect();
        }
        let (first, end) = (rows.iter().min().copied(), rows.iter().max().map(|row| row + 1));
        let (first, end) = (first.unwrap_or(0), end.unwrap_or(0));
        let (dtype, bytes) = self.store.stored_rows(&source.name, first..end)?;
        for row in &mut rows {
            *row -= first;
        }
        Ok(Raw::rows_of(dtype, bytes, expected[1], &rows))
    }

    /// The output head `(vocab_size, d_model)` in its stored format.
    ///
    /// # Errors
    /// Those of [`Weights::load`].
    pub fn raw_head(&self, config: &DecoderConfig) -> Result<Raw> {
        let part = if config.tied { Part::Embedding } else { Part::Head };
        self.raw(config, None, part)
    }

    /// Rows of the embedding for token ids, `(ids, d_model)`.
    ///
    /// # Errors
    /// Those of [`Store::rows`].
    pub fn embedding_rows(&self, config: &DecoderConfig, ids: &[u32]) -> Result<Vec<f32>> {
        let name = self
            .source(self.stored(config), None, Part::Embedding, Kind::Weight)
            .name;
        let d = config.d_model;
        let mut distinct: Vec<u32> = ids.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let mut table = vec![0.0; distinct.len() * d];
        for (id, row) in distinct.iter().zip(table.chunks_exact_mut(d)) {
            let whole = self.store.rows(&name, *id as usize..*id as usize + 1)?;
            row.copy_from_slice(&self.channels(config, Part::Embedding, whole));
        }
        self.precision.round(&mut table);
        let mut out = vec![0.0; ids.len() * d];
        for (id, row) in ids.iter().zip(out.chunks_exact_mut(d)) {
            let at = distinct.partition_point(|other| other < id);
            row.copy_from_slice(&table[at * d..(at + 1) * d]);
        }
        Ok(out)
    }

    /// Selects the remaining channels of rows of the embedding or the head.
    fn channels(&self, config: &DecoderConfig, part: Part, rows: Vec<f32>) -> Vec<f32> {
        let lines = self.cut.as_ref().map(|cut| cut.lines(None, part, Kind::Weight));
        match lines {
            Some(lines) if !lines.all() => lines.of(&rows, self.stored(config).d_model, 1),
            _ => rows,
        }
    }

    /// Rows `rows` of the output head, `(rows, d_model)`.
    ///
    /// # Errors
    /// Those of [`Store::rows`].
    pub fn head_rows(&self, config: &DecoderConfig, rows: Range<usize>) -> Result<Vec<f32>> {
        let part = if config.tied { Part::Embedding } else { Part::Head };
        let name = self.source(self.stored(config), None, part, Kind::Weight).name;
        let mut values = self.channels(config, part, self.store.rows(&name, rows)?);
        self.precision.round(&mut values);
        Ok(values)
    }
}
