"""The commands that inspect an entity without reading its rows: `count`, `plan`, `describe`, `schema`, `entities`."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, TypeVar, cast

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

    from bx24frames.portal.plan import Plan
    from bx24frames.where.filters import Filters

_T = TypeVar("_T")

__all__ = ["count", "describe", "entities", "plan", "schema"]


def count(entity: Entity, filters: Filter = None, portal: PortalNames = None, profile: ProfileName = None) -> None:
    """Count the rows that meet the conditions; of each portal of a group, and of all."""
    from bx24frames.verbs.on_several import count_portals

    found = _of_each(count_portals(portals_given(portal, profile), entity, _conditions(filters)), _counts)
    if found is not None:
        typer.echo(str(found))


def plan(entity: Entity, filters: Filter = None, portal: PortalNames = None, profile: ProfileName = None) -> None:
    """Estimate a read: rows, requests and time; of each portal of a group, and of all."""
    from bx24frames.verbs.on_several import plan_portals

    found = _of_each(plan_portals(portals_given(portal, profile), entity, _conditions(filters)), _plans)
    if found is not None:
        typer.echo(str(found).strip("<>").removeprefix("Plan "))


def _of_each(
    work: Coroutine[object, object, _T | dict[str, _T]], table: Callable[[Mapping[str, _T]], pa.Table]
) -> _T | None:
    """The result of work on one portal; of a group, show a table of the results, also where some portals failed."""
    from bx24frames import bridge

    try:
        found = bridge.run(work)
    except PortalsError as fault:
        show(with_spoken_heads(table(cast("Mapping[str, _T]", fault.frame))))
        raise
    if not isinstance(found, dict):
        return found
    show(with_spoken_heads(table(found)))
    return None


def _counts(counts: Mapping[str, int]) -> pa.Table:
    """The counts by host, and their sum."""
    import pyarrow as pa

    return pa.table({"portal": [*counts, ""], "rows": [*counts.values(), sum(counts.values())]})


def _plans(plans: Mapping[str, Plan]) -> pa.Table:
    """The plans by host; all together take the requests of all and, side by side, the time of the longest."""
    import pyarrow as pa

    found = list(plans.values())
    rows, requests = [plan.rows for plan in found], [plan.requests for plan in found]
    seconds = [plan.seconds for plan in found]
    return pa.table(
        {
            "portal": [*plans, ""],
            "rows": pa.array([*rows, sum(one or 0 for one in rows)], pa.int64()),
            "requests": [*requests, sum(requests)],
            "seconds": [f"{one:.0f}" for one in (*seconds, max(seconds, default=0.0))],
        }
    )


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
