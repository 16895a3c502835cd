"""What hangs on a row: duplicates by phone or e-mail, stage history, bound contacts, product rows."""

from __future__ import annotations

import re
from typing import Any, Final

import orjson

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields import field as fields
from bx24frames.sandbox.filters.classic import table_conditions
from bx24frames.sandbox.methods.arguments import bound_array, bound_int, classic_id, map_of, names_of
from bx24frames.sandbox.methods.classic import register_for_all
from bx24frames.sandbox.methods.item import entity_of
from bx24frames.sandbox.methods.plain import Desk
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.parse import comparable, php_int, php_text
from bx24frames.sandbox.shapes.shapes import Selection, read_rows
from bx24frames.sandbox.store.tables import TABLES, EntityType

DUPLICATE_VALUES: Final = 20
DUPLICATE_TYPES: Final = {"LEAD": 1, "CONTACT": 3, "COMPANY": 4}


@method("crm.duplicate.findbycomm", "crm")
def find_duplicates(params: Params, context: Context) -> Result:
    """Ids by phone or e-mail, a list a type; which value matched is not said.

    Of a type the oldest 20 at most; once a type has 20, the types after it are left out
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
    where = table_conditions(HISTORY, conditions | {"OWNER_TYPE_ID": entity.id}, context.store.server_zone).clause()
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
    clauses = f"{where.sql} ORDER BY {', '.join([*order, 't.id'])} LIMIT {paging.PAGE} OFFSET {window.offset}"
    rows = read_rows(context.store, HISTORY, Selection("item", chosen), clauses, where.params)
    context.rows += len(rows)
    return Result({"items": [row or [] for _, row in rows]}, window.total, window.next)


def contact_items(entity: EntityType, params: Params, context: Context) -> Result:
    """The contacts bound to a row, unpaged (https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/)."""
    row = context.store.row(entity.name, classic_id(params))
    if row is None:
        raise MethodError("", "Not found")
    ids = orjson.loads(row["contactIds"]) if row.get("contactIds") else []
    if entity.name == "company":  # the bond is kept with the contact
        bonds = "SELECT c.id FROM contact c, json_each(c.companyIds) j WHERE j.value = ? ORDER BY c.id"
        ids = [found for (found,) in context.store.query(bonds, (row["id"],))]
    context.rows += len(ids)
    return Result(
        [
            {"CONTACT_ID": row_id, "SORT": 10 * place, "ROLE_ID": 0, "IS_PRIMARY": "Y" if place == 1 else "N"}
            for place, row_id in enumerate(ids, 1)
        ]
    )


def company_items(_: EntityType, params: Params, context: Context) -> Result:
    """The companies bound to a contact, unpaged."""
    row = context.store.row("contact", classic_id(params))
    if row is None:
        raise MethodError("", "Not found")
    ids = orjson.loads(row["companyIds"]) if row["companyIds"] else []
    context.rows += len(ids)
    return Result(
        [
            {"COMPANY_ID": row_id, "SORT": 10 * place, "ROLE_ID": 0, "IS_PRIMARY": "Y" if place == 1 else "N"}
            for place, row_id in enumerate(ids, 1)
        ]
    )


register_for_all("contact.items.get", contact_items)
register_for_all("company.items.get", company_items)

PRODUCT_ROW: Final = TABLES["product_row"]


@method("crm.item.productrow.list", "crm")
def list_product_rows(params: Params, context: Context) -> Result:
    """The product rows of one owner, engine B; the owner must be named by ``=ownerType`` and ``=ownerId``
    (https://apidocs.bitrix24.com/api-reference/crm/universal/product-rows/crm-item-productrow-list.html).
    """
    conditions = map_of(bound_array(params, "filter", {}))
    for name in ("=ownerType", "=ownerId"):
        if name not in conditions:
            raise MethodError("REQUIRED_ARG_MISSING", f"Filter must contain {name}")
    owner = (php_text(conditions["=ownerType"]), php_int(conditions["=ownerId"]))
    selection = Selection("item", tuple((spec.column, spec) for spec in PRODUCT_ROW.fields))
    clause = "WHERE t.ownerType = ? AND t.ownerId = ?"
    window = paging.controller(
        context.start,
        lambda: context.store.scalar(f"SELECT count(*) FROM product_row t {clause}", owner),  # noqa: S608
    )
    rows = read_rows(
        context.store,
        PRODUCT_ROW,
        selection,
        f"{clause} ORDER BY t.id LIMIT {paging.PAGE} OFFSET {window.offset}",
        owner,
    )
    context.rows += len(rows)
    return Result({"productRows": [row for _, row in rows]}, window.total, window.next)


@method("crm.item.productrow.fields", "crm")
def describe_product_rows(_: Params, __: Context) -> Result:
    """The field description of product rows."""
    described: dict[str, Any] = {spec.column: fields.describe_item(spec) for spec in PRODUCT_ROW.fields}
    return Result({"fields": described})


def product_rows(entity: EntityType, params: Params, context: Context) -> Result:
    """``crm.deal.productrows.get``: the product rows of a row, classic shape, unpaged."""
    selection = Selection("classic", tuple((spec.code, spec) for spec in PRODUCT_ROW.fields))
    owner = (entity.short, classic_id(params))
    rows = read_rows(
        context.store, PRODUCT_ROW, selection, "WHERE t.ownerType = ? AND t.ownerId = ? ORDER BY t.id", owner
    )
    context.rows += len(rows)
    return Result([row for _, row in rows])


register_for_all("productrows.get", product_rows)

DESK: Final = Desk("product_row", PRODUCT_ROW.by_name)
NO_ROW: Final = MethodError("NOT_FOUND", "Товарная позиция не найдена")


def _printed_row(row_id: int, context: Context) -> Result:
    selection = Selection("item", tuple((spec.column, spec) for spec in PRODUCT_ROW.fields))
    [(_, row)] = read_rows(context.store, PRODUCT_ROW, selection, "WHERE t.id = ?", (row_id,))
    return Result({"productRow": row})


@method("crm.item.productrow.add", "crm")
def add_product_row(params: Params, context: Context) -> Result:
    """A new product row, printed whole."""
    return _printed_row(DESK.add(map_of(bound_array(params, "fields", {})), context), context)


@method("crm.item.productrow.update", "crm")
def update_product_row(params: Params, context: Context) -> Result:
    """Change a product row; printed whole."""
    row_id = bound_int(params, "id")
    DESK.update(row_id, map_of(bound_array(params, "fields", {})), context, NO_ROW)
    return _printed_row(row_id, context)


@method("crm.item.productrow.delete", "crm")
def delete_product_row(params: Params, context: Context) -> Result:
    """Delete a product row."""
    DESK.delete(bound_int(params, "id"), context, NO_ROW)
    return Result(None)
