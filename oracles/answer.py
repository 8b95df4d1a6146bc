"""Figures of statsmodels for least squares with HC3 errors and for mixed models by REML.

    python oracles/answer.py crates/study/src/statistics/fixtures

writes `robust.csv` and `mixed.csv` (the rows, made here from a fixed stream of numbers) and `answer.json` (what statsmodels
makes of them). Needs numpy, pandas and statsmodels.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf

SHAPES = [(256, 23), (256, 27), (256, 71), (256, 80), (384, 13), (384, 36), (512, 11), (512, 12), (512, 13), (512, 14),
          (512, 16), (768, 3), (768, 45), (1024, 28), (1280, 15), (1280, 36), (1536, 50), (1792, 7), (1792, 18),
          (2048, 27), (2560, 8), (3072, 12)]


def robust(folder, out):
    random = np.random.default_rng(23)
    table = pd.DataFrame(SHAPES, columns=["d_model", "layers"])
    size = np.log2(table.layers * 15.0 * table.d_model**2)
    size -= size.mean()
    depth = np.log2(table.layers) - np.log2(table.layers).mean()
    table["size"], table["size2"], table["depth"] = size, size**2, depth
    for name, slope in [("a", 0.5), ("b", 0.0), ("c", -1.0)]:
        noise = random.normal(size=len(table)) * (0.4 + 0.3 * np.abs(size))
        table[name] = 30 + 2.5 * size + 0.2 * size**2 + slope * depth + noise
    table.to_csv(folder / "robust.csv", index=False, float_format="%.17g")
    x = sm.add_constant(table[["size", "size2", "depth"]]).values
    for name in "abc":
        fit = sm.OLS(table[name].values, x).fit()
        hc3 = fit.get_robustcov_results("HC3", use_t=True)
        out[name] = {
            "coefficients": fit.params.tolist(),
            "classical": fit.bse.tolist(),
            "robust": hc3.bse.tolist(),
            "low": hc3.conf_int()[:, 0].tolist(),
            "high": hc3.conf_int()[:, 1].tolist(),
        }


def errors(table, groupings, variances, residual):
    """Errors of the fixed effects by generalised least squares at these variances (statsmodels' own are of another kind)."""
    x = sm.add_constant(table[["x", "z"]]).values
    v = residual * np.eye(len(table))
    for name, variance in zip(groupings, variances):
        v += variance * (table[name].values[:, None] == table[name].values[None, :])
    return np.sqrt(np.diag(np.linalg.inv(x.T @ np.linalg.solve(v, x)))).tolist()


def mixed(folder, out):
    random = np.random.default_rng(7)
    rows = []
    boards = random.normal(size=5) * 1.5
    for family in range(14):
        effect = random.normal() * 2.0
        for unit in range(int(random.integers(1, 5))):
            own = random.normal() * 1.0
            x = random.normal()
            for board in range(5):
                z = random.normal()
                y = 10 + boards[board] + 1.5 * x - 0.7 * z + effect + own + random.normal() * 0.8
                rows.append((family, family * 10 + unit, board, x, z, y))
    table = pd.DataFrame(rows, columns=["family", "unit", "board", "x", "z", "y"])
    table.to_csv(folder / "mixed.csv", index=False, float_format="%.17g")
    # Nested: family, and unit within it.
    fit = smf.mixedlm("y ~ x + z", table, groups="family", re_formula="1", vc_formula={"unit": "0 + C(unit)"}).fit(
        reml=True, method=["bfgs", "powell", "cg"], gtol=1e-10)
    out["nested"] = {
        "coefficients": fit.fe_params.tolist(),
        "errors": errors(table, ["family", "unit"], [float(fit.cov_re.iloc[0, 0]), float(fit.vcomp[0])], fit.scale),
        "variances": [float(fit.cov_re.iloc[0, 0]), float(fit.vcomp[0])],
        "residual": float(fit.scale),
    }
    # One row a unit: families alone.
    one = table[table.board == 0].reset_index(drop=True)
    fit = smf.mixedlm("y ~ x + z", one, groups="family").fit(reml=True, method=["bfgs", "powell", "cg"], gtol=1e-10)
    out["one_row_a_unit"] = {
        "coefficients": fit.fe_params.tolist(),
        "errors": errors(one, ["family"], [float(fit.cov_re.iloc[0, 0])], fit.scale),
        "variances": [float(fit.cov_re.iloc[0, 0])],
        "residual": float(fit.scale),
    }
    # Crossed: family and board, as components of one group that holds all rows.
    table["all"] = 1
    fit = smf.mixedlm("y ~ x + z", table, groups="all", re_formula="0",
                      vc_formula={"board": "0 + C(board)", "unit": "0 + C(unit)"}).fit(
        reml=True, method=["bfgs", "powell", "cg"], gtol=1e-10)
    order = list(fit.model.exog_vc.names)
    components = dict(zip(order, fit.vcomp.tolist()))
    out["crossed"] = {
        "coefficients": fit.fe_params.tolist(),
        "errors": errors(table, ["unit", "board"], [components["unit"], components["board"]], fit.scale),
        "variances": [components["unit"], components["board"]],
        "residual": float(fit.scale),
    }


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = {"robust": {}, "mixed": {}}
    robust(folder, found["robust"])
    mixed(folder, found["mixed"])
    (folder / "answer.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
