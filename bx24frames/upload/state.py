"""Row states of an upload: what each row is now, what may happen to it next, and its outcome so far."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from bx24frames.upload.outcomes import Outcome

if TYPE_CHECKING:
    from bx24frames.reports import Action
    from bx24frames.upload.match import RowId, Values

__all__ = ["TRANSITIONS", "Doubt", "Event", "Observer", "RowState", "RowStates"]


class RowState(enum.Enum):
    """What is known of one row."""

    NEW = "not sent, and not known to be in the portal"
    PRESENT = "in the portal under a known id, and not sent"
    SENT = "in flight: its request may be executed at any time"
    IN_DOUBT = "sent and not answered: only a look-up can tell whether it was executed"
    SETTLED = "has its final outcome"


class Event(enum.Enum):
    """What happens to one row."""

    IDENTIFY = "its id became known"
    SEND = "a request that carries it is about to be sent"
    RETURN = "the portal refused its path and did not create it: another path remains"
    LOSE = "its answer proves neither that it was executed nor that it was not"
    RECALL = "an earlier run sent it and recorded no answer"
    MISS = "it was proved absent, so it may be sent"
    REPEAT = "its request has ended, and it may be sent again under its id"
    SETTLE = "its outcome is known, or nothing more can be learnt"
    AMEND = "its outcome was completed by what was read back"


_S, _E = RowState, Event
TRANSITIONS: Final[Mapping[tuple[RowState, Event], RowState]] = {
    (_S.NEW, _E.IDENTIFY): _S.PRESENT,
    (_S.NEW, _E.SEND): _S.SENT,
    (_S.NEW, _E.RECALL): _S.IN_DOUBT,
    (_S.NEW, _E.SETTLE): _S.SETTLED,
    (_S.PRESENT, _E.SEND): _S.SENT,
    (_S.PRESENT, _E.SETTLE): _S.SETTLED,
    # `engine/fallback` sends a request again only if it was certainly not executed or is repeatable.
    (_S.SENT, _E.SEND): _S.SENT,
    (_S.SENT, _E.RETURN): _S.NEW,
    (_S.SENT, _E.LOSE): _S.IN_DOUBT,
    (_S.SENT, _E.SETTLE): _S.SETTLED,
    (_S.IN_DOUBT, _E.MISS): _S.NEW,
    (_S.IN_DOUBT, _E.REPEAT): _S.PRESENT,
    (_S.IN_DOUBT, _E.SETTLE): _S.SETTLED,
    (_S.SETTLED, _E.AMEND): _S.SETTLED,
}
"""Every allowed transition. A row in doubt cannot be sent: it must first be missed or its request have ended."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is known of a row in doubt.

    `outcome`: what is reported if nothing more is learnt. `let_go`: when the connection was closed, by the monotonic
    clock; the request cannot arrive later. `ended`: the portal itself said that it has finished. `company`: rows that
    share the answer. `passing`: sending it again may succeed. `author`: the user whose credential sent it, if known.
    """

    outcome: Outcome
    let_go: float
    ended: bool = False
    company: int = 1
    passing: bool = False
    author: int | None = None

    @property
    def refused(self) -> bool:
        """Whether the portal reported a lasting error for this row alone."""
        return self.ended and self.company == 1 and not self.passing


class Observer(Protocol):
    """Follows the transitions of rows: the journal, the progress bar."""

    def intend(self, positions: Iterable[int], action: Action) -> None:
        """Rows are about to be sent."""

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Rows have an outcome, or another one than before."""


