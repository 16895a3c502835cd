"""Names of user fields in item methods: codes to camelCase, and camelCase names back to codes.

The two conversions are not inverse: https://apidocs.bitrix24.com/api-reference/crm/universal/index.html, crm module:
lib/controller/base.php, main module: lib/engine/response/converter.php.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

_PREFIX: Final = "UF_CRM_"
_KEPT: Final = "ufCrm_"
"""Start of names of which only the prefix is converted."""

_WORDS: Final = re.compile(r"[A-Z]+(?:_[A-Z]+)*")
_NUMBERED: Final = re.compile(r"([0-9]{1,4})_([0-9]+|[A-Z]+(?:_[A-Z]+)*)")


def item_name(code: str) -> str:
    """The camelCase name of a user field's code.

    >>> item_name("UF_CRM_MY_STRING"), item_name("UF_CRM_11_1712074666"), item_name("UF_CRM_10_DIGIT")
    ('ufCrmMyString', 'ufCrm11_1712074666', 'ufCrm10Digit')
    >>> item_name("UF_CRM_1721244482250"), item_name("UF_CRM_5B9A3C"), item_name("UF_CRM_10_DIGIT10")
    ('ufCrm_1721244482250', 'ufCrm_5B9A3C', 'ufCrm_10_DIGIT10')
    """
    tail = code.removeprefix(_PREFIX)
    if _WORDS.fullmatch(tail):
        return f"ufCrm{_capitalised(tail)}"
    if found := _NUMBERED.fullmatch(tail):
        number, rest = found.groups()
        return f"ufCrm{number}_{rest}" if rest.isdigit() else f"ufCrm{number}{_capitalised(rest)}"
    return f"{_KEPT}{tail}"


def _capitalised(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


def item_names(codes: Iterable[str]) -> dict[str, str]:
    """Code to item name for all user fields of a table; names apart only in case or `_` collide and stay UPPER."""
    return _item_names(tuple(codes))


@lru_cache(maxsize=64)
def _item_names(codes: tuple[str, ...]) -> dict[str, str]:
    names = {code: item_name(code) for code in codes}
    claims = Counter(_blurred(name) for name in names.values())
    return {code: code if claims[_blurred(name)] > 1 else name for code, name in names.items()}


def _blurred(name: str) -> str:
    return re.sub(r"(?<!\d)_(?!\d)", "", name).lower()


def converted_back(name: str, *, behind_operator: bool = False) -> str:
    """The UPPER_SNAKE name that controllers look up; the rule for unconverted names fails behind an operator.

    >>> converted_back("ufCrm_10_DIGIT10"), converted_back("ufCrm_10_DIGIT10", behind_operator=True)
    ('UF_CRM_10_DIGIT10', 'UF_CRM_10_D_IG_IT_10')
    >>> converted_back("=UF_CRM_1721244482250", behind_operator=True)
    '=_UF_C_RM_1721244482250'
    """
    if name.startswith(_KEPT) and not behind_operator:
        return _PREFIX + name.removeprefix(_KEPT)
    parted = re.sub(r"([^_])([A-Z])", r"\1_\2", name)
    return re.sub(r"([A-Za-z])([0-9])", r"\1_\2", parted).upper()
