"""Faults on command, and what of a request they let happen."""

import orjson
import pytest

from bx24frames.sandbox.faults import Fault

UNTOUCHED = ["drop_before", "bad_gateway", "server_error", "error_in_200", "query_limit", "operation_limit"]
CARRIED_OUT = ["drop_after", "gateway_timeout", "truncated", "empty", "notice", "bom", "slow"]


@pytest.mark.parametrize("kind", [*UNTOUCHED, "expired_token", "redirect"])
def test_these_leave_the_portal_untouched(bench, kind):
    bench.faults.add(Fault(kind, location="http://other"))
    bench.call("rows.add")
    assert bench.seen == []
    assert bench.ask("rows.add")["result"] == 1


@pytest.mark.parametrize("kind", CARRIED_OUT)
def test_these_come_after_the_deed(bench, kind):
    bench.faults.add(Fault(kind, seconds=3))
    bench.call("rows.add")
    assert bench.ran == ["rows.add"]


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("error_in_200", 200, "ERROR_CORE"),
        ("query_limit", 503, "QUERY_LIMIT_EXCEEDED"),
        ("operation_limit", 429, "OPERATION_TIME_LIMIT"),
        ("expired_token", 401, "expired_token"),
    ],
)
def test_errors_are_printed_as_the_portal_prints_them(bench, kind, status, code):
    bench.faults.add(Fault(kind))
    reply = bench.call("echo")
    assert (reply.status, orjson.loads(reply.body)["error"]) == (status, code)


@pytest.mark.parametrize(("kind", "status"), [("bad_gateway", 502), ("gateway_timeout", 504), ("server_error", 500)])
def test_pages_of_the_web_tier_are_html(bench, kind, status):
    bench.faults.add(Fault(kind))
    reply = bench.call("echo")
    assert reply.status == status
    assert reply.content_type.startswith("text/html")
    assert b"<html>" in reply.body


def test_spoilt_bodies(bench):
    whole = bench.call("echo", {"a": 1}).body
    for kind in ("truncated", "empty", "notice", "bom"):
        bench.faults.add(Fault(kind))
    truncated, empty, notice, bom = (bench.call("echo", {"a": 1}).body for _ in range(4))
    assert truncated == whole[: len(whole) // 2]
    assert empty == b""
    assert notice.startswith(b"<br />")
    assert notice.endswith(whole)
    assert bom == b"\xef\xbb\xbf" + whole


def test_a_redirect_keeps_path_and_query(bench):
    bench.faults.add(Fault("redirect", location="http://new.portal/"))
    reply = bench.call("echo", query="a=1")
    assert (reply.status, reply.headers["Location"]) == (302, f"http://new.portal/rest/1/{bench.code}/echo?a=1")


def test_nth_times_method_and_predicate_choose_the_request(bench):
    fault = bench.faults.add(
        Fault("bad_gateway", method="rows.*", nth=2, times=2, when=lambda _, params: params.get("x") == "1")
    )
    calls = ["echo?x=1", "rows.list?x=2", *["rows.list?x=1"] * 4]
    statuses = [bench.call("batch", {"cmd": [call]}).status for call in calls]
    assert statuses == [200, 200, 200, 502, 502, 200]
    assert (fault.seen, fault.fired) == (4, 2)


def test_times_none_is_for_ever_until_cleared(bench):
    bench.faults.add(Fault("bad_gateway", times=None))
    assert {bench.call("echo").status for _ in range(5)} == {502}
    bench.faults.clear()
    assert bench.call("echo").status == 200


def test_executed_can_be_turned_round(bench):
    bench.faults.add(Fault("bad_gateway", executed=True))
    bench.call("rows.add")
    assert bench.ran == ["rows.add"]


def test_one_command_of_a_batch_fails(bench):
    bench.faults.add(Fault("command_error", method="rows.add", nth=2, code="OPERATION_TIME_LIMIT", status=429))
    answer = bench.batch({"a": "rows.add", "b": "rows.add", "c": "rows.add"})
    assert list(answer["result"]) == ["a", "c"]
    assert answer["result_error"]["b"]["error"] == "OPERATION_TIME_LIMIT"
    assert len(bench.seen) == 2


def test_a_single_call_fails_with_its_status_and_may_have_saved(bench):
    bench.faults.add(Fault("command_error", method="rows.add", code="", text="Oops", executed=True))
    reply = bench.call("rows.add")
    assert (reply.status, orjson.loads(reply.body)) == (400, {"error": "", "error_description": "Oops"})
    assert bench.ran == ["rows.add"]


def test_an_unknown_kind_is_an_error():
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("explode")
