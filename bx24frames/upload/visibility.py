"""Visibility of rows: the columns that decide whether a list shows a row to a user, and rows alike in these."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from bx24frames.entities.schema import Family
from bx24frames.entities.types import KIND, Kind, is_list, kind
from bx24frames.upload.match import canonical, compares

if TYPE_CHECKING:
    from bx24frames.entities.schema import Field
    from bx24frames.upload.request import Upload

__all__ = ["VisibleAs", "conditions_of", "deciding", "grants", "visible_as"]

VisibleAs: TypeAlias = "tuple[Hashable, ...]"
"""The values of a row in the columns that decide who sees it."""

STAGE_CODES: Final = frozenset({"stageId", "STAGE_ID", "STATUS_ID"})
_USERS: Final = frozenset({"user", "employee"})


def deciding(upload: Upload) -> dict[str, Field]:
    """The columns of a frame that decide whether a list shows a row, by spelling.

    The CRM grants access by responsible, pipeline, stage, observers and the mark "available to everyone" (docs:
    crm roles); its classic lists leave out whole categories of rows. What decides elsewhere is not documented, so all
    links, codes and flags count there.
    """
    return {
        name: field
        for name, field in upload.columns.items()
        if field.listed and compares(field) and _decides(field, upload.entity.family)
    }


def grants(upload: Upload) -> list[str]:
    """The columns outside of a frame whose users see a row besides those that its own columns admit (observers)."""
    sent = {field.code for field in upload.columns.values()}
    fields = (field for field in upload.table.fields if field.type in _USERS and is_list(field))
    return [field.code for field in fields if field.listed and not field.user_field and field.code not in sent]


def _decides(field: Field, family: Family) -> bool:
    if field.user_field:
        return False
    if field.type in _USERS or field.type == "crm_category" or kind(field) is Kind.BOOL:
        return True
    if field.code in STAGE_CODES and field.type == "crm_status":  # the STATUS_ID of a status itself is plain text
        return True
    number = kind(field) is Kind.NUMBER and field.code.lower().endswith("id")
    return family is Family.OTHER and (KIND[kind(field)].decides_access or number)


def visible_as(fields: Iterable[Field], values: Mapping[str, object]) -> VisibleAs:
    """The shape of a row, by field code."""
    return tuple(canonical(field, values.get(field.code)) for field in fields)


def conditions_of(fields: Iterable[Field], values: Mapping[str, object]) -> dict[str, object] | None:
    """Equality conditions that find rows of the same shape; None if a column cannot be searched like that."""
    found: dict[str, object] = {}
    for field in fields:
        value = values.get(field.code)
        if value is None or is_list(field):
            return None
        found[field.code] = value
    return found
