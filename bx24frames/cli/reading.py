"""The commands that read: `read`, `count`, `describe`, `entities`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bx24frames.cli.parameters import (
    FILES_OUT,
    Entity,
    Filter,
    Form,
    Out,
    PortalName,
    ProfileName,
    Quiet,
    bar,
    portal_named,
)
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["count", "describe", "entities", "read"]


def read(
    entity: Entity,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT)] = "-",
    form: Form = None,
    columns: Annotated[
        list[str] | None,
        typer.Option("--columns", "-c", metavar="A,B", help="Columns wanted, in that order; without it, all."),
    ] = None,
    filters: Filter = None,
    limit: Annotated[int | None, typer.Option(min=0, help="The first so many rows.")] = None,
    order_by: Annotated[
        str | None, typer.Option(metavar="COLUMN[:desc]", help="Without it, by id and in bounded memory.")
    ] = None,
    changed_since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Rows changed at or after it; blind to deletions.")
    ] = None,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="IANA name, such as Europe/Berlin.")] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Captions in place of codes.")] = False,
    titles: Annotated[bool, typer.Option("--titles", help="Columns named as people see them in the portal.")] = False,
    missing_columns: Annotated[
        Literal["raise", "insert"], typer.Option(help="Columns the portal lacks: fail, or write them empty.")
    ] = "raise",
    chunk_size: Annotated[
        int, typer.Option(min=1, help="Rows of a parquet row group, and of what is kept at once.")
    ] = 10_000,
    on_bad_value: Annotated[
        Literal["raise", "null"], typer.Option(help="A value that does not fit its field: fail, or leave it out.")
    ] = "raise",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the same read into the same file, if it was interrupted.")
    ] = False,
    portal: PortalName = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Read a table into a file, or to standard output, row group by row group."""
    from bx24frames.cli.exporting import Asked, export, pour
    from bx24frames.cli.files_out import STDOUT, format_of

    asked = Asked(
        entity=entity,
        columns=_names(columns),
        filters=filters or [],
        order_by=_order(order_by),
        limit=limit,
        changed_since=changed_since,
        timezone=timezone,
        labels=labels,
        titles=titles,
        missing_columns=missing_columns,
        on_bad_value=on_bad_value,
        chunk_size=chunk_size,
    )
    chosen, target = format_of(out, form), portal_named(portal, profile)
    if out != STDOUT:
        export(asked, target, out, chosen, resume=resume, progress=bar(quiet))
    elif resume:
        raise ConfigError("--resume goes on with a file, not with standard output", guidance="Say --out FILE.")
    else:
        pour(asked, target, chosen, bar(quiet))


def count(entity: Entity, filters: Filter = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """Count the rows that meet the conditions."""
    from bx24frames.cli.conditions import conditions
    from bx24frames.frames.reading import count_entity

    rows = count_entity(entity, portal_named(portal, profile), filters=conditions(filters or ()) or None)
    typer.echo(str(rows))


def describe(
    entity: Entity, out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None
) -> None:
    """Describe a table: a line a field, with its type here and there."""
    from bx24frames.frames.reading import describe_entity

    _give(describe_entity(entity, portal_named(portal, profile), backend="pyarrow"), out, form)


def entities(out: Out = None, form: Form = None, portal: PortalName = None, profile: ProfileName = None) -> None:
    """List the tables: a line an entity, and whether this credential may read it."""
    from bx24frames.frames.reading import list_entities

    _give(list_entities(portal_named(portal, profile), backend="pyarrow"), out, form)


def _give(table: pa.Table, out: str | None, form: str | None) -> None:
    from bx24frames.cli.files_out import STDOUT, format_of, writing
    from bx24frames.cli.text_table import text_table

    if out is None and form is None:
        typer.echo(text_table(table))
        return
    path = out or STDOUT
    with writing(path, format_of(path, form)) as append:
        append(table)


def _names(given: list[str] | None) -> list[str] | None:
    return [name.strip() for text in given for name in text.split(",") if name.strip()] if given else None


def _order(given: str | None) -> tuple[str, Literal["asc", "desc"]] | None:
    if given is None:
        return None
    column, _, direction = given.partition(":")
    if direction not in ("", "asc", "desc"):
        raise ConfigError(f"--order-by is COLUMN, COLUMN:asc or COLUMN:desc, not {given}")
    return column, "desc" if direction == "desc" else "asc"
