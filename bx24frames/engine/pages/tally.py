"""What a list says of its own length, held against the rows that came: when a read by offset has come to its end."""

from __future__ import annotations

from dataclasses import dataclass

from bx24frames.engine.messages import Success


@dataclass(slots=True)
class Tally:
    """The count of one pass over a list.

    `total`: rows of the list, as last told; None where none was told, or one that cannot be.
    `doubles`: rows that stood behind themselves, as a joined table prints them. `hidden`: places that the list counts
    and shows to nobody. `grew`, `shrank`: how the total moved during the pass.
    """

    counted: bool
    total: int | None = None
    doubles: int = 0
    hidden: int = 0
    grew: bool = False
    shrank: bool = False

    def hear(self, answer: Success) -> None:
        """Take in what a page says."""
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
        self.doubles = self.hidden = 0
        self.grew = self.shrank = False

    def reached(self, place: int) -> bool:
        """Whether the list ends at or before a place, by its own word."""
        return self.total is not None and place >= self.total

    def lacking(self, start: int, size: int, rows: int) -> int:
        """Rows that a page from `start` on is short of."""
        return max(0, (size if self.total is None else min(size, self.total - start)) - rows)

    def fits(self, rows: int) -> bool:
        """Whether so many different rows are all that the list counts, and none can have slipped between two pages."""
        return self.total is None or (not self.shrank and rows + self.doubles + self.hidden >= self.total)
