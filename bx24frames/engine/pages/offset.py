"""Reads a list method by offset, or whole, where it cannot be read by id; rows keep the portal's order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Answer, Command, Done, Listing, Paging, Parcel, Row, Success, Wait
from bx24frames.engine.pages.cursor import Cursor, rows_in, show
from bx24frames.engine.pages.fresh import Fresh
from bx24frames.engine.retry import Tries
from bx24frames.engine.sizes import FIRST_READS, Sizes

T = TypeVar("T")


class OffsetPages(Generic[T]):
    """A machine that gives the rows of a listing in the portal's own order, each id once.

    The first page tells the total; the others follow in batches. Rows that are added or deleted meanwhile shift
    the offsets, which no reader by offset can see: such a read is complete only while the table rests.

    Parameters
    ----------
    listing : Listing
        Its call carries the order wanted.
    take : callable
        Turns rows into what is given out.
    token : str
        Start of every label.
    limit : int, optional
        Rows wanted.
    """

    def __init__(
        self, listing: Listing, take: Callable[[list[Row]], T], *, token: str, limit: int | None = None
    ) -> None:
        self._listing = listing
        self._take = take
        self._token = token
        self._limit = self._left = limit
        self._cursor = Cursor(listing, up=True)
        self._waiting: list[tuple[int, float, Tries]] = [(0, 0.0, Tries())]
        self._starts: dict[str, tuple[int, Tries]] = {}
        self._pages: dict[int, list[Row]] = {}
        self._next_out = 0
        self._asked_upto = 0
        self._known = 0
        self._fresh = Fresh(listing)
        self._sent = 0

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel of pages."""
        if self._left == 0 or not (self._waiting or self._starts):
            return Done()
        ready = [item for item in self._waiting if item[1] <= now]
        ready = ready[: 1 if self._listing.call.direct else sizes.of(self._listing.call.method, FIRST_READS).now]
        if not ready:
            return Wait(min((item[1] for item in self._waiting), default=math.inf))
        commands = []
        for item in ready:
            self._waiting.remove(item)
            self._sent += 1
            label = f"{self._token}_{self._sent}"
            self._starts[label] = (item[0], item[2])
            commands.append(Command(label, self._cursor.offset(item[0])))
        return Parcel(tuple(commands))

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Take in pages; gives those that are complete from the start."""
        for command in parcel.commands:
            start, tries = self._starts.pop(command.label)
            answer = answers[command.label]
            if isinstance(answer, Success):
                self._take_page(start, answer)
                continue
            later = tries.again(answer, now)
            if later is None:
                raise error_of(answer, self._listing.call.method)
            self._waiting.append((start, later, tries))
        complete = self._complete()
        if self._left and not (self._waiting or self._starts):
            self._follow(self._asked_upto + self._listing.page_size + self._left)  # pages came short: rows are missing
        self._waiting.sort(key=lambda item: item[0])
        return complete

    def _take_page(self, start: int, answer: Success) -> None:
        rows = rows_in(self._listing, answer.value)
        show(self._listing, answer, rows)
        self._pages[start] = rows
        if self._listing.paging is Paging.WHOLE:
            return
        # Beyond its end a list may begin again from the start, so only pages that exist are asked for.
        self._known = max(self._known, answer.total or 0, (answer.next or 0) + 1 if answer.next else 0)
        untold = answer.total is None and answer.next is None and len(rows) >= self._listing.page_size
        if rows and (untold or not self._listing.counted) and not self._listing.wraps:  # up to an empty page
            self._known = max(self._known, start + self._listing.page_size + 1)
        self._follow(self._known if self._limit is None else self._limit)

    def _follow(self, end: int) -> None:
        """Ask for the pages that begin before `end`, as far as the list is known to go."""
        size = self._listing.page_size
        while (following := self._asked_upto + size) < min(end, self._known):
            self._waiting.append((following, 0.0, Tries()))
            self._asked_upto = following

    def _complete(self) -> list[T]:
        out: list[T] = []
        size = self._listing.page_size
        while self._next_out in self._pages and self._left != 0:
            rows = self._fresh.of(self._pages.pop(self._next_out))
            self._next_out += size
            if self._left is not None:
                rows = rows[: self._left]
                self._left -= len(rows)
            if rows:
                out.append(self._take(rows))
        return out
