#!/usr/bin/env python3
"""Holds `anatomy serve` against the OpenAPI document that it serves, by schemathesis (pip install schemathesis).

    python3 benches/serve_openapi.py --anatomy target/release/anatomy [--seeds 1 2 3] [--examples 50]

Starts the server, waits until its study and fits are made, and runs every check that schemathesis has, twice a seed: once
with arbitrary text wherever the document allows text, once with this server's own ids, statements and configs
(`serve_openapi_values.py`), so that answers of 200 are held against their schemas too. What counts as an answer is in
`serve_openapi.toml`. One JSON line a run on stdout, the run's own report on stderr; exit 1 where a check failed.
"""
import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from serve_load import Server

HERE = pathlib.Path(__file__).resolve().parent


def run(program, server, seed, examples, is_ours, folder):
    """One run of schemathesis; the counts that it prints."""
    environment = dict(os.environ, ANATOMY_LINK=server.link)
    environment.pop("SCHEMATHESIS_HOOKS", None)
    if is_ours:
        environment.update(SCHEMATHESIS_HOOKS="serve_openapi_values", PYTHONPATH=str(HERE))
    started = time.monotonic()
    done = subprocess.run(
        [program, "--config-file", HERE / "serve_openapi.toml", "--no-color", "run", "--checks", "all", "--seed", str(seed),
         "--max-examples", str(examples), "--continue-on-failure", server.link + "api/v1/openapi.json"],
        env=environment, stdout=subprocess.PIPE, text=True, cwd=folder,
    )
    sys.stderr.write(done.stdout)
    cases = re.search(r"([\d,]+) generated", done.stdout)
    failed = re.search(r"([\d,]+) (?:found )?unique failures?", done.stdout)
    tested = re.search(r"Tested: (\d+)", done.stdout)
    count = lambda found: int(found.group(1).replace(",", "")) if found else 0
    return {
        "seed": seed, "values": "ours" if is_ours else "arbitrary", "operations": count(tested), "cases": count(cases),
        "unique_failures": count(failed), "seconds": round(time.monotonic() - started, 1), "exit": done.returncode,
        "passed": done.returncode == 0 and count(cases) > 0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anatomy", default="target/release/anatomy")
    parser.add_argument("--schemathesis", default="schemathesis", help="the program, by name or by its whole path")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--examples", type=int, default=50)
    arguments = parser.parse_args()
    failed = 0
    # schemathesis keeps what it found in the folder where it runs.
    with Server(arguments.anatomy) as server, tempfile.TemporaryDirectory() as folder:
        for seed in arguments.seeds:
            for is_ours in (False, True):
                result = run(arguments.schemathesis, server, seed, arguments.examples, is_ours, folder)
                failed += not result["passed"]
                print(json.dumps(result), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
