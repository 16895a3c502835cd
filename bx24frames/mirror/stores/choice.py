"""Choice of a store by what a caller names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bx24frames.errors import ConfigError
from bx24frames.mirror.stores.protocol import Store

if TYPE_CHECKING:
    from typing import TypeAlias

    StoreLike: TypeAlias = "str | os.PathLike[str] | Store"

_STORES: Final = "Name 'crm.duckdb', a folder that ends in '/', or 'postgresql://user@host/database'."


def store_of(given: object) -> Store:
    """The store that is meant: a DuckDB file, a folder of Parquet files, a PostgreSQL address, or an object.

    Raises
    ------
    ConfigError
        It is none of these, or its library is not installed.
    """
    if isinstance(given, Store) and not isinstance(given, str | os.PathLike):
        return given
    if not isinstance(given, str | os.PathLike):
        raise ConfigError(
            f"store must be a DuckDB file, a folder, postgresql://… or an object with the methods of a Store, not "
            f"{type(given).__name__}"
        )
    path = os.fspath(given)
    if path.startswith(("postgresql://", "postgres://")):
        from bx24frames.mirror.stores.postgres import PostgresStore

        return PostgresStore(path)
    if "://" in path:
        raise ConfigError(
            f"store is an address that begins with {path.partition('://')[0]}://, and no such store is known",
            guidance=_STORES,
        )
    if os.path.isdir(path) or path.endswith(("/", os.sep)):  # noqa: PTH112  # pathlib raises below a closed folder
        from bx24frames.mirror.stores.parquet_folder import ParquetStore

        return ParquetStore(path)
    if Path(path).suffix.lower() in (".duckdb", ".db", ".ddb"):
        from bx24frames.mirror.stores.duckdb_file import DuckDBStore

        return DuckDBStore(path)
    raise ConfigError(
        f"store={path!r} is neither a DuckDB file (.duckdb) nor a folder",
        guidance=_STORES,
    )
