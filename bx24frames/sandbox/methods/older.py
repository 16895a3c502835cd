"""The older names of dictionaries: ``crm.dealcategory.*``, ``crm.status.entity.*``
(https://apidocs.bitrix24.com/api-reference/crm/outdated/).
"""

from __future__ import annotations

from typing import Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import classic_id, classic_map
from bx24frames.sandbox.methods.dictionaries import matching, ordered
from bx24frames.sandbox.registry import NOT_FOUND, Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import PIPELINES, STATUSES
from bx24frames.sandbox.store.initial import same_pipeline, stage_dictionary, stage_prefix
from bx24frames.sandbox.store.tables import DEALS, EntityType, Row

DEAL_STAGES: Final = "DEAL_STAGE"


def _pipelines(context: Context) -> list[Row]:
    return [row for row in PIPELINES.rows(context.store) if row["entityTypeId"] == DEALS]


def _printed(context: Context) -> list[Row]:
    """Pipelines of deals without the default one, which these methods address as id 0."""
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
    """Pipelines of deals without the default one, unpaged; ``start`` is ignored."""
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
    return Result(_entries(stage_dictionary(DEAL_STAGES, number), context))


CAPTIONS: Final = {
    "STATUS": "Стадии лида",
    "SOURCE": "Источники",
    "CONTACT_TYPE": "Тип контакта",
    "COMPANY_TYPE": "Тип компании",
    "EMPLOYEES": "Кол-во сотрудников",
    "INDUSTRY": "Сфера деятельности",
    "DEAL_TYPE": "Тип сделки",
    "QUOTE_STATUS": "Стадии предложения",
    "HONORIFIC": "Обращения",
    "CALL_LIST": "Статусы обзвона",
}


def _semantic_info(rows: list[Row]) -> Row:
    """The codes of a dictionary for start, success and failure."""
    ends = {row["SEMANTICS"]: row["STATUS_ID"] for row in reversed(rows) if row["SEMANTICS"]}
    return {
        "START_FIELD": rows[0]["STATUS_ID"] if rows else None,
        "FINAL_SUCCESS_FIELD": ends.get("S"),
        "FINAL_UNSUCCESS_FIELD": ends.get("F"),
        "FINAL_SORT": 0,
    }


def _of_pipeline(name: str, owner: EntityType, rows: list[Row], context: Context) -> Row:
    """The dictionary of one pipeline's stages."""
    category = php_int(name.rpartition("_")[2])
    pipeline = next(
        (row for row in PIPELINES.rows(context.store) if (row["entityTypeId"], row["id"]) == (owner.id, category)), None
    )
    caption = pipeline["name"] if pipeline else ""
    scope = {"FIELD_ATTRIBUTE_SCOPE": f"category_{category}" if category else "", "ENTITY_TYPE_ID": owner.id}
    prefix = {"PREFIX": stage_prefix(name).removesuffix(":")} if category else {}
    if owner.id == DEALS:
        parent = {"PARENT_ID": DEAL_STAGES, "CATEGORY_ID": str(category)} if category else {"CATEGORY_ID": 0}
        info = {"SEMANTIC_INFO": _semantic_info(rows)}
        return {"ID": name, "NAME": f"Стадии сделки {caption}", **info, **prefix, **scope, **parent}
    return {
        "ID": name,
        "NAME": f"{owner.title} ({caption})",
        "SEMANTIC_INFO": [],
        **prefix,
        **scope,
        "IS_ENABLED": True,
        "CATEGORY_ID": category,
        "CATEGORY_NAME": caption,
        "CATEGORY_SORT": pipeline["sort"] if pipeline else 0,
        "IS_DEFAULT_CATEGORY": pipeline is not None and pipeline["isDefault"] == "Y",
    }


def _dictionary(name: str, context: Context) -> Row:
    """One dictionary as listed; those of stages have more keys."""
    owner = next(
        (entity for entity in context.store.entities() if entity.stages and same_pipeline(entity.stages, name)), None
    )
    if owner is None:
        return {"ID": name, "NAME": CAPTIONS.get(name, name)}
    rows = ordered(matching(STATUSES.rows(context.store), {"ENTITY_ID": name}), {"SORT": "ASC"})
    if name in CAPTIONS:
        info = {"SEMANTIC_INFO": _semantic_info(rows), "ENTITY_TYPE_ID": owner.id}
        return {"ID": name, "NAME": CAPTIONS[name], **info}
    return _of_pipeline(name, owner, rows, context)


@method("crm.status.entity.types", "crm")
def list_dictionaries(_: Params, context: Context) -> Result:
    """The names of the dictionaries."""
    names = dict.fromkeys(row["ENTITY_ID"] for row in STATUSES.rows(context.store))
    return Result([_dictionary(name, context) for name in names])


@method("crm.status.entity.items", "crm")
def list_dictionary(params: Params, context: Context) -> Result:
    """The entries of one dictionary: codes, captions, order, and no total."""
    name = php_text(params.get("entityId", params.get("ENTITYID")))
    if not name:
        raise MethodError("", "The parameter entityId is not defined or invalid.")
    return Result(_entries(name, context))
