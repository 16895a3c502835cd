"""A portal that answers HTML, half a JSON or nothing: bounded retries, one clear error, never a shorter frame."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from odd_portal import CODE, OddPortal
from odd_wire import Asked, Raw
from unlimited import FAST

import bx24frames as bx
from bx24frames import errors as e

PAGE = f"<html><head><title>502 Bad Gateway</title></head><body><p>/rest/1/{CODE}/ nginx</body></html>".encode()


def says(code: object, text: str = "", status: int = 400) -> Raw:
    return Raw(status, json.dumps({"error": code, "error_description": text}).encode())


def always(raw: Raw, times: int = 10_000, *, lists: bool = True) -> Callable[[Asked], Raw | None]:
    """A hook that answers so to the first requests for rows (or to all)."""
    left = [times]

    def hook(asked: Asked) -> Raw | None:
        if lists and asked.method not in ("batch", "crm.item.list", "crm.deal.list"):
            return None
        left[0] -= 1
        return raw if left[0] >= 0 else None

    return hook


PASSING = {
    "502": Raw(502, PAGE), "504": Raw(504, PAGE), "500 sql": says("ERROR_CORE", "SQL query error!", 500),
    "html 200": Raw(200, PAGE), "half": Raw(200, b'{"result":{"items":[{"id":1'), "nothing": Raw(200, b""),
    "null": Raw(200, b"null"), "list": Raw(200, b"[]"), "no result": Raw(200, b'{"time":[]}'),
    "result null": Raw(200, b'{"result":null}'), "dropped": Raw(body=None), "cut": Raw(200, b'{"result"', cut=99),
    "429 page": Raw(429, PAGE), "limit": says("QUERY_LIMIT_EXCEEDED", "Too many requests", 503),
    "limit in lower case": says("query_limit_exceeded", "Too many requests", 503),
    "method limit": says("OPERATION_TIME_LIMIT", "Method is blocked", 429),
    "internal": says("INTERNAL_SERVER_ERROR", "Internal server error", 500), "redirect to nowhere": Raw(302, b""),
}  # fmt: skip


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("times", [1, 3])
def test_a_passing_fault_costs_nothing_but_time(fault: str, times: int, odd: OddPortal, portal: bx.Portal) -> None:
    odd.before.append(always(PASSING[fault], times))
    assert list(bx.read_entity("deal", portal, columns=["id"])["id"]) == sorted(odd.rows)


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("lists", [True, False])
def test_a_lasting_fault_ends_in_one_error(
    fault: str, lists: bool, odd: OddPortal, portal: bx.Portal, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    odd.before.append(always(PASSING[fault], lists=lists))
    kinds = e.LimitError if "limit" in fault else (e.ResponseError, e.TransportError, e.PortalError)
    with pytest.raises(kinds) as caught:
        bx.read_entity("deal", portal)
    assert len(odd.asked) <= 42
    error = caught.value
    assert isinstance(error, e.BX24Error)
    told = str(error) + repr(error) + "".join(traceback.format_exception(error)) + caplog.text
    assert CODE not in told
    assert "<html>" not in str(error)


FINAL: dict[str, tuple[Raw, type[e.BX24Error], tuple[str, ...]]] = {
    "error in 200": (says("", "Access <br>denied.", 200), e.PortalError, ("Access denied.",)),
    "code without text": (says("0", "", 200), e.PortalError, ("no reason given", "code 0")),
    "number": (says(1048582, "Wrong task", 400), e.PortalError, ("Wrong task", "1048582")),
    "page 403": (Raw(403, PAGE), e.ResponseError, ("403", "firewall")),
    "page 404": (Raw(404, PAGE), e.ResponseError, ("404", "address")),
    "scope": (says("insufficient_scope", "higher privileges", 403), e.ScopeError, ("scope",)),
    "scope 401": (says("INSUFFICIENT_SCOPE", "higher privileges", 401), e.ScopeError, ("scope",)),
    "plan": (says("PAYMENT_REQUIRED", "Payment", 401), e.AuthError, ("plan",)),
    "gone": (says("PORTAL_DELETED", "Portal was deleted", 410), e.PortalError, ("no longer exists",)),
    "gone 500": (says("PORTAL_DELETED", "Portal was deleted", 500), e.PortalError, ("no longer exists",)),
    "blocked": (says("OVERLOAD_LIMIT", "blocked due to overload", 503), e.PortalError, ("support",)),
    "webhook expired": (says("expired_token", "has expired.", 401), e.AuthError, ("expired",)),
    "unknown 401": (says("SOMETHING_NEW", "no", 401), e.AuthError, ("webhook",)),
}


@pytest.mark.parametrize("fault", FINAL)
def test_a_refusal_that_is_final_is_not_repeated(fault: str, odd: OddPortal, portal: bx.Portal) -> None:
    raw, kind, words = FINAL[fault]
    odd.before.append(always(raw, lists=False))
    with pytest.raises(kind) as caught:
        bx.read_entity("deal", portal)
    assert len(odd.asked) == 1
    for word in words:
        assert word in str(caught.value)


def test_a_renamed_portal_is_followed_with_its_body(odd: OddPortal, portal: bx.Portal) -> None:
    """Followed as a GET, the redirect would lose the parameters and answer the whole table."""
    moved = OddPortal(rows=60)
    try:
        odd.before.append(lambda asked: Raw(302, b"", {"Location": moved.server.base + asked.path}))
        found = bx.read_entity("deal", portal, columns=["id"], filters={"<=id": 30})
        assert list(found["id"]) == list(range(3, 31, 3))
        old = len(odd.asked)
        bx.count_entity("deal", portal)
        assert len(odd.asked) == old, "the new host is remembered"
    finally:
        moved.close()


def test_no_portal_there(odd: OddPortal) -> None:
    with bx.Portal("http://127.0.0.1:9/rest/1/" + CODE + "/") as portal, pytest.raises(e.TransportError) as caught:
        bx.read_entity("deal", portal)
    assert CODE not in "".join(traceback.format_exception(caught.value))
    assert "network" in str(caught.value)


def test_the_deadline_of_a_verb(odd: OddPortal) -> None:
    odd.before.append(always(says("QUERY_LIMIT_EXCEEDED", "Too many requests", 503)))
    with bx.Portal(odd.url, deadline=0.05) as portal, pytest.raises(e.LimitError):
        bx.read_entity("deal", portal)


@pytest.mark.parametrize("verb", ["read_entity", "check", "list_and_get"])
def test_a_deadline_is_one_for_all_that_a_verb_asks(odd: OddPortal, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fields and rows, profile and scope, ids and objects: none begins its seconds anew."""
    from bx24frames.engine.clock import Clock
    from bx24frames.engine.runner import Runner
    from bx24frames.portal.budgets import Budgets

    now = [100.0]
    ran = Runner.run

    def late(runner: Any, machine: Any) -> Any:
        now[0] += 0.7
        return ran(runner, machine)

    monkeypatch.setattr(Runner, "run", late)
    given = {"read_entity": ("deal",), "list_and_get": ("crm.deal",)}.get(verb, ())
    with bx.Portal(odd.url, deadline=1.0, cache=False) as portal:
        portal.connection.own_budgets = Budgets(Clock(monotonic=lambda: now[0]))
        act = bx.read_entity if verb == "read_entity" else getattr(portal, verb)
        with pytest.raises(e.LimitError, match="deadline of 1 s"):
            act(*given, *([portal] if verb == "read_entity" else []))
    assert len(odd.asked) == 1


