"""Entities of REST 3.0: separate addresses, pages without totals, conditions as triples, errors as objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pyarrow as pa
import pytest
from unlimited import FAST

import bx24frames as bx
from bx24frames.engine.batch import decode
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Call, Command, Parcel, Refusal
from bx24frames.errors import BX24Error, ConfigError, FilterError, LimitError, PortalError, ResponseError, ScopeError
from bx24frames.options import Backend

PREFIX = "BITRIX_REST_V3_EXCEPTION_"
ROWS = {
    "task.v3": 150,
    "task_result:7": 120,
    "event_log": 130,
    "time_record:1": 60,
    "department.v3": 110,
    "mailbox": 2,
    "mail_message": 130,
    "knowledge_base": 430,
    "note:1": 70,
    "call_followup": 90,
}
NOTHING = {"time_record:1": {">=startTime": "2100-01-01T00:00:00Z"}}
ID = {"call_followup": "callId"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[bx.Sandbox]:
    with bx.Sandbox(plan="unlimited", real_time=False) as opened:
        yield opened


@pytest.fixture
def portal(sandbox: bx.Sandbox) -> Iterator[bx.Portal]:
    sandbox.stats.reset()
    with bx.Portal(sandbox.url, limits=FAST) as opened:
        yield opened


def table(portal: bx.Portal, name: str, **more: Any) -> pa.Table:
    return bx.read_entity(name, portal, backend="pyarrow", progress=False, **more)


@pytest.mark.parametrize("name", ROWS)
def test_read_on_every_backend(portal: bx.Portal, name: str, backend: Backend) -> None:
    frame: Any = bx.read_entity(name, portal, backend=backend, progress=False)
    rows = frame.num_rows if backend == "pyarrow" else len(frame)
    assert rows == bx.count_entity(name, portal) == ROWS[name]


@pytest.mark.parametrize("name", ROWS)
def test_an_empty_table_has_the_types_of_a_full_one(portal: bx.Portal, name: str) -> None:
    full = table(portal, name)
    key = ID.get(name, "id")
    nothing = NOTHING.get(name, {key: 10**9})
    assert table(portal, name, filters=nothing).schema == full.schema == table(portal, name, limit=0).schema
    assert full.column(key).to_pylist() == sorted(set(full.column(key).to_pylist()))


def test_tasks_are_those_of_the_older_method(portal: bx.Portal) -> None:
    new, old = table(portal, "task.v3"), table(portal, "task")
    for column, former in (("id", "id"), ("title", "title"), ("created", "createdDate"), ("responsibleId",) * 2):
        assert new.column(column).to_pylist() == old.column(former).to_pylist()
    assert set(new.column("status").to_pylist()) == {"pending", "in_progress", "supposedly_completed", "completed"}
    assert new.column("guid").null_count == len(new)  # a field that a portal does not know is left out of its rows


def test_pages_go_by_id_at_the_address_of_rest_3(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    table(portal, "task.v3", columns=["id"])
    sent = [line for line in sandbox.log if line.method == "api/tasks.task.list"]
    assert len(sent) == 5  # three full pages, the empty one that ends them, and the far end that says so too
    bodies = [orjson.loads(line.excerpt) for line in sent[:4]]
    assert [body["filter"] for body in bodies] == [[["id", ">", last]] for last in (0, 50, 100, 150)]
    assert bodies[0] | {"filter": []} == {
        "pagination": {"limit": 50}, "select": ["id"], "order": {"id": "ASC"}, "filter": []
    }  # fmt: skip


def test_ids_bounds_order_and_limit(portal: bx.Portal) -> None:
    def ids(**more: Any) -> list[int]:
        found: list[int] = table(portal, "task.v3", columns=["id"], **more).column("id").to_pylist()
        return found

    assert ids(filters={"id": [*range(60, 140), 10**6]}) == list(range(60, 140))
    assert ids(filters=[("id", ">", 20), ("id", "<=", 90)]) == list(range(21, 91))
    assert ids(order_by=("id", "desc"), limit=70) == list(range(150, 80, -1))
    assert ids(limit=3) == [1, 2, 3]
    with pytest.raises(FilterError, match="only conditions on the id"):
        ids(filters={"status": "pending"})
    with pytest.raises(FilterError, match="only conditions on the id"):
        ids(filters={"!id": 5})
    titles = table(portal, "task.v3", columns=["title"], order_by="title").column("title").to_pylist()
    assert titles == sorted(titles, key=lambda text: (text.lower(), text))


def test_conditions_on_any_field_of_the_event_log(portal: bx.Portal) -> None:
    every = table(portal, "event_log").to_pylist()
    some = table(portal, "event_log", filters={"severity": "INFO", "userId": [2, 3], ">=id": 30}).to_pylist()
    wanted = [row for row in every if row["severity"] == "INFO" and row["userId"] in (2, 3) and row["id"] >= 30]
    assert some == wanted != []
    middle = every[60]["timestampX"]
    assert table(portal, "event_log", changed_since=middle).to_pylist() == every[60:]


def test_conditions_by_or_in_the_event_log(portal: bx.Portal) -> None:
    every = table(portal, "event_log").to_pylist()
    middle = every[60]["timestampX"]
    wish = [[("severity", "=", "INFO"), ("userId", "in", [2, 3])], [("timestampX", "<", middle), ("id", ">", 150)]]
    wanted = [
        row
        for row in every
        if (row["severity"] == "INFO" and row["userId"] in (2, 3)) or (row["timestampX"] < middle and row["id"] > 150)
    ]
    assert table(portal, "event_log", filters=wish).to_pylist() == wanted != []
    assert table(portal, "task.v3", filters=[[("id", "=", 1)], [("id", "=", 3)]]).column("id").to_pylist() == [1, 3]


def test_results_of_many_tasks(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    rows = table(portal, "task_result", filters={"taskId": [14, 3, 4, 5]}).to_pylist()
    assert [row["taskId"] for row in rows] == [14] * 120 + [3] * 3 + [5]
    assert (rows[3]["fileIds"], rows[3]["messageId"], rows[2]["fileIds"]) == ([40, 41], None, [])
    some = table(portal, "task_result:14", filters={"status": "open", ">=id": 14_050, "authorId": [1, 2]}).to_pylist()
    assert {(row["status"], row["authorId"] in (1, 2), row["id"] >= 14_050) for row in some} == {("open", True, True)}
    with pytest.raises(FilterError, match="a value for taskId"):
        table(portal, "task_result")
    with pytest.raises(PortalError, match="createdAt"):  # the portal takes no condition on it, and says so
        table(portal, "task_result:14", filters={">=createdAt": "2026-05-01T00:00:00Z"})


def test_knowledge_bases_by_their_cursor(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    rows = table(portal, "knowledge_base", columns=["id", "position"])
    sent = [
        orjson.loads(line.excerpt)["pagination"] for line in sandbox.log if line.method == "api/note.collection.list"
    ]
    assert [page.get("limit") for page in sent] == [200, 200, 200]
    assert [sorted(page["afterCursor"]) for page in sent[1:]] == [["id", "position"]] * 2
    assert rows.column("id").to_pylist() == list(range(1, 431))
    assert table(portal, "knowledge_base", filters={"id": [9, 7]}).column("id").to_pylist() == [7, 9]
    with pytest.raises(FilterError, match="does not support this condition"):
        table(portal, "knowledge_base", filters={"name": "x"})
    names = table(portal, "knowledge_base", columns=["name"], order_by=("name", "desc"), limit=5).column("name")
    assert names.to_pylist() == sorted(table(portal, "knowledge_base").column("name").to_pylist(), reverse=True)[:5]


def test_documents_of_a_tree(portal: bx.Portal) -> None:
    rows = table(portal, "note", filters={"collectionId": [1, 2, 4]}).to_pylist()
    assert [row["collectionId"] for row in rows] == [1] * 70 + [4] * 4
    ids = {row["id"] for row in rows}
    assert {row["parentId"] for row in rows if row["parentId"] is not None} <= ids
    with pytest.raises(ResponseError, match="cut the tree short"):
        table(portal, "note:3")
    with pytest.raises(PortalError, match="not found"):
        table(portal, "note:999")


def test_followups_of_a_period(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    every = table(portal, "call_followup").to_pylist()
    sent = [line for line in sandbox.log if line.method == "api/call.followup.list"]
    assert len(sent) == 5  # 20 rows a page, because of the long texts
    assert orjson.loads(every[0]["overview"])["topic"] == "Встреча 1"
    assert [orjson.loads(one)["name"] for one in every[0]["participants"]] == ["Анна", "Пётр"]
    assert (every[0]["outcomes"], every[5]["outcomes"]) == (["transcription", "overview"], [])
    begin, end = every[20]["startDate"], every[40]["startDate"]
    wish = {"filters": {">=startDate": begin, "<=startDate": end}, "columns": ["callId", "startDate"]}
    some = table(portal, "call_followup", **wish).to_pylist()
    assert [row["callId"] for row in some] == [row["callId"] for row in every if begin <= row["startDate"] <= end]
    body = orjson.loads(sandbox.log[-1].excerpt)
    assert body["filter"] == {"startDate": {"from": begin.isoformat(), "to": end.isoformat()}}
    ranged = table(portal, "call_followup", filters={"><startDate": [begin, end]}, columns=["callId", "startDate"])
    assert ranged.to_pylist() == some
    for conditions in ({"initiatorId": 3}, {">=endDate": begin}, {">startDate": begin}):
        with pytest.raises(FilterError):
            table(portal, "call_followup", filters=conditions)
    assert table(portal, "call_followup", filters={"callId": [12_003, 1]}).column("callId").to_pylist() == [12_003]


def test_lists_without_conditions_on_the_id_are_read_to_their_empty_page(
    sandbox: bx.Sandbox, portal: bx.Portal
) -> None:
    table(portal, "mail_message")
    sent = [line for line in sandbox.log if line.method == "api/mail.message.list"]
    pages = [orjson.loads(line.excerpt)["pagination"] for line in sent]
    assert pages == [{"limit": 50}, *({"limit": 50, "offset": start} for start in (50, 100, 130))]
    assert table(portal, "mail_message", limit=3).column("id").to_pylist() == [1, 2, 3]
    assert table(portal, "mail_message", filters={"id": [7, 5]}).column("id").to_pylist() == [5, 7]
    with pytest.raises(FilterError, match="does not support this condition"):
        table(portal, "mail_message", filters={"subject": "x"})


def test_time_records_of_many_employees(portal: bx.Portal) -> None:
    both = table(portal, "time_record", filters={"userId": [2, 1]})
    assert both.column("userId").to_pylist() == [2] * 60 + [1] * 60
    one = table(portal, "time_record:1")
    middle = one.column("startTime").to_pylist()[30]
    assert table(portal, "time_record:1", filters={">=startTime": middle}).to_pylist() == one.to_pylist()[30:]
    with pytest.raises(FilterError, match="a value for userId"):
        table(portal, "time_record")


def test_teams_are_departments_of_another_type(portal: bx.Portal) -> None:
    teams = table(portal, "department.v3", filters={"type": "TEAM"}).to_pylist()
    assert [row["id"] for row in teams] == [1, 2, 3, 4, 5, 6, 7]
    assert {row["type"] for row in teams} == {"TEAM"}


def test_other_verbs_know_the_tables(portal: bx.Portal) -> None:
    listed = {row["name"]: row for row in bx.list_entities(portal, backend="pyarrow").to_pylist()}
    assert listed["task.v3"]["list_method"] == "api/tasks.task.list"
    assert not listed["event_log"]["writable"]
    chunks = [len(frame) for frame in bx.iter_entity("event_log", portal, chunk_size=60, progress=False)]
    assert chunks == [60, 60, 10]
    lazy = bx.scan_entity("event_log", portal).head(7).collect()
    assert lazy["id"].to_list() == [3, 6, 9, 12, 15, 18, 21]
    assert portal.plan("task.v3").rows is None


def test_wire_verbs_go_by_requests_of_their_own(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    for method, rows in (("tasks.task.list", 150), ("main.eventlog.list", 130), ("mail.message.list", 130)):
        found = portal.get_all(f"api/{method}")
        assert len({row["id"] for row in found}) == len(found) == rows
    one = portal.call("api/tasks.task.get", [{"id": 5, "select": ["id"]}, {"id": 6, "select": ["id"]}])
    assert one == [{"item": {"id": 5}}, {"item": {"id": 6}}]
    assert "batch" not in {line.method for line in sandbox.log if "api/" in "".join(line.commands)}
    with pytest.raises(PortalError, match="Method not found"):
        portal.call_batch({"halt": 0, "cmd": {"first": "api/tasks.task.list", "second": "profile"}})
    with pytest.raises(PortalError, match="Method not found"):  # outside the catalogue, and not on this portal
        portal.get_all("api/note.document.search.list", {"query": "договор"})


def test_wire_verbs_follow_cursors(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    bases = portal.get_all("api/note.collection.list")
    assert [(row["position"], row["id"]) for row in bases] == sorted((row["position"], row["id"]) for row in bases)
    assert len({row["id"] for row in bases}) == 430
    period = {"startDate": {"from": "2026-01-03T00:00:00Z", "to": "2026-01-05T00:00:00Z"}}
    some = portal.get_all("api/call.followup.list", {"filter": period, "select": ["overview.topic", "startDate"]})
    assert {row["startDate"][:10] for row in some} == {"2026-01-03", "2026-01-04"}
    with pytest.raises(ConfigError, match="Write the filter as a map"):
        portal.get_all("api/main.eventlog.list", {"filter": [["id", ">", 5]]})


def test_wire_verbs_spell_as_rest_3_does(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    found = portal.get_by_id("api/tasks.task.get", [5, 7], params={"select": ["id", "title"]})
    assert found == portal.get_by_ID("api/tasks.task.get", [5, 7], "id", {"select": ["id", "title"]})
    assert [found[key]["item"]["id"] for key in (5, 7)] == [5, 7]
    alike = [["severity", "INFO"], {"logic": "or", "conditions": [["userId", [2, 3]], ["id", "<", 9]]}]
    listed = portal.call("api/main.eventlog.list", {"filter": alike, "select": ["id", "flag"], "flag": True})
    every = table(portal, "event_log").to_pylist()
    wanted = [row["id"] for row in every if row["severity"] == "INFO" and (row["userId"] in (2, 3) or row["id"] < 9)]
    assert [row["id"] for row in listed["items"]] == wanted != []
    body = orjson.loads(next(line for line in sandbox.log if line.method == "api/main.eventlog.list").excerpt)
    assert (body["filter"], body["flag"]) == (alike, True)
    with pytest.raises(ConfigError, match="'filter' must be a dict, not list"):
        portal.call("crm.deal.list", {"filter": [["ID", ">", 5]]})


def test_an_application_reads_with_its_token(sandbox: bx.Sandbox) -> None:
    token = sandbox.oauth.issue().access_token
    with bx.Portal(sandbox.oauth.url, auth=lambda: token, limits=FAST) as application:
        assert table(application, "task.v3", limit=60).num_rows == 60


def test_an_unknown_method_and_a_missing_scope(sandbox: bx.Sandbox, portal: bx.Portal) -> None:
    with pytest.raises(PortalError, match="Method not found") as found:
        portal.call("api/crm.deal.list", {})
    assert (found.value.status, found.value.code) == (404, f"{PREFIX}METHODNOTFOUNDEXCEPTION")
    with bx.Portal(sandbox.add_webhook(["crm"]), limits=FAST) as narrow, pytest.raises(ScopeError) as refused:
        table(narrow, "event_log")
    assert refused.value.code == f"{PREFIX}INSUFFICIENTSCOPEEXCEPTION"


def refused(status: int, **error: Any) -> BX24Error:
    parcel = Parcel((Command("a", Call("api/tasks.task.list", {}, direct=True)),))
    answer = decode(parcel, status, orjson.dumps({"error": error}))["a"]
    assert isinstance(answer, Refusal)
    return error_of(answer, "api/tasks.task.list")


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("ACCESSDENIED", 403, PortalError),
        ("INSUFFICIENTSCOPE", 403, ScopeError),
        ("METHODNOTFOUND", 404, PortalError),
        ("RATELIMIT", 429, LimitError),
        ("ENTITYNOTFOUND", 400, PortalError),
    ],
)
def test_refusals_by_code(name: str, status: int, kind: type[BX24Error]) -> None:
    error = refused(status, code=f"{PREFIX}{name}EXCEPTION", message="Sorry")
    assert type(error) is kind
    assert "Sorry" in str(error)


def test_a_refusal_says_what_is_wrong_with_which_field(portal: bx.Portal) -> None:
    with pytest.raises(PortalError, match=r"status: field `status` requires the `Filterable` attribute"):
        portal.call("api/tasks.task.list", {"filter": {"=status": "pending"}})
