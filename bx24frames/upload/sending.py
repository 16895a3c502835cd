"""Sending of rows: which calls carry them, and what each answer means for each row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bx24frames.engine.batch import plain
from bx24frames.engine.codes import Reaction, error_of, meaning, untouched
from bx24frames.engine.fallback import Dispatch, Settled
from bx24frames.engine.messages import JSON, Answer, Command, Lost, Parcel, Refusal, Success
from bx24frames.engine.retry import is_passing
from bx24frames.engine.sizes import FIRST_IMPORTS, FIRST_WRITES, Sizes
from bx24frames.entities.echo import NOT_STORED
from bx24frames.errors import Action, BX24Error
from bx24frames.portal.connection import new_token
from bx24frames.upload.outcomes import Outcome, PathTaken

if TYPE_CHECKING:
    from bx24frames.entities.echo import Difference, Echo
    from bx24frames.entities.encode import Encoded
    from bx24frames.options import OnError
    from bx24frames.portal.connection import Connection
    from bx24frames.upload.journal import Journal

__all__ = [
    "FIRST_IMPORTS",
    "FIRST_WRITES",
    "Delivery",
    "Doubt",
    "Sending",
    "import_is_closed",
    "not_stored",
    "send",
]

DENIED: Final = "access_denied"
HTTP_OK: Final = 200
_FATAL: Final = frozenset({Reaction.AUTH, Reaction.SCOPE, Reaction.STOP})


@dataclass(frozen=True, slots=True)
class Delivery:
    """How rows are sent.

    `first`: commands in the first request. `done`: the action that a success stands for. `path`: None records "batch"
    """

    first: int
    done: Action
    path: PathTaken | None = None
    commands: int | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """A row that may have been written.

    `answered`: the portal has finished with it. `company`: rows of its call. `passing`: a retry may succeed.
    """

    outcome: Outcome
    answered: bool
    company: int
    passing: bool = False


@dataclass(slots=True)
class Sending:
    """Outcomes of the rows so far.

    `ids`: ids of existing rows by position, because the answer to an update has none. `begun`: positions whose request
    was sent. `undelivered`: positions that must be sent another way because a path is closed (import without
    permission). `contested`: positions of updates that may have been carried out although no answer says so.
    `stopped`: nothing more is sent; `refused`: because the credential was rejected; `interrupted`: by the caller.
    `compared`: positions whose answer contained the stored row. `import_closed`: the credential may not import.
    `column_of`: the column that an error message names.
    """

    on_error: OnError
    ids: Mapping[int, int | str] = field(default_factory=dict)
    journal: Journal | None = None
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    doubts: dict[int, Doubt] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)
    undelivered: list[int] = field(default_factory=list)
    contested: set[int] = field(default_factory=set)
    stopped: bool = False
    interrupted: bool = False
    refused: Refusal | None = None
    machine: Dispatch | None = None
    compared: set[int] = field(default_factory=set)
    import_closed: bool = False
    column_of: Callable[[str | None], str | None] | None = None

    def put(self, *outcomes: Outcome) -> None:
        """Record the outcomes of rows."""
        named = [self._named(outcome) for outcome in outcomes]
        for outcome in named:
            self.outcomes[outcome.position] = outcome
            self.doubts.pop(outcome.position, None)
        if self.journal is not None:
            self.journal.record(named)

    def _named(self, outcome: Outcome) -> Outcome:
        if outcome.id is None and outcome.position in self.ids:
            outcome = replace(outcome, id=self.ids[outcome.position])
        if outcome.action == "failed" and outcome.column is None and self.column_of is not None:
            outcome = replace(outcome, column=self.column_of(outcome.message))
        return outcome

    def leave_unanswered(self) -> None:
        """Mark rows that were sent but whose answer was not awaited as unknown."""
        for position in self.begun - self.outcomes.keys():
            outcome = Outcome(position, "unknown", message="the upload was aborted", attempts=1)
            self.outcomes[position] = self._named(outcome)

    def refusal(self, entity: str) -> BX24Error | None:
        """The error to raise if the credential was rejected."""
        return None if self.refused is None else error_of(self.refused, entity)

    def stop(self) -> None:
        """Send nothing more."""
        self.stopped = True
        if self.machine is not None:
            self.machine.stop()


async def send(
    connection: Connection,
    calls: Iterable[Encoded],
    delivery: Delivery,
    sending: Sending,
    tell: Callable[[int, int], None],
    *,
    closes: Callable[[Answer], bool] | None = None,
) -> None:
    """Send calls and record the outcome of every row they carry.

    Parameters
    ----------
    calls : iterable of Encoded
        Consumed as needed.
    tell : callable
        Called with (rows, failed) as answers arrive.
    closes : callable, optional
        Whether an answer closes this path for a row, which is then left in `undelivered`; if it closes the path for all
        rows of a call, and no row was sent this way before, nothing more is sent this way.
    """
    carried: dict[str, Encoded] = {}
    machine = Dispatch(_commands(calls, carried), first=delivery.commands or delivery.first, retry=connection.retry)
    sending.machine = machine
    if sending.stopped:
        machine.stop()
    try:
        await _carry(connection, machine, carried, delivery, sending, tell, closes)
    except BaseException:
        sending.stopped = True
        raise
    finally:
        if sending.stopped:
            sending.put(*_turned_away(machine, sending))


def _turned_away(machine: Dispatch, sending: Sending) -> Iterator[Outcome]:
    """Outcomes of rows whose request was rejected and is not retried: nothing was changed."""
    for task in machine.turned_away():
        for position in task.command.positions:
            if position not in sending.outcomes:  # otherwise it was also sent before, which may have been carried out
                message = "the portal rejected the request, and it was not retried"
                yield Outcome(position, "skipped", message=message, attempts=task.sent)


async def _carry(
    connection: Connection,
    machine: Dispatch,
    carried: dict[str, Encoded],
    delivery: Delivery,
    sending: Sending,
    tell: Callable[[int, int], None],
    closes: Callable[[Answer], bool] | None,
) -> None:
    passable = False
    async with aclosing(_run(connection, machine, delivery, sending)) as settled:
        async for item in settled:
            encoded = carried.pop(item.command.label)
            results = list(zip(encoded.positions, _answers(encoded, item.answer), strict=True))
            closed = [position for position, answer in results if closes is not None and closes(answer)]
            sending.undelivered += closed
            if sending.journal is not None and isinstance(item.answer, Success | Refusal):
                # Certainly rejected: such a row is not in doubt, even if it cannot be sent another way.
                sending.journal.record(
                    Outcome(at, "failed", path=delivery.path, attempts=item.attempts) for at in closed
                )
            passable |= any(isinstance(answer, Success) for _, answer in results)
            if closed and len(closed) == len(results) and not passable:
                machine.stop()
            failed = _take(results, closed, encoded, item, delivery, sending)
            tell(len(results) - len(closed), failed)
            if sending.refused is not None or (failed and sending.on_error == "stop"):
                sending.stop()


def _take(
    results: list[tuple[int, Answer]],
    closed: list[int],
    encoded: Encoded,
    item: Settled,
    delivery: Delivery,
    sending: Sending,
) -> int:
    """Record the outcomes of one call's rows; returns how many of them failed."""
    path: PathTaken = delivery.path or item.path
    outcomes = []
    doubts = {}
    for position, answer in results:
        if position in closed:
            continue
        sure = (encoded.call.repeatable and not item.lost) or (
            isinstance(item.answer, Success) and isinstance(answer, Refusal)
        )
        outcome = _outcome(position, answer, encoded, delivery.done, item.attempts, path, sure=sure)
        if encoded.echo is not None and isinstance(answer, Success):
            outcome = _judged(outcome, encoded.echo, answer.value, sending)
        outcomes.append(outcome)
        if outcome.action == "unknown":
            answered = isinstance(answer, Success | Refusal) or answer.status == HTTP_OK
            company = len(encoded.positions) + _shared(item, answer)
            passing = isinstance(answer, Refusal) and is_passing(answer)
            doubts[position] = Doubt(outcome, answered, company, passing)
        if isinstance(answer, Refusal) and meaning(answer).reaction in _FATAL:
            sending.refused = answer
        if outcome.action == "failed" and delivery.done == "updated" and _contested(answer):
            sending.contested.add(position)
    sending.put(*outcomes)
    sending.doubts |= doubts
    return sum(outcome.action in ("failed", "unknown") for outcome in outcomes)


