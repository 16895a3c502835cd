"""Reads a list method whose answers say what comes behind them: a cursor, or rows under rows (REST 3.0)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, Generic, TypeVar

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import JSON, Answer, Call, Command, Done, Listing, Parcel, Row, Success, Wait
from bx24frames.engine.pages.cursor import merged, rows_in, show
from bx24frames.engine.pages.fresh import BARREN, Fresh
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import Tries
from bx24frames.engine.sizes import Sizes
from bx24frames.errors import ResponseError

T = TypeVar("T")

GIVEN: Final = ("nextCursor", "afterCursor")
"""Where an answer holds the cursor of the page behind it (docs: note-collection-list.md, call-followup-list.md)."""
PLACE: Final = ("pagination",)
TAKEN: Final = "afterCursor"
"""Where a request puts it, whatever the answer calls it."""
UNDER: Final = "children"
"""Where a row of a tree holds the rows under it (docs: note-document-tree-list.md)."""
CUT: Final = "truncated"
"""True where a tree was too large to be answered whole."""


class OwnPages(Generic[T]):
    """A machine that gives the rows of a listing in the portal's own order, each id once, one page after the other.

    Parameters
    ----------
    listing : Listing
        Its call asks for the first page.
    take : callable
        Turns rows into what is given out.
    token : str
        Start of every label.
    limit : int, optional
        Rows wanted.
    """

    def __init__(
        self,
        listing: Listing,
        take: Callable[[list[Row]], T],
        *,
        token: str,
        limit: int | None = None,
        retry: RetryPolicy = RETRY,
    ) -> None:
        self._retry = retry
        self._listing = listing
        self._take = take
        self._token = token
        self._left = limit
        self._next: Call | None = listing.call
        self._later = 0.0
        self._away: Call | None = None
        self._tries = Tries()
        self._fresh = Fresh(listing)
        self._asked: set[str] = set()
        self._barren = 0
        self._sent = 0

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:  # noqa: ARG002 (a page has a request of its own)
        """The next page, once the one before it has come."""
        if self._away is not None:
            return Wait(math.inf)
        if self._next is None or self._left == 0:
            return Done()
        if now < self._later:
            return Wait(self._later)
        self._away, self._next = self._next, None
        self._sent += 1
        return Parcel((Command(f"{self._token}_{self._sent}", self._away),))

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Take in a page."""
        [command] = parcel.commands
        answer, self._away = answers[command.label], None
        if not isinstance(answer, Success):
            later = self._tries.again(answer, now, self._retry)
            if later is None:
                raise error_of(answer, command.call.method)
            self._next, self._later = command.call, later
            return []
        self._tries.progress()
        self._next = self._following(command.call, answer.value)
        found = rows_in(self._listing, answer.value)
        show(self._listing, answer, found)
        rows = self._fresh.of([*spread(found)])
        self._barren = 0 if rows else BARREN if found else self._barren + 1  # rows that have come before come no more
        if self._next is not None and self._barren >= BARREN:
            raise ResponseError("A page brings no new row, and the portal tells of more", method=command.call.method)
        if self._left is not None:
            rows = rows[: self._left]
            self._left -= len(rows)
        return [self._take(rows)] if rows else []

    def _following(self, call: Call, value: JSON) -> Call | None:
        """The call of the page behind this one; None at the end."""
        told = value if isinstance(value, dict) else {}
        if told.get(CUT) is True:
            raise ResponseError(
                "The portal cut the tree short: it has more rows than an answer may hold",
                method=call.method,
                guidance="Some of its rows cannot be read by this method.",
            )
        cursor = next((told[name] for name in GIVEN if told.get(name)), None)
        if cursor is None:
            return None
        if str(cursor) in self._asked:
            raise ResponseError("The portal answered a cursor it was asked with: no page would end", method=call.method)
        self._asked.add(str(cursor))
        params = merged(call.params, PLACE, {TAKEN: cursor})
        return Call(call.method, params, direct=call.direct)


def spread(rows: Iterable[Row]) -> Iterator[Row]:
    """Rows of a tree, each before those under it; rows with nothing under them as they are.

    Examples
    --------
    >>> [row["id"] for row in spread([{"id": 1, "children": [{"id": 3, "children": []}]}, {"id": 2}])]
    [1, 3, 2]
    """
    waiting = list(rows)[::-1]
    while waiting:
        row = dict(waiting.pop())
        under = row.pop(UNDER, None)
        yield row
        if isinstance(under, list):
            waiting += [one for one in reversed(under) if isinstance(one, dict)]
