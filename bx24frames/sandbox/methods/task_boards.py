"""Stages of planners and projects, flows, results and the plan of the day: ``task.stages.*``,
``tasks.flow.Flow.*``, ``tasks.task.result.*``, ``task.planner.getlist`` (https://apidocs.bitrix24.com/api-reference/tasks/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, map_of
from bx24frames.sandbox.methods.positional import tasks_error
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

# ---------------------------------------------------------------- stages

PLANNER: Final = (("Не спланированы", "00C4FB", "NEW"), ("Сделаю на неделе", "47D1E2", None))
BOARD_STAGES: Final = Dictionary("task_stage", list)
SORT_STEP: Final = 100
NO_STAGE: Final = MethodError("NOT_FOUND", "Стадия не найдена")
_NO_TITLE: Final = MethodError("EMPTY_TITLE", "Не указано название стадии")
NO_MOVE: Final = MethodError("ACCESS_DENIED_MOVE", "Вы не можете перемещать эту задачу")


def _board(entity: int, context: Context) -> list[Row]:
    """The stages of a project, or of the caller's planner for 0; the initial ones are created on first use."""
    owner, kind = (entity, "G") if entity else (context.user_id, "U")
    rows = [
        row for row in BOARD_STAGES.rows(context.store) if (row["ENTITY_ID"], row["ENTITY_TYPE"]) == (str(owner), kind)
    ]
    if not rows:
        for place, (title, colour, system) in enumerate(PLANNER, 1):
            _keep(title, colour, system, (str(owner), kind), place * SORT_STEP, context)
        return _board(entity, context)
    return sorted(rows, key=lambda row: int(row["SORT"]))


def _keep(title: str, colour: str, system: str | None, owner: tuple[str, str], sort: int, context: Context) -> int:
    row: Row = {
        "TITLE": title, "SORT": str(sort), "COLOR": colour, "SYSTEM_TYPE": system, "ENTITY_ID": owner[0],
        "ENTITY_TYPE": owner[1], "ADDITIONAL_FILTER": [], "TO_UPDATE": [], "TO_UPDATE_ACCESS": None,
    }  # fmt: skip
    return BOARD_STAGES.add(context.store, row, text=True)


def _stage(params: Params, context: Context, name: str = "id") -> Row:
    row = BOARD_STAGES.row(context.store, php_int(bound(params, name)))
    if row is None:
        raise NO_STAGE
    return row


@method("task.stages.get", "task")
def list_stages(params: Params, context: Context) -> Result:
    """The stages of a board, a map by id."""
    rows = _board(php_int(bound(params, "entityId")), context)
    context.rows += len(rows)
    return Result({row["ID"]: row for row in rows})


@method("task.stages.add", "task")
def add_stage(params: Params, context: Context) -> Result:
    """Create a stage, behind ``AFTER_ID`` or first; returns its id."""
    fields = map_of(bound_array(params, "fields", {}))
    title, entity = php_text(fields.get("TITLE")), php_int(fields.get("ENTITY_ID"))
    if not title.strip():
        raise _NO_TITLE
    board = _board(entity, context)
    places = [row["ID"] for row in board]
    after = php_text(fields.get("AFTER_ID"))
    place = places.index(after) + 1 if after in places else 0
    for at, row in enumerate(board, 1):
        BOARD_STAGES.put(context.store, {**row, "SORT": str((at + (at > place)) * SORT_STEP)})
    owner = (board[0]["ENTITY_ID"], board[0]["ENTITY_TYPE"])
    colour = php_text(fields.get("COLOR")).lstrip("#") or PLANNER[0][1]
    context.writes += 1
    return Result(_keep(title, colour, None, owner, (place + 1) * SORT_STEP, context))


@method("task.stages.update", "task")
def update_stage(params: Params, context: Context) -> Result:
    """Change a stage."""
    row, fields = _stage(params, context), map_of(bound_array(params, "fields", {}))
    changed: Row = {name: php_text(fields[name]).lstrip("#") for name in ("TITLE", "COLOR", "SORT") if name in fields}
    if "TITLE" in changed and not changed["TITLE"].strip():
        raise _NO_TITLE
    BOARD_STAGES.put(context.store, {**row, **changed})
    context.writes += 1
    return Result(value=True)


