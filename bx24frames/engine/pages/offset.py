"""Reads a list method by offset, or whole, where it cannot be read by id; rows keep the portal's order."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, NoReturn, TypeVar

from bx24frames.caller import warn
from bx24frames.engine.codes import error_of
from bx24frames.engine.messages import Answer, Command, Done, Listing, Paging, Parcel, Row, Success, Wait
from bx24frames.engine.pages.cursor import Cursor, rows_in, show
from bx24frames.engine.pages.fresh import Fresh
from bx24frames.engine.pages.tally import Tally
from bx24frames.engine.policy import RETRY, RetryPolicy
from bx24frames.engine.retry import Tries
from bx24frames.engine.sizes import FIRST_READS, Sizes
from bx24frames.errors import ResponseError

T = TypeVar("T")

PASSES: Final = 4
"""Times a list is gone through whose rows do not add up to its total."""
STALE: Final = 3
"""Pages without a new row, one after the other, that a growing list may show: its rows have moved on."""
WINDOW: Final = 200
"""Pages that may be asked for ahead of the one that is given out next."""


@dataclass(slots=True, eq=False)
class Span:
    """The rows that stand from `start` up to the next page, as far as they have come.

    `due`: answers still to come. `proven`: a second look found no more rows in it. `last`: nothing stands behind its
    last row. `came`: its first page has come. `told`: the total that its first page told.
    """

    start: int
    rows: list[Row] = field(default_factory=list)
    due: int = 0
    proven: bool = False
    last: bool = False
    came: bool = False
    told: int | None = None


@dataclass(slots=True, eq=False)
class Ask:
    """A page to ask for, at `offset`, for the sake of a span."""

    span: Span
    offset: int
    not_before: float = 0.0
    tries: Tries = field(default_factory=Tries)


class OffsetPages(Generic[T]):
    """A machine that gives the rows of a listing in the portal's own order, each id once.

    The first page tells the total; the others follow in batches. The pages begin at multiples of the page's size,
    whatever `next` says. A page that is short before the end is asked for again, and so is what would stand behind its
    last row; then its missing places are hidden ones. The read ends at an empty page, or where the rows add up to the
    total; where they do not, or the total shrank meanwhile, the list is gone through again for the rows that are new.

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
    exact : bool
        Whether a place that the list counts and does not show is an error: the place of a row is what is asked for.

    Raises
    ------
    ResponseError
        A page before the end brings no new row, or the rows do not add up to the total.
    """

    def __init__(
        self,
        listing: Listing,
        take: Callable[[list[Row]], T],
        *,
        token: str,
        limit: int | None = None,
        retry: RetryPolicy = RETRY,
        exact: bool = False,
    ) -> None:
        self._retry = retry
        self._exact = exact
        self._listing = listing
        self._take = take
        self._token = token
        self._left = limit
        self._cursor = Cursor(listing, up=True)
        self._waiting: list[Ask] = []
        self._away: dict[str, Ask] = {}
        self._spans: dict[int, Span] = {}
        self._next_out = 0
        self._asked_upto = 0
        self._fresh = Fresh(listing)
        self._tally = Tally(listing.counted)
        self._heard = False
        self._lengths: list[int] = []
        """Rows of the pages before the last one."""
        self._exact_start = False
        """Whether a page began at an offset that is no multiple of the page's size: then no page skips rows."""
        self._passes = 1
        self._stale = 0
        self._announced: set[int] = set()
        """Where an answer says that another page begins."""
        self._ended = False
        self._sent = 0

    # --- what is due ---------------------------------------------------------------------------

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel of pages."""
        if self._left == 0 or self._ended:
            return Done()
        self._plan()
        ready = [ask for ask in self._waiting if ask.not_before <= now]
        ready = ready[: 1 if self._listing.call.direct else sizes.of(self._listing.call.method, FIRST_READS).now]
        if not ready:
            return Wait(min((ask.not_before for ask in self._waiting), default=math.inf))
        commands = []
        for ask in ready:
            self._waiting.remove(ask)
            self._sent += 1
            label = f"{self._token}_{self._sent}"
            self._away[label] = ask
            commands.append(Command(label, self._cursor.offset(ask.offset)))
        return Parcel(tuple(commands))

    def _plan(self) -> None:
        """Ask for the pages that begin before the end, as far as the list is known to go and rows are wanted."""
        size, total = self._listing.page_size, self._tally.total
        end = self._next_out + 1
        if self._heard and total is not None:
            end = max(end, total)
        if self._left is not None:
            end = min(end, self._next_out + self._left)
        end = min(end, self._next_out + WINDOW * size)
        while self._asked_upto < end:
            span = self._spans[self._asked_upto] = Span(self._asked_upto)
            self._ask(span, span.start)
            self._asked_upto += size

    def _ask(self, span: Span, offset: int) -> None:
        span.due += 1
        self._waiting.append(Ask(span, offset))

    # --- what came back ------------------------------------------------------------------------

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Take in pages; gives those that are complete from the start."""
        for command in parcel.commands:
            ask = self._away.pop(command.label)
            answer = answers[command.label]
            if isinstance(answer, Success):
                self._take_page(ask, answer)
                continue
            later = ask.tries.again(answer, now, self._retry)
            if later is None:
                raise error_of(answer, self._listing.call.method)
            ask.not_before = later
            self._waiting.append(ask)
        complete = self._complete()
        self._waiting.sort(key=lambda ask: ask.offset)
        return complete

    def _take_page(self, ask: Ask, answer: Success) -> None:
        rows = rows_in(self._listing, answer.value)
        show(self._listing, answer, rows)
        span = ask.span
        span.due -= 1
        self._heard = True
        self._tally.hear(answer)
        if answer.next is not None:
            self._announced.add(answer.next)
        if ask.offset == span.start:
            span.last = not rows
            if not span.came or len(rows) > len(span.rows):
                span.rows, span.proven, span.came, span.told = rows, False, True, answer.total
            return
        # what stands behind the last row of a short page; a page from its beginning would show that `start` was rounded
        span.last = not rows
        self._exact_start |= bool(self._fresh.beside(span.rows[:1], rows[:1]))
        part = rows[: self._tally.lacking(span.start, self._size, len(span.rows))]
        if new := self._fresh.beside(span.rows, part):
            span.rows, span.proven = [*span.rows, *new], False

    @property
    def _size(self) -> int:
        return self._listing.page_size

    def _complete(self) -> list[T]:
        out: list[T] = []
        while not self._ended and self._left != 0:
            span = self._spans.get(self._next_out)
            if span is None or span.due or not self._settled(span):
                break
            del self._spans[self._next_out]
            rows = self._given(span)
            if self._left is not None:
                rows = rows[: self._left]
                self._left -= len(rows)
            if rows:
                out.append(self._take(rows))
            self._end(span)
        if self._left == 0:
            self._tell_hidden()
        return out

    def _settled(self, span: Span) -> bool:
        """Whether a span holds all its rows; one that is short before the end, or announced and empty, is looked at
        once more.
        """
        rows = len(span.rows)
        if span.told is not None and span.told < span.start + rows and self._fresh.beside([], span.rows):
            self._tally.distrust()  # the total of a page alone, or of nothing at all
        enough = self._left is not None and rows >= self._left and self._tally.total is None
        if span.proven or enough or self._listing.paging is Paging.WHOLE:
            return True
        doubtful = not rows and span.start in self._announced
        if not doubtful and not self._tally.lacking(span.start, self._size, rows):
            return True
        span.proven = True  # unless the second look finds something
        behind = not self._listing.page_path and self._listing.paging is Paging.OFFSET
        if self._tally.total is not None or not behind or not rows:
            self._ask(span, span.start)
        if rows and behind:
            self._ask(span, span.start + rows)
        return False

    def _given(self, span: Span) -> list[Row]:
        """The new rows of a span; none of them before the end is an error."""
        fresh = self._fresh
        before = fresh.repeats
        rows = fresh.of(span.rows)
        self._tally.repeats += fresh.repeats - before
        self._tally.hidden += self._tally.lacking(span.start, self._size, len(span.rows))
        if rows or self._passes > 1:
            self._stale = 0
        elif span.rows and not self._tally.reached(span.start):
            self._stale += 1
            if self._stale > (STALE if self._tally.grew else 0):
                self._raise("A page brings no new row, though the list is not at its end")
        if not span.rows and self._tally.total is not None and not self._tally.reached(span.start):
            self._raise(f"An empty page, where the list counts {self._tally.total} rows")
        return rows

    def _end(self, span: Span) -> None:
        """Go on behind a span that was given out, or end."""
        tally = self._tally
        self._next_out = span.start + self._size
        if self._listing.paging is Paging.WHOLE and self._next_out not in self._announced:
            self._ended = True
            if tally.total is not None and self._fresh.count + tally.repeats < tally.total:
                self._short()
        elif tally.total is None:
            self._ended = span.last
        elif span.start and tally.reached(span.start):  # the page behind the total
            if span.rows and span.start == self._size and self._passes == 1:
                if span.start in self._announced:
                    self._raise("A page that was announced brings the rows of the first once more")
                # either the list begins again behind its end, or `start` has no effect and the total is the page's
                warn(
                    f"{self._listing.call.method} answers a second page with its first {self._size} rows, and counts no"
                    " more than these: if it has more, it does not show them"
                )
            self._finish()
        elif tally.reached(self._next_out):
            # a total that is that of the page, as some methods tell it, would end the read here
            full = len(span.rows) >= self._size and not self._listing.wraps and self._passes == 1
            if not full:
                self._finish()
        else:
            self._lengths.append(len(span.rows))

    def _finish(self) -> None:
        """End where the rows add up; else go through the list once more."""
        if self._tally.fits(self._fresh.count):
            self._tell_hidden()
            self._ended = True
            return
        if self._passes == PASSES:
            self._short()
        self._passes += 1
        self._tally.again()
        self._spans.clear()
        self._waiting.clear()
        self._next_out = self._asked_upto = 0

    def _tell_hidden(self) -> None:
        """Warn of places that the list counts and does not show; pages that are all as short may skip rows instead."""
        if not self._tally.hidden:
            return
        alike = len(self._lengths) > 1 and len(set(self._lengths)) == 1 and self._lengths[0] < self._size
        if alike and not self._exact_start:
            self._raise(f"Pages of {self._lengths[0]} rows each, which begin {self._size} rows apart")
        if self._exact:
            self._raise(f"The list counts {self._tally.hidden} rows that it does not show")
        warn(f"{self._listing.call.method} counts {self._tally.hidden} rows more than it shows: hidden from this user")

    def _short(self) -> NoReturn:
        self._raise(f"{self._fresh.count} rows came, where the list counts {self._tally.total}")

    def _raise(self, fault: str) -> NoReturn:
        raise ResponseError(
            fault,
            method=self._listing.call.method,
            guidance="The method does not page as it should, or its rows change faster than they can be read.",
        )
