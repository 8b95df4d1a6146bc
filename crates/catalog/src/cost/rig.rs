//! The hardware that a checkpoint runs on: one card, several alike, or a processor, and the host memory, which takes
//! the layers that do not fit on the cards.
//!
//! llama.cpp puts as many of the last layers on the cards as fit, and the output head only after all of them
//! (`llama-model.cpp`, `i_gpu_start = n_layer - n_gpu_layers`). The cards' memory is added up layer by layer: each card
//! needs buffers of its own, and one works at a time, so several are as fast as one. vLLM divides every matrix over all
//! cards.

use serde::{Deserialize, Serialize};

use super::{Arithmetic, Device, Footprint, InferenceEngine, STATE_BYTES};

/// The memory of the machine that the cards are in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// Bytes free for weights.
    pub memory_bytes: f64,
    /// Bandwidth in bytes per second: the value assumed.
    pub bandwidth: f64,
    /// The lowest plausible bandwidth, bytes per second.
    pub bandwidth_low: f64,
    /// The highest plausible bandwidth, bytes per second.
    pub bandwidth_high: f64,
    /// Source of these values.
    pub source: String,
}

/// Bandwidth in bytes per second of one channel of DDR4-3200, of two, and of two channels of DDR5-6400 (JEDEC's rates ×
/// 8 bytes).
const CHANNELS: [f64; 3] = [25.6e9, 51.2e9, 102.4e9];

impl Host {
    /// Memory of unknown bandwidth: two channels of DDR4 are assumed, with a range from one channel of DDR4 to two of
    /// DDR5.
    pub fn of_unknown_bandwidth(memory_bytes: f64) -> Self {
        let [low, usual, high] = CHANNELS;
        Self {
            memory_bytes,
            bandwidth: usual,
            bandwidth_low: low,
            bandwidth_high: high,
            source: "not told by the system: two channels of DDR4-3200 (51 GB/s) are taken, 26 to 102 GB/s allowed for".into(),
        }
    }

    /// Memory with a given bandwidth.
    pub fn of_bandwidth(memory_bytes: f64, bandwidth: f64) -> Self {
        Self {
            memory_bytes,
            bandwidth,
            bandwidth_low: bandwidth,
            bandwidth_high: bandwidth,
            source: "given".into(),
        }
    }

    /// The host memory as a device, for a machine without a card.
    pub fn as_device(&self, name: &str) -> Device {
        Device {
            name: name.to_owned(),
            memory_bytes: Some(self.memory_bytes),
            bandwidth: self.bandwidth,
            flops_16: None,
            flops_32: None,
            source: self.source.clone(),
        }
    }
}

/// Cards of one kind and the host memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rig {
    /// One of the cards.
    pub device: Device,
    /// Number of cards.
    pub cards: usize,
    /// The host memory; `None` where everything must be on the cards.
    pub host: Option<Host>,
    /// Whether there is no card, so that the device is the processor with the host memory.
    pub is_processor: bool,
}

impl Rig {
    /// A single card, without host memory.
    pub fn of(device: Device) -> Self {
        Self {
            device,
            cards: 1,
            host: None,
            is_processor: false,
        }
    }

    /// A processor with its memory, without a card.
    pub fn of_processor(name: &str, host: Host) -> Self {
        Self {
            device: host.as_device(name),
            cards: 1,
            host: Some(host),
            is_processor: true,
        }
    }

    /// Memory of all cards together, in bytes; `None` where it is not known.
    pub fn card_bytes(&self) -> Option<f64> {
        self.device.memory_bytes.map(|bytes| bytes * self.cards as f64)
    }
}

/// How a checkpoint is divided between cards and host memory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Placement {
    /// Number of cards that it is divided over.
    pub cards: usize,
    /// Number of layers.
    pub layers: usize,
    /// Number of layers on the cards, the last ones; the first ones are in the host memory.
    pub layers_on_cards: usize,
    /// Bytes on all cards together: weights, cache, and each card's buffers.
    pub card_bytes: f64,
    /// Bytes in the host memory.
    pub host_bytes: f64,
    /// Bytes read from the cards for one token.
    pub(super) card_read: f64,
    /// Bytes read from the host memory for one token.
    pub(super) host_read: f64,
}

impl Placement {
    /// Whether everything is on the cards.
    pub fn is_whole(&self) -> bool {
        self.layers_on_cards == self.layers
    }
}

