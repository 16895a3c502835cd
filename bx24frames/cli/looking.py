"""The commands that look at a table without reading it: `count`, `plan`, `describe`, `schema`, `entities`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from bx24frames.cli.giving import give
from bx24frames.cli.parameters import Entity, Filter, Form, Out, PortalName, ProfileName, portal_named

if TYPE_CHECKING:
    import pandera.polars
    import pyarrow as pa

    from bx24frames.where.parse import Filters

__all__ = ["count", "describe", "entities", "plan", "schema"]


def count(entity: Entity, filters: Filter = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """Count the rows that meet the conditions."""
    from bx24frames.verbs.read import count_entity

    typer.echo(str(count_entity(entity, portal_named(portal, profile), filters=_conditions(filters))))


def plan(entity: Entity, filters: Filter = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """Say what a read would take: rows, requests, time."""
    from bx24frames.verbs.portals import Portal

    with Portal(portal_named(portal, profile)) as opened:
        typer.echo(str(opened.plan(entity, filters=_conditions(filters))).strip("<>").removeprefix("Plan "))


def describe(
    entity: Entity, out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None
) -> None:
    """Describe a table: a line a field.

    Each with its caption, its type there and here, whether it must or may be written, and its choices.
    """
    from bx24frames.verbs.read import describe_entity

    give(describe_entity(entity, portal_named(portal, profile), backend="pyarrow"), out, form)


def schema(
    entity: Entity, out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None
) -> None:
    """Show what a frame must be: a line a column.

    The columns, polars types and checks are those of entity_schema(), which gives them as a pandera schema.
    """
    from bx24frames.verbs.read import entity_schema

    give(_columns(entity_schema(entity, portal_named(portal, profile), backend="polars")), out, form)


def entities(out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """List the tables: a line an entity.

    It says of each whether this credential may read it, and whether it can be written.
    """
    from bx24frames.verbs.read import list_entities

    give(list_entities(portal_named(portal, profile), backend="pyarrow"), out, form)


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
