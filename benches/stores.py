"""Tables in an object store that fails: moto's S3 server behind `faulty_proxy.py`, ours before it.

    python benches/stores.py ANATOMY [--rows 2000000] [--rate 0.2] [--kills 8]        (moto[server], boto3, numpy, pyarrow)

Asks, and exits with status 1 where an answer is no: is a table imported through faults the same as one imported here, and what is
asked of it through faults the same to 1e-9 (relative)? Does a statement read parts of files? Does killing the import (kill -9, at moments
drawn at random) leave anything half-written, at that moment or after the import is run again? Is a credential shown anywhere?

A footer is fetched with half a megabyte before it, so files are asked to be read in part only where they hold more than twice that
(from about 1,500,000 rows); below, the question is left out and said to be.
"""

import argparse
import logging
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import boto3
import pyarrow.parquet as pq
from moto.server import ThreadedMotoServer

from faulty_proxy import Proxy
from tables_differ import differs

HERE = pathlib.Path(__file__).parent
AHEAD = 512 * 1024  # bytes fetched with a footer
SECRET = "secret-that-nobody-shall-see"
STATEMENTS = [
    "select * from item_difficulty order by benchmark, item",
    "select * from score_bootstrap order by benchmark, id",
]
said = []


def run(command, environment, check=True):
    """Wall seconds and what was printed."""
    before = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    said.append(done.stdout + done.stderr)
    if check and done.returncode not in (0, 1):
        sys.exit(f"{' '.join(map(str, command))} failed: {done.stderr}")
    return time.perf_counter() - before, done


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("anatomy")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    host = "127.0.0.1" if host in ("0.0.0.0", "localhost") else host
    proxy = Proxy(f"{host}:{port}", rate=0.0, seed=asked.seed)
    address = proxy.start()
    boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1", aws_access_key_id="someone", aws_secret_access_key=SECRET).create_bucket(Bucket="tables")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")} | {
        "AWS_ENDPOINT_URL": address,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    yes = True

    def judge(question, answer, told=""):
        nonlocal yes
        yes &= bool(answer)
        print(f"{'yes' if answer else 'NO '}  {question}  {told}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        made = folder / "made"
        run([sys.executable, HERE / "item_rows.py", made, "--rows", str(asked.rows), "--files", "8", "--items", "1000"], environment)
        sizes = [path.stat().st_size for path in made.rglob("*.parquet")]
        size, files = sum(sizes), len(sizes)
        places = {"here": str(folder / "items"), "steady": "s3://tables/steady", "faulty": "s3://tables/faulty"}
        for name, into in places.items():
            proxy.rate = asked.rate if name == "faulty" else 0.0
            proxy.faults.clear()
            proxy.requests.clear()
            seconds, _ = run([asked.anatomy, "catalog", "import-items", "--into", into, made, "-q"], environment)
            print(f"     import, {name}: {seconds:.1f} s, requests {dict(proxy.requests)}, faults {dict(proxy.faults)}")
        answers = {}
        for name, items in places.items():
            proxy.rate = asked.rate if name == "faulty" else 0.0
            for number, sql in enumerate(STATEMENTS):
                proxy.faults.clear()
                out = folder / f"{name}-{number}.parquet"
                seconds, _ = run([asked.anatomy, "query", "--items", items, sql, "--parquet", out, "-q"], environment)
                answers[name, number] = pq.read_table(out)
                print(f"     statement {number}, {name}: {seconds:.1f} s, faults {sum(proxy.faults.values())}")
        for name in ("steady", "faulty"):
            worst = max(differs(answers[name, number], answers["here", number]) for number in range(len(STATEMENTS)))
            judge(f"the same answers, {name}", worst <= 1e-9, f"largest relative difference {worst:.1e}")
        proxy.rate, proxy.bytes = 0.0, 0
        run([asked.anatomy, "query", "--items", places["steady"], "select benchmark, avg(cast(correct as int)) from items group by 1", "-q"], environment)
        told = f"{proxy.bytes} of {size} bytes in {files} files"
        if size > 2 * AHEAD * files:
            judge("one column of seven is read in part", proxy.bytes < size / 2, told)
        else:
            print(f"     not asked whether files are read in part: they are small ({told})", flush=True)
        draws = random.Random(asked.seed)
        proxy.rate = asked.rate / 4
        into, whole = "s3://tables/killed", asked.rows // 8
        torn = 0
        for _ in range(asked.kills):
            child = subprocess.Popen([asked.anatomy, "catalog", "import-items", "--into", into, made, "-q"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(draws.uniform(0.05, seconds + 3))
            child.kill()
            child.wait()
            _, done = run([asked.anatomy, "query", "--items", into, "select id, benchmark, count(*) as n from items group by 1, 2 having count(*) <> 1000", "-q"], environment, check=False)
            # Whole checkpoints stand in each file: one with another number of items was torn. No table yet is none torn.
            torn += done.returncode == 0
            if done.returncode == 2 and "no items" not in done.stderr:
                sys.exit(done.stderr)
        judge(f"nothing half-written after {asked.kills} kills", torn == 0)
        run([asked.anatomy, "catalog", "import-items", "--into", into, made, "-q"], environment)
        out = folder / "killed.parquet"
        run([asked.anatomy, "query", "--items", into, STATEMENTS[0], "--parquet", out, "-q"], environment)
        worst = differs(pq.read_table(out), answers["here", 0])
        judge("run again, the table is whole", worst <= 1e-9, f"{whole * 8} rows, difference {worst:.1e}")
        _, done = run([asked.anatomy, "query", "select * from 's3://tables/none/x.parquet'"], environment, check=False)
        judge("what is not there is told", done.returncode == 2 and "nothing stands at" in done.stderr, done.stderr.splitlines()[0])
        proxy.rate = 1.0
        seconds, done = run([asked.anatomy, "query", "--items", into, STATEMENTS[0]], environment | {"AWS_SESSION_TOKEN": SECRET}, check=False)
        judge("a store that only fails is given up", done.returncode == 2, f"{seconds:.0f} s: {done.stderr.splitlines()[0][:160]}")
    judge("no credential was shown", not any(SECRET in text for text in said))
    server.stop()
    return 0 if yes else 1


if __name__ == "__main__":
    sys.exit(main())
