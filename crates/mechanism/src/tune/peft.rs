//! Adapters in PEFT's format (`adapter_config.json`, `adapter_model.safetensors`), and the optimiser state beside them.

use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::adamw::Moments;
use super::adapter::{Adapter, Factors, TARGETS};
use crate::error::{Error, Result};
use crate::prune::write::{PlannedWrite, little_endian, write_safetensors, write_then_rename};
use crate::weights::{SafetensorsFiles, Store};

/// Name of a tensor in PEFT's files.
fn name(layer: usize, target: usize, part: &str) -> String {
    format!(
        "base_model.model.model.layers.{layer}.{}.lora_{part}.weight",
        TARGETS[target]
    )
}

fn plan(name: String, shape: [usize; 2], values: &[f32]) -> PlannedWrite<'_> {
    PlannedWrite {
        name,
        dtype: "F32".to_owned(),
        shape: shape.to_vec(),
        n_bytes: 4 * values.len() as u64,
        bytes: Box::new(move || Ok(little_endian(values))),
    }
}

/// Both tensors of every adapted matrix; `values` gives those of a layer's `n`-th matrix.
fn planned<'a>(adapter: &Adapter, values: impl Fn(usize, usize) -> [&'a [f32]; 2]) -> Vec<PlannedWrite<'a>> {
    let mut all = Vec::new();
    for (layer, own) in adapter.layers.iter().enumerate() {
        for (at, factors) in own.iter().enumerate() {
            let [a, b] = values(layer, at);
            all.push(plan(
                name(layer, factors.target, "A"),
                [adapter.rank, factors.n_in],
                a,
            ));
            all.push(plan(
                name(layer, factors.target, "B"),
                [factors.n_out, adapter.rank],
                b,
            ));
        }
    }
    all
}

/// Writes an adapter into `folder`, in the format of PEFT's `PeftModel.from_pretrained`; `base` names the checkpoint.
///
/// # Errors
/// [`Error::Write`].
pub fn save(adapter: &Adapter, base: &str, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|source| Error::Write {
        path: folder.to_path_buf(),
        source,
    })?;
    let tensors = planned(adapter, |layer, at| {
        let factors = &adapter.layers[layer][at];
        [&factors.a, &factors.b]
    });
    write_safetensors(&folder.join("adapter_model.safetensors"), &tensors)?;
    let short = |target: &Factors| TARGETS[target.target].rsplit('.').next().unwrap_or_default();
    let targets: Vec<&str> = adapter
        .layers
        .first()
        .map_or(Vec::new(), |own| own.iter().map(short).collect());
    let config = json!({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": base, "r": adapter.rank,
        "lora_alpha": adapter.alpha, "lora_dropout": 0.0, "bias": "none", "target_modules": targets,
        "fan_in_fan_out": false, "inference_mode": true, "init_lora_weights": true, "modules_to_save": null,
        "layers_to_transform": null, "layers_pattern": null, "use_rslora": false, "use_dora": false,
    });
    write_then_rename(&folder.join("adapter_config.json"), |file| {
        writeln!(file, "{config:#}")
    })
}

/// Reads the adapter in `folder`; `like` determines rank, alpha and the matrices that must be present.
///
/// # Errors
/// [`Error::Adapter`] if rank, alpha or shapes differ; [`Error::MissingTensor`], [`Error::Read`].
pub fn load(folder: &Path, like: &Adapter) -> Result<Adapter> {
    let wrong = |what: String| Error::Adapter {
        path: folder.to_path_buf(),
        what,
    };
    let path = folder.join("adapter_config.json");
    let bytes = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
    let config: Map<String, Value> = serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?;
    if config.get("peft_type").and_then(Value::as_str) != Some("LORA") {
        return Err(wrong("its peft_type is not LORA".to_owned()));
    }
    let rank = config.get("r").and_then(Value::as_u64);
    if rank != Some(like.rank as u64) {
        let found = rank.map_or_else(|| "missing".to_owned(), |rank| rank.to_string());
        return Err(wrong(format!("its rank (r) is {found}, not {}", like.rank)));
    }
    let alpha = config.get("lora_alpha").and_then(Value::as_f64);
    if alpha.map(|alpha| alpha as f32) != Some(like.alpha) {
        let found = alpha.map_or_else(|| "missing".to_owned(), |alpha| alpha.to_string());
        return Err(wrong(format!("its lora_alpha is {found}, not {}", like.alpha)));
    }
    let mut adapter = like.clone();
    let store = Store::Safetensors(SafetensorsFiles::open(&[
        folder.join("adapter_model.safetensors")
    ])?);
    for (layer, own) in adapter.layers.iter_mut().enumerate() {
        for factors in own {
            for (part, into) in [("A", &mut factors.a), ("B", &mut factors.b)] {
                *into = read(&store, &name(layer, factors.target, part), into.len(), folder)?;
            }
        }
    }
    Ok(adapter)
}

fn read(store: &Store, name: &str, length: usize, folder: &Path) -> Result<Vec<f32>> {
    let values = store.whole(name)?;
    if values.len() != length {
        return Err(Error::Adapter {
            path: folder.to_path_buf(),
            what: format!("{name} has {} values, not {length}", values.len()),
        });
    }
    Ok(values)
}

/// The optimiser state by layer and adapted matrix: moments of `A` and of `B`.
pub(super) type State = Vec<Vec<[Moments; 2]>>;

/// Writes the optimiser state after `step` steps beside the adapter.
pub(super) fn save_state(adapter: &Adapter, state: &State, step: u64, folder: &Path) -> Result<()> {
    let step_values = [step as f32];
    let mut tensors = vec![plan("step".to_owned(), [1, 1], &step_values)];
    for (prefix, of) in [
        ("mean.", Moments::mean as fn(&Moments) -> &[f32]),
        ("square.", Moments::square),
    ] {
        for mut tensor in planned(adapter, |layer, at| {
            let [a, b] = &state[layer][at];
            [of(a), of(b)]
        }) {
            tensor.name.insert_str(0, prefix);
            tensors.push(tensor);
        }
    }
    write_safetensors(&folder.join("optimizer.safetensors"), &tensors)
}

/// Reads the files that [`save_state`] wrote: the optimiser state and the number of steps.
pub(super) fn load_state(adapter: &Adapter, folder: &Path) -> Result<(State, u64)> {
    let store = Store::Safetensors(SafetensorsFiles::open(&[folder.join("optimizer.safetensors")])?);
    let step = store.whole("step")?.first().copied().unwrap_or(0.0) as u64;
    let mut state = Vec::new();
    for (layer, own) in adapter.layers.iter().enumerate() {
        let mut moments = Vec::new();
        for factors in own {
            let one = |part: &str, n: usize| -> Result<Moments> {
                let name = name(layer, factors.target, part);
                Ok(Moments {
                    mean: read(&store, &format!("mean.{name}"), n, folder)?,
                    square: read(&store, &format!("square.{name}"), n, folder)?,
                })
            };
            moments.push([one("A", factors.a.len())?, one("B", factors.b.len())?]);
        }
        state.push(moments);
    }
    Ok((state, step))
}
