"""Drift: how the fields of the portal differ from the columns of the mirror, and the columns after the change."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from bx24frames.arguments import nearest_name
from bx24frames.errors import StoreError, UnknownColumn
from bx24frames.mirror.state import OUR_COLUMNS, Drift, StoreColumn
from bx24frames.mirror.type_names import TEXTS

if TYPE_CHECKING:
    import datetime as dt

    import pyarrow as pa

    from bx24frames.mirror.state import History

Retyped: TypeAlias = Literal["raise", "column"]
_NAME_BYTES: Final = 63
"""The longest name of PostgreSQL, which cuts longer ones (https://www.postgresql.org/docs/current/limits.html)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The columns after the change, and what it consists of.

    `names`: the name in the store of each field, in the order of the schema. `fresh`: names of the columns that have no
    values yet.
    """

    columns: tuple[StoreColumn, ...]
    names: tuple[str, ...]
    fresh: tuple[str, ...]
    drift: tuple[Drift, ...]


def compare_columns(
    kept: Sequence[StoreColumn],
    schema: pa.Schema,
    titles: Mapping[str, str],
    now: dt.datetime,
    *,
    retyped: Retyped = "raise",
    entity: str = "",
    shared: Mapping[str, str] = MappingProxyType({}),
) -> Compared:
    """Compare the fields of the portal with the columns of the mirror.

    Parameters
    ----------
    kept : sequence of Column
        Columns of the mirror; empty before the first run.
    schema : pyarrow.Schema
        Fields of the portal, under their codes.
    titles : mapping
        Title of each field.
    now : datetime
        When the portal described them.
    retyped : {"raise", "column"}
        Whether a field of another type is an error, or gets a second column.
    shared : mapping
        Types of the columns of the same table that other portals have, by name in lower case: a field of another type
        gets a column of its own.

    Raises
    ------
    StoreError
        A field has another type than its column.
    """
    columns = {one.name: one for one in kept}
    names: list[str] = []
    fresh: list[str] = []
    drift: list[Drift] = []
    for field in schema:
        kind, title = TEXTS.of(field.type), titles.get(field.name, "")
        same, other = _columns_of(field.name, kind, kept)
        if same is None and other is not None and retyped == "raise":
            raise _retyped(other, kind, entity)
        second = other is not None or shared.get(_fitted(field.name).lower(), kind) != kind
        name = same.name if same is not None else _free_name(field.name, kind, columns, second=second)
        names.append(name)
        if same is None:
            columns[name] = StoreColumn(field.name, name, title, kind, now)
            fresh.append(name)
            drift.append(Drift("retyped" if other else "added", name, other.type if other else "", kind))
            continue
        columns[name] = replace(same, title=title, gone_at=None)
        if same.gone_at is not None:
            fresh.append(name)
            drift.append(Drift("returned", name))
        if same.title != title:
            drift.append(Drift("renamed", name, same.title, title))
    gone = [one for one in kept if one.name not in names and one.gone_at is None]
    columns |= {one.name: replace(one, gone_at=now) for one in gone}
    drift += [Drift("removed", one.name, one.title) for one in gone if one.code not in schema.names]
    return Compared(tuple(columns.values()), tuple(names), tuple(fresh), tuple(drift) if kept else ())


def _columns_of(code: str, kind: str, kept: Sequence[StoreColumn]) -> tuple[StoreColumn | None, StoreColumn | None]:
    """The column of a field in its type, and the latest one in another type."""
    own = [one for one in kept if one.code == code]
    same = next((one for one in own if one.type == kind), None)
    return same, next((one for one in reversed(own) if one.type != kind), None)


def _free_name(code: str, kind: str, taken: Mapping[str, StoreColumn], *, second: bool) -> str:
    """A name for a column; names that differ in case alone are one name to DuckDB."""
    small = OUR_COLUMNS.union(name.lower() for name in taken)
    name = _fitted(f"{code}__{re.sub(r'[^a-z0-9]+', '_', kind).strip('_')}" if second else code)
    number = 2
    while name.lower() in small:
        name, number = _fitted(f"{code}__{number}"), number + 1
    return name


def _fitted(name: str) -> str:
    """A name as it is, or one that is too long with a digest of it in place of its end.

    Examples
    --------
    >>> _fitted("stageId"), _fitted("UF_CRM_" + "A" * 60)
    ('stageId', 'UF_CRM_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_022104ca')
    """
    told = name.encode()
    if len(told) <= _NAME_BYTES:
        return name
    end = f"_{hashlib.sha256(told).hexdigest()[:8]}"
    return told[: _NAME_BYTES - len(end)].decode(errors="ignore") + end


def _retyped(before: StoreColumn, after: str, entity: str) -> StoreError:
    return StoreError(
        f"The field {before.code} ({before.title}) was {before.type} in the mirror and is {after} in the portal now",
        entity=entity,
        guidance="retyped='column' keeps the old column and adds a second one for the new type.",
    )


def unknown_history(tables: Iterable[Compared], wanted: History) -> dict[str, str]:
    """The columns of `history` that none of the tables has, each with a hint."""
    if wanted is None or wanted == "rows":
        return {}
    there = list(dict.fromkeys(column.name for one in tables for column in one.columns))
    hint = "describe_entity() lists the columns."
    return {name: nearest_name(name, there, hint) for name in wanted if name not in there}


def check_history(unknown: Mapping[str, str]) -> None:
    """Refuse columns of `history` that no table has: their values would not be kept, and nothing would say so.

    Raises
    ------
    UnknownColumn
        There are some.
    """
    for name, hint in unknown.items():
        raise UnknownColumn(f"history: no table has a column {name!r}", guidance=hint)
