"""Sheet cells: the columns of a table as a sheet holds them, without lists, structs, dictionaries and time zones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias, cast
from zoneinfo import ZoneInfo

from bx24frames.files.cell_text import decoded, file_text, json_bytes, list_text, moment_text, money_text
from bx24frames.files.guard import guarded

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray, AnyChunkedArray, ListType, TimestampType
    from bx24frames.files.sheet_style import SheetStyle

    Text: TypeAlias = Callable[[object], str | None]

__all__ = ["list_texts", "moment_cell", "sheet_table", "sheet_zone"]

POINT: Final = frozenset({"value", "value_type"})
_MONEY: Final = frozenset({"amount", "currency"})
_FILE: Final = frozenset({"id", "name", "url"})


def sheet_table(table: pa.Table, style: SheetStyle, *, native: bool = False) -> pa.Table:
    """Convert a table to columns that a sheet can hold.

    Parameters
    ----------
    table : pyarrow.Table
    style : SheetStyle
    native : bool
        True for Excel: numbers, flags, dates and times stay unchanged.
        False for CSV: all that the style writes in its own way becomes text; a time that the wall clock shows twice has
        its UTC offset.
    """
    table = _days_of(decoded(table))
    for place, field in enumerate(table.schema):
        column = _converted(table.column(place), field.type, style, native=native)
        if column is not None:
            table = table.set_column(place, field.name, column)
    return table.rename_columns([guarded(name, formulas=style.guard) for name in table.column_names])


def _days_of(table: pa.Table) -> pa.Table:
    """Columns of times without a zone that are all midnights as dates, which pandas cannot hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for place, field in enumerate(table.schema):
        if not pa.types.is_timestamp(field.type) or field.type.tz:
            continue
        column = table.column(place)
        days = column.cast(pa.date32(), safe=False)
        if len(column) > column.null_count and pc.all(pc.equal(days.cast(field.type), column)).as_py():
            table = table.set_column(place, field.name, days)
    return table


def _converted(
    column: AnyChunkedArray, kind: pa.DataType, style: SheetStyle, *, native: bool
) -> AnyArray | AnyChunkedArray | None:
    """A column in the form that a sheet holds; None if it stays unchanged."""
    from pyarrow import types

    if types.is_string(kind) or types.is_large_string(kind):
        return _guarded(column, style)
    if types.is_nested(kind):
        return _as_text(column, _text_of(kind, style))
    numbers = types.is_floating(kind) or types.is_decimal(kind)
    spelled = types.is_timestamp(kind) or (types.is_date(kind) and style.dotted) or (numbers and style.comma)
    # no guard: a negative number is a number
    return _as_text(column, _plain(kind, style)) if spelled and not native else None


def list_texts(column: AnyArray | AnyChunkedArray, style: SheetStyle) -> AnyArray:
    """A column of lists as joined text."""
    return _as_text(column, _text_of(column.type, style))


def _as_text(column: AnyArray | AnyChunkedArray, text_of: Text) -> AnyArray:
    import pyarrow as pa

    return pa.array([None if cell is None else text_of(cell) for cell in column.to_pylist()], pa.string())


def _guarded(column: AnyChunkedArray, style: SheetStyle) -> AnyArray | None:
    import pyarrow.compute as pc

    marked: AnyArray = pc.match_substring_regex(column, r"^'*[=+\-@\t\r]")
    if not pc.any(marked).as_py():
        return None
    return _as_text(column, lambda cell: guarded(str(cell), formulas=style.guard))


def _text_of(kind: pa.DataType, style: SheetStyle) -> Text:
    """How one value of a type is written as text."""
    from pyarrow import types

    if types.is_list(kind) or types.is_large_list(kind):
        inner = cast("ListType", kind).value_type
        if _plain(inner, style) is _json:
            return _marked(_json, style)
        return _marked(partial(list_text, text_of=_plain(inner, style)), style)
    return _marked(_plain(kind, style), style)


