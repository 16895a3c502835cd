"""Optional libraries: what each is needed for, and the error where one is not installed."""

from __future__ import annotations

from typing import Final

from bx24frames.errors import ConfigError

__all__ = ["require"]

_NEEDED: Final = {
    "dlt": ("The source for dlt needs", "dlt"),
    "duckdb": ("DuckDB files need", "duckdb"),
    "mimesis": ("The sandbox needs", "sandbox"),
    "openpyxl": ("Excel files need", "excel"),
    "pandas": ("pandas frames need", "pandas"),
    "pandera": ("Schemas need", "pandera"),
    "pyspark": ("The Spark connector needs", "spark"),
    "polars": ("polars frames and scans need", "polars"),
    "qs_codec": ("The sandbox needs", "sandbox"),
    "redis": ("Budgets in a Redis server need", "redis"),
    "typer": ("The command line needs", "cli"),
}
"""By library: the beginning of the message, and the extra that installs it."""
_DISTRIBUTIONS: Final = ("bx24frames-slim", "bx24frames")


def require(*libraries: str) -> None:
    """Check that libraries are installed, without importing them.

    Raises
    ------
    ConfigError
        One of them is not; the guidance is the command that installs it.
    """
    for library in libraries:
        if not _installed(library):
            purpose, extra = _NEEDED[library]
            raise ConfigError(
                f"{purpose} the package {library.replace('_', '-')}", guidance=f"pip install {_wanted(library, extra)}"
            )


def _installed(library: str) -> bool:
    import sys
    from importlib.util import find_spec

    if library in sys.modules:
        return sys.modules[library] is not None
    try:
        return find_spec(library) is not None
    except ImportError:
        return False


def _wanted(library: str, extra: str) -> str:
    """The requirement that installs a library: an extra of the installed distribution, or the library itself."""
    from importlib.metadata import PackageNotFoundError, metadata

    for name in _DISTRIBUTIONS:
        try:
            known = metadata(name).get_all("Provides-Extra") or []
        except PackageNotFoundError:
            continue
        if extra in known:
            return f"'{name}[{extra}]'"
    return library.replace("_", "-")
