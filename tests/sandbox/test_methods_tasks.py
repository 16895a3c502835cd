"""What is done with tasks in the portal in a box: actions, checklists, comments, stages, flows, declared fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bx24frames.sandbox.portal_store import PortalStore
from bx24frames.sandbox.registry import METHODS, Context, MethodError
from tests.sandbox.handlers import answer, opened, refusal, refused_as, value


@pytest.fixture(scope="module")
def store() -> Iterator[PortalStore]:
    with opened(3, {"task": 4, "elapsed": 0, "checklist_item": 0, "user": 5, "disk_item": 12, "workgroup": 2}) as store:
        yield store


@pytest.fixture
def task(store: PortalStore) -> int:
    return int(value(store, "tasks.task.add", fields={"TITLE": "T", "RESPONSIBLE_ID": 1})["task"]["id"])


def test_a_task_is_named_by_either_parameter(store: PortalStore, task: int) -> None:
    """``id`` works as ``taskId`` does; without either the constructor of the task complains."""
    for name in ("taskId", "id"):
        assert value(store, "tasks.task.get", **{name: task})["task"]["id"] == str(task)
    error = refusal(store, "tasks.task.get")
    assert (error.code, error.description.partition(" ")[0]) == ("100", "CTaskItem")
    assert refused_as(store, "tasks.task.get", taskId=0) == "0"


def test_what_is_written_to_the_documented_fields_is_there(store: PortalStore, task: int) -> None:
    """And the description names them; tags can be read but are not among them."""
    described = value(store, "tasks.task.getFields")["fields"]
    assert {"ALLOW_CHANGE_DEADLINE", "START_DATE_PLAN", "FLOW_ID", "XML_ID", "FAVORITE"} <= set(described)
    assert "TAGS" not in described
    fields = {"ALLOW_CHANGE_DEADLINE": "Y", "XML_ID": "x1", "START_DATE_PLAN": "2026-05-01T10:00:00+03:00"}
    printed_task = value(store, "tasks.task.update", taskId=task, fields=fields)["task"]
    assert (printed_task["allowChangeDeadline"], printed_task["xmlId"], printed_task["deadline"]) == ("Y", "x1", None)
    assert printed_task["startDatePlan"] == "2026-05-01T10:00:00+03:00"


def test_one_field_of_files_brings_them_all(store: PortalStore, task: int) -> None:
    plain = value(store, "tasks.task.get", taskId=task)["task"]
    assert "ufTaskWebdavFiles" not in plain
    printed_task = value(store, "tasks.task.get", taskId=task, select=["ID", "UF_MAIL_MESSAGE"])["task"]
    assert {"ufTaskWebdavFiles", "ufMailMessage", "ufCrmTask"} <= set(printed_task)


@pytest.mark.parametrize(
    ("actions", "status"),
    [
        (["start"], "3"),
        (["start", "pause"], "2"),
        (["defer"], "6"),
        (["complete"], "5"),
        (["complete", "renew"], "2"),
        (["complete", "approve"], "5"),
    ],
)
def test_actions_move_a_task(store: PortalStore, task: int, actions: list[str], status: str) -> None:
    for action in actions:
        printed_task = value(store, f"tasks.task.{action}", taskId=task)["task"]
    assert printed_task["status"] == status
    assert (printed_task["closedDate"] is not None) == (status == "5")
    fields = [line["field"] for line in value(store, "tasks.task.history.list", taskId=task)["list"]]
    assert fields == ["STATUS"] * len([one for one in actions if one != "approve"]) + ["NEW"]


@pytest.mark.parametrize("action", ["pause", "renew", "approve", "disapprove"])
def test_an_action_that_does_not_fit_the_status_is_refused(store: PortalStore, task: int, action: str) -> None:
    allowed = value(store, "tasks.task.getaccess", taskId=task)["allowedActions"]["1"]
    assert allowed[action.upper()] is False
    assert refused_as(store, f"tasks.task.{action}", taskId=task) == "1048582"


def test_a_task_under_control_waits_for_who_set_it(store: PortalStore) -> None:
    fields = {"TITLE": "T", "RESPONSIBLE_ID": 1, "CREATED_BY": 3, "TASK_CONTROL": "Y"}
    task = int(value(store, "tasks.task.add", fields=fields)["task"]["id"])
    assert value(store, "tasks.task.complete", taskId=task)["task"]["status"] == "4"
    assert value(store, "tasks.task.disapprove", taskId=task)["task"]["status"] == "2"


def test_who_delegates_a_task_watches_it(store: PortalStore, task: int) -> None:
    printed_task = value(store, "tasks.task.delegate", taskId=task, userId=3)["task"]
    assert (printed_task["responsibleId"], printed_task["auditors"]) == ("3", ["1"])
    assert value(store, "tasks.task.stopwatch", taskId=task)["task"]["auditors"] == []
    assert refused_as(store, "tasks.task.delegate", taskId=task) == "100"
    marks = {"mute": "isMuted", "pin": "isPinned"}
    for action, key in marks.items():
        assert value(store, f"tasks.task.{action}", id=task)["task"][key] == "Y"
    assert value(store, "tasks.task.favorite.add", taskId=task) is True
    assert refused_as(store, "tasks.task.favorite.add", taskId=10**6) == "1"


def test_dependences_are_made_once(store: PortalStore, task: int) -> None:
    other = int(value(store, "tasks.task.add", fields={"TITLE": "U", "RESPONSIBLE_ID": 1})["task"]["id"])
    ends = {"taskIdFrom": task, "taskIdTo": other}
    assert value(store, "task.dependence.add", **ends, linkType=0) == []
    assert refused_as(store, "task.dependence.add", **ends, linkType=0) == "ILLEGAL_NEW_LINK"
    assert value(store, "task.dependence.delete", **ends) == []
    assert refused_as(store, "task.dependence.delete", **ends) == "ILLEGAL_NEW_LINK"


def test_a_checklist_begins_with_an_item_of_its_own(store: PortalStore, task: int) -> None:
    """Arguments go by order; the first item makes the one that holds it."""
    first = value(store, "task.checklistitem.add", a=task, b={"TITLE": "one", "SORT_INDEX": 10})
    fields = {"TITLE": "two", "MEMBERS": {"3": {"TYPE": "U"}}}
    second = value(store, "task.checklistitem.add", TASKID=task, FIELDS=fields)
    rows = value(store, "task.checklistitem.getlist", TASKID=task, ORDER={"SORT_INDEX": "asc"})
    assert [row["PARENT_ID"] for row in rows] == [0, rows[0]["ID"], rows[0]["ID"]]
    assert [member["ID"] for member in rows[-1]["MEMBERS"]] == ["3"]
    assert value(store, "task.checklistitem.moveafteritem", TASKID=task, ITEMID=first, AFTERITEMID=second) is None
    rows = value(store, "task.checklistitem.getlist", TASKID=task, ORDER={"SORT_INDEX": "asc"})
    assert [row["ID"] for row in rows[1:]] == [str(second), str(first)]
    value(store, "task.checklistitem.complete", TASKID=task, ITEMID=first)
    printed = value(store, "tasks.task.get", taskId=task)["task"]["checklist"]
    assert (printed[str(first)]["isComplete"], printed[rows[0]["ID"]]["parentId"]) == ("Y", 0)
    assert value(store, "task.checklistitem.get", TASKID=task, ITEMID=first)["IS_COMPLETE"] == "Y"
    assert value(store, "task.checklistitem.delete", TASKID=task, ITEMID=int(rows[0]["ID"])) is True
    assert value(store, "task.checklistitem.getlist", TASKID=task) == []


def test_arguments_that_are_missing_or_of_another_kind_are_told(store: PortalStore, task: int) -> None:
    error = refusal(store, "task.checklistitem.renew", TASKID=task)
    assert "Param #1 (itemId) expected by method ctaskchecklistitem::renew(), but not given" in error.description
    error = refusal(store, "task.checklistitem.add", FIELDS={"TITLE": "x"}, TASKID=task)
    assert "expected to be of type" in error.description, "arguments go by order, not by name"


def test_comments_are_kept_and_listed_where_tasks_have_comments(store: PortalStore, task: int) -> None:
    number = value(store, "task.commentitem.add", TASKID=task, FIELDS={"POST_MESSAGE": "said"})
    assert value(store, "task.commentitem.get", TASKID=task, ITEMID=number)["POST_MESSAGE"] == "said"
    assert [row["ID"] for row in value(store, "task.commentitem.getlist", TASKID=task)] == [str(number)]
    chats = Context(store=store, user_id=1, now=1.79e9, quirks=frozenset({"task_comments_in_chat"}))
    assert METHODS["task.commentitem.getlist"].handler({"TASKID": task}, chats).value == []
    assert refused_as(store, "task.commentitem.add", TASKID=task, FIELDS={"POST_MESSAGE": ""}) == "ERROR_CORE"
    result = value(store, "tasks.task.result.addFromComment", commentId=number)
    assert (result["text"], value(store, "tasks.task.result.list", taskId=task)) == ("said", [result])
    assert value(store, "tasks.task.result.deleteFromComment", commentId=number) is None


def test_stages_keep_their_order(store: PortalStore) -> None:
    """A map by id; a new stage stands behind the one it names, or first; the portal's first one stays."""
    first, *_ = value(store, "task.stages.get", entityId=0)
    number = value(store, "task.stages.add", fields={"TITLE": "S", "COLOR": "#FFAAEE", "AFTER_ID": first})
    board = value(store, "task.stages.get", entityId=0)
    assert [row["TITLE"] for row in board.values()].index("S") == 1
    assert refused_as(store, "task.stages.delete", id=first) == "CANT_DELETE_FIRST"
    assert refused_as(store, "task.stages.add", fields={}) == "EMPTY_TITLE"
    assert value(store, "task.stages.movetask", id=1, stageId=number) is True
    assert value(store, "task.stages.delete", id=number) is True


