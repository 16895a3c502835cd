"""Settings of recurring deals, ``crm.deal.recurring.*``
(https://apidocs.bitrix24.com/api-reference/crm/deals/recurring-deals/).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY
from bx24frames.sandbox.methods.described import Described, flat_fields, not_found
from bx24frames.sandbox.methods.dictionaries import flat
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

_DEAL: Final = "deal"
PARAMS: Final = {
    "MODE": flat("string", "Режим повторения"),
    "SINGLE_BEFORE_START_DATE_TYPE": flat("string", "Тип смещения до даты расчета"),
    "SINGLE_BEFORE_START_DATE_VALUE": flat("integer", "Смещение до даты расчета"),
    "MULTIPLE_TYPE": flat("string", "Тип повторения"),
    "MULTIPLE_INTERVAL": flat("integer", "Интервал повторения"),
    "OFFSET_BEGINDATE_TYPE": flat("string", "Тип смещения для даты начала в новой сделке"),
    "OFFSET_BEGINDATE_VALUE": flat("integer", "Смещение для даты начала в новой сделке"),
    "OFFSET_CLOSEDATE_TYPE": flat("string", "Тип смещения для даты завершения в новой сделке"),
    "OFFSET_CLOSEDATE_VALUE": flat("integer", "Смещение для даты завершения в новой сделке"),
}
_FIELDS: Final = {
    "ID": flat("integer", "id", read_only=READ_ONLY),
    "DEAL_ID": flat("integer", "id регулярной сделки", required=True, immutable=True),
    "BASED_ID": flat("integer", "Создано на основании", read_only=READ_ONLY),
    "ACTIVE": flat("char", "Активен"),
    "NEXT_EXECUTION": flat("datetime", "Дата следующего выполнения", read_only=READ_ONLY),
    "LAST_EXECUTION": flat("datetime", "Дата последнего выполнения", read_only=READ_ONLY),
    "COUNTER_REPEAT": flat("integer", "Количество выполнений", read_only=READ_ONLY),
    "START_DATE": flat("date", "Дата начала расчета"),
    "CATEGORY_ID": flat("char", "Категория новой сделки"),
    "IS_LIMIT": flat("char", "Тип ограничений выполнения"),
    "LIMIT_REPEAT": flat("integer", "Ограничение по количеству выполнения"),
    "LIMIT_DATE": flat("date", "Ограничение по дате"),
    "PARAMS": {**flat("recurring_params", "Параметры для расчета даты следующего выполнения"), "definition": PARAMS},
}
STORED: Final = _FIELDS | {
    "CATEGORY_ID": {**_FIELDS["CATEGORY_ID"], "type": "string"},
    "IS_LIMIT": {**_FIELDS["IS_LIMIT"], "type": "string"},
    "PARAMS": {**_FIELDS["PARAMS"], "type": "object"},
}
"""Fields stored as they are: letters other than Y and N, and a map."""
_LIMITS: Final = ("N", "D", "T")
_DAYS: Final = {"day": 1, "week": 7, "month": 30, "year": 365}

_TABLE: Final = Described(
    Dictionary("deal_recurring", list),
    STORED,
    absent=not_found("Recurring deal is not found."),
    defaults={"ACTIVE": "Y", "CATEGORY_ID": "0", "IS_LIMIT": "N", "PARAMS": {}},
)


def _row(params: Params, context: Context) -> Row:
    row_id = php_int(params.get("id", params.get("ID")))
    if row_id <= 0:
        raise MethodError("", "id is not defined or invalid.")
    return _TABLE.row(row_id, context)


def _values(params: Params, before: Row) -> Row:
    """The sent fields with complete parameters and a valid kind of limit."""
    values = dict(flat_fields(params))
    if "IS_LIMIT" in values and values["IS_LIMIT"] not in _LIMITS:
        values["IS_LIMIT"] = "N"
    if "PARAMS" in values or not before:
        given = values.get("PARAMS")
        values["PARAMS"] = _params({**before.get("PARAMS", {}), **(given if isinstance(given, dict) else {})})
    return values


def _params(given: Row) -> Row:
    return {
        name: php_int(given.get(name)) if spec["type"] == "integer" else given.get(name)
        for name, spec in PARAMS.items()
    }


def _schedule(row: Row, context: Context) -> Row:
    """A setting with the time of its next execution: an hour after midnight, if active."""
    start = row.get("START_DATE") or context.store.local_time(context.now)[:10]
    if row.get("LAST_EXECUTION"):
        step = _DAYS.get(php_text(row["PARAMS"].get("MULTIPLE_TYPE")), 1) * (row["PARAMS"]["MULTIPLE_INTERVAL"] or 1)
        later = datetime.fromisoformat(row["LAST_EXECUTION"][:10]) + timedelta(days=step)
        start = max(start, later.strftime("%Y-%m-%d"))
    over = row["IS_LIMIT"] == "T" and (row.get("COUNTER_REPEAT") or 0) >= (row.get("LIMIT_REPEAT") or 0)
    over = over or (row["IS_LIMIT"] == "D" and start > (row.get("LIMIT_DATE") or start))
    return {**row, "NEXT_EXECUTION": None if row["ACTIVE"] != "Y" or over else f"{start}T01:00:00"}


def _copy(deal: Row, changes: Row, context: Context) -> int:
    """Save a copy of a deal with its product rows; returns its id."""
    now = context.store.local_time(context.now)
    values = {name: value for name, value in deal.items() if name != "id"}
    values |= {"createdTime": now, "updatedTime": now, "createdBy": context.user_id, "updatedBy": context.user_id}
    row_id = context.store.insert_row(_DEAL, {**values, **changes})
    goods = "SELECT id FROM product_row WHERE ownerType = 'D' AND ownerId = ?"
    for (good_id,) in context.store.query(goods, (deal["id"],)):
        good = context.store.row("product_row", good_id) or {}
        good.pop("id", None)
        context.store.insert_row("product_row", {**good, "ownerId": row_id})
    context.writes += 1
    return row_id


@method("crm.deal.recurring.fields", "crm")
def describe_recurring(_: Params, __: Context) -> Result:
    """The field description of repetition settings."""
    return Result(_FIELDS)


@method("crm.deal.recurring.list", "crm")
def list_recurring(params: Params, context: Context) -> Result:
    """A page of settings."""
    return _TABLE.page(_TABLE.dictionary.rows(context.store), params, context)


@method("crm.deal.recurring.get", "crm")
def get_recurring(params: Params, context: Context) -> Result:
    """One setting."""
    return Result(_TABLE.print(_row(params, context), context))


@method("crm.deal.recurring.add", "crm")
def add_recurring(params: Params, context: Context) -> Result:
    """Create a setting; returns its id. A deal that is not a template is copied into one for the setting."""
    values = _values(params, {})
    deal_id = php_int(values.get("DEAL_ID"))
    deal = context.store.row(_DEAL, deal_id) if deal_id > 0 else None
    if deal is None:
        raise MethodError("", "Deal id is empty.")
    based = None
    if deal["isRecurring"] == "Y":
        if any(row["DEAL_ID"] == deal_id for row in _TABLE.dictionary.rows(context.store)):
            raise MethodError("", "Deal already have had recurring settings.")
    else:
        based, deal_id = deal_id, _copy(deal, {"isRecurring": "Y"}, context)
    row_id = _TABLE.add({**values, "DEAL_ID": deal_id}, context)
    row = _TABLE.row(row_id, context)
    _TABLE.dictionary.put(context.store, _schedule({**row, "BASED_ID": based}, context))
    return Result(row_id)


@method("crm.deal.recurring.update", "crm")
def update_recurring(params: Params, context: Context) -> Result:
    """Change a setting."""
    row = _row(params, context)
    changed = _TABLE.update(row, _values(params, row), context)
    _TABLE.dictionary.put(context.store, _schedule(changed, context))
    return Result(value=True)


@method("crm.deal.recurring.delete", "crm")
def delete_recurring(params: Params, context: Context) -> Result:
    """Delete a setting whose template was deleted
    (crm module: lib/dealrecurtable.php).
    """
    row = _row(params, context)
    if context.store.row(_DEAL, row["DEAL_ID"]) is not None:
        raise MethodError("", "Deleting is impossible. Connected recurring deal exists.")
    _TABLE.drop(row, context)
    return Result(value=True)


def _shifted(today: str, row: Row, part: str) -> str:
    kind, count = row["PARAMS"].get(f"OFFSET_{part}_TYPE"), row["PARAMS"].get(f"OFFSET_{part}_VALUE") or 0
    moved = datetime.fromisoformat(today) + timedelta(days=_DAYS.get(php_text(kind), 1) * count)
    return moved.strftime("%Y-%m-%d")


@method("crm.deal.recurring.expose", "crm")
def expose_recurring(params: Params, context: Context) -> Result:
    """Create a deal from a template now; returns its id."""
    row = _row(params, context)
    template = context.store.row(_DEAL, row["DEAL_ID"])
    if template is None:
        raise MethodError("", "Recurring deal is not found.")
    now = context.store.local_time(context.now)
    changes: dict[str, Any] = {"isRecurring": "N", "categoryId": php_int(row["CATEGORY_ID"])}
    changes |= {name.lower(): _shifted(now[:10], row, name) for name in ("BEGINDATE", "CLOSEDATE")}
    deal_id = _copy(template, changes, context)
    counted = {**row, "LAST_EXECUTION": now, "COUNTER_REPEAT": (row.get("COUNTER_REPEAT") or 0) + 1}
    _TABLE.dictionary.put(context.store, _schedule(counted, context))
    return Result({"DEAL_ID": deal_id})
