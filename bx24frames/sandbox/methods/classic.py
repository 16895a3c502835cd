"""``crm.{lead,deal,contact,company,quote}.list``, ``.get``, ``.fields``
(https://apidocs.bitrix24.com/api-reference/crm/deals/).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields import field as fields
from bx24frames.sandbox.fields import user as fields_user
from bx24frames.sandbox.filters import classic as filters_classic
from bx24frames.sandbox.filters.base import Fragment
from bx24frames.sandbox.methods.arguments import classic_id, classic_map, names_of
from bx24frames.sandbox.registry import Context, Handler, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, add_multifields, read_rows
from bx24frames.sandbox.shapes.select import classic_selection, classic_whole
from bx24frames.sandbox.store.tables import ENTITY_TYPES, EntityType
from bx24frames.sandbox.visibility import CLASSIC_DENIED, check_readable, uncommitted, visible

EntityHandler = Callable[[EntityType, Params, Context], Result]


def register_for_all(action: str, handler: EntityHandler) -> None:
    """Register a handler under every classic table's name."""
    for entity in ENTITY_TYPES.values():
        if entity.classic:
            method(f"crm.{entity.name}.{action}", "crm")(_bind(handler, entity))


def _bind(handler: EntityHandler, entity: EntityType) -> Handler:
    return lambda params, context: handler(entity, params, context)


def read_classic(
    context: Context, entity: EntityType, selection: Selection, where: Fragment, order: str, offset: int
) -> list[dict[str, Any]]:
    """One page of printed rows."""
    clauses = f"{where.sql} ORDER BY {order} LIMIT {paging.ROWS_PER_PAGE} OFFSET {offset}"
    rows = read_rows(context.store, entity.table, selection, clauses, where.params)
    add_multifields(context.store, entity, selection, rows)
    context.rows += len(rows)
    return [row for _, row in rows]


def list_rows(entity: EntityType, params: Params, context: Context) -> Result:
    """A page of rows, engine A."""
    store = context.store
    zero_is_null = context.has("classic_zero_list_holds_null")
    conditions = classic_map(params, "filter")
    filtered = filters_classic.translate_classic(store, entity, conditions, zero_is_null=zero_is_null)
    filtered.conditions += visible(entity, context)
    where = filtered.clause()
    order = filters_classic.classic_order_sql(entity, classic_map(params, "order"))
    selection = classic_selection(store, entity, names_of(list(classic_map(params, "select").values())))
    window = paging.classic(
        context.start,
        lambda: store.scalar(f'SELECT count(*) FROM "{entity.name}" t {where.sql}', where.params),  # noqa: S608
    )
    rows = read_classic(context, entity, selection, where, order, window.offset)
    return Result(rows, window.total, window.next)


def get_row(entity: EntityType, params: Params, context: Context) -> Result:
    """One row, every field and multifield."""
    check_readable(entity, classic_id(params), context, CLASSIC_DENIED)
    where = Fragment("WHERE t.id = ?", (classic_id(params),))
    rows = read_classic(context, entity, classic_whole(context.store, entity), where, "t.id", 0)
    if not rows or classic_id(params) in uncommitted(entity, context):
        raise MethodError("", "Not found")
    return Result(rows[0])


def describe(entity: EntityType, _: Params, context: Context) -> Result:
    """The field description."""
    live, unsaid = context.has("required_flags_unfounded"), context.has("read_only_unsaid")
    described = {
        spec.code: fields.describe_classic(spec, as_live=live, unsaid=unsaid)
        for spec in entity.fields
        if spec.has("classic")
    }
    user = context.store.user_fields(entity.id)
    return Result(described | {spec.code: fields_user.describe_user_classic(spec) for spec in user})


for _action, _handler in (
    ("list", list_rows),
    ("get", get_row),
    ("fields", describe),
):
    register_for_all(_action, _handler)
