"""The lanes of a read: gaps of the ids, and what lies complete behind a slow one."""

from __future__ import annotations

import orjson
import pytest
from portal_model import Table, classic_listing, drain, flat, item_listing

from bx24frames.engine.messages import RawRows, Success, Wait
from bx24frames.engine.pages import lanes
from bx24frames.engine.pages.pages import KeysetPages
from bx24frames.engine.records import AS_MAPS
from bx24frames.engine.sizes import Size, Sizes

FAMILIES = {"item": (item_listing, "id", True), "classic": (classic_listing, "ID", False)}


def sizes() -> Sizes:
    return Sizes(by_method={name: Size(50, 50) for name in ("crm.item.list", "crm.deal.list")})


GAPS = {
    "two crowds": [(1, 20_000, 1), (10**9, 20_000, 1)],
    "one row, then a crowd": [(1, 1, 1), (10**9, 40_000, 1)],
    "a crowd, then one row": [(1, 40_000, 1), (10**9, 1, 1)],
    "a crowd, then far between": [(1, 30_000, 1), (3 * 10**8, 10_000, 10_000)],
    "far between, then a crowd": [(1, 10_000, 10_000), (3 * 10**8, 30_000, 1)],
    "beyond any gap": [(1, 20_000, 1), (2**52, 20_000, 1)],
}


@pytest.mark.parametrize("parallel", [1, 8])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("name", GAPS)
def test_a_gap_costs_a_few_requests_however_wide_it_is(name, family, ascending, parallel):
    ids = {at for first, count, step in GAPS[name] for at in range(first, first + count * step, step)}
    table = Table(set(ids), FAMILIES[family][2])
    listing, key, _ = FAMILIES[family]
    machine = KeysetPages(listing(), AS_MAPS, token="t", ascending=ascending)
    assert flat(drain(machine, table, sizes(), parallel=parallel), key) == sorted(ids, reverse=not ascending)
    assert table.requests <= len(ids) / 2500 + 20


@pytest.mark.parametrize("family", FAMILIES)
def test_wide_rows_fill_the_window_by_their_bytes(family, monkeypatch):
    """What lies complete behind a slow lane is bounded in bytes too: some tables have hundreds of long texts."""
    monkeypatch.setattr(lanes, "WINDOW_BYTES", 20_000_000)
    listing, key, item = FAMILIES[family]
    table = Table(set(range(1, 40_001)), item)
    machine = KeysetPages(listing(keys=(key,)), AS_MAPS, token="t")
    wide, most = "x" * 4000, 0

    def answered(parcel):
        nonlocal most
        most = max(most, machine._line.buffered_bytes)
        answers = table.execute(parcel)
        return {one.label: as_bytes(one.call.shape, answers[one.label], wide) for one in parcel.commands}

    got = flat(drain(machine, table, sizes(), parallel=8, on_parcel=answered), key)
    assert got == list(range(1, 40_001))
    # what is under way when the window is full comes all the same
    assert most < 20_000_000 + 8 * 2500 * 4200


def as_bytes(shape, answer, wide):
    """An answer as the bytes it came in, each row with a wide text beside its id."""
    if shape is None or not isinstance(answer, Success):
        return answer
    rows = answer.value["items"] if shape.path else answer.value
    printed = [{**row, "text": wide} for row in rows]
    return Success(None, raw=RawRows(shape, memoryview(orjson.dumps({"items": printed} if shape.path else printed))))


def test_a_lane_held_back_by_the_window_is_waited_for_without_a_time():
    """Rows that lie complete behind a slow lane bound the read: nothing is due before that lane's answer."""
    table = Table(set(range(1, 100_001)), True)
    machine, slow, now = KeysetPages(item_listing(), AS_MAPS, token="t"), None, 0.0
    flying = []
    for _ in range(200):
        step = machine.due(now, sizes())
        if isinstance(step, Wait):
            slow = slow or (flying.pop(0) if len(flying) == 8 else None)
            if not flying:
                break
            parcel = flying.pop(0)
            machine.feed(parcel, table.execute(parcel), now)
        else:
            flying.append(step)
    assert slow is not None
    assert step.until > now
