"""Tasks, ``tasks.task.*`` (https://apidocs.bitrix24.com/api-reference/tasks/)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import orjson

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.fields.field import FieldSpec, controller_name
from bx24frames.sandbox.filters.base import Fragment, WhereClause, all_of, any_of
from bx24frames.sandbox.filters.item import split_operator
from bx24frames.sandbox.methods.arguments import bound, bound_array, map_of, names_of
from bx24frames.sandbox.methods.declarations import TASK_FIELDS
from bx24frames.sandbox.methods.plain import CONTROLLER, Desk, View, by_code
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import values_of

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store

_FILES: Final = "UF_TASK_WEBDAV_FILES"
FILES_COLUMN: Final = "ufTaskWebdavFiles"
FIRST_ATTACHMENT: Final = 5000
TASK_PREFIXES: Final = (">=", "<=", "!", ">", "<", "%")
BAD_ORDER: Final = MethodError("0", "Invalid sorting key (internal error)")
WRONG_ID: Final = MethodError("0", "wrong task id")
NO_TASK_ID: Final = MethodError(
    "100", "CTaskItem All parameters in the constructor must have real class type (internal error)"
)
_NOT_FOUND: Final = MethodError("1048582", "Not found")
TASK_TYPES: Final = {
    "UF_CRM_TASK": "crm", "UF_TASK_WEBDAV_FILES": "disk_file", "UF_MAIL_MESSAGE": "mail_message",
    "MATCH_WORK_TIME": "integer",
}  # fmt: skip
"""Described types that differ from those of the values."""
FILE_FIELDS: Final = ("UF_TASK_WEBDAV_FILES", "UF_MAIL_MESSAGE")
_CONDITIONS: Final = {"REAL_STATUS": "STATUS", "ACCOMPLICE": "ACCOMPLICES", "AUDITOR": "AUDITORS", "TAG": "TAGS"}
"""Names of conditions that differ from those of fields."""
_STATUSES: Final = {
    "2": "Ждет выполнения", "3": "Выполняется", "4": "Ожидает контроля", "5": "Завершена", "6": "Отложена"
}  # fmt: skip

# The computed status of a task [tasks module: classes/general/task.php]; the times are bound parameters.
_META: Final = """CASE
    WHEN t.deadline < ? AND t.status NOT IN ('4', '5') THEN '-1'
    WHEN t.notViewed = 'Y' AND t.status IN ('1', '2') THEN '-2'
    WHEN t.deadline < ? AND t.status NOT IN ('4', '5') THEN '-3'
    ELSE t.status END"""
SOON: Final = 86_400.0
SUBFILTER: Final = "::SUBFILTER-"


@dataclass(frozen=True, slots=True)
class TaskView(View):
    """The list of tasks at a time: `soon` is a day after `now`, both as stored."""

    now: str = ""
    soon: str = ""

    def at(self, context: Context) -> TaskView:
        """The list at the current time."""
        moments = [context.store.local_time(context.now + later) for later in (0, SOON)]
        return replace(self, now=moments[0], soon=moments[1])

    def conditions(self, given: Mapping[str, Any], zone: str) -> Fragment:
        """A filter map as SQL, groups inside groups."""
        return WhereClause([self._group(given, zone)]).clause()

    def _group(self, given: Mapping[str, Any], zone: str) -> Fragment:
        parts = [self._part(str(key), value, zone) for key, value in given.items()]
        kept = [part for part in parts if part is not None]
        either = php_text(given.get("::LOGIC")).upper() == "OR" and kept
        return any_of(kept) if either else all_of(kept)

    def _part(self, key: str, value: Any, zone: str) -> Fragment | None:
        if key.startswith(SUBFILTER):
            return self._group(map_of(value), zone) if isinstance(value, dict | list) else None
        prefix, name = split_operator(key, self.prefixes)
        spec = self.asked.get(_CONDITIONS.get(name, name))
        if spec is None:
            return None
        part = self.condition(prefix, spec, value, zone)
        return self._of_meta(part) if part is not None and name == "STATUS" else part

    def _of_meta(self, part: Fragment) -> Fragment:
        """A condition on the raw status as one on the computed status."""
        pieces = part.sql.split('t."status"')
        moments = (self.now, self.soon) * (len(pieces) - 1)
        return Fragment(_META.join(pieces), (*moments, *part.params))


TASKS: Final = TaskView(
    "task",
    {spec.column: spec for spec in by_code("task").values()},
    by_code("task"),
    "classic",
    CONTROLLER,
    prefixes=TASK_PREFIXES,
    # an unset value is printed as false, an empty list as []
    hidden=frozenset(FILE_FIELDS),
    own={
        **{spec.column: lambda value: value or None for spec in by_code("task").values() if spec.type == "datetime"},
        **dict.fromkeys(("ufCrmTask", "ufTaskWebdavFiles"), lambda value: value or False),
        "newCommentsCount": php_int,
        "tags": lambda value: {tag_id(one): {"id": int(tag_id(one)), "title": one} for one in value or ()} or [],
    },
)
_NEW: Final = {
    "STATUS": "2",
    "PRIORITY": "1",
    "STAGE_ID": 0,
    "GROUP_ID": 0,
    "TIME_ESTIMATE": 0,
    "NEW_COMMENTS_COUNT": 0,
    "SITE_ID": "s1",
    "DURATION_TYPE": "days",
    "DESCRIPTION": "",
    **dict.fromkeys(("MULTITASK", "NOT_VIEWED", "REPLICATE", "ALLOW_CHANGE_DEADLINE", "ALLOW_TIME_TRACKING"), "N"),
    **dict.fromkeys(("TASK_CONTROL", "ADD_IN_REPORT", "MATCH_WORK_TIME"), "N"),
    **dict.fromkeys(("ACCOMPLICES", "AUDITORS", "TAGS", "UF_CRM_TASK", "CHECKLIST", "UF_TASK_WEBDAV_FILES"), ()),
}
"""Constant keys of a task [recorded: single_add]."""
_KEPT: Final = dict.fromkeys(("isMuted", "isPinned", "isPinnedInGroup", "favorite"), "N") | {
    "newCommentsCount": 0, "outlookVersion": 1
}  # fmt: skip
"""Values that the portal fills in for a new task."""
TASK_DESK: Final = Desk(
    "task", by_code("task"), ("createdDate", "activityDate", "statusChangedDate"), ("changedDate", "activityDate"),
    ("createdBy", "changedBy"),
)  # fmt: skip


def tag_id(title: str) -> str:
    """The id of a tag, by its title."""
    return str(crc32(title.encode()) % 100_000 + 1)


@method("tasks.task.list", "task")
def list_tasks(params: Params, context: Context) -> Result:
    """A page of tasks, engine B: UPPER_SNAKE in parameters, camelCase in answers, numbers as text."""
    order = map_of(bound_array(params, "order", {}))
    if any(php_text(name) not in TASKS.asked for name in order):
        raise BAD_ORDER
    select = names_of(bound_array(params, "select", []))
    view, conditions = TASKS.at(context), map_of(bound_array(params, "filter", {}))
    found, window = view.page(context, conditions, order or {"ID": "DESC"}, _selected(select))
    added = [one for flag, one in ADDED_KEYS.items() if _is_set(map_of(params.get("params")).get(flag))]
    tasks = [row | _length(row) | {key: show(row) for one in added for key, show in one.items()}
             for row in _with_more(found, view, context, select)]  # fmt: skip
    return Result({"tasks": tasks}, window.total, window.next)


def _length(row: dict[str, Any]) -> dict[str, Any]:
    """Keys that lists print next to a deadline."""
    return {"lengthDeadline": "1" if row["deadline"] else "0"} if "deadline" in row else {}


ADDED_KEYS: Final[Mapping[str, Mapping[str, Callable[[dict[str, Any]], Any]]]] = {
    "WITH_RESULT_INFO": dict.fromkeys(("taskRequireResult", "taskHasOpenResult", "taskHasResult"), lambda _: "N"),
    "WITH_TIMER_INFO": {"timeElapsed": lambda _: None, "timerIsRunningForCurrentUser": lambda _: "N"},
    "WITH_PARSED_DESCRIPTION": {"parsedDescription": lambda row: row.get("description") or ""},
}
"""Keys that ``params`` of a list adds to its rows."""


def _is_set(value: Any) -> bool:
    return value not in (None, False, 0, "", "0", "N", "false")


def _selected(select: list[str]) -> list[str]:
    """One of the fields of files brings all of them [tasks module: lib/rest/controllers/task.php]."""
    wanted = {*FILE_FIELDS, "UF_CRM_TASK"}
    return [*select, *wanted] if wanted & set(select) else select


def _with_more(
    rows: list[dict[str, Any]], view: TaskView, context: Context, select: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Rows with the keys next to status, group and description, and the requested declared fields."""
    declared = TASK_FIELDS.read(context.store, [int(row["id"]) for row in rows if "id" in row])
    for row in rows:
        cells = declared.get(int(row.get("id", 0)), {})
        row |= {controller_name(code): cell for code, cell in cells.items() if code in select or "UF_*" in select}
        if "checklist" in row:
            row["checklist"] = _checklist(int(row["id"]), context.store) or []
        if "description" in row:
            row["descriptionInBbcode"] = "Y"
        if "COUNTERS" in select:
            row["counter"] = {"counters": dict.fromkeys(COUNTERS, 0), "color": "gray", "value": 0}
    ids = ", ".join(str(int(row["id"])) for row in rows if "status" in row)
    sql = f"SELECT id, {_META} FROM task t WHERE id IN ({ids})"  # noqa: S608 (numbers)
    metas = dict(context.store.query(sql, (view.now, view.soon)))
    names = people_names(context.store)
    return [_accompanied(row | {"subStatus": metas[int(row["id"])]} if "status" in row else row, names) for row in rows]


