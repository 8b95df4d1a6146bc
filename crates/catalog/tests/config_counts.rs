//! Parameter counts against transformers' own classes, built without weights (`oracles/config_parameters.py`).

use serde_json::Value;

const TABLE: &str = include_str!("fixtures/config_parameters.json");

/// Name, count and config.
type Counted = (String, i64, Value);

/// Rows of the table (configs from `../shared/data/configs` where the table holds none).
fn rows() -> Result<Vec<Counted>, Box<dyn std::error::Error>> {
    let table: Value = catalog::config::json::parse(TABLE.as_bytes(), "config_parameters.json")?;
    let mut rows = Vec::new();
    for row in table["rows"].as_array().ok_or("no rows")? {
        let name = row["name"].as_str().ok_or("no name")?.to_owned();
        let count = row["parameters"].as_i64().ok_or("no count")?;
        let config = match &row["config"] {
            Value::Null => match crate::shared_data() {
                Some(data) => serde_json::from_slice(&std::fs::read(data.join("configs").join(&name))?)?,
                None => continue,
            },
            own => own.clone(),
        };
        rows.push((name, count, config));
    }
    Ok(rows)
}

/// Architectures whose count is off by more than a twentieth today: a vision part.
const OFF: [&str; 1] = ["Qwen--Qwen3-VL"];
/// Mixtures, hybrids and state-space decoders counted to the parameter.
const TO_THE_PARAMETER: [&str; 17] = [
    "bamba",
    "falcon_h1",
    "gpt_oss",
    "granitemoehybrid",
    "jamba",
    "mamba",
    "mamba2",
    "nemotron_h",
    "qwen2_moe",
    "qwen3_next",
    "MiniMaxAI/MiniMax-M2",
    "Qwen/Qwen3-Next-80B-A3B-Instruct",
    "ai21labs/Jamba-v0.1",
    "openai/gpt-oss-20b",
    "state-spaces/mamba2-2.7b",
    "tiiuae/Falcon-H1-7B-Instruct",
    "zai-org/GLM-4.5-Air",
];

#[test]
fn counts_are_those_of_transformers() -> Result<(), Box<dyn std::error::Error>> {
    let mut wrong = Vec::new();
    for (name, count, value) in rows()? {
        let config = catalog::config::read(&value);
        let ours = config.parameters_total.unwrap_or_default();
        let off = (ours - count) as f64 / count as f64;
        let known = OFF.iter().any(|start| name.starts_with(start));
        let exact = config.counted_exactly || TO_THE_PARAMETER.contains(&name.as_str());
        if exact && ours != count || off.abs() > 0.05 && !known {
            wrong.push(format!(
                "{name}: {count}, ours {ours}, exact: {}",
                config.counted_exactly
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}
