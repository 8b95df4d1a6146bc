"""Records that `anatomy catalog export --format every-eval-ever` writes, judged by the validator of Every Eval Ever.

    python oracles/every_eval_ever.py FOLDER [--if-possible]

FOLDER holds `data/BOARD/OWNER/NAME/UUID.json`. The validator (PyPI `every-eval-ever`, 0.3) and what it needs are installed into an
environment of their own. The package asks for Python 3.12; its validator alone runs on 3.11 too, where it is installed without the
other dependencies. Exit status: 0 all are valid and without warnings, 1 not, 2 the validator could not be installed
(`--if-possible`: 0, and says so).
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import venv

PACKAGE = "every-eval-ever==0.3.0"
NEEDS = ["pydantic>=2.12,<3", "jsonschema>=4.26,<5", "rich>=14,<15", "requests", "huggingface-hub>=1,<2", "pyyaml"]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    records = sorted(str(path.relative_to(folder)) for path in folder.glob("data/*/*/*/*.json"))
    if not records:
        print(f"{folder}: no data/*/*/*/*.json")
        return 1
    with tempfile.TemporaryDirectory() as place:
        venv.create(place, with_pip=True)
        python = pathlib.Path(place) / "bin" / "python"
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for arguments in (["--no-deps", "--ignore-requires-python", PACKAGE], NEEDS):
            installed = subprocess.run(pip + arguments, capture_output=True, text=True)
            if installed.returncode:
                print(f"the validator cannot be installed: {installed.stderr.strip().splitlines()[-1:]}")
                return 0 if "--if-possible" in sys.argv else 2
        valid, warned, bad = 0, 0, []
        for at in range(0, len(records), 500):
            ran = subprocess.run(
                [str(python), "-m", "every_eval_ever.validate", "--format", "json", *records[at : at + 500]],
                capture_output=True, text=True, cwd=folder,
            )
            if not ran.stdout.startswith("["):
                print(ran.stdout + ran.stderr)
                return 1
            for report in json.loads(ran.stdout):
                valid += report["valid"]
                warned += bool(report["warnings"])
                if not report["valid"] or report["warnings"]:
                    bad.append(report)
    for report in bad[:10]:
        print(report["file"], report["errors"][:3], report["warnings"][:3])
    print(f"{len(records)} records: {valid} valid, {warned} with warnings")
    return 0 if valid == len(records) and not warned else 1


if __name__ == "__main__":
    sys.exit(main())
