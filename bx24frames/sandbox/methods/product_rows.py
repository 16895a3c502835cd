"""The product rows of an owner: ``crm.item.productrow.*`` and the older ``crm.{deal,lead,quote}.productrows.*``
(https://apidocs.bitrix24.com/api-reference/crm/universal/product-rows/).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields import field as fields
from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, classic_id, map_of
from bx24frames.sandbox.methods.plain import Desk, View, by_code, by_name
from bx24frames.sandbox.methods.product_prices import NEW, owner_totals, prices
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, read_rows
from bx24frames.sandbox.shapes.write import values_of
from bx24frames.sandbox.store.tables import ENTITY_TYPES, TABLES, EntityType
from bx24frames.sandbox.visibility import ITEM_DENIED, check_readable

_Owner = tuple[str, int]

PRODUCT_ROWS: Final = TABLES["product_row"]
_DESK: Final = Desk("product_row", PRODUCT_ROWS.by_name, nullable=True)
CLASSIC_DESK: Final = Desk("product_row", PRODUCT_ROWS.by_code, nullable=True)
ITEM: Final = Selection("item", tuple((spec.column, spec) for spec in PRODUCT_ROWS.fields if spec.has("item")))
_CLASSIC: Final = Selection("item", tuple((spec.code, spec) for spec in PRODUCT_ROWS.fields if spec.has("classic")))
"""Keys that the older methods print as text; the others are numbers."""
_TEXTS: Final = ("ID", "OWNER_ID")
UNDESCRIBED: Final = ("priceAccount", "xmlId")
OWNED: Final = "WHERE t.ownerType = ? AND t.ownerId = ?"
_VIEW: Final = View(
    "product_row", dict(ITEM.system), {**by_code("product_row"), **by_name("product_row")}, "item", paging.controller,
    lambda name: MethodError("INVALID_ARG_VALUE", f"Invalid filter: field '{name}' is not allowed in filter"),
)  # fmt: skip
_NO_ROW: Final = MethodError("NOT_FOUND", "Товарная позиция не найдена")
_NO_OWNER: Final = MethodError("OWNER_NOT_FOUND", "Владелец товарной позиции не найден")


def _found(context: Context, selection: Selection, clauses: str, params: Sequence[Any]) -> list[dict[str, Any]]:
    rows = [row for _, row in read_rows(context.store, PRODUCT_ROWS, selection, clauses, params)]
    context.rows += len(rows)
    return rows


def _owner(kind: Any, row_id: Any, context: Context) -> _Owner:
    """An owner that exists, by the prefix of its table."""
    owner = (php_text(kind), php_int(row_id))
    table = next((entity.name for entity in context.store.entities() if entity.short == owner[0]), None)
    if table is None or context.store.row(table, owner[1]) is None:
        raise _NO_OWNER
    return owner


def _replace(owner: _Owner, rows: Any, desk: Desk, names: Sequence[str], context: Context) -> None:
    """Replace all product rows of an owner."""
    given = [row for row in values_of(rows) if isinstance(row, dict)]
    context.store.database.change("DELETE FROM product_row WHERE ownerType = ? AND ownerId = ?", owner)
    context.writes += not given
    for row in given:
        _add({**row, **dict(zip(names, owner, strict=True))}, desk, owner, context)
    _settle_owner(owner, context)


def _add(values: dict[str, Any], desk: Desk, owner: _Owner, context: Context) -> int:
    """Save one product row with computed values; returns its id."""
    row_id = desk.add(values, context)
    row = context.store.row("product_row", row_id) or {}
    count = context.store.scalar("SELECT count(*) FROM product_row WHERE ownerType = ? AND ownerId = ?", owner)
    filled = {name: value for name, value in {**NEW, "sort": 10 * count}.items() if row.get(name) is None}
    context.store.update_row("product_row", row_id, {**filled, **prices({**row, **filled})})
    return row_id


def _settle_owner(owner: _Owner, context: Context) -> None:
    """Update the modified time of the owner, and its sum, unless that is set manually."""
    entity = next((one for one in context.store.entities() if one.short == owner[0]), None)
    row = None if entity is None else context.store.row(entity.name, owner[1])
    if entity is None or row is None:
        return
    now = {"updatedTime": context.store.local_time(context.now), "updatedBy": context.user_id}
    context.store.update_row(entity.name, owner[1], now)
    if context.has("rows_move_no_sum") or row.get("isManualOpportunity") == "Y" or "opportunity" not in row:
        return
    ids = context.store.query("SELECT id FROM product_row WHERE ownerType = ? AND ownerId = ?", owner)
    sums = owner_totals([context.store.row("product_row", row_id) or {} for (row_id,) in ids])
    context.store.update_row(entity.name, owner[1], {name: value for name, value in sums.items() if name in row})


@method("crm.item.productrow.list", "crm")
def list_product_rows(params: Params, context: Context) -> Result:
    """The product rows of one owner, engine B; the owner must be named by ``=ownerType`` and ``=ownerId``.

    An array of owners passes the check that an owner is named, and the rights are then tested on element 1: an
    administrator gets the rows of all of them, other conditions included
    (crm module: lib/controller/item/productrow.php, checkReadPermissions).
    """
    conditions = map_of(bound_array(params, "filter", {}))
    for name in ("=ownerType", "=ownerId"):
        if name not in conditions:
            raise MethodError("REQUIRED_ARG_MISSING", f"Filter must contain {name}")
    _check_owner(php_text(conditions["=ownerType"]), conditions["=ownerId"], context)
    rows, window = _VIEW.page(context, conditions, map_of(bound_array(params, "order", {})))
    return Result({"productRows": rows}, window.total, window.next)


def _check_owner(kind: str, owner: Any, context: Context) -> None:
    if isinstance(owner, list | dict):
        if not context.is_admin:
            raise ITEM_DENIED
        return
    entity = next((one for one in context.store.entities() if one.short == kind), None)
    if entity is not None:
        check_readable(entity, php_int(owner), context, ITEM_DENIED)


@method("crm.item.productrow.getAvailableForPayment", "crm")
def list_payable_rows(params: Params, context: Context) -> Result:
    """Product rows of one owner that are not in a payment: here all of them, without their store."""
    owner = _owner(bound(params, "ownerType"), bound_int(params, "ownerId"), context)
    rows = _found(context, ITEM, f"{OWNED} ORDER BY t.id", owner)
    return Result({"productRows": [{k: v for k, v in row.items() if k != "storeId"} for row in rows]})


@method("crm.item.productrow.fields", "crm")
def describe_product_rows(_: Params, context: Context) -> Result:
    """The field description of product rows."""
    live = context.has("required_flags_unfounded")
    described: dict[str, Any] = {
        spec.column: fields.describe_item(spec, as_live=live) | {"type": spec.type}  # Y/N flags are not booleans here
        for spec in PRODUCT_ROWS.fields
        if spec.has("item") and spec.column not in UNDESCRIBED
    }
    return Result({"fields": described})


def _one(row_id: int, context: Context) -> Result:
    rows = _found(context, ITEM, "WHERE t.id = ?", (row_id,))
    if not rows:
        raise _NO_ROW
    return Result({"productRow": rows[0]})


@method("crm.item.productrow.get", "crm")
def get_product_row(params: Params, context: Context) -> Result:
    """One product row."""
    return _one(bound_int(params, "id"), context)


@method("crm.item.productrow.add", "crm")
def add_product_row(params: Params, context: Context) -> Result:
    """Create a product row, printed whole."""
    bound(params, "fields")
    values = map_of(bound_array(params, "fields", {}))
    owner = _owner(values.get("ownerType"), values.get("ownerId"), context)
    row_id = _add(values, _DESK, owner, context)
    _settle_owner(owner, context)
    return _one(row_id, context)


@method("crm.item.productrow.update", "crm")
def update_product_row(params: Params, context: Context) -> Result:
    """Change a product row; printed whole."""
    row_id = bound_int(params, "id")
    _DESK.update(row_id, map_of(bound_array(params, "fields", {})), context, _NO_ROW)
    row = context.store.row("product_row", row_id) or {}
    context.store.update_row("product_row", row_id, prices(row))
    _settle_owner((row["ownerType"], row["ownerId"]), context)
    return _one(row_id, context)


@method("crm.item.productrow.delete", "crm")
def delete_product_row(params: Params, context: Context) -> Result:
    """Delete a product row."""
    row_id = bound_int(params, "id")
    row = context.store.row("product_row", row_id)
    _DESK.delete(row_id, context, _NO_ROW)
    if row is not None:
        _settle_owner((row["ownerType"], row["ownerId"]), context)
    return Result(None)


@method("crm.item.productrow.set", "crm")
def set_product_rows(params: Params, context: Context) -> Result:
    """Replace every product row of one owner; all printed."""
    owner = _owner(bound(params, "ownerType"), bound_int(params, "ownerId"), context)
    bound(params, "productRows")
    _replace(owner, bound_array(params, "productRows", []), _DESK, ("ownerType", "ownerId"), context)
    return Result({"productRows": _found(context, ITEM, f"{OWNED} ORDER BY t.id", owner)})


# ---------------------------------------------------------------- the older names


def _get_classic(entity: EntityType, params: Params, context: Context) -> Result:
    """The product rows of a row, classic shape, unpaged."""
    owner = (entity.short, classic_id(params))
    rows = _found(context, _CLASSIC, f"{OWNED} ORDER BY t.id", owner)
    for row in rows:
        row.update({name: php_text(row[name]) for name in _TEXTS})
        row["PRICE_ACCOUNT"] = f"{row['PRICE_ACCOUNT'] or 0:.2f}"
        product = context.store.row("product", row["PRODUCT_ID"] or 0) or {}
        row["ORIGINAL_PRODUCT_NAME"] = product.get("name", row["PRODUCT_NAME"])
        row["PRODUCT_DESCRIPTION"] = product.get("description")
    return Result(rows)


def _set_classic(entity: EntityType, params: Params, context: Context) -> Result:
    """Replace every product row of a row."""
    row_id = classic_id(params)
    rows = params.get("rows", params.get("ROWS"))
    if not isinstance(rows, list | dict):
        raise MethodError("", "Parameter 'rows' must be array.")
    if context.store.row(entity.name, row_id) is None:
        raise MethodError("", "Not found")
    _replace((entity.short, row_id), rows, CLASSIC_DESK, ("OWNER_TYPE", "OWNER_ID"), context)
    return Result(value=True)


for _entity in ENTITY_TYPES.values():
    if _entity.name in ("lead", "deal", "quote"):  # contacts and companies have no product rows
        method(f"crm.{_entity.name}.productrows.get", "crm")(partial(_get_classic, _entity))
        method(f"crm.{_entity.name}.productrows.set", "crm")(partial(_set_classic, _entity))
