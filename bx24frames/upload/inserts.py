"""Inserts: new rows are imported where the credential may import, and added one per command elsewhere."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bx24frames.engine.messages import MAX_COMMANDS
from bx24frames.engine.sizes import FIRST_IMPORTS, FIRST_WRITES
from bx24frames.entities.encode import IMPORT_ROWS, add_call, import_calls, import_one_call
from bx24frames.errors import ConfigError
from bx24frames.upload import reconcile
from bx24frames.upload.canary import FROM, send_ahead
from bx24frames.upload.request import CHUNK
from bx24frames.upload.state import RowState
from bx24frames.upload.steps import Delivery, Send, answer_to
from bx24frames.upload.updates import commands_of

if TYPE_CHECKING:
    from bx24frames.entities.encode import Encoded
    from bx24frames.upload.machine import UploadMachine
    from bx24frames.upload.request import Upload
    from bx24frames.upload.steps import Script

__all__ = ["encoded_inserts", "insert_new"]


def insert_new(upload: Upload, machine: UploadMachine) -> Script[None]:
    """Send the new rows, find those whose answer was lost, and send again those that are absent."""
    paths = _Paths(upload, machine)
    rows = machine.rows
    yield from send_ahead(machine, set(rows.within(RowState.NEW)), lambda some: paths.carry(some, len(some)))
    left: list[int] = []
    while True:
        if not machine.is_stopped():
            yield from paths.carry(set(rows.within(RowState.NEW)))
        yield from reconcile.settle_doubts(upload, machine, paths.alone)
        # Rows are left where the portal stopped answering; it answers again if what was lost could be looked for.
        before, left = left, rows.within(RowState.NEW)
        if machine.is_stopped() or rows.doubts or not left or left == before:
            return


def encoded_inserts(upload: Upload, positions: Collection[int]) -> Iterator[tuple[Iterator[Encoded], int, int | None]]:
    """The calls for new rows, as they would be sent, with the commands in the first request and in every one."""
    chosen = set(positions)
    if not upload.imports:
        yield _adds(upload, chosen), FIRST_WRITES, commands_of(upload)
        return
    commands, size = _import_sizes(upload)
    ahead = {min(chosen)} if len(chosen) >= FROM else set()
    yield _imports(upload, ahead, 1), FIRST_IMPORTS, 1
    yield _imports(upload, chosen - ahead, size), FIRST_IMPORTS, commands


class _Paths:
    """The ways in which new rows can be sent, and whether the import is still one of them."""

    def __init__(self, upload: Upload, machine: UploadMachine) -> None:
        self._upload = upload
        self._machine = machine
        self._import_closed = False
        self._rounds = itertools.count()

    def carry(self, waiting: set[int], ahead: int | None = None) -> Script[None]:
        """Send new rows by the fastest path; `ahead`: rows in a request, if they are sent before all others."""
        if self._upload.imports and not self._import_closed:
            yield from self._import(waiting, ahead)
        else:
            yield from self._add(waiting, ahead)

    def alone(self, again: Sequence[int]) -> Script[None]:
        """Send rows that are absent, each in a call of its own."""
        # A row that makes every batch with it fail must not cost the others another round.
        single = None if next(self._rounds) == 0 else 1
        outcomes = {at: self._machine.rows.outcome(at) for at in again}
        imported = {at for at, outcome in outcomes.items() if outcome is not None and outcome.path == "import"}
        added = set(again) - imported
        yield from answer_to(
            Send(_imports(self._upload, imported, 1), Delivery(FIRST_WRITES, "inserted", "import", single))
        )
        delivery = Delivery(FIRST_WRITES, "inserted", None, single or commands_of(self._upload))
        yield from answer_to(Send(_adds(self._upload, added), delivery))

    def _import(self, waiting: set[int], ahead: int | None) -> Script[None]:
        """Import; rows that cannot be imported are added, or imported singly if automation must not run.

        Rows that are too large for one request together are imported one per command.
        """
        upload, machine = self._upload, self._machine
        commands, size = (1, min(ahead, IMPORT_ROWS)) if ahead else _import_sizes(upload)
        delivery = Delivery(FIRST_IMPORTS, "inserted", "import", commands, closes=True)
        yield from answer_to(Send(_imports(upload, waiting, size), delivery))
        returned, outsized = set(machine.returned), set(machine.outsized)
        if outsized:
            apart = replace(delivery, first=FIRST_WRITES, commands=commands_of(upload))
            yield from answer_to(Send(_imports(upload, outsized, 1), apart))
            returned |= machine.returned
        if not returned or machine.stopped:
            return
        left = {at for at in waiting if machine.rows.state(at) is RowState.NEW}
        if upload.request.automation is False:
            yield from self._import_singly(left)
        else:
            self._import_closed = not self._any_imported()
            yield from self._add(left, ahead)

    def _add(self, waiting: set[int], ahead: int | None) -> Script[None]:
        delivery = Delivery(FIRST_WRITES, "inserted", None, ahead or commands_of(self._upload))
        yield from answer_to(Send(_adds(self._upload, waiting), delivery))

    def _import_singly(self, waiting: Collection[int]) -> Script[None]:
        """If the multi-row import is refused, try the single-row import, and give up at its first refusal.

        If rows have been imported, the permission exists, and a refusal concerns the row.
        """
        upload, machine = self._upload, self._machine
        delivery = Delivery(FIRST_WRITES, "inserted", "import", commands_of(upload))
        delivery = replace(delivery, closes=not self._any_imported())
        ordered = sorted(waiting)
        for part in (ordered[:1], ordered[1:]):
            calls = (import_one_call(upload.entity, upload.columns, row) for row in upload.rows(set(part).__contains__))
            yield from answer_to(Send(calls, delivery))
            if machine.returned:
                raise ConfigError(
                    f"The credential may not import into {upload.entity.name}, and only an import avoids automation",
                    entity=upload.entity.name,
                    guidance="Grant the user's CRM role the import permission for it, or leave out automation=False.",
                )

    def _any_imported(self) -> bool:
        return any(one.path == "import" and one.action == "inserted" for one in self._machine.rows.outcomes())


def _import_sizes(upload: Upload) -> tuple[int | None, int]:
    """Commands per request (None if it grows) and rows per command."""
    rows = upload.request.rows_per_request
    if isinstance(rows, str):
        return None, IMPORT_ROWS
    commands = min(MAX_COMMANDS, math.ceil(rows / IMPORT_ROWS))
    return commands, min(IMPORT_ROWS, rows // commands)


def _imports(upload: Upload, waiting: set[int], size: int) -> Iterator[Encoded]:
    held = []
    for row in upload.rows(waiting.__contains__):
        held.append(row)
        if len(held) == CHUNK:
            yield from import_calls(upload.entity, upload.columns, held, size)
            held = []
    yield from import_calls(upload.entity, upload.columns, held, size)


def _adds(upload: Upload, waiting: set[int]) -> Iterator[Encoded]:
    return (add_call(upload.entity, upload.columns, row) for row in upload.rows(waiting.__contains__))
