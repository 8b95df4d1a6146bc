//! Which keys of a config are understood: those that are read, and those that no parameter hangs on. Of any other that
//! looks as if weights took their shape from it, the count may be wrong, and is no longer called exact.

use serde_json::Value;

use crate::config::blocks;
use crate::config::fields::{self, Fields};
use crate::config::names;

/// Tables of names that are read.
const TABLES: [&[&str]; 15] = [
    names::LAYERS,
    names::D_MODEL,
    names::D_FFN,
    names::EXPERT_WIDTH,
    names::DENSE_WIDTH,
    names::HEADS,
    names::KV_HEADS,
    names::HEAD_DIM,
    names::VOCAB,
    names::POS,
    names::EXPERTS,
    names::USED,
    names::SHARED,
    names::SHARED_WIDTH,
    names::TIED,
];

/// Other names that are read, whatever the family.
const READ: &[&str] = &[
    "attention_bias",
    "attention_chunk_size",
    "attention_k_eq_v",
    "attention_window_size",
    "attn_layer_indices",
    "attn_layer_offset",
    "attn_layer_period",
    "attn_output_gate",
    "attn_type_list",
    "block_configs",
    "block_types",
    "conv_kernel",
    "decoder_sparse_step",
    "enable_moe_block",
    "expand",
    "expert_layer_offset",
    "expert_layer_period",
    "first_k_dense_replace",
    "full_attention_interval",
    "full_attn_idxs",
    "global_head_dim",
    "hybrid_layer_pattern",
    "hybrid_override_pattern",
    "index_head_dim",
    "index_n_heads",
    "interleave_moe_layer_step",
    "kv_lora_rank",
    "layer_types",
    "layers_block_type",
    "linear_conv_kernel_dim",
    "linear_key_head_dim",
    "linear_num_key_heads",
    "linear_num_value_heads",
    "linear_value_head_dim",
    "mamba_d_conv",
    "mamba_d_head",
    "mamba_d_ssm",
    "mamba_d_state",
    "mamba_dt_rank",
    "mamba_expand",
    "mamba_head_dim",
    "mamba_n_groups",
    "mamba_n_heads",
    "mamba_num_heads",
    "mamba_rms_norm",
    "mlp_layer_types",
    "mlp_only_layers",
    "moe_latent_size",
    "moe_layer_freq",
    "moe_layer_frequency",
    "moe_layer_interval",
    "moe_layer_start_index",
    "moe_layer_types",
    "moe_layers",
    "multi_query",
    "multi_query_attention",
    "n_groups",
    "num_dense_layers",
    "num_global_key_value_heads",
    "num_kv_shared_layers",
    "o_groups",
    "o_lora_rank",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "sliding_window",
    "sliding_window_size",
    "ssm_state_size",
    "state_size",
    "swa_head_dim",
    "swa_num_attention_heads",
    "swa_num_key_value_heads",
    "time_step_rank",
    "v_head_dim",
    "swa_v_head_dim",
    "routed_expert_hidden_size",
];

