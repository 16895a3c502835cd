"""Verbs that send many calls: an error carries what was answered, in the verb's own shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import bx24frames as bx
from bx24frames.errors import CallError, ConfigError, PortalError
from bx24frames.sandbox import Fault, Sandbox
from bx24frames.testing import no_waiting

FREE = bx.Limits(burst=100_000, per_second=100_000.0, operating=float("inf"))


@pytest.fixture(scope="module")
def portal() -> Iterator[bx.Portal]:
    with (
        Sandbox(plan="unlimited", real_time=False, sizes={"deal": 60}) as sandbox,
        bx.Portal(sandbox.url, limits=FREE, cache=False) as opened,
    ):
        yield opened


def ids(portal: bx.Portal) -> list[int]:
    found: list[int] = bx.read_entity("deal", portal, columns=["id"])["id"].tolist()
    return found


def test_call_has_the_results_in_the_order_of_the_items(portal: bx.Portal) -> None:
    one, two = ids(portal)[:2]
    with pytest.raises(PortalError) as caught:
        portal.call("crm.deal.get", [{"ID": one}, {"ID": 999_999}, {"ID": two}])
    results = caught.value.results
    assert isinstance(results, list)
    assert [row and int(row["ID"]) for row in results] == [one, None, two]
    assert caught.value.rows == (1,)
    assert set(caught.value.failures) == {1}
    assert "Not found" in str(caught.value.failures[1])


def test_get_by_id_has_the_results_by_id(portal: bx.Portal) -> None:
    one, two = ids(portal)[:2]
    for verb in (portal.get_by_id, portal.get_by_ID):
        with pytest.raises(PortalError) as caught:
            verb("crm.deal.get", [one, 999_999, two])
        assert list(caught.value.results or {}) == [one, two]
        assert list(caught.value.failures) == [999_999]


def test_a_batch_has_the_results_by_name(portal: bx.Portal) -> None:
    for carry_out in (portal.batch, lambda commands: portal.call_batch({"halt": 0, "cmd": commands})):
        with pytest.raises(PortalError) as caught:
            carry_out({"good": "profile", "bad": "crm.deal.get?ID=999999"})
        assert list(caught.value.results or {}) == ["good"]
        assert list(caught.value.failures) == ["bad"]


def test_one_call_has_no_results(portal: bx.Portal) -> None:
    with pytest.raises(CallError) as caught:
        portal.call("crm.deal.get", {"ID": 999_999})
    assert caught.value.results is None
    assert not caught.value.failures


def test_list_and_get_knows_the_name_of_the_id_and_takes_the_type(portal: bx.Portal) -> None:
    assert len(portal.list_and_get("tasks.task")) == 150
    deals = portal.list_and_get("crm.item", params={"entityTypeId": 2, "filter": {">opportunity": 0}})
    assert 0 < len(deals) <= 60
    assert all(one["item"]["opportunity"] > 0 for one in deals.values())  # type: ignore[call-overload,index,operator]


def test_a_method_that_no_batch_takes_is_called_by_itself(portal: bx.Portal) -> None:
    assert [len(rows) for rows in portal.call("crm.item.payment.list", [{}, {}, {}])] == [3, 3, 3]  # type: ignore[union-attr,arg-type]


def test_another_event_loop_than_asyncios_gets_a_sentence() -> None:
    """Steps a coroutine as trio would: with no asyncio loop running."""
    portal = bx.aio.Portal("https://example.bitrix24.com/rest/1/abcdef1234567890/", cache=False)
    for verb in (portal.call("profile"), portal.get_all("some.thing.list"), bx.aio.read_entity("deal", portal)):
        with pytest.raises(ConfigError, match="event loop of asyncio"):
            verb.send(None)


WRITES = {
    "call": lambda portal: portal.call("crm.deal.add", {"fields": {"TITLE": "x"}}),
    "call of a list": lambda portal: portal.call("crm.deal.add", [{"fields": {"TITLE": "x"}}] * 3),
    "batch": lambda portal: portal.batch({"a": ("crm.deal.add", {"fields": {"TITLE": "x"}})}),
}


@pytest.mark.parametrize("verb", WRITES)
@pytest.mark.parametrize("fault", ["gateway_timeout", "drop_after", "truncated", "error"])
def test_a_write_that_may_have_been_carried_out_is_not_advised_to_be_repeated(verb: str, fault: Any) -> None:
    """Repeated, a document or a row would be there twice (bitrix24/b24jssdk #24)."""
    with Sandbox(plan="unlimited", real_time=False, sizes={"deal": 3}) as sandbox, no_waiting():
        given = {"code": "INTERNAL_SERVER_ERROR", "status": 500, "executed": True} if fault == "error" else {}
        kind = "error_in_200" if fault == "error" else fault
        sandbox.faults.add(Fault(kind, method="crm.deal.add", times=None, **given))
        with bx.Portal(sandbox.url, limits=FREE) as opened, pytest.raises(CallError) as caught:
            WRITES[verb](opened)
        assert "may have been carried out" in str(caught.value.guidance)
        assert "again" not in str(caught.value)
        assert not getattr(caught.value, "retryable", False)
        assert len(sandbox.store.rows(2)) == (6 if verb == "call of a list" else 4)


def test_a_read_and_a_refused_write_keep_their_guidance(portal: bx.Portal) -> None:
    with pytest.raises(PortalError) as caught:
        portal.call("crm.deal.update", {"id": 999_999, "fields": {"TITLE": "x"}})
    assert "may have been" not in str(caught.value)
