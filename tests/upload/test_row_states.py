"""The states of a row: every pair of state and event, and what can never happen."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Final

import pytest

from bx24frames.reports import Action
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.state import TRANSITIONS, Doubt, Event, RowState, RowStates

DONE: Final = Outcome(0, "inserted", 7)
LOST: Final = Doubt(Outcome(0, "unknown", message="lost"), 0.0)

APPLY: Final[dict[Event, Callable[[RowStates], None]]] = {
    Event.IDENTIFY: lambda rows: rows.identify(0, 7),
    Event.SEND: lambda rows: rows.send([0], "inserted"),
    Event.RETURN: lambda rows: rows.put_back([0], Outcome(-1, "failed")),
    Event.LOSE: lambda rows: rows.lose([LOST]),
    Event.RECALL: lambda rows: rows.recall([LOST]),
    Event.MISS: lambda rows: rows.miss([0]),
    Event.REPEAT: lambda rows: rows.repeat([0]),
    Event.SETTLE: lambda rows: rows.settle(DONE),
    Event.AMEND: lambda rows: rows.amend(DONE),
}
REACHED: Final[dict[RowState, tuple[Event, ...]]] = {
    RowState.NEW: (),
    RowState.PRESENT: (Event.IDENTIFY,),
    RowState.SENT: (Event.SEND,),
    RowState.IN_DOUBT: (Event.SEND, Event.LOSE),
    RowState.SETTLED: (Event.SETTLE,),
}


def row_in(state: RowState) -> RowStates:
    rows = RowStates(1)
    for event in REACHED[state]:
        APPLY[event](rows)
    assert rows.state(0) is state
    return rows


@pytest.mark.parametrize(("state", "event"), [*itertools.product(RowState, Event)])
def test_an_event_leads_where_the_table_says_and_nowhere_else(state: RowState, event: Event) -> None:
    rows = row_in(state)
    following = TRANSITIONS.get((state, event))
    assert (event in rows.next_events(0)) is (following is not None)
    if following is not None:
        APPLY[event](rows)
        assert rows.state(0) is following
    elif (state, event) != (RowState.SETTLED, Event.IDENTIFY):  # an id that an earlier run did not record is kept
        with pytest.raises(RuntimeError, match=f"row 0 is {state.name}"):
            APPLY[event](rows)
        assert rows.state(0) is state


def test_a_row_in_doubt_is_never_sent_without_proof() -> None:
    """Whatever the path from doubt to the wire, it passes an event that stands for a proof."""
    free = {pair: to for pair, to in TRANSITIONS.items() if pair[1] not in (Event.MISS, Event.REPEAT)}
    reached = {RowState.IN_DOUBT}
    while more := {to for (state, _), to in free.items() if state in reached} - reached:
        reached |= more
    assert RowState.SENT not in reached


def test_a_settled_row_stays_settled() -> None:
    assert {to for (state, _), to in TRANSITIONS.items() if state is RowState.SETTLED} == {RowState.SETTLED}


def test_every_state_can_be_reached_and_left() -> None:
    assert {to for _, to in TRANSITIONS.items()} == set(RowState)
    assert {state for state, _ in TRANSITIONS} == set(RowState)


class Log:
    """What an observer is told, in order."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[int]]] = []

    def intend(self, positions: Iterable[int], action: Action) -> None:
        self.told.append((action, list(positions)))

    def record(self, outcomes: Iterable[Outcome]) -> None:
        self.told += [(outcome.action, [outcome.position]) for outcome in outcomes]


def test_observers_see_intents_before_outcomes() -> None:
    rows, log = RowStates(2), Log()
    rows.observers.append(log)
    rows.send([0, 1], "inserted")
    rows.lose([LOST])
    rows.settle(Outcome(1, "inserted", 8))
    rows.miss([0])
    rows.send([0], "inserted")
    rows.settle(Outcome(0, "inserted", 9))
    assert log.told == [
        ("inserted", [0, 1]),
        ("unknown", [0]),
        ("inserted", [1]),
        ("inserted", [0]),
        ("inserted", [0]),
    ]
    assert [rows.state(at) for at in range(2)] == [RowState.SETTLED] * 2
