"""Executes the notebooks and keeps their outputs: python docs/notebooks/run.py [--check]

Needs the wheel, nbclient and ipykernel. All together have five minutes of processor time. With --check nothing is written, and a cell
that fails, or a last sentence that is no longer the one that stands there, ends with 1.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent
# Larger outputs do not belong into the repository.
MOST_BYTES = 60_000
# Of the processor, for all notebooks: other work on the machine does not count.
MOST_SECONDS = 300


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
        NotebookClient(notebook, timeout=1800, kernel_name="python3", resources={"metadata": {"path": str(FOLDER)}}).execute()
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
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = used.ru_utime + used.ru_stime
    print(f"all: {seconds:.0f} s of processor time")
    if seconds > MOST_SECONDS:
        failed.append(f"the notebooks took {seconds:.0f} s of processor time, more than {MOST_SECONDS}")
    if failed:
        print("\n".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
