"""Writes of CRM rows: defaults, titles, stages with their history, and contact data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson

from bx24frames.sandbox.fields.casts import php_text
from bx24frames.sandbox.fields.normalise import PHONES, national, normalisations
from bx24frames.sandbox.store.initial import FINAL_SEMANTICS, first_stage, semantics

if TYPE_CHECKING:
    from bx24frames.sandbox.store.base import Store
    from bx24frames.sandbox.store.tables import EntityType

_CONTACT: Final = 3
NAMELESS: Final = "Без имени"
"""The last name of a contact without a name (crm module: classes/general/crm_contact.php)."""
HISTORY_CREATED, HISTORY_MOVED, HISTORY_FINAL, HISTORY_PIPELINE = 1, 2, 3, 5
"""TYPE_ID of a stage history row (https://apidocs.bitrix24.com/api-reference/crm/crm-stage-history-list.html)."""


@dataclass(slots=True)
class Draft:
    """A write after the casts: stored values by column, user fields by code, contact data entries."""

    columns: dict[str, Any] = field(default_factory=dict)
    user: dict[str, Any] = field(default_factory=dict)
    contact_data: list[dict[str, str]] = field(default_factory=list)


def create(store: Store, entity: EntityType, draft: Draft, *, user_id: int, now: str) -> int:
    """Save a new row with all default and computed values; returns its id. Starts no automation."""
    columns = _defaults(entity, user_id, now) | draft.columns
    _settle(entity, columns, None)
    if entity.id == _CONTACT and not (columns.get("name") or columns.get("lastName")):
        columns["lastName"] = NAMELESS
    document = {code: value for code, value in draft.user.items() if value is not None}
    columns["uf"] = orjson.dumps(document).decode() if document else None
    row_id = store.insert_row(entity.name, {name: columns[name] for name in entity.table.columns if name in columns})
    if entity.numbered_title and not columns.get("title"):
        store.update_row(entity.name, row_id, {"title": f"{entity.title} #{row_id}"})
    _write_contact_data(store, entity, row_id, draft.contact_data)
    if entity.stage:
        _note_stage(store, entity, row_id, HISTORY_CREATED, columns, now)
    return row_id


def change(
    store: Store, entity: EntityType, row_id: int, before: dict[str, Any], draft: Draft, *, user_id: int, now: str
) -> None:
    """Save changes of a row whose stored state is `before`."""
    columns = dict(draft.columns) | {"updatedTime": now, "updatedBy": user_id}
    _settle(entity, columns, before)
    if draft.user:
        document = (orjson.loads(before["uf"]) if before["uf"] else {}) | draft.user
        kept = {code: value for code, value in document.items() if value is not None}
        columns["uf"] = orjson.dumps(kept).decode() if kept else None
    moved = entity.stage and columns.get("stageId", before.get("stageId")) != before.get("stageId")
    if moved:
        columns |= {"movedTime": now, "movedBy": user_id, "previousStageId": before["stageId"]}
    known = set(entity.table.columns)
    store.update_row(entity.name, row_id, {name: value for name, value in columns.items() if name in known})
    _write_contact_data(store, entity, row_id, draft.contact_data)
    if moved:
        _note_stage(store, entity, row_id, _history_type(before, columns), before | columns, now)


def _defaults(entity: EntityType, user_id: int, now: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "createdTime": now,
        "updatedTime": now,
        "movedTime": now,
        "lastActivityTime": now,
        "createdBy": user_id,
        "updatedBy": user_id,
        "movedBy": user_id,
        "lastActivityBy": user_id,
        "assignedById": user_id,
        "opened": "N",
        "closed": "N",
        "categoryId": 0,
        "currencyId": "RUB",
        "opportunity": 0,
        "isManualOpportunity": "N",
        "isNew": "Y",
        "isRecurring": "N",
        "isReturnCustomer": "N",
        "isRepeatedApproach": "N",
        "hasPhone": "N",
        "hasEmail": "N",
        "hasImol": "N",
        "isMyCompany": "N",
        "export": "Y",
        "begindate": now[:10],
        "xmlId": "",
    }
    known = set(entity.table.columns)
    return {name: value for name, value in values.items() if name in known}


def _settle(entity: EntityType, columns: dict[str, Any], before: dict[str, Any] | None) -> None:
    """Update columns that depend on others."""
    for one, many in (("contactId", "contactIds"), ("companyId", "companyIds")):
        _settle_links(columns, one, many, set(entity.table.columns))
    if not entity.stage:
        return
    category = columns.get("categoryId", (before or {}).get("categoryId") or 0)
    if entity.id not in {1, 2, 7} and not category:
        category = columns["categoryId"] = int(entity.stages.rsplit("_", 1)[1])
    if before is None and not columns.get("stageId"):
        columns["stageId"] = first_stage(entity.stages, category)
    elif not columns.get("stageId", "-"):
        del columns["stageId"]  # an empty stage is ignored: the old one is kept
    if stage := columns.get("stageId"):
        semantic = semantics(entity.stages, stage)
        columns["stageSemanticId"] = semantic
        columns["closed"] = "Y" if semantic in FINAL_SEMANTICS else "N"


def _settle_links(columns: dict[str, Any], one: str, many: str, known: set[str]) -> None:
    if one not in known or many not in known:
        return
    if many in columns:
        ids = orjson.loads(columns[many]) if columns[many] else []
        columns[one] = ids[0] if ids else None
    elif one in columns:
        columns[many] = f"[{columns[one]}]" if columns[one] else None


def _history_type(before: dict[str, Any], columns: dict[str, Any]) -> int:
    if columns.get("categoryId", before.get("categoryId")) != before.get("categoryId"):
        return HISTORY_PIPELINE
    return HISTORY_FINAL if columns["stageSemanticId"] in FINAL_SEMANTICS else HISTORY_MOVED


def _note_stage(store: Store, entity: EntityType, row_id: int, type_id: int, columns: dict[str, Any], now: str) -> None:
    row = {
        "ownerTypeId": entity.id,
        "typeId": type_id,
        "ownerId": row_id,
        "createdTime": now,
        "categoryId": columns.get("categoryId") or 0,
        "stageSemanticId": columns.get("stageSemanticId"),
        "stageId": columns.get("stageId"),
    }
    store.insert_row("stage_history", row)


def _write_contact_data(store: Store, entity: EntityType, row_id: int, entries: Sequence[dict[str, str]]) -> None:
    """An entry without ID is added, with ID edited; an empty VALUE or DELETE=Y removes it."""
    for entry in entries if entity.multifields else ():
        value, known = php_text(entry.get("VALUE")), php_text(entry.get("ID"))
        if entry.get("TYPE_ID") == "PHONE" and PHONES in normalisations(store.normalise):
            value = national(value)
        owner = "id = ? AND entityTypeId = ? AND elementId = ?"
        mine = (int(known), entity.id, row_id) if known.isdigit() else (0, entity.id, row_id)
        if store.scalar(f"SELECT count(*) FROM multifield WHERE {owner}", mine):  # noqa: S608
            if entry.get("DELETE") == "Y" or ("VALUE" in entry and not value):
                store.query(f"DELETE FROM multifield WHERE {owner}", (int(known), entity.id, row_id))  # noqa: S608
            else:
                changes = "value = coalesce(?, value), valueType = coalesce(?, valueType)"
                store.query(
                    f"UPDATE multifield SET {changes} WHERE {owner}",  # noqa: S608
                    (value if "VALUE" in entry else None, entry.get("VALUE_TYPE"), int(known), entity.id, row_id),
                )
        elif value:
            row = {"entityTypeId": entity.id, "elementId": row_id, "typeId": entry["TYPE_ID"]}
            store.insert_row("multifield", row | {"valueType": entry.get("VALUE_TYPE") or "WORK", "value": value})
    if entries and entity.multifields:
        types = {e["TYPE_ID"] for e in store.multifields(entity.id, [row_id]).get(row_id, [])}
        flags = {"hasPhone": "PHONE", "hasEmail": "EMAIL", "hasImol": "IM"}
        store.update_row(
            entity.name, row_id, {name: "Y" if type_id in types else "N" for name, type_id in flags.items()}
        )