@pytest.mark.parametrize("resets", [True, False])
def test_a_flow_may_lose_what_an_update_leaves_out(store: PortalStore, resets: bool) -> None:
    name = f"flow {resets}"
    made = value(store, "tasks.flow.Flow.create", flowData={"name": name, "plannedCompletionTime": 8400})
    assert store.row("workgroup", made["groupId"]) is not None
    quirks = frozenset({"flow_update_resets"} if resets else ())
    context = Context(store=store, user_id=1, now=1.79e9, quirks=quirks)
    METHODS["tasks.flow.flow.update"].handler({"flowData": {"id": made["id"], "name": f"{name}!"}}, context)
    printed_task = value(store, "tasks.flow.Flow.get", flowId=made["id"])
    assert (printed_task["name"], printed_task["plannedCompletionTime"]) == (f"{name}!", 0 if resets else 8400)
    assert value(store, "tasks.flow.Flow.delete", flowData={"id": made["id"]}) == {"deleted": True}


@pytest.mark.parametrize(
    ("kind", "multiple", "written", "printed"),
    [
        ("string", "N", "text", "text"),
        ("integer", "N", "7", "7"),
        ("string", "Y", ["a", "b"], ["a", "b"]),
        ("boolean", "N", "1", "1"),
    ],
)
def test_a_declared_field_can_be_written(
    store: PortalStore, task: int, kind: str, multiple: str, written: Any, printed: Any
) -> None:
    """It is printed if requested."""
    params = {"FIELD_NAME": f"AUTO_{kind}{multiple}", "USER_TYPE_ID": kind, "MULTIPLE": multiple, "XML_ID": "x"}
    number = value(store, "task.item.userfield.add", PARAMS=params)
    code = value(store, "task.item.userfield.get", ID=number)["FIELD_NAME"]
    printed_task = value(store, "tasks.task.update", taskId=task, fields={code: written})["task"]
    assert not any(name.startswith("ufAuto") for name in printed_task)
    printed_task = value(store, "tasks.task.get", taskId=task, select=["*", code])["task"]
    name = "".join(part.capitalize() for part in code.lower().split("_"))
    assert printed_task[name[0].lower() + name[1:]] == printed
    value(store, "task.item.userfield.delete", ID=number)
    assert refused_as(store, "task.item.userfield.get", ID=number) == "ERROR_NOT_FOUND"


