//! What the numbers of a probe were made from: the checkpoint with the hash of its weights, and what it was given.
//!
//! Weights are hashed in full, as they stream by on a thread of their own while the checkpoint is run: a probe reads every
//! byte of them anyway, and an index with lengths would call two fine-tunes of one base the same.

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

/// Bytes that are hashed at a time.
const BLOCK: usize = 1 << 20;

/// A checkpoint whose weights are being hashed, where the answer will say so.
pub(super) struct Hashing {
    architecture: Option<String>,
    layers: usize,
    stored_as: BTreeMap<String, usize>,
    files: JoinHandle<Result<Vec<FileOf>>>,
}

impl Hashing {
    /// Begins, where the answer will be JSON; tables have no room for it.
    pub(super) fn begin(global: &Global, checkpoint: &Checkpoint) -> Option<Self> {
        (global.format() == Format::Json).then(|| Self::of(checkpoint))
    }

    /// Begins.
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

    /// What was found, when all is hashed.
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

/// SHA-256 and length of a file, a block at a time.
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

/// A file of the user's with `n` texts, items or samples.
pub(super) fn of_file(kind: &'static str, path: &Path, n: usize) -> Result<InputOf> {
    Ok(InputOf {
        kind,
        name: path.display().to_string(),
        sha256: hashed(path)?.0,
        n,
    })
}

/// What is in no file of its own, by what the checkpoint was given.
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

/// The items of tasks: their documents with all that stands before and after.
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

/// Where a probe's numbers come from. `opened` is absent where the checkpoint was not opened.
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
