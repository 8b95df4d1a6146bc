"""Counts parameters of config.json files as transformers builds them, on the meta device: no weights are needed.

    python oracles/config_parameters.py OUT.json [CONFIG.json ...]

Without files it takes the configs below: small settings of many architectures, where every field that changes the count is
unlike its default. A count is of distinct tensors, so a tied output head counts once; buffers do not count.
Tool: transformers 5.x, torch 2.x.
"""

import json
import signal
import sys

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForImageTextToText

BASE = dict(vocab_size=1000, hidden_size=96, intermediate_size=256, num_hidden_layers=5, num_attention_heads=8,
            num_key_value_heads=2, max_position_embeddings=512)
MOE = dict(moe_intermediate_size=48, num_experts_per_tok=2)
MLA = dict(q_lora_rank=40, kv_lora_rank=24, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16, num_key_value_heads=8)
# Special tokens have defaults beyond these small vocabularies.
TOKENS = dict(bos_token_id=1, eos_token_id=2, pad_token_id=0)

CONFIGS = {
    "llama": {}, "llama-bias": dict(model_type="llama", attention_bias=True, mlp_bias=True),
    "mistral": dict(head_dim=32), "ministral": dict(head_dim=16), "mixtral": dict(num_local_experts=4, num_experts_per_tok=2),
    "qwen2": {}, "qwen2-tied": dict(model_type="qwen2", tie_word_embeddings=True), "qwen3": dict(head_dim=24),
    "qwen2_moe": dict(num_experts=6, shared_expert_intermediate_size=112, **MOE),
    "qwen3_moe": dict(num_experts=6, head_dim=24, **MOE),
    "qwen3_next": dict(num_experts=6, shared_expert_intermediate_size=40, head_dim=24, linear_num_key_heads=2,
                       linear_num_value_heads=4, linear_key_head_dim=16, linear_value_head_dim=16, **MOE),
    "gemma": dict(head_dim=24), "gemma2": dict(head_dim=24), "gemma3_text": dict(head_dim=24),
    "phi": {}, "phi3": {}, "gpt_neox": {}, "opt": dict(ffn_dim=384, word_embed_proj_dim=96),
    "gpt2": dict(n_embd=96, n_layer=5, n_head=8, n_positions=512), "bloom": dict(n_layer=5, n_head=8),
    "gpt_bigcode": dict(n_embd=96, n_layer=5, n_head=8, n_positions=512), "gptj": dict(n_embd=96, n_layer=5, n_head=8, rotary_dim=8),
    "codegen": dict(n_embd=96, n_layer=5, n_head=8, rotary_dim=8), "mpt": dict(d_model=96, n_layers=5, n_heads=8, max_seq_len=512),
    "gpt_neo": dict(num_layers=5, num_heads=8, attention_types=[[["global", "local"], 2], [["global"], 1]]),
    "falcon": {}, "falcon-new": dict(model_type="falcon", new_decoder_architecture=True, num_kv_heads=2),
    "stablelm": {}, "starcoder2": {}, "cohere": {}, "cohere2": {}, "olmo": {}, "olmo2": {}, "olmo3": {}, "olmoe": dict(num_experts=6, num_experts_per_tok=2),
    "granite": {}, "granitemoe": dict(num_local_experts=4, num_experts_per_tok=2), "nemotron": {}, "exaone4": dict(sliding_window=None),
    "glm": dict(head_dim=12), "glm4": dict(head_dim=12), "glm4_moe": dict(n_routed_experts=6, n_shared_experts=1, first_k_dense_replace=1, head_dim=16, **MOE),
    "deepseek_v2": dict(n_routed_experts=6, n_shared_experts=2, first_k_dense_replace=1, n_group=1, topk_group=1, **MOE, **MLA),
    "deepseek_v3": dict(n_routed_experts=8, n_shared_experts=1, first_k_dense_replace=2, n_group=2, topk_group=1, **MOE, **MLA),
    "gpt_oss": dict(num_local_experts=4, num_experts_per_tok=2, head_dim=16),
    "llama4_text": dict(num_local_experts=4, num_experts_per_tok=1, intermediate_size_mlp=384, interleave_moe_layer_step=2, head_dim=12),
    "jamba": dict(num_experts=4, num_experts_per_tok=2, mamba_d_state=8, mamba_dt_rank=6, expert_layer_period=2, expert_layer_offset=1,
                  attn_layer_period=4, attn_layer_offset=2),
    "mamba": dict(state_size=8, time_step_rank=6), "mamba2": dict(num_heads=8, head_dim=24, state_size=16, n_groups=2, expand=2),
    "falcon_h1": dict(mamba_d_ssm=128, mamba_n_heads=8, mamba_d_head=16, mamba_d_state=16, mamba_n_groups=1),
    "bamba": dict(mamba_n_heads=8, mamba_d_head=24, mamba_d_state=16, mamba_n_groups=1, attn_layer_indices=[2]),
    "nemotron_h": dict(hybrid_override_pattern="M-M*-", head_dim=12, mamba_num_heads=8, mamba_head_dim=24, ssm_state_size=16, n_groups=2),
    "granitemoehybrid": dict(num_local_experts=4, num_experts_per_tok=2, shared_intermediate_size=80, mamba_n_heads=8, mamba_d_head=24,
                             mamba_d_state=16, mamba_n_groups=1, layer_types=["mamba", "mamba", "attention", "mamba", "mamba"]),
    "minimax": dict(num_local_experts=4, num_experts_per_tok=2, head_dim=12),
    "helium": dict(head_dim=12), "smollm3": {}, "xglm": dict(d_model=96, ffn_dim=256, num_layers=5, attention_heads=8),
    "lfm2": {}, "ernie4_5": dict(head_dim=12), "hunyuan_v1_dense": dict(head_dim=12), "seed_oss": dict(head_dim=12), "arcee": {},
    "dbrx": dict(d_model=96, n_heads=8, n_layers=5, max_seq_len=512,
                 ffn_config=dict(ffn_hidden_size=64, moe_num_experts=4, moe_top_k=2), attn_config=dict(kv_n_heads=2)),
}


