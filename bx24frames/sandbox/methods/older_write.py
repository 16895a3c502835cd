"""Writes of deal pipelines by their older names, ``crm.dealcategory.*``
(https://apidocs.bitrix24.com/api-reference/crm/outdated/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import READ_ONLY, classic_id
from bx24frames.sandbox.methods.described import flat_fields
from bx24frames.sandbox.methods.dictionaries import flat
from bx24frames.sandbox.methods.older import DEAL_STAGES
from bx24frames.sandbox.registry import NOT_FOUND, Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import PIPELINES, add_stages, drop_stages
from bx24frames.sandbox.store.initial import stage_dictionary
from bx24frames.sandbox.store.tables import DEALS, Row

_FIELDS: Final = {
    "ID": flat("integer", "ID", read_only=READ_ONLY),
    "CREATED_DATE": flat("datetime", "Дата создания", read_only=READ_ONLY),
    "NAME": flat("string", "Название", required=True),
    "IS_LOCKED": flat("char", "Заблокировано", read_only=READ_ONLY),
    "SORT": flat("integer", "Сортировка"),
}


def _pipeline(row_id: int, context: Context) -> Row:
    row = PIPELINES.row(context.store, row_id)
    if row is None or row["entityTypeId"] != DEALS:
        raise NOT_FOUND
    return row


def _values(params: Params) -> Row:
    given = flat_fields(params)
    values: Row = {}
    if "NAME" in given:
        values["name"] = php_text(given["NAME"]).strip()
        if not values["name"]:
            raise MethodError("", "Не заполнено поле «Название».")
    if "SORT" in given:
        values["sort"] = max(0, php_int(given["SORT"]))
    return values


@method("crm.dealcategory.fields", "crm")
def describe_pipelines(_: Params, __: Context) -> Result:
    """The field description of the deals' pipelines."""
    return Result(_FIELDS)


@method("crm.dealcategory.add", "crm")
def add_pipeline(params: Params, context: Context) -> Result:
    """Create a pipeline; returns its id."""
    values = {"sort": 500, **_values(params)}
    if "name" not in values:
        raise MethodError("", "Не заполнено поле «Название».")
    row = {"name": values["name"], "sort": values["sort"], "entityTypeId": DEALS, "isDefault": "N"}
    context.writes += 1
    row_id = PIPELINES.add(context.store, {**row, "originId": "", "originatorId": ""}, text=False)
    add_stages(context.store, stage_dictionary(DEAL_STAGES, row_id))
    return Result(row_id)


@method("crm.dealcategory.update", "crm")
def update_pipeline(params: Params, context: Context) -> Result:
    """Change a pipeline."""
    PIPELINES.put(context.store, {**_pipeline(classic_id(params), context), **_values(params)})
    context.writes += 1
    return Result(value=True)


@method("crm.dealcategory.delete", "crm")
def delete_pipeline(params: Params, context: Context) -> Result:
    """Delete a pipeline without deals; the default one (id 0) cannot be deleted."""
    row = _pipeline(classic_id(params), context)
    if context.store.scalar("SELECT count(*) FROM deal WHERE categoryId = ?", (row["id"],)):
        raise MethodError("", f"Deals related to the funnel {row['name']} found")
    PIPELINES.drop(context.store, row)
    drop_stages(context.store, stage_dictionary(DEAL_STAGES, row["id"]))
    context.writes += 1
    return Result(value=True)


@method("crm.dealcategory.status", "crm")
def name_dictionary(params: Params, context: Context) -> Result:
    """The dictionary of the stages of a pipeline, including the default one (0)."""
    number: Any = params.get("id", params.get("ID"))
    return Result(stage_dictionary(DEAL_STAGES, _pipeline(php_int(number), context)["id"]))


@method("crm.dealcategory.default.set", "crm")
def rename_default(params: Params, context: Context) -> Result:
    """Rename the default pipeline; nothing else can be changed."""
    name = php_text(params.get("name", params.get("NAME"))).strip()
    if not name:
        raise MethodError("", "The parameter name is not defined or empty.")
    PIPELINES.put(context.store, {**_pipeline(0, context), "name": name})
    context.writes += 1
    return Result(value=True)
