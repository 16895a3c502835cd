"""The machine without a portal: what it asks about rows whose answer was lost, when, and what it concludes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pytest

from bx24frames.engine.codes import meaning
from bx24frames.engine.fallback import Settled
from bx24frames.engine.messages import Answer, Call, Command, Done, Lost, Refusal, Success, Wait
from bx24frames.engine.policy import RETRY
from bx24frames.entities.encode import AnswerShape, Encoded
from bx24frames.entities.names import resolve
from bx24frames.entities.schema import Field
from bx24frames.errors import TransportError
from bx24frames.portal.metadata import Table
from bx24frames.upload.answers import taken
from bx24frames.upload.incoming import Incoming
from bx24frames.upload.machine import Earlier, UploadMachine
from bx24frames.upload.outcomes import Outcome
from bx24frames.upload.policy import RECONCILIATION
from bx24frames.upload.reconcile import settle_doubts
from bx24frames.upload.request import Upload, WriteRequest
from bx24frames.upload.source import ArrowSource
from bx24frames.upload.state import Doubt, RowState, RowStates
from bx24frames.upload.steps import (
    Author,
    Delivery,
    RowsAfter,
    RowsById,
    RowsLike,
    Script,
    Send,
    UploadStep,
    WaitUntil,
    answer_to,
)

FIELDS: Final = (
    Field("id", "integer", read_only=True),
    Field("title", "string"),
    Field("assignedById", "user"),
    Field("createdBy", "user", read_only=True),
)
ME: Final = 1
CUT, GRACE = RECONCILIATION.cut, RECONCILIATION.grace
Answering = Callable[[UploadStep[object]], object]


def upload(columns: Mapping[str, Sequence[object]]) -> Upload:
    """An insert of some deals."""
    table = Table(resolve("deal"), FIELDS)
    data = pa.table(dict(columns))
    by_code = {field.code: field for field in FIELDS}
    frame = Incoming(ArrowSource(data), data, {name: by_code[name] for name in columns}, {}, None, ())
    return Upload(WriteRequest(ArrowSource(data), "deal", "insert"), table, frame, {}, "insert")


def lost(position: int, let_go: float = 0.0, **more: Any) -> Doubt:
    return Doubt(Outcome(position, "unknown", message="lost", attempts=1), let_go, author=ME, company=2, **more)


class Run:
    """A machine that settles doubts, with look-ups answered by a function; what it sent again, and when it looked."""

    def __init__(self, given: Upload, doubts: Sequence[Doubt], known: Mapping[int, int], answer: Answering) -> None:
        self.rows = RowStates(given.total)
        self.machine = UploadMachine(self.rows, on_error="report", retry=RETRY, author=ME)
        self.machine.high = 100
        self.sent: list[list[int]] = []
        self.looked: list[float] = []
        for position, row_id in known.items():
            self.rows.send([position], "inserted")
            self.rows.settle(Outcome(position, "inserted", row_id, attempts=1))
        self.rows.send([doubt.outcome.position for doubt in doubts], "inserted")
        self.rows.lose(doubts)
        self._given = given
        self._answer = answer

    def resend(self, positions: Collection[int]) -> Script[None]:
        """Send rows again; each is inserted with an id above 500."""
        self.sent.append(sorted(positions))
        self.rows.send(sorted(positions), "inserted")
        self.rows.settle(*(Outcome(at, "inserted", 500 + at, attempts=2) for at in sorted(positions)))
        yield from answer_to(WaitUntil(0.0))

    def to_its_end(self) -> Run:
        now = 0.0
        self.machine.begin(settle_doubts(self._given, self.machine, self.resend), now)
        for _ in range(200):
            step = self.machine.due(now)
            if isinstance(step, Done):
                self.machine.finish()
                return self
            if isinstance(step, Wait):
                now = step.until
                continue
            if isinstance(step, RowsAfter):
                self.looked.append(now)
            self.machine.feed(step.label, self._answer(step), now)
        raise AssertionError("it never ends")

    def told(self) -> list[str]:
        outcomes = [self.rows.outcome(position) for position in range(self.rows.total)]
        return [outcome.action if outcome is not None else "none" for outcome in outcomes]

    def why(self, position: int) -> str:
        outcome = self.rows.outcome(position)
        return "" if outcome is None else outcome.message or ""


def listing(rows: Mapping[int, Mapping[str, object]], like: Sequence[int] = ()) -> Answering:
    """A portal that lists these rows, and names these for a search of similar ones."""

    def answer(step: UploadStep[object]) -> object:
        if isinstance(step, RowsAfter):
            by = step.conditions.get("createdBy")
            listed = {row_id: row for row_id, row in rows.items() if by in (None, row.get("createdBy", ME))}
            return {row_id: {code: row.get(code) for code in step.codes} for row_id, row in listed.items()}
        if isinstance(step, RowsLike):
            return list(like)
        if isinstance(step, RowsById):
            return {row_id: rows[row_id] for row_id in step.ids if row_id in rows}
        if isinstance(step, Author):
            return ME
        raise AssertionError(f"it asked {step}")

    return answer


TITLES: Final = {"title": ["a", "b", "c"]}
SHOWN: Final = {101: {"title": "a"}}


@pytest.mark.parametrize(("ended", "seconds"), [(True, GRACE), (False, CUT + GRACE)])
def test_a_row_is_sent_again_when_its_request_has_ended_and_lists_have_caught_up(ended: bool, seconds: float) -> None:
    run = Run(upload(TITLES), [lost(1, ended=ended), lost(2, ended=ended)], {0: 101}, listing(SHOWN)).to_its_end()
    assert run.sent == [[1, 2]]
    assert run.looked == [0.0, seconds]
    assert run.told() == ["inserted"] * 3


def test_the_time_counts_from_when_the_connection_was_let_go() -> None:
    run = Run(upload(TITLES), [lost(1, let_go=75.0), lost(2)], {0: 101}, listing(SHOWN)).to_its_end()
    assert run.looked == [0.0, CUT + GRACE, 75.0 + CUT + GRACE]


def test_a_row_that_is_found_waits_for_nothing() -> None:
    shown = {**SHOWN, 102: {"title": "b"}, 103: {"title": "c"}}
    run = Run(upload(TITLES), [lost(1), lost(2)], {0: 101}, listing(shown)).to_its_end()
    assert (run.sent, run.looked, run.told()) == ([], [0.0], ["inserted"] * 3)


def test_an_unclaimed_row_makes_absence_unproven() -> None:
    run = Run(upload(TITLES), [lost(1), lost(2)], {0: 101}, listing({**SHOWN, 102: {"title": "?"}})).to_its_end()
    assert (run.sent, run.told()) == ([], ["inserted", "unknown", "unknown"])
    assert "102" in run.why(1)


def test_rows_of_somebody_else_need_one_of_theirs_in_the_list() -> None:
    given = upload({**TITLES, "assignedById": [ME, 2, 2]})
    shown = {101: {"title": "a", "assignedById": ME}}
    blind = Run(given, [lost(1), lost(2)], {0: 101}, listing(shown)).to_its_end()
    assert (blind.sent, blind.told()) == ([], ["inserted", "unknown", "unknown"])
    assert "no row like it is visible" in blind.why(1)


def test_an_earlier_row_of_the_same_kind_lets_one_row_go_ahead() -> None:
    """When that one is listed, the others follow."""
    given = upload({"title": ["a", "b", "c"], "assignedById": [2, 2, 2]})
    run = Run(given, [lost(0), lost(1), lost(2)], {}, listing({}, like=[55]))
    shown: dict[int, dict[str, object]] = {}

    def answer(step: UploadStep[object]) -> object:
        for position, row in ((position, run.rows.outcome(position)) for position in range(3)):
            if row is not None and row.action == "inserted":
                shown[500 + position] = {"title": "abc"[position], "assignedById": 2}
        return listing(shown, like=[55])(step)

    run._answer = answer
    run.to_its_end()
    assert run.sent == [[0], [1, 2]]
    assert run.told() == ["inserted"] * 3


def test_a_row_that_went_ahead_and_is_not_listed_stops_the_others() -> None:
    given = upload({"title": ["a", "b", "c"], "assignedById": [2, 2, 2]})
    run = Run(given, [lost(0), lost(1), lost(2)], {}, listing({}, like=[55])).to_its_end()
    assert run.sent == [[0]]
    assert run.told() == ["inserted", "unknown", "unknown"]
    assert "it may be there twice" in run.why(0)
    assert "row 500" in run.why(1)


def test_an_equal_row_of_another_author_makes_absence_unproven() -> None:
    """No row of the upload has shown yet that the portal gives its rows the author of the credential."""
    shown: dict[int, dict[str, object]] = {102: {"title": "b", "createdBy": 9}, 103: {"title": "?", "createdBy": 9}}
    run = Run(upload({"title": ["b"]}), [lost(0)], {}, listing(shown)).to_its_end()
    assert (run.sent, run.told()) == ([], ["unknown"])
    assert "102" in run.why(0)


def test_rows_that_the_portal_refuses_do_not_use_up_the_attempts() -> None:
    """Nothing is inserted that could show whether the list contains such rows: more of them are sent each time."""
    given = upload({"title": [f"row {at}" for at in range(30)]})
    run = Run(given, [lost(at) for at in range(30)], {}, listing({}))

    def refused(positions: Collection[int]) -> Script[None]:
        run.sent.append(sorted(positions))
        run.rows.send(sorted(positions), "inserted")
        outcomes = (Outcome(at, "unknown", None, "NO", "a field is missing", attempts=2) for at in sorted(positions))
        run.rows.lose(Doubt(outcome, run.machine.now, ended=True, author=ME) for outcome in outcomes)
        yield from answer_to(WaitUntil(0.0))

    run.resend = refused  # type: ignore[method-assign]
    run.to_its_end()
    assert [len(positions) for positions in run.sent] == [1, 2, 4, 8, 15]
    assert run.told() == ["failed"] * 30


def test_only_the_credential_that_sent_a_row_proves_it_absent() -> None:
    run = Run(upload(TITLES), [replace(lost(1), author=7), lost(2)], {0: 101}, listing(SHOWN)).to_its_end()
    assert (run.sent, run.told()) == ([[2]], ["inserted", "unknown", "inserted"])
    assert "user 7" in run.why(1)


def test_rows_of_another_credential_that_are_shown_prove_it_too() -> None:
    """An upload that was begun with another user's webhook: its rows are visible to this one."""
    shown = {101: {"title": "a", "createdBy": 7}}
    run = Run(upload(TITLES), [replace(lost(1), author=7)], {0: 101}, listing(shown))
    run.machine.earlier = Earlier([Outcome(0, "inserted", 101)])
    run.to_its_end()
    assert (run.sent, run.told()[:2]) == ([[1]], ["inserted", "inserted"])


