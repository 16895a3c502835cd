"""Coercion of a user's frame to an Arrow table with the types that the portal's fields need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bx24frames.entities.faults import Fault
from bx24frames.errors import ConfigError
from bx24frames.upload.coerce import cells
from bx24frames.upload.coerce.columns import cast_column, family, plain_type
from bx24frames.upload.coerce.nested import lists, structs
from bx24frames.upload.coerce.times import calendar, moment

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray
    from bx24frames.upload.source import Raw, Source

    Bad: TypeAlias = tuple[int, str, str]

__all__ = ["Narrowed", "to_arrow"]

QUOTED_CHARACTERS: Final = 80
"""Characters of a bad value quoted in a fault."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """A coerced frame: `table` has the target types, null where a cell is at fault.

    `faults`: one per cell that does not fit, by column, then by position. `rows`: number of rows of the frame.
    """

    table: pa.Table
    rows: int
    faults: tuple[Fault, ...] = field(default=())


def to_arrow(source: Source, *, target: Mapping[str, pa.DataType], timezone: str | None = None) -> Narrowed:
    """Coerce the columns of a frame to their target types, without loss or with a fault for the cell.

    Columns and named index levels not in `target` are left out, in the frame's order; the caller must handle names of
    `target` that the frame lacks.

    Parameters
    ----------
    source : Source
    target : mapping of str to pyarrow.DataType
        Arrow type by column or index level; a dictionary type means the type of its values.
    timezone : str, optional
        IANA name of the time zone for naive datetimes.

    Returns
    -------
    Narrowed
        NaN, NaT, None and `pandas.NA` become null, and so does blank text except in text columns.

    Raises
    ------
    ConfigError
        An unknown `timezone`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from bx24frames.upload.source import ArrowSource
    >>> frame = ArrowSource(pa.table({"id": ["38", "3.5"]}))
    >>> done = to_arrow(frame, target={"id": pa.int64()})
    >>> done.table["id"].to_pylist(), done.faults[0].reason
    ([38, None], 'not a whole number')
    """
    import pyarrow as pa

    zone = _zone(timezone)
    names = [name for name in (*source.columns, *source.levels) if name in target]
    columns, faults = [], []
    for name in names:
        column, found = _narrow(source.column(name), plain_type(target[name]), zone)
        columns.append(column)
        faults += [Fault(position, name, value, reason) for position, value, reason in found]
    return Narrowed(pa.table(columns, names=names), source.rows, tuple(faults))


def _zone(timezone: str | None) -> ZoneInfo | None:
    try:
        return None if timezone is None else ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise ConfigError(f"timezone must be an IANA name such as 'Europe/Moscow', not {timezone!r}") from None


def _narrow(raw: Raw, target: pa.DataType, zone: ZoneInfo | None) -> tuple[AnyArray, list[Bad]]:
    if isinstance(raw, list):
        return _by_cell(raw, target, zone)
    column = _settle(raw)
    whole = cast_column(_blank_to_null(column, target), target, zone)
    return _by_cell(column.to_pylist(), target, zone) if whole is None else (whole, [])


def _settle(raw: AnyArray | AnyChunkedArray) -> AnyArray:
    """One array of a plain type, NaN made null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = raw.combine_chunks() if isinstance(raw, pa.ChunkedArray) else raw
    column = whole.cast(plain_type(whole.type))
    if family(column.type) != "float":
        return column
    finite: AnyArray = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    return finite


def _blank_to_null(column: AnyArray, target: pa.DataType) -> AnyArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if family(column.type) != "text" or family(target) == "text":
        return column
    trimmed = pc.utf8_trim_whitespace(column)
    filled: AnyArray = pc.if_else(pc.equal(trimmed, pa.scalar("")), pa.scalar(None, pa.string()), trimmed)
    return filled


def _by_cell(values: Sequence[object], target: pa.DataType, zone: ZoneInfo | None) -> tuple[AnyArray, list[Bad]]:
    import pyarrow as pa

    read = reader(target, zone)
    keeps_blank = family(target) == "text"
    good: list[object] = []
    bad: list[Bad] = []
    for position, value in enumerate(values):
        if cells.is_null(value) or (isinstance(value, str) and not keeps_blank and not value.strip()):
            good.append(None)
            continue
        try:
            good.append(read(cells.python_value(value)))
        except cells.BadCell as unfit:
            good.append(None)
            bad.append((position, _shown(value), str(unfit)))
    return pa.array(good, target), bad


def _shown(value: object) -> str:
    written = str(value)
    return written if len(written) <= QUOTED_CHARACTERS else f"{written[: QUOTED_CHARACTERS - 1]}…"


def reader(kind: pa.DataType, zone: ZoneInfo | None) -> cells.Read:
    """Choose the reader for cells of a target type; lists and structs choose readers for their parts.

    Raises
    ------
    ConfigError
        If no field of the portal has the type.
    """
    choose = partial(reader, zone=zone)
    factories: Mapping[str, Callable[[pa.DataType], cells.Read]] = {
        "integer": cells.whole,
        "float": cells.double,
        "decimal": cells.amount,
        "bool": cells.truth,
        "text": cells.text,
        "date": calendar,
        "moment": partial(moment, zone=zone),
        "list": partial(lists, choose=choose),
        "struct": partial(structs, choose=choose),
    }
    factory = factories.get(family(kind))
    if factory is None:
        raise ConfigError(f"No field of a portal is written as {kind}")
    return factory(kind)
