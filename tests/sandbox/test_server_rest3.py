"""REST 3.0 of the portal in a box over HTTP: what it takes, its batch, its refusals."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox import Fault, Sandbox

PREFIX = "BITRIX_REST_V3_EXCEPTION_"
SIZES = {"lead": 1, "deal": 1, "contact": 1, "company": 1}


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(sizes=SIZES, plan="unlimited", real_time=False, listen=True) as opened:
        yield opened


def ask(box: Sandbox, method: str, body: Any = None, *, verb: str = "POST") -> tuple[int, dict[str, Any]]:
    connection = http.client.HTTPConnection(box.host)
    path = box.url.partition(box.host)[2].replace("/rest/", "/rest/api/") + method
    text = body if isinstance(body, str) else json.dumps(body)
    connection.request(verb, path, text, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    connection.close()
    return response.status, answer


def refused(box: Sandbox, method: str, body: Any, *, verb: str = "POST") -> tuple[int, str]:
    status, answer = ask(box, method, body, verb=verb)
    return status, answer["error"]["code"].removeprefix(PREFIX).removesuffix("EXCEPTION")


def test_it_takes_json_by_post_alone(box: Sandbox) -> None:
    """Neither a query string, nor a form, nor half a JSON."""
    assert refused(box, "tasks.task.list?pagination[limit]=1", "", verb="GET") == (400, "INVALIDJSON")
    assert refused(box, "tasks.task.list", "select[]=id") == (400, "INVALIDJSON")
    assert refused(box, "tasks.task.list", '{"select":') == (400, "INVALIDJSON")


def test_a_batch_answers_results_in_order(box: Sandbox) -> None:
    """A list of calls at the root; a query may point into what an earlier answer is about, by name or by place."""
    calls = [
        {"method": "tasks.task.list", "as": "some", "query": {"pagination": {"limit": 2}, "order": {"id": "DESC"}}},
        {"method": "tasks.task.get", "query": {"id": {"$ref": "some.1.id"}, "select": ["id"]}},
        {"method": "tasks.task.get", "query": {"id": {"$ref": "1.id"}, "select": ["id"]}},
        {"method": "tasks.task.list", "query": {"filter": [["id", "in", {"$refArray": "some.id"}]]}},
        {"method": "tasks.task.list", "query": {"filter": [["id", "in", [{"$ref": "some.0.id"}, {"$ref": "1.id"}]]]}},
    ]
    status, answer = ask(box, "batch", calls)
    assert status == 200
    first, second, third, *lists = answer["result"]
    assert second == third == {"item": first["items"][1]}
    assert [sorted(row["id"] for row in one["items"]) for one in lists] == [sorted(r["id"] for r in first["items"])] * 2


@pytest.mark.parametrize("path", ["nobody.id", "some.nothing", "some", "some.item.id", "new.id"])
def test_a_reference_that_leads_nowhere_is_a_bad_select(box: Sandbox, path: str) -> None:
    """Neither the envelope's keys nor the id of a new row can be referred to."""
    calls = [
        {"method": "tasks.task.get", "as": "some", "query": {"id": 1}},
        {"method": "tasks.task.get", "query": {"id": {"$ref": path}}},
    ]
    if path != "some":
        assert refused(box, "batch", calls) == (400, "INVALIDSELECT")
    calls[1]["query"] = {"id": {"$refArray": path}}
    assert refused(box, "batch", calls) == (400, "INVALIDSELECT")


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        ({"method": "nope.list"}, (404, "METHODNOTFOUND")),
        ({"method": "tasks.task.get", "query": {"id": 10**9}}, (400, "ENTITYNOTFOUND")),
        ({"method": "tasks.task.get", "query": {"id": {"$ref": "nobody.id"}}}, (400, "INVALIDSELECT")),
        ({"query": {}}, (400, "VALIDATION_REQUESTVALIDATION")),
        ({"method": "batch", "query": {}}, (404, "METHODNOTFOUND")),
    ],
)
def test_one_error_fails_the_whole_batch(box: Sandbox, call: dict[str, Any], refusal: tuple[int, str]) -> None:
    """No map of errors: the first one is the answer."""
    assert refused(box, "batch", [{"method": "tasks.task.list"}, call]) == refusal


