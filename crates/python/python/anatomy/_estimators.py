"""Regressions in scikit-learn's habits. numpy is needed; scikit-learn only to be taken by its tools (pipelines, cross_val_score)."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _anatomy

try:
    from sklearn.base import BaseEstimator, RegressorMixin  # type: ignore[import-untyped]
    from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped]

    _BASES: tuple[type, ...] = (RegressorMixin, BaseEstimator)
    _SKLEARN = True
except ImportError:
    _BASES = ()
    _SKLEARN = False


class _Fit:
    """A fit with what it was made of, so that it can be pickled: it is made anew from its rows, to the bit."""

    def __init__(self, *asked: Any) -> None:
        self._asked = asked
        self._made = _anatomy.fit(*asked)

    def __reduce__(self) -> tuple[type, tuple[Any, ...]]:
        return _Fit, self._asked

    def predict(self, columns: list[list[float]]) -> tuple[list[float], tuple[list[float], list[float]] | None]:
        return self._made.predict(columns)


class _Estimator(*_BASES):  # type: ignore[misc]
    """What both regressions share: columns by name where X has names, else x0, x1 …"""

    def _method(self) -> tuple[str, list[tuple[str, str]]]:
        raise NotImplementedError

    def _names(self, X: Any) -> list[str] | None:
        columns = getattr(X, "columns", None)
        return None if columns is None else [str(name) for name in columns]

    def fit(self, X: Any, y: Any) -> "_Estimator":
        """Fit `y`, (n_rows,), to `X`, (n_rows, n_features)."""
        names = self._names(X)
        if _SKLEARN:
            X, y = validate_data(self, X, y, y_numeric=True, dtype=np.float64)
        else:
            X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
            self.n_features_in_ = X.shape[1]
        self._columns = self._given(names, X.shape[1])
        method, settings = self._method()
        self.fit_ = _Fit(
            method, settings, self._columns, X.T.tolist(), np.asarray(y, dtype=np.float64).tolist(), self.seed,
            getattr(self, "level", 0.8),
        )
        return self

    def _given(self, names: list[str] | None, n: int) -> list[str]:
        return names or [f"x{place}" for place in range(n)]

    def _predicted(self, X: Any) -> Any:
        if _SKLEARN:
            check_is_fitted(self, "fit_")
            X = validate_data(self, X, reset=False, dtype=np.float64)
        else:
            X = np.asarray(X, dtype=np.float64)
        return self.fit_.predict(X.T.tolist())

    def predict(self, X: Any) -> np.ndarray:
        """Predictions, (n_rows,), in y's unit."""
        return np.asarray(self._predicted(X)[0])


class Regression(_Estimator):
    """A regression of the literature by name: random_forest, linear, ridge, lasso, knn, gradient_boosting, xgboost,
    decision_tree, svr, mlp. `settings` are those of ``anatomy study regressions --set``. The same seed gives the same bits.
    """

    def __init__(self, method: str = "random_forest", settings: dict[str, Any] | None = None, seed: int = 42) -> None:
        self.method = method
        self.settings = settings
        self.seed = seed

    def _method(self) -> tuple[str, list[tuple[str, str]]]:
        return self.method, [(key, str(value)) for key, value in (self.settings or {}).items()]


class Structural(_Estimator):
    """The structural regression: a Gaussian process over what a structure is made of, calibrated on shapes left out.

    `X` needs the columns `layers`, `d_model`, `d_ffn` and `heads`, all above zero; `size` (billions of parameters), `kv_heads`, `date` (days)
    and any other numbers help. An array without names takes them from `columns`. Intervals shall hold `level` of the rows of shapes
    never seen. See docs/structural.md.

    >>> Structural().fit(X, y).predict(X, return_interval=True)
    """

    def __init__(self, columns: list[str] | None = None, level: float = 0.8, seed: int = 42) -> None:
        self.columns = columns
        self.level = level
        self.seed = seed

    def _method(self) -> tuple[str, list[tuple[str, str]]]:
        return "structural", []

    def _given(self, names: list[str] | None, n: int) -> list[str]:
        return self.columns or super()._given(names, n)

    def predict(self, X: Any, return_interval: bool = False) -> Any:
        """Predictions, (n_rows,); with `return_interval` also lower and upper ends, (n_rows,) each, NaN where fewer shapes were seen
        than intervals need.
        """
        values, ends = self._predicted(X)
        values = np.asarray(values)
        if not return_interval:
            return values
        low, high = (np.full(len(values), np.nan),) * 2 if ends is None else map(np.asarray, ends)
        return values, low, high
