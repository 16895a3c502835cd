"""The commands that read rows: `read`, `scan`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from bx24frames.cli import completion
from bx24frames.cli.giving import give
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
        help="Columns wanted, in that order; without it, all.",
        autocompletion=completion.column_list,
    ),
]
OrderBy = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN[:desc]", help="Without it, by id and in bounded memory.", autocompletion=completion.columns
    ),
]


def read(
    entity: Entity,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT)] = "-",
    form: Form = None,
    columns: Columns = None,
    filters: Filter = None,
    limit: Annotated[int | None, typer.Option(min=0, help="The first so many rows.")] = None,
    order_by: OrderBy = None,
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
    """Read a table into a file, or a pipe.

    Row group by row group: a table of any size takes little memory.
    """
    from bx24frames.cli.exporting import Asked, export, pour
    from bx24frames.files.files_out import flows, format_of

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
    if not flows(out):
        export(asked, target, out, chosen, resume=resume, progress=bar(quiet))
    elif resume:
        raise ConfigError("--resume goes on with a file, not with a pipe", guidance="Say --out FILE.")
    else:
        pour(asked, target, out, chosen, bar(quiet))


def scan(
    entity: Entity,
    sql: Annotated[
        str,
        typer.Argument(metavar="SQL", help="SELECT stageId, count(*) FROM deal GROUP BY stageId; or FROM self."),
    ],
    out: Out = None,
    form: Form = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what the portal would be asked for.")] = False,
    timezone: Annotated[str | None, typer.Option(metavar="ZONE", help="IANA name, such as Europe/Berlin.")] = None,
    portal: PortalName = None,
    profile: ProfileName = None,
) -> None:
    """Ask a table by SQL; the portal sends what the query needs.

    Columns, conditions and LIMIT go into the request as far as they can; polars does the rest here
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
        raise ConfigError(f"The query cannot be carried out: {reason:.200}") from None
    give(found.to_arrow(), out, form)


def _names(given: list[str] | None) -> list[str] | None:
    return [name.strip() for text in given for name in text.split(",") if name.strip()] if given else None


def _order(given: str | None) -> tuple[str, Literal["asc", "desc"]] | None:
    if given is None:
        return None
    column, _, direction = given.partition(":")
    if direction not in ("", "asc", "desc"):
        raise ConfigError(f"--order-by is COLUMN, COLUMN:asc or COLUMN:desc, not {given}")
    return column, "desc" if direction == "desc" else "asc"
