//! Turns a `config.json` of the Hugging Face Hub into a [`DecoderConfig`]. Defaults are those of transformers 5.

pub(super) mod rotary;

use serde_json::{Map, Value};

use super::DecoderConfig;
use super::families::{Family, listed};
use super::fields::Fields;
use crate::error::{Error, Result};

impl DecoderConfig {
    /// Reads the object of a `config.json`; of a multimodal one, its `text_config`.
    ///
    /// # Errors
    /// [`Error::Architecture`] for unsupported families or packed weights, [`Error::Config`] for bad or missing fields.
    pub fn from_hub(config: &Map<String, Value>) -> Result<Self> {
        let outer = Fields(config);
        if outer.get("quantization_config").is_some() {
            return Err(Error::Architecture {
                architecture: outer.text("model_type")?.unwrap_or("?").to_owned(),
                missing: "weights packed by a quantization_config are not read; use GGUF".to_owned(),
            });
        }
        let c = outer.object("text_config")?.unwrap_or(outer);
        let model_type = match c.text("model_type")? {
            Some(model_type) => model_type,
            None => outer.text("model_type")?.unwrap_or("(none)"),
        };
        let Some(family) = Family::of_model_type(model_type) else {
            let all = listed(|facts| facts.model_types.first().copied());
            return Err(Error::Architecture {
                architecture: model_type.to_owned(),
                missing: format!("no decoder for this model_type; there is one for {all}"),
            });
        };
        (family.facts().read)(family, c)?.checked()
    }
}
