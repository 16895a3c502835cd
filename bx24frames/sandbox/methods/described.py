"""Small tables defined by a field description: casts of written values, printing and conditions.

Such a table is a `Dictionary` (rows stored as a JSON document) with a map of flat descriptions, as printed by its
``fields`` method. Values are stored as numbers, texts and Y/N; the older methods print numbers as text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import (
    fold,
    parse_date,
    parse_datetime,
    php_float,
    php_int,
    php_text,
    whole,
    zone_of,
)
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import classic_map, names_of
from bx24frames.sandbox.methods.dictionaries import ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

Description = Mapping[str, Any]
Cast = Callable[[Any, str], Any]

_SKIP: Final = object()
YES: Final = ("Y", "y", "true", "1")


def _plain(value: Any, _: str) -> Any:
    return _SKIP if isinstance(value, list | dict) else php_text(value)


def _number(value: Any, _: str) -> Any:
    return None if value in (None, "") else whole(php_float(value))


def _integer(value: Any, _: str) -> Any:
    return None if value in (None, "") else php_int(value)


CASTS: Final[Mapping[str, Cast]] = {
    "integer": _integer,
    "int": _integer,
    "user": _integer,
    "double": _number,
    "char": lambda value, _: "Y" if php_text(value) in YES else "N",
    "boolean": lambda value, _: "Y" if php_text(value) in YES else "N",
    "date": lambda value, zone: parse_date(value, zone_of(zone)),
    "datetime": lambda value, zone: parse_datetime(value, zone_of(zone)),
    "object": lambda value, _: value if isinstance(value, list | dict) else _SKIP,
}
"""How a sent value is stored, by the type in the description; other types are stored as text."""

_NUMBERS: Final = frozenset({"integer", "int", "user", "double"})


def written(fields: Mapping[str, Description], given: Mapping[str, Any], zone: str, *, adding: bool) -> Row:
    """The sent values as stored; unknown, read-only and (in an update) add-only names are ignored silently."""
    stored: Row = {}
    for name, value in given.items():
        spec = fields.get(name)
        if spec is None or spec.get("isReadOnly") or (spec.get("isImmutable") and not adding):
            continue
        cast = CASTS.get(spec["type"], _plain)
        one = [cast(part, zone) for part in values_of(value)] if spec.get("isMultiple") else cast(value, zone)
        if one is not _SKIP:
            stored[name] = one
    return stored


def _printed(spec: Description, value: Any, zone: str, *, text: bool) -> Any:
    if spec["type"] in ("date", "datetime"):
        if not value:
            return "" if text else None
        return f"{value}T00:00:00{zone}" if spec["type"] == "date" else f"{value}{zone}"
    return php_text(value) if text and spec["type"] in _NUMBERS and value is not None else value


def printed(fields: Mapping[str, Description], row: Row, zone: str, *, text: bool) -> Row:
    """A stored row with every described key; `text`: numbers as text, as the older methods print them."""
    return {name: _printed(spec, row.get(name), zone, text=text) for name, spec in fields.items()}


# ---------------------------------------------------------------- conditions


def _size(value: Any) -> tuple[int, float, str]:
    """Sort key of a value: numbers by size, before texts."""
    text = php_text(value)
    try:
        return (0, float(text), "")
    except ValueError:
        return (1, 0.0, fold(text))


def _same(value: Any, wanted: Any) -> bool:
    return any(fold(php_text(value)) == fold(php_text(one)) for one in values_of(wanted))


def _has(value: Any, wanted: Any) -> bool:
    return php_text(wanted).strip("%").casefold() in php_text(value).casefold()


TESTS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "": _same,
    "=": _same,
    "@": _same,
    "!": lambda value, wanted: not _same(value, wanted),
    "!=": lambda value, wanted: not _same(value, wanted),
    "!@": lambda value, wanted: not _same(value, wanted),
    ">": lambda value, wanted: _size(value) > _size(wanted),
    ">=": lambda value, wanted: _size(value) >= _size(wanted),
    "<": lambda value, wanted: _size(value) < _size(wanted),
    "<=": lambda value, wanted: _size(value) <= _size(wanted),
    "%": _has,
    "?": _has,
    "!%": lambda value, wanted: not _has(value, wanted),
}


_PREFIXES: Final = tuple(sorted(TESTS, key=len, reverse=True))


def chosen(
    rows: list[Row],
    conditions: Mapping[str, Any],
    names: Mapping[str, Any],
    refuse: Callable[[str], MethodError] | None = None,
) -> list[Row]:
    """The rows that meet every condition on a named column.

    A condition on another name is dropped, or an error if `refuse` is given.
    """
    for key, wanted in conditions.items():
        prefix, name = split_operator(str(key), _PREFIXES)
        if name not in names:
            if refuse is not None:
                raise refuse(name)
            continue
        rows = [row for row in rows if TESTS[prefix](row.get(name), wanted)]
    return rows


# ---------------------------------------------------------------- one table


def flat_fields(params: Params, name: str = "fields") -> Row:
    """The parameter `fields` of an older method.

    Raises
    ------
    MethodError
        The value is not an array.
    """
    values = params.get(name, params.get(name.upper()))
    if isinstance(values, list) and not values:
        return {}
    if not isinstance(values, dict):
        raise MethodError("", f"Parameter '{name}' must be array.")
    return values


def not_found(what: str) -> Callable[[int], MethodError]:
    """The error for an unknown id."""
    return lambda _: MethodError("", what)


@dataclass(frozen=True, slots=True)
class Described:
    """A table of ``crm.X.*`` with older methods.

    `absent` makes the error for an unknown id, `defaults` are the values of a new row, `stamps` the columns that the
    portal fills in: when and by whom a row was made, and when and by whom it was changed.
    """

    dictionary: Dictionary
    fields: Mapping[str, Description]
    absent: Callable[[int], MethodError] = field(default=not_found("Not found"))
    defaults: Mapping[str, Any] = field(default_factory=dict)
    stamps: tuple[str, str, str, str] | None = None

    def print(self, row: Row, context: Context) -> Row:
        """A row as printed."""
        return printed(self.fields, row, context.store.server_zone, text=True)

    def row(self, row_id: int, context: Context) -> Row:
        """A stored row, or the error of an unknown id."""
        row = self.dictionary.row(context.store, row_id)
        if row is None:
            raise self.absent(row_id)
        return row

    def page(self, rows: list[Row], params: Params, context: Context) -> Result:
        """A page of some of the rows, engine A*: conditions, order, select."""
        found = chosen(rows, classic_map(params, "filter"), self.fields)
        found = ordered(found, classic_map(params, "order") or {self.dictionary.id_key: "ASC"})
        window = paging.always_counting(context.start, lambda: len(found))
        wanted = set(names_of(list(classic_map(params, "select").values()))) - {"*"}
        shown = [self.print(row, context) for row in window.of(found)]
        if wanted:
            shown = [{name: value for name, value in row.items() if name in wanted} for row in shown]
        context.rows += len(shown)
        return Result(shown, window.total, window.next)

    def add(self, values: Mapping[str, Any], context: Context) -> int:
        """Add a row of sent values; returns its id."""
        row = {**self.defaults, **written(self.fields, values, context.store.server_zone, adding=True)}
        if self.stamps is not None:
            row |= {self.stamps[0]: context.store.local_time(context.now), self.stamps[1]: context.user_id}
        context.writes += 1
        return self.dictionary.add(context.store, row, text=False)

    def update(self, row: Row, values: Mapping[str, Any], context: Context) -> Row:
        """Update a row with sent values; returns the row."""
        row = {**row, **written(self.fields, values, context.store.server_zone, adding=False)}
        if self.stamps is not None:
            row |= {self.stamps[2]: context.store.local_time(context.now), self.stamps[3]: context.user_id}
        self.dictionary.put(context.store, row)
        context.writes += 1
        return row

    def drop(self, row: Row, context: Context) -> None:
        """Delete a row."""
        self.dictionary.drop(context.store, row)
        context.writes += 1