# Classes that know none of BASE's names: what they do not read must not stand in the table.
OWN_NAMES = {
    "gpt2": {}, "gpt_bigcode": {}, "gptj": {}, "codegen": {}, "mpt": {}, "dbrx": {}, "xglm": {}, "bloom": dict(hidden_size=96),
    "gpt_neo": dict(hidden_size=96, max_position_embeddings=512), "opt": dict(hidden_size=96, num_hidden_layers=5, num_attention_heads=8, max_position_embeddings=512),
    "falcon": dict(hidden_size=96, num_hidden_layers=5, num_attention_heads=8),
    "falcon-new": dict(hidden_size=96, num_hidden_layers=5, num_attention_heads=8),
    "gpt_neox": dict(hidden_size=96, num_hidden_layers=5, num_attention_heads=8, intermediate_size=256),
}


def count(config):
    with torch.device("meta"):
        try:
            model = AutoModelForCausalLM.from_config(config)
        except ValueError:
            model = AutoModelForImageTextToText.from_config(config)
    model.tie_weights()
    return sum(tensor.numel() for tensor in {id(t): t for t in model.parameters()}.values())


def too_long(*_):
    raise TimeoutError


def main():
    out, files = sys.argv[1], sys.argv[2:]
    if files:
        cases = {file.rsplit("/", 1)[-1]: json.load(open(file)) for file in files}
    else:
        cases = {name: {"model_type": name, "vocab_size": 1000, **OWN_NAMES.get(name, BASE), **TOKENS, **fields} for name, fields in CONFIGS.items()}
    rows = []
    signal.signal(signal.SIGALRM, too_long)
    for name, fields in cases.items():
        try:
            signal.alarm(120)
            config = AutoConfig.for_model(**fields)
            for quantized in ("quantization_config", "compression_config"):
                if getattr(config, quantized, None) is not None:
                    delattr(config, quantized)
            total = count(config)
            written = fields if files else config.to_dict()
            rows.append({"name": name, "parameters": total, "config": None if files else written})
            print(f"{name}\t{total}", file=sys.stderr, flush=True)
        except Exception as error:  # noqa: BLE001 - what cannot be built is reported, not counted
            print(f"{name}\tnot built: {type(error).__name__}: {str(error)[:150]}", file=sys.stderr, flush=True)
        finally:
            signal.alarm(0)
    with open(out, "w") as file:
        json.dump({"tool": f"transformers {transformers.__version__}", "rows": rows}, file, separators=(",", ":"))
        file.write("\n")


if __name__ == "__main__":
    main()