/// Switches that some families' counts follow, and those families; elsewhere they are understood where they are off.
const BY_FAMILY: &[(&str, &[&str])] = &[
    ("add_bias_linear", &["chatglm"]),
    ("add_qkv_bias", &["chatglm"]),
    ("attention_layer_norm", &["olmo"]),
    ("attention_layer_norm_with_affine", &["olmo"]),
    ("attention_out_bias", &["seedoss"]),
    ("bias", &["falcon", "internlm2"]),
    ("bias_for_layer_norm", &["olmo"]),
    ("do_layer_norm_before", &["opt"]),
    ("expansion_ratio", &["mpt"]),
    ("ffn_with_glu", &["olmo", "openelm"]),
    ("hidden_size_per_layer_input", &[]),
    ("include_bias", &["olmo"]),
    ("layer_norm_with_affine", &["olmo"]),
    ("learned_positions", &["olmo"]),
    ("block_auto_adjust_ff_dim", &["lfm2"]),
    ("block_dim", &["lfm2"]),
    ("conv_dim", &["lfm2"]),
    ("mamba_inner_layernorms", &["jamba"]),
    ("norm_type", &["mpt"]),
    ("block_ff_dim", &["lfm2"]),
    ("block_ffn_dim_multiplier", &["lfm2"]),
    ("block_multiple_of", &["lfm2"]),
    ("conv_L_cache", &["lfm2"]),
    ("conv_bias", &["lfm2"]),
    ("lm_head_bias", &["phimoe"]),
    ("mlp_ratio", &["mpt"]),
    ("new_decoder_architecture", &["falcon"]),
    ("no_bias", &["mpt", "qwen"]),
    ("num_ln_in_parallel_attn", &["falcon"]),
    ("parallel_attn", &["falcon"]),
    ("parallel_attn_mlp_res", &["arctic"]),
    ("qkv_bias", &["qwen2", "qwen", "mimo", "glm", "glm4"]),
    (
        "use_bias",
        &["starcoder2", "ernie45", "mamba", "mamba2", "falconmamba"],
    ),
    ("use_conv_bias", &["mamba", "mamba2", "falconmamba", "nemotronh"]),
    ("use_mixed_mlp_moe", &["hunyuan"]),
    ("use_parallel_residual", &["gptneox", "stablelm"]),
    ("use_qkv_bias", &["stablelm"]),
    ("use_residual", &["arctic"]),
    ("word_embed_proj_dim", &["opt"]),
];
/// Families whose count follows a switch for norms of queries and keys.
const QK_NORM_FAMILIES: [&str; 15] = [
    "cohere",
    "exaone4",
    "gemma3",
    "glm4moe",
    "hunyuan",
    "lfm2",
    "llama4",
    "minimaxm2",
    "minimaxm3",
    "olmo2",
    "olmo3",
    "openelm",
    "phi",
    "qwen3",
    "stablelm",
];

/// What is understood with one value alone: it is what the families that know it are counted with.
const USUAL: &[(&str, bool)] = &[
    ("_remove_final_layer_norm", false),
    ("add_cross_attention", false),
    ("add_full_attention_sink_bias", false),
    ("apply_residual_connection_post_layernorm", false),
    ("enable_bias", true),
    ("layer_norm_elementwise_affine", true),
    ("mamba_conv_bias", true),
    ("mamba_proj_bias", false),
    ("mlp_bias", false),
    ("post_layer_norm", true),
    ("rms_norm", true),
    ("rmsnorm", true),
    ("use_cla", false),
    ("use_double_wide_mlp", false),
];
/// Families that read `mlp_bias` are all but these.
const WITHOUT_MLP_BIAS: [&str; 12] = [
    "falcon",
    "gptbigcode",
    "gptneox",
    "glm",
    "glm4",
    "mimo",
    "opt",
    "phi3small",
    "qwen",
    "qwen2",
    "stablelm",
    "starcoder2",
];

