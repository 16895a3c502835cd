"""The commands that read rows: `read`, `scan`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bx24frames.cli import completion
from bx24frames.cli.output import give
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

__all__ = ["read", "scan"]

Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--columns",
        "-c",
        metavar="A,B",
        help="Columns to read, in this order. Default: all.",
        autocompletion=completion.column_list,
    ),
]
OrderBy = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN[:desc]",
        help="Order of the rows. Default: by id, in bounded memory.",
        autocompletion=completion.columns,
    ),
]


def read(
    entity: Entity,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT)] = "-",
    form: Form = None,
    columns: Columns = None,
    filters: Filter = None,
    limit: Annotated[int | None, typer.Option(min=0, help="Maximum number of rows.")] = None,
    order_by: OrderBy = None,
    changed_since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only rows changed at or after this time; misses deletions.")
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the result: an IANA name such as Europe/Berlin.")
    ] = None,
    labels: Annotated[bool, typer.Option("--labels", help="Captions in place of codes.")] = False,
    titles: Annotated[bool, typer.Option("--titles", help="Field titles as column names.")] = False,
    missing_columns: Annotated[
        Literal["raise", "insert"], typer.Option(help="Columns that the portal lacks: fail, or add them empty.")
    ] = "raise",
    chunk_size: Annotated[
        int, typer.Option(min=1, help="Rows per chunk: in memory, in a Parquet row group, in the checkpoint.")
    ] = 10_000,
    on_bad_value: Annotated[
        Literal["raise", "null"], typer.Option(help="Values that do not fit their field: fail, or read them as null.")
    ] = "raise",
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run of the same command.")] = False,
    portal: PortalName = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Read an entity into a file or a pipe.

    Rows are written in chunks, so memory stays bounded for an entity of any size.
    """
    from bx24frames.cli.conditions import conditions
    from bx24frames.cli.export import export, pour
    from bx24frames.files.files_out import flows, format_of
    from bx24frames.frames.requests import FrameRead

    request = FrameRead(
        entity,
        columns=_names(columns),
        filters=conditions(filters or []) or None,
        order_by=_order(order_by),
        limit=limit,
        changed_since=changed_since,
        timezone=timezone,
        labels=labels,
        titles=titles,
        missing_columns=missing_columns,
        on_bad_value=on_bad_value,
        progress=bar(quiet),
        backend="pyarrow",
        chunk_size=chunk_size,
    )
    chosen, target = format_of(out, form), portal_named(portal, profile)
    if not flows(out):
        export(request, target, out, chosen, resume=resume)
    elif resume:
        raise ConfigError("--resume needs a file, not a pipe", guidance="Add --out FILE.")
    else:
        pour(request, target, out, chosen)


def scan(
    entity: Entity,
    sql: Annotated[
        str,
        typer.Argument(
            metavar="SQL",
            help="Query such as SELECT stageId, count(*) FROM deal GROUP BY stageId; FROM self names the entity, too.",
        ),
    ],
    out: Out = None,
    form: Form = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print the query plan with what goes to the portal; run nothing.")
    ] = False,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Time zone of the result: an IANA name such as Europe/Berlin.")
    ] = None,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Query an entity with SQL; only the data the query needs is read.

    Columns, conditions and LIMIT are pushed down to the portal where possible; polars does the rest locally
    (https://docs.pola.rs/api/python/stable/reference/sql/index.html).
    """
    import polars as pl

    from bx24frames.verbs.read import scan_entity

    lazy = scan_entity(entity, portal_named(portal, profile), timezone=timezone)
    try:
        query = pl.SQLContext({entity: lazy, "self": lazy}).execute(sql)
        if explain:
            typer.echo(query.explain())
            return
        found = query.collect()
    except (pl.exceptions.PolarsError, pl.exceptions.SQLSyntaxError) as fault:
        reason = str(fault).partition("\n")[0]
        raise ConfigError(f"The query failed: {reason:.200}") from None
    give(found.to_arrow(), out, form)


def _names(given: list[str] | None) -> list[str] | None:
    return [name.strip() for text in given for name in text.split(",") if name.strip()] if given else None


def _order(given: str | None) -> tuple[str, Literal["asc", "desc"]] | None:
    if given is None:
        return None
    column, _, direction = given.partition(":")
    if direction not in ("", "asc", "desc"):
        raise ConfigError(f"--order-by must be COLUMN, COLUMN:asc or COLUMN:desc, not {given}")
    return column, "desc" if direction == "desc" else "asc"
