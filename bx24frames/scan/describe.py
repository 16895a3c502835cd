"""Descriptions as tables: the fields of an entity, and the list of entities."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from bx24frames.caller import warn
from bx24frames.engine.messages import JSON
from bx24frames.entities.captions import PIPELINE_NAMES, Dictionary, choices_of
from bx24frames.entities.catalog import rest3 as tables_rest3
from bx24frames.entities.catalog.catalog import ROWS, item_entity
from bx24frames.entities.columns import unique_titles
from bx24frames.entities.types import arrow_type
from bx24frames.errors import PortalError
from bx24frames.portal.condition_context import dictionaries_known
from bx24frames.portal.metadata import HIDDEN, UNSEEN, find_table, rest3_methods, smart_types

if TYPE_CHECKING:
    import pyarrow as pa

    from bx24frames.entities.arrow import AnyArray
    from bx24frames.entities.schema import Entity
    from bx24frames.portal.connection import Connection


async def describe_table(connection: Connection, entity: str, *, titles: bool = False) -> pa.Table:
    """One row per field, as the portal describes it; with `titles`, with unique titles as in a read."""
    import pyarrow as pa

    table = await find_table(connection, entity)
    fields = table.fields
    named = unique_titles(fields) if titles else {field.code: field.title or field.code for field in fields}
    known = await dictionaries_known(connection, table)
    pipelines = next((one.titles for one in known.values() if one.name == PIPELINE_NAMES), {})
    choice = pa.struct([pa.field(name, pa.string()) for name in ("code", "title", "pipeline")])
    choices = [_choices(choices_of(field) if field.choices else known.get(field.code), pipelines) for field in fields]
    return pa.table(
        {
            "code": pa.array([field.code for field in fields], pa.string()),
            "title": pa.array([named[field.code] for field in fields], pa.string()),
            "type": pa.array([field.type for field in fields], pa.string()),
            "arrow_type": pa.array([str(arrow_type(field)) for field in fields], pa.string()),
            "required": pa.array([field.required for field in fields], pa.bool_()),
            "read_only": pa.array([field.read_only for field in fields], pa.bool_()),
            "immutable": pa.array([field.immutable for field in fields], pa.bool_()),
            "multiple": pa.array([field.multiple for field in fields], pa.bool_()),
            "choices": pa.array(choices, pa.list_(choice)),
        }
    )


def _choices(dictionary: Dictionary | None, pipelines: Mapping[str, str]) -> list[dict[str, str | None]]:
    """The codes of a field with their captions; of stages also the pipeline: several may have the same caption."""
    if dictionary is None:
        return []
    return [
        {"code": code, "title": title, "pipeline": pipelines.get(str(dictionary.pipelines.get(code)))}
        for code, title in dictionary.titles.items()
    ]


async def entities_table(connection: Connection) -> pa.Table:
    """One row per entity: the catalogue and the portal's own smart processes."""
    import pyarrow as pa

    scopes = await connection.result("scope")
    granted = {str(scope) for scope in scopes} if isinstance(scopes, list) else set()
    rows = list(ROWS)
    if "crm" in granted:
        rows += _smart(await _types(connection), {row.entity_type_id for row in rows})
    there = await rest3_methods(connection) if granted & {row.scope for row in tables_rest3.REST3_ROWS} else None
    texts: dict[str, list[str | None]] = {
        "name": [row.name for row in rows],
        "title": [row.title for row in rows],
        "list_method": [row.listing.call.method for row in rows],
        "id_column": [row.listing.id_key for row in rows],
        "created_column": [row.created for row in rows],
        "modified_column": [row.modified for row in rows],
        "paging": [row.listing.paging.value for row in rows],
        "scope": [row.scope for row in rows],
    }
    columns: dict[str, AnyArray] = {name: pa.array(values, pa.string()) for name, values in texts.items()}
    columns["entity_type_id"] = pa.array([row.entity_type_id for row in rows], pa.int64())
    columns["writable"] = pa.array([row.writable for row in rows], pa.bool_())
    columns["available"] = pa.array([_available(row, granted, there) for row in rows], pa.bool_())
    order = ["name", "title", "entity_type_id", *list(texts)[2:], "writable", "available"]
    return pa.table({name: columns[name] for name in order})


async def _types(connection: Connection) -> tuple[Mapping[str, JSON], ...]:
    """The smart processes; none, with a warning, if the user may not list them."""
    try:
        return await smart_types(connection)
    except PortalError as refusal:
        if refusal.code not in HIDDEN:
            raise
        warn(f"Smart processes are left out. {UNSEEN}")
        return ()


def _available(row: Entity, granted: set[str], there: frozenset[str] | None) -> bool | None:
    """Whether an entity can be read, judging by its scope, and for REST 3.0, which is incomplete on every portal, by
    its method.
    """
    if row.scope not in granted or row not in tables_rest3.REST3_ROWS:
        return row.scope in granted
    return None if there is None else row.listing.call.method.rpartition("/")[2].lower() in there


def _smart(types: Iterable[Mapping[str, JSON]], known: set[int | None]) -> list[Entity]:
    found = [(int(str(row["entityTypeId"])), str(row.get("title") or "")) for row in types]
    return [item_entity(number, f"item:{number}", title) for number, title in found if number not in known]
