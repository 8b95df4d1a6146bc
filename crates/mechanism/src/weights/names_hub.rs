//! Tensor names of safetensors checkpoints, as in transformers: prefix and layer here, the rest from the families.

use super::safetensors::SafetensorsFiles;
use crate::config::{DecoderConfig, StoredLayer};
use crate::error::{Error, Result};
use crate::layout::{Kind, Part, Source};

/// Prefix of the embedding's name: `model.`, `transformer.`, empty, or a multimodal prefix.
pub(super) fn base(files: &SafetensorsFiles, config: &DecoderConfig) -> Result<String> {
    let name = format!(
        "{}{}",
        config.family.facts().names.embedding,
        Kind::Weight.suffix()
    );
    let found = files.tensors.keys().filter_map(|key| key.strip_suffix(&name));
    let shortest = found
        .filter(|base| base.is_empty() || base.ends_with('.'))
        .min_by_key(|base| base.len());
    match shortest {
        Some(base) => Ok(base.to_owned()),
        None => Err(Error::MissingTensor {
            name,
            n_tensors: files.tensors.len(),
        }),
    }
}

pub(super) fn source(
    files: &SafetensorsFiles,
    base: &str,
    c: &DecoderConfig,
    layer: Option<usize>,
    part: Part,
    kind: Kind,
) -> Source {
    let (names, suffix) = (&c.family.facts().names, kind.suffix());
    let Some(layer) = layer else {
        return Source::all(match part {
            Part::Embedding => format!("{base}{}{suffix}", names.embedding),
            Part::Positions => format!("{base}wpe{suffix}"),
            Part::FinalNorm => format!("{base}{}{suffix}", names.final_norm),
            _ => head(files, names.head, suffix),
        });
    };
    let place = StoredLayer {
        at: format!("{base}{}.{layer}.", names.layers),
        has: &|name| files.tensors.contains_key(name),
    };
    (names.part)(&place, c, part, kind)
}

/// The head's name has no prefix, except in multimodal files.
fn head(files: &SafetensorsFiles, name: &str, suffix: &str) -> String {
    let name = format!("{name}{suffix}");
    if files.tensors.contains_key(&name) {
        return name;
    }
    files
        .tensors
        .keys()
        .find(|key| key.ends_with(&format!(".{name}")))
        .cloned()
        .unwrap_or(name)
}
