"""Expected rows of a progress bar: one count next to the read, if the bar is displayed and the count is cheap."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.portal.counts import totals
from bx24frames.scan.progress import Bar
from bx24frames.where.model import Where

if TYPE_CHECKING:
    from types import TracebackType

    from bx24frames.portal.connection import Connection
    from bx24frames.scan.preparation import Reading

WORTH: Final = 500
"""Size of a first batch that implies further requests."""


class Expected(AbstractAsyncContextManager["Expected"]):
    """Sets the total of a bar for reads without conditions; conditions make a count expensive (docs: huge-data.md)."""

    def __init__(self, connection: Connection, reading: Reading, bar: Bar) -> None:
        self._connection = connection
        self._reading = reading
        self._bar = bar
        self._task: asyncio.Task[None] | None = None

    def begin(self, rows: int) -> None:
        """Record the size of a batch: after a large first one, the count is requested while the read continues."""
        listing = self._reading.table.entity.listing
        whole_table = self._reading.where == Where() and self._reading.limit is None
        counts = listing.counted and listing.paging is Paging.KEYSET
        if self._task is None and rows >= WORTH and self._bar.has_total and whole_table and counts:
            self._task = asyncio.create_task(self._count())

    async def _count(self) -> None:
        [total] = await totals(self._connection, [self._reading.table.entity.listing])
        self._bar.expect(total)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            # A failure also fails the read, or only leaves the bar without a total.
            await asyncio.gather(self._task, return_exceptions=True)
