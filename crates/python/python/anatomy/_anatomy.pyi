"""What the module stands on, in Rust."""

from collections.abc import Callable
from os import PathLike
from typing import Any, final

__all__ = ["Regressed", "Table", "__version__", "ask", "fit", "main", "query", "write_parquet"]
__version__: str

@final
class Table:
    """A table: columns of one length. pandas, polars, pyarrow and duckdb take it as it is, without a copy.

    `polars.DataFrame(table)`, `pyarrow.table(table)`, `pandas.DataFrame.from_arrow(table)` (pandas 3),
    `duckdb.sql("select * from found")` (a variable of that name), or `anatomy.to_pandas(table)`.
    """

    @property
    def column_names(self) -> list[str]:
        """Names of the columns."""
    @property
    def num_rows(self) -> int:
        """Rows."""
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as a stream of Arrow; may be asked for more than once."""
    def __arrow_c_schema__(self) -> object:
        """The columns' types."""

def ask(
    words: list[str], progress: Callable[[str, int, int], object] | None = None
) -> tuple[bytes, list[str], bool]:
    """Answer the command that these words would type: its output, what it said besides, and whether it found anything."""

def main(words: list[str], program: str | PathLike[str]) -> int:
    """The command line; `words` begin with the program's name. The exit status."""

def query(
    sql: str,
    tables: dict[str, Any] | None = None,
    catalog: str | PathLike[str] | None = None,
    items: str | PathLike[str] | None = None,
) -> Table:
    """Run one SQL statement."""

def write_parquet(table: Any, path: str | PathLike[str]) -> None:
    """Write anything with `__arrow_c_stream__` to a Parquet file."""

@final
class Regressed:
    """A regression fitted to rows."""

    def predict(self, columns: list[list[float]]) -> tuple[list[float], tuple[list[float], list[float]] | None]:
        """Predictions of `columns`, (n_features, n_rows), and ends of intervals."""

def fit(
    method: str,
    settings: list[tuple[str, str]],
    names: list[str],
    columns: list[list[float]],
    target: list[float],
    seed: int,
    level: float,
) -> Regressed:
    """Fit a method to `columns`, (n_features, n_rows), and `target`, (n_rows,)."""
