//! The names that architectures use for the same quantity, in the order in which they are searched.

/// Keys for the number of decoder layers.
pub(super) const LAYERS: &[&str] = &[
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "num_transformer_layers",
    "decoder_layers",
    "num_decoder_layers",
];
/// Keys for the width of the residual stream.
pub(super) const D_MODEL: &[&str] = &[
    "hidden_size",
    "n_embd",
    "d_model",
    "dim",
    "n_embed",
    "model_dim",
    "hidden_dim",
];
/// Keys for the width of the feed-forward layer.
pub(super) const D_FFN: &[&str] = &[
    "intermediate_size",
    "ffn_hidden_size",
    "ff_intermediate_size",
    "n_inner",
    "ffn_dim",
    "d_ff",
    "inner_hidden_size",
    "decoder_ffn_dim",
    "mlp_hidden_size",
];
/// Keys for the width of one expert.
pub(super) const EXPERT_WIDTH: &[&str] = &[
    "moe_intermediate_size",
    "expert_ffn_hidden_size",
    "moe_ffn_hidden_size",
    "ffn_hidden_size",
];
/// Keys for the width of dense feed-forward layers beside experts.
pub(super) const DENSE_WIDTH: &[&str] = &[
    "intermediate_size_mlp",
    "dense_intermediate_size",
    "intermediate_size",
];
/// Keys for the number of attention heads.
pub(super) const HEADS: &[&str] = &[
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "decoder_attention_heads",
    "num_query_heads",
    "attention_heads",
];
/// Keys for the number of key and value heads.
pub(super) const KV_HEADS: &[&str] = &[
    "num_key_value_heads",
    "num_kv_heads",
    "n_head_kv",
    "n_kv_heads",
    "multi_query_group_num",
    "num_query_groups",
    "kv_n_heads",
];
/// Keys for the width of one head.
pub(super) const HEAD_DIM: &[&str] = &[
    "head_dim",
    "attention_head_dim",
    "kv_channels",
    "d_head",
    "qk_head_dim",
];
/// Keys for the number of vocabulary entries.
pub(super) const VOCAB: &[&str] = &["vocab_size", "n_vocab", "padded_vocab_size"];
/// Keys for the maximum number of input positions.
pub(super) const POS: &[&str] = &[
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
    "model_max_length",
    "max_seq_length",
    "n_ctx",
    "max_context_length",
];
/// Keys for the number of experts per layer.
pub(super) const EXPERTS: &[&str] = &[
    "num_experts",
    "num_local_experts",
    "n_routed_experts",
    "moe_num_experts",
    "num_moe_experts",
    "num_routed_experts",
];
/// Keys for the number of experts that one token uses.
pub(super) const USED: &[&str] = &[
    "num_experts_per_tok",
    "num_experts_per_token",
    "moe_topk",
    "moe_k",
    "top_k_experts",
    "experts_per_token",
    "moe_top_k",
    "num_selected_experts",
];
/// Keys of nested objects that hold the config of a language model.
pub(super) const NESTED: &[&str] = &[
    "text_config",
    "llm_config",
    "language_config",
    "language_model_config",
    "llm_cfg",
];
/// Keys for the number of shared experts, each as wide as one expert.
pub(super) const SHARED: &[&str] = &[
    "n_shared_experts",
    "num_shared_experts",
    "num_shared_expert",
    "moe_num_shared_experts",
];
/// Keys for the width of all shared experts together.
pub(super) const SHARED_WIDTH: &[&str] = &[
    "shared_expert_intermediate_size",
    "shared_intermediate_size",
    "moe_shared_expert_intermediate_size",
    "share_expert_dim",
];
/// Keys for whether the output head shares the embedding's weights.
pub(super) const TIED: &[&str] = &["tie_word_embeddings", "tie_embeddings", "weight_tying"];
/// Keys for norms of queries and keys.
pub(super) const QK_NORM: &[&str] = &[
    "use_qk_norm",
    "qk_layernorm",
    "use_qk_layernorm",
    "qk_norm",
    "normalize_qk_projections",
];
