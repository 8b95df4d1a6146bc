//! How fast a checkpoint decodes and reads prompts: the bounds by memory and compute, times the share of them that
//! measured runs reached.
//!
//! Calibrated by `benches/speed.py` on community runs of one request on one device (AlexsJones/llmfit @ 3f44fd3,
//! `llmfit-core/data/benchmark_cache.json`, MIT; 2026-04 to 2026-08; llama.cpp, vLLM and ollama); every run that was
//! left out has a stated reason. `docs/speed.md` reports the errors on held-out devices and base checkpoints, in
//! comparison with other rules.
//!
//! Where some layers are in the host memory, the time of a token is the sum of both sides' times. No run of that kind,
//! nor with several cards, is behind the intervals; the notes say so.

use serde::{Deserialize, Serialize};

use super::rig::Placement;
use super::{Arithmetic, Device, Footprint, InferenceEngine, Rig};

/// Median share of the bandwidth bound that decoding reaches, and the exponent of (active / all parameters) by which
/// mixtures reach less.
const DECODE: [f64; 2] = [0.651, 0.36];
/// 10 % and 90 % quantiles relative to the median, for held-out devices and base checkpoints.
const DECODE_AROUND: [f64; 2] = [0.512, 1.391];
/// Median share of the 16-bit peak that reading a prompt of at least 512 tokens reaches, and the exponent, as for
/// decoding.
const PREFILL: [f64; 2] = [0.457, 0.53];
const PREFILL_AROUND: [f64; 2] = [0.549, 1.370];

/// A speed with its prediction interval, in tokens per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeedOf {
    /// Median.
    pub value: f64,
    /// Lower limit.
    pub low: f64,
    /// Upper limit.
    pub high: f64,
    /// Nominal coverage of the interval, 0 to 1.
    pub level: f64,
    /// How it was computed.
    pub method: String,
}

/// Speeds of a single request on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// The device.
    pub device: String,
    /// Where weights and cache are placed; `None` where they do not fit.
    pub placement: Option<Placement>,
    /// Tokens generated per second at full context; `None` where no estimate is possible.
    pub decode_tokens_per_s: Option<SpeedOf>,
    /// Prompt tokens processed per second; `None` where no estimate is possible.
    pub prefill_tokens_per_s: Option<SpeedOf>,
    /// Why there is no estimate, and what limits it.
    pub notes: Vec<String>,
}

fn around(middle: f64, [low, high]: [f64; 2], what: &str) -> SpeedOf {
    SpeedOf {
        value: middle,
        low: middle * low,
        high: middle * high,
        level: 0.8,
        method: format!(
            "{what} × the share that community runs reached (386 runs, 14 devices, 69 base checkpoints)"
        ),
    }
}

impl Arithmetic {
    /// The speed of `device` alone with this footprint.
    pub fn speed(&self, device: &Device, memory: &Footprint) -> Speed {
        self.speed_on(&Rig::of(device.clone()), memory)
    }

    /// The speed of a rig with this footprint.
    pub fn speed_on(&self, rig: &Rig, memory: &Footprint) -> Speed {
        let device = &rig.device;
        let mut speed = Speed {
            device: device.name.clone(),
            placement: self.placed(memory, rig),
            decode_tokens_per_s: None,
            prefill_tokens_per_s: None,
            notes: Vec::new(),
        };
        let Some(placement) = speed.placement.clone() else {
            speed.notes.push(format!(
                "no speed: {:.1} GB do not fit into the {:.1} of {}{}",
                memory.total_bytes / 1e9,
                rig.card_bytes().unwrap_or(0.0) / 1e9,
                if rig.cards > 1 {
                    format!("{} × {}", rig.cards, device.name)
                } else {
                    device.name.clone()
                },
                if rig.host.is_some() && !rig.is_processor {
                    " and the memory beside"
                } else {
                    ""
                },
            ));
            return speed;
        };
        if memory.engine == InferenceEngine::Transformers {
            speed.notes.push(
                "no speed: there are no measured runs of transformers to build an interval from".into(),
            );
            return speed;
        }
        // As for the calibration runs: the share of all stored parameters that one token uses.
        let active = (self.parameters_active as f64 / self.parameters_total.max(1) as f64).clamp(1e-3, 1.0);
        let share = DECODE[0] * active.powf(DECODE[1]);
        speed.decode_tokens_per_s = Some(decoding(rig, &placement, memory.engine, share));
        if !placement.is_whole() {
            speed.notes.push(format!(
                "{} of {} layers lie beside the card ({:.1} GB): no measured run of such a kind stands behind the interval; \
                 memory read at {}",
                placement.layers - placement.layers_on_cards,
                placement.layers,
                placement.host_bytes / 1e9,
                told(rig)
            ));
            return speed;
        }
        if rig.is_processor {
            speed.notes.push(format!(
                "the runs behind the interval are of graphics cards; memory read at {}; how fast a prompt is read is not known",
                told(rig)
            ));
            return speed;
        }
        if rig.cards > 1 {
            speed.notes.push(
                match memory.engine {
                    InferenceEngine::Vllm => {
                        "matrices divided over the cards: from as fast as one to as fast as all of them together; no measured \
                         run stands behind it"
                    }
                    _ => "layers divided over the cards, which work one after the other: as fast as one",
                }
                .into(),
            );
        }
        match device.flops_16 {
            Some(flops) => {
                let products = 2.0 * (self.parameters_active - self.looked_up) as f64;
                speed.prefill_tokens_per_s = Some(around(
                    PREFILL[0] * active.powf(PREFILL[1]) * flops / products,
                    PREFILL_AROUND,
                    "16-bit products / (2 × active parameters)",
                ));
            }
            None => speed.notes.push(format!(
                "the products per second of {} are not known: no speed of reading",
                device.name
            )),
        }
        speed
    }
}

