//! What of a config is understood, what ends exactness, and layouts of single families.

use serde_json::{Value, json};

use super::{Config, read};
use crate::cost::{Arithmetic, Precision};

/// A small Llama with more fields.
fn llama(more: &Value) -> Value {
    let mut config = json!({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 1024,
        "intermediate_size": 2816, "num_attention_heads": 16, "num_key_value_heads": 8, "num_hidden_layers": 4,
        "vocab_size": 32000, "tie_word_embeddings": false});
    let fields = config.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    config
}

fn cache_per_token(config: &Value) -> f64 {
    let cost = Arithmetic::of_config(config).expect("it can be counted");
    cost.cache_bytes_per_token(Precision::Half)
}

fn notes(config: &Value) -> String {
    Arithmetic::of_config(config)
        .expect("it can be counted")
        .notes
        .join("; ")
}

#[test]
fn a_key_that_may_shape_weights_and_is_not_known_ends_exactness() {
    let unknown = [
        json!({"attention_adapter_rank": 64}),
        json!({"num_memory_tokens": 16}),
        json!({"residual_mlp": true}),
        json!({"use_extra_norm": false}),
        json!({"wide_layers": {"2": 4096}}),
        json!({"zeta": [1, 2, 3, 4]}),
        json!({"mlp_ratio": 8}),
        json!({"use_qk_norm": true}),
        json!({"qkv_bias": true}),
        json!({"embedding_size": 128}),
        json!({"num_key_value_heads": [8, 8]}),
        json!({"cross_attention_layers": [3]}),
        json!({"hidden_size_per_layer_input": 256}),
        json!({"post_layer_norm": false}),
    ];
    for more in unknown {
        let name = more
            .as_object()
            .and_then(|fields| fields.keys().next())
            .expect("one key");
        let config = llama(&more);
        let counted = read(&config);
        assert_eq!(counted.not_understood, std::slice::from_ref(name), "{more}");
        assert!(
            !counted.counted_exactly && counted.parameters_total.is_some(),
            "{more}"
        );
        assert!(
            notes(&config).contains(name.as_str()),
            "{more}: {}",
            notes(&config)
        );
    }
}

#[test]
fn keys_without_weights_leave_a_count_exact() {
    let harmless = json!({"bos_token_id": 1, "eos_token_id": [1, 2], "attention_dropout": 0.1, "torch_dtype": "bfloat16",
        "rope_scaling": {"factor": 8.0, "original_max_position_embeddings": 8192}, "rope_theta": 5e5, "rms_norm_eps": 1e-5,
        "transformers_version": "4.40.0", "temperature": 0.6, "top_p": 0.9, "use_cache": true, "_name_or_path": "x",
        "pretraining_tp": 1, "initializer_range": 0.02, "hidden_act": "silu", "use_qk_norm": false, "mlp_bias": false,
        "attention_bias": false, "head_dim": 64, "max_position_embeddings": 8192, "num_experts": null, "lora_rank": null,
        "id2label": {"0": "LABEL_0"}, "quantization_config": {"bits": 4, "group_size": 128}, "team_note": "ours"});
    let counted = read(&llama(&harmless));
    assert_eq!(counted.not_understood, Vec::<String>::new());
    assert!(counted.counted_exactly);
}

#[test]
fn a_nested_language_model_is_looked_through_too() {
    let inside = json!({"model_type": "some_vl", "vision_config": {"hidden_size": 1152, "num_hidden_layers": 27},
        "image_token_id": 5, "mm_hidden_size": 9, "text_config": llama(&json!({"latent_channels": 7}))});
    assert!(
        read(&inside)
            .not_understood
            .contains(&"latent_channels".to_owned())
    );
    let linear = llama(&json!({"linear_attn_config": {"num_heads": 4, "head_dim": 64, "extra_ranks": 3}}));
    assert_eq!(read(&linear).not_understood, ["linear_attn_config.extra_ranks"]);
}