ITEM_ACTIONS: Final = dict.fromkeys(("modify", "remove", "toggle", "add", "addAccomplice"), True)


def _checklist(task: int, store: Store) -> dict[str, dict[str, Any]]:
    """The checklist of a task as the task prints it: texts of the items by id."""
    found = {}
    for (number,) in store.query("SELECT id FROM checklist_item WHERE taskId = ? ORDER BY sortIndex, id", (task,)):
        row = store.row("checklist_item", number) or {}
        texts = {name: None if cell is None else php_text(cell) for name, cell in row.items() if name != "members"}
        moment = row["toggledDate"] and f"{row['toggledDate']}{store.server_zone}"
        found[str(number)] = texts | {
            "parentId": texts["parentId"] if row["parentId"] else 0, "toggledDate": moment, "ufChecklistFiles": False,
            "members": orjson.loads(row["members"] or "[]"), "attachments": [], "entityId": str(task),
            "action": ITEM_ACTIONS,
        }  # fmt: skip
    return found


def people_names(store: Store) -> dict[str, str]:
    """The users' names, by id."""
    rows = store.query('SELECT id, name, lastName FROM "user"')
    return {str(row_id): " ".join(filter(None, names)) for row_id, *names in rows}


COUNTERS: Final = (
    "expired", "newComments", "projectExpired", "projectNewComments", "mutedExpired", "mutedNewComments"
)  # fmt: skip


