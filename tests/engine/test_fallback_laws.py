"""Dispatch: one final answer a command, whatever comes; nothing that may have happened is sent again."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bx24frames.engine.codes import untouched
from bx24frames.engine.fallback import Dispatch, Settled
from bx24frames.engine.messages import Answer, Call, Command, Done, Lost, Parcel, Refusal, Success, Wait
from bx24frames.engine.sizes import Sizes

FAULTS: list[Answer] = [
    Lost("dropped"), Lost("no host", sent=False), Lost("page", status=502), Lost("page", status=504),
    Lost("page", status=403), Lost("late", timeout=True), Refusal("QUERY_LIMIT_EXCEEDED", "", 503, whole=True),
    Refusal("ERROR_CORE", "boom", 400, whole=True), Refusal("ERROR_CORE", "sql", 500, whole=True),
]  # fmt: skip
OWN: list[Answer] = [
    Refusal("", "Not found", 200), Refusal("OPERATION_TIME_LIMIT", "", 200), Refusal("ERROR_CORE", "", 200),
    Success(1), Success(None), Success([]),
]  # fmt: skip


def commands(count: int, *, repeatable: bool, method: str = "crm.deal.get") -> list[Command]:
    return [Command(f"t_{at}", Call(method, {}, repeatable=repeatable), (at,)) for at in range(count)]


def run(machine: Dispatch, portal: object, parallel: int = 4) -> list[Settled]:
    """Drive the machine to its end; `portal` answers a parcel."""
    sizes, now, flying, out = Sizes(), 0.0, [], []
    for _ in range(100_000):
        step = machine.due(now, sizes) if len(flying) < parallel else Wait(now)
        if isinstance(step, Parcel):
            flying.append(step)
            continue
        if flying:
            parcel = flying.pop()
            out += machine.feed(parcel, portal(parcel), now)  # type: ignore[operator]
            continue
        if isinstance(step, Done):
            return out
        assert isinstance(step, Wait)
        assert step.until < 1e9
        now = max(now + 0.001, step.until)
    raise AssertionError("no end")


def test_nobody_at_home_is_asked_three_times_and_not_in_pieces() -> None:
    asked: list[int] = []

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        asked.append(len(parcel.commands))
        return {one.label: Lost("no such host", sent=False, nowhere=True) for one in parcel.commands}

    settled = run(Dispatch(commands(20, repeatable=False), first=20), portal)
    assert asked == [20, 20, 20]
    assert {one.attempts for one in settled} == {3}


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 60), st.booleans(), st.floats(0, 0.9))
def test_one_answer_each_and_no_insert_twice(seed: int, count: int, repeatable: bool, trouble: float) -> None:
    luck = random.Random(seed)
    sent: Counter[str] = Counter()
    may_have_happened: set[str] = set()

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        sent.update(command.label for command in parcel.commands)
        again = may_have_happened & {command.label for command in parcel.commands}
        assert repeatable or not again, "sent again what may have happened"
        whole = luck.choice(FAULTS) if luck.random() < trouble else None
        answers = {command.label: whole or luck.choice(OWN) for command in parcel.commands}
        may_have_happened.update(
            label for label, answer in answers.items() if isinstance(answer, Success) or not untouched(answer)
        )
        return answers

    settled = run(Dispatch(commands(count, repeatable=repeatable), first=10), portal)
    assert sorted(item.command.label for item in settled) == sorted(f"t_{at}" for at in range(count))
    assert all(item.attempts == sent[item.command.label] for item in settled)


@pytest.mark.parametrize(("fault", "repeatable"), [(Lost("page", status=504), True),
    (Refusal("ERROR_CORE", "x", 400, whole=True), True), (Lost("page", status=502), True),
    (Lost("page", status=413, sent=False), True), (Lost("page", status=413, sent=False), False)])  # fmt: skip
def test_a_poisoned_command_costs_itself(fault: Answer, repeatable: bool) -> None:
    """Whatever request it is in fails: the others come through, in about twice log n requests."""
    requests = [0]

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        requests[0] += 1
        spoilt = any(command.label == "t_13" for command in parcel.commands)
        return {command.label: fault if spoilt else Success(command.label) for command in parcel.commands}

    settled = run(Dispatch(commands(40, repeatable=repeatable), first=40), portal)
    assert [item.command.label for item in settled if not isinstance(item.answer, Success)] == ["t_13"]
    assert requests[0] <= 40
    assert next(item for item in settled if item.command.label == "t_13").path == "single"


def test_direct_commands_travel_alone_and_methods_apart() -> None:
    listed = [
        Command("a", Call("m", {})), Command("b", Call("m", {}, direct=True)), Command("c", Call("m", {})),
        Command("d", Call("n", {})), Command("e", Call("n", {})),
    ]  # fmt: skip
    parcels: list[list[str]] = []

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        parcels.append([command.label for command in parcel.commands])
        return {command.label: Success(1) for command in parcel.commands}

    run(Dispatch(listed, first=10), portal, parallel=1)
    assert parcels == [["a"], ["b"], ["c"], ["d", "e"]]


def test_stopping_takes_in_what_is_under_way() -> None:
    machine = Dispatch(commands(30, repeatable=False), first=5)
    sizes = Sizes()
    parcel = machine.due(0.0, sizes)
    assert isinstance(parcel, Parcel)
    machine.stop()
    assert isinstance(machine.due(0.0, sizes), Wait)
    settled = list(machine.feed(parcel, {command.label: Success(1) for command in parcel.commands}, 0.0))
    assert len(settled) == 5
    assert isinstance(machine.due(0.0, sizes), Done)


def test_a_dead_credential_is_not_halved() -> None:
    requests = [0]

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        requests[0] += 1
        return {command.label: Refusal("INVALID_CREDENTIALS", "", 401, whole=True) for command in parcel.commands}

    settled = run(Dispatch(commands(20, repeatable=True), first=20), portal)
    assert len(settled) == 20
    assert requests[0] == 1


@pytest.mark.parametrize(
    "text", ["REST is available only by subscription.", "REST API is available only on commercial plans", ""]
)
def test_a_refused_credential_is_asked_once_however_many_commands_there_are(text: str) -> None:
    """Halving such a batch down to single calls made 390 requests of 200 reads, all refused."""
    asked: list[int] = []

    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        asked.append(len(parcel.commands))
        return {one.label: Refusal("ACCESS_DENIED", text, 401, whole=True) for one in parcel.commands}

    settled = run(Dispatch(commands(200, repeatable=True), first=20, together=True), portal)
    assert asked == [20]
    assert [one.command.label for one in settled] == [f"t_{at}" for at in range(200)]
    assert {one.answer.code for one in settled} == {"ACCESS_DENIED"}  # type: ignore[union-attr]


def test_one_object_that_is_refused_is_no_answer_for_others() -> None:
    def portal(parcel: Parcel) -> Mapping[str, Answer]:
        denied = Refusal("ACCESS_DENIED", "Access denied!", 403, whole=True)
        return {one.label: denied if one.label == "t_3" else Success(1) for one in parcel.commands}

    direct = [Command(f"t_{at}", Call("crm.deal.get", {}, direct=True), (at,)) for at in range(9)]
    settled = run(Dispatch(direct, first=20, together=True), portal)
    assert sum(isinstance(one.answer, Success) for one in settled) == 8
