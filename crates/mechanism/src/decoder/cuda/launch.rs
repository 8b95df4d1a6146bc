//! Unchecked calls to the CUDA driver: launching kernels by name with their parameters, and allocating uninitialised
//! memory. Together with `cublas.rs` this is all the `unsafe` code for CUDA.

#![expect(
    unsafe_code,
    reason = "kernels take pointers; each launch is checked against the kernel's parameters, and each caller checks lengths first"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DeviceRepr, LaunchConfig, PushKernelArg, sys,
};
use cudarc::nvrtc::Ptx;

use crate::error::{Error, Result};

/// The kernels, compiled from `kernels.cu` by NVRTC (`oracles/ptx.py`).
static PTX: &str = include_str!("kernels.ptx");

/// Every kernel and its parameters in order: `r` `f32` values read, `w` written; `h` bf16 values read, `H` written; `n`
/// `i32` values read, `N` written; `c` `u64` indices read; `D` `f64` values written; `i` an `i32`, `f` an `f32`, `C` a
/// `u64`.
const KERNELS: [(&str, &str); 20] = [
    ("norm_rows", "rrrwiiffii"),
    ("norm_back", "rrrwwiiffi"),
    ("column_sums", "rwii"),
    ("rotate", "wrriiiif"),
    ("gate", "rrwCii"),
    ("gate_back", "rrwwCii"),
    ("add_rows", "wrC"),
    ("soft_cap", "wCf"),
    ("take_rows", "rnwii"),
    ("spread_rows", "rnrwii"),
    ("pick", "rcwi"),
    ("moments", "rrDi"),
    ("log_sum_exp", "rDNi"),
    ("loss_back", "wnDiff"),
    ("product", "rhrrwiiiCCCiiii"),
    ("round_rows", "rHC"),
    ("begin_rows", "rrwCiii"),
    ("attention", "rrrnnwiiiiff"),
    ("attention_back_queries", "rrrrrnnwwiiiiff"),
    ("attention_back_keys", "rrrrrnnwwiiiiff"),
];

