"""Which part of a language model's structure buys which ability?

Every function answers as the command of its name does, to the bit: a dictionary with `kind`, `schema_version`, `provenance` (program,
version, command, identity of the catalog, seed) and the answer's own fields; what `evaluate` gives has the harness' own form. Memory and
speed without a `device` are of this machine as it is at the moment. Tables are :class:`Table`, which pandas, polars, pyarrow
and duckdb take without a copy. What a command refuses raises :class:`AnatomyError`.

Units: sizes in billions of parameters, memory in bytes, scores in points (0 to 100), dates as ``2024-05-31``, seeds whole numbers; the
same seed gives the same bits, whatever the threads. Scores and structures are those of the compiled-in catalog (`catalog` names another,
made by ``anatomy catalog build``); `sources()` says whom they come from, under which licence.
"""

from __future__ import annotations

import json as _json
import os as _os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import _anatomy
from ._anatomy import Table, __version__
from ._asking import answer as _answer
from ._asking import as_file as _as_file
from ._asking import frame as _frame
from ._errors import AnatomyError

if TYPE_CHECKING:
    from ._estimators import Regression, Structural

__all__ = [
    "AnatomyError",
    "Regression",
    "Structural",
    "Table",
    "__version__",
    "catalog",
    "claims",
    "compare",
    "evaluate",
    "findings",
    "gradients",
    "importance",
    "influence",
    "items",
    "predict",
    "query",
    "recommend",
    "regressions",
    "report",
    "rows",
    "sources",
    "to_pandas",
]


def catalog(catalog: str | _os.PathLike[str] | None = None) -> dict[str, Table]:
    """Every table of the catalog by its name: checkpoints, structures, evaluations, scores, provenance …

    `query("select * from information_schema.columns")` lists columns; ``anatomy catalog describe --schema`` says units and meanings.
    """
    named = query(
        "select table_name from information_schema.tables where table_schema = 'public' order by 1", catalog=catalog
    )
    names = [row["table_name"] for row in rows(named)]
    return {name: query(f'select * from "{name}"', catalog=catalog) for name in names}


def query(
    sql: str,
    *,
    catalog: str | _os.PathLike[str] | None = None,
    items: str | _os.PathLike[str] | None = None,
    **tables: Any,
) -> Table:
    """Run one SQL statement (DataFusion's dialect) over the catalog, over files (`from 'my.csv'`) and over frames of your own.

    Frames are given by name and read where they stand, without a copy: ``query("select avg(x) from mine", mine=df)``. Anything with
    `__arrow_c_stream__` will do (pandas from 2.2, polars, pyarrow, duckdb), and columns by name.

    `items` is a table of answers to single items, made by ``anatomy catalog import-items``.
    """
    given = {name: _frame(table) for name, table in tables.items()}
    return _anatomy.query(sql, given or None, catalog, items)


def rows(table: Table) -> list[dict[str, Any]]:
    """The rows of a small table as dictionaries, without another library."""
    results, _, _ = _rows_of(table)
    return results


def _rows_of(table: Table) -> tuple[list[dict[str, Any]], list[str], int]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = _os.path.join(folder, "rows.parquet")
        _anatomy.write_parquet(table, path)
        quoted = path.replace("'", "''")
        results, _, _ = _anatomy.ask(["query", "--format=json", f"select * from '{quoted}'"])
    found = _json.loads(results or b"[]")
    return found, table.column_names, table.num_rows


def to_pandas(table: Any) -> Any:
    """A `pandas.DataFrame` of a table, through pyarrow. Columns of numbers that lack nothing and come in one piece are not copied: they
    are read-only views.
    """
    import pyarrow  # type: ignore[import-untyped]

    # A block a column: blocks of several are always copies.
    return pyarrow.table(table).to_pandas(split_blocks=True)


def sources(*, catalog: str | _os.PathLike[str] | None = None) -> dict[str, Any]:
    """Sources of the tables with their licences, and how many rows of each source are kept."""
    return _answer(["catalog", "sources"], {"catalog": catalog})


