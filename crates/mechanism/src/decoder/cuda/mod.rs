//! An NVIDIA GPU as a machine: the kernels of `kernels.cu`, run through the CUDA driver API, on one stream for
//! computation and one for weights that are uploaded meanwhile.
//!
//! Weights are stored as sums of bf16 terms; the values they are multiplied with are split into such terms as they are
//! read, and products are accumulated in `f32`. Everything else is `f32`, with sums over rows in `f64`.

mod attend;
mod check;
mod cublas;
mod launch;
mod logits;
mod numbers;
mod operations;
mod texts;

use std::sync::{Arc, Mutex};

use cudarc::driver::{CudaContext, CudaSlice, CudaStream};
use half::bf16;
use rayon::prelude::*;

use super::rope::Angles;
use crate::config::DecoderConfig;
use crate::error::{Error, Result};
use cublas::Cublas;
use launch::{Arg, Kernels, has_driver, room, said};

/// Precision of products on a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Terms {
    /// Activations are split into three bf16 terms, weights into up to three, as many as are needed: as exact as `f32`.
    #[default]
    Exact,
    /// One bf16 term for each.
    Fast,
}

/// The oldest CUDA version that can load the kernels, as `1000·major + 10·minor`: 12.4, of NVIDIA driver 550.
const OLDEST: i32 = 12040;
/// Minimum free memory to open a GPU, bytes.
const LEAST: usize = 64 << 20;

/// An opened GPU.
#[derive(Debug)]
pub struct Cuda {
    context: Arc<CudaContext>,
    /// The stream for computation.
    work: Arc<CudaStream>,
    /// The stream for uploading weights.
    loads: Arc<CudaStream>,
    kernels: Kernels,
    terms: Terms,
    /// The library that computes products in place of the kernel, if any.
    library: Option<Cublas>,
    /// What computes products, as text for messages.
    multiplied_by: String,
    /// Maximum number of rows in a wave, if set by the caller; no weights are cached then.
    most_rows: Option<usize>,
    /// The first error of an operation.
    failed: Mutex<Option<String>>,
}

/// An `f32` array on the GPU; its buffer is reused as long as it is large enough.
#[derive(Debug, Default)]
pub struct Rows {
    buffer: Option<CudaSlice<f32>>,
    len: usize,
}

/// A weight matrix on the GPU.
#[derive(Debug, Clone)]
pub struct CardMatrix {
    /// The bf16 terms one after the other, each `(n_out, n_in)`.
    planes: Arc<CudaSlice<u16>>,
    terms: usize,
    n_out: usize,
    n_in: usize,
}

/// Weights of a norm, or a bias, on the GPU.
#[derive(Debug, Clone)]
pub struct Vector {
    values: Arc<CudaSlice<f32>>,
    len: usize,
}

/// Rotation angles of a group's rows on the GPU.
#[derive(Debug)]
pub struct Turns {
    half: usize,
    cos: Arc<CudaSlice<f32>>,
    sin: Arc<CudaSlice<f32>>,
    rows: usize,
}

impl Cuda {
    /// Opens the driver's first GPU and checks it with small computations whose results are known.
    ///
    /// # Errors
    /// [`Error::Card`]: no driver or one that is too old, no GPU or one that is too old, too little memory, or a wrong
    /// result (stated together with the CPU's).
    pub fn open(terms: Terms) -> Result<Self> {
        let card = Self::unchecked(terms)?;
        card.check_itself()?;
        card.with_library()
    }

