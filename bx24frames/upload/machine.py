"""Upload machine: decides, without waiting or sending, which step of an upload is next and what its answers mean.

The parts of an upload (look-ups, updates, inserts, reconciliation, verification) are scripts that give one step after
another. The machine runs them, keeps the state of every row and interprets answers; `upload/driver` carries out the
steps.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bx24frames.engine.fallback import Dispatch, Settled
from bx24frames.engine.messages import Command, Done, Wait
from bx24frames.errors import BX24Error
from bx24frames.portal.connection import new_token
from bx24frames.upload.answers import credential_refusal, taken
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.policy import RECONCILIATION, Reconciliation
from bx24frames.upload.steps import Send, WaitUntil

if TYPE_CHECKING:
    from bx24frames.engine.messages import Parcel, Refusal
    from bx24frames.engine.policy import RetryPolicy
    from bx24frames.entities.encode import Encoded
    from bx24frames.options import OnError
    from bx24frames.upload.journal import Intent
    from bx24frames.upload.state import RowStates
    from bx24frames.upload.steps import Script, UploadStep

__all__ = ["Earlier", "UploadMachine"]


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an interrupted run of the same upload has left.

    `written`: outcomes of the rows that are done. `intents`: rows that were sent and have no certain outcome. `let_go`:
    when their connections were closed at the latest, by the monotonic clock. `facts`: what it noted.
    """

    written: Sequence[Outcome] = ()
    intents: Mapping[int, Intent] = field(default_factory=dict)
    let_go: Mapping[int, float] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def replayed(self) -> frozenset[int]:
        """The positions of the rows that are done."""
        return frozenset(outcome.position for outcome in self.written)


