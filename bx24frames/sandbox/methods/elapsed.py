"""Time spent on tasks, ``task.elapseditem.*``: arguments are positional, whatever their names
(https://apidocs.bitrix24.com/api-reference/tasks/elapsed-item/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int
from bx24frames.sandbox.methods.arguments import map_of, names_of
from bx24frames.sandbox.methods.plain import Desk, View, by_code
from bx24frames.sandbox.methods.tasks import TASK_PREFIXES
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method

_FIRST: Final = 50
_DESK: Final = Desk("elapsed", by_code("elapsed"), ("createdDate", "dateStart", "dateStop"), (), ("userId",))
_NO_ITEM: Final = MethodError("ERROR_CORE", "TASKS_ERROR_EXCEPTION_#8; Action failed; not found; 8/TE/ITEM_NOT_FOUND")
NO_TASK: Final = MethodError("ERROR_CORE", "TASKS_ERROR_EXCEPTION_#8; Action failed; not found; 8/TE/TASK_NOT_FOUND")


def _view(size: int) -> View:
    names = by_code("elapsed")
    pager = lambda start, count: paging.PageWindow(start or 0, count(), None, size)  # noqa: E731 (a pager of this size)
    return View("elapsed", names, names, "classic", pager, prefixes=TASK_PREFIXES)


@method("task.elapseditem.getlist", "task")
def list_elapsed(params: Params, context: Context) -> Result:
    """A page of elapsed time: TASKID is omitted if the first argument is an array; ``start`` is ignored."""
    given = list(params.values())
    conditions: dict[str, Any] = {}
    task = None
    if given and not isinstance(given[0], dict | list):
        task = php_int(given.pop(0))
        conditions["TASK_ID"] = task
    order, filters, select, more = (given + [None] * 4)[:4]
    conditions |= map_of(filters) if isinstance(filters, dict | list) else {}
    pages = map_of(map_of(more).get("NAV_PARAMS")) if isinstance(more, dict) else {}
    size = min(php_int(pages.get("nPageSize", _FIRST)) or _FIRST, _FIRST) if task is None or pages else 10**9
    number = max(php_int(pages.get("iNumPage", 1)), 1)
    context.start = (number - 1) * size
    sorts = map_of(order) if isinstance(order, dict) else {}
    found, window = _view(size).page(context, conditions, sorts, names_of(select))
    total = window.total or 0
    after = window.offset + size
    return Result(found, total, after if after < total else None)


def _task(given: list[Any], context: Context) -> int:
    task = php_int(given[0]) if given and not isinstance(given[0], dict | list) else 0
    if context.store.row("task", task) is None:
        raise NO_TASK
    return task


def _item(params: Params, context: Context) -> tuple[int, list[Any]]:
    """The item named by the first two arguments, and the remaining arguments."""
    given = list(params.values())
    task = _task(given, context)
    row_id = php_int(given[1]) if len(given) > 1 else 0
    row = context.store.row("elapsed", row_id)
    if row is None or row["taskId"] != task:
        raise _NO_ITEM
    return row_id, given[2:]


def _values(given: list[Any]) -> dict[str, Any]:
    values = map_of(given[0]) if given and isinstance(given[0], dict) else {}
    if "SECONDS" in values:
        values["MINUTES"] = php_int(values["SECONDS"]) // 60
    return values


def _total(task: int, context: Context) -> None:
    """Update the elapsed time of the task."""
    spent = context.store.scalar("SELECT sum(seconds) FROM elapsed WHERE taskId = ?", (task,))
    context.store.update_row("task", task, {"timeSpentInLogs": spent})


@method("task.elapseditem.get", "task")
def get_elapsed(params: Params, context: Context) -> Result:
    """One item: task, item."""
    row_id, _ = _item(params, context)
    found, _ = _view(_FIRST).page(context, {"ID": row_id}, {})
    return Result(found[0])


@method("task.elapseditem.add", "task")
def add_elapsed(params: Params, context: Context) -> Result:
    """Create an item; returns its id: task, fields."""
    given = list(params.values())
    task = _task(given, context)
    row_id = _DESK.add({"SOURCE": 3, **_values(given[1:]), "TASK_ID": task}, context)
    _total(task, context)
    return Result(row_id)


@method("task.elapseditem.update", "task")
def update_elapsed(params: Params, context: Context) -> Result:
    """Change an item: task, item, fields."""
    row_id, rest = _item(params, context)
    values = {name: value for name, value in _values(rest).items() if name not in ("ID", "TASK_ID")}
    _DESK.update(row_id, values, context, _NO_ITEM)
    _total(php_int(next(iter(params.values()))), context)
    return Result(None)


@method("task.elapseditem.delete", "task")
def delete_elapsed(params: Params, context: Context) -> Result:
    """Delete an item: task, item."""
    _DESK.delete(_item(params, context)[0], context, _NO_ITEM)
    _total(php_int(next(iter(params.values()))), context)
    return Result(None)
