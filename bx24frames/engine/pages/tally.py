"""Tally: the total that a list reports, compared with the rows received, to find the end of a read by offset."""

from __future__ import annotations

from dataclasses import dataclass

from bx24frames.engine.messages import Success


@dataclass(slots=True)
class Tally:
    """The count of one pass over a list.

    `total`: rows of the list, as last reported; None if no total, or an impossible one, was.
    `repeats`: rows printed several times in succession, as a joined table prints them. `hidden`: rows that the list
    counts and does not show. `grew`, `shrank`: how the total moved during the pass.
    """

    counted: bool
    total: int | None = None
    repeats: int = 0
    hidden: int = 0
    grew: bool = False
    shrank: bool = False

    def hear(self, answer: Success) -> None:
        """Take in the total that a page reports."""
        if not self.counted or answer.total is None:
            return
        if self.total is not None:
            self.grew |= answer.total > self.total
            self.shrank |= answer.total < self.total
        self.total = answer.total

    def distrust(self) -> None:
        """Go by the pages alone from now on."""
        self.counted, self.total = False, None

    def again(self) -> None:
        """Begin another pass."""
        self.repeats = self.hidden = 0
        self.grew = self.shrank = False

    def reached(self, place: int) -> bool:
        """Whether the list ends at or before a place, by its total."""
        return self.total is not None and place >= self.total

    def lacking(self, start: int, size: int, rows: int) -> int:
        """Rows that are missing from the page at `start`."""
        return max(0, (size if self.total is None else min(size, self.total - start)) - rows)

    def fits(self, rows: int) -> bool:
        """Whether so many different rows are all that the list counts, and none can have slipped between two pages."""
        return self.total is None or (not self.shrank and rows + self.repeats + self.hidden >= self.total)
