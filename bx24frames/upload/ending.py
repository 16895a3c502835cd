"""Early end of an upload: interrupted by the user, or aborted by an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error, WriteError, WriteInterrupted

if TYPE_CHECKING:
    from bx24frames.frames.report import WriteReport
    from bx24frames.upload.sending import Sending


class WriteCancelled(WriteInterrupted, asyncio.CancelledError):
    """An upload whose task was cancelled; a plain KeyboardInterrupt would end the caller's event loop."""


def broken_off(error: BX24Error, report: WriteReport) -> WriteError:
    """The error of an upload that ended early; its report shows what was done."""
    done = len(report) - report.failed - report.unknown - report.skipped
    return WriteError(
        f"The {report.mode} was aborted with {done:,} of {len(report):,} rows done and {report.unknown:,} unknown: "
        f"{error.message}",
        report=report,
        guidance=".report has the outcome of every row."
        if report.journal is None
        else f"Repeat the call with resume={str(report.journal)!r} to continue; .report has the outcome of every row.",
    )


async def interruptible(work: asyncio.Task[None], sending: Sending) -> bool:
    """Wait for an upload; on Ctrl-C send nothing new and wait for requests in flight, unless interrupted a second time.

    Returns whether it was interrupted.
    """
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        sending.stop()
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        return True
    return False
