"""The commands that change rows: `write` and `delete`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bx24frames.cli import completion
from bx24frames.cli.parameters import Entity, FormIn, OnErrors, PortalName, ProfileName, Quiet, bar, portal_named
from bx24frames.cli.phrasing import phrased
from bx24frames.errors import ConfigError, ValidationError, WriteError, WriteInterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from bx24frames.cli.preparation import Taken
    from bx24frames.errors import Report

__all__ = ["delete", "write"]

INTERRUPTED = 130
COUNTED = "Rows are numbered from 0, without the heading and empty rows"

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")]
Resume = Annotated[
    str | None, typer.Option("--resume", metavar="JOURNAL", help="Continue the upload recorded in this journal.")
]
Afresh = Annotated[
    bool, typer.Option("--afresh", help="Start over even if the same upload was started before and not finished.")
]
ReportFile = Annotated[
    str | None, typer.Option("--report", metavar="FILE", help="Write the outcome of each row to this file.")
]

Keys = Annotated[
    str | None,
    typer.Option(metavar="A,B", help="Key columns that identify a row.", autocompletion=completion.column_list),
]
Robots = Annotated[
    bool | None, typer.Option("--automation/--no-automation", help="Require or prevent running the portal's robots.")
]
Sent = Annotated[
    str | None,
    typer.Option("--columns", "-c", metavar="A,B", help="Columns to send.", autocompletion=completion.column_list),
]
ModeName = Annotated[
    Literal["insert", "update", "upsert"],
    typer.Option(help="insert: add rows; update: change rows by id; upsert: update or insert by key."),
]
Changed = Annotated[bool, typer.Option("--only-changed", help="Send only cells that differ from the portal's.")]
Rows = Annotated[int | None, typer.Option(min=1, help="Rows per request. Default: adapted to the portal's speed.")]
Zone = Annotated[str | None, typer.Option(metavar="ZONE", help="Time zone of times that name none (IANA name).")]


def write(
    entity: Entity,
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="Input: .parquet, .csv, .jsonl or .xlsx; - is standard input.")
    ],
    mode: ModeName,
    form: FormIn = None,
    on: Keys = None,
    columns: Sent = None,
    nulls: Annotated[
        Literal["skip", "clear"], typer.Option(help="Null cells of an update: leave the field unchanged, or clear it.")
    ] = "skip",
    extra_columns: Annotated[
        Literal["raise", "ignore"], typer.Option(help="Columns that match no field: fail, or ignore them.")
    ] = "raise",
    timezone: Zone = None,
    automation: Robots = None,
    only_changed: Changed = False,
    rows_per_request: Rows = None,
    yes: Yes = False,
    on_error: OnErrors = "raise",
    dry_run: Dry = False,
    resume: Resume = None,
    afresh: Afresh = False,
    report: ReportFile = None,
    portal: PortalName = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Write the rows of a file to an entity; every row gets an outcome.

    Rows are numbered from 0, without the heading and empty rows: row 0 is the second line of a sheet. If nothing is
    sent because cells are invalid, --report lists the invalid cells.
    """
    from bx24frames.verbs.write import write_entity

    target = portal_named(portal, profile)
    _check_report(report)
    taken = _agreed(file, form, mode, entity, target, yes=yes or dry_run, quiet=quiet)
    _tell(
        lambda: write_entity(
            taken.table,
            entity,
            target,
            mode=mode,
            on=taken.names(_list(on)),
            columns=taken.names(_list(columns)),
            nulls=nulls,
            extra_columns=extra_columns,
            timezone=timezone,
            automation=automation,
            only_changed=only_changed,
            rows_per_request=rows_per_request or "auto",
            on_error=on_error,
            dry_run=dry_run,
            resume=_journal(resume, afresh),
            progress=bar(quiet),
        ),
        report,
    )


