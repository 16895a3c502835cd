"""Actions on tasks, ``tasks.task.{start, complete, delegate, mute, …}``, with history, rights and counters
(https://apidocs.bitrix24.com/api-reference/tasks/).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, map_of
from bx24frames.sandbox.methods.tasks import people_names, printed_task, task_id
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

WAITING, RUNNING, CONTROL, DONE, DEFERRED = "2", "3", "4", "5", "6"
_OPEN: Final = frozenset({"1", WAITING, RUNNING, DEFERRED})
_DENIED: Final = MethodError("1048582", "Действие над задачей не разрешено")
LOST: Final = MethodError("1", "Задача не найдена или недоступна")
HISTORY_VIEW: Final = Dictionary("task_history", list, "id")
DEPENDENCES: Final = Dictionary("task_dependence", list, "id")
ILLEGAL: Final = "ILLEGAL_NEW_LINK"
LEAST, MOST = 0, 3
"""Kinds of dependency: from start or finish to start or finish."""


def _task(params: Params, context: Context) -> Row:
    row = context.store.row("task", task_id(params))
    if row is None:
        raise _DENIED
    return row


def note(task: int, field: str, before: Any, after: Any, context: Context) -> None:
    """Add an entry to the history of a task."""
    line = {
        "taskId": task, "createdDate": context.store.local_time(context.now), "field": field, "userId": context.user_id,
        "value": {"from": before, "to": after},
    }  # fmt: skip
    HISTORY_VIEW.add(context.store, line, text=False)


def _put(row: Row, values: Row, context: Context) -> Result:
    """Change a task and its history; printed whole."""
    moment = context.store.local_time(context.now)
    kept = {"changedDate": moment, "changedBy": context.user_id, "activityDate": moment}
    if values.get("status", row["status"]) != row["status"]:
        kept |= {"statusChangedDate": moment, "statusChangedBy": context.user_id}
        note(row["id"], "STATUS", row["status"], values["status"], context)
    context.store.update_row("task", row["id"], kept | values)
    context.writes += 1
    return printed_task(row["id"], context)


# ---------------------------------------------------------------- statuses


@dataclass(frozen=True, slots=True)
class Move:
    """An action that moves a task from one of the statuses `before` to another."""

    before: frozenset[str]
    after: Callable[[Row, Context], Row]

    def __call__(self, params: Params, context: Context) -> Result:
        """Move the task."""
        row = _task(params, context)
        if row["status"] not in self.before:
            raise _DENIED
        return _put(row, self.after(row, context), context)


def _closed(row: Row, context: Context) -> Row:
    """The status after completion: a controlled task awaits control unless its creator completes it."""
    if row["taskControl"] == "Y" and row["createdBy"] != context.user_id:
        return {"status": CONTROL}
    return _accepted(row, context)


def _accepted(_: Row, context: Context) -> Row:
    return {"status": DONE, "closedBy": context.user_id, "closedDate": context.store.local_time(context.now)}


def _opened(status: str) -> Callable[[Row, Context], Row]:
    return lambda _, __: {"status": status, "closedBy": None, "closedDate": None}


def _started(row: Row, context: Context) -> Row:
    return {"status": RUNNING, "dateStart": row["dateStart"] or context.store.local_time(context.now)}


MOVES: Final[Mapping[str, Move]] = {
    "start": Move(_OPEN - {RUNNING}, _started),
    "pause": Move(frozenset({RUNNING}), _opened(WAITING)),
    "defer": Move(_OPEN - {DEFERRED}, _opened(DEFERRED)),
    "complete": Move(_OPEN, _closed),
    "renew": Move(frozenset({CONTROL, DONE, DEFERRED}), _opened(WAITING)),
    # the creator may accept a task that is completed already [suite of the vendor's PHP SDK]
    "approve": Move(frozenset({CONTROL, DONE}), _accepted),
    "disapprove": Move(frozenset({CONTROL}), _opened(WAITING)),
}


# ---------------------------------------------------------------- people


@method("tasks.task.delegate", "task")
def delegate(params: Params, context: Context) -> Result:
    """Delegate a task to another user; the previous one becomes an observer."""
    user = php_int(bound(params, "userId"))
    row = _task(params, context)
    if row["status"] not in _OPEN or context.store.row("user", user) is None:
        raise _DENIED
    auditors = _with(row["auditors"], str(row["responsibleId"]))
    return _put(row, {"responsibleId": user, "status": WAITING, "auditors": auditors}, context)


def _with(stored: str | None, user: str) -> str:
    users = orjson.loads(stored) if stored else []
    return orjson.dumps([*users, *([] if user in users else [user])]).decode()


def _watch(*, watching: bool) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, user = _task(params, context), str(context.user_id)
        users = [one for one in orjson.loads(row["auditors"] or "[]") if one != user]
        return _put(row, {"auditors": orjson.dumps([*users, *([user] if watching else [])]).decode()}, context)

    return handle


def _mark(column: str, value: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = _task(params, context)
        context.store.update_row("task", row["id"], {column: value})
        context.writes += 1
        return printed_task(row["id"], context)

    return handle


def _favour(value: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row = context.store.row("task", task_id(params))
        if row is None:
            raise LOST
        context.store.update_row("task", row["id"], {"favorite": value})
        context.writes += 1
        return Result(value=True)

    return handle


_ACTIONS: Final[Mapping[str, Handler]] = {
    **MOVES,
    "startwatch": _watch(watching=True),
    "stopwatch": _watch(watching=False),
    "mute": _mark("isMuted", "Y"),
    "unmute": _mark("isMuted", "N"),
    "pin": _mark("isPinned", "Y"),
    "unpin": _mark("isPinned", "N"),
    "favorite.add": _favour("Y"),
    "favorite.remove": _favour("N"),
}
for _name, _handler in _ACTIONS.items():
    method(f"tasks.task.{_name}", "task")(_handler)


# ---------------------------------------------------------------- what may be done, and what was


def _allowed(row: Row) -> dict[str, bool]:
    moves = {name.upper(): row["status"] in move.before for name, move in MOVES.items()}
    favourite = row["favorite"] == "Y"
    return {
        "ACCEPT": False, "DECLINE": False, **moves, "DELEGATE": row["status"] in _OPEN, "REMOVE": True, "EDIT": True,
        "CREATE": True, "CHANGE_DEADLINE": True, "CHECKLIST_ADD_ITEMS": True, "ADD_FAVORITE": not favourite,
        "DELETE_FAVORITE": favourite, "RATE": True, "TAKE": False, "EDIT.ORIGINATOR": False, "CHECKLIST.REORDER": True,
        "ELAPSEDTIME.ADD": True, "DAYPLAN.TIMER.TOGGLE": False, "EDIT.PLAN": True, "CHECKLIST.ADD": True,
        "FAVORITE.ADD": not favourite, "FAVORITE.DELETE": favourite,
    }  # fmt: skip


@method("tasks.task.getaccess", "task")
def list_allowed(params: Params, context: Context) -> Result:
    """Allowed actions on a task, of the caller or of each user."""
    row = _task(params, context)
    users = [php_int(one) for one in values_of(bound_array(params, "users", []))] or [context.user_id]
    return Result({"allowedActions": {str(user): _allowed(row) for user in users}})


@method("tasks.task.counters.get", "task")
def count_tasks(params: Params, context: Context) -> Result:
    """The counters of a user: number of overdue tasks."""
    user = php_int(params.get("userId")) or context.user_id
    sql = "SELECT count(*) FROM task WHERE responsibleId = ? AND status NOT IN ('4', '5') AND deadline < ?"
    late = context.store.scalar(sql, (user, context.store.local_time(context.now)))
    return Result(
        {
            "expired": {"counter": late, "code": 6291456},
            "new_comments": {"counter": 0, "code": 12582912},
            "foreign_expired": {"counter": 0, "code": 0},
            "foreign_comments": {"counter": 0, "code": 0},
        }
    )


@method("tasks.task.history.list", "task")
def list_history(params: Params, context: Context) -> Result:
    """The history of a task, newest first."""
    row = _task(params, context)
    names = people_names(context.store)
    conditions = {php_text(key).upper(): php_text(one) for key, one in map_of(params.get("filter")).items()}
    lines = [line for line in reversed(HISTORY_VIEW.rows(context.store)) if line["taskId"] == row["id"]]
    lines.append(
        {"id": 0, "createdDate": row["createdDate"], "field": "NEW", "userId": row["createdBy"],
         "value": {"from": None, "to": None}}
    )  # fmt: skip
    kept = [line for line in lines if conditions.get("FIELD", line["field"]) == line["field"]]
    context.rows += len(kept)
    return Result({"list": [_line(line, names, context.store.server_zone) for line in kept]}, len(kept))


def _line(line: Row, names: Mapping[str, str], zone: str) -> Row:
    user = str(line["userId"])
    first, _, last = names.get(user, "").partition(" ")
    return {
        "id": str(line["id"]), "createdDate": f"{line['createdDate']}{zone}", "field": line["field"],
        "value": line["value"],
        "user": {"id": user, "name": first, "lastName": last, "secondName": "", "login": f"user{user}"},
    }  # fmt: skip


# ---------------------------------------------------------------- dependences, files


def _ends(params: Params, context: Context) -> tuple[int, int]:
    ends = [php_int(bound(params, name)) for name in ("taskIdFrom", "taskIdTo")]
    if any(context.store.row("task", one) is None for one in ends):
        raise MethodError(ILLEGAL, "Задача не найдена")
    return ends[0], ends[1]


def _dependence(ends: tuple[int, int], context: Context) -> Row | None:
    known = DEPENDENCES.rows(context.store)
    return next((row for row in known if (row["from"], row["to"]) == ends), None)


@method("task.dependence.add", "task")
def add_dependence(params: Params, context: Context) -> Result:
    """Add a dependency between tasks."""
    ends, kind = _ends(params, context), php_int(bound(params, "linkType"))
    if ends[0] == ends[1] or not LEAST <= kind <= MOST or _dependence(ends, context):
        raise MethodError(ILLEGAL, "Связь между задачами уже существует")
    DEPENDENCES.add(context.store, {"from": ends[0], "to": ends[1], "type": kind}, text=False)
    context.writes += 1
    return Result([])


@method("task.dependence.delete", "task")
def delete_dependence(params: Params, context: Context) -> Result:
    """Remove a dependency between tasks."""
    row = _dependence(_ends(params, context), context)
    if row is None:
        raise MethodError(ILLEGAL, "Связи между задачами не существует")
    DEPENDENCES.drop(context.store, row)
    context.writes += 1
    return Result([])


@method("tasks.task.files.attach", "task")
def attach_file(params: Params, context: Context) -> Result:
    """Attach a file of the disk to a task."""
    number = php_int(bound(params, "fileId"))
    row, file = _task(params, context), context.store.row("disk_item", number)
    if file is None or file["type"] != "file":
        raise MethodError("0", "Файл не найден")
    attached = ATTACHED.add(
        context.store,
        {"OBJECT_ID": str(number), "MODULE_ID": "tasks", "ENTITY_TYPE": "tasks_task", "ENTITY_ID": str(row["id"]),
         "CREATE_TIME": context.store.local_time(context.now), "CREATED_BY": str(context.user_id)},
        text=True,
    )  # fmt: skip
    files = [*orjson.loads(row["ufTaskWebdavFiles"] or "[]"), str(attached)]
    context.store.update_row("task", row["id"], {"ufTaskWebdavFiles": orjson.dumps(files).decode()})
    context.writes += 1
    return Result({"attachmentId": attached})


ATTACHED: Final = Dictionary("attached_object", list)
"""The files attached to rows of any table, as ``disk.attachedObject.get`` prints them."""
