"""Importance of units and scores of cut checkpoints, by transformers and PyTorch, beside those of `anatomy probe ablate`.

    pip install torch transformers gguf sentencepiece
    anatomy probe ablate --model MODEL --texts TEXTS --importance importance.json
    anatomy probe ablate --model MODEL --texts TEXTS --parts d_ffn --shares 10 --how importance --write CUT \\
        --tasks winogrande,arc_challenge --data DIR --limit 10 --items ITEMS
    python oracles/ablation.py importance MODEL TEXTS importance.json
    python oracles/ablation.py scores CUT DIR ITEMS/d_ffn-10-importance.jsonl

Importance after Minitron (arXiv 2407.14679, section 2.2), written anew here: of what goes into `o_proj` the length of each head, of
what goes into `down_proj` the size of each neuron, of what goes into attention and feed-forward parts the size of each channel; mean
over tokens, root of the sum of squares over texts. Layers: Block Influence (arXiv 2403.03853). MODEL is a GGUF file or a folder.
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer


def opened(place, tokenizer_only=False):
    place = Path(place)
    named = dict(gguf_file=place.name) if place.suffix == ".gguf" else {}
    folder = str(place.parent if named else place)
    tokenizer = AutoTokenizer.from_pretrained(folder, **named)
    if tokenizer_only:
        return None, tokenizer
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **named).eval()
    return model, tokenizer


def importance(place, texts, found):
    model, tokenizer = opened(place)
    found = json.loads(Path(found).read_text())
    texts = [line for line in Path(texts).read_text().splitlines() if line]
    layers, config = model.model.layers, model.config
    heads, seen = config.num_attention_heads, {}
    dim = getattr(config, "head_dim", None) or config.hidden_size // heads
    for number, layer in enumerate(layers):
        def keep(name, number=number):
            return lambda module, inputs: seen.__setitem__((name, number), inputs[0][0].detach())
        layer.self_attn.o_proj.register_forward_pre_hook(keep("heads"))
        layer.mlp.down_proj.register_forward_pre_hook(keep("neurons"))
        layer.self_attn.q_proj.register_forward_pre_hook(keep("attention"))
        layer.mlp.up_proj.register_forward_pre_hook(keep("feed_forward"))
    n = len(layers)
    squares, cosines, tokens = {}, torch.zeros(n, dtype=torch.float64), 0
    for text in texts:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        with torch.no_grad():
            states = model.model(ids, use_cache=False, output_hidden_states=True).hidden_states
            # The last of `hidden_states` is after the final norm: what goes into that is wanted.
            caught = []
            hook = model.model.norm.register_forward_pre_hook(lambda module, inputs: caught.append(inputs[0]))
            model.model(ids, use_cache=False)
            hook.remove()
        states = [*states[:-1], caught[0]]
        for number in range(n):
            cosines[number] += torch.nn.functional.cosine_similarity(
                states[number][0].double(), states[number + 1][0].double(), dim=-1).sum()
        tokens += ids.shape[1]
        for key, value in seen.items():
            value = value.double()
            size = value.view(-1, heads, dim).norm(dim=-1) if key[0] == "heads" else value.abs()
            squares[key] = squares.get(key, 0) + size.mean(0) ** 2
    root = {key: value.sqrt() for key, value in squares.items()}
    ours = {
        "layers": [1 - cosines / tokens],
        "d_ffn": [root["neurons", i] for i in range(n)],
        "heads": [root["heads", i] for i in range(n)],
        "d_model": [sum(root["attention", i] + root["feed_forward", i] for i in range(n))],
    }
    theirs = {"layers": [found["layers"]], "d_ffn": found["d_ffn"], "heads": found["heads"], "d_model": [found["d_model"]]}
    print(f"{len(texts)} texts, {tokens} tokens (anatomy: {found['texts']}, {found['tokens']})")
    bad = tokens != found["tokens"]
    for part, lists in ours.items():
        furthest, differ, masks = 0.0, 0, 0
        for a, b in zip(lists, theirs[part]):
            b = torch.tensor(b, dtype=torch.float64)
            # Block Influence is a difference of numbers near one: told in its own units.
            scale = 1.0 if part == "layers" else b.abs().clamp_min(1e-12)
            furthest = max(furthest, float(((a - b) / scale).abs().max()))
            for share in (0.05, 0.1, 0.2, 0.3):
                count = max(1, round(share * len(b)))
                mask = lambda values: set(torch.argsort(values, stable=True)[:count].tolist())
                masks += 1
                differ += mask(a) != mask(b)
        print(f"{part}: furthest {furthest:.2e}{'' if part == 'layers' else ' relative'}; masks that differ {differ} of {masks}")
        bad |= furthest > 1e-3
    return bad


def requests(data, row):
    """Contexts and continuations of an item without examples, as lm-evaluation-harness words them."""
    name = {"winogrande": "winogrande/dev.jsonl", "arc_challenge": "arc_challenge/test.jsonl"}[row["task"]]
    document = json.loads((Path(data) / name).read_text().splitlines()[row["doc_id"]])
    if row["task"] == "winogrande":
        before, after = document["sentence"].split("_", 1)
        return [(before + document[option], " " + after.strip()) for option in ("option1", "option2")]
    choices = document["choices"]
    if isinstance(choices, dict):
        choices = choices["text"]
    else:
        choices = [choice["text"] if isinstance(choice, dict) else choice for choice in choices]
    return [(f"Question: {document['question']}\nAnswer:", " " + choice) for choice in choices]


def scores(place, data, table):
    model, tokenizer = opened(place)
    rows = [json.loads(line) for line in Path(table).read_text().splitlines()]
    furthest, n, taken = 0.0, 0, 0
    for row in rows:
        if row["task"] not in ("winogrande", "arc_challenge"):
            continue
        ours = []
        for context, continuation in requests(data, row):
            ids = tokenizer(context + continuation)["input_ids"]
            start = len(tokenizer(context.rstrip())["input_ids"])
            with torch.no_grad():
                logits = model(torch.tensor([ids]), use_cache=False).logits[0].double().log_softmax(-1)
            ours.append(sum(float(logits[at - 1, ids[at]]) for at in range(start, len(ids))))
        furthest = max(furthest, *(abs(a - b) for a, b in zip(ours, row["log_likelihoods"])))
        taken += max(range(len(ours)), key=ours.__getitem__) == row["prediction"]
        n += 1
    print(f"{place}: {n} items, log-likelihoods furthest {furthest:.2e}, predictions equal {taken} of {n}")
    print(f"bos {model.config.bos_token_id}, eos {model.config.eos_token_id}, generation {model.generation_config.eos_token_id}, "
          f"chat template {'yes' if tokenizer.chat_template else 'no'}")
    return n == 0 or furthest > 1e-3 or taken < n


if __name__ == "__main__":
    what, *rest = sys.argv[1:]
    sys.exit(bool({"importance": importance, "scores": scores}[what](*rest)))
