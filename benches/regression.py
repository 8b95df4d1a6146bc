#!/usr/bin/env python3
"""Ratios of speed against scikit-learn, xgboost and shap, in one run on this machine.

Installs them from PyPI into a venv of its own (build/bench-venv), builds the Rust side (the example `bench` of the crate
`study`), runs both on the same rows and folds, and prints a table: wall and user CPU seconds of fit and predict over
all folds, the fastest of the repeats, and the ratio of the walls. Rows: ../shared/oracles/regression.

    python3 benches/regression.py [--rows FOLDER] [--folds p1|p2|p3] [--repeats 3] [--profile release|dev]
"""

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VENV = ROOT / "build" / "bench-venv"


def inside_venv():
    if os.environ.get("ANATOMY_BENCH_VENV"):
        return
    python = VENV / "bin" / "python"
    if not python.exists():
        subprocess.check_call([sys.executable, "-m", "venv", str(VENV)])
        packages = ["scikit-learn", "xgboost", "shap", "pandas"]
        subprocess.check_call([str(python), "-m", "pip", "install", "-q", *packages])
    environment = dict(os.environ, ANATOMY_BENCH_VENV="1", PYTHONWARNINGS="ignore")
    os.execve(str(python), [str(python), *sys.argv], environment)


def references():
    from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
    from sklearn.linear_model import Lasso, LinearRegression, Ridge
    from sklearn.neighbors import KNeighborsRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR
    from sklearn.tree import DecisionTreeRegressor
    from xgboost import XGBRegressor

    def scaled(regressor):
        return make_pipeline(StandardScaler(), regressor)

    return {
        "random_forest": lambda: RandomForestRegressor(n_estimators=100, n_jobs=2, random_state=0),
        "linear": LinearRegression,
        "decision_tree": lambda: DecisionTreeRegressor(random_state=0),
        "svr": lambda: scaled(SVR(C=1, epsilon=0.1)),
        "ridge": lambda: Ridge(alpha=1.0),
        "lasso": lambda: Lasso(alpha=0.1, max_iter=1000),
        "knn": lambda: KNeighborsRegressor(5, n_jobs=2),
        "gradient_boosting": lambda: GradientBoostingRegressor(random_state=0),
        "xgboost": lambda: XGBRegressor(
            n_estimators=100, learning_rate=0.1, max_depth=6, tree_method="hist", n_jobs=2
        ),
        "mlp": lambda: scaled(MLPRegressor(hidden_layer_sizes=(32, 64, 32), max_iter=100, random_state=0)),
    }


def cpu():
    return resource.getrusage(resource.RUSAGE_SELF).ru_utime


def fastest(work, repeats):
    wall = user = float("inf")
    for _ in range(repeats):
        start, before = time.perf_counter(), cpu()
        work()
        wall = min(wall, time.perf_counter() - start)
        user = min(user, cpu() - before)
    return wall, user


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rows", default=str(ROOT.parent / "shared" / "oracles" / "regression" / "MMLU_A"))
    options.add_argument("--folds", default="p2")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--profile", default="release")
    chosen = options.parse_args()
    rows = pathlib.Path(chosen.rows)
    if not rows.is_dir():
        print(f"skipped: {rows} is not here")
        return
    inside_venv()
    import numpy
    import pandas
    import shap
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.metrics import r2_score

    build = ["cargo", "build", "-q", "-p", "study", "--example", "bench", "--profile", chosen.profile]
    subprocess.check_call(build, cwd=ROOT)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    program = target / ("debug" if chosen.profile == "dev" else chosen.profile) / "examples" / "bench"
    files = [str(rows / "X.csv"), str(rows / "y.csv"), f"{rows / 'folds.csv'}:{chosen.folds}"]
    output = subprocess.check_output([str(program), *files, "1", str(chosen.repeats), "all", "shap"])
    ours = {line["method"]: line for line in map(json.loads, output.decode().splitlines())}

    x = pandas.read_csv(rows / "X.csv").to_numpy()
    y = pandas.read_csv(rows / "y.csv").to_numpy()[:, 0]
    fold = pandas.read_csv(rows / "folds.csv")[chosen.folds].to_numpy()
    print(f"{len(y)} rows x {x.shape[1]} columns, folds {chosen.folds}; seconds for all folds")
    print(f"{'method':18} {'ours':>8} {'user':>7} {'theirs':>8} {'user':>7} {'ratio':>6}  R2 ours, theirs")

    def line(method, theirs, note):
        our = ours[method]
        ratio = theirs[0] / our["wall"]
        numbers = f"{our['wall']:8.3f} {our['user']:7.2f} {theirs[0]:8.3f} {theirs[1]:7.2f} {ratio:6.1f}"
        print(f"{method:18} {numbers}  {note}", flush=True)

    tested = fold >= 0
    for method, make in references().items():
        predicted = numpy.full(len(y), numpy.nan)

        def work():
            for k in range(fold.max() + 1):
                test = fold == k
                predicted[test] = make().fit(x[~test], y[~test]).predict(x[test])

        theirs = fastest(work, chosen.repeats)
        r2 = r2_score(y[tested], predicted[tested])
        line(method, theirs, f"{ours[method]['r2'][0]:.4f}, {r2:.4f}")

    forest = RandomForestRegressor(n_estimators=20, max_depth=8, random_state=0).fit(x, y)
    explainer = shap.TreeExplainer(forest)
    theirs = fastest(lambda: explainer.shap_values(x[:500], check_additivity=False), chosen.repeats)
    line("shap", theirs, "forest of 20 trees of depth 8, first 500 rows")


if __name__ == "__main__":
    main()
