"""Server time that calls take, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bx24frames.sandbox.registry import Context, Result

PAGE_ROWS: Final = 50
_LISTING: Final = frozenset({"list", "getlist", "search", "getchildren"})


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds of server time per call.

    Parameters
    ----------
    request : float
        Start-up of one HTTP request, a batch too; never charged to a method (recorded answers show 0.02 to 0.04 s
        between the start of a batch and the start of its first command).
    page : float
        A page of a list, without a count. Live portals were seen at 0.02 to 0.06 s (recorded answers of 2024 and
        2025), and at 0.2 to 0.5 s for item lists (reports of 2026).
    count : float
        The count for ``total``, made for any ``start`` but -1.
    offset_row : float
        A row skipped by ``start=N`` (https://apidocs.bitrix24.com huge-data: 49.9 s on 2.4 million rows).
    get : float
        One row by its id.
    write : float
        One row added, updated, deleted or imported.
    other : float
        Fields, dictionaries, system methods, refusals.
    """

    request: float = 0.020
    page: float = 0.03
    count: float = 0.010
    offset_row: float = 2e-5
    get: float = 0.008
    write: float = 0.025
    other: float = 0.004

    @classmethod
    def slow(cls) -> Costs:
        """A portal whose pages take 0.3 s."""
        return cls(page=0.3)

    def of(self, method: str, context: Context, result: Result) -> float:
        """Server time of a successful call."""
        if context.writes:
            return self.write * context.writes
        if result.total is not None or method.rpartition(".")[2] in _LISTING:
            return self._listing(context, result)
        return self.get if context.rows else self.other

    def _listing(self, context: Context, result: Result) -> float:
        pages = max(1, -(-context.rows // PAGE_ROWS))
        start = context.start or 0
        # under start=-1 most lists answer total 0 or none; those that count anyway print the true number
        counted = result.total is not None and (start >= 0 or result.total > 0)
        return self.page * pages + (self.count if counted else 0.0) + self.offset_row * max(0, start)