def report(
    out: str | _os.PathLike[str] = "anatomy-report",
    *,
    only: Sequence[str] | None = None,
    where: str | None = None,
    catalog: str | _os.PathLike[str] | None = None,
    probe: str | _os.PathLike[str] | None = None,
    resamples: int = 1000,
    seed: int = 42,
) -> dict[str, Any]:
    """Run the whole study: report.html, findings.json, figures/ and tables/ into the folder `out`. About a minute on two cores.

    `only` names sections, `where` is a SQL condition over `observations`, `probe` a folder of results of ``anatomy probe``. Returns the
    findings, as `findings.json` has them.
    """
    options = {
        "out": out,
        "only": only,
        "where": where,
        "catalog": catalog,
        "probe": probe,
        "resamples": resamples,
        "seed": seed,
    }
    return _answer(["report"], options)


def findings(
    *ids: str, catalog: str | _os.PathLike[str] | None = None, resamples: int = 1000, seed: int = 42
) -> dict[str, Any]:
    """Findings of the study whose ids begin so; all where none is named. At once from what is kept beside the catalog.

    Each has `id`, `question`, `value`, `unit`, `interval` (low, high, level, method), `n`, `method`, `protocol`, `seed`, `published` and
    `verdict` where a work printed the number, and `notes`.
    """
    return _answer(["findings"], {"catalog": catalog, "resamples": resamples, "seed": seed}, ids)


