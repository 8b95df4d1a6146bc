//! How fast a checkpoint decodes and reads prompts: what memory and products allow, times what runs reached of that.
//!
//! Calibrated by `benches/speed.py` on community runs of one request on one device (AlexsJones/llmfit @ 3f44fd3,
//! `llmfit-core/data/benchmark_cache.json`, MIT; 2026-04 to 2026-08; llama.cpp, vLLM and ollama; 387 runs kept of 1,111, each
//! left out with a reason). With a device left out (14) the median error is 23 % and the 80 % intervals hold 79 % of runs, with a
//! base checkpoint left out (69) 22 % and 79 %; the rule of 0.55 of the bandwidth errs by 40 %. Of reading prompts: 30 % and
//! 70 %, 27 % and 64 %: those intervals are too narrow.

use serde::{Deserialize, Serialize};

use super::{Arithmetic, Device, Engine, Footprint};

/// Share of the memory's bound that decoding reaches at the median: dense checkpoints, mixtures.
const DECODE: [f64; 2] = [0.651, 0.296];
/// 10 and 90 % quantiles around the median.
const DECODE_AROUND: [f64; 2] = [0.498, 1.384];
/// Share of the 16-bit products that reading a prompt of 512 tokens or more reaches, likewise.
const PREFILL: [f64; 2] = [0.456, 0.140];
const PREFILL_AROUND: [f64; 2] = [0.478, 1.333];

/// A speed with its interval, tokens per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpeedOf {
    /// The median.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Share of runs inside, as a fraction.
    pub level: f64,
    /// How it was made.
    pub method: String,
}

/// Speeds of one request on a device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Speed {
    /// The device.
    pub device: String,
    /// Tokens per second that are written, the context full.
    pub decode_tokens_per_s: Option<SpeedOf>,
    /// Tokens per second of a prompt that are read.
    pub prefill_tokens_per_s: Option<SpeedOf>,
    /// Why there is none, and what must be known.
    pub notes: Vec<String>,
}

fn around(middle: f64, [low, high]: [f64; 2], what: &str) -> SpeedOf {
    SpeedOf {
        value: middle,
        low: middle * low,
        high: middle * high,
        level: 0.8,
        method: format!(
            "{what} × the share that community runs reached (387 runs, 14 devices, 69 base checkpoints)"
        ),
    }
}

impl Arithmetic {
    /// How fast `device` runs what takes `memory` in its engine.
    pub fn speed(&self, device: &Device, memory: &Footprint) -> Speed {
        let mut speed = Speed {
            device: device.name.clone(),
            decode_tokens_per_s: None,
            prefill_tokens_per_s: None,
            notes: Vec::new(),
        };
        if memory.engine == Engine::Transformers {
            speed
                .notes
                .push("no measured runs of transformers stand behind these speeds: none is given".into());
            return speed;
        }
        if device
            .memory_bytes
            .is_some_and(|bytes| memory.total_bytes > bytes)
        {
            speed.notes.push(format!(
                "{:.1} GB do not fit into the {:.1} of {}: with layers on the processor it is slower by what that reads",
                memory.total_bytes / 1e9,
                device.memory_bytes.unwrap_or(0.0) / 1e9,
                device.name
            ));
            return speed;
        }
        let kind = usize::from(self.parts.experts > 1);
        let bytes = memory.quant.bytes_per_token(self) + memory.cache_bytes + memory.state_bytes;
        let bound = device.bandwidth / bytes;
        speed.decode_tokens_per_s = Some(around(
            DECODE[kind] * bound,
            DECODE_AROUND,
            "bandwidth / (active weights and cache)",
        ));
        match device.flops_16 {
            Some(flops) => {
                let products = 2.0 * (self.parameters_active - self.looked_up) as f64;
                speed.prefill_tokens_per_s = Some(around(
                    PREFILL[kind] * flops / products,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{CacheType, Quant, device};
    use serde_json::json;

    #[test]
    fn a_speed_is_within_what_memory_allows_and_none_where_it_does_not_fit() {
        let cost = Arithmetic::of_config(&json!({"model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096,
            "intermediate_size": 14_336, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128_256}))
        .expect("counted");
        let card = device::device("RTX 4090").expect("in the table");
        let at = |engine, quant: &str| {
            let quant = Quant::from_name(quant).expect("a type");
            cost.speed(&card, &cost.footprint(engine, quant, CacheType::F16, 8192))
        };
        let told = at(Engine::LlamaCpp, "Q4_K_M");
        let decode = told.decode_tokens_per_s.expect("fits");
        assert!(decode.low < decode.value && decode.value < decode.high);
        // 4.9 GB of weights and 1 GB of cache at 1,008 GB/s: at most 180 tokens a second.
        assert!(
            (90.0..140.0).contains(&decode.value) && decode.high < 180.0,
            "{decode:?}"
        );
        assert!(told.prefill_tokens_per_s.expect("products are known").value > 3_000.0);
        let none = at(Engine::LlamaCpp, "f32");
        assert!(none.decode_tokens_per_s.is_none() && none.notes[0].contains("do not fit"));
        assert!(at(Engine::Transformers, "Q4_K_M").decode_tokens_per_s.is_none());
    }
}
