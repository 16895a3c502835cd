"""``crm.item.add``, ``.update``, ``.delete``, ``.import``, ``.batchImport`` (crm module: lib/controller/item.php)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.fields.field import FieldSpec
from bx24frames.sandbox.fields.user import UserField
from bx24frames.sandbox.filters.item import ItemNames
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int
from bx24frames.sandbox.methods.classic_write import demanded, poisoned
from bx24frames.sandbox.methods.currencies import known_currencies
from bx24frames.sandbox.methods.item import NO_ITEM, entity_of, one_item, wants_original
from bx24frames.sandbox.methods.losses import LEAD_VIEW, convert, lose, rename
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.shapes.write import (
    SKIP,
    NotValid,
    WriteContext,
    item_cell,
    item_user_cell,
    values_of,
    write_context,
)
from bx24frames.sandbox.store.records import Draft, change, create
from bx24frames.sandbox.store.removal import remove
from bx24frames.sandbox.store.tables import EntityType

IMPORT_LIMIT: Final = 20
SYSTEM_FIELDS_OF_IMPORT: Final = frozenset(
    {"createdTime", "updatedTime", "movedTime", "createdBy", "updatedBy", "movedBy"}
)
OBJECTS: Final = {"contacts": "contactIds", "companies": "companyIds"}
"""Described as fields, but refused in writes."""
BROKEN_FM: Final = "The value of an argument 'value' must be of type Bitrix\\Crm\\Multifield\\Collection"
MULTIFIELD_CODES: Final = frozenset({"PHONE", "EMAIL", "WEB", "IM", "LINK"})


def _not_valid(title: str) -> MethodError:
    return MethodError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f"Неверное значение поля «{title}»")


def _required(title: str) -> MethodError:
    return MethodError("CRM_FIELD_ERROR_REQUIRED", f'Поле "{title}" обязательно для заполнения')


def _contact_data(value: Any) -> list[dict[str, Any]]:
    """`fm`: a list or a map of entries; numeric keys of a map are ids of existing entries, other ids are ignored."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
    entries = []
    for key, entry in pairs:
        if isinstance(entry, dict) and entry.get("typeId"):
            known = key if isinstance(value, dict) and str(key).isdigit() else ""
            named = {"ID": known, "TYPE_ID": php_text(entry.get("typeId")).upper()}
            renamed = {"VALUE": "value", "VALUE_TYPE": "valueType"}
            entries.append(named | {upper: entry[name] for upper, name in renamed.items() if name in entry})
    return entries


WITHOUT_CLIENT: Final = frozenset({1, 3, 7})
"""Types that may be linked to a company and for which no portal was observed to require it."""


def _writable(spec: FieldSpec, context: Context, *, adding: bool, importing: bool) -> bool:
    if importing and spec.column in SYSTEM_FIELDS_OF_IMPORT:
        return context.is_admin
    return not spec.read_only and (adding or not spec.immutable)


def _read(
    entity: EntityType, values: Mapping[str, Any], context: Context, original: bool, *, adding: bool, importing: bool
) -> Draft:
    names = ItemNames(context.store, entity, original, context.quirks)
    portal = write_context(context.store, context.quirks)
    draft = Draft()
    for name, value in values.items():
        if name in OBJECTS and OBJECTS[name] in entity.table.by_name:
            raise MethodError("100", f"Field {name} is not writable")
        if name in {"fm", "FM"}:
            draft.contact_data += _contact_data(value)
        elif importing and name in MULTIFIELD_CODES:
            draft.contact_data += [{**e, "TYPE_ID": name} for e in values_of(value) if isinstance(e, dict)]
        spec = names.find("", name)
        try:
            if isinstance(spec, UserField):
                if (cell := item_user_cell(spec, value, portal)) is not SKIP:
                    draft.user[spec.code] = cell
                continue
            if spec is None or not _writable(spec, context, adding=adding, importing=importing):
                continue
            if (cell := item_cell(spec, value, portal)) is not SKIP:
                draft.columns[spec.column] = _checked(entity, spec, cell, portal, context)
        except NotValid as refused:
            raise _not_valid(spec.title if spec else name) from refused
    return draft


def _checked(entity: EntityType, spec: FieldSpec, stored: Any, portal: WriteContext, context: Context) -> Any:
    if spec.column == "stageId" and stored is not None and stored not in portal.choices(entity.stages):
        raise NotValid
    if spec.type == "crm_currency" and stored is not None and stored not in known_currencies(context):
        raise NotValid
    return stored


def _check_filled(entity: EntityType, draft: Draft, context: Context, before: dict[str, Any] | None) -> None:
    for spec in entity.fields:
        touched = before is None or spec.column in draft.columns
        if spec.required and spec.stored and touched and not php_text(draft.columns.get(spec.column)).strip():
            raise _required(spec.title)
    for title in demanded(entity, draft, context, before):
        raise _required(title)
    links = [draft.columns.get(name) for name in ("companyId", "contactId", "contactIds")]
    clients = entity.id not in WITHOUT_CLIENT and "companyId" in entity.table.by_name
    if context.has("client_demanded") and before is None and clients and not any(links):
        raise _required("Клиент")


def _map(params: Params, name: str) -> dict[str, Any]:
    bound(params, name)
    value = bound_array(params, name, {})
    return value if isinstance(value, dict) else {}


