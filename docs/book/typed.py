"""Types every command that the book prints, as it is printed: python3 docs/book/typed.py --anatomy PROGRAM [PAGE …]

Commands run in a new folder, in the order of the pages, with PROGRAM's folder first on the PATH; what examples name (my.csv, config.json,
results/main …) is put there before. A command that does not end with 0 fails. `anatomy serve` is started, asked and ended. Blocks of
Python run where `--python` names an interpreter that has the module. What needs something that is not here (weights, a network, Docker,
several machines) is left out and counted.

    --gguf FILE --data DIR   weights and benchmarks: what is printed with FILE.gguf and DIR runs too
    --without TEXT …         leaves out commands that contain it, and says so
"""

import argparse
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BOOK = ROOT / "docs/book/src"
PAGES = ["README.md", "install.md", "tutorial.md", "questions/*.md", "concepts/*.md", "reference/agents.md"]
# What a newcomer's machine need not have.
ELSEWHERE = {
    "pip install": "installs",
    "cargo ": "builds",
    "docker ": "containers",
    "hub crawl": "the network",
    "HuggingFaceTB/": "the network",
    "s3://": "the network",
    "cluster ": "several processes",
    "--cluster": "several processes",
    "--compare old/": "an older report",
    "catalog build": "a folder of sources",
    "catalog check": "a folder of sources",
    "anatomy mcp": "a client",
}
WEIGHTS = ("FILE.gguf", "--probe probes", " DIR")
# One command may take so many seconds.
LIMIT = 1800


def blocks(page: Path):
    """Fenced blocks: language, line of the first line, lines."""
    language, first, held = None, 0, []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("```"):
            if language is None:
                language, first, held = line[3:].strip(), number + 1, []
            else:
                yield language, first, held
                language = None
        elif language is not None:
            held.append(line)


def furnish(place: Path, gguf: str | None, data: str | None) -> None:
    """Everything that printed commands name."""
    draw = random.Random(42)
    rows = []
    for number in range(120):
        a, b = draw.gauss(0, 1), draw.gauss(0, 1)
        rows.append((number, a, b, 2 * a - b + draw.gauss(0, 0.5), number % 5))
    lines = ["id,a,b,score,fold"] + [",".join(map(str, row)) for row in rows]
    (place / "my.csv").write_text("\n".join(lines) + "\n")
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256,
        "max_position_embeddings": 8192, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
    }
    (place / "config.json").write_text(json.dumps(config))
    claims = (ROOT / "claims/README.md").read_text()
    (place / "my-claims.toml").write_text(re.search(r"```toml\n(.*?)```", claims, re.S)[1])
    for folder in ("main", "change"):
        right = [number * 7919 % 10 < 6 or folder == "change" and number % 9 == 0 for number in range(200)]
        samples = place / "results" / folder / f"org__{folder}"
        samples.mkdir(parents=True)
        text = "".join(
            json.dumps({
                "doc_id": number, "target": "0", "filter": "none", "acc": int(ok),
                "filtered_resps": [["-1.0" if ok else "-2.0", "False"], ["-2.0" if ok else "-1.0", "False"]],
            }) + "\n"
            for number, ok in enumerate(right)
        )
        (samples / "samples_mmlu_anatomy_2024-06-12T01-02-03.jsonl").write_text(text)
    (place / "leaked.csv").write_text("item\n" + "".join(f"{number}\n" for number in range(20)))
    (place / "items.jsonl").write_text("".join(
        json.dumps({"prompt": f"{n} and {n} make", "response": f" {2 * n}"}) + "\n" for n in range(1, 9)
    ))
    if gguf:
        (place / "FILE.gguf").symlink_to(Path(gguf).resolve())
    if data:
        (place / "DIR").symlink_to(Path(data).resolve())


def port_to_use() -> int:
    """The port that is printed, or a free one where another program of this machine has it."""
    for port in (8080, 0):
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
            return one.getsockname()[1]
    raise SystemExit("no free port")


