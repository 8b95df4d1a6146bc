#!/usr/bin/env python3
"""Loads `anatomy serve` and holds what it does against what was asked of it.

    python3 benches/serve_load.py --anatomy target/release/anatomy [rate first idle slow bodies sql]

first   from the start of the process to the first page                            under 1 s
rate    2,000 requests/s for 30 s over four addresses of the API, by `hey`         no error, p99 under 50 ms
idle    10,000 idle connections, then the rate again for 10 s                      no error
slow    500 heads that dawdle and 200 bodies that do, with the rate for 10 s       no error
bodies  200 bodies of 1 MB                                                         413, or cut off; then it answers
sql     statements that take all memory, never end or overflow a stack, with the rate for 20 s   no error at the rate

Loopback only; `hey` is Debian's package. One JSON line a scenario on stdout; exit 1 where a check failed. The six
dimensions and the fits are computed before anything is measured, except in `first`.
"""
import argparse
import asyncio
import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

ADDRESSES = [
    "api/v1/health",
    "api/v1/checkpoints?min_size=6&max_size=9&sort=-mmlu_pro&limit=20",
    "api/v1/checkpoints/mistralai/Mistral-7B-v0.1",
    "api/v1/findings/scale.mean.small",
]
HOSTILE = [
    "select count(*) from scores a, scores b, scores c where a.value + b.value > c.value",
    "select a.id, b.id from scores a cross join scores b order by a.value * b.value",
    "select repeat('x', 2000000000) || repeat('y', 2000000000)",
    "select " + "(" * 2400 + "1" + ")" * 2400,
    "select * from '/etc/passwd'",
    "create external table t stored as csv location '/etc/passwd'",
]


