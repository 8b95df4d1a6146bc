"""Executes the notebooks and keeps their outputs: python docs/notebooks/run.py [--check]

Needs the wheel, nbclient and ipykernel. Each has five minutes for all of its cells; with --check nothing is written, and a cell that
fails, or a last sentence that is no longer the one that stands there, ends with 1.
"""

import argparse
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
# Larger outputs do not belong into the repository.
MOST_BYTES = 60_000


def sentence(notebook) -> str:
    """What the last cell of code prints."""
    cell = [cell for cell in notebook.cells if cell.cell_type == "code"][-1]
    return "".join(output.get("text", "") for output in cell.outputs)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true")
    asked = arguments.parse_args()
    failed = []
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        before = sentence(notebook)
        began = time.monotonic()
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
        for number, cell in enumerate(notebook.cells):
            cell["id"] = f"cell-{number}"
            cell.metadata.clear()
            if cell.cell_type == "code":
                # Progress and the like is of one run alone.
                cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
        notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        text = nbformat.writes(notebook) + "\n"
        said = sentence(notebook)
        print(f"{path.name}: {time.monotonic() - began:.1f} s, {len(text)} bytes: {said.strip()}")
        if len(text) > MOST_BYTES:
            failed.append(f"{path.name} has {len(text)} bytes")
        if asked.check and said != before:
            failed.append(f"{path.name} said: {before.strip()}")
        if not asked.check:
            path.write_text(text)
    if failed:
        print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
