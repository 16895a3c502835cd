"""The commands that read rows: `read`, `scan`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bx24frames.cli import completion
from bx24frames.cli.output import give
from bx24frames.cli.parameters import (
    FILES_OUT,
    EncodingName,
    Entity,
    Filter,
    Form,
    Out,
    PortalName,
    PortalNames,
    ProfileName,
    Quiet,
    Separator,
    bar,
    portals_given,
    separator,
)
from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.files.sheet_style import SheetStyle
    from bx24frames.frames.requests import FrameRead
    from bx24frames.portal.several import PortalsLike

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
_OrderBy = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN[:desc]",
        help="Order of the rows. Default: by id, in bounded memory.",
        autocompletion=completion.columns,
    ),
]
_Limit = Annotated[int | None, typer.Option(min=0, help="Maximum number of rows.")]
_Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Only rows changed at or after this time; misses deletions.")
]
_ResultZone = Annotated[
    str | None, typer.Option(metavar="ZONE", help="Time zone of the result: an IANA name such as Europe/Berlin.")
]
_Links = Annotated[
    bool, typer.Option("--links", help="Also names in place of the ids of companies, contacts and other rows.")
]
_Missing = Annotated[
    Literal["raise", "insert"], typer.Option(help="Columns that the portal lacks: fail, or add them empty.")
]
_ChunkSize = Annotated[
    int, typer.Option(min=1, help="Rows per chunk: in memory, in a Parquet row group, in the checkpoint.")
]
_BadValues = Annotated[
    Literal["raise", "null"], typer.Option(help="Values that do not fit their field: fail, or read them as null.")
]
_Purpose = Annotated[
    Literal["excel"] | None,
    typer.Option(
        "--for",
        help="excel: a CSV file that Excel opens without settings: the separator, decimal sign and dates of your "
        "language, UTF-8 with a mark, and an apostrophe before text that Excel would run as a formula.",
    ),
]


def read(
    entity: Entity,
    out: Annotated[str, typer.Option("--out", "-o", metavar="FILE", help=FILES_OUT)] = "-",
    form: Form = None,
    columns: Columns = None,
    filters: Filter = None,
    limit: _Limit = None,
    order_by: _OrderBy = None,
    changed_since: _Since = None,
    timezone: _ResultZone = None,
    labels: Annotated[bool, typer.Option("--labels", help="Captions in place of codes.")] = False,
    links: _Links = False,
    titles: Annotated[bool, typer.Option("--titles", help="Field titles as column names.")] = False,
    missing_columns: _Missing = "raise",
    chunk_size: _ChunkSize = 10_000,
    on_bad_value: _BadValues = "raise",
    purpose: _Purpose = None,
    sep: Separator = None,
    encoding: EncodingName = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue an interrupted run of the same command.")] = False,
    portal: PortalNames = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Read an entity into a file or a pipe.

    Rows are written in chunks, so memory stays bounded for an entity of any size. In .csv and .xlsx, lists are joined,
    phones and e-mails are text, and times are in the portal's time zone; `write` reads such a file back unchanged.
    """
    from bx24frames.cli.conditions import conditions
    from bx24frames.cli.export import SCREEN
    from bx24frames.files.files_out import format_of
    from bx24frames.files.sheet_style import spreadsheet_style
    from bx24frames.frames.requests import FrameRead

    request = FrameRead(
        entity,
        columns=_names(columns),
        filters=conditions(filters or []) or None,
        order_by=_order(order_by),
        limit=limit,
        changed_since=changed_since,
        timezone=timezone,
        labels="all" if links else labels,
        titles=titles,
        missing_columns=missing_columns,
        on_bad_value=on_bad_value,
        progress=bar(quiet),
        backend="pyarrow",
        chunk_size=chunk_size,
    )
    chosen, target = format_of(out, form), portals_given(portal, profile)
    style = _style(chosen, purpose, separator(sep), encoding)
    if out == "-" and not (form or purpose or sep or encoding) and sys.stdout is not None and sys.stdout.isatty():
        chosen, style = SCREEN, replace(spreadsheet_style(), guard=False)
    _write_rows(request, target, out, chosen, style, resume=resume)


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

    lazy = scan_entity(entity, portals_given(portal, profile), timezone=timezone)
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


def _write_rows(
    request: FrameRead, target: PortalsLike, out: str, form: str, style: SheetStyle, *, resume: bool
) -> None:
    """Read into a file that can be resumed, or without a checkpoint to a stream or from several portals."""
    from bx24frames.cli.export import export, pour
    from bx24frames.files.files_out import flows
    from bx24frames.portal.several import portals_named

    portals, listed = portals_named(target)
    if resume and (listed or flows(out)):
        raise ConfigError("--resume needs one portal and a file, not a pipe", guidance="Add --out FILE.")
    if listed or flows(out):
        pour(request, target, out, form, style)
    else:
        export(request, portals[0], out, form, style, resume=resume)


def _style(form: str, purpose: str | None, sep: str | None, encoding: str | None) -> SheetStyle:
    from bx24frames.files.sheet_style import PLAIN, spreadsheet_style

    if form != "csv" and (sep or encoding or (purpose and form != "xlsx")):
        raise ConfigError(f"--sep, --encoding and --for are for CSV files, not for {form}")
    # a workbook needs no settings; its dates are shown as in the user's language
    style = spreadsheet_style() if purpose or form == "xlsx" else PLAIN
    return replace(style, sep=sep or style.sep, encoding=encoding or style.encoding)


def _names(given: list[str] | None) -> list[str] | None:
    return [name.strip() for text in given for name in text.split(",") if name.strip()] if given else None


def _order(given: str | None) -> tuple[str, Literal["asc", "desc"]] | None:
    if given is None:
        return None
    column, _, direction = given.partition(":")
    inside = column.startswith("-") or column.lower().endswith((" asc", " desc"))
    if direction not in ("", "asc", "desc") or inside:
        raise ConfigError(f"--order-by must be COLUMN, COLUMN:asc or COLUMN:desc, not {given}")
    return column, "desc" if direction == "desc" else "asc"
