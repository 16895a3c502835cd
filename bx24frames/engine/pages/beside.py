"""Second route of a read: another list method for the same rows, proven before use and closed at a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from bx24frames.engine.messages import Answer, Call, Command, IdBounds, Lost, Parcel, Refusal, Success
from bx24frames.engine.pages.cursor import Cursor, page_in, size_of
from bx24frames.engine.pages.lanes import Lane
from bx24frames.engine.pages.mix import Route
from bx24frames.engine.pages.strand import Strand
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import is_passing
from bx24frames.errors import BX24Error

P = TypeVar("P")
T = TypeVar("T")


class Beside(Generic[P, T]):
    """The routes of a read. The second one is used once it has been seen to give the same rows.

    Both lists are asked, in one batch, for their first page, their last page and their number of rows. Rows and numbers
    have to be the same. A later page that holds what was not compared then is not taken, and closes the route.

    Parameters
    ----------
    first : Route
    other : Route or None
    """

    def __init__(self, first: Route[P, T], other: Route[P, T] | None, *, retry: RetryPolicy = RETRY) -> None:
        self._first = first
        self._other = other
        self._retry = retry
        self._proof: dict[str, Route[P, T]] = {}
        self._open = False
        self.waiting = other is not None
        """Whether there is a second route that was not compared yet."""

    @property
    def routes(self) -> tuple[Route[P, T], ...]:
        """The routes that may be used."""
        return (self._first, self._other) if self._open and self._other is not None else (self._first,)

    def close(self) -> None:
        """Use the first route alone from now on."""
        self._open = False

    def proof(self, label: Callable[[], str], bounds: IdBounds) -> Parcel:
        """The request that compares the two lists."""
        self.waiting = False
        commands: list[Command] = []
        for route in (self._first, self._other):
            if route is not None:
                calls = _comparison(route, bounds)
                commands += [Command(label(), call) for call in calls]
                self._proof |= {command.label: route for command in commands[-len(calls) :]}
        return Parcel(tuple(commands))

    def is_proof(self, parcel: Parcel) -> bool:
        """Whether a parcel is the one made by `proof`."""
        return parcel.commands[0].label in self._proof

    def compare(self, parcel: Parcel, answers: Mapping[str, Answer]) -> None:
        """Open the second route if both lists have the same rows."""
        if self._other is None or self._other.judge is None:
            return
        labels = [command.label for command in parcel.commands]
        half = len(labels) // 2
        try:
            first = self._seen(self._first, [answers[label] for label in labels[:half]])
            other = self._seen(self._other, [answers[label] for label in labels[half:]])
            self._open = (
                first is not None
                and other is not None
                and first[0] == other[0]
                and all(self._other.judge.alike(*pair) for pair in zip(first[1], other[1], strict=True))
            )
        except BX24Error:
            self._open = False
        self._proof.clear()

    def _seen(self, route: Route[P, T], answers: Sequence[Answer]) -> tuple[int, list[T]] | None:
        """The number of rows, and the first and the last page; None where one of them is unknown."""
        *pages, counted = answers
        if not isinstance(counted, Success) or counted.total is None:
            return None
        found: list[T] = []
        for answer in pages:
            rows = page_in(route.listing, answer)
            if isinstance(rows, Refusal | Lost) or not rows:
                return None
            found.append(route.take(rows))
        return counted.total, found

    def read(
        self, route: Route[P, T], lane: Lane, pages: Sequence[Answer], now: float
    ) -> tuple[Strand[P, T], T] | None:
        """The rows that a chain of the second route brought; None if there are none to be taken.

        A lane is closed to this route where its rows end: that they end is for the first route to say.
        """
        try:
            strand = self._strand(route, lane, pages, now)
            if strand.last_id is None:
                return None
            rows = strand.taken()
        except BX24Error:
            self.close()
            return None
        if route.judge is None or not route.judge.admits(rows):
            self.close()
            return None
        return strand, rows

    def _strand(self, route: Route[P, T], lane: Lane, pages: Sequence[Answer], now: float) -> Strand[P, T]:
        strand: Strand[P, T] = Strand(route.listing, route.take, lane, up=True, along=True, limit=None)
        for answer in pages:
            page = page_in(route.listing, answer)
            if isinstance(page, Refusal | Lost):
                self._refused(lane, page, now)
                break
            strand.add(page, size_of(answer))
            if len(page) != route.listing.page_size:
                lane.barred = True
                break
        return strand

    def _refused(self, lane: Lane, fault: Refusal | Lost, now: float) -> None:
        later = lane.tries.again(fault, now, self._retry) if is_passing(fault) else None
        if later is None:
            self.close()
        lane.not_before = now if later is None else later


def _comparison(route: Route[P, T], bounds: IdBounds) -> tuple[Call, ...]:
    up, down = Cursor(route.listing, up=True), Cursor(route.listing, up=False)
    after, upto = bounds.after, bounds.upto
    return up.page(after, upto), down.page(after, upto), up.count(after, upto)
