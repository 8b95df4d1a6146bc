"""The module as a user meets it, beside the program that the same wheel installs."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

import anatomy

PROGRAM = os.path.join(os.path.dirname(sys.executable), "anatomy")


def printed(*words: str) -> dict:
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            # A device by name: this machine's free memory is another at each call.
            lambda: anatomy.predict(layers=32, d_model=4096, benchmarks=["bbh", "math"], device="RTX 4090"),
            [
                *("predict", "--layers=32", "--d-model=4096", "--benchmarks=bbh,math", "--device=RTX 4090"),
                *("--seed=42", "--format=json"),
            ],
        ),
        (
            lambda: anatomy.recommend(memory="24GB", device="RTX 4090", tasks=["math"], top=3),
            [
                *("recommend", "--memory=24GB", "--device=RTX 4090", "--task=math", "--top=3"),
                *("--seed=42", "--format=json"),
            ],
        ),
        (
            lambda: anatomy.compare("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-14B"),
            ["compare", "--seed=42", "--format=json", "Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-14B"],
        ),
        (
            lambda: anatomy.findings("controlled."),
            ["findings", "--resamples=1000", "--seed=42", "--format=json", "controlled."],
        ),
        (lambda: anatomy.sources(), ["catalog", "sources", "--format=json"]),
    ],
)
def test_the_answer_is_the_commands_to_the_bit(ask, words):
    assert ask() == printed(*words)


def test_tables_leave_and_come_without_glue():
    pandas, polars, pyarrow, duckdb = map(pytest.importorskip, ("pandas", "polars", "pyarrow", "duckdb"))
    table = anatomy.query("select benchmark, count(*) as n from scores group by 1 order by 2 desc, 1 limit 5")
    wanted = pyarrow.table(table).to_pylist()
    assert [row["n"] for row in wanted] == sorted((row["n"] for row in wanted), reverse=True)
    assert polars.DataFrame(table).to_dicts() == wanted
    assert anatomy.to_pandas(table).to_dict("records") == wanted
    assert anatomy.rows(table) == wanted
    found = table
    relation = duckdb.sql("select * from found")
    assert [dict(zip(relation.columns, row)) for row in relation.fetchall()] == wanted

    columns = {"a": [1.5, 2.5, None], "b": ["x", "ü", "z"], "c": [1, 2, 3]}
    for frame in (pandas.DataFrame(columns), polars.DataFrame(columns), pyarrow.table(columns), relation.df(), columns):
        back = anatomy.query("select * from mine", mine=frame)
        assert back.num_rows == (5 if hasattr(frame, "columns") and "n" in list(frame.columns) else 3)
    joined = anatomy.query(
        "select mine.id, structures.layers from mine join structures using (id)",
        mine=polars.DataFrame({"id": ["Qwen/Qwen2.5-7B"]}),
    )
    assert anatomy.rows(joined) == [{"id": "Qwen/Qwen2.5-7B", "layers": 28}]


def test_a_million_rows_are_not_copied():
    """Columns come back where they stood, in one piece; `benches/python_memory.py` measures peaks."""
    pyarrow, polars = map(pytest.importorskip, ("pyarrow", "polars"))
    numpy = pytest.importorskip("numpy")
    n = 1_000_000
    mine = pyarrow.table({f"c{k}": numpy.arange(n, dtype=numpy.float64) + k for k in range(4)})

    def places(table):
        return [(chunk.buffers()[1].address, chunk.offset, len(chunk)) for column in table.columns for chunk in column.chunks]

    table = anatomy.query("select * from mine", mine=mine)
    assert places(pyarrow.table(table)) == places(mine)
    frame = anatomy.to_pandas(table)
    assert [frame[name].to_numpy().ctypes.data for name in frame] == [address for address, *_ in places(mine)]
    assert polars.DataFrame(table)["c3"][n - 1] == n + 2


def test_regressions_take_frames():
    polars = pytest.importorskip("polars")
    a = [float(n % 7) for n in range(60)]
    b = [float(n % 11) for n in range(60)]
    frame = polars.DataFrame({"a": a, "b": b, "score": [2 * x + y for x, y in zip(a, b)]})
    told = anatomy.regressions(
        frame, "score", ["a", "b"], methods=["linear"], protocol="random_folds", resamples=100
    )
    values = {finding["id"]: finding["value"] for finding in told["findings"]}
    assert any(id.endswith("r2") or ".r2" in id for id in values), values
    assert max(value for value in values.values() if value is not None and value <= 1) > 0.999


def test_errors_have_a_hint():
    with pytest.raises(anatomy.AnatomyError) as told:
        anatomy.compare("Qwen/Qwen2.5-7B", "Qwen/Qwen2.5-7C")
    assert "no checkpoint" in told.value.message and "did you mean" in told.value.hint
    with pytest.raises(anatomy.AnatomyError, match="lairs|layers"):
        anatomy.query("select lairs from structures")
    with pytest.raises(TypeError, match="is not a table"):
        anatomy.query("select * from mine", mine=3)


def test_other_threads_run_meanwhile():
    ticks = []
    stop = threading.Event()

    def tick():
        while not stop.wait(0.01):
            ticks.append(time.monotonic())

    other = threading.Thread(target=tick)
    other.start()
    began = time.monotonic()
    anatomy.regressions(None, "arc", "core", methods=["random_forest"], resamples=100)
    lasted = time.monotonic() - began
    stop.set()
    other.join()
    assert len(ticks) > 0.2 * lasted / 0.01, (len(ticks), lasted)


def test_ctrl_c_is_heard(tmp_path):
    # A shell's background job ignores the signal, and Python with it, unless it says otherwise.
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import anatomy
print("begun", flush=True)
anatomy.report("made")
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    assert child.stdout.readline() == "begun\n"
    time.sleep(1.0)
    child.send_signal(signal.SIGINT)
    _, told = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in told
    assert not list(tmp_path.rglob("*.*"))


def test_an_estimator_predicts_with_intervals():
    numpy = pytest.importorskip("numpy")
    rows = anatomy.query(
        "select layers, d_model, d_ffn, heads, size, value from observations where benchmark = 'mmlu' and layers is not null "
        "and d_model is not null and d_ffn is not null and heads is not null and size is not null"
    )
    table = numpy.array([[float(value) for value in row.values()] for row in anatomy.rows(rows)])
    X, y = table[:, :5], table[:, 5]
    estimator = anatomy.Structural(columns=["layers", "d_model", "d_ffn", "heads", "size"])
    values, low, high = estimator.fit(X, y).predict(X, return_interval=True)
    assert values.shape == y.shape and numpy.all(low < values) and numpy.all(values < high)
    assert numpy.corrcoef(values, y)[0, 1] > 0.5
    assert numpy.mean((low <= y) & (y <= high)) > 0.6


def test_scikit_learn_takes_the_regressions():
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    for method in ("linear", "ridge", "decision_tree", "random_forest"):
        # Twenty trees: the checks fit some forty times.
        settings = {"trees": 20} if method == "random_forest" else None
        checks.check_estimator(anatomy.Regression(method, settings))


def test_the_structural_estimator_passes_what_applies():
    """It needs its columns, above zero, which the checks' arrays do not have: what fits such arrays is refused for that reason alone."""
    checks = pytest.importorskip("sklearn.utils.estimator_checks")
    told = checks.check_estimator(anatomy.Structural(), on_fail=None)
    failed = {one["check_name"]: str(one["exception"]) for one in told if one["status"] == "failed"}
    assert sum(one["status"] == "passed" for one in told) >= 20
    for name, why in failed.items():
        assert "layers" in why or name == "check_positive_only_tag_during_fit", (name, why)


def test_a_fit_can_be_pickled():
    numpy = pytest.importorskip("numpy")
    X = numpy.random.default_rng(42).uniform(1, 100, (60, 4))
    y = X @ numpy.array([1.0, 2.0, 0.0, -1.0])
    for estimator in (anatomy.Structural(columns=["layers", "d_model", "d_ffn", "heads"]), anatomy.Regression()):
        fitted = estimator.fit(X, y)
        assert numpy.array_equal(pickle.loads(pickle.dumps(fitted)).predict(X), fitted.predict(X))
