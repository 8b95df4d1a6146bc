//! Lists of keys that occur in configs, separated by spaces; for [`crate::config::keys`].

/// Further keys that are read, whatever the family.
pub(super) const READ: &str = "\
    attention_bias attention_chunk_size attention_k_eq_v attention_window_size attn_layer_indices \
    attn_layer_offset attn_layer_period attn_output_gate attn_type_list block_configs block_types conv_kernel \
    decoder_sparse_step enable_moe_block expand expert_layer_offset expert_layer_period first_k_dense_replace \
    full_attention_interval full_attn_idxs global_head_dim hybrid_layer_pattern hybrid_override_pattern \
    index_head_dim index_n_heads interleave_moe_layer_step kv_lora_rank layer_types layers_block_type \
    linear_conv_kernel_dim linear_key_head_dim linear_num_key_heads linear_num_value_heads linear_value_head_dim \
    mamba_d_conv mamba_d_head mamba_d_ssm mamba_d_state mamba_dt_rank mamba_expand mamba_head_dim mamba_n_groups \
    mamba_n_heads mamba_num_heads mamba_rms_norm mlp_layer_types mlp_only_layers moe_latent_size moe_layer_freq \
    moe_layer_frequency moe_layer_interval moe_layer_start_index moe_layer_types moe_layers multi_query \
    multi_query_attention n_groups num_dense_layers num_global_key_value_heads num_kv_shared_layers o_groups \
    o_lora_rank q_lora_rank qk_nope_head_dim qk_rope_head_dim routed_expert_hidden_size sliding_window \
    sliding_window_size ssm_state_size state_size swa_head_dim swa_num_attention_heads swa_num_key_value_heads \
    swa_v_head_dim time_step_rank v_head_dim ";

/// Keys that do not affect the number of parameters although their words or values suggest it.
pub(super) const HARMLESS: &str = "\
    activation_fn_name activation_situ_beta activation_situ_linear_beta alibi alibi_bias_max \
    apply_query_key_layer_scaling architectures attention_layers attention_multiplier \
    attention_probs_dropout_prob attention_softmax_in_fp32 attention_type attention_types attention_value_scale \
    attn_impl attn_implementation attn_logit_softcapping attn_pdrop attn_scale attn_softmax_bf16 \
    attn_temperature_tuning attn_type attn_uses_sequence_id auto_map bad_words_ids begin_suppress_tokens \
    bias_dropout_fusion block_group_size block_type blocksparse_block_size blocksparse_homo_head_pattern \
    blocksparse_num_local_blocks blocksparse_triton_kernel_block_size blocksparse_vert_stride \
    cache_implementation chunk_size chunk_size_feed_forward clip_logits clip_qkv compression_config \
    dense_attention_every_n_layers dim_model_base do_sample emb_dropout_prob embedding_fraction \
    embedding_multiplier encoder_no_repeat_ngram_size ep_size ff_dim_multiplier ffn_act_fn ffn_type \
    final_logit_softcapping fp32_residual_connection full_attn_layers fused_add_norm gate_lower_bound \
    gegelu_pad_to_256 head_dim_rope hidden_act hidden_activation hidden_dropout_prob id2label index_topk \
    init_cutoff_factor init_device init_fn init_std initial_context_length initializer_range input_jitter_noise \
    is_decoder is_encoder_decoder kda_layers label2id layer_norm_eps layer_norm_epsilon layer_norm_type \
    layer_rope_theta layernorm_epsilon learned_pos_emb lm_head_multiplier logit_scale logit_soft_cap \
    logits_scaling mamba_chunk_size mamba_hidden_act mamba_norm_before_gate mamba_ssm_cache_dtype \
    mamba_ssm_dtype max_tokenizer_truncation max_window_layers mlp_hidden_act model_parallel_size \
    moe_apply_router_weight_on_input moe_aux_loss_coeff moe_drop_tokens moe_jitter_eps moe_loss_weight \
    moe_normalize_expert_weights moe_random_routing_dropped_token moe_renormalize moe_routed_scaling_factor \
    moe_router_activation_func moe_router_dtype moe_router_logit_softcapping moe_router_scaling_factor \
    moe_router_topk_scaling_factor moe_shared_expert_overlap moe_use_aux_free mup_attn_multiplier \
    mup_embedding_multiplier mup_width_multiplier n_group no_repeat_ngram_size no_rope_layer_interval \
    no_rope_layers norm_eps norm_epsilon norm_topk_prob normalization_type num_beam_groups num_beams \
    num_expert_group num_labels num_logits_to_keep num_parallel_samples num_return_sequences \
    original_max_position_embeddings output_attentions output_gate_type output_hidden_states output_multiplier \
    output_router_logits pad_sequence_to_multiple_of_64 partial_rotary_factor prefix_lm pretraining_tp \
    projector_hidden_act pruned_heads qk_scale_factor quantization quantization_config query_pre_attn_scalar \
    reorder_and_upcast_attn rescale_layer rescale_prenorm_residual residual_in_fp32 residual_multiplier \
    rope_embedding_base rope_position_scale rotary_dim rotary_emb_base rotary_emb_scale_base rotary_pct \
    routed_scaling_factor router_aux_loss_coef router_jitter_noise router_z_loss_coef \
    scale_attention_softmax_in_fp32 scale_attn_by_inverse_layer_idx scale_attn_weights scale_depth scale_emb \
    scoring_func short_conv_kernel_size sliding_window_pattern softmax_scale spatial_merge_size \
    summary_activation summary_proj_to_labels summary_type summary_use_proj suppress_tokens swiglu_limits \
    task_specific_params text_config tie_encoder_decoder time_step_floor time_step_limit time_step_max \
    time_step_min tokenizer_class tokens_per_second topk_group topk_method type_vocab_size \
    use_bidirectional_attention use_dynamic_ntk use_flash_attention_2 use_flash_attn use_full_rank_gate \
    use_gemma_norm use_grouped_topk use_logn_attn use_mamba_kernels use_mambapy use_memory_efficient_attention \
    use_moe_router_bias use_nope_attn use_routing_bias use_sliding_window use_unpad_mem_eff_attention vit_config \
    vocab_size_per_layer_input window_size z_loss_weight ";

/// Parts of keys that do not affect the parameters of the language model: vision and audio, heads that predict further
/// tokens (never counted), training, and constants of norms and rotary angles.
pub(super) const HARMLESS_PARTS: &str = "\
    _cache_ _dtype _eps _epsilon _loss _multiplier _name _path _pdrop _placeholder _token_id _token_index \
    _version audio aux_loss dropout generation image initializer label_smoothing layerdrop mrope mtp multimodal \
    nextn penalty projector rope_interleave rope_parameters rope_scaling rope_theta rope_type speech use_cache \
    video vision visual ";

/// Words in keys that suggest an effect on the shape of weights.
pub(super) const SHAPING: &str = "\
    adapter attention attn bias block branch cell channel conv cross depth dim embed expert feed ff ffn gate \
    gating glu group head hidden inner intermediate kernel key kv latent layer linear lora mamba mem memory meta \
    mlp module moe multiplier n norm num parallel pos position positions prefix proj prompt query rank ratio \
    residual router share shared size ssm state stream tie tying vocab width ";
