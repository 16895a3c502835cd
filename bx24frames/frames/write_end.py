"""The end of an upload: its report, or the error that carries the report."""

from __future__ import annotations

import asyncio

from bx24frames.errors import BX24Error, WriteError, WriteInterrupted
from bx24frames.frames.report import WriteReport
from bx24frames.options import OnError
from bx24frames.upload.journal_folder import guard_again
from bx24frames.upload.outcomes import Uploaded

__all__ = ["WriteCancelled", "interrupted_late", "report_of"]


class WriteCancelled(WriteInterrupted, asyncio.CancelledError):
    """An upload was cancelled with its task; a plain KeyboardInterrupt would stop the event loop."""


def report_of(done: Uploaded, on_error: OnError, *, counted: bool = False) -> WriteReport:
    """Make the report of an upload; `counted`: labels are the numbers of rows in a file.

    Raises
    ------
    WriteInterrupted
        The upload was cancelled.
    WriteError
        The upload ended early, or rows failed or are unknown and `on_error` is not ``"report"``.
    BX24Error
        The credential was refused before a row was written.
    """
    report = WriteReport(
        done.outcomes,
        done.entity,
        done.host,
        done.mode,
        done.dry_run,
        done.robots_ran,
        done.requests,
        done.seconds,
        done.journal,
        done.basis,
        counted,
        done.usage,
    )
    if done.interrupted:
        raise _cancelled(report)
    if done.broken is not None:
        raise _broken_off(done.broken, report) from done.broken
    if done.refusal is not None and not (report.inserted or report.updated or report.unknown):
        raise done.refusal
    if on_error != "report":
        report.raise_for_errors()
    return report


def interrupted_late(end: WriteReport | BaseException) -> WriteInterrupted | None:
    """Make the error of Ctrl-C that came when an upload had ended and its caller did not have the report yet.

    The journal is marked as unfinished: run again, the same upload raises `UnfinishedUpload`. None if there is no
    report.
    """
    report = end.report if isinstance(end, WriteError) else end
    if not isinstance(report, WriteReport):
        return None
    guard_again(report.journal)
    return _cancelled(report)


def _cancelled(report: WriteReport) -> WriteCancelled:
    work = "deletion" if report.mode == "delete" else "upload"
    return WriteCancelled(f"The {work} was interrupted; .report has the outcome of each row", report=report)


def _broken_off(error: BX24Error, report: WriteReport) -> WriteError:
    """Make the error of an upload that ended early, with the report of what was done."""
    done = len(report) - report.failed - report.unknown - report.skipped
    return WriteError(
        f"The {report.mode} ended early, with {done:,} of {len(report):,} rows done and {report.unknown:,} unknown: "
        f"{error.message}",
        report=report,
        guidance=".report has the outcome of each row."
        if report.journal is None
        else f"To continue, repeat the call with resume={str(report.journal)!r}; .report has the outcome of each row.",
    )