def _marked(text_of: Text, style: SheetStyle) -> Text:
    def read(value: object) -> str | None:
        text = text_of(value)
        return None if text is None else guarded(text, formulas=style.guard)

    return read


def _plain(kind: pa.DataType, style: SheetStyle) -> Text:
    from pyarrow import types

    forms: tuple[tuple[Callable[[pa.DataType], bool], Callable[[], Text]], ...] = (
        (types.is_struct, lambda: _struct(kind, style)),
        (types.is_timestamp, lambda: partial(_moment, zone=sheet_zone(kind), style=style)),
        (types.is_date, lambda: partial(_day, dotted=style.dotted)),
        (types.is_floating, lambda: partial(_number, comma=style.comma)),
        (types.is_decimal, lambda: partial(_number, comma=style.comma)),
        (types.is_boolean, lambda: _flag),
        (types.is_nested, lambda: _json),
    )
    return next((form() for test, form in forms if test(kind)), _str)


def _struct(kind: pa.DataType, style: SheetStyle) -> Text:
    names = {kind.field(place).name for place in range(kind.num_fields)}
    forms: Mapping[frozenset[str], Text] = {POINT: _point, _MONEY: partial(_money, comma=style.comma), _FILE: _file}
    return next((form for marks, form in forms.items() if marks <= names), _json)


def _str(value: object) -> str | None:
    return None if value is None else str(value)


def _flag(value: object) -> str | None:
    return None if value is None else "true" if value else "false"


def _day(value: object, *, dotted: bool) -> str | None:
    return moment_text(value, dotted=dotted) if isinstance(value, dt.date) else None


def _point(value: object) -> str | None:
    text = value.get("value") if isinstance(value, Mapping) else None
    return str(text) if text else None


def _money(value: object, *, comma: bool) -> str | None:
    return money_text(value, comma=comma) if isinstance(value, Mapping) else None


def _file(value: object) -> str | None:
    return file_text(value) if isinstance(value, Mapping) else None


def _json(value: object) -> str | None:
    return None if value is None else json_bytes(value).decode()


def _number(value: object, *, comma: bool) -> str | None:
    if value is None:
        return None
    text = f"{Decimal(repr(value) if isinstance(value, float) else str(value)):f}"
    text = text.removesuffix(".0")
    return text.replace(".", ",") if comma else text


# --- times ---------------------------------------------------------------------------------------


def sheet_zone(kind: pa.DataType) -> dt.tzinfo | None:
    """The zone in which times are written; None for times without a zone."""
    name = cast("TimestampType", kind).tz
    if name is None:
        return None
    if name[0] in "+-":
        return dt.datetime.fromisoformat(f"2000-01-01T00:00:00{name}").tzinfo
    return ZoneInfo(name)


def _wall_clock(value: dt.datetime, zone: dt.tzinfo | None) -> tuple[dt.datetime, str]:
    """A time without its zone, and its UTC offset if the clock shows this time twice in the zone."""
    if zone is None or value.tzinfo is None:
        return value.replace(tzinfo=None), ""
    local = value.astimezone(zone)
    other = local.replace(fold=1 - local.fold)
    twice = other.utcoffset() != local.utcoffset()
    return local.replace(tzinfo=None, fold=0), local.isoformat()[-6:] if twice else ""


def moment_cell(value: dt.datetime, zone: dt.tzinfo | None) -> dt.datetime | str:
    """A time as Excel holds it, without a zone; as text with its UTC offset if the clock shows this time twice."""
    naive, offset = _wall_clock(value, zone)
    return f"{moment_text(naive, dotted=False)}{offset}" if offset else naive


def _moment(value: object, *, zone: dt.tzinfo | None, style: SheetStyle) -> str | None:
    if not isinstance(value, dt.datetime):
        return None
    naive, offset = _wall_clock(value, zone)
    if style.clocks and not offset:
        return moment_text(naive, dotted=style.dotted)
    own = value.astimezone(zone).isoformat()[-6:] if zone is not None else ""
    return f"{moment_text(naive, dotted=False)}{offset or own}"