/// Transformers' defaults: many classes take as many as heads, some a number of their own, null means as many as heads.
#[test]
fn key_heads_that_are_not_stated_are_the_class_s_default_or_unknown() {
    let without = |family: &str, heads: i64| {
        json!({"model_type": family, "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": heads,
            "num_hidden_layers": 32, "vocab_size": 32000, "tie_word_embeddings": false})
    };
    let of = |config: &Value| -> (Option<i64>, Option<i64>, bool) {
        let counted: Config = read(config);
        (
            counted.kv_heads,
            counted.kv_heads_or_default(),
            counted.counted_exactly,
        )
    };
    assert_eq!(of(&without("mistral", 32)), (None, Some(8), true));
    assert_eq!(
        read(&without("mistral", 32)).parameters_total,
        Some(7_241_732_096)
    );
    assert_eq!(of(&without("llama", 32)), (None, Some(32), true));
    assert!(notes(&without("llama", 32)).contains("not stated: 32, the default of `llama`"));
    // No default fits 30 heads, and a family that is not known has none.
    assert_eq!(of(&without("mistral", 30)), (None, None, false));
    assert_eq!(of(&without("novel", 32)), (None, None, false));
    assert!(notes(&without("novel", 32)).contains("no default of the class is known"));
    let mut null = without("mistral", 32);
    null["num_key_value_heads"] = Value::Null;
    assert_eq!(of(&null), (None, Some(32), true));
}

#[test]
fn olmo_s_own_layout_is_read() {
    let mut olmo = json!({"architectures": ["OLMoForCausalLM"], "model_type": "hf_olmo", "d_model": 2048, "n_layers": 16,
        "n_heads": 16, "mlp_ratio": 8, "mlp_hidden_size": null, "activation_type": "swiglu", "vocab_size": 50280,
        "embedding_size": 50304, "weight_tying": true, "include_bias": false, "layer_norm_type": "default",
        "layer_norm_with_affine": false, "attention_layer_norm": false, "max_sequence_length": 2048, "rope": true,
        "alibi": false, "multi_query_attention": false, "block_type": "sequential", "clip_qkv": null});
    let counted = read(&olmo);
    assert_eq!(
        (counted.parameters_total, counted.counted_exactly),
        (Some(1_176_764_416), true)
    );
    assert_eq!((counted.vocab_size, counted.d_ffn), (Some(50_280), Some(8_192)));
    assert!((cache_per_token(&olmo) - 131_072.0).abs() < 0.5);
    // Norms with weights, two a layer and one at the end; a head of its own; learned positions.
    olmo["layer_norm_with_affine"] = true.into();
    olmo["layer_norm_type"] = "rms".into();
    assert_eq!(read(&olmo).parameters_total, Some(1_176_764_416 + 33 * 2048));
    olmo["weight_tying"] = false.into();
    assert_eq!(
        read(&olmo).parameters_total,
        Some(1_176_764_416 + 33 * 2048 + 50_304 * 2048)
    );
    olmo["rope"] = false.into();
    assert_eq!(
        read(&olmo).parameters_total,
        Some(1_176_764_416 + 33 * 2048 + 50_304 * 2048 + 2048 * 2048)
    );
    olmo["activation_type"] = "gelu".into();
    let wider = 16 * (2 * 16_384 - 3 * 8_192) * 2_048;
    assert_eq!(
        read(&olmo).parameters_total,
        Some(1_176_764_416 + 33 * 2048 + 50_304 * 2048 + 2048 * 2048 + wider)
    );
}

