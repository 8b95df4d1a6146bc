//! Costs computed from one structure, in the form in which answers serialise them.

use catalog::cost::{
    Arithmetic, CacheType, DecodeBound, Device, Footprint, InferenceEngine, Memory, Precision, Quant, Rig,
    Speed, Workload,
};
use serde::Serialize;

use super::gguf_file::GgufFile;

/// Everything that follows arithmetically from a structure; all fields `None` or empty where a dimension is missing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Costs {
    /// Total number of parameters.
    pub(crate) parameters_total: Option<i64>,
    /// Number of parameters used for one token.
    pub(crate) parameters_active: Option<i64>,
    /// Whether `parameters_total` is exact.
    pub(crate) parameters_exact: bool,
    /// Floating-point operations for one token at an empty context.
    pub(crate) flops_per_token: Option<f64>,
    /// Bytes by which the 16-bit key-value cache grows per token while every attention window still has room.
    pub(crate) kv_cache_bytes_per_token: Option<f64>,
    /// The same once every attention window is full.
    pub(crate) kv_cache_bytes_per_token_beyond_windows: Option<f64>,
    /// Positions in the smallest attention window; `None` where no layer has one.
    pub(crate) smallest_window: Option<i64>,
    /// Memory, part by part, for the requested engine and weight type at the longest requested context.
    pub(crate) memory: Option<Footprint>,
    /// Decoding speed on the requested device or machine with that engine, and where the weights are placed.
    pub(crate) speed: Option<Speed>,
    /// Contents of the GGUF file's header, where a file was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<GgufFile>,
    /// Memory by precision and context, for an engine that keeps no more than necessary.
    pub(crate) memory_by_precision: Vec<Memory>,
    /// Upper bounds of decoding speed by device, precision and context.
    pub(crate) decode: Vec<DecodeBound>,
    /// The devices, with their specifications and sources.
    pub(crate) devices: Vec<Device>,
    /// Caveats on the counts.
    pub(crate) cost_notes: Vec<String>,
}

/// How a checkpoint is run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// Inference engine.
    pub(crate) engine: InferenceEngine,
    /// Type in which the weights are stored.
    pub(crate) quant: Quant,
    /// Type in which the keys and values are cached.
    pub(crate) cache: CacheType,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            engine: InferenceEngine::default(),
            quant: Precision::Half.into(),
            cache: CacheType::default(),
        }
    }
}

impl Costs {
    /// Adds the speed on a machine (`rig`) and the contents of a weight file.
    pub(crate) fn on(mut self, cost: &Arithmetic, rig: Option<&Rig>, file: Option<GgufFile>) -> Self {
        if let Some(file) = &file
            && let Some(memory) = self.memory.take()
        {
            let types: Vec<String> = file
                .tensors
                .iter()
                .map(|(name, (n, bytes))| format!("{n} of {name} ({:.3} GB)", bytes / 1e9))
                .collect();
            let formula = format!("all tensors: {}", types.join(", "));
            self.memory = Some(memory.with_weights(file.weights_bytes, formula, "the file's own header"));
        }
        if let (Some(memory), Some(rig)) = (&self.memory, rig) {
            self.speed = Some(cost.speed_on(rig, memory));
        }
        self.cost_notes
            .extend(file.iter().flat_map(|file| file.notes.clone()));
        self.file = file;
        self
    }

    /// Costs of a structure for these precisions, contexts (tokens) and devices, and for one setup.
    pub(crate) fn of(
        cost: &Arithmetic,
        precisions: &[Precision],
        contexts: &[i64],
        devices: &[Device],
        setup: Setup,
    ) -> Self {
        let longest = contexts.iter().copied().max().unwrap_or(1);
        let memory = cost.footprint(setup.engine, setup.quant, setup.cache, longest);
        let pairs = || {
            precisions
                .iter()
                .flat_map(|&precision| contexts.iter().map(move |&context| (precision, context)))
        };
        Self {
            parameters_total: Some(cost.parameters_total),
            parameters_active: Some(cost.parameters_active),
            parameters_exact: cost.counted_exactly,
            flops_per_token: Some(cost.flops_per_token(0)),
            kv_cache_bytes_per_token: Some(cost.cache_bytes_per_token(Precision::Half)),
            kv_cache_bytes_per_token_beyond_windows: Some(
                cost.cache_bytes_per_token_beyond_windows(Precision::Half),
            ),
            smallest_window: cost.smallest_window(),
            speed: devices.first().map(|device| cost.speed(device, &memory)),
            file: None,
            memory: Some(memory),
            memory_by_precision: pairs()
                .map(|(precision, context)| cost.memory(precision, &Workload::of(context)))
                .collect(),
            decode: devices
                .iter()
                .flat_map(|device| {
                    pairs().map(move |(precision, context)| cost.decode_bound(device, precision, context))
                })
                .collect(),
            devices: devices.to_vec(),
            cost_notes: cost.notes.clone(),
        }
    }
}
