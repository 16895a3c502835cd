"""How many rows a bar may expect: one count beside the read, where somebody looks and the count is cheap."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Final

from bx24frames.engine.messages import Paging
from bx24frames.portal.counting import totals
from bx24frames.scan.progress import Bar
from bx24frames.where.model import Where

if TYPE_CHECKING:
    from types import TracebackType

    from bx24frames.portal.connection import Connection
    from bx24frames.scan.request import Reading

WORTH: Final = 500
"""Rows of a first batch from which more requests are to come."""


class Expected(AbstractAsyncContextManager["Expected"]):
    """Tells a bar the number of rows of a whole table; a condition makes a count dear (docs: huge-data.md)."""

    def __init__(self, connection: Connection, reading: Reading, bar: Bar) -> None:
        self._connection = connection
        self._reading = reading
        self._bar = bar
        self._task: asyncio.Task[None] | None = None

    def begin(self, rows: int) -> None:
        """Take in the size of a batch: after a large first one the count leaves, while the read goes on."""
        listing = self._reading.table.entity.listing
        whole_table = self._reading.where == Where() and self._reading.limit is None
        counts = listing.counted and listing.paging is Paging.KEYSET
        if self._task is None and rows >= WORTH and self._bar.shown and whole_table and counts:
            self._task = asyncio.create_task(self._count())

    async def _count(self) -> None:
        [total] = await totals(self._connection, [self._reading.table.entity.listing])
        self._bar.expect(total)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            # Its failure is the read's own, or costs a bar its end.
            await asyncio.gather(self._task, return_exceptions=True)
