"""One request body out, one answer a command back, whatever the portal printed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bx24frames.engine import batch
from bx24frames.engine.messages import Answer, Call, Command, Lost, Parcel, Refusal, Success


def parcel(*labels: str, halt: bool = False) -> Parcel:
    return Parcel(tuple(Command(label, Call("crm.deal.get", {"ID": 1})) for label in labels), halt)


def reply(result: object, errors: object = (), **more: object) -> bytes:
    maps = {"result": result, "result_error": errors, "result_total": [], "result_next": [], "result_time": []}
    return orjson.dumps({"result": {**maps, **more}, "time": {"finish": 100.0}})


def test_one_command_travels_as_a_call_of_its_own() -> None:
    assert batch.encode(parcel("a")) == ("crm.deal.get", b'{"ID":1}')
    method, body = batch.encode(parcel("a", "b", halt=True))
    assert method == "batch"
    assert orjson.loads(body) == {"halt": 1, "cmd": {"a": "crm.deal.get?ID=1", "b": "crm.deal.get?ID=1"}}


def test_a_written_query_stays_as_it_is() -> None:
    single = Parcel((Command("a", Call("crm.deal.get", {}, query="ID=$result[x]&y=%26")),))
    assert orjson.loads(batch.encode(single)[1])["cmd"] == {"a": "crm.deal.get?ID=$result[x]&y=%26"}


@pytest.mark.parametrize(
    "before", [b"", b"\xef\xbb\xbf", b"<br />\n<b>Warning</b>: {} in x.php\n", b'notice {"a":1}\n']
)
def test_what_is_printed_before_the_json(before: bytes) -> None:
    answer = batch.decode(parcel("a"), 200, before + b'{"result":{"ID":"1"},"time":{"operating":0}}')["a"]
    assert isinstance(answer, Success)
    assert answer.value == {"ID": "1"}


@pytest.mark.parametrize("behind", [b"\n<br />\n<b>Warning</b>:  {} in <b>x.php</b><br />\n", b"<!-- 0.21 s -->"])
def test_what_is_printed_behind_the_json(behind: bytes) -> None:
    answer = batch.decode(parcel("a"), 200, b'\xef\xbb\xbf{"result":{"ID":"1"},"time":{"operating":0}}' + behind)["a"]
    assert isinstance(answer, Success)
    assert answer.value == {"ID": "1"}


@pytest.mark.parametrize(
    "body", [b'{"result":[1],"next":50<html>', b'{"result":[1]}{"result":[2]}', b'{"result":{"a":1}<b>']
)
def test_half_an_answer_in_front_of_a_page_is_no_answer(body: bytes) -> None:
    assert isinstance(batch.decode(parcel("a"), 200, body)["a"], Lost)


def test_counts_printed_as_digits_in_text() -> None:
    answer = batch.decode(parcel("a"), 200, b'{"result":[],"total":"137","next":"50"}')["a"]
    assert isinstance(answer, Success)
    assert (answer.total, answer.next) == (137, 50)
    odd = batch.decode(parcel("a"), 200, b'{"result":[],"total":"many","next":false}')["a"]
    assert isinstance(odd, Success)
    assert (odd.total, odd.next) == (None, None)


@pytest.mark.parametrize(("status", "sent"), [(413, False), (414, False), (431, False), (403, True), (502, True)])
def test_a_request_refused_for_its_size_was_not_carried_out(status: int, sent: bool) -> None:
    answer = batch.decode(parcel("a", "b"), status, b"<html><h1>nginx</h1></html>")["b"]
    assert isinstance(answer, Lost)
    assert answer.sent is sent


@pytest.mark.parametrize("empty", [[], {}])
def test_every_map_may_be_a_list(empty: object) -> None:
    """PHP prints an empty map as [] and one with the keys 0..n-1 as a list, each map for itself."""
    answers = batch.decode(parcel("a"), 200, b'{"result":null}')
    assert answers == {"a": Success(None)}
    both = batch.decode(parcel("0", "1"), 200, reply([1, 2], empty))
    assert [_value(both[label]) for label in ("0", "1")] == [1, 2]
    mixed = batch.decode(parcel("0", "1"), 200, reply({"1": False}, [{"error": "", "error_description": "no"}]))
    assert mixed["0"] == Refusal("", "no", 200)
    assert _value(mixed["1"]) is False


def _value(answer: Answer) -> Any:
    assert isinstance(answer, Success)
    return answer.value


def test_commands_that_are_spoken_of_nowhere() -> None:
    """Halted ones were not carried out; without halt nobody knows."""
    body = reply({"a": 1}, {"b": {"error": "X", "error_description": ""}})
    halted = batch.decode(parcel("a", "b", "c", halt=True), 200, body)["c"]
    plain = batch.decode(parcel("a", "b", "c"), 200, body)["c"]
    assert isinstance(halted, Lost)
    assert isinstance(plain, Lost)
    assert (halted.sent, plain.sent) == (False, True)


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b'{"error":"","error_description":"Not <br>found<br>"}', "", "Not found"),
        (b'{"error":0,"error_description":""}', "0", ""),
        (b'{"error":200040300010,"error_description":null}', "200040300010", ""),
        (b'{"error":"ERROR_ARGUMENT","error_description":"bad","argument":"ID"}', "ERROR_ARGUMENT", "bad"),
        (b'{"error":{"code":"BITRIX_REST_V3_EXCEPTION_X","message":"m"}}', "BITRIX_REST_V3_EXCEPTION_X", "m"),
        (b'{"error":{"error":"ACCESS_DENIED","error_description":"No"}}', "ACCESS_DENIED", "No"),
        (
            b'{"error":"X","error_description":"in https:\\/\\/a.b\\/rest\\/1\\/s3cr3t\\/x"}',
            "X",
            "in https://a.b/rest/1/***/x",
        ),
        (b'{"error":{"code":"X","message":"no /rest/api/1/s3cr3t/x"}}', "X", "no /rest/api/1/***/x"),
    ],
)
@pytest.mark.parametrize("status", [200, 400])
def test_refusals_of_every_shape(body: bytes, code: str, text: str, status: int) -> None:
    answers = batch.decode(parcel("a", "b"), status, body)
    assert answers["a"] == answers["b"]
    refusal = answers["a"]
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.text, refusal.status, refusal.whole) == (code, text, status, True)


@pytest.mark.parametrize("body", [b"", b" \n", b"null", b"[]", b"12", b'"x"', b'{"result":', b"<html>x</html>", b"{}"])
def test_what_is_no_answer_is_lost_with_a_short_excerpt(body: bytes) -> None:
    answer = batch.decode(parcel("a"), 502, body)["a"]
    assert isinstance(answer, Lost)
    assert answer.sent
    assert answer.status == 502
    assert "502" in answer.reason
    assert "<" not in answer.reason


def test_an_excerpt_shows_no_secret_and_no_markup() -> None:
    page = b"<html><style>x{}</style><!-- c --><body>see https://a.b/rest/1/s3cr3tc0de123456/x <b>now</b></body></html>"
    answer = batch.decode(parcel("a"), 502, page)["a"]
    assert isinstance(answer, Lost)
    assert answer.reason == "HTTP 502: a page, 'see https://a.b/rest/1/***/x now'"


@given(st.binary(max_size=300), st.sampled_from([200, 302, 400, 500]))
def test_no_bytes_are_too_odd(body: bytes, status: int) -> None:
    """Every command gets an answer, and the decoder never fails."""
    answers = batch.decode(parcel("a", "b"), status, body)
    assert set(answers) == {"a", "b"}


NAMES = ["result", "error", "time", "0", "a", "b", "result_error", "result_total", "result_time", "operating", "finish"]
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)


@given(JSON_VALUES, st.booleans())
def test_no_json_is_too_odd(value: object, halt: bool) -> None:
    for labels in (("a",), ("0", "1"), ("a", "b", "c")):
        answers = batch.decode(parcel(*labels, halt=halt), 200, orjson.dumps({"result": value, "time": value}))
        assert set(answers) == set(labels)


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("plain & + % # [x]", True), ("$result", True), ("$5 [net]", True), ("$result[a]", False),
        ("x$NEXT[1]y", False),
        ("$resultant[1]", False), (None, False), ([], False), (float("nan"), False), ("a\0b", True), ("\ud800", False),
        (["$total[a]"], False), ({"deep": {"er": "$error[x][y]"}}, False),
    ],
)  # fmt: skip
def test_what_a_batch_can_carry(value: Any, fits: bool) -> None:
    assert batch.batchable("crm.deal.add", {"fields": {"TITLE": value}}) is fits


def test_a_command_of_too_many_names_travels_alone() -> None:
    """PHP drops names beyond max_input_vars without a word."""
    assert batch.batchable("crm.item.batchImport", {"data": {f"r{at}": {"a": 1} for at in range(899)}})
    assert not batch.batchable("crm.item.batchImport", {"data": {f"r{at}": {"a": 1} for at in range(901)}})


def test_operating_time_by_the_portals_own_clock() -> None:
    body = orjson.dumps(
        {"result": 1, "time": {"finish": 1000.5, "duration": 0.5, "operating": 3, "operating_reset_at": 1060}}
    )
    answer = batch.decode(parcel("a"), 200, body)["a"]
    assert answer == Success(1, seconds=0.5, operating=3.0, resets_in=59.5, finished=1000.5, printed=1000.5)
    inside = reply({"a": 1, "b": 2}, result_time={"a": {"operating": 1, "operating_reset_at": 130}, "b": []})
    found = batch.decode(parcel("a", "b"), 200, inside)
    assert found["a"] == Success(1, operating=1.0, resets_in=30.0, finished=100.0)
    assert found["b"] == Success(2, finished=100.0)
