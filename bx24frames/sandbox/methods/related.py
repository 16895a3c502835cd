"""Duplicates by phone or e-mail, and the stage history."""

from __future__ import annotations

import re
from typing import Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields.casts import comparable, php_text
from bx24frames.sandbox.filters.classic import table_conditions
from bx24frames.sandbox.methods.arguments import bound_array, map_of, names_of
from bx24frames.sandbox.methods.item import entity_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, read_rows
from bx24frames.sandbox.store.tables import TABLES
from bx24frames.sandbox.visibility import of_visible

DUPLICATE_VALUES: Final = 20
DUPLICATE_TYPES: Final = {"LEAD": 1, "CONTACT": 3, "COMPANY": 4}


@method("crm.duplicate.findbycomm", "crm")
def find_duplicates(params: Params, context: Context) -> Result:
    """Ids by phone or e-mail, a list per type; which value matched is not printed.

    At most the 20 oldest per type; once a type has 20, the types after it are left out
    (https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html).
    """
    type_id = php_text(params.get("type", params.get("TYPE"))).upper()
    if type_id not in {"PHONE", "EMAIL"}:
        raise MethodError("", "Communication type is not defined")
    values = {
        comparable(type_id, one) for one in names_of(params.get("values", params.get("VALUES")))[:DUPLICATE_VALUES]
    }
    if not values:
        raise MethodError("", "Communication values is not defined")
    only = php_text(params.get("entity_type", params.get("ENTITY_TYPE"))).upper()
    wanted = {number: name for name, number in DUPLICATE_TYPES.items() if only in ("", name)}
    found: dict[str, list[int]] = {}
    condition = f"typeId = ? AND comparable(typeId, value) IN ({', '.join('?' * len(values))})"
    for number, element in context.store.query(
        f"SELECT DISTINCT entityTypeId, elementId FROM multifield WHERE {condition} ORDER BY 1, 2",  # noqa: S608
        (type_id, *values),
    ):
        full = any(len(ids) == DUPLICATE_VALUES for name, ids in found.items() if name != wanted.get(number))
        if number in wanted and not full and len(found.get(wanted[number], ())) < DUPLICATE_VALUES:
            found.setdefault(wanted[number], []).append(element)
    context.rows += sum(len(ids) for ids in found.values())
    return Result(found or [])


HISTORY: Final = TABLES["stage_history"]
LEAD_NAMES: Final = {"STAGE_ID": "STATUS_ID", "STAGE_SEMANTIC_ID": "STATUS_SEMANTIC_ID"}


@method("crm.stagehistory.list", "crm")
def list_stage_history(params: Params, context: Context) -> Result:
    """A page of stage changes, engine B; unknown conditions and columns are ignored
    (https://apidocs.bitrix24.com/api-reference/crm/crm-stage-history-list.html).
    """
    entity = entity_of(params, context)
    if not entity.stage or entity.id == 7:
        raise MethodError("ENTITY_TYPE_NOT_SUPPORTED", "История стадий не поддерживается этим типом")
    renamed = LEAD_NAMES if entity.id == 1 else {}
    columns = [
        (renamed.get(spec.code, spec.code), spec)
        for spec in HISTORY.fields
        if spec.code != "OWNER_TYPE_ID" and not (entity.id == 1 and spec.code == "CATEGORY_ID")
    ]
    back = {new: old for old, new in renamed.items()}
    conditions = {
        re.sub(r"[A-Z_]+$", lambda name: back.get(name[0], name[0]), str(key)): value
        for key, value in map_of(bound_array(params, "filter", {})).items()
    }
    if context.has("stage_history_refuses_names"):
        for key in conditions:
            name = re.sub(r"^[^A-Za-z]+", "", key)
            if name not in HISTORY.by_code:
                raise MethodError("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter")
    filtered = table_conditions(HISTORY, conditions | {"OWNER_TYPE_ID": entity.id}, context.store.server_zone)
    filtered.conditions += of_visible(entity, context)
    where = filtered.clause()
    wanted = set(names_of(bound_array(params, "select", []))) or {"*"}
    chosen = tuple((key, spec) for key, spec in columns if "*" in wanted or key in wanted)
    order = [
        f't."{HISTORY.by_code[name].column}" {"DESC" if php_text(way).upper() == "DESC" else "ASC"}'
        for name, way in map_of(bound_array(params, "order", {})).items()
        if name in HISTORY.by_code
    ]
    window = paging.controller(
        context.start,
        lambda: context.store.scalar(f"SELECT count(*) FROM stage_history t {where.sql}", where.params),  # noqa: S608
    )
    clauses = f"{where.sql} ORDER BY {', '.join([*order, 't.id'])} LIMIT {paging.ROWS_PER_PAGE} OFFSET {window.offset}"
    rows = read_rows(context.store, HISTORY, Selection("item", chosen), clauses, where.params)
    context.rows += len(rows)
    return Result({"items": [row or [] for _, row in rows]}, window.total, window.next)