def test_what_to_do_about_a_certificate_is_told(odd: OddPortal) -> None:
    """Each failure of the way to the portal has its own advice."""
    address = odd.url.replace("http:", "https:")
    with bx.Portal(address, limits=FAST) as portal, pytest.raises(e.TransportError, match="a server that speaks TLS"):
        portal.call("profile")
    with bx.Portal("http://127.0.0.1:9/rest/1/abc/", limits=FAST) as portal, pytest.raises(e.TransportError) as caught:
        portal.call("profile")
    assert "Compare the host with the one a browser shows" in str(caught.value)


def test_a_read_that_fails_midway_gives_no_chunk_twice(odd: OddPortal, portal: bx.Portal) -> None:
    """iter_entity may have given frames before the fault; they were whole and in order."""
    for number in range(181, 3001):
        odd.seed(number * 3)
    seen: list[int] = []
    with pytest.raises(e.ResponseError):  # noqa: PT012 (the loop is what fails)
        for frame in bx.iter_entity("deal", portal, columns=["id"], chunk_size=100):
            seen += list(frame["id"])
            odd.before[:] = [always(Raw(200, PAGE))]
    assert seen == sorted(odd.rows)[: len(seen)]
    assert len(seen) % 100 == 0


def test_one_method_in_a_batch_over_its_time(odd: OddPortal, portal: bx.Portal) -> None:
    """get_by_id: some commands answer, some are blocked and asked again, each id has its own answer."""
    from odd_wire import Refused

    calls = iter(range(10_000))

    def command(method: str, params: Any) -> None:
        if method == "crm.deal.get" and next(calls) % 3 == 1:
            raise Refused("OPERATION_TIME_LIMIT", "Method is blocked", 429)

    odd.command = command
    found = portal.get_by_id("crm.deal.get", sorted(odd.rows)[:60])
    assert {key: int(row["ID"]) for key, row in found.items()} == {key: key for key in sorted(odd.rows)[:60]}  # type: ignore[call-overload,index]


def test_a_portal_without_a_trusted_certificate_is_told_with_the_way_out() -> None:
    """What is to be done about it is known where it happens, and not lost on the way to the caller."""
    with bx.Sandbox(real_time=False, tls=True, listen=True) as sandbox, pytest.raises(e.TransportError) as caught:
        bx.count_entity("deal", bx.Portal(sandbox.url, deadline=1.0))
    assert "self-signed" in str(caught.value)
    assert "Portal(ssl=" in str(caught.value)