@method("task.stages.delete", "task")
def delete_stage(params: Params, context: Context) -> Result:
    """Delete a stage, except the first one and those with tasks."""
    row = _stage(params, context)
    if row["SYSTEM_TYPE"]:
        raise MethodError("CANT_DELETE_FIRST", "Нельзя удалить первую стадию. Переместите стадию, чтобы удалить её.")
    BOARD_STAGES.drop(context.store, row)
    context.writes += 1
    return Result(value=True)


@method("task.stages.canmovetask", "task")
def may_move(params: Params, _: Context) -> Result:
    """Whether the caller may move tasks of a board."""
    bound(params, "entityId")
    return Result(php_text(bound(params, "entityType")) in ("U", "G"))


@method("task.stages.movetask", "task")
def move_task(params: Params, context: Context) -> Result:
    """Move a task to a stage."""
    row, stage = context.store.row("task", php_int(bound(params, "id"))), _stage(params, context, "stageId")
    if row is None:
        raise NO_MOVE
    if stage["ENTITY_TYPE"] == "G":  # a planner keeps its stages apart from that of the task
        context.store.update_row("task", row["id"], {"stageId": int(stage["ID"])})
    context.writes += 1
    return Result(value=True)


# ---------------------------------------------------------------- flows

FLOWS: Final = Dictionary("task_flow", list, "id")
NO_FLOW: Final = MethodError("0", "Поток не найден")
OWN: Final = ("id", "creatorId", "ownerId", "groupId", "efficiency", "active", "activity", "demo", "team",
              "trialFeatureEnabled")  # fmt: skip
NEW_FLOW: Final[Row] = {
    "templateId": 0, "plannedCompletionTime": 0, "description": "", "distributionType": "manually",
    "responsibleList": [], "responsibleCanChangeDeadline": True, "matchWorkTime": True, "taskControl": False,
    "notifyAtHalfTime": False, "notifyOnQueueOverflow": None, "notifyOnTasksInProgressOverflow": None,
    "notifyWhenEfficiencyDecreases": None, "taskCreators": [["meta-user", "all-users"]],
}  # fmt: skip


def _flow(number: Any, context: Context) -> Row:
    row = FLOWS.row(context.store, php_int(number))
    if row is None:
        raise NO_FLOW
    return row


def _as_before(before: Any, value: Any) -> Any:
    """A written value converted to the type of the one it replaces."""
    if isinstance(before, bool):
        return value not in (0, False, "0", "N", "false", "", None)
    if isinstance(before, int) or (before is None and php_text(value).isdigit()):
        return php_int(value)
    return list(map_of(value).values()) if isinstance(before, list) else php_text(value)


def _settled(row: Row, given: Row) -> Row:
    known = {**NEW_FLOW, "name": ""}
    changed = {name: _as_before(known[name], value) for name, value in given.items() if name in known}
    merged = {**row, **changed}
    return merged | {"team": merged["responsibleList"]}


@method("tasks.flow.Flow.create", "task")
def add_flow(params: Params, context: Context) -> Result:
    """Create a flow with a project of its own, printed whole."""
    given = map_of(bound_array(params, "flowData", bound(params, "flowData")))
    name = php_text(given.get("name")).strip()
    if not name or any(row["name"] == name for row in FLOWS.rows(context.store)):
        raise MethodError("0", "Поток с таким названием уже есть" if name else "Не указано название потока")
    now = context.store.local_time(context.now)
    group = {"name": name, "dateCreate": now, "dateUpdate": now, "ownerId": context.user_id, "numberOfMembers": 1}
    group |= {"siteId": "s1", "active": "Y", "visible": "Y", "opened": "N", "closed": "N", "project": "N"}
    row = {
        "creatorId": context.user_id, "ownerId": context.user_id, "efficiency": 100, "active": True, "demo": False,
        "groupId": php_int(given.get("groupId")) or context.store.insert_row("workgroup", group),
        "activity": f"{now}{context.store.server_zone}", "trialFeatureEnabled": False,
    }  # fmt: skip
    row_id = FLOWS.add(context.store, _settled({**row, **NEW_FLOW, "name": name}, given), text=False)
    context.writes += 1
    return Result(_flow(row_id, context))