@method("crm.item.add", "crm")
def add_item(params: Params, context: Context) -> Result:
    """Create a row, printed whole."""
    entity, original = entity_of(params, context), wants_original(params, context)
    draft = _read(entity, _map(params, "fields"), context, original, adding=True, importing=False)
    _check_filled(entity, draft, context, None)
    lose(entity, draft, context, None, "item")
    rename(entity, draft, context)
    now = context.store.local_time(context.now)
    row_id = create(context.store, entity, draft, user_id=context.user_id, now=now)
    context.added(entity.id, row_id, _map(params, "fields"))
    context.store.robots_run += 1
    if poisoned(context, draft.columns.get("title")):
        raise MethodError("ERROR_CORE", "Internal error after the element was saved")
    if entity.id == LEAD_VIEW and context.has("leads_converted"):
        return Result({"item": convert(context, row_id, lambda: one_item(context, entity, row_id, original=original))})
    return Result({"item": one_item(context, entity, row_id, original=original)})


@method("crm.item.update", "crm")
def update_item(params: Params, context: Context) -> Result:
    """Change a row; printed whole."""
    entity, original = entity_of(params, context), wants_original(params, context)
    row_id = bound_int(params, "id")
    before = context.store.row(entity.name, row_id)
    if before is None:
        raise NO_ITEM
    draft = _read(entity, _map(params, "fields"), context, original, adding=False, importing=False)
    _check_filled(entity, draft, context, before)
    printed_null = lose(entity, draft, context, before, "item")
    rename(entity, draft, context)
    now = context.store.local_time(context.now)
    change(context.store, entity, row_id, before, draft, user_id=context.user_id, now=now)
    context.writes += 1
    context.store.robots_run += 1
    item = one_item(context, entity, row_id, original=original)
    names = context.store.user_field_names(entity.id, original=original)
    return Result({"item": item | dict.fromkeys(names[code] for code in printed_null)})


@method("crm.item.delete", "crm")
def delete_item(params: Params, context: Context) -> Result:
    """Delete a row; PHP's empty array."""
    entity = entity_of(params, context)
    if not remove(context.store, entity, [bound_int(params, "id")]):
        raise NO_ITEM
    context.writes += 1
    return Result([])


def _import_row(entity: EntityType, values: Any, context: Context, original: bool) -> int:
    store = context.store
    role = store.roles.get(context.user_id)
    if not store.may_import or (role is not None and not role.imports):
        raise MethodError("ACCESS_DENIED", "Доступ запрещен")
    draft = _read(entity, values if isinstance(values, dict) else {}, context, original, adding=True, importing=True)
    _check_filled(entity, draft, context, None)
    lose(entity, draft, context, None, "item")
    created = draft.columns.get("createdTime")
    newest = store.scalar(f'SELECT createdTime FROM "{entity.name}" ORDER BY id DESC LIMIT 1')  # noqa: S608
    if created and newest and created < newest:
        raise _not_valid(entity.table.by_name["createdTime"].title)
    given = {name: draft.columns[name] for name in SYSTEM_FIELDS_OF_IMPORT if draft.columns.get(name)}
    draft.columns = {n: v for n, v in draft.columns.items() if n not in SYSTEM_FIELDS_OF_IMPORT} | given
    row_id = create(store, entity, draft, user_id=context.user_id, now=store.local_time(context.now))
    context.added(entity.id, row_id, values)
    return row_id


def _explode(values: Any, context: Context) -> None:
    title = values.get("title", values.get("TITLE")) if isinstance(values, dict) else None
    if poisoned(context, title):
        raise MethodError("ERROR_CORE", "Internal error")
    if isinstance(values, dict) and "fm" in values and context.has("import_takes_no_fm"):
        raise MethodError("0", BROKEN_FM)


@method("crm.item.import", "crm")
def import_one(params: Params, context: Context) -> Result:
    """Import one row without automation; returns its id."""
    entity = entity_of(params, context)
    values = _map(params, "fields")
    _explode(values, context)
    return Result({"item": {"id": _import_row(entity, values, context, wants_original(params, context))}})


@method("crm.item.batchImport", "crm")
def import_many(params: Params, context: Context) -> Result:
    """Import up to 20 rows without automation, with one answer for each, under the keys that were sent.

    A refused row is an entry with its error. An exception inside a row fails the whole command after the rows
    before it are saved.
    """
    entity, original = entity_of(params, context), wants_original(params, context)
    bound(params, "data")
    data = bound_array(params, "data", [])
    if len(data) > IMPORT_LIMIT:
        raise MethodError("MAX_IMPORT_BATCH_SIZE_EXCEEDED", f"Maximum {IMPORT_LIMIT} items can be imported at once")
    answers: dict[str, Any] = {}
    for key, values in data.items() if isinstance(data, dict) else enumerate(data):
        _explode(values, context)
        try:
            answers[str(key)] = {"item": {"id": _import_row(entity, values, context, original)}}
        except MethodError as refused:
            answers[str(key)] = {"error": refused.code, "error_description": refused.description}
    as_list = list(answers) == [str(place) for place in range(len(answers))]
    return Result({"items": list(answers.values()) if as_list else answers})
