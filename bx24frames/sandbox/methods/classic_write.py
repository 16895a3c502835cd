"""``crm.{lead,deal,contact,company,quote}.add``, ``.update``, ``.delete``
(crm module: classes/general/restservice.php).
"""

from __future__ import annotations

from typing import Any

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.methods.arguments import classic_id
from bx24frames.sandbox.methods.classic import register_for_all
from bx24frames.sandbox.methods.losses import LEAD_VIEW, convert, lose
from bx24frames.sandbox.registry import Context, MethodError, Params, Result
from bx24frames.sandbox.shapes.write import SKIP, classic_cell, classic_user_cell, values_of, write_context
from bx24frames.sandbox.store.records import Draft, change, create
from bx24frames.sandbox.store.removal import remove
from bx24frames.sandbox.store.tables import EntityType


def _fields(params: Params) -> dict[str, Any]:
    value = params.get("fields", params.get("FIELDS"))
    if isinstance(value, list) and not value:
        return {}
    if not isinstance(value, dict):
        raise MethodError("", "Parameter 'fields' must be array.")
    return value


def read_draft(entity: EntityType, values: dict[str, Any], context: Context, *, adding: bool) -> Draft:
    """The draft of the sent fields; unknown and read-only ones, and invalid values, are ignored silently."""
    portal = write_context(context.store, context.quirks)
    users = {spec.code: spec for spec in context.store.user_fields(entity.id)}
    draft = Draft()
    for name, value in values.items():
        if name in users:
            stored = classic_user_cell(users[name], value, portal)
            if stored is not SKIP:
                draft.user[name] = stored
            continue
        spec = entity.table.by_code.get(name)
        if spec is None or spec.read_only or (spec.immutable and not adding):
            continue
        if not spec.stored:
            entries = [entry for entry in values_of(value) if isinstance(entry, dict)]
            draft.contact_data += [{**entry, "TYPE_ID": spec.code} for entry in entries]
        elif (stored := classic_cell(spec, value, portal)) is not SKIP:
            draft.columns[spec.column] = stored
    return draft


def check_filled(entity: EntityType, draft: Draft, context: Context, before: dict[str, Any] | None) -> None:
    """Refuse a row whose required fields would be empty.

    Raises
    ------
    MethodError
        Code ``""`` with the captions, separated by ``<br>``.
    """
    missing = [
        spec.title
        for spec in entity.fields
        if spec.required and _would_be_empty(spec.column, draft.columns, before) and spec.stored
    ]
    missing += demanded(entity, draft, context, before)
    if missing:
        raise MethodError("", "<br>".join(f"Не заполнено поле «{title}»." for title in missing))


def demanded(entity: EntityType, draft: Draft, context: Context, before: dict[str, Any] | None) -> list[str]:
    """Captions of the fields that the portal's settings require and the row would lack."""
    missing = []
    if entity.needs and before is not None:
        columns = [entity.table.by_code[code].column for code in entity.needs]
        if all(_would_be_empty(column, before | draft.columns, None) for column in columns) and draft.columns:
            missing.append(entity.table.by_code[entity.needs[0]].title)
    if not context.has("demands_enforced"):
        return missing
    missing += [
        spec.title
        for spec in context.store.user_fields(entity.id)
        if spec.mandatory and (draft.user.get(spec.code) is None if before is None else _cleared(draft, spec.code))
    ]
    known = {**(before or {}), **draft.columns}
    if php_text(draft.columns.get("stageId")).endswith("WON") and not known.get("closedate"):
        missing.append(entity.table.by_name["closedate"].title)
    return missing


def _would_be_empty(column: str, columns: dict[str, Any], before: dict[str, Any] | None) -> bool:
    if before is not None and column not in columns:
        return False
    return not php_text(columns.get(column)).strip()


def _cleared(draft: Draft, code: str) -> bool:
    return code in draft.user and draft.user[code] is None


def poisoned(context: Context, title: Any) -> bool:
    """Whether a title contains the store's poison."""
    return context.store.poison is not None and context.store.poison in php_text(title)


def add_classic(entity: EntityType, params: Params, context: Context) -> Result:
    """Create a row; returns its id."""
    draft = read_draft(entity, _fields(params), context, adding=True)
    check_filled(entity, draft, context, None)
    lose(entity, draft, context, None, "classic")
    now = context.store.local_time(context.now)
    row_id = create(context.store, entity, draft, user_id=context.user_id, now=now)
    context.added(entity.id, row_id, _fields(params))
    context.store.robots_run += 1
    if poisoned(context, draft.columns.get("title")):
        raise MethodError("ERROR_CORE", "Internal error after the element was saved")
    if entity.id == LEAD_VIEW and context.has("leads_converted"):
        convert(context, row_id, dict)
    return Result(row_id)


def _existing(entity: EntityType, params: Params, context: Context) -> tuple[int, dict[str, Any]]:
    row_id = classic_id(params)
    before = context.store.row(entity.name, row_id)
    if before is None:
        raise MethodError("", "Not found")
    return row_id, before


def update_classic(entity: EntityType, params: Params, context: Context) -> Result:
    """Change a row."""
    row_id, before = _existing(entity, params, context)
    draft = read_draft(entity, _fields(params), context, adding=False)
    check_filled(entity, draft, context, before)
    lose(entity, draft, context, before, "classic")
    now = context.store.local_time(context.now)
    change(context.store, entity, row_id, before, draft, user_id=context.user_id, now=now)
    context.writes += 1
    context.store.robots_run += 1
    return Result(True)


def delete_classic(entity: EntityType, params: Params, context: Context) -> Result:
    """Delete a row."""
    row_id, _ = _existing(entity, params, context)
    remove(context.store, entity, [row_id])
    context.writes += 1
    return Result(True)


for _action, _handler in (("add", add_classic), ("update", update_classic), ("delete", delete_classic)):
    register_for_all(_action, _handler)