/// Names that no parameter hangs on although their words or their values look as if.
const HARMLESS: &[&str] = &[
    "summary_use_proj",
    "summary_type",
    "summary_activation",
    "alibi_bias_max",
    "window_size",
    "attention_layers",
    "attn_temperature_tuning",
    "attn_scale",
    "use_mambapy",
    "mamba_norm_before_gate",
    "vocab_size_per_layer_input",
    "original_max_position_embeddings",
    "rope_embedding_base",
    "rope_position_scale",
    "use_bidirectional_attention",
    "spatial_merge_size",
    "output_gate_type",
    "output_multiplier",
    "activation_situ_beta",
    "activation_situ_linear_beta",
    "alibi",
    "apply_query_key_layer_scaling",
    "architectures",
    "attention_multiplier",
    "attention_probs_dropout_prob",
    "attention_softmax_in_fp32",
    "attention_type",
    "attention_types",
    "attention_value_scale",
    "attn_implementation",
    "attn_logit_softcapping",
    "attn_softmax_bf16",
    "bad_words_ids",
    "begin_suppress_tokens",
    "bias_dropout_fusion",
    "block_group_size",
    "block_type",
    "blocksparse_block_size",
    "blocksparse_homo_head_pattern",
    "blocksparse_num_local_blocks",
    "blocksparse_triton_kernel_block_size",
    "blocksparse_vert_stride",
    "cache_implementation",
    "chunk_size",
    "chunk_size_feed_forward",
    "clip_qkv",
    "dense_attention_every_n_layers",
    "dim_model_base",
    "embedding_multiplier",
    "emb_dropout_prob",
    "encoder_no_repeat_ngram_size",
    "ep_size",
    "ff_dim_multiplier",
    "final_logit_softcapping",
    "fp32_residual_connection",
    "fused_add_norm",
    "gegelu_pad_to_256",
    "head_dim_rope",
    "hidden_act",
    "hidden_activation",
    "hidden_dropout_prob",
    "id2label",
    "initial_context_length",
    "initializer_range",
    "index_topk",
    "input_jitter_noise",
    "is_decoder",
    "is_encoder_decoder",
    "label2id",
    "layer_norm_eps",
    "layer_norm_epsilon",
    "layer_norm_type",
    "layer_rope_theta",
    "layernorm_epsilon",
    "learned_pos_emb",
    "lm_head_multiplier",
    "logit_scale",
    "logits_scaling",
    "mamba_chunk_size",
    "mamba_hidden_act",
    "mamba_ssm_cache_dtype",
    "mamba_ssm_dtype",
    "max_tokenizer_truncation",
    "max_window_layers",
    "mlp_hidden_act",
    "model_parallel_size",
    "moe_apply_router_weight_on_input",
    "moe_renormalize",
    "moe_routed_scaling_factor",
    "moe_router_activation_func",
    "moe_router_dtype",
    "moe_router_logit_softcapping",
    "moe_router_scaling_factor",
    "moe_router_topk_scaling_factor",
    "moe_shared_expert_overlap",
    "mup_attn_multiplier",
    "mup_embedding_multiplier",
    "mup_width_multiplier",
    "n_group",
    "no_rope_layers",
    "no_rope_layer_interval",
    "norm_topk_prob",
    "num_expert_group",
    "num_logits_to_keep",
    "num_parallel_samples",
    "output_attentions",
    "output_hidden_states",
    "output_router_logits",
    "pad_sequence_to_multiple_of_64",
    "partial_rotary_factor",
    "pretraining_tp",
    "projector_hidden_act",
    "pruned_heads",
    "qk_scale_factor",
    "quantization_config",
    "query_pre_attn_scalar",
    "quantization",
    "reorder_and_upcast_attn",
    "rescale_layer",
    "rescale_prenorm_residual",
    "residual_in_fp32",
    "residual_multiplier",
    "rotary_dim",
    "rotary_emb_base",
    "rotary_emb_scale_base",
    "rotary_pct",
    "routed_scaling_factor",
    "router_aux_loss_coef",
    "router_jitter_noise",
    "scale_attention_softmax_in_fp32",
    "scale_attn_by_inverse_layer_idx",
    "scale_attn_weights",
    "scale_depth",
    "scale_emb",
    "scoring_func",
    "sliding_window_pattern",
    "summary_proj_to_labels",
    "suppress_tokens",
    "swiglu_limits",
    "task_specific_params",
    "text_config",
    "tie_encoder_decoder",
    "time_step_limit",
    "time_step_floor",
    "time_step_max",
    "time_step_min",
    "tokenizer_class",
    "tokens_per_second",
    "topk_group",
    "type_vocab_size",
    "use_dynamic_ntk",
    "use_flash_attn",
    "use_flash_attention_2",
    "use_gemma_norm",
    "use_grouped_topk",
    "use_logn_attn",
    "use_mamba_kernels",
    "use_memory_efficient_attention",
    "use_moe_router_bias",
    "use_routing_bias",
    "use_sliding_window",
    "use_unpad_mem_eff_attention",
    "z_loss_weight",
    "init_std",
    "init_device",
    "init_fn",
    "init_cutoff_factor",
    "auto_map",
    "compression_config",
    "attn_impl",
    "attn_pdrop",
    "attn_type",
    "attn_uses_sequence_id",
    "softmax_scale",
    "prefix_lm",
    "embedding_fraction",
    "norm_eps",
    "norm_epsilon",
    "ffn_act_fn",
    "ffn_type",
    "moe_loss_weight",
    "moe_normalize_expert_weights",
    "moe_jitter_eps",
    "clip_logits",
    "activation_fn_name",
    "logit_soft_cap",
    "router_z_loss_coef",
    "moe_aux_loss_coeff",
    "moe_use_aux_free",
    "moe_drop_tokens",
    "moe_random_routing_dropped_token",
    "use_nope_attn",
    "topk_method",
    "num_beam_groups",
    "num_beams",
    "num_return_sequences",
    "no_repeat_ngram_size",
    "num_labels",
    "do_sample",
    "full_attn_layers",
    "kda_layers",
    "short_conv_kernel_size",
    "gate_lower_bound",
    "use_full_rank_gate",
    "normalization_type",
    "vit_config",
];

