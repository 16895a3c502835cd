"""Spellings of the portal's field names: UPPER_SNAKE of the classic methods, camelCase of the item methods."""

from __future__ import annotations

import re
from typing import Final

RENAMED: Final = {
    "DATE_CREATE": "createdTime",
    "DATE_MODIFY": "updatedTime",
    "CREATED_BY_ID": "createdBy",
    "MODIFY_BY_ID": "updatedBy",
    "MOVED_BY_ID": "movedBy",
}
"""System fields with another name in the item methods (crm module: lib/controller/base.php).

Item metadata gives `createdTime` the upper name `CREATED_TIME`, so only this table has the classic name.
"""

STATUS_AS_STAGE: Final = ("STATUS_ID", "stageId")
"""Leads and quotes: the classic status is the stage of the item methods (crm module: lib/controller/base.php)."""

STATUS_TABLES: Final = frozenset({1, 7})
"""Entity types (lead, quote) whose stage the classic methods call status."""

_COMPANY: Final = 4
USER_FIELD_NAME: Final = re.compile(r"^(UF_|uf[A-Z])")
"""User fields, whose camelCase name cannot be computed (``UF_CRM_11_17`` is ``ufCrm11_17``, ``UF_CRM_5B9A`` is
``ufCrm_5B9A``): it is only in their description."""

_KEPT: Final = "ufCrm_"
"""Prefixes of user field names whose tail is kept: only the prefix is converted back."""
_CAPITAL: Final = re.compile(r"([^_])([A-Z])")
_DIGIT: Final = re.compile(r"([A-Za-z])([0-9])")
_WORD_START: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[a-zA-Z])(?=[0-9])")


def camel(upper: str) -> str:
    """Spell a system field's UPPER_SNAKE name in camelCase.

    Examples
    --------
    >>> camel("ASSIGNED_BY_ID"), camel("PARENT_ID_128"), camel("ADDRESS_2")
    ('assignedById', 'parentId128', 'address2')
    """
    first, *rest = upper.lower().split("_")
    return first + "".join(word.capitalize() for word in rest)


def upper(name: str) -> str:
    """Spell a system field's camelCase name in UPPER_SNAKE.

    Examples
    --------
    >>> upper("assignedById"), upper("parentId128")
    ('ASSIGNED_BY_ID', 'PARENT_ID_128')
    """
    return _WORD_START.sub("_", name).upper()


def back(name: str, *, behind_operator: bool = False) -> str:
    """The UPPER_SNAKE name to which the item methods convert a camelCase one.

    They convert the key of a condition together with its operator, so the rule for a kept tail does not apply there
    (main module: lib/engine/response/converter.php; crm module: lib/controller/item.php).

    Examples
    --------
    >>> back("ufCrm5_1234567"), back("ufCrm_5B9A"), back("ufCrm_5B9A", behind_operator=True), back("ufCrmABC")
    ('UF_CRM_5_1234567', 'UF_CRM_5B9A', 'UF_CRM_5_B_9_A', 'UF_CRM_AB_C')
    """
    if name.startswith(_KEPT) and not behind_operator:
        return f"UF_CRM_{name.removeprefix(_KEPT)}"
    return _DIGIT.sub(r"\1_\2", _CAPITAL.sub(r"\1_\2", name)).upper()


def renamed_fields(entity_type_id: int | None) -> dict[str, str]:
    """The classic names that the item methods changed for an entity type, with the new ones."""
    if entity_type_id in STATUS_TABLES:
        return {**RENAMED, STATUS_AS_STAGE[0]: STATUS_AS_STAGE[1]}
    return {**RENAMED, "COMPANY_TYPE": "typeId"} if entity_type_id == _COMPANY else RENAMED