class Typist:
    def __init__(self, asked: argparse.Namespace, place: Path) -> None:
        self.asked, self.place = asked, place
        self.environment = {**os.environ, "PATH": f"{Path(os.path.abspath(asked.anatomy)).parent}{os.pathsep}{os.environ['PATH']}"}
        self.typed, self.failed = 0, []
        self.left: dict[str, int] = {}
        self.server, self.port = None, 8080

    def reason(self, command: str) -> str | None:
        """Why a command is not typed."""
        if "target/release" in command or command.startswith("export"):
            return "builds"
        for text in self.asked.without:
            if text in command:
                return f"left out on request ({text})"
        for text, why in ELSEWHERE.items():
            if text in command:
                return why
        if not (self.asked.gguf and self.asked.data) and any(text in command for text in WEIGHTS):
            return "weights"
        return None if command.startswith(("anatomy ", "curl ")) else "no command of this program"

    def type(self, at: str, command: str) -> None:
        if why := self.reason(command):
            self.left[why] = self.left.get(why, 0) + 1
            return
        began = time.monotonic()
        if command.split("#")[0].split() == ["anatomy", "serve"]:
            self.serve(at)
            return
        if command.startswith("curl ") and self.server is None:
            self.serve(at)
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command.replace(":8080/", f":{self.port}/")], cwd=self.place, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT,
        )
        self.told(at, command, done.returncode, time.monotonic() - began, done.stderr or done.stdout)

    def serve(self, at: str) -> None:
        """As printed, on the port that is printed where it is free."""
        self.end()
        began = time.monotonic()
        self.port = port_to_use()
        words = ["anatomy", "serve"] + ([] if self.port == 8080 else [f"--port={self.port}"])
        self.server = subprocess.Popen(words, cwd=self.place, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status, said = 1, "no answer in 60 s"
        while time.monotonic() - began < 60 and self.server.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=30) as page:
                    status, said = (0, "") if b"<h1" in page.read() else (1, "no heading on the landing page")
                    break
            except OSError:
                time.sleep(0.1)
        self.told(at, "anatomy serve", status, time.monotonic() - began, said)

    def end(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(10)
            self.server = None

    def told(self, at: str, command: str, status: int, seconds: float, said: str) -> None:
        self.typed += 1
        print(f"{seconds:7.1f} s  {status}  {at}: {command}", flush=True)
        if status != 0:
            self.failed.append(f"{at}: {command}\n    ended with {status}: " + "\n    ".join(said.strip().splitlines()[-6:]))

    def python(self, at: str, lines: list[str]) -> None:
        if not self.asked.python:
            self.left["Python"] = self.left.get("Python", 0) + 1
            return
        began = time.monotonic()
        before = "import anatomy, pandas\ndf = pandas.read_csv('my.csv')\n"
        # Its own name and not what it links to: that is how an environment is known.
        done = subprocess.run(
            [os.path.abspath(self.asked.python), "-c", before + "\n".join(lines)], cwd=self.place, env=self.environment, capture_output=True, text=True, timeout=LIMIT
        )
        self.told(at, " ".join(lines)[:90], done.returncode, time.monotonic() - began, done.stderr)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--anatomy", required=True, help="the program; its name is anatomy")
    arguments.add_argument("--python", help="an interpreter that has the module, and pandas")
    arguments.add_argument("--gguf")
    arguments.add_argument("--data")
    arguments.add_argument("--without", nargs="*", default=[])
    arguments.add_argument("pages", nargs="*")
    asked = arguments.parse_args()
    pages: list[Path] = []
    for pattern in asked.pages or PAGES:
        found = sorted(ROOT.glob(pattern)) or sorted(BOOK.glob(pattern))
        if not found:
            raise SystemExit(f"no page {pattern}")
        pages += [page for page in found if page not in pages]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        furnish(place, asked.gguf, asked.data)
        typist = Typist(asked, place)
        try:
            for page in pages:
                for language, first, lines in blocks(page):
                    at = f"{page.relative_to(ROOT)}:{first}"
                    if language == "sh":
                        for number, line in enumerate(lines):
                            if line.strip() and not line.startswith("#"):
                                typist.type(f"{page.relative_to(ROOT)}:{first + number}", line)
                    elif language == "python":
                        typist.python(at, lines)
                typist.end()
        finally:
            typist.end()
    left = ", ".join(f"{why} {n}" for why, n in sorted(typist.left.items()))
    print("\n".join(typist.failed + [f"{typist.typed} commands typed, {len(typist.failed)} of them failed; left out: {left or 'nothing'}"]))
    return 1 if typist.failed or typist.typed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
