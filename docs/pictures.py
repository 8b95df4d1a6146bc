"""Pictures of the report and the dashboard for the book, and the README's: python3 docs/pictures.py --anatomy PROGRAM | --check

Chromium without a window shows the first screen of each; the README's is a figure of the report. `pictures.json`
beside them keeps a hash of what they show (the kept study, the templates, styles and scripts); --check makes nothing and ends with 1 where that has changed since, or a picture is missing.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs/book/src/pictures"
STAMP = FOLDER / "pictures.json"
# The README's picture: a figure of the report.
ANSWER = ROOT / "docs/answer.svg"
SHOWN = ["crates/anatomy/kept/study.zst", "crates/anatomy/templates", "crates/anatomy/src/server/static"]
# Pages of the dashboard, by the picture's name.
PAGES = {"dashboard": "/", "recommend": "/recommend?memory=24GB&task=math"}
SIZE = (1280, 900)


def shown() -> str:
    """A hash of what pictures are made of."""
    files = sorted(file for place in SHOWN for file in ([ROOT / place] if (ROOT / place).is_file() else (ROOT / place).rglob("*")))
    digest = hashlib.sha256()
    for file in files:
        if file.is_file():
            digest.update(f"{file.relative_to(ROOT)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def readme() -> str:
    """A hash of the README's picture."""
    return hashlib.sha256(ANSWER.read_bytes()).hexdigest() if ANSWER.exists() else ""


def shoot(browser: str, address: str, picture: Path) -> None:
    with tempfile.TemporaryDirectory() as profile:
        words = [
            browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--force-device-scale-factor=1",
            f"--user-data-dir={profile}", f"--window-size={SIZE[0]},{SIZE[1]}", "--virtual-time-budget=5000",
            f"--screenshot={picture}", address,
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=180)
        if done.returncode or not picture.exists():
            raise SystemExit(f"{browser} made no picture of {address}: {done.stderr.strip()}")


def make(anatomy: str) -> None:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("no chromium here: apt-get install chromium")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([anatomy, "report", "--quiet", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        shutil.copyfile(Path(folder) / "figures/answer.svg", ANSWER)
        shoot(browser, f"file://{folder}/report.html", FOLDER / "report.png")
        with subprocess.Popen([anatomy, "serve", "--port", "0", "--format", "json"], stdout=subprocess.PIPE, text=True) as server:
            try:
                address = json.loads(server.stdout.readline())["address"].rstrip("/")
                for name, page in PAGES.items():
                    while True:
                        # What is still being computed is no picture.
                        with urllib.request.urlopen(address + page, timeout=120) as answer:
                            if answer.status == 200:
                                break
                        time.sleep(1)
                    shoot(browser, address + page, FOLDER / f"{name}.png")
            finally:
                server.terminate()
    pictures = sorted(file.name for file in FOLDER.glob("*.png"))
    STAMP.write_text(json.dumps({"shown_sha256": shown(), "readme_sha256": readme(), "pictures": pictures}, indent=2) + "\n")


def stale() -> str | None:
    if not STAMP.exists():
        return f"{STAMP.relative_to(ROOT)} is missing"
    kept = json.loads(STAMP.read_text())
    missing = [name for name in kept["pictures"] if not (FOLDER / name).exists()]
    if missing or len(kept["pictures"]) != 1 + len(PAGES):
        return f"pictures are missing: {', '.join(missing) or 'not all were made'}"
    if kept.get("readme_sha256") != readme():
        return f"{ANSWER.relative_to(ROOT)} is not the one that was made with the others"
    return None if kept["shown_sha256"] == shown() else "the study, a template or a style changed after the pictures were made"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--anatomy", help="the program")
    arguments.add_argument("--check", action="store_true")
    asked = arguments.parse_args()
    if asked.check:
        if why := stale():
            print(f"stale pictures: {why}; renew with docs/pictures.py --anatomy target/release/anatomy")
            return 1
        return 0
    if not asked.anatomy:
        arguments.error("--anatomy PROGRAM, or --check")
    make(str(Path(asked.anatomy).resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
