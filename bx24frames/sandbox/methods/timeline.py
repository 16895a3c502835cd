"""The timeline without comments: ``crm.timeline.bindings.*``, ``.note.*``, ``.logmessage.*``
(https://apidocs.bitrix24.com/api-reference/crm/timeline/).
"""

from __future__ import annotations

from typing import Any, Final

from bx24frames.sandbox.fields.casts import php_int, php_text
from bx24frames.sandbox.methods.arguments import bound, bound_array, bound_int, classic_map, map_of
from bx24frames.sandbox.methods.described import chosen, flat_fields, printed
from bx24frames.sandbox.methods.dictionaries import flat, ordered
from bx24frames.sandbox.paging import PageWindow
from bx24frames.sandbox.registry import Context, MethodError, Params, Result, method
from bx24frames.sandbox.store.dictionaries import Dictionary
from bx24frames.sandbox.store.tables import Row

# ---------------------------------------------------------------- bindings of comments

NO_ELEMENT: Final = MethodError("NOT_FOUND", "Элемент не найден")
_BINDINGS: Final = "timeline_bindings"
BINDING_FIELDS: Final = {
    "OWNER_ID": flat("integer", "ID записи таймлайна", required=True, immutable=True),
    "ENTITY_ID": flat("integer", "ID элемента", required=True, immutable=True),
    "ENTITY_TYPE": flat("string", "Тип элемента", required=True, immutable=True),
}
Binding = list[Any]


def _of(owner: int, context: Context) -> list[Binding]:
    """Bindings of a comment as (type, id); at first the row it was written to."""
    kept = (context.store.kept(_BINDINGS) or {}).get(str(owner))
    if kept is not None:
        return list(kept)
    row = context.store.row("comment", owner)
    return [] if row is None else [[row["entityType"], row["entityId"]]]


def _keep(owner: int, bindings: list[Binding], context: Context) -> Result:
    context.store.keep(_BINDINGS, {**(context.store.kept(_BINDINGS) or {}), str(owner): bindings})
    context.writes += 1
    return Result(value=True)


def _owner(values: Row) -> int:
    owner = php_int(values.get("OWNER_ID", values.get("=OWNER_ID")))
    if owner <= 0:
        raise MethodError("", "OWNER_ID is not defined or invalid.")
    return owner


def _binding(params: Params, context: Context) -> tuple[int, Binding]:
    values = flat_fields(params)
    owner, entity_id = _owner(values), php_int(values.get("ENTITY_ID"))
    if entity_id <= 0:
        raise MethodError("", "ENTITY_ID is not defined or invalid.")
    kind = php_text(values.get("ENTITY_TYPE")).lower()
    if kind not in {entity.name for entity in context.store.entities()}:
        raise MethodError("", "ENTITY_TYPE is not defined or invalid.")
    return owner, [kind, entity_id]


@method("crm.timeline.bindings.fields", "crm")
def describe_bindings(_: Params, __: Context) -> Result:
    """The field description of bindings."""
    return Result(BINDING_FIELDS)


@method("crm.timeline.bindings.list", "crm")
def list_bindings(params: Params, context: Context) -> Result:
    """Bindings of one comment; the owner is required."""
    conditions = classic_map(params, "filter")
    owner = _owner(conditions)
    rows: list[Row] = [
        {"OWNER_ID": owner, "ENTITY_ID": entity_id, "ENTITY_TYPE": kind} for kind, entity_id in _of(owner, context)
    ]
    rows = ordered(chosen(rows, conditions, BINDING_FIELDS), classic_map(params, "order"))
    context.rows += len(rows)
    return Result([printed(BINDING_FIELDS, row, context.store.server_zone, text=True) for row in rows], len(rows))


@method("crm.timeline.bindings.bind", "crm")
def bind(params: Params, context: Context) -> Result:
    """Bind a comment to another row."""
    owner, binding = _binding(params, context)
    bindings = _of(owner, context)
    return _keep(owner, bindings if binding in bindings else [*bindings, binding], context)


@method("crm.timeline.bindings.unbind", "crm")
def unbind(params: Params, context: Context) -> Result:
    """Remove a binding of a comment."""
    owner, binding = _binding(params, context)
    bindings = _of(owner, context)
    if binding not in bindings:
        raise MethodError("", "Not found.")
    return _keep(owner, [one for one in bindings if one != binding], context)


# ---------------------------------------------------------------- notes

NOTES: Final = "timeline_notes"
NOTE_FIELDS: Final = {
    "text": flat("string", "Текст"),
    "createdById": flat("user", "Кем создана"),
    "createdTime": flat("datetime", "Когда создана"),
    "updatedById": flat("user", "Кем изменена"),
    "updatedTime": flat("datetime", "Когда изменена"),
}
ITEM_TABLES: Final = {1: "comment", 2: "activity"}


