//! Layers and the vocabulary matrix that stay on the device from one run to the next.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::config::DecoderConfig;
use crate::decoder::{Form, Layer, Machine};
use crate::error::Result;
use crate::weights::{Precision, Weights};

/// A cached object, and the precision that its weights were rounded to.
type Kept = (Precision, Arc<dyn Any + Send + Sync>);

/// Weights in the representation of the one device that the checkpoint runs on, keyed by layer index.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<usize, Kept>>);

/// Key of the vocabulary matrix.
const TABLE: usize = usize::MAX;

impl Shelf {
    /// Layer `index`, read unless it is cached; cached if the device has room.
    pub(crate) fn layer<M: Machine>(
        &self,
        machine: &M,
        weights: &Weights,
        config: &DecoderConfig,
        index: usize,
    ) -> Result<Arc<Layer<M>>> {
        self.held(machine, weights.precision, index, || {
            Layer::load_on(machine, weights, config, index, Form::Wide)
        })
    }

    /// The vocabulary matrix, made unless it is cached; cached if the device has room.
    pub(crate) fn table<M: Machine>(
        &self,
        machine: &M,
        precision: Precision,
        make: impl FnOnce() -> Result<M::Matrix>,
    ) -> Result<Arc<M::Matrix>>
    where
        M::Matrix: 'static,
    {
        self.held(machine, precision, TABLE, make)
    }

    fn held<M: Machine, T: Any + Send + Sync>(
        &self,
        machine: &M,
        precision: Precision,
        place: usize,
        make: impl FnOnce() -> Result<T>,
    ) -> Result<Arc<T>> {
        let here = self.0.lock().ok().and_then(|kept| {
            let (of, held) = kept.get(&place)?;
            let held = Arc::clone(held).downcast::<T>().ok()?;
            (*of == precision).then_some(held)
        });
        if let Some(held) = here {
            return Ok(held);
        }
        let made = Arc::new(make()?);
        if machine.has_room()
            && let Ok(mut kept) = self.0.lock()
        {
            let any: Arc<dyn Any + Send + Sync> = Arc::<T>::clone(&made);
            kept.insert(place, (precision, any));
        }
        Ok(made)
    }
}
