"""Owner types: the spellings of a CRM type, and the one that a method takes.

https://apidocs.bitrix24.com/api-reference/crm/data-types.html#object_type
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

__all__ = ["owner_abbreviation", "owner_number", "owner_word"]

_TYPES: Final[Mapping[int, tuple[str, str]]] = {
    1: ("lead", "L"),
    2: ("deal", "D"),
    3: ("contact", "C"),
    4: ("company", "CO"),
    5: ("invoice", "I"),
    7: ("quote", "Q"),
    14: ("order", "O"),
    31: ("smart_invoice", "SI"),
}
"""Name and abbreviation by number."""
_BY_SPELLING: Final = {text.casefold(): number for number, pair in _TYPES.items() for text in pair}
_NUMBERED: Final = re.compile(r"(?:item:|dynamic_)?(\d+)")
_SMART: Final = re.compile(r"t([0-9a-f]+)")
"""``T80`` is type 128."""


def owner_number(value: object) -> int | None:
    """The number of a type; None for any other value.

    Examples
    --------
    >>> owner_number("deal"), owner_number("2"), owner_number("item:128"), owner_number("T80"), owner_number("dael")
    (2, 2, 128, 128, None)
    """
    text = str(value).strip().casefold().removeprefix("crm.")
    if text in _BY_SPELLING:
        return _BY_SPELLING[text]
    numbered, smart = _NUMBERED.fullmatch(text), _SMART.fullmatch(text)
    return int(numbered[1]) if numbered else int(smart[1], 16) if smart else None


def owner_abbreviation(value: object) -> str | None:
    """The abbreviation of a type; None for any other value.

    Examples
    --------
    >>> owner_abbreviation("deal"), owner_abbreviation(2), owner_abbreviation("item:128"), owner_abbreviation("T80")
    ('D', 'D', 'T80', 'T80')
    """
    number = owner_number(value)
    return None if number is None else _TYPES[number][1] if number in _TYPES else f"T{number:x}"


def owner_word(value: object) -> str | None:
    """The name of a type; None for any other value.

    Examples
    --------
    >>> owner_word("D"), owner_word(4), owner_word("item:128")
    ('deal', 'company', 'DYNAMIC_128')
    """
    number = owner_number(value)
    return None if number is None else _TYPES[number][0] if number in _TYPES else f"DYNAMIC_{number}"
