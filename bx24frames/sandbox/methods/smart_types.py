"""Smart processes, ``crm.type.*``: settings, and tables created and deleted while the portal runs
(https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-object-types/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY, bound, bound_array, bound_int, map_of
from bx24frames.sandbox.methods.described import CASTS, chosen
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.methods.solutions import solution_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import PIPELINES, TYPE_SETTINGS, add_stages, drop_stages
from bx24frames.sandbox.store.initial import stage_dictionary
from bx24frames.sandbox.store.tables import EntityType, Row

_FLAGS: Final = {
    "isCategoriesEnabled": "Свои воронки и туннели продаж",
    "isStagesEnabled": "Свои стадии и канбан",
    "isBeginCloseDatesEnabled": "Даты начала и завершения",
    "isClientEnabled": "Клиент",
    "isUseInUserfieldEnabled": "Использовать в пользовательском поле",
    "isLinkWithProductsEnabled": "Привязка товаров каталога",
    "isMycompanyEnabled": "Реквизиты вашей компании",
    "isDocumentsEnabled": "Печать документов",
    "isSourceEnabled": "Источник",
    "isObserversEnabled": "Наблюдатели",
    "isRecyclebinEnabled": "Корзина",
    "isAutomationEnabled": "Роботы и триггеры",
    "isBizProcEnabled": "Дизайнер бизнес-процессов",
    "isSetOpenPermissions": "Новые воронки доступны всем",
}
HIDDEN_FLAGS: Final = ("isPaymentsEnabled", "isCountersEnabled")
"""Printed, but not described."""


def _described(name: str, type: str, title: str, **flags: bool) -> Row:
    upper = "".join(f"_{letter}" if letter.isupper() else letter for letter in name).upper()
    return {**flat(type, title, **flags), "upperName": upper}


_FIELDS: Final = {
    name: _described(name, type_, title, **flags)
    for name, type_, title, flags in (
        ("id", "integer", "ID", {"read_only": READ_ONLY}),
        ("title", "string", "Название", {"required": True}),
        ("code", "string", "Символьный код", {}),
        ("createdBy", "user", "Кем создан", {"read_only": READ_ONLY}),
        ("entityTypeId", "integer", "Идентификатор типа", {"required": True, "immutable": True}),
        ("customSectionId", "integer", "Цифровое рабочее место", {"immutable": True}),
        *((flag, "boolean", title, {}) for flag, title in _FLAGS.items()),
        ("createdTime", "datetime", "Дата создания", {}),
        ("updatedTime", "datetime", "Дата изменения", {}),
        ("updatedBy", "user", "Кем изменён", {"read_only": READ_ONLY}),
    )
}
LINKED: Final = ("CALENDAR_EVENT|UF_CRM_CAL_EVENT", "TASKS_TASK|UF_CRM_TASK", "TASKS_TASK_TEMPLATE|UF_CRM_TASK")
FIRST_EVEN: Final = 1030
_SMALL: Final = range(128, 193)
_NOT_FOUND: Final = MethodError("0", "Смарт-процесс не найден")
_SEEDED: Final = {"createdTime": "2024-01-10T12:00:00", "updatedTime": "2025-06-01T09:30:00", "createdBy": 1}


def _settings(context: Context) -> dict[str, Row]:
    return dict(context.store.kept(TYPE_SETTINGS) or {})


def _keep(entity: EntityType, settings: Row, context: Context) -> None:
    context.store.keep(TYPE_SETTINGS, {**_settings(context), str(entity.id): settings})
    context.writes += 1


def _row(entity: EntityType, context: Context) -> Row:
    """A smart process as lists print it."""
    own: Row = _SEEDED | _settings(context).get(str(entity.id), {})
    zone = context.store.server_zone
    return {
        "id": entity.type_id,
        "title": own.get("title", entity.title),
        "code": own.get("code", entity.code),
        "createdBy": own["createdBy"],
        "entityTypeId": entity.id,
        "customSectionId": solution_of(entity.type_id, context),
        **{flag: own.get(flag, "Y") for flag in _FLAGS},
        **{flag: own.get(flag, "N") for flag in HIDDEN_FLAGS},
        "createdTime": f"{own['createdTime']}{zone}",
        "updatedTime": f"{own['updatedTime']}{zone}",
        "updatedBy": own.get("updatedBy", own["createdBy"]),
    }


def _whole(entity: EntityType, context: Context) -> Result:
    """A smart process with its relations, as single answers print it."""
    own = _settings(context).get(str(entity.id), {})
    linked = own.get("linkedUserFields", {})
    ties = {
        "relations": {side: own.get("relations", {}).get(side, []) for side in ("parent", "child")},
        "linkedUserFields": {name: linked.get(name, "N") for name in LINKED},
        "customSections": [],
    }
    context.rows += 1
    return Result({"type": _row(entity, context) | ties})


def _smart(context: Context) -> list[EntityType]:
    return [entity for entity in context.store.entities() if entity.type_id]


def _known(params: Params, context: Context, name: str = "id") -> EntityType:
    wanted = bound_int(params, name)
    for entity in _smart(context):
        if wanted == (entity.type_id if name == "id" else entity.id):
            return entity
    raise _NOT_FOUND


def _refuse(where: str, name: str) -> MethodError:
    return MethodError("INVALID_ARG_VALUE", f"Invalid {where}: field '{name}' is not allowed in {where}")


@method("crm.type.fields", "crm")
def describe_types(_: Params, __: Context) -> Result:
    """The field description of smart processes."""
    return Result({"fields": _FIELDS})


@method("crm.type.list", "crm")
def list_types(params: Params, context: Context) -> Result:
    """The smart processes, engine B; an unknown name is an error (crm module: lib/controller/type.php)."""
    if context.has("types_for_administrators") and not context.is_admin:
        raise MethodError("ACCESS_DENIED", "Доступ запрещен.")
    order = map_of(bound_array(params, "order", {}))
    if unknown := [name for name in order if name not in _FIELDS]:
        raise _refuse("order", unknown[0])
    rows = [_row(entity, context) for entity in _smart(context)]
    conditions = map_of(bound_array(params, "filter", {}))
    rows = ordered(chosen(rows, conditions, _FIELDS, lambda name: _refuse("filter", name)), order)
    window = paging.controller(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result({"types": window.of(rows)}, window.total, window.next)


@method("crm.type.get", "crm")
def get_type(params: Params, context: Context) -> Result:
    """One smart process, by the id of its settings."""
    return _whole(_known(params, context), context)


@method("crm.type.getByEntityTypeId", "crm")
def get_type_by_number(params: Params, context: Context) -> Result:
    """One smart process, by its entity type id."""
    return _whole(_known(params, context, "entityTypeId"), context)


# ---------------------------------------------------------------- writing


def _values(params: Params, before: Row) -> Row:
    bound(params, "fields")
    given = map_of(bound_array(params, "fields", {}))
    values: Row = {name: php_text(given[name]).strip() for name in ("title", "code") if name in given}
    if "title" in values and not values["title"]:
        raise MethodError("BX_EMPTY_REQUIRED", "Не заполнено обязательное поле «Название»")
    values |= {flag: CASTS["boolean"](given[flag], "") for flag in (*_FLAGS, *HIDDEN_FLAGS) if flag in given}
    for name in ("relations", "linkedUserFields"):
        if isinstance(given.get(name), dict):
            values[name] = {**before.get(name, {}), **_ties(name, given[name])}
    return values


def _ties(name: str, given: Row) -> Row:
    """Relations, one list per side, or user fields by name: numbers as numbers and flags as Y or N."""
    if name == "linkedUserFields":
        return {key: CASTS["boolean"](value, "") for key, value in given.items()}
    sides: dict[str, list[Any]] = {side: list(map_of(given.get(side) or {}).values()) for side in given}
    return {side: [_tie(one) for one in ties if isinstance(one, dict)] for side, ties in sides.items()}


def _tie(given: Row) -> Row:
    flags = {name: CASTS["boolean"](given.get(name), "") for name in ("isChildrenListEnabled", "isPredefined")}
    return {"entityTypeId": php_int(given.get("entityTypeId")), **flags}


def _number(params: Params, context: Context) -> int:
    """The entity type id of a new smart process: as sent, or the next free one."""
    taken = {entity.id for entity in context.store.entities()}
    wanted = php_int(map_of(params["fields"]).get("entityTypeId"))
    if not wanted:
        return next(number for number in range(FIRST_EVEN, 10**6, 2) if number not in taken)
    if wanted in taken or not (wanted in _SMALL or (wanted >= FIRST_EVEN and wanted % 2 == 0)):
        raise MethodError("INVALID_ARG_VALUE", "entityTypeId is out of allowed range")
    return wanted


def _make(number: int, title: str, code: str, context: Context) -> EntityType:
    """Create the table, the pipeline and the stages of a smart process."""
    pipeline = {"name": "Общая", "sort": 500, "entityTypeId": number, "isDefault": "Y"}
    category = PIPELINES.add(context.store, {**pipeline, "originId": "", "originatorId": ""}, text=False)
    entity = context.store.make_type(number, title, code, category)
    add_stages(context.store, entity.stages)
    return entity


@method("crm.type.add", "crm")
def add_type(params: Params, context: Context) -> Result:
    """Create a smart process, printed whole; its items can be written at once."""
    values = {"code": "", **_values(params, {})}
    if "title" not in values:
        raise MethodError("BX_EMPTY_REQUIRED", "Не заполнено обязательное поле «Название»")
    entity = _make(_number(params, context), values["title"], values["code"], context)
    now = context.store.local_time(context.now)
    made = {"createdTime": now, "updatedTime": now, "createdBy": context.user_id, "updatedBy": context.user_id}
    _keep(entity, {**dict.fromkeys(_FLAGS, "N"), "isSetOpenPermissions": "Y", **made, **values}, context)
    return _whole(entity, context)


@method("crm.type.update", "crm")
def update_type(params: Params, context: Context) -> Result:
    """Change a smart process, printed whole; without an id nothing is changed, and the answer is null
    (crm module: lib/controller/type.php, updateAction).
    """
    if "id" not in params:
        return Result(None)
    entity = _known(params, context)
    before = _settings(context).get(str(entity.id), {})
    stamp = {"updatedTime": context.store.local_time(context.now), "updatedBy": context.user_id}
    _keep(entity, {**before, **_values(params, before), **stamp}, context)
    return _whole(entity, context)


@method("crm.type.delete", "crm")
def delete_type(params: Params, context: Context) -> Result:
    """Delete a smart process without items, its pipelines and their stages; without an id nothing is deleted."""
    if "id" not in params:
        return Result(None)
    entity = _known(params, context)
    if context.store.scalar(f'SELECT count(*) FROM "{entity.name}"'):  # noqa: S608
        raise MethodError("BX_ERROR", "Вы не можете удалить тип сущности, у которого есть элементы")
    for row in PIPELINES.rows(context.store):
        if row["entityTypeId"] == entity.id:
            PIPELINES.drop(context.store, row)
            drop_stages(context.store, stage_dictionary(entity.stages, row["id"]))
    context.store.unmake_type(entity.id)
    context.writes += 1
    return Result([])
