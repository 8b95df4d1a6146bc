//! Provenance of a probe's results: the checkpoint with the hash of its weights, and the inputs it was given.
//!
//! Weights are hashed in full, on a separate thread while the checkpoint runs. A probe reads every byte anyway, and
//! hashing only names and sizes of tensors would not distinguish two fine-tunes of one base.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use mechanism::Checkpoint;
use mechanism::evaluate::tasks::TaskItems;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::model::ModelArgs;
use crate::global::{Format, Global};
use crate::provenance::{FileOf, InputOf, ModelOf, Opened, Provenance};

/// Block size for hashing, bytes.
const BLOCK: usize = 1 << 20;

/// A checkpoint whose weights are being hashed in the background.
pub(super) struct Hashing {
    architecture: Option<String>,
    layers: usize,
    stored_as: BTreeMap<String, usize>,
    files: JoinHandle<Result<Vec<FileOf>>>,
}

impl Hashing {
    /// Starts hashing if the output is JSON; `None` otherwise, as tables do not show the hash.
    pub(super) fn begin(global: &Global, checkpoint: &Checkpoint) -> Option<Self> {
        (global.format() == Format::Json).then(|| Self::of(checkpoint))
    }

    /// Starts hashing.
    pub(super) fn of(checkpoint: &Checkpoint) -> Self {
        let paths: Vec<PathBuf> = checkpoint
            .weights
            .store
            .paths()
            .into_iter()
            .map(Path::to_owned)
            .collect();
        Self {
            architecture: checkpoint.architecture(),
            layers: checkpoint.config.n_layers,
            stored_as: checkpoint.weights.store.types(),
            files: std::thread::spawn(move || paths.iter().map(|path| file_of(path)).collect()),
        }
    }

    /// Waits for the hashes and returns the description of the checkpoint.
    pub(super) fn end(self) -> Result<Opened> {
        let files = self
            .files
            .join()
            .map_err(|_| anyhow!("hashing the weights ended early"))??;
        let sha256 = match files.as_slice() {
            [only] => only.sha256.clone(),
            many => {
                let all: Vec<String> = many.iter().map(|file| format!("{}\n", file.sha256)).collect();
                catalog::sha256(all.concat().as_bytes())
            }
        };
        Ok(Opened {
            architecture: self.architecture,
            layers: self.layers,
            stored_as: self.stored_as,
            sha256,
            files,
        })
    }
}

fn file_of(path: &Path) -> Result<FileOf> {
    let (sha256, bytes) = hashed(path)?;
    Ok(FileOf {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        bytes,
        sha256,
    })
}

/// SHA-256 and length in bytes of a file, read in blocks.
fn hashed(path: &Path) -> Result<(String, u64)> {
    let failed = || format!("cannot read {}", path.display());
    let mut file = File::open(path).with_context(failed)?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut block).with_context(failed)?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        bytes += read as u64;
    }
    Ok((catalog::hex(&hash.finalize()), bytes))
}

/// Describes a user's file with `n` texts, items or samples.
pub(super) fn of_file(kind: &'static str, path: &Path, n: usize) -> Result<InputOf> {
    Ok(InputOf {
        kind,
        name: path.display().to_string(),
        sha256: hashed(path)?.0,
        n,
    })
}

/// Describes inputs that are in no file of their own; the hash is over the values, one line of JSON each.
pub(super) fn of_values<T: Serialize>(kind: &'static str, name: &str, values: &[T]) -> Result<InputOf> {
    let mut hash = Sha256::new();
    for value in values {
        hash.update(serde_json::to_vec(value)?);
        hash.update(b"\n");
    }
    Ok(InputOf {
        kind,
        name: name.to_owned(),
        sha256: catalog::hex(&hash.finalize()),
        n: values.len(),
    })
}

/// Describes the items of tasks by the contexts and continuations given to the checkpoint.
pub(super) fn of_tasks(tasks: &[TaskItems]) -> Result<Vec<InputOf>> {
    let given = |task: &TaskItems| {
        let requests: Vec<_> = task
            .items
            .iter()
            .map(|item| {
                let both = item
                    .requests
                    .iter()
                    .map(|request| (&request.context, &request.continuation));
                (item.doc_id, both.collect::<Vec<_>>())
            })
            .collect();
        of_values("task", &task.task.to_string(), &requests)
    };
    tasks.iter().map(given).collect()
}

/// Provenance of a probe's results; `opened` is `None` where the checkpoint was not opened.
pub(super) fn provenance(
    global: &Global,
    model: &ModelArgs,
    without_layers: &[usize],
    opened: Option<Opened>,
    inputs: Vec<InputOf>,
) -> Provenance {
    Provenance {
        model: Some(ModelOf {
            name: model.model.display().to_string(),
            weights_as: model.weights_as(),
            computed_as: model.computed_as(),
            without_layers: without_layers.to_vec(),
            opened,
        }),
        inputs,
        ..Provenance::of("", global.seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_differ_where_a_text_does() {
        let of = |texts: &[&str]| of_values("texts", "x", texts).expect("JSON").sha256;
        assert_eq!(of(&["a", "b"]), catalog::sha256(b"\"a\"\n\"b\"\n"));
        assert_ne!(of(&["a", "b"]), of(&["ab"]));
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("texts.txt");
        let text = "z".repeat(3 * BLOCK + 5);
        std::fs::write(&path, &text).expect("a file");
        let found = file_of(&path).expect("a file");
        assert_eq!(
            (found.file.as_str(), found.bytes),
            ("texts.txt", text.len() as u64)
        );
        assert_eq!(found.sha256, catalog::sha256(text.as_bytes()));
    }
}
