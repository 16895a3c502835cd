"""The commands that change rows: `write` and `delete`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bx24frames.cli import completion
from bx24frames.cli.parameters import (
    EncodingName,
    Entity,
    FormIn,
    OnErrors,
    PortalName,
    ProfileName,
    Quiet,
    Separator,
    bar,
    portal_named,
    separator,
)
from bx24frames.cli.phrasing import phrased, wrapped
from bx24frames.cli.speech import require_yes
from bx24frames.errors import ConfigError, ValidationError, WriteError, WriteInterrupted
from bx24frames.language import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from bx24frames.files.sheets import Layout
    from bx24frames.reports import Report
    from bx24frames.upload.sheet_source import SheetSource

__all__ = ["delete", "write"]

INTERRUPTED = 130
SEPARATORS = {True: ";", False: ",", None: "\t"}
"""Separator of a CSV report, by whether the numbers of the file have a decimal comma (`Sheet.decimal_comma`)."""

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Check everything, send nothing.")]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume", metavar="JOURNAL", help="Continue the upload recorded in this journal; its name is enough."
    ),
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
_Input = Annotated[
    str, typer.Argument(metavar="FILE", help="Input: .parquet, .csv, .jsonl or .xlsx; - is standard input.")
]
_Heading = Annotated[int | None, typer.Option(min=1, metavar="ROW", help="Row of the heading. Default: detected.")]
_SheetName = Annotated[
    str | None, typer.Option(metavar="NAME", help="Sheet of the workbook. Default: the first visible one.")
]
_Mapped = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="HEADING=FIELD",
        help="""Field of a column, such as "Сумма, руб.=opportunity"; without a field, the column is left out. """
        "Repeatable.",
    ),
]
_Nulls = Annotated[
    Literal["skip", "clear"], typer.Option(help="Null cells of an update: leave the field unchanged, or clear it.")
]
_ExtraColumns = Annotated[
    Literal["raise", "ignore"], typer.Option(help="Columns that match no field: fail, or ignore them.")
]


def write(
    entity: Entity,
    file: _Input,
    mode: ModeName,
    form: FormIn = None,
    sep: Separator = None,
    encoding: EncodingName = None,
    header: _Heading = None,
    sheet: _SheetName = None,
    mapped: _Mapped = None,
    on: Keys = None,
    columns: Sent = None,
    nulls: _Nulls = "skip",
    extra_columns: _ExtraColumns = "raise",
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

    Headings are codes or titles of fields; rows are numbered as a spreadsheet numbers them. --report writes the rows
    of the file with the outcome of each: mend those that failed and write the report again, which sends only these.
    """
    from bx24frames.cli.preparation import ask, take
    from bx24frames.files.sheets import Layout
    from bx24frames.verbs.write import write_entity

    target = portal_named(portal, profile)
    _check_report(report)
    source = _opened(file, form, Layout(separator(sep), encoding, header, sheet))
    named = _mapping(mapped)
    taken = take(source, entity, target, named, timezone)
    ask(taken, _question(mode, f"{source.rows:,}", entity, _host(target)), yes=yes or dry_run, quiet=quiet)
    _tell(
        lambda: write_entity(
            source,
            entity,
            target,
            mode=mode,
            on=_list(on),
            columns=_list(columns),
            mapping=named,
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
        source,
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
        _ask(_question("delete", f"{doomed.rows:,}", entity, _host(target)))
    _tell(
        lambda: delete_entity(
            doomed.table.column("id").to_pylist(),
            entity,
            target,
            on_error=on_error,
            dry_run=dry_run,
            resume=_journal(resume, afresh),
            progress=bar(quiet),
        ),
        report,
        doomed,
    )


def _question(verb: Literal["insert", "update", "upsert", "delete"], rows: str, entity: str, host: str) -> str:
    """Ask whether to begin."""
    return {
        "insert": f"Insert {rows} rows: {entity} at {host}?",
        "update": f"Update {rows} rows: {entity} at {host}?",
        "upsert": f"Upsert {rows} rows: {entity} at {host}?",
        "delete": f"Delete {rows} rows: {entity} at {host}?",
    }[verb]


def _opened(file: str, form: str | None, layout: Layout) -> SheetSource:
    from bx24frames.upload.sheet_source import SheetSource

    return replace(SheetSource.read(file, form, layout), backend="pyarrow")


def _mapping(texts: list[str] | None) -> dict[str, str | None]:
    """Parse ``HEADING=FIELD``; without a field, the column is left out."""
    found: dict[str, str | None] = {}
    for text in texts or ():
        heading, sign, field = text.rpartition("=")
        if not sign or not heading.strip():
            raise ConfigError(f"--map {text!r} is not HEADING=FIELD", guidance='Write --map "Сумма, руб.=opportunity".')
        found[heading.strip()] = field.strip() or None
    return found


def _tell(work: Callable[[], Report], path: str | None, source: SheetSource) -> None:
    """Run an upload and print its report, also after an error; the command fails if any row failed or is unknown."""
    try:
        found, status = work(), 0
    except WriteError as error:
        found, status = error.report, 1
    except WriteInterrupted as interrupt:
        found, status = interrupt.report, INTERRUPTED
    except ValidationError as error:
        raise _listed(error, path, source) from None
    typer.echo(wrapped(phrased(str(found)), sys.stdout))
    if status == INTERRUPTED and found.journal:
        resume = f"run the same command with --resume {found.journal} to continue"
        typer.echo(wrapped(phrased(translated(f"bx24frames: interrupted; {resume}")), sys.stderr), err=True)
    _save(source, found.frame("pyarrow").to_pylist(), path)
    if status or found.failed or found.unknown:
        raise typer.Exit(status or 1)


def _check_report(path: str | None) -> None:
    """Check that the report can be written before anything is sent."""
    if path is not None:
        from bx24frames.files.files_out import check_folder, format_of

        format_of(path)
        check_folder(path)


def _save(source: SheetSource, outcomes: list[dict[str, object]], path: str | None) -> None:
    """Write the rows with their outcomes, for a spreadsheet."""
    if path is not None:
        from bx24frames.files.files_out import format_of, writing
        from bx24frames.files.row_report import report_table
        from bx24frames.files.sheet_style import SheetStyle

        # the cells are text as typed: the separator says how their numbers are read again
        style = SheetStyle(sep=SEPARATORS[source.sheet.decimal_comma])
        with writing(path, format_of(path), name="report", style=style) as append:
            append(report_table(source.table, outcomes))


def _listed(error: ValidationError, path: str | None, source: SheetSource) -> ValidationError:
    """Save the rows with their faults to the report file, and return the error with guidance on where they are."""
    import pyarrow as pa

    faults = error.failures
    if not isinstance(faults, pa.Table) or not error.rows:
        return error
    by: dict[int, list[dict[str, object]]] = {}
    for line in faults.to_pylist():
        if line["position"] is not None:
            by.setdefault(int(line["position"]), []).append(line)
    labels = source.labels().to_pylist()
    _save(source, [_unsent(label, by.get(at, [])) for at, label in enumerate(labels)], path)
    guidance = (
        f"Nothing was sent. {path or '--report FILE'} lists every row with its fault, to be mended and written again."
    )
    if error.guidance:
        guidance = f"{error.guidance} {guidance}"
    return ValidationError(error.message, failures=faults, entity=error.entity, rows=error.rows, guidance=guidance)


def _unsent(label: object, faults: list[dict[str, object]]) -> dict[str, object]:
    message = "; ".join(f"{fault['column']}: {fault['reason']}" for fault in faults) if len(faults) > 1 else None
    return {
        "label": label,
        "action": "failed" if faults else "skipped",
        "id": None,
        "column": ", ".join(str(fault["column"]) for fault in faults) or None,
        "code": None,
        "message": message or (faults[0]["reason"] if faults else "not sent, because other rows are invalid"),
    }


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            f"{question} There is no terminal to confirm it", guidance="Add --yes, or --dry-run to preview."
        )
    require_yes(question)


def _host(target: str | None) -> str:
    from bx24frames.config import resolve

    profile = resolve(target)
    return "the sandbox" if profile.is_sandbox else profile.address().host


def _doomed(ids: list[int] | None, source: str | None, form: str | None) -> SheetSource:
    """The rows to delete: ids as given, the column id of a file, or the rows that the upload of a report inserted."""
    import pyarrow as pa

    from bx24frames.files.files_in import form_of, read_file
    from bx24frames.files.row_report import inserted_ids, is_report
    from bx24frames.files.sheets import Sheet
    from bx24frames.upload.sheet_source import SheetSource

    if bool(ids) == (source is not None):
        raise ConfigError("Give either ids, or a file of ids with --from")
    if source is None:
        return SheetSource.of(Sheet(pa.table({"id": list(ids or ())})), "the command line")
    sheet = read_file(source, form_of(source, form))
    if is_report(sheet):
        known = [_whole(value, row) for row, value in enumerate(inserted_ids(sheet))]
        return SheetSource.of(Sheet(pa.table({"id": pa.array(known, pa.int64())})), source)
    names = [name for name in sheet.table.column_names if name.lower() == "id"]
    if not names:
        raise ConfigError(f"{source} has no column id", guidance=f"Its columns: {', '.join(sheet.table.column_names)}")
    places = sheet.lines or range(sheet.table.num_rows)
    known = [_whole(value, row) for row, value in zip(places, sheet.table.column(names[0]).to_pylist(), strict=True)]
    return SheetSource.of(Sheet(pa.table({"id": pa.array(known, pa.int64())}), lines=sheet.lines), source)


def _whole(value: object, row: int) -> int:
    text = str(value)
    if not text.isdigit():
        raise ConfigError(f"row {row}, column id: {text} is not an id", rows=(row,))
    return int(text)


def _journal(resume: str | None, afresh: bool) -> str | Literal[False] | None:
    if afresh and resume is not None:
        raise ConfigError("--resume continues an upload and --afresh starts it over: give one of them")
    return False if afresh else None if resume is None else _known_journal(resume)


def _known_journal(name: str) -> str:
    """The path of a journal; one without a folder may be in the user's state folder, where uploads keep them."""
    from bx24frames.upload.journal_folder import home

    kept = home() / name
    return str(kept) if Path(name).name == name and not Path(name).exists() and kept.exists() else name


def _list(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",")]
