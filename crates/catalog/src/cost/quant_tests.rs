//! Types of weights against sizes that engines printed.

use super::*;
use serde_json::json;

fn config(numbers: [i64; 7], more: &[(&str, serde_json::Value)]) -> Arithmetic {
    let [layers, d_model, d_ffn, heads, kv_heads, vocab, pos] = numbers;
    let mut config = json!({"model_type": "llama", "num_hidden_layers": layers, "hidden_size": d_model,
        "intermediate_size": d_ffn, "num_attention_heads": heads, "num_key_value_heads": kv_heads,
        "vocab_size": vocab, "max_position_embeddings": pos});
    for (key, value) in more {
        config[*key] = value.clone();
    }
    Arithmetic::of_config(&config).expect("a config that can be counted")
}

/// Sizes that llama.cpp and vLLM printed, MiB, with where: none farther than one per cent.
#[test]
fn weights_take_what_engines_printed() {
    let mib = 1_048_576.0;
    let tinyllama = config([22, 2048, 5632, 32, 4, 32_000, 2048], &[]);
    let llama_3b = config(
        [28, 3072, 8192, 24, 8, 128_256, 131_072],
        &[("head_dim", json!(128)), ("tie_word_embeddings", json!(true))],
    );
    let qwen_32b = config(
        [64, 5120, 27_648, 40, 8, 152_064, 131_072],
        &[("model_type", json!("qwen2"))],
    );
    let llama_8b = config([32, 4096, 14_336, 32, 8, 128_256, 131_072], &[]);
    let gemma_12b = config(
        [48, 3840, 15_360, 16, 8, 262_144, 131_072],
        &[
            ("model_type", json!("gemma3_text")),
            ("head_dim", json!(256)),
            ("sliding_window", json!(1024)),
            ("tie_word_embeddings", json!(true)),
        ],
    );
    for (what, cost, quant, printed) in [
        // github.com/geerlingguy/ai-benchmarks issue 54, llama-bench.
        ("TinyLlama 1.1B", &tinyllama, "Q4_K_M", 636.18),
        // The same, issue 53: the file has 2,019,377,696 bytes, with some 8 MB of header.
        ("Llama 3.2 3B", &llama_3b, "Q4_K_M", 2_019_377_696.0 / mib - 7.5),
        // github.com/ggml-org/llama.cpp issue 11861: 18508.35 MiB on the card and 417.66 of the embedding.
        (
            "DeepSeek-R1-Distill-Qwen-32B",
            &qwen_32b,
            "Q4_K_M",
            18_508.35 + 417.66,
        ),
        // github.com/ggml-org/llama.cpp pull request 13194, llama-bench: 6.79 GiB.
        ("Gemma 3 12B", &gemma_12b, "Q4_K_M", 6.79 * 1024.0),
        // github.com/vllm-project/vllm issue 10517: 14.9888 GiB.
        ("Llama 3.1 8B", &llama_8b, "bf16", 14.9888 * 1024.0),
    ] {
        let bytes = Quant::from_name(quant).expect("a type").bytes(cost);
        let off = (bytes / mib - printed) / printed;
        assert!(
            off.abs() < 0.01,
            "{what} {quant}: {:.2} MiB, printed {printed:.2}",
            bytes / mib
        );
    }
}

#[test]
fn names_are_read_as_people_write_them() {
    let name = |text: &str| Quant::from_name(text).map(Quant::name);
    assert_eq!(name("q4_k_m"), Some("Q4_K_M"));
    assert_eq!(name("UD-Q4_K_M"), Some("Q4_K_M"));
    assert_eq!(name("FP16"), Some("bf16"));
    assert_eq!(name("bitsandbytes"), Some("nf4"));
    assert_eq!(name("GPTQ-Int4"), Some("gptq"));
    assert_eq!(name("Q9_Z"), None);
    for own in Quant::names() {
        assert_eq!(name(own), Some(own));
    }
}

#[test]
fn fewer_bits_take_fewer_bytes_and_only_experts_are_mxfp4() {
    let cost = config([32, 4096, 14_336, 32, 8, 128_256, 8192], &[]);
    let bytes = |name: &str| Quant::from_name(name).expect("a type").bytes(&cost);
    let ordered = [
        "f32", "bf16", "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q4_K_M", "Q4_K_S", "IQ4_XS", "Q3_K_L", "Q3_K_M",
        "Q3_K_S", "Q2_K",
    ];
    assert!(ordered.windows(2).all(|pair| bytes(pair[0]) > bytes(pair[1])));
    assert_eq!(bytes("mxfp4"), bytes("bf16"));
    let all: i64 = cost.parts.layers.iter().map(Matrices::all).sum();
    assert_eq!(all + cost.outside, cost.parameters_total);
}
