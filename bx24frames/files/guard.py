"""Formula guard: text that a spreadsheet would run is written with an apostrophe before it, and read without it.

The first characters are those that OWASP names (https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["guarded", "unguarded"]

_RUN: Final = re.compile(r"'*[=+\-@\t\r]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r]")


def guarded(text: str, *, formulas: bool) -> str:
    """Put an apostrophe before text that would be run.

    Text that already begins with apostrophes and such a character gets one more in any case, so that `unguarded`
    restores every text.

    Examples
    --------
    >>> guarded("=1+1", formulas=True), guarded("=1+1", formulas=False), guarded("'=1+1", formulas=False)
    ("'=1+1", '=1+1', "''=1+1")
    """
    return f"'{text}" if (_RUN if formulas else _MARKED).match(text) else text


def unguarded(text: str) -> str:
    """Undo `guarded`.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("=1+1"), unguarded("'quoted'")
    ('=1+1', '=1+1', "'quoted'")
    """
    return text[1:] if _MARKED.match(text) else text
