"""Whole lists: statuses, pipelines, smart processes, and their field descriptions."""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.methods.arguments import bound_array, bound_int, classic_id, classic_map, map_of
from bx24frames.sandbox.methods.item import entity_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import php_int, php_text
from bx24frames.sandbox.store.shelf import PIPELINES, STATUSES
from bx24frames.sandbox.store.tables import ENTITY_TYPES

_READ_ONLY: Final = True


def flat(
    type: str, title: str, *, required: bool = False, read_only: bool = False, immutable: bool = False
) -> dict[str, Any]:
    """The description of one plain field."""
    return {
        "type": type,
        "isRequired": required,
        "isReadOnly": read_only,
        "isImmutable": immutable,
        "isMultiple": False,
        "isDynamic": False,
        "title": title,
    }


STATUS_FIELDS: Final = {
    "ID": flat("integer", "ID", read_only=_READ_ONLY),
    "ENTITY_ID": flat("string", "Справочник", required=True, immutable=True),
    "STATUS_ID": flat("string", "Код", required=True, immutable=True),
    "SORT": flat("integer", "Сортировка"),
    "NAME": flat("string", "Название", required=True),
    "NAME_INIT": flat("string", "Название по умолчанию", read_only=_READ_ONLY),
    "SYSTEM": flat("char", "Системный", read_only=_READ_ONLY),
    "COLOR": flat("string", "Цвет"),
    "SEMANTICS": flat("char", "Группа", immutable=True),
    "CATEGORY_ID": flat("integer", "Воронка", immutable=True),
    "EXTRA": flat("crm_status_extra", "Дополнительно"),
}
CATEGORY_FIELDS: Final = {
    "id": flat("integer", "ID", read_only=_READ_ONLY),
    "name": flat("string", "Название", required=True),
    "sort": flat("integer", "Сортировка"),
    "entityTypeId": flat("integer", "Тип", read_only=_READ_ONLY),
    "isDefault": flat("boolean", "По умолчанию"),
    "originId": flat("string", "Внешний код"),
    "originatorId": flat("string", "Внешний источник"),
}
TYPE_FIELDS: Final = {
    "id": flat("integer", "ID", read_only=_READ_ONLY),
    "title": flat("string", "Название", required=True),
    "code": flat("string", "Код"),
    "createdBy": flat("user", "Кем создан", read_only=_READ_ONLY),
    "entityTypeId": flat("integer", "Тип", read_only=_READ_ONLY),
    "isCategoriesEnabled": flat("boolean", "Воронки"),
    "isStagesEnabled": flat("boolean", "Стадии"),
    "createdTime": flat("datetime", "Создан", read_only=_READ_ONLY),
    "updatedTime": flat("datetime", "Изменён", read_only=_READ_ONLY),
}


