"""Tiny checkpoints with random weights, one for each decoder family and variant, and their logits in f32.

    pip install torch transformers safetensors
    python oracles/tiny_checkpoints.py crates/mechanism/tests/fixtures

Each folder gets config.json, model.safetensors (or shards with an index) and expected.safetensors with `ids` (texts,
tokens) and `logits` (texts, tokens, vocabulary), computed by transformers with eager attention, one text at a time.
"""

import json
import sys
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file

VOCABULARY = 48
SMALL = dict(vocab_size=VOCABULARY, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=64, bos_token_id=0, eos_token_id=1, pad_token_id=None)
DEEP = {**SMALL, "num_hidden_layers": 3}


def rope(kind, **values):
    return {"rope_type": kind, "rope_theta": 10000.0, **values}


VARIANTS = {
    "llama": ("LlamaConfig", dict(SMALL, tie_word_embeddings=True)),
    "llama_biased": ("LlamaConfig", dict(SMALL, attention_bias=True, mlp_bias=True, num_key_value_heads=4)),
    "llama_multi_query": ("LlamaConfig", dict(SMALL, num_key_value_heads=1, head_dim=6)),
    "llama_linear": ("LlamaConfig", dict(SMALL, rope_parameters=rope("linear", factor=2.0))),
    "llama_dynamic": ("LlamaConfig", dict(SMALL, max_position_embeddings=8, rope_parameters=rope("dynamic", factor=2.0))),
    "llama_3": ("LlamaConfig", dict(SMALL, head_dim=16, rope_parameters=rope(
        "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32))),
    "llama_yarn": ("LlamaConfig", dict(SMALL, head_dim=16, rope_parameters=rope(
        "yarn", factor=4.0, original_max_position_embeddings=16))),
    "llama_sharded": ("LlamaConfig", dict(SMALL)),
    "llama_bf16": ("LlamaConfig", dict(SMALL)),
    "llama_f16": ("LlamaConfig", dict(SMALL)),
    "mistral": ("MistralConfig", dict(SMALL, sliding_window=5)),
    "qwen2": ("Qwen2Config", dict(DEEP, use_sliding_window=True, sliding_window=4, max_window_layers=1)),
    "qwen3": ("Qwen3Config", dict(SMALL, head_dim=6)),
    "gemma": ("GemmaConfig", dict(SMALL, head_dim=6)),
    "gemma2": ("Gemma2Config", dict(SMALL, head_dim=6, sliding_window=4, query_pre_attn_scalar=9)),
    "gemma3": ("Gemma3TextConfig", dict(DEEP, head_dim=6, sliding_window=4, query_pre_attn_scalar=9,
                                        layer_types=["sliding_attention", "full_attention", "sliding_attention"])),
    "phi3": ("Phi3Config", dict(SMALL, sliding_window=6)),
    "phi3_long": ("Phi3Config", dict(SMALL, original_max_position_embeddings=8, rope_parameters=rope(
        "longrope", short_factor=[1.0, 1.2], long_factor=[1.5, 3.0], original_max_position_embeddings=8))),
    "olmo2": ("Olmo2Config", dict(SMALL)),
    "stablelm": ("StableLmConfig", dict(SMALL, use_qkv_bias=True, rope_parameters=rope("default", partial_rotary_factor=0.5))),
    "stablelm_parallel": ("StableLmConfig", dict(SMALL, qk_layernorm=True, use_parallel_residual=True,
                                                 rope_parameters=rope("default", partial_rotary_factor=0.5))),
    "gpt_neox": ("GPTNeoXConfig", dict(SMALL, rope_parameters=rope("default", partial_rotary_factor=0.5))),
    "gpt_neox_sequential": ("GPTNeoXConfig", dict(SMALL, use_parallel_residual=False, hidden_act="gelu_fast",
                                                   rope_parameters=rope("default", partial_rotary_factor=0.5))),
    "gpt2": ("GPT2Config", dict(vocab_size=VOCABULARY, n_embd=16, n_layer=2, n_head=4, n_positions=32,
                                bos_token_id=0, eos_token_id=1)),
    "mixtral": ("MixtralConfig", dict(SMALL, num_local_experts=4, num_experts_per_tok=2)),
    "qwen2_moe": ("Qwen2MoeConfig", dict(SMALL, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=12,
                                         shared_expert_intermediate_size=20, norm_topk_prob=False, mlp_only_layers=[0])),
    "qwen3_moe": ("Qwen3MoeConfig", dict(SMALL, head_dim=6, num_experts=4, num_experts_per_tok=2,
                                         moe_intermediate_size=12, norm_topk_prob=True)),
}


def randomize(model, seed):
    """Weights large enough that every part matters: default initialisation would hide most errors."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.ndim == 1:
                centre = 1.0 if "norm" in name.lower() or ".ln_" in name or "layernorm" in name else 0.0
                plus_one = type(model).__name__.startswith("Gemma")
                parameter.copy_(0.2 * noise + (0.0 if plus_one or name.endswith("bias") else centre))
            else:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)


def main(folder):
    folder = Path(folder)
    for seed, (name, (config_class, settings)) in enumerate(VARIANTS.items()):
        config = getattr(transformers, config_class)(**settings)
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval().float()
        randomize(model, seed)
        stored = {"llama_bf16": torch.bfloat16, "llama_f16": torch.float16}.get(name, torch.float32)
        target = folder / name
        model.to(stored).save_pretrained(target, max_shard_size="8KB" if name == "llama_sharded" else "1GB")
        model = transformers.AutoModelForCausalLM.from_pretrained(
            target, attn_implementation="eager", dtype=torch.float32).eval()
        generator = torch.Generator().manual_seed(1000 + seed)
        ids = torch.randint(0, VOCABULARY, (2, 14), generator=generator)
        with torch.no_grad():
            logits = torch.cat([model(row[None], use_cache=False).logits for row in ids])
        save_file({"ids": ids.float(), "logits": logits.contiguous()}, target / "expected.safetensors",
                  metadata={"transformers": transformers.__version__, "torch": torch.__version__})
        (target / "generation_config.json").unlink(missing_ok=True)
        size = sum(f.stat().st_size for f in target.iterdir())
        print(f"{name}: {sum(p.numel() for p in model.parameters())} parameters, {size} bytes")


if __name__ == "__main__":
    main(sys.argv[1])