/// Parts of names that no parameter of the language model hangs on: what sees and hears, heads that predict further
/// tokens (never counted), training, the numbers that norms and rotary angles are made with.
const HARMLESS_PARTS: &[&str] = &[
    "_token_id",
    "_token_index",
    "_placeholder",
    "dropout",
    "layerdrop",
    "_multiplier",
    "_pdrop",
    "_loss",
    "_dtype",
    "vision",
    "visual",
    "image",
    "audio",
    "video",
    "speech",
    "multimodal",
    "projector",
    "mtp",
    "nextn",
    "_version",
    "_name",
    "_path",
    "rope_theta",
    "rope_scaling",
    "rope_parameters",
    "rope_interleave",
    "rope_type",
    "mrope",
    "label_smoothing",
    "aux_loss",
    "initializer",
    "_cache_",
    "use_cache",
    "_eps",
    "_epsilon",
    "generation",
    "penalty",
];

/// Words of names that weights may take their shape from.
const SHAPING: &[&str] = &[
    "hidden",
    "intermediate",
    "layer",
    "head",
    "expert",
    "rank",
    "dim",
    "size",
    "mlp",
    "ffn",
    "feed",
    "bias",
    "norm",
    "tie",
    "tying",
    "conv",
    "state",
    "block",
    "adapter",
    "latent",
    "embed",
    "vocab",
    "ratio",
    "width",
    "depth",
    "gate",
    "gating",
    "residual",
    "proj",
    "lora",
    "group",
    "shared",
    "share",
    "moe",
    "router",
    "attn",
    "attention",
    "kv",
    "query",
    "key",
    "memory",
    "mem",
    "channel",
    "multiplier",
    "parallel",
    "cross",
    "ssm",
    "mamba",
    "glu",
    "meta",
    "prefix",
    "prompt",
    "linear",
    "module",
    "num",
    "n",
    "inner",
    "ff",
    "pos",
    "position",
    "positions",
    "cell",
    "branch",
    "stream",
    "kernel",
];

/// A family with the words for its mixture and without them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Family<'a> {
    pub(crate) kind: &'a str,
    pub(crate) stem: &'a str,
}

impl Family<'_> {
    fn is_among(self, families: &[&str]) -> bool {
        families.contains(&self.kind) || families.contains(&self.stem)
    }
}

/// Tables whose values may be listed layer by layer.
const BY_LAYER: [&[&str]; 7] = [
    names::D_FFN,
    names::EXPERT_WIDTH,
    names::HEADS,
    names::KV_HEADS,
    names::HEAD_DIM,
    names::USED,
    names::SHARED,
];

