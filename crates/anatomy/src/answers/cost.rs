//! Costs of one structure, ready to be served.

use catalog::cost::{
    Arithmetic, CacheType, DecodeBound, Device, Footprint, InferenceEngine, Memory, Precision, Quant, Rig,
    Speed, Workload,
};
use serde::Serialize;

use super::gguf_file::GgufFile;

/// Everything that follows from a structure by arithmetic; all `None` and empty where a dimension is missing.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Costs {
    /// All parameters.
    pub(crate) parameters_total: Option<i64>,
    /// Parameters used for one token.
    pub(crate) parameters_active: Option<i64>,
    /// Exact to the parameter.
    pub(crate) parameters_exact: bool,
    /// Floating-point operations for one token at an empty context.
    pub(crate) flops_per_token: Option<f64>,
    /// Bytes that the 16-bit cache grows by with each token while every window is open.
    pub(crate) kv_cache_bytes_per_token: Option<f64>,
    /// The same once every window is full.
    pub(crate) kv_cache_bytes_per_token_beyond_windows: Option<f64>,
    /// Positions of the smallest window, where a layer has one.
    pub(crate) smallest_window: Option<i64>,
    /// In the engine and with the weights asked for, at the longest context asked for, part by part.
    pub(crate) memory: Option<Footprint>,
    /// On the device or the machine, in that engine, and where it lies there.
    pub(crate) speed: Option<Speed>,
    /// What the header of the GGUF file says, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<GgufFile>,
    /// By precision and context, of an engine that keeps no more than it must.
    pub(crate) memory_by_precision: Vec<Memory>,
    /// By device, precision and context.
    pub(crate) decode: Vec<DecodeBound>,
    /// The devices with their figures and sources.
    pub(crate) devices: Vec<Device>,
    /// What must be known of the counts.
    pub(crate) cost_notes: Vec<String>,
}

/// How a checkpoint is to be run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setup {
    /// The program that runs it.
    pub(crate) engine: InferenceEngine,
    /// How its weights are stored.
    pub(crate) quant: Quant,
    /// How its keys and values are.
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
    /// The same with the run on a rig, and with the weights of a file.
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

    /// Of a structure, for these precisions, contexts (tokens) and devices, and for one run of it.
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
