#!/usr/bin/env python3
"""Runs `anatomy hub crawl` against the stand-in of the Hub and holds what it stored against what the stand-in served.

    python3 benches/hub_crawl.py --anatomy target/release/anatomy --standin ../shared/hub-standin [plain harsh variants kills large quota]

plain   20,000 checkpoints, no faults            every one listed once, every config stored byte for byte
harsh   the same with --faults harsh
variants  hashes only, gzip, small pages, tokens, 429 without Retry-After
kills   the same, killed with SIGKILL at 30 random moments and started again
large   200,000 with raised quotas               memory, configs a second, against a plain load generator
quota   the real quotas in a window of 10 s      refusals (429), share of the quota used

Standard library only. One JSON line a scenario on stdout; exit 1 where a check failed.
"""
import argparse
import asyncio
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request


def get(url):
    with urllib.request.urlopen(url, timeout=600) as answer:
        return json.load(answer)


class Standin:
    """The server, on a free port, ended with the block."""

    def __init__(self, options, *flags):
        script = os.path.join(options.standin, "hub_standin.py")
        self.process = subprocess.Popen([sys.executable, script, "--port", "0", *flags], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def stats(self):
        return get(self.url + "/__stats")

    def truth(self):
        offset, total = 0, 1
        while offset < total:
            page = get("%s/__truth?offset=%d&limit=5000" % (self.url, offset))
            total = page["total"]
            yield from page["items"]
            offset += len(page["items"])


def command(options, url, *arguments, token=None):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("HF_") and "proxy" not in k.lower()}
    environment.update(HF_ENDPOINT=url, HF_HOME="/nonexistent", **({"HF_TOKEN": token} if token else {}))
    return dict(args=[options.anatomy, "hub", *arguments, "-q", "--format", "json"], env=environment, text=True)


