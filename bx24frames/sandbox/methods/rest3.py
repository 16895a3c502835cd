"""Methods of REST 3.0: tasks and the event log (https://apidocs.bitrix24.com/api-reference/rest-v3/index.html)."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from bx24frames.sandbox.envelope import API_CODE
from bx24frames.sandbox.fields.casts import php_int
from bx24frames.sandbox.fields.field import FieldSpec
from bx24frames.sandbox.methods.plain import Desk, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, read_rows
from bx24frames.sandbox.store.tables import TABLES, Row
from bx24frames.sandbox.wire import API

_Test = Callable[[Any, Any], bool]

V3_PAGE: Final = 50
_OPERATORS: Final[Mapping[str, _Test]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "in": lambda value, wanted: value in wanted,
    "between": lambda value, ends: ends[0] <= value <= ends[1],
}
_LISTED: Final[Mapping[str, tuple[int, int]]] = {"in": (0, 10_000), "between": (2, 2)}
"""Number of values of operators that take several."""


def api_fault(name: str, message: str, status: int = 400, **more: Any) -> MethodError:
    """An error with a code of REST 3.0."""
    return MethodError(API_CODE.format(name), message, status, **more)


NO_FILTER: Final = api_fault("INVALIDFILTER", "Unable to recognize the filter expression")


def not_valid(name: str, message: str) -> MethodError:
    """The error for an invalid field of a request."""
    text = "Error validating the request object"
    return api_fault("VALIDATION_REQUESTVALIDATION", text, validation=[{"field": name, "message": message}])


def _comparable(value: Any, cell: Any) -> Any:
    """A value converted to the type of the cell: date-times with their offsets, digits as numbers."""
    if isinstance(value, list):
        return [_comparable(one, cell) for one in value]
    if isinstance(cell, int) and not isinstance(cell, bool):
        return php_int(value)
    if isinstance(value, str) and len(value) >= 19 and value[10:11] == "T":
        moment = datetime.fromisoformat(value)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return value


def _recognised(condition: Any) -> tuple[str, str, Any]:
    """A condition's field, operator and value: ``[field, value]`` means equal, or any of a list."""
    if not isinstance(condition, list) or len(condition) not in (2, 3) or not isinstance(condition[0], str):
        raise NO_FILTER
    name, *word, value = condition
    sign = str(word[0]) if word else ("in" if isinstance(value, list) else "=")
    if sign not in _OPERATORS:
        raise api_fault("UNKNOWNFILTEROPERATOR", f"Unknown operator `{sign}`")
    least, most = _LISTED.get(sign, (-1, -1))
    if (least <= len(value) <= most) if isinstance(value, list) else least < 0:
        return name, sign, value
    raise NO_FILTER


LOGICS: Final[Mapping[str, Callable[[Iterable[bool]], bool]]] = {"and": all, "or": any}


def _met(row: Row, condition: Any, filterable: frozenset[str]) -> bool:
    """A condition, or a group of them with its own logic [rest module: lib/V3/Structure/Filtering]."""
    if isinstance(condition, Mapping):
        logic, inner = LOGICS.get(str(condition.get("logic", "and"))), condition.get("conditions")
        if logic is None or not isinstance(inner, list):
            raise NO_FILTER
        return logic([_met(row, one, filterable) for one in inner])
    name, sign, value = _recognised(condition)
    if name not in filterable:
        raise not_valid(name, f"field `{name}` requires the `Filterable` attribute for such a request")
    cell = row[name]
    try:
        return cell is not None and _OPERATORS[sign](_comparable(cell, None), _comparable(value, cell))
    except (TypeError, ValueError):
        raise NO_FILTER from None


def _window(pagination: Any, most: int) -> slice:
    given = pagination if isinstance(pagination, dict) else {}
    numbers = {name: given.get(name, default) for name, default in (("limit", V3_PAGE), ("page", 1), ("offset", 0))}
    if any(isinstance(one, bool) or not isinstance(one, int) for one in numbers.values()) or numbers["limit"] < 1:
        raise api_fault("INVALIDPAGINATION", f"Unable to recognize pagination parameter `{given}`")
    limit = min(numbers["limit"], most)
    start = numbers["offset"] or (numbers["page"] - 1) * limit
    return slice(start, start + limit)


def _shaped(params: Params, name: str, shape: type, fault: MethodError) -> Any:
    """A parameter that is a list, a map or absent."""
    value = params.get(name)
    if value and not isinstance(value, shape):
        raise fault
    return value or shape()


