"""Bindings, badges and to-dos of activities: ``crm.activity.binding.*``, ``.badge.*``, ``.todo.*``
(https://apidocs.bitrix24.com/api-reference/crm/timeline/activities/).
"""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox.fields.casts import parse_datetime, php_int, php_text, zone_of
from bx24frames.sandbox.methods.arguments import bound, bound_int
from bx24frames.sandbox.methods.timeline import NO_ELEMENT
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.tables import Row

_Owner = list[int]

# ---------------------------------------------------------------- bindings

_BINDINGS: Final = "activity_bindings"
_NO_OWNER: Final = MethodError("OWNER_NOT_FOUND", "Владелец элемента не найден")
BOUND: Final = MethodError("ACTIVITY_IS_ALREADY_BOUND", "Дело уже привязано к этому элементу")
UNBOUND: Final = MethodError("BINDING_NOT_FOUND", "Дело не привязано к этому элементу")
LAST: Final = MethodError("LAST_BINDING_CANNOT_BE_DELETED", "Нельзя удалять единственную привязку дела")
OTHER_TYPE: Final = MethodError(
    "SOURCE_AND_TARGET_ENTITY_TYPES_ARE_NOT_EQUAL_ERROR", "Типы объектов не совпадают"
)  # fmt: skip
_SAME: Final = MethodError("SOURCE_AND_TARGET_ENTITY_ID_ARE_EQUAL_ERROR", "Элементы совпадают")


def _activity(params: Params, context: Context, name: str = "activityId") -> Row:
    row = context.store.row("activity", bound_int(params, name))
    if row is None:
        raise NO_ELEMENT
    return row


def _of(activity: Row, context: Context) -> list[_Owner]:
    """Bindings of an activity as (type, id), starting with its owner."""
    kept = (context.store.kept(_BINDINGS) or {}).get(str(activity["id"]), [])
    own = [activity["ownerTypeId"], activity["ownerId"]]
    return [own, *(one for one in kept if one != own)] if own[0] and own[1] else list(kept)


def _keep(activity: Row, owners: list[_Owner], context: Context) -> Result:
    """Bind an activity to these rows; the first becomes its owner."""
    context.store.keep(_BINDINGS, {**(context.store.kept(_BINDINGS) or {}), str(activity["id"]): owners[1:]})
    context.store.update_row("activity", activity["id"], {"ownerTypeId": owners[0][0], "ownerId": owners[0][1]})
    context.writes += 1
    return Result(value=True)


def _owner(type_id: int, row_id: int, context: Context) -> _Owner:
    entity = context.store.entity(type_id)
    if entity is None or context.store.row(entity.name, row_id) is None:
        raise _NO_OWNER
    return [type_id, row_id]


def _named(params: Params, names: tuple[str, str], context: Context) -> _Owner:
    return _owner(bound_int(params, names[0]), bound_int(params, names[1]), context)


ENTITY: Final = ("entityTypeId", "entityId")


@method("crm.activity.binding.list", "crm")
def list_activity_bindings(params: Params, context: Context) -> Result:
    """Bindings of an activity."""
    owners = _of(_activity(params, context), context)
    context.rows += len(owners)
    return Result([dict(zip(ENTITY, owner, strict=True)) for owner in owners])


@method("crm.activity.binding.add", "crm")
def add_binding(params: Params, context: Context) -> Result:
    """Bind an activity to another row."""
    activity, owner = _activity(params, context), _named(params, ENTITY, context)
    owners = _of(activity, context)
    if owner in owners:
        raise BOUND
    return _keep(activity, [*owners, owner], context)


@method("crm.activity.binding.delete", "crm")
def delete_binding(params: Params, context: Context) -> Result:
    """Remove a binding of an activity, unless it is the last."""
    activity, owner = _activity(params, context), _named(params, ENTITY, context)
    owners = _of(activity, context)
    if owner not in owners:
        raise UNBOUND
    if len(owners) == 1:
        raise LAST
    return _keep(activity, [one for one in owners if one != owner], context)


@method("crm.activity.binding.move", "crm")
def move_binding(params: Params, context: Context) -> Result:
    """Move a binding of an activity to another row of the same type."""
    activity = _activity(params, context)
    source = _named(params, ("sourceEntityTypeId", "sourceEntityId"), context)
    target = _named(params, ("targetEntityTypeId", "targetEntityId"), context)
    if source[0] != target[0]:
        raise OTHER_TYPE
    if source == target:
        raise _SAME
    owners = _of(activity, context)
    if source not in owners:
        raise UNBOUND
    if target in owners:
        raise BOUND
    return _keep(activity, [target if one == source else one for one in owners], context)


# ---------------------------------------------------------------- badges

BADGES: Final = "activity_badges"
BADGE_KEYS: Final = ("code", "title", "value", "type")
BADGE_TYPES: Final = ("success", "warning", "failure", "primary", "secondary")


def _badges(context: Context) -> Row:
    return dict(context.store.kept(BADGES) or {})


