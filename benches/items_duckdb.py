"""The statements on items, ours beside DuckDB's, in one run: results, wall time, processor time, memory.

    python benches/items_duckdb.py ANATOMY ITEMS [--threads 2] [--repeats 3]        (duckdb, pandas, pyarrow)

ITEMS is a folder like `benches/item_rows.py` makes. Both run the same text, each statement in a process of its own; the file system's
cache is warm (one run before). Processor time includes both programs' start. Exit status 1 where a number differs by
more than 1e-9 relative.
"""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import duckdb
import pandas as pd

VIEWS = pathlib.Path(__file__).parent.parent / "crates/catalog/src/items/views"
ONE = "org0/checkpoint-000000"
DIFFICULTY = "".join(
    line for line in (VIEWS / "item_difficulty.sql").read_text().splitlines(keepends=True) if not line.startswith("--")
).replace("create view item_difficulty as", "")
PAIRED = f"""
select one.benchmark, two.id as b, count(*) as n,
  avg(cast(cast(two.correct as bigint) as double) - cast(one.correct as bigint)) as difference,
  stddev_samp(cast(cast(two.correct as bigint) as double) - cast(one.correct as bigint)) / sqrt(count(*)) as error,
  sum(case when one.correct and not two.correct then 1 else 0 end) as only_a,
  sum(case when not one.correct and two.correct then 1 else 0 end) as only_b
from items as one join items as two on one.benchmark = two.benchmark and one.item = two.item
where one.id = '{ONE}' and two.id <> one.id and one.correct is not null and two.correct is not null
group by one.benchmark, two.id"""
STATEMENTS = {
    "difficulty and discrimination": (DIFFICULTY, ["benchmark", "item"]),
    "one checkpoint against all, paired": (PAIRED, ["benchmark", "b"]),
}
DUCK = """
import duckdb, sys
items, threads, sql, out = sys.argv[1:]
c = duckdb.connect()
c.execute(f"set threads = {threads}; set memory_limit = '4GB'; set preserve_insertion_order = false")
c.execute(f"create view items as select * from read_parquet('{items}/*/*.parquet', hive_partitioning = true)")
c.execute(f"copy ({sql}) to '{out}' (format parquet)")
"""


def run(command):
    """Wall seconds, processor seconds, largest memory in MiB."""
    before = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - before
    if status != 0:
        sys.exit(f"{command[0]} failed: {child.stderr.read().decode()}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("anatomy")
    parser.add_argument("items")
    parser.add_argument("--threads", default="2")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    differs = False
    print(f"duckdb {duckdb.__version__}, {asked.threads} threads, best of {asked.repeats}; wall s, processor s, MiB")
    with tempfile.TemporaryDirectory() as folder:
        for name, (sql, keys) in STATEMENTS.items():
            files = {who: f"{folder}/{who}.parquet" for who in ("ours", "duckdb")}
            commands = {
                "ours": [asked.anatomy, "query", "--items", asked.items, "--threads", asked.threads, sql, "--parquet", files["ours"], "-q"],
                "duckdb": [sys.executable, "-c", DUCK, asked.items, asked.threads, sql, files["duckdb"]],
            }
            if "against all" in name:
                view = f"select * from paired_comparison where a = '{ONE}'"
                commands["ours, with bootstrap and McNemar"] = commands["ours"][:-4] + [view, "--parquet", f"{folder}/view.parquet", "-q"]
            runs = {who: [] for who in commands}
            for _ in range(asked.repeats + 1):  # turn about, so that a busy machine is busy for both
                for who, command in commands.items():
                    runs[who].append(run(command))
            best = {who: min(found[1:]) for who, found in runs.items()}
            for who, (wall, cpu, memory) in best.items():
                print(f"{name:36} {who:34} {wall:7.2f} {cpu:7.2f} {memory:7.0f}")
            print(f"{name:36} ratio of wall times {best['ours'][0] / best['duckdb'][0]:.2f}, of processor times {best['ours'][1] / best['duckdb'][1]:.2f}")
            ours, theirs = (pd.read_parquet(files[who]).sort_values(keys).reset_index(drop=True) for who in ("ours", "duckdb"))
            assert len(ours) == len(theirs) and list(ours.columns) == list(theirs.columns), "other rows or columns"
            worst = 0.0
            for column in ours.columns:
                x, y = ours[column], theirs[column]
                if column in keys:
                    assert (x.astype(str) == y.astype(str)).all(), column
                    continue
                x, y = x.astype(float), y.astype(float)
                assert (x.isna() == y.isna()).all(), column
                worst = max(worst, ((x - y).abs() / y.abs().clip(lower=1e-12)).max())
            print(f"{name:36} {len(ours)} rows, largest relative difference {worst:.1e}")
            differs |= not worst <= 1e-9
    return 1 if differs else 0


if __name__ == "__main__":
    sys.exit(main())