    /// Opens the GPU without checking its results.
    ///
    /// # Errors
    /// [`Error::Card`], as [`Cuda::open`] apart from wrong results.
    pub fn unchecked(terms: Terms) -> Result<Self> {
        if !has_driver() {
            return Err(Error::Card(
                "no driver of NVIDIA is installed here (no library libcuda was found): install driver 550 or newer, or leave out --device cuda"
                    .to_owned(),
            ));
        }
        if let Some(version) = launch::driver_version().filter(|version| *version < OLDEST) {
            return Err(Error::Card(format!(
                "its driver knows CUDA {}.{} at most, and 12.4 is needed: install driver 550 or newer, or leave out --device cuda",
                version / 1000,
                version % 1000 / 10
            )));
        }
        let context = CudaContext::new(0).map_err(|error| said("opening it", error))?;
        let name = context.name().map_err(|error| said("asking its name", error))?;
        let (major, minor) = context
            .compute_capability()
            .map_err(|error| said("asking its compute capability", error))?;
        if major < 8 {
            return Err(Error::Card(format!(
                "{name} has compute capability {major}.{minor}, and 8.0 is needed (bf16 tensor cores): leave out --device cuda"
            )));
        }
        let (free, total) = context
            .mem_get_info()
            .map_err(|error| said("asking for its memory", error))?;
        if free < LEAST {
            return Err(Error::Card(format!(
                "{name} has {} MB of {} free, and {} are needed for anything: close what else runs on it, or leave out --device cuda",
                free >> 20,
                total >> 20,
                LEAST >> 20
            )));
        }
        let stream = || {
            context
                .new_stream()
                .map_err(|error| said("making a stream", error))
        };
        let (work, loads) = (stream()?, stream()?);
        let kernels = Kernels::load(&context)?;
        Ok(Self {
            context,
            work,
            loads,
            kernels,
            terms,
            library: None,
            multiplied_by: "kernels of its own".to_owned(),
            most_rows: None,
            failed: Mutex::new(None),
        })
    }

    /// Name of the GPU, and its memory in bytes: free and total.
    ///
    /// # Errors
    /// [`Error::Card`] if the driver does not report them.
    pub fn described(&self) -> Result<(String, usize, usize)> {
        let failed = |error| said("asking what it is", error);
        let (free, total) = self.context.mem_get_info().map_err(failed)?;
        Ok((self.context.name().map_err(failed)?, free, total))
    }

    /// The same GPU, limited to `rows` rows of text in a wave and with weights uploaded again for each wave, as when
    /// memory is scarce.
    #[must_use]
    pub fn in_waves_of(self, rows: usize) -> Self {
        Self {
            most_rows: Some(rows),
            ..self
        }
    }

    /// Whether cuBLAS computes products, which requires that it was found and agrees with the kernel.
    pub fn has_library(&self) -> bool {
        self.library.is_some()
    }

    /// What computes products, as text: cuBLAS, or the kernel and why cuBLAS is not used.
    pub fn multiplied_by(&self) -> &str {
        &self.multiplied_by
    }

    /// Precision of products.
    pub fn terms(&self) -> Terms {
        self.terms
    }

    /// Runs `work` unless an operation has failed before; records its error if it is the first.
    fn attempt(&self, work: impl FnOnce() -> Result<()>) {
        let Ok(mut failed) = self.failed.lock() else {
            return;
        };
        if failed.is_none()
            && let Err(error) = work()
        {
            *failed = Some(match error {
                Error::Card(what) => what,
                other => other.to_string(),
            });
        }
    }

    /// The recorded error, if any.
    fn fine(&self) -> Result<()> {
        match self.failed.lock() {
            Ok(failed) => failed.clone().map_or(Ok(()), |what| Err(Error::Card(what))),
            Err(_) => Err(Error::Card("a thread that used it has panicked".to_owned())),
        }
    }

    fn launch(&self, name: &'static str, grid: (usize, usize), args: Vec<Arg<'_>>) -> Result<()> {
        self.kernels.launch(&self.work, name, grid, THREADS, args)
    }

