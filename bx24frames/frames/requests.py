"""Requests of the functions that return or take frames: libraries, dtypes, index, pandera schemas, reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from bx24frames.arguments import ArgumentRule, Checked, anything, keyword, one_of, whole_number
from bx24frames.errors import ConfigError
from bx24frames.extras import require
from bx24frames.frames.accept import PandasSource, PolarsSource, accept
from bx24frames.frames.give import BACKENDS, DTYPE_BACKENDS, arrow_types
from bx24frames.frames.ids import ids_of
from bx24frames.frames.report import WriteReport
from bx24frames.frames.schema import pandera_check
from bx24frames.options import Backend, DtypeBackend
from bx24frames.scan.request import CHUNK_ROWS, ReadRequest
from bx24frames.upload.deletion import DeleteRequest
from bx24frames.upload.request import WriteRequest
from bx24frames.upload.source import ArrowSource, Replaced

if TYPE_CHECKING:
    from bx24frames.entities.schema import Entity
    from bx24frames.upload.source import Source

_library: ArgumentRule = one_of(*BACKENDS)


def backend_of(name: str, value: object) -> Backend:
    """Accept the name of a dataframe library, or None for pandas."""
    backend = cast("Backend", _library(name, "pandas" if value is None else value))
    if backend != "pyarrow":
        require(backend)
    return backend


def _dtypes(name: str, value: object) -> object:
    if value is not None and value not in DTYPE_BACKENDS:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, DTYPE_BACKENDS))}, not {value!r:.80}")
    return value


def _index(name: str, value: object) -> str | list[str] | None:
    if value is None or isinstance(value, str):
        return value
    levels = list(value) if isinstance(value, Sequence) else []
    if not levels or not all(isinstance(level, str) for level in levels) or len(set(levels)) < len(levels):
        raise ConfigError(f"{name} must be a column or a list of distinct columns, not {value!r:.80}")
    return levels


_BACKEND_ROW: Final = (
    backend_of,
    '{"pandas", "polars", "pyarrow"}, optional',
    "Library of the result. Default: pandas.",
)
_OF_CSV: Final = "Of a CSV file. Default: detected among ``; , tab`` and UTF-8, UTF-16, Windows-1251."


@dataclass(frozen=True, slots=True)
class FrameRead(ReadRequest):
    """The arguments of a read into frames."""

    backend: Backend = keyword("pandas", *_BACKEND_ROW)
    dtype_backend: DtypeBackend | None = keyword(
        None,
        _dtypes,
        '{"pyarrow", "numpy_nullable"}, optional',
        "pandas only. Default: int64 for ids, Int64 for other integers, datetime64[us, UTC] for times.",
    )
    index: str | Sequence[str] | None = keyword(
        None, _index, "str or sequence of str, optional", "pandas only: columns to use as the index."
    )
    chunk_size: int = keyword(
        CHUNK_ROWS,
        whole_number(1, "a number of rows of at least 1"),
        "int",
        "Rows per frame; the last one may have fewer. If no row matches, there is one empty, typed frame.",
    )

    def __post_init__(self) -> None:
        _replace(self, "schema", pandera_check)
        _replace(self, "schema_overrides", arrow_types)
        ReadRequest.__post_init__(self)
        if self.columns is not None and not self.columns:
            raise ConfigError("columns is empty", guidance="Leave it out for all columns, or use count_entity().")
        for name in ("dtype_backend", "index"):
            value: object = getattr(self, name)
            if value is not None and self.backend != "pandas":
                raise ValueError(f"{name}={value!r} needs backend='pandas', not {self.backend!r}")


@dataclass(frozen=True, slots=True)
class FileRead(Checked):
    """The arguments of a read of a file into a frame."""

    mapping: Mapping[str, str | None] | None = keyword(
        None,
        anything,
        "mapping of str to str or None, optional",
        "With `entity`: the field, by code or title, of a heading; None leaves the column out.",
    )
    sep: str | None = keyword(None, anything, "str, optional", _OF_CSV)
    encoding: str | None = keyword(None, anything, "str, optional", _OF_CSV)
    header: int | None = keyword(
        None,
        anything,
        "int, optional",
        "Row of the heading, from 1. Default: detected; titles above it are left out.",
    )
    sheet: str | None = keyword(
        None, anything, "str, optional", "Name of the sheet of a workbook. Default: the first visible one."
    )
    timezone: str | None = keyword(
        None,
        anything,
        "str, optional",
        "With `entity`: time zone (IANA name) of times that name none. Default: that of the portal.",
    )
    backend: Backend = keyword("pandas", *_BACKEND_ROW)


@dataclass(frozen=True, slots=True)
class FrameWrite(WriteRequest):
    """The arguments of an upload of a frame, which `source` is at first."""

    def __post_init__(self) -> None:
        _replace(self, "source", _accepted)
        _replace(self, "schema", pandera_check)
        _name_journal(self)
        WriteRequest.__post_init__(self)


@dataclass(frozen=True, slots=True)
class FrameDelete(DeleteRequest):
    """The arguments of a deletion; `ids` is at first a list, a column, a frame or a report."""

    def __post_init__(self) -> None:
        _replace(self, "ids", _ids)
        _name_journal(self)
        DeleteRequest.__post_init__(self)


def _replace(request: Checked, name: str, convert: Callable[..., object]) -> None:
    object.__setattr__(request, name, convert(getattr(request, name)))


def _accepted(given: object) -> Source:
    return given if isinstance(given, PandasSource | PolarsSource | ArrowSource | Replaced) else accept(given)


def _ids(given: object) -> Callable[[Entity], list[int | str]]:
    return given if isinstance(given, partial) else partial(ids_of, given)


def _name_journal(request: WriteRequest | DeleteRequest) -> None:
    """Replace a report by the path of its journal; a dry run needs none.

    Raises
    ------
    ConfigError
        The report has no journal, or its journal no longer exists.
    """
    given: object = request.resume
    if isinstance(given, WriteReport):
        object.__setattr__(request, "resume", None if request.dry_run is True else _journal_of(given, request.entity))


def _journal_of(report: WriteReport, entity: str) -> Path:
    if report.journal is None:
        raise ConfigError(
            "resume: the report has no journal, because nothing of its upload was recorded", entity=entity
        )
    if not report.journal.exists():
        raise ConfigError(
            f"The journal of the report no longer exists: {report.journal}. It recorded which rows were sent",
            entity=entity,
            guidance="Write only report.rows(frame, 'failed', 'skipped'); look for unknown rows in the portal.",
        )
    return report.journal
