//! What a card is asked before anything is trusted to it.

use super::{Cuda, Terms};
use crate::decoder::suite::{Extent, Measured, suite};
use crate::error::{Error, Result};

/// What products may be off by, of the root mean square of their results.
fn allowed(terms: Terms) -> f64 {
    match terms {
        Terms::Exact => 2e-5,
        Terms::Fast => 3e-2,
    }
}

impl Cuda {
    /// Runs the suite of all operations.
    ///
    /// # Errors
    /// What the card fails with.
    pub fn suite(&self, extent: Extent) -> Result<Vec<Measured>> {
        suite(self, extent, allowed(self.terms))
    }

    /// What a layer may be off by, of the root mean square of what it gives.
    pub fn allowed_of_a_layer(&self) -> f64 {
        match self.terms {
            Terms::Exact => 1e-4,
            Terms::Fast => 1e-1,
        }
    }

    /// Refuses a card that computes something else than what is right.
    pub(super) fn check_itself(&self) -> Result<()> {
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
}