#[test]
fn layers_with_widths_and_heads_of_their_own_are_counted_one_by_one() {
    let heads = [
        16, 16, 16, 20, 20, 20, 20, 20, 20, 20, 24, 24, 24, 24, 24, 24, 24, 24, 28, 28, 28, 28, 28, 28, 32,
        32, 32, 32,
    ];
    let openelm = json!({"architectures": ["OpenELMForCausalLM"], "model_type": "openelm", "model_dim": 2048,
        "num_transformer_layers": 28, "head_dim": 64, "num_query_heads": heads, "num_kv_heads": heads.map(|heads| heads / 4),
        "ffn_multipliers": [0.5, 4.0], "ffn_dim_divisor": 256, "ffn_with_glu": true, "normalize_qk_projections": true,
        "share_input_output_layers": true, "vocab_size": 32000, "max_context_length": 2048});
    let counted = read(&openelm);
    assert_eq!(
        (counted.parameters_total, counted.counted_exactly),
        (Some(1_079_891_456), true)
    );
    assert!((cache_per_token(&openelm) - 43_264.0).abs() < 0.5);
    assert!(counted.layers_differ);
    // Heads from the widths of the queries, where they are not listed.
    let mut by_share = openelm;
    let fields = by_share.as_object_mut().expect("an object");
    fields.remove("num_query_heads");
    fields.remove("num_kv_heads");
    fields.extend([
        ("qkv_multipliers".into(), json!([0.5, 1.0])),
        ("num_gqa_groups".into(), 4.into()),
    ]);
    assert_eq!(read(&by_share).parameters_total, Some(1_079_891_456));
    // One list a layer under the usual names, or beside them.
    let listed = llama(
        &json!({"num_key_value_heads_per_layer": [8, 4, 4, 2], "intermediate_size": [2816, 2816, 1024, 512]}),
    );
    let plain = read(&llama(&json!({}))).parameters_total.expect("counted");
    let less = 1024 * 64 * 2 * (4 + 4 + 6) + 3 * 1024 * (1792 + 2304);
    assert_eq!(read(&listed).parameters_total, Some(plain - less));
    assert!((cache_per_token(&listed) - f64::from(2 * 2 * 64 * (8 + 4 + 4 + 2))).abs() < 0.5);
}

#[test]
fn blocks_of_nemotron_nas_are_counted_as_they_stand() {
    let block = |group: Value, skips: bool, share: Value, empty: bool| {
        json!({"attention": {"n_heads_in_group": group, "no_op": skips, "replace_with_linear": false},
            "ffn": {"ffn_mult": share, "no_op": empty, "replace_with_linear": false}})
    };
    let mut config = json!({"architectures": ["DeciLMForCausalLM"], "model_type": "nemotron-nas", "hidden_size": 1024,
        "num_hidden_layers": 4, "num_attention_heads": 16, "num_key_value_heads": null, "intermediate_size": null,
        "vocab_size": 32000, "tie_word_embeddings": false, "attention_bias": false, "mlp_bias": false,
        "block_configs": [block(json!(8), false, json!(2.625), false), block(Value::Null, true, json!(1.0), false),
            block(json!(4), false, Value::Null, true), block(json!(8), false, json!(5.25), false)]});
    let counted = read(&config);
    assert_eq!(
        (counted.parameters_total, counted.counted_exactly),
        (Some(91_757_568), true)
    );
    assert!((cache_per_token(&config) - 2_048.0).abs() < 0.5);
    // A matrix in the place of attention, and a part that is not known.
    config["block_configs"][1]["attention"] =
        json!({"n_heads_in_group": null, "no_op": false, "replace_with_linear": true});
    assert_eq!(
        read(&config).parameters_total,
        Some(91_757_568 + 1024 * 1024 + 1024)
    );
    config["block_configs"][2]["attention"]["sparsify"] = json!(["q"]);
    config["block_configs"][2]["ffn"]["moe"] = json!({"num_local_experts": 4});
    assert_eq!(
        read(&config).not_understood,
        ["block_configs.attention.sparsify", "block_configs.ffn.moe"]
    );
}