    /// Resizes rows to `len` elements of unspecified content.
    fn resize<'a>(&self, rows: &'a mut Rows, len: usize) -> Result<&'a mut CudaSlice<f32>> {
        if rows.buffer.as_ref().is_none_or(|buffer| buffer.len() < len) {
            // The old buffer is freed first, or both would have to fit.
            rows.buffer = None;
            rows.buffer = Some(room(&self.work, len)?);
        }
        rows.len = len;
        rows.held_mut()
    }

    fn down(&self, rows: &Rows) -> Result<Vec<f32>> {
        let mut values = vec![0.0; rows.len];
        if rows.len > 0 {
            self.work
                .memcpy_dtoh(&rows.held()?.slice(0..rows.len), &mut values)
                .and_then(|()| self.work.synchronize())
                .map_err(|error| said("taking numbers back", error))?;
        }
        Ok(values)
    }

    /// Splits values into bf16 terms, each the rounded remainder of those before; gives the terms and their number.
    fn planes(&self, values: &[f32]) -> (Vec<u16>, usize) {
        let most = if self.terms == Terms::Exact { 3 } else { 1 };
        let mut rest = values.to_vec();
        let mut planes = Vec::with_capacity(values.len());
        for term in 0..most {
            if term > 0 && rest.par_iter().all(|v| *v == 0.0) {
                return (planes, term);
            }
            let of_term = rest.par_iter_mut().map(|rest| {
                let rounded = bf16::from_f32(*rest);
                *rest -= rounded.to_f32();
                rounded.to_bits()
            });
            planes.par_extend(of_term);
        }
        (planes, most)
    }

    fn load_matrix(&self, values: &[f32], n_out: usize, n_in: usize) -> Result<CardMatrix> {
        let (planes, terms) = self.planes(values);
        let planes = brought(&self.loads, &planes)?;
        self.loaded()?;
        Ok(CardMatrix {
            planes: Arc::new(planes),
            terms,
            n_out,
            n_in,
        })
    }

    fn load_vector(&self, values: &[f32]) -> Result<Vector> {
        let held = brought(&self.loads, values)?;
        self.loaded()?;
        Ok(Vector {
            values: Arc::new(held),
            len: values.len(),
        })
    }

    fn load_angles(&self, angles: &Angles) -> Result<Turns> {
        let (cos, sin) = (
            brought(&self.loads, &angles.cos)?,
            brought(&self.loads, &angles.sin)?,
        );
        self.loaded()?;
        Ok(Turns {
            half: angles.half,
            rows: angles.cos.len() / angles.half.max(1),
            cos: Arc::new(cos),
            sin: Arc::new(sin),
        })
    }

    /// Waits until the uploads are complete, so that any stream may read them.
    fn loaded(&self) -> Result<()> {
        self.loads
            .synchronize()
            .map_err(|error| said("bringing weights", error))
    }

    /// The number of rows of text that can pass through all layers together: their residual stream takes half of the
    /// memory left beside two layers, the vocabulary matrix and its logits.
    fn wave(&self, c: &DecoderConfig) -> Result<usize> {
        let (free, _) = self
            .context
            .mem_get_info()
            .map_err(|error| said("asking for its memory", error))?;
        let most = if self.terms == Terms::Exact { 6 } else { 2 };
        let experts = c.mixture.as_ref().map_or(1, |mixture| mixture.n_experts.max(1));
        let layer = most * c.d_model * (2 * c.q_width() + 2 * c.kv_width() + 3 * c.d_ffn * experts);
        let table = most * c.d_model * c.vocab_size + 4 * 256 * c.vocab_size;
        let needed = 2 * layer + table;
        let left = free.saturating_sub(needed);
        let rows = left / 2 / (4 * c.d_model);
        let inside = 4 * (8 * c.d_model + 3 * c.q_width() + 6 * c.kv_width() + 3 * c.d_ffn);
        if left / 2 < 64 * inside {
            return Err(Error::Card(format!(
                "{} MB of its memory are free, and two layers, the vocabulary's table and 64 rows need {}: close what else runs on it, or leave out --device cuda",
                free >> 20,
                (needed + 128 * inside) >> 20
            )));
        }
        Ok(self.most_rows.unwrap_or(rows).min(rows))
    }
}

/// Copies values to the GPU on `stream`.
fn brought<T: cudarc::driver::DeviceRepr>(stream: &Arc<CudaStream>, values: &[T]) -> Result<CudaSlice<T>> {
    let mut made = room(stream, values.len())?;
    if !values.is_empty() {
        stream
            .memcpy_htod(values, &mut made)
            .map_err(|error| said("bringing numbers", error))?;
    }
    Ok(made)
}

/// Threads per block, for every kernel.
const THREADS: u32 = 128;

impl Rows {
    fn held(&self) -> Result<&CudaSlice<f32>> {
        self.buffer.as_ref().ok_or_else(nothing)
    }

    fn held_mut(&mut self) -> Result<&mut CudaSlice<f32>> {
        self.buffer.as_mut().ok_or_else(nothing)
    }
}

fn nothing() -> Error {
    Error::Card("rows that hold nothing were read: a bug of this program".to_owned())
}

/// Returns an error if `condition`, a check of shapes, is false.
fn fits(condition: bool, what: &str) -> Result<()> {
    if condition {
        Ok(())
    } else {
        Err(Error::Card(format!(
            "shapes of {what} do not fit each other: a bug of this program"
        )))
    }
}