class Server:
    """The program on a free port, its study computed unless told otherwise."""

    def __init__(self, anatomy, wait=True):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [anatomy, "serve", "--port", "0", "--resamples", "100", "--only", "dimensions"], stdout=subprocess.PIPE, text=True
        )
        self.link = self.process.stdout.readline().strip()
        self.host, port = urllib.parse.urlsplit(self.link).netloc.split(":")
        assert self.host == "127.0.0.1", self.link
        self.port = int(port)
        while wait and not self.is_ready():
            time.sleep(0.5)

    def is_ready(self):
        health = json.loads(self.get("api/v1/health"))
        return health["study"] != "computing" and health.get("fits") != "computing"

    def get(self, path):
        with urllib.request.urlopen(self.link + path, timeout=60) as answer:
            return answer.read()

    def memory(self):
        """Bytes resident, of the server alone."""
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()

    def cpu(self):
        """Seconds of user and system time so far."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def rate(server, per_second, seconds):
    """`hey` at that rate, divided over the addresses; open connections are used again."""
    share = per_second // len(ADDRESSES)
    workers = 10
    before = server.cpu()
    runs = [
        subprocess.Popen(
            ["hey", "-z", f"{seconds}s", "-c", str(workers), "-q", str(share // workers), "-o", "csv", server.link + address],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for address in ADDRESSES
    ]
    outputs = [run.communicate()[0] for run in runs]
    took = server.cpu() - before
    rows = [row for output in outputs for row in csv.DictReader(io.StringIO(output))]
    times = sorted(float(row["response-time"]) for row in rows)
    bad = sum(row["status-code"] != "200" for row in rows)
    at = lambda fraction: round(times[min(len(times) - 1, int(fraction * len(times)))] * 1000, 2) if times else None
    return {
        "asked_per_second": per_second, "seconds": seconds, "n": len(rows), "per_second": round(len(rows) / seconds),
        "not_200": bad, "p50_ms": at(0.5), "p99_ms": at(0.99), "p999_ms": at(0.999), "most_ms": at(1.0),
        "server_cpu_seconds": round(took, 2), "resident_mb": server.memory() >> 20,
    }


def good(result, share=0.95):
    """No error, and nearly all that was asked for: `hey` leaves out what it cannot send in time."""
    return result["not_200"] == 0 and result["n"] >= share * result["asked_per_second"] * result["seconds"]


async def hold(server, n, first, piece, seconds):
    """n connections that send `first` and then `piece` every second."""
    async def one():
        try:
            reader, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(first)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if piece:
                    writer.write(piece)
                await asyncio.sleep(1)
            writer.close()
            return 1
        except OSError:
            return 0
    return sum(await asyncio.gather(*(one() for _ in range(n))))


def held(server, n, first, piece, seconds):
    """The connections, held by a thread of their own."""
    thread = threading.Thread(target=lambda: asyncio.run(hold(server, n, first, piece, seconds)), daemon=True)
    thread.start()
    return thread


def connections(server):
    for line in server.get("metrics").decode().splitlines():
        if line.startswith("anatomy_connections "):
            return int(line.split()[1])
    return None


def run_first(arguments):
    with Server(arguments.anatomy, wait=False) as server:
        server.get("")
        took = time.monotonic() - server.started
        return {"first_page_seconds": round(took, 3), "server_cpu_seconds": round(server.cpu(), 2), "passed": took < 1.0}


def run_rate(arguments):
    with Server(arguments.anatomy) as server:
        result = rate(server, 2000, arguments.seconds)
        return {**result, "passed": good(result) and result["p99_ms"] < 50}


def run_idle(arguments):
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Server(arguments.anatomy) as server:
        idle = held(server, 10_000, b"", b"", 35)
        time.sleep(12)
        opened = connections(server)
        result = rate(server, 2000, 10)
        idle.join()
        return {**result, "open_connections": opened, "passed": good(result) and opened >= 9_900}


def run_slow(arguments):
    with Server(arguments.anatomy) as server:
        heads = held(server, 500, b"GET / HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n", 20)
        body = b"POST /api/v1/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{"
        bodies = held(server, 200, body, b" ", 20)
        time.sleep(2)
        result = rate(server, 2000, 10)
        heads.join()
        bodies.join()
        time.sleep(3)
        left = connections(server)
        return {**result, "left_connections": left, "passed": good(result) and left < 100}


def run_bodies(arguments):
    with Server(arguments.anatomy) as server:
        answers = {}
        for _ in range(200):
            request = urllib.request.Request(
                server.link + "api/v1/query", data=b"x" * 1_000_000, headers={"Content-Type": "application/json"}
            )
            try:
                answer = str(urllib.request.urlopen(request, timeout=30).status)
            except urllib.error.HTTPError as error:
                answer = str(error.code)
            except (urllib.error.URLError, ConnectionError):
                answer = "cut off"
            answers[answer] = answers.get(answer, 0) + 1
        well = json.loads(server.get("api/v1/health"))["status"] == "ok"
        return {"answers": answers, "resident_mb": server.memory() >> 20, "passed": well and set(answers) <= {"413", "cut off"}}


def run_sql(arguments):
    with Server(arguments.anatomy) as server:
        outcomes = {}
        end = time.monotonic() + 25

        def attack(offset):
            at = offset
            while time.monotonic() < end:
                sql = HOSTILE[at % len(HOSTILE)]
                at += 1
                try:
                    address = server.link + "api/v1/query?" + urllib.parse.urlencode({"sql": sql})
                    outcome = str(urllib.request.urlopen(address, timeout=60).status)
                except urllib.error.HTTPError as error:
                    outcome = str(error.code)
                outcomes[outcome] = outcomes.get(outcome, 0) + 1

        threads = [threading.Thread(target=attack, args=(offset,)) for offset in range(6)]
        for thread in threads:
            thread.start()
        result = rate(server, 2000, 20)
        for thread in threads:
            thread.join()
        answer = json.loads(server.get("api/v1/query?sql=select%201"))
        passed = good(result) and answer["rows"] == [[1]] and set(outcomes) <= {"422", "503"}
        return {**result, "statements": outcomes, "passed": passed}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anatomy", default="target/release/anatomy")
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("scenarios", nargs="*", default=["first", "rate", "idle", "slow", "bodies", "sql"])
    arguments = parser.parse_args()
    failed = 0
    for name in arguments.scenarios:
        load = round(os.getloadavg()[0], 2)
        result = globals()[f"run_{name}"](arguments)
        failed += not result["passed"]
        # Others' work on the same cores shows in the times, not in the server's own seconds.
        print(json.dumps({"scenario": name, "load_before": load, **result}), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
