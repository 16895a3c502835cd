"""Signatures of the public functions: their keyword arguments for type checkers, and docstrings made from the rows.

A parameter is spelled in three places: its entry in a `TypedDict` here, from which type checkers and editors know it;
its row in a request (`bx24frames.arguments`), from which its default, check and documentation come; and its use.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from inspect import Parameter, cleandoc, signature
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, Required, TypedDict, TypeVar

from bx24frames.arguments import Accepted, Checked, row_of
from bx24frames.options import Automation, DtypeBackend, Mode, Nulls, OnError, Progress

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl
    import pyarrow as pa

    from bx24frames.reports import Report
    from bx24frames.scan.order import OrderBy
    from bx24frames.scan.request import Labels, Moment
    from bx24frames.where.filters import Filters

_Verb = TypeVar("_Verb", bound=Callable[..., object])


class LazyOptions(TypedDict, total=False):
    """Keyword arguments that `scan_entity` shares with the other reads; `read_entity` describes them."""

    filters: Filters | None
    timezone: str | None
    schema_overrides: Mapping[str, pa.DataType | pl.DataType | type[pl.DataType]] | None


class ScanOptions(LazyOptions, total=False):
    """Keyword arguments of `Portal.scan`; `read_entity` describes them."""

    columns: Sequence[str] | None
    changed_since: Moment | None
    on_bad_value: Literal["raise", "null"]


class ReadOptions(ScanOptions, total=False):
    """Keyword arguments of `read_entity` besides the entity, the portal and the backend."""

    order_by: OrderBy | None
    limit: int | None
    dtype_backend: DtypeBackend | None
    labels: Labels
    titles: bool
    index: str | Sequence[str] | None
    schema: object
    missing_columns: Literal["raise", "insert"]
    progress: Progress
    type_conflicts: Literal["raise", "text"]
    portals_at_once: int


class ChunkOptions(ReadOptions, total=False):
    """Keyword arguments of `iter_entity` besides the entity, the portal and the backend."""

    chunk_size: int


class FileOptions(TypedDict, total=False):
    """Keyword arguments of `read_file` besides the backend."""

    mapping: Mapping[str, str | None] | None
    sep: str | None
    encoding: str | None
    header: int | None
    sheet: str | None
    timezone: str | None


class DeleteOptions(TypedDict, total=False):
    """Keyword arguments of `delete_entity`; `write_entity` describes them."""

    on_error: OnError
    dry_run: bool
    resume: str | Path | Report | Literal[False] | None
    progress: Progress


class WriteOptions(DeleteOptions, total=False):
    """Keyword arguments of `write_entity`."""

    mode: Required[Mode]
    on: str | Sequence[str] | None
    columns: Sequence[str] | None
    mapping: Mapping[str, str | None] | None
    nulls: Nulls
    extra_columns: Literal["raise", "ignore"]
    schema: object
    timezone: str | None
    automation: Automation
    only_changed: bool
    rows_per_request: int | Literal["auto"]


def takes(request: type[Checked], options: type) -> Callable[[_Verb], _Verb]:
    """Give a function the keyword arguments `options` of a request, in place of ``**options``.

    They are in the order of the request, with its defaults, in the signature and where the docstring says so, so that
    `help`, notebooks and editors at run time show what type checkers read from `options`.
    """

    rows = {one.name: (one.default, row) for one in fields(request) if (row := row_of(one)) is not None}
    typed: dict[str, object] = options.__annotations__

    def made(name: str) -> Parameter:
        default = Parameter.empty if rows[name][0] is MISSING else rows[name][0]
        return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=_spelled(typed[name]))

    def decorated(verb: _Verb) -> _Verb:
        written = signature(verb)
        named = {one.name: one for one in written.parameters.values() if one.kind is Parameter.KEYWORD_ONLY}
        first = [one for one in written.parameters.values() if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
        collected = [named.get(name) or made(name) for name in rows if name in named or name in typed]
        last = [one for name, one in named.items() if name not in rows]
        shown = written.replace(parameters=[*first, *collected, *last])
        verb.__signature__ = shown  # type: ignore[attr-defined]  # PEP 362
        verb.__doc__ = _filled(verb.__doc__ or "", {one.name: rows[one.name][1] for one in collected})
        return verb

    return decorated


def _spelled(annotation: object) -> object:
    """An annotation as written; a `TypedDict` wraps it."""
    text = getattr(annotation, "__forward_arg__", annotation)
    if isinstance(text, str) and text.startswith("Required["):
        return text.removeprefix("Required[").removesuffix("]")
    return text


def _filled(doc: str, rows: Mapping[str, Accepted]) -> str:
    """Put the shared texts into a docstring, in place of the lines that name them."""
    described = "\n".join(_section(list(group)) for _, group in groupby(rows.items(), key=lambda item: item[1].text))
    doc = f"{cleandoc(doc)}\n"
    for line, text in {**_TEXTS, OPTIONS: described}.items():
        doc = doc.replace(f"\n{line}\n", f"\n{text}\n")
    return doc.strip()


def _section(rows: list[tuple[str, Accepted]]) -> str:
    """The lines of a parameter, or of several that have the same text."""
    heading = ", ".join(name for name, _ in rows)
    row = rows[0][1]
    return f"{heading}\n{_wrapped(row.text)}" if len(rows) > 1 else f"{heading} : {row.types}\n{_wrapped(row.text)}"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT, break_on_hyphens=False)


_WIDTH: Final = 116
_INDENT: Final = " " * 4

OPTIONS: Final = "The keyword arguments of `options`."
"""The line of a docstring that is replaced by the rows; editors, which do not run the package, show it as it is."""

_ENTITY_AND_PORTAL: Final = """entity : str
    Name of an entity: ``"deal"``, ``"contact"``, ``"item:1036"``, a smart process by code or title, ``"crm.deal"``
    (classic), ...; see `list_entities`.
portal : str, Portal or sequence of these, optional
    An address, a profile name, ``"sandbox"`` or a `Portal`. Default: ``BX24_WEBHOOK``, then the default profile. Of
    several portals, the rows begin with a column ``portal``, the portal's host."""

_READ_ERRORS: Final = """UnknownEntity, UnknownColumn, FilterError, ConfigError
    An argument is invalid; raised before any row is requested.
ValidationError
    The rows do not fit `schema`; ``.failures`` lists every invalid cell.
DecodeError
    A value does not fit the type of its field.
PortalError, ResponseError, TransportError
    The read failed; a partial frame is never returned.
PortalsError
    Some of several portals failed: ``.failures`` has the error of each, ``.frame`` the rows of the others."""

_TEXTS: Final = {"The entity and the portal.": _ENTITY_AND_PORTAL, "The errors of a read.": _READ_ERRORS}
