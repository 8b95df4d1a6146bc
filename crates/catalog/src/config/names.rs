//! What architectures call the same thing, in the order in which it is looked for.

/// Names of layers.
pub(super) const LAYERS: &[&str] = &[
    "num_hidden_layers",
    "n_layer",
    "n_layers",
    "num_layers",
    "num_transformer_layers",
    "decoder_layers",
    "num_decoder_layers",
];
/// Names of d model.
pub(super) const D_MODEL: &[&str] = &[
    "hidden_size",
    "n_embd",
    "d_model",
    "dim",
    "n_embed",
    "model_dim",
    "hidden_dim",
];
/// Names of d ffn.
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
/// Names of expert width.
pub(super) const EXPERT_WIDTH: &[&str] = &[
    "moe_intermediate_size",
    "expert_ffn_hidden_size",
    "moe_ffn_hidden_size",
    "ffn_hidden_size",
];
/// Names of dense width.
pub(super) const DENSE_WIDTH: &[&str] = &[
    "intermediate_size_mlp",
    "dense_intermediate_size",
    "intermediate_size",
];
/// Names of heads.
pub(super) const HEADS: &[&str] = &[
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "decoder_attention_heads",
];
/// Names of kv heads.
pub(super) const KV_HEADS: &[&str] = &[
    "num_key_value_heads",
    "num_kv_heads",
    "n_head_kv",
    "n_kv_heads",
    "multi_query_group_num",
    "num_query_groups",
    "kv_n_heads",
];
/// Names of head dim.
pub(super) const HEAD_DIM: &[&str] = &[
    "head_dim",
    "attention_head_dim",
    "kv_channels",
    "d_head",
    "qk_head_dim",
];
/// Names of vocab.
pub(super) const VOCAB: &[&str] = &["vocab_size", "n_vocab", "padded_vocab_size", "embedding_size"];
/// Names of pos.
pub(super) const POS: &[&str] = &[
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "max_sequence_length",
    "model_max_length",
    "max_seq_length",
    "n_ctx",
];
/// Names of experts.
pub(super) const EXPERTS: &[&str] = &[
    "num_experts",
    "num_local_experts",
    "n_routed_experts",
    "moe_num_experts",
    "num_moe_experts",
    "num_routed_experts",
];
/// Names of used.
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
/// Names of nested.
pub(super) const NESTED: &[&str] = &[
    "text_config",
    "llm_config",
    "language_config",
    "language_model_config",
    "llm_cfg",
];
