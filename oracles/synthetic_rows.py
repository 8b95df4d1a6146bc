"""Many rows made from real ones, to measure how `anatomy catalog build` grows: a folder of sources with any number of them.

    python3 oracles/synthetic_rows.py ../shared/data --rows 2000000 --out /tmp/sources
    /usr/bin/time -v anatomy catalog build --sources /tmp/sources --out /tmp/catalog

`--kind boards` (the default) adds rows to both Open LLM Leaderboards, half each; `hub` writes a crawl's folder (a listing and
configs in files of 5,000; for `--hub`); `info` writes one `model_info.csv`. A row is a real row with another name (the words
of the name kept, others put behind it, an organisation of its own for every twelve), its own commit, scores moved by up to
three points, its date by up to sixty days. `--repeat SHARE` gives that share of the rows the name of an earlier row. One seed,
same bytes. Needs Python's standard library alone.
"""

import argparse
import csv
import datetime
import json
import pathlib
import random
import shutil

WORDS = "dpo sft chat instruct merge slerp ties lora tuned math code ja ko de zh v2 v3 beta alpha neural orca hermes".split()
SCORES = {
    "v1": ["ARC", "HellaSwag", "MMLU", "TruthfulQA", "Winogrande", "GSM8K"],
    "v2": ["IFEval", "BBH", "MATH Lvl 5", "GPQA", "MUSR", "MMLU-PRO"],
}
DATES = {"v1": ["date"], "v2": ["Upload To Hub Date", "Submission Date"]}


def name_of(real, number, rng):
    """Another checkpoint's name with the words of `real`."""
    word = rng.choice(WORDS)
    return f"org{number // 12}/{real.split('/')[-1]}-{word}-{number}"


def later(cell, days):
    try:
        day = datetime.date.fromisoformat(cell[:10]) + datetime.timedelta(days=days)
    except ValueError:
        return cell
    return day.isoformat() + cell[10:]


def board(source, target, version, rows, start, repeat, rng):
    with open(source, newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        header = reader.fieldnames
        real = list(reader)
    name = next(column for column in ("fullname", "Model") if column in header)
    commit = next((column for column in ("Model sha", "Model Sha") if column in header), None)
    names = []
    with open(target, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header)
        writer.writeheader()
        writer.writerows(real)
        for number in range(start, start + rows):
            row = dict(real[rng.randrange(len(real))])
            if names and rng.random() < repeat:
                row[name] = names[rng.randrange(len(names))]
            else:
                row[name] = name_of(row[name], number, rng)
                if repeat:
                    names.append(row[name])
            if commit and row[commit]:
                row[commit] = f"{rng.getrandbits(160):040x}"
            for column in SCORES[version]:
                if row.get(column):
                    row[column] = f"{min(100.0, max(0.0, float(row[column]) + rng.uniform(-3, 3))):.2f}"
            for column in DATES[version]:
                if row.get(column):
                    row[column] = later(row[column], rng.randrange(-60, 60))
            writer.writerow(row)


def hub(data, out, rows, rng):
    """A crawl: the listing, and configs in pieces."""
    configs = [json.loads(path.read_text()) for path in sorted((data / "configs").glob("*.json"))]
    extracts = list(json.loads((data / "structures/hub-configs-2023.json").read_text()).items())
    folder = out / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    piece = {}
    with open(folder / "hub-listing.jsonl", "w", encoding="utf-8") as listing:
        for number in range(rows):
            whole = rng.random() < 0.3
            real, config = ("org/model-7b", rng.choice(configs)) if whole else rng.choice(extracts)
            name = name_of(real, number, rng)
            day = datetime.date(2023, 1, 1) + datetime.timedelta(days=rng.randrange(1000))
            listing.write(
                json.dumps(
                    {
                        "id": name,
                        "sha": f"{rng.getrandbits(160):040x}",
                        "createdAt": f"{day}T00:00:00.000Z",
                        "likes": rng.randrange(50),
                        "downloads": rng.randrange(10_000),
                        "tags": ["license:apache-2.0", f"base_model:finetune:{real}"],
                        "pipeline_tag": "text-generation",
                        "config": {"architectures": config.get("architectures"), "model_type": config.get("model_type")},
                    }
                )
                + "\n"
            )
            piece[name] = config
            if len(piece) == 5_000 or number == rows - 1:
                target = folder / f"hub-configs-{number // 5_000:05}.json"
                target.write_text(json.dumps(piece))
                piece = {}


def info(data, out, rows, rng):
    """One `model_info.csv`, every row with its structure."""
    extracts = json.loads((data / "structures/hub-configs-2023.json").read_text()).items()
    known = [(name, c) for name, c in extracts if c.get("num_hidden_layers") and c.get("intermediate_size")]
    columns = "id size d_model d_ffn heads layers kv_heads vocab_size pos date likes downloads mmlu".split()
    with open(out / "model_info.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for number in range(rows):
            real, c = rng.choice(known)
            heads = c.get("num_attention_heads")
            day = datetime.date(2023, 1, 1) + datetime.timedelta(days=rng.randrange(1000))
            writer.writerow(
                [name_of(real, number, rng), "", c.get("hidden_size"), c["intermediate_size"], heads]
                + [c["num_hidden_layers"], heads, c.get("vocab_size"), 4096, day, rng.randrange(50)]
                + [rng.randrange(9_999), f"{rng.uniform(20, 80):.2f}"]
            )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--kind", choices=["boards", "hub", "info"], default="boards")
    parser.add_argument("--repeat", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    if args.kind == "hub":
        return hub(args.data, args.out, args.rows, rng)
    shutil.copytree(
        args.data, args.out, dirs_exist_ok=True, copy_function=shutil.copyfile,
        ignore=shutil.ignore_patterns("benchmarks", "README.md"),
    )
    if args.kind == "info":
        return info(args.data, args.out, args.rows, rng)
    half = args.rows // 2
    first, second = "open-llm-leaderboard-v1/results.csv", "open-llm-leaderboard-v2/contents.csv"
    board(args.data / first, args.out / first, "v1", args.rows - half, 0, args.repeat, rng)
    board(args.data / second, args.out / second, "v2", half, args.rows - half, args.repeat, rng)


if __name__ == "__main__":
    main()