def test_a_look_up_that_fails_leaves_the_rows_unknown() -> None:
    run = Run(upload(TITLES), [lost(1)], {0: 101}, lambda _: TransportError("gone")).to_its_end()
    assert (run.sent, run.told()[1]) == ([], "unknown")
    assert "looking for it failed: gone" in run.why(1)


def test_an_interrupted_upload_waits_for_nothing() -> None:
    run = Run(upload(TITLES), [lost(1), lost(2)], {0: 101}, listing(SHOWN))
    run.machine.interrupt()
    run.to_its_end()
    assert (run.sent, run.looked, run.told()) == ([], [0.0], ["inserted", "unknown", "unknown"])


# --- what an answer means --------------------------------------------------------------------------

OF_TWO: Final = Encoded(Call("crm.item.add", {}, repeatable=False), AnswerShape(("item", "id")), (0,))


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        (Lost("no answer"), False),
        (Lost("a page", status=200), False),
        (Lost("half of it", status=200), False),
        (Lost("bad gateway", status=502), False),
        (Lost("not in the batch", status=200, answered=True), True),
        (Refusal("ERROR_CORE", "no", 400), True),
        (Refusal("ERROR_CORE", "no", 400, whole=True), True),
        (Refusal("INTERNAL_SERVER_ERROR", "no", 500), True),
        (Refusal("gateway", "no", 502, whole=True), False),
        (Success({"item": {}}), True),
    ],
)
def test_only_the_portals_own_word_ends_a_request(answer: Answer, ended: bool) -> None:
    settled = Settled(Command("x", OF_TWO.call, (0,)), answer, 1, "batch")
    [doubt] = taken(OF_TWO, settled, Delivery(10, "inserted"), 3.0, ME).doubts
    assert (doubt.ended, doubt.let_go, doubt.author) == (ended, 3.0, ME)