def test_a_fault_finds_the_calls_of_a_batch(box: Sandbox) -> None:
    """By the name a method has in the registry, as when it is called alone."""
    fault = box.faults.add(Fault("bad_gateway", method="api/tasks.task.get"))
    connection = http.client.HTTPConnection(box.host)
    path = box.url.partition(box.host)[2].replace("/rest/", "/rest/api/") + "batch"
    connection.request("POST", path, json.dumps([{"method": "tasks.task.get", "query": {"id": 1}}]))
    assert connection.getresponse().status == 502
    connection.close()
    assert fault.fired == 1
    assert box.log[-1].commands == ("api/tasks.task.get",)


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"filter": "x"}, "INVALIDFILTER"),
        ({"filter": {"id": 5}}, "INVALIDFILTER"),
        ({"filter": [5]}, "INVALIDFILTER"),
        ({"filter": [[]]}, "INVALIDFILTER"),
        ({"filter": [["id"]]}, "INVALIDFILTER"),
        ({"filter": [["id", "between", [1]]]}, "INVALIDFILTER"),
        ({"filter": [["id", "in", 5]]}, "INVALIDFILTER"),
        ({"filter": [["id", "~", 5]]}, "UNKNOWNFILTEROPERATOR"),
        ({"order": "id"}, "INVALIDORDER"),
        ({"select": "id"}, "INVALIDSELECT"),
    ],
)
def test_a_malformed_parameter_is_refused_by_its_kind(box: Sandbox, params: dict[str, Any], code: str) -> None:
    """Each has a separate code, and none breaks the server."""
    assert refused(box, "tasks.task.list", params) == (400, code)
    assert box.stats.broken == []


def test_an_id_may_be_written_as_text(box: Sandbox) -> None:
    """Numbers are compared as numbers however they are written."""
    assert ask(box, "tasks.task.list", {"filter": [["id", "=", "5"]]})[1]["result"]["items"] == [{"id": 5}]


def keyed(box: Sandbox, method: str, body: Any, key: str) -> tuple[int, dict[str, Any], str | None]:
    connection = http.client.HTTPConnection(box.host)
    path = box.url.partition(box.host)[2].replace("/rest/", "/rest/api/") + method
    connection.request("POST", path, json.dumps(body), {"Idempotency-Key": key})
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    connection.close()
    return response.status, answer, response.headers.get("Idempotent-Replayed")


def test_tasks_are_written(box: Sandbox) -> None:
    """An add prints the task, a change and a deletion say true; a word is refused by its field."""
    status, answer = ask(box, "tasks.task.add", {"fields": {"title": "T", "responsibleId": 1, "status": "completed"}})
    task = answer["result"]["item"]
    assert (status, task["title"], task["status"], task["creatorId"]) == (200, "T", "completed", 1)
    changed = ask(box, "tasks.task.update", {"id": task["id"], "fields": {"title": "U"}})
    assert changed[1]["result"] == {"result": True}
    assert ask(box, "tasks.task.get", {"id": task["id"], "select": ["title"]})[1]["result"] == {"item": {"title": "U"}}
    assert ask(box, "tasks.task.delete", {"id": task["id"]})[1]["result"] == {"result": True}
    assert refused(box, "tasks.task.delete", {"id": task["id"]}) == (400, "ENTITYNOTFOUND")
    status, answer = ask(box, "tasks.task.add", {"fields": {"title": "T"}})
    assert answer["error"]["validation"][0]["field"] == "fields.responsibleId"


def test_a_key_makes_a_write_happen_once(box: Sandbox) -> None:
    """The same request is answered again and marked so; another one under the key is refused, a failure forgotten."""
    body = {"fields": {"title": "once", "responsibleId": 1}}
    first = keyed(box, "tasks.task.add", body, "k")
    again = keyed(box, "tasks.task.add", body, "k")
    assert (first[2], again[2]) == (None, "true")
    assert again[1] == first[1]
    assert keyed(box, "tasks.task.delete", {"id": 1}, "k")[0] == 422
    assert keyed(box, "tasks.task.add", {"fields": {}}, "f")[0] == 400
    assert keyed(box, "tasks.task.add", body, "f")[2] is None
    assert keyed(box, "tasks.task.add", body, "f")[2] == "true"


def test_operating_time_has_a_code_of_its_own(box: Sandbox) -> None:
    """429 RATELIMIT."""
    box.set(operating=-1.0)
    assert refused(box, "tasks.task.list", {}) == (429, "RATELIMIT")
    box.set(plan="unlimited")
