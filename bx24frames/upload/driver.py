"""Driver of the upload machine: carries out its steps at a portal; the only part of an upload that waits."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from bx24frames.engine.messages import Done, Wait
from bx24frames.engine.sizes import FIRST_WRITES, Sizes
from bx24frames.errors import BX24Error
from bx24frames.portal.metadata import find_table
from bx24frames.upload.lookup import highest_id, rows_after, rows_by_id, rows_by_key, rows_like
from bx24frames.upload.steps import (
    Author,
    CallAnswers,
    HighestId,
    Note,
    RowsAfter,
    RowsById,
    RowsByKey,
    RowsLike,
    Send,
    TableOf,
)

if TYPE_CHECKING:
    from bx24frames.engine.clock import Clock
    from bx24frames.engine.messages import Parcel
    from bx24frames.portal.connection import Connection
    from bx24frames.portal.metadata import Table
    from bx24frames.upload.journal import Journal
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.steps import UploadStep

__all__ = ["Driver"]


class Driver:
    """Runs one upload machine.

    Parameters
    ----------
    connection : Connection
    table : Table
        The entity written to.
    machine : UploadMachine
    journal : Journal, optional
        Where facts are recorded.
    """

    def __init__(
        self, connection: Connection, table: Table, machine: UploadMachine, journal: Journal | None = None
    ) -> None:
        self._connection = connection
        self._table = table
        self._machine = machine
        self._journal = journal
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Carry out steps until the machine is done."""
        machine, clock = self._machine, self._connection.clock
        try:
            while not isinstance(step := machine.due(clock.monotonic()), Done):
                if isinstance(step, Wait):
                    await self._sleep(clock, step.until)
                    continue
                answer = await self._answer(step)
                machine.feed(step.label, answer, clock.monotonic())
        except BaseException:
            machine.close()
            raise
        machine.finish()

    async def interruptible(self) -> bool:
        """Run; on cancellation send nothing new and wait for requests in flight, unless cancelled a second time.

        Returns whether it was interrupted.
        """
        work = asyncio.ensure_future(self.run())
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            if work.cancelled():
                raise
            self.stop()
            try:
                await asyncio.shield(work)
            except asyncio.CancelledError:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)
            return True
        return False

    def stop(self) -> None:
        """Send nothing new."""
        self._machine.interrupt()
        self._stopping.set()

    async def _sleep(self, clock: Clock, until: float) -> None:
        """Wait until a moment, or until the upload is stopped."""
        waiting = asyncio.ensure_future(self._stopping.wait())
        sleeping = asyncio.ensure_future(clock.sleep(max(0.0, until - clock.monotonic())))
        try:
            await asyncio.wait((waiting, sleeping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()
            await asyncio.gather(waiting, sleeping, return_exceptions=True)

    async def _answer(self, step: UploadStep[object]) -> object:
        """The answer to a step; an error of a look-up is one."""
        if isinstance(step, Send):
            await self._send(step)
            return None
        try:
            return await self._look(step)
        except BX24Error as error:
            return error

    async def _send(self, step: Send) -> None:
        machine, clock = self._machine, self._connection.clock
        if machine.dispatch is None:
            raise RuntimeError("nothing to send")
        runner = self._connection.runner()
        if step.delivery.commands is not None:
            runner.sizes = Sizes(step.delivery.commands)

        def depart(parcel: Parcel) -> None:
            machine.depart(parcel, clock.monotonic())

        runner.before = depart
        async with aclosing(runner.run(machine.dispatch)) as answers:
            async for settled in answers:
                machine.feed(settled.command.label, settled, clock.monotonic())

    async def _look(self, step: UploadStep[object]) -> object:  # noqa: PLR0911 (one return for each kind of step)
        connection, table = self._connection, self._table
        match step:
            case RowsById():
                return await rows_by_id(connection, table, step.ids, step.codes)
            case RowsByKey():
                return await rows_by_key(connection, table, step.on, step.keys, step.codes)
            case RowsAfter():
                return await rows_after(connection, table, step.high, step.codes, step.conditions, step.of)
            case RowsLike():
                return await rows_like(connection, table, step.conditions, step.empty, step.of)
            case HighestId():
                return await highest_id(connection, table, step.of)
            case Author():
                return await (self._asked_user() if step.asked else self._author())
            case Note():
                self._note(step)
                return None
            case TableOf():
                return await self._described(step)
            case CallAnswers():
                return await connection.answers(step.calls, first=FIRST_WRITES)
        raise RuntimeError(f"no way to carry out {step!r:.80}")

    async def _author(self) -> int | None:
        """The credential's user; recorded in the journal before rows are sent."""
        if self._journal is not None and self._journal.knows_author:
            return self._journal.author
        author = await self._user()
        if self._journal is not None:
            self._journal.sent_by(author)
        return author

    async def _user(self) -> int | None:
        address = self._connection.address
        return address.user_id if address.user_id is not None else await self._asked_user()

    async def _asked_user(self) -> int | None:
        profile = await self._connection.result("profile")
        text = str(profile.get("ID", "")) if isinstance(profile, dict) else ""
        return int(text) if text.isdigit() else None

    def _note(self, step: Note) -> None:
        if self._journal is not None:
            self._journal.note(**step.facts)

    async def _described(self, step: TableOf) -> Table | None:
        try:
            return await find_table(self._connection, step.entity)
        except BX24Error:
            return None