def predict(
    id: str | None = None,
    *,
    config: str | _os.PathLike[str] | Mapping[str, Any] | None = None,
    layers: int | None = None,
    d_model: int | None = None,
    d_ffn: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    vocab_size: int | None = None,
    sliding_window: int | None = None,
    experts: int | None = None,
    experts_per_token: int | None = None,
    family: str | None = None,
    date: str | None = None,
    pretrained: bool = False,
    merged: bool = False,
    benchmarks: Sequence[str] | None = None,
    context: Sequence[int] | None = None,
    engine: str | None = None,
    quant: str | None = None,
    cache_type: str | None = None,
    device: str | None = None,
    sweep: str | None = None,
    catalog: str | _os.PathLike[str] | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """What a structure would score and cost, and how sure that is.

    Give a checkpoint of the catalog (`id`), a `config` (path of a config.json, or its content), or `layers` and `d_model`.

    Each of ``scores`` has `value` in points with an `interval` that shall hold 80 % of checkpoints of shapes never seen (conformal over
    shapes), `coverage` as measured, `drivers` (exact Shapley values), `extrapolating`, and `measured` where a board measured it. Also
    ``parameters_total``, memory in bytes, decoding bounds in tokens per second, ``nearest`` known checkpoints. `docs/structural.md` says
    how it is made.
    """
    options = {
        "layers": layers,
        "d_model": d_model,
        "d_ffn": d_ffn,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
        "vocab_size": vocab_size,
        "sliding_window": sliding_window,
        "experts": experts,
        "experts_per_token": experts_per_token,
        "family": family,
        "date": date,
        "pretrained": pretrained,
        "merged": merged,
        "benchmarks": benchmarks,
        "context": context,
        "engine": engine,
        "quant": quant,
        "cache_type": cache_type,
        "device": device,
        "sweep": sweep,
        "catalog": catalog,
        "seed": seed,
    }
    standing = [] if id is None else [id]
    if isinstance(config, Mapping):
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = _os.path.join(folder, "config.json")
            with open(path, "w", encoding="utf-8") as file:
                _json.dump(config, file)
            return _answer(["predict"], {**options, "config": path}, standing)
    return _answer(["predict"], {**options, "config": config}, standing)


def recommend(
    *,
    memory: str | None = None,
    device: str | None = None,
    tasks: Sequence[str] | str | None = None,
    licenses: Sequence[str] | str | None = None,
    min_speed: float | None = None,
    context: int | None = None,
    quant: Sequence[str] | None = None,
    where: str | None = None,
    top: int = 20,
    catalog: str | _os.PathLike[str] | None = None,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Which checkpoint to take under a budget.

    ``answer`` says it in sentences; ``ranking`` has what was measured, all boards on one scale, ties as groups; ``predicted`` stands apart;
    ``excluded`` says what was left out and why.

    `memory` is text with a unit ("24GB"); without it the device's, and without a device this machine's. `min_speed` is tokens per second
    that the device's bound must allow. Other options of ``anatomy recommend`` may be given by their names (`cache_type="q8_0"` for
    ``--cache-type``).
    """
    given = {
        "memory": memory,
        "device": device,
        "task": tasks,
        "license": licenses,
        "min_speed": min_speed,
        "context": context,
        "quant": quant,
        "where": where,
        "top": top,
        "catalog": catalog,
        "seed": seed,
    }
    return _answer(["recommend"], {**given, **options})


def compare(
    *ids: str,
    baseline: str | _os.PathLike[str] | None = None,
    candidate: str | _os.PathLike[str] | None = None,
    context: Sequence[int] | None = None,
    device: str | None = None,
    catalog: str | _os.PathLike[str] | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """Two or more checkpoints of the catalog side by side; only between like runs a difference, and whether it is more than noise.

    Or two folders of your own evaluation results, item by item (`baseline`, `candidate`): ``worse`` names the benchmarks on which the
    candidate falls behind by more than noise (McNemar's exact test, Holm over benchmarks; differences in points with 95 % intervals by
    Tango's score method).
    """
    options = {
        "baseline": baseline,
        "candidate": candidate,
        "context": context,
        "device": device,
        "catalog": catalog,
        "seed": seed,
    }
    return _answer(["compare"], options, ids)


def regressions(
    data: Any = None,
    target: str | Sequence[str] = "mmlu",
    features: str | Sequence[str] | None = None,
    *,
    methods: Sequence[str] | None = None,
    protocol: str | Sequence[str] | None = None,
    folds: str | None = None,
    where: str | None = None,
    set: Mapping[str, Any] | None = None,
    resamples: int = 1000,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Fit regressions and say how well they predict rows they have not seen.

    `data` is a frame (pandas, polars, pyarrow, duckdb) or the path of a CSV or Parquet file; the catalog's rows where None. `target` and
    `features` name columns, `folds` a column that divides the rows. R² and errors (in the target's unit) come with 95 % intervals.
    """
    with _as_file(data) as path:
        given = {
            "data": path,
            "target": target,
            "features": features,
            "methods": methods,
            "protocol": protocol,
            "folds": folds,
            "where": where,
            "set": set,
            "resamples": resamples,
            "seed": seed,
        }
        return _answer(["study", "regressions"], {**given, **options})


def importance(
    data: Any = None,
    target: str | Sequence[str] = "mmlu",
    features: str | Sequence[str] | None = None,
    *,
    method: str = "random_forest",
    protocol: str | None = None,
    folds: str | None = None,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Which columns a regression leans on, in four ways that check each other: impurity, permutation, grouped permutation, Shapley values.

    Arguments as of :func:`regressions`. What no way can tell from noise is said to be so.
    """
    with _as_file(data) as path:
        given = {
            "data": path,
            "target": target,
            "features": features,
            "method": method,
            "protocol": protocol,
            "folds": folds,
            "seed": seed,
        }
        return _answer(["study", "importance"], {**given, **options})


def claims(
    *,
    work: str | None = None,
    statement: str | None = None,
    only: str | None = None,
    findings: str | _os.PathLike[str] | None = None,
    catalog: str | _os.PathLike[str] | None = None,
    seed: int = 42,
) -> dict[str, Any]:
    """Claims of works, each judged as the work made it and under a stricter reading. `work` and `statement` filter by text, `only` by verdict."""
    options = {
        "work": work,
        "statement": statement,
        "only": only,
        "findings": findings,
        "catalog": catalog,
        "seed": seed,
    }
    return _answer(["study", "claims"], options)


def items(
    path: str | _os.PathLike[str],
    *,
    pair: tuple[str, str] | None = None,
    subset: Any = None,
    where: str | None = None,
    draws: int = 199,
    false_alarms: float = 0.05,
    seed: int = 42,
) -> dict[str, Any]:
    """What answers to single items say: difficulty, discrimination, checkpoints that answer alike, items that may have been seen.

    `path` is a table made by ``anatomy catalog import-items``; `pair` names two checkpoints to compare on the items both answered; `subset` a
    frame or file with a column `item` of suspected items.
    """
    with _as_file(subset) as file:
        options = {
            "items": path,
            "pair": pair,
            "subset": file,
            "where": where,
            "draws": draws,
            "false_alarms": false_alarms,
            "seed": seed,
        }
        return _answer(["study", "items"], options)


def _texts(texts: Iterable[str] | str | _os.PathLike[str] | None, options: dict[str, Any], command: list[str]) -> dict[str, Any]:
    if texts is None or isinstance(texts, (str, _os.PathLike)):
        return _answer(command, {**options, "texts": texts})
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = _os.path.join(folder, "texts.txt")
        with open(path, "w", encoding="utf-8") as file:
            # One text a line.
            file.writelines(" ".join(text.split()) + "\n" for text in texts)
        return _answer(command, {**options, "texts": path})


def influence(
    model: str | _os.PathLike[str],
    texts: Iterable[str] | str | _os.PathLike[str] | None = None,
    *,
    corpus: str | Sequence[str] | None = None,
    max_block: int = 5,
    resamples: int = 1000,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Block Influence (Men et al. 2024) and angular distance (Gromov et al. 2024) of each layer of a checkpoint.

    `model` is a GGUF file, a folder of safetensors or a name on the Hub; `texts` a list, or a file with one text a line; or a `corpus` that
    comes along (plain, mathematical, archaic, code). Values are without unit, from 0 to 2 and 0 to 1, with intervals over texts.
    """
    given = {"model": model, "corpus": corpus, "max_block": max_block, "resamples": resamples, "seed": seed, **options}
    return _texts(texts, given, ["probe", "influence"])


def gradients(
    model: str | _os.PathLike[str],
    data: str | _os.PathLike[str] | Sequence[Mapping[str, str]] | None = None,
    *,
    corpus: str | Sequence[str] | None = None,
    per_sample: bool = False,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Spectra of the gradients of each layer's projections. `data` is a file of JSON lines with `prompt` and `response`, or a list of such."""
    given = {"model": model, "corpus": corpus, "per_sample": per_sample, "seed": seed, **options}
    if data is None or isinstance(data, (str, _os.PathLike)):
        return _answer(["probe", "gradients"], {**given, "data": data})
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = _os.path.join(folder, "data.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(_json.dumps(dict(line)) + "\n" for line in data)
        return _answer(["probe", "gradients"], {**given, "data": path})


def evaluate(
    model: str | _os.PathLike[str],
    tasks: str | Sequence[str],
    data: str | _os.PathLike[str],
    *,
    shots: int | None = None,
    limit: int | None = None,
    items: str | _os.PathLike[str] | None = None,
    against: str | _os.PathLike[str] | None = None,
    seed: int = 42,
    **options: Any,
) -> dict[str, Any]:
    """Score a checkpoint on benchmarks (arc_challenge, hellaswag, mmlu, truthfulqa, winogrande, gsm8k), as lm-evaluation-harness does.

    `data` holds a folder for each benchmark. Answers have the form the harness writes: accuracies from 0 to 1 with standard errors.
    """
    given = {
        "model": model,
        "tasks": tasks,
        "data": data,
        "shots": shots,
        "limit": limit,
        "items": items,
        "against": against,
        "seed": seed,
    }
    return _answer(["probe", "evaluate"], {**given, **options})


def __getattr__(name: str) -> Any:
    if name in ("Regression", "Structural"):
        from . import _estimators

        return getattr(_estimators, name)
    raise AttributeError(f"module 'anatomy' has no attribute {name!r}")