def _accompanied(row: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A row with an object next to each link, or an empty list for none."""
    more: dict[str, Any] = {"descriptionInBbcode": "Y"} if "description" in row else {}
    if "groupId" in row:
        group = row["groupId"]
        more["group"] = {"id": group, "name": f"Group {group}", "image": ""} if php_int(group) else []
    for link, name in (("createdBy", "creator"), ("responsibleId", "responsible")):
        if link in row:
            more[name] = _person(row[link], names)
    for link in ("accomplices", "auditors"):
        if link in row:
            more[f"{link}Data"] = {one: _person(one, names) for one in map(php_text, row[link] or ())} or []
    return row | more


def _person(row_id: Any, names: Mapping[str, str]) -> Any:
    user = php_text(row_id)
    if user not in names:
        return []
    icon = "/bitrix/images/tasks/default_avatar.png"
    link = f"/company/personal/user/{user}/"
    return {"id": user, "name": names[user], "link": link, "icon": icon, "workPosition": ""}


def task_id(params: Params) -> int:
    """The task of an action: ``taskId``, or ``id`` [tasks module: lib/rest/controllers/task.php].

    Raises
    ------
    MethodError
        Both are missing, or it is not a positive number.
    """
    if "taskId" not in params and "id" not in params:
        raise NO_TASK_ID
    number = php_int(params.get("taskId", params.get("id")))
    if number <= 0:
        raise WRONG_ID
    return number


def printed_task(row_id: int, context: Context, select: Sequence[str] = ()) -> Result:
    """A task as actions print it."""
    view = TASKS.at(context)
    found = view.one(context, {"ID": row_id}, _selected(list(select)))
    return Result({"task": _with_more([found], view, context, select)[0]} if found else [])


@method("tasks.task.get", "task")
def get_task(params: Params, context: Context) -> Result:
    """One task; for an unknown one the controller ignores its error and prints an empty list."""
    return printed_task(task_id(params), context, names_of(bound_array(params, "select", [])))


def _attached(values: Mapping[str, Any], known: Sequence[str]) -> dict[str, Any]:
    """Values with their files: ``n12`` attaches the disk's file 12, a number keeps an existing attachment."""
    if _FILES not in values:
        return dict(values)
    given = [php_text(one) for one in values_of(values[_FILES])]
    numbers = [str(FIRST_ATTACHMENT + php_int(one[1:])) if one.startswith("n") else one for one in given]
    kept = [number for one, number in zip(given, numbers, strict=True) if one.startswith("n") or one in known]
    return {**values, _FILES: kept}


@method("tasks.task.add", "task")
def add_task(params: Params, context: Context) -> Result:
    """Create a task, printed whole."""
    bound(params, "fields")
    values = map_of(bound_array(params, "fields", {}))
    if not php_text(values.get("TITLE")).strip():
        raise MethodError("ERROR_CORE", "Не указано название задачи<br>")
    row_id = TASK_DESK.add({**_NEW, **_attached(values, ())}, context)
    context.store.update_row("task", row_id, {**_KEPT, "guid": f"{{{row_id:08x}-5a0c-4000-8000-{row_id:012x}}}"})
    TASK_FIELDS.write(context.store, row_id, values)
    return printed_task(row_id, context)


@method("tasks.task.update", "task")
def update_task(params: Params, context: Context) -> Result:
    """Change a task; printed whole."""
    row_id, values = task_id(params), map_of(bound_array(params, "fields", {}))
    known = context.store.row("task", row_id) or {}
    attached = orjson.loads(known[FILES_COLUMN]) if known.get(FILES_COLUMN) else []
    TASK_DESK.update(row_id, _attached(values, attached), context, _NOT_FOUND)
    TASK_FIELDS.write(context.store, row_id, values)
    if "STATUS" in values:
        moment = context.store.local_time(context.now)
        context.store.update_row("task", row_id, {"statusChangedDate": moment, "statusChangedBy": context.user_id})
    return printed_task(row_id, context)


@method("tasks.task.delete", "task")
def delete_task(params: Params, context: Context) -> Result:
    """Delete a task."""
    TASK_DESK.delete(task_id(params), context, _NOT_FOUND)
    return Result({"task": True})


@method("tasks.task.getFields", "task")
def describe_tasks(_: Params, __: Context) -> Result:
    """The field description, in UPPER_SNAKE, without tags."""
    return Result({"fields": {c: _described(spec) for c, spec in by_code("task").items() if c != "TAGS"}})


def _described(spec: FieldSpec) -> dict[str, Any]:
    described: dict[str, Any] = {"title": spec.title, "type": TASK_TYPES.get(spec.code) or spec.type}
    if spec.code == "ID":
        described["primary"] = True
    if spec.required:
        described["required"] = True
    if spec.code == "STATUS":
        described |= {"values": _STATUSES, "default": "2"}
    return described
