"""Fixed lists: codes with documented captions that no method returns, in English and Russian.

Call codes: https://dev.1c-bitrix.ru/api_help/telephony/codes_and_types.php; stage groups:
https://apidocs.bitrix24.com/tutorials/crm/how-to-get-lists/how-to-get-stages-with-semantics.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from bx24frames.engine.messages import JSON

__all__ = ["FIXED_LISTS", "OWNER_CODES", "OWNER_TYPES", "SHORT_LISTS", "in_language_of"]

_GROUPS: Final = "stage groups"
_CALLS: Final = "call types"
_ENDS: Final = "call results"

FIXED_LISTS: Final[Mapping[str, str]] = {
    "stageSemanticId": _GROUPS,
    "STAGE_SEMANTIC_ID": _GROUPS,
    "STATUS_SEMANTIC_ID": _GROUPS,
    "CALL_TYPE": _CALLS,
    "CALL_FAILED_CODE": _ENDS,
}
"""The list of a field, by the field's code."""

OWNER_CODES: Final[Mapping[str, str]] = {
    "ENTITY_TYPE_ID": "",
    "OWNER_TYPE_ID": "",
    "ownerType": "SYMBOL_CODE_SHORT",
}
"""Fields described as plain numbers or text whose values are types of CRM objects, by the field's code: the column of
`crm.enum.ownertype` that holds these values, if that is not the id."""

OWNER_TYPES: Final = "ownertype"
"""The name of that list."""

SHORT_LISTS: Final = frozenset({_ENDS})
"""Lists that are not complete: telephony returns further codes of SIP."""

_CAPTIONS: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    _GROUPS: {
        "P": ("In progress", "В работе"),
        "S": ("Success", "Успех"),
        "F": ("Failure", "Провал"),
    },
    _CALLS: {
        "1": ("Outgoing", "Исходящий"),
        "2": ("Incoming", "Входящий"),
        "3": ("Incoming, forwarded", "Входящий с перенаправлением"),
        "4": ("Callback", "Обратный звонок"),
    },
    _ENDS: {
        "200": ("Successful", "Успешный"),
        "304": ("Missed", "Пропущенный"),
        "603": ("Declined", "Отклонён"),
        "603-S": ("Cancelled", "Отменён"),
        "403": ("Forbidden", "Запрещён"),
        "404": ("Wrong number", "Неверный номер"),
        "486": ("Busy", "Занято"),
        "484": ("Address incomplete", "Неполный номер"),
        "503": ("Direction unavailable", "Направление недоступно"),
        "480": ("Temporarily unavailable", "Временно недоступен"),
        "402": ("Insufficient funds", "Недостаточно средств"),
        "423": ("Blocked", "Заблокирован"),
        "OTHER": ("Undefined", "Не определён"),
    },
}
"""English and Russian captions by list and code."""
_CYRILLIC: Final = re.compile("[А-Яа-яЁё]")


def in_language_of(name: str, texts: Iterable[JSON]) -> dict[str, str]:
    """The captions of a list by code: Russian if most of the portal's own texts are, else English.

    Examples
    --------
    >>> in_language_of("stage groups", ["Новая", "В работе"])["S"], in_language_of("stage groups", ["New"])["S"]
    ('Успех', 'Success')
    """
    written = [bool(_CYRILLIC.search(str(text))) for text in texts]
    russian = 2 * sum(written) > len(written)
    return {code: pair[russian] for code, pair in _CAPTIONS[name].items()}
