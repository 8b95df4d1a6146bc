"""A checkpoint with the layers of a 7B Llama (d_model 4096, d_ffn 11008, 32 heads), but only a few of them.

    pip install torch safetensors
    python benches/seven_billion_shape.py FOLDER [LAYERS] [TOKENIZER_JSON]

For measuring memory: `\\time -v anatomy probe gradients --model FOLDER ...`. Weights are random, stored as bf16; the
vocabulary is that of the tokenizer beside it (49,152 for SmolLM2's).
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file


def main(folder, layers=3, tokenizer=None):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    d, f, vocabulary = 4096, 11008, 49152
    generator = torch.Generator().manual_seed(0)
    random = lambda *shape: (torch.randn(shape, generator=generator) / shape[-1] ** 0.5).bfloat16()
    names = {"model.embed_tokens.weight": "head.safetensors", "model.norm.weight": "head.safetensors"}
    save_file({"model.embed_tokens.weight": random(vocabulary, d), "model.norm.weight": torch.ones(d).bfloat16()},
              folder / "head.safetensors")
    for layer in range(layers):
        at = f"model.layers.{layer}."
        tensors = {at + "input_layernorm.weight": torch.ones(d).bfloat16(),
                   at + "post_attention_layernorm.weight": torch.ones(d).bfloat16()}
        for name in ("q", "k", "v", "o"):
            tensors[f"{at}self_attn.{name}_proj.weight"] = random(d, d)
        for name, shape in (("gate", (f, d)), ("up", (f, d)), ("down", (d, f))):
            tensors[f"{at}mlp.{name}_proj.weight"] = random(*shape)
        save_file(tensors, folder / f"layer{layer}.safetensors")
        names.update(dict.fromkeys(tensors, f"layer{layer}.safetensors"))
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))
    (folder / "config.json").write_text(json.dumps({
        "model_type": "llama", "num_hidden_layers": layers, "hidden_size": d, "intermediate_size": f,
        "num_attention_heads": 32, "num_key_value_heads": 32, "vocab_size": vocabulary, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 4096, "rope_theta": 10000.0, "tie_word_embeddings": True}))
    if tokenizer:
        shutil.copy(tokenizer, folder / "tokenizer.json")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3, sys.argv[3] if len(sys.argv) > 3 else None)
