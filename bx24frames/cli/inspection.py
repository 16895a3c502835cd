"""The commands that inspect an entity without reading its rows: `count`, `plan`, `describe`, `schema`, `entities`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bx24frames.cli.output import give
from bx24frames.cli.parameters import Entity, Filter, Form, Out, PortalName, ProfileName, portal_named

if TYPE_CHECKING:
    import pandera.polars
    import pyarrow as pa

    from bx24frames.where.filters import Filters

__all__ = ["count", "describe", "entities", "plan", "schema"]


def count(entity: Entity, filters: Filter = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """Count the rows that meet the conditions."""
    from bx24frames.verbs.read import count_entity

    typer.echo(str(count_entity(entity, portal_named(portal, profile), filters=_conditions(filters))))


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