def _judged(outcome: Outcome, echo: Echo, result: JSON, sending: Sending) -> Outcome:
    """The outcome of a row, compared with the row in the answer."""
    differing = echo.differences(result)
    if differing is None:
        return outcome
    sending.compared.add(outcome.position)
    return not_stored(outcome, differing)


def not_stored(outcome: Outcome, differing: Sequence[Difference]) -> Outcome:
    """The outcome of a row that was stored differently than it was sent.

    An update that was not stored has failed. A new row exists: ``failed`` would invite a second insert, so it is
    ``inserted`` and the message names the difference.
    """
    if not differing or outcome.action not in ("inserted", "updated"):
        return outcome
    first = differing[0]
    others = f" (and {', '.join(one.column for one in differing[1:])})" if len(differing) > 1 else ""
    action: Action = "failed" if outcome.action == "updated" else outcome.action
    told = f"{first.column}: {first.told}{others}"
    return replace(outcome, action=action, code=NOT_STORED, message=told, column=first.column)


def _contested(answer: Answer) -> bool:
    """Whether an error may have occurred after the row was saved (crm module: lib/service/operation.php)."""
    return isinstance(answer, Refusal) and not untouched(answer) and answer.code.lower() != DENIED


def _shared(item: Settled, answer: Answer) -> bool:
    """Whether an answer is for a whole batch, so that it says nothing about any single call in it."""
    return item.path == "batch" and (isinstance(answer, Lost) or (isinstance(answer, Refusal) and answer.whole))


