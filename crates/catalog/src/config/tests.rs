//! Published configs and their published parameter counts.

use serde_json::json;

use super::read;

/// Counts as the makers of these checkpoints give them.
#[test]
fn dense_decoders_are_counted_to_the_parameter() {
    let llama = |h: i64, f: i64, a: i64, kv: i64, l: i64, v: i64| {
        json!({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": h, "intermediate_size": f,
               "num_attention_heads": a, "num_key_value_heads": kv, "num_hidden_layers": l, "vocab_size": v, "tie_word_embeddings": false})
    };
    let mut cases = vec![
        ("Llama-2-7b", llama(4096, 11008, 32, 32, 32, 32000), 6_738_415_616),
        (
            "Llama-2-13b",
            llama(5120, 13824, 40, 40, 40, 32000),
            13_015_864_320,
        ),
        (
            "Llama-3.1-8B",
            llama(4096, 14336, 32, 8, 32, 128_256),
            8_030_261_248,
        ),
        (
            "Llama-3.1-70B",
            llama(8192, 28672, 64, 8, 80, 128_256),
            70_553_706_496,
        ),
        (
            "Llama-3.1-405B",
            llama(16384, 53248, 128, 8, 126, 128_256),
            405_853_388_800,
        ),
        (
            "Mistral-7B",
            json!({"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
            "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 32000, "sliding_window": 4096}),
            7_241_732_096,
        ),
    ];
    cases.push(("Qwen2.5-7B", json!({"model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944, "num_attention_heads": 28,
        "num_key_value_heads": 4, "num_hidden_layers": 28, "vocab_size": 152_064, "tie_word_embeddings": false}), 7_615_616_512));
    cases.push(("Qwen2.5-0.5B", json!({"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_attention_heads": 14,
        "num_key_value_heads": 2, "num_hidden_layers": 24, "vocab_size": 151_936, "tie_word_embeddings": true}), 494_032_768));
    cases.push(("Qwen3-0.6B", json!({"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_attention_heads": 16, "head_dim": 128,
        "num_key_value_heads": 8, "num_hidden_layers": 28, "vocab_size": 151_936, "tie_word_embeddings": true, "attention_bias": false}), 596_049_920));
    cases.push(("gemma-2b", json!({"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_attention_heads": 8, "head_dim": 256,
        "num_key_value_heads": 1, "num_hidden_layers": 18, "vocab_size": 256_000}), 2_506_172_416));
    cases.push(("gemma-2-9b", json!({"model_type": "gemma2", "hidden_size": 3584, "intermediate_size": 14336, "num_attention_heads": 16, "head_dim": 256,
        "num_key_value_heads": 8, "num_hidden_layers": 42, "vocab_size": 256_000}), 9_241_705_984));
    cases.push(("gemma-3-1b", json!({"model_type": "gemma3_text", "hidden_size": 1152, "intermediate_size": 6912, "num_attention_heads": 4, "head_dim": 256,
        "num_key_value_heads": 1, "num_hidden_layers": 26, "vocab_size": 262_144, "sliding_window": 512}), 999_885_952));
    cases.push(("Phi-3-mini", json!({"model_type": "phi3", "hidden_size": 3072, "intermediate_size": 8192, "num_attention_heads": 32,
        "num_key_value_heads": 32, "num_hidden_layers": 32, "vocab_size": 32064, "tie_word_embeddings": false}), 3_821_079_552));
    cases.push(("gpt2", json!({"model_type": "gpt2", "n_embd": 768, "n_head": 12, "n_layer": 12, "n_positions": 1024, "n_ctx": 1024, "vocab_size": 50257}), 124_439_808));
    cases.push(("gpt2-xl", json!({"model_type": "gpt2", "n_embd": 1600, "n_head": 25, "n_layer": 48, "n_positions": 1024, "vocab_size": 50257, "n_inner": null}), 1_557_611_200));
    cases.push(("pythia-6.9b", json!({"model_type": "gpt_neox", "hidden_size": 4096, "intermediate_size": 16384, "num_attention_heads": 32,
        "num_hidden_layers": 32, "vocab_size": 50432, "max_position_embeddings": 2048, "tie_word_embeddings": false}), 6_857_302_016));
    cases.push(("gpt-neox-20b", json!({"model_type": "gpt_neox", "hidden_size": 6144, "intermediate_size": 24576, "num_attention_heads": 64,
        "num_hidden_layers": 44, "vocab_size": 50432, "tie_word_embeddings": false}), 20_554_567_680));
    cases.push(("opt-125m", json!({"model_type": "opt", "hidden_size": 768, "ffn_dim": 3072, "num_attention_heads": 12, "num_hidden_layers": 12,
        "vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 768, "do_layer_norm_before": true}), 125_239_296));
    cases.push(("opt-350m", json!({"model_type": "opt", "hidden_size": 1024, "ffn_dim": 4096, "num_attention_heads": 16, "num_hidden_layers": 24,
        "vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 512, "do_layer_norm_before": false}), 331_196_416));
    cases.push(("bloom-560m", json!({"model_type": "bloom", "n_embed": 1024, "num_attention_heads": 16, "n_layer": 24, "vocab_size": 250_880, "n_inner": null}), 559_214_592));
    cases.push(("falcon-7b", json!({"model_type": "falcon", "hidden_size": 4544, "num_attention_heads": 71, "num_hidden_layers": 32, "vocab_size": 65024,
        "multi_query": true, "new_decoder_architecture": false, "parallel_attn": true, "bias": false, "alibi": false, "num_kv_heads": 71}), 6_921_720_704));
    cases.push(("falcon-40b", json!({"model_type": "falcon", "hidden_size": 8192, "num_attention_heads": 128, "num_kv_heads": 8, "num_hidden_layers": 60,
        "vocab_size": 65024, "new_decoder_architecture": true, "parallel_attn": true, "bias": false, "multi_query": true}), 41_303_293_952));
    for (name, config, expected) in cases {
        let read = read(&config);
        assert_eq!(
            read.parameters_total,
            Some(expected),
            "{name}: {}",
            read.parameters_total.unwrap_or(0) - expected
        );
        assert!(read.counted_exactly, "{name}");
        assert_eq!(read.parameters_active, read.parameters_total, "{name}");
    }
}

/// Counts of mixtures as their makers state them, in billions, within 1 %.
#[test]
fn mixtures_are_counted_as_their_makers_say() -> Result<(), std::io::Error> {
    let Some(folder) = configs() else { return Ok(()) };
    let cases = [
        ("mistralai--Mixtral-8x7B-v0.1", 46.703, 12.88),
        ("mistralai--Mixtral-8x22B-v0.1", 140.62, 39.15),
        ("Qwen--Qwen3-30B-A3B", 30.53, 3.35),
        ("Qwen--Qwen3-235B-A22B", 235.09, 22.19),
        ("Qwen--Qwen3-Coder-480B-A35B-Instruct", 480.15, 35.46),
        ("deepseek-ai--DeepSeek-V3", 671.03, 37.5),
        ("moonshotai--Kimi-K2-Instruct", 1026.4, 32.9),
        ("meta-llama--Llama-4-Scout-17B-16E-Instruct", 107.77, 17.17),
        ("meta-llama--Llama-4-Maverick-17B-128E-Instruct", 400.7, 17.2),
        ("MiniMaxAI--MiniMax-M2.5", 228.7, 10.0),
        ("XiaomiMiMo--MiMo-V2-Flash", 309.0, 15.0),
    ];
    for (name, total, active) in cases {
        let value = super::json::parse(&std::fs::read(folder.join(format!("{name}_config.json")))?, name)
            .expect("a config");
        let config = read(&value);
        let billions = |count: Option<i64>| count.map_or(f64::NAN, |count| count as f64 / 1e9);
        let (t, a) = (
            billions(config.parameters_total),
            billions(config.parameters_active),
        );
        assert!((t / total - 1.0).abs() < 0.01, "{name}: {t} for {total}");
        // Makers round, and differ in whether the embedding counts.
        assert!((a / active - 1.0).abs() < 0.12, "{name}: {a} active for {active}");
        assert!(config.is_moe, "{name}");
    }
    Ok(())
}

fn configs() -> Option<std::path::PathBuf> {
    let here = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.ancestors()
        .map(|folder| folder.join("shared/data/configs"))
        .find(|folder| folder.is_dir())
}

#[test]
fn all_configs_at_hand_have_a_structure_and_the_size_their_name_says()
-> Result<(), Box<dyn std::error::Error>> {
    let Some(folder) = configs() else { return Ok(()) };
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.to_string_lossy().into_owned();
        let config = read(&super::json::parse(&std::fs::read(&path)?, &name)?);
        let is_by_block = name.contains("Nemotron-Super-49B");
        for dimension in [
            config.layers,
            config.d_model,
            config.d_ffn,
            config.heads,
            config.vocab_size,
            config.pos,
        ] {
            // Layers of Nemotron-NAS differ one by one: no single width is its own.
            if dimension.is_none() && !is_by_block {
                wrong.push(format!("{name}: {:?}", config.dimensions()));
            }
        }
        let stated = crate::words::sizes(&crate::sources::config_files::id_of(&name));
        if let Some(crate::words::Stated::Dense(size)) = stated.first()
            && !name.contains("Llama-4")
        {
            let counted = config
                .parameters_total
                .map_or(f64::NAN, |count| count as f64 / 1e9);
            // Names round: Llama-3.2-1B has 1.24, Gemma-2-2b 2.61, Voxtral-Mini-3B 4.01.
            let is_near = (counted / size - 1.0).abs() < 0.35;
            if !(is_near || is_by_block && counted.is_nan()) {
                wrong.push(format!("{name}: {counted} for {size}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn odd_spellings_are_read() {
    let config = read(
        &json!({"n_embd": "4096", "num_layers": 32.0, "num_heads": "32", "ffn_dim": -1, "d_ff": [11008, 11008, 8192],
        "vocab_size": 0, "n_vocab": 32000, "architectures": ["LlamaForCausalLM"], "num_key_value_heads": [8, 8, 4]}),
    );
    assert_eq!(
        config.dimensions()[..6],
        [Some(32), Some(4096), Some(11008), Some(32), Some(8), Some(32000)]
    );
    assert_eq!(read(&json!([1, 2])).layers, None);
    assert_eq!(read(&json!({"num_hidden_layers": i64::MAX, "hidden_size": i64::MAX, "num_attention_heads": 1, "vocab_size": i64::MAX})).parameters_total, None);
}

/// Widths that are not stated are not 0, and norms that a switch asks for are counted.
#[test]
fn what_is_not_stated_is_not_counted_as_nothing() {
    let nameless = json!({"model_type": "llama", "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8,
        "num_hidden_layers": 32, "vocab_size": 32000});
    let unknown = read(&nameless);
    assert_eq!((unknown.parameters_total, unknown.counted_exactly), (None, false));
    let command_r_plus = json!({"architectures": ["CohereForCausalLM"], "model_type": "cohere", "hidden_size": 12288,
        "intermediate_size": 33792, "num_hidden_layers": 64, "num_attention_heads": 96, "num_key_value_heads": 8,
        "vocab_size": 256_000, "use_qk_norm": true, "tie_word_embeddings": true, "attention_bias": false});
    let olmo2 = json!({"architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "hidden_size": 5120,
        "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40, "num_key_value_heads": 40,
        "vocab_size": 100_352, "tie_word_embeddings": false, "attention_bias": false});
    let phi_moe = json!({"architectures": ["PhiMoEForCausalLM"], "model_type": "phimoe", "attention_bias": true,
        "hidden_size": 4096, "intermediate_size": 6400, "lm_head_bias": true, "num_attention_heads": 32,
        "num_key_value_heads": 8, "num_hidden_layers": 32, "num_local_experts": 16, "num_experts_per_tok": 2,
        "vocab_size": 32_064, "tie_word_embeddings": false});
    assert_eq!(read(&phi_moe).parameters_total, Some(41_873_153_344));
    let phi3_small = json!({"model_type": "phi3small", "hidden_size": 4096, "ff_intermediate_size": 14336,
        "num_attention_heads": 32, "num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 100_352,
        "attention_bias": false});
    assert_eq!(read(&phi3_small).parameters_total, Some(7_392_272_384));
    let gemma3_4b = json!({"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "hidden_size": 2560,
        "intermediate_size": 10240, "num_hidden_layers": 34, "sliding_window": 1024}});
    assert_eq!(read(&gemma3_4b).parameters_total, Some(3_880_263_168));
    let apertus = json!({"architectures": ["ApertusForCausalLM"], "model_type": "apertus", "hidden_size": 4096,
        "intermediate_size": 21_504, "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 131_072, "tie_word_embeddings": false, "attention_bias": false, "mlp_bias": false});
    for (config, expected) in [
        (command_r_plus, 103_810_674_688),
        (olmo2, 13_716_198_400),
        (apertus, 8_053_338_176),
    ] {
        let counted = read(&config);
        assert_eq!(counted.parameters_total, Some(expected));
        assert!(counted.counted_exactly);
    }
}