class RowStates:
    """The state, the id and the outcome of each row of an upload.

    Parameters
    ----------
    total : int
        Number of input rows.
    column_of : callable, optional
        The column that an error message names.

    Attributes
    ----------
    ids : dict
        Ids of rows in the portal, by position.
    held : dict
        By id, what the portal holds in the columns to compare.
    """

    def __init__(self, total: int, column_of: Callable[[str | None], str | None] | None = None) -> None:
        self.total = total
        self.ids: dict[int, RowId] = {}
        self.held: dict[RowId, Values] = {}
        self.observers: list[Observer] = []
        self._column_of = column_of
        self._states = [RowState.NEW] * total
        self._outcomes: dict[int, Outcome] = {}
        self._doubts: dict[int, Doubt] = {}

    # --- questions -------------------------------------------------------------------------------

    def state(self, position: int) -> RowState:
        """What a row is now."""
        return self._states[position]

    def next_events(self, position: int) -> frozenset[Event]:
        """What may happen to a row next."""
        state = self._states[position]
        return frozenset(event for of, event in TRANSITIONS if of is state)

    def within(self, *states: RowState) -> list[int]:
        """The positions of the rows in one of the states, in order."""
        return [position for position, state in enumerate(self._states) if state in states]

    def waits(self, position: int) -> bool:
        """Whether a row has not been sent."""
        return self._states[position] in (RowState.NEW, RowState.PRESENT)

    def outcome(self, position: int) -> Outcome | None:
        """The outcome of a row so far; of a row in doubt, what is reported if nothing more is learnt."""
        return self._outcomes.get(position)

    def outcomes(self) -> Iterable[Outcome]:
        """The outcomes so far."""
        return self._outcomes.values()

    def counts(self) -> Counter[Action]:
        """The number of rows by outcome."""
        return Counter(outcome.action for outcome in self._outcomes.values())

    @property
    def doubts(self) -> Mapping[int, Doubt]:
        """The rows in doubt."""
        return self._doubts

    # --- transitions -----------------------------------------------------------------------------

    def identify(self, position: int, row_id: RowId, values: Values | None = None) -> None:
        """A row of the portal is this row; `values`: what it holds."""
        if self._states[position] is not RowState.SETTLED:  # by an earlier run, whose outcome may lack the id
            self._move(position, Event.IDENTIFY)
        self.ids[position] = row_id
        if values is not None:
            self.held[row_id] = values

    def send(self, positions: Sequence[int], action: Action) -> None:
        """Rows are about to be sent; observers have recorded it when this returns, and the rows stay if one cannot."""
        following = [self._following(position, Event.SEND) for position in positions]
        for observer in self.observers:
            observer.intend(positions, action)
        for position, state in zip(positions, following, strict=True):
            self._states[position] = state

    def put_back(self, positions: Iterable[int], refused: Outcome) -> None:
        """Rows whose path the portal refused without creating them; `refused`: what is recorded, for any position."""
        found = list(positions)
        for position in found:
            self._move(position, Event.RETURN)
        for observer in self.observers:
            observer.record(replace(refused, position=position) for position in found)

    def lose(self, doubts: Iterable[Doubt]) -> None:
        """Rows whose answer does not say whether they were executed."""
        self._doubt(doubts, Event.LOSE)

    def recall(self, doubts: Iterable[Doubt]) -> None:
        """Rows that an earlier run left in doubt."""
        self._doubt(doubts, Event.RECALL)

    def attribute(self, author: int, sender: int) -> None:
        """The rows in doubt that were thought to be of one user are of another."""
        for position, doubt in self._doubts.items():
            if doubt.author == author:
                self._doubts[position] = replace(doubt, author=sender)

    def miss(self, positions: Iterable[int]) -> None:
        """Rows in doubt that were proved absent."""
        self._reopen(positions, Event.MISS)

    def repeat(self, positions: Iterable[int]) -> None:
        """Rows in doubt whose request has ended, and which exist under a known id."""
        self._reopen(positions, Event.REPEAT)

    def settle(self, *outcomes: Outcome) -> None:
        """Rows have their final outcome."""
        for outcome in outcomes:
            self._move(outcome.position, Event.SETTLE)
            self._doubts.pop(outcome.position, None)
        self._record(outcomes)

    def amend(self, *outcomes: Outcome) -> None:
        """Settled rows have a more precise outcome."""
        for outcome in outcomes:
            self._move(outcome.position, Event.AMEND)
        self._record(outcomes)

    def explain(self, position: int, message: str) -> None:
        """Say more about a row that stays in doubt."""
        doubt = self._doubts[position]
        self._record([replace(doubt.outcome, message=message)])
        self._doubts[position] = replace(doubt, outcome=self._outcomes[position])

    def _doubt(self, doubts: Iterable[Doubt], event: Event) -> None:
        found = list(doubts)
        for doubt in found:
            self._move(doubt.outcome.position, event)
        self._record([doubt.outcome for doubt in found])
        for doubt in found:
            position = doubt.outcome.position
            self._doubts[position] = replace(doubt, outcome=self._outcomes[position])

    def _reopen(self, positions: Iterable[int], event: Event) -> None:
        for position in positions:
            self._move(position, event)
            del self._doubts[position]

    def _move(self, position: int, event: Event) -> None:
        self._states[position] = self._following(position, event)

    def _following(self, position: int, event: Event) -> RowState:
        state = self._states[position]
        following = TRANSITIONS.get((state, event))
        if following is None:
            raise RuntimeError(f"row {position} is {state.name}: {event.name} is not possible")
        return following

    def _record(self, outcomes: Sequence[Outcome]) -> None:
        named = [self._named(outcome) for outcome in outcomes]
        self._outcomes.update((outcome.position, outcome) for outcome in named)
        for observer in self.observers:
            observer.record(named)

    def _named(self, outcome: Outcome) -> Outcome:
        """An outcome with the row's id and the column that its message names."""
        if outcome.id is None and outcome.position in self.ids:
            outcome = replace(outcome, id=self.ids[outcome.position])
        if outcome.action == "failed" and outcome.column is None and self._column_of is not None:
            outcome = replace(outcome, column=self._column_of(outcome.message))
        return outcome

    def left_open(self) -> Iterator[Outcome]:
        """Outcomes for the rows whose answer was not awaited."""
        for position in self.within(RowState.SENT):
            yield Outcome(position, "unknown", message="the upload was aborted", attempts=1)