def test_a_refusal_that_proves_nothing_was_done_is_no_doubt() -> None:
    refusal = Refusal("insufficient_scope", "no", 403)
    assert meaning(refusal).untouched
    found = taken(
        OF_TWO, Settled(Command("x", OF_TWO.call, (0,)), refusal, 1, "batch"), Delivery(10, "inserted"), 0, ME
    )
    assert ([one.action for one in found.outcomes], list(found.doubts)) == (["failed"], [])


# --- the protocol ----------------------------------------------------------------------------------


def machine_of(script: Script[None], rows: RowStates | None = None) -> UploadMachine:
    machine = UploadMachine(rows or RowStates(1), on_error="report", retry=RETRY)
    machine.begin(script, 0.0)
    return machine


def test_a_step_is_due_until_it_is_answered() -> None:
    seen: list[object] = []

    def script() -> Script[None]:
        seen.append((yield from answer_to(RowsLike({}))))
        yield from answer_to(WaitUntil(5.0))

    machine = machine_of(script())
    step = machine.due(1.0)
    assert isinstance(step, RowsLike)
    assert machine.due(2.0) is step
    with pytest.raises(RuntimeError, match="not asked"):
        machine.feed("rows by id", {}, 2.0)
    machine.feed(step.label, [3], 2.0)
    assert seen == [[3]]
    assert machine.due(2.0) == Wait(5.0)
    assert isinstance(machine.due(5.0), Done)


