"""Command `sync`: keep a mirror of the portal, once or again and again."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bx24frames.cli.parameters import PortalNames, ProfileName, Quiet, bar, portals_given
from bx24frames.cli.phrasing import phrased
from bx24frames.errors import BX24Error, ConfigError
from bx24frames.language import term, translated

if TYPE_CHECKING:
    from bx24frames.frames.sync_report import SyncReport

__all__ = ["sync"]
_Entities = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ENTITY]...",
        help="Entities such as deal, contact, stage_history:2. Default: everything of the CRM and around it that "
        "the credential can read.",
    ),
]
_Store = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="STORE",
        help="A DuckDB file (crm.duckdb), a folder for Parquet files (crm/), or postgresql://user@host/database.",
    ),
]
_Every = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Run again and again, this long after the run before began: 15m, 1h."),
]
_Deletions = Annotated[
    Literal["mark", "delete", "keep"], typer.Option(help="Mark rows that are gone, delete them, or keep them.")
]
_History = Annotated[
    list[str] | None,
    typer.Option(metavar="COLUMN", help="Keep earlier values of this column; rows: of all columns. Repeatable."),
]
_Lag = Annotated[str, typer.Option(metavar="TIME", help="How far behind the last run changes are looked for again.")]
_RetypedFields = Annotated[
    Literal["raise", "column"], typer.Option(help="Fields with a new type: fail the table, or add a column.")
]


def sync(
    entities: _Entities = None,
    store: _Store = "crm.duckdb",
    every: _Every = None,
    deletions: _Deletions = "mark",
    history: _History = None,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Keep views with captions.")] = True,
    lag: _Lag = "5m",
    full: Annotated[bool, typer.Option("--full", help="Read all rows again, and believe any deletions.")] = False,
    retyped: _RetypedFields = "raise",
    portal: PortalNames = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Bring a copy of the portal up to date, or make it.

    Rows are marked as deleted only when the portal was asked for them by their ids.
    """
    from bx24frames.mirror.delta import span_of
    from bx24frames.verbs.sync import sync_entities

    pause = None if every is None else span_of("every", every).total_seconds()
    if pause is not None and pause < 1:
        raise ConfigError("--every must be at least 1s")
    kept = None if not history else "rows" if history == ["rows"] else history
    run = partial(
        sync_entities,
        entities or None,
        portals_given(portal, profile),
        store=store,
        deletions=deletions,
        history=kept,
        labels=labels,
        lag=lag,
        full=full,
        on_error="report",
        progress=bar(quiet),
        retyped=retyped,
    )
    if pause is None:
        report = run()
        _tell(report, quiet=quiet)
        if report.failed:
            raise typer.Exit(1)
        return
    while True:
        began = time.monotonic()
        try:
            _tell(run(), quiet=quiet)
        except BX24Error as fault:
            print(f"bx24frames: {phrased(str(fault))}", file=sys.stderr)  # noqa: T201
        time.sleep(max(0.0, pause - (time.monotonic() - began)))


def _tell(report: SyncReport, *, quiet: bool) -> None:
    """Print what changed, a line for each table."""
    columns = ("portal", "table", "status", "inserted", "updated", "deleted", "message")
    rows = list(zip(*(report.tables[name].to_pylist() for name in columns), strict=True))
    several = len({row[0] for row in rows}) > 1
    advice: dict[str, None] = {}
    for portal, name, status, inserted, updated, deleted, message in rows:
        table = " ".join(part for part in (portal if several else "", name) if part)
        if status == "failed":
            reason, *more = phrased(translated(str(message))).split("\n")
            typer.echo(f"{table}: {term('failed')}: {reason}", err=True)
            advice.update(dict.fromkeys(more))
        elif not quiet and (inserted or updated or deleted):
            typer.echo(translated(f"{table}: {inserted:,} inserted, {updated:,} updated, {deleted:,} deleted"))
    for line in advice:
        typer.echo(line, err=True)
    if not quiet:
        typer.echo(repr(report).strip("<>").removeprefix("SyncReport "))