def matching(rows: list[dict[str, Any]], conditions: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that equal every condition on a column they have; a list means any of; other names are ignored."""
    kept = rows
    for key, value in conditions.items():
        name = key.lstrip("=@")
        wanted = {php_text(one) for one in (value if isinstance(value, list) else [value])}
        if rows and name in rows[0]:
            kept = [row for row in kept if php_text(row[name]) in wanted]
    return kept


def ordered(rows: list[dict[str, Any]], order: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows by the given columns, numbers as numbers."""
    kept = list(rows)
    for name, direction in reversed(order.items()):
        if kept and name in kept[0]:
            kept.sort(
                key=lambda row, column=name: (  # type: ignore[misc]
                    (php_int(row[column]), "") if php_text(row[column]).isdigit() else (-1, php_text(row[column]))
                ),
                reverse=php_text(direction).upper() == "DESC",
            )
    return kept


@method("crm.status.list", "crm")
def list_statuses(params: Params, context: Context) -> Result:
    """Every dictionary entry that matches, unpaged."""
    conditions = classic_map(params, "filter")
    if isinstance(conditions.get("ENTITY_ID"), list | dict):
        raise MethodError("", "Filter by ENTITY_ID must be a string")
    rows = matching(STATUSES.rows(context.store), conditions)
    rows = ordered(rows, classic_map(params, "order") or {"SORT": "ASC"})
    context.rows += len(rows)
    return Result(rows, len(rows))


@method("crm.status.get", "crm")
def get_status(params: Params, context: Context) -> Result:
    """One dictionary entry."""
    row = STATUSES.row(context.store, classic_id(params))
    if row is None:
        raise MethodError("", "Not found")
    context.rows += 1
    return Result(row)


@method("crm.status.fields", "crm")
def describe_statuses(_: Params, __: Context) -> Result:
    """The field description of dictionary entries."""
    return Result(STATUS_FIELDS)


def _pipelines(number: int, context: Context) -> list[dict[str, Any]]:
    return [row for row in PIPELINES.rows(context.store) if row["entityTypeId"] == number]


@method("crm.category.list", "crm")
def list_categories(params: Params, context: Context) -> Result:
    """The pipelines of an entity type, unpaged; ``start`` is ignored."""
    rows = _pipelines(entity_of(params, context).id, context)
    if not rows:
        raise MethodError("ENTITY_TYPE_NOT_SUPPORTED", "Категории не поддерживаются этим типом")
    context.rows += len(rows)
    return Result({"categories": rows}, len(rows))


@method("crm.category.get", "crm")
def get_category(params: Params, context: Context) -> Result:
    """One pipeline."""
    row_id = bound_int(params, "id")
    for row in _pipelines(entity_of(params, context).id, context):
        if row["id"] == row_id:
            return Result({"category": row})
    raise MethodError("NOT_FOUND", "Воронка не найдена")


@method("crm.category.fields", "crm")
def describe_categories(params: Params, context: Context) -> Result:
    """The field description of an entity type's pipelines."""
    entity_of(params, context)
    return Result({"fields": CATEGORY_FIELDS})


TYPE_SWITCHES: Final = (
    "isUseInUserfieldEnabled", "isDocumentsEnabled", "isRecyclebinEnabled", "isAutomationEnabled", "isBizProcEnabled",
    "isSetOpenPermissions", "isPaymentsEnabled", "isCountersEnabled",
)  # fmt: skip
"""What `crm.type.list` prints and `crm.type.fields` does not describe."""


def _type_rows(zone: str) -> list[dict[str, Any]]:
    return [
        {
            "id": entity.type_id,
            "title": entity.title,
            "code": entity.code,
            "createdBy": 1,
            "entityTypeId": entity.id,
            "customSectionId": None,
            "isCategoriesEnabled": "Y",
            "isStagesEnabled": "Y",
            "isBeginCloseDatesEnabled": "Y",
            "isClientEnabled": "Y",
            "isObserversEnabled": "Y",
            "isLinkWithProductsEnabled": "Y",
            "isMycompanyEnabled": "Y",
            "isSourceEnabled": "Y",
            **dict.fromkeys(TYPE_SWITCHES, "N"),
            "createdTime": f"2024-01-10T12:00:00{zone}",
            "updatedTime": f"2025-06-01T09:30:00{zone}",
            "updatedBy": 1,
        }
        for entity in ENTITY_TYPES.values()
        if entity.type_id
    ]


@method("crm.type.list", "crm")
def list_types(params: Params, context: Context) -> Result:
    """The smart processes, engine B; an order takes lower-case names only."""
    order = map_of(bound_array(params, "order", {}))
    rows = _type_rows(context.store.server_zone)
    if unknown := [name for name in order if name not in TYPE_FIELDS]:
        raise MethodError("INVALID_ARG_VALUE", f"Invalid order: field '{unknown[0]}' is not allowed in order")
    rows = ordered(matching(rows, map_of(bound_array(params, "filter", {}))), order)
    window = paging.controller(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result({"types": window.of(rows)}, window.total, window.next)


@method("crm.type.get", "crm")
def get_type(params: Params, context: Context) -> Result:
    """One smart process, by the id of its settings."""
    row_id = bound_int(params, "id")
    for row in _type_rows(context.store.server_zone):
        if row["id"] == row_id:
            context.rows += 1
            return Result({"type": row})
    raise MethodError("NOT_FOUND", "Смарт-процесс не найден")


@method("crm.type.fields", "crm")
def describe_types(_: Params, __: Context) -> Result:
    """The field description of smart processes."""
    return Result({"fields": TYPE_FIELDS})