class UploadMachine:
    """The state of an upload: of each row, and of the step under way.

    Parameters
    ----------
    rows : Rows
        The state of each row.
    on_error : str
        With ``"stop"``, nothing is sent after the first failed or unknown row.
    retry : RetryPolicy
        How often a request is repeated.
    policy : Reconciliation
        When requests have certainly ended.
    author : int, optional
        The user of the credential.

    Attributes
    ----------
    high : int
        The highest id of the entity before the upload.
    now : float
        The time of the last call, in seconds of the monotonic clock.
    stopped : bool
        Nothing more is sent.
    interrupted : bool
        Nothing more is waited for either, but the answers to requests in flight.
    refused : Refusal or None
        The refusal of the credential that stopped the upload.
    returned : set of int
        Rows put back by the last `Send` because their path is closed.
    outsized : set of int
        Rows put back by the last `Send` because they are too large together.
    compared : set of int
        Rows whose answer contained them as they were stored.
    earlier : Earlier
        What an interrupted run has left.
    """

    def __init__(
        self,
        rows: RowStates,
        *,
        on_error: OnError,
        retry: RetryPolicy,
        policy: Reconciliation = RECONCILIATION,
        author: int | None = None,
    ) -> None:
        self.rows = rows
        self.on_error = on_error
        self.retry = retry
        self.policy = policy
        self.author = author
        self.high = 0
        self.now = 0.0
        self.stopped = False
        self.interrupted = False
        self.refused: Refusal | None = None
        self.returned: set[int] = set()
        self.outsized: set[int] = set()
        self.compared: set[int] = set()
        self.earlier = Earlier()
        self.dispatch: Dispatch | None = None
        self._script: Script[None] | None = None
        self._step: UploadStep[object] | None = None
        self._carried: dict[str, Encoded] = {}
        self._passed = False

    # --- the protocol ----------------------------------------------------------------------------

    def begin(self, script: Script[None], now: float) -> None:
        """Begin the script of an upload."""
        self.now = now
        self._script = script
        self._advance(None)

    def due(self, now: float) -> UploadStep[object] | Wait | Done:
        """The step to carry out, the time to wait for one, or `Done`."""
        self.now = now
        while isinstance(self._step, WaitUntil):
            if now < self._step.until and not self.interrupted:
                return Wait(self._step.until)
            self._advance(None)
        return Done() if self._step is None else self._step

    def feed(self, label: str, answer: object, now: float) -> None:
        """Process the answer to a command of a `Send`, or complete the step with this label.

        Parameters
        ----------
        answer : Settled, BX24Error or the answer's type of the step
            An error is raised inside the script, which may handle it.
        """
        self.now = now
        if isinstance(answer, Settled):
            self._take(self._carried.pop(label), answer)
        elif self._step is None or label != self._step.label:
            raise RuntimeError(f"an answer to {label!r}, which was not asked")
        else:
            self._complete(answer)

    def depart(self, parcel: Parcel, now: float) -> None:
        """A request is about to be sent; when this returns, observers have recorded it."""
        self.now = now
        if isinstance(self._step, Send):
            positions = [position for command in parcel.commands for position in command.positions]
            self.rows.send(positions, self._step.delivery.done)

    def is_stopped(self) -> bool:
        """Whether nothing more is sent, asked anew after a step."""
        return self.stopped

    def stop(self) -> None:
        """Send nothing more; answers in flight are still processed."""
        self.stopped = True
        if self.dispatch is not None:
            self.dispatch.stop()

    def interrupt(self) -> None:
        """Send nothing more, and wait for nothing but the answers to requests in flight."""
        self.interrupted = True
        self.stop()

    def close(self) -> None:
        """End the upload early: rows that were certainly not carried out are skipped, those in flight are unknown."""
        self.stop()
        self._turn_away()
        if self._script is not None:
            self._script.close()
        self._script = self._step = None
        self.finish()

    def finish(self) -> None:
        """Settle what is left: nothing more is learnt about rows in flight and in doubt."""
        rows = self.rows
        rows.settle(*rows.left_open(), *(doubt.outcome for doubt in rows.doubts.values()))
        sent = (position for position in self.earlier.intents if rows.waits(position))
        rows.settle(*(Outcome(position, "unknown", message="the upload was aborted") for position in sent))

    # --- steps -----------------------------------------------------------------------------------

    def _complete(self, answer: object) -> None:
        if isinstance(self._step, Send):
            self._turn_away()
            self.dispatch = None
            self._carried.clear()
        self._advance(answer)

    def _advance(self, answer: object) -> None:
        """Resume the script with the answer to its step."""
        if self._script is None:
            return
        try:
            if isinstance(answer, BX24Error):
                self._step = self._script.throw(answer)
            else:
                self._step = self._script.send(answer)
        except StopIteration:
            self._script = self._step = None
            return
        if isinstance(self._step, Send):
            self._begin_sending(self._step)

    def _begin_sending(self, step: Send) -> None:
        first = step.delivery.commands or step.delivery.first
        creates = step.delivery.done == "inserted"
        self.dispatch = Dispatch(self._commands(step.calls), first=first, retry=self.retry, patient=creates)
        self.returned.clear()
        self.outsized.clear()
        self._passed = False
        if self.stopped:
            self.dispatch.stop()

    def _commands(self, calls: Iterable[Encoded]) -> Iterator[Command]:
        token = new_token()
        for place, encoded in enumerate(calls):
            label = f"{token}_{place}"
            self._carried[label] = encoded
            yield Command(label, encoded.call, encoded.positions)

    def _turn_away(self) -> None:
        """Skip the rows whose request was refused without being executed, if it is not repeated."""
        if not self.stopped or self.dispatch is None:
            return
        for task in self.dispatch.turned_away():
            message = "the portal rejected the request, and it was not retried"
            self.rows.settle(
                *(Outcome(at, "skipped", message=message, attempts=task.sent) for at in task.command.positions)
            )

    # --- answers ---------------------------------------------------------------------------------

    def _take(self, encoded: Encoded, item: Settled) -> None:
        if not isinstance(self._step, Send) or self.dispatch is None:
            raise RuntimeError("an answer without a request")
        delivery = self._step.delivery
        found = taken(encoded, item, delivery, self.now, self.author)
        self.rows.settle(*found.outcomes)
        self.rows.lose(found.doubts)
        self.compared |= found.compared
        self.returned.update(found.closed)
        self.outsized.update(found.outsized)
        self._put_back([*found.closed, *found.outsized], item)
        self._passed |= found.passed
        if found.closed and len(found.closed) == len(encoded.positions) and not self._passed:
            self.dispatch.stop()
        self.refused = credential_refusal(encoded, item.answer) or self.refused
        if self.refused is not None or (found.failed and self.on_error == "stop"):
            self.stop()

    def _put_back(self, positions: Collection[int], item: Settled) -> None:
        """Rows that go another way; recorded as failed, since a row that was certainly refused is not in doubt."""
        if positions and isinstance(self._step, Send):
            self.rows.put_back(positions, Outcome(-1, "failed", path=self._step.delivery.path, attempts=item.attempts))
