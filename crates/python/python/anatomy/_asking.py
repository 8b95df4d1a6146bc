"""Commands as functions: arguments become words, JSON becomes Python."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from . import _anatomy
from ._errors import AnatomyError


class _Progress:
    """One line that is written anew, on standard error: on terminals and in notebooks, nowhere else."""

    def __init__(self) -> None:
        self.width = 0

    def __call__(self, what: str, done: int, of: int) -> None:
        line = f"{what} {done}/{of}" if of else f"{what} {done}"
        sys.stderr.write("\r" + line.ljust(self.width))
        sys.stderr.flush()
        self.width = max(self.width, len(line))

    def end(self) -> None:
        if self.width:
            sys.stderr.write("\r" + " " * self.width + "\r")
            sys.stderr.flush()


def _watches() -> bool:
    """Whether a person looks on: standard error is a terminal, or the kernel of a notebook shows it."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules


def words(command: Iterable[str], options: Mapping[str, Any], standing: Iterable[Any] = ()) -> list[str]:
    """The words of a command: `max_block=3` becomes `--max-block=3`, True the option alone, lists are joined by commas; what is
    None or False stands nowhere."""
    made = list(command)
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            made.append(option)
        elif isinstance(value, (list, tuple, set, frozenset)):
            made.append(f"{option}={','.join(str(one) for one in value)}")
        elif isinstance(value, Mapping):
            made.extend(f"{option}={key}={one}" for key, one in value.items())
        else:
            made.append(f"{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    made.append("--format=json")
    standing = [os.fspath(one) if isinstance(one, os.PathLike) else str(one) for one in standing]
    if any(one.startswith("-") for one in standing):
        made.append("--")
    return made + standing


def answer(command: Iterable[str], options: Mapping[str, Any], standing: Iterable[Any] = ()) -> dict[str, Any]:
    """The command's JSON."""
    progress = _Progress() if _watches() else None
    try:
        results, said, _ = _anatomy.ask(words(command, options, standing), progress)
    finally:
        if progress:
            progress.end()
    if not results.strip():
        raise AnatomyError("\n".join(said) or "the command has no answer")
    told: dict[str, Any] = json.loads(results)
    return told


@contextmanager
def as_file(data: Any) -> Iterator[Any]:
    """A path as it is; a frame as a Parquet file that lasts as long as the question."""
    if data is None or isinstance(data, (str, os.PathLike)):
        yield data
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "data.parquet")
        _anatomy.write_parquet(frame(data), path)
        yield path


def frame(data: Any) -> Any:
    """Anything with `__arrow_c_stream__`; columns by name are made one where pyarrow, polars or pandas is here."""
    if hasattr(data, "__arrow_c_stream__") or not isinstance(data, Mapping):
        return data
    for library, make in (("pyarrow", "table"), ("polars", "DataFrame"), ("pandas", "DataFrame")):
        try:
            return getattr(__import__(library), make)(dict(data))
        except ImportError:
            continue
    raise AnatomyError("columns by name need pyarrow, polars or pandas to become a table", "pip install polars")
