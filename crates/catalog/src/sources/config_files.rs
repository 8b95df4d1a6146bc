//! Reads whole `config.json` files of one checkpoint each, which the file's name or folder identifies.

use serde_json::Value;

use crate::clean;
use crate::config::{self, Config};
use crate::error::Error;
use crate::observed::{Observed, Out};

/// Name of this kind of source.
pub(crate) const NAME: &str = "config";

/// Whether a JSON value is a config, that is, states its architecture or its model type.
pub(crate) fn recognises(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| {
        fields.get("architectures").is_some_and(Value::is_array)
            || (fields.get("model_type").is_some_and(Value::is_string) && fields.len() > 2)
    })
}

/// The checkpoint that a file belongs to: `org--name_config.json`, or `…/org/name/config.json`, or the Hub cache's
/// `models--org--name/snapshots/…/config.json`.
pub(crate) fn id_of(file: &str) -> String {
    let parts: Vec<&str> = file.split('/').filter(|part| !part.is_empty()).collect();
    let name = parts.last().copied().unwrap_or(file).trim_end_matches(".json");
    if let Some(cached) = parts.iter().find_map(|part| part.strip_prefix("models--")) {
        return cached.replacen("--", "/", 1);
    }
    let stem = name
        .strip_suffix("_config")
        .or_else(|| name.strip_suffix(".config"))
        .unwrap_or(name);
    if let Some((organisation, rest)) = stem.split_once("--") {
        return format!("{organisation}/{rest}");
    }
    match parts.as_slice() {
        [.., organisation, folder, _] if stem == "config" => format!("{organisation}/{folder}"),
        [folder, _] if stem == "config" => (*folder).to_owned(),
        _ => stem.to_owned(),
    }
}

/// Whether a file's name is that of a config.
pub(crate) fn is_named(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    name == "config.json" || name.ends_with("_config.json") || name.ends_with(".config.json")
}

/// Records a config that is not JSON as one rejected row; returns the number of rows, 1.
pub(crate) fn read_broken(bytes: &[u8], file: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let start = &bytes[..bytes.len().min(800)];
    let raw = format!("{}: {}", id_of(file), String::from_utf8_lossy(start));
    out.reject_row(0, "config", &raw, "no_json_object")?;
    Ok(1)
}

/// The facts that a whole config states about checkpoint `id`.
pub(crate) fn whole(id: String, config: Config) -> Observed {
    Observed {
        id,
        dimensions: config.dimensions(),
        head_dim: config.head_dim,
        makeup: config.makeup,
        parameters_total: config.parameters_total,
        parameters_active: config.parameters_active,
        architecture: config.architecture,
        model_type: config.model_type,
        is_moe: Some(config.is_moe),
        is_multimodal: Some(config.is_multimodal),
        packed: config.quantization.is_some(),
        ..Observed::default()
    }
}

/// Reads one config into `out`; returns the number of rows, 1.
pub(crate) fn read(value: &Value, file: &str, out: &mut Out<'_>) -> Result<u64, Error> {
    let config = config::read(value);
    if let Some(why) = config.not_a_decoder() {
        out.reject_row(0, "architectures", &why, "not_a_decoder")?;
        return Ok(1);
    }
    let mut observed = whole(id_of(file), config);
    clean::dimensions(&mut observed, 0, out)?;
    out.observe(0, observed)?;
    Ok(1)
}

#[cfg(test)]
mod tests {
    use super::id_of;

    #[test]
    fn names_of_files() {
        assert_eq!(id_of("configs/Qwen--Qwen3-8B_config.json"), "Qwen/Qwen3-8B");
        assert_eq!(id_of("x/Qwen/Qwen3-8B/config.json"), "Qwen/Qwen3-8B");
        assert_eq!(
            id_of("hub/models--Qwen--Qwen3-8B/snapshots/0/config.json"),
            "Qwen/Qwen3-8B"
        );
        assert_eq!(id_of("gpt2/config.json"), "gpt2");
    }
}
