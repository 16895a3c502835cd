"""Look-ups of rows in the portal: by id, by id range, and by key columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from bx24frames.engine.messages import Paging
from bx24frames.entities.operators import NUMBERS, Comparison
from bx24frames.entities.schema import Asking
from bx24frames.entities.stored_forms import contact
from bx24frames.entities.types import Kind, comparison, kind
from bx24frames.errors import ConfigError
from bx24frames.portal.duplicates import ids_by_contact, in_parts
from bx24frames.scan.request import ReadRequest
from bx24frames.scan.rest import read_carried, read_table
from bx24frames.upload.match import RowId, Values, canonical

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.incoming import Incoming

Answers = Mapping[tuple[str, ...], set[RowId]]
"""The ids that the portal names for phones or e-mails that were asked for together."""

FEW_ALIKE: Final = 10
"""Rows read to find one that is visible to the same users as another."""
BY_LIST: Final = frozenset({*NUMBERS, Comparison.TEXT})
"""Kinds of which the portal can look up a list of values."""


async def rows_by_id(
    connection: Connection, table: Table, ids: Iterable[RowId], codes: Sequence[str]
) -> dict[RowId, Values]:
    """Values of some columns of the rows with these ids; absent ids and columns that no row has are left out."""
    id_code = table.entity.listing.id_key
    wanted = sorted({row_id for row_id in ids if isinstance(row_id, int)})
    if not wanted:
        return {}
    request = ReadRequest(
        table.entity.name, [id_code, *codes], {id_code: wanted}, missing_columns="insert", progress=False, inner=True
    )
    return dict(_keyed(await read_carried(connection, request), id_code))


def found_by_id(table: Table) -> bool:
    """Whether rows can be looked up by id; rows of owners are only listed per owner."""
    return all(one.default is not None for one in table.entity.arguments)


def owners(table: Table, frame: Incoming) -> dict[str, object]:
    """For an entity read per owner, the conditions that select the owners in a frame."""
    conditions: dict[str, object] = {}
    for argument in table.entity.arguments:
        for name in (name for name, field in frame.columns.items() if field.code == argument.name):
            values = frame.table.column(name).drop_null().unique().to_pylist()
            conditions[argument.name] = values[0] if len(values) == 1 else values
    return conditions


async def rows_after(
    connection: Connection,
    table: Table,
    high: int,
    codes: Sequence[str],
    conditions: Mapping[str, object],
    of: Mapping[str, object],
) -> dict[RowId, Values]:
    """Values of some columns of the rows above an id; an entity that cannot be filtered by id is read whole.

    `of`: the owners whose rows are read, for entities that have owners.
    """
    id_code = table.entity.listing.id_key
    wanted = {**({f">{id_code}": high, **conditions} if _seekable(table) else {}), **of}
    read = list(dict.fromkeys([id_code, *codes, *conditions]))
    request = ReadRequest(table.entity.name, read, wanted, progress=False, inner=True)
    rows = _keyed(await read_table(connection, request), id_code)
    return {
        row_id: values
        for row_id, values in rows
        if isinstance(row_id, int) and row_id > high and all(values[name] == one for name, one in conditions.items())
    }


def _seekable(table: Table) -> bool:
    """Whether the list method filters by id bounds and by values; other entities are short dictionaries."""
    return table.entity.listing.paging is Paging.KEYSET


def _exact(field: Field) -> bool:
    """Whether an equality condition on a field finds all equal values; an entity is read whole if none does."""
    return field.asking is Asking.EXACT


async def highest_id(connection: Connection, table: Table, of: Mapping[str, object]) -> int:
    """The highest id of an entity, or among the rows of some owners; 0 if there are none."""
    id_code = table.entity.listing.id_key
    request = ReadRequest(
        table.entity.name, [id_code], of, order_by=(id_code, "desc"), limit=1, progress=False, inner=True
    )
    found = cast("list[int]", (await read_table(connection, request)).column(0).to_pylist())
    return int(found[0]) if found else 0


async def rows_like(
    connection: Connection,
    table: Table,
    conditions: Mapping[str, object],
    empty: Sequence[str],
    of: Mapping[str, object],
) -> list[RowId]:
    """The ids of a few rows, the newest ones, that fulfil equality conditions and have nothing in some columns."""
    id_code = table.entity.listing.id_key
    read = list(dict.fromkeys([id_code, *conditions, *empty]))
    wanted = {**(conditions if _seekable(table) else {}), **of}
    request = ReadRequest(table.entity.name, read, wanted, progress=False, inner=True)
    if _seekable(table):
        request = replace(request, order_by=(id_code, "desc"), limit=FEW_ALIKE)
    rows = _keyed(await read_table(connection, request), id_code)
    return [
        row_id
        for row_id, values in rows
        if all(values[name] == one for name, one in conditions.items()) and not any(values[name] for name in empty)
    ]


def _keyed(table: object, id_code: str) -> Iterable[tuple[RowId, Values]]:
    rows: list[dict[str, object]] = table.to_pylist()  # type: ignore[attr-defined]  # an Arrow table
    for row in rows:
        row_id = row.pop(id_code)
        if isinstance(row_id, int | str):
            yield row_id, row


async def rows_by_key(
    connection: Connection, table: Table, on: Sequence[Field], keys: Iterable[Sequence[object]], codes: Sequence[str]
) -> dict[Hashable, list[tuple[RowId, Values]]]:
    """The rows whose key columns hold one of the keys, by key, compared exactly here.

    Raises
    ------
    ConfigError
        If the portal cannot look up rows by such columns.
    """
    listed = list(keys)
    wanted = {key_of(on, key) for key in listed}
    place, driver = _driver(on, listed)
    read = list(dict.fromkeys([*(field.code for field in on), *codes]))
    if kind(driver) is Kind.MULTIFIELD:
        return await _by_contact(connection, table, on, place, listed, read)
    id_code = table.entity.listing.id_key
    values = list(dict.fromkeys(key[place] for key in listed))
    conditions = {driver.code: values} if _seekable(table) and _exact(driver) else None
    request = ReadRequest(table.entity.name, [id_code, *read], conditions, progress=False, inner=True)
    rows = dict(_keyed(await read_table(connection, request), id_code))
    return _matching(on, rows, wanted)


def _matching(
    on: Sequence[Field], rows: Mapping[RowId, Values], wanted: Collection[Hashable]
) -> dict[Hashable, list[tuple[RowId, Values]]]:
    found: dict[Hashable, list[tuple[RowId, Values]]] = defaultdict(list)
    for row_id, held in rows.items():
        for key in _keys_of_row(on, held):
            if key in wanted:
                found[key].append((row_id, held))
    return found


async def _by_contact(
    connection: Connection,
    table: Table,
    on: Sequence[Field],
    place: int,
    keys: Sequence[Sequence[object]],
    codes: Sequence[str],
) -> dict[Hashable, list[tuple[RowId, Values]]]:
    """Rows by phone or e-mail: those with exactly the given form, else those that the portal names."""
    driver = on[place]
    texts = {key_of(on, key): str(contact_value(key[place])) for key in keys}
    answers = await _ask_together(connection, table, driver, list(texts.values()))
    rows = await rows_by_id(connection, table, set().union(*answers.values()) if answers else (), codes)
    found = _matching(on, rows, texts.keys())
    forms = {row_id: {key[0] for key in _keys_of_row([driver], held)} for row_id, held in rows.items()}
    named = await _ask_singly(connection, table, driver, answers, forms)
    missing = {row_id for ids in named.values() for row_id in ids} - rows.keys()
    rows = {**rows, **await rows_by_id(connection, table, missing, codes)}
    for key, text in texts.items():
        if found.get(key):
            continue
        for row_id in sorted(named.get(text, ()), key=str):
            if row_id in rows and any(_alike_but(place, key, other) for other in _keys_of_row(on, rows[row_id])):
                found[key].append((row_id, rows[row_id]))
    return found


async def _ask_together(connection: Connection, table: Table, field: Field, values: Sequence[str]) -> Answers:
    """The ids that the portal names for phones or e-mails, several of them per request."""
    return await ids_by_contact(connection, table, field, in_parts(list(dict.fromkeys(values))))


async def _ask_singly(
    connection: Connection, table: Table, field: Field, answers: Answers, forms: Mapping[RowId, set[Hashable]]
) -> dict[str, set[RowId]]:
    """The ids for values that no row has in the given form although the portal named rows for them.

    Parameters
    ----------
    answers : mapping
        What `_ask_together` gave.
    forms : mapping of id to set
        The forms of the phones or e-mails of each of these rows.
    """
    doubtful = [value for part, ids in answers.items() for value in _unexplained(field, part, ids, forms)]
    singly: dict[tuple[str, ...], set[RowId]] = {part: ids for part, ids in answers.items() if len(part) == 1}
    unasked = [(value,) for value in doubtful if (value,) not in singly]
    asked = await ids_by_contact(connection, table, field, unasked) if unasked else {}
    every: dict[tuple[str, ...], set[RowId]] = {**singly, **asked}
    return {value: every.get((value,), set()) for value in doubtful}


def _unexplained(field: Field, part: Sequence[str], ids: set[RowId], forms: Mapping[RowId, set[Hashable]]) -> list[str]:
    """The values of a part that no row has, if the portal named a row that has none of the other values either."""
    mine = {value: contact(field, value) for value in part}
    read = {row_id: forms[row_id] for row_id in ids if row_id in forms}
    strangers = [row_id for row_id in ids if not (row_id in read and read[row_id] & set(mine.values()))]
    held = {form for found in read.values() for form in found}
    return [value for value, form in mine.items() if form not in held] if strangers else []


def _alike_but(place: int, one: Hashable, other: Hashable) -> bool:
    """Whether two keys are equal, ignoring one place."""
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return False
    return all(a == b for at, (a, b) in enumerate(zip(one, other, strict=True)) if at != place)


def key_of(on: Sequence[Field], key: Sequence[object]) -> Hashable:
    """A row's key in a form in which equal keys compare equal: phones by digits, e-mails in any case."""
    return tuple(
        contact(field, contact_value(value)) if kind(field) is Kind.MULTIFIELD else canonical(field, value)
        for field, value in zip(on, key, strict=True)
    )


