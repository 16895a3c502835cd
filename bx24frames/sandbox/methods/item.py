"""``crm.item.list``, ``.get``, ``.fields`` (https://apidocs.bitrix24.com/api-reference/crm/universal/)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from bx24frames.sandbox import paging
from bx24frames.sandbox.fields import field as fields
from bx24frames.sandbox.fields import user as fields_user
from bx24frames.sandbox.filters import item as filters_item
from bx24frames.sandbox.filters.base import Fragment
from bx24frames.sandbox.methods.arguments import bound_array, bound_int, is_yes, map_of, names_of
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.cells import Selection, add_multifields, read_rows
from bx24frames.sandbox.shapes.select import item_selection, listed_selection
from bx24frames.sandbox.store.tables import EntityType
from bx24frames.sandbox.visibility import ITEM_DENIED, check_readable, uncommitted, visible
from bx24frames.sandbox.zones import user_shift

NO_ITEM: Final = MethodError("NOT_FOUND", "Элемент не найден")


def entity_of(params: Params, context: Context) -> EntityType:
    """The entity type of a call.

    Raises
    ------
    MethodError
        ``ENTITY_TYPE_NOT_SUPPORTED``, or code 100 without an ``entityTypeId``.
    """
    entity_type_id = bound_int(params, "entityTypeId")
    entity = context.store.entity(entity_type_id)
    if entity is None:
        raise MethodError("ENTITY_TYPE_NOT_SUPPORTED", f"Entity type {{{entity_type_id}}} is not supported")
    return entity


def wants_original(params: Params, context: Context) -> bool:
    """Whether user fields keep their codes."""
    return is_yes(params.get("useOriginalUfNames")) and not context.has("original_names_unknown")


def read_items(
    context: Context, entity: EntityType, selection: Selection, where: Fragment, tail: str
) -> list[dict[str, Any]]:
    """Printed rows without repetitions; a row that a join repeats makes the page shorter."""
    store = context.store
    found = read_rows(store, entity.table, selection, f"{where.sql} {tail}", where.params)
    context.rows += len(found)
    rows = [(row_id, row) for row_id, row in dict(found).items() if row_id not in store.vanishing]
    add_multifields(store, entity, selection, rows)
    return [row for _, row in rows]


def one_item(context: Context, entity: EntityType, row_id: int, *, original: bool) -> dict[str, Any]:
    """One row as `get`, `add` and `update` print it.

    Raises
    ------
    MethodError
        ``NOT_FOUND``
    """
    selection = item_selection(context.store, entity, None, original=original)
    rows = read_items(context, entity, selection, Fragment("WHERE t.id = ?", (row_id,)), "")
    if not rows:
        raise NO_ITEM
    return rows[0]


def _reading(context: Context) -> filters_item.OperandReading:
    """Settings for reading the conditions of this caller."""
    clock = context.has("item_moments_in_user_clock")
    return filters_item.OperandReading(
        shift=user_shift(context) if clock else timedelta(),
        grouped=clock,
        listed=not context.has("item_moment_lists_dropped"),
        prefixed=not context.has("item_links_without_prefix"),
    )


@method("crm.item.list", "crm")
def list_items(params: Params, context: Context) -> Result:
    """A page of rows, engine B; a row without selected fields is printed as PHP's empty array."""
    store, entity, original = context.store, entity_of(params, context), wants_original(params, context)
    names = filters_item.ItemNames(store, entity, original, context.quirks, _reading(context))
    filtered = filters_item.translate_item(names, map_of(bound_array(params, "filter", {})))
    filtered.conditions += visible(entity, context)
    where = filtered.clause()
    order = filters_item.item_order_sql(names, map_of(bound_array(params, "order", {})))
    select = bound_array(params, "select")
    wanted = None if select is None else names_of(select)
    selection = listed_selection(store, entity, wanted, original=original, quirks=context.quirks)
    window = paging.controller(
        context.start,
        lambda: store.scalar(f'SELECT count(*) FROM "{entity.name}" t {where.sql}', where.params),  # noqa: S608
    )
    rows = read_items(
        context, entity, selection, where, f"ORDER BY {order} LIMIT {paging.ROWS_PER_PAGE} OFFSET {window.offset}"
    )
    return Result({"items": [row or [] for row in rows]}, window.total, window.next)


@method("crm.item.get", "crm")
def get_item(params: Params, context: Context) -> Result:
    """One row."""
    entity, row_id = entity_of(params, context), bound_int(params, "id")
    check_readable(entity, row_id, context, ITEM_DENIED)
    if row_id in uncommitted(entity, context):
        raise NO_ITEM
    return Result({"item": one_item(context, entity, row_id, original=wants_original(params, context))})


@method("crm.item.fields", "crm")
def describe_items(params: Params, context: Context) -> Result:
    """The field description, keyed by item spelling."""
    entity = entity_of(params, context)
    described: dict[str, Any] = {}
    for spec in entity.fields:
        if spec.has("item"):
            entry = fields.describe_item(
                spec, as_live=context.has("required_flags_unfounded"), unsaid=context.has("read_only_unsaid")
            )
            if spec.column in {"stageId", "previousStageId"} and entity.stage:
                entry["statusType"] = entity.stages
            described[spec.column] = entry
    names = context.store.user_field_names(entity.id, original=wants_original(params, context))
    for user in context.store.user_fields(entity.id):
        described[names[user.code]] = fields_user.describe_user_item(user)
    return Result({"fields": described})
