"""Peak memory of a round trip through `anatomy.query`: a frame in, a frame out, for pyarrow, pandas, polars and duckdb.

    python benches/python_memory.py [--rows 1000000]

Needs the wheel and the four libraries. Each case runs in a process of its own, once with all rows and once with ten: the difference of
their peaks of anonymous memory is what the rows cost beside the frame itself, as a share of the frame. Ends with 1 where what is ours
to save passes 1 %. Two libraries make something of their own on the way in: pandas a bit a row that says what is missing (1.6 %), duckdb
the whole table, since its relations are questions that are answered when they are read.
"""

import argparse
import json
import subprocess
import sys
import threading
import time

COLUMNS = 16
# Per cent of the frame that a case may take.
MOST = {"pandas": 3, "duckdb in": 120}
CASES = ("pyarrow", "pandas", "pandas out", "polars", "duckdb out", "duckdb in")


def anonymous() -> int:
    with open("/proc/self/statm") as file:
        pages = [int(word) for word in file.read().split()]
    return (pages[1] - pages[2]) * 4096


def measure(case: str, rows: int) -> int:
    import duckdb
    import numpy
    import pandas
    import polars
    import pyarrow

    import anatomy

    table = pyarrow.table({f"c{k}": numpy.random.default_rng(k).standard_normal(rows) for k in range(COLUMNS)})
    given = {
        "pyarrow": lambda: table,
        "pandas": lambda: pandas.DataFrame({name: table[name].to_numpy() for name in table.column_names}, copy=False),
        "pandas out": lambda: table,
        "polars": lambda: polars.DataFrame(table),
        "duckdb out": lambda: table,
        "duckdb in": lambda: duckdb.from_arrow(table),
    }[case]()
    back = {
        "pyarrow": pyarrow.table,
        "pandas": pyarrow.table,
        "pandas out": anatomy.to_pandas,
        "polars": polars.DataFrame,
        "duckdb out": lambda found: duckdb.sql("select count(*), sum(c0) from found").fetchall(),
        "duckdb in": pyarrow.table,
    }[case]
    peak, is_done = [0], threading.Event()

    def watch() -> None:
        while not is_done.wait(0.0005):
            peak[0] = max(peak[0], anonymous())

    before = anonymous()
    watcher = threading.Thread(target=watch)
    watcher.start()
    kept = back(anatomy.query("select * from mine", mine=given))
    time.sleep(0.01)
    is_done.set()
    watcher.join()
    assert kept is not None
    return max(peak[0], anonymous()) - before


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--case", choices=CASES)
    asked = arguments.parse_args()
    if asked.case:
        print(json.dumps(measure(asked.case, asked.rows)))
        return 0
    status = 0
    size = asked.rows * COLUMNS * 8
    for case in CASES:
        peaks = []
        for rows in (10, asked.rows):
            done = subprocess.run(
                [sys.executable, __file__, "--case", case, "--rows", str(rows)], check=True, capture_output=True, text=True
            )
            peaks.append(int(done.stdout))
        share = 100 * (peaks[1] - peaks[0]) / size
        print(f"{case:<10} {size / 1e6:.0f} MB: {share:+.2f} % beside the frame (ten rows take {peaks[0] / 1e6:.0f} MB)", flush=True)
        status |= share > MOST.get(case, 1)
    return status


if __name__ == "__main__":
    sys.exit(main())