def _run(
    connection: Connection, machine: Dispatch, delivery: Delivery, sending: Sending
) -> AsyncGenerator[Settled, None]:
    runner = connection.runner()
    if delivery.commands is not None:
        runner.sizes = Sizes(delivery.commands)
    runner.before = _intent(sending, delivery.done)
    return runner.run(machine)


def _intent(sending: Sending, action: Action) -> Callable[[Parcel], None]:
    def write_down(parcel: Parcel) -> None:
        positions = [position for command in parcel.commands for position in command.positions]
        if sending.journal is not None:
            sending.journal.intend(positions, action)
        sending.begun.update(positions)

    return write_down


def _commands(calls: Iterable[Encoded], carried: dict[str, Encoded]) -> Iterator[Command]:
    token = new_token()
    for place, encoded in enumerate(calls):
        label = f"{token}_{place}"
        carried[label] = encoded
        yield Command(label, encoded.call, encoded.positions)


def _answers(encoded: Encoded, answer: Answer) -> list[Answer]:
    """One answer per row: for an import, the answer of each row; a row missing from it is in doubt."""
    if not isinstance(answer, Success) or encoded.shape.rows_path is None:
        return [answer] * len(encoded.positions)
    items = _at(answer.value, encoded.shape.rows_path)
    if isinstance(items, list):
        items = dict(zip(encoded.keys, items, strict=False)) if len(items) == len(encoded.keys) else {}
    found: Mapping[str, JSON] = items if isinstance(items, dict) else {}
    return [_row_answer(found.get(key)) for key in encoded.keys]


def _row_answer(value: JSON) -> Answer:
    if not isinstance(value, dict):
        return Lost("the answer does not mention this row", status=200)
    if "error" in value:
        # A row's own error in the items of an import proves that the row was not created.
        return Refusal(str(value["error"]), plain(value.get("error_description")), 200)
    return Success(value)


def _outcome(
    position: int, answer: Answer, encoded: Encoded, done: Action, attempts: int, path: PathTaken, *, sure: bool
) -> Outcome:
    """What an answer means for a row. `sure`: an error proves that the row is unchanged."""
    if isinstance(answer, Success):
        made = _at(answer.value, encoded.shape.id_path) if encoded.shape.id_path is not None else None
        if done == "inserted" and not isinstance(made, int | str):
            return Outcome(position, "unknown", None, None, "the answer contains no id", None, attempts, path)
        return Outcome(position, done, _id(made), attempts=attempts, path=path)
    if isinstance(answer, Lost):
        action: Action = "unknown" if answer.sent else "failed"
        return Outcome(position, action, None, None, answer.reason, None, attempts, path)
    action = "failed" if sure or untouched(answer) else "unknown"
    return Outcome(position, action, None, answer.code, answer.text, answer.argument, attempts, path)


def _id(value: JSON) -> int | str | None:
    if isinstance(value, str) and value.isdigit():
        return int(value)
    return value if isinstance(value, int | str) else None


def _at(value: JSON, path: Iterable[str]) -> JSON:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def import_is_closed(answer: Answer) -> bool:
    """Whether an answer means that this credential, or this portal, cannot import at all."""
    if not isinstance(answer, Refusal) or meaning(answer).reaction in _FATAL:
        return False
    return answer.code.lower() in (DENIED, "error_method_not_found", "entity_type_not_supported")


async def interruptible(work: asyncio.Task[None], sending: Sending) -> bool:
    """Wait for an upload; on Ctrl-C send nothing new and wait for requests in flight, unless interrupted a second time.

    Returns whether it was interrupted.
    """
    try:
        await asyncio.shield(work)
    except asyncio.CancelledError:
        sending.interrupted = True
        sending.stop()
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        return True
    return False
