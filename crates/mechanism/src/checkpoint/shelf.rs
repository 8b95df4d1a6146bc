//! Layers that stay with the machine from one run to the next.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::config::DecoderConfig;
use crate::decoder::{Layer, Machine};
use crate::error::Result;
use crate::weights::{Precision, Weights};

/// Layers by number, as the one machine that the checkpoint runs on has them.
#[derive(Debug, Default)]
pub(crate) struct Shelf(Mutex<BTreeMap<usize, (Precision, Arc<dyn Any + Send + Sync>)>>);

impl Shelf {
    /// Layer `index`, read unless it is here; kept where the machine has room.
    pub(crate) fn layer<M: Machine>(
        &self,
        machine: &M,
        weights: &Weights,
        config: &DecoderConfig,
        index: usize,
    ) -> Result<Arc<Layer<M>>> {
        let held = |layers: &BTreeMap<usize, (Precision, Arc<dyn Any + Send + Sync>)>| {
            let (precision, layer) = layers.get(&index)?;
            let layer = Arc::clone(layer).downcast::<Layer<M>>().ok()?;
            (*precision == weights.precision).then_some(layer)
        };
        if let Some(layer) = self.0.lock().ok().and_then(|layers| held(&layers)) {
            return Ok(layer);
        }
        let layer = Arc::new(Layer::load_on(machine, weights, config, index)?);
        if machine.has_room()
            && let Ok(mut layers) = self.0.lock()
        {
            let any: Arc<dyn Any + Send + Sync> = Arc::<Layer<M>>::clone(&layer);
            layers.insert(index, (weights.precision, any));
        }
        Ok(layer)
    }
}