def page(
    rows: list[Row], params: Params, most: int, filterable: frozenset[str], sortable: frozenset[str] = frozenset()
) -> list[Row]:
    """Filter, sort, cut and select: unknown fields of the row are left out, unknown related ones are an error."""
    for condition in _shaped(params, "filter", list, NO_FILTER):
        rows = [row for row in rows if _met(row, condition, filterable)]
    order = _shaped(params, "order", dict, api_fault("INVALIDORDER", "Unable to recognize the sorting parameter"))
    for name, direction in reversed((order or {"id": "ASC"}).items()):
        word = str(direction).upper()
        if word not in ("ASC", "DESC") or name not in filterable | sortable:
            raise api_fault("INVALIDORDER", f"Unable to recognize sorting parameter `{name}`")
        rows = sorted(rows, key=lambda row, name=name: (row[name] is not None, row[name]), reverse=word == "DESC")  # type: ignore[misc]
    no_select = api_fault("INVALIDSELECT", "Unable to recognize the list of fields")
    select = _shaped(params, "select", list, no_select) or ["id"]
    if not all(isinstance(name, str) for name in select):
        raise no_select
    related = next((str(name) for name in select if "." in str(name)), None)
    if related is not None:
        raise api_fault("UNKNOWNDTOPROPERTY", f"Unknown field `{related}`")
    return [
        {name: row[name] for name in select if name in row} for row in rows[_window(params.get("pagination"), most)]
    ]


# ---------------------------------------------------------------- tasks

_TASK_FIELDS: Final[Mapping[str, str]] = {
    "id": "ID",
    "title": "TITLE",
    "description": "DESCRIPTION",
    "creatorId": "CREATED_BY",
    "created": "CREATED_DATE",
    "responsibleId": "RESPONSIBLE_ID",
    "deadline": "DEADLINE",
    "groupId": "GROUP_ID",
    "stageId": "STAGE_ID",
    "priority": "PRIORITY",
    "status": "STATUS",
    "parentId": "PARENT_ID",
    "started": "DATE_START",
    "estimatedTime": "TIME_ESTIMATE",
    "replicate": "REPLICATE",
    "changed": "CHANGED_DATE",
    "changedById": "CHANGED_BY",
    "closedById": "CLOSED_BY",
    "closed": "CLOSED_DATE",
    "mark": "MARK",
    "isMultitask": "MULTITASK",
    "crmItemIds": "UF_CRM_TASK",
}
"""Names of REST 3.0 and their columns."""
_STATUSES: Final = {"2": "pending", "3": "in_progress", "4": "supposedly_completed", "5": "completed", "6": "deferred"}
_FLAGS: Final = ("replicate", "isMultitask")


def _tasks(context: Context) -> list[Row]:
    specs: dict[str, FieldSpec] = dict(by_code("task"))
    selection = Selection("item", tuple((name, specs[code]) for name, code in _TASK_FIELDS.items()))
    rows = [row for _, row in read_rows(context.store, TABLES["task"], selection, "ORDER BY t.id", ())]
    for row in rows:
        row["status"] = _STATUSES.get(str(row["status"]), row["status"])
        row["crmItemIds"] = row["crmItemIds"] or []
        row.update({name: row[name] == "Y" for name in _FLAGS})
    return rows


@method(f"{API}tasks.task.list", "tasks")
def list_tasks_v3(params: Params, context: Context) -> Result:
    """A page of tasks: conditions only on the id, at most 50 rows whatever the limit."""
    found = page(_tasks(context), params, V3_PAGE, frozenset({"id"}))
    context.rows += len(found)
    return Result({"items": found})


@method(f"{API}tasks.task.get", "tasks")
def get_task_v3(params: Params, context: Context) -> Result:
    """One task."""
    found = [row for row in _tasks(context) if row["id"] == params.get("id")]
    if not found:
        raise _absent(params.get("id"))
    return Result(
        {"item": page(found, {"select": params.get("select") or list(found[0])}, V3_PAGE, frozenset({"id"}))[0]}
    )


_WRITTEN: Final = {name: code for name, code in _TASK_FIELDS.items() if name not in _FLAGS}


def _stored(params: Params) -> Params:
    """The sent fields by their older names."""
    values = _shaped(params, "fields", dict, not_valid("fields", "Required field `fields` is not specified"))
    words = {word: status for status, word in _STATUSES.items()}
    return {_WRITTEN[name]: words.get(str(value), value) for name, value in values.items() if name in _WRITTEN}


def _known(params: Params, context: Context) -> int:
    row_id = php_int(params.get("id"))
    if context.store.row("task", row_id) is None:
        raise _absent(row_id)
    return row_id


def _absent(row_id: Any) -> MethodError:
    return api_fault("ENTITYNOTFOUND", f"Entry with ID = `{row_id}` not found")


_DESK: Final = Desk("task", by_code("task"), ("createdDate",), ("changedDate",), ("createdBy", "changedBy"))