impl Arithmetic {
    /// How a checkpoint with this footprint is placed on a rig; `None` where it does not fit.
    pub fn placed(&self, memory: &Footprint, rig: &Rig) -> Option<Placement> {
        let mut stored = memory.quant.stored(self);
        // The size of an actual file may differ from what its format's rule gives.
        let scale = memory.weights_bytes / memory.quant.bytes(self).max(1.0);
        stored.layers.iter_mut().for_each(|bytes| *bytes *= scale);
        stored.tables *= scale;
        let cache: Vec<f64> = self
            .layers
            .iter()
            .map(|layer| {
                let kept = memory.engine.kept(layer, memory.context) as f64;
                layer.cached as f64 * kept * memory.cache_type.bytes() + layer.state as f64 * STATE_BYTES
            })
            .collect();
        let weights: f64 = stored.layers.iter().sum();
        // Of tables that are only looked up, single rows are read.
        let head = stored.tables * (self.outside - self.looked_up) as f64 / self.outside.max(1) as f64;
        let read = if weights > 0.0 {
            ((scale * memory.quant.bytes_per_token(self) - head) / weights).clamp(0.0, 1.0)
        } else {
            0.0
        };
        let overhead = memory.overhead_bytes * rig.cards as f64;
        let more = memory.overhead_bytes * (rig.cards - 1) as f64;
        let layers = stored.layers.len();
        let all: f64 = cache.iter().sum();
        let whole = Placement {
            cards: rig.cards,
            layers,
            layers_on_cards: layers,
            card_bytes: memory.total_bytes + more,
            host_bytes: 0.0,
            card_read: weights * read + head + all,
            host_read: 0.0,
        };
        let Some(room) = rig.card_bytes() else {
            return Some(whole);
        };
        if whole.card_bytes <= room {
            return Some(whole);
        }
        let host = rig
            .host
            .as_ref()
            .filter(|_| memory.engine == InferenceEngine::LlamaCpp && !rig.is_processor)?;
        let mut on_cards = Placement {
            layers_on_cards: 0,
            card_bytes: overhead,
            card_read: 0.0,
            ..whole
        };
        for (stored, cache) in stored.layers.iter().zip(&cache).rev() {
            if on_cards.card_bytes + stored + cache > room {
                break;
            }
            on_cards.layers_on_cards += 1;
            on_cards.card_bytes += stored + cache;
            on_cards.card_read += stored * read + cache;
        }
        on_cards.host_bytes = memory.total_bytes + more - on_cards.card_bytes;
        on_cards.host_read = weights * read + head + all - on_cards.card_read;
        (on_cards.card_bytes <= room && on_cards.host_bytes <= host.memory_bytes).then_some(on_cards)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{CacheType, Quant, device};
    use serde_json::json;

    fn seventy() -> Arithmetic {
        Arithmetic::of_config(&json!({"model_type": "llama", "num_hidden_layers": 80, "hidden_size": 8192,
            "intermediate_size": 28_672, "num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 128_256}))
        .expect("counted")
    }

    fn footprint(cost: &Arithmetic, engine: InferenceEngine, quant: &str) -> Footprint {
        cost.footprint(
            engine,
            Quant::from_name(quant).expect("a type"),
            CacheType::F16,
            8192,
        )
    }

    #[test]
    fn layers_lie_on_the_cards_as_far_as_they_go_and_no_byte_is_lost() {
        let cost = seventy();
        let card = device::device("RTX 4090").expect("in the table");
        let memory = footprint(&cost, InferenceEngine::LlamaCpp, "Q4_K_M");
        let mut rig = Rig::of(card);
        assert_eq!(cost.placed(&memory, &rig), None, "42 GB do not fit into 24");
        rig.host = Some(Host::of_bandwidth(64e9, 80e9));
        let split = cost.placed(&memory, &rig).expect("the rest lies beside the card");
        assert!(
            split.layers == 80 && (40..48).contains(&split.layers_on_cards),
            "{split:?}"
        );
        assert!(split.card_bytes <= 24e9 && !split.is_whole());
        assert!((split.card_bytes + split.host_bytes - memory.total_bytes).abs() < 1.0);
        // One more layer would not fit.
        let one = (memory.weights_bytes + memory.cache_bytes) / 82.0;
        assert!(split.card_bytes + one > 24e9 * 0.99, "{split:?}");
        // Two cards hold everything, each with buffers of its own; together they read as much as one would.
        rig.cards = 2;
        let both = cost.placed(&memory, &rig).expect("48 GB");
        assert!(both.is_whole() && both.host_bytes == 0.0);
        assert!((both.card_bytes - memory.total_bytes - memory.overhead_bytes).abs() < 1.0);
        let reads = split.card_read + split.host_read;
        assert!((both.card_read - reads).abs() < 1.0, "{} {reads}", both.card_read);
        let expected = memory.quant.bytes_per_token(&cost) + memory.cache_bytes;
        assert!((reads / expected - 1.0).abs() < 0.01, "{reads} {expected}");
        // vLLM does not keep layers in the host memory, and a small host cannot hold them.
        rig.cards = 1;
        assert_eq!(
            cost.placed(&footprint(&cost, InferenceEngine::Vllm, "awq"), &rig),
            None
        );
        rig.host = Some(Host::of_unknown_bandwidth(8e9));
        assert_eq!(cost.placed(&memory, &rig), None);
    }
}
