"""DuckDB output: replace one table of a database file in a single transaction; other tables are left alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.files.cell_text import decoded

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["duckdb_is_there", "duckdb_table"]


def duckdb_is_there() -> None:
    """Raise `ConfigError` if the extra is not installed."""
    require("duckdb")


@contextlib.contextmanager
def duckdb_table(path: str, name: str) -> Iterator[Callable[[pa.Table], None]]:
    """Open a database file and yield a function that appends to the table, in one transaction.

    Raises
    ------
    ConfigError
        The file is not a DuckDB database, is in use, or cannot hold the rows.
    """
    import duckdb

    quoted = '"' + name.replace('"', '""') + '"'
    begun = False

    def append(table: pa.Table) -> None:
        nonlocal begun
        database.register("incoming", decoded(table))
        verb = f"INSERT INTO {quoted}" if begun else f"CREATE OR REPLACE TABLE {quoted} AS"
        database.execute(f"{verb} SELECT * FROM incoming")  # noqa: S608 (a name, quoted)
        database.unregister("incoming")
        begun = True

    try:
        with contextlib.closing(duckdb.connect(path)) as database:
            database.execute("BEGIN")
            yield append
            database.execute("COMMIT")
    except duckdb.Error as fault:
        raise ConfigError(f"{path}, table {name}: {fault}") from None