def test_attached_files_are_told_by_the_disk(store: PortalStore, task: int) -> None:
    attached = value(store, "tasks.task.files.attach", taskId=task, fileId=10)["attachmentId"]
    printed_task = value(store, "tasks.task.get", taskId=task, select=["UF_TASK_WEBDAV_FILES"])["task"]
    assert printed_task["ufTaskWebdavFiles"] == [str(attached)]
    found = value(store, "disk.attachedObject.get", id=attached)
    assert (found["OBJECT_ID"], found["ENTITY_ID"]) == ("10", str(task))


def test_a_task_prints_the_time_spent_on_it(store: PortalStore, task: int) -> None:
    number = value(store, "task.elapseditem.add", TASKID=task, FIELDS={"SECONDS": 120})
    value(store, "task.elapseditem.add", TASKID=task, FIELDS={"SECONDS": 60})
    assert value(store, "tasks.task.get", taskId=task)["task"]["timeSpentInLogs"] == "180"
    value(store, "task.elapseditem.delete", TASKID=task, ITEMID=number)
    assert value(store, "tasks.task.get", taskId=task)["task"]["timeSpentInLogs"] == "60"


def test_counters_are_those_of_late_tasks(store: PortalStore) -> None:
    before = value(store, "tasks.task.counters.get", userId=3)["expired"]["counter"]
    late = {"TITLE": "late", "RESPONSIBLE_ID": 3, "DEADLINE": "2020-01-01T00:00:00+03:00"}
    answer(store, "tasks.task.add", fields=late)
    assert value(store, "tasks.task.counters.get", userId=3)["expired"]["counter"] == before + 1
    with pytest.raises(MethodError):
        answer(store, "tasks.task.add", fields={"TITLE": " "})
