//! Contents of a folder without `model.safetensors` and its index: shards, GGUF files, or files that an error names.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A folder's files, in order of their names.
pub(super) struct Files {
    folder: PathBuf,
    all: Vec<PathBuf>,
}

/// Splits a shard's file stem: `model-00001-of-00003` gives `model`, 1 and 3.
fn part(path: &Path) -> Option<(String, usize, usize)> {
    let stem = path.file_stem()?.to_str()?;
    let (before, count) = stem.rsplit_once("-of-")?;
    let (name, number) = before.rsplit_once('-')?;
    Some((name.to_owned(), number.parse().ok()?, count.parse().ok()?))
}

impl Files {
    pub(super) fn of(folder: &Path) -> Result<Self> {
        let entries = std::fs::read_dir(folder).map_err(|source| Error::Read {
            path: folder.to_path_buf(),
            source,
        })?;
        let mut all: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .collect();
        all.sort();
        Ok(Self {
            folder: folder.to_path_buf(),
            all,
        })
    }

    fn ending(&self, ending: &str) -> Vec<PathBuf> {
        let is = |path: &&PathBuf| path.extension().is_some_and(|end| end == ending);
        self.all.iter().filter(is).cloned().collect()
    }

    fn name(path: &Path) -> String {
        path.file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    fn other(&self, what: String) -> Error {
        Error::OtherFiles {
            path: self.folder.clone(),
            what,
        }
    }

    /// All shards of a safetensors checkpoint; `None` if there are no shards. An error if one is missing.
    pub(super) fn shards(&self) -> Result<Option<Vec<PathBuf>>> {
        let adapter = |path: &PathBuf| Self::name(path).starts_with("adapter_");
        let found: Vec<PathBuf> = self
            .ending("safetensors")
            .into_iter()
            .filter(|path| !adapter(path))
            .collect();
        let parts: Vec<(String, usize, usize)> = found.iter().filter_map(|path| part(path)).collect();
        let Some((name, _, count)) = parts.first().cloned() else {
            return Ok(None);
        };
        let numbers: Vec<usize> = parts
            .iter()
            .filter(|(other, _, of)| (other, *of) == (&name, count))
            .map(|(_, number, _)| *number)
            .collect();
        if let Some(missing) = (1..=count).find(|number| !numbers.contains(number)) {
            return Err(self.other(format!(
                "{} of {count} shards of {name}, no index; shard {missing} is missing: {name}-{missing:05}-of-{count:05}.safetensors",
                numbers.len()
            )));
        }
        let own =
            |path: &PathBuf| part(path).is_some_and(|(other, _, of)| (other, of) == (name.clone(), count));
        Ok(Some(found.into_iter().filter(own).collect()))
    }

    /// The only GGUF file, or the first part of the only GGUF file that was split.
    pub(super) fn gguf(&self) -> Result<PathBuf> {
        let mut found = self.ending("gguf");
        let first = found.first().and_then(|path| part(path));
        if let Some((name, 1, count)) = first
            && found
                .iter()
                .all(|path| part(path).is_some_and(|(other, _, of)| (other, of) == (name.clone(), count)))
        {
            found.truncate(1);
        }
        match found.as_slice() {
            [one] => Ok(one.clone()),
            [] => Err(self.nothing()),
            _ => Err(Error::NoCheckpoint {
                path: self.folder.clone(),
                missing: "single .gguf file: name one of them",
            }),
        }
    }

    /// The error for a folder without a checkpoint, which describes what the folder holds instead.
    fn nothing(&self) -> Error {
        let named =
            |is: &dyn Fn(&str) -> bool| self.all.iter().map(|path| Self::name(path)).find(|name| is(name));
        if let Some(name) = named(&|name| name.starts_with("adapter_model.")) {
            return self.other(format!(
                "an adapter ({name}), no checkpoint: open the checkpoint it was trained on, or merge the two and open what that gives"
            ));
        }
        let pickled = |name: &str| {
            let ending = Path::new(name)
                .extension()
                .and_then(|end| end.to_str())
                .unwrap_or("");
            matches!(ending, "bin" | "pt" | "pth" | "ckpt") && !name.starts_with("training_args")
        };
        if let Some(name) = named(&pickled) {
            return self.other(format!(
                "weights as PyTorch pickles ({name}), which are not read because opening one runs what is in it: save the checkpoint as \
                 safetensors (`save_pretrained` of transformers does)"
            ));
        }
        if let [one] = self.ending("safetensors").as_slice() {
            return self.other(format!(
                "one file of safetensors, {}, which is not called model.safetensors: name the file itself",
                Self::name(one)
            ));
        }
        Error::NoCheckpoint {
            path: self.folder.clone(),
            missing: "model.safetensors, model.safetensors.index.json or .gguf file",
        }
    }
}
