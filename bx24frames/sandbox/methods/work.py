"""Tasks, calls, workgroups (https://apidocs.bitrix24.com/api-reference/tasks/)."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.field import FieldSpec
from bx24frames.sandbox.methods.arguments import bound, bound_array, classic_map, map_of, names_of
from bx24frames.sandbox.methods.plain import CLASSIC, CONTROLLER, EXACT, Desk, View, by_code, by_name
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import php_int, php_text

# ---------------------------------------------------------------- tasks

PREFIXES: Final = (">=", "<=", "!", ">", "<", "%")
BAD_ORDER: Final = MethodError("0", "Invalid sorting key (internal error)")
WRONG_ID: Final = MethodError("0", "wrong task id")
TASK_TYPES: Final = {"string": "string", "integer": "integer", "enum": "enum", "datetime": "datetime", "array": "array"}
USER_TYPES: Final = {"UF_CRM_TASK": "crm"}
CONDITIONS: Final = {"REAL_STATUS": "STATUS", "ACCOMPLICE": "ACCOMPLICES", "AUDITOR": "AUDITORS", "TAG": "TAGS"}
"""Names of conditions that are not those of the fields: `STATUS` among them takes overdue tasks for ``-1``."""
STATUSES: Final = {"2": "Ждет выполнения", "3": "Выполняется", "4": "Ожидает контроля", "5": "Завершена"}

TASKS: Final = View(
    "task",
    {spec.column: spec for spec in by_code("task").values()},
    {**by_code("task"), **{asked: by_code("task")[code] for asked, code in CONDITIONS.items()}},
    "classic",
    CONTROLLER,
    prefixes=PREFIXES,
    # where nothing is set false is printed, where a list is empty []
    own={"ufCrmTask": lambda value: value or False},
)
TASK_DESK: Final = Desk("task", by_code("task"), ("createdDate",), ("changedDate",), ("createdBy", "changedBy"))


@method("tasks.task.list", "task")
def list_tasks(params: Params, context: Context) -> Result:
    """A page of tasks, engine B: asked in UPPER_SNAKE, printed in camelCase, numbers as text."""
    order = map_of(bound_array(params, "order", {}))
    if any(php_text(name) not in TASKS.asked for name in order):
        raise BAD_ORDER
    select = names_of(bound_array(params, "select", []))
    found, window = TASKS.page(context, map_of(bound_array(params, "filter", {})), order or {"ID": "DESC"}, select)
    return Result({"tasks": [_with_group(row) for row in found]}, window.total, window.next)


def _with_group(row: dict[str, Any]) -> dict[str, Any]:
    group = row.get("groupId")
    if group is None:
        return row
    return row | {"group": [] if group == "0" else {"id": group, "name": f"Group {group}", "image": ""}}


def _task_id(params: Params) -> int:
    number = php_int(bound(params, "taskId"))
    if number <= 0:
        raise WRONG_ID
    return number


def _printed(row_id: int, context: Context) -> Result:
    found, _ = TASKS.page(context, {"ID": row_id}, {})
    return Result({"task": found[0]} if found else [])


@method("tasks.task.get", "task")
def get_task(params: Params, context: Context) -> Result:
    """One task; for none the controller swallows its error and prints an empty list."""
    return _printed(_task_id(params), context)


@method("tasks.task.add", "task")
def add_task(params: Params, context: Context) -> Result:
    """A new task, printed whole."""
    bound(params, "fields")
    return _printed(TASK_DESK.add(map_of(bound_array(params, "fields", {})), context), context)


@method("tasks.task.update", "task")
def update_task(params: Params, context: Context) -> Result:
    """Change a task; printed whole."""
    row_id = _task_id(params)
    TASK_DESK.update(row_id, map_of(bound_array(params, "fields", {})), context, MethodError("1048582", "Not found"))
    return _printed(row_id, context)


@method("tasks.task.delete", "task")
def delete_task(params: Params, context: Context) -> Result:
    """Delete a task."""
    TASK_DESK.delete(_task_id(params), context, MethodError("1048582", "Not found"))
    return Result({"task": True})


@method("tasks.task.getFields", "task")
def describe_tasks(_: Params, __: Context) -> Result:
    """The field description, in UPPER_SNAKE."""
    return Result({"fields": {code: _described(spec) for code, spec in by_code("task").items()}})


def _described(spec: FieldSpec) -> dict[str, Any]:
    described: dict[str, Any] = {"title": spec.title, "type": USER_TYPES.get(spec.code) or TASK_TYPES[spec.type]}
    if spec.code == "ID":
        described["primary"] = True
    if spec.required:
        described["required"] = True
    if spec.code == "STATUS":
        described |= {"values": STATUSES, "default": "2"}
    return described


# ---------------------------------------------------------------- calls

CALLS: Final = View(
    "call", by_code("call"), by_code("call"), "classic", EXACT,
    prefixes=(">=", "<=", "!=", "!%", "=", "!", ">", "<", "%", "?"),
)  # fmt: skip


@method("voximplant.statistic.get", "telephony")
def list_calls(params: Params, context: Context) -> Result:
    """A page of calls, engine C (https://apidocs.bitrix24.com/api-reference/telephony/voximplant/statistic/)."""
    order = {php_text(params.get("SORT", "ID")): params.get("ORDER", "ASC")}
    found, window = CALLS.page(context, map_of(params.get("FILTER")), order)
    return Result(found, window.total, window.next)


# ---------------------------------------------------------------- workgroups

GROUPS: Final = View("workgroup", by_code("workgroup"), by_code("workgroup"), "classic", CLASSIC)
FILTERABLE: Final = (
    "ID", "NAME", "OWNER_ID", "ACTIVE", "VISIBLE", "OPENED", "CLOSED", "PROJECT", "SUBJECT_ID", "SITE_ID",
    "DATE_CREATE", "DATE_UPDATE", "DATE_ACTIVITY",
)  # fmt: skip
API_GROUPS: Final = View(
    "workgroup",
    by_name("workgroup"),
    {code: spec for code, spec in by_code("workgroup").items() if code in FILTERABLE},
    "classic",
    CONTROLLER,
    lambda name: MethodError("0", f"Unknown field definition `{name}`"),
)
GROUP_DESK: Final = Desk("workgroup", by_code("workgroup"), ("dateCreate",), ("dateUpdate",), ("ownerId",))
NO_GROUP: Final = MethodError("", "Socialnetwork group not found")


@method("sonet_group.get", "sonet_group")
def list_groups(params: Params, context: Context) -> Result:
    """A page of workgroups, engine A."""
    found, window = GROUPS.page(context, classic_map(params, "filter"), classic_map(params, "order"))
    return Result(found, window.total, window.next)


@method("sonet_group.create", "sonet_group")
def add_group(params: Params, context: Context) -> Result:
    """A new workgroup; its id."""
    return Result(GROUP_DESK.add(params, context))


@method("sonet_group.update", "sonet_group")
def update_group(params: Params, context: Context) -> Result:
    """Change a workgroup; its id."""
    row_id = php_int(params.get("GROUP_ID"))
    GROUP_DESK.update(row_id, params, context, NO_GROUP)
    return Result(row_id)


@method("sonet_group.delete", "sonet_group")
def delete_group(params: Params, context: Context) -> Result:
    """Delete a workgroup."""
    GROUP_DESK.delete(php_int(params.get("GROUP_ID")), context, NO_GROUP)
    return Result(value=True)


@method("socialnetwork.api.workgroup.list", "socialnetwork")
def list_api_groups(params: Params, context: Context) -> Result:
    """A page of workgroups, engine B; names are asked for in capitals, the recorded total is that of the page, and ids
    are text (https://apidocs.bitrix24.com/api-reference/sonet-group/socialnetwork-api-workgroup-list.html).
    """
    conditions = map_of(bound_array(params, "filter", {}))
    select = names_of(bound_array(params, "select", [])) or ["id"]
    found, window = API_GROUPS.page(context, conditions, map_of(bound_array(params, "order", {})), select)
    total = None if window.total is None else len(found)
    return Result({"workgroups": found}, total, window.next)