def delete(
    entity: Entity,
    ids: Annotated[list[int] | None, typer.Argument(metavar="ID", help="Ids of rows; or use --from.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="File with an id column; - is standard input.")
    ] = None,
    form: FormIn = None,
    yes: Yes = False,
    on_error: OnErrors = "raise",
    dry_run: Dry = False,
    resume: Resume = None,
    afresh: Afresh = False,
    report: ReportFile = None,
    portal: PortalName = None,
    profile: ProfileName = None,
    quiet: Quiet = False,
) -> None:
    """Delete rows by id, after confirmation."""
    from bx24frames.verbs.write import delete_entity

    target = portal_named(portal, profile)
    _check_report(report)
    doomed = _doomed(ids, source, form)
    if not (yes or dry_run):
        _ask(f"Delete {len(doomed):,} rows of {entity} at {_host(target)}?")
    _tell(
        lambda: delete_entity(
            doomed,
            entity,
            target,
            on_error=on_error,
            dry_run=dry_run,
            resume=_journal(resume, afresh),
            progress=bar(quiet),
        ),
        report,
    )


def _agreed(
    file: str, form: str | None, mode: str, entity: str, target: str | None, *, yes: bool, quiet: bool
) -> Taken:
    """Read a file, match its columns to fields, and have the user confirm them."""
    from bx24frames.cli.preparation import ask, take
    from bx24frames.files.files_in import read_file
    from bx24frames.files.files_out import format_of

    taken = take(read_file(file, format_of(file, form)), entity, target)
    question = f"{mode.capitalize()} {taken.table.num_rows:,} rows: {entity} at {_host(target)}?"
    ask(taken, question, yes=yes, quiet=quiet)
    return taken


def _tell(work: Callable[[], Report], path: str | None) -> None:
    """Run an upload and print its report, also after an error; the command fails if any row failed or is unknown."""
    try:
        found, status = work(), 0
    except WriteError as error:
        found, status = error.report, 1
    except WriteInterrupted as interrupt:
        found, status = interrupt.report, INTERRUPTED
    except ValidationError as error:
        raise _listed(error, path) from None
    typer.echo(phrased(str(found)))
    if status == INTERRUPTED and found.journal:
        resume = f"run the same command with --resume {found.journal} to continue"
        typer.echo(f"bx24frames: interrupted; {resume}", err=True)
    _save(found.frame("pyarrow"), path)
    if status or found.failed or found.unknown:
        raise typer.Exit(status or 1)


def _check_report(path: str | None) -> None:
    """Check that the report can be written before anything is sent."""
    if path is not None:
        from bx24frames.files.files_out import check_folder, format_of

        format_of(path)
        check_folder(path)


def _save(table: pa.Table, path: str | None) -> None:
    if path is not None:
        from bx24frames.files.files_out import format_of, writing

        with writing(path, format_of(path)) as append:
            append(table)


def _listed(error: ValidationError, path: str | None) -> ValidationError:
    """Save the invalid cells to the report file, and return the error with guidance on where they are."""
    import pyarrow as pa

    faults = error.failures
    if not isinstance(faults, pa.Table) or not error.rows:
        return error
    _save(faults, path)
    where = f"{path} lists" if path else "use --report FILE to list"
    guidance = f"{COUNTED}; {where} all invalid cells."
    return ValidationError(error.message, failures=faults, entity=error.entity, rows=error.rows, guidance=guidance)


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{question} There is no terminal to confirm it", guidance="Add --yes, or --dry-run to preview."
        )
    typer.confirm(question, abort=True, err=True)


def _host(target: str | None) -> str:
    from bx24frames.config import resolve

    profile = resolve(target)
    return "the sandbox" if profile.is_sandbox else profile.address().host


def _doomed(ids: list[int] | None, source: str | None, form: str | None) -> list[object]:
    if bool(ids) == (source is not None):
        raise ConfigError("Give either ids, or a file of ids with --from")
    if source is None:
        return list(ids or ())
    from bx24frames.files.files_in import read_file
    from bx24frames.files.files_out import format_of

    table: pa.Table = read_file(source, format_of(source, form)).table
    names = [name for name in table.column_names if name.lower() == "id"]
    if not names:
        raise ConfigError(f"{source} has no column id", guidance=f"Its columns: {', '.join(table.column_names)}")
    return [_whole(value, row) for row, value in enumerate(table.column(names[0]).to_pylist())]


def _whole(value: object, row: int) -> object:
    text = str(value)
    if not text.isdigit():
        raise ConfigError(f"row {row}, column id: {text} is not an id", rows=(row,))
    return int(text)


def _journal(resume: str | None, afresh: bool) -> str | Literal[False] | None:
    if afresh and resume is not None:
        raise ConfigError("--resume continues an upload and --afresh starts it over: give one of them")
    return False if afresh else resume


def _list(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]
