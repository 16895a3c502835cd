"""Whole lists: statuses and pipelines, and their field descriptions."""

from __future__ import annotations

import re
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY, bound_int, classic_id, classic_map
from bx24frames.sandbox.methods.item import entity_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import PIPELINES, STATUSES


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
    "ID": flat("integer", "ID", read_only=READ_ONLY),
    "ENTITY_ID": flat("string", "Справочник", required=True, immutable=True),
    "STATUS_ID": flat("string", "Код", required=True, immutable=True),
    "SORT": flat("integer", "Сортировка"),
    "NAME": flat("string", "Название", required=True),
    "NAME_INIT": flat("string", "Название по умолчанию", read_only=READ_ONLY),
    "SYSTEM": flat("char", "Системный", read_only=READ_ONLY),
    "COLOR": flat("string", "Цвет"),
    "SEMANTICS": flat("char", "Группа", immutable=True),
    "CATEGORY_ID": flat("integer", "Воронка", immutable=True),
    "EXTRA": flat("crm_status_extra", "Дополнительно"),
}
CATEGORY_FIELDS: Final = {
    "id": flat("integer", "ID", read_only=READ_ONLY),
    "name": flat("string", "Название", required=True),
    "sort": flat("integer", "Сортировка"),
    "entityTypeId": flat("integer", "Тип", read_only=READ_ONLY),
    "isDefault": flat("boolean", "По умолчанию"),
    "originId": flat("string", "Внешний код"),
    "originatorId": flat("string", "Внешний источник"),
}


DESCRIBED: Final = {
    "name": {"isRequired": False},
    "entityTypeId": {"isRequired": True},
    "isDefault": {"isReadOnly": True},
}
"""Where the description of pipelines differs from their writes."""


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
    described = {
        name: {**spec, "upperName": re.sub("([A-Z])", r"_\1", name).upper(), **DESCRIBED.get(name, {})}
        for name, spec in CATEGORY_FIELDS.items()
    }
    return Result({"fields": described})
