//! A checkpoint: configuration, tokenizer and weights, from a folder or a file.

mod folder;
mod shelf;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::config::{DecoderConfig, json};
use crate::decoder::Device;
use crate::error::{Error, Result};
use crate::gguf::Gguf;
use crate::tokenizer::Tokenizer;
use crate::weights::{Cut, SafetensorsFiles, Stays, Store, Weights};
use shelf::Shelf;

/// An opened checkpoint; weights stay on disk until a layer is run.
#[derive(Debug)]
pub struct Checkpoint {
    /// The path that was opened.
    pub path: PathBuf,
    /// Structure of the decoder.
    pub config: DecoderConfig,
    /// The parsed `config.json`; `None` for a GGUF file.
    pub config_json: Option<Map<String, Value>>,
    /// Weights.
    pub weights: Weights,
    /// The device that the checkpoint runs on.
    pub device: Device,
    /// Layers kept on the device between runs.
    pub(crate) shelf: Shelf,
    /// Tokens that end a text.
    pub end_tokens: Vec<u32>,
    /// The tokenizer, or why there is none, which becomes an error only when a text is to be encoded.
    tokenizer: std::result::Result<Arc<Tokenizer>, String>,
}

impl Checkpoint {
    /// Opens a folder (`config.json` with safetensors, or a single GGUF file), a GGUF file, or a safetensors file or
    /// index with `config.json` beside it.
    ///
    /// # Errors
    /// [`Error::NoCheckpoint`] when the path is none of these; else the errors of reading it.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Self::open_folder(path);
        }
        let mut magic = [0; 4];
        let mut file = File::open(path).map_err(|source| Error::Read {
            path: path.to_path_buf(),
            source,
        })?;
        let is_gguf = file.read_exact(&mut magic).is_ok() && magic == *b"GGUF";
        if magic == *b"vers" {
            return Err(Error::Malformed {
                path: path.to_path_buf(),
                what: crate::mapped::POINTER.to_owned(),
                at: 0,
            });
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let folder = path.parent().unwrap_or(Path::new("."));
        match extension {
            _ if is_gguf => Self::open_gguf(path),
            "gguf" => Err(Error::Malformed {
                path: path.to_path_buf(),
                what: "no GGUF magic".to_owned(),
                at: 0,
            }),
            "safetensors" => Self::with_config(path, folder, SafetensorsFiles::open(&[path.to_path_buf()])?),
            "json" if path.to_string_lossy().ends_with(".index.json") => {
                Self::with_config(path, folder, SafetensorsFiles::open_index(path)?)
            }
            _ => Err(Error::NoCheckpoint {
                path: path.to_path_buf(),
                missing: "GGUF magic and no .safetensors name",
            }),
        }
    }

    fn open_folder(folder: &Path) -> Result<Self> {
        let index = folder.join("model.safetensors.index.json");
        let single = folder.join("model.safetensors");
        if index.exists() && !single.exists() {
            return Self::with_config(folder, folder, SafetensorsFiles::open_index(&index)?);
        }
        if single.exists() {
            let opened = Self::with_config(folder, folder, SafetensorsFiles::open(&[single])?);
            // A `model.safetensors` without the embedding is a leftover if an index says where the weights really are.
            return match opened {
                Err(Error::MissingTensor { .. }) if index.exists() => {
                    Self::with_config(folder, folder, SafetensorsFiles::open_index(&index)?)
                }
                other => other,
            };
        }
        let files = folder::Files::of(folder)?;
        if let Some(shards) = files.shards()? {
            return Self::with_config(folder, folder, SafetensorsFiles::open(&shards)?);
        }
        Self::open_gguf(&files.gguf()?)
    }

    fn open_gguf(path: &Path) -> Result<Self> {
        let file = Gguf::open(path)?;
        let config = DecoderConfig::from_gguf(&file)?;
        let beside = path.with_file_name("tokenizer.json");
        let tokenizer = match Tokenizer::from_gguf(&file) {
            Ok(tokenizer) => Ok(tokenizer),
            Err(_) if beside.exists() => Ok(Tokenizer::from_file(&beside)?),
            Err(error) => Err(error.to_string()),
        };
        let end_tokens = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"]
            .iter()
            .filter_map(|key| file.number(key).and_then(|id| u32::try_from(id).ok()))
            .collect();
        let weights = Weights::new(Store::Gguf(file), &config)?;
        Ok(Self {
            end_tokens,
            path: path.to_path_buf(),
            config,
            config_json: None,
            weights,
            device: Device::default(),
            shelf: Shelf::default(),
            tokenizer: tokenizer.map(Arc::new),
        })
    }

    fn with_config(path: &Path, folder: &Path, files: SafetensorsFiles) -> Result<Self> {
        let config_path = folder.join("config.json");
        let text = std::fs::read(&config_path).map_err(|source| Error::Read {
            path: config_path.clone(),
            source,
        })?;
        let config_json: Map<String, Value> = json::object(&text).map_err(|e| Error::Malformed {
            path: config_path,
            what: e.to_string(),
            at: e.column() as u64,
        })?;
        let config = DecoderConfig::from_hub(&config_json)?;
        let tokenizer_path = folder.join("tokenizer.json");
        let tokenizer = if tokenizer_path.exists() {
            Ok(Tokenizer::from_file(&tokenizer_path)?)
        } else {
            Err(format!("no tokenizer.json in {}", folder.display()))
        };
        let weights = Weights::new(Store::Safetensors(files), &config)?;
        Ok(Self {
            end_tokens: end_tokens(folder, &config_json),
            path: path.to_path_buf(),
            config,
            config_json: Some(config_json),
            weights,
            device: Device::default(),
            shelf: Shelf::default(),
            tokenizer: tokenizer.map(Arc::new),
        })
    }

    /// The checkpoint reduced to the units in `stays`; it shares files and tokenizer with this one.
    ///
    /// # Errors
    /// [`Error::Cut`] for a cut that no configuration can describe, and for a checkpoint that is already cut.
    pub fn cut(&self, stays: Stays) -> Result<Self> {
        if self.weights.cut.is_some() {
            return Err(Error::Cut {
                part: "the checkpoint",
                what: "it is cut already; write it, open what was written and cut that".to_owned(),
            });
        }
        let (cut, config) = Cut::new(&self.config, stays)?;
        Ok(Self {
            path: self.path.clone(),
            config,
            config_json: self.config_json.clone(),
            weights: self.weights.with_cut(cut),
            device: self.device.clone(),
            shelf: Shelf::default(),
            end_tokens: self.end_tokens.clone(),
            tokenizer: self.tokenizer.clone(),
        })
    }

    /// The architecture's name: the first of `architectures` in `config.json`, or `general.architecture` in GGUF.
    pub fn architecture(&self) -> Option<String> {
        if let Store::Gguf(file) = &*self.weights.store {
            return file.text("general.architecture").map(str::to_owned);
        }
        let named = self
            .config_json
            .as_ref()?
            .get("architectures")?
            .as_array()?
            .first()?;
        named.as_str().map(str::to_owned)
    }

    /// The tokenizer.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] when there is none, or when the one in a GGUF file could not be read.
    pub fn tokenizer(&self) -> Result<&Tokenizer> {
        self.tokenizer
            .as_deref()
            .map_err(|why| Error::Tokenizer(why.trim_start_matches("tokenizer: ").to_owned()))
    }

    /// Token ids of a text, with the special tokens that the checkpoint's tokenizer adds.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if the text cannot be encoded, [`Error::TokenId`] for an id without an embedding.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let ids = self.tokenizer()?.encode(text, true)?;
        self.check_ids(&ids)?;
        Ok(ids)
    }

    /// Refuses ids that have no embedding.
    ///
    /// # Errors
    /// [`Error::TokenId`] for the first such id.
    pub fn check_ids(&self, ids: &[u32]) -> Result<()> {
        let vocab_size = self.config.vocab_size;
        match ids.iter().find(|id| **id as usize >= vocab_size) {
            Some(&id) => Err(Error::TokenId { id, vocab_size }),
            None => Ok(()),
        }
    }
}

/// `eos_token_id` of `generation_config.json`, or else of `config.json`: one id or a list of ids.
fn end_tokens(folder: &Path, config: &Map<String, Value>) -> Vec<u32> {
    let generation: Option<Map<String, Value>> = std::fs::read(folder.join("generation_config.json"))
        .ok()
        .and_then(|bytes| json::object(&bytes).ok());
    let of = |map: &Map<String, Value>| map.get("eos_token_id").filter(|v| !v.is_null()).cloned();
    let id = |value: &Value| value.as_u64().and_then(|id| u32::try_from(id).ok());
    match generation.as_ref().and_then(of).or_else(|| of(config)) {
        Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        Some(one) => id(&one).into_iter().collect(),
        None => Vec::new(),
    }
}
