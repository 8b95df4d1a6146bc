"""Statements here, in stages inside one process, and on a scheduler with two executors; then with processes that vanish.

    python benches/cluster.py ANATOMY ITEMS [--faults] [--kills 0] [--timeout 120]  (pyarrow; ITEMS is made by `benches/item_rows.py`)

Asks, and exits with status 1 where an answer is no: are the answers equal to 1e-9 (relative)? With --faults, for kill -9 of an executor
in each stage, of all executors, of the scheduler, and for a network cut (processes stopped so that they no longer answer): does
the client end within its limit, with the right answer or with an error that says what is wrong, and is the next statement answered?
With --kills N, the same for N executors killed one after the other, each at a moment drawn at random: is any answer wrong?
"""

import argparse
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

import pyarrow.parquet as pq

from tables_differ import differs

DIFFICULTY = "select * from item_difficulty order by benchmark, item"
PAIRED = "select * from paired_comparison where a = 'org0/checkpoint-000000' order by benchmark, b"
STATEMENTS = {"difficulty and discrimination": DIFFICULTY, "one checkpoint against all": PAIRED}


class Cluster:
    """A scheduler and executors as processes of this machine."""

    def __init__(self, anatomy, folder):
        self.anatomy, self.folder, self.started = anatomy, folder, 0
        self.executors = {}
        self.port = 0
        self.start_scheduler()

    def start_scheduler(self):
        command = [self.anatomy, "cluster", "scheduler", "--port", str(self.port)]
        self.scheduler = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.address = self.scheduler.stderr.readline().strip()
        assert self.address.startswith("df://"), self.address + self.scheduler.stderr.read()
        self.port = int(self.address.rsplit(":", 1)[1])

    def add(self):
        self.started += 1
        work = self.folder / f"executor-{self.started}"
        work.mkdir()
        command = [self.anatomy, "cluster", "executor", "--scheduler", f"127.0.0.1:{self.port}", "--slots", "1", "--work", work]
        self.executors[subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)] = work

    def stop(self):
        for process in [*self.executors, self.scheduler]:
            process.kill()
            process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("anatomy")
    parser.add_argument("items")
    parser.add_argument("--faults", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--timeout", type=int, default=120)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    yes = True

    def judge(question, answer, told=""):
        nonlocal yes
        yes &= bool(answer)
        print(f"{'yes' if answer else 'NO '}  {question}  {told}", flush=True)

    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        cluster = Cluster(asked.anatomy, folder)
        for _ in range(2):
            cluster.add()

        def start(sql, out, where):
            command = [asked.anatomy, "query", "--items", asked.items, sql, "--parquet", out, "-q"]
            if where:
                command += ["--cluster", where, "--timeout", str(asked.timeout)]
            return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

        def ask(sql, where, name):
            """Wall seconds, processor seconds of the client, the answer or what was said instead."""
            out = folder / f"{name}.parquet"
            out.unlink(missing_ok=True)
            before = time.perf_counter()
            child = start(sql, out, where)
            _, status, usage = os.wait4(child.pid, 0)
            wall = time.perf_counter() - before
            return wall, usage.ru_utime + usage.ru_stime, pq.read_table(out) if status == 0 else child.stderr.read().strip()

        right, took = {}, {}
        time.sleep(3)
        for name, sql in STATEMENTS.items():
            for where in (None, "in-process", cluster.address):
                wall, cpu, answer = ask(sql, where, "answer")
                place = "here" if where is None else "in-process" if where == "in-process" else "two executors"
                if isinstance(answer, str):
                    judge(f"{name}, {place}", False, answer)
                    continue
                print(f"     {name}, {place}: {wall:.1f} s, processor {cpu:.1f} s in the client, {answer.num_rows} rows", flush=True)
                took[name] = wall
                if where is None:
                    right[name] = answer
                else:
                    worst = differs(answer, right[name])
                    judge(f"the same, {place}", worst <= 1e-9, f"largest relative difference {worst:.1e}")

        def faulty(name, moment, hurt, heal):
            """One statement while something happens, and the next one after it."""
            out = folder / "faulty.parquet"
            out.unlink(missing_ok=True)
            child = start(DIFFICULTY, out, cluster.address)
            before = time.perf_counter()
            moment(child)
            early = child.poll() is not None
            hurt()
            at = time.perf_counter() - before
            child.wait()
            wall = time.perf_counter() - before
            if child.returncode == 0:
                told = "right" if differs(pq.read_table(out), right[list(STATEMENTS)[0]]) <= 1e-9 else "WRONG"
            else:
                told = child.stderr.read().strip().splitlines()[0][:150]
            fine = wall < asked.timeout + 5 and told != "WRONG" and told
            judge(name, fine, f"hurt at {at:.1f} s{' (too late)' if early else ''}, ended at {wall:.1f} s: {told}")
            heal()
            time.sleep(3)
            wall, _, answer = ask(DIFFICULTY, cluster.address, "next")
            same = not isinstance(answer, str) and differs(answer, right[list(STATEMENTS)[0]]) <= 1e-9
            judge("  the next statement is answered", same, f"{wall:.1f} s" if same else str(answer)[:300])

        def stage(number):
            """Until the number-th stage of the newest job has begun to write on the executor that will be hurt."""

            def wait(child):
                work = list(cluster.executors.values())[0]
                known = {path.name for path in work.iterdir()}
                while child.poll() is None:
                    for job in (path for path in work.iterdir() if path.name not in known and path.is_dir()):
                        if len([path for path in job.iterdir() if path.name.isdigit()]) >= number:
                            return
                    time.sleep(0.01)

            return wait

        def first():
            return list(cluster.executors)[0]

        def kill(process):
            process.kill()
            process.wait()
            cluster.executors.pop(process, None)

        def kill_all():
            for process in list(cluster.executors):
                kill(process)

        def restart_scheduler():
            cluster.scheduler.kill()
            cluster.scheduler.wait()
            cluster.start_scheduler()

        def wait_for(seconds):
            return lambda _: time.sleep(seconds)

        if asked.faults:
            some = took["difficulty and discrimination"] * 0.4
            for number in (1, 2, 3):
                faulty(f"an executor killed in stage {number}", stage(number), lambda: kill(first()), cluster.add)
            faulty("all executors killed", wait_for(some), kill_all, lambda: (cluster.add(), cluster.add()))
            faulty("the scheduler killed", wait_for(some), lambda: (cluster.scheduler.kill(), cluster.scheduler.wait()), restart_scheduler)
            faulty("the network to an executor cut", wait_for(some), lambda: first().send_signal(signal.SIGSTOP), lambda: first().send_signal(signal.SIGCONT))
            faulty("the network to the scheduler cut", wait_for(some), lambda: cluster.scheduler.send_signal(signal.SIGSTOP), lambda: cluster.scheduler.send_signal(signal.SIGCONT))
        draws = random.Random(asked.seed)
        for number in range(asked.kills):
            moment = draws.uniform(0, took["difficulty and discrimination"])
            faulty(f"kill {number + 1}", wait_for(moment), lambda: kill(draws.choice(list(cluster.executors))), cluster.add)
        cluster.stop()
    return 0 if yes else 1


if __name__ == "__main__":
    sys.exit(main())