fn told(rig: &Rig) -> String {
    rig.host.as_ref().map_or_else(String::new, |host| {
        format!("{:.0} GB/s ({})", host.bandwidth / 1e9, host.source)
    })
}

/// Decoding token by token: the time of the cards plus that of the host memory.
fn decoding(rig: &Rig, placement: &Placement, engine: InferenceEngine, share: f64) -> SpeedOf {
    let host = rig.host.as_ref();
    let [beside, least, most] = host.map_or([f64::INFINITY; 3], |host| {
        [host.bandwidth, host.bandwidth_low, host.bandwidth_high]
    });
    let card = if rig.is_processor {
        [beside, least, most]
    } else {
        [rig.device.bandwidth; 3]
    };
    let seconds = |at: usize, cards: f64| {
        placement.card_read / (card[at] * cards) + placement.host_read / [beside, least, most][at]
    };
    let together = if engine == InferenceEngine::Vllm {
        rig.cards as f64
    } else {
        1.0
    };
    let [low, high] = DECODE_AROUND;
    SpeedOf {
        low: low * share / seconds(1, 1.0),
        high: high * share / seconds(2, together),
        ..around(
            share / seconds(0, 1.0),
            DECODE_AROUND,
            "bandwidth / (active weights and cache)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::rig::Host;
    use crate::cost::{CacheType, Quant, device};
    use serde_json::json;

    fn eight() -> Arithmetic {
        Arithmetic::of_config(&json!({"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096,
            "intermediate_size": 14_336, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128_256}))
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
    fn a_speed_is_within_what_memory_allows_and_none_where_it_does_not_fit() {
        let cost = eight();
        let card = device::device("RTX 4090").expect("in the table");
        let at = |engine, quant: &str| cost.speed(&card, &footprint(&cost, engine, quant));
        let told = at(InferenceEngine::LlamaCpp, "Q4_K_M");
        let decode = told.decode_tokens_per_s.expect("fits");
        assert!(decode.low < decode.value && decode.value < decode.high);
        // 4.9 GB of weights and 1 GB of cache at 1,008 GB/s: at most 180 tokens per second.
        assert!(
            (90.0..140.0).contains(&decode.value) && decode.high < 180.0,
            "{decode:?}"
        );
        assert!(told.prefill_tokens_per_s.expect("products are known").value > 3_000.0);
        let none = at(InferenceEngine::LlamaCpp, "f32");
        assert!(none.decode_tokens_per_s.is_none() && none.notes[0].contains("do not fit"));
        assert!(
            at(InferenceEngine::Transformers, "Q4_K_M")
                .decode_tokens_per_s
                .is_none()
        );
    }

    #[test]
    fn what_lies_beside_the_card_takes_the_time_of_both_sides() {
        let cost = eight();
        let card = device::device("RTX 3060").expect("in the table");
        let memory = footprint(&cost, InferenceEngine::LlamaCpp, "bf16");
        let with = |host| {
            let rig = Rig {
                host: Some(host),
                ..Rig::of(card.clone())
            };
            cost.speed_on(&rig, &memory)
        };
        let told = with(Host::of_bandwidth(64e9, 50e9));
        let placement = told.placement.expect("fits beside");
        let decode = told.decode_tokens_per_s.expect("a speed");
        // Computed independently: each side's bytes over its bandwidth, at the median share.
        let seconds = placement.card_read / 360e9 + placement.host_read / 50e9;
        assert!((decode.value - 0.651 / seconds).abs() < 1e-9 && !placement.is_whole());
        assert!(
            told.notes[0].contains("layers lie beside the card"),
            "{:?}",
            told.notes
        );
        let unknown = with(Host::of_unknown_bandwidth(64e9));
        let wide = unknown.decode_tokens_per_s.expect("a speed");
        assert!(
            wide.low < decode.low && wide.high > decode.high,
            "not told: wider"
        );
        // Two cards are as fast as one with llama.cpp, and up to twice as fast with vLLM.
        let two = |engine, quant| {
            let rig = Rig {
                cards: 2,
                ..Rig::of(device::device("A100").expect("in the table"))
            };
            cost.speed_on(&rig, &footprint(&cost, engine, quant))
                .decode_tokens_per_s
                .expect("fits")
        };
        let (one, both) = (
            two(InferenceEngine::LlamaCpp, "bf16"),
            two(InferenceEngine::Vllm, "bf16"),
        );
        assert!((both.high / one.high - 2.0).abs() < 0.02 && (both.low / one.low - 1.0).abs() < 0.02);
    }
}
