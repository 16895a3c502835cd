"""How an upload ends before its last row: interrupted by its user, or broken off by an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bx24frames.errors import BX24Error, WriteError, WriteInterrupted

if TYPE_CHECKING:
    from bx24frames.frames.report import WriteReport
    from bx24frames.upload.sending import Sending


class WriteCancelled(WriteInterrupted, asyncio.CancelledError):
    """An upload whose task was cancelled: a KeyboardInterrupt alone would end the loop of whoever cancelled it."""


def broken_off(error: BX24Error, report: WriteReport) -> WriteError:
    """The error of an upload that ended early: what was done by then is in its report."""
    done = len(report) - report.failed - report.unknown - report.skipped
    return WriteError(
        f"The {report.mode} broke off, with {done:,} of {len(report):,} rows done and {report.unknown:,} unknown: "
        f"{error.message}",
        report=report,
        guidance=".report has every row."
        if report.journal is None
        else f"Go on with it by the same call and resume={str(report.journal)!r}; .report has every row.",
    )


async def interruptible(work: asyncio.Task[None], sending: Sending) -> bool:
    """Wait for an upload; on Ctrl-C begin nothing new and wait for what is under way, unless asked a second time.

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