def crawl(options, url, folder, *more, token=None):
    """Runs a crawl to its end; its summary, wall time, user and system CPU time, and peak memory in MiB."""
    start = time.monotonic()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(**command(options, url, "crawl", "--all", "--no-leaderboards", "--hub", folder, *more, token=token), stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    seconds = time.monotonic() - start
    assert process.returncode in (0, 1), (process.returncode, text)
    return json.loads(text), seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def git_blob(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def compare(options, hub, folder, bytes_too=True, access=False):
    """Differences between the truth and the store."""
    out = tempfile.mkdtemp(prefix="hub-export-")
    wrong, served = [], 0
    try:
        if bytes_too:
            subprocess.run(**command(options, hub.url, "export", "--hub", folder, "--out", out), check=True)
        counts = dict.fromkeys(("stored", "without_config", "gated", "broken", "failed"), 0)
        lenient = total = 0
        for item in hub.truth():
            total += 1
            state = item["config"]
            if state == "gated" and access:
                state = "broken" if item["parse"] == "no" else "ok"
            place = {"ok": "stored", "broken": "broken", "gated": "gated", "disabled": "failed", "gone": "failed"}.get(state)
            if state == "missing":
                place = "gated" if item["access"].startswith("gated") and not access else "without_config"
            if state == "ok" and item["parse"] != "json":
                lenient += 1  # may be read or refused
            counts[place] += 1
            if not bytes_too:
                continue
            path = os.path.join(out, *item["id"].split("/"), "config.json")
            there = os.path.exists(path)
            if state in ("ok", "broken"):
                served += 1
                if not there:
                    wrong.append("%s is not stored" % item["id"])
                elif git_blob(open(path, "rb").read()) != item["etag"]:
                    wrong.append("%s differs" % item["id"])
            elif there:
                wrong.append("%s is stored, but %s" % (item["id"], state))
    finally:
        shutil.rmtree(out)
    status = json.loads(subprocess.run(**command(options, hub.url, "status", "--hub", folder), stdout=subprocess.PIPE, check=True).stdout)
    said = {name: status[name] for name in counts}
    if status["listed"] != total or status["to_fetch"] or sum(said.values()) != total:
        wrong.append("listed %d of %d, %r" % (status["listed"], total, status))
    for name in ("without_config", "gated", "failed"):
        if said[name] != counts[name]:
            wrong.append("%s: %d, should be %d" % (name, said[name], counts[name]))
    if not 0 <= said["broken"] - counts["broken"] <= lenient or said["stored"] + said["broken"] != counts["stored"] + counts["broken"]:
        wrong.append("stored %(stored)d, broken %(broken)d" % said + ", should be %(stored)d, %(broken)d" % counts)
    return wrong, {"listed": status["listed"], **said, "configs_checked": served}


def report(name, wrong, **figures):
    print(json.dumps({"scenario": name, "holds": not wrong, **figures, "wrong": wrong[:5]}), flush=True)
    return not wrong


def figures(summary, seconds, cpu, memory, stats):
    configs = summary["counts"]["stored"] + summary["counts"]["broken"]
    return {"seconds": round(seconds, 2), "client_cpu_s": round(cpu, 2), "client_peak_mib": round(memory, 1),
            "configs": configs, "configs_per_s": round(configs / seconds), "requests": summary["requests"],
            "retries": summary["retries"], "refused_429": stats["by_status"].get("429", 0), "faults": sum(stats["faults"].values())}


def plain(options, name="plain", *flags, models=20000):
    with Standin(options, "--models", str(models), "--quota-api", "0", "--quota-resolve", "0", *flags) as hub:
        folder = tempfile.mkdtemp(prefix="hub-")
        done = crawl(options, hub.url, folder)
        shown = figures(*done, hub.stats())
        again, seconds, *_ = crawl(options, hub.url, folder)
        wrong, counts = compare(options, hub, folder)
        if hub.stats()["counters"].get("standin_bugs"):
            wrong.append("the stand-in has a bug")
        shutil.rmtree(folder)
        return report(name, wrong, **shown, **counts, second_run_requests=again["requests"], second_run_s=round(seconds, 2))


def variants(options):
    """Other ways a Hub may answer, 3,000 checkpoints each."""
    quotas = ["--quota-api", "0", "--quota-resolve", "0"]
    ways = {"hash only": ["--no-resolve-cache", "--faults", "harsh", *quotas], "gzip": ["--gzip", "--faults", "harsh", *quotas],
            "small pages": ["--page-max", "37", "--faults", "harsh", *quotas], "with access": quotas,
            "no retry-after": ["--no-retry-after", "--window-s", "4", "--quota-resolve", "900"],
            "user without access": ["--window-s", "4", "--quota-resolve", "900"]}
    holds = True
    for way, flags in ways.items():
        token = {"with access": "hf_standin_gated", "user without access": "hf_somebody"}.get(way)
        with Standin(options, "--models", "3000", "--stall-s", "3", *flags) as hub:
            folder = tempfile.mkdtemp(prefix="hub-")
            done = crawl(options, hub.url, folder, "--stall", "2", token=token)
            stats = hub.stats()
            wrong, counts = compare(options, hub, folder, access=way == "with access")
            if stats["by_status"].get("429"):
                wrong.append("%(429)d refusals" % stats["by_status"])
            shutil.rmtree(folder)
            holds &= report(way, wrong, **figures(*done, stats), **counts)
    return holds


def harsh(options):
    return plain(options, "harsh", "--faults", "harsh")


def kills(options, many=30):
    draw = random.Random(options.seed)
    with Standin(options, "--models", "20000", "--quota-api", "0", "--quota-resolve", "0", "--faults", "harsh") as hub:
        folder = tempfile.mkdtemp(prefix="hub-")
        killed, start = 0, time.monotonic()
        while killed < many:
            process = subprocess.Popen(**command(options, hub.url, "crawl", "--all", "--no-leaderboards", "--hub", folder),
                                       stdout=subprocess.DEVNULL)
            try:
                process.wait(draw.uniform(0.02, options.longest))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1
            process.wait()
            if process.returncode >= 0:
                break
        done = crawl(options, hub.url, folder)
        stats = hub.stats()
        wrong, counts = compare(options, hub, folder)
        shutil.rmtree(folder)
        return report("kills", wrong, killed=killed, seconds_in_all=round(time.monotonic() - start, 1), last_run_s=round(done[1], 1),
                      configs_served=stats["config_requests"], configs_served_once=stats["unique_configs_served"], **counts)


async def load(host, port, first, paths, wide):
    """A plain load generator: the requests of a crawl and nothing else. One connection lists, `wide` others GET, follow
    redirects and throw bodies away."""
    paths, done = iter(paths), [0]

    async def connect():
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)

        async def ask(path):
            writer.write(("GET %s HTTP/1.1\r\nHost: %s:%d\r\n\r\n" % (path, host, port)).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            lines = dict(x.split(": ", 1) for x in head.decode("latin-1").split("\r\n")[1:] if ": " in x)
            await reader.readexactly(int(lines.get("Content-Length", 0)))
            return int(head.split(b" ", 2)[1]), lines
        return ask, writer

    async def lists():
        ask, writer = await connect()
        path = first
        while path:
            _, lines = await ask(path)
            link = lines.get("Link")
            path = "/" + link.split(">")[0].split("/", 3)[3] if link else None
        writer.close()

    async def files():
        ask, writer = await connect()
        for path in paths:
            status, lines = await ask(path)
            if status == 307:
                status, _ = await ask(lines["Location"])
            done[0] += status == 200
        writer.close()
    await asyncio.gather(lists(), *(files() for _ in range(wide)))
    return done[0]


def large(options):
    with Standin(options, "--models", str(options.models), "--quota-api", "0", "--quota-resolve", "0") as hub:
        folder = tempfile.mkdtemp(prefix="hub-")
        done = crawl(options, hub.url, folder)
        shown = figures(*done, hub.stats())
        size = os.path.getsize(os.path.join(folder, "crawl.redb")) >> 20
        wrong, counts = compare(options, hub, folder, bytes_too=options.bytes)
        paths = ["/%s/resolve/%s/config.json" % (item["id"], item["sha"]) for item in hub.truth()]
        fields = "config createdAt disabled downloads gated gguf lastModified library_name likes pipeline_tag safetensors sha tags"
        first = "/api/models?sort=createdAt&direction=-1&limit=1000" + "".join("&expand=" + field for field in fields.split())
        host, port = hub.url.split("//")[1].split(":")
        start = time.monotonic()
        got = asyncio.run(load(host, int(port), first, paths, 32))
        seconds = time.monotonic() - start
        if shown["client_peak_mib"] > 300:
            wrong.append("more than 300 MiB")
        shutil.rmtree(folder)
        return report("large", wrong, **shown, store_mib=size, load_generator_configs_per_s=round(got / seconds), **counts)


class Windows:
    """Watches how many file requests the stand-in counted in each of its windows."""

    def __init__(self, hub, length):
        self.hub, self.length, self.used, self.over = hub, length, {}, threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        before = 0
        while not self.over.wait(0.1):
            stats = self.hub.stats()
            now = sum(n for k, n in stats["by_route_status"].items() if k.startswith(("resolve ", "loop")))
            if now > before:
                window = int(stats["uptime_s"] / self.length)
                self.used[window] = self.used.get(window, 0) + now - before
                before = now

    def finish(self):
        """Requests in each window but the first, which began before the client, and the last, when little was left."""
        self.over.set()
        self.thread.join()
        return [self.used[k] for k in sorted(self.used)][1:-1]


def quota(options, window=10):
    flags = ["--window-s", str(window), "--quota-api", "500", "--quota-resolve", "3000"]
    with Standin(options, "--models", "20000", *flags, *(["--faults", "harsh"] if options.faults else [])) as hub:
        folder = tempfile.mkdtemp(prefix="hub-")
        windows = Windows(hub, window)
        done = crawl(options, hub.url, folder)
        used = windows.finish()
        stats = hub.stats()
        wrong, counts = compare(options, hub, folder, bytes_too=False)
        shutil.rmtree(folder)
        share = sum(used) / (3000 * max(1, len(used)))
        refused = stats["by_status"].get("429", 0)
        if refused:
            wrong.append("%d refusals" % refused)
        if share < 0.95:
            wrong.append("less than 95 % of the quota used")
        return report("quota", wrong, **figures(*done, stats), used_by_window=used, share_of_quota=round(share, 3), **counts)


def main():
    scenarios = {"plain": plain, "harsh": harsh, "variants": variants, "kills": kills, "large": large, "quota": quota}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--anatomy", required=True, help="the program")
    parser.add_argument("--standin", required=True, help="folder of hub_standin.py")
    parser.add_argument("--models", type=int, default=200000, help="size of `large`")
    parser.add_argument("--bytes", action="store_true", help="compare the bytes in `large` too")
    parser.add_argument("--faults", action="store_true", help="harsh faults in `quota` too")
    parser.add_argument("--longest", type=float, default=1.2, help="longest time before a kill, seconds")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("scenario", nargs="*", choices=[*scenarios, []], help="default: all")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    holds = [scenarios[name](options) for name in options.scenario or scenarios]
    sys.exit(0 if all(holds) else 1)


if __name__ == "__main__":
    main()