def _note_key(params: Params, context: Context) -> str:
    """The timeline entry of a note, which must exist."""
    places = [bound_int(params, name) for name in ("ownerTypeId", "ownerId", "itemType", "itemId")]
    table = ITEM_TABLES.get(places[2])
    if table is None or context.store.row(table, places[3]) is None:
        raise NO_ELEMENT
    return f"{places[2]}:{places[3]}"


def _notes(context: Context) -> Row:
    return dict(context.store.kept(NOTES) or {})


@method("crm.timeline.note.get", "crm")
def get_note(params: Params, context: Context) -> Result:
    """The note of an entry."""
    note = _notes(context).get(_note_key(params, context))
    if note is None:
        raise NO_ELEMENT
    return Result(printed(NOTE_FIELDS, note, context.store.server_zone, text=False))


@method("crm.timeline.note.save", "crm")
def save_note(params: Params, context: Context) -> Result:
    """Create or replace the note of an entry."""
    key, notes, now = _note_key(params, context), _notes(context), context.store.local_time(context.now)
    written = {"text": php_text(bound(params, "text")), "updatedById": context.user_id, "updatedTime": now}
    notes[key] = {"createdById": context.user_id, "createdTime": now} | notes.get(key, {}) | written
    context.store.keep(NOTES, notes)
    context.writes += 1
    return Result(value=True)


@method("crm.timeline.note.delete", "crm")
def delete_note(params: Params, context: Context) -> Result:
    """Delete the note of an entry."""
    key, notes = _note_key(params, context), _notes(context)
    if notes.pop(key, None) is None:
        raise NO_ELEMENT
    context.store.keep(NOTES, notes)
    context.writes += 1
    return Result(value=True)


# ---------------------------------------------------------------- entries of the log

_LOG: Final = Dictionary("logmessage", list, "id")
LOG_FIELDS: Final = {
    "id": flat("integer", "ID"),
    "created": flat("datetime", "Когда"),
    "authorId": flat("user", "Автор"),
    "title": flat("string", "Заголовок"),
    "text": flat("string", "Текст"),
    "iconCode": flat("string", "Иконка"),
}
LOG_PAGE: Final = 10
"""Rows of a page, fewer than elsewhere (https://apidocs.bitrix24.com/api-reference/crm/timeline/logmessage/)."""


def _log_row(params: Params, context: Context) -> Row:
    row_id = bound_int(params, "id")
    row = _LOG.row(context.store, row_id)
    if row is None:
        raise MethodError("NOT_FOUND", f"Timeline logmessage not found for id {row_id}")
    return row


def _shown(row: Row, context: Context) -> Row:
    return printed(LOG_FIELDS, row, context.store.server_zone, text=False)


@method("crm.timeline.logmessage.add", "crm")
def add_log(params: Params, context: Context) -> Result:
    """Create an entry in the log of a row, printed whole."""
    bound(params, "fields")
    given = map_of(bound_array(params, "fields", {}))
    owner = [bound_int(given, name) for name in ("entityTypeId", "entityId")]
    entity = context.store.entity(owner[0])
    if entity is None or context.store.row(entity.name, owner[1]) is None:
        raise MethodError("OWNER_NOT_FOUND", "Владелец не найден")
    texts = {name: php_text(bound(given, name)) for name in ("title", "text", "iconCode")}
    row = {"owner": owner, "created": context.store.local_time(context.now), "authorId": context.user_id, **texts}
    context.writes += 1
    row_id = _LOG.add(context.store, row, text=False)
    return Result({"logMessage": _shown({"id": row_id, **row}, context)})


@method("crm.timeline.logmessage.get", "crm")
def get_log(params: Params, context: Context) -> Result:
    """One entry of a log."""
    return Result({"logMessage": _shown(_log_row(params, context), context)})


@method("crm.timeline.logmessage.list", "crm")
def list_log(params: Params, context: Context) -> Result:
    """A page of ten entries of the log of a row, newest first."""
    owner = [bound_int(params, "entityTypeId"), bound_int(params, "entityId")]
    rows = [row for row in _LOG.rows(context.store) if row["owner"] == owner]
    rows = ordered(rows, map_of(bound_array(params, "order", {})) or {"id": "DESC"})
    start = max(context.start or 0, 0)
    after = start + LOG_PAGE
    window = PageWindow(start, len(rows), after if after < len(rows) else None, LOG_PAGE)
    context.rows += len(rows)
    return Result([_shown(row, context) for row in window.of(rows)], window.total, window.next)


@method("crm.timeline.logmessage.delete", "crm")
def delete_log(params: Params, context: Context) -> Result:
    """Delete an entry of a log."""
    _LOG.drop(context.store, _log_row(params, context))
    context.writes += 1
    return Result(value=True)
