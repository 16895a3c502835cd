"""What answers look like: `time`, JSON, errors, limits seen from outside."""

import json
from datetime import datetime

import orjson
import pytest

from bx24frames.sandbox.envelope import portal_json
from bx24frames.sandbox.limits import PLANS, Plan

FLOAT_TIME = {"start", "finish", "duration", "processing", "date_start", "date_finish"}


def test_the_time_block(bench):
    """Seconds as floats, dates in the server's zone, the load limiter's two fields."""
    time = bench.ask("rows.list")["time"]
    assert time.keys() == FLOAT_TIME | {"operating", "operating_reset_at"}
    assert time["start"] == bench.now
    assert time["duration"] == pytest.approx(0.020 + 0.04)
    assert time["processing"] == pytest.approx(0.04)
    assert time["date_start"].endswith("+03:00")
    assert datetime.fromisoformat(time["date_start"]).timestamp() == int(bench.now)
    assert time["operating"] == 0
    assert time["operating_reset_at"] == int(bench.now + 600)


def test_new_builds_print_whole_seconds_and_overstate_the_duration(bench):
    bench.app.scene.time_style = "integer"
    time = bench.ask("rows.list")["time"]
    assert (time["start"], time["processing"]) == (int(bench.now), 0)
    assert isinstance(time["start"], int)
    assert time["duration"] == pytest.approx(0.25 + 0.06)


def test_without_a_load_limiter_there_is_no_operating(bench):
    bench.app.apply(PLANS["self_hosted"])
    assert bench.ask("echo")["time"].keys() == FLOAT_TIME
    assert bench.batch({"a": "echo"})["result_time"]["a"].keys() == FLOAT_TIME


def test_total_and_next_stand_beside_the_result(bench):
    assert list(bench.ask("rows.list", {"more": 1})) == ["result", "next", "total", "time"]
    assert list(bench.ask("echo")) == ["result", "time"]


def test_errors_carry_status_and_no_time(bench):
    reply = bench.call("fail")
    assert reply.status == 400
    assert orjson.loads(reply.body) == {"error": "", "error_description": "Not found", "argument": "id"}


def test_a_result_that_looks_like_an_error_is_printed_as_it_is_with_200(bench):
    reply = bench.call("echo", {"error": "E", "error_description": "text"})
    assert (reply.status, orjson.loads(reply.body)) == (200, {"error": "E", "error_description": "text"})


def test_a_handler_that_breaks_is_recorded(bench, caplog):
    reply = bench.call("breaks")
    assert (reply.status, orjson.loads(reply.body)["error"]) == (500, "INTERNAL_SERVER_ERROR")
    assert bench.stats.broken == ["breaks: ZeroDivisionError: division by zero"]
    assert "breaks broke" in caplog.text


@pytest.mark.parametrize(
    "text", ["a/b", "<b>&'\"</b>", 'back\\slash \\" \\\\" end\\', "Привет 🙂", "\\u005c", "tab\tnew\nline\x00"]
)
def test_encoding_changes_no_text(text):
    """Whatever the escapes, a JSON reader sees the same text."""
    body = portal_json({text: [text]})
    assert json.loads(body) == {text: [text]}
    assert not any(char in body for char in (b"<", b">", b"&", b"'"))
    assert b"/" not in body.replace(b"\\/", b"")


def test_quotes_are_escaped_as_the_portal_does():
    assert portal_json('a"b') == b'"a\\u0022b"'


def test_the_bucket_refuses_in_front_of_everything(bench):
    """A full bucket costs nothing and is not even looked at for the method."""
    bench.app.apply(Plan(burst=2, per_second=2.0))
    assert [bench.call("echo").status for _ in range(3)] == [200, 200, 503]
    reply = bench.call("no.such")
    assert (reply.status, orjson.loads(reply.body)["error"]) == (503, "QUERY_LIMIT_EXCEEDED")
    bench.now += 0.5
    assert bench.call("echo").status == 200
    assert bench.stats.refused == 2


def test_buckets_are_kept_per_caller_and_a_batch_is_one_request(bench):
    bench.app.apply(Plan(burst=1))
    assert bench.call("batch", {"cmd": ["echo"] * 50}).status == 200
    assert bench.call("echo").status == 503
    assert bench.call("echo", source="10.0.0.2").status == 200


def test_operating_time_blocks_one_method_alone_and_inside_a_batch(bench):
    bench.app.apply(Plan(operating=30, cut=None))
    first = bench.ask("rows.add", {"rows": 1600})
    assert first["time"]["operating"] == 40
    bench.now += 41
    reply = bench.call("rows.add")
    assert (reply.status, orjson.loads(reply.body)["error"]) == (429, "OPERATION_TIME_LIMIT")
    answer = bench.batch({"a": "rows.add", "b": "rows.list"})
    assert answer["result_error"]["a"]["error"] == "OPERATION_TIME_LIMIT"
    assert answer["result"]["b"]
    bench.now = first["time"]["operating_reset_at"] + 0.0
    assert bench.ask("rows.add")["time"]["operating"] == 0


def test_a_batch_stops_being_served_when_its_own_commands_pass_the_limit(bench):
    bench.app.apply(Plan(operating=30, cut=None))
    answer = bench.batch({f"c{n}": "rows.add?rows=500" for n in range(5)})
    assert list(answer["result"]) == ["c0", "c1", "c2"]
    assert answer["result_time"]["c2"]["operating"] == 37.5
    assert {error["error"] for error in answer["result_error"].values()} == {"OPERATION_TIME_LIMIT"}


def test_newer_builds_refuse_whole_batches_and_let_single_calls_go_on(bench):
    """The envelope of a batch has the figure that counts; a ban is a 429 of the whole request (b24jssdk #459)."""
    bench.app.scene.quirks = frozenset({"batch_charged"})
    bench.app.apply(Plan(operating=10, cut=None))
    answer = bench.ask("batch", {"cmd": {"a": "rows.add?rows=500", "b": "rows.add?rows=500"}})
    assert answer["time"]["operating"] == 12.5
    assert [answer["result"]["result_time"][key]["operating"] for key in "ab"] == [12.5, 12.5]
    bench.now += 26
    refused = bench.call("batch", {"cmd": {"a": "echo"}})
    assert (refused.status, orjson.loads(refused.body)["error"]) == (429, "OPERATION_TIME_LIMIT")
    assert bench.ask("rows.add")["time"]["operating"] == 0
    bench.now += 300
    assert "result_error" in bench.batch({"a": "echo"})


def test_a_long_single_call_is_cut_but_carried_out(bench):
    reply = bench.call("rows.add", {"rows": 3000})
    assert (reply.status, reply.seconds) == (504, 60)
    assert bench.ran == ["rows.add"]


def test_reply_seconds_are_the_server_time(bench):
    assert bench.call("batch", {"cmd": ["rows.list"] * 50}).seconds == pytest.approx(0.020 + 50 * 0.04)


def test_stats_and_log(bench):
    bench.call("batch", {"cmd": ["echo?x=1", "rows.list", "fail"]})
    bench.call("fail")
    stats = bench.stats
    assert (stats.requests, stats.refused) == (2, 1)
    assert stats.calls == {"echo": 1, "rows.list": 1}
    assert stats.seconds["rows.list"] == pytest.approx(0.04)
    assert (stats.log[0].method, stats.log[0].commands) == ("batch", ("echo", "rows.list", "fail"))
    assert "x=1" in stats.log[0].excerpt
    assert stats.log[1].status == 400
    stats.reset()
    assert (stats.requests, len(stats.log), stats.calls) == (0, 0, {})
