"""Reads many short listings at once, a page of many owners in one request; rows come in the order of the listings."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from bx24frames.engine.messages import Answer, Command, Done, Listing, Parcel, Row, Wait
from bx24frames.engine.offset import OffsetPages
from bx24frames.engine.sizes import FIRST_READS, Sizes

T = TypeVar("T")


@dataclass(slots=True)
class _Reader(Generic[T]):
    """One listing under way, and what it gave before its turn came."""

    pages: OffsetPages[T]
    direct: bool
    given: list[T] = field(default_factory=list)
    done: bool = False


class ManyPages(Generic[T]):
    """A machine that reads listings by offset, or whole, many of them in each request.

    Parameters
    ----------
    listings : sequence of Listing
        Of one method; each is read to its end.
    take : callable
        Turns rows into what is given out.
    token : str
        Start of every label.
    """

    def __init__(self, listings: Sequence[Listing], take: Callable[[list[Row]], T], *, token: str) -> None:
        self._method = listings[0].call.method if listings else ""
        self._ahead = deque(
            (OffsetPages(listing, take, token=f"{token}_{place}"), listing.call.direct)
            for place, listing in enumerate(listings)
        )
        self._open: deque[_Reader[T]] = deque()
        self._of_label: dict[str, _Reader[T]] = {}

    def due(self, now: float, sizes: Sizes) -> Parcel | Wait | Done:
        """The next parcel: further pages of the listings begun, then first pages of the next ones."""
        room = sizes.of(self._method, FIRST_READS).now
        commands: list[Command] = []
        until = math.inf
        for reader in self._readers(room):
            if reader.done or (reader.direct and commands):
                continue
            step = reader.pages.due(now, sizes, most=room - len(commands))
            if isinstance(step, Parcel):
                self._of_label.update((command.label, reader) for command in step.commands)
                commands += step.commands
            elif isinstance(step, Wait):
                until = min(until, step.until)
            else:
                reader.done = True
            if reader.direct and commands:
                break  # it travels alone
            if len(commands) == room:
                break
        if commands:
            return Parcel(tuple(commands))
        return Done() if all(reader.done for reader in self._open) and not self._ahead else Wait(until)

    def _readers(self, room: int) -> Iterable[_Reader[T]]:
        """The listings under way, and new ones for as long as they are asked for; at most two requests' worth."""
        yield from list(self._open)
        while self._ahead and len(self._open) < 2 * room:
            pages, direct = self._ahead.popleft()
            self._open.append(_Reader(pages, direct))
            yield self._open[-1]

    def feed(self, parcel: Parcel, answers: Mapping[str, Answer], now: float) -> Iterable[T]:
        """Take in the pages of a parcel; gives the rows of every listing whose turn has come."""
        mine: dict[int, tuple[_Reader[T], list[Command]]] = {}
        for command in parcel.commands:
            reader = self._of_label.pop(command.label)
            mine.setdefault(id(reader), (reader, []))[1].append(command)
        for reader, commands in mine.values():
            reader.given += reader.pages.feed(Parcel(tuple(commands)), answers, now)
            reader.done = reader.pages.finished
        return self._complete()

    def _complete(self) -> list[T]:
        out: list[T] = []
        while self._open:
            out += self._open[0].given
            self._open[0].given = []
            if not self._open[0].done:
                break
            self._open.popleft()
        return out