def test_what_is_in_flight_when_it_is_closed_is_unknown_and_the_rest_was_not_sent() -> None:
    rows = RowStates(3)
    calls = [replace(OF_TWO, positions=(position,)) for position in range(3)]
    machine = machine_of(iter_send(calls), rows)
    assert machine.dispatch is not None
    parcel: Any = machine.dispatch.due(0.0, sizes())
    machine.depart(parcel, 0.0)
    machine.close()
    assert [rows.state(at) for at in range(3)] == [RowState.SETTLED, RowState.NEW, RowState.NEW]
    [outcome] = rows.outcomes()
    assert (outcome.action, outcome.position) == ("unknown", 0)


def iter_send(calls: Sequence[Encoded]) -> Script[None]:
    yield from answer_to(Send(calls, Delivery(1, "inserted", commands=1)))


def sizes() -> Any:
    from bx24frames.engine.sizes import Sizes

    return Sizes(1)


def test_rows_an_earlier_run_sent_stay_unknown_unless_they_are_looked_up() -> None:
    from bx24frames.upload.journal import Intent

    rows = RowStates(2)
    machine = UploadMachine(rows, on_error="report", retry=RETRY)
    machine.earlier = Earlier(intents={1: Intent("updated", 0.0)}, let_go={1: 0.0})
    machine.finish()
    assert [outcome.position for outcome in rows.outcomes()] == [1]
