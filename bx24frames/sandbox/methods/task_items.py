"""Checklists and comments of tasks, ``task.checklistitem.*``, ``task.commentitem.*``, and rights on elapsed
time (https://apidocs.bitrix24.com/api-reference/tasks/checklist-item/, /comment-item/, /elapsed-item/).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import map_of
from bx24frames.sandbox.methods.plain import Desk, View, by_code
from bx24frames.sandbox.methods.positional import arguments_of, numbers, tasks_error
from bx24frames.sandbox.methods.tasks import TASK_PREFIXES, people_names
from bx24frames.sandbox.paging import PageWindow
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import TABLES, Row

_FAILED: Final = tasks_error(8, "Действие не выполнено", "ACTION_FAILED_TO_BE_PROCESSED")
NOT_ALLOWED: Final = tasks_error(4, "Действие не разрешено", "ACTION_NOT_ALLOWED")


def _whole(_: int | None, count: Callable[[], int]) -> PageWindow:
    """These lists are not paged."""
    total = count()
    return PageWindow(0, total, None, max(total, 1))


def _view(table: str) -> View:
    names = {**by_code(table), "TASK_ID": next(spec for spec in TABLES[table].fields if spec.code == "TASK_ID")}
    return View(table, by_code(table), names, "classic", _whole, prefixes=TASK_PREFIXES)


# ---------------------------------------------------------------- checklists

_ITEMS: Final = _view("checklist_item")
ITEM_DESK: Final = Desk("checklist_item", by_code("checklist_item"), (), (), ("createdBy",))
ITEM_PROXY: Final = "ctaskchecklistitem::"
ROOT: Final = "Чек-лист"
_STEP: Final = 1


def checklist(task: int, context: Context, order: Row | None = None) -> list[Row]:
    """The items of a task as item methods print them."""
    found, _ = _ITEMS.page(context, {"TASK_ID": task}, order or {})
    for row in found:
        row["PARENT_ID"] = row["PARENT_ID"] if php_int(row["PARENT_ID"]) else 0
        row["MEMBERS"] = row["MEMBERS"] or []
        row["ATTACHMENTS"] = []
    return found


def _exists(task: int, context: Context) -> None:
    if context.store.row("task", task) is None:
        raise _FAILED


def _item(params: Params, context: Context, action: str, *more: str, needed: int = 2) -> tuple[Row, list[Any]]:
    """The item named by the first two arguments, and the remaining arguments."""
    given = arguments_of(params, ITEM_PROXY + action, "taskId", "itemId", *more, needed=needed)
    task, number = numbers(given, 2)
    row = context.store.row("checklist_item", number)
    if row is None or row["taskId"] != task:
        raise _FAILED
    return row, given[2:]


def _root(task: int, context: Context) -> int:
    """The root item of the checklist of a task; created with the first item."""
    sql = "SELECT min(id) FROM checklist_item WHERE taskId = ? AND coalesce(parentId, 0) = 0"
    known = context.store.scalar(sql, (task,))
    if known:
        return int(known)
    bare = {"TASK_ID": task, "PARENT_ID": 0, "TITLE": f"{ROOT} 1", "SORT_INDEX": 0}
    return ITEM_DESK.add({**bare, "IS_COMPLETE": "N", "IS_IMPORTANT": "N"}, context)


def _members(value: Any, context: Context) -> str:
    """Members of an item: ids and kinds are written, names are printed in addition."""
    names = people_names(context.store)
    found = [
        {"ID": user, "TYPE": php_text(map_of(one).get("TYPE")) or "A", "NAME": names[user], "PERSONAL_PHOTO": None,
         "PERSONAL_GENDER": "", "IMAGE": "", "IS_COLLABER": False}
        for user, one in map_of(value).items()
        if user in names
    ]  # fmt: skip
    return orjson.dumps(found).decode()


def _kept(row_id: int, fields: Row, context: Context) -> None:
    if "MEMBERS" in fields:
        context.store.update_row("checklist_item", row_id, {"members": _members(fields["MEMBERS"], context)})


@method("task.checklistitem.add", "task")
def add_task_item(params: Params, context: Context) -> Result:
    """Create an item; returns its id: task, fields."""
    given = arguments_of(params, f"{ITEM_PROXY}add", "taskId", "arFields", needed=2)
    task, fields = php_int(given[0]), map_of(given[1])
    _exists(task, context)
    if not php_text(fields.get("TITLE")).strip():
        raise _FAILED
    parent = php_int(fields.get("PARENT_ID")) or (0 if "PARENT_ID" in fields else _root(task, context))
    last = context.store.scalar("SELECT max(sortIndex) FROM checklist_item WHERE taskId = ?", (task,)) or 0
    bare = {"IS_COMPLETE": "N", "IS_IMPORTANT": "N", "SORT_INDEX": last + _STEP}
    row_id = ITEM_DESK.add({**bare, **fields, "PARENT_ID": parent, "TASK_ID": task}, context)
    _kept(row_id, fields, context)
    return Result(row_id)


@method("task.checklistitem.update", "task")
def update_task_item(params: Params, context: Context) -> Result:
    """Change an item: task, item, fields."""
    row, rest = _item(params, context, "update", "arFields", needed=3)
    fields = map_of(rest[0])
    ITEM_DESK.update(row["id"], fields, context, _FAILED)
    _kept(row["id"], fields, context)
    return Result(None)


@method("task.checklistitem.delete", "task")
def delete_task_item(params: Params, context: Context) -> Result:
    """Delete an item and those below it."""
    row, _ = _item(params, context, "delete")
    below = context.store.query("SELECT id FROM checklist_item WHERE parentId = ?", (row["id"],))
    for number in (row["id"], *(one for (one,) in below)):
        ITEM_DESK.delete(number, context, _FAILED)
    return Result(value=True)


@method("task.checklistitem.get", "task")
def get_task_item(params: Params, context: Context) -> Result:
    """One item: task, item."""
    row, _ = _item(params, context, "get")
    return Result(next(one for one in checklist(row["taskId"], context) if int(one["ID"]) == row["id"]))


@method("task.checklistitem.getlist", "task")
def list_task_items(params: Params, context: Context) -> Result:
    """The items of a task, whole: task, order."""
    given = arguments_of(params, f"{ITEM_PROXY}getlist", "taskId", "arOrder", needed=1)
    task = php_int(given[0])
    _exists(task, context)
    return Result(checklist(task, context, map_of(given[1])))


@method("task.checklistitem.moveafteritem", "task")
def move_item(params: Params, context: Context) -> Result:
    """Move an item after another of its task: task, item, other item."""
    row, rest = _item(params, context, "moveafteritem", "afterItemId", needed=3)
    other = context.store.row("checklist_item", php_int(rest[0]))
    if other is None or other["taskId"] != row["taskId"]:
        raise _FAILED
    ids = [int(one["ID"]) for one in checklist(row["taskId"], context, {"SORT_INDEX": "ASC"})]
    ids.remove(row["id"])
    ids.insert(ids.index(other["id"]) + 1, row["id"])
    for place, number in enumerate(ids):
        context.store.update_row("checklist_item", number, {"sortIndex": place})
    context.writes += 1
    return Result(None)


def _toggle(action: str, value: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        row, _ = _item(params, context, action)
        toggled = {"toggledBy": context.user_id, "toggledDate": context.store.local_time(context.now)}
        context.store.update_row("checklist_item", row["id"], {"isComplete": value, **toggled})
        context.writes += 1
        return Result(value=True)

    return handle


for _name, _value in (("complete", "Y"), ("renew", "N")):
    method(f"task.checklistitem.{_name}", "task")(_toggle(_name, _value))


# ---------------------------------------------------------------- comments

COMMENTS: Final = _view("task_comment")
COMMENT_DESK: Final = Desk("task_comment", by_code("task_comment"), ("postDate",), (), ("authorId",))
COMMENT_PROXY: Final = "ctaskcommentitem::"
_NO_TEXT: Final = MethodError("ERROR_CORE", "Не указан текст комментария.<br>")


def _comments(task: int, context: Context, conditions: Row, order: Row) -> list[Row]:
    found, _ = COMMENTS.page(context, {**conditions, "TASK_ID": task}, order)
    names = people_names(context.store)
    return [
        {"POST_MESSAGE_HTML": None, **row, "AUTHOR_NAME": names.get(row["AUTHOR_ID"], ""), "AUTHOR_EMAIL": ""}
        for row in found
    ]


def _comment(params: Params, context: Context, action: str, *more: str, needed: int = 2) -> tuple[Row, list[Any]]:
    given = arguments_of(params, COMMENT_PROXY + action, "taskId", "itemId", *more, needed=needed)
    task, number = numbers(given, 2)
    row = context.store.row("task_comment", number)
    if row is None or row["taskId"] != task:
        raise NOT_ALLOWED
    return row, given[2:]


def _said(fields: Row) -> None:
    if not php_text(fields.get("POST_MESSAGE")).strip():
        raise _NO_TEXT


@method("task.commentitem.add", "task")
def add_comment(params: Params, context: Context) -> Result:
    """Create a comment; returns its id: task, fields."""
    given = arguments_of(params, f"{COMMENT_PROXY}add", "taskId", "arFields", needed=2)
    task, fields = php_int(given[0]), map_of(given[1])
    _exists(task, context)
    _said(fields)
    row_id = COMMENT_DESK.add(fields, context)
    context.store.update_row("task_comment", row_id, {"taskId": task})
    sql = "UPDATE task SET commentsCount = coalesce(commentsCount, 0) + 1 WHERE id = ?"
    context.store.database.change(sql, (task,))
    return Result(row_id)


@method("task.commentitem.update", "task")
def update_comment(params: Params, context: Context) -> Result:
    """Change a comment: task, item, fields."""
    row, rest = _comment(params, context, "update", "arFields", needed=3)
    _said(map_of(rest[0]))
    COMMENT_DESK.update(row["id"], map_of(rest[0]), context, NOT_ALLOWED)
    return Result(value=True)


@method("task.commentitem.delete", "task")
def delete_comment(params: Params, context: Context) -> Result:
    """Delete a comment: task, item."""
    row, _ = _comment(params, context, "delete")
    COMMENT_DESK.delete(row["id"], context, NOT_ALLOWED)
    return Result(value=True)


@method("task.commentitem.get", "task")
def get_comment(params: Params, context: Context) -> Result:
    """One comment: task, item."""
    row, _ = _comment(params, context, "get")
    return Result(_comments(row["taskId"], context, {"ID": row["id"]}, {})[0])


@method("task.commentitem.getlist", "task")
def list_comments(params: Params, context: Context) -> Result:
    """The comments of a task, whole: task, order, filter. Messages in the chat of a task are not included."""
    given = arguments_of(params, f"{COMMENT_PROXY}getlist", "taskId", "arOrder", "arFilter", needed=1)
    task = php_int(given[0])
    _exists(task, context)
    if context.has("task_comments_in_chat"):
        return Result([])
    order = map_of(given[1]) or {"ID": "DESC"}
    return Result(_comments(task, context, map_of(given[2]), order))


# ---------------------------------------------------------------- what may be done, and what there is


def _allowed(proxy: str, table: str) -> Handler:
    def handle(params: Params, context: Context) -> Result:
        given = arguments_of(params, f"{proxy}isactionallowed", "taskId", "itemId", "actionId", needed=3)
        row = context.store.row(table, php_int(given[1]))
        return Result(row is not None and row["taskId"] == php_int(given[0]))

    return handle


def _manifest(name: str, table: str) -> Handler:
    codes = by_code(table)
    written = [code for code, spec in codes.items() if not spec.read_only and code not in ("ID", "TASK_ID")]
    manifest = {
        "Manifest version": "1.1",
        "Warning": "don't rely on format of this manifest, it can be changed without any notification",
        "REST: shortname alias to class": name,
        f"REST: writable {name} data fields": written,
        f"REST: readable {name} data fields": list(codes),
        f"REST: sortable {name} data fields": list(codes),
        f"REST: filterable {name} data fields": list(codes),
        "REST: date fields": [code for code, spec in codes.items() if spec.type == "datetime"],
    }
    return lambda _, __: Result(manifest)


for _item_name, _table, _proxy in (
    ("checklistitem", "checklist_item", ITEM_PROXY),
    ("commentitem", "task_comment", COMMENT_PROXY),
    ("elapseditem", "elapsed", "ctaskelapseditem::"),
):
    method(f"task.{_item_name}.isactionallowed", "task")(_allowed(_proxy, _table))
    method(f"task.{_item_name}.getmanifest", "task")(_manifest(_item_name, _table))
