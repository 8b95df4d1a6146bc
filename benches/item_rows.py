"""Made rows of the table of items, as many as asked for, in a folder that `anatomy query --items` reads.

    python benches/item_rows.py OUT [--rows 20000000] [--files 16] [--benchmarks 4] [--seed 7]      (numpy, pyarrow)

Checkpoints of different ability answer items of different difficulty (a logistic law), four choices each. Every file holds whole
checkpoints of one benchmark. One file is in memory at a time.
"""

import argparse
import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("item", pa.string()),
        ("correct", pa.bool_()),
        ("score", pa.float64()),
        ("metric", pa.string()),
        ("loglikelihood", pa.float64()),
        ("prediction", pa.string()),
    ]
)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--files", type=int, default=16)
    parser.add_argument("--benchmarks", type=int, default=4)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    per_benchmark = asked.files // asked.benchmarks
    checkpoints = asked.rows // (asked.benchmarks * asked.items)
    names = np.array([f"org{c % 97}/checkpoint-{c:06d}" for c in range(checkpoints)])
    items = np.array([str(i) for i in range(asked.items)])
    able = np.random.default_rng([asked.seed, 0]).normal(0, 1, checkpoints)
    rows = 0
    for b in range(asked.benchmarks):
        hard = np.random.default_rng([asked.seed, 1, b]).normal(0, 1.5, asked.items)
        folder = asked.out / f"benchmark=made_{b}"
        folder.mkdir(parents=True, exist_ok=True)
        for part, some in enumerate(np.array_split(np.arange(checkpoints), per_benchmark)):
            rng = np.random.default_rng([asked.seed, 2, b, part])
            chance = 1 / (1 + np.exp(hard[None, :] - able[some, None]))
            correct = (rng.random(chance.shape) < chance).ravel()
            wrong = rng.choice(["1", "2", "3"], correct.size, p=[0.5, 0.3, 0.2])
            nats = np.round(-rng.gamma(2.0, 1.0, correct.size) - ~correct, 4)
            ids = pa.DictionaryArray.from_arrays(pa.array(np.repeat(np.arange(len(some), dtype=np.int32), asked.items)), pa.array(names[some]))
            numbers = pa.DictionaryArray.from_arrays(pa.array(np.tile(np.arange(asked.items, dtype=np.int32), len(some))), pa.array(items))
            table = pa.table(
                [
                    ids.cast(pa.string()),
                    numbers.cast(pa.string()),
                    pa.array(correct),
                    pa.array(correct.astype(float)),
                    pa.array(np.full(correct.size, "acc,none")),
                    pa.array(nats),
                    pa.array(np.where(correct, "0", wrong)),
                ],
                schema=SCHEMA,
            )
            written = folder / f".{part:04d}.tmp"
            pq.write_table(table, written, compression="zstd", row_group_size=65_536)
            written.rename(folder / f"{part:04d}.parquet")
            rows += correct.size
    print(f"{rows} rows, {checkpoints} checkpoints, {asked.items} items in each of {asked.benchmarks} benchmarks")


if __name__ == "__main__":
    main()
