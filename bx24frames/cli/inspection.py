"""The commands that inspect an entity without reading its rows: `count`, `plan`, `describe`, `schema`, `entities`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bx24frames.cli.output import give, show, with_spoken_heads
from bx24frames.cli.parameters import (
    Entity,
    Filter,
    Form,
    Out,
    PortalName,
    PortalNames,
    ProfileName,
    portal_named,
    portals_given,
)
from bx24frames.errors import PortalsError

if TYPE_CHECKING:
    import pandera.polars
    import pyarrow as pa

    from bx24frames.where.filters import Filters

__all__ = ["count", "describe", "entities", "plan", "schema"]


def count(entity: Entity, filters: Filter = None, portal: PortalNames = None, profile: ProfileName = None) -> None:
    """Count the rows that meet the conditions; of each portal of a group, and of all."""
    from bx24frames import bridge
    from bx24frames.verbs.on_several import count_portals

    try:
        counts = bridge.run(count_portals(portals_given(portal, profile), entity, _conditions(filters)))
    except PortalsError as fault:
        _show_counts(fault.frame)
        raise
    if isinstance(counts, dict):
        _show_counts(counts)
    else:
        typer.echo(str(counts))


def _show_counts(counts: object) -> None:
    """Print the counts by host, and their sum."""
    import pyarrow as pa

    if isinstance(counts, dict):
        rows = {**counts, "": sum(counts.values())}
        show(with_spoken_heads(pa.table({"portal": list(rows), "rows": list(rows.values())})))


def plan(entity: Entity, filters: Filter = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """Estimate a read: rows, requests and time."""
    from bx24frames.verbs.portals import Portal

    with Portal(portal_named(portal, profile)) as opened:
        found = str(opened.plan(entity, filters=_conditions(filters)))
        typer.echo(found.strip("<>").removeprefix("Plan "))


def describe(
    entity: Entity, out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None
) -> None:
    """Describe an entity, one line per field.

    Each line has the title, the portal's type and the Arrow type, whether the field is required or read-only, and its
    choices.
    """
    from bx24frames.verbs.read import describe_entity

    give(describe_entity(entity, portal_named(portal, profile), backend="pyarrow"), out, form)


def schema(
    entity: Entity, out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None
) -> None:
    """Show the schema of an entity's frame, one line per column.

    Columns, polars types and checks are those of the pandera schema that entity_schema() returns.
    """
    from bx24frames.verbs.read import entity_schema

    give(_columns(entity_schema(entity, portal_named(portal, profile), backend="polars")), out, form)


def entities(out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """List the entities, one per line.

    Each line says whether this credential may read the entity and whether it can be written.
    """
    from bx24frames.verbs.read import list_entities

    give(list_entities(portal_named(portal, profile), backend="pyarrow"), out, form, spoken=("title",))


def _columns(found: pandera.polars.DataFrameSchema) -> pa.Table:
    import pyarrow as pa

    columns = found.columns
    return pa.table(
        {
            "column": pa.array(list(columns), pa.string()),
            "dtype": pa.array([str(column.dtype) for column in columns.values()], pa.string()),
            "nullable": pa.array([column.nullable for column in columns.values()], pa.bool_()),
            "required": pa.array([column.required for column in columns.values()], pa.bool_()),
            "checks": pa.array(["; ".join(map(str, column.checks)) for column in columns.values()], pa.string()),
        }
    )


def _conditions(texts: list[str] | None) -> Filters | None:
    from bx24frames.cli.conditions import conditions

    return conditions(texts or ()) or None
