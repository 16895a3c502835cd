"""Runner: the loop that sends what a machine decides, within the limits of a governor."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from bx24frames.engine import batch, retry
from bx24frames.engine.charges import BATCH, printed_share
from bx24frames.engine.clock import SYSTEM_CLOCK, Clock
from bx24frames.engine.codes import error_of
from bx24frames.engine.costs import load_of, worked
from bx24frames.engine.ledger import BudgetReport
from bx24frames.engine.machine import Machine
from bx24frames.engine.messages import Answer, Done, Lost, Parcel, Refusal, Success, Wait
from bx24frames.engine.outlook import POLL, Outlook
from bx24frames.engine.pages.collector import COLLECTOR_HELD
from bx24frames.engine.sizes import FIRST_READS, Sizes
from bx24frames.engine.stats import Stats
from bx24frames.engine.throttle import Governor, Ticket
from bx24frames.errors import AuthError, BX24Error, ConfigError, LimitError
from bx24frames.language import translated
from bx24frames.transport.base import CheckedTransport, NoReply, Reply
from bx24frames.transport.redact import SecretFilter

T = TypeVar("T")

_TELLING: Final = 2
"""How many failures in a row are worth a line: a single one is over within a second."""
LONGEST_NAP: Final = 1.0
PACKAGE_LOG: Final = logging.getLogger("bx24frames")
"""Without a configuration of its own, Python prints its warnings to stderr."""
PACKAGE_LOG.addFilter(SecretFilter())


@dataclass(slots=True)
class Runner:
    """Runs machines against one portal; the only loop of the engine that waits.

    Parameters
    ----------
    transport : CheckedTransport
        Sends the requests.
    governor, lock :
        Shared by all runners of this portal and credential, in any thread.
    timeout : float
        Seconds a request may take.
    host : str
        The portal, for messages.
    deadline : float, optional
        Seconds one verb may take as a whole.
    ends_at : float
        When the deadline expires, by the monotonic clock, if the verb began before this run.
    before : callable, optional
        Called with each parcel before it is sent.
    heard : callable, optional
        Called with the answers to each parcel.
    clock : Clock
        The same for all that share the governor.
    """

    transport: CheckedTransport
    governor: Governor
    lock: threading.Lock
    timeout: float = 75.0
    host: str = "the portal"
    deadline: float | None = None
    ends_at: float | None = None
    sizes: Sizes = field(default_factory=Sizes)
    stats: Stats = field(default_factory=Stats)
    clock: Clock = SYSTEM_CLOCK
    before: Callable[[Parcel], None] | None = None
    heard: Callable[[Mapping[str, Answer]], None] | None = None
    _failing: BX24Error | None = field(default=None, init=False)
    _failures: int = field(default=0, init=False)
    """Requests in a row that failed and are sent again."""
    _limited: bool = field(default=False, init=False)
    """Whether the machine held work back for the portal's limits when it was last asked."""

    async def run(self, machine: Machine[T]) -> AsyncGenerator[T, None]:
        """Yield the results of a machine as they complete; closing the iterator cancels all requests."""
        loop_here()
        sizes = replace(self.sizes, outlook=Outlook(self.governor, self.lock))
        ends_at = math.inf if self.deadline is None else self.ends_at or self.clock.monotonic() + self.deadline
        tasks: set[asyncio.Task[None]] = set()
        given: deque[T] = deque()
        held: Parcel | None = None
        try:
            while True:
                now = self.clock.monotonic()
                if now >= ends_at:
                    raise self._late()
                held, wake = self._next(machine, held, now, sizes, idle=not tasks)
                if held is not None and (ticket := self._depart(held, now)) is not None:
                    tasks.add(asyncio.create_task(self._carry(machine, held, ticket, given)))
                    held = None
                    continue
                if held is None and wake is None and not tasks:
                    return
                if held is None and wake == math.inf and not tasks:
                    raise RuntimeError(f"{type(machine).__name__} waits for an answer without a request in flight")
                done = await self._pause(tasks, held, wake, min(ends_at, now + LONGEST_NAP))
                while given:
                    yield given.popleft()
                tasks -= done
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _late(self) -> BX24Error:
        """The error of a verb whose deadline passed: the failure that was being retried, if there was one."""
        passed = f"The deadline of {self.deadline:g} s passed before the work was done"
        if self._failing is None:
            return LimitError(passed)
        self._failing.guidance = "\n".join(text for text in (f"{passed}.", self._failing.guidance) if text)
        return self._failing

    def _next(
        self, machine: Machine[T], held: Parcel | None, now: float, sizes: Sizes, *, idle: bool
    ) -> tuple[Parcel | None, float | None]:
        """The next parcel, or the time of the next check; (None, None) when the machine is done.

        While requests are in flight, a parcel is made only when it can be sent, from all that is known by then.
        """
        if held is not None:
            return held, now
        with self.lock:
            room_at = self.governor.room_at(now)
        if room_at is None and not idle:
            return None, now + POLL
        if room_at is not None and room_at > now and not idle:
            return None, room_at
        step = machine.due(now, sizes)
        self._limited = isinstance(step, Wait) and step.limited
        if isinstance(step, Parcel):
            return step, now
        return (None, None) if isinstance(step, Done) else (None, step.until)

    def _depart(self, parcel: Parcel, now: float) -> Ticket | None:
        with self.lock:
            return self.governor.depart(load_of(parcel), now, batched=batch.travels_as_batch(parcel))

    async def _pause(
        self,
        tasks: set[asyncio.Task[None]],
        held: Parcel | None,
        wake: float | None,
        end: float,
    ) -> set[asyncio.Task[None]]:
        """Sleep until an answer arrives or a request may be due; time lost to limits is counted."""
        now = self.clock.monotonic()
        with self.lock:
            room_at = self.governor.room_at(now)
            if held is not None:
                ready_at = self.governor.ready_at(load_of(held), now, batched=batch.travels_as_batch(held))
                wake = ready_at if ready_at is not None else now + POLL
        seconds = max(0.0, min(end, math.inf if wake is None else wake) - now)
        if tasks:
            done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        else:
            await self.clock.sleep(seconds)
            done = set()
        if held is not None or self._limited or (room_at is not None and room_at > now):
            self.stats.waited += self.clock.monotonic() - now
        return done

    async def _carry(self, machine: Machine[T], parcel: Parcel, ticket: Ticket, given: deque[T]) -> None:
        """Send a parcel and pass its answers to the machine.

        Decoding and processing are not interrupted: rows as Python objects take several times the memory of their
        bytes, so only those of one request are alive.
        """
        started = self.clock.monotonic()
        came = await self._send(parcel, ticket)
        with COLLECTOR_HELD:
            answers = self._read(parcel, came)
            self.stats.take(parcel, answers, len(came.body) if isinstance(came, Reply) else 0)
            self._learn(parcel, answers, ticket, self.clock.monotonic() - started)
            if self.heard is not None:
                self.heard(answers)
            given.extend(machine.feed(parcel, answers, self.clock.monotonic()))

    async def _send(self, parcel: Parcel, ticket: Ticket) -> Reply | NoReply | AuthError:
        sent = True
        try:
            method, body = batch.encode(parcel)
            if self.before is not None:
                self.before(parcel)
            reply = await self.transport.post(method, body, timeout=self.timeout)
            return await reply.whole()
        except NoReply as fault:
            sent = fault.sent
            return fault
        except AuthError as fault:
            return fault
        except ConfigError as fault:
            wrong = fault.with_traceback(None)
        finally:
            with self.lock:
                self.governor.settle(ticket, self.clock.monotonic(), sent=sent)
        # Without its traceback: the locals of those frames hold the address and the tokens.
        wrong.__cause__ = wrong.__context__ = None
        raise wrong

    def _read(self, parcel: Parcel, came: Reply | NoReply | AuthError) -> dict[str, Answer]:
        if isinstance(came, Reply):
            return batch.decode(parcel, came.status, came.body)
        answer = self._lost(came) if isinstance(came, NoReply) else _unauthorized(came)
        return {command.label: answer for command in parcel.commands}

    def _lost(self, fault: NoReply) -> Lost:
        # A host that has answered before exists, even if it cannot be resolved at the moment.
        nowhere = fault.unresolved and not self.stats.received
        return Lost(
            fault.reason,
            sent=fault.sent,
            timeout=fault.timeout,
            nowhere=nowhere,
            too_large=fault.too_large,
            guidance=fault.guidance,
        )

    def _learn(self, parcel: Parcel, answers: Mapping[str, Answer], ticket: Ticket, seconds: float) -> None:
        """Update the governor and the batch sizes from the answers to a request."""
        now = self.clock.monotonic()
        method = parcel.commands[0].call.method
        live = sum(isinstance(answer, Success) for answer in answers.values())
        size = self.sizes.of(method, FIRST_READS)
        first = answers[parcel.commands[0].label]
        with self.lock:
            if isinstance(first, Lost | Refusal) and retry.overran(first):
                size.overran(len(parcel.commands))
            else:
                size.carried(len(parcel.commands), live, seconds)
            self._hear(parcel, answers, ticket, now)
            self._price(parcel, answers, ticket, seconds)

    def _price(self, parcel: Parcel, answers: Mapping[str, Answer], ticket: Ticket, wall: float) -> None:
        """Update the costs from the answers to a request."""
        batched = batch.travels_as_batch(parcel)
        rows = sum(len(command.positions) for command in parcel.commands) / len(parcel.commands)
        took = worked(parcel, answers, wall, batched=batched)
        self.governor.measured(took, rows, ticket, self.clock.now(), batched=batched)

    def _hear(self, parcel: Parcel, answers: Mapping[str, Answer], ticket: Ticket, now: float) -> None:
        """Report the limits that the answers mention to the governor."""
        batched = batch.travels_as_batch(parcel)
        whole: BudgetReport | None = None
        told: dict[str, list[BudgetReport]] = {}
        # A batch that halts at the end of a list leaves commands unanswered: it has not failed.
        carried = any(isinstance(answers[command.label], Success) for command in parcel.commands)
        for command in parcel.commands:
            method, answer = command.call.method, answers[command.label]
            if isinstance(answer, Success):
                self._failing = None
                self.governor.bucket.accepted()
                report = _budget(answer, batched=batched)
                told.setdefault(method, []).append(report)
                if batched:
                    whole = replace(
                        report,
                        operating=answer.batch_operating,
                        resets_in=answer.batch_resets_in,
                        printed=answer.finished,
                        own=math.inf,
                    )
            elif retry.is_crowded(answer):
                self.governor.bucket.refused(now)
            elif isinstance(answer, Refusal) and retry.is_blocked(answer):
                self.governor.blocked(BATCH if batched and answer.whole else method, now)
            else:
                self._failing = error_of(answer, method) if retry.is_passing(answer) and not carried else None
        self.governor.heard(whole, told, ticket, now)
        self._tell()

    def _tell(self) -> None:
        """Log that requests fail and are repeated: once, when the second in a row has failed."""
        self._failures = 0 if self._failing is None else self._failures + 1
        if self._failing is not None and self._failures == _TELLING:
            told = translated(self._failing.message), translated("The request is being repeated.")
            PACKAGE_LOG.warning("%s: %s. %s", self.host, *told)


def _budget(answer: Success, *, batched: bool) -> BudgetReport:
    """The budget that the answer to a command reports."""
    return BudgetReport(
        answer.operating,
        answer.resets_in,
        answer.batch_seconds if batched else answer.seconds,
        answer.started,
        answer.finished,
        answer.printed,
        own=printed_share(answer.seconds) if batched else math.inf,
    )


def loop_here() -> asyncio.AbstractEventLoop:
    """The running loop.

    Raises
    ------
    ConfigError
        Another event loop runs the coroutine.
    """
    with contextlib.suppress(RuntimeError):
        return asyncio.get_running_loop()
    raise ConfigError(
        "The verbs of bx24frames.aio run on asyncio, and here no asyncio loop runs (trio, curio)",
        guidance="Call the blocking verb in a thread: await trio.to_thread.run_sync(bx24frames.read_entity, 'deal').",
    )


def _unauthorized(fault: AuthError) -> Refusal:
    return Refusal(fault.code or "", fault.message, fault.status or 401, whole=True, renewal=fault.guidance or "")
