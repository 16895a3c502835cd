"""Second route of a read: another list method for the same rows, proven before use and closed at a difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, Generic, TypeVar

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


SAMPLES: Final = 4
"""Pages in the midst of the range that are compared, besides the first and the last one."""


class Beside(Generic[P, T]):
    """The routes of a read. The second one is used once it has been seen to give the same rows.

    Both lists are asked, in one batch, for their first page, their last page, pages in between, and their number of
    rows. Rows and numbers have to be the same. Where a later page holds what was not compared, that page is compared
    too, and until then left to the first route; a difference closes the second one.

    Parameters
    ----------
    first : Route
    other : Route or None
    """

    def __init__(self, first: Route[P, T], other: Route[P, T] | None, *, retry: RetryPolicy = RETRY) -> None:
        self._first = first
        self._other = other
        self._retry = retry
        self._asked: frozenset[str] = frozenset()
        self._doubt: int | None = None
        """The id after which a page is that holds what was not compared yet."""
        self._open = False
        self.waiting = other is not None
        """Whether there is a second route that has to be compared."""

    @property
    def routes(self) -> tuple[Route[P, T], ...]:
        """The routes that may be used."""
        return (self._first, self._other) if self._open and self._other is not None else (self._first,)

    @property
    def commands(self) -> int:
        """Pages and counts of each route that the comparison takes."""
        return SAMPLES + 3 if self._doubt is None else 1

    @property
    def settled(self) -> bool:
        """Whether it is known if the second route may be used."""
        return not (self._asked or (self.waiting and not self.in_doubt))

    @property
    def in_doubt(self) -> bool:
        """Whether a page has to be compared before more pages like it are taken."""
        return self._doubt is not None

    def close(self) -> None:
        """Use the first route alone from now on."""
        self._open = self.waiting = False

    def proof(self, label: Callable[[], str], bounds: IdBounds, far: int) -> Parcel:
        """The request that compares the two lists; `far`: the last id."""
        self.waiting = False
        calls: list[Call] = []
        for route in (self._first, self._other):
            if route is not None and self._doubt is None:
                calls += _comparison(route, bounds, far)
            elif route is not None:
                calls.append(Cursor(route.listing, up=True).page(self._doubt, bounds.upto))
        parcel = Parcel(tuple(Command(label(), call) for call in calls))
        self._asked = frozenset(command.label for command in parcel.commands)
        return parcel

    def is_proof(self, parcel: Parcel) -> bool:
        """Whether a parcel is the one made by `proof`."""
        return parcel.commands[0].label in self._asked

    def compare(self, parcel: Parcel, answers: Mapping[str, Answer]) -> None:
        """Open the second route if both lists have the same rows."""
        if self._other is None or self._other.judge is None:
            return
        found = [answers[command.label] for command in parcel.commands]
        half = len(found) // 2
        try:
            first, other = self._seen(self._first, found[:half]), self._seen(self._other, found[half:])
            alike = first is not None and other is not None and len(first) == len(other)
            self._open = alike and all(
                one == two if isinstance(one, int) or isinstance(two, int) else self._other.judge.alike(one, two)
                for one, two in zip(first or (), other or (), strict=True)
            )
        except BX24Error:
            self._open = False
        self._asked, self._doubt = frozenset(), None

    def _seen(self, route: Route[P, T], answers: Sequence[Answer]) -> list[T | int] | None:
        """The pages, and the number of rows where that was asked for; None where one of them is unknown."""
        counted = self._doubt is None
        found: list[T | int] = []
        for place, answer in enumerate(answers):
            if counted and place + 1 == len(answers):
                if not isinstance(answer, Success) or not answer.total:
                    return None
                found.append(answer.total)
                continue
            rows = page_in(route.listing, answer)
            if isinstance(rows, Refusal | Lost):
                return None
            found.append(route.take(rows))
        return found

    def read(
        self, route: Route[P, T], lane: Lane, pages: Sequence[Answer], now: float
    ) -> tuple[Strand[P, T], T] | None:
        """The rows that a chain of the second route brought; None if there are none to be taken.

        A lane is closed to this route where its rows end: that they end is for the first route to say.
        """
        try:
            strand = self._strand(route, lane, pages, now)
            rows = strand.taken() if strand.last_id is not None else None
            unseen = None if rows is None or route.judge is None else route.judge.unseen(rows)
            if unseen is not None:
                strand, rows = self._up_to(unseen // route.listing.page_size, route, lane, pages)
        except BX24Error:
            self.close()
            return None
        if rows is None and not lane.not_before > now and self._doubt is None:
            lane.barred = True
        return None if rows is None else (strand, rows)

    def _up_to(
        self, page: int, route: Route[P, T], lane: Lane, pages: Sequence[Answer]
    ) -> tuple[Strand[P, T], T | None]:
        """The rows before a page that has to be compared first."""
        strand: Strand[P, T] = Strand(route.listing, route.take, lane, up=True, along=True, limit=None)
        for answer in pages[:page]:
            self._add(strand, route, answer)
        self._doubt = lane.after if strand.last_id is None else strand.last_id
        self.waiting = True
        return strand, None if strand.last_id is None else strand.taken()

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

    @staticmethod
    def _add(strand: Strand[P, T], route: Route[P, T], answer: Answer) -> None:
        page = page_in(route.listing, answer)
        if not isinstance(page, Refusal | Lost):
            strand.add(page, size_of(answer))

    def _refused(self, lane: Lane, fault: Refusal | Lost, now: float) -> None:
        later = lane.tries.again(fault, now, self._retry) if is_passing(fault) else None
        if later is None:
            self.close()
        lane.not_before = now if later is None else later


def _comparison(route: Route[P, T], bounds: IdBounds, far: int) -> list[Call]:
    up, down = Cursor(route.listing, up=True), Cursor(route.listing, up=False)
    after, upto = bounds.after or 0, bounds.upto
    starts = [after + (far - after) * place // (SAMPLES + 1) for place in range(SAMPLES + 1)]
    return [*(up.page(start, upto) for start in starts), down.page(after, upto), up.count(after, upto)]