/// The keys of a config (of its language model, where that is nested) whose part in the count is not known. A list
/// with another number of values than `layers` is none of a value a layer.
pub(crate) fn not_understood(
    family: Family<'_>,
    layers: Option<i64>,
    outer: &Fields,
    inner: &Fields,
) -> Vec<String> {
    let mut unknown = Vec::new();
    // Of what wraps a language model, only the output head's is its own.
    for (name, value) in inner {
        one(family, name, value, "", &mut unknown);
    }
    if !std::ptr::eq(outer, inner) {
        for (name, value) in outer.iter().filter(|(name, _)| !inner.contains_key(*name)) {
            if !names::NESTED.contains(&name.as_str()) {
                one(family, name, value, "", &mut unknown);
            }
        }
    }
    let lists = inner
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_array()?)));
    for (name, list) in lists.filter(|(_, list)| !list.is_empty()) {
        let plain = name.strip_suffix("_per_layer").unwrap_or(name);
        let is_by_layer = i64::try_from(list.len()).ok() == layers;
        if !is_by_layer
            && BY_LAYER
                .iter()
                .chain(&[names::EXPERTS])
                .any(|table| table.contains(&plain))
        {
            unknown.push(name.clone());
        }
    }
    unknown.extend(blocks::not_understood(inner));
    unknown
}

fn one(family: Family<'_>, name: &str, value: &Value, inside: &str, unknown: &mut Vec<String>) {
    const NESTED: [&str; 3] = ["attn_config", "ffn_config", "linear_attn_config"];
    if is_unset(value) || is_understood(family, name, value) {
        return;
    }
    match value.as_object() {
        Some(part) if NESTED.contains(&name) => {
            for (key, value) in part {
                one(family, key, value, &format!("{name}."), unknown);
            }
        }
        _ if shapes(name, value) => unknown.push(format!("{inside}{name}")),
        _ => {}
    }
}

/// Nothing is said: the class's default holds.
fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(part) => part.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A switch that is off.
fn is_off(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::String(text) => text.trim().eq_ignore_ascii_case("false"),
        other => fields::number(other) == Some(0),
    }
}

fn is_understood(family: Family<'_>, name: &str, value: &Value) -> bool {
    let plain = name
        .strip_suffix("_per_layer")
        .filter(|_| value.is_array())
        .unwrap_or(name);
    if READ.contains(&plain) || TABLES.iter().any(|table| table.contains(&plain)) {
        return true;
    }
    if name == "mlp_bias" {
        return !family.is_among(&WITHOUT_MLP_BIAS) || is_off(value);
    }
    if names::QK_NORM.contains(&name) || name == "qk_norm_type" {
        return family.is_among(&QK_NORM_FAMILIES) || is_off(value);
    }
    if let Some((_, families)) = BY_FAMILY.iter().find(|(key, _)| *key == name) {
        return family.is_among(families) || is_off(value);
    }
    if let Some((_, usual)) = USUAL.iter().find(|(key, _)| *key == name) {
        return is_off(value) != *usual;
    }
    name.starts_with("_") || HARMLESS.contains(&name) || HARMLESS_PARTS.iter().any(|part| name.contains(part))
}

/// Whether weights may take their shape from it: by the words of its name, or because it holds numbers layer by layer.
fn shapes(name: &str, value: &Value) -> bool {
    let lower = name.to_ascii_lowercase();
    let by_word = lower.split('_').any(|word| {
        // Short words are words of their own; others also stand inside of compounds and plurals.
        SHAPING.iter().any(|&part| {
            if part.len() < 4 {
                word.trim_end_matches('s') == part
            } else {
                word.contains(part)
            }
        })
    });
    by_word || holds_numbers(value)
}

fn holds_numbers(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|value| value.is_number() || holds_numbers(value)),
        Value::Object(part) => part
            .values()
            .any(|value| value.is_number() || holds_numbers(value)),
        _ => false,
    }
}
