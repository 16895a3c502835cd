"""Writes that succeed but are not stored: stages of other pipelines, ineffective clears, changes by robots."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from bx24frames.sandbox.registry import Context
from bx24frames.sandbox.store.dictionaries import STATUSES
from bx24frames.sandbox.store.initial import first_stage, semantics, stage_dictionary
from bx24frames.sandbox.store.records import Draft, create
from bx24frames.sandbox.store.tables import ENTITY_TYPES, EntityType, Row

LEAD_VIEW: Final = 1
_COMPANY: Final = 4


def lose(
    entity: EntityType, draft: Draft, context: Context, before: Row | None, family: Literal["item", "classic"]
) -> tuple[str, ...]:
    """Remove from a draft what is not stored; returns the user fields that the answer prints as null nevertheless.

    `before`: the stored row of an update, None of an add.
    """
    if entity.stage and context.has("foreign_stage_replaced"):
        _replace_stage(entity, draft, context, before)
    if family == "classic" or before is None:
        return ()
    columns = draft.columns
    if entity.id == LEAD_VIEW and context.has("lead_title_kept") and columns.get("title", "x") in (None, ""):
        del columns["title"]
    if entity.id == _COMPANY and context.has("company_not_cleared"):
        single = {spec.column for spec in entity.fields if not spec.multiple}
        for name in [name for name, value in columns.items() if value in (None, "") and name in single]:
            del columns[name]
    if context.has("updates_dropped"):
        columns.pop("companyId", None)
    if not context.has("lists_not_cleared"):
        return ()
    many = {spec.code for spec in context.store.user_fields(entity.id) if spec.multiple}
    kept = tuple(code for code in many & draft.user.keys() if not draft.user[code])
    for code in kept:
        del draft.user[code]
    return kept


def rename(entity: EntityType, draft: Draft, context: Context) -> None:
    """Change the title as a robot does, which runs before the answer."""
    if context.has("robots_rename") and draft.columns.get("title") and "title" in entity.table.columns:
        draft.columns["title"] = f"{draft.columns['title']} (checked)"


def convert(context: Context, row_id: int, printed: Callable[[], Row]) -> Row:
    """Convert a new lead into a contact and a deal; returns the lead as it would have been printed."""
    answer = printed()
    lead = context.store.row("lead", row_id) or {}
    now, user = context.store.local_time(context.now), context.user_id
    names = {name: lead.get(name) for name in ("name", "lastName") if lead.get(name)}
    contact = create(context.store, ENTITY_TYPES[3], Draft(columns=names), user_id=user, now=now)
    deal = Draft(columns={"title": lead.get("title"), "contactId": contact})
    create(context.store, ENTITY_TYPES[2], deal, user_id=user, now=now)
    context.store.delete(LEAD_VIEW, [row_id])
    return answer


def _replace_stage(entity: EntityType, draft: Draft, context: Context, before: Row | None) -> None:
    wanted = draft.columns.get("stageId")
    old = before or {}
    category = draft.columns.get("categoryId")
    if category is None:
        category = old.get("categoryId") or 0
    if not wanted or wanted in _stages(entity, category, context):
        return
    moved = before is not None and category != (old.get("categoryId") or 0)
    if moved:
        kind = semantics(entity.stages, wanted)
        alike = [code for code in _stages(entity, category, context) if semantics(entity.stages, code) == kind]
        draft.columns["stageId"] = alike[0] if alike else first_stage(entity.stages, category)
    else:
        del draft.columns["stageId"]


def _stages(entity: EntityType, category: int, context: Context) -> list[str]:
    """The stages of one pipeline, in order; of a smart process with a single pipeline, those of that."""
    name = stage_dictionary(entity.stages, category)
    rows = STATUSES.rows(context.store)
    found = [row["STATUS_ID"] for row in rows if row["ENTITY_ID"] == name]
    return found or [row["STATUS_ID"] for row in rows if row["ENTITY_ID"] == entity.stages]
