"""Delta: the conditions that together find every row that is new or changed since the mark.

The modified time of a row is set before its transaction commits and has whole seconds, so a row can appear after a
reader passed its time: the first condition goes back by a lag. A row restored from the recycle bin or imported may have
an old modified time, but always a new id: the second condition goes by id, and back by a margin for rows that commit
late (crm module: Field/UpdatedTime.php, recycling, Operation/Import.php).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bx24frames.errors import ConfigError

if TYPE_CHECKING:
    from bx24frames.mirror.deletions import Window
    from bx24frames.mirror.state import Mark, TablePlan

_MARGIN: Final = 20
"""Ids below the highest one seen that are read again: they fit on the same page as the new ones."""
_SECONDS: Final[Mapping[str, int]] = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def span_of(name: str, text: object) -> dt.timedelta:
    """A duration written as ``"90s"``, ``"5m"``, ``"1h"`` or ``"1d"``, or given as a timedelta.

    Raises
    ------
    ConfigError
        It is not a duration.

    Examples
    --------
    >>> span_of("lag", "5m")
    datetime.timedelta(seconds=300)
    """
    if isinstance(text, dt.timedelta) and text >= dt.timedelta(0):
        return text
    found = _SPAN.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None:
        raise ConfigError(f"{name} must be a duration such as '90s', '5m', '1h' or '1d', not {text!r:.80}")
    return dt.timedelta(seconds=float(found[1]) * _SECONDS[found[2]])


def delta_conditions(table: TablePlan, mark: Mark, lag: dt.timedelta) -> list[dict[str, object]]:
    """The conditions of the readings of a delta, one each; their union is the delta."""
    found: list[dict[str, object]] = []
    if table.modified is not None:
        found.append({f">={table.modified}": mark.at - lag})
    if mark.max_id is not None:
        found.append({f">{table.key[0]}": max(0, mark.max_id - _MARGIN)})
    return found or [{}]


def window_condition(table: TablePlan, window: Window) -> dict[str, object]:
    """The condition of the rows in a window of ids."""
    key = table.key[0]
    return {f">{key}": window.after, f"<={key}": window.upto}
