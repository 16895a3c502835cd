"""The wire verbs, blocking and awaited, against a portal written from the protocol alone."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from odd_portal import OddPortal
from odd_wire import Refused
from unlimited import FAST

import bx24frames as bx
from bx24frames import aio
from bx24frames import errors as e

Verb = Callable[..., Any]


@pytest.fixture(params=["blocking", "awaited"])
def verb(request: pytest.FixtureRequest, odd: OddPortal) -> Verb:
    """Call a wire verb by name, in both kinds."""

    def blocking(name: str, *given: Any, **more: Any) -> Any:
        with bx.Portal(odd.url, limits=FAST) as portal:
            return getattr(portal, name)(*given, **more)

    def awaited(name: str, *given: Any, **more: Any) -> Any:
        async def work() -> Any:
            async with aio.Portal(odd.url, limits=FAST) as portal:
                return await getattr(portal, name)(*given, **more)

        return asyncio.run(work())

    return blocking if request.param == "blocking" else awaited


def ids(rows: Any, key: str = "ID") -> list[int]:
    return [int(row[key]) for row in rows]


def test_get_all_of_classic_and_item_lists(odd: OddPortal, verb: Verb) -> None:
    assert ids(verb("get_all", "crm.deal.list")) == sorted(odd.rows)
    assert ids(verb("get_all", "crm.item.list", {"entityTypeId": 2}), "id") == sorted(odd.rows)
    rows = verb("get_all", "crm.deal.list", {"select": ["TITLE"], "filter": {"<=ID": 30}})
    assert ids(rows) == list(range(3, 31, 3))
    assert rows[0]["TITLE"] == "Deal 3 & 50% + #1 [x]"


def test_get_all_of_what_is_no_list(verb: Verb) -> None:
    assert verb("get_all", "profile") == {"ID": "1", "ADMIN": True}
    assert verb("get_all", "crm.status.list")[0]["STATUS_ID"] == "NEW"


@pytest.mark.parametrize("name", ["get_by_id", "get_by_ID"])
def test_get_by_id(odd: OddPortal, verb: Verb, name: str) -> None:
    wanted = [9, 3, 6, 3]
    for given in (wanted, tuple(wanted), pd.Series(wanted), np.array(wanted), (x for x in wanted), [9.0, "3", 6]):
        found = verb(name, "crm.deal.get", given)
        assert [int(key) for key in found] == [9, 3, 6]
        assert {int(key): int(row["ID"]) for key, row in found.items()} == {9: 9, 3: 3, 6: 6}
    assert verb(name, "crm.deal.get", []) == {}
    found = verb(name, "crm.item.get", [3], "id", {"entityTypeId": 2})
    assert int(found[3]["item"]["id"]) == 3
    with pytest.raises(e.PortalError, match=r"ID 4: .*Not found") as caught:
        verb(name, "crm.deal.get", [3, 4])
    assert caught.value.rows == (1,)


def test_list_and_get(odd: OddPortal, verb: Verb) -> None:
    found = verb("list_and_get", "crm.deal")
    assert len(found) == 180
    assert set(found) == set(odd.rows)  # integers, though the classic list prints text
    assert found[3]["TITLE"].startswith("Deal 3")


def test_call_one_list_none_and_raw(odd: OddPortal, verb: Verb) -> None:
    assert verb("call", "profile")["ID"] == "1"
    assert verb("call", "crm.deal.get", {"ID": 3})["ID"] == "3"
    assert ids(verb("call", "crm.deal.get", [{"ID": number} for number in (9, 3, 6)])) == [9, 3, 6]
    assert verb("call", "crm.deal.get", []) == []
    verb("call", "crm.deal.add", {"fields": {"TITLE": "x", "OPENED": True, "DAY": dt.date(2026, 2, 3)}})
    assert odd.commands[-1][1] == {"fields": {"TITLE": "x", "OPENED": "Y", "DAY": "2026-02-03"}}
    verb("call", "crm.deal.add", {"fields": {"TITLE": "y", "OPENED": True, "NONE": None}}, raw=True)
    assert odd.commands[-1][1] == {"fields": {"TITLE": "y", "OPENED": True, "NONE": None}}
    verb(
        "call", "crm.deal.add", [{"fields": {"TITLE": "$result[a][0]", "OPENED": False}}, {"fields": {"TITLE": "&+%#"}}]
    )
    assert [params["fields"]["TITLE"] for _, params in odd.commands[-2:]] == ["$result[a][0]", "&+%#"]


class Stage(enum.StrEnum):
    WON = "C1:WON"


def test_kinds_derived_from_plain_ones_are_sent_as_these(odd: OddPortal, verb: Verb) -> None:
    """Cells of a frame are floats of numpy; their repr is no number."""
    fields = {"OPPORTUNITY": np.float64(1.5), "STAGE_ID": Stage.WON, "N": np.int64(3), "X": np.str_("é"), "B": np.True_}
    verb("call", "crm.deal.add", [{"fields": fields}, {"fields": fields}])
    sent = [params["fields"] for method, params in odd.commands if method == "crm.deal.add"]
    assert sent == [{"OPPORTUNITY": "1.5", "STAGE_ID": "C1:WON", "N": "3", "X": "é", "B": "Y"}] * 2


def test_a_refused_item_of_a_list_is_named(odd: OddPortal, verb: Verb) -> None:
    with pytest.raises(e.PortalError, match=r"item 1 \(and 1 more of 4\)") as caught:
        verb("call", "crm.deal.get", [{"ID": 3}, {"ID": 4}, {"ID": 6}, {"ID": 7}])
    assert caught.value.rows == (1, 3)
    with pytest.raises(e.PortalError, match=r"^The portal refused: Not found"):
        verb("call", "crm.deal.get", {"ID": 4})


def test_batch_with_references(odd: OddPortal, verb: Verb) -> None:
    found = verb(
        "batch", {"all": "crm.deal.list?filter[<ID]=9", "one": "crm.deal.get?ID=$result[all][1][ID]",
        "two": ("crm.deal.get", {"ID": "$result[all][0][ID]"})},
    )  # fmt: skip
    assert (found["one"]["ID"], found["two"]["ID"]) == ("6", "3")
    assert odd.asked[-1].method == "batch"


@pytest.mark.parametrize("cmd", [["profile", "crm.deal.get?ID=3"], {"0": "profile", "1": "crm.deal.get?ID=3"}])
def test_numeric_labels_that_php_prints_as_lists(verb: Verb, cmd: Any) -> None:
    found = verb("call_batch", {"halt": 0, "cmd": cmd})
    assert found["0"] == {"ID": "1", "ADMIN": True}
    assert found["1"]["ID"] == "3"


@pytest.mark.parametrize("labels", [("1", "0"), ("1", "2"), ("0", "2"), ("00", "0")])
def test_numeric_labels_with_an_error_between(verb: Verb, labels: tuple[str, str]) -> None:
    """The maps of one answer may be a list here and an object there."""
    first, second = labels
    with pytest.raises(e.PortalError, match=f"command '{second}': .*Not found") as caught:
        verb("call_batch", {"halt": 0, "cmd": {first: "profile", second: "crm.deal.get?ID=4"}})
    assert caught.value.method == "crm.deal.get"


def test_halt_stops_behind_the_first_failure(odd: OddPortal, verb: Verb) -> None:
    with pytest.raises(e.PortalError, match="command 'b'") as caught:
        verb("call_batch", {"halt": 1, "cmd": {"a": "profile", "b": "crm.deal.get?ID=4", "c": "crm.deal.get?ID=3"}})
    assert "Not found" in str(caught.value)
    assert [params for method, params in odd.commands if method == "crm.deal.get"] == [{"ID": "4"}]


def test_more_than_fifty_commands(odd: OddPortal, verb: Verb) -> None:
    wanted = {f"d{number}": f"crm.deal.get?ID={number}" for number in sorted(odd.rows)[:120]}
    found = verb("batch", wanted)
    assert {label: f"d{row['ID']}" for label, row in found.items()} == {label: label for label in wanted}
    assert len(odd.asked) == 3
    with pytest.raises(e.ConfigError, match="at most 50 commands, not 51"):
        verb("call_batch", {"halt": 1, "cmd": {f"a{at}": "profile" for at in range(51)}})


@pytest.mark.parametrize(
    ("commands", "why"),
    [
        ({1: "profile"}, "named by text"),
        ({"a": ("crm.deal.update", {"id": 3, "fields": {"TITLE": None}}), "b": "profile"}, "fields.TITLE: null"),
        ({"a": ("crm.deal.update", {"id": 3, "fields": {"X": []}})}, "empty list"),
        ({"a": ("api/tasks.task.list", {}), "b": "profile"}, "REST 3.0"),
        ({"a": ("profile", {f"n{at}": at for at in range(1000)})}, "more than 900"),
        ({"a": 5}, "neither"),
    ],
)
def test_what_a_batch_cannot_carry_is_refused(odd: OddPortal, verb: Verb, commands: Any, why: str) -> None:
    with pytest.raises(e.ConfigError, match=why):
        verb("batch", commands)
    assert not odd.asked


@pytest.mark.parametrize("name", [None, 5, "", " "])
def test_the_parameter_for_the_id_is_a_name(odd: OddPortal, verb: Verb, name: Any) -> None:
    with pytest.raises(e.ConfigError):
        verb("get_by_id", "crm.deal.get", [3], name)
    assert not odd.asked


def test_slow_bounds_the_requests_under_way(odd: OddPortal) -> None:
    import threading

    here, most, lock = [0], [0], threading.Lock()
    answer = odd.answer
    inside = threading.Semaphore(0)

    def counted(asked: Any) -> Any:
        with lock:
            here[0] += 1
            most[0] = max(most[0], here[0])
        inside.acquire(timeout=0.02)
        try:
            return answer(asked)
        finally:
            with lock:
                here[0] -= 1

    odd.server.close()
    from odd_wire import Server

    odd.server = Server(counted)
    url = f"{odd.server.base}/rest/1/{odd.url.split('/')[5]}/"
    limits = bx.Limits(burst=100_000, per_second=100_000.0, commands_per_batch=1)
    with bx.Portal(url, limits=limits) as portal:
        with portal.slow(1):
            portal.get_by_id("crm.deal.get", range(3, 93, 3))
        assert most[0] == 1
        portal.get_by_id("crm.deal.get", range(3, 153, 3))
        assert 1 < most[0] <= 8

    async def awaited() -> None:
        most[0] = 0
        async with aio.Portal(url, limits=limits) as portal, portal.slow(2):
            await portal.get_by_id("crm.deal.get", range(3, 153, 3))
        assert most[0] == 2

    asyncio.run(awaited())


def test_a_batch_that_may_change_something_is_not_repeated(odd: OddPortal, verb: Verb) -> None:
    from odd_wire import Raw

    odd.before.append(lambda asked: Raw(502, b"<html>x</html>") if len(odd.asked) == 1 else None)
    with pytest.raises(e.ResponseError):
        verb("batch", {"a": "crm.deal.add?fields[TITLE]=x"})
    assert len(odd.asked) == 1
    odd.asked.clear()
    assert verb("batch", {"a": "crm.deal.get?ID=3"})["a"]["ID"] == "3"
    assert len(odd.asked) == 2


def test_an_add_whose_answer_is_lost_is_not_repeated(odd: OddPortal, verb: Verb) -> None:
    from odd_wire import Raw

    odd.before.append(lambda asked: Raw(body=None) if "add" in asked.method else None)
    with pytest.raises(e.TransportError):
        verb("call", "crm.deal.add", {"fields": {"TITLE": "x"}})
    assert len(odd.asked) == 1


def test_check_and_stats(odd: OddPortal) -> None:
    with bx.Portal(odd.url, limits=FAST) as portal:
        assert portal.check() == {"profile": {"ID": "1", "ADMIN": True}, "scope": ["crm", "user"]}
        portal.get_all("crm.deal.list")
        assert portal.stats.requests == len(odd.asked)
        assert portal.stats.methods["crm.deal.list"].commands >= 4


def test_the_awaited_verbs_have_the_same_parameters() -> None:
    for name in ("get_all", "get_by_id", "get_by_ID", "list_and_get", "call", "batch", "call_batch", "slow", "check"):
        blocking = inspect.signature(getattr(bx.Portal, name)).parameters
        awaited = inspect.signature(getattr(aio.Portal, name)).parameters
        assert list(blocking.values()) == list(awaited.values()), name


def test_an_unknown_method_is_said_to_be_misspelt(odd: OddPortal, verb: Verb) -> None:
    with pytest.raises(e.PortalError, match="misspelt"):
        verb("get_all", "crm.deall.list")

    def refuse(method: str, params: Any) -> None:
        raise Refused("insufficient_scope", "The request requires higher privileges", 403)

    odd.command = refuse
    with pytest.raises(e.ScopeError):
        verb("call", "user.get")


@pytest.mark.parametrize(
    "call", [lambda portal: portal.call("profile"), lambda portal: aio.count_entity("deal", portal)]
)
def test_a_coroutine_that_something_else_runs_says_what_to_do(call: Callable[[Any], Any]) -> None:
    """Trio and curio drive coroutines without a loop of asyncio."""
    with pytest.raises(e.ConfigError, match="asyncio") as caught:
        call(aio.Portal("http://127.0.0.1:1/rest/1/x/")).send(None)
    assert "trio.to_thread" in str(caught.value)
