"""Fits scikit-learn's forest on the very rows and folds of a report, and compares R² and impurity importances.

    python -m venv .venv && .venv/bin/pip install numpy pandas scikit-learn
    .venv/bin/python oracles/report_forest.py anatomy-report

Exit status 1 when a figure differs by more than 0.02 (both fit 100 trees from different random numbers).
"""

import json
import pathlib
import re
import sys

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score

TOLERANCE = 0.02
FEATURES = ["size", "d_model", "d_ffn", "heads", "layers", "kv_heads", "vocab_size", "pos", "date"]


def out_of_fold_r2(features, score, fold, seed):
    predicted = np.full(len(score), np.nan)
    for number in sorted(set(fold) - {-1}):
        test = fold == number
        forest = RandomForestRegressor(n_estimators=100, random_state=seed, n_jobs=-1)
        predicted[test] = forest.fit(features[~test], score[~test]).predict(features[test])
    tested = fold >= 0
    return r2_score(score[tested], predicted[tested])


def main(folder, seeds=3):
    findings = {f["id"]: f["value"] for f in json.loads((folder / "findings.json").read_text())["findings"]}
    worst = 0.0
    for path in sorted((folder / "tables").glob("regression-rows-*.csv")):
        benchmark = path.stem.removeprefix("regression-rows-")
        rows = pd.read_csv(path)
        features, score = rows[FEATURES].to_numpy(), rows["score"].to_numpy()
        for protocol in ("random_split", "structure_out"):
            # One forest on each split where there are several, else one of each seed on the same folds.
            names = [name for name in rows.columns if re.fullmatch(rf"fold_{protocol}(_\d+)?", name)]
            names = names if len(names) > 1 else names * seeds
            folds = [rows[name].to_numpy().astype(int) for name in names]
            theirs = np.mean([out_of_fold_r2(features, score, fold, seed) for seed, fold in enumerate(folds)])
            ours = findings[f"regression.r2.structure_date.{protocol}.random_forest.{benchmark}"]
            worst = max(worst, abs(ours - theirs))
            print(f"{benchmark:<12} {protocol:<14} R² ours {ours:.4f}  scikit-learn {theirs:.4f}  {ours - theirs:+.4f}")
        importance = np.mean(
            [
                RandomForestRegressor(n_estimators=100, random_state=seed, n_jobs=-1).fit(features, score).feature_importances_
                for seed in range(seeds)
            ],
            axis=0,
        )
        ours = np.array([findings[f"importance.mdi.structure_date.{benchmark}.{name}"] for name in FEATURES])
        worst = max(worst, np.abs(ours - importance).max())
        print(f"{benchmark:<12} importances: largest difference {np.abs(ours - importance).max():.4f}")
    print(f"largest difference {worst:.4f}, allowed {TOLERANCE}")
    return 0 if worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "anatomy-report")))
