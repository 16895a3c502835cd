"""The older names of dictionaries: ``crm.dealcategory.*``, ``crm.status.entity.*``, ``crm.requisite.preset.list``
(https://apidocs.bitrix24.com/api-reference/crm/outdated/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.methods.arguments import classic_id, classic_map
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.seed.portal import stage_dictionary
from bx24frames.sandbox.shapes.parse import php_int, php_text
from bx24frames.sandbox.store.shelf import PIPELINES, STATUSES

Row = dict[str, Any]
DEALS: Final = 2
STAGES: Final = "DEAL_STAGE"
NOT_FOUND: Final = MethodError("", "Not found")


def _pipelines(context: Context) -> list[Row]:
    return [row for row in PIPELINES.rows(context.store) if row["entityTypeId"] == DEALS]


def _printed(context: Context) -> list[Row]:
    """The deals' pipelines but the default one, which these methods know by its id 0 alone."""
    return [
        {"ID": str(row["id"]), "NAME": row["name"], "CREATED_DATE": "", "IS_LOCKED": "N", "SORT": str(row["sort"])}
        for row in _pipelines(context)
        if row["id"]
    ]


def _entries(dictionary: str, context: Context) -> list[Row]:
    rows = ordered(matching(STATUSES.rows(context.store), {"ENTITY_ID": dictionary}), {"SORT": "ASC"})
    context.rows += len(rows)
    return [{"NAME": row["NAME"], "SORT": php_int(row["SORT"]), "STATUS_ID": row["STATUS_ID"]} for row in rows]


@method("crm.dealcategory.list", "crm")
def list_pipelines(params: Params, context: Context) -> Result:
    """The deals' pipelines but the default one, unpaged; ``start`` is ignored."""
    rows = ordered(matching(_printed(context), classic_map(params, "filter")), classic_map(params, "order"))
    context.rows += len(rows)
    return Result(rows, len(rows))


@method("crm.dealcategory.get", "crm")
def get_pipeline(params: Params, context: Context) -> Result:
    """One pipeline."""
    row_id = php_text(classic_id(params))
    for row in _printed(context):
        if row["ID"] == row_id:
            return Result(row)
    raise NOT_FOUND


@method("crm.dealcategory.default.get", "crm")
def get_default_pipeline(_: Params, context: Context) -> Result:
    """The default pipeline."""
    return Result(next({"ID": row["id"], "NAME": row["name"]} for row in _pipelines(context) if not row["id"]))


@method("crm.dealcategory.stage.list", "crm")
def list_pipeline_stages(params: Params, context: Context) -> Result:
    """The stages of a pipeline, 0 the default one: codes, captions, order, and no total."""
    number = php_int(params.get("id", params.get("ID")))
    return Result(_entries(stage_dictionary(STAGES, number), context))


@method("crm.status.entity.types", "crm")
def list_dictionaries(_: Params, context: Context) -> Result:
    """The names of the dictionaries."""
    names = dict.fromkeys(row["ENTITY_ID"] for row in STATUSES.rows(context.store))
    return Result([{"ID": name, "NAME": name, "SEMANTIC_INFO": []} for name in names])


@method("crm.status.entity.items", "crm")
def list_dictionary(params: Params, context: Context) -> Result:
    """The entries of one dictionary: codes, captions, order, and no total."""
    name = php_text(params.get("entityId", params.get("ENTITYID")))
    if not name:
        raise MethodError("", "The parameter entityId is not defined or invalid.")
    return Result(_entries(name, context))


PRESETS: Final = ((1, "Организация", "1"), (3, "Физ. лицо", "1"))


@method("crm.requisite.preset.list", "crm")
def list_presets(params: Params, context: Context) -> Result:
    """The templates of requisites, engine A*."""
    rows = [
        {"ID": str(row_id), "ENTITY_TYPE_ID": "8", "COUNTRY_ID": country, "NAME": name, "XML_ID": f"PRESET_{row_id}",
         "ACTIVE": "Y", "SORT": str(500 + row_id)}
        for row_id, name, country in PRESETS
    ]  # fmt: skip
    rows = ordered(matching(rows, classic_map(params, "filter")), classic_map(params, "order"))
    window = paging.always_counting(context.start, lambda: len(rows))
    context.rows += len(rows)
    return Result(window.of(rows), window.total, window.next)