/// One kernel parameter; the variants correspond to the letters in [`KERNELS`].
pub(super) enum Arg<'a> {
    Read(&'a CudaSlice<f32>),
    Write(&'a mut CudaSlice<f32>),
    Halves(&'a CudaSlice<u16>),
    HalvesOut(&'a mut CudaSlice<u16>),
    /// From this index on.
    Integers(&'a CudaSlice<i32>, usize),
    IntegersOut(&'a mut CudaSlice<i32>),
    Places(&'a CudaSlice<u64>),
    DoublesOut(&'a mut CudaSlice<f64>),
    Integer(i32),
    Number(f32),
    Count(u64),
}

impl Arg<'_> {
    fn letter(&self) -> char {
        match self {
            Self::Read(_) => 'r',
            Self::Write(_) => 'w',
            Self::Halves(_) => 'h',
            Self::HalvesOut(_) => 'H',
            Self::Integers(..) => 'n',
            Self::IntegersOut(_) => 'N',
            Self::Places(_) => 'c',
            Self::DoublesOut(_) => 'D',
            Self::Integer(_) => 'i',
            Self::Number(_) => 'f',
            Self::Count(_) => 'C',
        }
    }
}

/// An error of the driver, with its message and code.
pub(super) fn said(what: &str, error: cudarc::driver::DriverError) -> Error {
    let words = error.error_string().map_or_else(
        |_| format!("{error:?}"),
        |text| text.to_string_lossy().into_owned(),
    );
    let code = error.0 as u32;
    if error.0 == sys::CUresult::CUDA_ERROR_OUT_OF_MEMORY {
        return Error::Card(format!(
            "its memory is full ({what}): close what else runs on it, or leave out --device cuda"
        ));
    }
    Error::Card(format!("{what} failed: {words} (CUDA error {code})"))
}

/// Whether NVIDIA's driver can be loaded.
pub(super) fn has_driver() -> bool {
    // SAFETY: looks for the library by name and loads it, which runs only the library's own initialisation.
    unsafe { sys::is_culib_present() }
}

/// The newest CUDA version that the driver supports, as `1000·major + 10·minor`.
pub(super) fn driver_version() -> Option<i32> {
    let mut version = 0;
    // SAFETY: writes one integer to the given address.
    let result = unsafe { sys::cuDriverGetVersion(&raw mut version) };
    (result == sys::CUresult::CUDA_SUCCESS).then_some(version)
}

/// The loaded kernels with their parameter letters, by name.
#[derive(Debug)]
pub(super) struct Kernels(BTreeMap<&'static str, (CudaFunction, &'static str)>);

impl Kernels {
    pub(super) fn load(context: &Arc<CudaContext>) -> Result<Self> {
        let module = context
            .load_module(Ptx::from_src(PTX))
            .map_err(|error| said("loading the kernels", error))?;
        let one = |(name, parameters): (&'static str, &'static str)| {
            let function = module
                .load_function(name)
                .map_err(|error| said(&format!("loading the kernel `{name}`"), error))?;
            Ok((name, (function, parameters)))
        };
        Ok(Self(KERNELS.into_iter().map(one).collect::<Result<_>>()?))
    }

    /// Runs kernel `name` on a grid of `grid` blocks with `threads` threads each.
    pub(super) fn launch(
        &self,
        stream: &CudaStream,
        name: &'static str,
        grid: (usize, usize),
        threads: u32,
        mut args: Vec<Arg<'_>>,
    ) -> Result<()> {
        let Some((function, parameters)) = self.0.get(name) else {
            return Err(Error::Card(format!("no kernel is called `{name}`")));
        };
        let given: String = args.iter().map(Arg::letter).collect();
        if given != *parameters {
            return Err(Error::Card(format!(
                "the kernel `{name}` takes {parameters}, not {given}: a bug of this program"
            )));
        }
        let size = |n: usize| {
            u32::try_from(n).map_err(|_| Error::Card(format!("the kernel `{name}` is given {n} blocks")))
        };
        let (x, y) = (size(grid.0)?, size(grid.1)?);
        if x == 0 || y == 0 {
            return Ok(());
        }
        let offsets: Vec<_> = args
            .iter()
            .map(|arg| match arg {
                Arg::Integers(slice, from) => Some(slice.slice(*from..)),
                _ => None,
            })
            .collect();
        let mut call = stream.launch_builder(function);
        for (arg, view) in args.iter_mut().zip(&offsets) {
            match arg {
                Arg::Read(slice) => call.arg(*slice),
                Arg::Write(slice) => call.arg(&mut **slice),
                Arg::Halves(slice) => call.arg(*slice),
                Arg::HalvesOut(slice) => call.arg(&mut **slice),
                Arg::Integers(slice, _) => match view {
                    Some(view) => call.arg(view),
                    None => call.arg(*slice),
                },
                Arg::IntegersOut(slice) => call.arg(&mut **slice),
                Arg::Places(slice) => call.arg(*slice),
                Arg::DoublesOut(slice) => call.arg(&mut **slice),
                Arg::Integer(value) => call.arg(&*value),
                Arg::Number(value) => call.arg(&*value),
                Arg::Count(value) => call.arg(&*value),
            };
        }
        let config = LaunchConfig {
            grid_dim: (x, y, 1),
            block_dim: (threads, 1, 1),
            shared_mem_bytes: 0,
        };
        // SAFETY: the parameters match the kernel's in number, order and kind, as checked above; pointers are live
        // slices of this context, and callers have checked their lengths against the shapes passed to the kernel.
        unsafe { call.launch(config) }.map_err(|error| said(&format!("the kernel `{name}`"), error))?;
        Ok(())
    }
}

/// Uninitialised memory for `len` values.
pub(super) fn room<T: DeviceRepr>(stream: &Arc<CudaStream>, len: usize) -> Result<CudaSlice<T>> {
    // SAFETY: every operation fully writes the memory it allocates before anything reads it.
    unsafe { stream.alloc(len.max(1)) }
        .map_err(|error| said(&format!("{} MB", (len * size_of::<T>()).div_ceil(1 << 20)), error))
}
