//! Checks of a CUDA device against known results before it is used.

use super::cublas::Cublas;
use super::numbers::Rounded;
use super::{Cuda, Rows, Terms};
use crate::decoder::machine::{Machine, Product};
use crate::decoder::matrix::Use;
use crate::decoder::suite::{Extent, Measured, Noise, compared, suite};
use crate::error::{Error, Result};

/// Allowed deviation of products, relative to the root mean square of their results.
fn allowed(terms: Terms) -> f64 {
    match terms {
        Terms::Exact => 2e-5,
        Terms::Fast => 3e-2,
    }
}

impl Cuda {
    /// Runs the test suite of all operations.
    ///
    /// # Errors
    /// Errors of the device.
    pub fn suite(&self, extent: Extent) -> Result<Vec<Measured>> {
        suite(self, extent, allowed(self.terms))
    }

    /// Allowed deviation of a layer's output, relative to its root mean square.
    pub fn allowed_of_a_layer(&self) -> f64 {
        match self.terms {
            Terms::Exact => 1e-4,
            Terms::Fast => 1e-1,
        }
    }

    /// Rejects a device that computes wrong results.
    ///
    /// # Errors
    /// [`Error::Card`] with the wrong and the right number; errors of the device.
    pub fn check_itself(&self) -> Result<()> {
        for found in self.suite(Extent::Start)? {
            if !found.is_right() {
                return Err(Error::Card(format!(
                    "it computes {} where {} is right ({}; off by {:.1e} of the typical number, {:.0e} is allowed): leave out --device cuda, and report this with what `anatomy probe device --check` prints",
                    found.worst.0, found.worst.1, found.what, found.error, found.allowed
                )));
            }
        }
        Ok(())
    }

    /// The same device, with one-term products computed by cuBLAS if the library is found and agrees with the kernel.
    /// Otherwise unchanged, apart from the recorded reason.
    ///
    /// # Errors
    /// [`Error::Card`] if the kernel itself fails.
    pub fn with_library(mut self) -> Result<Self> {
        if self.terms == Terms::Exact {
            return Ok(self);
        }
        let (library, words) = match Cublas::open(&self.work) {
            None => (None, "kernels of its own: no cuBLAS was found".to_owned()),
            Some(Err(error)) => (None, format!("kernels of its own: {}", bare(error))),
            Some(Ok(library)) => {
                let (name, agreed) = (format!("cuBLAS{}", library.version()), self.agreed(&library)?);
                match agreed {
                    Ok(apart) => (
                        Some(library),
                        format!(
                            "{name}, {apart:.0e} of the typical number off the kernels of its own at most"
                        ),
                    ),
                    Err(why) => (None, format!("kernels of its own: {name} {why}")),
                }
            }
        };
        self.library = library;
        self.multiplied_by = words;
        Ok(self)
    }

    /// The largest deviation between library and kernel, or the reason why the library is not used.
    fn agreed(&self, library: &Cublas) -> Result<std::result::Result<f64, String>> {
        let mut noise = Noise::new(2);
        let mut most = 0.0_f64;
        for (m, n, k) in [(5, 70, 150), (33, 129, 257), (1, 64, 1024)] {
            let (x, base) = (self.rows(noise.numbers(m * k))?, self.rows(noise.numbers(m * n))?);
            let (d, before) = (self.rows(noise.numbers(m * n))?, noise.numbers(m * k));
            let matrix = self.matrix(noise.numbers(n * k), n, k, Use::Layer)?;
            let bias = self.vector(noise.numbers(n))?;
            let forwards = |library: Option<&Cublas>, added: bool| {
                let rounded = library
                    .map(|library| Rounded::new(self, library, &x))
                    .transpose()?;
                let mut out = Rows::default();
                let mut product = Product {
                    matrix: &matrix,
                    bias: added.then_some(&bias),
                    base: added.then_some(&base),
                    out: &mut out,
                };
                self.times(&x, rounded.as_ref(), &mut product)?;
                self.down(&out)
            };
            let backwards = |library: Option<&Cublas>| {
                let mut dx = self.rows(before.clone())?;
                self.times_back(library, &d, &matrix, &mut dx)?;
                self.down(&dx)
            };
            let ways: [(&str, Way<'_>); 3] = [
                ("product", &|library| forwards(library, false)),
                ("product with what it is added to,", &|library| {
                    forwards(library, true)
                }),
                ("product backwards", &backwards),
            ];
            for (what, way) in ways {
                let ours: Vec<f64> = way(None)?.into_iter().map(f64::from).collect();
                let theirs: Vec<f64> = match way(Some(library)) {
                    Ok(theirs) => theirs.into_iter().map(f64::from).collect(),
                    Err(error) => return Ok(Err(format!("is not used: {}", bare(error)))),
                };
                let found = compared(format!("{what} {m}x{n}x{k}"), &theirs, &ours, APART);
                if !found.is_right() {
                    return Ok(Err(format!(
                        "computes {} where they give {} ({}; off by {:.1e} of the typical number, {APART:.0e} is allowed)",
                        found.worst.0, found.worst.1, found.what, found.error
                    )));
                }
                most = most.max(found.error);
            }
        }
        Ok(Ok(most))
    }
}

/// A product computed by the kernel (`None`) or by a library.
type Way<'a> = &'a dyn Fn(Option<&Cublas>) -> Result<Vec<f32>>;

/// Allowed deviation of a library's products from the kernel's: sums differ in order, and tensor cores truncate.
const APART: f64 = 1e-4;

/// The message of a device error without its prefix.
fn bare(error: Error) -> String {
    match error {
        Error::Card(what) => what,
        other => other.to_string(),
    }
}
