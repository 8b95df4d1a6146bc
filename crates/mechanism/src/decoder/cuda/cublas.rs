//! Products of one bf16 term by cuBLAS, which is used if it is found when a device is opened and agrees with the kernel
//! here. It is not required, neither to build nor to run. All `unsafe` code that calls it is in this file.

#![expect(
    unsafe_code,
    reason = "a library of C is called with pointers; lengths are compared with the shape before each call"
)]

use std::ffi::c_void;
use std::sync::{Arc, Mutex};

use cudarc::cublas::result::{self, CublasError};
use cudarc::cublas::sys;
use cudarc::driver::{CudaSlice, CudaStream, DevicePtr, DevicePtrMut};

use super::fits;
use crate::error::{Error, Result};

/// The library, with its handle and the stream it runs on.
#[derive(Debug)]
pub(super) struct Cublas {
    handle: Mutex<Handle>,
    stream: Arc<CudaStream>,
}

#[derive(Debug)]
struct Handle(sys::cublasHandle_t);

// SAFETY: any thread may use a handle as long as only one does so at a time, which the mutex around it ensures.
unsafe impl Send for Handle {}

/// A product of rows `x` `(m, k)` with a weight: with `Wᵀ` if `transposed`, where `W` is stored as `(n, k)`, else with
/// `W`, stored as `(k, n)`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
    pub(super) transposed: bool,
}

fn failed(what: &str, CublasError(status): CublasError) -> Error {
    Error::Card(format!("cuBLAS failed {what} ({status:?})"))
}

impl Cublas {
    /// Loads the library for use on `stream`; `None` if it is not installed.
    pub(super) fn open(stream: &Arc<CudaStream>) -> Option<Result<Self>> {
        // SAFETY: looks for the library by name and loads it, which runs only the library's own initialisation.
        if !unsafe { sys::is_culib_present() } {
            return None;
        }
        Some(Self::opened(stream))
    }

    fn opened(stream: &Arc<CudaStream>) -> Result<Self> {
        stream
            .context()
            .bind_to_thread()
            .map_err(|error| super::launch::said("opening cuBLAS", error))?;
        let handle = Handle(result::create_handle().map_err(|error| failed("to start", error))?);
        // SAFETY: handle and stream are live, and the stream outlives the handle.
        unsafe { result::set_stream(handle.0, stream.cu_stream().cast()) }
            .map_err(|error| failed("to take a stream", error))?;
        Ok(Self {
            handle: Mutex::new(handle),
            stream: Arc::clone(stream),
        })
    }

    /// Its version with a leading space, or an empty string if it cannot be determined.
    pub(super) fn version(&self) -> String {
        let mut version = 0;
        let Ok(handle) = self.handle.lock() else {
            return String::new();
        };
        // SAFETY: the handle is live, and one integer is written to the given address.
        let status = unsafe { sys::cublasGetVersion_v2(handle.0, &raw mut version) };
        if status.result().is_err() {
            return String::new();
        }
        // 13.1.2 is reported as 130102; versions before 11 are reported with fewer digits.
        format!(" {}.{}", version / 10_000, version / 100 % 100)
    }

    /// `out = x·Wᵀ` (or `x·W`), or `out += …` if `onto`.
    pub(super) fn multiply(
        &self,
        shape: Shape,
        x: &CudaSlice<u16>,
        w: &CudaSlice<u16>,
        out: &mut CudaSlice<f32>,
        onto: bool,
    ) -> Result<()> {
        let Shape { m, n, k, transposed } = shape;
        fits(
            x.len() >= m * k && w.len() >= n * k && out.len() >= m * n,
            "a product of cuBLAS",
        )?;
        let size = |n: usize| {
            i32::try_from(n).map_err(|_| Error::Card(format!("cuBLAS is given {n} rows or columns")))
        };
        let (m, n, k) = (size(m)?, size(n)?, size(k)?);
        let (alpha, beta) = (1.0_f32, if onto { 1.0_f32 } else { 0.0 });
        let (bf16, f32) = (sys::cudaDataType_t::CUDA_R_16BF, sys::cudaDataType_t::CUDA_R_32F);
        let (by, lies) = if transposed {
            (sys::cublasOperation_t::CUBLAS_OP_T, k)
        } else {
            (sys::cublasOperation_t::CUBLAS_OP_N, n)
        };
        let Ok(handle) = self.handle.lock() else {
            return Err(Error::Card("a thread that used cuBLAS has panicked".to_owned()));
        };
        let context = self.stream.context();
        context
            .bind_to_thread()
            .map_err(|error| super::launch::said("a product of cuBLAS", error))?;
        let (x, _x) = x.device_ptr(&self.stream);
        let (w, _w) = w.device_ptr(&self.stream);
        let (out, _out) = out.device_ptr_mut(&self.stream);
        // SAFETY: the pointers are live slices of this context, at least as long as the shape requires, as checked
        // above. cuBLAS is column-major, so it computes the transposed product, with the weight as its first factor.
        unsafe {
            result::gemm_ex(
                handle.0,
                by,
                sys::cublasOperation_t::CUBLAS_OP_N,
                n,
                m,
                k,
                (&raw const alpha).cast(),
                w as *const c_void,
                bf16,
                lies,
                x as *const c_void,
                bf16,
                k,
                (&raw const beta).cast(),
                out as *mut c_void,
                f32,
                n,
                sys::cublasComputeType_t::CUBLAS_COMPUTE_32F,
                sys::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(|error| failed(&format!("at a product {m}x{n}x{k}"), error))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is live, and nothing uses it afterwards. A failure of the device is reported elsewhere.
        let _ = unsafe { result::destroy_handle(self.0) };
    }
}