def contact_value(cell: object) -> object:
    """The one phone or e-mail of a key cell."""
    items = cell if isinstance(cell, list | tuple) else [cell]
    if len(items) != 1:
        raise ConfigError(f"A phone or e-mail used as a key must be a single value, not {len(items)}")
    item = items[0]
    return item.get("value") if isinstance(item, Mapping) else item


def _keys_of_row(on: Sequence[Field], held: Values) -> list[tuple[Hashable, ...]]:
    """All keys of a row in the portal: one for each of its phones or e-mails."""
    keys: list[tuple[Hashable, ...]] = [()]
    for field in on:
        cell = held.get(field.code)
        if kind(field) is Kind.MULTIFIELD:
            items = cell if isinstance(cell, list) else []
            parts: list[Hashable] = list({contact(field, contact_value(item)) for item in items})
        else:
            parts = [canonical(field, cell)]
        keys = [(*key, part) for key in keys for part in parts]
    return keys


def _driver(on: Sequence[Field], keys: Sequence[Sequence[object]]) -> tuple[int, Field]:
    """The most selective key column among those that the portal can look up."""
    able = [place for place, field in enumerate(on) if comparison(field) in BY_LIST or kind(field) is Kind.MULTIFIELD]
    able = [place for place in able if not (on[place].multiple and kind(on[place]) is not Kind.MULTIFIELD)]
    if not able:
        names = ", ".join(field.code for field in on)
        raise ConfigError(
            f"The portal cannot look rows up by {names}", guidance="Use a text or number column as the key."
        )
    place = max(able, key=lambda at: (_exact(on[at]), len({repr(key[at]) for key in keys})))
    return place, on[place]
