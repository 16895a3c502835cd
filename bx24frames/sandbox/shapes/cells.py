"""Printing of rows: the selected keys of each family of methods, by kind of field."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields.casts import SUMMER, SUMMER_TIME_ENDED, ahead, zone_of
from bx24frames.sandbox.fields.field import FieldSpec, Kind
from bx24frames.sandbox.shapes.user import MISSING, file_classic, renderer
from bx24frames.sandbox.store.tables import Row

if TYPE_CHECKING:
    from bx24frames.sandbox.fields.user import UserField
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType, Table


# SQLite prints the cells: `{c}` the column, `{z}` the server's offset, `{d}` a date as `printed_date` prints it.
CLASSIC_SQL: Final[dict[Kind, str]] = {
    Kind.INT: "CAST({c} AS TEXT)",
    Kind.NUMBER: "CASE WHEN {c} IS NOT NULL THEN printf('%.{scale}f', {c}) END",
    Kind.DATETIME: "coalesce({c} || '{z}', '')",
    Kind.DATE: "coalesce({d}, '')",
}
ITEM_SQL: Final[dict[Kind, str]] = {Kind.DATETIME: "{c} || '{z}'", Kind.DATE: "{d}"}
SQL: Final = {"classic": CLASSIC_SQL, "item": ITEM_SQL}


def _date_sql(column: str, zone: str) -> str:
    offset = zone_of(zone).utcoffset(None)
    minutes = int(offset.total_seconds() // 60)
    clock = f"T{minutes % 1440 // 60:02d}:{minutes % 60:02d}:00"
    day = column if minutes >= 0 else f"date({column}, '-1 day')"
    summer = f"{column} < '{SUMMER_TIME_ENDED}' AND substr({column}, 6, 2) BETWEEN '{SUMMER[0]}' AND '{SUMMER[1]}'"
    return f"{day} || '{clock}' || CASE WHEN {summer} THEN '{ahead(zone)}' ELSE '{zone}' END"


def cell_sql(spec: FieldSpec, family: str, zone: str) -> str:
    """The SQL expression that prints one system field."""
    column = f't."{spec.column}"'
    template = SQL[family].get(spec.kind, "{c}")
    return template.format(c=column, z=zone, d=_date_sql(column, zone), scale=spec.scale)


def _ints(text: str | None) -> list[int]:
    return orjson.loads(text) if text else []


def _finisher(spec: FieldSpec, family: str) -> Callable[[Any], Any] | None:
    # the item methods print a photo and a logo as the file's number
    file = file_classic if family == "classic" else int
    table: dict[Kind, Callable[[Any], Any]] = {
        Kind.INT_LIST: _ints,
        Kind.BOOL: bool,
        Kind.FILE: lambda value: file(value) if value else None,
        Kind.JSON: lambda value: orjson.loads(value) if value else None,
    }
    return table.get(spec.kind)


@dataclass(frozen=True)
class Selection:
    """The keys of the rows of an answer, with the SQL expressions that print them.

    `system` and `user` are (key in the answer, field); `constants` are added as they are; `multifields` are
    TYPE_IDs in a classic answer; `contact_data` adds `fm`; `first_values` are item keys with a first phone or e-mail.
    """

    family: str
    system: tuple[tuple[str, FieldSpec], ...]
    user: tuple[tuple[str, UserField], ...] = ()
    multifields: tuple[str, ...] = ()
    contact_data: bool = False
    first_values: tuple[str, ...] = ()
    constants: tuple[tuple[str, Any], ...] = ()

    def sql(self, zone: str) -> str:
        """The selected expressions, the row's id before them and the user fields' document behind them."""
        cells = ["t.id", *(cell_sql(spec, self.family, zone) for _, spec in self.system)]
        return ", ".join([*cells, "t.uf"] if self.user else cells)

    @property
    def needs_multifields(self) -> bool:
        """Whether the multifield table has to be read."""
        return bool(self.multifields or self.contact_data or self.first_values)


def read_rows(
    store: Store, table: Table, selection: Selection, clauses: str, params: Sequence[Any]
) -> list[tuple[int, Row]]:
    """The (id, printed row) of every row a query finds; ``clauses`` begin at its joins."""
    sql = f'SELECT {selection.sql(store.server_zone)} FROM "{table.name}" t {clauses}'  # noqa: S608
    found = store.query(sql, params)
    keys = [key for key, _ in selection.system]
    rows = [(cells[0], dict(zip(keys, cells[1:], strict=False))) for cells in found]
    for key, spec in selection.system:
        if finish := _finisher(spec, selection.family):
            for _, row in rows:
                row[key] = finish(row[key])
    if selection.user:
        _add_user_fields(rows, [cells[-1] for cells in found], selection, store.server_zone)
    for _, row in rows:
        row.update(selection.constants)
    return rows


def _add_user_fields(rows: list[tuple[int, Row]], texts: list[str | None], selection: Selection, zone: str) -> None:
    printers = [(key, spec.code, renderer(spec, selection.family, zone)) for key, spec in selection.user]
    for (_, row), text in zip(rows, texts, strict=True):
        document = orjson.loads(text) if text else {}
        for key, code, render in printers:
            value = render(document.get(code))
            if value is not MISSING:
                row[key] = value


def add_multifields(store: Store, entity: EntityType, selection: Selection, rows: list[tuple[int, Row]]) -> None:
    """Put phones, e-mails, sites and messengers into printed rows."""
    if not (selection.needs_multifields and entity.multifields):
        return
    grouped = store.multifields(entity.id, [row_id for row_id, _ in rows])
    for row_id, row in rows:
        entries = grouped.get(row_id, [])
        for type_id in selection.multifields:
            if chosen := [entry for entry in entries if entry["TYPE_ID"] == type_id]:
                row[type_id] = chosen
        for name in selection.first_values:
            row[name] = next((e["VALUE"] for e in entries if e["TYPE_ID"] == name.upper()), None)
        if selection.contact_data:
            row["fm"] = [
                {"id": int(e["ID"]), "valueType": e["VALUE_TYPE"], "value": e["VALUE"], "typeId": e["TYPE_ID"]}
                for e in entries
            ]
