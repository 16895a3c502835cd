"""`batch`: order, halt, limits and the shapes of its five maps."""

import json
from pathlib import Path

import orjson
import pytest

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"


def test_each_map_is_shaped_on_its_own(bench):
    """Keys 0..n-1 make a list, others an object, nothing makes an empty list."""
    answer = bench.batch(["echo?a=1", "fail", "echo?b=2"])
    assert answer["result"] == {"0": {"a": "1"}, "2": {"b": "2"}}
    assert answer["result_error"] == {"1": {"error": "", "error_description": "Not found", "argument": "id"}}
    assert answer["result_total"] == []
    assert answer["result_next"] == []
    assert list(answer["result_time"]) == ["0", "2"]


def test_numeric_keys_can_make_an_error_list_beside_an_object(bench):
    answer = bench.batch({"0": "fail", "1": "echo?x=1"})
    assert answer["result_error"] == [{"error": "", "error_description": "Not found", "argument": "id"}]
    assert answer["result"] == {"1": {"x": "1"}}


def test_totals_and_nexts_appear_only_where_reported(bench):
    answer = bench.batch({"a": "rows.list?more=1", "b": "echo", "c": "rows.list"})
    assert answer["result_total"] == {"a": 2, "c": 2}
    assert answer["result_next"] == {"a": 50}
    assert answer["result"]["b"] == {}


@pytest.mark.parametrize(("halt", "ran"), [(1, 1), ("false", 1), (True, 1), ("0", 2), (0, 2), (None, 2), ("", 2)])
def test_halt_stops_after_the_first_failure(bench, halt, ran):
    """Any filled value but "0" halts; what follows leaves no trace."""
    answer = bench.batch({"a": "echo", "b": "fail", "c": "echo"}, halt=halt)
    assert bench.ran == ["echo"] * ran
    assert ("c" in answer["result"]) is (ran == 2)
    assert "c" not in answer["result_error"]


def test_fifty_commands_run_and_the_rest_is_refused(bench):
    answer = bench.batch({f"c{n}": f"echo?n={n}" for n in range(52)})
    assert len(bench.seen) == 50
    assert sorted(answer["result_error"]) == ["c50", "c51"]
    assert answer["result_error"]["c50"] == {
        "error": "ERROR_BATCH_LENGTH_EXCEEDED",
        "error_description": "Max batch length exceeded",
    }


def test_an_entry_that_is_no_text_is_skipped_but_takes_a_slot(bench):
    commands = {"a": None, "b": 5, "c": ["echo"], **{f"c{n}": "echo" for n in range(48)}}
    answer = bench.batch(commands)
    assert len(bench.seen) == 47
    assert list(answer["result_error"]) == ["c47"]
    assert "a" not in answer["result"]


def test_no_batch_in_a_batch(bench):
    answer = bench.batch({"a": "batch?cmd[x]=echo", "b": "Batch"})
    assert {error["error"] for error in answer["result_error"].values()} == {"ERROR_BATCH_METHOD_NOT_ALLOWED"}
    assert bench.seen == []


def test_commands_are_cut_at_a_hash_and_control_characters_are_replaced(bench):
    bench.batch({"a": "echo?t=one#two&u=3", "b": "echo?t=one%23two&u=a%0Ab", "c": "echo?t=x\ny"})
    assert [params for _, params, _ in bench.seen] == [{"t": "one"}, {"t": "one#two", "u": "a\nb"}, {"t": "x_y"}]


def test_start_is_taken_out_and_cast(bench):
    bench.batch({"a": "echo?start=-1&x=1", "b": "echo?start=50abc", "c": "echo?x[start]=1"})
    assert bench.seen == [("echo", {"x": "1"}, -1), ("echo", {}, 50), ("echo", {"x": {"start": "1"}}, None)]


def test_references_reach_earlier_answers(bench):
    answer = bench.batch({"p": "rows.list", "q": "echo?filter[%3EID]=$result[p][1][ID]&n=%24total%5Bp%5D"})
    assert answer["result"]["q"] == {"filter": {">ID": "8"}, "n": 2}


def test_a_broken_reference_gives_the_deepest_value(bench):
    answer = bench.batch({"p": "rows.list", "q": "echo?id=$result[p][49][ID]"})
    assert answer["result"]["q"] == {"id": [{"ID": "3"}, {"ID": "8"}]}


def test_a_double_encoded_form_carries_a_batch(bench):
    """In a form body the command's own encoding comes on top."""
    from urllib.parse import urlencode

    from bx24frames.sandbox.wire import Incoming

    command = "echo?" + urlencode({"t": "a&b=c#d", "filter[>ID]": "5"})
    body = urlencode({"cmd[x]": command, "halt": "0"}).encode()
    reply = bench.app.handle(
        Incoming("POST", f"/rest/1/{bench.code}/batch", content_type="application/x-www-form-urlencoded", body=body),
        bench.now,
    )
    assert orjson.loads(reply.body)["result"]["result"]["x"] == {"t": "a&b=c#d", "filter": {">ID": "5"}}


def test_errors_of_one_command_stay_with_it_and_http_says_200(bench):
    reply = bench.call("batch", {"cmd": {"a": "no.such.method", "b": "fail", "c": "echo"}})
    answer = orjson.loads(reply.body)["result"]
    assert reply.status == 200
    assert answer["result_error"]["a"]["error"] == "ERROR_METHOD_NOT_FOUND"
    assert list(answer["result_time"]) == ["c"]


def test_a_batch_without_commands_is_five_empty_lists(bench):
    expected = {name: [] for name in ["result", "result_error", "result_total", "result_next", "result_time"]}
    assert bench.ask("batch", {})["result"] == expected
    assert bench.ask("BATCH", {"CMD": {}})["result"] == expected


def test_the_cut_stops_further_commands_and_answers_html(bench):
    """What began within 60 s was carried out, what came after was not."""
    reply = bench.call("batch", {"cmd": {f"c{n}": "rows.add?rows=1000" for n in range(5)}})
    assert len(bench.seen) == 3  # 25 s each: the third one begins at 50 s
    assert reply.status == 504
    assert reply.content_type.startswith("text/html")
    assert reply.seconds == 60


@pytest.mark.parametrize(
    ("name", "commands"),
    [
        ("batch_list_empty", {"order0000000000": "rows.list"}),
        ("crm_get_batch_of_two_error", {"0": "fail", "1": "fail"}),
        ("crm_dealcategory_stage_list_batch_of_one__response", {"0": "echo?x=1"}),
        ("crm_contact_add_batch", {"order0000000000": "rows.add"}),
        ("call_several_success", {f"order{n}": "echo?x=1" for n in range(3)}),
    ],
)
def test_shapes_equal_recorded_answers(bench, name, commands):
    """The five maps have the recorded kinds and keys, the time blocks the recorded fields."""
    file = RECORDED / f"{name}.json"
    if not file.exists():
        pytest.skip(f"recorded answers are not here: {file}")
    recorded = json.loads(file.read_text("utf-8"))
    ours = bench.ask("batch", {"cmd": commands})
    assert ours.keys() == recorded.keys()
    for key, value in recorded["result"].items():
        assert type(ours["result"][key]) is type(value), key
        if isinstance(value, dict):
            assert ours["result"][key].keys() == value.keys()
    assert recorded["time"].keys() <= ours["time"].keys()
    assert ours["time"].keys() - recorded["time"].keys() <= {"operating", "operating_reset_at"}
