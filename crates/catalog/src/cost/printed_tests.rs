//! Values that allocators printed in public reports, compared with what is computed here: none deviates by more than
//! one per cent. `docs/memory.md` shows the same rows together with the results of other programs' rules.

use serde_json::{Value, json};

use super::*;

const MIB: f64 = 1_048_576.0;
const GIB: f64 = 1_073_741_824.0;

/// The quantity that was printed.
enum What {
    /// Weights in a format.
    Weights(&'static str),
    /// Keys and values in an engine, with a cache type and a number of positions.
    Cache(InferenceEngine, &'static str, i64),
    /// Keys and values of the layers with full attention only: bytes per position times positions.
    Unbounded(&'static str, i64),
    /// States of one sequence.
    State,
}

struct Row {
    name: &'static str,
    config: Value,
    what: What,
    /// Bytes that were printed.
    printed: f64,
    /// Where it was published.
    source: &'static str,
}

fn decoder(family: &str, [layers, width, ffn, heads, kv, vocab]: [i64; 6], more: &[(&str, Value)]) -> Value {
    let mut config = json!({"model_type": family, "num_hidden_layers": layers, "hidden_size": width,
        "intermediate_size": ffn, "num_attention_heads": heads, "num_key_value_heads": kv, "vocab_size": vocab});
    for (key, value) in more {
        config[*key] = value.clone();
    }
    config
}

fn mixtral() -> Value {
    let more = [("num_local_experts", json!(8)), ("num_experts_per_tok", json!(2))];
    decoder("mixtral", [32, 4096, 14_336, 32, 8, 32_000], &more)
}

fn deepseek(layers: i64, heads: i64, experts: i64, dense: i64, vocab: i64) -> Value {
    decoder(
        "deepseek_v3",
        [layers, 7168, 18_432, heads, heads, vocab],
        &[
            ("moe_intermediate_size", json!(2048)),
            ("n_routed_experts", json!(experts)),
            ("n_shared_experts", json!(1)),
            ("num_experts_per_tok", json!(8)),
            ("first_k_dense_replace", json!(dense)),
            ("kv_lora_rank", json!(512)),
            ("q_lora_rank", json!(1536)),
            ("qk_nope_head_dim", json!(128)),
            ("qk_rope_head_dim", json!(64)),
            ("v_head_dim", json!(128)),
        ],
    )
}

fn gemma_4_e4b() -> Value {
    let kinds: Vec<&str> = (1..=42)
        .map(|layer| {
            if layer % 6 == 0 {
                "full_attention"
            } else {
                "sliding_attention"
            }
        })
        .collect();
    decoder(
        "gemma4_text",
        [42, 2560, 10_240, 8, 2, 262_144],
        &[
            ("head_dim", json!(256)),
            ("global_head_dim", json!(512)),
            ("num_global_key_value_heads", json!(2)),
            ("num_kv_shared_layers", json!(18)),
            ("sliding_window", json!(512)),
            ("layer_types", json!(kinds)),
            ("tie_word_embeddings", json!(true)),
        ],
    )
}

fn qwen_3_6_27b() -> Value {
    decoder(
        "qwen3_5_text",
        [64, 5120, 17_408, 24, 4, 248_320],
        &[
            ("head_dim", json!(256)),
            ("full_attention_interval", json!(4)),
            ("linear_num_value_heads", json!(48)),
            ("linear_num_key_heads", json!(16)),
            ("linear_key_head_dim", json!(128)),
            ("linear_value_head_dim", json!(128)),
            ("linear_conv_kernel_dim", json!(4)),
        ],
    )
}

fn rows() -> Vec<Row> {
    let row = |name, config, what, printed, source| Row {
        name,
        config,
        what,
        printed,
        source,
    };
    let tied = ("tie_word_embeddings", json!(true));
    let head = |width: i64| ("head_dim", json!(width));
    let llama_8b = || decoder("llama", [32, 4096, 14_336, 32, 8, 128_256], &[]);
    let qwen_32b = || decoder("qwen2", [64, 5120, 27_648, 40, 8, 152_064], &[]);
    let qwen_3_moe = || {
        let more = [
            head(128),
            ("num_experts", json!(128)),
            ("num_experts_per_tok", json!(8)),
            ("moe_intermediate_size", json!(768)),
        ];
        decoder("qwen3_moe", [48, 2048, 6144, 32, 4, 151_936], &more)
    };
    let deepseek_v2_lite = {
        let mut config = deepseek(27, 16, 64, 1, 102_400);
        for (key, value) in [
            ("model_type", json!("deepseek_v2")),
            ("hidden_size", json!(2048)),
            ("intermediate_size", json!(10_944)),
            ("moe_intermediate_size", json!(1408)),
            ("n_shared_experts", json!(2)),
            ("num_experts_per_tok", json!(6)),
            ("q_lora_rank", Value::Null),
        ] {
            config[key] = value;
        }
        config
    };
    let gemma_12b = decoder(
        "gemma3_text",
        [48, 3840, 15_360, 16, 8, 262_144],
        &[head(256), ("sliding_window", json!(1024)), tied.clone()],
    );
    let phi = |sizes, more: &[(&str, Value)]| decoder("phi3", sizes, more);
    vec![
        row(
            "TinyLlama 1.1B",
            decoder("llama", [22, 2048, 5632, 32, 4, 32_000], &[]),
            What::Weights("Q4_K_M"),
            636.18 * MIB,
            "geerlingguy/ai-benchmarks issue 54",
        ),
        row(
            "Llama 3.2 3B",
            decoder(
                "llama",
                [28, 3072, 8192, 24, 8, 128_256],
                &[head(128), tied.clone()],
            ),
            What::Weights("Q4_K_M"),
            2_019_377_696.0 - 7.5 * MIB,
            "geerlingguy/ai-benchmarks issue 53, less some 7.5 MiB of header",
        ),
        row(
            "Qwen2.5 32B",
            qwen_32b(),
            What::Weights("Q4_K_M"),
            (18_508.35 + 417.66) * MIB,
            "ggml-org/llama.cpp issue 11861",
        ),
        row(
            "Gemma 3 12B",
            gemma_12b,
            What::Weights("Q4_K_M"),
            6.79 * GIB,
            "ggml-org/llama.cpp pull request 13194",
        ),
        row(
            "Llama 3.1 8B",
            llama_8b(),
            What::Weights("bf16"),
            14.9888 * GIB,
            "vllm-project/vllm issue 10517",
        ),
        row(
            "Llama 3 8B",
            llama_8b(),
            What::Weights("bf16"),
            14.96 * GIB,
            "vllm-project/vllm pull request 10511",
        ),
        row(
            "Llama 3.1 70B",
            decoder("llama", [80, 8192, 28_672, 64, 8, 128_256], &[]),
            What::Weights("Q4_0"),
            37.22 * GIB,
            "ollama/ollama pull request 6279",
        ),
        row(
            "Mixtral 8x7B",
            mixtral(),
            What::Weights("Q6_K"),
            35.74 * GIB,
            "ggml-org/llama.cpp pull request 4406",
        ),
        row(
            "Mixtral 8x7B",
            mixtral(),
            What::Weights("Q8_0"),
            46.22 * GIB,
            "ggml-org/llama.cpp pull request 4406",
        ),
        row(
            "Qwen3 30B-A3B",
            qwen_3_moe(),
            What::Weights("Q5_K_M"),
            20.228 * GIB,
            "ikawrakow/ik_llama.cpp issue 380",
        ),
        row(
            "DeepSeek-V2-Lite",
            deepseek_v2_lite,
            What::Weights("bf16"),
            29.26 * GIB,
            "ggml-org/llama.cpp pull request 8068",
        ),
        row(
            "Kimi K2",
            deepseek(61, 64, 384, 1, 163_840),
            What::Weights("Q8_0"),
            1016.623 * GIB,
            "ikawrakow/ik_llama.cpp pull request 616",
        ),
        row(
            "Phi-4-mini",
            phi([32, 3072, 8192, 24, 8, 200_064], std::slice::from_ref(&tied)),
            What::Weights("bf16"),
            7.15 * GIB,
            "ggml-org/llama.cpp issue 14740",
        ),
        row(
            "Phi-4",
            phi([40, 5120, 17_920, 40, 10, 100_352], &[]),
            What::Weights("Q4_K_M"),
            8.43 * GIB,
            "ggml-org/llama.cpp issue 12012",
        ),
        row(
            "Qwen2.5 7B",
            decoder("qwen2", [28, 3584, 18_944, 28, 4, 152_064], &[]),
            What::Cache(InferenceEngine::LlamaCpp, "f16", 2048),
            112.0 * MIB,
            "JamePeng/llama-cpp-python pull request 1",
        ),
        row(
            "Qwen2.5 32B",
            qwen_32b(),
            What::Cache(InferenceEngine::LlamaCpp, "f16", 16_384),
            4096.0 * MIB,
            "ggml-org/llama.cpp issue 11861",
        ),
        row(
            "Qwen2.5-Coder 32B",
            qwen_32b(),
            What::Cache(InferenceEngine::LlamaCpp, "q8_0", 32_768),
            4352.0 * MIB,
            "ggml-org/llama.cpp issue 11200",
        ),
        row(
            "R1-Distill-Qwen 14B",
            decoder("qwen2", [48, 5120, 13_824, 40, 8, 152_064], &[]),
            What::Cache(InferenceEngine::LlamaCpp, "f16", 8192),
            1536.0 * MIB,
            "Jeffser/Alpaca issue 572",
        ),
        row(
            "LLaMA 30B",
            decoder("llama", [60, 6656, 17_920, 52, 52, 32_000], &[]),
            What::Cache(InferenceEngine::LlamaCpp, "f32", 512),
            1560.0 * MIB,
            "abetlen/llama-cpp-python issue 66",
        ),
        row(
            "Llama 3.1 8B",
            llama_8b(),
            What::Cache(InferenceEngine::Vllm, "f16", 1952 * 16),
            3.81 * GIB,
            "vllm-project/vllm issue 10517",
        ),
        row(
            "DeepSeek-R1",
            deepseek(61, 128, 256, 3, 129_280),
            What::Cache(InferenceEngine::LlamaCpp, "q8_0", 32_768),
            1166.62 * MIB,
            "ikawrakow/ik_llama.cpp pull request 259",
        ),
        row(
            "DeepSeek-R1",
            deepseek(61, 128, 256, 3, 129_280),
            What::Cache(InferenceEngine::LlamaCpp, "f16", 32_768),
            2196.0 * MIB,
            "ikawrakow/ik_llama.cpp pull request 235",
        ),
        row(
            "Gemma 4 E4B",
            gemma_4_e4b(),
            What::Unbounded("f16", 131_072),
            2048.0 * MIB,
            "ggml-org/llama.cpp issue 21730",
        ),
        row(
            "Qwen3.6 27B",
            qwen_3_6_27b(),
            What::State,
            448.88 / 3.0 * MIB,
            "ggml-org/llama.cpp pull request 23792, of 3 sequences",
        ),
    ]
}

/// Gigabytes by llmfit's rule (`estimate_memory_gb`, AlexsJones/llmfit @ 3f44fd3, MIT) for weights or for keys and
/// values.
fn by_llmfit(row: &Row, billions: f64) -> Option<f64> {
    let gigabytes = match row.what {
        What::Weights(quant) => {
            billions
                * match quant {
                    "bf16" => 2.0,
                    "Q8_0" => 1.05,
                    "Q6_K" => 0.80,
                    "Q5_K_M" => 0.68,
                    _ => 0.58,
                }
        }
        What::Cache(_, _, context) | What::Unbounded(_, context) => 0.000_008 * billions * context as f64,
        What::State => return None,
    };
    Some(gigabytes * 1e9)
}

/// Bytes by hf-mem 0.5.6's rule for keys and values: full-attention layers × 2 × key-value heads × head width ×
/// positions.
fn by_hf_mem(row: &Row) -> Option<f64> {
    let (What::Cache(_, cache, context) | What::Unbounded(cache, context)) = row.what else {
        return None;
    };
    let number = |key: &str| row.config[key].as_f64();
    let head = number("head_dim").or(Some(number("hidden_size")? / number("num_attention_heads")?))?;
    let full = |kinds: &Vec<Value>| {
        kinds
            .iter()
            .filter(|kind| **kind == json!("full_attention"))
            .count() as f64
    };
    let layers = row.config["layer_types"]
        .as_array()
        .map(full)
        .or(number("num_hidden_layers"))?;
    let values = layers * 2.0 * number("num_key_value_heads")? * head;
    Some(values * context as f64 * CacheType::from_name(cache)?.bytes())
}

fn of(row: &Row) -> (f64, f64) {
    let cost = Arithmetic::of_config(&row.config).expect("a config that can be counted");
    let billions = cost.parameters_total as f64 / 1e9;
    let half = Quant::from_name("bf16").expect("a type");
    let bytes = match row.what {
        What::Weights(quant) => Quant::from_name(quant).expect("a type").bytes(&cost),
        What::Cache(engine, cache, context) => {
            let cache = CacheType::from_name(cache).expect("a type");
            cost.footprint(engine, half, cache, context).cache_bytes
        }
        What::Unbounded(cache, context) => {
            let cache = CacheType::from_name(cache).expect("a type");
            cost.footprint(InferenceEngine::LlamaCpp, half, cache, context)
                .cache_bytes_per_token
                * context as f64
        }
        What::State => {
            cost.footprint(InferenceEngine::LlamaCpp, half, CacheType::F16, 1)
                .state_bytes
        }
    };
    (bytes, billions)
}

/// Prints, with `--nocapture`, the lines of the table in `docs/memory.md`.
#[expect(
    clippy::print_stdout,
    reason = "the table of docs/memory.md, with --nocapture"
)]
#[test]
fn memory_is_what_allocators_printed() {
    let mut far = Vec::new();
    for row in rows() {
        let (bytes, billions) = of(&row);
        let off = |bytes: f64| 100.0 * (bytes / row.printed - 1.0);
        let told = |bytes: Option<f64>| {
            bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:+.1} %", off(bytes)))
        };
        let what = match row.what {
            What::Weights(quant) => format!("weights, {quant}"),
            What::Cache(engine, cache, context) => {
                format!("cache, {}, {cache}, {context} positions", engine.as_str())
            }
            What::Unbounded(cache, context) => {
                format!("cache of layers that see all, {cache}, {context} positions")
            }
            What::State => "states".to_owned(),
        };
        println!(
            "| {} | {what} | {:.2} | {:.2} | {:+.2} % | {} | {} | {} |",
            row.name,
            row.printed / MIB,
            bytes / MIB,
            off(bytes),
            told(by_hf_mem(&row)),
            told(by_llmfit(&row, billions)),
            row.source
        );
        if off(bytes).abs() >= 1.0 {
            far.push(format!(
                "{} {what}: {:.2} MiB, printed {:.2}",
                row.name,
                bytes / MIB,
                row.printed / MIB
            ));
        }
    }
    assert!(far.is_empty(), "{far:#?}");
}
