"""Sheet style: how values are written to CSV and Excel: separator, encoding, decimal sign, dates, time zone."""

from __future__ import annotations

import locale
import os
from dataclasses import dataclass
from typing import Final

__all__ = ["PLAIN", "SheetStyle", "spreadsheet_style"]

DOTTED: Final = frozenset(
    "az be bg bs cs da de et fi hr hy ka kk ky lv mk mn nb nn no pl ro ru sk sl sq sr tg tk tr uk uz".split()  # noqa: SIM905
)
"""Languages whose spreadsheets write 31.12.2026 and 1,5 and separate cells by semicolons (Unicode CLDR)."""
COMMAS: Final = DOTTED | frozenset(("ca", "el", "es", "fr", "hu", "id", "it", "lt", "nl", "pt", "sv", "vi"))
"""Languages that write 1,5 (Unicode CLDR)."""


@dataclass(frozen=True, slots=True)
class SheetStyle:
    """How values are written.

    `sep`, `encoding`: of a CSV file. `comma`: numbers have a decimal comma. `dotted`: dates are 31.12.2026.
    `clocks`: times are written without their zone. `guard`: text that a spreadsheet would run is marked (see `guard`).
    """

    sep: str = ","
    encoding: str = "utf-8"
    comma: bool = False
    dotted: bool = False
    clocks: bool = False
    guard: bool = False


PLAIN: Final = SheetStyle()


def spreadsheet_style(language: str | None = None) -> SheetStyle:
    """The style that the spreadsheet programs of a language read without settings.

    Parameters
    ----------
    language : str, optional
        Such as ``ru`` or ``ru_RU``. Default: the language of the environment.

    Examples
    --------
    >>> spreadsheet_style("ru_RU.UTF-8").sep, spreadsheet_style("en_US").sep
    (';', ',')
    """
    code = (language or _environment())[:2].lower()
    comma = code in COMMAS
    return SheetStyle(";" if comma else ",", "utf-8-sig", comma=comma, dotted=code in DOTTED, clocks=True, guard=True)


def _environment() -> str:
    """The language of the environment; on Windows, where variables do not name it, that of the system."""
    named = next((value for name in ("LC_ALL", "LC_NUMERIC", "LANG") if (value := os.environ.get(name))), "")
    if named:
        return named
    # on Windows a locale may be named by its language: German_Germany
    return locale.normalize((locale.getlocale()[0] or "").partition("_")[0])