@method(f"{API}tasks.task.add", "tasks")
def add_task_v3(params: Params, context: Context) -> Result:
    """Create a task, printed whole."""
    values = _stored(params)
    for name, code in (("title", "TITLE"), ("responsibleId", "RESPONSIBLE_ID")):
        if not values.get(code):
            raise not_valid(f"fields.{name}", f"Required field `{name}` is not specified")
    row_id = _DESK.add({"STATUS": "2", "PRIORITY": "1", **values}, context)
    return Result({"item": next(row for row in _tasks(context) if row["id"] == row_id)})


@method(f"{API}tasks.task.update", "tasks")
def update_task_v3(params: Params, context: Context) -> Result:
    """Change a task."""
    row_id = _known(params, context)
    _DESK.update(row_id, _stored(params), context, _absent(row_id))
    return Result({"result": True})


@method(f"{API}tasks.task.delete", "tasks")
def delete_task_v3(params: Params, context: Context) -> Result:
    """Delete a task."""
    row_id = _known(params, context)
    _DESK.delete(row_id, context, _absent(row_id))
    return Result({"result": True})


RESULT_FIELDS: Final = ("id", "taskId", "text", "authorId", "createdAt", "updatedAt", "status", "fileIds", "messageId")
RESULT_FILTER: Final = frozenset({"taskId", "id", "authorId", "status", "messageId"})


def results_of(task: int) -> list[Row]:
    """The results of a task; every seventh task has more than a page."""
    moment = datetime(2026, 4, 30, 10, 15, tzinfo=timezone(timedelta(hours=2)))
    return [
        {
            "id": 1000 * task + number,
            "taskId": task,
            "text": f"Работа {number} выполнена & принята",
            "authorId": 1 + number % 5,
            "createdAt": (moment + timedelta(hours=number)).isoformat(),
            "updatedAt": (moment + timedelta(hours=number + number % 2)).isoformat(),
            "status": "closed" if number % 3 else "open",
            "fileIds": [10 * number, 10 * number + 1] if number % 4 == 0 else [],
            "messageId": number if number % 2 else None,
        }
        for number in range(1, 1 + (120 if task % 7 == 0 else task % 4))
    ]


@method(f"{API}tasks.task.result.list", "tasks")
def list_results_v3(params: Params, context: Context) -> Result:
    """A page of the results of one task, which is required."""
    given = params.get("filter")
    if not isinstance(given, list) or not given:
        raise not_valid("filter", "The field value cannot be empty")
    tasks = [condition[-1] for condition in given if isinstance(condition, list) and condition[:1] == ["taskId"]]
    if len(tasks) != 1 or not isinstance(tasks[0], int):
        raise api_fault(
            "VALIDATION_REQUESTFILTERVALIDATION", "A filter for the required field `taskId` must be specified"
        )
    select = params.get("select") or [name for name in RESULT_FIELDS if name != "fileIds"]
    if unknown := [name for name in select if name not in RESULT_FIELDS]:
        raise api_fault("UNKNOWNDTOPROPERTY", f"Unknown field `{unknown[0]}` for entity `ResultDto`")
    found = page(
        results_of(tasks[0]),
        {**params, "select": select},
        V3_PAGE,
        RESULT_FILTER,
        frozenset({"createdAt", "updatedAt"}),
    )
    context.rows += len(found)
    return Result({"items": found})


# ---------------------------------------------------------------- the event log

ENTRIES: Final = 130
_MOST: Final = 1000
_FIRST: Final = datetime(2025, 3, 1, tzinfo=timezone(timedelta(hours=3)))
AUDITS: Final = ("USER_AUTHORIZE", "USER_LOGOUT", "USER_EDIT", "GROUP_POLICY_EDIT")


def _entry(number: int) -> Row:
    return {
        "id": number * 3,
        "timestampX": (_FIRST + timedelta(hours=5 * number)).isoformat(),
        "severity": ("SECURITY", "INFO", "WARNING")[number % 3],
        "auditTypeId": AUDITS[number % len(AUDITS)],
        "moduleId": "main",
        "itemId": str(number % 11),
        "remoteAddr": f"203.0.113.{number % 250}",
        "userAgent": "Mozilla/5.0",
        "requestUri": f"/auth/?a={number}&b=1",
        "siteId": "s1" if number % 4 else None,
        "userId": number % 11 or None,
        "guestId": 0,
        "description": f'{{"userId":{number % 11}}}',
    }


_LOG: Final = tuple(_entry(number) for number in range(1, ENTRIES + 1))


@method(f"{API}main.eventlog.list", "main")
def list_event_log(params: Params, context: Context) -> Result:
    """A page of the event log: every field in conditions and orders."""
    found = page([*_LOG], params, _MOST, frozenset(_LOG[0]))
    context.rows += len(found)
    return Result({"items": found})
