//! Formats of stored weights, compared with sizes that engines printed.

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