#[test]
fn the_first_mamba_s_layout_is_read() {
    let config = json!({"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {}, "rms_norm": true,
        "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 8});
    let counted = read(&config);
    assert_eq!(
        (counted.parameters_total, counted.counted_exactly),
        (Some(2_768_345_600), true)
    );
    assert!(cache_per_token(&config).abs() < 0.5);
    // state-spaces/mamba2-2.7b: tied, the vocabulary in steps of 16.
    let second = json!({"d_model": 2560, "d_intermediate": 0, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {"layer": "Mamba2"},
        "attn_layer_idx": [], "attn_cfg": {}, "rms_norm": true, "residual_in_fp32": true, "fused_add_norm": true,
        "pad_vocab_size_multiple": 16, "tie_embeddings": true});
    assert_eq!(read(&second).parameters_total, Some(2_702_599_680));
    let hybrid = json!({"d_model": 2560, "n_layer": 64, "vocab_size": 50277, "ssm_cfg": {"layer": "Mamba2"},
        "attn_layer_idx": [9, 18], "attn_cfg": {"num_heads": 30}});
    assert!(!read(&hybrid).counted_exactly);
}

#[test]
fn mixtures_whose_parts_are_listed_or_stand_beside_are_counted_whole() {
    let each = |value: i64| vec![value; 32];
    let hunyuan = json!({"architectures": ["HunYuanMoEV1ForCausalLM"], "model_type": "hunyuan_v1_moe", "hidden_size": 4096,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128,
        "attention_head_dim": 128, "intermediate_size": 3072, "vocab_size": 128_167, "num_experts": 64,
        "moe_intermediate_size": each(3072), "moe_topk": each(8), "num_shared_expert": each(1), "use_mixed_mlp_moe": true,
        "use_qk_norm": true, "tie_word_embeddings": true, "attention_bias": false, "mlp_bias": false});
    let counted = read(&hunyuan);
    assert_eq!(counted.parameters_total, Some(80_393_183_232));
    assert_eq!(counted.parameters_active, Some(12_747_448_320));
    let arctic = json!({"architectures": ["ArcticForCausalLM"], "model_type": "arctic", "hidden_size": 7168,
        "intermediate_size": 4864, "num_hidden_layers": 35, "num_attention_heads": 56, "num_key_value_heads": 8,
        "vocab_size": 32000, "num_local_experts": 128, "num_experts_per_tok": 2, "moe_layer_frequency": 1,
        "parallel_attn_mlp_res": true, "use_residual": true, "tie_word_embeddings": false});
    let counted = read(&arctic);
    assert_eq!(counted.parameters_total, Some(478_584_608_768));
    assert_eq!(counted.parameters_active, Some(17_318_647_808));
    assert_eq!(counted.not_understood, Vec::<String>::new());
}

/// LFM2-1.2B: two thirds of the width that it states, and short convolutions.
#[test]
fn short_convolutions_are_counted() {
    let kinds: Vec<&str> = (0..16)
        .map(|at| {
            if [2, 5, 8, 10, 12, 14].contains(&at) {
                "full_attention"
            } else {
                "conv"
            }
        })
        .collect();
    let config = json!({"model_type": "lfm2", "hidden_size": 2048, "block_ff_dim": 12288, "block_auto_adjust_ff_dim": true,
        "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256, "conv_L_cache": 3, "conv_bias": false, "layer_types": kinds,
        "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 16, "vocab_size": 65536});
    let counted = read(&config);
    assert_eq!(
        (counted.parameters_total, counted.counted_exactly),
        (Some(1_170_340_608), true)
    );
}

#[test]
fn encoders_are_refused_and_what_is_missing_is_named_with_the_keys_looked_for() {
    let t5 = json!({"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "d_model": 768, "d_kv": 64,
        "d_ff": 2048, "num_layers": 12, "num_decoder_layers": 12, "num_heads": 12, "vocab_size": 32128});
    let own = llama(&json!({"architectures": ["OursForConditionalGeneration"], "is_encoder_decoder": true}));
    for config in [t5, own] {
        let error = Arithmetic::of_config(&config)
            .expect_err("no decoder")
            .to_string();
        assert!(error.contains("is not a decoder"), "{error}");
    }
    let nothing = Arithmetic::of_config(&json!({"learning_rate": 0.1}))
        .expect_err("nothing there")
        .to_string();
    assert!(
        nothing.contains("nothing of a decoder's structure") && nothing.contains("`learning_rate`"),
        "{nothing}"
    );
    let half =
        json!({"model_type": "x", "text_config": {"hidden_size": 8, "num_hidden_layers": 2, "wheads": 4}});
    let error = Arithmetic::of_config(&half).expect_err("no heads").to_string();
    for part in [
        "no number of heads (looked for `num_attention_heads`, `n_head`",
        "width of the residual stream 8",
        "number of layers 2",
        "its `text_config`",
        "`wheads`",
    ] {
        assert!(error.contains(part), "{part} in {error}");
    }
    let zamba = llama(&json!({"architectures": ["Zamba2ForCausalLM"], "model_type": "zamba2"}));
    let error = Arithmetic::of_config(&zamba).expect_err("no formula").to_string();
    assert!(error.contains("no formula"), "{error}");
}