@method("tasks.flow.Flow.update", "task")
def update_flow(params: Params, context: Context) -> Result:
    """Change a flow, printed whole; some values that are not named are kept, others reset."""
    given = map_of(bound_array(params, "flowData", bound(params, "flowData")))
    row = _flow(given.get("id"), context)
    kept = {**row, **NEW_FLOW} if context.has("flow_update_resets") else row
    changed = _settled(kept, {name: value for name, value in given.items() if name not in OWN})
    FLOWS.put(context.store, changed)
    context.writes += 1
    return Result(changed)


@method("tasks.flow.Flow.get", "task")
def get_flow(params: Params, context: Context) -> Result:
    """One flow."""
    return Result(_flow(bound(params, "flowId"), context))


@method("tasks.flow.Flow.delete", "task")
def delete_flow(params: Params, context: Context) -> Result:
    """Delete a flow."""
    given = map_of(bound_array(params, "flowData", bound(params, "flowData")))
    FLOWS.drop(context.store, _flow(given.get("id"), context))
    context.writes += 1
    return Result({"deleted": True})


@method("tasks.flow.Flow.isExists", "task")
def has_flow(params: Params, context: Context) -> Result:
    """Whether another flow has this name."""
    given = map_of(bound_array(params, "flowData", bound(params, "flowData")))
    name, own = php_text(given.get("name")), php_int(given.get("id"))
    return Result({"exists": any(row["name"] == name and row["id"] != own for row in FLOWS.rows(context.store))})


@method("tasks.flow.Flow.activate", "task")
def toggle_flow(params: Params, context: Context) -> Result:
    """Activate or deactivate a flow."""
    row = _flow(bound(params, "flowId"), context)
    FLOWS.put(context.store, {**row, "active": not row["active"]})
    context.writes += 1
    return Result(value=True)


@method("tasks.flow.Flow.pin", "task")
def pin_flow(params: Params, context: Context) -> Result:
    """Pin a flow in the caller's list."""
    _flow(bound(params, "flowId"), context)
    context.writes += 1
    return Result(value=True)


# ---------------------------------------------------------------- results

RESULTS: Final = Dictionary("task_result", list, "id")
NO_COMMENT: Final = tasks_error(4, "Действие не разрешено", "ACTION_NOT_ALLOWED")


def _result_of(comment: int, context: Context) -> Row | None:
    return next((row for row in RESULTS.rows(context.store) if row["commentId"] == comment), None)


@method("tasks.task.result.addFromComment", "task")
def add_result(params: Params, context: Context) -> Result:
    """Mark a comment as a result of its task."""
    comment = context.store.row("task_comment", php_int(bound(params, "commentId")))
    if comment is None:
        raise NO_COMMENT
    known = _result_of(comment["id"], context)
    if known is None:
        now = f"{context.store.local_time(context.now)}{context.store.server_zone}"
        row = {
            "taskId": comment["taskId"], "commentId": comment["id"], "createdBy": comment["authorId"],
            "createdAt": now, "updatedAt": now, "status": 0, "text": comment["postMessage"],
            "formattedText": comment["postMessage"], "files": [],
        }  # fmt: skip
        row_id = RESULTS.add(context.store, row, text=False)
        known = {"id": row_id, **row}
        context.writes += 1
    return Result(known)


@method("tasks.task.result.deleteFromComment", "task")
def delete_result(params: Params, context: Context) -> Result:
    """Unmark a comment as a result."""
    row = _result_of(php_int(bound(params, "commentId")), context)
    if row is None:
        raise NO_COMMENT
    RESULTS.drop(context.store, row)
    context.writes += 1
    return Result(None)


@method("tasks.task.result.list", "task")
def list_results(params: Params, context: Context) -> Result:
    """The results of a task, newest first."""
    task = php_int(bound(params, "taskId"))
    return Result([row for row in reversed(RESULTS.rows(context.store)) if row["taskId"] == task])


@method("task.planner.getlist", "task")
def list_planned(_: Params, context: Context) -> Result:
    """The ids of the tasks in the caller's plan of the day."""
    sql = "SELECT id FROM task WHERE responsibleId = ? AND status = '3' ORDER BY id DESC LIMIT 10"
    return Result([row_id for (row_id,) in context.store.query(sql, (context.user_id,))])
