"""What databases and event handlers of a portal make of texts and numbers before they are stored.

None of it is announced by an answer. Blanks, line ends, entities and phones are rewritten by handlers of the events
`OnBeforeCrm…Add` and by import wizards; text is cut and emoji are lost in MySQL columns (utf8mb3, VARCHAR(255)).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeAlias

Normalise: TypeAlias = bool | Collection[str]
"""Which normalisations apply: names of `_TEXTS`, ``round``, ``phones`` and ``cut``; True is `USUAL`."""

_BLANKS: Final = re.compile("[ \t\u00a0]+")
_ASTRAL: Final = re.compile("[\U00010000-\U0010ffff]")
_NO_DIGIT: Final = re.compile(r"\D")

_TEXTS: Final[Mapping[str, Callable[[str], str]]] = {
    "emoji": lambda text: _ASTRAL.sub("?", text),
    "lines": lambda text: text.replace("\r\n", "\n"),
    "collapse": lambda text: _BLANKS.sub(" ", text),
    "trim": str.strip,
    "upper": str.upper,
    "escape": lambda text: text.replace("&", "&amp;"),
}
"""Rewritings of a text, in the order in which they happen."""

ROUND, PHONES, CUT = "round", "phones", "cut"
USUAL: Final = frozenset({ROUND, "trim", CUT})
EVERY: Final = frozenset({*_TEXTS, ROUND, PHONES, CUT})


def normalisations(choice: Normalise) -> frozenset[str]:
    """The names of the normalisations that are on.

    Raises
    ------
    ValueError
        An unknown name.

    Examples
    --------
    >>> sorted(normalisations(True))
    ['cut', 'round', 'trim']
    """
    if isinstance(choice, bool):
        return USUAL if choice else frozenset()
    if unknown := sorted(set(choice) - EVERY):
        raise ValueError(f"unknown normalisations: {', '.join(unknown)}; known: {', '.join(sorted(EVERY))}")
    return frozenset(choice)


def rewritten(text: str, names: frozenset[str]) -> str:
    """A text as it is stored.

    >>> rewritten(" a  &\\r\\nb ", frozenset(_TEXTS))
    'A &amp;\\nB'
    """
    for name, rewrite in _TEXTS.items():
        if name in names:
            text = rewrite(text)
    return text


def national(phone: str) -> str:
    """A Russian phone number in the form +7…; any other one as it is.

    >>> national("8 (900) 123-45-67"), national("0049 30 1234567")
    ('+79001234567', '0049 30 1234567')
    """
    digits = _NO_DIGIT.sub("", phone)
    if len(digits) == 11 and digits[0] in "78":
        return f"+7{digits[1:]}"
    return f"+7{digits}" if len(digits) == 10 and digits[0] == "9" else phone
