"""Fingerprints of the first prompts of the six benchmarks, made by lm-evaluation-harness itself from local files.

    pip install lm_eval==0.4.13 datasets
    python oracles/harness_prompts.py ../shared/data/benchmarks > crates/mechanism/tests/harness_prompts.json

The task files are the harness's own; only where their data come from is replaced. HellaSwag's and WinoGrande's train
splits are not in that folder: their evaluated split stands for it, which also tries that a document never is its own example.
"""

import gzip
import json
import sys
from pathlib import Path

import datasets
import yaml
from lm_eval import tasks as harness_tasks
from lm_eval.api.task import ConfigurableTask

RUNS = [("arc_challenge", 25), ("arc_challenge", 3), ("hellaswag", 0), ("hellaswag", 10), ("truthfulqa_mc1", 0), ("truthfulqa_mc2", 2),
        ("winogrande", 0), ("winogrande", 5), ("gsm8k", 0), ("gsm8k", 5), ("mmlu_anatomy", 5), ("mmlu_world_religions", 3),
        ("mmlu_abstract_algebra", 0), ("mmlu_high_school_us_history", 5)]
LIMIT = 150
FILES = {"arc": {"train": "arc_challenge/train.jsonl", "test": "arc_challenge/test.jsonl"},
         "hellaswag": {"train": "hellaswag/validation_reconstructed.jsonl.gz", "validation": "hellaswag/validation_reconstructed.jsonl.gz"},
         "truthfulqa": {"validation": "truthfulqa/validation.jsonl"},
         "winogrande": {"train": "winogrande/dev.jsonl", "validation": "winogrande/dev.jsonl"},
         "gsm8k": {"train": "gsm8k/train.jsonl.gz", "test": "gsm8k/test.jsonl"},
         "mmlu": {"dev": "mmlu/dev.jsonl", "test": "mmlu/test.jsonl.gz"}}


def rows(path, subject):
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return [row for row in found if subject is None or row["subject"] == subject]


def fingerprint(hash, text):
    for byte in text.encode() + b"\0":
        hash = (hash ^ byte) * 0x100000001b3 % 2**64
    return hash


def main(data):
    data = Path(data)
    manager = harness_tasks.TaskManager()
    out = []
    for name, shots in RUNS:
        family = name.split("_")[0]
        subject = name.removeprefix("mmlu_") if family == "mmlu" else None
        splits = datasets.DatasetDict({split: datasets.Dataset.from_list(rows(data / file, subject))
                                       for split, file in FILES[family].items()})
        original = ConfigurableTask.download
        ConfigurableTask.download = lambda self, *_, **__: setattr(self, "dataset", splits)
        loaded = manager.load([name])["tasks"]
        ConfigurableTask.download = original
        task = loaded[name]
        task.set_config(key="num_fewshot", value=shots)
        task.set_fewshot_seed(seed=1234)
        task.build_all_requests(limit=LIMIT)
        hash = 0xcbf29ce484222325
        for instance in task.instances:
            context, continuation = instance.args[:2]
            hash = fingerprint(fingerprint(hash, context), continuation if isinstance(continuation, str) else "")
        out.append({"task": name, "shots": shots, "documents": len({i.doc_id for i in task.instances}), "fingerprint": f"{hash:016x}"})
        print(name, shots, file=sys.stderr, flush=True)
    print("[" + ",\n".join(json.dumps(row) for row in out) + "]")


if __name__ == "__main__":
    main(sys.argv[1])