def _badge(params: Params, context: Context) -> Row:
    found: Row | None = _badges(context).get(php_text(bound(params, "code")))
    if found is None:
        raise MethodError("NOT_FOUND", "Not found.")
    return found


def _keep_badges(badges: Row, context: Context) -> None:
    context.store.keep(BADGES, badges)
    context.writes += 1


@method("crm.activity.badge.add", "crm")
def add_badge(params: Params, context: Context) -> Result:
    """Create a badge, printed whole; a known code gets the new texts."""
    badge = {name: params.get(name) for name in BADGE_KEYS}
    if missing := [name for name, value in badge.items() if value in (None, "", [], {})]:
        raise MethodError("REQUIRED_ARG_MISSING", f"Required argument '{missing[0]}' is missing")
    if badge["type"] not in BADGE_TYPES:
        raise MethodError("INVALID_ARG_VALUE", "Invalid value of argument 'type'")
    _keep_badges(_badges(context) | {php_text(badge["code"]): badge}, context)
    return Result({"badge": badge})


@method("crm.activity.badge.get", "crm")
def get_badge(params: Params, context: Context) -> Result:
    """One badge, by its code."""
    return Result({"badge": _badge(params, context)})


@method("crm.activity.badge.list", "crm")
def list_badges(_: Params, context: Context) -> Result:
    """Every badge."""
    badges = list(_badges(context).values())
    context.rows += len(badges)
    return Result({"badges": badges})


@method("crm.activity.badge.delete", "crm")
def delete_badge(params: Params, context: Context) -> Result:
    """Delete a badge."""
    code = _badge(params, context)["code"]
    _keep_badges({name: badge for name, badge in _badges(context).items() if name != code}, context)
    return Result(value=True)


# ---------------------------------------------------------------- to-dos

TODO: Final = {"typeId": 6, "providerId": "CRM_TODO", "providerTypeId": "TODO"}


def _moment(params: Params, context: Context) -> str:
    moment = parse_datetime(bound(params, "deadline"), zone_of(context.store.server_zone))
    if moment is None:
        raise MethodError("WRONG_DATETIME_FORMAT", "Некорректный формат даты")
    return moment


def _todo_columns(params: Params, context: Context) -> Row:
    texts = {"title": "subject", "description": "description"}
    columns: Row = {column: php_text(params[name]) for name, column in texts.items() if name in params}
    if "responsibleId" in params:
        columns["responsibleId"] = php_int(params["responsibleId"])
    return columns | {"editorId": context.user_id, "lastUpdated": context.store.local_time(context.now)}


def _todo(params: Params, context: Context) -> Row:
    _named(params, ("ownerTypeId", "ownerId"), context)
    row = _activity(params, context, "id")
    if row["completed"] == "Y":
        raise MethodError("CAN_NOT_UPDATE_COMPLETED_TODO", "Закрытое дело нельзя изменять")
    return row


def _saved(row: Row, columns: Row, context: Context) -> Result:
    context.store.update_row("activity", row["id"], columns)
    context.writes += 1
    return Result({"id": row["id"]})


@method("crm.activity.todo.add", "crm")
def add_todo(params: Params, context: Context) -> Result:
    """Create a to-do of a row; returns its id."""
    owner, deadline = _named(params, ("ownerTypeId", "ownerId"), context), _moment(params, context)
    now = context.store.local_time(context.now)
    row = {
        **TODO, "ownerTypeId": owner[0], "ownerId": owner[1], "subject": "", "description": "", "completed": "N",
        "status": 1, "priority": 2, "created": now, "startTime": deadline, "endTime": deadline, "deadline": deadline,
        "authorId": context.user_id, "responsibleId": context.user_id, **_todo_columns(params, context),
    }  # fmt: skip
    context.writes += 1
    return Result({"id": context.store.insert_row("activity", row)})


@method("crm.activity.todo.update", "crm")
def update_todo(params: Params, context: Context) -> Result:
    """Change a to-do."""
    row, deadline = _todo(params, context), _moment(params, context)
    moved = dict.fromkeys(("startTime", "endTime", "deadline"), deadline)
    return _saved(row, {**moved, **_todo_columns(params, context)}, context)


@method("crm.activity.todo.updateDeadline", "crm")
def update_deadline(params: Params, context: Context) -> Result:
    """Change the deadline of a to-do."""
    row, deadline = _todo(params, context), _moment(params, context)
    return _saved(row, dict.fromkeys(("startTime", "endTime", "deadline"), deadline), context)


@method("crm.activity.todo.updateDescription", "crm")
def update_description(params: Params, context: Context) -> Result:
    """Change the description of a to-do."""
    return _saved(_todo(params, context), {"description": php_text(bound(params, "value"))}, context)


@method("crm.activity.todo.updateResponsibleUser", "crm")
def update_responsible(params: Params, context: Context) -> Result:
    """Reassign a to-do."""
    return _saved(_todo(params, context), {"responsibleId": bound_int(params, "responsibleId")}, context)
